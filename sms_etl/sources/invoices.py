"""Invoices of a provider: files in a folder, landed untouched and read by a declared mapping.

An invoice with identifiers is a line per message (or per part); one without is totals per day or
period, country and campaign.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from pydantic import Field, model_validator

from sms_etl.config.clock import now
from sms_etl.config.settings import Currency
from sms_etl.errors import PermanentSourceError
from sms_etl.model.schemas import INVOICE_LINES
from sms_etl.model.vocabulary import ReconciliationDetail as Detail
from sms_etl.sources.base import CheckResult, LandedPage, Page, PageFormat, PullPlan, checked
from sms_etl.sources.files import Member, bytes_of, dropped_files, members
from sms_etl.sources.json_pages import MALFORMED
from sms_etl.sources.mapping import TimeReading
from sms_etl.sources.records import scan_pages
from sms_etl.sources.tables import CsvReading, read_table
from sms_etl.sources.values import ISO, DecimalSign, blank_to_null, cost_micro, times_to_utc

InvoiceColumn = Literal[
    "day", "last_day", "message_id", "campaign", "country", "messages", "parts", "price",
    "currency",
]  # fmt: skip

_DATE = "%Y-%m-%d"
_COUNT = r"^\d{1,15}$"
_PRICE_WITH_DOT = r"^[+-]?\d+\.\d+$"


class InvoiceSettings(CsvReading, TimeReading):
    """A folder of invoices of one source and how their tables are written.

    `day`: when a message was sent, or the first day of a total; `last_day`: of a total over
    several days. `late_days`: how many days after its message a line may be dated; messages of
    the last days of an invoice are then expected on the next one.
    """

    folder: Path
    columns: dict[InvoiceColumn, str]
    currency: Currency | None = None
    decimal: DecimalSign = "."
    charge_is_negative: bool = False
    late_days: Annotated[int, Field(ge=0, le=31)] = 0

    @model_validator(mode="after")
    def _is_enough(self) -> InvoiceSettings:
        if "day" not in self.columns:
            raise ValueError("columns must name a heading for: day")
        if not {"messages", "parts", "price"} & set(self.columns) and not self.has_ids:
            raise ValueError("columns must name a heading for one of: messages, parts, price")
        priced = "price" in self.columns
        if priced and (self.currency is None) == ("currency" not in self.columns):
            raise ValueError("give the currency once: as the key 'currency' or as a column")
        if self.has_ids and {"messages", "last_day"} & set(self.columns):
            raise ValueError("messages and last_day are for totals, which have no message_id")
        return self

    @property
    def has_ids(self) -> bool:
        """Whether lines name messages, not totals."""
        return "message_id" in self.columns

    @property
    def headings(self) -> list[str]:
        """Headings a table must have, each once."""
        return list(dict.fromkeys(self.columns.values()))


class Invoices:
    """Picks up every file once, by its checksum, and reads it back."""

    def __init__(self, source: str, settings: InvoiceSettings, base: Path) -> None:
        self._owner = f"invoices.{source}"
        self.settings = settings
        self._folder = base / settings.folder

    def plan(self, landed: Collection[str], zone: str) -> Iterator[PullPlan]:
        """A pull for every file whose checksum is not among `landed`.

        A file that cannot be read does not stop the others; all are named in one error at the end.

        Raises:
            PermanentSourceError: the folder or some files cannot be read.
        """
        refused = []
        for path in dropped_files(self._folder, self._owner):
            try:
                plan = self._plan_of(path, landed, zone)
            except (PermanentSourceError, OSError) as error:
                refused.append(f"{path}: {error}")
                continue
            if plan is not None:
                yield plan
        if refused:
            raise PermanentSourceError(
                f"{self._owner}: {len(refused)} of the files cannot be read; the others were:\n"
                + "\n".join(refused)
            )

    def read(self, pages: Sequence[LandedPage], zone: str) -> pl.LazyFrame:
        """Landed files as INVOICE_LINES; nothing is dropped."""
        records = scan_pages(
            pages,
            self.settings.headings,
            lambda page, body: self._decoded(page.format, body),
        )
        return _lines(records, self.settings, zone)

    def check(self) -> list[CheckResult]:
        """Whether the folder can be listed."""

        def try_out() -> None:
            dropped_files(self._folder, self._owner)

        return [checked(self._owner, try_out, f"{self._folder} can be listed")]

    def _plan_of(self, path: Path, landed: Collection[str], zone: str) -> PullPlan | None:
        body = bytes_of(path)
        checksum = hashlib.sha256(body).hexdigest()
        if checksum in landed:
            return None
        tables = [(member, self._decoded(member.format, member.body)) for member in
                  members(path.name, body)]  # fmt: skip
        if not tables:
            raise PermanentSourceError("it holds no table; export it again")
        first, last = self._days(tables, zone)
        received = now()
        pages = [
            Page(
                body=member.body,
                format=member.format,
                records=frame.height,
                request=f"file {path.name}",
                received_at=received,
                meta={"file": path.name, "file_sha256": checksum, "member": member.name},
            )
            for member, frame in tables
        ]
        return PullPlan(first, last, f"file {path.name}", iter(pages))

    def _days(self, tables: Sequence[tuple[Member, pl.DataFrame]], zone: str) -> tuple[date, date]:
        """First and last day that a file is about.

        Raises:
            PermanentSourceError: no line says one.
        """
        days = [
            frame.select(_day(self.settings, "day", zone), _day(self.settings, "last_day", zone))
            for _, frame in tables
        ]
        latest = pl.max_horizontal(pl.col("day").max(), pl.col("last_day").max())
        first, last = pl.concat(days).select(first=pl.col("day").min(), last=latest).row(0)
        if first is None:
            raise PermanentSourceError(
                f"no time in column {self.settings.columns['day']!r} can be read; "
                f"mend 'time_formats' in the settings"
            )
        return first, last

    def _decoded(self, form: PageFormat, body: bytes) -> pl.DataFrame:
        frame = read_table(form, body, self.settings, self.settings.headings)
        price = self.settings.columns.get("price")
        if form is PageFormat.XLSX and price and self.settings.decimal == ",":
            # Number cells come with a point, whatever the text cells look like.
            with_comma = pl.col(price).str.replace(".", ",", literal=True)
            frame = frame.with_columns(
                pl.when(pl.col(price).str.contains(_PRICE_WITH_DOT))
                .then(with_comma)
                .otherwise(price)
            )
        return frame


def billed_days(first: date, last: date, late_days: int) -> list[date]:
    """Days of an invoice whose messages must be on it: not those that may be billed later."""
    until = last - timedelta(days=late_days)
    return [first + timedelta(days=n) for n in range((until - first).days + 1)]


def _text(settings: InvoiceSettings, name: InvoiceColumn) -> pl.Expr:
    heading = settings.columns.get(name)
    return blank_to_null(pl.col(heading)) if heading else pl.lit(None, pl.String)


def _day(settings: InvoiceSettings, name: InvoiceColumn, zone: str) -> pl.Expr:
    """A day as written, or the business day of a time."""
    text = _text(settings, name).str.strip_chars()
    written = text.str.strptime(pl.Date, _DATE, strict=False, exact=True)
    # Typed cells of XLSX files come as ISO times, whatever the text cells look like.
    formats = list(dict.fromkeys((*settings.time_formats, ISO)))
    at = times_to_utc(text, formats, settings.time_zone).dt.convert_time_zone(zone).dt.date()
    return pl.coalesce(written, at).alias(name)


def _lines(records: pl.LazyFrame, settings: InvoiceSettings, zone: str) -> pl.LazyFrame:
    messages, parts = (_text(settings, name).str.strip_chars() for name in ("messages", "parts"))
    price = _text(settings, "price")
    micro = cost_micro(price, settings.decimal, charge_is_negative=settings.charge_is_negative)
    currency = pl.coalesce(
        _text(settings, "currency").str.strip_chars().str.to_uppercase(),
        pl.lit(settings.currency, pl.String),
    )
    unreadable = [
        (pl.col(MALFORMED).is_not_null(), Detail.BAD_LINE),
        (_unread(settings, "day", zone), Detail.BAD_TIME),
        (_unread(settings, "last_day", zone) & _text(settings, "last_day").is_not_null(),
         Detail.BAD_TIME),
        (~messages.str.contains(_COUNT) | ~parts.str.contains(_COUNT), Detail.BAD_COUNT),
        (price.is_not_null() & micro.is_null(), Detail.BAD_PRICE),
        (price.is_not_null() & currency.is_null(), Detail.NO_CURRENCY),
    ]  # fmt: skip
    problem = pl.lit(None, pl.String)
    for test, name in reversed(unreadable):
        holds = test.fill_null(value=False)
        problem = pl.when(holds).then(pl.lit(name.value)).otherwise(problem)
    return records.select(
        "pull",
        "page",
        "record",
        _day(settings, "day", zone),
        _day(settings, "last_day", zone),
        _text(settings, "message_id").str.strip_chars().alias("message_id"),
        _text(settings, "campaign").alias("campaign"),
        _text(settings, "country").str.strip_chars().str.to_uppercase().alias("country"),
        messages.cast(pl.Int64, strict=False).alias("messages"),
        parts.cast(pl.Int64, strict=False).alias("parts"),
        micro.alias("cost_micro"),
        currency.alias("currency"),
        problem.alias("problem"),
    ).select(INVOICE_LINES.names).cast(INVOICE_LINES.schema)  # fmt: skip


def _unread(settings: InvoiceSettings, name: InvoiceColumn, zone: str) -> pl.Expr:
    return _day(settings, name, zone).is_null()
