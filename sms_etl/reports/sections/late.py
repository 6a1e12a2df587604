"""Late data: receipts after the end of the period, and figures that moved after the first build."""

from __future__ import annotations

from dataclasses import dataclass

from sms_etl.reports.figures import Figures
from sms_etl.reports.language import MINUS, Words
from sms_etl.reports.operations_figures import RestatedSource
from sms_etl.reports.operations_told import late_count
from sms_etl.reports.quality import cause, restated_figure
from sms_etl.reports.sections.section import Section, Values


@dataclass(frozen=True)
class Moved:
    """A row of the table of restated figures."""

    source: str
    figure: str
    change: str
    days: int
    why: str


def _moved(words: Words, one: RestatedSource) -> Moved:
    amount = (
        words.money(abs(one.change), one.currency) if one.currency else words.count(abs(one.change))
    )
    sign = "+" if one.change > 0 else MINUS if one.change < 0 else ""
    return Moved(
        source=words.label(one.source),
        figure=restated_figure(words, one.figure),
        change=sign + amount,
        days=one.days,
        why=", ".join(cause(words, name) for name in one.causes),
    )


def title(words: Words, figures: Figures) -> str:
    """How many receipts came late."""
    late = late_count(figures, 0)
    if not late:
        return words.text("Late data: no receipt came after the end of the period")
    return words.plural(
        "Late data: %(n)s receipt came after the end of the period",
        "Late data: %(n)s receipts came after the end of the period",
        late,
    )


def values(figures: Figures, words: Words) -> Values:
    """The table of late receipts and that of figures that moved."""
    operations = figures.operations
    late = operations.late if operations else ()
    hours = [count.hours for count in late[0].late] if late else []
    return {
        "title": title(words, figures),
        "heads": [
            words.text("After the end")
            if not h
            else words.plural("Over %(n)s hour after", "Over %(n)s hours after", h)
            for h in hours
        ],
        "late": late,
        "waiting": {row.key: row.totals.pending for row in figures.by_source},
        "moved": [_moved(words, one) for one in (operations.restated if operations else ())],
    }


def _has_data(figures: Figures) -> bool:
    operations = figures.operations
    return operations is not None and bool(operations.late or operations.restated)


LATE = Section("late", values, _has_data)
