"""What every stream of engagement must do, whatever the provider."""

from datetime import date, timedelta

import polars as pl
import pytest

from sms_etl.days import day_window, days_between
from sms_etl.engagement.build import TABLES
from sms_etl.errors import PermanentSourceError, SmsEtlError
from sms_etl.sandbox import Clock, FaultSettings, running_sandbox, settled
from sms_etl.sources import http
from sms_etl.sources.registry import SOURCES, source_class
from tests.contract.streams import (
    AUTUMN,
    CASES,
    EDGE_DAYS,
    ORDINARY,
    SECOND,
    ZONE,
    StreamBench,
    world_with_edges,
)

THREE_DAYS = days_between(AUTUMN - timedelta(days=1), AUTUMN + timedelta(days=1))
SMALL_PAGES = 5


@pytest.fixture(scope="module")
def served():
    world = world_with_edges()
    with running_sandbox(world, Clock(settled(world))) as sandbox:
        yield sandbox


@pytest.fixture(params=CASES, ids=[case.name for case in CASES])
def case(request):
    test = request.function.__name__.removeprefix("test_")
    if test in request.param.cannot:
        pytest.skip(f"{request.param.name}: {request.param.cannot[test]}")
    return request.param


@pytest.fixture
def naps(monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr(http.time, "sleep", slept.append)
    return slept


@pytest.fixture
def bench(case, served, naps, tmp_path, monkeypatch):
    served.set_faults(**FaultSettings().model_dump())
    monkeypatch.setattr(http, "now", served.clock.now)
    found = StreamBench(case, served, tmp_path)
    for variable, secret in found.secrets.items():
        monkeypatch.setenv(variable, secret)
    return found


def said(frame: pl.DataFrame, like: pl.DataFrame) -> list[tuple]:
    """Rows in the columns of `like`, in an order of their own."""
    return sorted(frame.select(like.columns).rows(), key=repr)


def agrees(bench, rows: pl.DataFrame, days) -> bool:
    truth = bench.truth(list(days))
    return said(rows, truth) == said(truth, truth)


def records_in(built) -> int:
    return built.conservation["records"].sum()


def test_every_stream_of_every_source_has_a_case():
    settings = {kind: source_class(kind).settings_type.model_fields for kind in SOURCES}
    with_streams = {kind for kind, fields in settings.items() if "engagement" in fields}
    assert {case.kind for case in CASES} == with_streams


def test_rows_are_what_is_true(bench):
    bench.at_usual_time([ORDINARY])
    built = bench.pull([ORDINARY])
    table = TABLES[bench.case.stream]
    assert built.rows.schema == table.schema
    assert bench.events([ORDINARY]).height > 8
    assert agrees(bench, built.rows, [ORDINARY])
    assert built.quarantine.is_empty()
    must = [column.name for column in table.columns if not column.nullable]
    assert built.rows.select(must).null_count().sum_horizontal().item() == 0
    assert records_in(built) == sum(page.records for page in bench.landed([ORDINARY]))


@pytest.mark.parametrize("day", EDGE_DAYS, ids=str)
def test_the_edges_of_a_day_are_in_to_the_second(bench, day):
    bench.at_usual_time([day])
    window = day_window(day, ZONE)
    assert {window.start, window.end - SECOND} <= set(bench.events([day])["at"])
    assert agrees(bench, bench.pull([day]).rows, [day])


def test_days_beside_each_other_lose_nothing_between_them(bench):
    rows = []
    for day in THREE_DAYS:
        bench.at_usual_time([day])
        rows.append(bench.pull([day]).rows)
    assert agrees(bench, pl.concat(rows), THREE_DAYS)


def test_days_rebuilt_together_are_the_same_as_one_by_one(bench):
    bench.at_usual_time([AUTUMN])
    days = days_between(AUTUMN - timedelta(days=1), AUTUMN)
    together = bench.pull(days)
    alone = [bench.build([day]) for day in days]
    for part in ("rows", "conservation", "quarantine"):
        by_days = pl.concat([getattr(built, part) for built in alone])
        assert said(by_days, by_days) == said(getattr(together, part), by_days)


def test_pages_are_read_to_the_last_row(bench):
    bench.at_usual_time([ORDINARY])
    bench.sandbox.set_faults(page_size=SMALL_PAGES)
    built = bench.pull([ORDINARY])
    assert len(bench.landed([ORDINARY])) > 2
    assert agrees(bench, built.rows, [ORDINARY])


def test_rows_that_arrive_while_paging_lose_none_and_double_none(bench):
    noon = day_window(ORDINARY, ZONE).start + timedelta(hours=12)
    bench.sandbox.set_clock(noon)
    there = bench.truth([ORDINARY])
    assert there.height > SMALL_PAGES
    bench.sandbox.set_clock(noon + 2 * SECOND)
    bench.sandbox.set_faults(page_size=SMALL_PAGES, clock_step_seconds=900)
    rows = said(bench.pull([ORDINARY]).rows, there)
    assert set(said(there, there)) <= set(rows)
    assert set(rows) <= set(said(bench.truth([ORDINARY]), there))
    assert len(set(rows)) == len(rows)


def test_pulling_again_adds_what_is_new_and_doubles_nothing(bench):
    bench.sandbox.set_clock(day_window(ORDINARY, ZONE).start + timedelta(hours=13))
    early = bench.pull([ORDINARY]).rows
    bench.at_usual_time([ORDINARY])
    late = bench.pull([ORDINARY])
    assert early.height < late.rows.height or late.rows["clicks"].sum() > early["clicks"].sum()
    assert agrees(bench, late.rows, [ORDINARY])
    repeated = late.conservation.filter(pl.col("reason") == "repeated_record")
    assert repeated["records"].sum() >= early.height


def test_a_rebuild_from_landing_is_the_same_and_asks_nobody(bench):
    bench.at_usual_time([ORDINARY])
    built = bench.pull([ORDINARY])
    asked = len(bench.sandbox.requests_log)
    again = bench.build([ORDINARY])
    assert again.rows.equals(built.rows)
    assert again.conservation.equals(built.conservation)
    assert len(bench.sandbox.requests_log) == asked


@pytest.mark.parametrize(
    "fault",
    [
        {"rate_limited": 2, "retry_after": 3},
        {"rate_limited": 2, "retry_after": None},
        {"server_errors": 2},
        {"cut": 2},
        {"truncated": 2},
    ],
    ids=["429 with Retry-After", "429 without", "500", "cut body", "half JSON"],
)
def test_faults_in_the_middle_of_paging_change_nothing(bench, naps, fault):
    bench.at_usual_time([ORDINARY])
    bench.sandbox.set_faults(page_size=SMALL_PAGES, calm=1, **fault)
    assert agrees(bench, bench.pull([ORDINARY]).rows, [ORDINARY])
    assert bench.sandbox.faults.settings().calm == 0
    assert len(naps) >= 2
    assert max(naps) >= (fault.get("retry_after") or 0)


def test_an_expired_token_is_told_without_the_secret(bench):
    bench.at_usual_time([ORDINARY])

    def result():
        return dict(bench.source.check_streams())[bench.case.stream]

    assert result().ok
    bench.sandbox.set_faults(token_expired=True)
    with pytest.raises(PermanentSourceError) as caught:
        bench.pages([ORDINARY])
    refused = result()
    assert not refused.ok
    assert bench.case.stream.value in refused.subject
    assert "Check" in refused.mend
    for secret in bench.secrets.values():
        assert secret not in f"{caught.value} {refused}"


def test_secrets_and_numbers_are_in_no_request_row_or_account(bench):
    bench.at_usual_time([ORDINARY])
    told = " ".join(f"{page.request} {page.meta}" for page in bench.pages([ORDINARY]))
    built = bench.pull([ORDINARY])
    kept = f"{built.rows.to_dicts()} {built.quarantine.to_dicts()} {built.conservation.to_dicts()}"
    assert not [secret for secret in bench.secrets.values() if secret in told + kept]
    numbers = bench.events([ORDINARY])["e164"].to_list()
    assert not [number for number in numbers if number.removeprefix("+") in kept]
    bench.sandbox.set_faults(server_errors=1000)
    with pytest.raises(SmsEtlError) as caught:
        bench.pages([ORDINARY])
    assert not [secret for secret in bench.secrets.values() if secret in str(caught.value)]


def test_a_day_without_events_is_empty_and_no_error(bench):
    empty = date(2026, 9, 1)
    bench.sandbox.set_clock(day_window(empty, ZONE).end + timedelta(hours=2))
    built = bench.pull([empty])
    assert built.rows.is_empty()
    assert built.conservation.filter(pl.col("fate") == "row")["records"].to_list() == [0]


def test_a_record_of_nulls_is_told_and_loses_no_other(bench):
    bench.at_usual_time([ORDINARY])
    calm = bench.pull([ORDINARY])
    victim = bench.case.identifier(bench.events([ORDINARY])["event_id"][1])
    bench.sandbox.set_faults(blank=[victim])
    bench.folder = bench.folder / "again"
    built = bench.pull([ORDINARY])
    assert built.rows.height == calm.rows.height - 1
    assert built.quarantine["reason"].to_list()[0] in ("no_time", "no_person")
    assert built.quarantine.height == 1
    assert built.rows.join(calm.rows, on="event_id", how="anti").is_empty()


def test_a_record_that_comes_twice_is_one_row(bench):
    bench.at_usual_time([ORDINARY])
    victim = bench.case.identifier(bench.events([ORDINARY])["event_id"][1])
    bench.sandbox.set_faults(twice=[victim])
    built = bench.pull([ORDINARY])
    assert agrees(bench, built.rows, [ORDINARY])
    assert built.rows["records"].sort().to_list()[-1] == 2


@pytest.mark.parametrize("hours", [-3, 3], ids=["slow by 3 h", "fast by 3 h"])
def test_a_clock_that_disagrees_loses_nothing(bench, hours):
    now = bench.at_usual_time([ORDINARY])
    rows = bench.pull([ORDINARY], now=now + timedelta(hours=hours)).rows
    assert agrees(bench, rows, [ORDINARY])
