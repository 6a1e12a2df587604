"""Vonage bills every record each time it is read: a day is read once, then only what is open."""

from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest

from sms_etl.days import day_window
from sms_etl.model.schemas import MESSAGES
from sms_etl.pipeline import land_source, rebuild_messages
from sms_etl.project import Project
from sms_etl.sandbox.vonage_api import ACCOUNT

DAY = date(2026, 10, 25)
"""The autumn day of 25 hours: two windows."""
HOUR = timedelta(hours=1)


@pytest.fixture
def shop(fresh_company, monkeypatch):
    """The company with a Vonage account beside its other ways."""
    path = fresh_company.folder / "sms_etl.toml"
    block = f"""
[sources.vonage]
kind = "vonage"
base_url = "{fresh_company.sandbox.base_url}/vonage"
api_key = "{ACCOUNT}"
api_secret = "VONAGE_SECRET"
requests_per_second = 1000
parallel_slices = 1
"""
    path.write_text(path.read_text("utf-8") + block, "utf-8")
    monkeypatch.setenv("VONAGE_SECRET", fresh_company.sandbox.accounts.secret_of("vonage"))
    return Project.open(path)


@pytest.fixture
def pull(fresh_company, shop):
    """Land and rebuild the day at a time after its end; what was asked, and records that came."""

    def run(after_its_end):
        fresh_company.move_to(day_window(DAY, shop.settings.project.zone).end + after_its_end)
        before = len(fresh_company.sandbox.requests_log)
        manifests = land_source(shop, "vonage", [DAY])
        rebuild_messages(shop, "vonage", [DAY])
        targets = [entry.target for entry in fresh_company.sandbox.requests_log[before:]]
        asked = [parse_qs(urlsplit(target).query) for target in targets]
        return asked, sum(manifest.records for manifest in manifests)

    return run


def messages(shop):
    return shop.lake.scan(MESSAGES, DAY, DAY, ["vonage"]).collect().sort("message_id")


def true_ids(fresh_company):
    truth = fresh_company.sandbox.truth("vonage")
    local = pl.col("submitted_at").dt.convert_time_zone("Europe/Kyiv").dt.date()
    return truth.filter(local == DAY)["message_id"].sort().to_list()


def test_a_day_that_was_read_whole_is_asked_for_its_open_messages_only(fresh_company, shop, pull):
    asked, records = pull(2 * HOUR)
    first = messages(shop)
    assert len(asked) == 2
    assert records == first.height == len(true_ids(fresh_company)) > 20
    assert first["message_id"].to_list() == true_ids(fresh_company)
    still_open = first.filter(~pl.col("final"))["message_id"].to_list()
    assert 0 < len(still_open) < first.height

    asked, records = pull(80 * HOUR)
    assert [set(query) & {"id", "date_start", "date_end"} for query in asked] == [{"id"}]
    assert asked[0]["id"] == [",".join(still_open)]
    assert records == len(still_open)

    later = messages(shop)
    assert later["message_id"].to_list() == true_ids(fresh_company)
    truth = fresh_company.sandbox.truth("vonage").select("message_id", "class", "outcome")
    both = later.join(truth, on="message_id")
    wrong = both.filter(pl.col("status_class") != pl.col("class"), pl.col("outcome") != "cancelled")
    assert wrong.select("status", "status_class", "class").rows() == []
    assert later["final"].sum() > first["final"].sum()


def test_a_day_that_was_read_before_it_was_over_is_read_again(fresh_company, shop, pull):
    _, early = pull(-6 * HOUR)
    assert early > 0
    asked, records = pull(2 * HOUR)
    assert ["id" in query for query in asked] == [False, False]
    assert records == messages(shop).height == len(true_ids(fresh_company))
    assert records > early


def test_when_all_is_final_nothing_is_asked(fresh_company, shop, pull):
    pull(2 * HOUR)
    truth = fresh_company.sandbox.truth("vonage")
    fresh_company.sandbox.set_faults(
        status_words=dict.fromkeys(truth["message_id"].to_list(), "delivered")
    )
    pull(3 * HOUR)
    assert messages(shop)["final"].all()
    assert pull(4 * HOUR) == ([], 0)
    assert messages(shop).height == len(true_ids(fresh_company))
