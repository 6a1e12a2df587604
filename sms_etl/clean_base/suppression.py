"""From receipts and refusals to the suppression list: pure functions of tables.

*Grounds* (SUPPRESSIONS) say that a rule was met. *Endings* say that it no longer holds: a later
delivery, a new consent, an entry that left its stop list, a lift. From both come *spans*: when a
person was on the list and why; the list of any moment is the spans that hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import polars as pl

from sms_etl.clean_base.rules import Evidence, Rule, rules
from sms_etl.model.clean_base import SUPPRESSIONS
from sms_etl.model.schemas import UTC_TIME
from sms_etl.model.vocabulary import Intent, Permanence, Reason, StatusClass

ENDINGS_SCHEMA = pl.Schema(
    [("recipient", pl.String), ("rule", pl.String), ("at", UTC_TIME), ("how", pl.String)]
)
"""Who, which rule, when and by what: DELIVERED, OPTED_IN, LEFT_LIST, LIFTED."""

DELIVERED, OPTED_IN, LEFT_LIST, LIFTED = "delivered", "opted_in", "left_list", "lifted"

_EVENT = ["day", "source", "recipient", "key_id", "at", "evidence"]


def grounds_of_receipts(messages: pl.LazyFrame, days: Sequence[date]) -> pl.DataFrame:
    """SUPPRESSIONS that receipts of messages of these days give.

    Args:
        messages: MESSAGES of these days and of the `rules.lookback_days` before them.
        days: Business days of the messages that complete a rule.
    """
    return _once_a_day(pl.concat([_of_receipts(messages, one, days) for one in rules()]).collect())


def _of_receipts(messages: pl.LazyFrame, one: Rule, days: Sequence[date]) -> pl.LazyFrame:
    """Runs of failures of a rule; a delivery starts the count again, other ends do not count."""
    named = messages.filter(pl.col("recipient").is_not_null())
    told = (
        named.with_columns(failed=_failed(one))
        .filter(pl.col("failed") | (pl.col("status_class") == StatusClass.DELIVERED.value))
        .sort("recipient", "submitted_at", "message_id")
    )
    runs = told.with_columns(
        run=(~pl.col("failed")).cum_sum().over("recipient"),
        told=pl.format("{}:{}", "source", "message_id"),
    ).filter("failed")
    back = [pl.col("told").shift(n).over("recipient", "run") for n in range(one.in_a_row)]
    first_at = pl.col("submitted_at").shift(one.in_a_row - 1).over("recipient", "run")
    met = runs.with_columns(evidence=pl.concat_list(back), first_at=first_at).filter(
        pl.col("first_at").is_not_null(), pl.col("day").is_in(list(days))
    )
    if one.within_days is not None:
        run_length = pl.col("submitted_at") - pl.col("first_at")
        met = met.filter(run_length <= pl.duration(days=one.within_days))
    known = pl.coalesce("done_at", "submitted_at")
    return _grounds(met.with_columns(at=known), one, pl.col("reason"))


def _failed(one: Rule) -> pl.Expr:
    """Messages that count for a rule."""
    failed = pl.col("reason").is_in([reason.value for reason in one.reasons])
    if one.evidence is Evidence.RECEIPT:
        failed &= pl.col("permanence") == Permanence.PERMANENT.value
    if one.menders:
        failed &= pl.col("mender").is_in([who.value for who in one.menders])
    return failed.fill_null(value=False)


def grounds_of_refusals(
    replies: pl.LazyFrame, opt_outs: pl.LazyFrame, consents: pl.LazyFrame, days: Sequence[date]
) -> pl.DataFrame:
    """SUPPRESSIONS that people themselves asked for on these days.

    Args:
        replies: REPLIES of these days.
        opt_outs: OPT_OUTS of these days and of the `rules.lookback_days` before them: an entry
            counts on the first day on which its list shows it.
        consents: CONSENTS likewise; a consent that was withdrawn is a refusal.
        days: Business days of replies, or of the list that is the first to tell.
    """
    (one,) = (rule for rule in rules() if rule.evidence is Evidence.OPT_OUT)
    stops = replies.filter(pl.col("intent") == Intent.OPT_OUT.value).with_columns(at="received_at")
    listed = opt_outs.with_columns(at=pl.coalesce("opted_out_at", "pulled_at"))
    withdrawn = consents.filter(pl.col("withdrawn_at").is_not_null()).with_columns(
        at="withdrawn_at"
    )
    events = pl.concat(
        [_event(stops), _event(_first_told(listed)), _event(_first_told(withdrawn))]
    ).filter(pl.col("day").is_in(list(days)), pl.col("recipient").is_not_null())
    return _once_a_day(_grounds(events, one, pl.lit(Reason.OPTED_OUT.value)).collect())


def _event(rows: pl.LazyFrame) -> pl.LazyFrame:
    told = pl.concat_list(pl.format("{}:{}", "source", "event_id"))
    return rows.with_columns(evidence=told).select(_EVENT)


def numbers_of_contacts(messages: pl.LazyFrame) -> pl.LazyFrame:
    """`contact`, `recipient`, `key_id`: numbers written to under a contact; `known_on`: since."""
    return (
        messages.drop_nulls(["contact", "recipient"])
        .group_by("contact", "recipient")
        .agg(pl.col("key_id").last(), known_on=pl.col("day").min())
    )


def by_number(events: pl.LazyFrame, numbers: pl.LazyFrame) -> pl.LazyFrame:
    """Events, those that only name a contact once for each of its numbers known on their day.

    Args:
        events: REPLIES, OPT_OUTS or CONSENTS.
        numbers: As `numbers_of_contacts` gives them.
    """
    nameless = pl.col("recipient").is_null()
    found = (
        events.filter(nameless)
        .drop("recipient", "key_id")
        .join(numbers, on="contact")
        .filter(pl.col("known_on") <= pl.col("day"))
    )
    return pl.concat([events.filter(~nameless), found.drop("known_on")], how="diagonal")


def _first_told(entries: pl.LazyFrame) -> pl.LazyFrame:
    """Entries of whole lists, each on the first of these days only (that knows its number)."""
    first = pl.col("day").min().over("source", "event_id", "recipient")
    return entries.filter(pl.col("day") == first)


def _grounds(met: pl.LazyFrame, one: Rule, reason: pl.Expr) -> pl.LazyFrame:
    expires = pl.lit(None, UTC_TIME)
    if one.expires_days is not None:
        expires = pl.col("at") + pl.duration(days=one.expires_days)
    return met.select(
        "day",
        "source",
        "recipient",
        "key_id",
        rule=pl.lit(one.name),
        rule_version=pl.lit(one.version, pl.Int32),
        reason=reason,
        since="at",
        expires_at=expires,
        lifted_by=pl.lit(one.lifted_by.value),
        evidence="evidence",
    ).cast(SUPPRESSIONS.schema)


def _once_a_day(grounds: pl.DataFrame) -> pl.DataFrame:
    """One row per person, rule, day and source: the first, with all the evidence of the day."""
    keys = ["day", "source", "recipient", "rule"]
    return (
        grounds.sort("since", "evidence")
        .group_by(keys, maintain_order=True)
        .agg(
            pl.exclude(*keys, "evidence").first(),
            pl.col("evidence")
            .list.explode(keep_nulls=False, empty_as_null=False)
            .unique(maintain_order=True),
        )
        .select(SUPPRESSIONS.names)
        .sort(*keys)
    )


def endings_of_deliveries(messages: pl.LazyFrame) -> pl.LazyFrame:
    """Deliveries that prove rules wrong: ENDINGS_SCHEMA."""
    named = [one.name for one in rules() if one.ended_by_delivery]
    at = pl.coalesce("done_at", "submitted_at")
    return (
        messages.filter(
            pl.col("status_class") == StatusClass.DELIVERED.value,
            pl.col("recipient").is_not_null(),
        )
        .select("recipient", rule=pl.lit(named), at=at, how=pl.lit(DELIVERED))
        .explode("rule")
        .cast(ENDINGS_SCHEMA)
    )


def endings_of_wishes(replies: pl.LazyFrame, consents: pl.LazyFrame) -> pl.LazyFrame:
    """People who asked for messages again: by a reply, or by a newer consent."""
    asked = replies.filter(pl.col("intent") == Intent.OPT_IN.value).select(
        "recipient", at="received_at"
    )
    given = consents.filter(pl.col("given_at").is_not_null()).select("recipient", at="given_at")
    return _of_opt_outs(pl.concat([asked, given]).unique(), OPTED_IN)


def endings_of_lists(opt_outs: pl.LazyFrame) -> pl.LazyFrame:
    """Entries that left their stop list, at the pull that no longer shows them; or ran out."""
    pulls = opt_outs.group_by("source", "day").agg(pulled_at=pl.col("pulled_at").max())
    after = pulls.sort("day").with_columns(
        next_pulled=pl.col("pulled_at").shift(-1).over("source", order_by="day")
    )
    last = (
        opt_outs.group_by("source", "event_id", "recipient")
        .agg(pl.col("day").max(), pl.col("expires_at").last())
        .join(after.select("source", "day", "next_pulled"), on=["source", "day"])
    )
    ended = last.select("recipient", at=pl.min_horizontal("next_pulled", "expires_at"))
    return _of_opt_outs(ended.drop_nulls("at"), LEFT_LIST)


def _of_opt_outs(people: pl.LazyFrame, how: str) -> pl.LazyFrame:
    (name,) = (one.name for one in rules() if one.evidence is Evidence.OPT_OUT)
    return (
        people.filter(pl.col("recipient").is_not_null())
        .select("recipient", rule=pl.lit(name), at="at", how=pl.lit(how))
        .cast(ENDINGS_SCHEMA)
    )


def spans(grounds: pl.LazyFrame, endings: pl.LazyFrame) -> pl.LazyFrame:
    """When each ground holds: SUPPRESSIONS and `until` (null: still) and `ended_how`.

    A ground ends at the first ending of its rule and person after it, or when it expires.
    """
    numbered = grounds.with_row_index("ground")
    first = (
        numbered.select("ground", "recipient", "rule", "since")
        .join(endings, on=["recipient", "rule"])
        .filter(pl.col("at") > pl.col("since"))
        .sort("at", "how")
        .group_by("ground")
        .agg(pl.col("at", "how").first())
    )
    sooner = pl.col("at").is_not_null() & (
        pl.col("at") <= pl.col("expires_at").fill_null(pl.col("at"))
    )
    return (
        numbered.join(first, on="ground", how="left")
        .with_columns(
            until=pl.min_horizontal("at", "expires_at"), ended_how=pl.when(sooner).then("how")
        )
        .drop("ground", "at", "how")
    )


def listed_at(found: pl.LazyFrame, moment: datetime) -> pl.DataFrame:
    """The suppression list at a moment, a row per person and rule, from `spans`.

    Columns of SUPPRESSIONS; `since` is the first of the grounds that hold, the rest is the
    newest one's, and `evidence` is that of all, the newest first.
    """
    holds = (pl.col("since") <= moment) & (pl.col("until").is_null() | (pl.col("until") > moment))
    keys = ["recipient", "rule"]
    return (
        found.filter(holds)
        .sort("since", descending=True)
        .group_by(keys, maintain_order=True)
        .agg(
            pl.exclude(*keys, "since", "evidence", "until", "ended_how").first(),
            since=pl.col("since").min(),
            evidence=pl.col("evidence")
            .list.explode(keep_nulls=False, empty_as_null=False)
            .unique(maintain_order=True),
        )
        .select(SUPPRESSIONS.names)
        .sort("rule", "since", "recipient")
        .collect()
    )
