"""What every simulated provider has: the messages it shows, its words for them, and its faults.

A provider is one module `<name>_api.py` with a subclass of ProviderApi, and one line in
registry.APIS. All of them show the same messages of the same world.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.model.vocabulary import Engagement
from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.lifecycle import seen_at
from sms_etl.sandbox.outcomes import OUTCOMES
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import World

STAGES = ("waiting", "leaving", "sent", "read")
"""Where a message is before it is done, and after: keys of `words` beside the outcomes."""

_ID_NOISE = r"^SM|-"


@dataclass(frozen=True)
class Told:
    """What a provider says of a stage or an outcome: its status word and its code."""

    word: str | None
    code: str | int | None = None


class ProviderApi(ABC):
    """One provider's API over a simulated world, read-only.

    A subclass sets `name`, `words` (one row per stage and outcome) and answers requests.
    It is served under `/<name>`.
    """

    name: ClassVar[str]
    words: ClassVar[Mapping[str, Told]]
    own_way: ClassVar[Way] = Way.TWILIO
    lists_messages: ClassVar[bool] = True
    """False where only engagement is served; such a provider needs no words."""
    id_field: ClassVar[str] = "id"
    """Top-level field of a record that holds the identifier."""
    kept: ClassVar[tuple[str, ...]] = ()
    """Fields that `blank` leaves beside the identifier: what a record is found by."""

    def __init__(self, world: World, accounts: Accounts, way: Way | None = None) -> None:
        self.world = world
        self.accounts = accounts
        self.way = way or self.own_way
        self.messages = self.identified(world.by_way[self.way])
        """The messages shown, oldest first, with identifiers in this provider's form."""
        self.position: dict[str, int] = {
            identifier: at for at, identifier in enumerate(self.messages["message_id"])
        }

    @abstractmethod
    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time; the mount is already cut off the path."""

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """The provider's own form of an identifier, made of 32 hexadecimal digits."""
        return thirty_two_hex

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """The provider's answer with an HTTP error status: 401, 429 or 500."""
        return json_reply(status, {"error": f"HTTP {status}"}, headers)

    def busy(self) -> Reply | None:
        """An error for now inside HTTP 200; None where the provider uses HTTP statuses alone."""
        return None

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message (a row of `seen`) in the provider's fields; `records` uses it."""
        raise NotImplementedError(f"{self.name} makes its records itself")

    def identified(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of the world with identifiers in this provider's form."""
        return rows.with_columns(self.own_id(), way=pl.lit(str(self.own_way)))

    def own_id(self) -> pl.Expr:
        """The world's `message_id` in this provider's form."""
        plain = pl.col("message_id").str.replace_all(_ID_NOISE, "").str.zfill(32)
        return self.identifier(plain).alias("message_id")

    def seen(self, rows: pl.DataFrame, now: datetime, faults: FaultSettings) -> pl.DataFrame:
        """Rows of `messages` as they are at a time, with `word` and `code` (String) added."""
        seen = self.worded(seen_at(rows, now))
        identifier = pl.col("message_id")
        for column, odd in (("word", faults.status_words), ("code", faults.codes)):
            for which, text in odd.items():
                seen = seen.with_columns(
                    pl.when(identifier == which).then(pl.lit(text)).otherwise(column).alias(column)
                )
        return seen

    def worded(self, seen: pl.DataFrame) -> pl.DataFrame:
        """Add `word` and `code` to rows of lifecycle.seen_at."""
        key = pl.when(pl.col("stage") == "done").then("outcome").otherwise("stage")
        table = pl.DataFrame(
            [
                (name, told.word, None if told.code is None else str(told.code))
                for name, told in self.words.items()
            ],
            schema={"_key": pl.String, "word": pl.String, "code": pl.String},
            orient="row",
        )
        return (
            seen.with_columns(_key=key)
            .join(table, on="_key", how="left", maintain_order="left")
            .drop("_key")
        )

    def records(
        self, rows: pl.DataFrame, now: datetime, faults: FaultSettings
    ) -> list[dict[str, Any]]:
        """The provider's records of rows of `messages`, spoiled as the faults say."""
        seen = self.seen(rows, now, faults)
        return self.spoiled([self.record(row) for row in seen.iter_rows(named=True)], faults)

    def spoiled(self, records: list[dict[str, Any]], faults: FaultSettings) -> list[dict[str, Any]]:
        """Records with only their identifier left, and records that come twice."""
        left = (self.id_field, *self.kept)
        return [
            dict.fromkeys(record) | {name: record[name] for name in left}
            if str(record[self.id_field]) in faults.blank
            else record
            for record in records
            for _ in range(2 if str(record[self.id_field]) in faults.twice else 1)
        ]

    def engaged(self, kind: Engagement) -> pl.DataFrame:
        """Replies, stop list or clicks of the messages shown, oldest first: what is served.

        `message_id` is in this provider's form.
        """
        rows: pl.DataFrame = getattr(self.world.engaged, kind.value)
        if kind is not Engagement.OPT_OUTS:
            rows = rows.filter(pl.col("way") == str(self.way)).with_columns(self.own_id())
        return rows

    def spoiled_events(
        self, rows: pl.DataFrame, records: list[dict[str, Any]], faults: FaultSettings
    ) -> list[dict[str, Any]]:
        """Records of engagement that are all null, and records that come twice, by event_id."""
        return [
            dict.fromkeys(record) if event in faults.blank else record
            for event, record in zip(rows["event_id"], records, strict=True)
            for _ in range(2 if event in faults.twice else 1)
        ]

    def by_ids(self, identifiers: list[str]) -> pl.DataFrame:
        """The rows of `messages` with these identifiers; unknown ones are left out."""
        return self.messages[[self.position[i] for i in identifiers if i in self.position]]


def missing_words(api: type[ProviderApi]) -> list[str]:
    """Stages and outcomes that an API has no word for."""
    return [name for name in (*STAGES, *OUTCOMES["outcome"]) if name not in api.words]


def paged(rows: pl.DataFrame, start: int, asked: int, faults: FaultSettings) -> pl.DataFrame:
    """The rows of a page; `page_size` of the faults makes pages smaller than asked for."""
    return rows.slice(start, page_size(asked, faults))


def page_size(asked: int, faults: FaultSettings) -> int:
    """How many records a page may hold now."""
    return min(asked, faults.page_size) if faults.page_size else asked
