"""Vonage's Reports API over a simulated world: SMS records, and reports (see vonage_reports).

Shapes and rules: Nexmo/api-specification definitions/reports.yml, and the guide
how-to-handle-pagination on developer.vonage.com. Decided here, because the documents are silent:
records come oldest first; a message that was not billed has no total_price; date_finalized is
blank until the status is final; an accepted message has error code 1, which means nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

import polars as pl

from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told, paged
from sms_etl.sandbox.vonage_reports import MEDIA_PATH, REPORTS_PATH, Reports
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import World

ACCOUNT = "abcd1234"
PATH = "/v2/reports/records"
PAGE_SIZE, MOST_IDS = 1000, 20
LONGEST_WINDOW = timedelta(hours=24)
MEMORY = timedelta(days=395)
_NETWORKS = {"Kyivstar": "25503", "Vodafone": "25501", "lifecell": "25506", "TriMob": "25507"}
_DESCRIPTIONS = {
    "0": "Delivered", "1": "Unknown", "2": "Absent Subscriber - Temporary",
    "3": "Absent Subscriber - Permanent", "6": "Anti-Spam Rejection", "8": "Network Error",
    "9": "Illegal Number", "12": "Destination Unreachable", "99": "General Error",
}  # fmt: skip
_TITLES = {
    401: "Unauthorized", 403: "Forbidden", 404: "Not found", 422: "Unprocessable entity",
    429: "Too many requests", 500: "Internal error",
}  # fmt: skip
_NOT_WITH_IDS = ("date_start", "date_end", "status")
_INVALID_FILTER = {
    "type": "https://developer.nexmo.com/api-errors/reports#invalid-filter",
    "title": "Invalid filter",
}


class Refused(Exception):  # noqa: N818 named as the HTTP status it becomes
    """A parameter that Vonage refuses with HTTP 422: its name and why."""


class InvalidFilter(Exception):  # noqa: N818 Vonage's title of this HTTP 422
    """Parameters that exclude each other."""


class VonageApi(ProviderApi):
    """Answers requests of one Vonage account; `reports` are those that were ordered."""

    name = "vonage"
    own_way = Way.TWILIO
    id_field = "message_id"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("submitted", 1),
        "leaving": Told("submitted", 1),
        "sent": Told("accepted", 1),
        "read": Told("delivered", 0),
        "delivered": Told("delivered", 0),
        "no_receipt": Told("accepted", 1),
        "expired": Told("expired", 2),
        "dead_number": Told("failed", 3),
        "landline": Told("failed", 12),
        "network_error": Told("failed", 8),
        "spam_filter": Told("failed", 6),
        "outage": Told("failed", 99),
        "final_unknown": Told("unknown", 1),
        "invalid_number": Told("rejected", 12),
        "opted_out": Told("rejected", 9),
        "cancelled": Told("deleted", 1),
    }

    def __init__(self, world: World, accounts: Accounts, way: Way | None = None) -> None:
        super().__init__(world, accounts, way)
        self.reports = Reports()

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """Sixteen hexadecimal digits in capitals."""
        return thirty_two_hex.str.slice(16).str.to_uppercase()

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """Vonage's error body (RFC 7807)."""
        return _problem(status, {"detail": _TITLES[status]}, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.basic != (ACCOUNT, self.accounts.secret_of(self.name)):
            return self.failure(401, {})
        query = request.query if request.method == "GET" else _texts(request.json)
        if query.get("account_id", ACCOUNT) != ACCOUNT:
            return self.failure(403, {})
        try:
            if request.method == "GET" and request.path == PATH:
                asked, missing = self._asked(query, now)
                return self._page(request, asked, missing, now, faults)
            return self._reported(request, query, now, faults) or self.failure(404, {})
        except InvalidFilter as problem:
            return _problem(422, _INVALID_FILTER | {"detail": str(problem)})
        except Refused as problem:
            name, reason = problem.args
            return _problem(422, {"invalid_parameters": [{"name": name, "reason": reason}]})

    def _reported(
        self, request: Request, query: Mapping[str, str], now: datetime, faults: FaultSettings
    ) -> Reply | None:
        """The answer to an order, the list, the state or the file of reports; None: no such one."""
        whole = (request.method, request.path)
        if whole == ("POST", REPORTS_PATH):
            self._check(query)
            bounds = (_moment(query, "date_start"), _moment(query, "date_end"))
            if not bounds[0] < bounds[1] <= bounds[0] + MEMORY:
                raise Refused("date_end", "Must be later than date_start, within 13 months")
            inside = pl.col("submitted_at").is_between(*bounds, closed="left")
            rows = self.messages.filter(
                inside, pl.col("submitted_at").is_between(now - MEMORY, now)
            )
            if query["direction"] != "outbound":
                rows = rows.clear()
            return self.reports.ordered(request, now, self.records(rows, now, faults))
        if whole == ("GET", REPORTS_PATH):
            for name in ("account_id", "status"):
                if name not in query:
                    raise Refused(name, "Missing required parameter")
            return self.reports.listed(request, now)
        if request.path.startswith(f"{REPORTS_PATH}/"):
            return self.reports.told(request, now)
        return self.reports.file(request, now) if request.path.startswith(MEDIA_PATH) else None

    def _check(self, query: Mapping[str, str]) -> None:
        for name, allowed in (("account_id", (ACCOUNT,)), ("product", ("SMS",))):
            if query.get(name) not in allowed:
                raise Refused(name, "Missing required parameter")
        if query.get("direction") not in ("inbound", "outbound"):
            raise Refused("direction", "Missing required parameter")

    def _asked(self, query: Mapping[str, str], now: datetime) -> tuple[pl.DataFrame, list[str]]:
        """The rows of a query, and the identifiers that do not exist."""
        self._check(query)
        received = pl.col("submitted_at")
        known = received.is_between(now - MEMORY, now)
        if "id" in query:
            ids = query["id"].split(",")
            if len(ids) > MOST_IDS:
                raise Refused("id", f"No more than {MOST_IDS} identifiers")
            if clashing := [name for name in _NOT_WITH_IDS if name in query]:
                raise InvalidFilter(
                    "When using message_id, the following parameters are not supported: "
                    f"[{', '.join(clashing)}]"
                )
            rows = self.by_ids(ids).filter(known)
            return rows, sorted(set(ids) - set(rows["message_id"]))
        start, end = _moment(query, "date_start"), _moment(query, "date_end")
        if not start <= end <= start + LONGEST_WINDOW:
            raise Refused("date_end", "Must be no more than 24 hours later than date_start")
        inside = received.is_between(start, end, closed="left")
        return self.messages.filter(known, inside), []

    def _page(
        self,
        request: Request,
        asked: pl.DataFrame,
        missing: list[str],
        now: datetime,
        faults: FaultSettings,
    ) -> Reply:
        query = request.query
        rows = asked if query["direction"] == "outbound" else asked.clear()
        start = _start(rows, query)
        page = paged(rows, start, PAGE_SIZE, faults)
        with_text = query.get("include_message") == "true"
        records = [
            record if with_text else {k: v for k, v in record.items() if k != "message_body"}
            for record in self.records(page, now, faults)
        ]
        links = {"self": {"href": request.base + request.target}}
        body: dict[str, Any] = {
            "_links": links,
            "request_id": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
            "request_status": "SUCCESS",
            "received_at": f"{now:%Y-%m-%dT%H:%M:%S}+0000",
            "items_count": len(records),
            **{k: v for k, v in query.items() if k not in ("cursor", "iv", "id")},
            "include_message": with_text,
            "records": records,
        }
        if missing:
            body["ids_not_found"] = ",".join(missing)
        if start + page.height < rows.height:
            cursor = page["message_id"][-1]
            more = {"cursor": cursor, "iv": _iv(cursor)}
            links["next"] = {"href": f"{request.base}{PATH}?{urlencode({**query, **more})}"}
            body |= {"request_status": "TRUNCATED", **more}
        return json_reply(200, body)

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in Vonage's fields: every value is a text."""
        done, price = row["done_at"], row["part_micro"] * row["parts"] / 1_000_000
        return {
            "account_id": ACCOUNT,
            "message_id": row["message_id"],
            "client_ref": row["campaign"],
            "concatenated": str(row["parts"] > 1).lower(),
            "direction": "outbound",
            "from": row["sender"],
            "to": (row["e164"] or row["recipient"]).removeprefix("+"),
            "message_body": row["text"],
            "network": _NETWORKS.get(row["operator"], ""),
            "network_name": row["operator"] or "",
            "country": row["country"] or "",
            "country_name": row["country"] or "",
            "date_received": _written(row["submitted_at"]),
            "date_finalized": _written(done) if done else "",
            "latency": str(int((done - row["submitted_at"]).total_seconds() * 1000))
            if done
            else "",
            "status": row["word"],
            "error_code": row["code"],
            "error_code_description": _DESCRIPTIONS.get(row["code"], "Something new"),
            "currency": row["currency"],
            "total_price": f"{price:.5f}" if row["billed_at"] else "",
        }


def _texts(body: Any) -> dict[str, str]:
    """The fields of an order as a query has them."""
    return {name: str(value) for name, value in body.items()} if isinstance(body, dict) else {}


def _start(rows: pl.DataFrame, query: Mapping[str, str]) -> int:
    """Where a page begins; a cursor names the last message of the page before, iv belongs to it."""
    cursor = query.get("cursor")
    if cursor is None:
        return 0
    found = rows["message_id"].index_of(cursor)
    if found is None or query.get("iv") != _iv(cursor):
        raise Refused("cursor", "Invalid cursor or iv")
    return found + 1


def _iv(cursor: str) -> str:
    return hashlib.sha256(cursor.encode()).hexdigest()[:22]


def _moment(query: Mapping[str, str], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(query[name])
    except KeyError:
        raise Refused(name, "Missing required parameter") from None
    except ValueError:
        raise Refused(name, "Invalid date") from None
    if moment.tzinfo is None:
        raise Refused(name, "Invalid date: it has no offset")
    return moment.astimezone(UTC)


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}+0000"


def _problem(
    status: int, more: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Reply:
    body = {
        "type": "https://developer.nexmo.com/api-errors",
        "title": _TITLES[status],
        "instance": "f94b4e56604e07e5e5ad5a7228618f81",
        **more,
    }
    return json_reply(status, body, headers)
