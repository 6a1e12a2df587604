"""What a table of the data files is: typed columns with names that never change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import polars as pl

from sms_etl.metrics.rate import Rate
from sms_etl.model.vocabulary import MICRO
from sms_etl.reports.language import Words

MICRO_DIGITS = 6


class Cell(StrEnum):
    """What a column holds, with its unit."""

    TEXT = "text"
    COUNT = "count"
    SHARE = "share"
    SECONDS = "seconds"
    NUMBER = "number"
    MONEY = "money"
    DAY = "day"
    MOMENT = "moment"
    FLAG = "flag"

    @property
    def dtype(self) -> pl.DataType:
        """The Polars type of its values."""
        return _DTYPES[self]


_DTYPES: dict[Cell, pl.DataType] = {
    Cell.TEXT: pl.String(),
    Cell.COUNT: pl.Int64(),
    Cell.SHARE: pl.Float64(),
    Cell.SECONDS: pl.Float64(),
    Cell.NUMBER: pl.Float64(),
    Cell.MONEY: pl.Decimal(38, MICRO_DIGITS),
    Cell.DAY: pl.Date(),
    Cell.MOMENT: pl.Datetime("us", "UTC"),
    Cell.FLAG: pl.Boolean(),
}


@dataclass(frozen=True)
class Column:
    """A column: a name that never changes, its heading in a language, and what it means."""

    name: str
    cell: Cell
    heading: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table of a report. `name` never changes, `title` is in the reader's language."""

    name: str
    title: str
    meaning: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def frame(self) -> pl.DataFrame:
        """The rows as a typed frame with the names that never change."""
        schema = {column.name: column.cell.dtype for column in self.columns}
        return pl.DataFrame(list(self.rows), schema=schema, orient="row")


def share_of(rate: Rate) -> float | None:
    """The value of a rate; null where it has too few messages for a percentage."""
    return None if rate.small else rate.value


def units(micro: int) -> Decimal:
    """Money in units of its currency."""
    return Decimal(micro) / MICRO


def rate_columns(words: Words, name: str, heading: str, of: str) -> tuple[Column, Column, Column]:
    """A share with its two counts. `of` says of what, in English."""
    base = words.text("%(what)s: of", what=heading)
    part = words.text("%(what)s: share", what=heading)
    return (
        Column(name, Cell.COUNT, heading, f"Count, of {of}"),
        Column(f"{name}_of", Cell.COUNT, base, of.capitalize()),
        Column(f"{name}_share", Cell.SHARE, part, "Empty under 30"),
    )


def rate_cells(rate: Rate | None) -> tuple[int | None, int | None, float | None]:
    """What `rate_columns` holds; nothing where there is no such rate."""
    return (None, None, None) if rate is None else (*counts_of(rate), share_of(rate))


def counts_of(rate: Rate) -> tuple[int, int]:
    """Count and what it is of."""
    return rate.numerator, rate.denominator


def scope_text(scope: Mapping[str, str]) -> str:
    """Dimensions and values, joined by semicolons."""
    return "; ".join(f"{name}={value}" for name, value in sorted(scope.items()))


def by_currency(micro: Mapping[str, int]) -> list[tuple[str | None, Decimal | None]]:
    """Currencies with their money in units, or one row without."""
    return [(currency, units(value)) for currency, value in micro.items()] or [(None, None)]
