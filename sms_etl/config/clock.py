"""What time it is: the real clock, or a rehearsal's."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from sms_etl.errors import ConfigError

NOW_VARIABLE = "SMS_ETL_NOW"
"""Set to an ISO 8601 time with offset to rehearse a day against the sandbox."""


def now() -> datetime:
    """The time now in UTC; SMS_ETL_NOW stands in for it when set.

    Raises:
        ConfigError: SMS_ETL_NOW is not a time with an offset.
    """
    text = os.environ.get(NOW_VARIABLE)
    if not text:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.now()  # noqa: DTZ005 - no offset: refused below
    if moment.tzinfo is None:
        raise ConfigError(
            f"{NOW_VARIABLE}={text!r} is not a time with an offset such as "
            f"2026-11-02T06:00:00+00:00. Correct or unset it."
        )
    return moment.astimezone(UTC)
