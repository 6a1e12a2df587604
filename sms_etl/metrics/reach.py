"""The other honest answers to "how many arrived": of asked, per person, and if silence is success.

The rate of a report is delivered of submitted. Each answer here has another denominator or
another reading of silence, and is named by it. Formulae: docs/figures.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from sms_etl.metrics.rate import Rate, wilson
from sms_etl.metrics.reasons import DEAD_REASONS
from sms_etl.metrics.summary import SUBMITTED
from sms_etl.model.vocabulary import UNKNOWN_LABEL, Permanence, StatusClass
from sms_etl.reports.figures import Reach, Totals

ASKED_FOR = "asked"
PEOPLE = "people"

HOPED = (StatusClass.DELIVERED, StatusClass.UNKNOWN, StatusClass.PENDING)
"""Classes of messages that arrived or may have."""

_KEY = "key"
Found = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Reached:
    """What the outbox says, and who the messages went to.

    asked: ASKED rows of the report.
    messages: MESSAGES of the report; null if people are not to be counted.
    earlier: MESSAGES in which dead numbers are looked for, those of the report included.
    """

    asked: pl.LazyFrame
    messages: pl.LazyFrame | None
    earlier: pl.LazyFrame | None


def reach_of(told: Reached, totals: Totals) -> Reach:
    """The answers for all messages of a report."""
    everything = pl.lit(_KEY).alias(_KEY)
    return _reaches(told, everything, {_KEY: totals})[0].model_copy(update={"campaign": None})


def reach_by_campaign(told: Reached, totals: Mapping[str, Totals]) -> tuple[Reach, ...]:
    """The answers for every campaign, in the order of `totals`.

    Outbox rows without a campaign may be of a campaign that only the provider names, so they
    say nothing here.
    """
    known = replace(told, asked=told.asked.filter(pl.col("campaign") != UNKNOWN_LABEL))
    return _reaches(known, pl.col("campaign").alias(_KEY), totals)


def _reaches(told: Reached, key: pl.Expr, totals: Mapping[str, Totals]) -> tuple[Reach, ...]:
    asked = told.asked.with_columns(key).group_by(_KEY, "skipped").agg(pl.col("messages").sum())
    skipped: dict[str, dict[str, int]] = {}
    submitted: dict[str, int] = {}
    for name, reason, messages in asked.sort(_KEY, "skipped").collect().iter_rows():
        if reason is None:
            submitted[name] = messages
        else:
            skipped.setdefault(name, {})[reason] = messages
    people = _people(told, key)
    dead = _sent_to_dead(told, key)
    return tuple(
        Reach(
            campaign=name,
            silence_is_success=_silence_is_success(cohort),
            of_asked=_of_asked(cohort, submitted.get(name), skipped.get(name, {})),
            skipped=skipped.get(name, {}),
            per_person=_per_person(cohort, people.get(name)),
            messages_without_person=people.get(name, {}).get("nameless"),
            messages_to_dead=dead.get(name, {}).get("messages", 0) if name in people else None,
            people_dead=dead.get(name, {}).get("people", 0) if name in people else None,
        )
        for name, cohort in totals.items()
    )


def _people(told: Reached, key: pl.Expr) -> dict[str, dict[str, int]]:
    """People by key: all, those with a message delivered, those with one that may be.

    A person is counted by a 64-bit hash of the pseudonym: among ten million people two are taken
    for one with a chance of three in a million.
    """
    if told.messages is None:
        return {}
    person = pl.col("recipient").hash()
    messages = told.messages.with_columns(key)
    sent = messages.select(
        _KEY,
        "recipient",
        reached=pl.col("status_class") == StatusClass.DELIVERED,
        hoped=pl.col("status_class").is_in([name.value for name in HOPED]),
    )
    no = pl.lit(value=False)
    skipped = told.asked.filter(pl.col("skipped").is_not_null()).with_columns(key)
    everybody = pl.concat([sent, skipped.select(_KEY, "recipient", reached=no, hoped=no)])
    people = (
        everybody.filter(pl.col("recipient").is_not_null())
        .group_by(_KEY, person=person)
        .agg(pl.col("reached", "hoped").any())
        .group_by(_KEY)
        .agg(pl.len().alias(PEOPLE), pl.col("reached", "hoped").sum())
    )
    doubts = messages.group_by(_KEY).agg(
        nameless=pl.col("recipient").is_null().sum(),
        named=pl.col("recipient").is_not_null().sum(),
        keys=pl.col("key_id").drop_nulls().n_unique(),
    )
    counted, doubtful = pl.collect_all([people, doubts], engine="streaming")
    return _by_key(doubtful.join(counted, on=_KEY, how="left"))


def _sent_to_dead(told: Reached, key: pl.Expr) -> dict[str, dict[str, int]]:
    """Messages and people written to after a receipt said that the number is dead for good."""
    if told.messages is None or told.earlier is None:
        return {}
    dead = (
        told.earlier.filter(
            pl.col("recipient").is_not_null(),
            pl.col("reason").is_in([reason.value for reason in DEAD_REASONS]),
            pl.col("permanence") == Permanence.PERMANENT,
        )
        .group_by("recipient")
        .agg(dead_since=pl.coalesce("done_at", "submitted_at").min())
    )
    again = (
        told.messages.join(dead, on="recipient")
        .filter(pl.col("submitted_at") > pl.col("dead_since"))
        .with_columns(key)
        .group_by(_KEY)
        .agg(messages=pl.len(), people=pl.col("recipient").n_unique())
    )
    return _by_key(again.collect(engine="streaming"))


def _by_key(frame: pl.DataFrame) -> dict[str, dict[str, int]]:
    return {row.pop(_KEY): row for row in frame.iter_rows(named=True)}


def _silence_is_success(totals: Totals) -> Rate:
    """What tools print that count failures only: everything without one has arrived."""
    taken = totals.submitted - totals.failed - totals.rejected
    return _rate(totals, taken, totals.submitted, SUBMITTED, (None, None))


def _of_asked(
    totals: Totals, outbox_submitted: int | None, skipped: Mapping[str, int]
) -> Rate | None:
    """Delivered of all that was asked for; null where the outbox has no row.

    Asked for is what was skipped and what was submitted: by the outbox or by the providers,
    whichever knows more.
    """
    if outbox_submitted is None and not skipped:
        return None
    asked = sum(skipped.values()) + max(totals.submitted, outbox_submitted or 0)
    if not asked:
        return None
    hoped = totals.delivered + totals.unknown + totals.pending
    bounds = (totals.delivered / asked, hoped / asked)
    return _rate(totals, totals.delivered, asked, ASKED_FOR, bounds)


def _per_person(totals: Totals, people: Mapping[str, int] | None) -> Rate | None:
    """People with a message delivered of all people asked for.

    Null where no message has a pseudonym, or where they were made with several keys: then one
    person has several.
    """
    if people is None or not people["named"] or people["keys"] > 1:
        return None
    everybody, reached = people[PEOPLE], people["reached"]
    bounds = (reached / everybody, people["hoped"] / everybody)
    return _rate(totals, reached, everybody, PEOPLE, bounds)


def _rate(
    totals: Totals,
    numerator: int,
    denominator: int,
    name: str,
    bounds: Sequence[float | None],
) -> Rate:
    return Rate(
        value=numerator / denominator if denominator else None,
        numerator=numerator,
        denominator=denominator,
        denominator_name=name,
        low=bounds[0],
        high=bounds[1],
        interval=wilson(numerator, denominator),
        coverage=totals.delivery.coverage,
        as_of=totals.delivery.as_of,
        mature=totals.delivery.mature,
    )
