"""What sections say once: one number or text each."""

from __future__ import annotations

from collections.abc import Iterator

from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.tables.table import Cell, Column, Table

Fact = tuple[str, str, float | None, str | None]
"""Lasting name, its name in the reader's language, and a number or a text."""


def section_facts(figures: Figures, words: Words) -> Table:
    """Everything that a section says once."""
    columns = (
        Column("fact", Cell.TEXT, words.text("Fact"), "Section and field of the figures"),
        Column("label", Cell.TEXT, words.text("Name"), "The same in the reader's language"),
        Column("number", Cell.NUMBER, words.text("Number"), "Where the fact is a number"),
        Column("text", Cell.TEXT, words.text("Value"), "Where it is none; days year-month-day"),
    )
    found = (
        *_engagement(figures, words),
        *_loyalty(figures, words),
        *_clean(figures, words),
        *_proof(figures, words),
    )
    title = words.text("Facts of sections")
    return Table("section_facts", title, "What a section says once", columns, found)


def _engagement(figures: Figures, words: Words) -> Iterator[Fact]:
    if (told := figures.engagement) is not None:
        channels = "; ".join(told.read_channels)
        yield from (
            _number("engagement.horizon_days", words.text("Days that clicks count"),
                    told.horizon_days),
            _number("engagement.untied_clicks", words.text("Clicks of no known campaign"),
                    told.untied_clicks),
            _number("engagement.unjudged_clicks", words.text("Clicks not judged yet"),
                    told.unjudged_clicks),
            _text("engagement.read_channels", words.text("Channels that report reading"),
                  channels),
        )  # fmt: skip
    if (brought := figures.attributed) is not None:
        yield from (
            _number("attributed.click_days", words.text("Days after a click that orders count"),
                    brought.click_days),
            _number("attributed.delivery_hours",
                    words.text("Hours after a delivery that orders count"),
                    brought.delivery_hours),
        )  # fmt: skip


def _loyalty(figures: Figures, words: Words) -> Iterator[Fact]:
    told = figures.loyalty
    if told is None:
        return
    lost = told.unreachable
    yield from (
        _text("loyalty.first_day", words.text("First day of orders"), told.first_day.isoformat()),
        _text("loyalty.last_day", words.text("Last day of orders"), told.last_day.isoformat()),
        _number("loyalty.days", words.text("Days of orders"), told.days),
        _number("loyalty.buyers", words.text("Buyers"), told.buyers),
        _number("loyalty.beside_days", words.text("Days before and after a message"),
                told.beside_days),
        _text("loyalty.currency", words.text("Currency of the scores"), told.currency),
        _number("loyalty.unreachable", words.text("Loyal customers lost"), lost.numerator),
        _number("loyalty.unreachable_of", words.text("Loyal customers written to twice"),
                lost.denominator),
    )  # fmt: skip


def _clean(figures: Figures, words: Words) -> Iterator[Fact]:
    if (study := figures.failure_study) is not None:
        yield from (
            _number("failure_study.messages", words.text("Messages looked at"), study.messages),
            _number("failure_study.failed", words.text("Of them undelivered"), study.failed),
            _number("failure_study.candidates", words.text("Factors looked for"),
                    study.candidates),
            _number("failure_study.dispersion", words.text("Scatter of batches"),
                    study.dispersion),
        )  # fmt: skip
    if (base := figures.clean_base) is not None:
        yield _number("clean_base.people", words.text("People on the list"), base.people)


def _proof(figures: Figures, words: Words) -> Iterator[Fact]:
    if (told := figures.compliance) is not None:
        register = "true" if told.consent_register else "false"
        yield _text("compliance.packs", words.text("Sets of rules"), "; ".join(told.packs))
        yield _text("compliance.consent_register", words.text("Register of consents"), register)
    if (corrected := figures.correction) is not None:
        at = corrected.corrects_at.isoformat()
        yield _text("correction.corrects_at", words.text("Corrects the report of (UTC)"), at)


def _number(name: str, label: str, value: float) -> Fact:
    return name, label, float(value), None


def _text(name: str, label: str, value: str) -> Fact:
    return name, label, None, value
