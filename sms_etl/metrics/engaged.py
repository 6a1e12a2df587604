"""What people did with messages: clicks, reads, replies, refusals; counted from rows.

Formulae: docs/figures.md. A rate's numerator is always a part of its denominator: delivered
messages that something followed, of delivered messages it could follow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import polars as pl

from sms_etl.engagement.ties import MESSAGE_COLUMNS, tied
from sms_etl.metrics.cohort import Cohort
from sms_etl.model.attribution import JUDGED_CLICKS
from sms_etl.model.engagement import CLICKS, OPT_OUTS, REPLIES
from sms_etl.model.vocabulary import Channel, Intent, StatusClass
from sms_etl.reports.engagement_figures import Engaged, Engagement, OptOuts

HORIZON = timedelta(days=7)
"""Clicks and replies later than this after a message are not counted as its."""

OPT_OUT_HOURS = (4, 24, 72)
"""Windows of refusals: 4 hours is Braze's (braze.com/docs, SMS reporting), a day and three ours."""

SAME_REFUSAL = timedelta(days=30)
"""A person's refusals within this time are one, told by a reply, a list and a form."""

READ_WORDS = ("read", "seen", "viewed", "rcs_read")
"""Status words (lower case) of the dictionaries that mean that a person opened the message."""

DELIVERED, WITH_LINK = "delivered", "delivered_with_link"
READABLE = "delivered_on_channels_that_report_reading"

_LONGEST_REFUSAL = timedelta(hours=max(OPT_OUT_HOURS))
_OF_MESSAGE = ["message_source", "message_id"]


@dataclass(frozen=True)
class EngagementTables:
    """Rows of the days of a report, of `HORIZON` after them and of what came before.

    `messages`: MESSAGES, from at least three days before the report on.
    """

    messages: pl.LazyFrame
    clicks: pl.LazyFrame = field(default_factory=lambda: CLICKS.empty().lazy())
    judged: pl.LazyFrame = field(default_factory=lambda: JUDGED_CLICKS.empty().lazy())
    replies: pl.LazyFrame = field(default_factory=lambda: REPLIES.empty().lazy())
    opt_outs: pl.LazyFrame = field(default_factory=lambda: OPT_OUTS.empty().lazy())


def engagement(tables: EngagementTables, cohort: Cohort) -> Engagement | None:
    """What people did with the messages of a cohort; null where nothing is known of it."""
    replies = tables.replies.collect()
    refusals = refusals_of(replies, _opt_outs_of_people(tables))
    told = _Told(
        judged=tables.judged.collect(),
        replies=_replies(replies, tables.messages),
        refused=_last_before(refusals, tables.messages),
        refusals=not refusals.is_empty(),
    )
    sent = _sent(tables.messages, cohort)
    channels = sent.filter(pl.col("read") > 0)["channel"].unique().sort().to_list()
    if told.nothing and not channels:
        return None
    followed = _followed(told, tables.messages, cohort)
    aside = _aside(told.judged, cohort)
    parts = _parts(told, sent, followed, aside)
    campaigns = sorted(parts, key=lambda name: (-parts[name]["delivered"], name))
    whole = Counter[Any]()
    for part in parts.values():
        whole.update(part)
    whole["people"] = _people(followed)
    return Engagement(
        horizon_days=HORIZON.days,
        whole=_engaged(None, "", whole, told, cohort),
        by_campaign=tuple(
            _engaged(name, cohort.label(name), parts[name], told, cohort)
            for name in campaigns
            if cohort.campaign is None
        ),
        read_channels=tuple(channels),
        untied_clicks=int(aside.filter(pl.col("campaign").is_null())["clicks"].sum()),
        unjudged_clicks=_unjudged(tables, cohort),
    )


def _opt_outs_of_people(tables: EngagementTables) -> pl.DataFrame:
    """OPT_OUTS; an entry that names only the customer has the numbers he was written to at."""
    listed = tables.opt_outs.collect()
    nameless = listed.filter(pl.col("recipient").is_null(), pl.col("contact").is_not_null())
    if nameless.is_empty():
        return listed
    contacts = nameless.select("contact").unique().lazy()
    numbers = (
        tables.messages.select("contact", "recipient")
        .join(contacts, on="contact", how="semi")
        .unique()
        .drop_nulls()
        .collect(engine="streaming")
    )
    found = nameless.drop("recipient").join(numbers, on="contact").select(listed.columns)
    return pl.concat([listed.filter(pl.col("recipient").is_not_null()), found])


def refused_messages(tables: EngagementTables) -> pl.DataFrame | None:
    """Messages that were the last before a refusal (`message_source`, `message_id`).

    Null where no refusal is known.
    """
    refusals = refusals_of(tables.replies.collect(), _opt_outs_of_people(tables))
    if refusals.is_empty():
        return None
    return _last_before(refusals, tables.messages).select(_OF_MESSAGE).unique()


@dataclass(frozen=True)
class _Told:
    """Events with their messages, in memory: they are few beside the messages."""

    judged: pl.DataFrame
    replies: pl.DataFrame
    refused: pl.DataFrame
    refusals: bool

    @property
    def nothing(self) -> bool:
        """Whether no event of any kind is known."""
        return self.judged.is_empty() and self.replies.is_empty() and not self.refusals


def refusals_of(replies: pl.DataFrame, opt_outs: pl.DataFrame) -> pl.DataFrame:
    """When people refused: `recipient` and `at`, once for all that tell of one refusal.

    Args:
        replies: REPLIES.
        opt_outs: OPT_OUTS; an entry without a time cannot be held against a message.
    """
    told = pl.concat(
        [
            replies.filter(
                pl.col("intent").is_in([Intent.OPT_OUT.value, Intent.OPT_IN.value])
            ).select("recipient", at="received_at", out=pl.col("intent") == Intent.OPT_OUT.value),
            opt_outs.select("recipient", at="opted_out_at", out=pl.lit(value=True)),
        ]
    ).drop_nulls()
    ordered = told.unique().sort("recipient", "at", "out")
    before = pl.col("at", "out").shift(1).over("recipient")
    again = before.name.suffix("_before")
    return (
        ordered.with_columns(again)
        .filter(
            pl.col("out"),
            ~pl.col("out_before").fill_null(value=False)
            | (pl.col("at") - pl.col("at_before") > SAME_REFUSAL),
        )
        .select("recipient", "at")
    )


def _last_before(refusals: pl.DataFrame, messages: pl.LazyFrame) -> pl.DataFrame:
    """The last message that had arrived before each refusal, and how long before."""
    people = refusals.select("recipient").unique().lazy()
    arrived = (
        messages.filter(pl.col("status_class") == StatusClass.DELIVERED.value)
        .select(
            "recipient",
            "message_id",
            message_source="source",
            arrived_at=pl.coalesce("done_at", "submitted_at"),
        )
        .join(people, on="recipient", how="semi")
        .with_columns(at="arrived_at")
        .collect(engine="streaming")
        .sort("at", "message_source", "message_id")
    )
    return (
        refusals.sort("at", "recipient")
        .join_asof(
            arrived,
            on="at",
            by="recipient",
            strategy="backward",
            tolerance=_LONGEST_REFUSAL,
            check_sortedness=False,
        )
        .drop_nulls("message_id")
        .select(*_OF_MESSAGE, age=pl.col("at") - pl.col("arrived_at"))
    )


def _replies(replies: pl.DataFrame, messages: pl.LazyFrame) -> pl.DataFrame:
    """Replies with the message they answer."""
    named = replies.select(
        "source", "message_id", "campaign", "recipient", "intent", at="received_at"
    )
    return tied(named, messages.select(MESSAGE_COLUMNS), HORIZON, {})


def _sent(messages: pl.LazyFrame, cohort: Cohort) -> pl.DataFrame:
    """Delivered messages by campaign, source and channel, and what could follow them."""
    read = (pl.col("channel") != Channel.SMS.value) & pl.col("status").str.to_lowercase().is_in(
        READ_WORDS
    )
    return (
        cohort.of(messages)
        .filter(pl.col("status_class") == StatusClass.DELIVERED.value)
        .group_by("campaign", "source", "channel")
        .agg(
            delivered=pl.len().cast(pl.Int64),
            linked=(pl.col("links") > 0).sum().cast(pl.Int64),
            texts_unknown=pl.col("links").is_null().sum().cast(pl.Int64),
            read=read.fill_null(value=False).sum().cast(pl.Int64),
        )
        .collect(engine="streaming")
    )


def _followed(told: _Told, messages: pl.LazyFrame, cohort: Cohort) -> pl.DataFrame:
    """Messages of the cohort that something followed: a row each, with what and how often."""
    people = pl.col("robot_rule").is_null()
    on_message = told.judged.filter(
        pl.col("message_id").is_not_null(),
        pl.col("clicked_at") - pl.col("submitted_at") <= HORIZON,
    )
    clicks = on_message.group_by(_OF_MESSAGE).agg(
        clicks=pl.col("clicks").filter(people).sum(),
        **{
            f"robot:{rule}": pl.col("clicks").filter(pl.col("robot_rule") == rule).sum()
            for rule in on_message["robot_rule"].drop_nulls().unique().sort()
        },
    )
    answered = told.replies.drop_nulls("message_id")
    replies = answered.group_by(_OF_MESSAGE).agg(
        pl.col("intent").filter(pl.col("intent") == word.value).len().cast(pl.Int64)
        .alias(f"reply:{word.value}")
        for word in Intent
    )  # fmt: skip
    refused = told.refused.group_by(_OF_MESSAGE).agg(
        (pl.col("age").min() <= timedelta(hours=hours)).cast(pl.Int64).alias(f"refused:{hours}")
        for hours in OPT_OUT_HOURS
    )
    events = clicks.join(replies, on=_OF_MESSAGE, how="full", coalesce=True).join(
        refused, on=_OF_MESSAGE, how="full", coalesce=True
    )
    return (
        cohort.of(messages)
        .select(
            "message_id", "campaign", "recipient", "links", "status_class", message_source="source"
        )
        .join(events.lazy(), on=_OF_MESSAGE)
        .collect(engine="streaming")
    )


def _aside(judged: pl.DataFrame, cohort: Cohort) -> pl.DataFrame:
    """Clicks that name no message, in the days of the report: they are of a campaign at best."""
    rows = judged.filter(pl.col("message_id").is_null())
    return cohort.of_campaigns(rows.lazy(), "clicked_at").collect()


def _parts(
    told: _Told, sent: pl.DataFrame, followed: pl.DataFrame, aside: pl.DataFrame
) -> dict[str, Counter[Any]]:
    """Counts by campaign that add up to those of the whole."""
    parts: dict[str, Counter[Any]] = {}
    reading = {
        (source, channel)
        for source, channel, read in sent.select("source", "channel", "read").iter_rows()
        if read
    }
    for row in sent.iter_rows(named=True):
        part = parts.setdefault(row["campaign"], Counter())
        part["delivered"] += row["delivered"]
        part["texts_unknown"] += row["texts_unknown"]
        part["linked"] += row["linked"]
        if (row["source"], row["channel"]) in reading:
            part["readable"] += row["delivered"]
            part["read"] += row["read"]
    for row in _sums(followed).iter_rows(named=True):
        parts.setdefault(row.pop("campaign"), Counter()).update(row)
    known = (
        aside.drop_nulls("campaign").group_by("campaign", "robot_rule").agg(pl.col("clicks").sum())
    )
    for campaign, rule, clicks in known.iter_rows():
        part = parts.setdefault(campaign, Counter())
        part["clicks" if rule is None else f"robot:{rule}"] += clicks
    tracked = set(followed.filter(_any_click(followed))["campaign"])
    for campaign, part in parts.items():
        part["tracked"] = part["linked"] if campaign in tracked else 0
    return parts


def _people(followed: pl.DataFrame) -> int:
    """People who opened anything; one may have opened texts of several campaigns."""
    return followed.filter(pl.col("clicks") > 0)["recipient"].drop_nulls().n_unique()


def _any_click(followed: pl.DataFrame) -> pl.Expr:
    names = [name for name in followed.columns if name == "clicks" or name.startswith("robot:")]
    return pl.sum_horizontal(names) > 0


def _sums(followed: pl.DataFrame) -> pl.DataFrame:
    delivered = pl.col("status_class") == StatusClass.DELIVERED.value
    opened = pl.col("clicks").fill_null(0) > 0
    linked = (pl.col("links") > 0).fill_null(value=False)
    words = [name for name in followed.columns if name.startswith("reply:")]
    refused = [name for name in followed.columns if name.startswith("refused:")]
    robots = [name for name in followed.columns if name.startswith("robot:")]
    return followed.group_by("campaign").agg(
        pl.col("clicks", *robots, *words).sum(),
        *(pl.col(name).filter(delivered).sum() for name in refused),
        opened=(delivered & opened & linked).sum().cast(pl.Int64),
        people=pl.col("recipient").filter(opened).drop_nulls().n_unique().cast(pl.Int64),
        replied=(delivered & (pl.sum_horizontal(words) > 0)).sum().cast(pl.Int64),
    )


def _engaged(
    campaign: str | None, label: str, part: Mapping[Any, int], told: _Told, cohort: Cohort
) -> Engaged:
    clicked = cohort.rate(part["opened"], part["tracked"], WITH_LINK, HORIZON)
    replied = cohort.rate(part["replied"], part["delivered"], DELIVERED, HORIZON)
    return Engaged(
        campaign=campaign,
        label=label,
        delivered=part["delivered"],
        clicked=clicked if part["tracked"] else None,
        texts_unknown=part["texts_unknown"],
        clicks=part["clicks"],
        robots=_named(part, "robot:"),
        people_clicked=part["people"],
        read=cohort.rate(part["read"], part["readable"], READABLE, HORIZON)
        if part["readable"]
        else None,
        replied=None if told.replies.is_empty() else replied,
        replies=_named(part, "reply:"),
        opt_outs=_opt_outs(part, cohort) if told.refusals or not told.replies.is_empty() else (),
    )


def _opt_outs(part: Mapping[Any, int], cohort: Cohort) -> tuple[OptOuts, ...]:
    return tuple(
        OptOuts(
            window_hours=hours,
            rate=cohort.rate(
                part[f"refused:{hours}"], part["delivered"], DELIVERED, timedelta(hours=hours)
            ),
        )
        for hours in OPT_OUT_HOURS
    )


def _named(part: Mapping[Any, int], prefix: str) -> dict[str, int]:
    """Counts whose name begins so, without the beginning, the largest first; zeros left out."""
    found = [(name[len(prefix) :], n) for name, n in part.items() if name.startswith(prefix) and n]
    return dict(sorted(found, key=lambda item: (-item[1], item[0])))


def _unjudged(tables: EngagementTables, cohort: Cohort) -> int:
    """Clicks in the business days of the report that came in or changed since they were judged."""
    keys = ["day", "source"]
    came, judged = (
        frame.filter(pl.col("day").is_between(*cohort.days))
        .group_by(keys)
        .agg(pl.col("clicks").sum())
        for frame in (tables.clicks, tables.judged)
    )
    both = came.join(judged, on=keys, how="full", coalesce=True, suffix="_judged").fill_null(0)
    return int(
        both.select((pl.col("clicks") - pl.col("clicks_judged")).abs().sum()).collect().item()
    )
