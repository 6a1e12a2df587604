"""Commands of the clean base: the suppression list, and the number behind a pseudonym."""

from __future__ import annotations

import getpass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sms_etl.clean_base.rules import Lifter
from sms_etl.config.clock import now
from sms_etl.errors import ConfigError
from sms_etl.project import Project

DAY_FORMATS = ["%Y-%m-%d"]

app = typer.Typer(help="Who should not be written to any more, and why.", no_args_is_help=True)
console = Console()

Pseudonym = Annotated[str, typer.Argument(help="Pseudonym of the person, from an export.")]
Who = Annotated[str | None, typer.Option(help="Who you are; without: the user of this computer.")]
Why = Annotated[str, typer.Option(help="Why; kept for good.")]


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="CSV file to write.")] = Path("suppression.csv"),
    as_of: Annotated[str | None, typer.Option(help="Moment of the list, ISO 8601.")] = None,
) -> None:
    """Write the suppression list with your own contact identifiers. No numbers are in it."""
    from sms_etl.clean_base.export import export_list
    from sms_etl.spreadsheets import write_csv

    rows = export_list(Project.open(), _moment(as_of))
    write_csv(rows, out)
    people = rows["recipient"].n_unique()
    console.print(f"{out}: {people} people, {rows.height} rows", soft_wrap=True)
    for name, count in rows.group_by("rule").len().sort("rule").iter_rows():
        console.print(f"  {name}: {count}")


@app.command()
def lift(
    recipient: Pseudonym,
    why: Why,
    rule: Annotated[str, typer.Option(help="Rule of the list's row.")],
    by: Annotated[Lifter, typer.Option(help="Whose decision it is.")] = Lifter.LIST_OWNER,
    who: Who = None,
) -> None:
    """Take a person off the list. Kept for good with who did it and why."""
    from sms_etl.clean_base.steps import lift_suppression
    from sms_etl.store.audit import Lift

    lift_suppression(
        Project.open(), Lift(recipient, rule, now(), by.value, who or getpass.getuser(), why)
    )
    console.print(f"Lifted: {rule} of {recipient}", soft_wrap=True)


def clean_base(
    first: Annotated[datetime, typer.Option("--from", formats=DAY_FORMATS, help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=DAY_FORMATS, help="Last day.")],
) -> None:
    """Make suppressions, breaches and suspicions of days again, from the lake alone."""
    from sms_etl.clean_base.steps import rebuild_suppressions
    from sms_etl.compliance.steps import judge_days
    from sms_etl.days import days_between
    from sms_etl.suspicions.steps import suspect_days

    if first > last:
        raise ConfigError("--from is later than --to.")
    project, days = Project.open(), days_between(first.date(), last.date())
    console.print(f"suppressions: {rebuild_suppressions(project, days).height} grounds")
    console.print(f"compliance: {judge_days(project, days).breaches.height} breaches")
    console.print(f"suspicions: {suspect_days(project, days).height} signs")


def reveal(recipient: Pseudonym, why: Why, who: Who = None) -> None:
    """Show the number behind a pseudonym. Needs the pseudonym key; who asked and why is kept."""
    from sms_etl.clean_base.reveal import Question
    from sms_etl.clean_base.reveal import reveal as look_up

    found = look_up(Project.open(), Question(recipient, who or getpass.getuser(), why))
    if found is None:
        raise ConfigError(
            "Landing holds no number for this pseudonym: it was erased, or is of another key."
        )
    console.print(found)


def _moment(text: str | None) -> datetime:
    if text is None:
        return now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"--as-of {text!r} is not a moment like 2026-11-02T06:00+02:00."
        ) from None
    if moment.tzinfo is None:
        raise ConfigError(f"--as-of {text!r} has no time zone; write 2026-11-02T06:00+02:00.")
    return moment
