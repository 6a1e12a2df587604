"""A world with plants: a tidy company, and exactly what is planted on top."""

from datetime import date, timedelta

import polars as pl
import pytest
from typer.testing import CliRunner

from sms_etl.sandbox import WorldParameters, build_world, outbox_at
from sms_etl.sandbox.cli import app
from sms_etl.sandbox.company import planted_at
from sms_etl.sandbox.plants import (
    AFTER_OPT_OUT,
    BREACH_KINDS,
    FREQUENCY,
    HOLDOUT_CAMPAIGNS,
    NIGHT,
    NO_CONSENT,
    NO_WORDING,
    NOTHING,
    Plants,
)

FIRST = date(2026, 9, 1)
PLANTS = Plants()


def planted_world(plants):
    return build_world(WorldParameters(messages=12_000, first_day=FIRST, plants=plants))


@pytest.fixture(scope="module")
def planted():
    return planted_world(PLANTS)


@pytest.fixture(scope="module")
def bare():
    return planted_world(NOTHING)


@pytest.fixture(params=["planted", "bare"])
def world(request):
    return request.getfixturevalue(request.param)


def marketing(world):
    """Marketing of the company as it means to be."""
    mine = world.messages.filter(pl.col("kind") == "promo")
    return mine.filter(pl.col("planted").is_null() | ~pl.col("planted").is_in(BREACH_KINDS))


def test_the_same_parameters_give_the_same_world(planted):
    again = planted_world(PLANTS)
    assert again.messages.equals(planted.messages)
    assert again.skipped.equals(planted.skipped)
    assert again.shop.orders.equals(planted.shop.orders)
    assert again.engaged.clicks.equals(planted.engaged.clicks)


def test_nobody_is_written_to_after_a_refusal_but_those_planted(world):
    refused = world.engaged.opt_outs.select("e164", refused_at="at")
    late = marketing(world).join(refused, on="e164").filter(
        pl.col("submitted_at") > pl.col("refused_at")
    )  # fmt: skip
    assert late.is_empty()
    planted = world.messages.filter(planted=AFTER_OPT_OUT).join(refused, on="e164")
    waited = planted["submitted_at"] - planted["refused_at"]
    assert (waited > timedelta(days=10)).all()
    assert planted.height == world.messages.filter(planted=AFTER_OPT_OUT).height


def test_nobody_gets_more_than_the_cap_but_those_planted(world):
    most = (
        world.messages.filter(pl.col("kind") == "promo").drop_nulls("contact_id")
        .sort("submitted_at")
        .rolling("submitted_at", period="7d", group_by="contact_id")
        .agg(sent=pl.len(), last=pl.col("message_id").last())
        .filter(pl.col("sent") > 6)
    )  # fmt: skip
    assert set(most["last"]) == set(world.messages.filter(planted=FREQUENCY)["message_id"])


def test_no_marketing_wakes_anybody_but_those_planted(world):
    """Ukraine, and countries an hour or two behind it: at home from eight, abroad from ten."""
    hour = pl.col("submitted_at").dt.convert_time_zone("Europe/Kyiv").dt.hour()
    first = pl.when(pl.col("country") == "UA").then(8).otherwise(10)
    asleep = world.messages.filter(
        pl.col("kind") == "promo", pl.col("country").is_not_null(), (hour < first) | (hour >= 22)
    )
    abroad = world.messages.filter(planted=NIGHT, country="US")
    assert set(asleep["planted"]) <= {NIGHT}
    in_new_york = abroad["submitted_at"].dt.convert_time_zone("America/New_York").dt.hour()
    assert (in_new_york < 8).all()
    assert asleep.height + abroad.height == world.messages.filter(planted=NIGHT).height


def test_every_marketing_text_says_how_to_refuse_but_those_planted(world):
    silent = world.messages.filter(
        pl.col("kind") == "promo", ~pl.col("text").str.ends_with(": STOP")
    )
    assert set(silent["planted"]) <= {NO_WORDING}
    assert silent.height == world.messages.filter(planted=NO_WORDING).height


def test_everybody_with_a_number_gave_a_consent_but_those_planted(world):
    known = world.shop.consents["contact_id"].implode()
    without = world.messages.filter(
        pl.col("e164").is_not_null(), pl.col("contact_id").is_not_null(),
        ~pl.col("contact_id").is_in(known),
    )  # fmt: skip
    assert set(without["planted"]) <= {NO_CONSENT}


def test_people_held_out_get_nothing_of_the_campaign_and_are_a_lot_of_all(world):
    for campaign in HOLDOUT_CAMPAIGNS:
        held = world.skipped.filter(campaign=campaign, skipped="holdout")
        sent = world.messages.filter(campaign=campaign)
        assert held.join(sent, on="contact_id").is_empty()
        people = held["contact_id"].n_unique()
        assert 0.12 < people / (people + sent["contact_id"].n_unique()) < 0.18


def test_the_outbox_tells_what_was_skipped_and_where_people_come_from(planted):
    outbox = outbox_at(planted, planted.parameters.end)
    skipped = outbox.filter(pl.col("skipped").is_not_null())
    assert skipped.height == planted.skipped.height
    assert skipped["message_id"].null_count() == skipped.height
    assert set(outbox["contact_source"]) == {"shop", "website", "app", "lottery"}


def test_campaigns_cause_what_the_knob_says_and_nothing_in_the_bare_world(planted, bare):
    for lift in planted_at(planted, planted.parameters.end)["lifts"]:
        assert 0.04 < lift["true_lift"] < 0.14
        assert lift["held_bought"] == lift["held_bought_anyway"]
    assert [one["true_lift"] for one in planted_at(bare, bare.parameters.end)["lifts"]] == [0, 0]
    assert bare.shop.orders["caused_by"].null_count() == bare.shop.orders.height


def test_what_is_planted_is_named_and_what_is_not_is_absent(planted, bare):
    truth = planted_at(planted, planted.parameters.end)
    kinds = [one["kind"] for one in truth["breaches"]]
    assert set(kinds) == set(BREACH_KINDS)
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "after_opt_out": 6, "night": 12, "frequency": 12, "no_consent": 6, "no_opt_out_wording": 6,
    }  # fmt: skip
    assert all(factor["failed_by_it"] > 30 for factor in truth["factors"])
    assert truth["faked_route"]["messages"] > 100
    assert truth["pumped_prefix"]["prefixes"] == ["9945077"]
    assert bare.messages["planted"].null_count() == bare.messages.height


def test_a_faked_receipt_is_told_at_once_and_nobody_opens_its_link(planted):
    faked = planted.messages.filter(planted="faked-route")
    assert set(faked["class"]) == {"delivered"}
    assert set(faked["done_at"] - faked["submitted_at"]) == {timedelta(0)}
    assert faked.join(planted.engaged.clicks, on="message_id").is_empty()
    assert faked.join(planted.engaged.replies, on="message_id").is_empty()


def test_the_pumped_numbers_follow_each_other_and_nobody_knows_them(planted):
    pumped = planted.messages.filter(planted="pumped-prefix").sort("e164")
    numbers = pumped["e164"].str.strip_prefix("+").cast(pl.Int64)
    assert set(numbers.diff().drop_nulls()) == {1}
    assert pumped["contact_id"].null_count() == pumped.height
    assert pumped["text"].str.contains(r"^\d{6} — ваш код").all()


def test_the_command_writes_the_company_that_is_asked_for(tmp_path):
    for planted, there in (("no-shop", False), ("all", True)):
        out = tmp_path / planted
        words = ["files", "--planted", planted, "--messages", "400", "--days", "5"]
        result = CliRunner().invoke(app, [*words, "--out", str(out)])
        assert result.exit_code == 0, result.output
        assert (out / "shop.sqlite").exists() is there
        assert (out / "planted.json").exists() is there
