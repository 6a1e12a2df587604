"""Telnyx's batch reports: days as CSV files, for long periods."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import telnyx

from sms_etl.days import day_window
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.sandbox import Clock, FaultSettings, WorldParameters, build_world, running_sandbox
from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import Case
from sms_etl.sandbox.telnyx_reports import COLUMNS, Reports
from sms_etl.sources.base import PageFormat
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from sms_etl.sources.telnyx import FIELDS
from sms_etl.sources.telnyx_reports import POLL_SECONDS, report_rows
from tests.sources.scripted_server import Reply

KYIV = ZoneInfo("Europe/Kyiv")
DAY = date(2026, 9, 15)
PULLED_AT = day_window(DAY, KYIV).end + timedelta(days=5)
SECRET = "telnyx-report-secret-5c"


@pytest.fixture(scope="module")
def served():
    world = build_world(WorldParameters(messages=20_000))
    with running_sandbox(world, Clock(PULLED_AT)) as sandbox:
        yield sandbox


@pytest.fixture
def api(served):
    """The simulated provider, calm, with no report ordered yet."""
    served.set_faults(**FaultSettings().model_dump())
    served.set_clock(PULLED_AT)
    found = served.api("telnyx")
    found.reports = Reports()
    return found


@pytest.fixture
def bench(served, api, tmp_path, monkeypatch, naps):
    monkeypatch.setenv("TELNYX_KEY", served.accounts.secret_of("telnyx"))

    def build(**more) -> Bench:
        own = {"api_key": "TELNYX_KEY", **more}
        case = Case(kind="telnyx", settings=lambda _accounts: own, secrets=lambda _accounts: {})
        return Bench(case, served, tmp_path)

    return build


def told(observed: pl.DataFrame) -> pl.DataFrame:
    """What is read of messages of one day, wherever it was read."""
    window = day_window(DAY, KYIV)
    return (
        observed.filter(pl.col("created_at").is_between(window.start, window.end, closed="left"))
        .drop("pull", "page", "record", "pulled_at")
        .sort("message_id")
    )


def test_reports_and_pages_tell_the_same_and_the_truth(bench):
    reported = bench(bulk=True)
    files, pages = reported.pull([DAY]), bench().pull([DAY])
    assert {page.format for page in reported.pages([DAY])} == {PageFormat.CSV}
    assert told(files).height > 30
    assert told(files).equals(told(pages))
    assert set(told(files)["message_id"]) == reported.ids([DAY])
    assert files["malformed"].null_count() == files.height


def test_a_day_comes_page_by_page_until_its_receipts_are_in(bench, served, api):
    served.set_clock(day_window(DAY, KYIV).end + timedelta(hours=3, minutes=59))
    assert {page.format for page in bench(bulk=True).pages([DAY])} == {PageFormat.JSON}
    assert api.reports.made == []


def test_a_report_is_used_for_half_a_day_and_then_ordered_anew(bench, served, api):
    bench(bulk=True).pages([DAY])
    bench(bulk=True).pages([DAY])
    assert len(api.reports.made) == 1
    served.set_clock(PULLED_AT + timedelta(hours=13))
    bench(bulk=True).pages([DAY])
    bench(bulk=True).pages([DAY + timedelta(days=1)])
    starts = [report.order["start_time"] for report in api.reports.made]
    assert starts == ["2026-09-14T21:00:00Z", "2026-09-14T21:00:00Z", "2026-09-15T21:00:00Z"]


def test_a_report_that_takes_long_is_found_by_the_next_run(bench, api, naps):
    api.reports.ends_as = "PENDING"
    with pytest.raises(TransientSourceError, match=r"still PENDING after 0\.25 minutes"):
        bench(bulk=True, report_wait_minutes=0.25).pages([DAY])
    assert naps.count(POLL_SECONDS) == 1
    api.reports.ends_as = "COMPLETE"
    assert bench(bulk=True).pages([DAY])
    assert len(api.reports.made) == 1


def test_a_report_that_failed_is_told_and_another_is_ordered(bench, api):
    api.reports.ends_as = "EXPIRED"
    with pytest.raises(PermanentSourceError, match=r"ended as EXPIRED.*orders a new one"):
        bench(bulk=True).pages([DAY])
    api.reports.ends_as = "COMPLETE"
    assert bench(bulk=True).pages([DAY])
    assert len(api.reports.made) == 2


@pytest.mark.parametrize("heading", ["uuid", "cld", "status", "created_at"])
def test_a_file_without_what_a_message_needs_is_refused(heading):
    body = ",".join(name for name in COLUMNS if name != heading).encode()
    with pytest.raises(PermanentSourceError, match=f"no column '{heading}'"):
        report_rows(body, FIELDS)


def test_headings_may_be_written_otherwise_and_what_lacks_is_told(caplog):
    body = (
        b"Id,CLD,Status,Created At,Errors\nm1,+380501234567,DELIVERED,2026-09-15 10:00:00,[40300]\n"
    )
    (row,) = report_rows(body, FIELDS).to_dicts()
    assert (row["uuid"], row["cld"], row["errors.0"]) == ("m1", "+380501234567", "40300")
    assert row["cost"] is None
    assert "no column" in caplog.text
    assert "cost" in caplog.text


def test_the_official_sdk_orders_and_reads_a_report(served, api):
    client = telnyx.Telnyx(
        api_key=served.accounts.secret_of("telnyx"),
        base_url=f"{served.base_url}/telnyx/v2",
        max_retries=0,
    )
    batches = client.legacy.reporting.batch_detail_records.messaging
    window = day_window(DAY, KYIV)
    made = batches.create(start_time=window.start, end_time=window.end, directions=[2]).data
    assert (made.status, made.directions, made.start_date) == (
        "PENDING", ["OUTBOUND"], window.start,
    )  # fmt: skip
    assert [one.id for one in batches.list().data] == [made.id]
    ready = batches.retrieve(made.id).data
    assert (ready.status, ready.id) == ("COMPLETE", made.id)
    assert ready.report_url.endswith(".csv")


class TestFilesElsewhere:
    """A scripted Telnyx: files at an address of another host."""

    @pytest.fixture
    def pages(self, server, monkeypatch, context_at, naps):
        monkeypatch.setenv("TELNYX_KEY", SECRET)
        block = {
            "kind": "telnyx",
            "api_key": "TELNYX_KEY",
            "base_url": server.url,
            "requests_per_second": 1000,
            "retry_budget_seconds": 0,
            "bulk": True,
        }
        source = make_source("shop", SOURCE_KINDS["telnyx"].model_validate(block), Path())

        def run(link, *answers):
            report = {"id": "r-1", "status": "COMPLETE", "report_url": link}
            server.script = [
                Reply.of({"data": []}), Reply.of({"data": report}), *answers,
            ]  # fmt: skip
            (plan,) = source.plan(
                [date(2026, 3, 5)], context_at(datetime(2026, 3, 6, 8, tzinfo=UTC))
            )
            return list(plan.pages)

        return run

    def test_they_are_fetched_without_credentials_and_their_signature_is_not_kept(
        self, server, pages
    ):
        elsewhere = f"{server.url.replace('127.0.0.1', 'localhost')}/store/f-1.csv"
        body = b"uuid,cld,status,created_at\nm1,+380501234567,delivered,2026-03-05T10:00:00Z\n"
        (page,) = pages(f"{elsewhere}?Signature=s1", Reply(body))
        assert (page.body, page.records) == (body, 1)
        assert page.request == f"GET {elsewhere}"
        assert "Authorization" in server.asked[1].headers
        assert "Authorization" not in server.asked[2].headers

    def test_a_file_that_is_gone_says_what_to_do(self, server, pages):
        elsewhere = f"{server.url.replace('127.0.0.1', 'localhost')}/store/f-1.csv?Signature=s1"
        with pytest.raises(PermanentSourceError, match=r"r-1 is gone.*bulk = false") as caught:
            pages(elsewhere, Reply(b"", 404))
        assert SECRET not in str(caught.value)
        assert "s1" not in str(caught.value)
