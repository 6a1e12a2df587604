"""A real process killed in the middle of a pull, against the simulated provider."""

import json
import os
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sms_etl.days import day_window
from sms_etl.sandbox import Clock, WorldParameters, build_world, running_sandbox
from sms_etl.sandbox.vonage_api import ACCOUNT
from sms_etl.store.journal import JOURNAL
from sms_etl.store.landing import Landing

ROOT = Path(__file__).parents[2]
DAY = date(2026, 9, 15)
LATENCY_MS, QUIET_LOOKS = 40, 10
PAGE_SIZE = 3


@pytest.fixture(scope="module")
def served():
    world = build_world(WorldParameters(messages=12_000))
    after = day_window(DAY, ZoneInfo("Europe/Kyiv")).end + timedelta(hours=30)
    with running_sandbox(world, Clock(after)) as sandbox:
        sandbox.set_faults(page_size=PAGE_SIZE)
        yield sandbox


@pytest.fixture
def puller(served, tmp_path):
    def start(root: str, slices: int) -> subprocess.Popen:
        block = {
            "kind": "vonage",
            "base_url": f"{served.base_url}/vonage",
            "api_key": ACCOUNT,
            "api_secret": "VONAGE_SECRET",
            "requests_per_second": 1000,
            "parallel_slices": slices,
        }
        environment = os.environ | {
            "VONAGE_SECRET": served.accounts.secret_of("vonage"),
            "SMS_ETL_NOW": served.clock.now().isoformat(),
        }
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.store.puller",
                tmp_path / root,
                json.dumps(block),
                f"{DAY}",
            ],
            cwd=ROOT,
            env=environment,
        )

    return start


def pages_noted(root: Path) -> int:
    return sum(path.read_bytes().count(b"\n") - 1 for path in root.glob(f"shop/*/*/{JOURNAL}"))


def landed(root: Path) -> list[bytes]:
    landing = Landing(root)
    (manifest,) = landing.manifests("shop", [DAY])
    landing.verify(manifest)
    return [landing.body(page) for page in landing.pages([manifest])]


def requests_when_quiet(served) -> int:
    """Requests logged once those that were under way at the kill are answered too."""
    counts = [len(served.requests_log)]
    while len(counts) < QUIET_LOOKS or counts[-1] != counts[-QUIET_LOOKS]:
        time.sleep(LATENCY_MS / 1000)
        counts.append(len(served.requests_log))
    return counts[-1]


@pytest.mark.parametrize("slices", [1, 3])
def test_after_a_kill_only_the_rest_is_asked_for_and_the_same_is_landed(
    served, puller, tmp_path, slices
):
    assert puller("whole", slices).wait(60) == 0
    whole = landed(tmp_path / "whole")
    assert len(whole) > 10

    served.set_faults(page_size=PAGE_SIZE, latency_ms=LATENCY_MS)
    process = puller("killed", slices)
    deadline = time.monotonic() + 60
    while pages_noted(tmp_path / "killed") < len(whole) // 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.wait(60)
    kept = pages_noted(tmp_path / "killed")
    assert 0 < kept < len(whole)
    assert Landing(tmp_path / "killed").manifests("shop", [DAY]) == []

    served.set_faults(page_size=PAGE_SIZE, latency_ms=0)
    before = requests_when_quiet(served)
    assert puller("killed", slices).wait(60) == 0
    assert landed(tmp_path / "killed") == whole
    assert len(served.requests_log) - before == len(whole) - kept
