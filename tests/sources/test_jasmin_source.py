"""Jasmin's submit_log: what its logger makes of statuses."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime

from sms_etl.sources.registry import SOURCE_KINDS, make_source

TABLE = """
CREATE TABLE submit_log (msgid TEXT, source_addr TEXT, destination_addr TEXT, pdu_count INTEGER,
  short_message BLOB, status TEXT, uid TEXT, created_at TEXT, status_at TEXT);
INSERT INTO submit_log VALUES
 ('a', 'PROMIN', '380671234567', 1, 'Hi', 'ESME_ROK', 'shop', '2026-06-10 08:00:00',
  '2026-06-10 08:00:00'),
 ('b', 'PROMIN', '380671234567', 2, 'Hi', 'CommandStatus.ESME_RINVDSTADR', 'shop',
  '2026-06-10 08:00:01', '2026-06-10 08:00:01'),
 ('c', 'PROMIN', '380671234567', 1, 'Hi', 'DELIVRD', 'shop', '2026-06-10 08:00:02',
  '2026-06-10 08:00:09');
"""


def test_accepted_is_not_final_and_a_constant_is_its_name(tmp_path, long_after, land):
    with closing(sqlite3.connect(tmp_path / "jasmin.sqlite")) as database:
        database.executescript(TABLE)
    block = {"kind": "jasmin", "url": "sqlite:///jasmin.sqlite", "time_zone": "UTC"}
    source = make_source("gw", SOURCE_KINDS["jasmin"].model_validate(block), tmp_path)
    plans = source.plan([date(2026, 6, 10)], long_after)
    frame = source.read(land([page for plan in plans for page in plan.pages])).collect()
    assert source.provider == "smpp"
    assert frame.select("message_id", "status", "service", "done_at", "done_at_origin").rows() == [
        ("a", "ESME_ROK", "shop", None, "none"),
        (
            "b", "ESME_RINVDSTADR", "shop", datetime(2026, 6, 10, 8, 0, 1, tzinfo=UTC),
            "provider_update",
        ),
        ("c", "DELIVRD", "shop", datetime(2026, 6, 10, 8, 0, 9, tzinfo=UTC), "provider_update"),
    ]  # fmt: skip
