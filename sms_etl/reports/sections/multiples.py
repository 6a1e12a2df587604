"""Delivery day by day of every source or operator, all on one scale."""

from __future__ import annotations

from sms_etl.metrics.rate import SMALL_SAMPLE
from sms_etl.model.vocabulary import UNKNOWN_LABEL
from sms_etl.reports.charts import Chart
from sms_etl.reports.figures import DayCount, Figures, GroupDays, Scorecard
from sms_etl.reports.language import Words
from sms_etl.reports.multiples import (
    PAGE_LAYOUT,
    PHONE_LAYOUT,
    Layout,
    Panel,
    Series,
    scale_of,
    small_multiples,
)
from sms_etl.reports.sections.section import Caption, Section, Values
from sms_etl.reports.sentences import scope_value

MOST_PANELS = 9
"""Groups drawn; the data of the report holds all."""

FEWEST_DAYS = 5
"""A line through fewer days says nothing."""


def _share(day: DayCount) -> float | None:
    return day.delivered / day.submitted if day.submitted >= SMALL_SAMPLE else None


def _panels(figures: Figures, words: Words) -> list[Panel]:
    card = figures.scorecard
    if card is None:
        return []
    return [
        Panel(
            scope_value(words, figures, card.dimension, group.key),
            [_share(day) for day in group.days],
        )
        for group in _drawn(card)
    ]


def _drawn(card: Scorecard) -> list[GroupDays]:
    """Groups with enough days. The one not known is none of them: it would stretch the scale."""
    known = [group for group in card.series if group.key != UNKNOWN_LABEL and _long(group)]
    return known[:MOST_PANELS]


def _long(group: GroupDays) -> bool:
    return sum(_share(day) is not None for day in group.days) >= FEWEST_DAYS


def _whole(figures: Figures) -> Series:
    rates = [point.totals.delivery for point in figures.days]
    return [None if rate.small else rate.value for rate in rates]


def _alt(words: Words, panels: list[Panel]) -> str:
    """Lowest and highest day of every panel, for those who do not see it."""
    told = []
    for panel in panels:
        known = [share for share in panel.shares if share is not None]
        told.append(
            words.text(
                "%(name)s: from %(low)s to %(high)s",
                name=panel.name,
                low=words.percent(min(known)),
                high=words.percent(max(known)),
            )
        )
    return "; ".join(told)


def _title(words: Words, figures: Figures, card: Scorecard) -> str:
    """Whose worst day was the worst, and when."""
    days = [
        (share, group.key, day)
        for group in _drawn(card)
        for day in group.days
        if (share := _share(day)) is not None
    ]
    share, key, day = min(days, key=lambda one: (one[0], one[1], one[2].day))
    return words.text(
        "The worst day was %(day)s at %(name)s: delivered %(share)s %(of)s",
        day=words.day_month(day.day),
        name=scope_value(words, figures, card.dimension, key),
        share=words.percent(share),
        of=words.plural("of %(n)s sent", "of %(n)s sent", day.submitted),
    )


def values(figures: Figures, words: Words) -> Values:
    """The panels in both sizes."""
    card = figures.scorecard
    panels, whole = _panels(figures, words), _whole(figures)
    ends = (words.day_short(figures.first_day), words.day_short(figures.last_day))

    def draw(layout: Layout) -> str:
        return small_multiples(panels, whole, words, ends, layout)

    low, high = scale_of(panels, whole)
    return {
        "title": _title(words, figures, card) if card else "",
        "low": words.percent_plain(low),
        "high": words.percent_plain(high),
        "chart": Chart(draw(PAGE_LAYOUT), draw(PHONE_LAYOUT), _alt(words, panels)),
    }


def _has_data(figures: Figures) -> bool:
    card = figures.scorecard
    return card is not None and len(_drawn(card)) > 1


def caption(words: Words, figures: Figures) -> Caption | None:
    """What the panels show."""
    card = figures.scorecard
    return (_title(words, figures, card), _alt(words, _panels(figures, words))) if card else None


MULTIPLES = Section("multiples", values, _has_data, caption)
