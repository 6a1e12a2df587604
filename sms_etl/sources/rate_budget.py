"""How often an account may be asked, shared by everybody in the process who asks it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

ANY_SECOND = 1.0

ON_THE_WAY = 0.05
"""Seconds by which requests may differ in how long they need to the provider, who counts them as
they arrive."""


class RateBudget:
    """At most N requests arrive in any second, in the order asked for, over all threads.

    A rate of 2.5 a second is kept as 2 in any second; one below 1 as one request in 1/rate s.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._span = max(ANY_SECOND, 1 / per_second) + ON_THE_WAY
        self._clock = clock
        self._sleep = sleep or (lambda seconds: time.sleep(seconds))
        self._sent: deque[float] = deque(maxlen=max(1, int(per_second)))
        self._paused_until = float("-inf")
        self._tickets = 0
        self._serving = 0
        self._turns = threading.Condition()

    def wait_turn(self) -> float:
        """Return when one request may be sent, which is now; gives the seconds waited."""
        with self._turns:
            ticket = self._tickets
            self._tickets += 1
            self._turns.wait_for(lambda: self._serving == ticket)
        try:
            return self._send_now()
        finally:
            with self._turns:
                self._serving += 1
                self._turns.notify_all()

    def pause(self, seconds: float) -> None:
        """Let nobody send for a while: the provider asked for it."""
        with self._turns:
            self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _send_now(self) -> float:
        """Whoever has the turn waits alone; the moment noted is never before the true one.

        A sleep may be too long, and a pause may come while it lasts.
        """
        began = moment = self._clock()
        while (free := self._free_at()) > moment:
            self._sleep(free - moment)
            moment = max(free, self._clock())
        self._sent.append(moment)
        return moment - began

    def _free_at(self) -> float:
        full = len(self._sent) == self._sent.maxlen
        return max(self._paused_until, self._sent[0] + self._span if full else float("-inf"))


_BUDGETS: dict[tuple[str, float], RateBudget] = {}
_BUDGETS_LOCK = threading.Lock()


def rate_budget(account: str, per_second: float) -> RateBudget:
    """The one budget of an account in this process."""
    with _BUDGETS_LOCK:
        return _BUDGETS.setdefault((account, per_second), RateBudget(per_second))
