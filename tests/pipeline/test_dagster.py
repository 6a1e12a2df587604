"""The Dagster layer: jobs, checks, schedules and sensors do what the library says."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from assets.build import build_defs
from assets.jobs import DAILY_JOB, REBUILD_JOB, report_job_name
from assets.partitions import RANGE_END, RANGE_START
from assets.schedules import report_run_config
from sms_etl.mail.local_server import Mailbox, running_mail_server
from sms_etl.model.schemas import CUBE
from sms_etl.project import Project
from tests.pipeline.company import DAYS, FIRST, running_company

KYIV = ZoneInfo("Europe/Kyiv")
MONDAY = datetime(2026, 11, 2, 8, 0, tzinfo=KYIV)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RANGE = {RANGE_START: "2026-10-24", RANGE_END: "2026-10-26"}


def run(project, job, instance, config=None, tags=None):
    return build_defs(project).resolve_job_def(job).execute_in_process(
        instance=instance,
        run_config={**(config.to_config_dict() if config else {}), **QUIET},
        tags=tags,
        raise_on_error=False,
    )  # fmt: skip


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def failed_steps(result):
    return {event.step_key for event in result.filter_events(lambda e: e.is_step_failure)}


def test_the_code_location_loads_with_every_asset_of_every_source(company):
    defs = build_defs(company.project)
    dg.Definitions.validate_loadable(defs)
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}

    expected = {
        f"{step}/{name}"
        for step in ("landing", "messages", "cube")
        for name in ("twilio", "turbosms", "cabinet", "gateway")
    }
    assert keys >= expected | {"landing/outbox", "findings", "editions/weekly", "mail/weekly"}


def test_a_range_of_days_runs_with_all_checks_and_tells_each_day(fresh_company, instance):
    result = run(fresh_company.project, DAILY_JOB, instance, tags=RANGE)

    assert result.success
    evaluations = result.get_asset_check_evaluations()
    assert len(evaluations) == 10 * 3 + 9 + 2 * 2
    # The days of the run are there, but yesterday is not: a backfill makes nothing fresh.
    failed = [evaluation.check_name for evaluation in evaluations if not evaluation.passed]
    assert failed == ["yesterday_is_there"] * 3
    days = _by_day(result, ["messages", "twilio"])
    assert set(days) == {"2026-10-24", "2026-10-25", "2026-10-26"}
    assert all(day["messages"].value > 0 for day in days.values())
    shown = _by_day(result, ["cube", "twilio"])["2026-10-25"]
    assert "| UA Kyivstar |" in shown["operators"].value
    assert "2026-10-25" in Path(shown["chart"].value).read_text("utf-8")


def _by_day(result, key):
    """Metadata of an asset's days."""
    return {
        event.partition: event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key.path == key
    }


def test_one_source_failing_does_not_stop_another(fresh_company, instance, monkeypatch):
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "wrong-secret-word")

    result = run(fresh_company.project, DAILY_JOB, instance, tags=RANGE)

    assert failed_steps(result) == {"landing__twilio"}
    done = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
    assert {"cube/turbosms", "cube/cabinet", "cube/gateway"} <= done
    assert "messages/twilio" not in done
    logged = " ".join(str(entry) for entry in instance.all_logs(result.run_id))
    assert "twilio" in logged
    assert "wrong-secret-word" not in logged


def test_a_page_changed_in_landing_blocks_what_comes_after(fresh_company, instance):
    run(fresh_company.project, DAILY_JOB, instance, tags=RANGE)
    landing = fresh_company.project.landing
    page = landing.pages(landing.manifests("twilio", [date(2026, 10, 25)]))[0]
    body = bytearray(page.path.read_bytes())
    body[-5] ^= 1
    page.path.write_bytes(bytes(body))

    result = run(fresh_company.project, DAILY_JOB, instance, tags=RANGE)

    assert not result.success
    failed = {e.check_name for e in result.get_asset_check_evaluations() if not e.passed}
    assert failed == {"pages_are_what_was_received", "yesterday_is_there"}


def test_rebuilding_talks_to_no_provider(fresh_company, instance):
    run(fresh_company.project, DAILY_JOB, instance, tags=RANGE)
    before = fresh_company.project.lake.scan(CUBE).collect()
    asked = len(fresh_company.sandbox.requests_log)

    result = run(fresh_company.project, REBUILD_JOB, instance, tags=RANGE)

    assert result.success
    assert len(fresh_company.sandbox.requests_log) == asked
    assert fresh_company.project.lake.scan(CUBE).collect().sort(CUBE.names).equals(
        before.sort(CUBE.names)
    )  # fmt: skip


def test_a_report_run_by_hand_mails_nobody_unless_told_to(tmp_path, instance):
    with (
        running_mail_server(tmp_path / "mailbox") as server,
        running_company(tmp_path / "promin", mail_port=server.port) as company,
    ):
        run(company.project, DAILY_JOB, instance,
            tags={RANGE_START: "2026-10-26", RANGE_END: "2026-10-31"})  # fmt: skip
        weekly = company.project.settings.subscriptions[0]
        result = run(
            company.project, report_job_name(weekly), instance,
            report_run_config(weekly, MONDAY, send=False),
        )  # fmt: skip
        mails = Mailbox(tmp_path / "mailbox").messages()

    assert result.success
    assert mails == []


def test_a_report_waits_for_its_data_and_goes_out_by_itself_once(tmp_path, instance, monkeypatch):
    def tick(moment):
        monkeypatch.setenv("SMS_ETL_NOW", moment.isoformat())
        sensor = build_defs(company.project).resolve_sensor_def("deliver_weekly")
        return sensor.evaluate_tick(dg.build_sensor_context(instance=instance))

    def told(mailbox):
        return sorted((mail["To"], mail["Subject"]) for mail in mailbox.messages())

    with (
        running_mail_server(tmp_path / "mailbox") as server,
        running_company(tmp_path / "promin", mail_port=server.port) as company,
    ):
        mailbox = Mailbox(tmp_path / "mailbox")
        new = tick(MONDAY - timedelta(days=4))
        assert "due before the subscription was looked at" in new.skip_message
        for minutes in (0, 2):
            held = tick(MONDAY + timedelta(minutes=minutes))
            assert "Waiting for data: twilio: not pulled: 2026-10-26" in held.skip_message
        ((owner, subject),) = told(mailbox)
        assert owner == "data-team@promin.example"
        assert "Report 'weekly' waits for data" in subject
        run(company.project, DAILY_JOB, instance,
            tags={RANGE_START: "2026-10-19", RANGE_END: "2026-11-01"})  # fmt: skip
        # The last export of the cabinet has not been dropped; at the deadline it goes without.
        held = tick(MONDAY + timedelta(minutes=30))
        assert held.skip_message == "Waiting for data: cabinet: not pulled: 2026-11-01"
        (request,) = tick(MONDAY + timedelta(hours=24)).run_requests
        weekly = company.project.settings.subscriptions[0]
        result = build_defs(company.project).resolve_job_def(report_job_name(weekly))
        result = result.execute_in_process(
            instance=instance, run_config={**request.run_config, **QUIET}, raise_on_error=False
        )
        assert result.success
        assert {to for to, _ in told(mailbox)} == {owner, *weekly.readers}
        letters = {subject for to, subject in told(mailbox) if to != owner}
        assert all(subject.startswith(("Incomplete", "Неповний")) for subject in letters)
        done = tick(MONDAY + timedelta(hours=25))
        assert f"is sent ({len(weekly.readers)} sent)" in done.skip_message
        by_hand = report_run_config(weekly, MONDAY, send=True)
        assert run(company.project, report_job_name(weekly), instance, by_hand).success
    assert len(told(mailbox)) == 1 + len(weekly.readers), "nobody gets it twice"


def test_a_backfill_or_rebuild_cannot_mail(tmp_path, instance):
    with (
        running_mail_server(tmp_path / "mailbox") as server,
        running_company(tmp_path / "promin", mail_port=server.port) as company,
    ):
        defs = build_defs(company.project)
        graph = defs.resolve_asset_graph()
        mails = {key for key in graph.get_all_asset_keys() if key.path[0] == "mail"}
        assert mails
        assert not any(graph.get(key).is_partitioned for key in mails)
        for name in defs.get_repository_def().job_names:
            if not name.startswith(("report_", "__ASSET_JOB")):
                chosen = defs.resolve_job_def(name).asset_layer.selected_asset_keys
                assert not mails & set(chosen), name
        day = {RANGE_START: "2026-10-26", RANGE_END: "2026-10-26"}
        for name in (DAILY_JOB, REBUILD_JOB):
            assert run(company.project, name, instance, tags=day).success
        weekly = company.project.settings.subscriptions[0]
        config = report_run_config(weekly, MONDAY, send=True)
        job = report_job_name(weekly)
        assert run(company.project, job, instance, config, {"dagster/backfill": "abc"}).success
    assert Mailbox(tmp_path / "mailbox").messages() == []


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 3, 29, 4, 30, tzinfo=KYIV), "2026-03-28"),
        (datetime(2026, 10, 25, 4, 30, tzinfo=KYIV), "2026-10-24"),
        (datetime(2026, 10, 26, 4, 30, tzinfo=KYIV), "2026-10-25"),
    ],
)
def test_every_day_asks_for_yesterday_also_on_the_nights_clocks_change(company, moment, day):
    defs = build_defs(early(company.project))
    schedule = defs.resolve_schedule_def("every_day")

    (request,) = schedule.evaluate_tick(
        dg.build_schedule_context(scheduled_execution_time=moment, repository_def=repository(defs))
    ).run_requests

    assert request.partition_key == day


def test_the_settling_schedule_asks_for_the_last_days_in_one_run(company):
    defs = build_defs(company.project)
    moment = datetime(2026, 10, 25, 6, 15, tzinfo=KYIV)

    (request,) = defs.resolve_schedule_def("settle_late_receipts").evaluate_tick(
        dg.build_schedule_context(scheduled_execution_time=moment)
    ).run_requests  # fmt: skip

    assert request.tags[RANGE_START] == "2026-10-21"
    assert request.tags[RANGE_END] == "2026-10-24"


def test_the_folder_sensor_asks_for_the_days_that_new_files_cover(fresh_company):
    defs = build_defs(fresh_company.project)
    sensor = defs.resolve_sensor_def("files_for_cabinet")

    (request,) = sensor.evaluate_tick(dg.build_sensor_context()).run_requests

    assert request.tags[RANGE_START] == FIRST.isoformat()
    assert {key.to_user_string() for key in request.asset_selection} == {
        "landing/cabinet", "messages/cabinet", "cube/cabinet"
    }  # fmt: skip
    assert DAYS[0] <= date.fromisoformat(request.tags[RANGE_END]) <= DAYS[-1] + timedelta(days=1)


def test_a_failed_run_is_told_to_the_owner_without_secrets(tmp_path, instance, monkeypatch):
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "wrong-secret-word")
    with (
        running_mail_server(tmp_path / "mailbox") as server,
        running_company(tmp_path / "promin", mail_port=server.port) as company,
    ):
        monkeypatch.setenv("TWILIO_AUTH_TOKEN", "wrong-secret-word")
        result = run(company.project, DAILY_JOB, instance, tags=RANGE)
        defs = build_defs(company.project)
        context = dg.build_run_status_sensor_context(
            sensor_name="tell_the_owner",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
        ).for_run_failure()
        defs.resolve_sensor_def("tell_the_owner")(context)
        mails = Mailbox(tmp_path / "mailbox").messages()
        (mail,) = [mail for mail in mails if "landing__twilio" in mail["Subject"]]

    text = mail.get_body(("plain",)).get_content()
    assert mail["To"] == "data-team@promin.example"
    assert "landing__twilio" in text
    assert "2026-10-24 to 2026-10-26" in text
    assert "wrong-secret-word" not in text


def test_secrets_are_nowhere_in_what_the_ui_is_given(company, monkeypatch):
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "wrong-secret-word")
    from dagster._core.remote_representation.external_data import RepositorySnap

    snapshot = RepositorySnap.from_def(repository(build_defs(company.project)))

    assert "wrong-secret-word" not in dg.serialize_value(snapshot)


def repository(defs):
    return defs.get_repository_def()


def early(project: Project) -> Project:
    """The same project, begun a year before."""
    settings = project.settings
    begun = settings.project.model_copy(update={"first_day": date(2025, 1, 1)})
    return Project(settings.model_copy(update={"project": begun}))
