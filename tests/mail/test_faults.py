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
from tests.mail.faults import BadServer, Diary, Schedule, bad_server, schedule_of
from tests.mail.sender import PROCESSES, deliver_or_die, small_world
from tests.mail.world import OWNER, World

logger = logging.getLogger(__name__)

SCHEDULES = 1_000
FIRST_SCHEDULES = 16
"""As many of them are in the quick suite."""

MOST_RUNS = 40
CLOSED = frozenset({MailState.SENT, MailState.REFUSED, MailState.UNKNOWN})


@dataclass
class Place:
    """One frozen edition, the server, and what is to be counted over all schedules."""

    folder: Path
    server: BadServer
    world: World
    read: int = 0
    told: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    counted: Counter[str] = field(default_factory=Counter)

    def entries(self, schedule: Schedule) -> dict[str, Entry]:
        return {
            entry.reader: entry
            for entry in Ledger(self.world.warehouse).entries(self.world.edition().id)
            if entry.reader in schedule.readers
        }

    def diary(self) -> dict[str, list[dict[str, Any]]]:
        """The server's diary by reader, up to now."""
        entries = Diary.read(self.server.diary)
        for entry in entries[self.read :]:
            self.told[entry["reader"]].append(entry)
        self.read = len(entries)
        return self.told


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
    place.counted["killed"] += codes.count(-signal.SIGKILL)
    return any(codes)


def mail_all(place: Place, seed: int) -> tuple[dict[str, Entry], set[str]]:
    """Run until nothing is left to do; the ledger, and whose end a death has hidden."""
    schedule = schedule_of(seed)
    place.server.seed.value = seed
    hidden: set[str] = set()
    ledger = Ledger(place.world.warehouse)
    for number in range(MOST_RUNS):
        killed = run(place, schedule, number)
        entries = place.entries(schedule)
        if killed:
            in_doubt = {MailState.SENDING, MailState.UNKNOWN}
            hidden |= {reader for reader, entry in entries.items() if entry.state in in_doubt}
        done = {entry.state for entry in entries.values()} <= CLOSED
        all_there = len(entries) == len(schedule.readers)
        if all_there and done and not killed and not ledger.untold(place.world.edition().id):
            return entries, hidden
    raise AssertionError(f"schedule {seed} does not come to an end")


def check(place: Place, seed: int) -> None:
    schedule = schedule_of(seed)
    entries, hidden = mail_all(place, seed)
    diary = place.diary()
    for reader, entry in entries.items():
        did = [line["did"] for line in diary[reader]]
        arrived = did.count("stored")
        place.counted[entry.state.value] += 1
        assert arrived <= 1, "nobody gets an edition twice"
        if schedule.sends_once(reader) and reader not in hidden:
            assert entry.state is MailState.SENT
        if entry.state is MailState.SENT:
            assert arrived == 1
            assert "confirmed" in did
        if "confirmed" in did:
            assert entry.state in {MailState.SENT, MailState.UNKNOWN}
        if entry.state is MailState.REFUSED:
            assert arrived == 0
            assert "refused" in did
        if entry.state is MailState.UNKNOWN:
            assert reader in hidden or not schedule.sends_once(reader)
            place.counted["unknown that arrived"] += arrived
        if arrived:
            (letter,) = (line for line in diary[reader] if line["did"] == "stored")
            assert letter["message_id"] == entry.message_id
    alerts = "\n".join(line.get("text", "") for line in diary[OWNER])
    for reader, entry in entries.items():
        told = f"{reader}: {entry.state.value}" in alerts
        assert told == (entry.state in {MailState.REFUSED, MailState.UNKNOWN}) or (
            entry.state is MailState.SENT and reader in hidden
        )


def test_nobody_gets_an_edition_twice_whatever_breaks(place):
    for seed in range(FIRST_SCHEDULES):
        check(place, seed)
    assert place.counted["sent"] > place.counted["unknown"] > 0
    assert place.counted["refused"]
    assert place.counted["killed"]


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_nobody_gets_an_edition_twice_over_a_thousand_schedules(place, block):
    seeds = range(block * SCHEDULES // 10, (block + 1) * SCHEDULES // 10)
    place.counted.clear()
    for seed in seeds:
        check(place, seed)
    logger.info("schedules %s: %s", seeds, dict(place.counted))
