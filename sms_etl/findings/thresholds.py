"""When something counts as a problem. Every number has a reason; all live here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """An alarm needs all of: statistically clear, enough messages, a step that matters, lasting.

    Percent-change alarms without a floor fire on tiny volumes; alarms without a duration flap.
    """

    false_alarms: float = 0.01
    """Chance of any false alarm of one kind in one report, shared between all tests of it."""

    step: float = 0.05
    """Rise of the bad share that matters: a twentieth of the messages."""

    coverage_step: float = 0.10
    """Rise of missing receipts that matters; receipts are delivered with low priority."""

    step_without_habit: float = 0.15
    """Rise that matters while no other days tell that, say, nights are always worse."""

    slow_step: float = 0.10
    """Rise of the share of slow deliveries that matters."""

    slow_seconds: float = 600.0
    """A delivery that takes longer is slow; after ten minutes a code or a reminder is stale."""

    min_messages: int = 50
    """Under this many messages in the run nothing is said."""

    min_excess: int = 20
    """Under this many messages beyond the usual nobody should be woken."""

    min_usual: int = 200
    """Under this many messages of its own a slice has no usual share."""

    min_hours: int = 2
    """A run has at least so many bad hours ..."""

    single_hour_messages: int = 500
    """... unless one hour alone carries this much: campaigns go out in bursts."""

    hour_messages: int = 20
    """Under this many messages an hour's share says nothing on its own."""

    hours_of_spread: int = 8
    """Hours needed to judge how much the share moves by itself."""

    days_of_season: int = 3
    """Days needed to know what is usual for an hour of the day."""

    explains: float = 0.80
    """A narrower slice explains a wider one if it holds this part of its excess ..."""

    clean_rest: float = 0.50
    """... and the rest of the wider one is this much cleaner than the narrower."""

    same: float = 0.05
    """Slices that differ by less than this part are the same messages under two names."""

    receipt_hours: float = 24.0
    """Where no delivery times are known, younger hours are not asked for their receipts."""

    first_receipts_hours: float = 1.0
    """Younger hours are never asked for their receipts."""

    dead_share: float = 0.02
    """Part of a campaign sent to dead numbers from which its list is worth cleaning."""

    dead_messages: int = 30
    """Dead numbers from which it is worth the work."""

    max_problems: int = 20
    """Problems of one kind told in one report; the largest come first."""


THRESHOLDS = Thresholds()
