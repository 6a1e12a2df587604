"""The sandbox's own time. It stands still until somebody sets it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime


class Clock:
    """A settable, thread-safe clock in UTC."""

    def __init__(self, now: datetime) -> None:
        self._lock = threading.Lock()
        self._now = as_utc(now)

    def now(self) -> datetime:
        """The simulated time, UTC."""
        with self._lock:
            return self._now

    def set(self, now: datetime) -> None:
        """Move to another time, forward or back.

        Raises:
            ValueError: the time has no zone.
        """
        with self._lock:
            self._now = as_utc(now)


def as_utc(moment: datetime) -> datetime:
    """A moment with a zone, in UTC.

    Raises:
        ValueError: it has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"the time {moment} has no zone; write for example 2026-10-25T03:00+02:00")
    return moment.astimezone(UTC)
