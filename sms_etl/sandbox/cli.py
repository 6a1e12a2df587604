"""Command line of the sandbox: serve the simulated providers, or write the company's files."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from sms_etl.mail.local_server import running_mail_server
from sms_etl.sandbox.agree import Agreement, agreements
from sms_etl.sandbox.case import kinds as known_kinds
from sms_etl.sandbox.clock import Clock
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.files import write_files
from sms_etl.sandbox.plants import NOTHING, Plants
from sms_etl.sandbox.server import running_sandbox, settled
from sms_etl.sandbox.world import World, WorldParameters, build_world

app = typer.Typer(
    help="A simulated retailer and its SMS providers, with the truth known.", no_args_is_help=True
)
console = Console()

AGREE_DAYS, AGREE_MESSAGES = 9, 3_000
"""A small world with enough of everything on its middle day."""

_DEFAULTS = WorldParameters()
_FIRST_DAY = _DEFAULTS.first_day.isoformat()
Seed = Annotated[int, typer.Option(help="The same seed gives the same world.")]
Messages = Annotated[int, typer.Option(min=100, help="Messages submitted to both HTTP providers.")]
FirstDay = Annotated[str, typer.Option(help="First day of the period, YYYY-MM-DD, in Kyiv.")]
Days = Annotated[int, typer.Option(min=1, max=3660, help="Length of the period in days.")]
Now = Annotated[
    str | None,
    typer.Option(help="Simulated time with its zone; without: three days after the period."),
]


class Planted(StrEnum):
    """Which company is simulated."""

    NO_SHOP = "no-shop"
    NOTHING = "nothing"
    ALL = "all"


_PLANTS = {Planted.NO_SHOP: None, Planted.NOTHING: NOTHING, Planted.ALL: Plants()}
PlantedOption = Annotated[
    Planted,
    typer.Option(
        help="all: a company with a shop, a holdout, and breaches, frauds and common causes of "
        "failure planted for you to find; nothing: the same without any of them."
    ),
]


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 8025,
    seed: Seed = _DEFAULTS.seed,
    messages: Messages = _DEFAULTS.messages,
    first_day: FirstDay = _FIRST_DAY,
    days: Days = _DEFAULTS.days,
    now: Now = None,
    planted: PlantedOption = Planted.NO_SHOP,
    faults: Annotated[
        str, typer.Option(help='Faults as JSON, e.g. {"rate_limited": 3, "latency_ms": 200}.')
    ] = "{}",
) -> None:
    """Serve Twilio and TurboSMS on loopback until Ctrl+C."""
    world = _world(seed, messages, first_day, days, planted)
    try:
        settings = FaultSettings.model_validate_json(faults)
    except ValidationError as problem:
        raise typer.BadParameter(str(problem), param_hint="--faults") from problem
    with running_sandbox(world, Clock(_moment(now, world)), faults=settings, port=port) as sandbox:
        accounts = sandbox.accounts
        console.print(f"Serving {world.messages.height} messages on {sandbox.base_url}")
        console.print(f"Simulated time {sandbox.clock.now().isoformat()}")
        console.print(f"Twilio account {accounts.twilio_sid}, auth token {accounts.twilio_auth}")
        console.print(f"TurboSMS token {accounts.turbosms_auth}")
        console.print("Move the time: POST /_sandbox/clock; break things: POST /_sandbox/faults")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            console.print("Stopped.")


@app.command()
def agree(
    kinds: Annotated[
        list[str] | None, typer.Argument(help="Kinds of sources; without: all of them.")
    ] = None,
    day: Annotated[
        str | None, typer.Option(help="Which day; without: the fifth of the period.")
    ] = None,
    seed: Seed = _DEFAULTS.seed,
    messages: Messages = AGREE_MESSAGES,
    first_day: FirstDay = _FIRST_DAY,
) -> None:
    """Read one simulated day through every source and compare each with the truth."""
    wanted = kinds or known_kinds()
    if unknown := sorted(set(wanted) - set(known_kinds())):
        raise typer.BadParameter(f"no such source: {', '.join(unknown)}", param_hint="KINDS")
    world = _world(seed, messages, first_day, AGREE_DAYS)
    asked = _day(day) if day else world.parameters.first_day + timedelta(days=AGREE_DAYS // 2)
    results = []
    with running_sandbox(world) as sandbox, TemporaryDirectory() as folder:
        for found in agreements(sandbox, wanted, [asked], Path(folder)):
            results.append(found)
            console.print(_agreement_line(found), soft_wrap=True)
    agreed = sum(found.ok for found in results)
    console.print(f"{agreed} of {len(results)} sources agree with the truth of {asked}.")
    if agreed < len(results):
        raise typer.Exit(1)


@app.command()
def mail(
    folder: Annotated[Path, typer.Option(help="Where each mail is kept as an .eml file.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 8026,
) -> None:
    """Run a mail server on loopback that keeps every mail in a folder, until Ctrl+C."""
    with running_mail_server(folder, port) as server:
        console.print(f"Mails to 127.0.0.1:{server.port} are kept in {folder}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            console.print("Stopped.")


@app.command()
def files(
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    seed: Seed = _DEFAULTS.seed,
    messages: Messages = _DEFAULTS.messages,
    first_day: FirstDay = _FIRST_DAY,
    days: Days = _DEFAULTS.days,
    now: Now = None,
    planted: PlantedOption = Planted.NO_SHOP,
) -> None:
    """Write the outbox, the exports and the truth as they are at a simulated time."""
    world = _world(seed, messages, first_day, days, planted)
    for path in write_files(world, _moment(now, world), out):
        console.print(escape(str(path)))


def _world(
    seed: int, messages: int, first_day: str, days: int, planted: Planted = Planted.NO_SHOP
) -> World:
    try:
        first = date.fromisoformat(first_day)
    except ValueError as problem:
        raise typer.BadParameter(str(problem), param_hint="--first-day") from problem
    return build_world(
        WorldParameters(
            seed=seed, messages=messages, first_day=first, days=days, plants=_PLANTS[planted]
        )
    )


def _agreement_line(found: Agreement) -> str:
    mark = "[green]agrees[/]" if found.ok else "[red]DIFFERS[/]"
    line = f"{mark} {found.kind}: {found.messages} messages in {found.pages} pages"
    wrong = {"lost": found.lost, "of another class": found.wrong, **found.off}
    told = [f"{n} {name}" for name, n in wrong.items() if n]
    if found.blurred:
        told.append(f"the true class of {found.blurred} cannot be told by its words")
    if found.silent:
        told.append(f"tells no {', '.join(found.silent)}")
    return "; ".join([line, *told])


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise typer.BadParameter(str(problem), param_hint="--day") from problem


def _moment(text: str | None, world: World) -> datetime:
    if text is None:
        return settled(world)
    try:
        return Clock(datetime.fromisoformat(text)).now()
    except ValueError as problem:
        raise typer.BadParameter(str(problem), param_hint="--now") from problem
