"""A rate is an object: nothing in the project prints a bare percentage."""

from __future__ import annotations

import math
from datetime import datetime

from pydantic import BaseModel, ConfigDict

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

SMALL_SAMPLE = 30
"""Under this many messages a rate is shown as counts, not as a percentage."""


class Interval(BaseModel):
    """A 95 % interval of a share, both ends in 0..1."""

    model_config = ConfigDict(frozen=True)

    low: float
    high: float


class Rate(BaseModel):
    """A share with everything needed to judge it.

    `value` is null when the denominator is zero. `low` and `high` bound the value that will
    stand once every missing receipt is in; `interval` is the sampling error of `value` (Wilson).
    """

    model_config = ConfigDict(frozen=True)

    value: float | None
    numerator: int
    denominator: int
    denominator_name: str
    low: float | None
    high: float | None
    interval: Interval | None
    coverage: float | None
    as_of: datetime
    mature: bool

    @property
    def small(self) -> bool:
        """Whether the denominator is too small for a percentage to mean much."""
        return self.denominator < SMALL_SAMPLE


def counted_share(
    numerator: int, denominator: int, name: str, as_of: datetime, *, mature: bool = True
) -> Rate:
    """A share of counts that no missing receipt bounds."""
    return Rate(
        value=numerator / denominator if denominator else None,
        numerator=numerator,
        denominator=denominator,
        denominator_name=name,
        low=None,
        high=None,
        interval=wilson(numerator, denominator),
        coverage=None,
        as_of=as_of,
        mature=mature,
    )


def wilson(successes: int, trials: int, z: float = Z_95) -> Interval | None:
    """Wilson score interval of a share; null for no trials.

    Formula: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927); NIST/SEMATECH e-Handbook 7.2.4.1.
    """
    if trials == 0:
        return None
    low, high = _wilson_ends(successes / trials, trials, z)
    return Interval(low=low, high=high)


def newcombe(
    share: float, trials: float, base_share: float, base_trials: float, z: float = Z_95
) -> Interval:
    """Interval of `share - base_share` for two independent samples, both with trials.

    Formula: R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10.
    """
    low, high = _wilson_ends(share, trials, z)
    base_low, base_high = _wilson_ends(base_share, base_trials, z)
    difference = share - base_share
    return Interval(
        low=difference - math.hypot(share - low, base_high - base_share),
        high=difference + math.hypot(high - share, base_share - base_low),
    )


def tail_bound(share: float, trials: float, expected: float) -> float:
    """Upper bound of the chance to see `share` or more of `trials` where `expected` is usual.

    Unlike a normal approximation it holds far out in the tail and for few trials.
    Formula: W. Hoeffding, J. Am. Stat. Assoc. 58 (1963), theorem 1 (the Chernoff bound).
    """
    if share <= expected:
        return 1.0
    if expected <= 0:
        return 0.0
    divergence = share * math.log(share / expected)
    if share < 1:
        divergence += (1 - share) * math.log((1 - share) / (1 - expected))
    return math.exp(-trials * divergence)


def _wilson_ends(share: float, trials: float, z: float) -> tuple[float, float]:
    scale = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / scale
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / scale
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))
