"""Unisender API, method checkSms: the status of one message identifier a request.

Facts: https://www.unisender.com/ru/support/integration/api/check-sms and, of the same API under
another name, https://selzy.com/en/support/api/messages/check-sms (all status words, an error) and
https://selzy.com/en/support/api/common/api-errors (codes of errors, the limit).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import polars as pl

from sms_etl.config.secrets import EnvSecret
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.vocabulary import Channel
from sms_etl.sources.auth import QueryAuth
from sms_etl.sources.base import Facts, LandedPage
from sms_etl.sources.http import Answer, BaseUrl, HttpClient
from sms_etl.sources.http_source import Credentials
from sms_etl.sources.one_by_one import ASKED, OneByOneSettings, OneByOneSource, scan_answers
from sms_etl.sources.records import final_at_poll, observations

PATH = "/en/api/checkSms"
FIELDS = ("status", "code")
BUSY_CODES = frozenset(
    {"retry_later", "api_call_limit_exceeded_for_api_key", "api_call_limit_exceeded_for_ip"}
)
ACCOUNT_CODES = frozenset(
    {"invalid_api_key", "access_denied", "unknown_method", "not_enough_money"}
)


class UnisenderSettings(OneByOneSettings):
    """One Unisender account."""

    kind: Literal["unisender"]
    api_key: EnvSecret
    base_url: BaseUrl = "https://api.unisender.com"


class Unisender(OneByOneSource[UnisenderSettings]):
    """Asks for the status of every message the outbox knows, one by one."""

    provider = "unisender"
    settings_type = UnisenderSettings
    allowed = "the API key is accepted"
    facts = Facts(
        title="Unisender API (SMS)",
        window_filter="none; identifiers and the day come from the outbox",
        history="not stated by Unisender",
        look_back="messages of the settling period without a final status",
        rate_limit="1200 requests a minute of one identifier; 5 requests a second by default, so "
        "18 000 messages take an hour",
        proof="contract suite; no official SDK in Python or OpenAPI description exists",
        missing="every time, price, parts, recipient, sender; whether a failed number is dead or "
        "switched off; a price is told when a message is sent and not here",
        reports="the first poll that saw the final status stands for the delivered time, so times "
        "to deliver are upper bounds as coarse as the schedule; cost comes from the tariff in the "
        "settings",
        documents="https://www.unisender.com/ru/support/integration/api/check-sms, "
        "https://selzy.com/en/support/api/messages/check-sms, "
        "https://selzy.com/en/support/api/common/api-errors",
        to_check="that Unisender still sends SMS to your country; how long a status can be asked "
        "for; new status words may appear (those that begin with err_ are failures) and must be "
        "added to the dictionary; for Selzy accounts set base_url to https://api.selzy.com",
    )

    def credentials(self, settings: UnisenderSettings) -> Credentials:
        """The API key, which goes into the query."""
        key = settings.api_key.get()
        return Credentials(settings.api_key.variable, QueryAuth(api_key=key), key)

    def ask(self, client: HttpClient, identifier: str) -> Answer:
        """The status of one message."""
        return client.get_json(PATH, {"format": "json", "sms_id": identifier})

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; a refused identifier has a code and no status."""
        status = pl.col("status")
        return observations(
            scan_answers(pages, FIELDS, _record),
            {
                "message_id": pl.col(ASKED),
                "channel": pl.lit(Channel.SMS.value),
                "inbound": pl.lit(value=False),
                "status": status,
                "code": pl.col("code"),
                **final_at_poll(status, self.provider),
            },
        )

    def inspect(self, data: Any) -> None:
        """HTTP 200 says nothing here: an answer with `error` is an error.

        One that is not known to be the account's is about the message asked for and becomes its
        row.
        """
        if not isinstance(data, dict) or not ({"result", "error"} & data.keys()):
            raise PermanentSourceError(
                f"{self.name}: the answer has no result. Check that base_url is Unisender's API."
            )
        code = data.get("code") if data.get("error") else None
        if code in BUSY_CODES:
            raise TransientSourceError(f"the provider answers {code}")
        if code in ACCOUNT_CODES:
            raise PermanentSourceError(
                f"{self.name}: the provider answers {code}. Check the key in "
                f"{self._settings.api_key.variable} and that the API is on in the account."
            )


def _record(data: Any) -> Mapping[str, Any]:
    if data.get("error"):
        return {"code": data.get("code") or "unspecified"}
    return {"status": data["result"]["status"]}
