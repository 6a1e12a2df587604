"""The commands `sms-etl mail …`: what the ledger says, and what only a person can decide."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sms_etl.config.clock import now
from sms_etl.errors import ConfigError
from sms_etl.mail.attachments import Wanted
from sms_etl.mail.ledger import NEEDS_A_PERSON, Ledger, MailState
from sms_etl.project import Project

app = typer.Typer(help="Who got which report, and what only a person can decide.")
console = Console()

SHOWN = 50

Edition = Annotated[str, typer.Argument(help="Identifier of the edition, as in 'mail list'.")]
Reader = Annotated[str, typer.Argument(help="Address of the reader.")]


@app.command("list")
def list_mails(
    edition: Annotated[str | None, typer.Option(help="Only of this edition.")] = None,
    trouble: Annotated[
        bool, typer.Option("--trouble", help="Only those that need a person: refused, unknown.")
    ] = False,
    limit: Annotated[int, typer.Option(help="Most rows to show, the newest first.")] = SHOWN,
) -> None:
    """Show the ledger: every mail with its state and the server's answer."""
    ledger = Ledger(Project.open().warehouse)
    entries = ledger.entries(edition) if edition else ledger.recent(limit)
    if trouble:
        entries = entries if edition else ledger.recent(limit, sorted(NEEDS_A_PERSON))
        entries = [entry for entry in entries if entry.state in NEEDS_A_PERSON]
    table = Table("state", "reader", "edition", "tries", "last", "server's answer", box=None)
    for entry in entries:
        last = entry.closed_at or entry.claimed_at
        table.add_row(
            entry.state.value,
            escape(entry.reader),
            escape(entry.edition_id),
            str(entry.attempts),
            f"{last:%Y-%m-%d %H:%M}Z",
            escape(entry.server_answer or ""),
        )
    if entries:
        console.print(table)
    else:
        console.print("No mails.")


@app.command()
def turns(
    limit: Annotated[int, typer.Option(help="Most rows to show, the newest first.")] = SHOWN,
) -> None:
    """Show each time a report was due, and what became of it."""
    from sms_etl.subscriptions.turns import Turns

    table = Table("due", "subscription", "state", "tries", "why", box=None)
    for turn in Turns(Project.open().warehouse).recent(limit):
        table.add_row(
            f"{turn.due_at:%Y-%m-%d %H:%M}Z",
            escape(turn.subscription),
            turn.state.value,
            str(turn.attempts),
            escape(turn.detail),
        )
    console.print(table if table.row_count else "No report was due yet.")


@app.command()
def settle(
    edition: Edition,
    reader: Reader,
    arrived: Annotated[
        bool,
        typer.Option(
            "--arrived/--lost", help="Whether the reader has the mail; ask them, then say so."
        ),
    ],
) -> None:
    """Say what became of a mail whose end nobody could know.

    With --lost the next run of the report sends it; 'mail resend' sends it at once.
    """
    state = MailState.SENT if arrived else MailState.FAILED_TEMPORARILY
    ledger = Ledger(Project.open().warehouse)
    if ledger.settle(edition, reader, state, now()) is None:
        states = {entry.reader: entry.state.value for entry in ledger.entries(edition)}
        found = states.get(reader, "not in the ledger")
        raise ConfigError(
            f"The mail of edition {edition} to {reader} is {found}; only one that is unknown can "
            f"be settled."
        )
    console.print(f"{reader}: {state.value}")


@app.command()
def resend(edition: Edition, reader: Reader) -> None:
    """Mail an edition to one reader again, whatever the ledger says."""
    from sms_etl.mail.send import resend as send_again
    from sms_etl.publish import editions

    project = Project.open()
    store = editions(project)
    found = store.get(edition)
    known = {s.name: s for s in project.settings.subscriptions}
    subscription = known.get(found.key.audience)
    if subscription is None or reader not in subscription.readers:
        raise ConfigError(
            f"{reader} is not a reader of {found.key.audience!r} in the settings; add them first."
        )
    report = send_again(
        found,
        reader,
        store=store,
        warehouse=project.warehouse,
        settings=project.settings,
        wanted=Wanted.of(subscription),
        now=now,
    )
    console.print(escape(report.text()))
