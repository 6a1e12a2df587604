"""Shlink's list of visits over a simulated world.

Shapes and rules: github.com/shlinkio/shlink docs/swagger/paths/v2_visits_non-orphan.json@35508e2
and module/Core/src/Visit/Repository/VisitRepository.php@067d1cc: both bounds are included, newest
first, all items on one page unless asked otherwise. A visit has no identifier and no address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.model.vocabulary import Engagement
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told, page_size, paged
from sms_etl.sandbox.wire import Reply, Request, json_reply

_PATHS = re.compile(r"/rest/v[23]/visits/non-orphan")
_CRAWLERS = re.compile(r"bot|facebookexternalhit", re.IGNORECASE)
_PLACE = {
    "cityName": "Kyiv", "countryCode": "UA", "countryName": "Ukraine", "latitude": 50.45,
    "longitude": 30.52, "regionName": "Kyiv City", "timezone": "Europe/Kyiv",
}  # fmt: skip
_TITLES = {401: "Invalid API key", 429: "Too many requests", 500: "Unexpected error"}


class ShlinkApi(ProviderApi):
    """Answers requests of one Shlink server, read-only."""

    name = "shlink"
    own_way = Way.TWILIO
    words: ClassVar[Mapping[str, Told]] = {}
    lists_messages: ClassVar[bool] = False

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """Problem details (RFC 7807)."""
        title = _TITLES[status]
        body = {"type": "about:blank", "title": title, "detail": f"{title}.", "status": status}
        return json_reply(status, body, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        given = request.headers.get("X-Api-Key")
        if faults.token_expired or given != self.accounts.secret_of(self.name):
            return self.failure(401, {})
        if request.method != "GET" or not _PATHS.fullmatch(request.path):
            return json_reply(404, {"title": "Not found", "status": 404})
        query = request.query
        conditions = [pl.col("at") <= now]
        if text := query.get("startDate"):
            conditions.append(pl.col("at") >= datetime.fromisoformat(text))
        if text := query.get("endDate"):
            conditions.append(pl.col("at") <= datetime.fromisoformat(text))
        found = self.engaged(Engagement.CLICKS).filter(conditions).reverse()
        asked = int(query.get("itemsPerPage", max(1, found.height)))
        size, number = page_size(asked, faults), int(query.get("page", 1))
        page = paged(found, (number - 1) * size, size, faults)
        records = [_visit(row) for row in page.iter_rows(named=True)]
        pagination = {
            "currentPage": number,
            "pagesCount": max(1, -(-found.height // size)),
            "itemsPerPage": size,
            "itemsInCurrentPage": page.height,
            "totalItems": found.height,
        }
        data = self.spoiled_events(page, records, faults)
        return json_reply(200, {"visits": {"data": data, "pagination": pagination}})


def _visit(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "referer": "",
        "date": row["at"].isoformat(),
        "userAgent": row["user_agent"],
        "visitLocation": None if row["robot"] else _PLACE,
        "potentialBot": bool(_CRAWLERS.search(row["user_agent"])),
        "visitedUrl": row["link"],
        "redirectUrl": "https://promin.example/",
    }
