"""A mail server of bad days, in a process of its own, and the schedule of what it does when.

Test and server work out the same schedule from the same seed, so nothing but the seed passes
between them. What the server did is in its diary: it is what the ledger is held against.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default as DEFAULT_POLICY  # noqa: N812
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.smtp import SMTP

from tests.mail.sender import PROCESSES, LedgerKill

MOST_READERS = 8
MOST_TROUBLES = 3
SLOW_SECONDS = 0.02


class Stage(StrEnum):
    """Where in a conversation something happens."""

    CONNECT = "connect"
    EHLO = "ehlo"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    END = "end"
    STORED = "stored"
    ANSWERED = "answered"


class Act(StrEnum):
    """What happens there."""

    NOT_NOW = "451 try later"
    NEVER = "550 no such mailbox"
    DISK_FULL = "452 no room on the disk"
    MAILBOX_FULL = "552 mailbox full"
    CLOSING = "421 shutting down"
    DROP = "drop"
    SLOW = "slow"
    HANG = "hang"
    KILL = "kill"


BREAKS = frozenset({Act.DROP, Act.HANG, Act.KILL})
FOR_EVER = frozenset({Act.NEVER, Act.MAILBOX_FULL})
LATE = frozenset({Stage.BODY, Stage.END, Stage.STORED})
"""Stages at which a break leaves our side without a way to know whether the mail arrived."""

CHOICES = {
    Stage.CONNECT: (Act.CLOSING, Act.DROP, Act.KILL),
    Stage.EHLO: (Act.DROP, Act.KILL),
    Stage.MAIL: (Act.NOT_NOW, Act.CLOSING, Act.DROP, Act.KILL, Act.SLOW),
    Stage.RCPT: (
        Act.NOT_NOW, Act.NEVER, Act.DISK_FULL, Act.MAILBOX_FULL, Act.CLOSING, Act.DROP, Act.KILL,
        Act.SLOW,
    ),
    Stage.DATA: (
        Act.NOT_NOW, Act.NEVER, Act.DISK_FULL, Act.MAILBOX_FULL, Act.DROP, Act.KILL, Act.SLOW,
    ),
    Stage.BODY: (Act.DROP, Act.KILL),
    Stage.END: (
        Act.NOT_NOW, Act.NEVER, Act.DISK_FULL, Act.MAILBOX_FULL, Act.DROP, Act.KILL, Act.SLOW,
        Act.HANG,
    ),
    Stage.STORED: (Act.DROP, Act.KILL, Act.HANG, Act.SLOW),
    Stage.ANSWERED: (Act.DROP, Act.KILL),
}  # fmt: skip
KILL_POINTS = ("claim", "start_sending", "close", "untold", "mark_told")
"""Methods of the ledger at whose calls our own process dies."""

HANGS_KEPT = 0.1
"""Share of drawn hangs that are kept: each costs the sender's whole patience."""

OF_THE_CONNECTION = (Stage.CONNECT, Stage.EHLO, Stage.MAIL)
OF_A_READER = tuple(stage for stage in Stage if stage not in OF_THE_CONNECTION)


class Trouble(NamedTuple):
    """One thing that goes wrong."""

    stage: Stage
    act: Act


@dataclass(frozen=True)
class Schedule:
    """Everything that goes wrong while one edition is mailed.

    `readers`: address -> what happens to the first, second... try; then all is well.
    `connections`: number of a connection, or of a MAIL command, -> what happens to it.
    `kills`: number of a run of the sender -> its own death; `pairs`: runs of two senders at once.
    """

    readers: dict[str, tuple[Trouble, ...]]
    connections: dict[tuple[Stage, int], Act]
    kills: dict[int, LedgerKill]
    pairs: frozenset[int]


@cache
def schedule_of(seed: int) -> Schedule:
    """The schedule of a seed."""
    draw = random.Random(seed)

    def trouble(stages: tuple[Stage, ...]) -> Trouble:
        stage = draw.choice(stages)
        act = draw.choice(CHOICES[stage])
        if act is Act.HANG and draw.random() > HANGS_KEPT:
            act = Act.DROP
        return Trouble(stage, act)

    readers = {}
    for number in range(draw.randint(2, MOST_READERS)):
        troubles = draw.choice((0, 0, 1, 1, 2, MOST_TROUBLES))
        readers[f"r{number}.s{seed}@example.com"] = tuple(
            trouble(OF_A_READER) for _ in range(troubles)
        )
    connections = {}
    for _ in range(draw.choice((0, 0, 1, 2))):
        stage, act = trouble(OF_THE_CONNECTION)
        connections[stage, draw.randint(1, 6)] = act
    kills = {
        run: LedgerKill(
            draw.choice(KILL_POINTS),
            draw.randint(1, 3),
            draw.random() < 0.5,
        )
        for run in range(4)
        if draw.random() < 0.25
    }
    pairs = frozenset(run for run in range(4) if draw.random() < 0.1)
    return Schedule(readers, connections, kills, pairs)


class Diary:
    """What the server did, a line of JSON each, safe against the death of anybody."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, **entry: Any) -> None:
        os.write(self._file, (json.dumps(entry) + "\n").encode())

    @staticmethod
    def read(path: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in path.read_text().splitlines()]


class BadDay(SMTP):
    """aiosmtpd's server, following the schedule of the seed."""

    def __init__(self, *arguments: Any, orders: Orders, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.orders = orders
        self.reader = ""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        act = self.orders.connection(Stage.CONNECT)
        if act is not None:
            self.orders.diary.write(reader="", did="act", stage=Stage.CONNECT, act=act.name)
        if act in {Act.KILL, Act.DROP}:
            self.break_off(act)
        elif act is not None:
            transport.write(f"{act.value}\r\n".encode())
            transport.close()

    def break_off(self, act: Act) -> None:
        if act is Act.KILL:
            self.orders.kill()
        self.transport.abort()

    async def at(self, stage: Stage, act: Act | None) -> str | None:
        """Do what is to be done; an answer to give instead of the usual one, if there is."""
        if act is None:
            return None
        self.orders.diary.write(reader=self.reader, did="act", stage=stage, act=act.name)
        if act is Act.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        elif act is Act.HANG:
            while not self.transport.is_closing():
                await asyncio.sleep(SLOW_SECONDS)
            raise ConnectionResetError
        elif act in BREAKS:
            self.break_off(act)
            raise ConnectionResetError
        else:
            return act.value
        return None

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        await self.at(Stage.EHLO, self.orders.connection(Stage.EHLO))
        await super().smtp_EHLO(hostname)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        self.reader = ""
        answer = await self.at(Stage.MAIL, self.orders.connection(Stage.MAIL))
        await (self.push(answer) if answer else super().smtp_MAIL(arg))

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        assert arg is not None
        self.reader = arg.partition("<")[2].partition(">")[0]
        self.orders.diary.write(reader=self.reader, did="tried")
        self.trouble = self.orders.next_trouble(self.reader)
        answer = await self.at(Stage.RCPT, self._act(Stage.RCPT))
        await (self.push(answer) if answer else super().smtp_RCPT(arg))

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        answer = await self.at(Stage.DATA, self._act(Stage.DATA))
        if answer:
            await self.push(answer)
            return
        self.orders.diary.write(reader=self.reader, did="listened")
        if self._act(Stage.BODY):
            await self.push("354 go on")
            await self._reader.read(1000)
            await self.at(Stage.BODY, self._act(Stage.BODY))
        await super().smtp_DATA(arg)
        act = self._act(Stage.ANSWERED)
        if act:
            await asyncio.sleep(0)
            await self.at(Stage.ANSWERED, act)

    def _act(self, stage: Stage) -> Act | None:
        return self.trouble.act if self.trouble and self.trouble.stage is stage else None

    async def handle_end(self, envelope: Any) -> str:
        (reader,) = envelope.rcpt_tos
        answer = await self.at(Stage.END, self._act(Stage.END))
        if answer:
            return answer
        message = message_from_bytes(envelope.content, policy=DEFAULT_POLICY)
        text = message.get_content() if not message.is_multipart() else ""
        self.orders.diary.write(
            reader=reader, did="stored", message_id=message["Message-ID"], text=text
        )
        await self.at(Stage.STORED, self._act(Stage.STORED))
        self.orders.diary.write(reader=reader, did="confirmed")
        return "250 OK stored"


class Orders:
    """What the schedule of the moment says; the seed and the sender's pid are shared memory."""

    def __init__(self, seed: Any, victim: Any, diary: Diary) -> None:
        self._seed, self._victim, self.diary = seed, victim, diary
        self._tries: Counter[str] = Counter()
        self._seen: dict[int, Counter[Stage]] = defaultdict(Counter)

    def connection(self, stage: Stage) -> Act | None:
        seed = self._seed.value
        self._seen[seed][stage] += 1
        return schedule_of(seed).connections.get((stage, self._seen[seed][stage]))

    def next_trouble(self, reader: str) -> Trouble | None:
        """Every try of a reader takes one entry of their list."""
        listed = schedule_of(self._seed.value).readers.get(reader, ())
        number = self._tries[reader]
        self._tries[reader] += 1
        return listed[number] if number < len(listed) else None

    def kill(self) -> None:
        if self._victim.value:
            with suppress(ProcessLookupError):  # of two senders the first may be done
                os.kill(self._victim.value, signal.SIGKILL)


class _Handler:
    async def handle_DATA(self, server: BadDay, _session: Any, envelope: Any) -> str:  # noqa: N802
        return await server.handle_end(envelope)


def _serve(port: Any, seed: Any, victim: Any, diary: Path) -> None:
    orders = Orders(seed, victim, Diary(diary))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)  # broken connections are the point
        server = await loop.create_server(
            lambda: BadDay(_Handler(), orders=orders, hostname="bad.example"), "127.0.0.1", 0
        )
        port.value = server.sockets[0].getsockname()[1]
        await server.serve_forever()

    asyncio.run(main())


@dataclass
class BadServer:
    """The server's process, and the memory shared with it."""

    port: int
    seed: Any
    victim: Any
    diary: Path


@contextmanager
def bad_server(folder: Path) -> Iterator[BadServer]:
    """The server, until the block ends."""
    port, seed, victim = (PROCESSES.Value("q", 0) for _ in range(3))
    diary = folder / "diary.jsonl"
    process = PROCESSES.Process(target=_serve, args=(port, seed, victim, diary), daemon=True)
    process.start()
    try:
        while not port.value:
            assert process.is_alive()
            process.join(0.02)
        yield BadServer(port.value, seed, victim, diary)
    finally:
        process.kill()
        process.join()
