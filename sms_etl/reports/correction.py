"""Whether a report that was mailed must be corrected, and what the correction says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sms_etl.model.vocabulary import StatusClass
from sms_etl.reports.figures import Correction, RestatedFigure, Totals
from sms_etl.restatement import PARTS, SPENT, SUBMITTED, Cause, Restatement

COUNTED = (SUBMITTED, *(name.value for name in StatusClass), PARTS)

Named = tuple[str, str]
"""A figure and its currency; empty for counts."""


def values_of(totals: Totals) -> dict[Named, int]:
    """The figures of a report that are watched after it was mailed."""
    found: dict[Named, int] = {(name, ""): getattr(totals, name) for name in COUNTED}
    return found | {(SPENT, cost.currency): cost.spent_micro for cost in totals.costs}


def moved_figures(
    then: Totals, now: Totals, restatements: Sequence[Restatement]
) -> tuple[RestatedFigure, ...]:
    """Figures that are another one now, with the causes that rebuilds since then recorded."""
    before, after = values_of(then), values_of(now)
    return tuple(
        RestatedFigure(
            figure=figure,
            currency=currency,
            then=before.get((figure, currency), 0),
            now=after.get((figure, currency), 0),
            causes=_causes(restatements, (figure, currency)),
        )
        for figure, currency in dict.fromkeys([*before, *after])
        if before.get((figure, currency), 0) != after.get((figure, currency), 0)
    )


def _causes(restatements: Sequence[Restatement], name: Named) -> tuple[str, ...]:
    named = {c for one in restatements if (one.figure, one.currency) == name for c in one.causes}
    return tuple(cause for cause in Cause if cause in named)


def correction(
    then: Totals,
    now: Totals,
    step: float,
    made_at: datetime,
    restatements: Sequence[Restatement] = (),
) -> Correction | None:
    """What a new revision says; null where nothing moved by more than a step.

    Args:
        then: Totals as mailed.
        now: Totals now.
        step: Share of all messages sent (of all parts, of all money of the currency) by which a
            figure may move without a correction.
        made_at: When the mailed revision was made.
        restatements: What rebuilds changed since then.
    """
    moved = moved_figures(then, now, restatements)
    if not any(_beyond(one, then, step) for one in moved):
        return None
    return Correction(corrects_at=made_at, figures=moved)


def _beyond(one: RestatedFigure, then: Totals, step: float) -> bool:
    whole = one.then if one.figure in {PARTS, SPENT} else then.submitted
    return abs(one.now - one.then) > step * whole
