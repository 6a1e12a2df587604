"""How far the proof of delivery reaches, as the first page says it."""

from __future__ import annotations

import pytest

from sms_etl.config.settings import Language
from sms_etl.reports import cards
from sms_etl.reports.language import Words
from tests.reports import samples


def notes(words: Words, **changes: int) -> str:
    month = samples.month()
    totals = month.totals.model_copy(update=changes)
    return " · ".join(cards.delivered(words, month.model_copy(update={"totals": totals})).notes)


@pytest.mark.parametrize(
    ("language", "partly", "by_operator"),
    [
        ("en", "3 arrived in part and are not counted", "21 only by the operator's word"),
        ("uk", "3 дійшли частково й не враховані", "21 лише зі слів оператора"),
    ],
)
def test_what_arrived_in_part_or_by_the_operators_word_is_said(language, partly, by_operator):
    said = notes(Words(Language(language)), partly_delivered=3, operator_receipts=21)
    assert partly in said
    assert by_operator in said


def test_nothing_is_said_where_there_is_nothing_to_say():
    said = notes(Words(Language.ENGLISH), partly_delivered=0, operator_receipts=0)
    assert "part" not in said
    assert "operator" not in said
