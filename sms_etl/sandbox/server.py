"""The sandbox on loopback: routing, faults and the admin endpoints.

Admin: GET and POST /_sandbox/clock with {"now": "2026-10-25T03:00:00+02:00"}, and
GET and POST /_sandbox/faults with fields of FaultSettings.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import polars as pl
from pydantic import ValidationError

from sms_etl.model.vocabulary import Engagement
from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.clock import Clock
from sms_etl.sandbox.faults import Faults, FaultSettings
from sms_etl.sandbox.files import outbox_at
from sms_etl.sandbox.lifecycle import AGED_OUT
from sms_etl.sandbox.provider import ProviderApi
from sms_etl.sandbox.registry import api_class, mounted
from sms_etl.sandbox.truth import truth_at
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import World

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
_ADMIN = "/_sandbox/"


@dataclass(frozen=True)
class LoggedRequest:
    """A request the sandbox answered. `cut` means the connection was closed in mid-body.

    `arrived` is the monotonic clock, in seconds, when the request was there whole.
    """

    method: str
    target: str
    status: int
    arrived: float
    cut: bool = False


@dataclass(frozen=True)
class Outcome:
    """A reply and whether to cut the connection in the middle of it."""

    reply: Reply
    cut: bool = False


class Sandbox:
    """The simulated providers, their clock, their faults and a log of what they were asked."""

    def __init__(self, world: World, clock: Clock, accounts: Accounts, faults: Faults) -> None:
        self.world = world
        self.clock = clock
        self.accounts = accounts
        self.faults = faults
        self.requests_log: list[LoggedRequest] = []
        self.base_url = ""
        self._apis: dict[str, ProviderApi] = {}
        self._lock = threading.Lock()

    def api(self, provider: str) -> ProviderApi:
        """The API of a provider, made when first asked for."""
        with self._lock:
            if provider not in self._apis:
                self._apis[provider] = api_class(provider)(self.world, self.accounts)
            return self._apis[provider]

    def show(self, provider: str, way: Way | None) -> None:
        """Let a provider show the messages of another way; None: of its own."""
        with self._lock:
            self._apis[provider] = api_class(provider)(self.world, self.accounts, way)

    def outbox(self, provider: str) -> pl.DataFrame:
        """The outbox of the messages that a provider shows (schemas.OUTBOX), source null."""
        api = self.api(provider)
        rows = outbox_at(self.world, self.clock.now()).filter(pl.col("source") == api.way)
        return rows.with_columns(api.own_id(), source=pl.lit(None, pl.String))

    def truth(self, provider: str) -> pl.DataFrame:
        """truth.truth_at of the messages that a provider shows, with its identifiers."""
        api = self.api(provider)
        truth = truth_at(self.world, self.clock.now()).filter(pl.col("way") == api.way)
        return truth.with_columns(api.own_id())

    def events_truth(self, provider: str, kind: Engagement) -> pl.DataFrame:
        """Engagement that has happened by now with what a provider shows (engaged.Engaged)."""
        return self.api(provider).engaged(kind).filter(pl.col("at") <= self.clock.now())

    def set_clock(self, now: datetime) -> None:
        """Move the simulated time."""
        self.clock.set(now)

    def set_faults(self, **changes: Any) -> None:
        """Change fields of FaultSettings; the others stay."""
        self.faults.update(**changes)

    def answer(self, request: Request) -> Outcome:
        """Answer one request and log it (admin requests are not logged)."""
        if request.path.startswith(_ADMIN):
            return Outcome(self._admin(request))
        arrived = time.monotonic()
        found = mounted(request.path)
        if found is None:
            outcome = Outcome(json_reply(404, {"error": f"the sandbox has no {request.path}"}))
        else:
            provider, mount = found
            inner = replace(
                request, target=request.target.removeprefix(mount), base=self.base_url + mount
            )
            outcome = self._provider_answer(provider, inner)
        self.requests_log.append(
            LoggedRequest(
                request.method, request.target, outcome.reply.status, arrived, outcome.cut
            )
        )
        return outcome

    def _provider_answer(self, provider: str, request: Request) -> Outcome:
        settings = self.faults.settings_for(provider)
        api = self.api(provider)
        time.sleep(settings.latency_ms / 1000)
        calm = self.faults.calm(provider)
        if not calm and (refusal := self._refusal(api, settings)):
            return Outcome(refusal)
        reply = api.handle(request, self.clock.now(), settings)
        if settings.clock_step_seconds:
            self.clock.set(self.clock.now() + timedelta(seconds=settings.clock_step_seconds))
        if calm:
            return Outcome(reply)
        if self.faults.spend("truncated", provider):
            reply = Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers)
        return Outcome(reply, cut=self.faults.spend("cut", provider))

    def _refusal(self, api: ProviderApi, settings: FaultSettings) -> Reply | None:
        if self.faults.spend("rate_limited", api.name):
            after = settings.retry_after
            return api.failure(429, {} if after is None else {"Retry-After": str(after)})
        if self.faults.spend("server_errors", api.name):
            return api.failure(500, {})
        busy = api.busy()
        return busy if busy and self.faults.spend("busy_inside", api.name) else None

    def _admin(self, request: Request) -> Reply:
        try:
            changes = json.loads(request.body) if request.method == "POST" else None
            if request.path == _ADMIN + "clock":
                if changes is not None:
                    self.set_clock(datetime.fromisoformat(changes["now"]))
                return json_reply(200, {"now": self.clock.now().isoformat()})
            if request.path == _ADMIN + "faults":
                self.set_faults(**(changes or {}))
                return json_reply(200, self.faults.settings().model_dump())
        except ValidationError as problem:
            return json_reply(400, {"error": problem.errors(include_url=False)})
        except (ValueError, TypeError, KeyError) as problem:
            return json_reply(400, {"error": f"cannot use this body: {problem!r}"})
        return json_reply(404, {"error": "admin endpoints: /_sandbox/clock and /_sandbox/faults"})


def _handler_of(sandbox: Sandbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet per small answer: unbuffered headers wait for delayed ACKs
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._respond()

        def do_POST(self) -> None:
            self._respond()

        def _respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.title(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, self.rfile.read(length))
            outcome = sandbox.answer(request)
            reply = outcome.reply
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if outcome.cut:
                self.close_connection = True
                self.wfile.write(reply.body[: len(reply.body) // 2])
            else:
                self.wfile.write(reply.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the name is inherited
            logger.debug(format, *args)

    return Handler


@contextmanager
def running_sandbox(
    world: World,
    clock: Clock | None = None,
    accounts: Accounts | None = None,
    faults: FaultSettings | None = None,
    port: int = 0,
) -> Iterator[Sandbox]:
    """Serve a world on loopback in a thread; port 0 takes a free one. Yields the Sandbox.

    Without a clock it is three days after the end of the world's period, when nearly all is done.
    """
    sandbox = Sandbox(world, clock or Clock(settled(world)), accounts or Accounts(), Faults(faults))
    server = ThreadingHTTPServer((LOOPBACK, port), _handler_of(sandbox))
    sandbox.base_url = f"http://{LOOPBACK}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield sandbox
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settled(world: World) -> datetime:
    """Three days after the end of the world's period."""
    return world.parameters.end + AGED_OUT
