"""Twilio's Bulk Export: old days from files that another host keeps."""

import gzip
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from sms_etl.days import day_window, days_between
from sms_etl.errors import LandingError, PermanentSourceError, TransientSourceError
from sms_etl.sandbox import Clock, FaultSettings, WorldParameters, build_world, running_sandbox
from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import Case
from sms_etl.sources import http
from sms_etl.sources.auth import BearerAuth
from sms_etl.sources.base import PageFormat
from sms_etl.sources.http import HttpClient, HttpSettings
from sms_etl.sources.json_pages import records_in_lines
from sms_etl.store.landing import Landing
from tests.sources.scripted_server import Reply, ScriptedServer

KYIV = ZoneInfo("Europe/Kyiv")
DAY = date(2026, 9, 15)
SECRET = "export-secret-5d1c"
ABSENT = "Order the file"


@pytest.fixture(scope="module")
def served():
    world = build_world(WorldParameters(messages=20_000))
    with running_sandbox(world, Clock(day_window(DAY, KYIV).end + timedelta(days=5))) as sandbox:
        yield sandbox


@pytest.fixture
def bench(served, tmp_path, monkeypatch):
    """Twilio read by its exports, or with other settings."""
    served.set_faults(**FaultSettings().model_dump())
    monkeypatch.setenv("TWILIO_TOKEN", served.accounts.twilio_auth)

    def build(**more) -> Bench:
        own = {
            "account_sid": served.accounts.twilio_sid,
            "auth_token": "TWILIO_TOKEN",
            "exports_url": f"{served.base_url}/twilio",
            "export_currency": "USD",
            **more,
        }
        case = Case(kind="twilio", settings=lambda _accounts: own, secrets=lambda _accounts: {})
        return Bench(case, served, tmp_path)

    return build


def test_the_exports_of_a_day_tell_what_is_true(bench):
    exported = bench(bulk=True)
    week = days_between(DAY - timedelta(days=6), DAY)
    truth, observed = exported.truth(week), exported.pull(week)
    assert truth.height > 30
    assert set(truth["message_id"]) <= set(observed["message_id"])
    assert truth["sent_at"].null_count() > 0, "also those that were never sent"
    assert observed["malformed"].null_count() == observed.height
    both = exported.classed(observed).join(truth, on="message_id", suffix="_true")
    assert both.filter(pl.col("status_class").ne_missing(pl.col("class"))).is_empty()


def test_export_and_list_read_alike(bench):
    exported, listed = bench(bulk=True), bench(unsent_lookback_days=60)
    of_day = pl.col("message_id").is_in(list(exported.ids([DAY])))
    same = [
        frame.filter(of_day).unique("message_id").sort("message_id")
        for frame in (exported.pull([DAY]), listed.pull([DAY]))
    ]
    told_in_words = ("created_at_text", "sent_at_text", "done_at_text")
    left, right = (
        frame.drop("pull", "page", "record", "pulled_at", *told_in_words) for frame in same
    )
    assert left.height > 30
    assert left.equals(right)


def test_without_a_currency_there_is_no_cost(bench):
    observed = bench(bulk=True, export_currency=None).pull([DAY])
    assert observed["price_text"].drop_nulls().len() > 10
    assert observed["cost_micro"].drop_nulls().is_empty()


def test_old_days_are_exported_and_others_listed(bench):
    context = bench().context(
        datetime.combine(DAY, datetime.min.time(), KYIV) + timedelta(days=400)
    )
    days = [DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)]
    asked = [plan.asked for plan in bench().source.plan(days, context)]
    assert [text.split()[0] for text in asked] == ["exports", "sent", "sent"]


def test_the_file_is_landed_as_it_came_and_the_address_is_told_nowhere(bench, served, tmp_path):
    exported = bench(bulk=True)
    landing = Landing(tmp_path / "landing")
    (manifest,) = landing.land_all("shop", exported.source.plan([DAY], exported.context()))
    for page, landed in zip(manifest.pages, landing.pages([manifest]), strict=True):
        body = landing.body(landed)
        assert page.format is PageFormat.NDJSON
        assert len(gzip.decompress(body).splitlines()) == page.records
        assert page.request.startswith("GET /twilio/v1/Exports/Messages/Days/2026-09-1")
        assert "Signature" not in f"{page}"
    observed = exported.source.read(landing.pages([manifest])).collect()
    assert observed.height == manifest.records > 30
    hosts = {urlsplit(entry.target).path.split("/")[2] for entry in served.requests_log[-4:]}
    assert hosts == {"v1", "export-store"}


def test_a_day_without_a_file_says_how_to_order_one(bench):
    with pytest.raises(PermanentSourceError, match=r"no export of 2026-09-30.*Custom jobs"):
        bench(bulk=True).pages([date(2026, 10, 1)])


def test_an_export_that_is_cut_is_asked_for_again(bench, served, monkeypatch):
    monkeypatch.setattr(http.time, "sleep", lambda _seconds: None)
    exported = bench(bulk=True, parallel_slices=1)
    calm = exported.pages([DAY])
    served.set_faults(cut=1, server_errors=1)
    assert [page.body for page in exported.pages([DAY])] == [page.body for page in calm]


class TestFilesElsewhere:
    """What the client does with a redirect to another host."""

    @pytest.fixture
    def store(self):
        scripted = ScriptedServer()
        yield scripted
        scripted.close()

    @pytest.fixture
    def client(self, server):
        settings = HttpSettings(
            kind="test", base_url=server.url, requests_per_second=1000, retry_budget_seconds=0
        )
        return HttpClient("shop", "account", settings, BearerAuth(SECRET), SECRET)

    def test_one_redirect_is_followed_without_credentials(self, server, store, client):
        address = f"{store.url.replace('127.0.0.1', 'localhost')}/file?Signature=s1"
        server.script = [Reply(b"{}", 307, {"Location": address})]
        store.script = [Reply(b"\x1f\x8bbytes")]
        answer = client.get_file("/day", ABSENT)
        assert answer.body == b"\x1f\x8bbytes"
        assert answer.request == "GET /day"
        assert server.asked[0].headers["Authorization"] == f"Bearer {SECRET}"
        (fetched,) = store.asked
        assert fetched.target == "/file?Signature=s1"
        assert "Authorization" not in fetched.headers
        assert "Cookie" not in fetched.headers

    def test_a_netrc_entry_is_not_sent_either(self, server, store, client, tmp_path, monkeypatch):
        netrc = tmp_path / "netrc"
        netrc.write_text("machine localhost login me password mine")
        monkeypatch.setenv("NETRC", str(netrc))
        address = f"{store.url.replace('127.0.0.1', 'localhost')}/file"
        server.script = [Reply(b"{}", 307, {"Location": address})]
        store.script = [Reply(b"x")]
        client.get_file("/day", ABSENT)
        assert "Authorization" not in store.asked[0].headers

    def test_a_second_redirect_is_refused(self, server, store, client):
        server.script = [Reply(b"{}", 307, {"Location": f"{store.url}/file"})]
        store.script = [Reply(b"{}", 307, {"Location": f"{store.url}/again"})]
        with pytest.raises(PermanentSourceError, match="redirect"):
            client.get_file("/day", ABSENT)
        assert len(store.asked) == 1

    @pytest.mark.parametrize(
        "address", ["http://files.example/x?Signature=s1", "ftp://127.0.0.1/x", "file:///etc/x", ""]
    )
    def test_only_https_is_followed(self, server, client, address):
        server.script = [Reply(b"{}", 307, {"Location": address})]
        with pytest.raises(PermanentSourceError, match="not kept behind https") as caught:
            client.get_file("/day", ABSENT)
        assert "Signature" not in str(caught.value)

    def test_errors_do_not_tell_the_address(self, server, store, client):
        server.script = [Reply(b"{}", 307, {"Location": f"{store.url}/file?Signature=s1"})] * 2
        store.script = [Reply(b"<Error>SignatureDoesNotMatch</Error>", 403), Reply(b"", 503)]
        with pytest.raises(PermanentSourceError, match="HTTP 403") as refused:
            client.get_file("/day", ABSENT)
        with pytest.raises(TransientSourceError, match="HTTP 503") as failed:
            client.get_file("/day", ABSENT)
        assert "s1" not in f"{refused.value} {failed.value}"

    def test_other_requests_follow_no_redirect(self, server, store, client):
        server.script = [Reply(b"{}", 307, {"Location": f"{store.url}/file"})]
        with pytest.raises(PermanentSourceError, match="redirect"):
            client.get_bytes("/day")
        assert store.asked == []


def test_a_damaged_gzip_is_no_page_of_records():
    whole = gzip.compress(b'{"a": 1}\n{"a": 2}\n')
    assert records_in_lines(whole) == records_in_lines(b'{"a": 1}\n{"a": 2}') == 2
    with pytest.raises(LandingError, match="gzip"):
        records_in_lines(whole[:-4])
