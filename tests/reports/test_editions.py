from __future__ import annotations

import itertools
import os
import shutil
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from alembic import command
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from sms_etl.config.settings import Language
from sms_etl.errors import StoreError
from sms_etl.reports import editions
from sms_etl.reports.as_json import figures_json
from sms_etl.reports.data_files import data_files
from sms_etl.reports.editions import Edition, EditionKey, EditionStore
from sms_etl.reports.figures import Figures, fingerprint
from sms_etl.reports.flat import flat_figures
from sms_etl.store import edition_folders, files
from sms_etl.store.edition_folders import EditionFolders
from sms_etl.store.tables import EDITION_FIGURES, EDITIONS
from sms_etl.store.warehouse import Warehouse
from tests.reports import samples
from tests.store.test_migrations import config_for

NOW = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)
FILES = {"figures.json", "report.html", "report.pdf", "chart.png"}


@dataclass(frozen=True)
class Drawn:
    html: bytes = "<p>Доставлено</p>".encode()
    pdf: bytes = b"%PDF-1.7 report"
    chart_png_mobile: bytes = b"\x89PNG chart"


@pytest.fixture
def store(tmp_path: Path) -> EditionStore:
    return open_store(tmp_path)


def open_store(folder: Path) -> EditionStore:
    warehouse = Warehouse(f"sqlite:///{folder / 'warehouse.sqlite'}").open()
    return EditionStore(EditionFolders(folder / "editions"), warehouse)


def freeze(store: EditionStore, figures: Figures, now: datetime = NOW, **more: Any) -> Edition:
    rendered = more.pop("rendered", Drawn())
    language = more.pop("language", Language.UKRAINIAN)
    return store.freeze(figures, rendered, language=language, now=now, **more)


def freeze_name(store: EditionStore, figures: Figures) -> str:
    return f"{EditionKey.of(figures, editions.EVERYBODY, Language.UKRAINIAN).slug()}-r1"


def corrected(figures: Figures) -> Figures:
    totals = figures.totals.model_copy(update={"delivered": figures.totals.delivered + 1})
    return figures.model_copy(update={"totals": totals})


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_report_is_kept_with_its_hashes(store):
    figures = samples.month()
    edition = freeze(store, figures, audience="monthly")

    assert set(bytes_of(edition.folder)) == FILES
    assert edition.pdf_path.read_bytes() == Drawn().pdf
    assert edition.figures() == figures
    assert edition.figures_sha256 == fingerprint(figures)
    assert store.verify(edition) == ()
    assert store.get(edition.id) == edition
    assert edition.revision == 1
    assert edition.key.audience == "monthly"
    assert edition.id.startswith("period-month-2026-10-01-2026-10-31-monthly-uk-")
    assert (edition.created_at, edition.data_as_of) == (NOW, figures.data_as_of)


def test_the_same_figures_give_the_same_edition_untouched(store):
    first = freeze(store, samples.month())
    before = bytes_of(first.folder)
    again = freeze(store, samples.month(), now=LATER, rendered=Drawn(pdf=b"%PDF another renderer"))
    assert again == first
    assert bytes_of(first.folder) == before


def test_pulling_the_same_data_again_is_no_correction(store):
    figures = samples.month()
    first = freeze(store, figures)
    source = figures.sources[0]
    again = figures.model_copy(
        update={
            "data_as_of": LATER,
            "sources": (
                source.model_copy(
                    update={
                        "records": source.records * 2,
                        "folded": {"repeated_observation": source.records},
                        "last_pulled_at": LATER,
                    }
                ),
                *figures.sources[1:],
            ),
        }
    )
    assert freeze(store, again, now=LATER) == first


def test_other_figures_make_a_revision_and_keep_the_old_one(store):
    first = freeze(store, samples.month())
    before = bytes_of(first.folder)
    second = freeze(store, corrected(samples.month()), now=LATER)
    assert (second.revision, second.key) == (2, first.key)
    assert second.figures_sha256 != first.figures_sha256
    assert bytes_of(first.folder) == before
    assert store.latest(first.key) == second
    third = freeze(store, samples.month(), now=LATER)
    assert third.revision == 3, "back to the first figures is a correction of the second"
    assert [edition.revision for edition in store.recent()] == [3, 2, 1]


def test_language_audience_and_campaign_are_apart(store):
    figures = samples.month()
    made = [
        freeze(store, figures),
        freeze(store, figures, language=Language.ENGLISH),
        freeze(store, figures, audience="board"),
        freeze(store, samples.campaign()),
        freeze(store, samples.campaign().model_copy(update={"campaign": "Осінь / 2026 ../.."})),
        freeze(store, samples.campaign().model_copy(update={"campaign": "Зима / 2026 ../.."})),
    ]
    assert len({edition.id for edition in made}) == len(made)
    assert {edition.revision for edition in made} == {1}
    assert {edition.folder.parent for edition in made} == {made[0].folder.parent}
    assert made[4].key.campaign == "Осінь / 2026 ../.."


def test_nothing_yet(store):
    assert store.latest(EditionKey.of(samples.month(), "all", Language.ENGLISH)) is None
    with pytest.raises(StoreError, match="no edition"):
        store.get("period-week")


def test_a_changed_or_missing_file_is_told(store):
    edition = freeze(store, samples.month())
    edition.pdf_path.write_bytes(b"%PDF forged")
    edition.chart_path.unlink()
    told = store.verify(edition)
    assert [sentence.rpartition("/")[2] for sentence in told] == [
        "report.pdf is not what was frozen",
        "chart.png is missing",
    ]


def test_lost_figures_are_told_and_never_made_anew(store):
    edition = freeze(store, samples.month())
    edition.figures_path.unlink()
    assert freeze(store, samples.month()) == edition
    assert not edition.figures_path.exists()
    with pytest.raises(StoreError, match="backup"):
        edition.figures()


def test_the_data_folder_may_be_moved(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    made = freeze(open_store(here), samples.month())
    here.rename(there)
    moved = open_store(there)
    found = moved.get(made.id)
    assert found == replace(made, folder=there / "editions" / made.id)
    assert moved.verify(found) == ()


def test_a_folder_that_cannot_be_written_says_so(store):
    store.folders.root.write_text("a file is in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        freeze(store, samples.month())


def test_tables_are_frozen_with_their_hashes_and_told_when_changed(store):
    figures = samples.month()
    tables = data_files(figures, Language.UKRAINIAN)
    edition = freeze(store, figures, more=tables)
    assert set(bytes_of(edition.folder)) == FILES | set(tables)
    assert {name: edition.path(name).read_bytes() for name in tables} == tables
    assert store.verify(edition) == ()
    assert store.get(edition.id) == edition == freeze(store, figures, now=LATER)
    edition.path("report.xlsx").write_bytes(b"forged")
    edition.path("report-csv.zip").unlink()
    assert [sentence.rpartition("/")[2] for sentence in store.verify(edition)] == [
        "report-csv.zip is missing",
        "report.xlsx is not what was frozen",
    ]


def test_an_edition_of_the_release_before_opens_after_the_upgrade(store):
    made = freeze(store, samples.month())
    with store._warehouse.write() as connection:
        command.downgrade(config_for(connection), "0008")
        command.upgrade(config_for(connection), "head")
    found = store.get(made.id)
    assert found == made
    assert found.figures() == samples.month()
    assert set(found.hashes) == FILES
    assert store.verify(found) == ()


def test_a_folder_left_by_the_release_before_is_set_aside(store):
    figures = samples.month()
    left = store.folders.root / freeze_name(store, figures)
    left.mkdir(parents=True)
    (left / "figures.json").write_bytes(figures_json(figures))
    edition = freeze(store, figures, more={"report.xlsx": b"tables"})
    assert store.verify(edition) == ()
    (aside,) = store.folders.root.glob("*-without-row-*")
    assert set(bytes_of(aside)) == {"figures.json"}


def test_one_row_per_revision(store):
    edition = freeze(store, samples.month())
    with store._warehouse.read() as connection:
        row = dict(connection.execute(EDITIONS.select()).mappings().one())
    twin = EDITIONS.insert().values(row | {"id": "another", "folder": "another"})
    with pytest.raises(IntegrityError), store._warehouse.write() as connection:
        connection.execute(twin)
    assert store.recent() == [edition]


def die_at_line(number: int, watched: tuple[str, ...]) -> None:
    """Kill this process, with no clean-up, before the n-th executed line of a module."""
    seen = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal seen
        if frame.f_code.co_filename not in watched:
            return None
        if event == "line":
            seen += 1
            if seen == number:
                os._exit(99)
        return trace

    sys.settrace(trace)


def freeze_in_child(folder: Path, figures: Figures, kill_at: int) -> int:
    """Freeze in a child process killed at a line; its exit code is 0 if it got through."""
    child = os.fork()
    if child == 0:
        try:
            store = open_store(folder)
            die_at_line(kill_at, (editions.__file__, edition_folders.__file__, files.__file__))
            freeze(store, figures)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder with an empty warehouse, to be copied."""
    open_store(tmp_path / "empty")._warehouse.close()
    return tmp_path / "empty"


LINES_APART = pytest.mark.parametrize("step", [24, pytest.param(3, marks=pytest.mark.slow)])
"""A process is killed at every so many lines of what freezes an edition."""

LEAST_LINES = 120
"""A freeze runs more lines than this; if none died so late, the lines were not counted."""


@LINES_APART
def test_death_at_any_line_then_again_gives_the_same_edition(tmp_path, empty, step):
    figures = samples.nothing()
    shutil.copytree(empty, tmp_path / "whole")
    wanted = freeze(open_store(tmp_path / "whole"), figures)
    died = []
    for kill_at in itertools.count(1, step):
        folder = shutil.copytree(empty, tmp_path / f"killed-{kill_at}")
        code = freeze_in_child(folder, figures, kill_at)
        assert code in {0, 99}
        died.append(code == 99)
        store = open_store(folder)
        edition = freeze(store, figures)
        assert replace(edition, folder=wanted.folder) == wanted
        assert bytes_of(edition.folder) == bytes_of(wanted.folder)
        assert [path.name for path in store.folders.root.iterdir()] == [edition.id]
        assert store.recent() == [edition]
        if code == 0:
            break
    assert sum(died) * step > LEAST_LINES


@LINES_APART
def test_what_a_dead_run_left_never_becomes_the_edition_of_other_figures(tmp_path, empty, step):
    older, newer = samples.nothing(), corrected(samples.nothing())
    set_aside = 0
    for kill_at in itertools.count(20, step):
        folder = shutil.copytree(empty, tmp_path / f"killed-{kill_at}")
        died = freeze_in_child(folder, older, kill_at) == 99
        store = open_store(folder)
        published = store.recent()
        edition = freeze(store, newer)
        assert edition.revision == len(published) + 1
        assert edition.figures() == newer
        assert store.verify(edition) == ()
        set_aside += len(list(store.folders.root.glob("*-without-row-*")))
        if not died:
            break
    assert set_aside > 0


def test_processes_freezing_at_once_make_one_edition(tmp_path):
    open_store(tmp_path)
    figures = samples.month()
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            try:
                freeze(open_store(tmp_path), figures)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0, 0, 0, 0]
    store = open_store(tmp_path)
    (edition,) = store.recent()
    assert store.verify(edition) == ()


def test_the_figures_of_an_edition_are_rows_of_the_warehouse(store):
    figures = samples.month()
    edition = freeze(store, figures)
    with store._warehouse.read() as connection:
        rows = connection.execute(
            select(EDITION_FIGURES).where(EDITION_FIGURES.c.edition_id == edition.id)
        ).all()
    found = {(row.dimension, row.key, row.figure): row for row in rows}
    assert len(found) == len(rows) == len(flat_figures(figures))
    rate = figures.totals.delivery
    whole = found["", "", "delivery_rate"]
    assert (whole.value, whole.numerator, whole.denominator, whole.low, whole.high) == (
        rate.value, rate.numerator, rate.denominator, rate.low, rate.high,
    )  # fmt: skip
    for group in figures.by_operator:
        row = found["operator", group.key, "submitted"]
        assert (row.value, row.numerator) == (group.totals.submitted, None)
    median = found["", "", "median_seconds"]
    assert median.value == figures.totals.latency.median
