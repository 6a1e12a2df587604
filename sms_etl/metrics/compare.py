"""Two groups of messages compared fairly: at one mix of operators, with honest uncertainty.

Counts come as strata: one row per operator with `n` and `d` (messages, delivered) of the group
and `base_n`, `base_d` of what it is compared with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from sms_etl.metrics.rate import Interval, newcombe

FALSE_DISCOVERIES = 0.05
"""Share of wrong verdicts that is accepted among all that are told (Benjamini-Hochberg)."""

LEAST_BATCH = 20
"""A smaller batch says nothing about how batches scatter."""

LEAST_FREEDOM = 5
"""With fewer degrees of freedom the scatter of batches is not estimated."""


@dataclass(frozen=True)
class Difference:
    """What is between two delivery rates; all values are shares, not percent.

    plain: rate of the group minus rate of its base.
    rate_effect, mix_effect: its parts by Kitagawa: how the operators delivered, and which were
        written to; they add up to `plain`.
    standardised, interval: the difference at the mix of both together, with 95 % interval.
    common: share of all messages that is with operators both wrote to; the rest is not compared.
    dispersion: variance of batches over that of independent messages, at least 1.
    p_value: of no difference at any operator.
    """

    plain: float
    rate_effect: float
    mix_effect: float
    standardised: float
    interval: Interval
    common: float
    dispersion: float
    p_value: float


def difference(strata: pl.DataFrame, dispersion: float) -> Difference | None:
    """Compare a group with its base; null if they have no operator in common.

    Formulae: E. M. Kitagawa, J. Am. Stat. Assoc. 50 (1955) 1168-1194 (decomposition); direct
    standardisation; N. Mantel, W. Haenszel, J. Natl. Cancer Inst. 22 (1959) 719-748 (test);
    R. G. Newcombe, Stat. Med. 17 (1998) 873-890 (interval, with the effective sample size).
    """
    shared = strata.filter((pl.col("n") > 0) & (pl.col("base_n") > 0))
    if shared.is_empty():
        return None
    total, base_total = _sum(strata["n"]), _sum(strata["base_n"])
    weights = (shared["n"] + shared["base_n"]) / _sum(shared["n"] + shared["base_n"])
    rate = _sum(weights * shared["d"] / shared["n"])
    base_rate = _sum(weights * shared["base_d"] / shared["base_n"])
    size = _effective(shared["n"], shared["d"], weights, dispersion)
    base_size = _effective(shared["base_n"], shared["base_d"], weights, dispersion)
    plain = _sum(strata["d"]) / total - _sum(strata["base_d"]) / base_total
    mix = _mix_effect(strata, total, base_total)
    return Difference(
        plain=plain,
        rate_effect=plain - mix,
        mix_effect=mix,
        standardised=rate - base_rate,
        interval=newcombe(rate, size, base_rate, base_size),
        common=_sum(shared["n"] + shared["base_n"]) / (total + base_total),
        dispersion=dispersion,
        p_value=_mantel_haenszel(shared, dispersion),
    )


def dispersion_of(batches: pl.DataFrame, keys: Sequence[str]) -> float:
    """How much more batches scatter than independent messages would; at least 1.

    Pearson's statistic over its degrees of freedom: P. McCullagh, J. A. Nelder, Generalized
    Linear Models, 2nd ed. (1989), section 4.5.

    Args:
        batches: `keys`, `n` (messages) and `d` (delivered) of every batch.
        keys: Columns whose combinations have one true rate each.
    """
    cells = batches.filter(pl.col("n") >= LEAST_BATCH)
    share = pl.col("d").sum().over(keys) / pl.col("n").sum().over(keys)
    spread = pl.col("n") * share * (1 - share)
    seen = cells.with_columns(share=share, spread=spread).filter(pl.col("spread") > 0)
    freedom = seen.height - seen.select(keys).n_unique() if seen.height else 0
    if freedom < LEAST_FREEDOM:
        return 1.0
    statistic = seen.select(
        ((pl.col("d") - pl.col("n") * pl.col("share")) ** 2 / pl.col("spread")).sum()
    ).item()
    return max(1.0, float(statistic) / freedom)


def discoveries(p_values: Sequence[float], rate: float = FALSE_DISCOVERIES) -> list[bool]:
    """Which of many findings stand when at most a share `rate` of them may be false.

    Formula: Y. Benjamini, Y. Hochberg, J. R. Stat. Soc. B 57 (1995) 289-300.
    """
    ordered = sorted(p_values)
    limits = [p for rank, p in enumerate(ordered, 1) if p <= rate * rank / len(ordered)]
    return [bool(limits) and p <= limits[-1] for p in p_values]


def _mix_effect(strata: pl.DataFrame, total: float, base_total: float) -> float:
    """Differences of the mix, valued at mean rates; an operator of one side has its rate alone."""
    rate = pl.col("d") / pl.col("n")
    base_rate = pl.col("base_d") / pl.col("base_n")
    mean = pl.mean_horizontal(rate.fill_nan(None), base_rate.fill_nan(None))
    moved = pl.col("n") / total - pl.col("base_n") / base_total
    return float(strata.select((moved * mean).sum()).item())


def _effective(n: pl.Series, d: pl.Series, weights: pl.Series, dispersion: float) -> float:
    """Messages of one plain sample that would know the standardised rate as well.

    Shares are drawn a little to the middle (one success and one failure more), so that an
    operator without failures does not count as known for certain.
    """
    shares = (d + 1) / (n + 2)
    rate = _sum(weights * shares)
    variance = dispersion * _sum(weights**2 * shares * (1 - shares) / n)
    return rate * (1 - rate) / variance


def _mantel_haenszel(strata: pl.DataFrame, dispersion: float) -> float:
    """Chance of such a difference if every operator delivered both groups alike."""
    everyone = pl.col("n") + pl.col("base_n")
    delivered = pl.col("d") + pl.col("base_d")
    excess, variance = strata.filter(everyone > 1).select(
        (pl.col("d") - delivered * pl.col("n") / everyone).sum(),
        variance=(
            pl.col("n") * pl.col("base_n") / everyone
            * (delivered / everyone) * (everyone - delivered) / (everyone - 1)
        ).sum(),
    ).row(0)  # fmt: skip
    if not variance:
        return 1.0
    return math.erfc(math.sqrt(excess**2 / (variance * dispersion) / 2))


def _sum(values: pl.Series) -> float:
    return float(values.sum())
