"""Tables of unknown shape (exports, SQL) in our columns, by a mapping declared in the settings."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field, model_validator

from sms_etl.config.settings import SourceSettings, Strict, ZoneName
from sms_etl.errors import PermanentSourceError
from sms_etl.model.vocabulary import Channel, TimeOrigin
from sms_etl.sources.records import done_origin, final_update, observations
from sms_etl.sources.values import (
    ISO,
    DecimalSign,
    blank_to_null,
    cost_micro,
    count,
    later_reading,
    times_to_utc,
)

Target = Literal[
    "message_id", "part_of", "order_id", "recipient", "sender", "service", "campaign", "channel",
    "direction", "status", "code", "created_at", "sent_at", "done_at", "updated_at", "parts_billed",
    "parts_arrived", "price", "currency", "text", "mcc_mnc", "operator",
]  # fmt: skip
"""Our columns that a heading or a constant may be given for."""

TimeColumn = Literal["created_at", "sent_at", "updated_at"]

INBOUND_WORDS = ("inbound", "incoming", "in", "mo")


class TimeReading(Strict):
    """How a table writes its times."""

    time_zone: ZoneName
    time_formats: Annotated[tuple[str, ...], Field(min_length=1)] = (ISO,)

    def utc(self, text: pl.Expr) -> pl.Expr:
        """A column of times as UTC."""
        return times_to_utc(text, self.time_formats, self.time_zone)

    def utc_later(self, text: pl.Expr) -> pl.Expr:
        """The other moment that a time of a repeated hour may mean, else null."""
        return later_reading(text, self.time_formats, self.time_zone)


class MappedSettings(SourceSettings, TimeReading):
    """A source whose columns are declared: our column = heading in the table.

    `constants` are values that are the same in every row; `status_words` turns the table's
    status words into words of the dictionary named by `provider`; `time_column` decides the day.
    Without a heading for `done_at`, `updated_at` of a final status stands for it.
    """

    provider: str = "smpp"
    columns: dict[Target, str]
    constants: dict[Target, str] = Field(default_factory=dict)
    status_words: dict[str, str] = Field(default_factory=dict)
    decimal: DecimalSign = "."
    time_column: TimeColumn = "created_at"

    time_columns: ClassVar[tuple[TimeColumn, ...]] = ("created_at", "sent_at")
    """What may decide the day in this kind of source."""

    @property
    def needed(self) -> frozenset[str]:
        """Our columns that must be mapped."""
        return frozenset({"message_id", "status", self.time_column})

    @model_validator(mode="after")
    def _is_enough(self) -> MappedSettings:
        if self.time_column not in self.time_columns:
            raise ValueError(f"time_column must be one of: {', '.join(self.time_columns)}")
        missing = self.needed - {*self.columns, *self.constants}
        if missing:
            raise ValueError(f"columns must name a heading for: {', '.join(sorted(missing))}")
        twice = set(self.columns) & set(self.constants)
        if twice:
            raise ValueError(f"both a heading and a constant: {', '.join(sorted(twice))}")
        return self

    @property
    def headings(self) -> list[str]:
        """Headings the table must have, each once."""
        return list(dict.fromkeys(self.columns.values()))

    @property
    def time_heading(self) -> str:
        """The heading whose time decides the day."""
        return self.columns[self.time_column]


def require_headings(found: Collection[str], wanted: Collection[str], where: str) -> None:
    """Refuse a table that lacks a declared column.

    Raises:
        PermanentSourceError: names what is missing and what there is.
    """
    missing = [heading for heading in wanted if heading not in found]
    if missing:
        raise PermanentSourceError(
            f"{where} has no column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(map(repr, found))}. Mend the columns in the settings, or the table."
        )


def mapped_observations(records: pl.LazyFrame, settings: MappedSettings) -> pl.LazyFrame:
    """Rows of `scan_pages` with the table's own headings, as OBSERVATIONS."""

    def of(target: Target) -> pl.Expr:
        if target in settings.columns:
            return blank_to_null(pl.col(settings.columns[target]))
        return pl.lit(settings.constants.get(target), pl.String)

    status = _translated(of("status"), settings.status_words)
    final = _final_time(of("done_at"))
    if "done_at" not in settings.columns and "updated_at" in settings.columns:
        final = final_update(status, of("updated_at"), settings.provider)
    done = final["done_at_text"]
    return observations(
        records,
        {
            **{
                name: of(name)
                for name in ("message_id", "part_of", "order_id", "recipient", "sender", "service")
            },
            **{name: of(name) for name in ("campaign", "code", "text", "mcc_mnc", "operator")},
            "channel": _known_channel(of("channel").str.to_lowercase()),
            "inbound": of("direction").str.to_lowercase().is_in(INBOUND_WORDS).fill_null(False),
            "status": status,
            "created_at_text": of("created_at"),
            "sent_at_text": of("sent_at"),
            "created_at": settings.utc(of("created_at")),
            "sent_at": settings.utc(of("sent_at")),
            "done_at": settings.utc(done),
            "done_at_later": settings.utc_later(done),
            **final,
            "updated_at": settings.utc(of("updated_at")),
            "parts_billed": count(of("parts_billed")),
            "parts_arrived": count(of("parts_arrived")),
            "price_text": of("price"),
            "cost_micro": cost_micro(of("price"), settings.decimal, charge_is_negative=False),
            "currency": of("currency").str.to_uppercase(),
        },
    )


def _final_time(done: pl.Expr) -> dict[str, pl.Expr]:
    return {"done_at_text": done, "done_at_origin": done_origin(done, TimeOrigin.PROVIDER)}


def _known_channel(word: pl.Expr) -> pl.Expr:
    return pl.when(word.is_in([channel.value for channel in Channel])).then(word)


def _translated(status: pl.Expr, words: dict[str, str]) -> pl.Expr:
    """Status words by the declared table; a chain of when/then streams, `replace` does not."""
    found = status
    for word, ours in words.items():
        found = pl.when(status == word).then(pl.lit(ours)).otherwise(found)
    return found
