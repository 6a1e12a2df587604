"""Which kinds of sources and outboxes there are. A new provider adds one line in each table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sms_etl.config.settings import SourceSettings
from sms_etl.sources.base import Source
from sms_etl.sources.drop_folder import DropFolder, DropFolderSettings
from sms_etl.sources.outbox import (
    CsvOutbox,
    CsvOutboxSettings,
    Outbox,
    SqlOutbox,
    SqlOutboxSettings,
)
from sms_etl.sources.sql import Sql, SqlSettings
from sms_etl.sources.turbosms import TurboSms, TurboSmsSettings
from sms_etl.sources.twilio import Twilio, TwilioSettings

SOURCE_KINDS: Mapping[str, type[SourceSettings]] = {
    "twilio": TwilioSettings,
    "turbosms": TurboSmsSettings,
    "drop_folder": DropFolderSettings,
    "sql": SqlSettings,
}
OUTBOX_KINDS: Mapping[str, type[SourceSettings]] = {
    "csv": CsvOutboxSettings,
    "sql": SqlOutboxSettings,
}

_SOURCES: Mapping[str, Callable[[str, Any, Path], Source]] = {
    "twilio": lambda name, settings, _base: Twilio(name, settings),
    "turbosms": lambda name, settings, _base: TurboSms(name, settings),
    "drop_folder": DropFolder,
    "sql": Sql,
}
_OUTBOXES: Mapping[str, Callable[[Any, Path], Outbox]] = {"csv": CsvOutbox, "sql": SqlOutbox}


def make_source(name: str, settings: SourceSettings, base: Path) -> Source:
    """The source that a block of settings describes; relative paths are relative to `base`."""
    return _SOURCES[settings.kind](name, settings, base)


def make_outbox(settings: SourceSettings, base: Path) -> Outbox:
    """The outbox that its block of settings describes; relative paths are relative to `base`."""
    return _OUTBOXES[settings.kind](settings, base)
