"""A click is tied by identifier, else by person and time, else to a campaign alone."""

from datetime import timedelta

import polars as pl

from sms_etl.engagement.ties import TIED, Tie, tied
from tests.engagement.clicked import at, clicks, messages

WEEK = timedelta(days=7)
LINKS = {"https://promin.example/s1": "sale"}


def tie(click_rows, message_rows, links=None):
    events = clicks(*click_rows).rename({"clicked_at": "at"})
    found = tied(events, messages(*message_rows).lazy(), WEEK, links or {})
    return found.select(TIED.names()).cast(TIED).rows(named=True)


def test_an_identifier_beats_all_else_and_a_forwarded_link_is_the_first_recipients():
    [row] = tie(
        [{"message_id": "m1", "recipient": "petro", "clicked_at": at(1)}],
        [
            {"message_id": "m1", "recipient": "olena", "contact": "c1"},
            {"message_id": "m2", "recipient": "petro"},
        ],
    )
    assert row == {
        "tie": Tie.MESSAGE,
        "message_source": "shop",
        "message_id": "m1",
        "campaign": "sale",
        "recipient": "olena",
        "contact": "c1",
        "submitted_at": at(),
        "delivered_at": at(),
    }


def test_an_identifier_of_two_sources_is_that_of_the_clicks_own():
    rows = [
        {"message_id": "7", "source": "links", "submitted_at": at(-5)},
        {"message_id": "7", "source": "shop"},
    ]
    assert tie([{"message_id": "7"}], rows)[0]["message_source"] == "links"
    assert tie([{"message_id": "7", "source": "else"}], rows)[0]["message_source"] == "shop"


def test_without_an_identifier_the_last_message_before_the_click_has_it():
    rows = [
        {"message_id": "old", "submitted_at": at(-30)},
        {"message_id": "last", "submitted_at": at(-2)},
        {"message_id": "later", "submitted_at": at(2)},
        {"message_id": "failed", "submitted_at": at(-1), "status_class": "failed"},
        {"message_id": "no-link", "submitted_at": at(-1), "links": 0},
        {"message_id": "petro's", "submitted_at": at(-1), "recipient": "petro"},
    ]
    [row] = tie([{"recipient": "olena"}], rows)
    assert (row["tie"], row["message_id"]) == (Tie.PERSON, "last")


def test_a_message_too_old_or_of_another_campaign_does_not_have_it():
    [old] = tie([{"recipient": "olena", "clicked_at": at(24 * 7 + 1)}], [{}])
    assert (old["tie"], old["message_id"], old["recipient"]) == (Tie.NONE, None, "olena")
    [other] = tie([{"recipient": "olena", "campaign": "news"}], [{"submitted_at": at(-1)}])
    assert (other["tie"], other["message_id"], other["campaign"]) == (Tie.CAMPAIGN, None, "news")
    [own] = tie(
        [{"recipient": "olena", "campaign": "news"}],
        [
            {"message_id": "n", "campaign": "news", "submitted_at": at(-9)},
            {"submitted_at": at(-1)},
        ],
    )
    assert (own["tie"], own["message_id"]) == (Tie.PERSON, "n")


def test_what_only_a_link_tells_is_a_campaign_and_no_person():
    [row] = tie([{}], [{}], LINKS)
    assert (row["tie"], row["campaign"], row["recipient"]) == (Tie.LINK, "sale", None)
    [unknown] = tie([{"link": "https://elsewhere.example"}], [{}], LINKS)
    assert (unknown["tie"], unknown["campaign"]) == (Tie.NONE, None)


def test_every_click_comes_back_once_and_in_its_place():
    found = tied(
        clicks({"recipient": "olena"}, {}, {"message_id": "m"}, {"message_id": "gone"}).rename(
            {"clicked_at": "at"}
        ),
        messages({"message_id": "m"}, {"message_id": "n", "submitted_at": at(-1)}).lazy(),
        WEEK,
        {},
    )
    assert found["event_id"].to_list() == [f"event_id-{n}" for n in range(4)]
    assert found["tie"].to_list() == [Tie.PERSON, Tie.NONE, Tie.MESSAGE, Tie.NONE]
    assert found.filter(pl.col("message_id") == "m").height == 2
