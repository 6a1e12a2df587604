"""Every click says which rule took it for a robot's; people stay."""

import polars as pl
import pytest

from sms_etl.engagement.robots import RobotRule, RobotRules, with_robot_rule
from sms_etl.errors import ConfigError
from sms_etl.model.schemas import UTC_TIME
from tests.engagement.clicked import at, clicks

RULES = RobotRules()


def judge(*rows, rules=RULES, delivered_at=None):
    frame = clicks(*rows).with_columns(
        delivered_at=pl.lit(delivered_at, UTC_TIME), opened=pl.coalesce("message_id", "link")
    )
    return with_robot_rule(frame, rules)["robot_rule"].to_list()


@pytest.mark.parametrize(
    "agent",
    [
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "WhatsApp/2.23.20 A",
        "python-requests/2.32.3",
        "Barracuda Sentinel (EE)",
    ],
)
def test_a_robot_that_says_so_falls_to_its_user_agent(agent):
    assert judge({"user_agent": agent}) == [RobotRule.USER_AGENT]


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) Version/17.6 Mobile Safari/604.1",
        None,
    ],
)
def test_telephones_are_people(agent):
    assert judge({"user_agent": agent}) == [None]


def test_a_data_centre_is_known_by_its_network_and_by_those_of_the_settings():
    assert judge({"network": "54.160.7.0/24"}) == [RobotRule.DATA_CENTRE]
    assert judge({"network": "2a03:2880:11::/48"}) == [RobotRule.DATA_CENTRE]
    assert judge({"network": "203.0.113.0/24"}) == [None]
    mine = RobotRules(networks=("203.0.113.0/24",))
    assert judge({"network": "203.0.113.0/24"}, rules=mine) == [RobotRule.DATA_CENTRE]


def test_a_network_that_is_none_is_refused_with_its_name():
    with pytest.raises(ConfigError, match=r"robot_networks.*203.0.113.0/24"):
        judge({"network": "8.8.8.0/24"}, rules=RobotRules(networks=("a server",)))


def test_nobody_reads_a_text_in_five_seconds():
    found = judge(
        {"clicked_at": at(seconds=0)},
        {"clicked_at": at(seconds=5)},
        {"clicked_at": at(seconds=6)},
        {"clicked_at": at(seconds=-1)},
        delivered_at=at(),
    )
    assert found == [RobotRule.TOO_SOON, RobotRule.TOO_SOON, None, None]


def test_a_visitor_who_opens_many_messages_at_once_is_a_scanner():
    scanner = [
        {"message_id": f"m{n}", "clicked_at": at(seconds=2 * n), "network": "198.51.100.0/24"}
        for n in range(5)
    ]
    slow = [
        {"message_id": f"s{n}", "clicked_at": at(seconds=60 * n), "network": "192.0.2.0/24"}
        for n in range(5)
    ]
    again = [
        {"message_id": "one", "clicked_at": at(seconds=n), "network": "203.0.113.0/24"}
        for n in range(5)
    ]
    assert judge(*scanner, *slow, *again) == [RobotRule.MANY_LINKS] * 5 + [None] * 10


def test_a_person_whose_five_texts_are_opened_from_everywhere_at_once_was_scanned():
    opened = [
        {
            "message_id": f"m{n}",
            "recipient": "olena",
            "clicked_at": at(seconds=n),
            "network": f"198.51.{n}.0/24",
        }
        for n in range(5)
    ]
    assert judge(*opened) == [RobotRule.MANY_LINKS] * 5


def test_the_providers_word_comes_first_and_counts_of_a_period_are_not_judged_else():
    assert judge({"robot": True, "user_agent": "TelegramBot"}) == [RobotRule.PROVIDER]
    assert judge({"period_seconds": 86_400, "clicks": 9, "user_agent": "TelegramBot"}) == [None]
    assert judge({"period_seconds": 86_400, "clicks": 9, "robot": True}) == [RobotRule.PROVIDER]
