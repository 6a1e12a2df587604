"""Kyivstar Open Telecom API: statuses of SMS by message identifier.

Facts: github.com/iamgoroot/kyivstar-opentelecom-go @c6dbcb5 (written from the company's OpenAPI
file), github.com/imsadhappy/laravel-kyivstar-api @c68b925 and
github.com/MakarovIgor/kyivstar.sms.api.php.client @37e4e55. There is no list of messages, so the
identifiers, recipients and times of submission come from the user's own outbox.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field

from sms_etl.config.secrets import EnvSecret
from sms_etl.errors import PermanentSourceError
from sms_etl.model.vocabulary import Channel
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import BaseUrl, HttpClient
from sms_etl.sources.http_source import ByIdSettings, ByIdSource, Credentials
from sms_etl.sources.json_pages import split_page
from sms_etl.sources.oauth import ClientCredentials
from sms_etl.sources.records import final_update, observations, scan_pages
from sms_etl.sources.values import ISO, blank_to_null, times_to_utc

GRANT_PATH = "/idp/oauth2/token"
STATUS_PATH = "/rest/v1/sms/status/batch"
FIELDS = ("msgId", "status", "date", "errorCode")
NO_SUCH_ID = "00000000-0000-0000-0000-000000000000"
UNANSWERED = "unanswered"
"""Key of a page's meta: identifiers asked for that the answer leaves out, as a JSON list."""


class KyivstarSettings(ByIdSettings):
    """One application of Kyivstar's API market."""

    kind: Literal["kyivstar"]
    client_id: str
    client_secret: EnvSecret
    base_url: BaseUrl = "https://api-gateway.kyivstar.ua"
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0


class Kyivstar(ByIdSource[KyivstarSettings]):
    """Asks for the status of every message the outbox knows, in batches."""

    provider = "kyivstar"
    settings_type = KyivstarSettings
    allowed = "the application may ask for statuses"
    facts = Facts(
        title="Kyivstar Open Telecom API (SMS)",
        window_filter="none; identifiers and the day come from the outbox",
        history="not stated by Kyivstar",
        look_back="messages of the settling period without a final status",
        rate_limit="not stated as a number; HTTP 429 is waited out; 5 requests a second of 100 "
        "identifiers by default",
        proof="contract suite; no official SDK exists, and the OpenAPI description could not be "
        "had",
        missing="whether a message failed (error 1040 means not delivered or not known), the "
        "reason, price, parts, recipient, sender",
        reports="undelivered messages are of class unknown, never failed; the date of a final "
        "status stands for the delivered time, which for messages that were seen is later than "
        "the delivery; cost comes from the tariff in the settings",
        documents="github.com/iamgoroot/kyivstar-opentelecom-go@c6dbcb5, "
        "github.com/imsadhappy/laravel-kyivstar-api@c68b925, "
        "github.com/MakarovIgor/kyivstar.sms.api.php.client@37e4e55",
        to_check="all facts are from client libraries; status words other than accepted, "
        "delivered, seen and viewed; how a batch answers for an identifier that failed or is not "
        "known (here: an item with errorCode, or none, which makes a row without a status); how "
        "many identifiers a batch may hold (batch_size); Viber and multichannel messages have "
        "other methods and are not asked for",
    )

    def credentials(self, settings: KyivstarSettings) -> Credentials:
        """The application's name and secret, for which tokens are had."""
        who, secret = settings.client_id, settings.client_secret.get()
        auth = ClientCredentials(self.name, settings, GRANT_PATH, who, secret)
        return Credentials(who, auth, secret)

    def batch(self, client: HttpClient, ids: list[str]) -> Page:
        """The answer about some identifiers; those it leaves out stand in the page's meta."""
        answer = client.post_json(STATUS_PATH, {"data": ids})
        told = answer.data["data"]
        left_out = [identifier for identifier in ids if identifier not in told]
        page = answer.page(len(told) + len(left_out))
        if not left_out:
            return page
        return replace(page, meta={**page.meta, UNANSWERED: json.dumps(left_out)})

    def try_out(self, client: HttpClient) -> object:
        """Ask for an identifier that does not exist: a token must be had and accepted."""
        return client.post_json(STATUS_PATH, {"data": [NO_SUCH_ID]})

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; an identifier that was not answered has no status."""
        status, changed = pl.col("status"), blank_to_null(pl.col("date"))
        done = final_update(status, changed, self.provider)
        return observations(
            scan_pages(pages, FIELDS, _decode),
            {
                "message_id": pl.col("msgId"),
                "channel": pl.lit(Channel.SMS.value),
                "inbound": pl.lit(value=False),
                "status": status,
                "code": pl.col("errorCode"),
                **done,
                "done_at": times_to_utc(done["done_at_text"], (ISO,), "UTC"),
                "updated_at": times_to_utc(changed, (ISO,), "UTC"),
            },
        )

    def inspect(self, data: Any) -> None:
        """An error may come inside HTTP 200: `errorCode` instead of `data`."""
        if isinstance(data, dict) and isinstance(data.get("data"), dict):
            return
        code = data.get("errorCode") if isinstance(data, dict) else None
        raise PermanentSourceError(
            f"{self.name}: the answer has no data (errorCode {code}). Check that the application "
            f"{self._settings.client_id} has the SMS product and that base_url is Kyivstar's API."
        )


def _decode(page: LandedPage, body: bytes) -> pl.DataFrame:
    left_out = json.loads(page.meta.get(UNANSWERED, "[]"))

    def split(data: Any) -> list[Any]:
        told = [{"msgId": identifier, **item} for identifier, item in data["data"].items()]
        return [*told, *({"msgId": identifier} for identifier in left_out)]

    return split_page(body, FIELDS, split)
