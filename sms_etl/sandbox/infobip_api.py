"""Infobip's SMS logs over a simulated world.

Shapes and rules: api-evangelist/infobip openapi/infobip-sms-openapi.json 3.210.0 @b3be778.
Decided here, because the documents are silent: sentAt is the time the message was submitted,
also while it waits; the log with a cursor is listed oldest first and without one newest first;
the last page has no nextCursor; a message that was not billed has no price. Received messages:
GET /sms/1/inbox/logs as in the vendor's older clients (infobip-api-java-client GetReceivedSmsLogs);
it has no cursor; both bounds are taken for exclusive, newest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import polars as pl

from sms_etl.model.vocabulary import Engagement
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.engaged import REPLY_NUMBER
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told, paged
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import UUID_PIECES

DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
MEMORY = timedelta(hours=48)
_STATUSES = {
    "DELIVERED_TO_HANDSET": (3, "DELIVERED", 5), "EXPIRED_DLR_UNKNOWN": (4, "EXPIRED", 29),
    "EXPIRED_EXPIRED": (4, "EXPIRED", 15), "PENDING_ACCEPTED": (1, "PENDING", 26),
    "PENDING_ENROUTE": (1, "PENDING", 7), "PENDING_WAITING_DELIVERY": (1, "PENDING", 3),
    "REJECTED_DESTINATION": (5, "REJECTED", 52),
    "REJECTED_DESTINATION_BLOCKLISTED": (5, "REJECTED", 14),
    "UNDELIVERABLE_NOT_DELIVERED": (2, "UNDELIVERABLE", 9),
    "UNDELIVERABLE_NOT_SENT": (2, "UNDELIVERABLE", 31),
    "UNDELIVERABLE_REJECTED_OPERATOR": (2, "UNDELIVERABLE", 4),
}  # fmt: skip
_ERRORS = {
    0: (0, "OK", "NO_ERROR", False),
    1: (1, "HANDSET_ERRORS", "EC_UNKNOWN_SUBSCRIBER", True),
    11: (1, "HANDSET_ERRORS", "EC_TELESERVICE_NOT_PROVISIONED", True),
    27: (1, "HANDSET_ERRORS", "EC_ABSENT_SUBSCRIBER", False),
    34: (1, "HANDSET_ERRORS", "EC_SYSTEM_FAILURE", False),
    255: (1, "HANDSET_ERRORS", "EC_UNKNOWN_ERROR", False),
    607: (2, "USER_ERRORS", "EC_REJECTED_SPAM_BY_OPERATOR", True),
    2048: (3, "OPERATOR_ERRORS", "EC_TIME_OUT", False),
    2052: (2, "USER_ERRORS", "EC_BLACKLISTED_DESTINATIONADDRESS", True),
    4098: (3, "OPERATOR_ERRORS", "EC_VP_EXPIRED", False),
}
_NETWORKS = {"Kyivstar": "25503", "Vodafone": "25501", "lifecell": "25506", "TriMob": "25507"}
_FAILURES = {
    400: ("E400", "Request cannot be processed.", "Check the request."),
    401: ("E401", "Invalid authentication details were supplied.", "Check the API key."),
    404: ("E404", "Requested resource not found.", "Check the path."),
    429: ("E429", "Too many requests.", "Slow down."),
    500: ("E500", "Something went wrong.", "Contact support."),
}


class InfobipApi(ProviderApi):
    """Answers requests of one Infobip account, read-only."""

    name = "infobip"
    own_way = Way.TURBOSMS
    id_field = "messageId"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("PENDING_ACCEPTED", 0),
        "leaving": Told("PENDING_ENROUTE", 0),
        "sent": Told("PENDING_WAITING_DELIVERY", 0),
        "read": Told("DELIVERED_TO_HANDSET", 0),
        "delivered": Told("DELIVERED_TO_HANDSET", 0),
        "no_receipt": Told("PENDING_WAITING_DELIVERY", 0),
        "expired": Told("EXPIRED_EXPIRED", 4098),
        "dead_number": Told("UNDELIVERABLE_NOT_DELIVERED", 1),
        "landline": Told("UNDELIVERABLE_REJECTED_OPERATOR", 11),
        "network_error": Told("UNDELIVERABLE_NOT_DELIVERED", 34),
        "spam_filter": Told("UNDELIVERABLE_REJECTED_OPERATOR", 607),
        "outage": Told("UNDELIVERABLE_NOT_DELIVERED", 2048),
        "final_unknown": Told("EXPIRED_DLR_UNKNOWN", 255),
        "invalid_number": Told("REJECTED_DESTINATION", 0),
        "opted_out": Told("REJECTED_DESTINATION_BLOCKLISTED", 2052),
        "cancelled": Told("UNDELIVERABLE_NOT_SENT", 0),
    }

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A UUID."""
        pieces = [thirty_two_hex.str.slice(at, length) for at, length in UUID_PIECES]
        return pl.concat_str(pieces, separator="-")

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """Infobip's error body (ApiError)."""
        code, description, action = _FAILURES[status]
        body = {
            "errorCode": code,
            "description": description,
            "action": action,
            "violations": [],
            "resources": [],
        }
        return json_reply(status, body, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        given = request.headers.get("Authorization", "")
        if faults.token_expired or given != f"App {self.accounts.secret_of(self.name)}":
            return self.failure(401, {})
        answers = {"/sms/3/logs": self._logs, "/sms/1/inbox/logs": self._inbox}
        if request.method != "GET" or request.path not in answers:
            return self.failure(404, {})
        try:
            return answers[request.path](request.query, now, faults)
        except ValueError:
            return self.failure(400, {})

    def _inbox(self, query: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        limit = int(query.get("limit", DEFAULT_LIMIT))
        if not 1 <= limit <= MAX_LIMIT:
            raise ValueError("limit")
        received = pl.col("at")
        conditions = [received <= now, received > now - MEMORY]
        if text := query.get("receivedSince"):
            conditions.append(received > _moment(text))
        if text := query.get("receivedUntil"):
            conditions.append(received < _moment(text))
        rows = self.engaged(Engagement.REPLIES).filter(conditions).reverse()
        page = paged(rows, 0, limit, faults)
        records = [_received(row) for row in page.iter_rows(named=True)]
        return json_reply(200, {"results": self.spoiled_events(page, records, faults)})

    def _logs(self, query: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        limit = int(query.get("limit", DEFAULT_LIMIT))
        if not 1 <= limit <= MAX_LIMIT:
            raise ValueError("limit")
        sent = pl.col("submitted_at")
        conditions = [sent <= now, sent > now - MEMORY]
        if text := query.get("sentSince"):
            conditions.append(sent > _moment(text))
        if text := query.get("sentUntil"):
            conditions.append(sent < _moment(text))
        if query.get("useCursor") != "true":
            rows = self.messages.filter(conditions).tail(limit).reverse()
            return json_reply(200, {"results": self.records(rows, now, faults)})
        # a cursor names the last message of the page before
        after = self.position[query["cursor"]] + 1 if query.get("cursor") else 0
        rows = self.messages.slice(after).filter(conditions)
        page = paged(rows, 0, limit, faults)
        cursor: dict[str, Any] = {"limit": limit}
        if page.height < rows.height:
            cursor["nextCursor"] = page["message_id"][-1]
        return json_reply(200, {"results": self.records(page, now, faults), "cursor": cursor})

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in Infobip's fields."""
        price = {"pricePerMessage": row["part_micro"] / 1_000_000, "currency": row["currency"]}
        fields = {
            "sender": row["sender"],
            "destination": (row["e164"] or row["recipient"]).removeprefix("+"),
            "bulkId": f"{row['campaign']}-{row['submitted_at']:%Y%m%d}",
            "messageId": row["message_id"],
            "sentAt": _written(row["submitted_at"]),
            "doneAt": _written(row["done_at"]),
            "messageCount": row["parts"],
            "price": price if row["billed_at"] else None,
            "status": _status(row["word"]),
            "error": _error(row["code"]),
            "platform": {"entityId": "promin", "applicationId": "shop"},
            "content": {"text": row["text"]},
            "campaignReferenceId": row["campaign"],
            "mccMnc": _NETWORKS.get(row["operator"]),
        }
        # every field is optional and none may be null
        return {name: value for name, value in fields.items() if value is not None}


def _received(row: Mapping[str, Any]) -> dict[str, Any]:
    """One received message (MOLog)."""
    return {
        "messageId": row["event_id"],
        "to": REPLY_NUMBER.removeprefix("+"),
        "receivedAt": _written(row["at"]),
        "from": row["e164"].removeprefix("+"),
        "text": row["text"],
        "cleanText": row["text"],
        "keyword": None,
        "smsCount": 1,
    }


def _status(word: str) -> dict[str, Any]:
    group, group_name, number = _STATUSES.get(word, (2, "UNDELIVERABLE", 999))
    return {
        "groupId": group,
        "groupName": group_name,
        "id": number,
        "name": word,
        "description": word.replace("_", " ").capitalize(),
    }


def _error(code: str) -> dict[str, Any]:
    group, group_name, name, permanent = _ERRORS.get(
        int(code), (3, "OPERATOR_ERRORS", "EC_SOMETHING_NEW", False)
    )
    return {
        "groupId": group,
        "groupName": group_name,
        "id": int(code),
        "name": name,
        "description": name.removeprefix("EC_").replace("_", " ").capitalize(),
        "permanent": permanent,
    }


def _written(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000" if moment else None


def _moment(text: str) -> datetime:
    """A time of the query.

    Raises:
        ValueError: it is not yyyy-MM-dd'T'HH:mm:ss.SSSZ.
    """
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
