"""Vonage's asynchronous reports: days as files, ordered once, because every record is billed."""

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from sms_etl.days import day_window, days_between
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.sandbox import Clock, FaultSettings, WorldParameters, build_world, running_sandbox
from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import Case
from sms_etl.sandbox.vonage_api import ACCOUNT
from sms_etl.sandbox.vonage_reports import Reports
from sms_etl.sources.base import PageFormat
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from sms_etl.sources.slices import Recall, Recording
from sms_etl.sources.vonage import FIELDS
from sms_etl.sources.vonage_reports import POLL_SECONDS, report_rows
from sms_etl.store.landing import Landing
from tests.sources.scripted_server import Reply

KYIV = ZoneInfo("Europe/Kyiv")
DAY = date(2026, 9, 15)
NEXT_DAY = DAY + timedelta(days=1)
PULLED_AT = day_window(NEXT_DAY, KYIV).end + timedelta(hours=6)
SECRET = "vonage-report-secret-7f"


@pytest.fixture(scope="module")
def served():
    world = build_world(WorldParameters(messages=20_000))
    with running_sandbox(world, Clock(PULLED_AT)) as sandbox:
        yield sandbox


@pytest.fixture
def vonage(served):
    """The simulated provider, calm, with no report ordered yet."""
    served.set_faults(**FaultSettings().model_dump())
    served.set_clock(PULLED_AT)
    api = served.api("vonage")
    api.reports = Reports()
    return api


@pytest.fixture
def bench(served, vonage, tmp_path, monkeypatch, naps):
    monkeypatch.setenv("VONAGE_SECRET", served.accounts.secret_of("vonage"))

    def build(**more) -> Bench:
        own = {"api_key": ACCOUNT, "api_secret": "VONAGE_SECRET", **more}
        case = Case(kind="vonage", settings=lambda _accounts: own, secrets=lambda _accounts: {})
        return Bench(case, served, tmp_path)

    return build


@pytest.fixture
def orders(served):
    """Orders that reached the provider since the test began."""
    before = len(served.requests_log)
    return lambda: [one for one in served.requests_log[before:] if one.method == "POST"]


def told(observed: pl.DataFrame) -> pl.DataFrame:
    """What is read of messages, without the texts of times, which are written differently."""
    return observed.drop(
        "pull", "page", "record", "pulled_at", "created_at_text", "done_at_text"
    ).sort("message_id")


class TestAgainstTheTruth:
    def test_reports_tell_what_is_true(self, bench):
        reported = bench(bulk=True)
        days = days_between(DAY - timedelta(days=6), NEXT_DAY)
        truth, observed = reported.truth(days), reported.pull(days)
        assert truth.height > 100
        assert sorted(observed["message_id"]) == sorted(truth["message_id"])
        assert observed["malformed"].null_count() == observed.height
        both = reported.classed(observed).join(truth, on="message_id", suffix="_true")
        cancelled = pl.col("outcome") == "cancelled"
        wrong = both.filter(pl.col("status_class").ne_missing(pl.col("class")) & ~cancelled)
        assert wrong.is_empty()

    @pytest.mark.parametrize("include_message", [True, False])
    def test_reports_and_pages_read_alike(self, bench, include_message):
        files = bench(bulk=True, include_message=include_message).pull([DAY])
        pages = bench(include_message=include_message).pull([DAY])
        assert files.height > 30
        assert told(files).equals(told(pages))
        assert (files["text"].null_count() == 0) is include_message

    def test_the_file_is_landed_as_it_came(self, bench, served, tmp_path):
        reported = bench(bulk=True)
        landing = Landing(tmp_path / "landing")
        (manifest,) = landing.land_all("shop", reported.source.plan([DAY], reported.context()))
        (page,), (landed,) = manifest.pages, landing.pages([manifest])
        with zipfile.ZipFile(io.BytesIO(landing.body(landed))) as archive:
            (name,) = archive.namelist()
            lines = list(csv.DictReader(io.StringIO(archive.read(name).decode())))
        assert name == "report_SMS_abcd1234_20260917.csv"
        assert page.format is PageFormat.CSV
        assert page.request.startswith("GET /vonage/v3/media/")
        assert len(lines) == page.records == len(reported.ids([DAY]))
        observed = reported.source.read(landing.pages([manifest])).collect()
        assert sorted(observed["message_id"]) == sorted(line["message_id"] for line in lines)

    def test_a_day_read_as_a_file_is_not_read_again(self, bench, served, tmp_path, orders):
        reported = bench(bulk=True)
        landing = Landing(tmp_path / "landing")
        landing.land_all("shop", reported.source.plan([DAY], reported.context()))
        later = reported.context()
        landed = lambda day: landing.pages(landing.manifests("shop", [day]))  # noqa: E731
        context = type(later)(later.zone, later.now, later.outbox, landed=landed)
        (plan,) = reported.source.plan([DAY], context)
        assert "messages that were not final" in plan.asked
        asked_again = sum(page.records for page in plan.pages)
        assert asked_again < landed(DAY)[0].records / 2
        assert len(orders()) == 1

    def test_a_day_that_is_not_over_comes_page_by_page(self, bench, served, orders):
        served.set_clock(day_window(NEXT_DAY, KYIV).end + timedelta(minutes=59))
        reported = bench(bulk=True)
        plans = reported.source.plan([DAY, NEXT_DAY], reported.context())
        assert ["report" in plan.asked for plan in plans] == [True, False]
        assert {page.format for page in reported.pages([NEXT_DAY])} == {PageFormat.JSON}
        assert orders() == []


class TestOneOrder:
    """No report is ordered twice, whatever happens."""

    def test_a_report_that_is_there_is_used(self, bench, orders):
        first, second = bench(bulk=True).pages([DAY]), bench(bulk=True).pages([DAY])
        assert [page.body for page in first] == [page.body for page in second]
        assert len(orders()) == 1

    def test_every_day_has_a_report_of_its_own(self, bench, vonage):
        bench(bulk=True).pages([DAY, NEXT_DAY])
        starts = [report.order["date_start"] for report in vonage.reports.made]
        assert starts == ["2026-09-14T21:00:00Z", "2026-09-15T21:00:00Z"]

    @pytest.mark.parametrize(
        "other",
        [
            {"status": "delivered"},
            {"direction": "inbound"},
            {"include_message": False},
            {"include_subaccounts": True},
            {"date_end": "2026-09-15T20:59:59+0000"},
        ],
    )
    def test_a_report_of_something_else_is_not(self, bench, vonage, orders, other):
        reported = bench(bulk=True)
        reported.pages([DAY])
        vonage.reports.made[0].order |= other
        reported.pages([DAY])
        assert len(orders()) == 2

    def test_a_report_of_a_day_that_was_not_over_is_not(self, bench, vonage, orders):
        reported = bench(bulk=True)
        reported.pages([DAY])
        vonage.reports.made[0].received = day_window(DAY, KYIV).end + timedelta(minutes=59)
        reported.pages([DAY])
        assert len(orders()) == 2

    def test_a_report_whose_file_is_gone_is_not(self, bench, served, orders):
        bench(bulk=True).pages([DAY])
        served.set_clock(PULLED_AT + timedelta(hours=73))
        bench(bulk=True).pages([DAY])
        assert len(orders()) == 2

    @pytest.mark.parametrize("fault", ["cut", "truncated"])
    def test_when_the_answer_to_the_order_is_lost_the_list_is_asked(
        self, bench, served, vonage, orders, fault
    ):
        served.set_faults(calm=1, **{fault: 1})
        reported = bench(bulk=True)
        assert reported.ids([DAY]) == set(reported.pull([DAY])["message_id"])
        assert len(orders()) == len(vonage.reports.made) == 1

    def test_an_order_that_may_have_failed_is_left_to_the_next_run(self, bench, served, orders):
        served.set_faults(calm=1, server_errors=1)
        reported = bench(bulk=True)
        with pytest.raises(TransientSourceError, match="not ordered again now"):
            reported.pages([DAY])
        assert len(orders()) == 1
        assert reported.ids([DAY]) == set(reported.pull([DAY])["message_id"])
        assert len(orders()) == 2

    def test_an_order_that_is_refused_for_now_is_repeated(self, bench, served, vonage, orders):
        served.set_faults(calm=1, rate_limited=2)
        bench(bulk=True).pages([DAY])
        assert [one.status for one in orders()] == [429, 429, 200]
        assert len(vonage.reports.made) == 1

    def test_a_report_that_takes_long_is_found_by_the_next_run(self, bench, vonage, naps, orders):
        with pytest.raises(TransientSourceError, match=r"still PROCESSING after 0\.25 minutes"):
            bench(bulk=True, report_wait_minutes=0.25).pages([DAY])
        assert naps.count(POLL_SECONDS) == 1
        assert bench(bulk=True, report_wait_minutes=0.25).pages([DAY])
        assert len(orders()) == 1


class TestFailures:
    def test_a_failed_report_is_told_and_the_next_pull_orders_another(self, bench, vonage, orders):
        vonage.reports.ends_as = "FAILED"
        with pytest.raises(PermanentSourceError, match=r"ended as FAILED.*orders a new one"):
            bench(bulk=True).pages([DAY])
        vonage.reports.ends_as = "SUCCESS"
        assert bench(bulk=True).pages([DAY])
        assert len(orders()) == 2

    def test_a_cut_report_is_refused_and_not_ordered_again(self, bench, vonage, orders):
        vonage.reports.ends_as = "TRUNCATED"
        for _ in range(2):
            with pytest.raises(PermanentSourceError, match="TRUNCATED, so records are missing"):
                bench(bulk=True).pages([DAY])
        assert len(orders()) == 1

    def test_a_download_that_is_cut_is_asked_for_again(self, bench, served, orders):
        (whole,) = bench(bulk=True).pages([DAY])
        served.set_faults(calm=1, cut=1, server_errors=1)
        (again,) = bench(bulk=True).pages([DAY])
        assert again.body == whole.body
        assert again.meta["retries"] == "2"
        assert len(orders()) == 1

    def test_a_file_that_a_dead_pull_landed_is_not_fetched_again(self, bench, served, orders):
        reported = bench(bulk=True)
        (page,) = reported.pages([DAY])
        kept = Recording(page.received_at, page.meta, lambda: page.body)
        (plan,) = reported.source.plan([DAY], reported.context())
        (part,) = plan.pages.parts
        before = len(served.requests_log)
        (again,) = part(Recall({page.fingerprint: kept}))
        assert (again.body, again.records) == (page.body, page.records)
        assert [one.target.partition("?")[0] for one in served.requests_log[before:]] == [
            "/vonage/v2/reports"
        ]
        assert len(orders()) == 1

    def test_half_a_file_is_not_landed(self, bench, served, tmp_path, orders):
        bench(bulk=True).pages([DAY])
        served.set_faults(calm=1, truncated=1)
        reported, landing = bench(bulk=True), Landing(tmp_path / "landing")
        with pytest.raises(PermanentSourceError, match=r"cannot be read.*not ordered again"):
            landing.land_all("shop", reported.source.plan([DAY], reported.context()))
        assert landing.manifests("shop", [DAY]) == []
        assert landing.land_all("shop", reported.source.plan([DAY], reported.context()))
        assert len(orders()) == 1


class TestOddAnswers:
    """A scripted Vonage: answers that the simulated one does not give."""

    READY = {  # noqa: RUF012 a constant of the tests
        "request_id": "r-1",
        "request_status": "SUCCESS",
        "product": "SMS",
        "account_id": ACCOUNT,
        "direction": "outbound",
        "include_message": "true",
        "date_start": "2026-03-04T22:00:00+0000",
        "date_end": "2026-03-05T22:00:00+0000",
        "receive_time": "2026-03-06T01:00:00+0000",
    }

    @pytest.fixture
    def pages(self, server, monkeypatch, context_at, naps):
        monkeypatch.setenv("VONAGE_SECRET", SECRET)
        block = {
            "kind": "vonage",
            "api_key": ACCOUNT,
            "api_secret": "VONAGE_SECRET",
            "base_url": server.url,
            "requests_per_second": 1000,
            "retry_budget_seconds": 0,
            "bulk": True,
        }
        source = make_source("shop", SOURCE_KINDS["vonage"].model_validate(block), Path())

        def run(report, *answers):
            server.script = [Reply.of({"reports": [report]}), *answers]
            context = context_at(datetime(2026, 3, 6, 2, tzinfo=UTC))
            (plan,) = source.plan([date(2026, 3, 5)], context)
            return list(plan.pages)

        return run

    def with_file(self, server):
        links = {"download_report": {"href": f"{server.url}/v3/media/f-1"}}
        return self.READY | {"_links": links, "items_count": 1}

    def test_a_file_that_is_gone_says_what_to_do(self, server, pages):
        with pytest.raises(PermanentSourceError, match=r"r-1 is gone.*bulk = false") as caught:
            pages(self.with_file(server), Reply(b"{}", 404))
        assert SECRET not in str(caught.value)
        assert [asked.method for asked in server.asked] == ["GET", "GET"]

    def test_a_file_kept_elsewhere_is_fetched_without_credentials(self, server, pages):
        elsewhere = f"{server.url.replace('127.0.0.1', 'localhost')}/store/f-1?Signature=s1"
        body = zipped(dict.fromkeys(FIELDS, "") | {"message_id": "A1"})
        (page,) = pages(
            self.with_file(server), Reply(b"", 302, {"Location": elsewhere}), Reply(body)
        )
        assert (page.body, page.records, page.request) == (body, 1, "GET /v3/media/f-1")
        assert "Authorization" in server.asked[1].headers
        assert "Authorization" not in server.asked[2].headers

    def test_a_link_to_another_host_is_not_followed(self, server, pages):
        links = {"download_report": {"href": "https://files.example/f-1"}}
        with pytest.raises(PermanentSourceError, match="leads to another host"):
            pages(self.READY | {"_links": links})
        assert len(server.asked) == 1

    def test_a_report_without_records_has_no_page(self, pages):
        assert pages(self.READY | {"items_count": 0}) == []

    def test_a_ready_report_without_a_file_is_refused(self, pages):
        with pytest.raises(PermanentSourceError, match="has no file"):
            pages(self.READY | {"items_count": 4})

    def test_a_file_with_fewer_records_than_promised_is_refused(self, server, pages):
        body = zipped(dict.fromkeys(FIELDS, "") | {"message_id": "A1"})
        with pytest.raises(PermanentSourceError, match="said to hold 2 records, its file holds 1"):
            pages(self.with_file(server) | {"items_count": 2}, Reply(body))

    def test_a_file_without_a_column_is_refused(self, server, pages):
        record = {name: "" for name in FIELDS if name != "total_price"}
        with pytest.raises(PermanentSourceError, match="total_price"):
            pages(self.with_file(server), Reply(zipped(record)))

    def test_an_order_says_what_is_wanted(self, server, pages):
        order = Reply.of({"request_id": "r-2", "request_status": "FAILED"})
        with pytest.raises(PermanentSourceError, match="FAILED"):
            pages(self.READY | {"product": "MESSAGES"}, order)
        assert json.loads(server.asked[1].body) == {
            "product": "SMS",
            "account_id": ACCOUNT,
            "direction": "outbound",
            "date_start": "2026-03-04T22:00:00Z",
            "date_end": "2026-03-05T22:00:00Z",
            "include_message": True,
        }


def zipped(*records) -> bytes:
    text, packed = io.StringIO(newline=""), io.BytesIO()
    writer = csv.DictWriter(text, records[0], quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(records)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("report_SMS_abcd1234_20260306.csv", text.getvalue())
    return packed.getvalue()


def test_texts_of_several_lines_and_quotes_are_one_record():
    text = 'Перша\nдруга, "третя"'
    body = zipped(dict.fromkeys(FIELDS, "") | {"message_id": "A1", "message_body": text})
    (row,) = report_rows(body, FIELDS).iter_rows(named=True)
    assert (row["message_id"], row["message_body"]) == ("A1", text)


def test_a_zip_without_a_file_is_no_report():
    packed = io.BytesIO()
    zipfile.ZipFile(packed, "w").close()
    with pytest.raises(PermanentSourceError, match="without a file"):
        report_rows(packed.getvalue(), FIELDS)
