"""Owners are told once of a problem, and once that it is over; silence is noticed."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import dagster as dg
import pytest
from typer.testing import CliRunner

from assets.build import build_defs
from assets.jobs import DAILY_JOB
from assets.notices import BACKFILL_TAG, outcome
from assets.partitions import RANGE_END, RANGE_START
from sms_etl import cli
from sms_etl.mail.local_server import Mailbox, running_mail_server
from sms_etl.notices import beat, tell, tell_of_stale_days
from sms_etl.project import Project
from sms_etl.store.notices import Notices, Problem
from tests.pipeline.company import NOW, land_and_rebuild, running_company

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RANGE = {RANGE_START: "2026-10-30", RANGE_END: "2026-10-31"}
BROKEN = Problem("step landing__twilio", "landing__twilio failed", "The token is wrong.")


@contextmanager
def chat_room():
    """A real receiver of Slack-shaped messages; `answers` are its next status codes."""
    texts, answers = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = answers.pop(0) if answers else 200
            if status == 200:
                texts.append(body.get("text", "beat"))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", texts, answers
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def room(fresh_company, monkeypatch):
    """The company tells a chat room, not by mail."""
    with chat_room() as (address, texts, answers):
        monkeypatch.setenv("CHAT_HOOK", address)
        path = fresh_company.project.settings.path
        block = '\n[notices]\nmail = false\nwebhook = "CHAT_HOOK"\nheartbeat_url = "CHAT_HOOK"\n'
        path.write_text(path.read_text("utf-8") + block, "utf-8")
        yield Project.open(path), texts, answers


def test_a_problem_is_told_once_and_once_that_it_is_over(room):
    project, texts, _ = room
    for _ in range(3):
        tell(project, [BROKEN])
    assert len(texts) == 1
    assert "landing__twilio failed" in texts[0]
    tell(project, [], [BROKEN.key])
    tell(project, [], [BROKEN.key])
    assert len(texts) == 2
    assert texts[1].startswith("*[Промінь] Over: landing__twilio failed*\nSeen 3 times since")
    tell(project, [BROKEN])
    assert len(texts) == 3  # it began anew


def test_a_notice_that_cannot_be_handed_over_is_told_later(room):
    project, texts, answers = room
    answers.append(500)
    assert tell(project, [BROKEN]) == []
    assert texts == []
    assert [notice.problem for notice in tell(project, [])] == [BROKEN]
    assert len(texts) == 1


def test_a_problem_that_ended_before_anybody_heard_of_it_is_never_told(room):
    project, texts, answers = room
    answers.append(503)
    tell(project, [BROKEN])
    tell(project, [], [BROKEN.key])
    assert texts == []
    assert Notices(project.warehouse).untold() == []


def test_the_address_of_the_webhook_is_in_no_error(room, monkeypatch, caplog):
    project, _, _ = room
    monkeypatch.setenv("CHAT_HOOK", "http://127.0.0.1:1/secret-path")
    tell(project, [BROKEN])
    assert "cannot be reached" in caplog.text
    assert "secret-path" not in caplog.text


def test_in_the_morning_a_missing_yesterday_is_told_and_later_that_it_came(room, fresh_company):
    project, texts, _ = room
    fresh_company.move_to(NOW)  # 8 in the morning in Kyiv: too early to say
    assert tell_of_stale_days(project) == []
    fresh_company.move_to(NOW + timedelta(hours=1))
    tell_of_stale_days(project)
    tell_of_stale_days(project)
    told = sorted(text.split("*")[1] for text in texts)
    assert told == [
        f"[Промінь] {name}: 2026-11-01 is missing" for name in ("gateway", "turbosms", "twilio")
    ]
    land_and_rebuild(project, [datetime(2026, 11, 1, tzinfo=UTC).date()])
    over = tell_of_stale_days(project)
    assert {notice.problem.key for notice in over} == {
        f"yesterday of {name}" for name in ("gateway", "turbosms", "twilio")
    }


def test_silence_of_the_scheduler_is_noticed(room, fresh_company):
    project, texts, _ = room
    runner = CliRunner()
    fresh_company.move_to(NOW)
    assert runner.invoke(cli.app, ["alive"]).exit_code == 1
    beat(project)
    assert texts == ["beat"]
    fresh_company.move_to(NOW + timedelta(minutes=30))
    assert runner.invoke(cli.app, ["alive"]).exit_code == 0
    fresh_company.move_to(NOW + timedelta(minutes=31))
    assert runner.invoke(cli.app, ["alive"]).exit_code == 1
    assert runner.invoke(cli.app, ["alive", "--within-minutes", "60"]).exit_code == 0


def daily(project, instance, tags=None):
    return build_defs(project).resolve_job_def(DAILY_JOB).execute_in_process(
        instance=instance, run_config=QUIET, tags={**RANGE, **(tags or {})}, raise_on_error=False
    )  # fmt: skip


def sensor(project, instance, name, result, event):
    context = dg.build_run_status_sensor_context(
        sensor_name=name,
        dagster_instance=instance,
        dagster_run=result.dagster_run,
        dagster_event=event,
    )
    defs = build_defs(project)
    found = defs.resolve_sensor_def(name)
    found(context.for_run_failure() if name == "tell_the_owner" else context)


def test_the_owner_of_a_source_is_told_of_its_failures_and_of_their_end(tmp_path, monkeypatch):
    with (
        running_mail_server(tmp_path / "mailbox") as server,
        running_company(tmp_path / "promin", mail_port=server.port) as company,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        path = company.project.settings.path
        text = path.read_text("utf-8")
        owned = '[sources.twilio]\nowner = "olena@promin.example"\n'
        path.write_text(text.replace("[sources.twilio]\n", owned), "utf-8")
        project = Project.open(path)
        token = company.sandbox.accounts.secret_of("twilio")
        monkeypatch.setenv("TWILIO_AUTH_TOKEN", "wrong-secret-word")
        for _ in range(2):
            failed = daily(project, instance)
            sensor(project, instance, "tell_the_owner", failed, failed.get_run_failure_event())
        monkeypatch.setenv("TWILIO_AUTH_TOKEN", token)
        mended = daily(project, instance)
        sensor(project, instance, "tell_it_is_over", mended, mended.get_run_success_event())
        mails = Mailbox(tmp_path / "mailbox").messages()

    about_twilio = [m for m in mails if "landing__twilio" in m["Subject"]]
    assert [m["Subject"] for m in about_twilio] == [
        "[Промінь] landing__twilio failed",
        "[Промінь] Over: landing__twilio failed",
    ]
    assert {m["To"] for m in about_twilio} == {"olena@promin.example"}
    assert all("wrong-secret-word" not in m.as_string() for m in mails)
    others = {m["To"] for m in mails if "gateway" in m["Subject"]}
    assert others == {"data-team@promin.example"}  # yesterday is not there


def test_a_run_that_will_be_retried_and_warnings_of_a_backfill_wake_nobody(room, monkeypatch):
    project, texts, _ = room
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "wrong")
    with dg.DagsterInstance.ephemeral() as instance:
        retried = daily(project, instance, {"dagster/will_retry": "true"})
        sensor(project, instance, "tell_the_owner", retried, retried.get_run_failure_event())
        assert texts == []
        backfilled = daily(project, instance, {BACKFILL_TAG: "abc"})
        problems, _ = outcome(project, instance, backfilled.dagster_run)
    assert [problem.key for problem in problems] == ["step landing__twilio"]
