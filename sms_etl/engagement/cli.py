"""`sms-etl attribute` and `sms-etl loyal-unreachable`."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sms_etl.config.clock import now
from sms_etl.errors import ConfigError
from sms_etl.project import Project

DAY_FORMATS = ["%Y-%m-%d"]

console = Console(highlight=False)


def attribute(
    first: Annotated[datetime, typer.Option("--from", formats=DAY_FORMATS, help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=DAY_FORMATS, help="Last day.")],
) -> None:
    """Judge the clicks and attribute the orders of some days again, from the lake alone.

    After a change of the rules in [engagement]: reports of the past are made anew by it.
    """
    from sms_etl.days import days_between
    from sms_etl.engagement.attribute import attribute_days

    if first > last:
        raise ConfigError("--from is later than --to.")
    done = attribute_days(Project.open(), days_between(first.date(), last.date()))
    clicks, robots, orders = (
        f"{sum(counts.values()):,}" for counts in (done.clicks, done.robots, done.orders)
    )
    console.print(f"{clicks} clicks judged, {robots} of them robots'; {orders} orders attributed.")


def loyal_unreachable(
    out: Annotated[Path, typer.Option(help="CSV file to write.")] = Path("loyal-unreachable.csv"),
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=DAY_FORMATS, help="Last day; without: yesterday."),
    ] = None,
) -> None:
    """List loyal customers whose last two messages did not arrive, with your own identifiers.

    Scores are those of the year before the last four weeks. No phone number is written.
    """
    from sms_etl.clean_base.export import contact_ids
    from sms_etl.engagement.report import BEFORE, unreachable_people
    from sms_etl.metrics.cohort import Cohort
    from sms_etl.rates import read_rates
    from sms_etl.spreadsheets import write_csv

    project = Project.open()
    zone = project.settings.project.zone
    day = last.date() if last else now().astimezone(zone).date() - timedelta(days=1)
    cohort = Cohort((day - BEFORE + timedelta(days=1), day), zone.key, now())
    people = unreachable_people(project, cohort, read_rates(project.settings))
    known = people.join(contact_ids(project, people), on="recipient", how="left")
    write_csv(known.select("contact_id", *people.columns), out)
    console.print(f"{people.height:,} people in {out}", soft_wrap=True)
