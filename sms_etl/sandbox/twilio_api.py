"""Twilio's Messages resource (API version 2010-04-01) over a simulated world.

Shapes and rules: twilio/twilio-oai spec/json/twilio_api_v2010.json, and the official SDK.
Two things the documents leave open are decided here: a bare date in `DateSent<` or `DateSent>`
is midnight at the start of that day in GMT (the spec says "on or before midnight on a date"; the
SDK sends a date so), and rows are ordered by date_created, newest first. A number that Twilio
would refuse at once is accepted and then `failed`, as under a messaging service.
`previous_page_uri` is always null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

import polars as pl

from sms_etl.sandbox import texts
from sms_etl.sandbox.accounts import TWILIO_SERVICE_SID, Accounts
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told, page_size
from sms_etl.sandbox.twilio_export import DAYS_PATH, STORE_PATH, day_reply, file_reply
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.words import with_words
from sms_etl.sandbox.world import INBOUND_NUMBER, World

PREFIX = "/2010-04-01/Accounts/"
DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 50, 1000
_FILTERS = ("To", "From", "DateSent", "DateSent<", "DateSent>")
_PAGE_TOKEN = "PA"  # noqa: S105 how Twilio's page tokens begin, not a secret
_RFC_2822 = "%a, %d %b %Y %H:%M:%S +0000"
_INBOUND_PART_MICRO = 7_500
_ERROR_MESSAGES = {
    21211: "Invalid 'To' Phone Number",
    21610: "Attempt to send to unsubscribed recipient",
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
}
_FAILURES = {
    401: (20003, "Authenticate"),
    429: (20429, "Too Many Requests"),
    500: (20500, "Internal Server Error"),
}


class BadRequest(Exception):  # noqa: N818 named as the HTTP status it becomes
    """A parameter that Twilio refuses with HTTP 400."""


class TwilioApi(ProviderApi):
    """Answers requests of one Twilio account, read-only."""

    name = "twilio"
    words: ClassVar[Mapping[str, Told]] = {}  # in sandbox.words: they depend on more than outcomes
    own_way = Way.TWILIO
    id_field = "sid"

    def __init__(self, world: World, accounts: Accounts, way: Way | None = None) -> None:
        super().__init__(world, accounts, way)
        self._accounts = accounts
        self._rows = _listed_rows(self.messages, world)
        self._position: dict[str, int] = {
            identifier: at for at, identifier in enumerate(self._rows["message_id"])
        }

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """SM and the digits."""
        return "SM" + thirty_two_hex

    def worded(self, seen: pl.DataFrame) -> pl.DataFrame:
        """Twilio's words, which for a waiting message depend on the service."""
        return with_words(seen).with_columns(pl.col("code").cast(pl.String))

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """Twilio's error body."""
        code, message = _FAILURES[status]
        return error(status, code, message, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if request.path.startswith(STORE_PATH):
            return file_reply(request, partial(self._created, now=now, faults=faults))
        if faults.token_expired or not self._authorised(request):
            return self.failure(401, {})
        account, _, rest = request.path.removeprefix(PREFIX).partition("/")
        sid = self._accounts.twilio_sid
        if request.method != "GET":
            return error(405, 20004, "Method not allowed")
        if request.path.startswith(DAYS_PATH):
            return day_reply(request, now) or _not_found(request.path)
        try:
            if account == f"{sid}.json" and not rest:
                return json_reply(200, self._account())
            if account == sid and rest == "Messages.json":
                return self._list(request, now, faults)
            if account == sid and (found := re.fullmatch(r"Messages/(\w+)\.json", rest)):
                return self._fetch(found[1], now, faults)
        except BadRequest as problem:
            return error(400, 20001, str(problem))
        return _not_found(request.path)

    def _authorised(self, request: Request) -> bool:
        return request.basic == (self._accounts.twilio_sid, self._accounts.twilio_auth)

    def _account(self) -> dict[str, Any]:
        sid = self._accounts.twilio_sid
        return {
            "sid": sid,
            "friendly_name": "Promin (simulated)",
            "status": "active",
            "type": "Full",
            "owner_account_sid": sid,
            "date_created": "Mon, 01 Jan 2024 08:00:00 +0000",
            "date_updated": "Mon, 01 Jan 2024 08:00:00 +0000",
            "uri": f"{PREFIX}{sid}.json",
            "subresource_uris": {"messages": f"{PREFIX}{sid}/Messages.json"},
        }

    def _fetch(self, message_sid: str, now: datetime, faults: FaultSettings) -> Reply:
        at = self._position.get(message_sid)
        rows = self._rows.slice(at, 1) if at is not None else self._rows.clear()
        records = self._records(rows, now, faults)
        if not records:
            return _not_found(f"{PREFIX}{self._accounts.twilio_sid}/Messages/{message_sid}.json")
        return json_reply(200, records[0])

    def _list(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        query = request.query
        size = page_size(_page_size(query), faults)
        page = _whole(query, "Page", 0)
        after = self._after(query, page)
        exists = pl.col("submitted_at") <= now
        matching = (
            self._rows.slice(after).lazy().filter(exists, *_conditions(query, now)).head(size + 1)
        ).collect()
        records = self._records(matching.head(size), now, faults)
        following = None
        if matching.height > size:
            token = f"{_PAGE_TOKEN}{matching['message_id'][size - 1]}"
            following = self._uri(query, size, {"Page": str(page + 1), "PageToken": token})
        return json_reply(
            200,
            {
                "messages": records,
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + max(len(records) - 1, 0),
                "uri": request.target,
                "first_page_uri": self._uri(query, size, {"Page": "0"}),
                "previous_page_uri": None,
                "next_page_uri": following,
            },
        )

    def _after(self, query: Mapping[str, str], page: int) -> int:
        """Row at which a page begins; a token names the last message of the page before."""
        token = query.get("PageToken")
        if token is None and page == 0:
            return 0
        position = self._position.get((token or "").removeprefix(_PAGE_TOKEN))
        if position is None:
            raise BadRequest("Page needs the PageToken that next_page_uri gave")
        return position + 1

    def _uri(self, query: Mapping[str, str], size: int, more: Mapping[str, str]) -> str:
        kept = {name: query[name] for name in _FILTERS if name in query}
        parameters = urlencode({**kept, "PageSize": str(size), **more})
        return f"{PREFIX}{self._accounts.twilio_sid}/Messages.json?{parameters}"

    def _created(
        self, start: datetime, end: datetime, now: datetime, faults: FaultSettings
    ) -> list[dict[str, Any]]:
        rows = self._rows.filter(pl.col("submitted_at").is_between(start, end, closed="left"))
        return self._records(rows, now, faults)

    def _records(
        self, rows: pl.DataFrame, now: datetime, faults: FaultSettings
    ) -> list[dict[str, Any]]:
        times = pl.col("submitted_at", "sent_at", "updated_at").dt.strftime(_RFC_2822)
        seen = self.seen(rows, now, faults).with_columns(times)
        records = [
            _nonsense(_record(row, self._accounts.twilio_sid), faults)
            for row in seen.iter_rows(named=True)
        ]
        return self.spoiled(records, faults)


def _listed_rows(messages: pl.DataFrame, world: World) -> pl.DataFrame:
    """Both directions in the order they are listed: newest first."""
    sent = messages.with_columns(
        direction=pl.lit("outbound-api"), to=pl.coalesce("e164", "recipient")
    )
    received = world.inbound.with_columns(
        direction=pl.lit("inbound"),
        way=pl.lit(str(Way.TWILIO)),
        outcome=pl.lit("received"),
        sender=pl.col("e164"),
        to=pl.lit(INBOUND_NUMBER),
        service=pl.lit(value=False),
        sent_at=pl.col("submitted_at"),
        done_at=pl.col("submitted_at"),
        billed_at=pl.col("submitted_at"),
        parts=texts.parts(pl.col("text")),
        part_micro=pl.lit(_INBOUND_PART_MICRO, dtype=pl.Int64),
        currency=pl.lit("USD"),
    )
    return pl.concat([sent, received], how="diagonal").sort(
        ["submitted_at", "message_id"], descending=True
    )


def _conditions(query: Mapping[str, str], now: datetime) -> list[pl.Expr]:
    sent = pl.when(pl.col("sent_at") <= now).then(pl.col("sent_at"))
    conditions = []
    if to := query.get("To"):
        conditions.append(pl.col("to") == to)
    if sender := query.get("From"):
        conditions.append(pl.col("sender") == sender)
    if text := query.get("DateSent"):
        first, whole_day = _moment(text)
        last = first + timedelta(days=1) if whole_day else first + timedelta(seconds=1)
        conditions.append(sent.is_between(first, last, closed="left"))
    if text := query.get("DateSent<"):
        conditions.append(sent <= _moment(text)[0])
    if text := query.get("DateSent>"):
        conditions.append(sent >= _moment(text)[0])
    return conditions


def _moment(text: str) -> tuple[datetime, bool]:
    """A date or timestamp of the query in UTC, and whether it was a bare date."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise BadRequest("Invalid date value.") from problem
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC), re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"\d+", text):
        raise BadRequest(f"{name} must be a whole number")
    return int(text)


def _page_size(query: Mapping[str, str]) -> int:
    size = _whole(query, "PageSize", DEFAULT_PAGE_SIZE)
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise BadRequest(f"PageSize must be 1 to {MAX_PAGE_SIZE}")
    return size


def _record(row: Mapping[str, Any], account: str) -> dict[str, Any]:
    """One message in Twilio's fields. A service picks the sender and counts parts on sending."""
    inbound = row["direction"] == "inbound"
    unsent_by_service = row["service"] and row["sent_at"] is None
    uri = f"{PREFIX}{account}/Messages/{row['message_id']}"
    price = row["part_micro"] * row["parts"] / 1_000_000
    code = None if row["code"] is None else int(row["code"])
    return {
        "sid": row["message_id"],
        "account_sid": account,
        "messaging_service_sid": TWILIO_SERVICE_SID if row["service"] else None,
        "body": row["text"],
        "from": None if unsent_by_service else row["sender"],
        "to": row["to"],
        "direction": row["direction"],
        "status": "received" if inbound else row["word"],
        "num_segments": "0" if unsent_by_service else str(row["parts"]),
        "num_media": "0",
        "price": f"-{price:.5f}" if row["billed_at"] else None,
        "price_unit": row["currency"],
        "error_code": code,
        "error_message": _ERROR_MESSAGES.get(code or 0),
        "date_created": row["submitted_at"],
        "date_sent": row["sent_at"],
        "date_updated": row["updated_at"],
        "api_version": "2010-04-01",
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"},
    }


def _nonsense(record: dict[str, Any], faults: FaultSettings) -> dict[str, Any]:
    if record["sid"] in faults.nonsense:
        record = record | {
            "date_created": 20261025, "price": ["free"], "num_segments": "many",
            "error_code": {"code": None},
        }  # fmt: skip
    return record


def error(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    """Twilio's error body."""
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return json_reply(status, body, headers)


def _not_found(path: str) -> Reply:
    return error(404, 20404, f"The requested resource {path} was not found")
