"""A backfill on two machines without a shared disk, one of which loses its power on the way."""

import json
import time
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
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
def machine(sandbox, tmp_path):
    """Makes machines by name that share servers; `control` has daemon and code server."""
    text, secrets = settings_text(sandbox, CHUNK_DAYS), secrets_of(sandbox)
    with shared_servers(tmp_path) as shared, ExitStack() as stack:

        def make(name: str) -> Machine:
            return stack.enter_context(Machine(tmp_path / name, shared, text, secrets))

        yield make


@pytest.fixture
def control(machine, monkeypatch):
    """The machine with daemon and code server, whose Dagster instance this process sees, too."""
    control = machine("control")
    control.run("dagster", "instance", "migrate")
    control.start("dagster-daemon", "run", "-w", str(ROOT / "workspace.yaml"))
    for name, value in control.environment.items():
        monkeypatch.setenv(name, value)
    return control


def worker(machine, name: str) -> Machine:
    """A machine that makes runs."""
    made = machine(name)
    made.start_worker()
    return made


def launch_backfill(control: Machine, project: Project, days=DAYS) -> str:
    """What the button *Materialize* of the asset graph does."""
    paths = [
        [step, name] for name in project.source_names for step in ("landing", "messages", "cube")
    ]
    variables = {
        "p": {
            "assetSelection": [{"path": path} for path in paths],
            "partitionNames": [str(day) for day in days],
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


def wait_until_finished(instance, backfill):
    wait_until(
        lambda: instance.get_backfill(backfill).status.value.startswith(("COMPLETED", "FAIL")),
        SECONDS_TO_FINISH, "the backfill did not end",
    )  # fmt: skip
    assert instance.get_backfill(backfill).status.value == "COMPLETED_SUCCESS"


def cube_of(project, last=LAST):
    return project.lake.scan(CUBE, FIRST, last).collect().sort(CUBE.names)


def daily_counts_of(project):
    with project.warehouse.read() as connection:
        rows = connection.execute(
            select(DAILY_COUNTS.c.day, DAILY_COUNTS.c.source, func.sum(DAILY_COUNTS.c.messages))
            .group_by(DAILY_COUNTS.c.day, DAILY_COUNTS.c.source)
        )  # fmt: skip
        return sorted(tuple(row) for row in rows)


def test_a_machine_dies_in_the_middle_of_a_chunk_and_nothing_is_lost_or_doubled(
    sandbox, alone, machine, control
):
    one, _ = worker(machine, "one"), worker(machine, "two")
    with DagsterInstance.get() as instance:
        backfill = launch_backfill(control, alone)
        sandbox.set_faults(latency_ms=150)
        wait_until(lambda: pages_under_way(one) >= 5, 120, "machine one never pulled")
        one.lose_power()
        assert pages_under_way(one) >= 5
        sandbox.set_faults(latency_ms=0)
        wait_until_finished(instance, backfill)
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


def test_a_run_whose_worker_dies_before_it_begins_is_started_again(
    sandbox, alone, machine, control
):
    chunk = DAYS[:CHUNK_DAYS]
    with DagsterInstance.get() as instance:
        asked = instance.run_launcher.celery
        one = worker(machine, "one")
        wait_until(lambda: asked.control.ping(timeout=1), 60, "machine one never came up")
        one.hold_runs()
        backfill = launch_backfill(control, alone, chunk)

        def newest_task():
            return asked.AsyncResult(instance.get_runs()[0].tags[DAGSTER_CELERY_TASK_ID_TAG])

        def held_by(count):
            runs = instance.get_runs()
            return len(runs) == count and DAGSTER_CELERY_TASK_ID_TAG in runs[0].tags and any(
                newest_task().id in held
                for held in (asked.control.inspect(timeout=1).query_task(newest_task().id) or {})
                .values()
            )  # fmt: skip

        # Taken from the queue, and not a word of it.
        wait_until(lambda: held_by(1), 60, "machine one never took the run")
        assert newest_task().state == "PENDING"
        one.lose_power()
        # Begun by Celery, not by Dagster: the worker still loads the definitions.
        two = worker(machine, "two")
        wait_until(lambda: held_by(2), 180, "the run was not started again")
        wait_until(lambda: newest_task().state == "STARTED", 60, "machine two never took the run")
        two.lose_power()
        assert instance.get_runs()[0].status is DagsterRunStatus.STARTING
        worker(machine, "three")
        wait_until_finished(instance, backfill)
        third, second, first = instance.get_runs()
        assert [run.status for run in (first, second, third)] == [
            DagsterRunStatus.FAILURE, DagsterRunStatus.FAILURE, DagsterRunStatus.SUCCESS
        ]  # fmt: skip
        assert (third.parent_run_id, second.parent_run_id) == (second.run_id, first.run_id)

    together = Project.open(control.folder / "sms_etl.toml")
    assert cube_of(together).equals(cube_of(alone, chunk[-1]))
    ids = together.lake.scan(MESSAGES, FIRST, LAST).select("source", "message_id").collect()
    assert ids.height > 0
    assert ids.is_duplicated().sum() == 0
    together.warehouse.close()
