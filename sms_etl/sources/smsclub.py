"""SMS Club JSON API: statuses by message identifier.

Facts: https://smsclub.mobi/en/api, and the company's own client and examples at
github.com/smsclub/wordpress_plugin (php-new-master) and github.com/smsclub/php. An answer is a
table of identifiers and status words and nothing else, so the identifiers, recipients and times of
submission come from the user's own outbox.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field

from sms_etl.config.secrets import EnvSecret
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.vocabulary import Channel
from sms_etl.sources.auth import BearerAuth
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import TRANSIENT_STATUSES, BaseUrl, HttpClient
from sms_etl.sources.http_source import ByIdSettings, ByIdSource, Credentials
from sms_etl.sources.json_pages import split_page
from sms_etl.sources.records import final_at_poll, observations, scan_pages

STATUS_PATH = "/sms/status"
BALANCE_PATH = "/sms/balance"
RECORDS = "success_request"
FIELDS = ("id", "status")
LARGEST_BATCH = 100
REQUESTS_PER_SECOND = 9.0
UNANSWERED = "unanswered"
"""Key of a page's meta: identifiers asked for that the answer leaves out, as a JSON list."""


class SmsClubSettings(ByIdSettings):
    """One SMS Club account."""

    kind: Literal["smsclub"]
    token: EnvSecret
    base_url: BaseUrl = "https://im.smsclub.mobi"
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = REQUESTS_PER_SECOND
    batch_size: Annotated[int, Field(ge=1, le=LARGEST_BATCH)] = LARGEST_BATCH


class SmsClub(ByIdSource[SmsClubSettings]):
    """Asks for the status of every message the outbox knows, in batches."""

    provider = "smsclub"
    settings_type = SmsClubSettings
    allowed = "the token is accepted"
    facts = Facts(
        title="SMS Club JSON API",
        window_filter="none; identifiers and the day come from the outbox",
        history="not stated by SMS Club",
        look_back="messages of the settling period without a final status",
        rate_limit="9 requests a second of 100 identifiers",
        proof="contract suite; no SDK in Python or OpenAPI description exists (the company's own "
        "client is PHP)",
        missing="every time, the reason of a failure, price, parts, recipient, sender",
        reports="the first poll that saw the final status stands for the delivered time, so times "
        "to deliver are upper bounds as coarse as the schedule; every reason is 'not stated' but "
        "for expired messages; cost comes from the tariff in the settings",
        documents="https://smsclub.mobi/en/api, github.com/smsclub/wordpress_plugin, "
        "github.com/smsclub/php",
        to_check="what the answer says of an identifier it does not know (here: left out of the "
        "table, which makes a row without a status); Viber messages have another method and are "
        "not asked for",
    )

    def credentials(self, settings: SmsClubSettings) -> Credentials:
        """The token."""
        token = settings.token.get()
        return Credentials(settings.token.variable, BearerAuth(token), token)

    def batch(self, client: HttpClient, ids: list[str]) -> Page:
        """The answer about some identifiers; those it leaves out stand in the page's meta."""
        answer = client.post_json(STATUS_PATH, {"id_sms": ids})
        told = _statuses(answer.data)
        page = answer.page(len(ids))
        left_out = [identifier for identifier in ids if identifier not in told]
        if not left_out:
            return page
        return replace(page, meta={**page.meta, UNANSWERED: json.dumps(left_out)})

    def try_out(self, client: HttpClient) -> object:
        """Ask for the balance: the token must be accepted."""
        return client.post_json(BALANCE_PATH, {})

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; an identifier that was not answered has no status."""
        status = pl.col("status")
        return observations(
            scan_pages(pages, FIELDS, _decode),
            {
                "message_id": pl.col("id"),
                "channel": pl.lit(Channel.SMS.value),
                "inbound": pl.lit(value=False),
                "status": status,
                **final_at_poll(status, self.provider),
            },
        )

    def inspect(self, data: Any) -> None:
        """An error has `status` (the HTTP status) and `message` instead of the result."""
        if isinstance(data, dict) and isinstance(data.get(RECORDS), dict):
            return
        status = data.get("status") if isinstance(data, dict) else None
        if status in TRANSIENT_STATUSES:
            raise TransientSourceError(f"the provider answers status {status}")
        raise PermanentSourceError(
            f"{self.name}: the answer has no {RECORDS} (status {status}). Check the token in "
            f"{self._settings.token.variable} and that base_url is SMS Club's API."
        )


def _statuses(data: Any) -> dict[str, Any]:
    """Identifier to status word; PHP writes an empty table as a list."""
    table = data[RECORDS].get("info") or {}
    if not isinstance(table, dict):
        raise TypeError(f"info is not a table but {type(table).__name__}")
    return table


def _decode(page: LandedPage, body: bytes) -> pl.DataFrame:
    left_out = json.loads(page.meta.get(UNANSWERED, "[]"))

    def split(data: Any) -> list[Any]:
        told = _statuses(data)
        answered = [{"id": identifier, "status": word} for identifier, word in told.items()]
        return [*answered, *({"id": identifier} for identifier in left_out)]

    return split_page(body, FIELDS, split)
