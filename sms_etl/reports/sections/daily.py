"""The series of days, or of hours, with the findings marked on it."""

from __future__ import annotations

from sms_etl.metrics.rate import Rate
from sms_etl.reports import sentences
from sms_etl.reports.chart_daily import daily, slots
from sms_etl.reports.charts import vega_chart
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Caption, Section, Values

OPEN_GAP = 0.005
"""Missing receipts that are worth a word in the legend, as a share."""


def chart_legend(words: Words, figures: Figures) -> str:
    """What the lines and bars of the daily chart are."""
    parts = [words.text("Above: delivered, share of sent (blue line).")]
    if figures.previous_days:
        parts.append(words.text("Grey: the previous period."))
    if any(_open(point.totals.delivery) for point in figures.days):
        parts.append(words.text("Light blue: how far the rate may still rise."))
    parts.append(words.text("Below: messages sent; orange: not delivered."))
    if any(slot.marks for slot in slots(figures, words)):
        parts.append(words.text("Numbers: findings, see below."))
    return " ".join(parts)


def _open(rate: Rate) -> bool:
    return rate.high is not None and rate.value is not None and rate.high - rate.value > OPEN_GAP


def chart_text(words: Words, figures: Figures) -> str:
    """The series of days in one sentence, for those who do not see it."""
    days = [p.totals.delivery for p in figures.days if not p.totals.delivery.small]
    values = [rate.value for rate in days if rate.value is not None]
    head = sentences.daily_title(words, figures)
    if not values:
        return head
    return words.text(
        "%(head)s. Daily delivery rate from %(low)s to %(high)s.",
        head=head,
        low=words.percent(min(values)),
        high=words.percent(max(values)),
    )


def values(figures: Figures, words: Words) -> Values:
    """The chart, its message and its legend."""
    return {
        "title": sentences.daily_title(words, figures),
        "legend": chart_legend(words, figures),
        "chart": vega_chart(daily, figures, words, chart_text(words, figures)),
    }


def caption(words: Words, figures: Figures) -> Caption:
    """What the series of days shows."""
    return sentences.daily_title(words, figures), chart_text(words, figures)


DAILY = Section("daily", values, caption=caption)
