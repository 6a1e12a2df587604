"""A private MariaDB server from the system's package, for tests marked `servers`."""

from __future__ import annotations

import getpass
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from tests.servers.machine import free_port, program

ZONES = "/usr/share/zoneinfo/Europe/Kyiv"
SECONDS_TO_START = 30


class MariaDbServer:
    """A private server on a free port, gone afterwards; it knows the zone Europe/Kyiv."""

    def __enter__(self) -> MariaDbServer:
        self.folder = Path(tempfile.mkdtemp(prefix="sms-etl-mariadb-"))
        self.port = free_port()
        data = f"--datadir={self.folder}/data"
        user = f"--user={getpass.getuser()}"
        install = [program("mariadb-install-db"), "--no-defaults", data, user, "--skip-test-db"]
        rights = "--auth-root-authentication-method=normal"
        subprocess.run([*install, rights], check=True, stdout=subprocess.DEVNULL, timeout=60)
        serve = [f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.folder}/s"]
        quick = ["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"]
        self.server = subprocess.Popen(
            [program("mariadbd"), "--no-defaults", data, user, *serve, *quick],
            stderr=subprocess.DEVNULL,
        )
        self.engine = sa.create_engine(self.url("root"))
        self._wait()
        self._load_zone()
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()
        self.server.terminate()
        self.server.wait(timeout=SECONDS_TO_START)
        shutil.rmtree(self.folder)

    def url(self, user: str, database: str = "mysql") -> str:
        return f"mysql+pymysql://{user}@127.0.0.1:{self.port}/{database}?charset=utf8mb4"

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def _wait(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                self.run("SELECT 1")
            except sa.exc.OperationalError:
                assert self.server.poll() is None, "mariadbd ended"
                assert time.monotonic() < deadline, "mariadbd did not start"
                time.sleep(0.2)
            else:
                return

    def _load_zone(self) -> None:
        command = [program("mariadb-tzinfo-to-sql"), ZONES, "Europe/Kyiv"]
        made = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        client = [
            program("mariadb"),
            "--no-defaults",
            f"--socket={self.folder}/s",
            "-u",
            "root",
            "mysql",
        ]
        subprocess.run(client, input=made.stdout, check=True, text=True, timeout=60)
