"""Kannel's sqlbox: rows of messages and receipts that meet by dlr_url."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from sms_etl.sources.registry import SOURCE_KINDS, make_source

DAY = date(2026, 6, 10)
NOON = int(datetime(2026, 6, 10, 9, tzinfo=UTC).timestamp())
LATER = NOON + 3 * 86_400
COLUMNS = (
    "sql_id", "momt", "sender", "receiver", "msgdata", "time", "account", "dlr_mask", "dlr_url",
)  # fmt: skip
DELIVERED = (
    "id:9 sub:001 dlvrd:001 submit date:2606100900 done date:2606100901 stat:DELIVRD err:000"
)


@pytest.fixture
def read(tmp_path, long_after, land):
    def read(*rows, day=DAY):
        with closing(sqlite3.connect(tmp_path / "box.sqlite")) as database, database:
            database.execute(f"CREATE TABLE sent_sms ({', '.join(COLUMNS)})")
            database.executemany("INSERT INTO sent_sms VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        block = {"kind": "kannel_sqlbox", "url": "sqlite:///box.sqlite"}
        source = make_source("gw", SOURCE_KINDS["kannel_sqlbox"].model_validate(block), tmp_path)
        pages = [page for plan in source.plan([day], long_after) for page in plan.pages]
        return source.read(land(pages)).collect()

    return read


def row(number, momt, text, at, mask, url="our-1"):
    return (number, momt, "PROMIN", "+380671234567", text, at, "shop", mask, url)


def test_a_receipt_of_a_later_day_comes_with_its_message_and_knows_when_it_was_sent(read):
    frame = read(
        row(1, "MT", "Hello", NOON, 31),
        row(2, "DLR", "ACK/", NOON + 1, 8),
        row(3, "DLR", DELIVERED, LATER, 1),
        row(4, "MT", "Another", LATER, 31, "our-2"),
    )
    assert frame.select("message_id", "status", "code").rows() == [
        ("our-1", "MT", None),
        ("our-1", "DLR 8", None),
        ("our-1", "DELIVRD", "000"),
    ]
    assert set(frame["created_at"]) == {datetime(2026, 6, 10, 9, tzinfo=UTC)}
    assert set(frame["sent_at"]) == {datetime(2026, 6, 10, 9, 0, 1, tzinfo=UTC)}
    assert frame["done_at"].to_list() == [None, None, datetime(2026, 6, 13, 9, tzinfo=UTC)]


def test_url_encoded_receipts_and_refusals_are_understood(read):
    frame = read(
        row(1, "DLR", "stat%3AUNDELIV+err%3A027+text%3A", NOON, 2),
        row(2, "DLR", "NACK/0x0000000b/Invalid Destination Address", NOON, 16, "our-2"),
        row(3, "DLR", "", NOON, 2, "our-3"),
    )
    assert frame.select("status", "code").rows() == [
        ("UNDELIV", "027"),
        ("DLR 16", "0x0000000b"),
        ("DLR 2", None),
    ]


def test_a_message_without_dlr_url_has_the_number_of_its_row(read):
    frame = read(row(1, "MT", "Hello", NOON, 0, None), row(2, "MT", "Hello", NOON, 0, ""))
    assert frame["message_id"].to_list() == ["1", "2"]
    assert set(frame["recipient"]) == {"+380671234567"}


def test_a_received_message_is_inbound(read):
    assert read(row(1, "MO", "Stop", NOON, None, None))["inbound"].to_list() == [True]
