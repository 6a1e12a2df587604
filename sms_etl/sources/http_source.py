"""What every source asked over HTTP shares: its client, its check, and how days become pulls.

A window source says how the pages of one window are asked for; a by-id source how one batch of
identifiers is. The rest of a provider's module is `read`.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from math import ceil
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import polars as pl
from pydantic import Field
from requests.auth import AuthBase

from sms_etl.config.clock import now
from sms_etl.days import Window, day_window
from sms_etl.model.vocabulary import Engagement
from sms_etl.sources.base import (
    CheckResult,
    EngagementOnly,
    LandedPage,
    Page,
    PullContext,
    PullKind,
    PullPlan,
    Source,
    Stream,
    checked,
)
from sms_etl.sources.http import HttpClient, HttpSettings
from sms_etl.sources.slices import Part, SlicedPages

log = logging.getLogger(__name__)

LONGEST_DAY = timedelta(hours=25)
ONE_SECOND = timedelta(seconds=1)
SLICES_EACH = 3
LONG_AGO = datetime.min.replace(tzinfo=UTC)

Asking = Callable[[HttpClient], Iterator[Page]]
"""Asks for the pages of one slice."""


class ByIdSettings(HttpSettings):
    """A source asked by identifier; `batch_size` is how many are asked for in one request."""

    batch_size: Annotated[int, Field(ge=1, le=1000)] = 100


S = TypeVar("S", bound=HttpSettings)
B = TypeVar("B", bound=ByIdSettings)


@dataclass(frozen=True)
class Credentials:
    """Who asks. `account` names the rate budget that all who ask for it share.

    `secret` is masked wherever the provider's words are quoted.
    """

    account: str
    auth: AuthBase = field(repr=False)
    secret: str = field(repr=False)


class HttpSource(Source, Generic[S]):
    """A source asked over HTTP."""

    allowed: ClassVar[str] = "the key may read messages"
    """What a successful check has found."""

    def __init__(self, name: str, settings: S, _base: Path = Path()) -> None:
        super().__init__(name)
        self._settings = settings

    @abstractmethod
    def credentials(self, settings: S) -> Credentials:
        """The account and its secret, read from the environment now."""

    @abstractmethod
    def try_out(self, client: HttpClient) -> object:
        """One cheap request that shows whether messages may be read."""

    def inspect(self, data: Any) -> None:
        """Look at the JSON of an answer for an error inside HTTP 200.

        Raises:
            TransientSourceError: it is asked again.
            PermanentSourceError: it is not.
        """

    def client(self, *, retry: bool = True) -> HttpClient:
        """A client of this account; without `retry` the first failure is told."""
        settings = self._settings
        if not retry:
            settings = settings.model_copy(update={"retry_budget_seconds": 0.0})
        who = self.credentials(settings)
        return HttpClient(self.name, who.account, settings, who.auth, who.secret, self.inspect)

    @property
    def parallel(self) -> int:
        """How many slices may be asked for side by side."""
        return self._settings.parallel_slices

    def sliced(
        self, client: HttpClient, slices: Sequence[Asking], closed_at: datetime = LONG_AGO
    ) -> SlicedPages:
        """Pages in slices that do not need each other.

        Answers of a pull that died are reused, if nothing could be added to them later: those
        received after `closed_at`, within `resume_hours` of now.
        """

        def part(ask: Asking) -> Part:
            return lambda recall: ask(client.recalling(recall))

        young = now() - timedelta(hours=self._settings.resume_hours)
        return SlicedPages(tuple(part(ask) for ask in slices), max(closed_at, young))

    def check(self) -> list[CheckResult]:
        """Try credentials and rights with one cheap request."""
        return [
            checked(
                f"source {self.name}",
                lambda: self.try_out(self.client(retry=False)),
                self.allowed,
            )
        ]

    def stream(
        self,
        kind: Engagement,
        pages: Callable[[HttpClient, Window, PullContext], Iterator[Page]],
        read: Callable[[Sequence[LandedPage]], pl.LazyFrame],
        try_out: Callable[[HttpClient], object],
        *,
        whole_list: bool = False,
        memory: timedelta | None = None,
    ) -> Stream:
        """Engagement of this account: one pull per business day, or a whole list for the last.

        `pages` gives every page of a business day; of a whole list it may ignore the window. A
        day that ended before the provider's `memory` is not asked for: an empty answer would
        look like a day on which nobody did anything.
        """

        def plan(days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
            client = self.client()
            for day in [max(days)] if whole_list and days else sorted(days):
                window = day_window(day, context.zone)
                if memory is not None and window.end <= context.now - memory:
                    log.warning(
                        "%s: %s of %s are not asked for: the provider forgets them after %s",
                        self.name, kind.value, day, memory,
                    )  # fmt: skip
                    continue
                asked = f"{kind.value} {window.start.isoformat()} to {window.end.isoformat()}"
                yield PullPlan(
                    day,
                    day,
                    f"{kind.value}, the whole list" if whole_list else asked,
                    pages(client, window, context),
                )

        return Stream(
            kind=kind,
            plan=plan,
            read=read,
            try_out=lambda: try_out(self.client(retry=False)),
            allowed=f"{kind.value} may be read",
            whole_list=whole_list,
        )


class EngagementSource(EngagementOnly, HttpSource[S]):
    """A provider's API of replies, stop lists or clicks that lists no messages."""

    kind: ClassVar[PullKind] = PullKind.WINDOW

    def try_out(self, client: HttpClient) -> object:
        """Nothing: every stream is tried by itself."""
        return client


class WindowSource(HttpSource[S]):
    """A source that lists the messages of a window of time: one pull per business day."""

    kind: ClassVar[PullKind] = PullKind.WINDOW
    longest_window: ClassVar[timedelta] = LONGEST_DAY
    """The longest window that one request may ask for; longer ones are cut."""

    shortest_slice: ClassVar[timedelta] = LONGEST_DAY
    """The shortest window worth a request of its own. Shorter than a day only where the provider
    cuts windows to the second."""

    @abstractmethod
    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """Every page of a window, at most `longest_window` long, half open, UTC."""

    def plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per business day, cut in windows that the provider accepts.

        A day that is forgotten is not asked for: an empty answer would look like a day without
        messages.
        """
        client = self.client()
        for day in sorted(days):
            if self.forgotten(day, context):
                continue
            window = day_window(day, context.zone)
            asked = f"{window.start.isoformat()} to {window.end.isoformat()}"
            pieces = slices(window, min(self.longest_window, self._slice_of(window)))
            asking = [partial(self.pages, window=piece) for piece in pieces]
            yield PullPlan(day, day, asked, self.sliced(client, asking, window.end))

    def _slice_of(self, window: Window) -> timedelta:
        """How long a slice is, in whole seconds.

        More slices than are fetched at once: messages crowd in few hours, and whoever has a
        quiet slice takes another.
        """
        at_once = self._settings.parallel_slices
        pieces = at_once * SLICES_EACH if at_once > 1 else 1
        seconds = ceil((window.end - window.start) / pieces / ONE_SECOND)
        return max(self.shortest_slice, timedelta(seconds=seconds))


class ByIdSource(HttpSource[B]):
    """A source that tells the status of identifiers, which come from the user's own outbox."""

    kind: ClassVar[PullKind] = PullKind.BY_ID

    @abstractmethod
    def batch(self, client: HttpClient, ids: list[str]) -> Page:
        """The answer about at most `batch_size` identifiers."""

    def plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per day; a day without identifiers is a pull without pages.

        Outbox rows without an identifier cannot be asked for and are skipped here.
        """
        client = self.client()
        for day in sorted(days):
            ids = identifiers(context.outbox, day_window(day, context.zone))
            asked = f"status of {len(ids)} identifiers"
            yield PullPlan(day, day, asked, self.sliced(client, self._shares(ids)))

    def _shares(self, ids: list[str]) -> list[Asking]:
        """The batches of a day, dealt out in `parallel_slices` runs."""
        size = self._settings.batch_size
        batches = [ids[start : start + size] for start in range(0, len(ids), size)]
        run = max(1, ceil(len(batches) / self._settings.parallel_slices))
        return [
            partial(self._batches, batches=batches[start : start + run])
            for start in range(0, len(batches), run)
        ]

    def _batches(self, client: HttpClient, batches: list[list[str]]) -> Iterator[Page]:
        for ids in batches:
            yield self.batch(client, ids)


def identifiers(outbox: pl.DataFrame, window: Window) -> list[str]:
    """Identifiers submitted in a window, each once, in the order of the outbox."""
    return (
        outbox.lazy()
        .filter(pl.col("submitted_at").is_between(window.start, window.end, closed="left"))
        .select(pl.col("message_id").str.strip_chars())
        .filter(pl.col("message_id").str.len_chars() > 0)
        .unique(maintain_order=True)
        .collect()
        .to_series()
        .to_list()
    )


def slices(window: Window, longest: timedelta) -> list[Window]:
    """A window cut in pieces of at most `longest`, in order; the last may be shorter."""
    cuts = [window.start]
    while cuts[-1] + longest < window.end:
        cuts.append(cuts[-1] + longest)
    return [Window(start, end) for start, end in zip(cuts, [*cuts[1:], window.end], strict=True)]
