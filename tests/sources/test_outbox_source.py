"""The user's own outbox: from CSV or SQL, landed by day and read back."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from sms_etl.errors import PermanentSourceError
from sms_etl.model.schemas import OUTBOX
from sms_etl.sources.registry import OUTBOX_KINDS, make_outbox

COLUMNS = {
    "message_id": "id",
    "recipient": "phone",
    "campaign": "campaign",
    "submitted_at": "submitted",
    "text": "body",
}
ROWS = [
    ("a", "067 123-45-67", "spring", "2025-03-04 23:59:59", 'Знижка, "−20%"'),
    ("b", "+380501234567", "spring", "2025-03-05 00:00:00", "два\nрядки"),
    ("", "0501234567", "", "2025-03-05 12:00:00", ""),
    ("d", "0501234567", "spring", "2025-03-06 00:00:00", "x"),
    ("e", "0501234567", "spring", "someday", "x"),
]
DAYS = [date(2025, 3, 5), date(2025, 3, 6)]


@pytest.fixture
def csv_outbox(tmp_path):
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in ROWS]
    text = "\n".join(["id,phone,campaign,submitted,body", *quoted])
    (tmp_path / "outbox.csv").write_text(text, "utf-8")
    return outbox(tmp_path, kind="csv", path="outbox.csv")


@pytest.fixture
def sql_outbox(tmp_path):
    with closing(sqlite3.connect(tmp_path / "crm.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE sent (id, phone, campaign, submitted, body)")
        connection.executemany("INSERT INTO sent VALUES (?, ?, ?, ?, ?)", ROWS)
    return outbox(tmp_path, kind="sql", url="sqlite:///crm.sqlite", table="sent")


def outbox(base, **changes):
    block = {
        "time_zone": "Europe/Kyiv",
        "columns": COLUMNS,
        "constants": {"source": "turbo", "contact_source": "till"},
        **changes,
    }
    return make_outbox(OUTBOX_KINDS[block["kind"]].model_validate(block), base)


def read(box, context, land):
    plans = list(box.plan(DAYS, context))
    assert [(plan.first_day, plan.last_day) for plan in plans] == [(day, day) for day in DAYS]
    return [
        box.read(land(list(plan.pages), pull=f"pull-{plan.first_day}")).collect() for plan in plans
    ]


@pytest.mark.parametrize("kind", ["csv_outbox", "sql_outbox"])
def test_rows_come_back_by_the_day_they_were_submitted(kind, request, long_after, land):
    box = request.getfixturevalue(kind)
    first, second = read(box, long_after, land)
    assert first.schema == second.schema == OUTBOX.schema
    first, second = (frame.filter(frame["submitted_at"].is_not_null()) for frame in (first, second))
    assert first.row(0, named=True) == {
        "message_id": "b",
        "source": "turbo",
        "recipient": "+380501234567",
        "campaign": "spring",
        "submitted_at": datetime(2025, 3, 4, 22, tzinfo=UTC),
        "sender": None,
        "text": "два\nрядки",
        "contact_id": None,
        "skipped": None,
        "contact_source": "till",
        "purpose": None,
        "template": None,
    }
    assert first["message_id"].to_list() == ["b", None]
    assert second["message_id"].to_list() == ["d"]


def test_a_csv_row_without_a_readable_time_is_kept_with_every_day(csv_outbox, long_after, land):
    for frame in read(csv_outbox, long_after, land):
        assert frame.filter(frame["submitted_at"].is_null())["message_id"].to_list() == ["e"]


def test_a_day_without_rows_has_no_pages(csv_outbox, sql_outbox, long_after):
    (plan,) = sql_outbox.plan([date(2024, 1, 1)], long_after)
    assert list(plan.pages) == []


def test_a_lost_file_or_column_is_named(csv_outbox, tmp_path, long_after):
    assert csv_outbox.check()[0].ok
    (tmp_path / "outbox.csv").write_text("id,phone\n1,2\n", "utf-8")
    with pytest.raises(PermanentSourceError, match=r"outbox.csv.*no column 'campaign'"):
        list(csv_outbox.plan(DAYS, long_after))
    (tmp_path / "outbox.csv").unlink()
    (missing,) = csv_outbox.check()
    assert not missing.ok
    assert "outbox.csv" in missing.mend


def test_a_lost_table_is_named(tmp_path, sql_outbox):
    assert sql_outbox.check()[0].ok
    (missing,) = outbox(tmp_path, kind="sql", url="sqlite:///crm.sqlite", table="nowhere").check()
    assert "no such table" in missing.mend


def test_an_outbox_needs_an_identifier_and_a_time(tmp_path):
    with pytest.raises(ValidationError, match="message_id, submitted_at"):
        outbox(tmp_path, kind="csv", path="x", columns={"recipient": "phone"})


def test_a_row_that_was_skipped_says_why(tmp_path, long_after, land):
    lines = ["id,submitted,why"]
    reasons = ["", "0", "False", " no ", "opted out", "1"]
    lines += [f"m{n},2025-03-05 12:00:00,{reason}" for n, reason in enumerate(reasons)]
    (tmp_path / "outbox.csv").write_text("\n".join(lines), "utf-8")
    columns = {"message_id": "id", "submitted_at": "submitted", "skipped": "why"}
    box = outbox(tmp_path, kind="csv", path="outbox.csv", columns=columns)
    first, _ = read(box, long_after, land)
    assert first["skipped"].to_list() == [None, None, None, None, "opted out", "1"]
