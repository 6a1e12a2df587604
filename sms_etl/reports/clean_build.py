"""From rows of the lake to the figures of the clean base, the rules, and what is suspected.

Counted from rows of the report's days, like people are; days are business days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.clean_base.factors import Factor, study_failures
from sms_etl.clean_base.proof import saved, still_sent
from sms_etl.clean_base.rules import rules as suppression_rules
from sms_etl.compliance.lag import stop_lag
from sms_etl.compliance.packs import PackRule
from sms_etl.config.settings import Language
from sms_etl.metrics.cohort import Asked, only
from sms_etl.metrics.money import UNDELIVERED
from sms_etl.metrics.rate import Rate, counted_share
from sms_etl.metrics.reasons import list_reasons
from sms_etl.metrics.summary import SUBMITTED
from sms_etl.model.compliance import JUDGEMENTS, Judgement
from sms_etl.reports.clean_figures import (
    CleanBase,
    CommonFactor,
    Compliance,
    FailureStudy,
    ListedBy,
    RuleJudged,
    Spared,
    StopLag,
    Suspicion,
    SuspicionSign,
    Wasted,
)

ENDED, UNDELIVERED_NAME = "ended", "undelivered"
JUDGED, REFUSED = "judged", "people_who_refused"
EXPIRED = "expired"
"""How a suppression ended that nothing else ended."""

MOST_CAMPAIGNS = 5
"""Campaigns named beside a rule; the register has them all."""


@dataclass(frozen=True)
class CleanCohort:
    """The messages of a report: business days of `zone`, of one campaign or all."""

    days: tuple[date, date]
    before: tuple[date, date] | None
    zone: str
    as_of: datetime
    campaign: str | None = None
    asked: Asked = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether it is of all messages of its days."""
        return self.campaign is None and not self.asked

    def of(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Those rows of a table with `day`, `campaign` and what was asked that are the cohort's."""
        inside = only(rows.filter(pl.col("day").is_between(*self.days)), self.asked)
        return inside if self.campaign is None else inside.filter(campaign=self.campaign)

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The moments its days begin and are over, UTC."""
        first, last = self.days
        midnights = (
            datetime.combine(day, time.min, ZoneInfo(self.zone)).astimezone(UTC)
            for day in (first, last + timedelta(days=1))
        )
        start, end = midnights
        return start, end

    def rate(self, numerator: int, denominator: int, name: str) -> Rate:
        """A share of counts."""
        return counted_share(numerator, denominator, name, self.as_of)


def failure_study(messages: pl.LazyFrame, cohort: CleanCohort) -> FailureStudy | None:
    """What messages that did not arrive have in common; null where all did, or none was sent."""
    study = study_failures(cohort.of(messages), cohort.zone)
    if not study.failed:
        return None
    factors = [_factor(one, study.failed, study.dispersion, cohort) for one in study.factors]
    return FailureStudy(
        messages=study.messages,
        failed=study.failed,
        candidates=study.candidates,
        dispersion=study.dispersion,
        factors=tuple(factors),
    )


def _factor(one: Factor, failed: int, dispersion: float, cohort: CleanCohort) -> CommonFactor:
    split = one.split
    return CommonFactor(
        scope=one.scope,
        inside=cohort.rate(split.failed, split.messages, ENDED),
        outside=cohort.rate(split.other_failed, split.other_messages, ENDED),
        lift=split.lift,
        interval=split.interval(dispersion),
        share_of_failures=cohort.rate(split.failed, failed, UNDELIVERED_NAME),
        p_value=one.p_value,
    )


def clean_base(
    messages: pl.LazyFrame,
    asked: pl.LazyFrame,
    spans: pl.LazyFrame,
    cohort: CleanCohort,
    history: pl.LazyFrame | None = None,
) -> CleanBase | None:
    """The suppression list and its proof; null where nobody is or was on it.

    Also null for a part of the messages.

    Args:
        messages: MESSAGES of the report's days and of the period before.
        asked: ASKED of the report's days.
        spans: Of the list, by what is known up to the last day.
        cohort: The messages of the report.
        history: MESSAGES of all days up to the last, which say how people skipped were written to.
    """
    held = spans.collect()
    if held.is_empty() or not cohort.whole:
        return None
    start, end = cohort.bounds
    sent = cohort.of(messages)
    spared = saved(cohort.of(asked), sent, held.lazy(), cohort.zone, history)
    wasted = still_sent(sent, held.lazy(), cohort.zone)
    on_list = held.filter(_holds_at(end))
    return CleanBase(
        people=on_list["recipient"].n_unique(),
        rules=tuple(_listed_by(held, start, end)),
        spared=None if spared is None else Spared(**_plain(spared)),
        wasted=Wasted(**_plain(wasted)),
        list_failures=_list_failures(messages, cohort.days, cohort),
        list_failures_before=None
        if cohort.before is None
        else _list_failures(messages, cohort.before, cohort),
    )


def _plain(counted: object) -> dict[str, object]:
    return {name: dict(v) if name == "cost_micro" else v for name, v in vars(counted).items()}


def _holds_at(moment: datetime) -> pl.Expr:
    """Spans that hold a moment before the first instant after it."""
    return (pl.col("since") < moment) & (pl.col("until").is_null() | (pl.col("until") >= moment))


def _listed_by(held: pl.DataFrame, start: datetime, end: datetime) -> list[ListedBy]:
    """People by rule, in the order of the rules; those without anybody are left out."""
    found = []
    for rule in suppression_rules():
        mine = held.filter(pl.col("rule") == rule.name)
        now, before = (set(mine.filter(_holds_at(m))["recipient"]) for m in (end, start))
        left = mine.filter(
            pl.col("until") >= start, pl.col("until") < end, ~pl.col("recipient").is_in(list(now))
        )
        how = pl.col("ended_how").fill_null(EXPIRED)
        ended = left.sort("until").unique("recipient", keep="last").group_by(how=how).len()
        if mine.height and (now or before or ended.height):
            found.append(
                ListedBy(
                    rule=rule.name,
                    people=len(now),
                    added=len(now - before),
                    ended=dict(ended.sort("how").iter_rows()),
                    lifted_by=rule.lifted_by.value,
                )
            )
    return found


def _list_failures(messages: pl.LazyFrame, days: tuple[date, date], cohort: CleanCohort) -> Rate:
    mendable = pl.col("reason").is_in(sorted(list_reasons())).fill_null(value=False)
    failed = pl.col("status_class").is_in([name.value for name in UNDELIVERED])
    lost, sent = (
        messages.filter(pl.col("day").is_between(*days))
        .select((failed & mendable).sum(), pl.len().alias("sent"))
        .collect(engine="streaming")
        .row(0)
    )
    return cohort.rate(lost, sent, SUBMITTED)


@dataclass(frozen=True)
class ComplianceTables:
    """BREACHES, JUDGEMENTS, MESSAGES of the days and after, and spans of refusals."""

    breaches: pl.LazyFrame
    judgements: pl.LazyFrame
    messages: pl.LazyFrame
    refusals: pl.LazyFrame
    register: bool


def compliance(
    tables: ComplianceTables, rules: Sequence[PackRule], cohort: CleanCohort
) -> Compliance | None:
    """What the rules say of the messages; null where no rule judged any.

    Also null where more is asked for than judgements know.
    """
    if not set(cohort.asked) <= set(JUDGEMENTS.names):
        return None
    judged = cohort.of(tables.judgements).collect()
    broken = cohort.of(tables.breaches).collect()
    told = [_rule_judged(rule, judged, broken, cohort) for rule in rules]
    by_rule = tuple(row for row in told if row is not None)
    if not by_rule:
        return None
    lag = None
    if cohort.whole:
        found = stop_lag(tables.messages, tables.refusals, cohort.days, cohort.zone)
        lag = found and StopLag(
            written_after=cohort.rate(found.written_after, found.refused, REFUSED),
            half_hours=found.half_hours,
            longest_hours=found.longest_hours,
        )
    return Compliance(
        packs=tuple(dict.fromkeys(rule.id.partition(".")[0] for rule in rules)),
        rules=by_rule,
        lag=lag,
        consent_register=tables.register,
    )


def _rule_judged(
    rule: PackRule, judged: pl.DataFrame, broken: pl.DataFrame, cohort: CleanCohort
) -> RuleJudged | None:
    """What one rule says; null where it had no message to look at."""
    mine = judged.filter(pl.col("rule") == rule.id)
    if mine.is_empty():
        return None
    counts = dict(mine.group_by("judgement").agg(pl.col("messages").sum()).iter_rows())
    kept = counts.pop(Judgement.KEPT.value, 0)
    breaches = counts.pop(Judgement.BREACH.value, 0)
    rows = broken.filter(pl.col("rule") == rule.id)
    campaigns = rows.group_by("campaign").len().sort("len", "campaign", descending=[True, False])
    return RuleJudged(
        rule=rule.id,
        kind=rule.kind.value,
        breaches=cohort.rate(breaches, kept + breaches, JUDGED),
        people=rows["recipient"].drop_nulls().n_unique(),
        campaigns=dict(campaigns.head(MOST_CAMPAIGNS).iter_rows()),
        not_judged=dict(sorted(counts.items())),
        most=rule.most,
        days=rule.days,
        source={Language.ENGLISH: rule.source, Language.UKRAINIAN: rule.source_uk},
        reading={Language.ENGLISH: rule.reading, Language.UKRAINIAN: rule.reading_uk},
        seen=rule.seen,
        read_on=rule.read_on,
    )


def suspicion_figures(rows: pl.DataFrame) -> tuple[Suspicion, ...]:
    """SUSPICIONS of some days as figures: of each, the day on which it shows most signs.

    Kinds and scopes in the order of their messages, most first.
    """
    keys = ["kind", "scope"]
    best = (
        rows.with_columns(signs=pl.len().over(*keys, "day"))
        .filter(pl.col("signs") == pl.col("signs").max().over(keys))
        .filter(pl.col("day") == pl.col("day").max().over(keys))
        .sort("messages", *keys, descending=[True, False, False])
    )
    found = []
    for (kind, scope), group in best.group_by(keys, maintain_order=True):
        first = group.row(0, named=True)
        signs = group.select("sign", "value", "usual", "of").iter_rows()
        found.append(
            Suspicion(
                kind=str(kind),
                scope=dict(part.split("=", 1) for part in str(scope).split(",")),
                messages=first["messages"],
                first_at=first["first_at"],
                last_at=first["last_at"],
                signs=tuple(
                    SuspicionSign(sign=sign, value=value, usual=usual, of=of)
                    for sign, value, usual, of in signs
                ),
                sample=tuple(first["sample"]),
            )
        )
    return tuple(found)
