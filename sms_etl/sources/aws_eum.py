"""SMS events of AWS End User Messaging, from CloudWatch Logs or from S3 through Firehose.

Sources: awsdocs/amazon-pinpoint-developer-guide doc-source/
sms-voice-v2-event-destinations-types.md @92273f2 (event types); docs.aws.amazon.com/sms-voice
configuration-sets-event-types (fields); Firehose names objects by the UTC hour of arrival and
puts nothing between records unless told to (docs.aws.amazon.com/firehose s3-prefixes).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Literal

import polars as pl
from pydantic import model_validator

from sms_etl.days import Window, utc_days
from sms_etl.errors import PermanentSourceError
from sms_etl.model.vocabulary import Channel, TimeOrigin
from sms_etl.sources.aws import (
    S3,
    AwsClient,
    AwsSettings,
    AwsSource,
    log_pages,
    ndjson_page,
    try_log_groups,
)
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.files import MOST_BYTES, gunzipped
from sms_etl.sources.records import done_origin, observations, scan_json
from sms_etl.sources.values import UNIX_MILLISECONDS, cost_micro, count, times_to_utc

FINAL = "true"
_SIDE_BY_SIDE = re.compile(r"\}[ \t]*\{")
CONTEXT = "context"
CHANNELS = {"TEXT_": Channel.SMS, "RCS_": Channel.RCS}
FIELDS = (
    "messageId", "eventType", "eventTimestamp", "isFinal", "messageRequestTimestamp",
    "originationPhoneNumber", "destinationPhoneNumber", "mcc", "mnc", "totalMessageParts",
    "totalMessagePrice",
)  # fmt: skip


class AwsEumSettings(AwsSettings):
    """Where the events of one region are: `log_groups` or `bucket`.

    `prefix` is what Firehose puts before YYYY/MM/DD/HH. `campaign_key` names the key of a
    message's context that holds its campaign.
    """

    kind: Literal["aws_eum"]
    log_groups: tuple[str, ...] = ()
    bucket: str | None = None
    prefix: str = ""
    campaign_key: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> AwsEumSettings:
        if bool(self.log_groups) == (self.bucket is not None):
            raise ValueError("give either 'log_groups' or 'bucket'")
        return self


class AwsEum(AwsSource[AwsEumSettings]):
    """Reads the events of a configuration set; a message has several, the last final one holds."""

    provider = "aws_eum"
    settings_type = AwsEumSettings
    facts = Facts(
        title="AWS End User Messaging SMS, events in CloudWatch Logs or S3",
        window_filter="time the event was written (S3: UTC days of its arrival); a day is read "
        "from its start to late_hours after its end, and records of other days are folded",
        history="the retention of the log group or bucket; nothing from before the destination "
        "was set up",
        look_back="every day of the settling period is read again",
        rate_limit="FilterLogEvents has a quota per account and region; 5 requests a second, "
        "throttling is waited out",
        proof="contract suite; moto's CloudWatch Logs and S3 servers, fed with the simulated day "
        "and read with boto3 to the last event",
        missing="text; codes (the type of the event is the reason); campaigns, unless your sender "
        "puts them into the context and campaign_key names them",
        reports="success without delivery means that the carrier took the message; a message sent "
        "without the configuration set is missing without a trace",
        documents="github.com/awsdocs/amazon-pinpoint-developer-guide "
        "sms-voice-v2-event-destinations-types.md@92273f2, "
        "https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets.html",
        to_check="whether totalMessagePrice includes the carrier fee (only it is read, in US "
        "dollars); let the destination take TEXT events only: voice events would be unknown words",
    )

    def pages(self, client: AwsClient, window: Window) -> Iterator[Page]:
        """Events written in a window."""
        if self._settings.bucket is None:
            return log_pages(client, self.name, self._settings.log_groups, window)
        return self._object_pages(client, window)

    def try_out(self, client: AwsClient) -> None:
        """Look at every log group, or list one object."""
        settings = self._settings
        if settings.bucket is None:
            try_log_groups(client, settings.log_groups)
        else:
            asked = {"Bucket": settings.bucket, "Prefix": settings.prefix, "MaxKeys": 1}
            client.call(S3, "list_objects_v2", asked, "KeyCount")

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS, one row per event."""
        campaign = f"{CONTEXT}.{self._settings.campaign_key}"
        named = (campaign,) if self._settings.campaign_key else ()
        final = pl.col("isFinal").str.to_lowercase() == FINAL
        done = pl.when(final).then(pl.col("eventTimestamp"))
        price = pl.col("totalMessagePrice")
        return observations(
            scan_json(pages, (*FIELDS, *named)),
            {
                "message_id": pl.col("messageId"),
                "recipient": pl.col("destinationPhoneNumber"),
                "sender": pl.col("originationPhoneNumber"),
                "campaign": pl.col(campaign) if named else pl.lit(None),
                "channel": _channel(),
                "mcc_mnc": pl.col("mcc") + pl.col("mnc"),
                "status": pl.col("eventType"),
                "created_at_text": pl.col("messageRequestTimestamp"),
                "done_at_text": done,
                "created_at": _time("messageRequestTimestamp"),
                "done_at": pl.when(final).then(_time("eventTimestamp")),
                "done_at_origin": done_origin(done, TimeOrigin.PROVIDER),
                "updated_at": _time("eventTimestamp"),
                "parts_billed": count(pl.col("totalMessageParts")),
                "price_text": price,
                "cost_micro": cost_micro(price, charge_is_negative=False),
                "currency": pl.lit("USD"),
            },
        )

    def _object_pages(self, client: AwsClient, window: Window) -> Iterator[Page]:
        """A page an object, as Firehose wrote it, unpacked and one record a line."""
        for key in self._keys(client, window):
            asked = {"Bucket": self._settings.bucket, "Key": key}
            answer = client.call(S3, "get_object", asked, "Body", _body)
            try:
                lines = records_of(gunzipped(answer.data).decode())
            except (PermanentSourceError, UnicodeDecodeError) as error:
                raise PermanentSourceError(
                    f"{self.name}: object {key}: {error}. Move it out of the prefix."
                ) from None
            yield ndjson_page(lines, f"GetObject {key}", {"object": key}, answer.waits)

    def _keys(self, client: AwsClient, window: Window) -> Iterator[str]:
        for day in utc_days(window):
            folder = folder_of(self._settings.prefix, day)
            asked = {"Bucket": self._settings.bucket, "Prefix": folder}
            while True:
                answer = client.call(S3, "list_objects_v2", asked, "KeyCount")
                yield from (found["Key"] for found in answer.data.get("Contents", ()))
                if not answer.data.get("IsTruncated"):
                    break
                asked["ContinuationToken"] = answer.data["NextContinuationToken"]


def folder_of(prefix: str, day: date) -> str:
    """Where Firehose puts what arrives on a UTC day."""
    return f"{prefix}{day:%Y/%m/%d}/"


def records_of(text: str) -> list[str]:
    """Records of an object as they are, one a line: Firehose may put nothing between them.

    What is no JSON is one record to the end of its line; reading tells of it.
    """
    lines = [line.strip() for line in text.split("\n")]
    if not _SIDE_BY_SIDE.search(text):
        return [line for line in lines if line]
    return [record for line in lines for record in _taken_apart(line)]


def _taken_apart(line: str) -> list[str]:
    decoder = json.JSONDecoder()
    records = []
    at = 0
    while at < len(line):
        try:
            _, end = decoder.raw_decode(line, at)
        except (ValueError, RecursionError):
            end = len(line)
        records.append(line[at:end])
        at = end + len(line[end:]) - len(line[end:].lstrip())
    return records


def _body(data: Any) -> bytes:
    body: bytes = data["Body"].read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise PermanentSourceError(f"it is larger than {MOST_BYTES} bytes")
    return body


def _channel() -> pl.Expr:
    """By the beginning of the type of the event; there is no channel of ours for MMS."""
    event = pl.col("eventType")
    found = pl.lit(None, pl.String)
    for begins, channel in CHANNELS.items():
        found = pl.when(event.str.starts_with(begins)).then(pl.lit(channel.value)).otherwise(found)
    return found


def _time(column: str) -> pl.Expr:
    return times_to_utc(pl.col(column), (UNIX_MILLISECONDS,), "UTC")
