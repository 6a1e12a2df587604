"""Exact chances, where a normal approximation fails: few failures, or few messages."""

from __future__ import annotations

import math

_NEGLIGIBLE = 1e-12
"""A term this small beside the sum so far ends it."""


def hypergeometric_tail(least: int, drawn: int, marked: int, total: int) -> float:
    """Chance of at least `least` marked among `drawn` of `total`, `marked` of which are marked."""
    most = min(drawn, marked)
    if least <= max(0, drawn + marked - total):
        return 1.0
    if least > most:
        return 0.0

    def log_choose(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    whole = log_choose(total, drawn)
    term = math.exp(log_choose(marked, least) + log_choose(total - marked, drawn - least) - whole)
    chance = term
    for k in range(least, most):
        ratio = (marked - k) * (drawn - k) / ((k + 1) * (total - marked - drawn + k + 1))
        term *= ratio
        chance += term
        if ratio < 1 and term < chance * _NEGLIGIBLE:
            break
    return min(1.0, chance)
