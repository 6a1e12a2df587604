"""The contract every source keeps.

A source does two things and no more: `plan` says which pulls cover the days asked for and
yields their pages exactly as received; `read` turns landed pages into OBSERVATIONS without a
network. Everything else (landing, classification, pseudonyms, days) is done once for all.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.config.settings import SourceSettings
from sms_etl.days import day_window
from sms_etl.errors import SmsEtlError
from sms_etl.model.schemas import OBSERVATIONS
from sms_etl.model.vocabulary import Engagement

log = logging.getLogger(__name__)
ONE_HOUR = timedelta(hours=1)

RETRIES, WAITED = "retries", "waited_seconds"
"""Keys of the meta of a page that was not answered at once."""


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
    TEXT = "txt"


@dataclass(frozen=True)
class Facts:
    """What a user should know of a source before relying on it; `docs/sources.md` prints it.

    `documents` is where the facts come from. `proof` says how they were checked. `missing` is
    what the provider does not tell, `reports` what a report says instead. `to_check` is what a
    first user should look at because it could not be verified; blank: nothing. `engagement` says
    how replies, stop lists and clicks are pulled; blank: they are not.
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
    engagement: str = ""


@dataclass(frozen=True)
class Page:
    """One answer exactly as received.

    `request` says what was asked, without secrets; `records` is counted by the source;
    `meta` holds what reading needs and the body does not say. By its `fingerprint` a request is
    known again when a pull that died is resumed; blank: it is not.
    """

    body: bytes
    format: PageFormat
    records: int
    request: str
    received_at: datetime
    meta: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""


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
    """One pull to be landed under the days it covers; pages are fetched while iterated.

    slices.SlicedPages can be fetched side by side, and begun again.
    """

    first_day: date
    last_day: date
    asked: str
    pages: Iterable[Page]


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
    """One line of `sms-etl check`: what was tried, whether it holds, and how to mend it.

    What is `optional` and does not hold is told, but is no failure.
    """

    subject: str
    ok: bool
    found: str
    mend: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Stream:
    """Engagement that a source can pull beside its messages; it lands apart from them.

    plan: like Source.plan. read: landed pages of this stream as EVENTS, one row per record.
    try_out: one cheap request that shows whether the key may read it; `allowed` says it may.
    whole_list: every pull holds a list as it stands, whatever days its entries are of.
    """

    kind: Engagement
    plan: Callable[[Sequence[date], PullContext], Iterator[PullPlan]]
    read: Callable[[Sequence[LandedPage]], pl.LazyFrame]
    try_out: Callable[[], object]
    allowed: str
    whole_list: bool = False


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

    lists_messages: ClassVar[bool] = True
    """False for a source that has engagement only."""

    memory: ClassVar[timedelta | None] = None
    """How long the provider keeps what is pulled; null where it is not stated or has no end."""

    reads_are_billed: ClassVar[bool] = False
    """Whether the provider charges for every record that is read."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def parallel(self) -> int:
        """How many slices of its pulls may be fetched side by side."""
        return 1

    def streams(self) -> tuple[Stream, ...]:
        """The engagement it can pull beside its messages; the settings say which is pulled."""
        return ()

    def remembers(self, day: date, zone: ZoneInfo, now: datetime) -> bool:
        """Whether anything of a business day is still kept by the provider."""
        return self.memory is None or day_window(day, zone).end > now - self.memory

    def forgotten(self, day: date, context: PullContext) -> bool:
        """Whether a day is not to be asked for because nothing of it is kept.

        An empty answer would look like a day without messages. What is lost for good is told in
        the log.
        """
        if self.memory is None:
            return False
        window = day_window(day, context.zone)
        remembered = context.now.astimezone(UTC) - self.memory
        if window.start < remembered and not context.landed(day):
            log.warning(
                "%s: messages of %s before %s are lost to this source: the provider remembers %g "
                "hours. Export them from its own pages and add a drop_folder source",
                self.name, day, min(remembered, window.end).isoformat(timespec="seconds"),
                self.memory / ONE_HOUR,
            )  # fmt: skip
        return not self.remembers(day, context.zone, context.now)

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

    def check_streams(self) -> list[tuple[Engagement, CheckResult]]:
        """Try the right to read each stream with one cheap call."""
        return [
            (
                stream.kind,
                checked(f"source {self.name}, {stream.kind}", stream.try_out, stream.allowed),
            )
            for stream in self.streams()
        ]


class EngagementOnly(Source):
    """A source of engagement that lists no messages; every stream is checked by itself."""

    lists_messages: ClassVar[bool] = False

    def plan(self, _days: Sequence[date], _context: PullContext) -> Iterator[PullPlan]:
        """No pulls."""
        return iter(())

    def read(self, _pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """No messages."""
        return OBSERVATIONS.empty().lazy()

    def check(self) -> list[CheckResult]:
        """Nothing beside the streams."""
        return []


def checked(subject: str, call: Callable[[], object], found: str) -> CheckResult:
    """Make one call and tell how it went; an error's own words say how to mend it."""
    try:
        call()
    except SmsEtlError as error:
        return CheckResult(subject, ok=False, found="refused", mend=str(error))
    return CheckResult(subject, ok=True, found=found)
