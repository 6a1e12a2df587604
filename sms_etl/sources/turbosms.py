"""TurboSMS HTTP API: statuses by message identifier.

Facts: https://turbosms.ua/en/api.html and github.com/daaner/turbosms (response codes). There is
no list of messages, so the identifiers come from the user's own outbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field

from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import ZoneName
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.vocabulary import Channel
from sms_etl.sources.auth import BearerAuth
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import BaseUrl, HttpClient
from sms_etl.sources.http_source import ByIdSettings, ByIdSource, Credentials
from sms_etl.sources.records import final_update, observations, scan_json
from sms_etl.sources.values import ISO, blank_to_null, later_reading, times_to_utc, with_plus

STATUS_PATH = "/message/status.json"
RECORDS = "response_result"
FIELDS = (
    "message_id", "response_code", "response_status", "recipient", "sent", "updated", "status",
    "type", "rejected_status",
)  # fmt: skip
SUCCESS_CODES = frozenset({0, 1, 800, 801, 802, 803})
BUSY_CODES = frozenset({500, 501, 503, 504, 999})
TOKEN_CODES = frozenset({103, 105, 106, 301})
NO_SUCH_ID = "00000000-0000-0000-0000-000000000000"


class TurboSmsSettings(ByIdSettings):
    """One TurboSMS account. Its answers carry wall clock times without a zone."""

    kind: Literal["turbosms"]
    token: EnvSecret
    base_url: BaseUrl = "https://api.turbosms.ua"
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    time_zone: ZoneName = "Europe/Kyiv"


class TurboSms(ByIdSource[TurboSmsSettings]):
    """Asks for the status of every message the outbox knows, in batches."""

    provider = "turbosms"
    settings_type = TurboSmsSettings
    allowed = "the token may ask for statuses"
    facts = Facts(
        title="TurboSMS HTTP API",
        window_filter="none; identifiers and the day come from the outbox",
        history="not stated by TurboSMS",
        look_back="messages of the settling period without a final status",
        rate_limit="not stated by TurboSMS; 5 requests a second of 100 identifiers by default",
        proof="contract suite; no official SDK or OpenAPI description exists",
        missing="time of delivery, price, parts, text, sender",
        reports="the last change of a final status stands for the delivered time; cost comes "
        "from the tariff in the settings; parts from the outbox's text",
        documents="https://turbosms.ua/en/api.html, github.com/daaner/turbosms",
        to_check="status words other than Delivered are from client libraries",
    )

    def credentials(self, settings: TurboSmsSettings) -> Credentials:
        """The token."""
        token = settings.token.get()
        return Credentials(settings.token.variable, BearerAuth(token), token)

    def batch(self, client: HttpClient, ids: list[str]) -> Page:
        """The answer about some identifiers."""
        answer = client.post_json(STATUS_PATH, {"messages": ids})
        return answer.page(len(answer.data[RECORDS]))

    def try_out(self, client: HttpClient) -> object:
        """Ask for an identifier that does not exist: the token must be accepted."""
        return client.post_json(STATUS_PATH, {"messages": [NO_SUCH_ID]})

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS.

        A record without a status keeps the provider's answer about it instead, so an identifier
        that the provider does not know (414) is a row like any other.
        """
        status = pl.coalesce("status", "response_status")
        answer = pl.col("response_code")
        is_error = ~answer.is_in([str(code) for code in SUCCESS_CODES])
        sent = blank_to_null(pl.col("sent"))
        updated = blank_to_null(pl.col("updated"))
        done = final_update(status, updated, self.provider)
        channel = pl.col("type").str.to_lowercase()
        return observations(
            scan_json(pages, FIELDS, RECORDS),
            {
                "message_id": pl.col("message_id"),
                "recipient": with_plus(pl.col("recipient")),
                "channel": pl.when(channel.is_in([Channel.SMS.value, Channel.VIBER.value])).then(
                    channel
                ),
                "inbound": pl.lit(value=False),
                "status": status,
                "code": pl.coalesce(pl.when(is_error).then(answer), "rejected_status"),
                "sent_at_text": sent,
                **done,
                "sent_at": self._time(sent),
                "done_at": self._time(done["done_at_text"]),
                "done_at_later": later_reading(
                    done["done_at_text"], (ISO,), self._settings.time_zone
                ),
                "updated_at": self._time(updated),
            },
        )

    def inspect(self, data: Any) -> None:
        """HTTP 200 says nothing here: the answer's own code decides."""
        if not isinstance(data, dict) or "response_code" not in data:
            raise PermanentSourceError(
                f"{self.name}: the answer has no response_code. "
                f"Check that base_url is TurboSMS's API."
            )
        written = str(data["response_code"])
        code = int(written) if written.isdigit() else None
        said = f"the provider answers code {written} {data.get('response_status')}"
        if code in BUSY_CODES:
            raise TransientSourceError(said)
        if code not in SUCCESS_CODES:
            mend = (
                f"Check the token in {self._settings.token.variable} and that the account is active"
                if code in TOKEN_CODES
                else "See the table of response codes in TurboSMS's documentation"
            )
            raise PermanentSourceError(f"{self.name}: {said}. {mend}.")
        if not isinstance(data.get(RECORDS), list):
            raise TransientSourceError(f"the answer has no list '{RECORDS}'")

    def _time(self, text: pl.Expr) -> pl.Expr:
        return times_to_utc(text, (ISO,), self._settings.time_zone)
