"""Tables of clicks, replies, opt-outs, orders or consents in our columns, by a declared mapping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import polars as pl
from pydantic import Field, model_validator

from sms_etl.config.settings import SourceSettings
from sms_etl.model.vocabulary import Engagement, OrderKind
from sms_etl.sources.mapping import TimeReading
from sms_etl.sources.records import events
from sms_etl.sources.values import DecimalSign, blank_to_null, cost_micro

EventTarget = Literal[
    "event_id", "recipient", "contact_id", "sender", "message_id", "campaign", "link", "at",
    "expires_at", "text", "user_agent", "device", "address", "country", "robot", "clicks",
    "order_kind", "refund_of", "amount", "currency", "utm_source", "utm_medium", "utm_campaign",
    "utm_content", "promo_code", "withdrawn_at", "how", "purpose",
]  # fmt: skip
"""Our columns that a heading or a constant may be given for."""

_PERSON: tuple[EventTarget, ...] = ("recipient", "contact_id")
_MADE_BY: tuple[EventTarget, ...] = ("message_id", "campaign", "link")
_ORDERED: tuple[EventTarget, ...] = (
    "order_kind", "refund_of", "amount", "currency", "utm_source", "utm_medium", "utm_campaign",
    "utm_content", "promo_code",
)  # fmt: skip
_CLICKED: tuple[EventTarget, ...] = (
    "user_agent",
    "device",
    "address",
    "country",
    "robot",
    "clicks",
)

OF_STREAM: dict[Engagement, tuple[EventTarget, ...]] = {
    Engagement.CLICKS: ("event_id", "at", *_PERSON, *_MADE_BY, *_CLICKED),
    Engagement.REPLIES: ("event_id", "at", *_PERSON, "sender", "message_id", "campaign", "text"),
    Engagement.OPT_OUTS: (
        "event_id", "at", *_PERSON, "expires_at", "sender", "message_id", "campaign",
    ),
    Engagement.ORDERS: ("event_id", "at", *_PERSON, *_ORDERED),
    Engagement.CONSENTS: ("event_id", "at", *_PERSON, "withdrawn_at", "how", "purpose"),
}  # fmt: skip
"""What the rows of a stream can say. `at` of a consent is when it was given."""

NEEDED: dict[Engagement, tuple[tuple[str, ...], ...]] = {
    Engagement.CLICKS: (("at",), ("link", "message_id", "campaign", *_PERSON)),
    Engagement.REPLIES: (("at",), _PERSON),
    Engagement.OPT_OUTS: (_PERSON,),
    Engagement.ORDERS: (("at",), ("amount",), ("currency",)),
    Engagement.CONSENTS: (_PERSON,),
}
"""What must be mapped: one of each group."""

WHOLE_LISTS = (Engagement.OPT_OUTS, Engagement.CONSENTS)
"""Streams whose table is the list as it stands, read whole at every pull."""

_BETWEEN = "\x1f"
_NEGATIVE = r"^\s*[-−]"
_MINUS = "−"


class MappedEvents(SourceSettings, TimeReading):
    """A table of one stream, and which of its columns is which of ours.

    `constants` are the same in every row. `refund_words`: what the column of `order_kind` says of
    a refund; a negative amount is one too. `robot_words`: what the column of `robot` says of a
    robot. All in any case.
    """

    stream: Engagement
    columns: dict[EventTarget, str]
    constants: dict[EventTarget, str] = Field(default_factory=dict)
    decimal: DecimalSign = "."
    refund_words: tuple[str, ...] = ("refund", "refunded", "return", "returned", "повернення")
    robot_words: tuple[str, ...] = ("1", "true", "yes", "bot", "robot")
    period_seconds: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _fits_the_stream(self) -> MappedEvents:
        given = {*self.columns, *self.constants}
        foreign = sorted(given - set(OF_STREAM[self.stream]))
        if foreign:
            raise ValueError(
                f"rows of {self.stream.value} do not have: {', '.join(foreign)}; they may have: "
                f"{', '.join(OF_STREAM[self.stream])}"
            )
        for group in NEEDED[self.stream]:
            if given.isdisjoint(group):
                raise ValueError(f"columns must name a heading for: {' or '.join(group)}")
        if "at" in self.constants:
            raise ValueError("'at' must be a column, not a constant")
        twice = set(self.columns) & set(self.constants)
        if twice:
            raise ValueError(f"both a heading and a constant: {', '.join(sorted(twice))}")
        return self

    @property
    def whole_list(self) -> bool:
        """Whether the table is a list as it stands, not events of days."""
        return self.stream in WHOLE_LISTS

    @property
    def headings(self) -> list[str]:
        """Headings the table must have, each once."""
        return list(dict.fromkeys(self.columns.values()))

    @property
    def time_heading(self) -> str | None:
        """The heading whose time decides the day; null for a list."""
        return None if self.whole_list else self.columns["at"]


def mapped_events(records: pl.LazyFrame, settings: MappedEvents) -> pl.LazyFrame:
    """Rows of `scan_pages` with the table's own headings, as EVENTS."""

    def of(target: EventTarget) -> pl.Expr:
        if target in settings.columns:
            return blank_to_null(pl.col(settings.columns[target]))
        return pl.lit(settings.constants.get(target), pl.String)

    plain: Sequence[EventTarget] = (
        *_PERSON, "sender", *_MADE_BY, "text", "user_agent", "device", "address", "country",
        "utm_source", "utm_medium", "utm_campaign", "utm_content", "promo_code", "how", "purpose",
    )  # fmt: skip
    number = of("clicks").str.strip_chars()
    return events(
        records,
        {
            **{name: of(name) for name in plain},
            **_identity(of("event_id"), [of(name) for name in _LIST_IDENTITY], settings),
            **_ordered(of("event_id"), of("order_kind"), of("amount"), of("refund_of"), settings),
            "at_text": of("at"),
            "at": settings.utc(of("at")),
            "expires_at": settings.utc(of("expires_at")),
            "withdrawn_at_text": of("withdrawn_at"),
            "withdrawn_at": settings.utc(of("withdrawn_at")),
            "currency": of("currency").str.strip_chars().str.to_uppercase(),
            "robot": of("robot").str.strip_chars().str.to_lowercase().is_in(settings.robot_words),
            "count_text": number,
            "clicks": number.cast(pl.Int64, strict=False),
            "period_seconds": pl.lit(settings.period_seconds),
        },
    )


_LIST_IDENTITY: tuple[EventTarget, ...] = ("recipient", "contact_id", "sender", "at", "purpose")
"""Rows of a list that are alike in these are one entry."""


def _identity(
    identifier: pl.Expr, content: Sequence[pl.Expr], settings: MappedEvents
) -> dict[str, pl.Expr]:
    """Events alike in all they say are several; entries of a list are one."""
    if not settings.whole_list:
        return {"event_id": identifier}
    said = pl.concat_str([part.fill_null("") for part in content], separator=_BETWEEN)
    return {
        "event_id": identifier,
        "event_key": pl.when(identifier.is_null()).then(said),
    }


def _ordered(
    identifier: pl.Expr,
    kind: pl.Expr,
    amount: pl.Expr,
    refund_of: pl.Expr,
    settings: MappedEvents,
) -> dict[str, pl.Expr]:
    """Columns of orders. A refund under the number of its order is an event of its own.

    It is known again by that number, its time and its amount.
    """
    if settings.stream is not Engagement.ORDERS:
        return {}
    word = kind.str.strip_chars().str.to_lowercase().is_in(settings.refund_words)
    refund = (word | amount.str.contains(_NEGATIVE)).fill_null(value=False)
    of_order = pl.coalesce(refund_of, identifier)
    same_number = refund & (of_order == identifier).fill_null(value=False)
    at = pl.col(settings.columns["at"])
    parts = [part.fill_null("") for part in (pl.lit("refund"), of_order, at, amount)]
    plain = amount.str.replace(_MINUS, "-", literal=True)
    return {
        "event_id": pl.when(~same_number).then(identifier),
        "event_key": pl.when(same_number).then(pl.concat_str(parts, separator=_BETWEEN)),
        "order_kind": pl.when(refund)
        .then(pl.lit(OrderKind.REFUND.value))
        .otherwise(pl.lit(OrderKind.ORDER.value)),
        "refund_of": pl.when(refund).then(of_order),
        "amount_text": amount,
        "amount_micro": cost_micro(plain, settings.decimal, charge_is_negative=True),
    }
