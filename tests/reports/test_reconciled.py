"""Outbox, log and invoice in the report: figures of them, and one table in both languages."""

from datetime import date, timedelta

import polars as pl
import pytest

from sms_etl.config.settings import Language
from sms_etl.model.schemas import INVOICE_TOTALS, RECONCILIATION, RECONCILIATION_DAYS
from sms_etl.model.vocabulary import ReconciliationState, Silence
from sms_etl.reports.figures import Reconciled
from sms_etl.reports.language import Words
from sms_etl.reports.reconciled import (
    Reconciliation,
    lines,
    reconciled,
    silence_name,
    state_name,
)
from sms_etl.reports.render import render_html
from tests.reports import samples

FIRST, LAST = samples.FIRST, samples.LAST
TITLES = {Language.UKRAINIAN: "Власний журнал", Language.ENGLISH: "Outbox, provider"}


def row(state, **changes):
    return {
        "day": FIRST,
        "source": "gate",
        "campaign": "sale",
        "state": state,
        "outbox_rows": 1,
        "messages": 1,
        "invoice_lines": 1,
        "ours_micro": 1_000_000,
        "theirs_micro": 1_000_000,
        "currency": "UAH",
        **changes,
    }


ROWS = [
    row("matched"),
    row("matched", campaign="codes"),
    row("doubled", theirs_micro=2_500_000),
    row("unknown_to_us", messages=0, ours_micro=None, theirs_micro=300_000),
    row("not_billed", invoice_lines=0, theirs_micro=None),
    row("not_compared", invoice_lines=0, theirs_micro=None),
    row("priced_differently", day=FIRST - timedelta(days=1), theirs_micro=9_000_000),
    row("matched", source="mail", currency="EUR"),
]
DAYS = [
    {"day": FIRST, "source": "gate", "silence": "receipts_stopped"},
    {"day": LAST, "source": "gate", "silence": "receipts_stopped"},
    {"day": LAST, "source": "mail", "silence": "none"},
    {"day": LAST, "source": "cold", "silence": "provider_empty"},
]
TOTALS = [
    {"day": LAST, "source": "mail", "state": "matched", "difference_micro": 0, "currency": "EUR"},
    {
        "day": LAST,
        "source": "mail",
        "state": "priced_differently",
        "difference_micro": -40_000,
        "currency": "EUR",
    },
    {"day": LAST, "source": "mail", "state": "not_billed", "ours_micro": 10_000, "currency": "EUR"},
]


def found(campaign=None) -> dict[str, Reconciled]:
    tables = Reconciliation(
        pl.LazyFrame(ROWS, schema=RECONCILIATION.schema),
        pl.LazyFrame(DAYS, schema=RECONCILIATION_DAYS.schema),
        pl.LazyFrame(TOTALS, schema=INVOICE_TOTALS.schema),
    )
    return {one.source: one for one in reconciled(tables, (FIRST, LAST), campaign)}


def test_states_of_the_days_are_counted_with_their_money():
    gate = found()["gate"]
    assert {s.state: (s.messages, s.difference_micro) for s in gate.states} == {
        "matched": (2, {}),
        "doubled": (1, {"UAH": 1_500_000}),
        "unknown_to_us": (1, {"UAH": 300_000}),
        "not_billed": (1, {"UAH": -1_000_000}),
    }
    assert gate.silent_days == {"receipts_stopped": (FIRST, LAST)}
    assert gate.totals == 0


def test_totals_of_an_invoice_are_counted_beside():
    mail = found()["mail"]
    assert (mail.totals, mail.totals_differ) == (3, 2)
    assert mail.totals_difference_micro == {"EUR": -50_000}
    assert mail.silent_days == {}


def test_a_source_that_was_only_silent_is_told_too():
    assert found()["cold"].silent_days == {"provider_empty": (LAST,)}


def test_a_campaign_has_its_own_messages_only():
    assert list(found("codes")) == ["gate"]
    assert [s.messages for s in found("codes")["gate"].states] == [1]
    assert found("nobody") == {}


def test_the_line_adds_up():
    figures = samples.month(reconciliation=tuple(found().values()))
    told = {line.source: line for line in lines(Words(Language.ENGLISH), figures)}
    assert (told["gate"].messages, told["gate"].agree, told["gate"].money) == (5, 2, "+UAH 0.80")
    assert told["gate"].differs == "unknown to us: 1; doubled: 1; not on the invoice: 1"
    assert told["mail"].differs == "lines of the invoice that differ: 2 of 3"
    assert told["mail"].money == "\u2212€0.05"
    assert (told["cold"].messages, told["cold"].money, told["cold"].differs) == (0, "—", "—")


@pytest.mark.parametrize("language", Language)
def test_the_table_is_in_the_report_only_where_something_was_held_against(language):
    told = samples.month(reconciliation=tuple(found().values()))
    assert TITLES[language] in render_html(told, language).decode()
    assert TITLES[language] not in render_html(samples.month(), language).decode()


@pytest.mark.parametrize("name", [*ReconciliationState, *Silence])
def test_every_state_and_silence_has_words_in_both_languages(name):
    said = state_name if isinstance(name, ReconciliationState) else silence_name
    ukrainian, english = (said(Words(language), name) for language in Language)
    assert ukrainian != english


def test_an_edition_from_before_still_opens():
    tree = samples.month().model_dump(mode="json")
    del tree["reconciliation"]
    opened = type(samples.month()).model_validate(tree)
    assert opened.reconciliation == ()
    assert opened.first_day == date(2026, 10, 1)
