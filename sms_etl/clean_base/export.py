"""The suppression list as CSV, with the user's own identifier of the person where it is known."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from sms_etl.clean_base.steps import suppression_list
from sms_etl.model.schemas import MESSAGES
from sms_etl.pipeline import OUTBOX_MARGIN_DAYS, read_outbox
from sms_etl.project import Project

COLUMNS = (
    "contact_id", "recipient", "reason", "rule", "rule_version", "since", "expires_at",
    "lifted_by", "evidence",
)  # fmt: skip
"""Columns of the file. `recipient` is the pseudonym; `evidence` is source:identifier, a space
between several."""


def export_list(project: Project, moment: datetime) -> pl.DataFrame:
    """The list of a moment with COLUMNS, a row per person, rule and identifier of the person."""
    listed = suppression_list(project, moment)
    return (
        listed.join(contact_ids(project, listed), on="recipient", how="left")
        .with_columns(pl.col("evidence").list.join(" "))
        .select(COLUMNS)
        .sort("rule", "since", "recipient", "contact_id")
    )


def contact_ids(project: Project, people: pl.DataFrame) -> pl.DataFrame:
    """`recipient` and `contact_id`: the user's own identifiers, read from the landed outbox.

    Only the outbox has them. A person who has several contacts there has a row for each; somebody
    it never wrote to has none.
    """
    recipients = people.select("recipient").unique().lazy()
    known = (
        project.lake.scan(MESSAGES)
        .filter(pl.col("contact").is_not_null())
        .join(recipients, on="recipient", how="semi")
        .sort("submitted_at")
        .group_by("recipient", "contact")
        .agg(pl.col("message_id", "day").last())
        .collect()
    )
    days = {
        day + timedelta(days=n)
        for day in known["day"].unique()
        for n in range(-OUTBOX_MARGIN_DAYS, OUTBOX_MARGIN_DAYS + 1)
    }
    if not days:
        return pl.DataFrame(schema={"recipient": pl.String, "contact_id": pl.String})
    outbox = read_outbox(project, sorted(days)).select("message_id", "contact_id").drop_nulls()
    return known.join(outbox, on="message_id").select("recipient", "contact_id").unique()
