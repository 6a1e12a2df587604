"""What people did with messages, what the messages brought, and who the buyers are."""

from __future__ import annotations

from typing import Any

from sms_etl.reports.engagement_figures import Amount, Engaged, Returns, WindowReturn
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.tables.table import (
    Cell,
    Column,
    Table,
    rate_cells,
    rate_columns,
    units,
)

_CAMPAIGN_MEANING = "Campaign; empty for the whole report"


def engagement(figures: Figures, words: Words) -> Table:
    """Clicks, replies and reading, of the whole and of every campaign."""
    columns = (
        *_campaign(words),
        Column("delivered", Cell.COUNT, words.text("Delivered"), "Messages that arrived"),
        *rate_columns(words, "clicked", words.text("Link opened"), "delivered texts with a link"),
        Column("texts_unknown", Cell.COUNT, words.text("Texts not known"), "In no click rate"),
        Column("clicks", Cell.COUNT, words.text("Clicks of people"), "All of them"),
        Column("people_clicked", Cell.COUNT, words.text("People who clicked"), "Persons counted"),
        *rate_columns(words, "read", words.text("Read"), "delivered where reading is reported"),
        *rate_columns(words, "replied", words.text("Answered"), "delivered messages"),
    )
    rows = tuple(
        (
            *_named(words, one),
            one.delivered,
            *rate_cells(one.clicked),
            one.texts_unknown,
            one.clicks,
            one.people_clicked,
            *rate_cells(one.read),
            *rate_cells(one.replied),
        )
        for one in _engaged(figures)
    )
    meaning = "What people did with the messages"
    return Table("engagement", words.text("Engagement"), meaning, columns, rows)


def engagement_details(figures: Figures, words: Words) -> Table:
    """Clicks of robots by rule and replies by what they ask."""
    columns = (
        *_campaign(words),
        Column("what", Cell.TEXT, words.text("Figure"), "robot_clicks or replies"),
        Column("word", Cell.TEXT, words.text("Kind"), "Rule that found the robot, or the intent"),
        Column("number", Cell.COUNT, words.text("Number"), "Clicks or replies"),
    )
    rows = tuple(
        (*_named(words, one), what, word, number)
        for one in _engaged(figures)
        for what, counted in (("robot_clicks", one.robots), ("replies", one.replies))
        for word, number in counted.items()
    )
    meaning = "Clicks of robots by rule, replies by intent"
    title = words.text("Robots and replies")
    return Table("engagement_details", title, meaning, columns, rows)


def opt_outs(figures: Figures, words: Words) -> Table:
    """Who refused after a message, within windows."""
    columns = (
        *_campaign(words),
        Column("window_hours", Cell.COUNT, words.text("Within, h"), "Hours after the message"),
        *rate_columns(words, "opted_out", words.text("Refused"), "delivered messages"),
    )
    rows = tuple(
        (*_named(words, one), opted.window_hours, *rate_cells(opted.rate))
        for one in _engaged(figures)
        for opted in one.opt_outs
    )
    meaning = "Messages that were the last before a refusal"
    return Table("opt_outs", words.text("Refusals"), meaning, columns, rows)


def returns(figures: Figures, words: Words) -> Table:
    """Conversions and money per message of the whole and of every campaign."""
    columns = (
        *_campaign(words),
        *rate_columns(
            words, "converted_delivered", words.text("Brought an order"), "delivered messages"
        ),
        *rate_columns(
            words, "converted_clicked", words.text("Clicked and ordered"), "opened messages"
        ),
        Column("currency", Cell.TEXT, words.text("Currency"), "ISO 4217, of the next two"),
        Column("revenue_per_message", Cell.MONEY, words.text("Revenue per sent"), "Of submitted"),
        Column(
            "revenue_per_delivered",
            Cell.MONEY,
            words.text("Revenue per delivered"),
            "Of delivered",
        ),
        Column(
            "spent_currency", Cell.TEXT, words.text("Currency of spending"), "ISO 4217, of spent"
        ),
        Column("spent", Cell.MONEY, words.text("Spent"), "Money in currency units"),
        Column(
            "return_on_spend", Cell.NUMBER, words.text("Return on spend"), "Revenue over spending"
        ),
    )
    rows = tuple(
        (
            *_named(words, one),
            *rate_cells(one.converted_delivered),
            *rate_cells(one.converted_clicked),
            _currency(one.revenue_per_message) or _currency(one.revenue_per_delivered),
            _money(one.revenue_per_message),
            _money(one.revenue_per_delivered),
            _currency(one.spent),
            _money(one.spent),
            one.return_on_spend,
        )
        for one in _returns(figures)
    )
    return Table("returns", words.text("Returns"), "What the messages brought", columns, rows)


def returns_windows(figures: Figures, words: Words) -> Table:
    """Orders and revenue by every window of attribution."""
    columns = (
        *_campaign(words),
        Column("window", Cell.TEXT, words.text("Window"), "headline, a window alone, or by_code"),
        Column("orders", Cell.COUNT, words.text("Orders"), "Those given back count for nothing"),
        Column("messages", Cell.COUNT, words.text("Messages"), "That took at least one order"),
        Column(
            "converted",
            Cell.FLAG,
            words.text("Converted"),
            "True: all currencies in the report's own",
        ),
        Column("currency", Cell.TEXT, words.text("Currency"), "ISO 4217"),
        Column("revenue", Cell.MONEY, words.text("Revenue"), "Net of refunds"),
    )
    rows = tuple(
        (*_named(words, one), window.window, window.orders, window.messages, *money)
        for one in _returns(figures)
        for window in (one.headline, *one.windows, one.by_code)
        for money in _revenue(window)
    )
    meaning = "Orders and revenue by window, a row for each currency"
    return Table("returns_windows", words.text("Orders by window"), meaning, columns, rows)


def lifts(figures: Figures, words: Words) -> Table:
    """People written to against people held out."""
    columns = (
        *_campaign(words),
        Column("days", Cell.COUNT, words.text("Within, days"), "Days in which orders count"),
        *rate_columns(words, "treated", words.text("Written to and bought"), "people written to"),
        *rate_columns(words, "holdout", words.text("Held out and bought"), "people held out"),
        Column("difference", Cell.SHARE, words.text("Difference"), "Of the two shares"),
        Column("interval_low", Cell.SHARE, words.text("95%% from"), "Its interval"),
        Column("interval_high", Cell.SHARE, words.text("95%% to"), "Its interval"),
        Column("verdict", Cell.TEXT, words.text("Verdict"), "better, worse, or why nothing"),
        Column("both", Cell.COUNT, words.text("In both groups"), "People, in neither share"),
    )
    rows = tuple(
        (
            one.campaign,
            words.label(one.label),
            one.days,
            *rate_cells(one.treated),
            *rate_cells(one.holdout),
            one.difference,
            one.interval.low,
            one.interval.high,
            one.verdict,
            one.both,
        )
        for one in (figures.attributed.lifts if figures.attributed else ())
    )
    return Table(
        "lifts", words.text("Caused by campaigns"), "Against people held out", columns, rows
    )


def buyers(figures: Figures, words: Words) -> Table:
    """Fifths of the buyers and cells of them: how they were reached, what they bought."""
    columns = (
        Column("measure", Cell.TEXT, words.text("Measure"), "recency, frequency, money or cell"),
        Column("score", Cell.TEXT, words.text("Score"), "1 lowest to 5 highest; of a cell three"),
        Column("people", Cell.COUNT, words.text("People"), "Buyers of the group"),
        Column("written", Cell.COUNT, words.text("Written to"), "Of them, by this report"),
        *rate_columns(words, "delivered", words.text("Delivered"), "messages to the group"),
        *rate_columns(words, "clicked", words.text("Link opened"), "delivered texts with a link"),
        *rate_columns(words, "opted_out", words.text("Refused"), "delivered messages"),
        *rate_columns(words, "bought_before", words.text("Bought before"), "people written to"),
        *rate_columns(words, "bought_after", words.text("Bought after"), "people written to"),
    )
    told = figures.loyalty
    rows = tuple(
        (
            one.measure,
            one.score,
            one.people,
            one.written,
            *rate_cells(one.delivered),
            *rate_cells(one.clicked),
            *rate_cells(one.opted_out),
            *rate_cells(one.bought_before),
            *rate_cells(one.bought_after),
        )
        for one in ((*told.groups, *told.cells) if told else ())
    )
    meaning = "Buyers by recency, frequency and money"
    return Table("buyers", words.text("Buyers"), meaning, columns, rows)


def _campaign(words: Words) -> tuple[Column, Column]:
    return (
        Column("campaign", Cell.TEXT, words.text("Identifier"), _CAMPAIGN_MEANING),
        Column("label", Cell.TEXT, words.text("Name"), "As the report prints it"),
    )


def _named(words: Words, one: Engaged | Returns) -> tuple[str, str]:
    return one.campaign or "", words.label(one.label) if one.label else ""


def _engaged(figures: Figures) -> tuple[Engaged, ...]:
    told = figures.engagement
    return (told.whole, *told.by_campaign) if told else ()


def _returns(figures: Figures) -> tuple[Returns, ...]:
    told = figures.attributed
    return (told.whole, *told.by_campaign) if told else ()


def _revenue(window: WindowReturn) -> list[tuple[Any, ...]]:
    """Each currency, then all of it converted; one row without money where there is none."""
    found = [(False, one.currency, units(one.micro)) for one in window.revenue]
    if window.converted is not None:
        found.append((True, window.converted.currency, units(window.converted.micro)))
    return list(found) or [(None, None, None)]


def _currency(amount: Amount | None) -> str | None:
    return amount.currency if amount else None


def _money(amount: Amount | None) -> Any:
    return units(amount.micro) if amount else None
