"""Every figure of a report, as data. A report is rendered from this and from nothing else.

The JSON of an edition is this tree; the HTML, the PDF, the mail and the chart are drawn from it,
so they cannot disagree. Times are UTC; days are calendar days of `zone`; money is in
millionths of the currency unit; durations are seconds.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from sms_etl.config.settings import Period, ReportKind
from sms_etl.metrics.rate import Interval, Rate
from sms_etl.reports.clean_figures import CleanBase, Compliance, FailureStudy, Suspicion
from sms_etl.reports.engagement_figures import Attributed, Engagement, Loyalty
from sms_etl.reports.figure import Figure
from sms_etl.reports.operations_figures import Operations

FIGURES_VERSION = 2
"""Raised when the meaning of a field changes."""


class TimeQuality(StrEnum):
    """How far a time to deliver can be trusted."""

    MEASURED = "measured"
    UPPER_ESTIMATE = "upper_estimate"
    NOT_AVAILABLE = "not_available"


class SlowShare(Figure):
    """How many needed longer than a threshold, of those delivered or waiting beyond it."""

    threshold_seconds: float
    rate: Rate


class Latency(Figure):
    """Time from submission to delivery, in seconds.

    `median` to `p99` are over delivered messages, `all_median` to `all_p99` over everything
    submitted (metrics.survival): null where so many have not arrived. Quantiles come from the
    mergeable histogram (relative error stated in metrics.histogram). `waiting` counts messages
    that have no final state yet and so can only be slower.
    """

    quality: TimeQuality
    messages: int
    waiting: int
    median: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    all_median: float | None = None
    all_p90: float | None = None
    all_p95: float | None = None
    all_p99: float | None = None
    slow: tuple[SlowShare, ...] = ()


class Cost(Figure):
    """Money of one currency."""

    currency: str
    spent_micro: int
    spent_on_undelivered_micro: int
    per_delivered_micro: int | None
    messages_with_cost: int
    messages: int


class Money(Figure):
    """A sum of money of one currency."""

    currency: str
    micro: int


class Converted(Figure):
    """All money of a cohort in the report's currency, each day at its rate (sms_etl.money).

    `first_rate_day` and `last_rate_day` are the oldest and newest rate used; null where nothing
    had to be converted. `missing` is the money that no rate could be found for: it is in no sum
    here. Per delivered: over delivered messages whose cost is in the sum.
    """

    currency: str
    spent_micro: int
    spent_on_undelivered_micro: int
    per_delivered_micro: int | None
    messages_with_cost: int
    first_rate_day: date | None
    last_rate_day: date | None
    missing: tuple[Money, ...] = ()


class Totals(Figure):
    """Counts of a cohort by submission time, and what follows from them.

    `completeness` is the share of the receipts that ever come which usually has come at the
    age of these messages (metrics.completion); null where the past tells too little. `prices` is
    the share whose price is known; its coverage is that share of the prices that ever come.
    `operator_receipts`: delivered by the operator's word only. `partly_delivered`: of those not
    delivered, the ones of which some parts arrived.
    """

    submitted: int
    delivered: int
    failed: int
    rejected: int
    unknown: int
    pending: int
    parts: int
    messages_with_parts: int
    delivery: Rate
    delivery_of_final: Rate
    coverage: Rate
    operator_receipts: int
    latency: Latency
    costs: tuple[Cost, ...]
    completeness: float | None = None
    prices: Rate | None = None
    converted: Converted | None = None
    partly_delivered: int = 0


class DayPoint(Figure):
    """One calendar day."""

    day: date
    totals: Totals


class EventDay(Figure):
    """Messages whose delivery, failure or rejection happened on a day, whenever they were sent.

    Ends without a time are on no day, and so are those of messages sent before the days a report
    loads (reports.periods.days_to_load).
    """

    day: date
    delivered: int
    failed: int
    rejected: int


class Reach(Figure):
    """Other answers to "how many arrived" than delivered of submitted; formulae: metrics.reach.

    `campaign` is null for the whole report. `silence_is_success` takes every message without a
    failure for delivered; `of_asked` divides by what the outbox asked for, `skipped` (reason ->
    messages) included; `per_person` counts people, those skipped included. Null where the outbox
    or the pseudonyms do not say. `messages_to_dead` went to `people_dead` whose number a receipt
    had already called dead for good.
    """

    campaign: str | None
    silence_is_success: Rate
    of_asked: Rate | None
    skipped: dict[str, int]
    per_person: Rate | None
    messages_without_person: int | None
    messages_to_dead: int | None
    people_dead: int | None


class HourCell(Figure):
    """One weekday (1 = Monday) and hour of the reader's zone, summed over the period."""

    weekday: int
    hour: int
    totals: Totals


class GroupRow(Figure):
    """One value of a dimension. `label` is printed; `key` is stable."""

    key: str
    label: str
    totals: Totals
    previous: Totals | None


class ReasonRow(Figure):
    """Undelivered messages (failed, rejected, unknown) of one reason."""

    reason: str
    permanence: str
    mender: str
    share: Rate
    previous_messages: int | None


class Verdict(StrEnum):
    """What a comparison says. The last three say why it says nothing."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SHOWN = "not_shown"
    TOO_FEW = "too_few"
    TOO_EARLY = "too_early"


class Comparison(Figure):
    """Delivery of a campaign against the others of its days, or of a period against the one before.

    Differences are shares: `plain` of the two rates as they stand, split into `rate_effect` (how
    the operators delivered) and `mix_effect` (which were written to); `standardised` at the mix of
    both, with its 95 % `interval`, widened by `dispersion`, the scatter of batches. `common` is
    the share of messages that could be compared. Formulae: metrics.compare.
    """

    key: str
    rate: Rate
    base: Rate
    plain: float
    rate_effect: float
    mix_effect: float
    standardised: float
    interval: Interval
    common: float
    dispersion: float
    p_value: float
    verdict: Verdict


class DayCount(Figure):
    """Messages of one calendar day."""

    day: date
    submitted: int
    delivered: int


class GroupDays(Figure):
    """The days of the report for one value of a dimension, empty ones too."""

    key: str
    days: tuple[DayCount, ...]


class Route(Figure):
    """What went to one operator by one source."""

    source: str
    operator: str
    totals: Totals


class Scorecard(Figure):
    """Sources or operators beside each other.

    `comparisons`: each against its others, at one mix of the other dimension of a route.
    """

    dimension: str
    comparisons: tuple[Comparison, ...]
    series: tuple[GroupDays, ...]
    routes: tuple[Route, ...]


class FindingKind(StrEnum):
    """What was noticed."""

    DELIVERY_DROP = "delivery_drop"
    RECEIPTS_MISSING = "receipts_missing"
    SLOW_DELIVERY = "slow_delivery"
    SENDER_BLOCKED = "sender_blocked"
    DEAD_NUMBERS = "dead_numbers"
    UNMAPPED_WORDS = "unmapped_words"
    QUARANTINED = "quarantined_records"


class Finding(Figure):
    """A problem with its evidence; sentences are rendered from it in any language.

    `scope` names the slice (dimension -> value); `excess` is how many messages more than the
    baseline went wrong; `cost` is the money spent on them.
    """

    id: str
    kind: FindingKind
    scope: dict[str, str]
    start: datetime
    end: datetime
    messages: int
    affected: int
    excess: int
    rate: Rate
    baseline: Rate | None
    main_reason: str | None
    cost: tuple[Cost, ...]
    severity: float


class RestatedFigure(Figure):
    """A figure that is another one than a report said.

    `figure` is submitted, a status class, parts or spent (millionths of `currency`); `causes`
    are words of restatement.Cause.
    """

    figure: str
    currency: str
    then: int
    now: int
    causes: tuple[str, ...]


class Correction(Figure):
    """Why there is another revision of a report that was mailed.

    `corrects_at`: when the revision that was mailed was made. `figures` are those of the whole
    report that are another one now, with what is known of why.
    """

    corrects_at: datetime
    figures: tuple[RestatedFigure, ...]


class EncodingWaste(Figure):
    """What odd letters cost a campaign: parts and money that plain ones would have saved.

    `letters`: the characters, those of a text together, the most expensive first; a few only.
    """

    campaign: str
    label: str
    letters: tuple[str, ...]
    messages: int
    parts: int
    money: tuple[Money, ...]


class LatinOption(Figure):
    """What Latin letters instead of Ukrainian ones would save: an option, no waste.

    What plain letters save (EncodingWaste) is not in it.
    """

    parts: int
    money: tuple[Money, ...]


class PartsBilled(Figure):
    """Messages with billed parts and a text, and how their parts differ from those computed."""

    messages: int
    messages_over: int
    parts_over: int
    messages_under: int
    parts_under: int


class SourceState(Figure):
    """What one source brought for the period."""

    source: str
    provider: str
    days_expected: int
    days_present: int
    missing_days: tuple[date, ...]
    records: int
    messages: int
    folded: dict[str, int]
    quarantined: dict[str, int]
    unmapped: dict[str, int]
    last_pulled_at: datetime | None
    billed: PartsBilled | None = None


class ReconciledState(Figure):
    """Messages of a source in one ReconciliationState.

    `difference_micro`: by currency, what the invoice says more than our log, in millionths: of
    messages that only it has all of it, of messages that it lacks what they cost, as a minus.
    """

    state: str
    messages: int
    difference_micro: dict[str, int]


class Reconciled(Figure):
    """A source beside the own outbox and its invoice, for the business days of the report.

    `totals` are lines of invoices that name no messages, `totals_differ` those that do not agree
    with our sums, and `totals_difference_micro` by how much they are higher, by currency.
    `silent_days`: Silence -> days.
    """

    source: str
    states: tuple[ReconciledState, ...]
    totals: int
    totals_differ: int
    totals_difference_micro: dict[str, int]
    silent_days: dict[str, tuple[date, ...]]


class Figures(Figure):
    """A whole report.

    `filters`: dimension -> values, of which every message of the report has one each; none: the
    report is of all messages. `sections`: keys of the sections that were asked for; none: all.
    """

    version: int
    kind: ReportKind
    period: Period | None
    campaign: str | None
    campaign_label: str | None
    project: str
    first_day: date
    last_day: date
    previous_first_day: date | None
    previous_last_day: date | None
    zone: str
    data_as_of: datetime
    goal: float | None
    totals: Totals
    previous: Totals | None
    days: tuple[DayPoint, ...]
    previous_days: tuple[DayPoint, ...]
    hours: tuple[HourCell, ...]
    by_campaign: tuple[GroupRow, ...]
    by_source: tuple[GroupRow, ...]
    by_sender: tuple[GroupRow, ...]
    by_country: tuple[GroupRow, ...]
    by_operator: tuple[GroupRow, ...]
    reasons: tuple[ReasonRow, ...]
    findings: tuple[Finding, ...]
    sources: tuple[SourceState, ...]
    comparisons: tuple[Comparison, ...] = ()
    change: Comparison | None = None
    restated: tuple[RestatedFigure, ...] = ()
    event_days: tuple[EventDay, ...] = ()
    reach: Reach | None = None
    reach_by_campaign: tuple[Reach, ...] = ()
    waste: tuple[EncodingWaste, ...] = ()
    latin_option: LatinOption | None = None
    reconciliation: tuple[Reconciled, ...] = ()
    scorecard: Scorecard | None = None
    operations: Operations | None = None
    correction: Correction | None = None
    engagement: Engagement | None = None
    attributed: Attributed | None = None
    loyalty: Loyalty | None = None
    failure_study: FailureStudy | None = None
    clean_base: CleanBase | None = None
    compliance: Compliance | None = None
    suspicions: tuple[Suspicion, ...] = ()
    last_year_first_day: date | None = None
    last_year_last_day: date | None = None
    last_year: Totals | None = None
    last_year_change: Comparison | None = None
    filters: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    sections: tuple[str, ...] = ()


def is_incomplete(figures: Figures) -> bool:
    """Whether days of a source are missing that the report should tell of."""
    return any(state.missing_days for state in figures.sources)


def is_empty(figures: Figures) -> bool:
    """Whether nothing was sent, by what every source said: days without data are not empty."""
    return figures.totals.submitted == 0 and not is_incomplete(figures)


VOLATILE_FIELDS = frozenset(
    {
        "as_of", "data_as_of", "mature", "last_pulled_at", "records", "folded", "completeness",
        "prices",
        "all_median", "all_p90", "all_p95", "all_p99", "slow",
        "verdict",
        "restated",
        "lag",
        "pulls", "correction",
    }
)  # fmt: skip
"""Fields that move when the same data is pulled again; they make no new revision."""


def fingerprint(figures: Figures) -> str:
    """SHA-256 of the figures proper: equal for two reports that say the same thing."""
    steady = _without_volatile(figures.model_dump(mode="json"))
    return hashlib.sha256(json.dumps(steady, sort_keys=True).encode()).hexdigest()


def _without_volatile(node: object) -> object:
    if isinstance(node, dict):
        return {k: _without_volatile(v) for k, v in node.items() if k not in VOLATILE_FIELDS}
    if isinstance(node, list):
        return [_without_volatile(item) for item in node]
    return node
