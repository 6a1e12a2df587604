"""Unisender's checkSms over a simulated world.

Shapes: unisender.com/ru/support/integration/api/check-sms, selzy.com/en/support/api (the same
API): `result.status`, or `error` with `code` and an empty `result`, all of it HTTP 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told
from sms_etl.sandbox.wire import Reply, Request, json_reply

_DIGITS_OF_ID = 13


class UnisenderApi(ProviderApi):
    """Answers requests of one Unisender account, read-only."""

    name = "unisender"
    id_field = "sms_id"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("not_sent"),
        "leaving": Told("not_sent"),
        "sent": Told("ok_sent"),
        "read": Told("ok_delivered"),
        "delivered": Told("ok_delivered"),
        "no_receipt": Told("ok_sent"),
        "final_unknown": Told("ok_sent"),
        "expired": Told("err_delivery_failed"),
        "outage": Told("err_internal"),
        "dead_number": Told("err_delivery_failed"),
        "landline": Told("err_delivery_failed"),
        "network_error": Told("err_lost"),
        "spam_filter": Told("err_delivery_failed"),
        "invalid_number": Told("err_dest_invalid"),
        "opted_out": Told("err_skip_letter"),
        "cancelled": Told("err_skip_letter"),
    }

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A number."""
        digits = thirty_two_hex.str.slice(0, _DIGITS_OF_ID)
        return digits.str.to_integer(base=16, dtype=pl.Int64).cast(pl.String)

    def busy(self) -> Reply:
        """Too many calls."""
        return _error("AK100403-02 [calls]", "api_call_limit_exceeded_for_api_key")

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        asked = request.query | request.form
        if faults.token_expired or asked.get("api_key") != self.accounts.secret_of(self.name):
            return _error("AK100214-03 [key]", "invalid_api_key")
        if not request.path.endswith("/api/checkSms") or asked.get("format") != "json":
            return _error("AK100123-01 [method]", "unknown_method")
        rows = self.seen(self.by_ids([asked.get("sms_id", "")]), now, faults)
        if rows.is_empty():
            return _error("AK100313-05 [invalid sms id]", "unspecified")
        row = rows.row(0, named=True)
        if row["code"]:
            return _error("AK100313-06 [new]", row["code"])
        record = self.spoiled([self.record(row)], faults)[0]
        return json_reply(200, {"result": {"status": record["status"]}})

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The status of one message, and its identifier, which the answer leaves out."""
        return {"sms_id": row["message_id"], "status": row["word"]}


def _error(words: str, code: str) -> Reply:
    return json_reply(200, {"error": words, "code": code, "result": ""})
