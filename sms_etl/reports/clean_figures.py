"""Figures of the failure study and of the clean base."""

from __future__ import annotations

from sms_etl.metrics.rate import Interval, Rate
from sms_etl.reports.figure import Figure


class CommonFactor(Figure):
    """Something that messages which did not arrive have in common (clean_base.factors).

    `scope`: one dimension or two, with their values. `inside` is the share not delivered of the
    messages in scope (its denominator is the support), `outside` that of all others. `lift` is
    inside over outside, with its 95 % `interval`; null where nothing failed outside.
    `share_of_failures`: how much of all that did not arrive is in scope. `p_value` is that of the
    test over which the false discovery rate of all candidates was held.
    """

    scope: dict[str, str]
    inside: Rate
    outside: Rate
    lift: float | None
    interval: Interval | None
    share_of_failures: Rate
    p_value: float
