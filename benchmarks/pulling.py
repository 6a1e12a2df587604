"""Pages a second from a provider that is slow and limits its rate: ours and one after another.

`python -m benchmarks.pulling` writes docs/pulling.md, and fails if more came than was allowed. Both
ask the sandbox for the same pages of the same Twilio account, in turn. What came when is read from
the sandbox's own log.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import requests

from benchmarks.rendering import table
from benchmarks.speed import machine
from sms_etl.days import day_window, utc_days
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.server import LoggedRequest, Sandbox, running_sandbox
from sms_etl.sandbox.world import WorldParameters, build_world
from sms_etl.sources.base import PullContext
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from sms_etl.store.landing import Landing

PAGE = Path(__file__).parent.parent / "docs" / "pulling.md"
SOURCE, SECRET = "twilio", "TWILIO_AUTH_TOKEN"
FIRST, DAYS = date(2026, 10, 12), 6
MESSAGES, PAGE_SIZE = 6_000, 100
LATENCY_MS = 100
ROUNDS = 2
ANY_SECOND = 1.0
TIMEOUT_SECONDS = 30

SETTINGS = ((10, 4), (20, 4), (40, 4), (40, 8))
"""Requests a second that are allowed, and slices asked for side by side; the first are defaults.

One after another no more than 1000 / LATENCY_MS are asked, so no lower limit is compared: the
plain client knows none.
"""


@dataclass(frozen=True)
class Pulled:
    """One pull: its requests as the sandbox logged them, and how long it took."""

    log: tuple[LoggedRequest, ...]
    seconds: float

    @property
    def pages_a_second(self) -> float:
        """Pages over the time of the whole pull."""
        return len(self.log) / self.seconds

    @property
    def most_in_a_second(self) -> int:
        """The most requests that arrived within any one second."""
        came = sorted(one.arrived for one in self.log)
        return max(sum(at <= other < at + ANY_SECOND for other in came) for at in came)

    def seconds_of(self, requests_in_row: int) -> float:
        """The shortest time in which so many requests arrived."""
        came = sorted(one.arrived for one in self.log)
        later = came[requests_in_row - 1 :]
        return min(end - start for start, end in zip(came, later, strict=False))

    @property
    def targets(self) -> list[str]:
        """What was asked for, in no order."""
        return sorted(one.target for one in self.log)


def days() -> list[date]:
    """The days that are pulled."""
    return [FIRST + timedelta(days=n) for n in range(DAYS)]


def ours(sandbox: Sandbox, limit: int, parallel: int) -> None:
    """The source's own pull into landing: slices side by side, kept on disk."""
    block = {
        "kind": SOURCE,
        "base_url": sandbox.base_url,
        "account_sid": sandbox.accounts.twilio_sid,
        "auth_token": SECRET,
        "unsent_lookback_days": 0,
        "requests_per_second": limit,
        "parallel_slices": parallel,
    }
    zone = sandbox.world.parameters.zone
    context = PullContext(zone, sandbox.clock.now(), sandbox.outbox(SOURCE))
    with tempfile.TemporaryDirectory() as folder:
        source = make_source(SOURCE, SOURCE_KINDS[SOURCE].model_validate(block), Path(folder))
        plans = source.plan(days(), context)
        Landing(Path(folder)).land_all(SOURCE, plans, source.parallel)


def one_after_another(sandbox: Sandbox) -> None:
    """A session of `requests` that follows the links; it parses each answer and keeps nothing."""
    account, zone = sandbox.accounts, sandbox.world.parameters.zone
    first = f"/2010-04-01/Accounts/{account.twilio_sid}/Messages.json"
    with requests.Session() as session:
        session.auth = (account.twilio_sid, account.twilio_auth)
        for day in days():
            for utc_day in utc_days(day_window(day, zone)):
                params: dict[str, str] | None = {
                    "DateSent>": utc_day.isoformat(),
                    "DateSent<": (utc_day + timedelta(days=1)).isoformat(),
                    "PageSize": "1000",
                }
                link: str | None = first
                while link:
                    url = sandbox.base_url + link
                    answer = session.get(url, params=params, timeout=TIMEOUT_SECONDS)
                    answer.raise_for_status()
                    link, params = answer.json()["next_page_uri"], None


def measured(sandbox: Sandbox, work: Callable[[], None]) -> Pulled:
    """Do one pull and take its part of the sandbox's log."""
    sandbox.requests_log.clear()
    began = time.perf_counter()
    work()
    took = time.perf_counter() - began
    found = Pulled(tuple(sandbox.requests_log), took)
    refused = [one for one in found.log if one.status != requests.codes.ok]
    if refused:
        raise RuntimeError(f"The sandbox refused {len(refused)} requests, first {refused[0]}.")
    return found


@dataclass(frozen=True)
class Compared:
    """Both ways under one limit, several pulls of each."""

    limit: int
    parallel: int
    mine: tuple[Pulled, ...]
    plain: tuple[Pulled, ...]

    @property
    def most_in_a_second(self) -> int:
        """The most of our requests that arrived within any one second."""
        return max(pull.most_in_a_second for pull in self.mine)

    @property
    def one_too_many(self) -> float:
        """The shortest time in which one more than allowed arrived, seconds; 1 or more is right."""
        return min(pull.seconds_of(self.limit + 1) for pull in self.mine)

    @property
    def row(self) -> list[str]:
        """A line of the table; speeds are those of the quickest pull."""
        mine, plain = (
            max(pull.pages_a_second for pull in pulls) for pulls in (self.mine, self.plain)
        )
        return [
            str(self.limit), str(self.parallel), str(len(self.mine[0].log)), f"{plain:.1f}",
            f"{mine:.1f}", f"{mine / plain:.2f}", str(self.most_in_a_second),
            f"{self.one_too_many:.3f}",
        ]  # fmt: skip


def compared(sandbox: Sandbox, limit: int, parallel: int) -> Compared:
    """Both ways in turn under one limit.

    Raises:
        RuntimeError: they did not ask for the same pages.
    """
    mine, plain = [], []
    for _ in range(ROUNDS):
        plain.append(measured(sandbox, lambda: one_after_another(sandbox)))
        mine.append(measured(sandbox, lambda: ours(sandbox, limit, parallel)))
    if any(pull.targets != plain[0].targets for pull in (*mine, *plain)):
        raise RuntimeError("The two ways asked for different pages; their times do not compare.")
    return Compared(limit, parallel, tuple(mine), tuple(plain))


def verdict(found: Sequence[Compared]) -> str:
    """Whether the limit was kept where the requests arrive, and by how much it was not."""
    over = [one for one in found if one.most_in_a_second > one.limit]
    if not over:
        return "The limit was never exceeded."
    early = max(ANY_SECOND - one.one_too_many for one in over) * 1000
    return (
        f"The aim, never above the limit, was not met with {len(over)} of {len(found)} settings: "
        f"one request too many arrived up to {early:.0f} ms before its second was over. The budget "
        f"counts from the moment a request may leave, and the way to the provider takes some "
        f"requests longer than others."
    )


def all_compared() -> list[Compared]:
    """Every setting against one sandbox."""
    parameters = WorldParameters(messages=MESSAGES, first_day=FIRST, days=DAYS)
    faults = FaultSettings(latency_ms=LATENCY_MS, page_size=PAGE_SIZE)
    with running_sandbox(build_world(parameters), faults=faults) as sandbox:
        os.environ[SECRET] = sandbox.accounts.twilio_auth
        sandbox.api(SOURCE)  # made once, before anything is timed
        return [compared(sandbox, limit, parallel) for limit, parallel in SETTINGS]


def main() -> None:
    """Measure, write the page, and fail if more came than was allowed."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    heads = ("allowed a second", "slices at once", "pages", "one after another, pages a second",
             "ours, pages a second", "ratio", "most in any second",
             "one more than allowed within, s")  # fmt: skip
    found = all_compared()
    PAGE.write_text(
        f"""# How fast pages are pulled

Made by `make bench-pull`; do not edit. {machine()} Load average while measuring:
{os.getloadavg()[1]:.1f}.

{DAYS} days of a simulated Twilio account on this machine, at most {PAGE_SIZE} records a page;
every answer waits {LATENCY_MS} ms. Both ways ask for the same pages, in turn, {ROUNDS} times; the
quickest of each is told. *One after another*: a session of `requests` that follows the links,
parses the answers and keeps nothing. *Ours*: the source's own pull, which also packs every page,
writes it to disk with its checksum, and closes each pull with a manifest. *Most in any second*:
requests of ours that arrived within one second, by the sandbox's own log, in the worst of the
pulls; *one more than allowed within*: the shortest time in which that many arrived, which should be
a second or more.

{table(heads, [one.row for one in found])}

{verdict(found)}

The limit is for any second, so that a pull begins with as many requests as one second allows. The
sandbox runs in the same process, takes its share of the same cores, and notes a request when a
thread has read it, so some of these milliseconds are its own.
""",
        encoding="utf-8",
    )
    if any(one.most_in_a_second > one.limit for one in found):
        sys.exit(verdict(found))


if __name__ == "__main__":
    main()
