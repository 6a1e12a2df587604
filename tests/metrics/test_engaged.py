"""Clicks, reads, replies and refusals of small companies, counted by hand."""

from datetime import date, timedelta

import polars as pl

from sms_etl.metrics.cohort import Cohort
from sms_etl.metrics.engaged import EngagementTables, engagement, refusals_of
from sms_etl.model.attribution import JUDGED_CLICKS
from sms_etl.model.engagement import CLICKS, OPT_OUTS, REPLIES
from tests.engagement.clicked import START, at, messages

DAY = date(2026, 10, 5)
COHORT = Cohort(days=(DAY, DAY), zone="Europe/Kyiv", as_of=START + timedelta(days=30))


def rows(table, given, defaults):
    filled = [dict.fromkeys(table.names) | defaults | row for row in given]
    for number, row in enumerate(filled):
        row["event_id"] = row["event_id"] or f"e{number}"
    return pl.DataFrame(filled, schema=table.schema).lazy()


def judged(*given):
    return rows(
        JUDGED_CLICKS,
        given,
        {
            "day": DAY, "source": "links", "clicked_at": at(1), "period_seconds": 0, "clicks": 1,
            "tie": "message", "message_source": "shop", "campaign": "sale", "recipient": "olena",
            "submitted_at": at(),
        },
    )  # fmt: skip


def replies(*given):
    return rows(
        REPLIES,
        given,
        {"day": DAY, "source": "shop", "received_at": at(1), "recipient": "olena",
         "intent": "other"},
    )  # fmt: skip


def opt_outs(*given):
    return rows(
        OPT_OUTS, given, {"day": DAY, "source": "list", "opted_out_at": at(1), "recipient": "olena"}
    )


def figures(sent, cohort=COHORT, **tables):
    return engagement(EngagementTables(messages(*sent).lazy(), **tables), cohort)


def test_nothing_is_said_where_nothing_is_known():
    assert figures([{}]) is None


def test_a_text_opened_twice_by_a_person_and_once_by_a_robot_is_one_of_two():
    found = figures(
        [{"message_id": "m1"}, {"message_id": "m2", "recipient": "petro"}],
        judged=judged(
            {"message_id": "m1"},
            {"message_id": "m1", "clicked_at": at(5)},
            {"message_id": "m1", "robot_rule": "user_agent"},
            {"message_id": "m2", "robot_rule": "too_soon", "recipient": "petro"},
        ),
    )
    whole = found.whole
    assert (whole.clicked.numerator, whole.clicked.denominator) == (1, 2)
    assert (whole.clicks, whole.people_clicked) == (2, 1)
    assert whole.robots == {"too_soon": 1, "user_agent": 1}
    assert whole.clicked.mature


def test_only_delivered_texts_with_a_link_are_in_the_click_rate():
    found = figures(
        [
            {"message_id": "open"},
            {"message_id": "no-link", "links": 0},
            {"message_id": "no-text", "links": None},
            {"message_id": "failed", "status_class": "failed"},
            {"message_id": "silent", "status_class": "unknown"},
        ],
        judged=judged({"message_id": "open"}, {"message_id": "silent"}, {"message_id": "no-text"}),
    )
    assert (found.whole.clicked.numerator, found.whole.clicked.denominator) == (1, 1)
    assert (found.whole.texts_unknown, found.whole.clicks, found.whole.delivered) == (1, 3, 3)


def test_clicks_too_late_do_not_count_and_the_rate_is_provisional_until_then():
    sent = [{"message_id": "m1"}]
    late = judged(
        {"message_id": "m1", "clicked_at": at(24 * 7 + 1)},
        {"message_id": "m1", "robot_rule": "provider"},
    )
    found = figures(sent, judged=late)
    assert (found.whole.clicked.numerator, found.whole.clicks) == (0, 0)
    early = Cohort(days=(DAY, DAY), zone="Europe/Kyiv", as_of=START + timedelta(days=7))
    assert not figures(sent, early, judged=late).whole.clicked.mature


def test_a_campaign_whose_links_nobody_watches_is_in_no_click_rate():
    found = figures(
        [{"message_id": "m1"}, {"message_id": "m2", "campaign": "news"}],
        judged=judged({"message_id": "m1"}),
    )
    rates = {one.campaign: one.clicked for one in found.by_campaign}
    assert rates["news"] is None
    assert rates["sale"].denominator == found.whole.clicked.denominator == 1


def test_clicks_on_a_campaigns_link_count_as_clicks_and_in_no_rate():
    found = figures(
        [{"message_id": "m1"}],
        judged=judged(
            {"tie": "link", "message_source": None, "recipient": None, "clicks": 40,
             "period_seconds": 86_400},
            {"tie": "none", "message_source": None, "recipient": None, "campaign": None},
        ),
    )  # fmt: skip
    assert (found.whole.clicks, found.whole.clicked, found.untied_clicks) == (40, None, 1)


def test_reads_are_those_of_channels_that_report_them_and_never_of_sms():
    viber = {"source": "viber", "channel": "viber"}
    found = figures(
        [
            viber | {"message_id": "r", "status": "Read"},
            viber | {"message_id": "d", "status": "Delivered"},
            {"message_id": "sms", "status": "read"},
            {"message_id": "rcs", "channel": "rcs"},
        ]
    )
    assert (found.whole.read.numerator, found.whole.read.denominator) == (1, 2)
    assert found.read_channels == ("viber",)


def test_the_last_message_before_a_refusal_loses_the_person():
    found = figures(
        [
            {"message_id": "early", "submitted_at": at(-1), "done_at": at(-1), "campaign": "news"},
            {"message_id": "last"},
            {"message_id": "failed", "status_class": "failed"},
            {"message_id": "petro's", "recipient": "petro"},
        ],
        replies=replies({"received_at": at(5), "intent": "opt_out"}),
        opt_outs=opt_outs({"opted_out_at": at(5, 180)}, {"opted_out_at": at(-24 * 40)}),
    )
    counts = {
        one.campaign: [(o.window_hours, o.rate.numerator) for o in one.opt_outs]
        for one in found.by_campaign
    }
    assert counts == {"sale": [(4, 0), (24, 1), (72, 1)], "news": [(4, 0), (24, 0), (72, 0)]}
    assert found.whole.opt_outs[1].rate.denominator == 3


def test_a_reply_a_list_and_a_list_again_are_one_refusal_until_the_person_comes_back():
    told = refusals_of(
        replies(
            {"received_at": at(0), "intent": "opt_out"},
            {"received_at": at(10), "intent": "opt_in"},
            {"received_at": at(20), "intent": "opt_out"},
            {"received_at": at(24 * 60), "intent": "opt_out"},
            {"received_at": at(1), "intent": "help"},
            {"received_at": at(1), "intent": "opt_out", "recipient": "petro"},
        ).collect(),
        opt_outs(
            {"opted_out_at": at(0, 180)}, {"opted_out_at": at(0, 180), "day": date(2026, 10, 6)}
        ).collect(),
    )
    olena = told.filter(recipient="olena")["at"].to_list()
    assert olena == [at(0), at(20), at(24 * 60)]
    assert told.filter(recipient="petro").height == 1


def test_a_refusal_that_names_only_the_customer_is_of_the_numbers_written_to():
    found = figures(
        [{"message_id": "m1", "contact": "c1"}, {"message_id": "m2", "recipient": "petro"}],
        opt_outs=opt_outs({"recipient": None, "contact": "c1"}),
    )
    assert [one.rate.numerator for one in found.whole.opt_outs] == [1, 1, 1]


def test_an_answer_is_the_answered_messages():
    found = figures(
        [{"message_id": "m1", "submitted_at": at(-2)}, {"message_id": "m2"}],
        replies=replies(
            {"intent": "other"}, {"intent": "help"}, {"recipient": "nobody", "intent": "other"}
        ),
    )
    assert (found.whole.replied.numerator, found.whole.replied.denominator) == (1, 2)
    assert found.whole.replies == {"help": 1, "other": 1}


def test_clicks_of_days_that_nobody_judged_are_told():
    clicks = rows(CLICKS, [{"clicks": 7}], {"day": DAY, "source": "links", "clicked_at": at(1)})
    found = figures([{}], clicks=clicks, replies=replies({}))
    assert found.unjudged_clicks == 7
    assert figures([{}], clicks=clicks, judged=judged({"clicks": 7})).unjudged_clicks == 0


def test_a_report_on_one_campaign_counts_its_messages_alone():
    mine = Cohort((DAY, DAY), "Europe/Kyiv", COHORT.as_of, campaign="news")
    found = figures(
        [{"message_id": "m1"}, {"message_id": "m2", "campaign": "news"}],
        mine,
        judged=judged({"message_id": "m1"}, {"message_id": "m2", "campaign": "news"}),
    )
    assert (found.whole.delivered, found.whole.clicks, found.by_campaign) == (1, 1, ())
