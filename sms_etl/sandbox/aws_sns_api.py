"""Amazon SNS as its delivery logs tell of it (amazon-sns-developer-guide sms_stats_cloudwatch.md).

A log is written when the receipt is there, to one group for successes and one for failures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.aws_logs import REGION, LogsApi, message_of, times_written
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import Told
from sms_etl.sandbox.wire import Reply, Request

ACCOUNT = "123456789012"
SUCCESS_GROUP = f"sns/{REGION}/{ACCOUNT}/DirectPublishToPhoneNumber"
FAILURE_GROUP = f"{SUCCESS_GROUP}/Failure"
WRITTEN_AFTER = timedelta(seconds=20)

_ATTRIBUTES = """\
<GetSMSAttributesResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
<GetSMSAttributesResult><attributes><entry>
<key>DeliveryStatusSuccessSamplingRate</key><value>100</value>
</entry></attributes></GetSMSAttributesResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetSMSAttributesResponse>"""
_REFUSED = """\
<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>
<Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.
</Message></Error><RequestId>1</RequestId></ErrorResponse>"""
_XML = {"Content-Type": "text/xml"}

ACCEPTED = "Message has been accepted by phone carrier"


class AwsSnsApi(LogsApi):
    """The two log groups of direct SMS, and the preferences that say how much is logged."""

    name = "aws_sns"
    groups = (SUCCESS_GROUP, FAILURE_GROUP)
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told(None),
        "leaving": Told(None),
        "sent": Told(None),
        "read": Told("SUCCESS", "Message has been accepted by phone"),
        "delivered": Told("SUCCESS", ACCEPTED),
        "no_receipt": Told(None),
        "expired": Told("FAILURE", "Phone is currently unreachable/unavailable"),
        "dead_number": Told("FAILURE", "Invalid phone number"),
        "landline": Told("FAILURE", "Phone has blocked SMS"),
        "network_error": Told("FAILURE", "Phone carrier is currently unreachable/unavailable"),
        "spam_filter": Told("FAILURE", "Blocked as spam by phone carrier"),
        "outage": Told("FAILURE", "Phone carrier is currently unreachable/unavailable"),
        "final_unknown": Told("FAILURE", "Unknown error attempting to reach phone"),
        "invalid_number": Told("FAILURE", "Invalid phone number"),
        "opted_out": Told("FAILURE", "Phone number is opted out"),
        "cancelled": Told("FAILURE", "This delivery would exceed max price"),
    }

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """GetSMSAttributes in the query protocol, and the logs."""
        if request.form.get("Action") != "GetSMSAttributes":
            return super().handle(request, now, faults)
        if faults.token_expired or not self.known(request):
            return Reply(403, _REFUSED.encode(), _XML)
        return Reply(200, _ATTRIBUTES.encode(), _XML)

    def written(
        self, start: datetime, end: datetime, now: datetime, faults: FaultSettings
    ) -> list[tuple[datetime, str, str]]:
        """One log a message that is done."""
        at = pl.col("done_at") + WRITTEN_AFTER
        done = self.messages.filter(at.is_between(start, end) & (at <= now))
        rows = self.seen(done, now, faults).sort("done_at", "message_id")
        return [
            (
                row["done_at"] + WRITTEN_AFTER,
                FAILURE_GROUP if row["word"] == "FAILURE" else SUCCESS_GROUP,
                message_of(self._blank(row) if blank else self.record(row)),
            )
            for row in rows.iter_rows(named=True)
            for blank in [row["message_id"] in faults.blank] * times_written(row, faults)
        ]

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One delivery log."""
        waited = row["done_at"] - row["submitted_at"]
        delivery = {
            "phoneCarrier": row["operator"],
            "mnc": 0,
            "numberOfMessageParts": row["parts"],
            "destination": row["e164"] or row["recipient"],
            "priceInUSD": self._price(row),
            "smsType": "Promotional",
            "mcc": 0,
            "providerResponse": row["code"],
            "dwellTimeMs": 100,
            "dwellTimeMsUntilDeviceAck": waited // timedelta(milliseconds=1),
        }
        return {
            "notification": {"messageId": row["message_id"], "timestamp": _time(row)},
            "delivery": {key: value for key, value in delivery.items() if value is not None},
            "status": row["word"],
        }

    def _price(self, row: Mapping[str, Any]) -> float | None:
        billed = row["billed_at"] is not None
        return round(row["part_micro"] * row["parts"] / 1_000_000, 6) if billed else None

    def _blank(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "notification": {"messageId": row["message_id"], "timestamp": None},
            "delivery": None,
            "status": None,
        }


def _time(row: Mapping[str, Any]) -> str:
    moment: datetime = row["submitted_at"]
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
