"""What a table of the data files is: typed columns with names that never change."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import polars as pl

from sms_etl.metrics.rate import Rate
from sms_etl.model.vocabulary import MICRO

MICRO_DIGITS = 6


class Cell(StrEnum):
    """What a column holds, with its unit."""

    TEXT = "text"
    COUNT = "count"
    SHARE = "share"
    SECONDS = "seconds"
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
