"""Mobizon's counts of clicks, by short link and day.

Facts: github.com/mobizon/mobizon-api-docs @bde2569, src/v1/en/link/api/list.md and getStats.md
(at most five links and 90 days in one question; a longer interval is cut without a word). The
answer's shape is not in them; it is as an unofficial client recorded it from the real API
(Mobizon.Net, LinkStatsResultConverter): a row per day, `clicks0` is of the first link asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.days import Window
from sms_etl.sources import paging
from sms_etl.sources.base import LandedPage, Page
from sms_etl.sources.http import Answer, HttpClient
from sms_etl.sources.json_pages import split_page
from sms_etl.sources.records import events, scan_pages
from sms_etl.sources.values import local_to_utc

LIST_PATH, STATS_PATH = "/service/Link/List", "/service/Link/GetStats"
INTERFACE = {"output": "json", "api": "v1"}
RECORDS, IN_ALL, TOTALS = "data.items", "data.totalItemCount", "data.totals"
PAGE_SIZE, SMALLEST_PAGE = 100, 25
MOST_LINKS = 5
LINKS = "links"
"""Key of a page's meta: identifiers and addresses of the links asked for, in order, as JSON."""

FIELDS = ("link", "address", "day", "clicks")
DAY = "%Y-%m-%d"


def try_out(client: HttpClient) -> object:
    """List a smallest page of links."""
    return client.post_form(LIST_PATH, {"pagination[pageSize]": str(SMALLEST_PAGE)}, INTERFACE)


def pages(source: str, client: HttpClient, window: Window, zone: ZoneInfo) -> Iterator[Page]:
    """The list of links (landed, but no record of it is a click), then their counts."""
    opened: list[tuple[str, str]] = []

    def ask(position: str) -> Answer:
        number = position.split()[0]
        form = {
            "sort[createTs]": "ASC",
            "pagination[pageSize]": str(PAGE_SIZE),
            "pagination[currentPage]": number,
        }
        answer = client.post_form(LIST_PATH, form, INTERFACE)
        opened.extend(_opened(answer.data))
        return answer

    for page in paging.pages(source, ask, RECORDS, following, start="0 0"):
        yield replace(page, records=0)
    end = window.end - timedelta(microseconds=1)
    first, last = window.start.astimezone(zone).date(), end.astimezone(zone).date()
    distinct = list(dict(opened).items())
    for start in range(0, len(distinct), MOST_LINKS):
        yield _counts(client, distinct[start : start + MOST_LINKS], first, last)


def read(landed: Sequence[LandedPage], zone: str) -> pl.LazyFrame:
    """Counts as EVENTS: a row per link and day; the list of links has none."""

    def decode(page: LandedPage, body: bytes) -> pl.DataFrame:
        links = json.loads(page.meta[LINKS])
        return split_page(body, FIELDS, lambda data: _cells(data, links))

    day = pl.col("day").str.strptime(pl.Datetime("us"), DAY, strict=False)
    begins, ends = (local_to_utc(time, zone) for time in (day, day.dt.offset_by("1d")))
    return events(
        scan_pages([page for page in landed if LINKS in page.meta], FIELDS, decode),
        {
            "event_id": pl.concat_str("link", "day", separator=" "),
            "link": pl.col("address"),
            "at_text": pl.col("day"),
            "at": begins,
            "count_text": pl.col("clicks"),
            "clicks": pl.col("clicks").cast(pl.Int64, strict=False),
            "period_seconds": (ends - begins).dt.total_seconds(),
        },
    )


def following(data: Any, found: list[Any], position: str) -> str | None:
    """From 'page number, records before it' to the next; a page after the last is not asked for.

    What Mobizon answers there is not documented: it may well be the last page again.
    """
    number, before = (int(text) for text in position.split())
    reached = before + len(found)
    more = bool(found) and reached < int(paging.at(data, IN_ALL))
    return f"{number + 1} {reached}" if more else None


def _opened(data: Any) -> list[tuple[str, str]]:
    """Identifier and address of the links that were ever opened."""
    listed = paging.at(data, RECORDS)
    return [
        (str(link["id"]), str(link.get("shortLink") or link.get("code")))
        for link in (listed if isinstance(listed, list) else [])
        if isinstance(link, dict) and link.get("id") is not None and _is_opened(link)
    ]


def _is_opened(link: dict[str, Any]) -> bool:
    """Whether it has clicks, as far as one can tell."""
    return str(link.get("clickCnt")) != "0"


def _counts(client: HttpClient, links: list[tuple[str, str]], first: date, last: date) -> Page:
    form = {
        **{f"ids[{at}]": identifier for at, (identifier, _) in enumerate(links)},
        "type": "daily",
        "criteria[dateFrom]": f"{first} 00:00:00",
        "criteria[dateTo]": f"{last} 23:59:59",
    }
    answer = client.post_form(STATS_PATH, form, INTERFACE)
    days = paging.at(answer.data, RECORDS)
    page = answer.page((len(days) if isinstance(days, list) else 1) * len(links))
    return replace(page, meta={**page.meta, LINKS: json.dumps(links)})


def _cells(data: Any, links: list[list[str]]) -> list[dict[str, Any]]:
    """A record for every day and link of the grid."""
    return [
        {
            "link": identifier,
            "address": address,
            "day": row["param"],
            "clicks": row.get(f"clicks{at}"),
        }
        for row in data["data"]["items"]
        for at, (identifier, address) in enumerate(links)
    ]
