"""GatewayAPI's messages by identifier over a simulated world: rest/mtsms/<id> and rest/me.

Shapes and rules: github.com/onlinecity/gatewayapi-docs docs/rest.rst @03d59bf and docs/errors.rst
@0685bfa; the answer is the message itself, as public clients show it, not a list of one. Decided
here, because the documents are silent: a message is there once it was sent or refused, codes are
written as in webhooks, a filter's refusal is REJECTED, and a number without a network has no MCC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told
from sms_etl.sandbox.wire import Reply, Request, json_reply

PATH = "/rest/mtsms/"
_DIGITS_OF_ID = 10
_MNC = {"Kyivstar": 3, "Vodafone": 1, "lifecell": 6, "TriMob": 7}
_UKRAINE = 255
_NOT_THERE_YET = ("waiting", "leaving")
_FAILURES = {
    401: ("0x0223", "Invalid Consumer Key"),
    404: ("", "SMS not found"),
    429: ("", "Too many requests"),
    500: ("0x0301", "Unknown error"),
}


class GatewayApiApi(ProviderApi):
    """Answers requests of one GatewayAPI account, read-only."""

    name = "gatewayapi"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("BUFFERED"),
        "leaving": Told("BUFFERED"),
        "sent": Told("ENROUTE"),
        "read": Told("DELIVERED"),
        "delivered": Told("DELIVERED"),
        "no_receipt": Told("ENROUTE"),
        "final_unknown": Told("ACCEPTED"),
        "expired": Told("EXPIRED", "0x1013"),
        "outage": Told("EXPIRED", "0x1091"),
        "dead_number": Told("UNDELIVERABLE", "0x1010"),
        "landline": Told("UNDELIVERABLE", "0x1012"),
        "network_error": Told("UNDELIVERABLE", "0x1027"),
        "spam_filter": Told("REJECTED", "0x1035"),
        "invalid_number": Told("UNDELIVERABLE", "0x1060"),
        "opted_out": Told("REJECTED", "0x1034"),
        "cancelled": Told("DELETED"),
    }

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A number."""
        digits = thirty_two_hex.str.slice(0, _DIGITS_OF_ID)
        return digits.str.to_integer(base=16, dtype=pl.Int64).cast(pl.String)

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """GatewayAPI's error document; a code that is empty is left out."""
        code, message = _FAILURES[status]
        body = {"incident_uuid": str(uuid5(NAMESPACE_URL, message)), "message": message}
        return json_reply(status, {"code": code, **body} if code else body, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.basic != (self.accounts.secret_of(self.name), ""):
            return self.failure(401, {})
        if request.method != "GET":
            return self.failure(404, {})
        if request.path == "/rest/me":
            return json_reply(200, {"credit": 1234.56, "currency": "DKK", "id": 1})
        if not request.path.startswith(PATH):
            return self.failure(404, {})
        rows = self.by_ids([request.path.removeprefix(PATH)])
        there = self.seen(rows, now, faults).filter(~pl.col("stage").is_in(_NOT_THERE_YET))
        if there.is_empty():
            return self.failure(404, {})
        (message,) = self.spoiled([self.record(there.row(0, named=True))], faults)
        return json_reply(200, message)

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in GatewayAPI's fields."""
        number = (row["e164"] or row["recipient"]).removeprefix("+")
        mnc = _MNC.get(row["operator"])
        changed = row["done_at"] or row["sent_at"]
        recipient = {
            "country": row["country"],
            "csms": 1,
            "dsnerror": None,
            "dsnerrorcode": row["code"],
            "dsnstatus": row["word"],
            "dsntime": changed.timestamp(),
            "mcc": _UKRAINE if mnc else None,
            "mnc": mnc,
            "msisdn": int(number) if number.isdigit() else number,
            "senttime": row["sent_at"].timestamp() if row["sent_at"] else None,
            "tagvalues": None,
        }
        return {
            "anonymized": None,
            "callback_url": None,
            "class": "standard",
            "destaddr": "MOBILE",
            "encoding": "UCS2" if row["encoding"] == "ucs2" else "UTF8",
            "id": int(row["message_id"]),
            "label": row["campaign"],
            "message": row["text"],
            "payload": None,
            "priority": "NORMAL",
            "recipients": [recipient],
            "sender": row["sender"],
            "sendtime": None,
            "tags": None,
            "udh": None,
            "userref": None,
            "validity_period": None,
        }
