"""Seeded draws as Polars expressions: the same row and stream give the same number for ever.

The generator is SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
generators") over the row number, so a draw depends on the seed, the stream's name and the row
only, never on the order of calls or on the size of the frame.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import polars as pl

ROW = "n"
"""Column that numbers the rows of every generated frame; draws are taken from it."""

_GAMMA = 0x9E3779B97F4A7C15
_FIRST_MULTIPLIER = 0xBF58476D1CE4E5B9
_SECOND_MULTIPLIER = 0x94D049BB133111EB
_UNIFORM_BITS = 53


def _u64(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)


def _shifted_xor(value: pl.Expr, bits: int) -> pl.Expr:
    return value ^ (value // _u64(1 << bits))


class Draws:
    """Independent random streams of one seed, each known by a name."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def bits(self, stream: str) -> pl.Expr:
        """64 random bits per row, UInt64."""
        digest = hashlib.sha256(f"{self._seed}:{stream}".encode()).digest()
        state = pl.col(ROW).cast(pl.UInt64) * _u64(_GAMMA) + _u64(int.from_bytes(digest[:8]))
        state = _shifted_xor(state, 30) * _u64(_FIRST_MULTIPLIER)
        state = _shifted_xor(state, 27) * _u64(_SECOND_MULTIPLIER)
        return _shifted_xor(state, 31)

    def uniform(self, stream: str) -> pl.Expr:
        """A number in [0, 1) per row, Float64."""
        top = self.bits(stream) // _u64(1 << (64 - _UNIFORM_BITS))
        return top.cast(pl.Float64) / float(1 << _UNIFORM_BITS)

    def whole(self, stream: str, low: int | pl.Expr, high: int | pl.Expr) -> pl.Expr:
        """A whole number in [low, high) per row, Int64."""
        return low + (self.uniform(stream) * (high - low)).floor().cast(pl.Int64)

    def normal(self, stream: str) -> pl.Expr:
        """A standard normal deviate per row (Box and Muller 1958), Float64."""
        radius = (-2 * (1 - self.uniform(stream + ":radius")).log()).sqrt()
        return radius * (2 * math.pi * self.uniform(stream + ":angle")).cos()

    def one_of(self, stream: str, choices: Sequence[str]) -> pl.Expr:
        """One of the choices per row, all equally likely, String."""
        values = pl.lit(pl.Series([list(choices)], dtype=pl.List(pl.String)))
        return values.first().list.get(self.whole(stream, 0, len(choices)))

    def digits(self, stream: str, count: int | pl.Expr) -> pl.Expr:
        """A string of `count` random decimal digits per row."""
        return self.bits(stream).cast(pl.String).str.zfill(20).str.tail(count)


def choose_rows(table: pl.DataFrame, weights: pl.Series, uniform: pl.Series) -> pl.DataFrame:
    """Rows of a table drawn by weight, one for every number in [0, 1)."""
    bounds = (weights.cum_sum() / weights.sum()).cast(pl.Float64)
    chosen = bounds.search_sorted(uniform, side="right").clip(0, table.height - 1)
    return table[chosen]
