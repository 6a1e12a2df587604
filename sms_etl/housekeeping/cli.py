"""Commands of housekeeping: what is kept, for how long, and of whom."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from sms_etl.config.clock import now
from sms_etl.project import Project

app = typer.Typer(help="Retention, upkeep of tables, and keys.", no_args_is_help=True)
console = Console()

Number = Annotated[str, typer.Argument(help="Phone number of the person.")]
Who = Annotated[str | None, typer.Option(help="Who you are; without: the user of this computer.")]
Why = Annotated[str, typer.Option(help="Why; kept for good.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")]


@app.command()
def retention(dry_run: DryRun = False) -> None:
    """Remove what is older than [retention] allows, layer by layer. Sums stay."""
    from sms_etl.housekeeping.retention import apply_retention

    removed = apply_retention(Project.open(), now(), rehearse=dry_run)
    for one in removed:
        deed = "would go" if dry_run else f"went, {one.left} left"
        console.print(f"{one.layer}: {one.items:,} from before {one.before} {deed}")
    if not removed:
        console.print("Nothing is older than \\[retention] allows.")


@app.command()
def upkeep() -> None:
    """Join small files of the lake and remove versions older than [retention] keeps."""
    from sms_etl.housekeeping.steps import keep_up_tables

    for kept in keep_up_tables(Project.open()):
        console.print(
            f"{kept.table}: {kept.files_before:,} files → {kept.files_after:,}; "
            f"{kept.removed:,} files of old versions removed"
        )


@app.command("rotate-key")
def rotate(
    variable: Annotated[str, typer.Argument(help="Environment variable with the new key.")],
) -> None:
    """Make every pseudonym anew with another key. Stop the schedules before."""
    from sms_etl.config.secrets import EnvSecret
    from sms_etl.housekeeping.rotate import rotate_key

    project = Project.open()
    done = rotate_key(project, EnvSecret(variable))
    _print_failed([chunk.error or "" for chunk in done.rebuilt.failed])
    rows = sum(chunk.rows for chunk in done.rebuilt.chunks)
    console.print(f"{rows:,} rows have pseudonyms of the new key, {done.lifts} lifts were copied.")
    for name, count in done.nobody.items():
        console.print(f"{name}: {count:,} rows of days without landing are nobody's now.")
    old = project.settings.project.pseudonym_key.variable
    console.print(
        f"Now set {old} to the value of {variable}, and only then start the schedules again.",
        soft_wrap=True,
    )


def _print_failed(errors: Sequence[str]) -> None:
    if not errors:
        return
    for error in errors:
        console.print(f"[red]{escape(error)}[/]", soft_wrap=True)
    console.print("The old key stays in use. Run the same command again to go on.")
    raise typer.Exit(1)


def erase(number: Number, why: Why, who: Who = None) -> None:
    """Erase one person from landing, lake and old versions of tables. Sums stay."""
    from sms_etl.housekeeping.erase import erase as erase_person

    receipt = erase_person(Project.open(), number, who or getpass.getuser(), why)
    console.print(f"{receipt.pages} stored pages and manifests were edited or removed.")
    for name, count in receipt.rows.items():
        console.print(f"{name}: {count} rows are nobody's now; older versions are gone")
    if receipt.complete:
        console.print("A search of all pages and tables after it found nothing.")
        console.print(
            "Not touched: your own systems, folders files are dropped in, the providers, backups. "
            "A provider that still lists the person brings the number into landing again: erase "
            "there first, and run this once more.",
            soft_wrap=True,
        )
        return
    for page in receipt.left_pages:
        console.print(f"[red]Still holds the number: {escape(page)}[/]", soft_wrap=True)
    for name, count in receipt.left_rows.items():
        if count:
            console.print(f"[red]{name}: {count} rows are still about the person[/]")
    console.print("Edit or remove these files by hand (spreadsheets are not edited), run it again.")
    raise typer.Exit(1)


def held(
    number: Number,
    why: Why,
    out: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("held.json"),
    who: Who = None,
) -> None:
    """Write everything that is held about one person to a file; who asked is kept."""
    from sms_etl.housekeeping.export import held_about
    from sms_etl.store.files import write_atomically

    body = held_about(Project.open(), number, who or getpass.getuser(), why)
    write_atomically(out.resolve(), body)
    console.print(f"{out} ({len(body):,} bytes); it holds personal data, keep it accordingly.")
