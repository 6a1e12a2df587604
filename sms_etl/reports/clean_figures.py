"""Figures of the failure study, the clean base, the rules, and what is suspected."""

from __future__ import annotations

from datetime import date, datetime

from sms_etl.metrics.rate import Interval, Rate
from sms_etl.reports.figure import Figure


class CommonFactor(Figure):
    """Something that messages which did not arrive have in common (clean_base.factors).

    `scope`: one dimension or two, with their values. `inside` is the share not delivered of the
    messages in scope (its denominator is the support), `outside` that of all others. `lift` is
    inside over outside, with its 95 % `interval`; null where nothing failed outside.
    `share_of_failures`: how much of all that did not arrive is in scope. `p_value` is that of the
    test over which the false discovery rate of all candidates was held.
    """

    scope: dict[str, str]
    inside: Rate
    outside: Rate
    lift: float | None
    interval: Interval | None
    share_of_failures: Rate
    p_value: float


class FailureStudy(Figure):
    """What was looked for and found: `factors` of so many `candidates`, the strongest first.

    `dispersion` is the variance of batches over that of independent messages; tests and intervals
    are weakened by it. Messages that wait are not looked at.
    """

    messages: int
    failed: int
    candidates: int
    dispersion: float
    factors: tuple[CommonFactor, ...]


class ListedBy(Figure):
    """People on the suppression list by one rule, at the end of the report's days.

    `added` and `ended` (how -> people) are of these days; who expired is among the ended.
    """

    rule: str
    people: int
    added: int
    ended: dict[str, int]
    lifted_by: str


class Spared(Figure):
    """What the list spared, by rows of the outbox that were skipped for it.

    `cost_micro`: by currency, at the price paid for messages of the same campaign and source; of
    `unpriced` messages none is known.
    """

    messages: int
    people: int
    unpriced: int
    cost_micro: dict[str, int]


class Wasted(Figure):
    """What was sent to people who were on the list when the day began."""

    messages: int
    people: int
    undelivered: int
    cost_micro: dict[str, int]


class CleanBase(Figure):
    """The suppression list and its proof. Business days, whatever the reader's zone.

    `people` are on the list at the end. `spared` is null where the outbox skipped nobody for the
    list. `list_failures`: messages that a clean list would have spared (reasons that the list
    mends), of all sent; `list_failures_before` in the period before.
    """

    people: int
    rules: tuple[ListedBy, ...]
    spared: Spared | None
    wasted: Wasted
    list_failures: Rate
    list_failures_before: Rate | None


class RuleJudged(Figure):
    """One rule: `breaches` of the messages it could judge, and why others could not be judged.

    `people` were sent the messages in breach. `most` in any `days` is the limit of a frequency.
    `source` is the law and `reading` what we make of it, by language; `seen` is where and
    `read_on` when it was read.
    """

    rule: str
    kind: str
    breaches: Rate
    people: int
    campaigns: dict[str, int]
    not_judged: dict[str, int]
    most: int | None
    days: int | None
    source: dict[str, str]
    reading: dict[str, str]
    seen: str
    read_on: date | None


class StopLag(Figure):
    """From a refusal to silence: people who refused on these days, those written to after it.

    `half_hours` and `longest_hours`: how long after the refusal the last message went out, of
    those written to again; null for nobody.
    """

    written_after: Rate
    half_hours: float | None
    longest_hours: float | None


class Compliance(Figure):
    """Messages held against the rules of the settings. Business days, whatever the zone.

    `consent_register`: whether there is a register of consents at all.
    """

    packs: tuple[str, ...]
    rules: tuple[RuleJudged, ...]
    lag: StopLag | None
    consent_register: bool


class SuspicionSign(Figure):
    """One sign: what was seen, what is usual (null: nothing is), of how many messages."""

    sign: str
    value: float
    usual: float | None
    of: int


class Suspicion(Figure):
    """Something to test, never a verdict. `sample`: messages to try, as source:identifier."""

    kind: str
    scope: dict[str, str]
    messages: int
    first_at: datetime
    last_at: datetime
    signs: tuple[SuspicionSign, ...]
    sample: tuple[str, ...]
