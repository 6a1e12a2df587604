"""Draws are SplitMix64, evenly spread, and owed to the row alone."""

from __future__ import annotations

import hashlib

import polars as pl
import pytest

from sms_etl.sandbox.draws import ROW, Draws, choose_rows

GAMMA, MASK = 0x9E3779B97F4A7C15, 2**64 - 1


def split_mix(state):
    """The published algorithm in plain integers."""
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB & MASK
    return state ^ (state >> 31)


def rows(count):
    return pl.DataFrame({ROW: pl.int_range(count, dtype=pl.UInt64, eager=True)})


def test_bits_are_split_mix_64():
    assert split_mix(GAMMA) == 0xE220A8397B1DCDAF  # first output of the reference code, seed 0
    key = int.from_bytes(hashlib.sha256(b"5:test").digest()[:8])
    expected = [split_mix((n * GAMMA + key) & MASK) for n in range(500)]
    assert rows(500).select(Draws(5).bits("test")).to_series().to_list() == expected


def test_a_draw_depends_on_its_row_not_on_the_frame():
    draw = Draws(5).uniform("test")
    few, many = (rows(count).select(draw).to_series() for count in (10, 1000))
    assert few.equals(many.head(10))
    assert not few.equals(rows(10).select(Draws(5).uniform("other")).to_series())


def test_uniform_and_normal_have_their_moments():
    draws = Draws(5)
    sample = rows(20_000).select(u=draws.uniform("u"), z=draws.normal("z"))
    assert sample["u"].min() >= 0
    assert sample["u"].max() < 1
    assert sample["u"].mean() == pytest.approx(0.5, abs=0.01)
    assert sample["z"].mean() == pytest.approx(0, abs=0.03)
    assert sample["z"].std() == pytest.approx(1, abs=0.03)


def test_rows_are_chosen_by_weight():
    table = pl.DataFrame({"name": ["never", "rare", "often"], "weight": [0.0, 1.0, 3.0]})
    uniform = rows(20_000).select(Draws(5).uniform("u")).to_series()
    counts = dict(choose_rows(table, table["weight"], uniform).group_by("name").len().rows())
    assert set(counts) == {"rare", "often"}
    assert counts["often"] / 20_000 == pytest.approx(0.75, abs=0.02)
