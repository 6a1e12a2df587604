"""Commands of the evidence: messages behind a figure, and records behind a message."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sms_etl.errors import ConfigError
from sms_etl.evidence.rows import RowsFormat
from sms_etl.project import Project

DAY_FORMATS = ["%Y-%m-%d"]

console = Console()

Values = Annotated[list[str] | None, typer.Option(help="Only these; may be given several times.")]


def messages(
    first: Annotated[datetime, typer.Option("--from", formats=DAY_FORMATS, help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=DAY_FORMATS, help="Last day.")],
    source: Values = None,
    country: Values = None,
    operator: Values = None,
    sender: Values = None,
    campaign: Values = None,
    status_class: Annotated[
        list[str] | None,
        typer.Option("--class", help="delivered, failed, rejected, unknown or pending."),
    ] = None,
    reason: Values = None,
    permanence: Values = None,
    purpose: Values = None,
    channel: Values = None,
    template: Values = None,
    form: Annotated[RowsFormat, typer.Option("--format", help="What to write.")] = RowsFormat.CSV,
    out: Annotated[Path | None, typer.Option(help="File to write; without: only counts.")] = None,
) -> None:
    """List the messages behind a figure: a row each, with pseudonyms and no number or text.

    Days are those of submission in the business time zone, as in reports.
    """
    from sms_etl.evidence.rows import DIMENSIONS, count_classes, messages_behind, write_rows

    if first > last:
        raise ConfigError("--from is later than --to.")
    given = (source, country, operator, sender, campaign, status_class, reason, permanence,
             purpose, channel, template)  # fmt: skip
    asked = {name: values for name, values in zip(DIMENSIONS, given, strict=True) if values}
    rows = messages_behind(Project.open(), (first.date(), last.date()), asked)
    counts = count_classes(rows)
    console.print(f"{sum(counts.values()):,} messages", highlight=False)
    for name, count in counts.items():
        console.print(f"  {name.value}: {count:,}", highlight=False)
    if out is not None:
        write_rows(rows, out, form)
        console.print(str(out), soft_wrap=True)


def trace(
    message: Annotated[
        str, typer.Argument(help="source:identifier, as in the evidence of the suppression list.")
    ],
    day: Annotated[
        datetime | None,
        typer.Option(formats=DAY_FORMATS, help="Day of submission; without: all are searched."),
    ] = None,
) -> None:
    """Show what every landed record said of a message, where it is, and what the message became."""
    from sms_etl.evidence.trace import trace as follow

    source, colon, message_id = message.partition(":")
    if not colon:
        raise ConfigError(f"{message!r} is not source:identifier, like twilio:SM0123.")
    found = follow(Project.open(), source, message_id, day.date() if day else None)
    heads = ("pulled at", "record in landing", "message", "status", "code", "final at", "meaning")
    table = Table(*heads, box=None)
    for one in found.records:
        meaning = one.meaning.meaning_en or one.meaning.name if one.meaning else "not known"
        cells = [
            f"{one.pulled_at:%Y-%m-%d %H:%M:%S}", f"{one.pull} {one.page}:{one.number}",
            one.message_id, one.status, one.code,
            f"{one.done_at:%Y-%m-%d %H:%M:%S}" if one.done_at else None,
            f"set aside: {one.set_aside}" if one.set_aside else meaning,
        ]  # fmt: skip
        table.add_row(*(escape(cell or "") for cell in cells))
    console.print(table)
    for row in found.messages:
        facts = Table(show_header=False, box=None)
        for name, value in row.items():
            if value is not None:
                facts.add_row(name, escape(str(value)))
        console.print("\nCounted as:")
        console.print(facts)
