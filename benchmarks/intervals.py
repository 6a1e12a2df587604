"""Do the intervals keep their word? Simulated campaigns whose truth is known.

`python -m benchmarks.intervals` writes docs/intervals.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from sms_etl.metrics.compare import difference, dispersion_of
from sms_etl.metrics.rate import Interval, wilson
from sms_etl.metrics.summary import AsOf, Counts, delivery_rate

PAGE = Path(__file__).parent.parent / "docs" / "intervals.md"
SEED = 20261123
CAMPAIGNS = 1_000
SIZES = (50, 200, 1_000, 10_000)
Z_95 = 1.959963984540054
AS_OF = AsOf(datetime(2026, 11, 1, tzinfo=UTC), silence_hours=72)

OPERATORS = ("Kyivstar", "Vodafone", "lifecell")
OPERATOR_RATES = np.array([0.97, 0.93, 0.85])
BATCHES, BATCH_SIZE = 12, 150

LOOKS = 8
"""Moments at which every campaign's bounds are noted while receipts arrive."""


@dataclass
class Score:
    """How often something held."""

    held: int = 0
    tries: int = 0

    def note(self, holds: bool) -> None:
        """Count one try."""
        self.held += holds
        self.tries += 1

    @property
    def text(self) -> str:
        """Percentage of tries that held."""
        return f"{100 * self.held / self.tries:.1f} %"


def wald(successes: int, trials: int) -> tuple[float, float]:
    """The textbook interval, for comparison only."""
    share = successes / trials
    half = Z_95 * np.sqrt(share * (1 - share) / trials)
    return share - half, share + half


def covers(interval: Interval | None, truth: float) -> bool:
    """Whether an interval holds the truth."""
    return interval is not None and interval.low <= truth <= interval.high


def of_one_rate(generator: np.random.Generator, size: int) -> tuple[Score, Score]:
    """Wilson's interval and the textbook one, over campaigns of one size."""
    ours, textbook = Score(), Score()
    for truth in generator.uniform(0.80, 0.995, CAMPAIGNS):
        delivered = int(generator.binomial(size, truth))
        ours.note(covers(wilson(delivered, size), truth))
        low, high = wald(delivered, size)
        textbook.note(bool(low <= truth <= high))
    return ours, textbook


def of_bounds(generator: np.random.Generator, size: int) -> Score:
    """Whether the bounds at any early moment hold the rate that stands in the end."""
    score = Score()
    for truth in generator.uniform(0.5, 1.0, CAMPAIGNS):
        delivered = generator.random(size) < truth
        silent = generator.random(size) < generator.uniform(0.0, 0.2)
        seconds = generator.lognormal(3.0, 3.0, size)
        final = float(np.mean(delivered & ~silent))
        for moment in np.exp(generator.uniform(0.0, 12.0, LOOKS)):
            known = (seconds <= moment) & ~silent
            counts = Counts(
                delivered=int(np.sum(delivered & known)),
                failed=int(np.sum(~delivered & known)),
                pending=int(np.sum(~known)),
            )
            rate = delivery_rate(counts, AS_OF)
            score.note(
                rate.low is not None and rate.high is not None and rate.low <= final <= rate.high
            )
    return score


def of_a_difference(
    generator: np.random.Generator, scatter: float, shift: float
) -> tuple[Score, Score]:
    """The interval at one mix, and a plain one without mix or scatter, for two campaigns.

    They write to the operators in different shares; the rates of batches vary so that their
    variance is `scatter` times that of independent messages; the true difference is `shift`.
    """
    ours, textbook = Score(), Score()
    for _ in range(CAMPAIGNS):
        mine = _campaign(generator, generator.dirichlet([8, 3, 3]), shift, scatter)
        base = _campaign(generator, generator.dirichlet([3, 3, 8]), 0.0, scatter)
        told = difference(_strata(mine, base), dispersion_of(_batches(mine, base), ["of", "op"]))
        if told is None:
            continue
        ours.note(covers(told.interval, shift))
        (n, d), (base_n, base_d) = (np.sum(part[:, 1:], axis=0) for part in (mine, base))
        half = Z_95 * np.sqrt(
            d / n * (1 - d / n) / n + base_d / base_n * (1 - base_d / base_n) / base_n
        )
        textbook.note(bool(abs(d / n - base_d / base_n - shift) <= half))
    return ours, textbook


def _campaign(
    generator: np.random.Generator, mix: np.ndarray, shift: float, scatter: float
) -> np.ndarray:
    """Rows (operator, messages, delivered), one per batch and operator."""
    rows = []
    for _batch in range(BATCHES):
        for operator, n in enumerate(generator.multinomial(BATCH_SIZE * len(mix), mix)):
            if n == 0:
                continue
            rate = min(OPERATOR_RATES[operator] + shift, 0.999)
            if scatter > 1 and n > scatter:
                correlation = (scatter - 1) / (n - 1)
                strength = (1 - correlation) / correlation
                rate = generator.beta(rate * strength, (1 - rate) * strength)
            rows.append((operator, n, generator.binomial(n, rate)))
    return np.array(rows)


def _batches(mine: np.ndarray, base: np.ndarray) -> pl.DataFrame:
    rows = [(of, *row) for of, part in (("mine", mine), ("base", base)) for row in part.tolist()]
    return pl.DataFrame(rows, schema=["of", "op", "n", "d"], orient="row")


def _strata(mine: np.ndarray, base: np.ndarray) -> pl.DataFrame:
    rows = []
    for operator in range(len(OPERATORS)):
        n, d = np.sum(mine[mine[:, 0] == operator][:, 1:], axis=0)
        base_n, base_d = np.sum(base[base[:, 0] == operator][:, 1:], axis=0)
        rows.append((int(n), int(d), int(base_n), int(base_d)))
    return pl.DataFrame(rows, schema=["n", "d", "base_n", "base_d"], orient="row")


def lines() -> Iterator[str]:
    """The page, line by line."""
    generator = np.random.default_rng(SEED)
    yield "# Do the intervals keep their word?"
    yield ""
    yield "Made by `python -m benchmarks.intervals`; do not edit. Each row:"
    yield f"{CAMPAIGNS:,} simulated campaigns whose truth is known, seed {SEED}; chance alone moves"
    yield "a percentage by about 0.7."
    yield ""
    yield "## Delivery rate: does the 95 % interval hold the true rate?"
    yield ""
    yield "| messages | ours (Wilson) | textbook (Wald) |"
    yield "|---:|---:|---:|"
    for size in SIZES:
        ours, textbook = of_one_rate(generator, size)
        yield f"| {size:,} | {ours.text} | {textbook.text} |"
    yield ""
    yield "## Bounds: do they hold the final rate while receipts are missing?"
    yield ""
    yield f"At {LOOKS} random moments of every campaign, from seconds to days after sending."
    yield ""
    yield "| messages | bounds that held |"
    yield "|---:|---:|"
    for size in SIZES[:3]:
        score = of_bounds(generator, size)
        yield f"| {size:,} | {score.held:,} of {score.tries:,} |"
    yield ""
    yield "## Two campaigns with different operators: does the interval hold the true difference?"
    yield ""
    yield "Scatter: variance of batches over that of independent messages. The true difference is"
    yield "that at equal operators; the plain difference of two rates answers another question."
    yield ""
    yield "| scatter | true difference | ours | plain difference of the two rates |"
    yield "|---:|---:|---:|---:|"
    for scatter in (1.0, 4.0):
        for shift in (0.0, -0.02):
            ours, textbook = of_a_difference(generator, scatter, shift)
            yield f"| {scatter:g} | {100 * shift:+.0f} points | {ours.text} | {textbook.text} |"


def main() -> None:
    """Write the page."""
    PAGE.write_text("\n".join(lines()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
