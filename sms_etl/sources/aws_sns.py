"""SMS of Amazon SNS, from the delivery logs that it writes to CloudWatch Logs.

Sources: awsdocs/amazon-sns-developer-guide doc_source/sms_stats_cloudwatch.md @819acc4 (records,
reasons, share of successes that is logged); CloudWatch Logs API Reference, FilterLogEvents.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from sms_etl.days import Window
from sms_etl.errors import PermanentSourceError
from sms_etl.model.vocabulary import TimeOrigin
from sms_etl.sources.aws import (
    SNS,
    AwsClient,
    AwsDeniedError,
    AwsSettings,
    AwsSource,
    log_pages,
    try_log_groups,
)
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.records import done_origin, observations, scan_json
from sms_etl.sources.values import ISO, cost_micro, count, times_to_utc

log = logging.getLogger(__name__)

SUCCESS = "SUCCESS"
SAMPLING = "DeliveryStatusSuccessSamplingRate"
WHOLE = "100"
FIELDS = (
    "notification.messageId", "notification.timestamp", "status", "delivery.destination",
    "delivery.phoneCarrier", "delivery.numberOfMessageParts", "delivery.priceInUSD",
    "delivery.providerResponse", "delivery.dwellTimeMsUntilDeviceAck",
)  # fmt: skip


class AwsSnsSettings(AwsSettings):
    """The log groups of one account and region, successes and failures."""

    kind: Literal["aws_sns"]
    log_groups: Annotated[tuple[str, ...], Field(min_length=1)]


class AwsSns(AwsSource[AwsSnsSettings]):
    """Reads the delivery logs of direct SMS."""

    provider = "aws_sns"
    settings_type = AwsSnsSettings
    facts = Facts(
        title="Amazon SNS, delivery logs in CloudWatch Logs",
        window_filter="time the log was written; a day is read from its start to late_hours after "
        "its end, and records of other days are folded",
        history="the retention of the log groups; nothing from before logging was switched on",
        look_back="every day of the settling period is read again",
        rate_limit="FilterLogEvents has a quota per account and region; 5 requests a second, "
        "throttling is waited out",
        proof="contract suite; moto's CloudWatch Logs server, fed with the simulated day and read "
        "with boto3 to the last event",
        missing="messages on their way (a log is written with the receipt, up to 72 hours late), "
        "sender, text, campaign; the network code is a number without leading zeros and is not "
        "used, the carrier's name is",
        reports="success means that the carrier took the message, so the delivery rate is an upper "
        "bound; nothing is ever pending; every failure has class failed, whatever its reason. A "
        "pull is refused while fewer than 100 % of successes are logged, because every rate would "
        "be wrong; days logged before that cannot be told apart",
        documents="github.com/awsdocs/amazon-sns-developer-guide sms_stats_cloudwatch.md@819acc4, "
        "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/",
        to_check="what the time until the device's acknowledgement means to each carrier (it is "
        "taken for the time to deliver); further texts of providerResponse",
    )

    def pages(self, client: AwsClient, window: Window) -> Iterator[Page]:
        """Logs written in a window, of every group."""
        self._require_all_logged(client)
        yield from log_pages(client, self.name, self._settings.log_groups, window)

    def try_out(self, client: AwsClient) -> None:
        """Look at the share of successes that is logged, and at every group."""
        self._require_all_logged(client)
        try_log_groups(client, self._settings.log_groups)

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS.

        The reason is read of failures only: a success has a free text there as well.
        """
        created = times_to_utc(pl.col("notification.timestamp"), (ISO,), "UTC")
        waited = pl.col("delivery.dwellTimeMsUntilDeviceAck").cast(pl.Int64, strict=False)
        done = created + pl.duration(milliseconds=waited)
        price = pl.col("delivery.priceInUSD")
        failed = pl.col("status").str.to_uppercase() != SUCCESS
        return observations(
            scan_json(pages, FIELDS),
            {
                "message_id": pl.col("notification.messageId"),
                "recipient": pl.col("delivery.destination"),
                "operator": pl.col("delivery.phoneCarrier"),
                "status": pl.col("status"),
                "code": pl.when(failed).then(pl.col("delivery.providerResponse")),
                "created_at_text": pl.col("notification.timestamp"),
                "created_at": created,
                "done_at": done,
                "done_at_origin": done_origin(done, TimeOrigin.PROVIDER),
                "parts_billed": count(pl.col("delivery.numberOfMessageParts")),
                "price_text": price,
                "cost_micro": cost_micro(price, charge_is_negative=False),
                "currency": pl.lit("USD"),
            },
        )

    def _require_all_logged(self, client: AwsClient) -> None:
        """Refuse a log that leaves successes out; without the right to look, say so and go on."""
        try:
            asked = {"attributes": [SAMPLING]}
            answer = client.call(SNS, "get_sms_attributes", asked, "attributes")
        except AwsDeniedError:
            log.warning(
                "%s: no right to sns:GetSMSAttributes, so it cannot be seen whether all successes "
                "are logged; make sure that %s is %s",
                self.name, SAMPLING, WHOLE,
            )  # fmt: skip
            return
        rate = answer.data.get("attributes", {}).get(SAMPLING, WHOLE)
        if rate != WHOLE:
            raise PermanentSourceError(
                f"{self.name}: Amazon SNS logs only {rate} % of the successes, so every rate would "
                f"be wrong. Set {SAMPLING} to {WHOLE} (SNS console, text messaging preferences)."
            )
