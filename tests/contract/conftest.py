import pytest

from sms_etl.sandbox import Clock, FaultSettings, running_sandbox, settled
from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import Case, case_of, kinds
from sms_etl.sandbox.registry import api_class
from sms_etl.sandbox.written import WrittenApi
from sms_etl.sources import http
from tests.contract.edges import world_with_edges

NOT_OVER_HTTP = {
    "faults_in_the_middle_of_paging_change_nothing": "these are faults of HTTP",
    "an_expired_token_is_told_without_the_secret": "there is no token",
    "secrets_are_in_no_page_error_or_repr": "there is no secret; URLs with passwords are tested "
    "with the SQL source",
}
"""Tests that mean nothing for a provider that writes files or a database, and why."""

ONLY_WRITTEN = {"a_store_that_is_gone_is_told_with_how_to_mend_it": "it is asked over HTTP"}
"""Tests that mean nothing for a provider that is asked over HTTP, and why."""


def reason_to_skip(case: Case, test: str) -> str | None:
    """Why a test does not apply to a source; None: it applies."""
    written = issubclass(api_class(case.provider), WrittenApi)
    return case.cannot.get(test) or (NOT_OVER_HTTP if written else ONLY_WRITTEN).get(test)


@pytest.fixture(scope="session")
def served():
    world = world_with_edges()
    with running_sandbox(world, Clock(settled(world))) as sandbox:
        yield sandbox


@pytest.fixture(params=kinds())
def case(request) -> Case:
    """Cases are imported one by one, so that a broken one breaks its own tests only."""
    found = case_of(request.param)
    if reason := reason_to_skip(found, request.function.__name__.removeprefix("test_")):
        pytest.skip(f"{found.kind}: {reason}")
    return found


@pytest.fixture(autouse=True)
def naps(monkeypatch):
    """Waits are noted instead of slept."""
    slept: list[float] = []
    monkeypatch.setattr(http.time, "sleep", slept.append)
    return slept


@pytest.fixture
def bench(case, served, tmp_path, monkeypatch) -> Bench:
    served.set_faults(**FaultSettings().model_dump())
    monkeypatch.setattr(http, "now", served.clock.now)
    for variable, secret in case.secrets(served.accounts).items():
        monkeypatch.setenv(variable, secret)
    return Bench(case, served, tmp_path)
