"""Kannel's sqlbox: the table that it copies messages and receipts to.

A message is a row with momt 'MT', each of its receipts a row with momt 'DLR'. They share nothing
but dlr_url (gw/dlr.c gives a receipt the URL of its message), so the URL must name the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import polars as pl

from sms_etl.config.settings import ZoneName
from sms_etl.sources.base import Facts, LandedPage
from sms_etl.sources.mapping import Target
from sms_etl.sources.records import final_update, observations, scan_json
from sms_etl.sources.smpp_receipt import kannel_code, kannel_status
from sms_etl.sources.sql import MappedDatabase, MappedSql
from sms_etl.sources.values import UNIX_SECONDS, blank_to_null

COLUMNS: dict[Target, str] = {
    "message_id": "dlr_url",
    "part_of": "dlr_url",
    "recipient": "receiver",
    "sender": "sender",
    "service": "account",
    "status": "msgdata",
    "created_at": "time",
}
MORE = ("sql_id", "momt", "dlr_mask")
MESSAGE, RECEIPT, INBOUND = "MT", "DLR", "MO"
ACCEPTED = "8"
"""Type of the receipt that Kannel writes itself when the message centre took the message."""


class KannelSqlboxSettings(MappedDatabase):
    """The database of sqlbox; `provider` kannel_map is for message centres that give MAP errors."""

    kind: Literal["kannel_sqlbox"]
    provider: str = "kannel"
    table: str | None = "sent_sms"
    session_zone: bool = False
    time_zone: ZoneName = "UTC"
    time_formats: tuple[str, ...] = (UNIX_SECONDS,)
    columns: dict[Target, str] = COLUMNS


class KannelSqlbox(MappedSql):
    """Reads the messages of each day, and their receipts whenever they came."""

    settings_type: ClassVar[type[KannelSqlboxSettings]] = KannelSqlboxSettings
    more_headings = MORE
    facts = Facts(
        title="Kannel sqlbox, sent_sms",
        window_filter="time in Unix seconds; with a message come all rows of its dlr_url",
        history="what the table holds",
        look_back="every day of the settling period is read again, with the receipts since",
        rate_limit="none; one query a day",
        proof="contract suite on SQLite; the same rows in a real MariaDB server by pymysql",
        missing="price, parts; texts are not read, because some versions keep them URL-encoded; "
        "messages without a dlr_url get no receipts",
        reports="dlr_url is the identifier, the number of the row where it is blank; the time of "
        "a receipt stands for the final time; the meaning of err is the message centre's own",
        documents="pruiz/kannel-sqlbox gw/sqlbox_mysql.h, pruiz/kannel gw/dlr.c @cdbcfc1, "
        "userguide of kannel-docs 1.4.5",
        to_check="that every message has a dlr_url of its own; that receipts are asked for "
        "(dlr_mask 31); that sqlbox writes DLR rows in your version",
    )

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Messages and receipts, each a row that knows its message."""
        columns = self._settings.columns
        kind, text = pl.col("momt"), pl.col(columns["status"])
        receipt, url = kind == RECEIPT, blank_to_null(pl.col(columns["message_id"]))
        status = pl.when(receipt).then(kannel_status(text, pl.col("dlr_mask"))).otherwise(kind)
        time, identifier = pl.col(columns["created_at"]), pl.coalesce(url, "sql_id")
        submitted = time.filter(kind == MESSAGE).first().over("message")
        accepted = time.filter(receipt & (pl.col("dlr_mask") == ACCEPTED)).first().over("message")
        rows = scan_json(pages, self._headings).with_columns(identifier.alias("message"))
        return observations(
            rows.with_columns(status.alias("word"), submitted.alias("t"), accepted.alias("sent")),
            {
                "message_id": pl.col("message"),
                "recipient": pl.col(columns["recipient"]),
                "sender": pl.col(columns["sender"]),
                "service": pl.col(columns["service"]),
                "inbound": (kind == INBOUND).fill_null(value=False),
                "status": pl.col("word"),
                "code": pl.when(receipt).then(kannel_code(text)),
                "created_at_text": pl.col("t"),
                "created_at": self._settings.utc(pl.col("t")),
                "sent_at_text": pl.col("sent"),
                "sent_at": self._settings.utc(pl.col("sent")),
                **final_update(pl.col("word"), time, self.provider),
                "updated_at": self._settings.utc(time),
                "done_at": self._final(time),
            },
        )

    def _final(self, time: pl.Expr) -> pl.Expr:
        text = final_update(pl.col("word"), time, self.provider)["done_at_text"]
        return self._settings.utc(text)
