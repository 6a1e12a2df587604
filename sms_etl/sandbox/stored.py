"""Files of providers without a pull: an export of a cabinet, and callbacks as they were stored.

The shapes are those of the providers' documents (see sources/presets.toml); every file tells of
the messages of one way of the world.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.clock import as_utc
from sms_etl.sandbox.lifecycle import seen_at
from sms_etl.sandbox.world import World

KYIV = ZoneInfo("Europe/Kyiv")
ALPHASMS_TIME = "%d.%m.%Y %H:%M:%S"
DELIVERED, EXPIRED, REFUSED, UNKNOWN, OTHER = "delivered", "expired", "refused", "unknown", "other"
_KINDS = {
    "delivered": DELIVERED,
    "expired": EXPIRED,
    "invalid_number": REFUSED,
    "opted_out": REFUSED,
    "cancelled": REFUSED,
    "final_unknown": UNKNOWN,
}
"""Outcomes that these providers have words for; all others are failures."""

_ALPHASMS = {
    DELIVERED: "Delivered", EXPIRED: "Expired", REFUSED: "Rejected", UNKNOWN: "Unknown",
    OTHER: "Undelivered", None: "Sent",
}  # fmt: skip
_AFRICASTALKING = {
    DELIVERED: ("Success", None),
    EXPIRED: ("Failed", "DeliveryFailure"),
    REFUSED: ("Rejected", "UserInBlackList"),
    UNKNOWN: ("Failed", "DeliveryFailure"),
    OTHER: ("Failed", "UserDoesNotExist"),
    None: ("Sent", None),
}
_GMS = {DELIVERED: (2, 23, 23011), EXPIRED: (3, 35, 35015), None: (1, 12, 12011)}
_GMS_FAILED = (3, 36, 36021)
_SMSAPI = {
    DELIVERED: "DELIVERED", EXPIRED: "EXPIRED", REFUSED: "REJECTED", UNKNOWN: "UNKNOWN",
    OTHER: "UNDELIVERED", None: "SENT",
}  # fmt: skip


def write_alphasms(world: World, now: datetime, path: Path, way: Way = Way.CABINET) -> None:
    """The export of the messages of a way to XLSX, without identifiers, in typed cells."""
    seen = seen_at(world.by_way[way], as_utc(now))
    rows = [_alphasms(row) for row in seen.iter_rows(named=True)]
    pl.DataFrame(rows).write_excel(path, dtype_formats={pl.Datetime: "dd.mm.yyyy hh:mm:ss"})


def write_callbacks(world: World, now: datetime, folder: Path, way: Way = Way.TURBOSMS) -> None:
    """The callbacks of the messages of a way, one a line, in the order they came.

    Every message that was sent has one for that, and one more when it is done. Files
    africastalking.ndjson, gms.ndjson.gz and smsapi.ndjson.
    """
    calls = list(_calls(world, as_utc(now), way))
    for name, record in (
        ("africastalking.ndjson", _africastalking),
        ("gms.ndjson.gz", _gms),
        ("smsapi.ndjson", _smsapi),
    ):
        text = "".join(json.dumps(record(*call), ensure_ascii=False) + "\n" for call in calls)
        body = text.encode()
        (folder / name).write_bytes(gzip.compress(body) if name.endswith(".gz") else body)


def kind_of(row: Mapping[str, Any]) -> str | None:
    """What became of a message, in these providers' words; None: it is on its way."""
    return None if row["done_at"] is None else _KINDS.get(row["outcome"], OTHER)


def _calls(
    world: World, now: datetime, way: Way
) -> Iterator[tuple[dict[str, Any], datetime, str | None]]:
    seen = seen_at(world.by_way[way], now)
    calls = [
        (row, row[time], kind_of(row) if time == "done_at" else None)
        for row in seen.iter_rows(named=True)
        for time in ("sent_at", "done_at")
        if row[time] is not None
    ]
    yield from sorted(calls, key=lambda call: call[1])


def _alphasms(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Phone number": _digits(row),
        "Status": _ALPHASMS[kind_of(row)],
        "Sender ID": row["sender"],
        "Beginning": _local(row["submitted_at"]),
        "End": _local(row["done_at"]),
        "Number of SMS": row["parts"],
        "Price": row["part_micro"] * row["parts"] / 1_000_000,
    }


def _africastalking(row: Mapping[str, Any], at: datetime, kind: str | None) -> dict[str, Any]:
    status, reason = _AFRICASTALKING[kind]
    record = {
        "id": row["message_id"],
        "status": status,
        "phoneNumber": row["e164"] or row["recipient"],
        "networkCode": "63902",
        "retryCount": "0",
        "received_at": at.isoformat(timespec="seconds"),
    }
    return record | ({"failureReason": reason} if reason else {})


def _gms(row: Mapping[str, Any], at: datetime, kind: str | None) -> dict[str, Any]:
    status, substatus, detailed = _GMS.get(kind, _GMS_FAILED)
    return {
        "number": _digits(row),
        "time": round(at.timestamp() * 1000),
        "status": status,
        "substatus": substatus,
        "hyber_status": detailed,
        "message_id": row["message_id"],
        "extra_id": row["campaign"],
        "sent_via": "sms",
        "total_sms_parts": row["parts"],
    }


def _smsapi(row: Mapping[str, Any], at: datetime, kind: str | None) -> dict[str, Any]:
    return {
        "MsgId": row["message_id"],
        "status_name": _SMSAPI[kind],
        "to": _digits(row),
        "from": row["sender"],
        "donedate": int(at.timestamp()),
    }


def _digits(row: Mapping[str, Any]) -> str:
    return str(row["e164"] or row["recipient"]).removeprefix("+")


def _local(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(KYIV).replace(tzinfo=None, microsecond=0)
