"""Which kinds of sources and outboxes there are. A new source is one module and one line here.

Sources are imported when first asked for: a run loads only what its settings name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from sms_etl.config.settings import SourceSettings
from sms_etl.sources.base import Source
from sms_etl.sources.outbox import (
    CsvOutbox,
    CsvOutboxSettings,
    Outbox,
    SqlOutbox,
    SqlOutboxSettings,
)

SOURCES: Mapping[str, str] = {
    "twilio": "Twilio",
    "turbosms": "TurboSms",
    "plivo": "Plivo",
    "smsclub": "SmsClub",
    "infobip": "Infobip",
    "vonage": "Vonage",
    "telnyx": "Telnyx",
    "smsfly": "SmsFly",
    "alphasms": "AlphaSms",
    "esputnik": "ESputnik",
    "mobizon": "Mobizon",
    "smsc": "Smsc",
    "kyivstar": "Kyivstar",
    "omnicell": "Omnicell",
    "decisiontelecom": "DecisionTelecom",
    "unisender": "Unisender",
    "clicksend": "ClickSend",
    "elks": "Elks",
    "sinch": "Sinch",
    "messagebird": "MessageBird",
    "bird": "Bird",
    "bulksms": "BulkSms",
    "smsapi": "SmsApi",
    "shlink": "Shlink",
    "aws_sns": "AwsSns",
    "aws_eum": "AwsEum",
    "gatewayapi": "GatewayApi",
    "drop_folder": "DropFolder",
    "turbosms_sql": "TurboSmsSql",
    "jasmin": "Jasmin",
    "playsms": "PlaySms",
    "gammu": "Gammu",
    "kannel_sqlbox": "KannelSqlbox",
    "kannel_log": "KannelLog",
    "sql": "Sql",
    "sql_events": "SqlEvents",
    "file_events": "FileEvents",
}
"""Kind to the class in `sms_etl.sources.<kind>`, in order of use."""

OUTBOX_KINDS: Mapping[str, type[SourceSettings]] = {
    "csv": CsvOutboxSettings,
    "sql": SqlOutboxSettings,
}

_OUTBOXES: Mapping[str, Callable[[Any, Path], Outbox]] = {"csv": CsvOutbox, "sql": SqlOutbox}


class _Kinds(Mapping[str, type[SourceSettings]]):
    """The settings of every kind of source."""

    def __getitem__(self, kind: str) -> type[SourceSettings]:
        return source_class(kind).settings_type

    def __iter__(self) -> Iterator[str]:
        return iter(SOURCES)

    def __len__(self) -> int:
        return len(SOURCES)


SOURCE_KINDS: Mapping[str, type[SourceSettings]] = _Kinds()


def source_class(kind: str) -> type[Source]:
    """The class of a kind of source.

    Raises:
        KeyError: there is no such kind.
    """
    name = SOURCES[kind]
    found: type[Source] = getattr(import_module(f"sms_etl.sources.{kind}"), name)
    return found


def dictionary_name(name: str) -> str:
    """The dictionary that a kind of source has unless its settings name another one.

    A name that is no kind of source is a dictionary's own.
    """
    if name not in SOURCES:
        return name
    source = source_class(name)
    setting = source.settings_type.model_fields.get("provider")
    return str(setting.default) if setting else source.provider


def make_source(name: str, settings: SourceSettings, base: Path) -> Source:
    """The source that a block of settings describes; relative paths are relative to `base`."""
    make: Callable[[str, Any, Path], Source] = source_class(settings.kind)
    return make(name, settings, base)


def make_outbox(settings: SourceSettings, base: Path) -> Outbox:
    """The outbox that its block of settings describes; relative paths are relative to `base`."""
    return _OUTBOXES[settings.kind](settings, base)
