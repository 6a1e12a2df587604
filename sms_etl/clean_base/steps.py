"""The suppression list of a project: grounds rebuilt by day, the list of a moment, lifts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import polars as pl

from sms_etl.clean_base.rules import Lifter, lookback_days, rule
from sms_etl.clean_base.suppression import (
    ENDINGS_SCHEMA,
    LIFTED,
    by_number,
    endings_of_deliveries,
    endings_of_lists,
    endings_of_wishes,
    grounds_of_receipts,
    grounds_of_refusals,
    listed_at,
    numbers_of_contacts,
    spans,
)
from sms_etl.errors import ConfigError
from sms_etl.model.clean_base import SUPPRESSIONS
from sms_etl.model.engagement import CONSENTS, OPT_OUTS, REPLIES
from sms_etl.model.schemas import MESSAGES
from sms_etl.project import Project
from sms_etl.store.audit import Lift, lifts, record_lift

LEAST_REASON = 5
"""Characters of a reason that says anything."""


def rebuild_suppressions(project: Project, days: Sequence[date]) -> pl.DataFrame:
    """Find the grounds that messages, replies and lists of these days give, and keep them."""
    lake, first, last = project.lake, min(days), max(days)
    early = first - timedelta(days=lookback_days())
    grounds = pl.concat(
        [
            grounds_of_receipts(lake.scan(MESSAGES, early, last), days),
            grounds_of_refusals(*_wishes(project, early, last), days),
        ]
    )
    for source in project.enabled:
        mine = grounds.filter(pl.col("source") == source)
        lake.replace(SUPPRESSIONS, source, days, mine)
    return grounds


def suppression_spans(project: Project, last_day: date) -> pl.LazyFrame:
    """When people were on the list, by what is known of the days up to this one, and by lifts."""
    lake = project.lake
    grounds = lake.scan(SUPPRESSIONS, last=last_day).collect()
    if grounds.is_empty():
        return spans(grounds.lazy(), pl.LazyFrame(schema=ENDINGS_SCHEMA))
    first = min(grounds["day"].to_list())
    people = grounds.select("recipient").unique().lazy()
    told = lake.scan(MESSAGES, first, last_day).join(people, on="recipient", how="semi")
    replies, opt_outs, consents = _wishes(project, first, last_day)
    endings = pl.concat(
        [
            endings_of_deliveries(told),
            endings_of_wishes(replies, consents),
            endings_of_lists(opt_outs),
            _lifted(project),
        ]
    )
    return spans(grounds.lazy(), endings.collect().lazy())


def _wishes(
    project: Project, first: date, last: date
) -> tuple[pl.LazyFrame, pl.LazyFrame, pl.LazyFrame]:
    """REPLIES, OPT_OUTS and CONSENTS of some days, by the numbers of those who are a contact."""
    told = [project.lake.scan(table, first, last) for table in (REPLIES, OPT_OUTS, CONSENTS)]
    nameless = [one.filter(pl.col("recipient").is_null()).select("contact") for one in told]
    contacts = pl.concat(nameless).drop_nulls().unique().collect()
    if not contacts.is_empty():
        written = project.lake.scan(MESSAGES, last=last).join(
            contacts.lazy(), on="contact", how="semi"
        )
        numbers = numbers_of_contacts(written).collect().lazy()
        told = [by_number(one, numbers) for one in told]
    replies, opt_outs, consents = told
    return replies, opt_outs, consents


def suppression_list(project: Project, moment: datetime) -> pl.DataFrame:
    """The list at a moment: SUPPRESSIONS, a row per person and rule."""
    day = moment.astimezone(project.settings.project.zone).date()
    return listed_at(suppression_spans(project, day), moment)


def lift_suppression(project: Project, lift: Lift) -> None:
    """Take a person off the list: recorded for good, with who did it and why.

    Raises:
        ConfigError: no reason, a person who is not listed by this rule, or somebody who may not
            lift it.
    """
    if len(lift.why.strip()) < LEAST_REASON:
        raise ConfigError("Say why the suppression is lifted; the reason is kept for good.")
    may = rule(lift.rule).lifted_by
    if lift.lifted_by != may:
        hint = (
            "only the person's own new wish lifts it: keep the evidence and pass --by person"
            if may is Lifter.PERSON
            else f"pass --by {may.value}"
        )
        raise ConfigError(f"Rule {lift.rule} is not lifted by {lift.lifted_by}; {hint}.")
    on_list = suppression_list(project, lift.lifted_at).filter(
        pl.col("recipient") == lift.recipient, pl.col("rule") == lift.rule
    )
    if on_list.is_empty():
        raise ConfigError(
            f"{lift.recipient} is not on the list by rule {lift.rule}. Look the pseudonym and the "
            f"rule up in an export (sms-etl suppression export)."
        )
    record_lift(project.warehouse, lift)


def _lifted(project: Project) -> pl.LazyFrame:
    rows = [(one.recipient, one.rule, one.lifted_at, LIFTED) for one in lifts(project.warehouse)]
    return pl.DataFrame(rows, schema=ENDINGS_SCHEMA, orient="row").lazy()
