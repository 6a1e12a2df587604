"""Reading the dictionary files, with errors that name the file, the row and the column."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.abc import Traversable
from importlib.resources import files
from io import StringIO

import polars as pl

from sms_etl.errors import ConfigError
from sms_etl.model.vocabulary import Mender, Permanence, Reason, Receipt, StatusClass

YES_NO = ("yes", "no")

REASON_ORIGIN = "reasons.csv"


@dataclass(frozen=True)
class DataColumn:
    """One column of a dictionary file: its name, the words it may hold, whether it may be blank."""

    name: str
    words: tuple[str, ...] = ()
    blank: bool = False


def _words(vocabulary: type[StrEnum]) -> tuple[str, ...]:
    return tuple(word.value for word in vocabulary)


STATUS_COLUMNS = (
    DataColumn("word"),
    DataColumn("class", _words(StatusClass)),
    DataColumn("final", YES_NO),
    DataColumn("receipt", _words(Receipt)),
    DataColumn("reason", _words(Reason), blank=True),
    DataColumn("source"),
    DataColumn("note", blank=True),
)

CODE_COLUMNS = (
    DataColumn("code"),
    DataColumn("name", blank=True),
    DataColumn("meaning_en"),
    DataColumn("meaning_uk"),
    DataColumn("reason", _words(Reason), blank=True),
    DataColumn("permanence", _words(Permanence), blank=True),
    DataColumn("mender", _words(Mender), blank=True),
    DataColumn("stop_writing", YES_NO),
    DataColumn("class_alone", _words(StatusClass), blank=True),
    DataColumn("source"),
)

REASON_COLUMNS = (
    DataColumn("reason", _words(Reason)),
    DataColumn("permanence", _words(Permanence)),
    DataColumn("mender", _words(Mender)),
    DataColumn("stop_writing", YES_NO),
    DataColumn("meaning_en"),
    DataColumn("meaning_uk"),
    DataColumn("advice_en"),
    DataColumn("advice_uk"),
)


def data_folder() -> Traversable:
    """Where the packaged files are."""
    return files("sms_etl.dictionaries") / "data"


def read_table(folder: Traversable, name: str, columns: Sequence[DataColumn]) -> pl.DataFrame:
    """Read and check one file; blanks become null and yes/no columns Boolean.

    Raises:
        ConfigError: the file is missing, or a cell breaks the rules of its column.
    """
    file = folder / name
    if not file.is_file():
        raise ConfigError(f"dictionary file {name} is missing in {folder}")
    rows = csv.DictReader(StringIO(file.read_text(encoding="utf-8")))
    expected = [column.name for column in columns]
    if list(rows.fieldnames or ()) != expected:
        raise ConfigError(
            f"{name}: the columns are {rows.fieldnames}, but must be {', '.join(expected)}"
        )
    checked = [_checked(name, number, row, columns) for number, row in enumerate(rows, start=2)]
    frame = pl.DataFrame(checked, schema=dict.fromkeys(expected, pl.String))
    flags = [column.name for column in columns if column.words == YES_NO]
    return frame.with_columns(pl.col(flags) == "yes")


def _checked(
    name: str, number: int, row: Mapping[str, str | None], columns: Sequence[DataColumn]
) -> dict[str, str | None]:
    cells: dict[str, str | None] = {}
    if None in row or None in row.values():
        raise ConfigError(f"{name} row {number}: it must have {len(columns)} cells")
    for column in columns:
        cell = (row[column.name] or "").strip()
        where = f"{name} row {number} column {column.name}"
        if not cell and not column.blank:
            raise ConfigError(f"{where}: it is blank; write a value")
        if cell and column.words and cell not in column.words:
            raise ConfigError(f"{where}: {cell!r} is not one of {', '.join(column.words)}")
        cells[column.name] = cell or None
    return cells


def require_unique(name: str, values: pl.Series) -> None:
    """Refuse a file that explains one thing twice.

    Raises:
        ConfigError: naming the values that repeat.
    """
    repeated = values.filter(values.is_duplicated()).unique().sort()
    if not repeated.is_empty():
        raise ConfigError(
            f"{name}: {values.name} {', '.join(repeated)} is there more than once; keep one row"
        )


@cache
def reasons() -> pl.DataFrame:
    """Defaults and plain labels of every Reason, from reasons.csv."""
    table = read_table(data_folder(), REASON_ORIGIN, REASON_COLUMNS)
    require_unique(REASON_ORIGIN, table["reason"])
    missing = sorted(set(_words(Reason)) - set(table["reason"]))
    if missing:
        raise ConfigError(f"{REASON_ORIGIN}: no row for {', '.join(missing)}")
    return table


@dataclass(frozen=True)
class ReasonLabel:
    """A Reason for a reader: a short plain name, and what to do in one or two sentences."""

    meaning: str
    advice: str


def reason_labels(language: str) -> dict[str, ReasonLabel]:
    """Every Reason in plain words, as reports print it.

    Args:
        language: "en" or "uk".

    Raises:
        ConfigError: reasons are not written in that language.
    """
    columns = ["reason", f"meaning_{language}", f"advice_{language}"]
    table = reasons()
    if not set(columns) <= set(table.columns):
        raise ConfigError(f"there are no reasons in language {language!r}: write en or uk")
    return {
        reason: ReasonLabel(meaning, advice)
        for reason, meaning, advice in table.select(columns).iter_rows()
    }
