"""Machines of a deployment as processes: each its own folder, settings file and Dagster home.

They share what machines share (PostgreSQL, Redis, a bucket) and no folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
import yaml

from sms_etl.sandbox import Sandbox
from sms_etl.sandbox.vonage_api import ACCOUNT
from tests.servers.machine import free_port, program
from tests.servers.object_stores import KEY, SECRET, make_bucket, running, seaweedfs
from tests.store.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "many-machines"
BIN = Path(sys.executable).parent
SECONDS_TO_STOP = 20

SETTINGS = """
[project]
name = "Two machines"
first_day = 2026-10-01
business_time_zone = "Europe/Kyiv"
data_dir = "data"
backfill_chunk_days = {chunk_days}
warehouse_url = "TEST_WAREHOUSE"

[sources.twilio]
kind = "twilio"
base_url = "{sandbox}"
account_sid = "{twilio_sid}"
auth_token = "TWILIO_AUTH_TOKEN"
requests_per_second = 1000.0
parallel_slices = 1
unsent_lookback_days = 60

[sources.vonage]
kind = "vonage"
base_url = "{sandbox}/vonage"
api_key = "{vonage_key}"
api_secret = "VONAGE_SECRET"
requests_per_second = 1000.0
parallel_slices = 1
"""
STORAGE = """
[storage]
url = "s3://reports/shared"
endpoint = "{store}"
access_key_id = "S3_KEY"
secret_access_key = "S3_SECRET"
"""


@dataclass(frozen=True)
class Shared:
    """Addresses of what every machine reaches."""

    dagster_database: str
    warehouse: str
    broker: str
    store: str


@contextmanager
def shared_servers(folder: Path) -> Iterator[Shared]:
    """PostgreSQL with two databases, Redis, and a bucket in SeaweedFS."""
    port = free_port()
    redis = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with (
        PostgresServer() as url,
        running(redis, port, folder / "redis" / "log"),
        seaweedfs(folder / "weed") as store,
    ):
        make_bucket(store)
        server = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            for name in ("dagster", "warehouse"):
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
        server.dispose()
        databases = {name: url.removesuffix("postgres") + name for name in ("dagster", "warehouse")}
        yield Shared(
            databases["dagster"], databases["warehouse"], f"redis://127.0.0.1:{port}/0", store
        )


def settings_text(sandbox: Sandbox, chunk_days: int) -> str:
    """Settings of two sources that are asked over HTTP; everything else in folders."""
    return SETTINGS.format(
        sandbox=sandbox.base_url,
        twilio_sid=sandbox.accounts.twilio_sid,
        vonage_key=ACCOUNT,
        chunk_days=chunk_days,
    )


def secrets_of(sandbox: Sandbox) -> dict[str, str]:
    """Variables that the settings name, and the simulated time."""
    return {
        "TWILIO_AUTH_TOKEN": sandbox.accounts.twilio_auth,
        "VONAGE_SECRET": sandbox.accounts.secret_of("vonage"),
        "SMS_ETL_PSEUDONYM_KEY": "a key for this test",
        "SMS_ETL_NOW": sandbox.clock.now().isoformat(),
        "S3_KEY": KEY,
        "S3_SECRET": SECRET,
    }


@dataclass
class Machine:
    """A folder, an environment, and processes that live and die together."""

    folder: Path
    shared: Shared
    settings: str
    secrets: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Machine:
        home = self.folder / "dagster"
        home.mkdir(parents=True)
        instance = yaml.safe_load((DEPLOY / "dagster.yaml").read_text("utf-8"))
        # The shipped file, only more impatient.
        instance["run_monitoring"] |= {
            "poll_interval_seconds": 2, "free_slots_after_run_end_seconds": 1
        }  # fmt: skip
        (home / "dagster.yaml").write_text(yaml.safe_dump(instance), "utf-8")
        storage = STORAGE.format(store=self.shared.store)
        (self.folder / "sms_etl.toml").write_text(self.settings + storage, "utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.secrets,
            "SMS_ETL_CONFIG": str(self.folder / "sms_etl.toml"),
            "DAGSTER_HOME": str(self.folder / "dagster"),
            "SMS_ETL_DAGSTER_DATABASE": self.shared.dagster_database,
            "TEST_WAREHOUSE": self.shared.warehouse,
            "SMS_ETL_BROKER": self.shared.broker,
            "PYTHONPATH": f"{ROOT}:{DEPLOY}",
            "POLARS_MAX_THREADS": "1",
        }

    def run(self, *command: str) -> str:
        """Run a command of the installation to its end; what it printed."""
        done = subprocess.run(
            [BIN / command[0], *command[1:]], cwd=self.folder, env=self.environment,
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *command: str) -> None:
        """Start a service; `command` is a program of the installation and its arguments."""
        log = self.folder / f"{command[0]}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                [BIN / command[0], *command[1:]],
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.processes.append(process)

    def start_worker(self) -> None:
        name = f"{self.folder.name}@%h"
        self.start("celery", "-A", "dagster_celery.app", "worker", "-c", "1", "-n", name)

    def hold_runs(self) -> None:
        """Let the worker take a run and get no further: the process that would make it stands."""
        children = [Path(f"/proc/{one.pid}/task/{one.pid}/children") for one in self.processes]
        for child in " ".join(path.read_text("ascii") for path in children).split():
            os.kill(int(child), signal.SIGSTOP)

    def lose_power(self) -> None:
        """Kill every process of the machine at once."""
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
        for process in self.processes:
            process.wait()
