"""GatewayAPI REST API: a message with its recipients, by identifier.

Facts: github.com/onlinecity/gatewayapi-docs docs/rest.rst @03d59bf and docs/errors.rst @0685bfa,
GatewayAPI's own documents. There is no list of messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field
from requests.auth import HTTPBasicAuth

from sms_etl.config.secrets import EnvSecret
from sms_etl.model.vocabulary import TimeOrigin
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import BaseUrl, HttpClient
from sms_etl.sources.http_source import Asking, ByIdSettings, ByIdSource, Credentials
from sms_etl.sources.json_pages import split_page
from sms_etl.sources.records import done_origin, final_update, observations, scan_pages
from sms_etl.sources.values import UNIX_SECONDS, blank_to_null, times_to_utc, with_plus

PATH = "/rest/mtsms"
BALANCE_PATH = "/rest/me"
NOT_FOUND = 404
ASKED = "message_id"
"""Key of a page's meta: the identifier that was asked for."""
RECIPIENTS = "recipients"
BETWEEN = ":"
"""Stands between the identifier of a message and the number of one of its recipients."""
FIELDS = (
    "id", "sender", "label", "class", "text", "msisdn", "dsnstatus", "dsnerrorcode", "dsntime",
    "senttime", "mcc", "mnc",
)  # fmt: skip
MNC_DIGITS = 2


class GatewayApiSettings(ByIdSettings):
    """One GatewayAPI account."""

    kind: Literal["gatewayapi"]
    token: EnvSecret
    base_url: BaseUrl = "https://gatewayapi.com"
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    batch_size: Literal[1] = 1


class GatewayApi(ByIdSource[GatewayApiSettings]):
    """Asks for every message the outbox knows, one a request."""

    provider = "gatewayapi"
    settings_type = GatewayApiSettings
    allowed = "the token is accepted"
    facts = Facts(
        title="GatewayAPI REST API",
        window_filter="none; identifiers and the day come from the outbox; a message to several "
        "recipients has one identifier, so the outbox names each 'identifier:number' (421332671:"
        "380671234567)",
        history="not stated by GatewayAPI",
        look_back="messages of the settling period without a final status",
        rate_limit="40 open connections an address; 5 requests a second of one identifier by "
        "default, so 18 000 messages take an hour",
        proof="contract suite; no official SDK or OpenAPI description was found; two public "
        "clients show the same fields",
        missing="time of submission, price, parts; whether a message that is not found was never "
        "sent or is only not sent yet",
        reports="a message that is not found is pending, and after the silence of the settings "
        "unknown; cost comes from the tariff in the settings, parts from the text; the campaign "
        "is the label, where the outbox names none",
        documents="github.com/onlinecity/gatewayapi-docs docs/rest.rst@03d59bf, "
        "docs/errors.rst@0685bfa, https://gatewayapi.com/docs/apis/rest/",
        to_check="the documents are of 2021, and GatewayAPI recommends webhooks and promises less "
        "for this request than for others; the form of dsnerrorcode (taken as in webhooks: "
        "0x1010), never seen filled; what csms counts (not read); the reading of ACCEPTED and "
        "SKIPPED; accounts on gatewayapi.eu need that base_url",
    )

    def credentials(self, settings: GatewayApiSettings) -> Credentials:
        """The token, as the user of HTTP Basic without a password."""
        token = settings.token.get()
        return Credentials(settings.token.variable, HTTPBasicAuth(token, ""), token)

    def batch(self, client: HttpClient, ids: list[str]) -> Page:
        """The answer about one identifier; 404 is an answer too."""
        (asked,) = ids
        number = asked.partition(BETWEEN)[0]
        answer = client.get_json(f"{PATH}/{number}", accepted=(NOT_FOUND,))
        page = answer.page(len(_records(answer.data, asked)))
        return replace(page, meta={**page.meta, ASKED: asked})

    def try_out(self, client: HttpClient) -> object:
        """Ask for the balance: the token must be accepted."""
        return client.get_json(BALANCE_PATH)

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; a message that was not found has no status."""
        status = pl.col("dsnstatus")
        done = final_update(status, pl.col("dsntime"), self.provider)["done_at_text"]
        return observations(
            scan_pages(pages, FIELDS, _decode),
            {
                "message_id": pl.col("id"),
                "recipient": with_plus(pl.col("msisdn")),
                "sender": pl.col("sender"),
                "service": pl.col("class"),
                "campaign": blank_to_null(pl.col("label")),
                "inbound": pl.lit(value=False),
                "status": status,
                "code": blank_to_null(pl.col("dsnerrorcode")),
                "sent_at_text": pl.col("senttime"),
                "done_at_text": done,
                "sent_at": _time(pl.col("senttime")),
                "done_at": _time(done),
                "done_at_origin": done_origin(done, TimeOrigin.PROVIDER),
                "updated_at": _time(pl.col("dsntime")),
                "text": pl.col("text"),
                "mcc_mnc": pl.col("mcc") + pl.col("mnc").str.zfill(MNC_DIGITS),
            },
        )

    def _shares(self, ids: list[str]) -> list[Asking]:
        """A message to several recipients is asked for once."""
        return super()._shares(list({one.partition(BETWEEN)[0]: one for one in ids}.values()))


def _time(text: pl.Expr) -> pl.Expr:
    return times_to_utc(text, (UNIX_SECONDS,), "UTC")


def _decode(page: LandedPage, body: bytes) -> pl.DataFrame:
    return split_page(body, FIELDS, lambda data: _records(data, page.meta[ASKED]))


def _records(data: Any, asked: str) -> list[Any]:
    """One record a recipient; the identifier alone if there is no message.

    The documents show the message inside a list, public clients show it without.
    """
    message = data[0] if isinstance(data, list) and data else data
    recipients = message.get(RECIPIENTS) if isinstance(message, dict) else None
    if not isinstance(recipients, list) or not recipients:
        return [{"id": asked}]
    shared = {
        **{name: message.get(name) for name in ("sender", "label", "class")},
        "text": None if message.get("tags") else message.get("message"),
    }
    whole = len(recipients) == 1 and BETWEEN not in asked
    return [
        {**one, **shared, "id": asked if whole else _own_id(asked, one)}
        if isinstance(one, dict)
        else one
        for one in recipients
    ]


def _own_id(asked: str, recipient: dict[str, Any]) -> str | None:
    """The identifier of a message to one of several recipients."""
    number = recipient.get("msisdn")
    return f"{asked.partition(BETWEEN)[0]}{BETWEEN}{number}" if number else None
