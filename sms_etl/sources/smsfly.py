"""SMS-Fly API v2: the status of one message identifier a request.

Facts: PyPI smsflyapi2 0.9.9 (requests, a sample answer), nightflyza/Ubilling
api/vendor/senddog_classic_services/smsflyapi2.php @d9b3198 (status words, errors) and
Nekkoy/gateway-smsfly (an answer with two channels). An answer has an object per channel that the
message may take; a message is one row whichever channel carried it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field

from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import Currency
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.vocabulary import Channel
from sms_etl.sources.auth import NoAuth
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import Answer, BaseUrl, HttpClient
from sms_etl.sources.http_source import ByIdSettings, ByIdSource, Credentials
from sms_etl.sources.json_pages import split_page
from sms_etl.sources.records import final_update, observations, scan_pages
from sms_etl.sources.values import cost_micro, times_to_utc

PATH = "/api/v2/api.php"
FIELDS = ("id", "channel", "status", "date", "cost", "code")
ASKED = "message_id"
"""Key of a page's meta: the identifier asked for; an error does not repeat it."""
TIME_FORMAT = "%Y-%m-%d %H:%M:%S %z"
FORBIDDEN = "FORBIDDEN"
ARRIVED = frozenset({"DELIVRD", "VIEWED"})
NOT_CHARGED = ("STOPED", "INSUFFICIENTFUNDS", "REFUND")
"""Never sent or paid back; the answer shows the price all the same."""


class SmsFlySettings(ByIdSettings):
    """One SMS-Fly account. Its answers have prices without a currency."""

    kind: Literal["smsfly"]
    key: EnvSecret
    base_url: BaseUrl = "https://sms-fly.ua"
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    batch_size: Annotated[int, Field(ge=1, le=1)] = 1
    currency: Currency = "UAH"


class SmsFly(ByIdSource[SmsFlySettings]):
    """Asks for the status of every message the outbox knows, one by one."""

    provider = "smsfly"
    settings_type = SmsFlySettings
    facts = Facts(
        title="SMS-Fly API v2",
        window_filter="none; identifiers and the day come from the outbox",
        history="not stated by SMS-Fly",
        look_back="messages of the settling period without a final status",
        rate_limit="not stated by SMS-Fly; 5 requests a second of one identifier by default, "
        "so 18 000 messages take an hour",
        proof="contract suite; no official SDK or OpenAPI description exists",
        missing="time of sending, the reason of a failure, parts, recipient, sender, currency",
        reports="the date of a final status stands for the delivered time; cost is the price of "
        "the channel that carried the message, in the currency of the settings, and none for "
        "stopped and refunded messages",
        documents="pypi.org/project/smsflyapi2, github.com/nightflyza/Ubilling, "
        "github.com/Nekkoy/gateway-smsfly",
        to_check="all facts are from client libraries: that a channel's date is that of its last "
        "status, what is charged when Viber fails and SMS follows, what RESERVED means, and the "
        "codes of errors other than FORBIDDEN",
    )

    def credentials(self, settings: SmsFlySettings) -> Credentials:
        """The key, which goes into the body."""
        return Credentials(settings.key.variable, NoAuth(), settings.key.get())

    def batch(self, client: HttpClient, ids: list[str]) -> Page:
        """The answer about one identifier."""
        (identifier,) = ids
        page = self._ask(client, "GETMESSAGESTATUS", {"messageID": identifier}).page(1)
        return replace(page, meta={**page.meta, ASKED: identifier})

    def try_out(self, client: HttpClient) -> object:
        """Ask for the balance: the key must be accepted."""
        answer = self._ask(client, "GETBALANCE", {})
        if code := _error(answer.data):
            raise self._refused(code)
        return answer

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; a refused identifier has a code and no status."""
        status = pl.col("status")
        done = final_update(status, pl.col("date"), self.provider)
        price = pl.when(~status.is_in(NOT_CHARGED)).then(pl.col("cost"))
        return observations(
            scan_pages(pages, FIELDS, _decode),
            {
                "message_id": pl.col("id"),
                "channel": pl.when(pl.col("channel").is_in([*Channel])).then(pl.col("channel")),
                "inbound": pl.lit(value=False),
                "status": status,
                "code": pl.col("code"),
                **done,
                "done_at": times_to_utc(done["done_at_text"], (TIME_FORMAT,), "UTC"),
                "updated_at": times_to_utc(pl.col("date"), (TIME_FORMAT,), "UTC"),
                "price_text": price,
                "cost_micro": cost_micro(price, charge_is_negative=False),
                "currency": pl.lit(self._settings.currency),
            },
        )

    def inspect(self, data: Any) -> None:
        """HTTP 200 says nothing here: `success` decides.

        Any error but FORBIDDEN is about the one message asked for and becomes its row.
        """
        if not isinstance(data, dict) or "success" not in data:
            raise PermanentSourceError(
                f"{self.name}: the answer has no 'success'. Check that base_url is SMS-Fly's."
            )
        code = _error(data)
        if code == FORBIDDEN:
            raise self._refused(code)
        if code is None and not isinstance(data.get("data"), dict):
            raise TransientSourceError("the answer has no object 'data'")

    def _ask(self, client: HttpClient, action: str, data: dict[str, str]) -> Answer:
        key = self._settings.key.get()
        return client.post_json(PATH, {"auth": {"key": key}, "action": action, "data": data})

    def _refused(self, code: str) -> PermanentSourceError:
        return PermanentSourceError(
            f"{self.name}: the provider answers {code}. "
            f"Check the key in {self._settings.key.variable} and the account's access to the API."
        )


def _error(data: Any) -> str | None:
    """The code of an answer that is an error."""
    if str(data["success"]) == "1":
        return None
    error = data.get("error")
    return str(error.get("code")) if isinstance(error, dict) else "(no code)"


def _decode(page: LandedPage, body: bytes) -> pl.DataFrame:
    def split(answer: Any) -> list[Any]:
        if code := _error(answer):
            return [{"id": page.meta[ASKED], "code": code}]
        message = answer["data"]
        channel, attempt = _carrier(message)
        return [{**attempt, "id": message["messageID"], "channel": channel}]

    return split_page(body, FIELDS, split)


def _carrier(message: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The channel that stands for the message: where it arrived, else SMS, the last resort."""
    attempts = {name: value for name, value in message.items() if isinstance(value, dict)}
    arrived = [name for name in attempts if attempts[name].get("status") in ARRIVED]
    for name in (*arrived, Channel.SMS.value, *attempts):
        if name in attempts:
            return name, attempts[name]
    return None, {}
