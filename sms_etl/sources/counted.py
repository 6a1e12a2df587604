"""Counting what reading will make of a page, where a record holds a list that becomes rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from sms_etl.sources.base import LandedPage, Page
from sms_etl.sources.json_pages import JsonReader


def rows_of(page: Page, reader: JsonReader) -> pl.DataFrame:
    """The rows of a page that has not landed yet, as the reader will find them in landing."""
    landed = LandedPage(Path(), "", 0, page.format, page.records, page.received_at, page.meta)
    return reader.decode(landed, page.body)


def counted(page: Page, reader: JsonReader) -> Page:
    """A page whose records are the rows that the reader makes of it."""
    return replace(page, records=rows_of(page, reader).height)
