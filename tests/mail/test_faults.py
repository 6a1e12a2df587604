"""Mailing through bad days: a thousand random schedules of a server's faults and our own deaths."""

from __future__ import annotations

import logging
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sms_etl.mail.ledger import Entry, Ledger, MailState
from tests.mail.faults import (
    BREAKS,
    CHOICES,
    FOR_EVER,
    KILL_POINTS,
    LATE,
    Act,
    BadServer,
    Diary,
    Schedule,
    Stage,
    bad_server,
    schedule_of,
)
from tests.mail.sender import PROCESSES, LedgerKill, deliver_or_die, small_world
from tests.mail.world import OWNER, World

logger = logging.getLogger(__name__)

SCHEDULES = 1_000
FIRST_SCHEDULES = 16
"""As many of them are in the quick suite."""

MOST_RUNS = 40
BLOCKS = 2
"""Of the thousand, run side by side; each must hold every trouble at every stage."""

CLOSED = frozenset({MailState.SENT, MailState.REFUSED, MailState.UNKNOWN})
IN_DOUBT = frozenset({MailState.SENDING, MailState.UNKNOWN})
Line = dict[str, Any]


@dataclass
class Place:
    """One frozen edition, the server, and what is to be counted over all schedules."""

    folder: Path
    server: BadServer
    world: World
    read: int = 0
    counted: Counter[str] = field(default_factory=Counter)

    def entries(self, schedule: Schedule) -> dict[str, Entry]:
        return {
            entry.reader: entry
            for entry in Ledger(self.world.warehouse).entries(self.world.edition().id)
            if entry.reader in schedule.readers
        }

    def news(self) -> list[Line]:
        """What the server wrote in its diary since this was called last."""
        lines = Diary.read(self.server.diary)
        new = lines[self.read :]
        self.read = len(lines)
        return new


@dataclass
class Story:
    """What one schedule came to: the ledger, and beside it what the server alone knows.

    `diary`: the server's lines by reader. `hidden`: readers amid whose mail our process died.
    `interrupted`: who was refused for ever in a run that died before it was written down, perhaps,
    or whose claim another run at the same time may have taken over and asked again.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    diary: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    hidden: set[str] = field(default_factory=set)
    interrupted: set[str] = field(default_factory=set)

    def did(self, reader: str, what: str) -> int:
        return sum(line["did"] == what for line in self.diary[reader])

    def acts(self, reader: str) -> list[tuple[Stage, Act]]:
        return [acted(line) for line in self.diary[reader] if line["did"] == "act"]

    def broken_late(self, reader: str) -> bool:
        """Whether the server broke off at a stage that leaves us without a way to know."""
        return any(act in BREAKS and stage in LATE for stage, act in self.acts(reader))

    def after_run(self, lines: list[Line], *, killed: bool, alone: bool) -> None:
        """Take in a run: what the server saw of it, and whom a death has hidden."""
        has_it = {reader for reader in self.entries if self.did(reader, "confirmed")} - self.hidden
        assert not has_it & {line["reader"] for line in lines}, "who has it is left alone"
        heard = {line["reader"] for line in lines if line["did"] == "listened"}
        for line in lines:
            self.diary[line["reader"]].append(line)
        if killed or not alone:
            self.interrupted |= {
                line["reader"]
                for line in lines
                if line["did"] == "act" and acted(line)[1] in FOR_EVER
            }
        if not killed:
            return
        doubtful = {r for r, entry in self.entries.items() if entry.state in IN_DOUBT}
        found = {r for r in doubtful - self.hidden if not self.broken_late(r)}
        assert len(found) <= 1, "a process dies amid one mail"
        assert found <= heard, "nothing is in doubt of which the server never heard the body"
        self.hidden |= found


def acted(line: Line) -> tuple[Stage, Act]:
    return Stage(line["stage"]), Act[line["act"]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("faults")
    world = small_world(folder)
    world.edition()
    with bad_server(folder) as server:
        yield Place(folder, server, world)


def run(place: Place, schedule: Schedule, number: int) -> bool:
    """One run of the sender (or of two at once); whether one of them was killed."""
    readers = tuple(schedule.readers)
    orders = [(readers, schedule.kills.get(number))]
    if number in schedule.pairs:
        orders.append((readers[::-1], None))
    children = [
        PROCESSES.Process(
            target=deliver_or_die, args=(place.folder, place.server.port, order, kill)
        )
        for order, kill in orders
    ]
    for child in children:
        child.start()
    place.server.victim.value = children[0].pid
    for child in children:
        child.join(60)
    place.server.victim.value = 0
    codes = [child.exitcode for child in children]
    assert set(codes) <= {0, -signal.SIGKILL}, codes
    place.counted["runs"] += len(codes)
    place.counted["two at once"] += len(codes) - 1
    place.counted["killed"] += codes.count(-signal.SIGKILL)
    return any(codes)


def mail_all(place: Place, seed: int) -> Story:
    """Run until nothing is left to do."""
    schedule = schedule_of(seed)
    place.server.seed.value = seed
    story = Story()
    ledger = Ledger(place.world.warehouse)
    for number in range(MOST_RUNS):
        killed = run(place, schedule, number)
        story.entries = place.entries(schedule)
        lines = place.news()
        count(place, lines, schedule.kills.get(number) if killed else None)
        story.after_run(lines, killed=killed, alone=number not in schedule.pairs)
        done = {entry.state for entry in story.entries.values()} <= CLOSED
        all_there = len(story.entries) == len(schedule.readers)
        if all_there and done and not killed and not ledger.untold(place.world.edition().id):
            return story
    raise AssertionError(f"schedule {seed} does not come to an end")


def count(place: Place, lines: list[Line], kill: LedgerKill | None) -> None:
    troubles = [acted(line) for line in lines if line["did"] == "act"]
    place.counted.update(f"{stage} {act.name}" for stage, act in troubles)
    if kill is not None and not any(act is Act.KILL for _, act in troubles):
        place.counted[f"kill {kill.method} {kill.after}"] += 1


def check(place: Place, seed: int) -> None:
    story = mail_all(place, seed)
    told = "\n".join(line.get("text", "") for line in story.diary[OWNER])
    for reader, entry in story.entries.items():
        place.counted[entry.state.value] += 1
        check_reader(story, reader, entry)
        place.counted["unknown that arrived"] += entry.state is MailState.UNKNOWN and story.did(
            reader, "stored"
        )
        assert (f"{reader}: {entry.state.value}" in told) == (
            entry.state in {MailState.REFUSED, MailState.UNKNOWN}
        ) or (entry.state is MailState.SENT and reader in story.hidden)


def check_reader(story: Story, reader: str, entry: Entry) -> None:
    """Hold the ledger against the server's diary."""
    arrived, confirmed = story.did(reader, "stored"), story.did(reader, "confirmed")
    nevers = [act for _, act in story.acts(reader) if act in FOR_EVER]
    explained = story.broken_late(reader) or reader in story.hidden
    assert arrived <= 1, "nobody gets an edition twice"
    if not nevers and not explained:
        assert arrived == 1, "everybody who could gets it"
        assert entry.state is MailState.SENT
    if entry.state is MailState.SENT:
        assert (arrived, confirmed, entry.server_answer) == (1, 1, "250 OK stored")
    if confirmed:
        assert entry.state in {MailState.SENT, MailState.UNKNOWN}
    if entry.state is MailState.REFUSED:
        assert arrived == 0
        assert entry.server_answer == nevers[-1].value
    if nevers and reader not in story.interrupted:
        assert entry.state is MailState.REFUSED
        assert acted(story.diary[reader][-1])[1] in FOR_EVER, "nobody is asked again"
    if entry.state is MailState.UNKNOWN:
        assert explained, "unknown is only what nobody could know"
    if arrived:
        (letter,) = (line for line in story.diary[reader] if line["did"] == "stored")
        assert letter["message_id"] == entry.message_id


def test_nobody_gets_an_edition_twice_whatever_breaks(place):
    for seed in range(FIRST_SCHEDULES):
        check(place, seed)
    assert place.counted["sent"] > place.counted["unknown"] > 0
    assert place.counted["refused"]
    assert place.counted["killed"]
    assert place.counted["two at once"]


@pytest.mark.slow
@pytest.mark.parametrize("block", range(BLOCKS))
def test_nobody_gets_an_edition_twice_over_a_thousand_schedules(place, block):
    seeds = range(block * SCHEDULES // BLOCKS, (block + 1) * SCHEDULES // BLOCKS)
    place.counted.clear()
    for seed in seeds:
        check(place, seed)
    logger.info("schedules %s: %s", seeds, dict(place.counted))
    wanted = {f"{stage} {act.name}" for stage, acts in CHOICES.items() for act in acts}
    wanted |= {f"kill {point} {after}" for point in KILL_POINTS for after in (False, True)}
    assert wanted <= {name for name, times in place.counted.items() if times}
