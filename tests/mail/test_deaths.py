"""Processes that die while mailing, and processes that mail at once."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from sms_etl.mail import ledger, send, smtp
from tests.mail.sender import PROCESSES, small_world
from tests.mail.world import OLENA, OWNER, PETRO, counts, scripted_server, states
from tests.store.postgres import PostgresServer

DEAD = 99
WATCHED = (ledger.__file__, smtp.__file__)


def die_at_line(number: int) -> None:
    """Kill this process, with no clean-up, before the n-th executed line of the mail modules."""
    seen = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal seen
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line":
            seen += 1
            if seen == number:
                os._exit(DEAD)
        return trace

    sys.settrace(trace)


def deliver_in_child(
    folder: Path, port: int, kill_at: int, readers: tuple[str, ...], url: str | None = None
) -> None:
    world = small_world(folder, port, url)
    if kill_at:
        die_at_line(kill_at)
    world.deliver(*readers)
    os._exit(0)


def started(*arguments: Any) -> Any:
    child = PROCESSES.Process(target=deliver_in_child, args=arguments)
    child.start()
    return child


def exit_code(child: Any) -> int | None:
    child.join(timeout=60)
    return child.exitcode


def test_death_at_any_line_never_mails_twice_and_loses_nothing(tmp_path):
    small_world(tmp_path / "frozen").edition()
    unknown = resumed = 0
    with scripted_server(tmp_path / "mail") as (server, handler):
        for kill_at in itertools.count(1, 14):
            folder = shutil.copytree(tmp_path / "frozen", tmp_path / str(kill_at))
            handler.folder = folder / "mail"
            handler.folder.mkdir()
            code = exit_code(started(folder, server.port, kill_at, (OLENA,)))
            assert code in {0, DEAD}

            world = small_world(folder, server.port)
            left = [entry.state.value for entry in world.ledger().values()]
            (outcome,) = world.deliver(OLENA).outcomes
            got = counts(handler.folder)
            if outcome.state == "sent":
                assert got == {OLENA: 1}
            else:
                assert outcome.state == "unknown"
                assert got.get(OLENA, 0) <= 1
                assert got[OWNER] == 1, "the owner is told"
                unknown += 1
            resumed += left == ["claimed"]
            if code == 0:
                break
    assert resumed > 3, "deaths between the claim and the end mark are mended by the next run"
    assert 0 < unknown < resumed, "deaths between the end mark and the answer are told"


@pytest.mark.parametrize(
    ("stage", "order", "then"),
    [
        ("mail", "kill", "sent"),
        ("rcpt", "kill", "sent"),
        ("data", "kill", "unknown"),
        ("data", "store and kill", "unknown"),
    ],
)
def test_sigkill_while_the_server_is_talking(tmp_path, stage, order, then):
    small_world(tmp_path).edition()
    with scripted_server(tmp_path / "mail") as (server, handler):
        child = PROCESSES.Process(
            target=deliver_in_child, args=(tmp_path, server.port, 0, (OLENA, PETRO))
        )
        # The script is set before the start and names the victim as soon as it is known.
        handler.pid_of_victim = lambda: child.pid
        handler.script = {stage: order}
        child.start()
        assert exit_code(child) == -signal.SIGKILL
        report = small_world(tmp_path, server.port).deliver(OLENA, PETRO)
    assert states(report) == {OLENA: then, PETRO: "sent"}
    arrived = 1 if then == "sent" or order.startswith("store") else 0
    assert counts(tmp_path / "mail").get(OLENA, 0) == arrived
    assert counts(tmp_path / "mail")[PETRO] == 1


def check_processes_at_once(folder: Path, url: str | None) -> None:
    small_world(folder, url=url).edition()
    readers = tuple(f"reader{n}@example.com" for n in range(12))
    with scripted_server(folder / "mail") as (server, _):
        orders = (readers, readers[::-1], readers)
        children = [started(folder, server.port, 0, order, url) for order in orders]
        assert [exit_code(child) for child in children] == [0, 0, 0]
        report = small_world(folder, server.port, url).deliver(*readers)
    got = counts(folder / "mail")
    got.pop(OWNER, None)  # may hear of a mail that another process is just handing over
    assert got == dict.fromkeys(readers, 1)
    assert report.complete


def test_processes_delivering_at_once_send_one_mail_each(tmp_path):
    check_processes_at_once(tmp_path, None)


@pytest.mark.servers
def test_processes_delivering_at_once_over_postgresql(tmp_path):
    with PostgresServer() as url:
        check_processes_at_once(tmp_path, url)


def test_a_death_before_the_owner_was_told_is_told_by_the_next_run(tmp_path, monkeypatch):
    with scripted_server(tmp_path / "mail", rcpt="550 no such mailbox") as (server, _):
        world = small_world(tmp_path, server.port)

        def die(*_arguments: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(send, "alert_owner", die)
            with pytest.raises(KeyboardInterrupt):
                world.deliver(OLENA)
        assert world.ledger()[OLENA].state == "refused"
        assert counts(tmp_path / "mail") == {}
        assert world.deliver(OLENA).owner_told
        assert not world.deliver(OLENA).owner_told
    assert counts(tmp_path / "mail") == {OWNER: 1}
