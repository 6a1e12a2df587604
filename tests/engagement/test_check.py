"""`sms-etl check` says of every right whether the key has it."""

import pytest
from typer.testing import CliRunner

from sms_etl.cli import app
from tests.sources.scripted_server import Reply, ScriptedServer

SETTINGS = """
[project]
name = "Promin"
first_day = 2026-10-20

[sources.shop]
kind = "infobip"
base_url = "{url}"
api_key = "INFOBIP_KEY"
{more}
"""
FORBIDDEN = Reply.of({"requestError": {"serviceException": {"text": "no scope"}}}, status=403)


@pytest.fixture
def server():
    scripted = ScriptedServer()
    yield scripted
    scripted.close()


@pytest.fixture
def check(server, tmp_path, monkeypatch):
    """Run the command where the provider answers messages and inbound so."""

    def run(messages: Reply, inbound: Reply, more: str = ""):
        def answer(asked):
            return messages if asked.target.startswith("/sms/3/logs") else inbound

        server.otherwise = answer
        path = tmp_path / "sms_etl.toml"
        path.write_text(SETTINGS.format(url=server.url, more=more), "utf-8")
        monkeypatch.setenv("SMS_ETL_CONFIG", str(path))
        monkeypatch.setenv("INFOBIP_KEY", "secret-word")
        monkeypatch.setenv("SMS_ETL_PSEUDONYM_KEY", "a key of the tests")
        return CliRunner().invoke(app, ["check"])

    return run


OK = Reply.of({"results": []})
PULLED = 'engagement = ["replies"]'


def test_a_right_that_nobody_uses_may_be_missing(check):
    result = check(OK, FORBIDDEN)
    assert result.exit_code == 0
    assert "ok   source shop: the key may read SMS logs" in result.stdout
    assert "no   source shop, replies: refused" in result.stdout
    assert "HTTP 403 (no scope). The account has no right to read this" in result.stdout
    assert "secret-word" not in result.stdout


def test_a_right_that_is_used_may_not_be_missing(check):
    result = check(OK, FORBIDDEN, PULLED)
    assert result.exit_code == 1
    assert "FAIL source shop, replies: refused" in result.stdout
    assert "ok   source shop: the key may read SMS logs" in result.stdout


def test_a_right_that_is_there_is_offered(check):
    result = check(OK, OK)
    assert result.exit_code == 0
    assert 'replies may be read, but is not pulled; add engagement = ["replies"]' in result.stdout


SENT = """
[money]
currency = "UAH"
rates = "rates.csv"

[[subscriptions]]
name = "weekly"
readers = ["olena@example.com", "petro@example.com"]
currency = "{currency}"
cron = "30 7 * * 2"
"""
TUESDAY_NOON = "2026-12-01T10:00:00+00:00"


@pytest.mark.parametrize(
    ("currency", "now", "told"),
    [
        ("USD", "2026-12-11T10:00:00+00:00", "no   rates to USD: the newest is of 2026-11-30"),
        ("EUR", TUESDAY_NOON, "FAIL rates to EUR: The rates "),
    ],
)
def test_what_goes_out_next_and_whether_its_money_can_be_told(
    check, tmp_path, monkeypatch, currency, now, told
):
    (tmp_path / "rates.csv").write_text("date,currency,rate\n2026-11-30,USD,41.5\n", "utf-8")
    monkeypatch.setenv("SMS_ETL_NOW", now)
    result = check(OK, FORBIDDEN, SENT.format(currency=currency))
    assert told in result.stdout
    assert result.exit_code == (1 if currency == "EUR" else 0)
    if now == TUESDAY_NOON:
        assert "ok   rates to UAH: are read; the newest is of 2026-11-30" in result.stdout
        assert (
            "ok   subscription weekly: next 2026-12-08 07:30 (Europe/Kyiv), cron '30 7 * * 2'; "
            "period report of a week, 2026-11-30 to 2026-12-06; to 2 readers, uk, pdf; "
            "money in EUR; goes out marked incomplete if data is missing 24 h later"
        ) in result.stdout


def test_the_rights_to_messages_and_to_replies_are_told_apart(check):
    result = check(FORBIDDEN, OK, PULLED)
    assert result.exit_code == 1
    assert "FAIL source shop: refused" in result.stdout
    assert "ok   source shop, replies: replies may be read" in result.stdout
