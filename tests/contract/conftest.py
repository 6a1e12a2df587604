import pytest

from sms_etl.sandbox import Clock, FaultSettings, running_sandbox, settled
from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import Case, case_of, kinds
from sms_etl.sources import http
from tests.contract.edges import world_with_edges


@pytest.fixture(scope="session")
def served():
    world = world_with_edges()
    with running_sandbox(world, Clock(settled(world))) as sandbox:
        yield sandbox


@pytest.fixture(params=kinds())
def case(request) -> Case:
    """Cases are imported one by one, so that a broken one breaks its own tests only."""
    found = case_of(request.param)
    test = request.function.__name__.removeprefix("test_")
    if test in found.cannot:
        pytest.skip(f"{found.kind}: {found.cannot[test]}")
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
