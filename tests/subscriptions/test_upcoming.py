"""What `sms-etl check` says of each subscription: what goes out next, when, to whom, and if."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sms_etl.config.settings import Filters, OnlyIf, ReportKind
from sms_etl.mail.unsubscribed import Unsubscribed
from sms_etl.project import Project
from sms_etl.sources.base import CheckResult
from sms_etl.subscriptions.turns import Turns
from sms_etl.subscriptions.upcoming import upcoming
from tests.mail.world import OLENA, PETRO, World, scripted_server

SUNDAY = datetime(2026, 11, 1, 7, tzinfo=UTC)


@pytest.fixture
def told(tmp_path):
    """What is said of a subscription on a Sunday morning; `before` may do something first."""

    def run(before=lambda project: None, first_day=date(2026, 1, 1), **keys) -> list[CheckResult]:
        world = World(tmp_path)
        subscription = world.subscription(OLENA, PETRO, **keys)
        data = world.settings.project.model_copy(
            update={"data_dir": tmp_path, "run_schedules": True, "first_day": first_day}
        )
        project = Project(
            world.settings.model_copy(update={"project": data, "subscriptions": (subscription,)})
        )
        before(project)
        return list(upcoming(project, SUNDAY))

    return run


def test_the_next_report_is_told_whole(told):
    (found,) = told()
    assert found.subject == "subscription monthly"
    assert found.found.split("; ") == [
        "next 2026-11-02 08:00 (Europe/Kyiv), cron '0 8 * * 1'",
        "period report of a week, 2026-10-26 to 2026-11-01",
        "to 2 readers, uk, pdf",
        "goes out marked incomplete if data is missing 24 h later",
    ]


@pytest.mark.parametrize(
    ("keys", "part"),
    [
        ({"time_zone": "America/New_York"}, "next 2026-11-02 08:00 (America/New_York), cron"),
        ({"period": "day"}, "period report of 2026-11-01"),
        ({"period": "quarter"}, "period report of a quarter, 2026-07-01 to 2026-09-30"),
        (
            {"report": ReportKind.CAMPAIGN, "campaign": "autumn"},
            "campaign report of 'autumn', its messages up to 2026-11-01",
        ),
        ({"filters": Filters(country=("PL", "UA"))}, "only country PL or UA"),
        ({"sections": ("daily", "reasons")}, "only sections daily, reasons"),
        (
            {"only_if": OnlyIf(cost_above=Decimal(500), findings=("delivery_drop",))},
            "mailed only if cost_above = 500 or findings = delivery_drop",
        ),
        ({"if_empty": "silence"}, "not mailed if there are no messages"),
        (
            {"at_deadline": "withhold", "deadline_hours": 1.5},
            "is not sent if data is missing 1.5 h later",
        ),
        ({"formats": ()}, "to 2 readers, uk, no attachment"),
    ],
)
def test_what_the_settings_say_is_said(told, keys, part):
    (found,) = told(**keys)
    assert any(one.startswith(part) for one in found.found.split("; "))


def test_readers_who_left_are_told(told):
    def leave(project):
        Unsubscribed(project.warehouse).add("monthly", PETRO, SUNDAY)
        Unsubscribed(project.warehouse).add("another", OLENA, SUNDAY)

    (found,) = told(leave)
    assert "to 2 readers (1 of them unsubscribed), uk" in found.found


def test_nobody_left_is_no_quiet_matter(told):
    def leave(project):
        for reader in (OLENA, PETRO):
            Unsubscribed(project.warehouse).add("monthly", reader, SUNDAY)

    _, found = told(leave)
    assert (found.ok, found.optional) == (False, True)
    assert found.found == "every reader has unsubscribed: it is made and mailed to nobody"


def test_a_report_of_days_before_the_first_will_be_empty(told):
    _, found = told(first_day=date(2026, 11, 2))
    assert found.found == "its days are before project.first_day (2026-11-02): it will be empty"


def test_days_that_were_mailed_already_are_told(tmp_path):
    """A monthly report that is due every Monday goes out once a month."""
    with scripted_server(tmp_path / "mail") as (server, _):
        world = World(tmp_path, server.port)
        world.deliver(OLENA)
    monthly = world.subscription(OLENA, period="month")
    data = world.settings.project.model_copy(update={"data_dir": tmp_path, "run_schedules": True})
    settings = world.settings.model_copy(update={"project": data, "subscriptions": (monthly,)})
    next_, *found = upcoming(Project(settings), SUNDAY)
    assert "period report of a month, 2026-10-01 to 2026-10-31" in next_.found
    assert [one.found for one in found] == [
        f"these days were mailed already ({world.edition().id}): only a correction is, or to a "
        f"reader who lacks them"
    ]


def test_a_report_that_is_late_is_told_beside_the_next(told):
    def wait(project):
        turns = Turns(project.warehouse)
        turns.open("monthly", datetime(2026, 10, 19, 5, tzinfo=UTC), SUNDAY)
        turn = turns.open("monthly", datetime(2026, 10, 26, 6, tzinfo=UTC), SUNDAY)
        turns.note(turn, detail="twilio: not pulled: 2026-10-25")

    _, found = told(wait)
    assert found.found == (
        "the report due 2026-10-26 08:00 (Europe/Kyiv) is still to go out: "
        "twilio: not pulled: 2026-10-25"
    )


def test_where_schedules_are_off_it_is_said_once(tmp_path):
    world = World(tmp_path)
    both = (world.subscription(OLENA), world.subscription(PETRO).model_copy(update={"name": "b"}))
    data = world.settings.project.model_copy(update={"data_dir": tmp_path})
    settings = world.settings.model_copy(update={"project": data, "subscriptions": both})
    subjects = [one.subject for one in upcoming(Project(settings), SUNDAY)]
    assert subjects == ["schedules", "subscription monthly", "subscription b"]
