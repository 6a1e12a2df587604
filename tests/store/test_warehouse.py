from __future__ import annotations

import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, inspect, select
from sqlalchemy.exc import IntegrityError

from sms_etl.errors import StoreError
from sms_etl.metrics.rate import Rate
from sms_etl.model.schemas import CUBE
from sms_etl.reports.figures import Finding, FindingKind
from sms_etl.store.tables import CAMPAIGNS, DAILY_COUNTS, FINDINGS, MAIL_LEDGER, METADATA
from sms_etl.store.warehouse import Campaign, Warehouse, daily_counts
from tests.store.postgres import PostgresServer

NOW = datetime(2026, 10, 5, 6, 0, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    opened = Warehouse(f"sqlite:///{tmp_path / 'data' / 'warehouse.sqlite'}").open()
    yield opened
    opened.close()


def cube(day: date, source: str, rows: list[tuple[int, str, str, int, int]]) -> pl.LazyFrame:
    """Rows of (hour, campaign, status class, messages, cost)."""
    records = [
        {
            "day": day,
            "hour": datetime(day.year, day.month, day.day, hour, tzinfo=UTC),
            "source": source,
            "provider": "twilio",
            "campaign": campaign,
            "sender": 'Магазин, "Львів"',
            "channel": "sms",
            "country": "UA",
            "operator": "",
            "status_class": status,
            "reason": None if status == "delivered" else "expired_ttl",
            "permanence": None,
            "receipt": "handset",
            "currency": "UAH",
            "messages": messages,
            "parts": messages * 2,
            "messages_with_parts": messages,
            "cost_micro": cost,
            "messages_with_cost": messages,
            "partly_delivered": 0,
            "messages_with_time": 0,
        }
        for hour, campaign, status, messages, cost in rows
    ]
    return pl.LazyFrame(records, schema=CUBE.schema)


def stored(warehouse: Warehouse) -> list[tuple[object, ...]]:
    table = DAILY_COUNTS.c
    with warehouse.read() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                select(
                    table.day, table.source, table.campaign, table.sender, table.operator,
                    table.reason, table.messages, table.parts, table.cost_micro,
                ).order_by(table.day, table.source, table.campaign, table.reason)
            )
        ]  # fmt: skip


def finding(identifier: str, start: datetime, affected: int = 10) -> Finding:
    return Finding(
        id=identifier,
        kind=FindingKind.DELIVERY_DROP,
        scope={"source": "twilio_main", "campaign": "Осінь"},
        start=start,
        end=start + timedelta(hours=3),
        messages=1000,
        affected=affected,
        excess=7,
        rate=Rate(
            value=0.9, numerator=900, denominator=1000, denominator_name="submitted",
            low=0.9, high=0.9, interval=None, coverage=1.0, as_of=NOW, mature=True,
        ),
        baseline=None,
        main_reason=None,
        cost=(),
        severity=1.5,
    )  # fmt: skip


def check_migrations_give_the_tables(warehouse: Warehouse) -> None:
    with warehouse.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        tables = inspect(connection).get_table_names()
    assert set(tables) == {*METADATA.tables, "alembic_version"}


def check_slice_is_replaced(warehouse: Warehouse) -> None:
    monday, tuesday = date(2026, 10, 5), date(2026, 10, 6)
    billions = 9_000_000_000_000
    first = daily_counts(
        cube(
            monday,
            "a",
            [
                (8, "x", "delivered", 5, 10),
                (9, "x", "delivered", 7, billions),
                (9, "x", "failed", 1, 3),
            ],
        )
    )
    warehouse.replace_daily_counts([monday], "a", first.collect(), {}, NOW)
    other = daily_counts(cube(monday, "b", [(8, "y", "delivered", 1, 1)])).collect()
    warehouse.replace_daily_counts([monday], "b", other, {}, NOW)
    sender = 'Магазин, "Львів"'
    kept = (monday, "b", "y", sender, "", None, 1, 2, 1)
    assert sorted(stored(warehouse), key=str) == sorted(
        [
            (monday, "a", "x", sender, "", None, 12, 24, billions + 10),
            (monday, "a", "x", sender, "", "expired_ttl", 1, 2, 3),
            kept,
        ],
        key=str,
    )

    again = daily_counts(cube(tuesday, "a", [(8, "z", "delivered", 2, 4)])).collect()
    warehouse.replace_daily_counts([monday, tuesday], "a", again, {}, NOW)
    assert stored(warehouse) == [kept, (tuesday, "a", "z", sender, "", None, 2, 4, 4)]

    warehouse.replace_daily_counts([monday, tuesday], "a", again.clear(), {}, NOW)
    assert stored(warehouse) == [kept]


def check_slices_replaced_at_once_do_not_add_up(warehouse: Warehouse) -> None:
    day = date(2026, 10, 5)
    frame = daily_counts(cube(day, "a", [(8, f"c{n}", "delivered", 1, 1) for n in range(500)]))
    rows = frame.collect()
    with ThreadPoolExecutor(4) as threads:
        for done in [
            threads.submit(warehouse.replace_daily_counts, [day], "a", rows, {}, NOW)
            for _ in range(8)
        ]:
            done.result()
    assert len(stored(warehouse)) == 500


def check_findings_open_persist_and_close(warehouse: Warehouse) -> None:
    start, end = NOW - timedelta(days=1), NOW
    before = finding("older", start - timedelta(hours=1))
    warehouse.put_findings([before], start - timedelta(days=1), start, NOW)

    one, two = finding("one", start), finding("two", start)
    assert warehouse.put_findings([one, two], start, end, NOW).opened == ("one", "two")

    later = NOW + timedelta(hours=1)
    changes = warehouse.put_findings([finding("one", start, affected=11)], start, end, later)
    assert (changes.opened, changes.persisted, changes.closed) == ((), ("one",), ("two",))

    reopened = warehouse.put_findings([one, two], start, end, later + timedelta(hours=1))
    assert (reopened.opened, reopened.persisted, reopened.closed) == ((), ("one", "two"), ())
    with warehouse.read() as connection:
        rows = {row.id: row for row in connection.execute(select(FINDINGS))}
    assert rows["one"].first_seen_at == NOW
    assert rows["one"].last_seen_at == later + timedelta(hours=1)
    assert rows["two"].closed_at is None
    assert rows["older"].closed_at is None, "it began before the period looked at"
    assert Finding.model_validate(rows["one"].payload) == one


def check_campaigns_are_upserted(warehouse: Warehouse) -> None:
    warehouse.put_campaigns([Campaign("a", "Осінь", "Autumn", "promo"), Campaign("b")])
    warehouse.put_campaigns([Campaign("b", "Борг", None, "service")])
    with warehouse.read() as connection:
        rows = connection.execute(select(CAMPAIGNS).order_by(CAMPAIGNS.c.id)).all()
    assert [tuple(row) for row in rows] == [
        ("a", "Осінь", "Autumn", "promo"),
        ("b", "Борг", None, "service"),
    ]


def check_ledger_row_needs_an_edition(warehouse: Warehouse) -> None:
    row = {
        "edition_id": "no such edition",
        "reader": "a@example.com",
        "state": "claimed",
        "message_id": "<x@example.com>",
        "claimed_at": NOW,
        "attempts": 1,
    }
    with pytest.raises(IntegrityError), warehouse.write() as connection:
        connection.execute(MAIL_LEDGER.insert(), [row])


EVERY_CHECK = [
    check_migrations_give_the_tables,
    check_slice_is_replaced,
    check_slices_replaced_at_once_do_not_add_up,
    check_findings_open_persist_and_close,
    check_campaigns_are_upserted,
    check_ledger_row_needs_an_edition,
]


@pytest.mark.parametrize("check", EVERY_CHECK)
def test_on_sqlite(check, warehouse):
    check(warehouse)


@pytest.mark.servers
def test_on_postgresql(tmp_path):
    with PostgresServer() as url:
        for check in EVERY_CHECK:
            opened = Warehouse(url).open()
            check(opened)
            with opened.write() as connection:
                METADATA.drop_all(connection)
                connection.exec_driver_sql("DROP TABLE alembic_version")
            opened.close()
        several_processes_open(url, tmp_path)


def test_opening_twice_changes_nothing_and_keeps_rows(warehouse, tmp_path):
    warehouse.put_campaigns([Campaign("a")])
    again = Warehouse(f"sqlite:///{tmp_path / 'data' / 'warehouse.sqlite'}").open()
    with again.read() as connection:
        assert connection.scalar(select(func.count()).select_from(CAMPAIGNS)) == 1
    again.close()


def test_sqlite_is_set_for_several_processes(warehouse):
    with warehouse.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_several_processes_may_open_a_new_database_at_once(tmp_path):
    several_processes_open(f"sqlite:///{tmp_path / 'warehouse.sqlite'}", tmp_path)


def test_rows_outside_the_slice_are_refused(warehouse):
    frame = daily_counts(cube(date(2026, 10, 5), "a", [(8, "x", "delivered", 1, 1)])).collect()
    with pytest.raises(StoreError, match="outside the slice"):
        warehouse.replace_daily_counts([date(2026, 10, 6)], "a", frame, {}, NOW)
    with pytest.raises(StoreError, match="outside the slice"):
        warehouse.replace_daily_counts([date(2026, 10, 5)], "b", frame, {}, NOW)


def test_a_failed_load_leaves_the_old_rows(warehouse):
    day = date(2026, 10, 5)
    good = daily_counts(cube(day, "a", [(8, "x", "delivered", 1, 1)])).collect()
    warehouse.replace_daily_counts([day], "a", good, {}, NOW)
    bad = good.with_columns(campaign=pl.lit(None, dtype=pl.String))
    with pytest.raises(IntegrityError):
        warehouse.replace_daily_counts([day], "a", bad, {}, NOW)
    assert len(stored(warehouse)) == 1


def test_a_locked_database_says_so(warehouse, tmp_path, monkeypatch):
    monkeypatch.setattr("sms_etl.store.warehouse.BUSY_TIMEOUT_SECONDS", 0.1)
    path = tmp_path / "data" / "warehouse.sqlite"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"locked.*Another process"):
        Warehouse(f"sqlite:///{path}").open().put_campaigns([Campaign("a")])
    holder.close()


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="cannot be made"):
        Warehouse(f"sqlite:///{tmp_path / 'file' / 'w.sqlite'}").open()


def test_a_file_that_is_no_database_says_so(tmp_path):
    path = tmp_path / "warehouse.sqlite"
    path.write_bytes(b"this is no database file at all" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Warehouse(f"sqlite:///{path}").open()


def test_a_database_of_a_newer_release_is_refused(warehouse, tmp_path):
    with warehouse.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="9999"):
        Warehouse(f"sqlite:///{tmp_path / 'data' / 'warehouse.sqlite'}").open()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reports:S3cret-pw@127.0.0.1:1/reports",
        "postgresql+psycopg2://reports:S3cret-pw@127.0.0.1:1/reports",
        "mysql://reports:S3cret-pw@127.0.0.1/reports",
        "not a url with S3cret-pw",
        "postgresql://reports:S3cret-pw@127.0.0.1:port/reports",
    ],
)
def test_the_password_is_in_no_message(url):
    with pytest.raises(StoreError) as caught:
        Warehouse(url).open()
    printed = "".join(traceback.format_exception(caught.value))
    assert "S3cret-pw" not in printed


def test_the_password_is_not_in_the_repr():
    assert "S3cret" not in repr(Warehouse("postgresql://reports:S3cret@127.0.0.1/reports"))


def test_a_time_without_a_zone_is_refused(warehouse):
    with pytest.raises(Exception, match="no time zone"):
        warehouse.put_findings([], datetime(2026, 10, 5), datetime(2026, 10, 6), NOW)  # noqa: DTZ001


def several_processes_open(url: str, folder: Path) -> None:
    code = (
        "import sys, pathlib, time\n"
        "from sms_etl.store.warehouse import Campaign, Warehouse\n"
        "warehouse = Warehouse(sys.argv[1])\n"
        "pathlib.Path(sys.argv[2], 'ready' + sys.argv[3]).touch()\n"
        "while len(list(pathlib.Path(sys.argv[2]).glob('ready*'))) < 3: time.sleep(0.001)\n"
        "warehouse.open().put_campaigns([Campaign(sys.argv[3])])\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, url, str(folder), str(number)])
        for number in range(3)
    ]
    assert [child.wait(timeout=60) for child in children] == [0, 0, 0]
    opened = Warehouse(url).open()
    with opened.read() as connection:
        assert connection.scalar(select(func.count()).select_from(CAMPAIGNS)) == 3
    opened.close()
