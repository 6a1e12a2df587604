"""What becomes of a subscription that is due, minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sms_etl.config.settings import OnlyIf, Subscription
from sms_etl.mail.ledger import Ledger
from sms_etl.mail.unsubscribed import Unsubscribed
from sms_etl.project import Project
from sms_etl.readiness import Missing, missing_data
from sms_etl.subscriptions import sending
from sms_etl.subscriptions.sending import look, mail_report
from sms_etl.subscriptions.turns import Turns, TurnState
from tests.mail.world import OLENA, OWNER, PETRO, World, counts, mailbox, scripted_server
from tests.reports import samples

DUE = datetime(2026, 11, 2, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOLE = (Missing("twilio", "not pulled", (date(2026, 10, 31),)),)


class Desk:
    """A deployment with one subscription; what data is missing is set by the test."""

    def __init__(self, tmp_path, port: int, monkeypatch, figures=None, **keys) -> None:
        keys = {"cron": "0 8 * * 1"} | keys
        self.subscription = Subscription(name="monthly", readers=(OLENA, PETRO), **keys)
        self.world = World(tmp_path, port, figures)
        data = self.world.settings.project.model_copy(update={"data_dir": tmp_path})
        more = {"project": data, "subscriptions": (self.subscription,)}
        self.project = Project(self.world.settings.model_copy(update=more))
        self.missing: tuple[Missing, ...] = ()
        monkeypatch.setattr(sending, "still_missing", lambda *_: self.missing)
        monkeypatch.setattr(sending, "now", lambda: DUE + HOUR)
        self.look(-HOUR)

    def look(self, after: timedelta) -> sending.Look:
        return look(self.project, self.subscription, DUE + after)

    def mail(self) -> sending.Mailed:
        return mail_report(self.project, self.subscription, self.world.edition(), DUE)

    def state(self) -> TurnState:
        turn = Turns(self.project.warehouse).get("monthly", DUE)
        assert turn is not None
        return turn.state


@pytest.fixture
def desk(tmp_path, monkeypatch):
    with scripted_server(tmp_path / "mail") as (server, _):
        yield lambda **keys: Desk(tmp_path, server.port, monkeypatch, **keys)


def subjects(tmp_path) -> list[str]:
    return [str(mail["Subject"]) for mail in mailbox(tmp_path / "mail").get(OWNER, [])]


def test_data_that_is_there_goes_out_at_once_and_once(desk, tmp_path):
    at = desk()
    assert at.look(timedelta(0)).attempt == 1
    assert at.look(timedelta(minutes=2)).attempt is None, "the run is under way"
    assert at.mail().delivery.complete
    assert at.state() is TurnState.SENT
    assert "is sent (2 sent); next: 2026-11-09 08:00" in at.look(HOUR).told
    assert counts(tmp_path / "mail") == {OLENA: 1, PETRO: 1}


def test_late_data_holds_it_and_the_owner_is_told_once(desk, tmp_path):
    at = desk()
    at.missing = HOLE
    for minutes in (0, 2, 60):
        held = at.look(timedelta(minutes=minutes))
        assert (held.attempt, held.told) == (
            None,
            "Waiting for data: twilio: not pulled: 2026-10-31",
        )
    assert subjects(tmp_path) == ["[Аптеки] Report 'monthly' waits for data"]
    assert at.look(23 * HOUR).attempt is None
    at.missing = ()
    assert at.look(23.5 * HOUR).attempt == 1


@pytest.mark.parametrize(("choice", "attempt"), [("mark_incomplete", 1), ("withhold", None)])
def test_at_the_deadline_it_goes_out_incomplete_or_not_at_all(desk, tmp_path, choice, attempt):
    at = desk(deadline_hours=4, at_deadline=choice)
    at.missing = HOLE
    assert at.look(3.9 * HOUR).attempt is None
    assert at.look(4 * HOUR).attempt == attempt
    if choice == "withhold":
        assert at.state() is TurnState.WITHHELD
        at.missing = ()
        assert at.look(5 * HOUR).attempt is None
        assert len(subjects(tmp_path)) == 2


def test_a_reader_who_could_not_be_reached_is_tried_again_and_no_one_else(tmp_path, monkeypatch):
    with scripted_server(tmp_path / "mail", rcpt="451 try later") as (server, _):
        at = Desk(tmp_path, server.port, monkeypatch)
        assert at.look(timedelta(0)).attempt == 1
        assert at.mail().delivery.worth_retrying
        assert at.state() is TurnState.WAITING
        assert at.look(timedelta(minutes=14)).attempt is None
        assert at.look(timedelta(minutes=15)).attempt == 2
        assert at.mail().delivery.complete
    assert counts(tmp_path / "mail") == {OLENA: 1, PETRO: 1}


def test_a_server_that_is_down_for_days_is_given_up_and_told(desk, tmp_path):
    at = desk()
    assert at.look(timedelta(0)).attempt == 1
    assert at.look(48 * HOUR).attempt is None
    assert at.state() is TurnState.GIVEN_UP
    assert "was not sent to everybody" in subjects(tmp_path)[0]


def test_a_turn_nobody_looked_at_in_time_is_missed_and_told(desk, tmp_path):
    at = desk()
    assert at.look(49 * HOUR).attempt is None
    assert at.state() is TurnState.MISSED
    assert len(subjects(tmp_path)) == 1


@pytest.mark.parametrize(("choice", "mails"), [("note", 2), ("silence", 0)])
def test_a_period_without_messages_is_a_note_or_silence(desk, tmp_path, choice, mails):
    at = desk(figures=samples.nothing(), if_empty=choice)
    at.look(timedelta(0))
    at.mail()
    assert sum(counts(tmp_path / "mail").values()) == mails
    assert at.state() is (TurnState.SENT if mails else TurnState.EMPTY)


def test_a_broken_source_is_never_taken_for_an_empty_period(desk, tmp_path):
    at = desk(figures=samples.nothing(missing=True), if_empty="silence")
    at.look(timedelta(0))
    at.mail()
    (letter,) = mailbox(tmp_path / "mail")[OLENA]
    assert str(letter["Subject"]).startswith("Неповний")


def test_a_condition_that_does_not_hold_closes_the_turn_without_a_mail(desk, tmp_path):
    at = desk(only_if=OnlyIf(delivery_below=0.01))
    at.look(timedelta(0))
    assert at.mail().reason == "none of these holds: delivery_below = 0.01"
    assert at.state() is TurnState.NOT_MET
    assert counts(tmp_path / "mail") == {}


def test_who_unsubscribed_is_left_out(desk, tmp_path):
    at = desk()
    Unsubscribed(at.project.warehouse).add("monthly", OLENA, DUE)
    at.look(timedelta(0))
    assert at.mail().unsubscribed == (OLENA,)
    assert counts(tmp_path / "mail") == {PETRO: 1}
    assert [e.reader for e in Ledger(at.project.warehouse).entries(at.world.edition().id)] == [
        PETRO
    ]


def test_a_daily_report_that_still_waits_when_the_next_is_due_keeps_its_deadline(desk, tmp_path):
    at = desk(cron="0 8 * * *", period="day", at_deadline="withhold")
    at.missing = HOLE
    at.look(timedelta(0))
    assert "Waiting" in at.look(24 * HOUR).told, "of the next day"
    assert at.state() is TurnState.WITHHELD
    assert subjects(tmp_path) == [
        "[Аптеки] Report 'monthly' waits for data",
        "[Аптеки] Report 'monthly' was not sent to everybody",
        "[Аптеки] Report 'monthly' waits for data",
    ]


def test_readers_of_yesterday_are_still_tried_when_the_next_report_is_due(tmp_path, monkeypatch):
    with scripted_server(tmp_path / "mail", rcpt="451 try later") as (server, _):
        at = Desk(tmp_path, server.port, monkeypatch, cron="0 8 * * *", period="day")
        assert at.look(timedelta(0)).attempt == 1
        assert not at.mail().delivery.complete
        again = at.look(24.1 * HOUR)
        assert (again.due_at, again.attempt) == (DUE, 2)
        at.mail()
        assert at.state() is TurnState.SENT
        following = at.look(24.2 * HOUR)
        assert (following.due_at, following.attempt) == (DUE + 24 * HOUR, 1)
    assert counts(tmp_path / "mail") == {OLENA: 1, PETRO: 1}


def test_every_source_must_have_every_day(desk):
    at = desk()
    assert missing_data(at.project, date(2026, 10, 1), date(2026, 10, 31), UTC) == ()
