from __future__ import annotations

from sms_etl.dictionaries import reasons
from sms_etl.metrics.reasons import DEAD_REASONS, list_reasons, mender_of
from sms_etl.model.vocabulary import Mender, Permanence, Reason


def test_menders_are_those_of_the_dictionary() -> None:
    told = dict(reasons().select("reason", "mender").iter_rows())
    assert {reason: mender_of(reason) for reason in Reason} == told
    assert mender_of("no such word") is Mender.NOBODY


def test_a_dead_number_is_a_lasting_fault_of_the_list() -> None:
    lasting = reasons().filter(permanence=Permanence.PERMANENT.value)["reason"].to_list()
    assert set(lasting) >= DEAD_REASONS
    assert list_reasons() > DEAD_REASONS
    assert Reason.OPTED_OUT in list_reasons() - DEAD_REASONS
