"""TurboSMS's HTTP API over a simulated world: message/status, user/balance and the pings.

Shapes: turbosms.ua/en/api.html and github daaner/turbosms. Every valid request gets HTTP 200;
what went wrong stands in three places: the answer, and each message of its result.
Decided here, because the documents are silent: a refused message (stop list, invalid number)
has the status Rejected and the reason as its own response_code; times are Kyiv time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import polars as pl

from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.outcomes import TURBOSMS_CODE_NAMES
from sms_etl.sandbox.provider import ProviderApi, Told
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.words import with_words
from sms_etl.sandbox.world import UUID_PIECES, World

_NO_CONTENT = (104, "REQUIRED_CONTENT")
_NO_TOKEN, _WRONG_TOKEN, _EXPIRED_TOKEN = (
    (103, "REQUIRED_TOKEN"),
    (105, "REQUIRED_AUTH"),
    (301, "INVALID_TOKEN"),
)
_BUSY = (999, "FATAL_ERROR")
_UNREADABLE = (502, "FAILED_PARSE_BODY")
_BAD_REQUEST = (300, "INVALID_REQUEST")
_FOREIGN_ID = {"response_code": 414, "response_status": "NOT_ALLOWED_MESSAGE_ID"}
_PAID_IN_MICRO = 1_000_000_000_000


class TurboSmsApi(ProviderApi):
    """Answers requests of one TurboSMS account."""

    name = "turbosms"
    words: ClassVar[Mapping[str, Told]] = {}  # in sandbox.words, beside the other ways'
    own_way = Way.TURBOSMS
    id_field = "message_id"

    def __init__(self, world: World, accounts: Accounts, way: Way | None = None) -> None:
        super().__init__(world, accounts, way)
        self._zone = world.parameters.zone

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A UUID."""
        pieces = [thirty_two_hex.str.slice(at, length) for at, length in UUID_PIECES]
        return pl.concat_str(pieces, separator="-")

    def worded(self, seen: pl.DataFrame) -> pl.DataFrame:
        """TurboSMS's words."""
        return with_words(seen).with_columns(pl.col("code").cast(pl.String))

    def busy(self) -> Reply:
        """An internal error of TurboSMS."""
        return _answer(_BUSY)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        try:
            parameters = _parameters(request)
        except ValueError:
            return _answer(_UNREADABLE)
        if refusal := self._refusal(request, parameters, faults):
            return _answer(refusal)
        method = request.path.removesuffix(".json").strip("/")
        if method.endswith("/ping"):
            return _answer((1, "PONG"))
        if method == "user/balance":
            return _answer((0, "OK"), {"balance": self._balance(now)})
        if method == "message/status":
            return self._status(parameters, now, faults)
        return _answer(_BAD_REQUEST)

    def _refusal(
        self, request: Request, parameters: Mapping[str, Any], faults: FaultSettings
    ) -> tuple[int, str] | None:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        given = given if kind.lower() in ("basic", "bearer") else ""
        given = given or str(parameters.get("token", "")) or request.query.get("token", "")
        if not given:
            return _NO_TOKEN
        if faults.token_expired:
            return _EXPIRED_TOKEN
        return None if given == self.accounts.turbosms_auth else _WRONG_TOKEN

    def _balance(self, now: datetime) -> float:
        spent = self.messages.filter(pl.col("billed_at") <= now).select(
            (pl.col("parts") * pl.col("part_micro")).sum()
        )
        return float(round((_PAID_IN_MICRO - int(spent.item())) / 1_000_000, 2))

    def _status(self, parameters: Mapping[str, Any], now: datetime, faults: FaultSettings) -> Reply:
        asked = parameters.get("messages")
        asked = [asked] if isinstance(asked, str) else asked
        if not asked:
            return _answer(_NO_CONTENT)
        if not isinstance(asked, list):
            return _answer(_BAD_REQUEST)
        seen = self.seen(self.by_ids([i for i in asked if isinstance(i, str)]), now, faults)
        found = {row["message_id"]: self.record(row) for row in seen.iter_rows(named=True)}
        result = [found.get(str(i)) or {"message_id": i, **_FOREIGN_ID} for i in asked]
        return _answer(
            (0, "OK"), self.spoiled([_nonsense(record, faults) for record in result], faults)
        )

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in TurboSMS's fields."""
        code = int(row["code"])
        record = {
            "message_id": row["message_id"],
            "response_code": code,
            "response_status": TURBOSMS_CODE_NAMES.get(code, "SOMETHING_NEW"),
            "recipient": (row["e164"] or row["recipient"]).removeprefix("+"),
            "sent": self._local(row["sent_at"]),
            "updated": self._local(row["updated_at"]),
            "status": row["word"],
            "type": row["channel"],
        }
        if row["channel"] == "viber":
            record |= {"rejected_status": None, "click_time": None}
        return record

    def _local(self, moment: datetime | None) -> str | None:
        return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S") if moment else None


def _parameters(request: Request) -> dict[str, Any]:
    """Parameters of the query, a form or a JSON body.

    Raises:
        ValueError: the body is not what its Content-Type says.
    """
    if not request.body:
        return dict(request.query)
    if "json" in request.headers.get("Content-Type", "json"):
        value = json.loads(request.body)
        if not isinstance(value, dict):
            raise ValueError("the body is no JSON object")
        return value
    pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
    form: dict[str, Any] = dict(pairs)
    if ids := [value for name, value in pairs if name in ("messages", "messages[]")]:
        form["messages"] = ids
    return form


def _answer(code_and_status: tuple[int, str], result: Any = None) -> Reply:
    code, status = code_and_status
    return json_reply(
        200, {"response_code": code, "response_status": status, "response_result": result}
    )


def _nonsense(record: dict[str, Any], faults: FaultSettings) -> dict[str, Any]:
    if record["message_id"] in faults.nonsense:
        record = record | {"sent": 0, "updated": "yesterday", "status": 7}
    return record
