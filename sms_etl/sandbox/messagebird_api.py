"""MessageBird's legacy list of messages over a simulated world.

Shapes and rules: api-evangelist/bird openapi/_original/bird-sms-openapi.yml @8519200 (the
vendor's description, with a real list) and messagebird/go-rest-api sms/testdata @e0a41ed. Decided
here, because they are silent: `from` and `until` filter the time of creation and are both
included; a page holds 200 at most; a refused or cancelled message is delivery_failed; messages of
a campaign in one second are one item, with the text of one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

import polars as pl

from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.batch_api import BatchApi, batches, with_batch
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import Told, page_size
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import World

PATH = "/messages"
DEFAULT_LIMIT, MAX_LIMIT = 20, 200
_GATEWAY = 10
_NETWORKS = {"Kyivstar": "25503", "Vodafone": "25501", "lifecell": "25506", "TriMob": "25507"}
_NO_DETAIL = "generic delivery failure"
_REASONS = {
    "delivered": "successfully delivered",
    "final_unknown": "DLR not received",
    "expired": "unavailable subscriber",
    "dead_number": "unknown subscriber",
    "landline": "unknown subscriber",
    "invalid_number": "unknown subscriber",
    "network_error": "received network error",
    "outage": "received network error",
}
_FAILURES = {
    401: (2, "Request not allowed (incorrect access_key)", "access_key"),
    404: (20, "message not found", None),
    422: (10, "invalid value", "limit"),
    429: (1, "too many requests", None),
    500: (99, "internal error", None),
}


class MessageBirdApi(BatchApi):
    """Answers requests of one MessageBird account, read-only."""

    name = "messagebird"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("sent"),
        "leaving": Told("sent"),
        "sent": Told("sent"),
        "read": Told("delivered"),
        "delivered": Told("delivered"),
        "no_receipt": Told("sent"),
        "final_unknown": Told("expired"),
        "expired": Told("expired", 27),
        "dead_number": Told("delivery_failed", 1),
        "landline": Told("delivery_failed", 11),
        "network_error": Told("delivery_failed", 34),
        "spam_filter": Told("delivery_failed"),
        "outage": Told("delivery_failed", 34),
        "invalid_number": Told("delivery_failed", 1),
        "opted_out": Told("delivery_failed", 103),
        "cancelled": Told("delivery_failed"),
    }

    def __init__(self, world: World, accounts: Accounts, way: Way | None = None) -> None:
        super().__init__(world, accounts, way)
        self._newest_first = with_batch(self.messages).reverse()

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """MessageBird's error body."""
        code, description, parameter = _FAILURES[status]
        error = {"code": code, "description": description, "parameter": parameter}
        return json_reply(status, {"errors": [error]}, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        given = request.headers.get("Authorization", "")
        if faults.token_expired or given != f"AccessKey {self.accounts.secret_of(self.name)}":
            return self.failure(401, {})
        if request.method != "GET" or request.path.rstrip("/") != PATH:
            return self.failure(404, {})
        try:
            return self._list(request, now, faults)
        except ValueError:
            return self.failure(422, {})

    def _list(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        query = request.query
        limit, offset = int(query.get("limit", DEFAULT_LIMIT)), int(query.get("offset", 0))
        if not 1 <= limit <= MAX_LIMIT or offset < 0:
            raise ValueError(f"limit must be 1 to {MAX_LIMIT}, offset not negative")
        limit = page_size(limit, faults)
        matching = self._newest_first.filter(pl.all_horizontal(_conditions(query, now)))
        items = batches(matching)
        page = matching.join(items.slice(offset, limit), on="batch", how="semi")
        found = self._items(page, now, faults)

        def link(start: int) -> str:
            kept = {name: value for name, value in query.items() if name != "offset"}
            return f"{request.base}{PATH}/?{urlencode({'offset': start, **kept})}"

        last = max(items.height - 1, 0) // limit * limit
        return json_reply(
            200,
            {
                "offset": offset,
                "limit": limit,
                "count": len(found),
                "totalCount": items.height,
                "links": {
                    "first": link(0),
                    "previous": link(max(offset - limit, 0)) if offset else None,
                    "next": link(offset + limit) if offset + limit < items.height else None,
                    "last": link(last),
                },
                "items": found,
            },
        )

    def _items(
        self, page: pl.DataFrame, now: datetime, faults: FaultSettings
    ) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for row in self.seen(page, now, faults).iter_rows(named=True):
            item = found.setdefault(row["batch"], _item(row))
            told = self.spoilt(_recipient(row), ("recipient",), row["message_id"], faults)
            item["recipients"]["items"] += told
        for item in found.values():
            item["recipients"] |= _counts(item["recipients"]["items"])
        return list(found.values())


def _conditions(query: Mapping[str, str], now: datetime) -> list[pl.Expr]:
    created = pl.col("submitted_at")
    conditions = [created <= now]
    if "from" in query:
        conditions.append(created >= datetime.fromisoformat(query["from"]))
    if "until" in query:
        conditions.append(created <= datetime.fromisoformat(query["until"]))
    if query.get("direction", "mt") != "mt":
        conditions.append(pl.lit(value=False))
    return conditions


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["batch"],
        "href": f"https://rest.messagebird.com/messages/{row['batch']}",
        "direction": "mt",
        "type": "sms",
        "originator": row["sender"],
        "body": row["text"],
        "reference": row["campaign"],
        "validity": None,
        "gateway": _GATEWAY,
        "typeDetails": {},
        "datacoding": "unicode" if row["encoding"] == "ucs2" else "plain",
        "mclass": 1,
        "scheduledDatetime": None,
        "createdDatetime": _written(row["submitted_at"]),
        "recipients": {"items": []},
    }


def _recipient(row: Mapping[str, Any]) -> dict[str, Any]:
    network = _NETWORKS.get(row["operator"])
    done = row["done_at"]
    record = {
        "recipient": int(row["number"]),
        "originator": None,
        "status": row["word"],
        "statusDatetime": _written(done or row["sent_at"] or row["submitted_at"]),
        "recipientCountry": row["country"],
        "recipientOperator": row["operator"],
        "messageLength": len(row["text"]),
        "statusErrorCode": int(row["code"]) if row["code"] else None,
        "statusReason": _REASONS.get(row["outcome"], _NO_DETAIL) if done else None,
        "price": None,
        "mccmnc": network,
        "mcc": network and network[:3],
        "mnc": network and network[3:],
        "messagePartCount": row["parts"],
    }
    if row["billed_at"]:
        amount = round(row["part_micro"] * row["parts"] / 1_000_000, 6)
        record["price"] = {"amount": amount, "currency": row["currency"]}
    return record


def _counts(recipients: list[dict[str, Any]]) -> dict[str, int]:
    said = [recipient["status"] for recipient in recipients]
    failed = said.count("delivery_failed")
    return {
        "totalCount": len(said),
        "totalSentCount": len(said),
        "totalDeliveredCount": said.count("delivered"),
        "totalDeliveryFailedCount": failed,
    }


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
