"""A small simulated world, served once for the whole room's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from sms_etl.sandbox import (
    Clock,
    FaultSettings,
    Sandbox,
    World,
    WorldParameters,
    build_world,
    running_sandbox,
)

MIDDLE = datetime(2026, 9, 16, 9, 30, tzinfo=UTC)
"""In the middle of the autumn sale and of the outage: much is still on its way."""


class LoopbackHttpClient(TwilioHttpClient):
    """Twilio's own HTTP client with nothing changed but the host."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url

    def request(self, method, url, *args, **kwargs):
        local = url.replace("https://api.twilio.com", self._base_url)
        return super().request(method, local, *args, **kwargs)


@pytest.fixture(scope="session")
def world() -> World:
    return build_world(WorldParameters(messages=2_000))


@pytest.fixture(scope="session")
def served(world: World) -> Iterator[Sandbox]:
    with running_sandbox(world, Clock(MIDDLE)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    """The served world, at MIDDLE and without faults."""
    served.set_clock(MIDDLE)
    served.set_faults(**FaultSettings().model_dump())
    served.requests_log.clear()
    return served


@pytest.fixture
def twilio_client(sandbox: Sandbox) -> Callable[..., Client]:
    """The official SDK, pointed at the sandbox."""

    def connect(auth: str | None = None) -> Client:
        return Client(
            sandbox.accounts.twilio_sid,
            auth or sandbox.accounts.twilio_auth,
            http_client=LoopbackHttpClient(sandbox.base_url),
        )

    return connect
