"""How fast and in how much memory landed Twilio pages become messages and the cube.

`make bench` (python -m benchmarks.speed) writes docs/performance.md. Every figure comes from a
process of its own; the ways of one size are run in turn, several times, and the median is told.
CPU time is told because other work on the machine moves wall time far more.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from benchmarks.landed import land_day, project_in
from benchmarks.measured import ENVIRONMENT, Measured, in_own_process
from benchmarks.peers import WAYS, lines_of

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
NOTES = Path(__file__).parent / "performance_notes.md"
RECORDS, DLT_RECORDS = 100_000, 10_000
MEMORY_RECORDS = (100_000, 300_000, 1_000_000)
ROUNDS = 3
TITLES = {
    "scan": "simdjson parses every page, nothing else (the limit)",
    "ours": "ours: landed pages to messages, accounts, cube, warehouse",
    "duckdb": "DuckDB `read_ndjson` and SQL, from plain NDJSON made before",
    "orjson": "orjson, row by row in Python",
    "pandas": "pandas",
    "dlt": "dlt into DuckDB, then SQL",
}


def company(folder: Path, records: int) -> Path:
    """A deployment with a landed day of this many records, made once."""
    place = folder / f"{records}"
    os.environ.update(ENVIRONMENT)
    land_day(project_in(place), records)
    return place


def compared(folder: Path, records: int) -> dict[str, Measured]:
    """Every way over the same day, in turn; of each the run with the median CPU time."""
    runs: dict[str, list[Measured]] = {way: [] for way in WAYS}
    small, large = company(folder, DLT_RECORDS), company(folder, records)
    lines_of(large)
    for number in range(ROUNDS):
        for way, found in runs.items():
            if way != "dlt":
                found.append(in_own_process(way, large))
            elif number == 0:
                found.append(in_own_process(way, small))
    return {way: _median(found) for way, found in runs.items()}


def in_memory(folder: Path, sizes: Sequence[int]) -> dict[int, Measured]:
    """Our way over days of several sizes."""
    return {records: in_own_process("ours", company(folder, records)) for records in sizes}


def lines(by_way: Mapping[str, Measured], by_size: Mapping[int, Measured]) -> Iterator[str]:
    """The page, line by line."""
    limit, mine = by_way["scan"].cpu_micro, by_way["ours"].cpu_micro
    yield "# Speed and size"
    yield ""
    yield "Made by `make bench`; do not edit. Simulated Twilio pages as they lie in landing (1,000"
    yield f"records a page, zstd). {machine()} CPU time is user and system time of the process"
    yield f"without its imports; median of {ROUNDS} runs in turn, dlt once over"
    yield f"{DLT_RECORDS:,} records. Load average while measuring: {os.getloadavg()[1]:.1f}."
    yield ""
    yield f"## A day of {by_way['ours'].records:,} records"
    yield ""
    yield "| way | CPU µs a record | share of the limit | ours takes, times it | memory, MiB |"
    yield "|---|---:|---:|---:|---:|"
    for way, found in by_way.items():
        micro = found.cpu_micro
        yield (
            f"| {TITLES[way]} | {micro:.1f} | {limit / micro:.3f} | {mine / micro:.2f} "
            f"| {found.memory_mib:.0f} |"
        )
    yield ""
    yield "## Memory of one day"
    yield ""
    yield "Anonymous memory of the process, imports included, at its peak."
    yield ""
    yield "| records | memory, MiB | CPU µs a record |"
    yield "|---:|---:|---:|"
    for records, found in by_size.items():
        yield f"| {records:,} | {found.memory_mib:.0f} | {found.cpu_micro:.1f} |"
    yield ""
    yield NOTES.read_text(encoding="utf-8").rstrip()


def machine() -> str:
    """What the measuring ran on, as a sentence."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"Machine: {os.cpu_count()} cores of {model}, Python {platform.python_version()}, "
        f"Polars {pl.__version__}."
    )


def _median(runs: Sequence[Measured]) -> Measured:
    middle = statistics.median_low([run.cpu_seconds for run in runs])
    return next(run for run in runs if run.cpu_seconds == middle)


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS, help="records of the comparison")
    parser.add_argument(
        "--memory", type=int, nargs="*", default=MEMORY_RECORDS, help="sizes of days for memory"
    )
    parser.add_argument("--folder", type=Path, help="where landed pages are made and kept")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = told.folder or Path(temporary)
        page = list(lines(compared(folder, told.records), in_memory(folder, told.memory)))
    PAGE.write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
