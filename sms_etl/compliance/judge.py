"""Messages held against rules: what each rule says of each message, and the breaches as rows.

Rules are about marketing. A message whose purpose nobody told is not judged, and neither is one
that the provider rejected: it reached nobody. What cannot be judged is counted, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

import polars as pl

from sms_etl.compliance.packs import PackRule
from sms_etl.compliance.zones import zones_frame
from sms_etl.model.compliance import BREACHES, JUDGEMENTS, BreachKind, Judgement
from sms_etl.model.schemas import UTC_TIME
from sms_etl.model.vocabulary import UNKNOWN_LABEL, Purpose, StatusClass

_ROW = "row"
_NO_EVIDENCE = pl.lit([], dtype=pl.List(pl.String))
_DETAILS = {
    "since": pl.lit(None, UTC_TIME),
    "local_time": pl.lit(None, pl.String),
    "sent": pl.lit(None, pl.Int32),
    "evidence": _NO_EVIDENCE,
}
"""Columns of a judged row that most kinds leave empty."""

_MINUTES = 60


@dataclass(frozen=True)
class Material:
    """What messages are judged by.

    messages: MESSAGES of the days judged and of `lookback_days` before them.
    refusals: Spans of refusals (clean_base.suppression.spans), a row each.
    consents: CONSENTS, every day of the register that was kept.
    register: Whether there is a register of consents at all; without one nobody can be said to
        have given none.
    """

    messages: pl.LazyFrame
    refusals: pl.LazyFrame
    consents: pl.LazyFrame
    register: bool


def lookback_days(rules: Sequence[PackRule]) -> int:
    """How many days before a message the rules look at."""
    return max((rule.days or 0 for rule in rules), default=0)


@dataclass(frozen=True)
class Judged:
    """BREACHES and JUDGEMENTS of some days."""

    breaches: pl.DataFrame
    judgements: pl.DataFrame


def judge(material: Material, rules: Sequence[PackRule], days: Sequence[date]) -> Judged:
    """Hold the messages of some business days against rules."""
    sent = _with_consent(_marketing(material), material)
    judged = [_judged(rule, sent, material, days) for rule in rules]
    if not judged:
        return Judged(BREACHES.empty(), JUDGEMENTS.empty())
    rows = pl.concat(judged, how="vertical")
    keys = [name for name in JUDGEMENTS.names if name != "messages"]
    counted = rows.group_by(keys).agg(messages=pl.len().cast(pl.Int64)).sort(keys)
    broken = rows.filter(pl.col("judgement") == Judgement.BREACH.value)
    return Judged(
        breaches=broken.select(BREACHES.names).sort("day", "source", "rule", "submitted_at"),
        judgements=counted.select(JUDGEMENTS.names),
    )


def _marketing(material: Material) -> pl.DataFrame:
    """Messages that rules are about, those of unknown purpose included, numbered by `row`."""
    return (
        material.messages.filter(
            pl.col("status_class") != StatusClass.REJECTED.value,
            pl.col("purpose") != Purpose.TRANSACTIONAL.value,
        )
        .select(
            "day", "source", "message_id", "campaign", "recipient", "contact", "country",
            "number_prefix", "submitted_at", "purpose", "opt_out_wording",
            told=pl.format("{}:{}", "source", "message_id"),
        )
        .sort("submitted_at", "source", "message_id")
        .with_row_index(_ROW)
        .collect(engine="streaming")
    )  # fmt: skip


def _with_consent(sent: pl.DataFrame, material: Material) -> pl.DataFrame:
    """Add `consented`: an entry of the register, older than the message, held when it was sent."""
    entries = (
        material.consents.filter(
            pl.col("purpose").is_null() | (pl.col("purpose") == Purpose.MARKETING.value)
        )
        .sort("pulled_at")
        .group_by("source", "event_id")
        .agg(
            pl.col("recipient", "contact", "withdrawn_at").last(),
            given=pl.coalesce("given_at", "pulled_at").min(),
        )
        .collect()
    )
    held = (pl.col("given") <= pl.col("submitted_at")) & (
        pl.col("withdrawn_at").is_null() | (pl.col("withdrawn_at") > pl.col("submitted_at"))
    )
    found = [
        sent.select(_ROW, name, "submitted_at")
        .join(entries.drop_nulls(name), on=name)
        .filter(held)
        .select(_ROW)
        for name in ("recipient", "contact")
    ]
    rows = pl.concat(found)[_ROW].unique().implode()
    return sent.with_columns(consented=pl.col(_ROW).is_in(rows))


def _judged(
    rule: PackRule, sent: pl.DataFrame, material: Material, days: Sequence[date]
) -> pl.DataFrame:
    """A row per message of the rule's countries and of these days, with `judgement`."""
    mine = sent
    if rule.countries:
        mine = mine.filter(pl.col("country").is_in(list(rule.countries)))
    known = mine.filter(pl.col("purpose") == Purpose.MARKETING.value)
    judged = _JUDGES[rule.kind](rule, known, material)
    unknown = mine.filter(pl.col("purpose") == UNKNOWN_LABEL).with_columns(
        judgement=pl.lit(Judgement.PURPOSE_UNKNOWN.value), **_DETAILS
    )
    return (
        pl.concat([judged.select(unknown.columns), unknown])
        .filter(pl.col("day").is_in(list(days)))
        .select(
            *("day", "source", "message_id", "campaign", "recipient", "country", "submitted_at"),
            kind=pl.lit(rule.kind.value),
            rule=pl.lit(rule.id),
            pack_version=pl.lit(rule.version, pl.Int32),
            since="since",
            local_time="local_time",
            sent="sent",
            evidence="evidence",
            judgement="judgement",
        )
    )


def _said(breach: pl.Expr) -> pl.Expr:
    return (
        pl.when(breach).then(pl.lit(Judgement.BREACH.value)).otherwise(pl.lit(Judgement.KEPT.value))
    )


def _after_opt_out(rule: PackRule, sent: pl.DataFrame, material: Material) -> pl.DataFrame:
    """Messages later than a refusal and its grace, while the refusal held."""
    refused = (
        sent.lazy()
        .select(_ROW, "recipient", "submitted_at")
        .join(
            material.refusals.select(
                "recipient", "since", "until", "evidence", late=_deadline(rule)
            ),
            on="recipient",
        )
        .filter(
            pl.col("submitted_at") > pl.col("late"),
            pl.col("until").is_null() | (pl.col("submitted_at") < pl.col("until")),
        )
        .sort("since", "evidence")
        .group_by(_ROW)
        .agg(pl.col("since", "evidence").first())
        .collect()
    )
    nobody = pl.col("recipient").is_null()
    return (
        sent.join(refused, on=_ROW, how="left", maintain_order="left")
        .with_columns(
            local_time=_DETAILS["local_time"],
            sent=_DETAILS["sent"],
            judgement=pl.when(nobody)
            .then(pl.lit(Judgement.PERSON_UNKNOWN.value))
            .otherwise(_said(pl.col("since").is_not_null())),
        )
        .with_columns(pl.col("evidence").fill_null(_NO_EVIDENCE))
    )


def _deadline(rule: PackRule) -> pl.Expr:
    """Until when messages may still go out after a refusal."""
    if rule.grace_business_days is None:
        return pl.col("since") + pl.duration(hours=rule.grace_hours or 0)
    day = pl.col("since").dt.truncate("1d")
    last = day.dt.add_business_days(rule.grace_business_days, roll="forward")
    return last + (pl.col("since") - day)


def _night(rule: PackRule, sent: pl.DataFrame, _: Material) -> pl.DataFrame:
    """Messages in the quiet hours of every zone the number may be of; of some only: not judged."""
    if rule.quiet_from is None or rule.quiet_to is None:
        raise ValueError(f"rule {rule.id} has no quiet hours")
    timed = sent.select(_ROW, "number_prefix", "submitted_at").join(
        zones_frame(sent["number_prefix"]), on="number_prefix"
    )
    local = pl.concat(
        [_local(group, str(zone)) for (zone,), group in timed.group_by("zone")]
        or [_local(timed, "UTC")]
    )
    quiet = _between(rule.quiet_from, rule.quiet_to)
    seen = (
        local.with_columns(quiet=quiet)
        .sort("zone")
        .group_by(_ROW)
        .agg(every=pl.col("quiet").all(), some=pl.col("quiet").any(), told=pl.col("told").first())
    )
    judgement = (
        pl.when(pl.col("every").is_null())
        .then(pl.lit(Judgement.ZONE_UNKNOWN.value))
        .when(pl.col("some") & ~pl.col("every"))
        .then(pl.lit(Judgement.ZONE_AMBIGUOUS.value))
        .otherwise(_said(pl.col("every")))
    )
    details = {name: value for name, value in _DETAILS.items() if name != "local_time"}
    return (
        sent.drop("told")
        .join(seen, on=_ROW, how="left", maintain_order="left")
        .with_columns(judgement=judgement, local_time="told", **details)
    )


def _local(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    at = pl.col("submitted_at").dt.convert_time_zone(zone)
    return rows.with_columns(
        minute=at.dt.hour().cast(pl.Int32) * _MINUTES + at.dt.minute(),
        told=at.dt.strftime("%Y-%m-%d %H:%M") + f" {zone}",
    )


def _between(start: time, end: time) -> pl.Expr:
    """Whether `minute` of the day lies in a span that may run over midnight."""
    first, last = (t.hour * _MINUTES + t.minute for t in (start, end))
    after, before = pl.col("minute") >= first, pl.col("minute") < last
    return (after | before) if first > last else (after & before)


def _frequency(rule: PackRule, sent: pl.DataFrame, _: Material) -> pl.DataFrame:
    """Messages beyond the most that a person may get in any days of the rule."""
    if rule.most is None or rule.days is None:
        raise ValueError(f"rule {rule.id} has no most or no days")
    counted = sent.filter(pl.col("recipient").is_not_null())
    if rule.without_consent:
        counted = counted.filter(~pl.col("consented"))
    many = counted.filter(pl.len().over("recipient") > rule.most)
    # Two messages of one moment are told apart by a microsecond, so that each has its own window.
    tie = pl.int_range(pl.len()).over("recipient", "submitted_at")
    spaced = many.with_columns(moment=pl.col("submitted_at") + pl.duration(microseconds=tie))
    seen = (
        spaced.sort("recipient", "moment")
        .rolling(index_column="moment", period=timedelta(days=rule.days), group_by="recipient")
        .agg(
            pl.col(_ROW).last(),
            sent=pl.len().cast(pl.Int32),
            evidence=pl.col("told").reverse(),
        )
        .filter(pl.col("sent") > rule.most)
        .select(_ROW, "sent", "evidence")
    )
    nobody = pl.col("recipient").is_null()
    details = {name: _DETAILS[name] for name in ("since", "local_time")}
    return (
        sent.join(seen, on=_ROW, how="left", maintain_order="left")
        .with_columns(
            judgement=pl.when(nobody)
            .then(pl.lit(Judgement.PERSON_UNKNOWN.value))
            .otherwise(_said(pl.col("sent").is_not_null())),
            **details,
        )
        .with_columns(pl.col("evidence").fill_null(_NO_EVIDENCE))
    )


def _no_consent(_: PackRule, sent: pl.DataFrame, material: Material) -> pl.DataFrame:
    """Messages without a consent older than they are."""
    said = _said(~pl.col("consented"))
    if not material.register:
        said = pl.lit(Judgement.NO_REGISTER.value)
    nobody = pl.col("recipient").is_null() & pl.col("contact").is_null()
    return sent.with_columns(
        judgement=pl.when(nobody).then(pl.lit(Judgement.PERSON_UNKNOWN.value)).otherwise(said),
        **_DETAILS,
    )


def _no_wording(_: PackRule, sent: pl.DataFrame, __: Material) -> pl.DataFrame:
    """Messages whose text does not say how to refuse."""
    wording = pl.col("opt_out_wording")
    return sent.with_columns(
        judgement=pl.when(wording.is_null())
        .then(pl.lit(Judgement.NO_TEXT.value))
        .otherwise(_said(~wording)),
        **_DETAILS,
    )


_JUDGES: dict[BreachKind, Callable[[PackRule, pl.DataFrame, Material], pl.DataFrame]] = {
    BreachKind.AFTER_OPT_OUT: _after_opt_out,
    BreachKind.NIGHT: _night,
    BreachKind.FREQUENCY: _frequency,
    BreachKind.NO_CONSENT: _no_consent,
    BreachKind.NO_OPT_OUT_WORDING: _no_wording,
}
