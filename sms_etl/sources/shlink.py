"""Shlink, a link shortener one runs oneself: visits of its short links. It lists no messages.

Facts: github.com/shlinkio/shlink docs/swagger/paths/v2_visits_non-orphan.json@35508e2,
definitions/Visit.json@207d5ad, and module/Core/src/Visit/Repository/VisitRepository.php@067d1cc
(both bounds are included, to the second; newest first).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta
from typing import Any, Literal

import polars as pl

from sms_etl.config.secrets import EnvSecret
from sms_etl.days import Window
from sms_etl.errors import TransientSourceError
from sms_etl.model.vocabulary import Engagement
from sms_etl.sources import paging
from sms_etl.sources.auth import HeaderAuth
from sms_etl.sources.base import Facts, LandedPage, Page, PullContext, Stream
from sms_etl.sources.http import BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, EngagementSource
from sms_etl.sources.records import events, scan_json
from sms_etl.sources.values import ISO, blank_to_null, times_to_utc

PATH = "/rest/v3/visits/non-orphan"
RECORDS = "visits.data"
PAGES, IN_ALL = "visits.pagination.pagesCount", "visits.pagination.totalItems"
PAGE_SIZE = 1000
SECOND = timedelta(seconds=1)
FIELDS = (
    "date", "userAgent", "visitedUrl", "potentialBot", "visitLocation.countryCode",
)  # fmt: skip


class ShlinkSettings(HttpSettings):
    """One Shlink server: its own address, not that of the web client."""

    kind: Literal["shlink"]
    api_key: EnvSecret
    base_url: BaseUrl
    engagement: tuple[Literal["clicks"], ...] = ("clicks",)


class Shlink(EngagementSource[ShlinkSettings]):
    """Lists the visits of short links in a window."""

    provider = "shlink"
    settings_type = ShlinkSettings
    facts = Facts(
        title="Shlink (clicks only)",
        window_filter="startDate and endDate, both included, to the second",
        history="as long as the server keeps its visits",
        look_back="every day of the settling period is asked again",
        rate_limit="none; 10 requests a second",
        proof="stream suite; no official SDK in Python exists",
        missing="who clicked, the message, the visitor's address (Shlink does not give it out), an "
        "identifier of the visit",
        reports="clicks belong to campaigns by their link only; equal visits of one second are "
        "counted as several",
        documents="github.com/shlinkio/shlink docs/swagger: "
        "paths/v2_visits_non-orphan.json@35508e2, definitions/Visit.json@207d5ad, "
        "module/Core/src/Visit/Repository/VisitRepository.php@067d1cc",
        engagement="visits as clicks, with user agent, country and Shlink's own opinion on robots",
    )

    def credentials(self, settings: ShlinkSettings) -> Credentials:
        """The API key."""
        key = settings.api_key.get()
        return Credentials(settings.api_key.variable, HeaderAuth("X-Api-Key", key), key)

    def streams(self) -> tuple[Stream, ...]:
        """Clicks."""
        return (
            self.stream(
                Engagement.CLICKS,
                self._visits,
                _read_visits,
                lambda client: client.get_json(PATH, {"itemsPerPage": "1"}),
            ),
        )

    def _visits(self, client: HttpClient, window: Window, context: PullContext) -> Iterator[Page]:
        """Visits of a window that is over: newer ones would push rows to the next page.

        A visit has no identifier, so a row that came twice could not be told from two visits.
        """
        last = min(window.end, context.now.astimezone(UTC).replace(microsecond=0)) - SECOND
        if last < window.start:
            return iter(())
        query = {
            "startDate": window.start.isoformat(),
            "endDate": last.isoformat(),
            "itemsPerPage": str(PAGE_SIZE),
        }
        numbered = paging.page_number(PAGES)
        totals: set[str] = set()

        def following(data: Any, found: list[Any], position: str) -> str | None:
            totals.add(str(paging.at(data, IN_ALL)))
            if len(totals) > 1:
                raise TransientSourceError(
                    f"{self.name}: visits of this window arrived while it was read. "
                    f"The next run reads it again; check that the clocks agree."
                )
            return numbered(data, found, position)

        return paging.pages(
            self.name,
            lambda number: client.get_json(PATH, {**query, "page": number}),
            RECORDS,
            following,
            start="1",
        )


def _read_visits(pages: Sequence[LandedPage]) -> pl.LazyFrame:
    return events(
        scan_json(pages, FIELDS, RECORDS),
        {
            "link": blank_to_null(pl.col("visitedUrl")),
            "at_text": pl.col("date"),
            "at": times_to_utc(pl.col("date"), (ISO,), "UTC"),
            "user_agent": blank_to_null(pl.col("userAgent")),
            "country": blank_to_null(pl.col("visitLocation.countryCode")),
            "robot": pl.col("potentialBot") == "true",
        },
    )
