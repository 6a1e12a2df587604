"""Which message a click or a reply belongs to.

By the message's identifier where it is told; else by the person and the time: the last message
before the event; else only to a campaign, by what the provider says or by the link. A forwarded
link names the message it was sent in, so it counts for the first recipient, whoever opens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

import polars as pl

from sms_etl.model.schemas import UTC_TIME
from sms_etl.model.vocabulary import UNKNOWN_LABEL, StatusClass


class Tie(StrEnum):
    """How an event was tied."""

    MESSAGE = "message"
    PERSON = "person"
    CAMPAIGN = "campaign"
    LINK = "link"
    NONE = "none"


_TIED: dict[str, pl.DataType | type[pl.DataType]] = {
    "tie": pl.String,
    "message_source": pl.String,
    "message_id": pl.String,
    "campaign": pl.String,
    "recipient": pl.String,
    "contact": pl.String,
    "submitted_at": UTC_TIME,
    "delivered_at": UTC_TIME,
}
TIED = pl.Schema(_TIED)
"""What `tied` adds to an event, or puts in the place of its own word."""

MESSAGE_COLUMNS = (
    "source", "message_id", "campaign", "recipient", "contact", "submitted_at", "done_at",
    "status_class", "links",
)  # fmt: skip
"""Columns of MESSAGES that are needed."""

_NOT_ARRIVED = (StatusClass.FAILED.value, StatusClass.REJECTED.value)
_ROW = "_row"
_OF_MESSAGE = ("message_source", "campaign", "recipient", "contact", "submitted_at", "delivered_at")


def tied(
    events: pl.DataFrame, messages: pl.LazyFrame, reach: timedelta, links: Mapping[str, str]
) -> pl.DataFrame:
    """Events with the columns of TIED.

    Args:
        events: rows with `source`, `at`, `message_id`, `campaign`, `recipient` and, for clicks,
            `link`.
        messages: MESSAGES of the days the events may belong to.
        reach: how long after a message an event without identifier may still be its.
        links: link -> campaign, as the settings say.
    """
    rows = events.with_row_index(_ROW)
    known = _messages(rows, messages)
    by_id = _by_identifier(rows, known)
    by_person = _by_person(rows.join(by_id, on=_ROW, how="anti"), known, reach)
    found = pl.concat([by_id, by_person]).rename(
        {name: f"_{name}" for name in (*_OF_MESSAGE, "message_id")}
    )
    joined = rows.join(found, on=_ROW, how="left", maintain_order="left")
    return _with_campaigns(joined, links).drop(_ROW)


def _messages(rows: pl.DataFrame, messages: pl.LazyFrame) -> pl.DataFrame:
    """The messages that any of the events could be tied to."""
    ids = rows.select("message_id").drop_nulls().unique().lazy()
    people = rows.select("recipient").drop_nulls().unique().lazy()
    slim = messages.select(MESSAGE_COLUMNS)
    return (
        pl.concat(
            [
                slim.join(ids, on="message_id", how="semi"),
                slim.join(people, on="recipient", how="semi"),
            ]
        )
        .unique(["source", "message_id"])
        .with_columns(
            message_source="source",
            delivered_at=pl.when(pl.col("status_class") == StatusClass.DELIVERED.value).then(
                "done_at"
            ),
        )
        .collect(engine="streaming")
    )


def _by_identifier(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Two sources may give one identifier; then the event's own source stands, else the latest."""
    return (
        rows.select(_ROW, "message_id", _own="source")
        .join(known, on="message_id")
        .sort(_ROW, pl.col("message_source") == pl.col("_own"), "submitted_at", "message_source")
        .unique(_ROW, keep="last", maintain_order=True)
        .select(_ROW, *_OF_MESSAGE, "message_id", tie=pl.lit(Tie.MESSAGE.value))
    )


def _by_person(rows: pl.DataFrame, known: pl.DataFrame, reach: timedelta) -> pl.DataFrame:
    """The last message to the person before the event that may have arrived.

    A click wants a message with a link, or of which that is not known. Where the event names a
    campaign, only a message of it will do.
    """
    linked = pl.col("links").is_null() | (pl.col("links") > 0)
    wanted = known.filter(
        ~pl.col("status_class").is_in(_NOT_ARRIVED), pl.col("recipient").is_not_null()
    )
    if "link" in rows.columns:
        wanted = wanted.filter(linked)
    wanted = wanted.with_columns(at=pl.col("submitted_at")).sort(
        "at", "message_source", "message_id"
    )
    events = (
        rows.select(_ROW, "at", "recipient", "campaign").drop_nulls("recipient").sort("at", _ROW)
    )
    parts = (
        (events.filter(pl.col("campaign").is_not_null()), ["recipient", "campaign"]),
        (events.filter(pl.col("campaign").is_null()).drop("campaign"), ["recipient"]),
    )
    return pl.concat(
        [
            part.join_asof(
                wanted, on="at", by=keys, strategy="backward", tolerance=reach,
                check_sortedness=False,
            )
            .drop_nulls("message_id")
            .select(_ROW, *_OF_MESSAGE, "message_id", tie=pl.lit(Tie.PERSON.value))
            for part, keys in parts
        ]
    )  # fmt: skip


def _with_campaigns(joined: pl.DataFrame, links: Mapping[str, str]) -> pl.DataFrame:
    """Fill the columns of TIED; without a message the campaign is the one told, or the link's."""
    told = pl.col("campaign") if "campaign" in joined.columns else pl.lit(None, pl.String)
    linked = pl.lit(None, pl.String)
    if "link" in joined.columns:
        linked = pl.col("link").replace_strict(links, default=None, return_dtype=pl.String)
    alone = (
        pl.when(told.is_not_null())
        .then(pl.lit(Tie.CAMPAIGN.value))
        .when(linked.is_not_null())
        .then(pl.lit(Tie.LINK.value))
        .otherwise(pl.lit(Tie.NONE.value))
    )
    tied_to = pl.col("tie").is_not_null()
    own = pl.when(pl.col("_campaign") != UNKNOWN_LABEL).then("_campaign")
    return joined.with_columns(
        campaign=pl.coalesce(own, told, linked),
        message_source="_message_source",
        message_id=pl.when(tied_to).then("_message_id"),
        recipient=pl.when(tied_to).then("_recipient").otherwise("recipient"),
        contact="_contact",
        submitted_at="_submitted_at",
        delivered_at="_delivered_at",
        tie=pl.coalesce("tie", alone),
    ).drop(
        "_message_source", "_message_id", "_recipient", "_contact", "_submitted_at",
        "_delivered_at", "_campaign",
    )  # fmt: skip
