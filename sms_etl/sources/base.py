"""The contract every source keeps.

A source does two things and no more: `plan` says which pulls cover the days asked for and
yields their pages exactly as received; `read` turns landed pages into OBSERVATIONS without a
network. Everything else (landing, classification, pseudonyms, days) is done once for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.config.settings import SourceSettings
from sms_etl.errors import SmsEtlError


class PullKind(StrEnum):
    """How a source can be asked."""

    WINDOW = "window"
    BY_ID = "by_id"
    DROP_FOLDER = "drop_folder"
    SQL = "sql"


class PageFormat(StrEnum):
    """How the bytes of a page are to be read; also the file ending in landing."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True)
class Facts:
    """What a user should know of a source before relying on it; `docs/sources.md` prints it.

    `documents` is where the facts come from. `proof` says how they were checked. `missing` is
    what the provider does not tell, `reports` what a report says instead. `to_check` is what a
    first user should look at because it could not be verified; blank: nothing.
    """

    title: str
    window_filter: str
    history: str
    look_back: str
    rate_limit: str
    proof: str
    missing: str
    reports: str
    documents: str
    to_check: str = ""


@dataclass(frozen=True)
class Page:
    """One answer exactly as received.

    `request` says what was asked, without secrets; `records` is counted by the source;
    `meta` holds what reading needs and the body does not say.
    """

    body: bytes
    format: PageFormat
    records: int
    request: str
    received_at: datetime
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LandedPage:
    """A page in landing: where it is and which pull it belongs to."""

    path: Path
    pull: str
    number: int
    format: PageFormat
    records: int
    received_at: datetime
    meta: Mapping[str, str]


@dataclass(frozen=True)
class PullPlan:
    """One pull to be landed under the days it covers; pages are fetched while iterated."""

    first_day: date
    last_day: date
    asked: str
    pages: Iterator[Page]


@dataclass(frozen=True)
class PullContext:
    """What a source is told: the business zone, the time now, and the outbox of the days.

    `outbox` has the schema model.schemas.OUTBOX, already cut to this source and these days.
    `landed_checksums` are SHA-256 hex digests of every file a drop folder has landed before.
    `landed` gives the pages that complete pulls of a day have landed before, for sources that
    must not read again what they have.
    """

    zone: ZoneInfo
    now: datetime
    outbox: pl.DataFrame
    landed_checksums: frozenset[str] = frozenset()
    landed: Callable[[date], Sequence[LandedPage]] = lambda _day: ()


@dataclass(frozen=True)
class CheckResult:
    """One line of `sms-etl check`: what was tried, whether it holds, and how to mend it."""

    subject: str
    ok: bool
    found: str
    mend: str = ""


class Source(ABC):
    """A configured provider account (or gateway, folder, table) that messages can be read from."""

    kind: ClassVar[PullKind]
    facts: ClassVar[Facts]
    settings_type: ClassVar[type[SourceSettings]]
    provider: str
    """Names the dictionary that explains the status words and codes of this source."""
    spill_days: ClassVar[int] = 0
    """Days after a message's own whose pulls may hold it, where the provider filters by another
    time than the submission (a message submitted before midnight and sent after it)."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """Yield the pulls that cover these business days.

        Raises:
            PermanentSourceError: a retry will not help.
            TransientSourceError: retries were used up.
        """

    @abstractmethod
    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS, one row per record, nothing dropped.

        A record that cannot be read at all is a row too, with `malformed` saying why.
        """

    @abstractmethod
    def check(self) -> list[CheckResult]:
        """Try credentials and rights with one cheap call."""


def checked(subject: str, call: Callable[[], object], found: str) -> CheckResult:
    """Make one call and tell how it went; an error's own words say how to mend it."""
    try:
        call()
    except SmsEtlError as error:
        return CheckResult(subject, ok=False, found="refused", mend=str(error))
    return CheckResult(subject, ok=True, found=found)
