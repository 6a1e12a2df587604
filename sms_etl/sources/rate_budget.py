"""How often an account may be asked, shared by everybody in the process who asks it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class RateBudget:
    """A token bucket with one second's worth of tokens, shared by every user of an account."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_second
        self._most = max(1.0, per_second)
        self._clock = clock
        self._tokens = self._most
        self._at = clock()
        self._paused_until = self._at
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take one request; returns the seconds to wait before it may be sent."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate) - 1
            self._at = now
            return max(0.0, -self._tokens / self._rate, self._paused_until - now)

    def pause(self, seconds: float) -> None:
        """Let nobody send for a while: the provider asked for it."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock() + seconds)


_BUDGETS: dict[tuple[str, float], RateBudget] = {}
_BUDGETS_LOCK = threading.Lock()


def rate_budget(account: str, per_second: float) -> RateBudget:
    """The one budget of an account in this process."""
    with _BUDGETS_LOCK:
        return _BUDGETS.setdefault((account, per_second), RateBudget(per_second))
