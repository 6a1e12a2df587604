"""`sms-etl backfill`: the rehearsal and the deed, as a person reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sms_etl.backfill.rehearsal import PlaceRehearsal, Rehearsal, rehearse
from sms_etl.backfill.run import Summary, run_backfill
from sms_etl.errors import ConfigError
from sms_etl.model.vocabulary import MICRO
from sms_etl.project import Project
from sms_etl.restatement import SPENT, Restatement
from sms_etl.store.backfills import Chunk, ChunkState

DAY_FORMATS = ["%Y-%m-%d"]
LISTED_EDITIONS = 20
SECONDS_PER_MINUTE = 60

console = Console()


def backfill(
    first: Annotated[datetime, typer.Option("--from", formats=DAY_FORMATS, help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=DAY_FORMATS, help="Last day.")],
    source: Annotated[
        list[str] | None, typer.Option(help="A source; may be given several times; without: all.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, and do none of it.")
    ] = False,
    no_pull: Annotated[
        bool,
        typer.Option("--no-pull", help="Rebuild from landing alone: after a mapping changed."),
    ] = False,
) -> None:
    """Pull past days again and rebuild them, in chunks; mails nobody.

    Started again with the same words it goes on where it stopped.
    """
    if first > last:
        raise ConfigError("--from is later than --to.")
    project = Project.open()
    days = first.date(), last.date()
    if days[0] < project.settings.project.first_day:
        raise ConfigError(
            f"--from {days[0]} is before the first day of the deployment, "
            f"{project.settings.project.first_day}; see project.first_day in the settings."
        )
    names = source or project.enabled
    if dry_run:
        _print_rehearsal(rehearse(project, *days, names, pull=not no_pull))
        return
    summary = _with_progress(project, *days, names, pull=not no_pull)
    _print_summary(summary)
    if summary.failed:
        raise typer.Exit(1)


def _with_progress(
    project: Project, first: date, last: date, names: Sequence[str], *, pull: bool
) -> Summary:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("backfill", total=None)

        def tell(chunk: Chunk, total: int) -> None:
            progress.update(bar, total=total, advance=1)
            mark = {ChunkState.DONE: "[green]done[/]", ChunkState.FAILED: "[red]FAILED[/]"}
            told = f"{chunk.place} {_span(chunk.first_day, chunk.last_day)}: {chunk.rows:,} rows"
            if chunk.error:
                told = f"{chunk.place} {_span(chunk.first_day, chunk.last_day)}: {chunk.error}"
            progress.console.print(f"{mark[chunk.state]} {escape(told)}", soft_wrap=True)

        return run_backfill(project, first, last, names, pull=pull, tell=tell)


def _print_summary(summary: Summary) -> None:
    done = [chunk for chunk in summary.chunks if chunk.state is ChunkState.DONE]
    table = Table(
        "place", "chunks done", "failed", "records pulled", "rows rebuilt", "figures moved"
    )
    for place in dict.fromkeys(chunk.place for chunk in summary.chunks):
        mine = [chunk for chunk in done if chunk.place == place]
        failed = sum(chunk.place == place for chunk in summary.failed)
        counts = (
            len(mine),
            failed,
            sum(chunk.records for chunk in mine),
            sum(chunk.rows for chunk in mine),
            sum(chunk.restated for chunk in mine),
        )
        table.add_row(escape(place), *(f"{count:,}" for count in counts))
    console.print(table)
    for chunk in summary.failed:
        span = _span(chunk.first_day, chunk.last_day)
        console.print(f"[red]{escape(f'{chunk.place} {span}: {chunk.error}')}[/]", soft_wrap=True)
    if summary.failed:
        console.print("Run the same command again: only what failed is done again.")
    console.print("Nobody was mailed. Reports of these days are made anew by their own jobs.")


def _print_rehearsal(rehearsal: Rehearsal) -> None:
    for place in rehearsal.places:
        for line in _told(place, pulls=rehearsal.pulls):
            console.print(line, soft_wrap=True)
    moved = [one for place in rehearsal.places for one in place.restatements]
    if moved:
        console.print(_moved_table(moved))
    else:
        console.print("Rebuilding what is landed would change no figure.")
    if rehearsal.pulls:
        console.print("What new pulls bring (late receipts, prices) is not known before.")
    for edition in rehearsal.mailed[:LISTED_EDITIONS]:
        readers = "1 reader has" if edition.readers == 1 else f"{edition.readers} readers have"
        console.print(
            f"A mailed report {'may' if rehearsal.pulls else 'would'} differ: {edition.id}, "
            f"{_span(edition.first_day, edition.last_day)}, which {readers}",
            soft_wrap=True,
        )
    left = len(rehearsal.mailed) - LISTED_EDITIONS
    if left > 0:
        console.print(f"… and {left} more mailed reports.")
    if not rehearsal.mailed:
        console.print("No mailed report covers a day that would move.")
    console.print("This was a rehearsal: nothing was pulled, kept or mailed.")


def _told(place: PlaceRehearsal, *, pulls: bool) -> Iterable[str]:
    name = f"[bold]{escape(place.place.name)}[/]"
    if pulls:
        yield f"{name}: {_days(place.pulled)} would be pulled{_cost(place)}"
    if place.forgotten:
        yield f"  {_days(place.forgotten)} the provider keeps no more: not asked for"
    if place.error:
        yield f"  [red]{escape(place.error)}[/]"
    if place.messages:
        yield (
            f"{'  ' if pulls else name + ': '}{_days(place.landed)} landed would be rebuilt: "
            f"{place.messages:,} messages, at least {_duration(place.rebuild_seconds)}"
        )
    if place.absent:
        yield f"  {_days(place.absent)}: nothing is landed, so they stay missing"


def _cost(place: PlaceRehearsal) -> str:
    if place.requests is None or place.records is None or place.pull_seconds is None:
        return ""
    told = (
        f": about {place.requests:,} requests, {place.records:,} records, "
        f"{_duration(place.pull_seconds)}"
    )
    if place.billed is None:
        return told
    told += f"; the provider charges for about {place.billed:,} records"
    if place.price is not None:
        amount, currency = place.price
        return f"{told}, {amount:,.2f} {currency}"
    return f"{told} (set reading_price in its settings to see the money)"


def _moved_table(moved: Sequence[Restatement]) -> Table:
    """Per source and figure: then, now, on how many days, and why."""
    table = Table("source", "figure", "then", "now", "days", "why", title="Figures that would move")
    sums: Counter[tuple[str, str, str]] = Counter()
    for one in moved:
        sums[one.source, one.figure, one.currency] += 1
    for key, count in sorted(sums.items()):
        mine = [one for one in moved if (one.source, one.figure, one.currency) == key]
        source, figure, currency = key
        unit = MICRO if figure == SPENT else 1
        then, now = (sum(getattr(one, name) for one in mine) / unit for name in ("then", "now"))
        digits = 2 if figure == SPENT else 0
        why = ", ".join(sorted({cause.value for one in mine for cause in one.causes}))
        table.add_row(
            source, f"{figure} {currency}".strip(), f"{then:,.{digits}f}", f"{now:,.{digits}f}",
            str(count), why,
        )  # fmt: skip
    return table


def _days(days: Sequence[date]) -> str:
    if not days:
        return "no day"
    count = "1 day" if len(days) == 1 else f"{len(days)} days"
    return f"{count} ({_span(min(days), max(days))})"


def _span(first: date, last: date) -> str:
    return str(first) if first == last else f"{first} to {last}"


def _duration(seconds: float) -> str:
    if seconds < SECONDS_PER_MINUTE:
        return f"{seconds:.1f} s"
    return f"{seconds / SECONDS_PER_MINUTE:.0f} min"
