"""When messages are sent: the map of weekdays and hours."""

from __future__ import annotations

from sms_etl.reports import marks
from sms_etl.reports.charts import Chart
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Caption, Section, Values


def hours_title(words: Words, drawing: marks.HeatMap) -> str:
    """When most is sent."""
    weekday, hour = drawing.busiest
    name = words.weekdays(full=True)[weekday - 1]
    return words.text("The busiest hour: %(day)s, %(hour)s", day=name, hour=f"{hour:02}:00")


def values(figures: Figures, words: Words) -> Values:
    """The map in both sizes, its message and its legend."""
    page = marks.heat_map(figures, words, marks.PAGE_GRID)
    phone = marks.heat_map(figures, words, marks.PHONE_GRID)
    title = hours_title(words, page)
    return {
        "title": title,
        "chart": Chart(page.svg, phone.svg, title),
        "hours": page,
    }


def _has_data(figures: Figures) -> bool:
    return any(cell.totals.submitted for cell in figures.hours)


def caption(words: Words, figures: Figures) -> Caption:
    """What the map shows."""
    title = hours_title(words, marks.heat_map(figures, words, marks.PHONE_GRID))
    return title, title


HOURS = Section("hours", values, _has_data, caption)
