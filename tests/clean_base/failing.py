"""Messages of a made-up company whose failures have no common factor, or those planted."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import polars as pl

from sms_etl.clean_base.factors import DIMENSIONS

VALUES: Mapping[str, Sequence[str]] = {
    "operator": ("Kyivstar", "Vodafone", "lifecell"),
    "number_prefix": tuple(f"38050{n:02}" for n in range(20)),
    "contact_source": ("shop", "site", "fair", "partner"),
    "sender": ("SHOP", "SALE", "INFO"),
    "template": tuple(f"t{n}" for n in range(8)),
    "hour": tuple(f"{n:02}" for n in range(8, 21)),
    "country": ("UA", "PL"),
    "channel": ("sms", "viber"),
}

Planted = Mapping[tuple[tuple[str, str], ...], float]
"""Scope -> share that fails there."""


def counts_of(
    seed: int, messages: int = 20_000, share: float = 0.05, planted: Planted | None = None
) -> pl.DataFrame:
    """Counts as `tally` gives them; without `planted` every message fails by the same chance."""
    drawn = random.Random(seed)
    rows = pl.DataFrame(
        {
            name: drawn.choices(values, weights=range(len(values), 0, -1), k=messages)
            for name, values in VALUES.items()
        }
    )
    chance = pl.lit(share)
    for scope, planted_share in (planted or {}).items():
        inside = pl.all_horizontal(pl.col(name) == value for name, value in scope)
        chance = pl.when(inside).then(planted_share).otherwise(chance)
    luck = pl.Series("luck", [drawn.random() for _ in range(messages)])
    failed = rows.with_columns(luck).with_columns(failed=pl.col("luck") < chance)
    return failed.group_by(DIMENSIONS).agg(
        messages=pl.len().cast(pl.Int64), failed=pl.col("failed").sum().cast(pl.Int64)
    )
