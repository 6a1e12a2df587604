"""Twilio's Bulk Export of a day: a redirect to a file that another host keeps.

Shapes: https://www.twilio.com/docs/usage/bulkexport/day . Decided here: a file holds the messages
created on a UTC day as they are now, there from the end of the day on; the store of files refuses
a request with credentials, as Amazon S3 does beside a signed address.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sms_etl.sandbox.wire import Reply, Request, json_reply

DAYS_PATH = "/v1/Exports/Messages/Days/"
STORE_PATH = "/export-store/"
SIGNATURE = "simulated-signature"
LEFT_OUT = ("price_unit", "api_version", "error_message", "uri", "subresource_uris")
TIMES = ("date_created", "date_sent", "date_updated")

Records = Callable[[datetime, datetime], Sequence[Mapping[str, Any]]]
"""The records created from one moment to before another."""


def day_reply(request: Request, now: datetime) -> Reply | None:
    """The redirect to the file of a day; None: there is none."""
    day = _day(request.path.removeprefix(DAYS_PATH))
    if day is None or _midnight(day) + timedelta(days=1) > now:
        return None
    store = request.base.replace("127.0.0.1", "localhost")
    address = f"{store}{STORE_PATH}{day}.json.gz?X-Amz-Signature={SIGNATURE}"
    return json_reply(307, {"redirect_to": address}, {"Location": address})


def file_reply(request: Request, records: Records) -> Reply:
    """The file at the address that the redirect gave."""
    if "Authorization" in request.headers:
        return Reply(400, b"<Error>Only one auth mechanism allowed</Error>")
    day = _day(request.path.removeprefix(STORE_PATH).removesuffix(".json.gz"))
    if day is None or request.query.get("X-Amz-Signature") != SIGNATURE:
        return Reply(403, b"<Error>SignatureDoesNotMatch</Error>")
    start = _midnight(day)
    lines = [json.dumps(_exported(one)) for one in records(start, start + timedelta(days=1))]
    body = gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)
    return Reply(200, body, {"Content-Type": "binary/octet-stream"})


def _exported(record: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in record.items() if name not in LEFT_OUT}
    return kept | {name: _iso(kept[name]) for name in TIMES}


def _iso(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    return parsedate_to_datetime(text).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
