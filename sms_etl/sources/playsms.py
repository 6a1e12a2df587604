"""playSMS by its own table of outgoing messages."""

from __future__ import annotations

from typing import ClassVar, Literal

from sms_etl.config.settings import ZoneName
from sms_etl.sources.base import Facts
from sms_etl.sources.mapping import Target
from sms_etl.sources.sql import MappedDatabase, MappedSql

COLUMNS: dict[Target, str] = {
    "message_id": "smslog_id",
    "recipient": "p_dst",
    "sender": "p_src",
    "service": "p_smsc",
    "text": "p_msg",
    "status": "p_status",
    "created_at": "p_datetime",
    "updated_at": "p_update",
}


class PlaySmsSettings(MappedDatabase):
    """The database of playSMS; it writes GMT, as text."""

    kind: Literal["playsms"]
    provider: str = "playsms"
    table: str | None = "playsms_tblSMSOutgoing"
    session_zone: bool = False
    time_zone: ZoneName = "UTC"
    time_formats: tuple[str, ...] = ("%Y-%m-%d %H:%M:%S",)
    columns: dict[Target, str] = COLUMNS


class PlaySms(MappedSql):
    """Reads the messages submitted on each day."""

    provider: str = "playsms"
    settings_type: ClassVar[type[PlaySmsSettings]] = PlaySmsSettings
    facts = Facts(
        title="playSMS",
        window_filter="p_datetime, when the message was submitted, to the second",
        history="what the table holds",
        look_back="every day of the settling period is read again",
        rate_limit="none; one query a day",
        proof="contract suite on SQLite; the same rows in a real MariaDB server",
        missing="error codes, expired and refused as words of their own, time of sending, "
        "parts, currency; p_credit is in credits of playSMS, so it is not read",
        reports="every failure is 'failed' without a stated cause; the last change of a final "
        "status stands for the delivered time; the text without p_footer is counted in parts",
        documents="github.com/playsms/playsms db/playsms.sql, web/lib/fn_dlr.php @38be8bd",
        to_check="the zone of the times: playSMS says it stores GMT, and adjusts by the zones of "
        "its settings (compare p_datetime of a fresh row with the clock); whether the gateway "
        "plugin says delivered only on a receipt: the one for Jasmin does so on acceptance",
    )
