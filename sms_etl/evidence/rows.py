"""The messages behind a figure: the rows that a count of a report is a count of."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path

import polars as pl

from sms_etl.metrics.cohort import Asked, only
from sms_etl.model.schemas import MESSAGES
from sms_etl.model.vocabulary import StatusClass
from sms_etl.project import Project
from sms_etl.spreadsheets import write_csv

DIMENSIONS = (
    "source", "country", "operator", "sender", "campaign", "status_class", "reason",
    "permanence", "purpose", "channel", "template",
)  # fmt: skip
"""Columns of MESSAGES that a count can be narrowed by."""


class RowsFormat(StrEnum):
    """What the rows are written as."""

    CSV = "csv"
    PARQUET = "parquet"


def messages_behind(project: Project, days: tuple[date, date], asked: Asked) -> pl.LazyFrame:
    """MESSAGES submitted on days of the business time zone (both included), in a lasting order.

    Args:
        project: Where they are.
        days: First and last day.
        asked: Dimension -> values, of which a message must have one each.
    """
    rows = only(project.lake.scan(MESSAGES, *days), asked)
    return rows.sort("submitted_at", "source", "message_id")


def count_classes(rows: pl.LazyFrame) -> dict[StatusClass, int]:
    """How many of the rows each class has; classes without any are there with 0."""
    counted = rows.group_by("status_class").len().collect(engine="streaming")
    found = dict(counted.iter_rows())
    return {one: found.get(one.value, 0) for one in StatusClass}


def write_rows(rows: pl.LazyFrame, path: Path, form: RowsFormat) -> None:
    """Write the rows to a file without holding them all."""
    match form:
        case RowsFormat.CSV:
            write_csv(rows, path)
        case RowsFormat.PARQUET:
            rows.sink_parquet(path)
