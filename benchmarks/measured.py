"""One measured piece of work in a process of its own: CPU time, wall time, anonymous memory.

`python -m benchmarks.measured WAY FOLDER` prints one line of JSON. CPU time is user and system
time of the process after its imports, so that a busy machine moves it less than wall time.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.peers import WAYS

SAMPLE_SECONDS = 0.02
IMPORTS = {
    "scan": ("simdjson",),
    "duckdb": ("duckdb",),
    "orjson": ("orjson",),
    "pandas": ("orjson", "pandas", "pyarrow"),
    "dlt": ("orjson", "dlt", "dlt.destinations", "duckdb"),
}
"""What a way imports; loaded before its time is taken."""

ENVIRONMENT = {
    "SMS_ETL_PSEUDONYM_KEY": "a key for benchmarks only",
    "TWILIO_AUTH_TOKEN": "not used",
    "SMS_ETL_NOW": "2026-10-25T06:00:00+00:00",
}


@dataclass(frozen=True)
class Measured:
    """What a piece of work took; memory is the most anonymous memory held, in MiB."""

    records: int
    cpu_seconds: float
    wall_seconds: float
    memory_mib: float

    @property
    def cpu_micro(self) -> float:
        """CPU microseconds a record."""
        return self.cpu_seconds / self.records * 1e6


class Watch:
    """Samples the anonymous memory of this process until left."""

    def __init__(self) -> None:
        self.most_mib = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self.most_mib = max(self.most_mib, anonymous_mib())


def anonymous_mib() -> float:
    """Anonymous memory of this process now, MiB (Linux)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def measured(work: Callable[[Path], int], folder: Path) -> Measured:
    """Do a piece of work and tell what it took."""
    with Watch() as watch:
        cpu, wall = time.process_time(), time.perf_counter()
        records = work(folder)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Measured(records, cpu, wall, watch.most_mib)


def in_own_process(way: str, folder: Path) -> Measured:
    """Measure one of WAYS in a new process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measured", way, str(folder)],
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{way} failed:\n{done.stderr[-2000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    for module in IMPORTS.get(sys.argv[1], ()):
        importlib.import_module(module)
    sys.stdout.write(json.dumps(asdict(measured(WAYS[sys.argv[1]], Path(sys.argv[2])))) + "\n")
