"""Settings: each mistake names the file, the key, and what is allowed."""

import pytest

from sms_etl.config import load_settings
from sms_etl.errors import ConfigError

GOOD = """
[project]
name = "Крамниця"
first_day = 2026-08-01

[sources.gateway]
kind = "sql"
url = "sqlite:///gateway.sqlite"
table = "sms_log"
time_zone = "UTC"
columns = { message_id = "id", recipient = "phone", status = "word", created_at = "submitted_at" }
"""


def settings_from(tmp_path, text):
    path = tmp_path / "sms_etl.toml"
    path.write_text(text, "utf-8")
    return load_settings(path)


def test_a_missing_file_says_where_it_was_sought(tmp_path):
    with pytest.raises(ConfigError, match=r"no settings file .*nowhere\.toml.*SMS_ETL_CONFIG"):
        load_settings(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("first_day = 2026-08-01", ""), r"project\.first_day: this key is missing"),
        (("first_day", "frist_day"), r"project\.frist_day: .* did you mean 'first_day'\?"),
        (('kind = "sql"', 'kind = "pigeon"'), r"sources\.gateway\.kind: 'pigeon' .*allowed: .*sql"),
        (("[sources.gateway]", "[sources.Gate-Way]"), r"sources\.Gate-Way"),
        (
            ('name = "Крамниця"', 'name = "К"\nbusiness_time_zone = "Europe/Kyyiv"'),
            r"project\.business_time_zone: 'Europe/Kyyiv' is not an IANA time zone",
        ),
        (("[project]", "[project"), "not valid TOML"),
    ],
)
def test_mistakes_name_the_key_and_what_is_allowed(tmp_path, change, complaint):
    with pytest.raises(ConfigError, match=complaint):
        settings_from(tmp_path, GOOD.replace(*change))


def test_a_secret_is_known_by_its_variable_only(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", "tell-nobody")
    text = GOOD.replace('name = "Крамниця"', 'name = "К"\npseudonym_key = "MY_KEY"')
    settings = settings_from(tmp_path, text)

    assert settings.project.pseudonym_key.get() == "tell-nobody"
    assert "tell-nobody" not in repr(settings) + settings.model_dump_json()


def test_an_unset_secret_names_its_variable(tmp_path, monkeypatch):
    monkeypatch.delenv("SMS_ETL_PSEUDONYM_KEY", raising=False)

    with pytest.raises(ConfigError, match="SMS_ETL_PSEUDONYM_KEY is not set"):
        settings_from(tmp_path, GOOD).project.pseudonym_key.get()


SUBSCRIBED = (
    GOOD
    + """
[mail]
host = "localhost"
port = 25
sender = "Reports <reports@example.com>"
owner = "owner@example.com"
allowed_domains = ["example.com"]

[[subscriptions]]
name = "weekly"
readers = ["olena@example.com"]
filters = { country = ["PL"], sender = ["KRAM"] }
sections = ["daily", "reasons"]
formats = ["pdf", "xlsx"]
only_if = { delivery_below = 0.95, findings = ["delivery_drop"] }
"""
)


def test_a_subscription_as_reviewed_text(tmp_path):
    (weekly,) = settings_from(tmp_path, SUBSCRIBED).subscriptions
    assert weekly.formats == ("pdf", "xlsx")
    assert weekly.filters.given() == {"country": ("PL",), "sender": ("KRAM",)}
    assert weekly.sections == ("daily", "reasons")
    assert (weekly.cron, weekly.deadline_hours, weekly.if_empty) == ("0 8 * * 1", 24, "note")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("readers =", "redaers =", r"subscriptions\.0\.redaers: .* did you mean 'readers'\?"),
        ("country =", "contry =", r"subscriptions\.0\.filters\.contry: .* 'country'\?"),
        ("olena@example.com", "x@evil.org", r"\.readers: x@evil\.org is not of mail\.allowed_dom"),
        ("olena@example.com", "олена@example.com", r"subscriptions\.0\.readers: few mail servers"),
        ('"daily"', '"dayly"', r"'weekly'\.sections: 'dayly' is not known; allowed: .*daily"),
        ('"delivery_drop"', '"drop"', r"only_if\.findings: 'drop' is not known; allowed: any, "),
        ('"xlsx"', '"xls"', r"subscriptions\.0\.formats\.1: .*'xlsx'"),
        (
            'name = "weekly"',
            'name = "w"\ncron = "0 8 * *"',
            r"subscriptions\.0\.cron: '0 8 \* \*' is",
        ),
        ('name = "weekly"', 'name = "w"\ncurrency = "UAH"', r"currency needs rates: add \[money\]"),
        ("country = ", 'source = ["x"], country = ', r"filters\.source: no such source: x"),
        (
            'delivery_below = 0.95, findings = ["delivery_drop"]',
            "changed = false",
            r"only_if: give",
        ),
        ("port = 25", 'port = 25\nunsubscribe_url = "https://x.example"', r"mail: unsubscribe_url"),
    ],
)
def test_mistakes_in_subscriptions_name_the_key(tmp_path, old, new, complaint):
    text = SUBSCRIBED.replace(old, new)
    assert text != SUBSCRIBED
    with pytest.raises(ConfigError, match=complaint):
        settings_from(tmp_path, text)
