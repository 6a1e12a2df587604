"""A process that mails, ready to run at once: what it needs is loaded here, before the fork."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

from sms_etl.config.settings import Language
from sms_etl.mail import compose, smtp
from sms_etl.mail.ledger import Ledger
from sms_etl.reports.language import Words
from tests.mail.world import World
from tests.reports import samples

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])

PATIENCE_SECONDS = 10.0
"""How long a sender under test waits for its server.

Long beside any stall of a busy machine: a server that only got no processor for a second is else
taken for one that hangs, and the mail is `unknown` though its schedule holds no trouble.
"""


FIGURES = samples.nothing()


def small_world(folder: Path, port: int = 1, url: str | None = None, **mail: Any) -> World:
    return World(folder, port, FIGURES, url, **mail)


class LedgerKill(NamedTuple):
    """Death just before or after the n-th call of a method of the ledger."""

    method: str
    call: int
    after: bool


def deliver_or_die(
    folder: Path, port: int, readers: Sequence[str], kill: LedgerKill | None = None
) -> None:
    """Mail the frozen edition of a folder: the whole life of one process."""
    smtp.DATA_TIMEOUT_SECONDS = PATIENCE_SECONDS
    if kill is not None:
        setattr(Ledger, kill.method, _deadly(getattr(Ledger, kill.method), kill))
    small_world(folder, port, timeout_seconds=PATIENCE_SECONDS).deliver(*readers)


def _deadly(method: Callable[..., Any], kill: LedgerKill) -> Callable[..., Any]:
    calls = 0

    @wraps(method)
    def deadly(*arguments: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == kill.call and not kill.after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = method(*arguments, **more)
        if calls == kill.call and kill.after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return deadly


def _load_once() -> None:
    """What every sender needs; nothing that starts a thread, which a fork would leave behind."""
    words = Words(Language.UKRAINIAN)
    words.span(FIGURES.first_day, FIGURES.last_day)
    words.label(FIGURES.project)
    compose._template("mail.html.j2", escape=True)
    compose._template("mail.txt.j2", escape=False)
    compose._inliner()


_load_once()
