"""Which kinds of sources and outboxes there are. A new provider adds one line here."""

from __future__ import annotations

from collections.abc import Mapping

from sms_etl.config.settings import SourceSettings

SOURCE_KINDS: Mapping[str, type[SourceSettings]] = {}
OUTBOX_KINDS: Mapping[str, type[SourceSettings]] = {}
