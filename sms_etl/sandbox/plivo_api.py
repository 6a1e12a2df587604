"""Plivo's list of messages over a simulated world.

Shapes and rules: github.com/plivo/plivo-python plivo/resources/messages.py @a0cd323 and
plivo.com/docs/messaging/api/messages. Decided here, because the documents are silent: the list
is newest first, the account's zone is India's (times carry their offset), a message that is not
billed has the amount 0.00000, and a cancelled message is `failed` without a code.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar
from urllib.parse import urlencode

import polars as pl

from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told, page_size
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import UUID_PIECES, World

AUTH_ID = "MA" + "5A" * 9
LIST = f"/v1/Account/{AUTH_ID}/Message/"
MAX_PAGE_SIZE = 20
_ACCOUNT_ZONE = timezone(timedelta(hours=5, minutes=30))
_WITHOUT_A_WINDOW = timedelta(hours=24)
_KEPT = timedelta(days=90)
_TIME_FORMATS = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
_TIME_FILTERS = {
    "message_time": pl.Expr.eq,
    "message_time__gt": pl.Expr.gt,
    "message_time__gte": pl.Expr.ge,
    "message_time__lt": pl.Expr.lt,
    "message_time__lte": pl.Expr.le,
}
_API_ID = "5a5a5a5a-0000-11ef-8000-0242ac110003"
_FAILURES = {401: "authentication failed", 429: "too many requests", 500: "server error"}


class PlivoApi(ProviderApi):
    """Answers requests of one Plivo account, read-only."""

    name = "plivo"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("queued"),
        "leaving": Told("queued"),
        "sent": Told("sent"),
        "read": Told("read"),
        "delivered": Told("delivered", "000"),
        "no_receipt": Told("sent"),
        "final_unknown": Told("sent"),
        "expired": Told("undelivered", "80"),
        "dead_number": Told("undelivered", "70"),
        "landline": Told("undelivered", "50"),
        "network_error": Told("undelivered", "20"),
        "spam_filter": Told("undelivered", "30"),
        "outage": Told("undelivered", "20"),
        "invalid_number": Told("failed", "50"),
        "opted_out": Told("failed", "200"),
        "cancelled": Told("failed"),
    }
    id_field = "message_uuid"

    def __init__(self, world: World, accounts: Accounts, way: Way | None = None) -> None:
        super().__init__(world, accounts, way)
        self._newest_first = self.messages.reverse()

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A UUID."""
        pieces = [thirty_two_hex.str.slice(at, length) for at, length in UUID_PIECES]
        return pl.concat_str(pieces, separator="-")

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """Plivo's error body."""
        return _error(status, _FAILURES[status], headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.basic != (AUTH_ID, self.accounts.secret_of(self.name)):
            return self.failure(401, {})
        if request.method != "GET":
            return _error(405, "method not allowed")
        if request.path != LIST:
            return _error(404, "not found")
        try:
            return self._list(request.query, now, faults)
        except ValueError as problem:
            return _error(400, str(problem))

    def _list(self, query: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        limit, offset = int(query.get("limit", MAX_PAGE_SIZE)), int(query.get("offset", 0))
        if not 1 <= limit <= MAX_PAGE_SIZE or offset < 0:
            raise ValueError(f"limit must be 1 to {MAX_PAGE_SIZE}, offset not negative")
        limit = page_size(limit, faults)
        matching = self._newest_first.filter(pl.all_horizontal(_conditions(query, now)))
        found = matching.slice(offset, limit)
        more = offset + limit < matching.height
        return json_reply(
            200,
            {
                "api_id": _API_ID,
                "meta": {
                    "limit": limit,
                    "offset": offset,
                    "next": _link(query, limit, offset + limit) if more else None,
                    "previous": _link(query, limit, max(offset - limit, 0)) if offset else None,
                    "total_count": matching.height,
                },
                "objects": self.records(found, now, faults),
            },
        )

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in Plivo's fields."""
        billed = row["billed_at"] is not None
        return {
            "message_uuid": row["message_id"],
            "message_time": _local(row["submitted_at"]),
            "message_sent_time": _local(row["sent_at"]),
            "message_updated_time": _local(row["updated_at"]),
            "message_state": row["word"],
            "message_direction": "outbound",
            "message_type": row["channel"],
            "from_number": row["sender"],
            "to_number": (row["e164"] or row["recipient"]).removeprefix("+"),
            "units": row["parts"],
            "total_rate": _amount(row["part_micro"]),
            "total_amount": _amount(row["part_micro"] * row["parts"] * billed),
            "error_code": row["code"],
            "powerpack_id": None,
            "tendlc_campaign_id": None,
            "destination_country_iso2": row["country"],
            "resource_uri": f"{LIST}{row['message_id']}/",
        }


def _conditions(query: Mapping[str, str], now: datetime) -> list[pl.Expr]:
    submitted = pl.col("submitted_at")
    conditions = [submitted <= now, submitted > now - _KEPT]
    asked = {name: _moment(query[name]) for name in _TIME_FILTERS if name in query}
    if not asked:
        conditions.append(submitted > now - _WITHOUT_A_WINDOW)
    conditions += [_TIME_FILTERS[name](submitted, pl.lit(moment)) for name, moment in asked.items()]
    if query.get("message_direction", "outbound") != "outbound":
        conditions.append(pl.lit(value=False))
    return conditions


def _moment(text: str) -> datetime:
    """A time of the query, which is in UTC.

    Raises:
        ValueError: it is in none of the formats that Plivo takes.
    """
    for form in _TIME_FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"message_time must be YYYY-MM-DD HH:MM[:ss[.uuuuuu]], not {text}")


def _link(query: Mapping[str, str], limit: int, offset: int) -> str:
    return f"{LIST}?{urlencode({**query, 'limit': limit, 'offset': offset})}"


def _local(moment: datetime | None) -> str | None:
    return moment.astimezone(_ACCOUNT_ZONE).isoformat(sep=" ") if moment else None


def _amount(micro: int) -> str:
    return f"{micro / 1_000_000:.5f}"


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    return json_reply(status, {"api_id": _API_ID, "error": message}, headers)
