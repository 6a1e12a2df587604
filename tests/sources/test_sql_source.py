"""SQL sources on real databases: windows by day, parts, nothing ever changed."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from sms_etl.dictionaries import load_dictionary
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.schemas import OBSERVATIONS, OUTBOX
from sms_etl.sources.base import PageFormat, PullContext
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.messages.observations import build, fates
from tests.store.postgres import PostgresServer

GATEWAY = """
CREATE TABLE sms_log (id INTEGER, phone TEXT, status TEXT, error_code INTEGER, parts INTEGER,
  cost NUMERIC, created_at TEXT, done_at TEXT, body BLOB);
INSERT INTO sms_log VALUES
 (1, '380671234567', 'DELIVRD', 0, 1, 0.479, '2025-03-04 21:59:59', NULL, NULL),
 (2, '380671234567', 'DELIVRD', 0, 2, 0.958, '2025-03-04 22:00:00', '2025-03-04 22:00:07', x'41'),
 (3, '380501234567', 'UNDELIV', 27, 1, NULL, '2025-03-05 21:59:59', '2025-03-06 01:00:00', NULL),
 (4, '380501234567', NULL, NULL, NULL, NULL, '2025-03-05 22:00:00', NULL, NULL);
"""
COLUMNS = {
    "message_id": "id",
    "recipient": "phone",
    "status": "status",
    "code": "error_code",
    "parts_billed": "parts",
    "price": "cost",
    "created_at": "created_at",
    "done_at": "done_at",
    "text": "body",
}
SMSD = """
CREATE TABLE sentitems (ID INTEGER, SequencePosition INTEGER, DestinationNumber TEXT,
  SendingDateTime TEXT, DeliveryDateTime TEXT, Status TEXT, StatusError INTEGER, TextDecoded TEXT,
  PRIMARY KEY (ID, SequencePosition));
INSERT INTO sentitems VALUES
 (7, 1, '+380671234567', '2025-03-05 23:59:59', '2025-03-06 00:00:04', 'DeliveryOK', -1, 'один'),
 (7, 2, '+380671234567', '2025-03-06 00:00:01', NULL, 'DeliveryPending', -1, 'два'),
 (8, 1, '+380501234567', '2025-03-06 12:00:00', NULL, 'SendingOK', -1, 'три');
"""
HYBRID = """
CREATE TABLE attempts (attempt TEXT, order_no TEXT, via TEXT, phone TEXT, state TEXT,
  ordered TEXT, ended TEXT, cost NUMERIC);
INSERT INTO attempts VALUES
 ('1-1', 'o1', 'Viber', '380671234567', 'EXPIRED', '2025-03-05 09:00:00', '2025-03-05 09:01:00', 0),
 ('1-2', 'o1', 'SMS', '380671234567', 'DELIVRD', '2025-03-05 09:00:00', '2025-03-05 09:01:06', 0.9),
 ('2-1', '2', 'Viber', '380501234567', 'DELIVRD', '2025-03-05 09:00:00', '2025-03-05 09:00:03', .4),
 ('3', NULL, 'SMS', '380631234567', 'UNDELIV', '2025-03-05 09:00:00', '2025-03-05 09:00:09', 0.9);
"""
DAY = date(2025, 3, 5)


def database(tmp_path: Path, script: str) -> Path:
    path = tmp_path / "gateway.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def source_with(base: Path, **changes):
    block = {
        "kind": "sql",
        "url": "sqlite:///gateway.sqlite",
        "table": "sms_log",
        "time_zone": "UTC",
        "columns": COLUMNS,
        "constants": {"currency": "UAH"},
    }
    block |= changes
    settings = {name: value for name, value in block.items() if value is not None}
    return make_source("gateway", SOURCE_KINDS["sql"].model_validate(settings), base)


def pages_of(source, context, *days: date) -> list:
    return [page for plan in source.plan(days, context) for page in plan.pages]


def test_rows_of_a_business_day_and_no_others(tmp_path, long_after, land):
    database(tmp_path, GATEWAY)
    source = source_with(tmp_path)
    (page,) = pages_of(source, long_after, DAY)
    assert page.format is PageFormat.NDJSON
    assert page.records == 2
    assert page.body.splitlines()[0] == (
        b'{"id":"2","phone":"380671234567","status":"DELIVRD","error_code":"0","parts":"2",'
        b'"cost":"0.958","created_at":"2025-03-04 22:00:00","done_at":"2025-03-04 22:00:07",'
        b'"body":"A"}'
    )
    frame = source.read(land([page])).collect()
    assert frame.schema == OBSERVATIONS.schema
    assert source.provider == "smpp"
    assert frame.select(
        "message_id", "status", "code", "parts_billed", "cost_micro", "currency", "done_at_origin"
    ).rows() == [
        ("2", "DELIVRD", "0", 2, 958_000, "UAH", "provider"),
        ("3", "UNDELIV", "27", 1, None, "UAH", "provider"),
    ]
    assert frame["created_at"].to_list() == [
        datetime(2025, 3, 4, 22, tzinfo=UTC),
        datetime(2025, 3, 5, 21, 59, 59, tzinfo=UTC),
    ]


def test_days_that_follow_each_other_share_nothing_and_leave_nothing_out(
    tmp_path, long_after, land
):
    database(tmp_path, GATEWAY)
    source = source_with(tmp_path, batch_rows=1)
    days = [date(2025, 3, day) for day in (3, 4, 5, 6)]
    pages = pages_of(source, long_after, *days)
    assert [page.records for page in pages] == [1, 1, 1, 1]
    assert source.read(land(pages)).collect()["message_id"].to_list() == ["1", "2", "3", "4"]


def test_local_times_in_the_hour_that_comes_twice_are_not_lost(tmp_path, land):
    """Business days of these zones begin before, inside and after the hour Kyiv shows twice."""
    times = ("02:59:00", "03:30:00", "03:59:59", "04:00:00")
    path = database(tmp_path, "CREATE TABLE t (id TEXT, status TEXT, at TEXT)")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO t VALUES (?, 'DELIVRD', ?)", [(at, f"2025-10-26 {at}") for at in times]
        )
    columns = {"message_id": "id", "status": "status", "created_at": "at"}
    source = source_with(tmp_path, table="t", columns=columns, time_zone="Europe/Kyiv")
    for zone in ("Europe/Kyiv", "UTC", "Etc/GMT+1", "Etc/GMT+2"):
        context = PullContext(ZoneInfo(zone), datetime.now(UTC), OUTBOX.empty())
        for day in (date(2025, 10, 25), date(2025, 10, 26)):
            found = source.read(land(pages_of(source, context, day))).collect()
            everything = source.read(
                land(pages_of(source, context, date(2025, 10, 25), date(2025, 10, 26)), "all")
            ).collect()
            of_day = everything.filter(
                everything["created_at"].dt.convert_time_zone(zone).dt.date() == day
            )["message_id"]
            assert set(of_day) <= set(found["message_id"]), (zone, day)


def test_unix_times(tmp_path, long_after, land):
    script = """
    CREATE TABLE sent_sms (sql_id INTEGER, time INTEGER, dlr TEXT);
    INSERT INTO sent_sms VALUES (1, 1741125599, 'a'), (2, 1741125600, 'b'), (3, 1741212000, 'c');
    """
    database(tmp_path, script)
    source = source_with(
        tmp_path,
        table="sent_sms",
        columns={"message_id": "sql_id", "status": "dlr", "created_at": "time"},
        time_formats=["unix_seconds"],
    )
    frame = source.read(land(pages_of(source, long_after, DAY))).collect()
    assert frame.select("message_id", "created_at").rows() == [
        ("2", datetime(2025, 3, 4, 22, tzinfo=UTC))
    ]


def test_all_parts_of_a_message_are_read_when_it_was_sent_around_midnight(
    tmp_path, long_after, land
):
    """Gammu SMSD: one row per part, a shared ID."""
    database(tmp_path, SMSD)
    source = source_with(
        tmp_path,
        table="sentitems",
        provider="gammu",
        time_zone="Europe/Kyiv",
        columns={
            "message_id": "ID",
            "part_of": "ID",
            "recipient": "DestinationNumber",
            "status": "Status",
            "code": "StatusError",
            "created_at": "SendingDateTime",
            "done_at": "DeliveryDateTime",
            "text": "TextDecoded",
        },
    )
    frame = source.read(land(pages_of(source, long_after, DAY))).collect()
    assert source.provider == "gammu"
    assert frame.select("message_id", "part_of", "status", "text").rows() == [
        ("7", "7", "DeliveryOK", "один"),
        ("7", "7", "DeliveryPending", "два"),
    ]
    assert frame["done_at"].to_list() == [datetime(2025, 3, 5, 22, 0, 4, tzinfo=UTC), None]


def test_attempts_of_an_order_over_two_channels_are_one_message(tmp_path, long_after, land):
    database(tmp_path, HYBRID)
    source = source_with(
        tmp_path,
        table="attempts",
        columns={
            "message_id": "attempt", "order_id": "order_no", "channel": "via",
            "recipient": "phone", "status": "state", "created_at": "ordered", "done_at": "ended",
            "price": "cost",
        },
    )  # fmt: skip
    observed = source.read(land(pages_of(source, long_after, DAY))).collect()
    built = build(
        *observed.to_dicts(),
        days=[DAY],
        pulls=dict.fromkeys(observed["pull"].unique(), (DAY, DAY)),
        dictionary=load_dictionary("smpp"),
    )
    said = ("message_id", "channel", "status_class", "seconds_to_deliver", "cost_micro", "attempts")
    assert built.messages.select(said).sort("message_id").rows() == [
        ("1-1", "sms", "delivered", 66.0, 900_000, 2),
        ("2-1", "viber", "delivered", 3.0, 400_000, 1),
        ("3", "sms", "failed", None, 900_000, 1),
    ]
    assert fates(built) == {("message", None): 3, ("folded", "attempt_of_order"): 1}


def test_a_query_of_ones_own(tmp_path, long_after, land):
    database(tmp_path, GATEWAY)
    source = source_with(
        tmp_path,
        table=None,
        query="SELECT id AS n, upper(status) AS s, created_at AS t FROM sms_log "
        "WHERE created_at >= :start AND created_at < :end AND status <> 'UNDELIV'",
        columns={"message_id": "n", "status": "s", "created_at": "t"},
    )
    frame = source.read(land(pages_of(source, long_after, DAY))).collect()
    assert frame["message_id"].to_list() == ["2"]


def test_nothing_can_be_changed(tmp_path, long_after):
    path = database(tmp_path, GATEWAY)
    source = source_with(
        tmp_path,
        table=None,
        query="DELETE FROM sms_log WHERE created_at >= :start AND created_at < :end "
        "RETURNING id, status, created_at, phone, error_code, parts, cost, done_at, body",
    )
    with pytest.raises(PermanentSourceError, match="readonly"):
        pages_of(source, long_after, DAY)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sms_log").fetchone() == (4,)


def test_hostile_names_are_quoted_not_run(tmp_path, long_after):
    path = database(tmp_path, GATEWAY)
    source = source_with(tmp_path, table='sms_log"; DROP TABLE sms_log; --')
    with pytest.raises(PermanentSourceError, match="no such table"):
        pages_of(source, long_after, DAY)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sms_log").fetchone() == (4,)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"table": "nowhere"}, "no such table"),
        ({"columns": {**COLUMNS, "sender": "from_name"}}, "no such column"),
        ({"url": "sqlite:///missing.sqlite"}, "no database file"),
        (
            {
                "table": None,
                "query": "SELECT id, created_at FROM sms_log WHERE created_at IN (:start, :end)",
            },
            "no column 'phone'",
        ),
        ({"table": None, "query": "SELEC :start, :end"}, "syntax error"),
    ],
)
def test_the_check_says_what_is_missing(tmp_path, changes, said):
    database(tmp_path, GATEWAY)
    (fine,) = source_with(tmp_path).check()
    (wrong,) = source_with(tmp_path, **changes).check()
    assert fine.ok
    assert not wrong.ok
    assert said in wrong.mend


def test_a_server_that_is_down_is_transient_and_its_password_is_not_told(monkeypatch, tmp_path):
    monkeypatch.setenv("GATEWAY_URL", "postgresql+psycopg2://me:hush-hush@127.0.0.1:1/db")
    source = source_with(tmp_path, url=None, url_secret="GATEWAY_URL")
    (down,) = source.check()
    assert not down.ok
    assert "can be reached" in down.mend
    assert "hush-hush" not in f"{down} {source!r} {vars(source)}"


def test_a_missing_driver_is_named(tmp_path):
    (missing,) = source_with(tmp_path, url="mssql+pymssql://me@127.0.0.1/db").check()
    assert "pip install pymssql" in missing.mend


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "postgresql://me:secret@host/db"}, "url_secret"),
        ({"url_secret": "X"}, "either 'url' or 'url_secret'"),
        ({"query": "SELECT 1"}, "either 'table' or 'query'"),
        ({"table": None, "query": "SELECT 1"}, ":start"),
        ({"columns": {"message_id": "id"}}, "created_at, status"),
        ({"time_formats": ["%d.%m.%Y"]}, "begin with the year"),
        ({"constants": {"status": "x"}}, "both a heading and a constant"),
        ({"time_zone": "Kyiv"}, "IANA"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path, changes, said):
    with pytest.raises(ValidationError, match=said):
        source_with(tmp_path, **changes)


def test_errors_of_a_database_in_trouble_are_transient(tmp_path, long_after):
    path = database(tmp_path, GATEWAY)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        source = source_with(tmp_path, url="sqlite:///gateway.sqlite?timeout=0")
        with pytest.raises(TransientSourceError, match="locked"):
            pages_of(source, long_after, DAY)


@pytest.mark.servers
def test_postgresql_with_and_without_a_zone_in_the_column(tmp_path, long_after, land, monkeypatch):
    with PostgresServer() as url:
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(
                """
                CREATE TABLE "Sent" ("ID" bigint, plain timestamp, aware timestamptz, state text,
                  cost numeric(12, 8), body bytea);
                INSERT INTO "Sent" VALUES
                  (1, '2025-03-04 23:59:59', '2025-03-04 23:59:59+02', 'a', 0.5, NULL),
                  (2, '2025-03-05 00:00:00', '2025-03-05 00:00:00+02', 'b', 0.00000000, 'text'),
                  (3, '2025-03-05 23:59:59.9', '2025-03-05 23:59:59.9+02', 'c', NULL, NULL),
                  (4, '2025-03-06 00:00:00', '2025-03-06 00:00:00+02', 'd', 1, NULL);
                CREATE FUNCTION purged() RETURNS SETOF "Sent" LANGUAGE sql AS
                  'DELETE FROM "Sent" RETURNING *';
                """
            )
        monkeypatch.setenv("GATEWAY_URL", url)
        frames = []
        for time in ("plain", "aware"):
            columns = {
                "message_id": "ID", "status": "state", "created_at": time, "price": "cost",
                "text": "body",
            }  # fmt: skip
            source = source_with(
                tmp_path, url=None, url_secret="GATEWAY_URL", table="Sent", columns=columns,
                time_zone="Europe/Kyiv",
            )  # fmt: skip
            frames.append(source.read(land(pages_of(source, long_after, DAY))).collect())
        for frame in frames:
            assert frame.select("message_id", "cost_micro", "text").rows() == [
                ("2", 0, "text"),
                ("3", None, None),
            ]
            assert frame["created_at"].to_list() == [
                datetime(2025, 3, 4, 22, tzinfo=UTC),
                datetime(2025, 3, 5, 21, 59, 59, 900_000, tzinfo=UTC),
            ]
        deleting = source_with(
            tmp_path, url=None, url_secret="GATEWAY_URL", table=None, columns=columns,
            query="SELECT * FROM purged() WHERE aware >= :start AND aware < :end",
        )  # fmt: skip
        with pytest.raises(PermanentSourceError, match="read-only"):
            pages_of(deleting, long_after, DAY)
        missing = source_with(tmp_path, url=None, url_secret="GATEWAY_URL", table="sent")
        assert "does not exist" in missing.check()[0].mend
        engine.dispose()
