"""A private PostgreSQL server from the system's package, for tests marked `servers`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest


def programs() -> Path:
    """Folder of initdb and pg_ctl; skips the test where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed")
    return found[-1].parent


class PostgresServer:
    """A private PostgreSQL server on a free port, gone afterwards."""

    def __enter__(self) -> str:
        self.programs = programs()
        self.folder = Path(tempfile.mkdtemp(prefix="sms-etl-postgres-"))
        self.data = self.folder / "data"
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._run("initdb", "-D", self.data, "-U", "reports", "--auth=trust", "-E", "UTF8")
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        log = self.folder / "log"
        self._run("pg_ctl", "-D", self.data, "-l", log, "-w", "-o", options, "start")
        return f"postgresql+psycopg2://reports@127.0.0.1:{self.port}/postgres"

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        user = "postgres" if os.getuid() == 0 else None
        subprocess.run(
            command, check=True, user=user, cwd="/", stdout=subprocess.DEVNULL, timeout=60
        )
