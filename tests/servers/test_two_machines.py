"""A backfill on two machines without a shared disk, one of which loses its power on the way."""

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus
from sqlalchemy import func, select

from sms_etl.days import days_between
from sms_etl.model.schemas import CUBE, MESSAGES
from sms_etl.pipeline import land_source, rebuild_cube, rebuild_messages
from sms_etl.project import Project
from sms_etl.sandbox import Clock, WorldParameters, build_world, running_sandbox
from sms_etl.store.journal import JOURNAL
from sms_etl.store.tables import DAILY_COUNTS
from tests.servers.machines import ROOT, Machine, secrets_of, settings_text, shared_servers

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1200)]

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 12)
DAYS = days_between(FIRST, LAST)
CHUNK_DAYS = 3
NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
SECONDS_TO_FINISH = 400

BACKFILL = """
mutation($p: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $p) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""


@pytest.fixture(scope="module")
def sandbox():
    world = build_world(WorldParameters(messages=3000, first_day=FIRST, days=31))
    with running_sandbox(world, Clock(NOW)) as served:
        served.set_faults(page_size=20)
        yield served


@pytest.fixture(scope="module")
def alone(sandbox, tmp_path_factory):
    """The same days on one machine, with everything in its folders."""
    folder = tmp_path_factory.mktemp("alone")
    text = settings_text(sandbox, CHUNK_DAYS).replace('warehouse_url = "TEST_WAREHOUSE"\n', "")
    (folder / "sms_etl.toml").write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in secrets_of(sandbox).items():
            patch.setenv(name, value)
        project = Project.open(folder / "sms_etl.toml")
        for name in project.source_names:
            land_source(project, name, DAYS)
            rebuild_messages(project, name, DAYS)
            rebuild_cube(project, name, DAYS)
        yield project


@pytest.fixture
def machines(sandbox, tmp_path):
    """One machine with daemon and code server, two with a worker each."""
    text, secrets = settings_text(sandbox, CHUNK_DAYS), secrets_of(sandbox)
    with (
        shared_servers(tmp_path) as shared,
        Machine(tmp_path / "control", shared, text, secrets) as control,
        Machine(tmp_path / "one", shared, text, secrets) as one,
        Machine(tmp_path / "two", shared, text, secrets) as two,
    ):
        control.run("dagster", "instance", "migrate")
        one.start_worker()
        two.start_worker()
        control.start("dagster-daemon", "run", "-w", str(ROOT / "workspace.yaml"))
        yield control, one, two


def launch_backfill(control: Machine, project: Project) -> str:
    """What the button *Materialize* of the asset graph does."""
    paths = [
        [step, name] for name in project.source_names for step in ("landing", "messages", "cube")
    ]
    variables = {
        "p": {
            "assetSelection": [{"path": path} for path in paths],
            "partitionNames": [str(day) for day in DAYS],
        }
    }
    answer = control.folder / "answer.json"
    control.run(
        "dagster-graphql", "-w", str(ROOT / "workspace.yaml"), "-t", BACKFILL,
        "-v", json.dumps(variables), "-o", str(answer),
    )  # fmt: skip
    found = json.loads(answer.read_text("utf-8"))["data"]["launchPartitionBackfill"]
    assert found["__typename"] == "LaunchBackfillSuccess", found
    return str(found["backfillId"])


def pages_under_way(machine: Machine) -> int:
    """Pages of pulls that are not whole yet."""
    journals = (machine.folder / "data" / "landing").glob(f"*/*/*/{JOURNAL}")
    return sum(_lines(path) for path in journals)


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n") - 1
    except FileNotFoundError:
        return 0


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def cube_of(project):
    return project.lake.scan(CUBE, FIRST, LAST).collect().sort(CUBE.names)


def daily_counts_of(project):
    with project.warehouse.read() as connection:
        rows = connection.execute(
            select(DAILY_COUNTS.c.day, DAILY_COUNTS.c.source, func.sum(DAILY_COUNTS.c.messages))
            .group_by(DAILY_COUNTS.c.day, DAILY_COUNTS.c.source)
        )  # fmt: skip
        return sorted(tuple(row) for row in rows)


def test_a_machine_dies_in_the_middle_of_a_chunk_and_nothing_is_lost_or_doubled(
    sandbox, alone, machines, monkeypatch
):
    control, one, _ = machines
    for name, value in control.environment.items():
        monkeypatch.setenv(name, value)
    with DagsterInstance.get() as instance:
        backfill = launch_backfill(control, alone)
        sandbox.set_faults(latency_ms=150)
        wait_until(lambda: pages_under_way(one) >= 5, 120, "machine one never pulled")
        one.lose_power()
        assert pages_under_way(one) >= 5
        sandbox.set_faults(latency_ms=0)
        wait_until(
            lambda: instance.get_backfill(backfill).status.value.startswith(("COMPLETED", "FAIL")),
            SECONDS_TO_FINISH, "the backfill did not end",
        )  # fmt: skip
        assert instance.get_backfill(backfill).status.value == "COMPLETED_SUCCESS"
        runs = instance.get_runs()
        lost = [run for run in runs if run.status is DagsterRunStatus.FAILURE]
        (again,) = [run for run in runs if run.parent_run_id is not None]
        assert [run.run_id for run in lost] == [again.parent_run_id]
        assert sum(run.status is DagsterRunStatus.SUCCESS for run in runs) == len(DAYS) / CHUNK_DAYS

    together = Project.open(control.folder / "sms_etl.toml")
    assert cube_of(alone).height > 100
    assert cube_of(together).equals(cube_of(alone))
    assert daily_counts_of(together) == daily_counts_of(alone)
    ids = together.lake.scan(MESSAGES, FIRST, LAST).select("source", "message_id").collect()
    assert ids.is_duplicated().sum() == 0
    landing = together.landing
    for name in together.source_names:
        manifests = landing.manifests(name, DAYS)
        assert landing.days(name) >= set(DAYS)
        for manifest in manifests:
            landing.verify(manifest)
    together.warehouse.close()
