import pytest

from tests.pipeline.company import (
    DAYS,
    PLANTED_WORLD,
    land_and_rebuild,
    land_and_rebuild_streams,
    running_company,
)


@pytest.fixture(scope="package")
def company(tmp_path_factory):
    """A company whose October is landed and rebuilt. Tests must leave its tables as they are."""
    with running_company(tmp_path_factory.mktemp("company") / "promin") as running:
        land_and_rebuild(running.project, DAYS)
        yield running


@pytest.fixture(scope="package")
def planted_company(tmp_path_factory):
    """A company with a shop whose October is landed and rebuilt, its streams too."""
    with running_company(tmp_path_factory.mktemp("planted"), parameters=PLANTED_WORLD) as running:
        land_and_rebuild(running.project, DAYS)
        land_and_rebuild_streams(running.project, DAYS)
        yield running


@pytest.fixture
def fresh_company(tmp_path):
    """A company with nothing landed yet, for tests that break things."""
    with running_company(tmp_path / "promin") as running:
        yield running
