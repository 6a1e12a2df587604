"""The lake: a slice is replaced whole, and nothing else is touched."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from sms_etl.errors import StoreError
from sms_etl.model.schemas import CONSERVATION, CUBE, MESSAGES
from sms_etl.store.lake import Lake

MONDAY, TUESDAY = date(2026, 10, 26), date(2026, 10, 27)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path)


def rows(source: str, **records_by_day: int) -> pl.DataFrame:
    days = {"monday": MONDAY, "tuesday": TUESDAY}
    return pl.DataFrame(
        [
            {"day": days[name], "source": source, "fate": "message", "reason": None, "records": n}
            for name, n in records_by_day.items()
        ],
        schema=CONSERVATION.schema,
    )


def content(lake: Lake) -> set[tuple[str, date, int]]:
    frame = lake.scan(CONSERVATION).collect()
    return set(frame.select("source", "day", "records").iter_rows())


def test_replacing_a_slice_leaves_other_days_and_sources_alone(lake):
    lake.replace(CONSERVATION, "twilio", [MONDAY, TUESDAY], rows("twilio", monday=1, tuesday=2))
    lake.replace(CONSERVATION, "turbosms", [MONDAY], rows("turbosms", monday=3))

    lake.replace(CONSERVATION, "twilio", [TUESDAY], rows("twilio", tuesday=9))

    assert content(lake) == {
        ("twilio", MONDAY, 1), ("twilio", TUESDAY, 9), ("turbosms", MONDAY, 3)
    }  # fmt: skip


def test_a_day_without_rows_becomes_empty(lake):
    lake.replace(CONSERVATION, "twilio", [MONDAY, TUESDAY], rows("twilio", monday=1, tuesday=2))

    lake.replace(CONSERVATION, "twilio", [MONDAY], CONSERVATION.empty())

    assert content(lake) == {("twilio", TUESDAY, 2)}


def test_rows_outside_the_slice_are_refused_and_nothing_changes(lake):
    lake.replace(CONSERVATION, "twilio", [MONDAY], rows("twilio", monday=1))

    with pytest.raises(StoreError):
        lake.replace(CONSERVATION, "twilio", [MONDAY], rows("twilio", tuesday=5))

    assert content(lake) == {("twilio", MONDAY, 1)}


def test_a_table_never_written_is_empty(lake):
    assert lake.scan(CONSERVATION).collect().schema == CONSERVATION.schema


def test_scan_cuts_to_days_and_sources(lake):
    lake.replace(CONSERVATION, "twilio", [MONDAY, TUESDAY], rows("twilio", monday=1, tuesday=2))
    lake.replace(CONSERVATION, "turbosms", [MONDAY], rows("turbosms", monday=3))

    cut = lake.scan(CONSERVATION, first=MONDAY, last=MONDAY, sources=["turbosms"]).collect()

    assert cut["records"].to_list() == [3]


def test_writers_of_different_sources_do_not_disturb_each_other(lake):
    names = [f"source_{n}" for n in range(6)]
    lake.replace(CONSERVATION, "seed", [MONDAY], rows("seed", monday=0))

    with ThreadPoolExecutor(3) as pool:
        list(
            pool.map(
                lambda name: lake.replace(CONSERVATION, name, [MONDAY], rows(name, monday=1)), names
            )
        )

    assert content(lake) == {("seed", MONDAY, 0)} | {(name, MONDAY, 1) for name in names}


def test_a_table_of_an_earlier_release_says_how_to_build_it_anew(lake):
    earlier = replace(CUBE, columns=CUBE.columns[:-1])
    day = date(2026, 10, 5)
    lake.replace(earlier, "twilio", [day], earlier.empty())
    for deed in (
        lambda: lake.scan(CUBE),
        lambda: lake.replace(CUBE, "twilio", [day], CUBE.empty()),
    ):
        with pytest.raises(StoreError, match=r"no column messages_with_time.*rebuild_from_landing"):
            deed()


def test_a_table_of_an_earlier_release_that_lacks_what_rows_may_lack_opens_and_is_written(lake):
    monday, tuesday = MONDAY, TUESDAY
    added = ("purpose", "in_number_run", "template")
    earlier = replace(MESSAGES, columns=[c for c in MESSAGES.columns if c.name not in added])
    row = dict.fromkeys(earlier.names) | {"source": "twilio", "day": monday}
    old = pl.DataFrame([row], schema=earlier.schema)
    lake.replace(earlier, "twilio", [monday], old)

    (read,) = lake.scan(MESSAGES).select("day", *added).collect().rows()
    assert read == (monday, "unknown", False, None)

    new = pl.DataFrame(
        [row | {"day": tuesday, "purpose": "marketing", "in_number_run": True, "template": "t"}],
        schema=MESSAGES.schema,
    )
    lake.replace(MESSAGES, "twilio", [tuesday], new)
    assert lake.scan(MESSAGES).select("day", *added).sort("day").collect().rows() == [
        (monday, "unknown", False, None),
        (tuesday, "marketing", True, "t"),
    ]


def test_files_of_a_run_that_died_go_once_they_are_old_and_those_of_one_that_writes_stay(lake):
    """No version names either; only the age tells them apart."""
    lake.replace(CONSERVATION, "twilio", [MONDAY], rows("twilio", monday=1))
    lake.keep_up(CONSERVATION, timedelta(0))
    folder = lake.root / CONSERVATION.name / f"day={MONDAY}" / "source=twilio"
    (named,) = folder.glob("*.parquet")
    left, young = folder / "part-left.parquet", folder / "part-young.parquet"
    for unnamed in (left, young):
        unnamed.write_bytes(named.read_bytes())
    two_days_ago = time.time() - timedelta(days=2).total_seconds()
    os.utime(left, (two_days_ago, two_days_ago))

    lake.vacuum(CONSERVATION, timedelta(0))

    assert (left.exists(), young.exists(), named.exists()) == (False, True, True)
    assert content(lake) == {("twilio", MONDAY, 1)}
