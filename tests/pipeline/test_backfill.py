"""A backfill: rehearsed first, worked off in chunks, gone on with where it stopped."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import polars as pl
import pytest
from sqlalchemy import func, insert, select
from typer.testing import CliRunner

from assets.attribution import is_attributed
from assets.build import build_defs
from assets.clean_base import clean_base_keys
from sms_etl import cli
from sms_etl.backfill.rehearsal import rehearse
from sms_etl.backfill.run import chunks_of, run_backfill
from sms_etl.config.settings import Language, ReportKind
from sms_etl.days import days_between
from sms_etl.errors import ConfigError, StoreError
from sms_etl.mail.ledger import Ledger
from sms_etl.model.schemas import CUBE, MESSAGES
from sms_etl.pipeline import land_source
from sms_etl.project import Project
from sms_etl.publish import ReportOrder, editions, figures_of
from sms_etl.sources.sql import Sql
from sms_etl.store.backfills import ChunkState
from sms_etl.store.files import only_one
from sms_etl.store.tables import BACKFILL_CHUNKS, DAILY_COUNTS, EDITIONS, MAIL_LEDGER
from tests.pipeline.company import FIRST, land_and_rebuild

LAST = date(2026, 10, 12)
DAYS = days_between(FIRST, LAST)
CHUNK_DAYS = 5
SOURCES = ["twilio", "turbosms", "cabinet", "gateway"]


@pytest.fixture
def project(fresh_company):
    """The company, whose backfills take five days a chunk."""
    path = fresh_company.project.settings.path
    text = path.read_text("utf-8")
    path.write_text(text.replace("[project]\n", f"[project]\nbackfill_chunk_days = {CHUNK_DAYS}\n"))
    return Project.open(path)


def dearer(project):
    """The same deployment after its tariff was corrected."""
    path = project.settings.path
    path.write_text(path.read_text("utf-8").replace("price_per_part = 0.98", "price_per_part = 1"))
    return Project.open(path)


def cube(project):
    return project.lake.scan(CUBE, FIRST, LAST).collect().sort(CUBE.names)


def counts(project):
    columns = DAILY_COUNTS.c
    query = select(columns.day, columns.source, func.sum(columns.cost_micro)).group_by(
        columns.day, columns.source
    )
    with project.warehouse.read() as connection:
        return sorted(tuple(row) for row in connection.execute(query))


def mailed_edition(project, edition_id, first, last):
    """A row of an edition that one reader was given."""
    moment = datetime(2026, 10, 13, 5, tzinfo=UTC)
    hashes = ("figures_sha256", "figures_file_sha256", "html_sha256", "pdf_sha256", "chart_sha256")
    with project.warehouse.write() as connection:
        connection.execute(
            insert(EDITIONS).values(
                id=edition_id, report="period", period="week", first_day=first, last_day=last,
                campaign="", audience="weekly", language="uk", revision=1, folder=edition_id,
                data_as_of=moment, created_at=moment, **dict.fromkeys(hashes, "0" * 64),
            )
        )  # fmt: skip
    ledger = Ledger(project.warehouse)
    claim = ledger.claim(edition_id, "olena@promin.example", f"<{edition_id}@promin>", moment)
    with project.warehouse.write() as connection:
        connection.execute(
            MAIL_LEDGER.update().where(MAIL_LEDGER.c.id == claim.row_id).values(state="sent")
        )


def test_days_are_cut_in_chunks_that_cover_each_day_once():
    chunks = chunks_of(FIRST, LAST, CHUNK_DAYS)
    assert chunks == [
        (date(2026, 10, 1), date(2026, 10, 5)),
        (date(2026, 10, 6), date(2026, 10, 10)),
        (date(2026, 10, 11), date(2026, 10, 12)),
    ]


def test_a_backfill_gives_what_the_daily_steps_give(fresh_company, project):
    summary = run_backfill(project, FIRST, LAST, SOURCES, pull=True)

    assert not summary.failed
    assert [c.state for c in summary.chunks] == [ChunkState.DONE] * 3 * (len(SOURCES) + 2)
    by_chunks = cube(project)
    assert by_chunks.height > 0
    land_and_rebuild(project, DAYS)
    assert cube(project).equals(by_chunks)


def test_a_failed_chunk_loses_only_itself_and_is_all_that_is_done_again(fresh_company, project):
    sandbox = fresh_company.sandbox
    tokens = []

    def expire_after_first_chunk(chunk, _total):
        """TurboSMS refuses us while its second chunk is worked on."""
        if chunk.place == "turbosms":
            tokens.append(chunk)
            sandbox.set_faults(token_expired=len(tokens) == 1, provider="turbosms")

    first = run_backfill(project, FIRST, LAST, SOURCES, pull=True, tell=expire_after_first_chunk)

    assert [(c.place, c.first_day) for c in first.failed] == [("turbosms", date(2026, 10, 6))]
    assert "token" in (first.failed[0].error or "").lower()
    there = project.lake.scan(MESSAGES, FIRST, LAST, ["turbosms"]).collect()["day"].unique()
    assert not set(days_between(date(2026, 10, 6), date(2026, 10, 10))) & set(there)
    assert set(days_between(date(2026, 10, 11), LAST)) <= set(there)

    before = len(sandbox.requests_log)
    second = run_backfill(project, FIRST, LAST, SOURCES, pull=True)

    assert second.backfill.id == first.backfill.id
    assert second.backfill.resumed
    assert not second.failed
    asked = {entry.target.split("?")[0] for entry in sandbox.requests_log[before:]}
    assert asked == {"/message/status.json"}
    third = run_backfill(project, FIRST, LAST, SOURCES, pull=True)
    assert third.backfill.id != first.backfill.id


def test_a_backfill_that_died_goes_on_and_pulls_no_day_twice(fresh_company, project):
    class KilledError(Exception):
        pass

    def die(chunk, _total):
        if (chunk.place, chunk.first_day) == ("twilio", date(2026, 10, 6)):
            raise KilledError

    with pytest.raises(KilledError):
        run_backfill(project, FIRST, LAST, SOURCES, pull=True, tell=die)
    pulls = {m.pull for m in project.landing.manifests("twilio", DAYS)}
    # What the third chunk asks for came whole before the process died.
    last_chunk = [date(2026, 10, 11), LAST]
    pulls |= {m.pull for m in land_source(project, "twilio", last_chunk)}

    summary = run_backfill(project, FIRST, LAST, SOURCES, pull=True)

    assert not summary.failed
    asked = [(m.first_day, m.asked) for m in project.landing.manifests("twilio", DAYS)]
    assert len(asked) == len(set(asked))
    assert pulls <= {m.pull for m in project.landing.manifests("twilio", DAYS)}
    died_and_resumed = cube(project)
    land_and_rebuild(project, DAYS)
    assert cube(project).equals(died_and_resumed)


def test_a_rehearsal_says_which_figures_and_mailed_reports_would_move_and_keeps_nothing(
    fresh_company, project
):
    land_and_rebuild(project, DAYS)
    week = date(2026, 10, 5), date(2026, 10, 11)
    mailed_edition(project, "week-of-the-5th", *week)
    mailed_edition(project, "a-week-outside", date(2026, 9, 21), date(2026, 9, 27))
    changed = dearer(project)
    before = (
        counts(changed),
        changed.lake.version(MESSAGES),
        len(fresh_company.sandbox.requests_log),
    )

    told = rehearse(changed, FIRST, LAST, SOURCES, pull=False)

    after = counts(changed), changed.lake.version(MESSAGES), len(fresh_company.sandbox.requests_log)
    assert after == before
    assert [edition.id for edition in told.mailed] == ["week-of-the-5th"]
    foretold = {
        (one.source, one.day, one.figure, one.then, one.now, one.causes)
        for place in told.places
        for one in place.restatements
    }
    assert {source for source, *_ in foretold} == {"turbosms"}
    run_backfill(changed, FIRST, LAST, SOURCES, pull=False)
    happened = {
        (one.source, one.day, one.figure, one.then, one.now, one.causes)
        for one in changed.warehouse.restatements(FIRST, LAST)
    }
    assert foretold == happened


def test_a_rehearsal_counts_requests_by_what_earlier_pulls_took(fresh_company, project):
    land_and_rebuild(project, DAYS)
    told = rehearse(project, FIRST, LAST, ["turbosms"], pull=True)
    place = told.places[-1]
    landed = project.landing.manifests("turbosms", DAYS)
    assert place.requests == sum(len(m.pages) for m in landed)
    assert place.records == sum(m.records for m in landed)
    assert place.billed is None


def test_days_the_provider_keeps_no_more_are_named_and_not_asked_for(
    fresh_company, project, monkeypatch
):
    monkeypatch.setattr(Sql, "memory", timedelta(days=25))  # now is 2 November
    kept = date(2026, 10, 8)

    told = rehearse(project, FIRST, LAST, ["gateway"], pull=True).places[-1]
    run_backfill(project, FIRST, LAST, ["gateway"], pull=True)

    assert told.forgotten == tuple(days_between(FIRST, kept - timedelta(days=1)))
    assert told.absent == told.forgotten
    assert told.pulled == tuple(days_between(kept, LAST))
    assert project.landing.days("gateway") == set(told.pulled)
    # Never pulled, so missing; not a quiet week.
    order = ReportOrder(ReportKind.PERIOD, None, FIRST, LAST, "Europe/Kyiv", Language.ENGLISH)
    state = next(one for one in figures_of(project, order).sources if one.source == "gateway")
    assert state.missing_days == told.forgotten


def test_reclassifying_the_past_asks_no_provider_and_mails_nobody(fresh_company, project):
    land_and_rebuild(project, DAYS)
    asked = len(fresh_company.sandbox.requests_log)
    summary = run_backfill(dearer(project), FIRST, LAST, SOURCES, pull=False)
    assert sum(chunk.restated for chunk in summary.chunks) > 0
    assert len(fresh_company.sandbox.requests_log) == asked
    with project.warehouse.read() as connection:
        assert connection.scalar(select(func.count()).select_from(MAIL_LEDGER)) == 0
    assert editions(project).recent() == []


def test_two_backfills_at_once_are_refused(fresh_company, project):
    with (
        only_one(project.settings.data_dir / "backfill.lock", "A test"),
        pytest.raises(StoreError, match="under way in another process"),
    ):
        run_backfill(project, FIRST, LAST, SOURCES, pull=False)


def test_an_unknown_source_is_named(project):
    with pytest.raises(ConfigError, match="no enabled source twillio"):
        rehearse(project, FIRST, LAST, ["twillio"], pull=True)


def test_the_command_says_what_it_would_do_and_what_it_did(fresh_company, project):
    runner = CliRunner()
    days = ["--from", str(FIRST), "--to", str(LAST)]

    rehearsed = runner.invoke(cli.app, ["backfill", *days, "--source", "turbosms", "--dry-run"])
    done = runner.invoke(cli.app, ["backfill", *days, "--source", "turbosms"])

    assert rehearsed.exit_code == 0, rehearsed.output
    assert "12 days (2026-10-01 to 2026-10-12) would be pulled" in rehearsed.output
    assert "nothing was pulled, kept or mailed" in rehearsed.output
    assert done.exit_code == 0, done.output
    assert "Nobody was mailed" in done.output
    with project.warehouse.read() as connection:
        states = connection.execute(select(BACKFILL_CHUNKS.c.state)).scalars().all()
    assert states == ["done"] * 9
    assert project.lake.scan(MESSAGES).select(pl.len()).collect().item() > 0


def test_the_ui_shows_the_days_that_the_command_line_did(fresh_company, project):
    run_backfill(project, FIRST, LAST, ["gateway"], pull=True)
    defs = build_defs(project)
    sensor = defs.resolve_sensor_def("show_backfills")
    shown, cursor = [], None
    with dg.DagsterInstance.ephemeral() as instance:
        while True:
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            told = sensor.evaluate_tick(context)
            if not told.asset_events:
                assert "nothing new" in told.skip_message
                break
            cursor = told.cursor
            shown += [(e.asset_key.to_user_string(), e.partition) for e in told.asset_events]
    keys = (
        "landing/outbox", "landing/gateway", "messages/gateway", "cube/gateway",
        *(key.to_user_string() for key in clean_base_keys(project)),
        *(["engagement/attribution"] if is_attributed(project) else []),
    )  # fmt: skip
    assert sorted(shown) == sorted((key, str(day)) for day in DAYS for key in keys)


def test_a_rehearsal_leaves_sealed_days_alone_as_the_deed_does(fresh_company, project):
    land_and_rebuild(project, DAYS)
    path = project.settings.path
    sealed = path.read_text("utf-8") + "\n[retention]\nlanding_days = 7\n"
    path.write_text(sealed, "utf-8")
    changed = dearer(project)
    before = counts(changed)

    (place,) = rehearse(changed, FIRST, LAST, ["turbosms"], pull=False).places
    run_backfill(changed, FIRST, LAST, ["turbosms"], pull=False)

    assert (place.landed, place.messages, place.restatements) == ((), 0, ())
    assert counts(changed) == before
