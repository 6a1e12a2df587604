"""`make demo`: a simulated retailer from provider APIs to mailed reports, by the real jobs.

It serves the sandbox and a mail server on loopback, writes a settings file, runs the Dagster
jobs over two months as a deployment would, and compares the reports with the sandbox's truth.
"""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import dagster as dg
import polars as pl
import typer
from dagster import DagsterInstance
from rich.console import Console

from assets.build import build_defs
from assets.jobs import (
    ATTRIBUTION_JOB,
    CLEAN_BASE_JOB,
    DAILY_JOB,
    FINDINGS_JOB,
    SETTLE_JOB,
    report_job_name,
)
from assets.partitions import RANGE_END, RANGE_START
from assets.schedules import findings_run_config, report_run_config
from sms_etl.config import CONFIG_PATH_VARIABLE
from sms_etl.config.clock import NOW_VARIABLE
from sms_etl.mail.local_server import running_mail_server
from sms_etl.project import Project
from sms_etl.publish import latest_edition
from sms_etl.reports.figures import Figures
from sms_etl.sandbox import (
    Clock,
    Sandbox,
    World,
    build_world,
    running_sandbox,
    truth_at,
    write_files,
)
from sms_etl.sandbox.demo_settings import DEMO_FIRST_DAY, DEMO_WORLD, environment, settings_text

KYIV = ZoneInfo("Europe/Kyiv")
FIRST_MORNING = datetime(2026, 11, 1, 6, 0, tzinfo=KYIV)
"""The backfill runs on this simulated morning, while late receipts are still on their way."""

MONDAY = datetime(2026, 11, 2, 8, 0, tzinfo=KYIV)
"""The reports are made and mailed on this one."""

SANDBOX_PORT, MAIL_PORT = 8025, 8026
"""Taken if free, so that `make ui` can serve the same providers again."""

ENVIRONMENT_FILE = "demo.env"
DAGSTER_YAML = Path(__file__).parent.parent / "deploy" / "dagster.yaml"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

console = Console()
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass
class Clockwork:
    """Seconds that each stage took, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Show a stage while it runs and remember how long it took."""
        started = time.monotonic()
        with console.status(title) as status, _progress(status.update, title):
            yield
        self.seconds[title] = time.monotonic() - started
        console.print(f"[green]✓[/] {title} [dim]{self.seconds[title]:.1f} s[/]")


@app.command()
def main(
    folder: Annotated[Path, typer.Option("--dir", help="Where everything is put.")] = Path(
        "var/demo"
    ),
) -> None:
    """Run the whole demo."""
    folder = folder.absolute()
    _make_room(folder)
    clockwork = Clockwork()
    with clockwork.stage("A retailer, its campaigns and three months of messages"):
        world = build_world(DEMO_WORLD)
    mailbox = folder / "mailbox"
    with (
        running_sandbox(world, Clock(FIRST_MORNING), port=_port(SANDBOX_PORT)) as sandbox,
        running_mail_server(mailbox, _port(MAIL_PORT)) as mail_server,
    ):
        _prepare(folder, sandbox, mail_server.port)
        project = Project.open()
        with DagsterInstance.get() as instance:
            runner = _Runner(build_defs(project), instance, clockwork)
            _move_to(FIRST_MORNING, sandbox, world, folder)
            _backfill(runner, project)
            _move_to(MONDAY, sandbox, world, folder)
            _monday(runner, project)
            mails = len(list(mailbox.glob("*.eml")))
            _monday_again(runner, project)
            more_mails = len(list(mailbox.glob("*.eml"))) - mails
    with clockwork.stage("Compare the month's report with the sandbox's truth"):
        differences = _differences(_month(project), world)
    _tell(project, folder, clockwork, mails, more_mails, differences)
    if more_mails or differences:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Runner:
    """Runs jobs of the code location in this process, on the demo's own Dagster instance."""

    defs: dg.Definitions
    instance: DagsterInstance
    clockwork: Clockwork

    def run(
        self, job: str, config: dg.RunConfig | None = None, tags: dict[str, str] | None = None
    ) -> None:
        """Run a job; a failure ends the demo with its sentences."""
        result = self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            run_config={**(config.to_config_dict() if config else {}), **QUIET},  # type: ignore[no-untyped-call]
            tags=tags,
            raise_on_error=False,
        )
        if not result.success:
            for event in result.filter_events(lambda event: event.is_step_failure):
                failure = event.step_failure_data
                console.print(f"[red]{event.step_key}[/]: {failure.error_display_string}")
            raise typer.Exit(1)

    def run_range(self, job: str, first: date, last: date) -> None:
        """Run a partitioned job over a range of days in one run."""
        self.run(job, tags={RANGE_START: first.isoformat(), RANGE_END: last.isoformat()})


def _make_room(folder: Path) -> None:
    """Empty the demo's folder; a folder that holds anything else is left alone."""
    if folder.exists() and any(folder.iterdir()) and not (folder / ENVIRONMENT_FILE).exists():
        console.print(
            f"[red]{folder} holds something that is not a demo; choose another folder.[/]"
        )
        raise typer.Exit(1)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "in").mkdir(parents=True)
    (folder / ENVIRONMENT_FILE).touch()


def _prepare(folder: Path, sandbox: Sandbox, mail_port: int) -> None:
    """Settings file, environment and Dagster instance of the demo."""
    settings = folder / "sms_etl.toml"
    text = settings_text(sandbox.base_url, mail_port, str(folder), planted=True)
    settings.write_text(text, "utf-8")
    home = folder / "dagster"
    home.mkdir()
    shutil.copy(DAGSTER_YAML, home / "dagster.yaml")
    variables = {
        **environment(),
        CONFIG_PATH_VARIABLE: str(settings),
        NOW_VARIABLE: MONDAY.isoformat(),
        "DAGSTER_HOME": str(home),
    }
    os.environ.update(variables)
    variables |= {
        "DEMO_SANDBOX_PORT": sandbox.base_url.rpartition(":")[2],
        "DEMO_MAIL_PORT": str(mail_port),
        "DEMO_MESSAGES": str(DEMO_WORLD.messages),
        "DEMO_FIRST_DAY": DEMO_WORLD.first_day.isoformat(),
    }
    lines = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    (folder / ENVIRONMENT_FILE).write_text("\n".join(lines) + "\n", "utf-8")


def _port(preferred: int) -> int:
    """The preferred port if it is free, else 0 for any."""
    with socket.socket() as probe:
        return preferred if probe.connect_ex(("127.0.0.1", preferred)) else 0


def _move_to(moment: datetime, sandbox: Sandbox, world: World, folder: Path) -> None:
    """Set the simulated time everywhere: provider APIs, the company's files, our clock."""
    sandbox.set_clock(moment)
    write_files(world, moment, folder / "in")
    os.environ[NOW_VARIABLE] = moment.isoformat()


def _backfill(runner: _Runner, project: Project) -> None:
    chunk = timedelta(days=project.settings.project.backfill_chunk_days)
    first, end = DEMO_FIRST_DAY, FIRST_MORNING.date()
    while first < end:
        last = min(first + chunk, end) - timedelta(days=1)
        with runner.clockwork.stage(f"Backfill {first} to {last}, every source"):
            runner.run_range(DAILY_JOB, first, last)
        with runner.clockwork.stage("Robots, orders, suppressions, rules and suspicions of it"):
            _look_closer(runner, first, last)
        first = last + timedelta(days=1)


def _settle(runner: _Runner, project: Project) -> None:
    last = MONDAY.date() - timedelta(days=1)
    first = last - timedelta(days=project.settings.project.settling_days - 1)
    runner.run_range(SETTLE_JOB, first, last)
    _look_closer(runner, first, last)


def _look_closer(runner: _Runner, first: date, last: date) -> None:
    """What is made from the lake alone, after it was filled."""
    for job in (ATTRIBUTION_JOB, CLEAN_BASE_JOB):
        runner.run_range(job, first, last)


def _reports(runner: _Runner, project: Project) -> None:
    for subscription in project.settings.subscriptions:
        config = report_run_config(subscription, MONDAY, send=True)
        runner.run(report_job_name(subscription), config)


def _monday(runner: _Runner, project: Project) -> None:
    with runner.clockwork.stage("Monday morning: yesterday, and late receipts of the last days"):
        _settle(runner, project)
    with runner.clockwork.stage("Findings of the last four weeks"):
        runner.run(FINDINGS_JOB, findings_run_config(MONDAY))
    with runner.clockwork.stage("Four reports: figures, HTML, PDF, mail"):
        _reports(runner, project)


def _monday_again(runner: _Runner, project: Project) -> None:
    with runner.clockwork.stage("All of Monday again: nothing may change, nobody is mailed"):
        _settle(runner, project)
        _reports(runner, project)


def _month(project: Project) -> Figures:
    monthly = next(s for s in project.settings.subscriptions if s.name == "monthly")
    return latest_edition(project, monthly, MONDAY).figures()


def _differences(figures: Figures, world: World) -> list[str]:
    """Where the report and the truth differ; counted from the truth by code of its own."""
    local_day = pl.col("submitted_at").dt.convert_time_zone(figures.zone).dt.date()
    truth = truth_at(world, MONDAY).filter(
        local_day.is_between(figures.first_day, figures.last_day)
    )
    counts = dict(truth.group_by("class").len().iter_rows())
    by_campaign = dict(truth.group_by("campaign").len().iter_rows())
    expected = {"submitted": truth.height, "parts": truth["parts"].sum(), **counts}
    found = {name: getattr(figures.totals, name) for name in expected}
    expected |= {f"campaign {name}": count for name, count in by_campaign.items()}
    found |= {f"campaign {row.key}": row.totals.submitted for row in figures.by_campaign}
    return [
        f"{name}: report {found.get(name)}, truth {expected.get(name)}"
        for name in sorted(expected.keys() | found.keys())
        if found.get(name) != expected.get(name)
    ]


def _tell(
    project: Project,
    folder: Path,
    clockwork: Clockwork,
    mails: int,
    more_mails: int,
    differences: list[str],
) -> None:
    month = _month(project).totals
    console.print()
    if differences:
        console.print("[red]The month's report differs from the truth:[/]", *differences, sep="\n")
    else:
        console.print(
            f"October: {month.delivered} delivered of {month.submitted} submitted; every class, "
            f"the parts and every campaign equal the truth."
        )
    console.print(f"Mails: {mails}; when all was run again: {more_mails} more.")
    for subscription in project.settings.subscriptions:
        edition = latest_edition(project, subscription, MONDAY)
        console.print(f"[bold]{subscription.name}[/]", _short(edition.pdf_path), soft_wrap=True)
        console.print(" " * len(subscription.name), _short(edition.html_path), soft_wrap=True)
    console.print(f"Mailbox: {_short(folder / 'mailbox')}")
    console.print(f"Took {sum(clockwork.seconds.values()):.0f} s. The Dagster UI: make ui")


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


@contextmanager
def _progress(update: Callable[[str], None], title: str) -> Iterator[None]:
    """Show each pull as it lands."""

    class Show(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            update(f"{title}: {record.getMessage()}")

    logger, handler = logging.getLogger("sms_etl"), Show()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


if __name__ == "__main__":
    app()
