"""A company with a shop, read back whole: messages carry what they must, streams are the truth."""

import hmac

import dagster as dg
import polars as pl
import pytest

from assets.build import build_defs
from sms_etl.engagement.steps import land_stream
from sms_etl.model.engagement import CLICKS, CONSENTS, OPT_OUTS, ORDERS, REPLIES
from sms_etl.model.schemas import ASKED, MESSAGES
from sms_etl.project import Project
from sms_etl.sandbox.demo_settings import environment
from tests.pipeline.company import FIRST, LAST

KYIV = "Europe/Kyiv"
KEY = environment()["SMS_ETL_PSEUDONYM_KEY"].encode()


@pytest.fixture(scope="module")
def company(planted_company):
    return planted_company


def digests(values, prefix=""):
    return [hmac.digest(KEY, f"{prefix}{value}".encode(), "sha256").hex() for value in values]


def rows(company, table):
    return company.project.lake.scan(table).collect()


@pytest.fixture(scope="module")
def beside(company):
    """Messages of both HTTP providers beside the truth of each."""
    told = rows(company, MESSAGES).select(
        "message_id", "contact_source", "purpose", "template", "links", "opt_out_wording",
        "number_prefix", "in_number_run", "contact", campaign_told="campaign",
    )  # fmt: skip
    ours = company.world.messages.filter(pl.col("way").is_in(["twilio", "turbosms"]))
    both = ours.drop("contact_source").join(told, on="message_id")
    sources = ours.select("message_id", true_source="contact_source")
    assert both.height == ours.height
    return both.join(sources, on="message_id")


def test_messages_know_the_contact_its_source_and_their_purpose(beside):
    assert beside["contact_source"].equals(beside["true_source"], check_names=False)
    known = beside.drop_nulls("contact_id")
    assert known["contact"].to_list() == digests(known["contact_id"], "contact ")
    assert beside.filter(pl.col("contact_id").is_null())["contact"].null_count() == (
        beside["contact_id"].null_count()
    )
    marketing = pl.col("kind") == "promo"
    right = pl.when(marketing).then(pl.lit("marketing")).otherwise(pl.lit("transactional"))
    assert beside.filter(pl.col("purpose") != right).is_empty()


def test_every_campaign_has_one_template_whatever_names_and_numbers_its_texts_hold(beside):
    usual = beside.filter(pl.col("planted").is_null() | (pl.col("planted") != "no_opt_out_wording"))
    assert set(usual.group_by("campaign").agg(pl.col("template").n_unique())["template"]) == {1}
    assert usual["template"].n_unique() == usual["campaign"].n_unique()


def test_texts_tell_links_and_the_wording_of_refusal(beside):
    linked = pl.col("text").str.contains("https://").cast(pl.Int32)
    assert beside.filter(pl.col("links") != linked).is_empty()
    wording = (pl.col("kind") == "promo") & (
        pl.col("planted").is_null() | (pl.col("planted") != "no_opt_out_wording")
    )
    assert beside.filter(pl.col("opt_out_wording") != wording).is_empty()


def test_pumped_numbers_are_runs_and_no_other_is(beside):
    runs = beside.filter("in_number_run")
    assert set(runs["planted"]) == {"pumped-prefix"}
    assert runs.height == beside.filter(planted="pumped-prefix").height
    prefix = beside["e164"].str.slice(1, 7)
    assert beside["number_prefix"].equals(prefix, check_names=False)


def test_whoever_was_skipped_is_told_with_why_and_whom(company):
    skipped = rows(company, ASKED).filter(pl.col("skipped").is_not_null())
    truth = company.world.skipped.filter(pl.col("way").is_in(["twilio", "turbosms"]))
    counted = dict(skipped.group_by("skipped").agg(pl.col("messages").sum()).rows())
    assert counted == dict(truth.group_by("skipped").agg(pl.len()).rows())
    assert set(skipped["contact"]) == set(digests(truth["contact_id"].unique(), "contact "))


def of_days(column="at"):
    return pl.col(column).dt.convert_time_zone(KYIV).dt.date().is_between(FIRST, LAST)


def test_orders_and_refunds_are_the_shops_each_once(company):
    orders, truth = rows(company, ORDERS), company.world.shop.orders.filter(of_days())
    assert company.world.shop.orders["doubled"].sum() > 3
    for kind, word in (("order", "продаж"), ("refund", "повернення")):
        mine, theirs = orders.filter(kind=kind), truth.filter(kind=word)
        at_shop = theirs.filter(pl.col("at") <= company.sandbox.clock.now())
        assert mine.height == at_shop.height
        assert mine["amount_micro"].sum() == at_shop["amount_micro"].sum()
    sold = orders.filter(kind="order")
    assert set(sold["event_id"]) == set(truth.filter(kind="продаж")["number"])
    assert set(orders.filter(kind="refund")["refund_of"]) <= set(
        company.world.shop.orders["number"]
    )
    phones = truth.filter(kind="продаж")["phone"].drop_nulls()
    assert set(sold["recipient"].drop_nulls()) == set(digests(phones.unique()))
    assert sold.filter(pl.col("recipient").is_null() & pl.col("contact").is_null()).is_empty()


def test_clicks_replies_refusals_and_consents_are_what_happened(company):
    engaged, now = company.world.engaged.seen(company.sandbox.clock.now()), company.sandbox.clock
    clicks = rows(company, CLICKS)
    truth = engaged.clicks.filter(of_days())
    assert set(clicks["event_id"]) == set(truth["event_id"])
    assert set(clicks["network"].drop_nulls().str.extract(r"/(\d+)$")) == {"24"}
    replies = engaged.replies.filter(of_days(), way="twilio")
    told = rows(company, REPLIES)
    assert told.filter(intent="opt_out").height == replies.filter("opt_out").height
    listed = rows(company, OPT_OUTS)
    happened = engaged.opt_outs.filter(pl.col("at") <= now.now())
    assert sorted(listed["opted_out_at"]) == sorted(happened["at"])
    assert set(listed["day"]) == {LAST}
    consents = company.world.shop.consents
    register = rows(company, CONSENTS)
    assert set(register["contact"]) == set(digests(consents["contact_id"], "contact "))
    assert set(register["purpose"]) == {"marketing"}


def test_the_shops_tables_are_assets_with_checks_beside_those_of_providers(company):
    defs = build_defs(company.project)
    dg.Definitions.validate_loadable(defs)
    graph = defs.resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    streams = {"shop/orders", "links/clicks", "consents/consents", "refusals/opt_outs"}
    assert {f"{layer}/{one}" for one in streams for layer in ("landing", "engagement")} <= keys
    assert not [key for key in keys if key in {"messages/shop", "cube/links", "landing/consents"}]
    checked = {key.asset_key.to_user_string() for key in graph.asset_check_keys}
    assert {f"engagement/{one}" for one in streams} <= checked
    sensors = {sensor.name for sensor in defs.sensors or ()}
    assert "files_for_cabinet" in sensors
    assert "files_for_refusals" not in sensors, "a list is read with every daily run"


def test_a_check_of_the_deployment_tries_every_table(company):
    told = {
        str(kind): result
        for name in ("shop", "links", "consents", "refusals")
        for kind, result in company.project.source(name).check_streams()
    }
    assert sorted(told) == ["clicks", "consents", "opt_outs", "orders"]
    assert all(result.ok for result in told.values())


def test_files_of_events_are_seen_once_even_when_written_anew_under_the_old_name(tmp_path):
    (tmp_path / "in").mkdir()
    settings = tmp_path / "sms_etl.toml"
    settings.write_text(FILES_OF_CLICKS, "utf-8")
    clicks = tmp_path / "in" / "clicks.csv"
    clicks.write_text("at,url\n2026-10-20 10:00:00,x.example/1\n", "utf-8")
    project = Project.open(settings)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SMS_ETL_NOW", "2026-11-02T06:00:00+00:00")
        patched.setenv("SMS_ETL_PSEUDONYM_KEY", "a key of the tests")
        sensor = build_defs(project).resolve_sensor_def("files_for_visits")

        def asked():
            return sensor.evaluate_tick(dg.build_sensor_context()).run_requests

        (first,) = asked()
        (stream,) = project.streams("visits")
        land_stream(project, "visits", stream, [])
        assert asked() == []
        clicks.write_text("at,url\n2026-10-20 11:00:00,x.example/1\n", "utf-8")
        (again,) = asked()
    assert first.run_key != again.run_key
    names = {key.to_user_string() for key in first.asset_selection}
    assert names == {"landing/visits/clicks", "engagement/visits/clicks"}


FILES_OF_CLICKS = """
[project]
name = "Promin"
first_day = 2026-10-01

[sources.visits]
kind = "file_events"
stream = "clicks"
folder = "in"
time_zone = "UTC"
columns = { at = "at", link = "url" }
"""
