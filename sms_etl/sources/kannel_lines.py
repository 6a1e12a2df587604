"""Lines of Kannel's access log, and which receipts belong to which message.

The default format is read (userguide, access-log-format; gw/bb_alog.c): time, what happened,
[SMSC:] [SVC:] [ACT:] [BINF:] [FID:] [META:] [from:] [to:] [flags:..:coding:..:dlr type]
[msg:length:text] [udh:length:hex]. Brackets may stand inside the text, so it ends at the last
[udh:]. Texts of coding 1 and 2 are hexadecimal, UTF-16BE for 2.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from sms_etl.sources.smpp_receipt import kannel_code, kannel_status

MARKERS = r"Log (begins|ends)\s*$"
STAMP = r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) "
LINE = (
    r"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<event>.+?) "
    r"\[SMSC:(?P<smsc>[^\]]*)\] \[SVC:(?P<svc>[^\]]*)\] \[ACT:(?P<act>[^\]]*)\] "
    r"\[BINF:(?P<binf>[^\]]*)\] \[FID:(?P<fid>[^\]]*)\] \[META:(?P<meta>[^\]]*)\] "
    r"\[from:(?P<from>[^\]]*)\] \[to:(?P<to>[^\]]*)\] "
    r"\[flags:-?\d+:(?P<coding>-?\d+):-?\d+:-?\d+:(?P<mask>-?\d+)\] "
    r"\[msg:\d+:(?P<text>.*)\] \[udh:\d+:[0-9A-Fa-f]*\]\s*$"
)
MESSAGE_EVENTS = (
    "Sent SMS", "REJECTED Send SMS", "FAILED Send SMS", "DISCARDED SMS", "EXPIRED SMS",
)  # fmt: skip
"""What Kannel writes of a message that goes out: pruiz/kannel gw/bb_smscconn.c, and seen."""
RECEIPT_EVENT = "Receive DLR"
FINAL_TYPES = ("1", "2", "16")
UCS2, BINARY = "2", "1"
NOT_THE_FORMAT = "the line is not of Kannel's default access-log-format"
_HEX_UNIT = r"([0-9A-Fa-f]{4})"

Identifier = Literal["fid", "binf"]
Way = Literal["backward", "forward"]


def parsed(lines: pl.Series) -> pl.DataFrame:
    """Lines with their fields as text, blanks as null; markers are left out.

    `line` numbers them; `stamp` is the time that also lines of another format begin with.
    """
    frame = lines.alias("raw").to_frame().filter(~pl.col("raw").str.contains(MARKERS))
    fields = pl.col("raw").str.extract_groups(LINE).alias("fields")
    return (
        frame.with_row_index("line")
        .with_columns(fields, pl.col("raw").str.extract(STAMP).alias("stamp"))
        .unnest("fields")
        .with_columns(
            pl.when(pl.col(name) != "").then(name).alias(name)
            for name in ("svc", "act", "binf", "fid", "from", "to")
        )
    )


def owned(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines of `parsed` with `owner`: the `line` of the message a receipt belongs to, or its own.

    A receipt belongs to the last message before it with its FID, sender and recipient, else to
    the next one: of a long message the receipt of the first part may be written before the
    message is. If there is none, it belongs to the last message of these numbers without a FID.
    """
    messages = lines.filter(pl.col("event").is_in(MESSAGE_EVENTS)).with_columns(
        pl.col("line").alias("owner")
    )
    left = lines.filter(pl.col("event") == RECEIPT_EVENT)
    named = messages.filter(pl.col("fid").is_not_null())
    unnamed = messages.filter(pl.col("fid").is_null())
    tries: tuple[tuple[pl.DataFrame, list[str], Way], ...] = (
        (named, ["fid", "from", "to"], "backward"),
        (named, ["fid", "from", "to"], "forward"),
        (unnamed, ["from", "to"], "backward"),
    )
    found = []
    for wanted, keys, way in tries:
        met = left.select("line", *keys).join_asof(
            wanted.select("line", *keys, "owner"),
            on="line", by=keys, strategy=way, check_sortedness=False,
        ).drop_nulls("owner")  # fmt: skip
        found.append(met.select("line", "owner"))
        left = left.join(met, on="line", how="anti", maintain_order="left")
    return lines.join(pl.concat(found), on="line", how="left", maintain_order="left").with_columns(
        pl.coalesce("owner", "line").alias("owner")
    )


def records(lines: pl.DataFrame, identifier: Identifier) -> pl.DataFrame:
    """One row for every message, with what its receipts say, and for every other line.

    Columns: id, recipient, sender, service, text, inbound, status, code, sent, changed (text),
    malformed. What is no message of ours (received messages, receipts that match none) is inbound.
    """
    event, receipt = pl.col("event"), pl.col("event") == RECEIPT_EVENT
    is_message = event.is_in(MESSAGE_EVENTS)
    ours = owned(lines)
    told = (
        ours.filter(receipt & (pl.col("owner") != pl.col("line")))
        .sort(pl.col("mask").is_in(FINAL_TYPES), "line")
        .group_by("owner", maintain_order=True)
        .agg(
            kannel_status(pl.col("text"), pl.col("mask")).last().alias("told"),
            kannel_code(pl.col("text")).last().alias("code"),
            pl.col("time").last().alias("changed"),
        )
    )
    own_id = pl.concat_str("time", "from", "to", separator=" ", ignore_nulls=True)
    named = pl.col("fid") if identifier == "fid" else pl.coalesce("binf", "fid")
    return (
        ours.filter(pl.col("owner") == pl.col("line"))
        .join(told, left_on="line", right_on="owner", how="left", maintain_order="left")
        .select(
            pl.coalesce(named, pl.when(pl.col("time").is_not_null()).then(own_id)).alias("id"),
            pl.col("to").alias("recipient"),
            pl.col("from").alias("sender"),
            pl.coalesce("svc", "act").alias("service"),
            _text().alias("text"),
            (~is_message).cast(pl.String).alias("inbound"),
            pl.coalesce("told", event).alias("status"),
            pl.col("code"),
            pl.col("time").alias("sent"),
            pl.coalesce("changed", "time").alias("changed"),
            pl.when(pl.col("time").is_null()).then(pl.lit(NOT_THE_FORMAT)).alias("malformed"),
        )
    )


def _text() -> pl.Expr:
    """The text of a message; JSON's own escapes turn UTF-16 digits into letters."""
    text, coding = pl.col("text"), pl.col("coding")
    escaped = text.str.replace_all(_HEX_UNIT, r"\u$1")
    is_units = (coding == UCS2) & text.str.contains(r"^([0-9A-Fa-f]{4})*$")
    letters = pl.concat_str(pl.lit('"'), pl.when(is_units).then(escaped), pl.lit('"'))
    decoded = letters.str.json_decode(pl.String)
    return pl.when(is_units).then(decoded).when(coding.is_in([UCS2, BINARY]).not_()).then(text)
