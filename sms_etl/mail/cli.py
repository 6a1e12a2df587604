"""The commands `sms-etl mail …`: what the ledger says, and what only a person can decide."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sms_etl.config.clock import now
from sms_etl.errors import ConfigError
from sms_etl.mail.attachments import Wanted
from sms_etl.mail.ledger import NEEDS_A_PERSON, Ledger, MailState
from sms_etl.mail.unsubscribed import Unsubscribed
from sms_etl.project import Project

app = typer.Typer(help="Who got which report, and what only a person can decide.")
PIPED_WIDTH = 200
"""Columns of a table that no terminal shows: addresses and answers stay whole."""

console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)

SHOWN = 50

Edition = Annotated[str, typer.Argument(help="Identifier of the edition, as in 'mail list'.")]
Reader = Annotated[str, typer.Argument(help="Address of the reader.")]
SubscriptionName = Annotated[str, typer.Argument(help="Name of the subscription.")]


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
    """Mail an edition to one reader again, whatever the ledger says; not to who unsubscribed."""
    from sms_etl.mail.send import resend as send_again
    from sms_etl.publish import editions

    project = Project.open()
    store = editions(project)
    found = store.get(edition)
    if reader in Unsubscribed(project.warehouse).of(found.key.audience):
        raise ConfigError(
            f"{reader} has unsubscribed from {found.key.audience!r}. If they want it again: "
            f"sms-etl mail resubscribe {found.key.audience} {reader}"
        )
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


@app.command()
def unsubscribed() -> None:
    """Show who has unsubscribed from what, and when; they are not written to."""
    table = Table("since", "subscription", "reader", box=None)
    for row in Unsubscribed(Project.open().warehouse).everyone():
        table.add_row(f"{row.at:%Y-%m-%d %H:%M}Z", escape(row.subscription), escape(row.reader))
    console.print(table if table.row_count else "Nobody has unsubscribed.")


@app.command()
def unsubscribe(subscription: SubscriptionName, reader: Reader) -> None:
    """Take a reader off a subscription, as they asked by mail; the settings stay as they are."""
    project = Project.open()
    known = {s.name: s for s in project.settings.subscriptions}
    if subscription not in known or reader not in known[subscription].readers:
        raise ConfigError(f"{reader} is not a reader of {subscription!r} in the settings.")
    Unsubscribed(project.warehouse).add(subscription, reader, now())
    console.print(f"{escape(reader)} does not get {escape(subscription)} any more.")


@app.command()
def resubscribe(subscription: SubscriptionName, reader: Reader) -> None:
    """Write to a reader again who had unsubscribed; only if they ask for it."""
    if not Unsubscribed(Project.open().warehouse).remove(subscription, reader):
        raise ConfigError(f"{reader} has not unsubscribed from {subscription!r}.")
    console.print(f"{escape(reader)} gets {escape(subscription)} again, from the next one on.")


@app.command()
def unsubscribe_server(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8025,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve the page behind the links to unsubscribe, until stopped; TLS is for a proxy."""
    from sms_etl.mail.unsubscribe_server import unsubscribe_server as server_of

    with server_of(Project.open(), host, port) as server:
        console.print(f"Listening on http://{host}:{server.server_port}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.print("Stopped.")
