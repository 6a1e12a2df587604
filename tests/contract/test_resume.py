"""Every source: a pull that died goes on, and slices land the same side by side and in turn."""

import pytest

from sms_etl.config.clock import NOW_VARIABLE
from sms_etl.errors import SmsEtlError
from sms_etl.sandbox.written import WrittenApi
from sms_etl.sources.slices import SlicedPages
from sms_etl.store.journal import JOURNAL
from sms_etl.store.landing import Landing
from tests.contract.edges import ORDINARY

SMALL_PAGES = 5
NOT_THE_SAME = ("pull", "pulled_at")


@pytest.fixture
def pull(bench, monkeypatch):
    """Land the day in a folder, and tell what was read of it and how often was asked."""
    if isinstance(bench.sandbox.api(bench.case.provider), WrittenApi):
        pytest.skip("it is not asked over HTTP")
    monkeypatch.setenv(NOW_VARIABLE, bench.at_usual_time([ORDINARY]).isoformat())

    def run(folder, parallel=None):
        before, source = len(bench.sandbox.requests_log), bench.source
        landing = Landing(bench.folder / folder)
        plans = source.plan([ORDINARY], bench.context())
        manifests = landing.land_all("shop", plans, parallel or source.parallel)
        observed = source.read(landing.pages(manifests)).drop(NOT_THE_SAME).collect()
        return observed, len(bench.sandbox.requests_log) - before

    return run


def resumable(bench) -> bool:
    """Whether every pull of the source can be begun again where it died."""
    plans = bench.source.plan([ORDINARY], bench.context())
    return all(isinstance(plan.pages, SlicedPages) for plan in plans)


def test_a_pull_that_died_goes_on_where_it_died(bench, pull):
    bench.sandbox.set_faults(page_size=SMALL_PAGES)
    whole, in_all = pull("whole")
    bench.sandbox.set_faults(page_size=SMALL_PAGES, calm=in_all // 2, server_errors=1000)
    with pytest.raises(SmsEtlError):
        pull("died", parallel=1)
    journals = (bench.folder / "died").glob(f"shop/*/*/{JOURNAL}")
    spared = sum(len(path.read_bytes().splitlines()) - 1 for path in journals)
    bench.sandbox.set_faults(page_size=SMALL_PAGES, calm=0, server_errors=0)
    resumed, again = pull("died", parallel=1)
    assert resumed.equals(whole)
    if resumable(bench):
        assert again == in_all - spared


def test_slices_side_by_side_land_what_slices_one_after_another_land(bench, pull):
    bench.sandbox.set_faults(page_size=SMALL_PAGES)
    side_by_side, _ = pull("many", parallel=4)
    one_by_one, _ = pull("one", parallel=1)
    assert side_by_side.equals(one_by_one)
    assert side_by_side.height > SMALL_PAGES
