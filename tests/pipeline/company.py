"""A small simulated company with its deployment, for tests of the whole way through."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from sms_etl.days import days_between
from sms_etl.engagement.steps import land_stream, rebuild_stream
from sms_etl.pipeline import land_outbox, land_source, rebuild_cube, rebuild_messages
from sms_etl.project import Project
from sms_etl.sandbox import (
    Clock,
    Sandbox,
    World,
    WorldParameters,
    build_world,
    running_sandbox,
    truth_at,
    write_files,
)
from sms_etl.sandbox.demo_settings import environment, settings_text
from sms_etl.sandbox.plants import Plants

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
DAYS = days_between(FIRST, LAST)
NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
SMALL_WORLD = WorldParameters(messages=4000, first_day=FIRST, days=31)
PLANTED_WORLD = WorldParameters(messages=4000, first_day=FIRST, days=31, plants=Plants())


@dataclass(frozen=True)
class Company:
    """A running sandbox and a deployment that reads from it."""

    sandbox: Sandbox
    world: World
    project: Project
    folder: Path

    @property
    def truth(self) -> pl.DataFrame:
        return truth_at(self.world, self.sandbox.clock.now())

    def move_to(self, moment: datetime) -> None:
        """Set the simulated time of the providers, the company's files and our clock."""
        self.sandbox.set_clock(moment)
        write_files(self.world, moment, self.folder / "in")
        os.environ["SMS_ETL_NOW"] = moment.isoformat()


@contextmanager
def running_company(
    folder: Path,
    now: datetime = NOW,
    mail_port: int = 2525,
    parameters: WorldParameters = SMALL_WORLD,
) -> Iterator[Company]:
    """A company that has sent for a month; with plants it has a shop and streams, too."""
    world = build_world(parameters)
    planted = parameters.plants is not None
    before = dict(os.environ)
    with running_sandbox(world, Clock(now)) as sandbox:
        (folder / "in").mkdir(parents=True)
        settings = folder / "sms_etl.toml"
        text = settings_text(sandbox.base_url, mail_port, str(folder), planted=planted)
        settings.write_text(text.replace("2026-09-01", FIRST.isoformat()), "utf-8")
        os.environ.update({**environment(), "SMS_ETL_CONFIG": str(settings)})
        try:
            company = Company(sandbox, world, Project.open(settings), folder)
            company.move_to(now)
            yield company
        finally:
            os.environ.clear()
            os.environ.update(before)


def land_and_rebuild(project: Project, days: list[date]) -> None:
    land_outbox(project, days)
    for name in project.source_names:
        land_source(project, name, days)
    rebuild(project, days)


def rebuild(project: Project, days: list[date]) -> None:
    for name in project.source_names:
        rebuild_messages(project, name, days)
        rebuild_cube(project, name, days)


def land_and_rebuild_streams(project: Project, days: list[date]) -> None:
    for name in project.enabled:
        for stream in project.streams(name):
            land_stream(project, name, stream, days)
            rebuild_stream(project, name, stream, days)
