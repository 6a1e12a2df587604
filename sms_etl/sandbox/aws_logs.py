"""A simulated Amazon CloudWatch Logs that holds what a messaging service of AWS has written.

Protocol: POST with X-Amz-Target, JSON 1.1 (CloudWatch Logs API Reference, FilterLogEvents).
Signatures are not verified, only that they are of the known access key.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, page_size
from sms_etl.sandbox.wire import Reply, Request, json_reply

ACCESS_KEY_ID = "AKIASANDBOX000000000"
REGION = "eu-central-1"
MOST_EVENTS = 10_000
_FILTER = "Logs_20140328.FilterLogEvents"
_UUID = (r"^(.{8})(.{4})(.{4})(.{4})(.{12})$", "$1-$2-$3-$4-$5")


class LogsApi(ProviderApi):
    """Log groups of one service. A subclass says what was written when, and to which group.

    As AWS does, the first page of every search is empty and has a token.
    """

    groups: ClassVar[tuple[str, ...]]

    @abstractmethod
    def written(
        self, start: datetime, end: datetime, now: datetime, faults: FaultSettings
    ) -> list[tuple[datetime, str, str]]:
        """What has been written by now, oldest first: when, the group and the message.

        At least all that was written from `start` to `end`.
        """

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A UUID."""
        return thirty_two_hex.str.replace(*_UUID)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """FilterLogEvents."""
        if faults.token_expired or not self.known(request):
            return self.failure(401, {})
        if request.headers.get("X-Amz-Target") != _FILTER:
            return _error(400, "UnknownOperationException", "unknown operation")
        asked = request.json
        if asked["logGroupName"] not in self.groups:
            told = "The specified log group does not exist."
            return _error(400, "ResourceNotFoundException", told)
        if not 1 <= asked.get("limit", MOST_EVENTS) <= MOST_EVENTS:
            return _error(400, "InvalidParameterException", "limit")
        return json_reply(200, self._found(asked, now, faults))

    def known(self, request: Request) -> bool:
        """Whether the request is signed with the account's key."""
        return f"Credential={ACCESS_KEY_ID}/" in request.headers.get("Authorization", "")

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """AWS throttles and refuses credentials with HTTP 400."""
        if status == 429:
            return _error(400, "ThrottlingException", "Rate exceeded", headers)
        if status == 401:
            told = "The security token included in the request is invalid."
            return _error(400, "UnrecognizedClientException", told, headers)
        return _error(status, "ServiceUnavailableException", "The service failed", headers)

    def _found(
        self, asked: Mapping[str, Any], now: datetime, faults: FaultSettings
    ) -> dict[str, Any]:
        token = asked.get("nextToken")
        if token is None:
            return {"events": [], "nextToken": "0", "searchedLogStreams": []}
        start, end = asked.get("startTime", 0), asked.get("endTime", _milliseconds(now))
        written = self.written(_moment(start), _moment(end), now, faults)
        inside = [
            (at, message)
            for at, group, message in written
            if group == asked["logGroupName"] and start <= _milliseconds(at) <= end
        ]
        first = int(token)
        last = first + page_size(asked.get("limit", MOST_EVENTS), faults)
        events = [
            {
                "eventId": f"{number:056d}",
                "logStreamName": "stream",
                "timestamp": _milliseconds(at),
                "ingestionTime": _milliseconds(at) + 50,
                "message": message,
            }
            for number, (at, message) in enumerate(inside[first:last], start=first)
        ]
        more = {"nextToken": str(last)} if last < len(inside) else {}
        return {"events": events, "searchedLogStreams": [], **more}


def message_of(record: Mapping[str, Any]) -> str:
    """A record as it is written: one line of JSON."""
    return json.dumps(record, ensure_ascii=False)


def times_written(row: Mapping[str, Any], faults: FaultSettings) -> int:
    """How often the record of a message comes."""
    return 2 if row["message_id"] in faults.twice else 1


def _milliseconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps({"__type": code, "message": message}).encode()
    return Reply(status, body, {"Content-Type": "application/x-amz-json-1.1"} | dict(headers or {}))
