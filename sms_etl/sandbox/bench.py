"""A source on the bench: pulled from its simulated provider, landed, read and judged.

A provider that is asked over HTTP is served by the sandbox; one that writes files or a database
is made to write them into the bench's folder before every pull and between pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import zstandard

from sms_etl.days import day_window
from sms_etl.dictionaries import load_dictionary
from sms_etl.dictionaries.classify import classify
from sms_etl.sandbox.case import Case
from sms_etl.sandbox.server import Sandbox
from sms_etl.sandbox.written import WrittenApi
from sms_etl.sources.base import LandedPage, Page, PullContext, PullKind, Source
from sms_etl.sources.registry import SOURCE_KINDS, make_source

SILENCE_HOURS = 72.0


@dataclass
class Bench:
    """One source against its simulated provider; `folder` takes what it lands."""

    case: Case
    sandbox: Sandbox
    folder: Path
    pulls: int = 0

    @property
    def zone(self) -> ZoneInfo:
        """The business time zone of the simulated company."""
        return self.sandbox.world.parameters.zone

    @property
    def source(self) -> Source:
        """The source, configured for the sandbox."""
        over_http = {
            "base_url": f"{self.sandbox.base_url}/{self.case.provider}",
            "requests_per_second": 1000,
            "retry_budget_seconds": 30,
        }
        block = {
            "kind": self.case.kind,
            **({} if self.written else over_http),
            **self.case.settings(self.sandbox.accounts),
        }
        settings = SOURCE_KINDS[self.case.kind].model_validate(block)
        return make_source("shop", settings, self.store)

    @property
    def store(self) -> Path:
        """Where a provider writes that is not asked over HTTP; settings name files from here."""
        folder = self.folder / "store"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def written(self) -> WrittenApi | None:
        """The simulated provider, if it writes files or a database."""
        api = self.sandbox.api(self.case.provider)
        return api if isinstance(api, WrittenApi) else None

    def write(self) -> None:
        """Let such a provider write what there is by now."""
        if self.written:
            faults = self.sandbox.faults.settings_for(self.case.provider)
            self.written.write(self.store, self.sandbox.clock.now(), faults)

    @property
    def by_id(self) -> bool:
        """Whether the source can only be asked by identifier."""
        return self.source.kind is PullKind.BY_ID

    def at_usual_time(self, days: Sequence[date]) -> datetime:
        """When these days are usually pulled; the simulated clock is moved there."""
        moment = day_window(max(days), self.zone).end + self.case.pulled_after
        self.sandbox.set_clock(moment)
        return moment

    def pages(self, days: Sequence[date], now: datetime | None = None) -> list[Page]:
        """The pages of these days as received."""
        self.write()
        source, context = self.source, self.context(now)
        pages = []
        for plan in source.plan(days, context):
            for page in plan.pages:
                pages.append(page)
                self._time_passes()
        return pages

    def _time_passes(self) -> None:
        """Between pages, as the sandbox lets it pass between answers."""
        step = self.sandbox.faults.settings_for(self.case.provider).clock_step_seconds
        if self.written and step:
            self.sandbox.set_clock(self.sandbox.clock.now() + timedelta(seconds=step))
            self.write()

    def context(self, now: datetime | None = None) -> PullContext:
        """What the source is told when it is asked."""
        outbox = self.sandbox.outbox(self.case.provider)
        return PullContext(self.zone, now or self.sandbox.clock.now(), outbox)

    def read(self, pages: Sequence[Page]) -> pl.DataFrame:
        """OBSERVATIONS of pages."""
        return self.source.read(self.landed(pages)).collect()

    def pull(self, days: Sequence[date], now: datetime | None = None) -> pl.DataFrame:
        """OBSERVATIONS of these days."""
        return self.read(self.pages(days, now))

    def landed(self, pages: Sequence[Page]) -> list[LandedPage]:
        """Pages as one pull in the folder."""
        self.pulls += 1
        pull = f"pull-{self.pulls}"
        landed = []
        for number, page in enumerate(pages, start=1):
            path = self.folder / pull / f"{number:05d}.{page.format}.zst"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(zstandard.compress(page.body))
            landed.append(
                LandedPage(
                    path, pull, number, page.format, page.records, page.received_at, page.meta
                )
            )
        return landed

    def truth(self, days: Sequence[date]) -> pl.DataFrame:
        """What is true now of the messages submitted on these days, as far as it can be told."""
        now, memory = self.sandbox.clock.now(), self.case.remembers
        zone = self.zone.key
        local = pl.col("submitted_at").dt.convert_time_zone(zone).dt.date()
        truth = self.sandbox.truth(self.case.provider).filter(local.is_in(list(days)))
        if memory:
            truth = truth.filter(pl.col("submitted_at") > now - memory)
        told = pl.col("outcome").replace_strict(
            self.case.reads_as, default=None, return_dtype=pl.String
        )
        truth = truth.with_columns(pl.coalesce(told, "class").alias("class"))
        return truth.filter(pl.col("done_at").is_not_null()) if self.case.finals_only else truth

    def ids(self, days: Sequence[date]) -> set[str]:
        """Identifiers of the messages submitted on these days."""
        return set(self.truth(days)["message_id"])

    def classed(self, observed: pl.DataFrame) -> pl.DataFrame:
        """Observations with class and reason, as the messages step gives them, one per message."""
        provider = self.source.provider
        submitted = self.sandbox.truth(self.case.provider).select("message_id", "submitted_at")
        seen = observed.unique("message_id", keep="last").join(submitted, on="message_id")
        return classify(
            seen.with_columns(seen_at=pl.lit(self.sandbox.clock.now())).lazy(),
            load_dictionary(provider),
            now_column="seen_at",
            silence_hours=SILENCE_HOURS,
        ).collect()
