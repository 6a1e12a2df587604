"""Whether a report is worth a mail: the conditions of a subscription, held against its figures."""

from __future__ import annotations

from collections.abc import Iterator

from sms_etl.config.settings import ANY_FINDING, OnlyIf
from sms_etl.model.vocabulary import MICRO
from sms_etl.reports.figures import Figures, Verdict, fingerprint

_MOVED = frozenset({Verdict.BETTER, Verdict.WORSE})


def why_not(only_if: OnlyIf | None, figures: Figures, last: Figures | None) -> str | None:
    """Why a report is not mailed, for the record; null if it is.

    Args:
        only_if: conditions, any of which is enough; null means always.
        figures: of the report.
        last: of the last report that was mailed to these readers; null for none.
    """
    if only_if is None or any(_holds(only_if, figures, last)):
        return None
    return f"none of these holds: {', '.join(asked(only_if))}"


def asked(only_if: OnlyIf) -> list[str]:
    """The conditions that are given, as the settings write them."""
    told = {
        name: ", ".join(value) if isinstance(value, tuple) else value for name, value in only_if
    }
    return [f"{name} = {value}" for name, value in told.items() if value not in (None, "", False)]


def _holds(only_if: OnlyIf, figures: Figures, last: Figures | None) -> Iterator[bool]:
    if only_if.delivery_below is not None:
        delivery = figures.totals.delivery
        # Even if every receipt still missing were a delivery; a few messages are no threshold.
        surely = delivery.high if delivery.high is not None else delivery.value
        yield surely is not None and not delivery.small and surely < only_if.delivery_below
    if only_if.cost_above is not None:
        yield _spent_micro(figures) > only_if.cost_above * MICRO
    if only_if.findings:
        found = {finding.kind.value for finding in figures.findings}
        yield bool(found and (ANY_FINDING in only_if.findings or found & set(only_if.findings)))
    if only_if.changed:
        yield last is None or _changed(figures, last)


def _spent_micro(figures: Figures) -> int:
    """Money in the report's currency; without one, of the currency most was spent in."""
    if figures.totals.converted is not None:
        return figures.totals.converted.spent_micro
    return max((cost.spent_micro for cost in figures.totals.costs), default=0)


def _changed(figures: Figures, last: Figures) -> bool:
    """Whether a report says anything that the last one did not.

    Of the same days: any figure. Of other days, whose counts always differ: a delivery shown to
    be better or worse, a problem that opened or closed, or a figure that was restated.
    """
    if (figures.first_day, figures.last_day) == (last.first_day, last.last_day):
        return fingerprint(figures) != fingerprint(last)
    moved = figures.change is not None and figures.change.verdict in _MOVED
    opened_or_closed = _problems(figures) != _problems(last)
    return moved or opened_or_closed or bool(figures.restated)


def _problems(figures: Figures) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    return {(one.kind.value, tuple(sorted(one.scope.items()))) for one in figures.findings}
