"""eSputnik (now Yespo) API v1: statuses of single SMS messages by identifier.

Facts: dkulyk/esputnik src/ESputnik.php @14aef8b and src/Types/InstantMessageStatusDto.php @ea0b4c7
(paths, fields), updevru/php-esputnik-api lib/Esputnik/Api/Message.php @9e7ebd0 (`ids`), and the
Bitrix module mlife.smsservices, Transport/Esputnik.php (status words). What was sent by a
campaign of eSputnik itself has no identifier in the user's outbox and is not seen here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field
from requests.auth import HTTPBasicAuth

from sms_etl.config.secrets import EnvSecret
from sms_etl.errors import PermanentSourceError
from sms_etl.model.vocabulary import Channel
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import BaseUrl, HttpClient
from sms_etl.sources.http_source import ByIdSettings, ByIdSource, Credentials
from sms_etl.sources.json_pages import split_page
from sms_etl.sources.records import final_at_poll, observations, scan_pages

STATUS_PATH = "/api/v1/message/sms/status"
BALANCE_PATH = "/api/v1/balance"
RECORDS = "results"
FIELDS = ("asked", "status")
ASKED = "asked"
"""Key of a page's meta: the identifiers asked for, as a JSON list."""


class ESputnikSettings(ByIdSettings):
    """One eSputnik organisation. With an API key as the password any username will do."""

    kind: Literal["esputnik"]
    username: str = "api"
    password: EnvSecret
    base_url: BaseUrl = "https://esputnik.com"
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    batch_size: Annotated[int, Field(ge=1, le=100)] = 50


class ESputnik(ByIdSource[ESputnikSettings]):
    """Asks for the status of every message the outbox knows, in batches."""

    provider = "esputnik"
    settings_type = ESputnikSettings
    allowed = "the password or key is accepted"
    facts = Facts(
        title="eSputnik (Yespo) API v1, single SMS messages",
        window_filter="none; identifiers (requestId) and the day come from the outbox",
        history="not stated by eSputnik",
        look_back="messages of the settling period without a final status",
        rate_limit="not stated by eSputnik; 5 requests a second of 50 identifiers by default",
        proof="contract suite; no SDK in Python or OpenAPI description was seen",
        missing="every time, price, parts, recipient, sender, codes; messages of campaigns that "
        "eSputnik sends itself",
        reports="the first poll that saw the final status stands for the delivered time, so times "
        "to deliver are upper bounds as coarse as the schedule; cost comes from the tariff in the "
        "settings",
        documents="github.com/dkulyk/esputnik, github.com/updevru/php-esputnik-api, Bitrix module "
        "mlife.smsservices",
        to_check="all facts are from client libraries, the status words from one alone; how many "
        "identifiers one request may hold; that any username goes with an API key",
    )

    def credentials(self, settings: ESputnikSettings) -> Credentials:
        """HTTP Basic."""
        secret = settings.password.get()
        auth = HTTPBasicAuth(settings.username, secret)
        return Credentials(settings.password.variable, auth, secret)

    def batch(self, client: HttpClient, ids: list[str]) -> Page:
        """The answer about some identifiers."""
        answer = client.get_json(STATUS_PATH, {"ids": ",".join(ids)})
        page = answer.page(len(_records(answer.data, ids)))
        return replace(page, meta={**page.meta, ASKED: json.dumps(ids)})

    def try_out(self, client: HttpClient) -> object:
        """Ask for the balance: the password must be accepted."""
        return client.get_json(BALANCE_PATH)

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; an identifier that was not answered has no status."""
        status = pl.col("status")
        return observations(
            scan_pages(pages, FIELDS, _decode),
            {
                "message_id": pl.col("asked"),
                "channel": pl.lit(Channel.SMS.value),
                "inbound": pl.lit(value=False),
                "status": status,
                **final_at_poll(status, self.provider),
            },
        )

    def inspect(self, data: Any) -> None:
        """An answer is an object."""
        if not isinstance(data, dict):
            raise PermanentSourceError(
                f"{self.name}: the answer is not an object. Check that base_url is eSputnik's."
            )


def _decode(page: LandedPage, body: bytes) -> pl.DataFrame:
    asked = json.loads(page.meta[ASKED])
    return split_page(body, FIELDS, lambda data: _records(data, asked))


def _records(data: Any, asked: list[str]) -> list[Any]:
    """Records with the identifier asked for, then one for each identifier left out.

    A single record stands without its list, and no record at all may stand as nothing.
    """
    results = data.get(RECORDS) or []
    answered = [_named(record, asked) for record in _listed(results)]
    found = {record["asked"] for record in answered if isinstance(record, dict)}
    return [*answered, *({"asked": name} for name in asked if name not in found)]


def _listed(results: Any) -> list[Any]:
    return results if isinstance(results, list) else [results]


def _named(record: Any, asked: list[str]) -> Any:
    """A message goes by its requestId or its number, whichever the outbox keeps."""
    if not isinstance(record, dict):
        return record
    names = [str(record[name]) for name in ("requestId", "id") if record.get(name) is not None]
    known = [name for name in names if name in asked]
    return {**record, "asked": next(iter([*known, *names]), None)}
