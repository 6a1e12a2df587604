"""AlphaSMS JSON interface: statuses by the identifier the client gave each message.

Facts: github.com/OneNoxTi/sms-api docs/api/json (the source of docs.alphasms.net/api/json).
AlphaSMS's XML, HTTP and JSON interfaces have three vocabularies in which the same number means
different things, so the dictionary is named after the interface: `alphasms_json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field

from sms_etl.config.secrets import EnvSecret
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.vocabulary import Channel
from sms_etl.sources.auth import NoAuth
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import QUOTED_CHARACTERS, Answer, BaseUrl, HttpClient
from sms_etl.sources.http_source import ByIdSettings, ByIdSource, Credentials
from sms_etl.sources.records import final_at_poll, observations, scan_json

PATH = "/api/json.php"
RECORDS = "data"
FIELDS = ("data.id", "data.type", "data.status", "error")
ACCESS_DENIED = "Access denied"


class AlphaSmsSettings(ByIdSettings):
    """One AlphaSMS account."""

    kind: Literal["alphasms"]
    key: EnvSecret
    base_url: BaseUrl = "https://alphasms.ua"
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0


class AlphaSms(ByIdSource[AlphaSmsSettings]):
    """Asks for the status of every message the outbox knows, in batches."""

    provider = "alphasms_json"
    settings_type = AlphaSmsSettings
    allowed = "the key may use the JSON interface"
    facts = Facts(
        title="AlphaSMS JSON interface",
        window_filter="none; identifiers and the day come from the outbox; the identifier is the "
        "client's own number (id), not AlphaSMS's msg_id",
        history="not stated by AlphaSMS",
        look_back="messages of the settling period without a final status",
        rate_limit="not stated by AlphaSMS; 5 requests a second of 100 identifiers by default",
        proof="contract suite; no official SDK or OpenAPI description exists",
        missing="every time, price, parts, recipient, sender, text, and for most failures the "
        "reason",
        reports="the first poll that saw the final status stands for the delivered time, so times "
        "to deliver are upper bounds as coarse as the schedule; cost comes from the tariff in the "
        "settings; messages are of provider 'alphasms_json', because the other two interfaces "
        "have other words and codes",
        documents="github.com/OneNoxTi/sms-api docs/api/json/message_status.md@4a0aa3b, "
        "docs/api/json/message_statuses.md@ddfa68b, https://docs.alphasms.net/api/json",
        to_check="the host (newer documents name https://alphasms.net; set base_url); how many "
        "identifiers one request may hold; what is said of an unknown identifier; whether "
        "ACCEPTED can be the last word",
    )

    def credentials(self, settings: AlphaSmsSettings) -> Credentials:
        """The key, which goes into the body."""
        return Credentials(settings.key.variable, NoAuth(), settings.key.get())

    def batch(self, client: HttpClient, ids: list[str]) -> Page:
        """The answer about some identifiers, which has an item for each of them.

        Raises:
            PermanentSourceError: it has fewer.
        """
        answer = self._ask(client, [{"type": "status", "id": _number(one)} for one in ids])
        told = len(answer.data[RECORDS])
        if told < len(ids):
            raise PermanentSourceError(
                f"{self.name}: the provider tells of {told} of {len(ids)} identifiers. "
                f"Make batch_size of this source smaller."
            )
        return answer.page(told)

    def try_out(self, client: HttpClient) -> object:
        """Ask for the balance: the key must be accepted."""
        return self._ask(client, [{"type": "balance"}])

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; the text of a message's error is its code."""
        status, kind = pl.col("data.status"), pl.col("data.type").str.to_lowercase()
        return observations(
            scan_json(pages, FIELDS, RECORDS),
            {
                "message_id": pl.col("data.id"),
                "channel": pl.when(kind.is_in([word.value for word in Channel])).then(kind),
                "inbound": pl.lit(value=False),
                "status": status,
                "code": pl.col("error"),
                **final_at_poll(status, self.provider),
            },
        )

    def inspect(self, data: Any) -> None:
        """HTTP 200 says nothing here: `success` decides.

        Only one refusal is documented; any other may pass and is asked again.
        """
        if not isinstance(data, dict) or "success" not in data:
            raise PermanentSourceError(
                f"{self.name}: the answer does not say 'success'. "
                f"Check that base_url is AlphaSMS's API."
            )
        if not data["success"]:
            key = self._settings.key
            said = str(data.get("error")).replace(key.get(), "***")[:QUOTED_CHARACTERS]
            if said == ACCESS_DENIED:
                raise PermanentSourceError(
                    f"{self.name}: the provider answers '{said}'. Check the key in {key.variable} "
                    f"and that the JSON interface is on in AlphaSMS's cabinet."
                )
            raise TransientSourceError(f"the provider answers '{said}'")
        if not isinstance(data.get(RECORDS), list):
            raise TransientSourceError(f"the answer has no list '{RECORDS}'")

    def _ask(self, client: HttpClient, requests: list[dict[str, Any]]) -> Answer:
        return client.post_json(PATH, {"auth": self._settings.key.get(), "data": requests})


def _number(identifier: str) -> int | str:
    """AlphaSMS's identifiers are numbers; another one is asked for as it stands."""
    return int(identifier) if identifier.isdecimal() else identifier
