"""TurboSMS by its SQL gateway: a MySQL table that the user inserts messages into.

Only SELECT is ever asked: deleting a row there cancels a scheduled message.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, Literal

import polars as pl

from sms_etl.config.settings import ZoneName
from sms_etl.sources.base import Facts, LandedPage
from sms_etl.sources.mapping import Target
from sms_etl.sources.sql import MappedDatabase, MappedSql
from sms_etl.sources.values import with_plus

COLUMNS: dict[Target, str] = {
    "message_id": "id",
    "recipient": "number",
    "sender": "sign",
    "text": "message",
    "status": "status",
    "code": "error_code",
    "created_at": "added",
    "sent_at": "sended",
    "done_at": "received",
}


class TurboSmsSqlSettings(MappedDatabase):
    """One gateway login; `table` is named like it, `url_secret` holds the whole URL.

    The URL looks like mysql+pymysql://login:password@sql.turbosms.ua/users?charset=utf8. Times
    come in Ukrainian time unless the session asks otherwise, and it does not: named zones need
    tables that the server may lack.
    """

    kind: Literal["turbosms_sql"]
    provider: str = "turbosms_sql"
    time_zone: ZoneName = "Europe/Kyiv"
    session_zone: bool = False
    columns: dict[Target, str] = COLUMNS


class TurboSmsSql(MappedSql):
    """Reads the rows added on each day."""

    provider: str = "turbosms_sql"
    settings_type: ClassVar[type[TurboSmsSqlSettings]] = TurboSmsSqlSettings
    memory = timedelta(days=180)
    facts = Facts(
        title="TurboSMS SQL gateway",
        window_filter="added, when the row was inserted, to the second",
        history="180 days; then TurboSMS deletes the rows",
        look_back="every day of the settling period is read again",
        rate_limit="none stated; one query a day",
        proof="contract suite on SQLite; the same rows in a real MariaDB server by pymysql",
        missing="parts, currency; cost is in the account's units, so it is not read",
        reports="parts are counted from the text; cost comes from the tariff of the settings",
        documents="https://turbosms.ua/en/sql.html, github.com/mp091689/TurboSms README.md",
        to_check="whether 'received' is filled for messages that were not delivered; whether "
        "messages sent over HTTP are in the table; whether the session's zone is Ukrainian "
        "(compare 'added' of a fresh row with the clock)",
    )

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """As every table; numbers are international and written as digits only."""
        return super().read(pages).with_columns(with_plus(pl.col("recipient")).alias("recipient"))
