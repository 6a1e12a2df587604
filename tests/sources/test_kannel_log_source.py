"""Kannel's access log: what real lines look like, and what belongs together."""

import gzip
from datetime import UTC, date, datetime

import pytest

from sms_etl.errors import PermanentSourceError
from sms_etl.sources.registry import SOURCE_KINDS, make_source

DAY = date(2026, 6, 10)
SENT = (
    "2026-06-10 {at} Sent SMS [SMSC:op] [SVC:shop] [ACT:] [BINF:] [FID:{fid}] [META:] "
    "[from:PROMIN] [to:+38067{to}] [flags:-1:0:-1:-1:31] [msg:18:Your code [1] 4321] [udh:0:]"
)
RECEIPT = (
    "2026-06-{day} {at} {what} [SMSC:op] [SVC:] [ACT:op] [BINF:] [FID:{fid}] "
    "[META:?orig_msg?dlr_mask=31&] [from:PROMIN] [to:+38067{to}] [flags:-1:-1:-1:-1:{mask}] "
    "[msg:{length}:{text}] [udh:0:]"
)
TEXT = (
    "id:{fid} sub:001 dlvrd:001 submit date:260610080000 done date:260610080004 "
    "stat:{stat} err:{err} text:"
)


def sent(at: str, fid: str = "", to: str = "1234567") -> str:
    return SENT.format(at=at, fid=fid, to=to)


def receipt(
    at: str, fid: str, mask: int, text: str, to: str = "1234567", day: int = 10, what="Receive DLR"
) -> str:
    return RECEIPT.format(
        at=at, fid=fid, mask=mask, text=text, to=to, day=day, what=what, length=len(text)
    )


def final(fid: str, stat: str, err: str = "000") -> str:
    return TEXT.format(fid=fid, stat=stat, err=err)


@pytest.fixture
def log(tmp_path):
    """Writes a log of these lines, between the marks of Kannel's start and end."""

    def write(*lines: str, name: str = "access.log", day: int = 10, end: str = "\n"):
        text = "\n".join([f"2026-06-{day} 00:00:00 Log begins", *lines]) + end
        body = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(body) if name.endswith(".gz") else body)

    return write


@pytest.fixture
def read(tmp_path, long_after, land):
    def read(*days: date, **settings):
        block = {"kind": "kannel_log", "folder": ".", "time_zone": "Europe/Kyiv", **settings}
        source = make_source("gw", SOURCE_KINDS["kannel_log"].model_validate(block), tmp_path)
        pages = [page for plan in source.plan(days or (DAY,), long_after) for page in plan.pages]
        frame = source.read(land(pages)).collect()
        assert frame.height == sum(page.records for page in pages)
        return frame

    return read


def test_a_message_and_its_receipts_are_one_row(log, read):
    log(
        sent("08:00:00", "a1"),
        receipt("08:00:00", "a1", 8, "ACK/"),
        receipt("08:00:04", "a1", 1, final("a1", "DELIVRD")),
        receipt("08:00:09", "a1", 4, final("a1", "ENROUTE")),
    )
    (row,) = read().iter_rows(named=True)
    assert (row["message_id"], row["recipient"], row["sender"]) == ("a1", "+380671234567", "PROMIN")
    assert (row["status"], row["code"], row["inbound"]) == ("DELIVRD", "000", False)
    assert row["text"] == "Your code [1] 4321"
    assert row["sent_at"] == datetime(2026, 6, 10, 5, tzinfo=UTC)
    assert row["done_at"] == datetime(2026, 6, 10, 5, 0, 4, tzinfo=UTC)
    assert row["done_at_origin"] == "provider_update"


def test_a_receipt_that_comes_days_later_is_read_with_its_message(log, read):
    log(sent("23:59:59", "a1"), name="access.log.2.gz")
    log(receipt("08:00:00", "a1", 2, final("a1", "EXPIRED", "027"), day=13), day=11)
    (row,) = read().iter_rows(named=True)
    assert (row["status"], row["code"]) == ("EXPIRED", "027")
    assert read(date(2026, 6, 13)).height == 0


def test_a_receipt_that_is_written_before_its_long_message_meets_it(log, read):
    log(receipt("08:00:00", "a1", 1, final("a1", "DELIVRD")), sent("08:00:00", "a1"))
    assert read().select("message_id", "status").rows() == [("a1", "DELIVRD")]


def test_a_number_that_the_message_centre_gives_again_belongs_to_the_last_message(log, read):
    log(
        sent("08:00:00", "7"),
        receipt("08:00:04", "7", 1, final("7", "DELIVRD")),
        sent("09:00:00", "7", to="7654321"),
        receipt("09:00:04", "7", 2, final("7", "UNDELIV", "001"), to="7654321"),
    )
    assert read().select("recipient", "status").rows() == [
        ("+380671234567", "DELIVRD"),
        ("+380677654321", "UNDELIV"),
    ]


def test_a_refused_message_has_no_number_and_meets_its_receipt_by_the_addresses(log, read):
    log(
        sent("08:00:00", "a1"),
        sent("08:01:00").replace("Sent SMS", "REJECTED Send SMS"),
        receipt("08:01:00", "", 16, "NACK/0x0000000b/Invalid Destination Address"),
    )
    rows = read().select("message_id", "status", "code").rows()
    assert rows == [
        ("a1", "Sent SMS", None),
        ("2026-06-10 08:01:00 PROMIN +380671234567", "DLR 16", "0x0000000b"),
    ]


def test_texts_in_ucs2_are_letters_and_binary_ones_are_not_read(log, read):
    plain = sent("08:00:00", "a1")
    ucs2 = plain.replace(":0:-1:-1:31", ":2:-1:-1:31").replace(
        "18:Your code [1] 4321", "14:041F04400438043204560442D83DDE00"
    )
    log(ucs2, plain.replace(":0:-1:-1:31", ":1:-1:-1:31").replace("FID:a1", "FID:a2"))
    assert read()["text"].to_list() == ["Привіт😀", None]


def test_what_is_no_message_of_ours_is_inbound_and_still_a_row(log, read):
    log(
        sent("08:00:00", "a1"),
        sent("08:00:01").replace("Sent SMS", "Receive SMS"),
        receipt("08:00:04", "b9", 1, final("b9", "DELIVRD"), what="FAILED Receive DLR"),
        receipt("08:00:05", "b9", 1, final("b9", "DELIVRD")),
    )
    assert read()["inbound"].to_list() == [False, True, True, True]


def test_an_odd_line_is_told_and_a_half_written_one_waits(log, read):
    log(
        "2026-06-10 07:59:59 who knows", sent("08:00:00", "a1"), sent("08:00:01", "a2")[:40], end=""
    )
    frame = read()
    assert frame["message_id"].to_list() == [None, "a1"]
    assert "access-log-format" in frame["malformed"][0]


def test_a_log_of_another_format_is_refused(log, read):
    log("2026-06-10 08:00:00 +380671234567 sent")
    with pytest.raises(PermanentSourceError, match="Remove access-log-format from Kannel"):
        read()
