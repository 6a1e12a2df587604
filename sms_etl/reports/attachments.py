"""The data of a report as files inside its PDF: whole where the tables on paper are cut short."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from sms_etl.reports.as_json import figures_json
from sms_etl.reports.figures import Figures
from sms_etl.reports.flat import flat_figures
from sms_etl.reports.language import Words

JSON_NAME, CSV_NAME = "figures.json", "figures.csv"

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is a formula to a spreadsheet; an apostrophe makes it a text again."""


@dataclass(frozen=True)
class Attached:
    """A file inside a PDF; `at` is its date of making."""

    name: str
    description: str
    content: bytes
    at: datetime

    def as_json(self) -> dict[str, str]:
        """As the typesetting process reads it."""
        content = base64.b64encode(self.content).decode()
        return {
            "name": self.name,
            "description": self.description,
            "content": content,
            "at": self.at.isoformat(),
        }


def attachments(figures: Figures, words: Words) -> tuple[Attached, ...]:
    """All figures as JSON, and those of totals, groups and days as CSV."""
    at = figures.data_as_of
    return (
        Attached(JSON_NAME, words.text("All figures of this report"), figures_json(figures), at),
        Attached(
            CSV_NAME,
            words.text("Totals, groups and days of this report, a row per figure"),
            figures_csv(figures),
            at,
        ),
    )


def figures_csv(figures: Figures) -> bytes:
    """`flat_figures` as CSV, UTF-8, a header line first."""
    rows = pl.DataFrame(flat_figures(figures), infer_schema_length=None, strict=False)
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    return rows.with_columns(_guarded(name) for name in texts).write_csv().encode()


def _guarded(name: str) -> pl.Expr:
    text = pl.col(name)
    formula = pl.any_horizontal(text.str.starts_with(start) for start in FORMULA_STARTS)
    return pl.when(formula).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).alias(name)
