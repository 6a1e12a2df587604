"""The clean base: what failures have in common, the suppression list, rules, suspicions."""

from __future__ import annotations

from typing import Any

from sms_etl.reports.clean_figures import Spared, Wasted
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.tables.table import (
    Cell,
    Column,
    Table,
    by_currency,
    rate_cells,
    rate_columns,
    scope_text,
)

_SCOPE = "Dimensions and values, joined by semicolons"


def common_factors(figures: Figures, words: Words) -> Table:
    """What messages that did not arrive have in common."""
    columns = (
        Column("scope", Cell.TEXT, words.text("In common"), _SCOPE),
        *rate_columns(words, "undelivered", words.text("Undelivered"), "messages in scope"),
        *rate_columns(words, "elsewhere", words.text("Undelivered elsewhere"), "all others"),
        Column(
            "lift", Cell.NUMBER, words.text("Times as often"), "Empty: nothing failed elsewhere"
        ),
        Column("interval_low", Cell.NUMBER, words.text("95%% from"), "Its interval"),
        Column("interval_high", Cell.NUMBER, words.text("95%% to"), "Its interval"),
        *rate_columns(words, "of_undelivered", words.text("Of undelivered"), "all undelivered"),
        Column("p_value", Cell.NUMBER, words.text("p-value"), "Before the false discovery rate"),
    )
    rows = tuple(
        (
            scope_text(one.scope),
            *rate_cells(one.inside),
            *rate_cells(one.outside),
            one.lift,
            one.interval.low if one.interval else None,
            one.interval.high if one.interval else None,
            *rate_cells(one.share_of_failures),
            one.p_value,
        )
        for one in (figures.failure_study.factors if figures.failure_study else ())
    )
    meaning = "What failures have in common, the strongest first"
    return Table("common_factors", words.text("Common factors"), meaning, columns, rows)


def suppression(figures: Figures, words: Words) -> Table:
    """The suppression list by rule: people counted, nobody named."""
    columns = (
        Column("rule", Cell.TEXT, words.text("Rule"), "Why people are on the list"),
        Column("people", Cell.COUNT, words.text("People"), "On the list at the end"),
        Column("added", Cell.COUNT, words.text("New"), "Added on these days"),
        Column("ended", Cell.COUNT, words.text("Off again"), "Taken off on these days"),
        Column("lifted_by", Cell.TEXT, words.text("Who may lift it"), "list_owner or person"),
    )
    rows = tuple(
        (one.rule, one.people, one.added, sum(one.ended.values()), one.lifted_by)
        for one in (figures.clean_base.rules if figures.clean_base else ())
    )
    meaning = "People on the suppression list by rule"
    return Table("suppression", words.text("Suppression list"), meaning, columns, rows)


def suppression_ended(figures: Figures, words: Words) -> Table:
    """How people left the suppression list."""
    columns = (
        Column("rule", Cell.TEXT, words.text("Rule"), "Why people were on the list"),
        Column("how", Cell.TEXT, words.text("How"), "delivered, expired, lifted, opted_in"),
        Column("people", Cell.COUNT, words.text("People"), "Taken off on these days"),
    )
    rows = tuple(
        (one.rule, how, people)
        for one in (figures.clean_base.rules if figures.clean_base else ())
        for how, people in one.ended.items()
    )
    meaning = "How people left the suppression list"
    return Table("suppression_ended", words.text("Off the list"), meaning, columns, rows)


def suppression_proof(figures: Figures, words: Words) -> Table:
    """What the list spared, and what was sent to people on it."""
    columns = (
        Column("what", Cell.TEXT, words.text("Figure"), "spared, or sent_though_listed"),
        Column("messages", Cell.COUNT, words.text("Messages"), "Skipped, or sent"),
        Column("people", Cell.COUNT, words.text("People"), "They were for"),
        Column("unpriced", Cell.COUNT, words.text("Without a price"), "Of those spared"),
        Column("undelivered", Cell.COUNT, words.text("Undelivered"), "Of those sent"),
        Column("currency", Cell.TEXT, words.text("Currency"), "ISO 4217"),
        Column("money", Cell.MONEY, words.text("Money"), "Saved, or spent"),
    )
    base = figures.clean_base
    told = (("spared", base.spared), ("sent_though_listed", base.wasted)) if base else ()
    rows = tuple(
        (what, *_counted(one), *money)
        for what, one in told
        if one is not None
        for money in by_currency(one.cost_micro)
    )
    meaning = "What the suppression list spared, and what was sent in spite of it"
    return Table("suppression_proof", words.text("Proof of the list"), meaning, columns, rows)


def list_failures(figures: Figures, words: Words) -> Table:
    """Messages that a clean list would have spared."""
    columns = (
        Column("part", Cell.TEXT, words.text("Period"), "now or before"),
        *rate_columns(words, "list_failures", words.text("Failed by the list"), "all sent"),
    )
    base = figures.clean_base
    told = (("now", base.list_failures), ("before", base.list_failures_before)) if base else ()
    rows = tuple((part, *rate_cells(rate)) for part, rate in told if rate is not None)
    meaning = "Messages that a clean list would have spared"
    return Table("list_failures", words.text("Failed by the list"), meaning, columns, rows)


def rules(figures: Figures, words: Words) -> Table:
    """Messages held against rules."""
    columns = (
        Column("rule", Cell.TEXT, words.text("Rule"), "Stable identifier of the rule"),
        Column("kind", Cell.TEXT, words.text("Kind"), "What kind of rule"),
        *rate_columns(words, "breaches", words.text("Breaches"), "messages it could judge"),
        Column("people", Cell.COUNT, words.text("People"), "Sent messages in breach"),
        Column("most", Cell.COUNT, words.text("At most"), "Limit of a frequency"),
        Column("days", Cell.COUNT, words.text("Within, days"), "Days of the limit"),
        Column("source", Cell.TEXT, words.text("Law"), "In the reader's language"),
        Column("reading", Cell.TEXT, words.text("How it is read"), "In the reader's language"),
        Column("seen", Cell.TEXT, words.text("Seen at"), "Where the law was read"),
        Column("read_on", Cell.DAY, words.text("Read on"), "When it was read"),
    )
    language = words.language.value
    rows = tuple(
        (
            one.rule,
            one.kind,
            *rate_cells(one.breaches),
            one.people,
            one.most,
            one.days,
            one.source.get(language),
            one.reading.get(language),
            one.seen,
            one.read_on,
        )
        for one in (figures.compliance.rules if figures.compliance else ())
    )
    return Table("rules", words.text("Rules"), "Messages held against rules", columns, rows)


def rule_details(figures: Figures, words: Words) -> Table:
    """Breaches by campaign, and why messages could not be judged."""
    columns = (
        Column("rule", Cell.TEXT, words.text("Rule"), "As in the table rules"),
        Column("what", Cell.TEXT, words.text("Figure"), "breaches_of_campaign or not_judged"),
        Column("word", Cell.TEXT, words.text("Kind"), "Campaign, or why it was not judged"),
        Column("messages", Cell.COUNT, words.text("Messages"), "In breach, or not judged"),
    )
    rows = tuple(
        (one.rule, what, word, messages)
        for one in (figures.compliance.rules if figures.compliance else ())
        for what, counted in (
            ("breaches_of_campaign", one.campaigns),
            ("not_judged", one.not_judged),
        )
        for word, messages in counted.items()
    )
    meaning = "Breaches by campaign, messages that could not be judged by why"
    return Table("rule_details", words.text("Rules in detail"), meaning, columns, rows)


def stop_lag(figures: Figures, words: Words) -> Table:
    """From a refusal to silence."""
    columns = (
        *rate_columns(words, "written_after", words.text("Written to again"), "who refused"),
        Column("half_hours", Cell.NUMBER, words.text("Median, h"), "Hours to the last message"),
        Column("longest_hours", Cell.NUMBER, words.text("Longest, h"), "Hours to the last one"),
    )
    lag = figures.compliance.lag if figures.compliance else None
    rows = ((*rate_cells(lag.written_after), lag.half_hours, lag.longest_hours),) if lag else ()
    meaning = "How long people were written to after they refused"
    return Table("stop_lag", words.text("From refusal to silence"), meaning, columns, rows)


def suspicions(figures: Figures, words: Words) -> Table:
    """What should be tested, a row for each sign."""
    columns = (
        Column("kind", Cell.TEXT, words.text("Problem"), "What is suspected, never a verdict"),
        Column("scope", Cell.TEXT, words.text("Where"), _SCOPE),
        Column("messages", Cell.COUNT, words.text("Messages"), "Of the slice"),
        Column("first_at", Cell.MOMENT, words.text("Begins (UTC)"), "First message"),
        Column("last_at", Cell.MOMENT, words.text("Ends (UTC)"), "Last message"),
        Column("sign", Cell.TEXT, words.text("Sign"), "What was seen"),
        Column("value", Cell.NUMBER, words.text("Value"), "A share, or what the sign counts"),
        Column("usual", Cell.NUMBER, words.text("Usual"), "Empty: nothing is"),
        Column("sign_messages", Cell.COUNT, words.text("Looked at"), "Messages of the sign"),
        Column("sample", Cell.TEXT, words.text("To try"), "Messages as source:identifier"),
    )
    rows = tuple(
        (
            one.kind,
            scope_text(one.scope),
            one.messages,
            one.first_at,
            one.last_at,
            sign.sign,
            sign.value,
            sign.usual,
            sign.of,
            "; ".join(one.sample),
        )
        for one in figures.suspicions
        for sign in one.signs
    )
    meaning = "Something to test, a row for each sign"
    return Table("suspicions", words.text("Suspicions"), meaning, columns, rows)


def _counted(one: Spared | Wasted) -> tuple[Any, ...]:
    if isinstance(one, Spared):
        return one.messages, one.people, one.unpriced, None
    return one.messages, one.people, None, one.undelivered
