from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import zstandard

from sms_etl.model.schemas import OUTBOX
from sms_etl.sources import http
from sms_etl.sources.base import LandedPage, Page, PullContext
from tests.sources.scripted_server import ScriptedServer

KYIV = ZoneInfo("Europe/Kyiv")


@pytest.fixture
def server():
    scripted = ScriptedServer()
    yield scripted
    scripted.close()


@pytest.fixture
def naps(monkeypatch):
    """Waits are noted instead of slept."""
    slept: list[float] = []
    monkeypatch.setattr(http.time, "sleep", slept.append)
    return slept


@pytest.fixture
def land(tmp_path):
    """Write pages as landing does and hand them back as landed pages."""

    def write(pages: list[Page], pull: str = "pull-1") -> list[LandedPage]:
        landed = []
        for number, page in enumerate(pages, start=1):
            path: Path = tmp_path / "landing" / pull / f"{number:05d}.{page.format}.zst"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(zstandard.compress(page.body))
            landed.append(
                LandedPage(
                    path, pull, number, page.format, page.records, page.received_at, page.meta
                )
            )
        return landed

    return write


@pytest.fixture
def context_at():
    def build(now: datetime, outbox: pl.DataFrame | None = None, **more) -> PullContext:
        return PullContext(KYIV, now, OUTBOX.empty() if outbox is None else outbox, **more)

    return build


@pytest.fixture
def long_after(context_at) -> PullContext:
    return context_at(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def day() -> date:
    return date(2025, 3, 5)
