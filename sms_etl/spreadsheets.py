"""Tables as CSV files that a spreadsheet program opens as they are meant."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import polars.selectors as cs

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheet programs take for the beginning of a formula (OWASP, "CSV Injection")."""

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads a CSV in the code page of the machine."""

MOMENT_FORMAT = "%FT%T%:z"


def without_formulas() -> pl.Expr:
    """Every text column, with an apostrophe before what would be taken for a formula."""
    risky = f"^[{re.escape(''.join(FORMULA_STARTS))}]"
    return cs.string().str.replace(risky, "'$0")


def write_csv(table: pl.DataFrame | pl.LazyFrame, path: Path) -> None:
    """Write a table as CSV in UTF-8; moments in ISO 8601 with their offset from UTC."""
    table.lazy().with_columns(without_formulas()).sink_csv(
        path, include_bom=True, datetime_format=MOMENT_FORMAT
    )
