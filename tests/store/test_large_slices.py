"""A slice given as a lazy frame: written piece by piece, and there whole or not at all."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from polars.testing import assert_frame_equal

from sms_etl.errors import StoreError
from sms_etl.model.schemas import CONSERVATION, MESSAGES
from sms_etl.store import large_slices
from tests.store.test_lake import MONDAY, TUESDAY, content, lake, rows

__all__ = ["lake"]
"""The fixture, which the tests of real object stores replace by theirs."""

NOON = datetime(2026, 10, 26, 12, tzinfo=UTC)


def messages(count: int, source: str = "twilio") -> pl.DataFrame:
    """Messages of Monday, each a little later than the one before."""
    step = timedelta(seconds=1, microseconds=1)
    return pl.DataFrame(
        [
            dict.fromkeys(MESSAGES.names)
            | {
                "day": MONDAY,
                "source": source,
                "message_id": f"SM{number:05d}",
                "purpose": "marketing",
                "contact_source": "unknown",
                "in_number_run": False,
                "submitted_at": NOON + number * step,
                "parts": 1 + number % 3,
                "observations": 1,
            }
            for number in range(count)
        ],
        schema=MESSAGES.schema,
    )


def test_only_its_slice_is_replaced(lake):
    lake.replace(CONSERVATION, "twilio", [MONDAY, TUESDAY], rows("twilio", monday=1, tuesday=2))
    lake.replace(CONSERVATION, "turbosms", [MONDAY], rows("turbosms", monday=3))

    lazy = rows("twilio", monday=8, tuesday=9).lazy()
    lake.replace(CONSERVATION, "twilio", [MONDAY, TUESDAY], lazy)
    assert content(lake) == {
        ("twilio", MONDAY, 8), ("twilio", TUESDAY, 9), ("turbosms", MONDAY, 3)
    }  # fmt: skip

    lake.replace(CONSERVATION, "twilio", [MONDAY], CONSERVATION.empty().lazy())
    assert content(lake) == {("twilio", TUESDAY, 9), ("turbosms", MONDAY, 3)}


def test_rows_come_back_as_from_a_frame_and_the_table_can_be_kept_up(lake, monkeypatch):
    monkeypatch.setattr(large_slices, "ROWS_A_FILE", 40)
    given = messages(100)
    lake.replace(MESSAGES, "twilio", [MONDAY], given.lazy())
    lake.replace(MESSAGES, "turbosms", [MONDAY], messages(100, "turbosms"))
    lazy, eager = (
        lake.scan(MESSAGES, sources=[source]).collect().sort("message_id").drop("source")
        for source in ("twilio", "turbosms")
    )
    assert_frame_equal(lazy, eager)

    kept = lake.keep_up(MESSAGES, timedelta(0))
    assert (kept.files_before, kept.files_after) == (4, 2)
    again = lake.scan(MESSAGES, sources=["twilio"]).collect().sort("message_id").drop("source")
    assert_frame_equal(again, lazy)

    lake.remove_days(MESSAGES, TUESDAY)
    assert lake.scan(MESSAGES).collect().is_empty()


def test_a_row_outside_the_slice_is_refused_and_nothing_changes(lake):
    lake.replace(CONSERVATION, "twilio", [MONDAY], rows("twilio", monday=1))

    for outside in (rows("twilio", monday=5, tuesday=5), rows("turbosms", monday=5)):
        with pytest.raises(StoreError, match="Nothing was written"):
            lake.replace(CONSERVATION, "twilio", [MONDAY], outside.lazy())

    assert content(lake) == {("twilio", MONDAY, 1)}


def test_of_two_writers_of_one_empty_slice_one_stays(lake):
    lake.replace(CONSERVATION, "seed", [MONDAY], rows("seed", monday=0))

    def write(number: int) -> None:
        lake.replace(CONSERVATION, "twilio", [MONDAY], rows("twilio", monday=number).lazy())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(1, 5)))

    (left,) = content(lake) - {("seed", MONDAY, 0)}
    assert left[2] in range(1, 5)


def test_a_build_that_fails_while_it_is_written_changes_nothing(lake):
    lake.replace(CONSERVATION, "twilio", [MONDAY], rows("twilio", monday=1))
    before = lake.version(CONSERVATION)

    def torn(_frame: pl.DataFrame) -> pl.DataFrame:
        raise RuntimeError("the disk is gone")

    broken = rows("twilio", monday=5).lazy().map_batches(torn, schema=CONSERVATION.schema)
    with pytest.raises(Exception, match="the disk is gone"):
        lake.replace(CONSERVATION, "twilio", [MONDAY], broken)

    assert content(lake) == {("twilio", MONDAY, 1)}
    assert lake.version(CONSERVATION) == before


def test_the_log_bounds_every_value_so_that_readers_may_skip_the_file(lake):
    given = messages(50).with_columns(code=pl.lit("x" * 1000))
    lake.replace(MESSAGES, "twilio", [MONDAY], given.lazy())

    log = Path(lake.path(MESSAGES), "_delta_log", f"{lake.version(MESSAGES):020d}.json")
    actions = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    (stats,) = [json.loads(action["add"]["stats"]) for action in actions if "add" in action]
    assert stats["numRecords"] == given.height
    assert (stats["minValues"]["message_id"], stats["maxValues"]["message_id"]) == (
        given["message_id"].min(), given["message_id"].max()
    )  # fmt: skip
    assert (stats["minValues"]["parts"], stats["maxValues"]["parts"]) == (1, 3)
    first, last = (
        datetime.fromisoformat(stats[kind]["submitted_at"]) for kind in ("minValues", "maxValues")
    )
    assert first <= given["submitted_at"].min()
    assert last >= given["submitted_at"].max()
    assert stats["nullCount"]["reason"] == given.height
    assert "code" not in stats["maxValues"], "a long text is no bound worth keeping"

    latest = given["submitted_at"].max()
    assert lake.scan(MESSAGES).filter(pl.col("submitted_at") == latest).collect().height == 1


def test_columns_of_a_later_release_are_added(lake):
    earlier = replace(MESSAGES, columns=[c for c in MESSAGES.columns if c.name != "template"])
    lake.replace(earlier, "twilio", [TUESDAY], earlier.empty().lazy())
    old = messages(1).with_columns(day=pl.lit(TUESDAY))
    lake.replace(earlier, "twilio", [TUESDAY], old.select(earlier.names).lazy())

    new = messages(1).with_columns(template=pl.lit("t"))
    lake.replace(MESSAGES, "twilio", [MONDAY], new.lazy())

    found = lake.scan(MESSAGES).select("day", "template").sort("day").collect().rows()
    assert found == [(MONDAY, "t"), (TUESDAY, None)]


def test_a_commit_that_stands_though_its_answer_was_lost_is_not_made_again(lake, monkeypatch):
    """As when an object store took it and the connection broke before it said so."""
    lake.replace(CONSERVATION, "twilio", [MONDAY], rows("twilio", monday=1))
    before = lake.version(CONSERVATION)
    commit = DeltaTable.create_write_transaction

    def answer_lost(table: DeltaTable, *args: object, **more: object) -> None:
        commit(table, *args, **more)
        raise CommitFailedError("the connection was cut")

    monkeypatch.setattr(DeltaTable, "create_write_transaction", answer_lost)
    lake.replace(CONSERVATION, "twilio", [MONDAY], rows("twilio", monday=5).lazy())

    assert content(lake) == {("twilio", MONDAY, 5)}
    assert lake.version(CONSERVATION) == before + 1
