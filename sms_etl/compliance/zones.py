"""Time zones of numbers, by their first digits: phonenumbers' data (libphonenumber, Google).

The zone is that of the number's home. Whoever travels or moved with the number is elsewhere.
"""

from __future__ import annotations

from functools import cache

import polars as pl
from phonenumbers.tzdata import TIMEZONE_DATA

UNKNOWN_ZONE = "Etc/Unknown"
"""libphonenumber's word for numbers it knows nothing of."""

ZONES_SCHEMA = pl.Schema([("number_prefix", pl.String), ("zone", pl.String)])


@cache
def zones_of(prefix: str) -> tuple[str, ...]:
    """Every zone that a number with these first digits of E.164 may be of; none if unknown."""
    digits = prefix.lstrip("+")
    # Longer entries split a prefix further: the number may be of any of them.
    inside = {
        zone for start, zones in _longer(len(digits)) if start.startswith(digits) for zone in zones
    }
    for length in range(len(digits), 0, -1):
        found = TIMEZONE_DATA.get(digits[:length])
        if found:
            inside |= set(found)
            break
    return tuple(sorted(inside - {UNKNOWN_ZONE}))


@cache
def _longer(length: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((start, zones) for start, zones in TIMEZONE_DATA.items() if len(start) > length)


def zones_frame(prefixes: pl.Series) -> pl.DataFrame:
    """A row per prefix and zone (ZONES_SCHEMA); prefixes without a zone have none."""
    distinct = prefixes.drop_nulls().unique().sort().to_list()
    rows = [(prefix, zone) for prefix in distinct for zone in zones_of(prefix)]
    return pl.DataFrame(rows, schema=ZONES_SCHEMA, orient="row")
