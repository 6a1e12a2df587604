"""Omnicell (lifecell bulk messages), ip2sms in JSON: the state of one message a request.

Facts: public clients of api.omnicell.com.ua/ip2sms-request (a Django one and a Flask one, the
latter reading `deliveryDate` of an extended answer), github.com/vedekon/SMS-Life demo.php (the
words of refusals) and https://docs.omnicell.ua. The same interface exists in XML; it is not used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import polars as pl
from requests.auth import HTTPBasicAuth

from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import ZoneName
from sms_etl.errors import PermanentSourceError
from sms_etl.model.vocabulary import TimeOrigin
from sms_etl.sources.base import Facts, LandedPage
from sms_etl.sources.http import Answer, BaseUrl, HttpClient
from sms_etl.sources.http_source import Credentials
from sms_etl.sources.one_by_one import ASKED, OneByOneSettings, OneByOneSource, scan_answers
from sms_etl.sources.records import done_origin, observations
from sms_etl.sources.values import ISO, blank_to_null, later_reading, times_to_utc

PATH = "/ip2sms-request/"
FIELDS = ("state.value", "state.error", "deliveryDate", "error")
RFC_2822 = "%a, %d %b %Y %H:%M:%S %z"
TIME_FORMATS = (RFC_2822, ISO)
WITH_NUMBER = r"^(Unknown operator code).*$"
"""The one refusal whose words hold a number of their own."""


class OmnicellSettings(OneByOneSettings):
    """One Omnicell account."""

    kind: Literal["omnicell"]
    login: str
    password: EnvSecret
    base_url: BaseUrl = "https://api.omnicell.com.ua"
    time_zone: ZoneName = "Europe/Kyiv"


class Omnicell(OneByOneSource[OmnicellSettings]):
    """Asks for the state of every message the outbox knows, one by one."""

    provider = "omnicell"
    settings_type = OmnicellSettings
    allowed = "the login may ask for states"
    facts = Facts(
        title="Omnicell (lifecell) ip2sms, JSON",
        window_filter="none; identifiers and the day come from the outbox",
        history="not stated by Omnicell",
        look_back="messages of the settling period without a final status",
        rate_limit="not stated by Omnicell; 5 requests a second of one identifier by default, so "
        "18 000 messages take an hour",
        proof="contract suite; no official SDK or OpenAPI description exists",
        missing="channel (SMS, Viber or BiP), time of sending, time of a failure, price, parts, "
        "recipient, sender; the reason of a failure but for refusals",
        reports="the channel is unknown; cost comes from the tariff in the settings",
        documents="https://docs.omnicell.ua, https://docs.omnicell.com.ua/sms-ott-xml-api.html, "
        "github.com/vedekon/SMS-Life, public clients of api.omnicell.com.ua",
        to_check="all facts of the JSON answer are from client libraries: the form of deliveryDate "
        "(RFC 2822 and ISO are read; one without an offset is taken for time_zone), that an "
        "unknown identifier is answered with 'error' in HTTP 200, and how fast one may ask",
    )

    def credentials(self, settings: OmnicellSettings) -> Credentials:
        """Login and password."""
        secret = settings.password.get()
        return Credentials(settings.login, HTTPBasicAuth(settings.login, secret), secret)

    def ask(self, client: HttpClient, identifier: str) -> Answer:
        """The state of one message; identifiers are numbers."""
        number = int(identifier) if identifier.isdecimal() else identifier
        return client.post_json(PATH, {"extended": True, "id": number, "value": "state"})

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; the words of a refusal are its code."""
        done, zone = blank_to_null(pl.col("deliveryDate")), self._settings.time_zone
        code = pl.coalesce("state.error", "error").str.replace(WITH_NUMBER, "$1")
        return observations(
            scan_answers(pages, FIELDS, _record),
            {
                "message_id": pl.col(ASKED),
                "inbound": pl.lit(value=False),
                "status": pl.col("state.value"),
                "code": code,
                "done_at_text": done,
                "done_at": times_to_utc(done, TIME_FORMATS, zone),
                "done_at_later": later_reading(done, TIME_FORMATS, zone),
                "done_at_origin": done_origin(done, TimeOrigin.PROVIDER),
            },
        )

    def inspect(self, data: Any) -> None:
        """An answer has a state, or an error, which is about the message asked for."""
        if not isinstance(data, dict) or not ({"state", "error"} & data.keys()):
            raise PermanentSourceError(
                f"{self.name}: the answer has neither state nor error. Check that base_url is "
                f"Omnicell's API and that the account may use it in JSON."
            )


def _record(data: Any) -> Mapping[str, Any]:
    """An answer; a state without details may be a word alone."""
    state = data.get("state")
    return {**data, "state": {"value": state}} if isinstance(state, str) else data
