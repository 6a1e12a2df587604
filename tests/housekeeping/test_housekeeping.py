"""Erasure, export, retention and another key: nothing of the person is left, the sums stay."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from assets.housekeeping import remove_runs
from sms_etl import cli
from sms_etl.backfill.run import run_backfill
from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import Language, ReportKind
from sms_etl.derived import rebuild_derived
from sms_etl.errors import ConfigError
from sms_etl.housekeeping.erase import erase, held_pages, page_body, person_of
from sms_etl.housekeeping.export import held_about
from sms_etl.housekeeping.masking import marks_of
from sms_etl.housekeeping.retention import apply_retention
from sms_etl.housekeeping.rotate import rotate_key
from sms_etl.housekeeping.steps import keep_up_tables
from sms_etl.model.schemas import CUBE, LATENCY, MESSAGES
from sms_etl.pipeline import rebuild_cube, rebuild_messages
from sms_etl.project import Project
from sms_etl.publish import ReportOrder, figures_of
from sms_etl.store.audit import Lift, lifts, record_lift
from sms_etl.store.tables import ERASURES
from tests.pipeline.company import DAYS, NOW, land_and_rebuild, running_company

SOME_DAYS = DAYS[:10]
WHY = "letter of 3 November"


@pytest.fixture
def project(tmp_path):
    with running_company(tmp_path / "promin") as company:
        land_and_rebuild(company.project, SOME_DAYS)
        rebuild_derived(company.project, SOME_DAYS)
        yield company.project


def somebody(project):
    """The number of whoever got messages through several sources, and their pseudonym."""
    rows = project.lake.scan(MESSAGES).drop_nulls("recipient").collect()
    busiest = (
        rows.group_by("recipient")
        .agg(n=pl.len(), ways=pl.col("source").n_unique())
        .sort("ways", "n", "recipient", descending=True)
        .row(0, named=True)
    )
    outbox = project.outbox.read(
        project.landing.pages(project.landing.manifests("outbox", SOME_DAYS))
    ).collect()
    mine = rows.filter(pl.col("recipient") == busiest["recipient"])["message_id"]
    number = outbox.filter(pl.col("message_id").is_in(mine.implode()))["recipient"].drop_nulls()[0]
    assert person_of(project, number).pseudonym == busiest["recipient"]
    return number, busiest["recipient"]


def sums(project):
    days = SOME_DAYS[0], SOME_DAYS[-1]
    tables = [
        project.lake.scan(table, *days).collect().sort(table.names) for table in (CUBE, LATENCY)
    ]
    return [table.to_dicts() for table in tables]


def rebuilt(project):
    for name in project.source_names:
        rebuild_messages(project, name, SOME_DAYS)
        rebuild_cube(project, name, SOME_DAYS)


def everything_on_disk(project):
    """All bytes of the data folder, pages and tables unpacked."""
    for path in sorted(project.settings.data_dir.rglob("*")):
        if path.suffix == ".zst":
            yield path, page_body(path)
        elif path.suffix == ".parquet":
            yield path, pl.read_parquet(path).write_ndjson().encode()
        elif path.suffix == ".json":
            yield path, path.read_bytes()


def test_an_erased_person_is_nowhere_and_the_sums_stay(project):
    number, pseudonym = somebody(project)
    marks = marks_of(person_of(project, number).e164)
    before = sums(project)
    assert len(list(held_pages(project, marks))) >= 2

    receipt = erase(project, number, "olena", WHY)

    assert receipt.complete
    assert receipt.rows["messages"] >= 1
    for path, body in everything_on_disk(project):
        text = body.decode("utf-8", "replace")
        assert not marks.number.search(text), path
        assert pseudonym not in text, path
    assert sums(project) == before
    rebuilt(project)
    assert sums(project) == before
    for name in project.source_names:
        for manifest in project.landing.manifests(name, SOME_DAYS):
            project.landing.verify(manifest)
    with project.warehouse.read() as connection:
        told = connection.execute(select(ERASURES.c.who, ERASURES.c.outcome)).all()
    assert {tuple(row) for row in told} == {("olena", "asked"), ("olena", "done")}


def test_a_pull_that_brings_the_person_again_does_not_bring_them_into_the_lake(project):
    number, pseudonym = somebody(project)
    before = sums(project)
    erase(project, number, "olena", WHY)
    land_and_rebuild(project, SOME_DAYS)
    rows = project.lake.scan(MESSAGES).filter(pl.col("recipient") == pseudonym).collect()
    assert rows.is_empty()
    assert sums(project) == before
    assert erase(project, number, "olena", WHY).complete  # and out of the new pages
    assert list(held_pages(project, marks_of(person_of(project, number).e164))) == []


def test_erasing_needs_a_reason_and_a_number(project):
    with pytest.raises(ConfigError, match="Say who asks and why"):
        erase(project, "+380671234567", "olena", " ")
    with pytest.raises(ConfigError, match="no phone number"):
        erase(project, "hello", "olena", WHY)


def test_what_is_held_about_a_person_is_told_whole(project):
    number, pseudonym = somebody(project)
    held = json.loads(held_about(project, number, "olena", WHY))
    rows = project.lake.scan(MESSAGES).filter(pl.col("recipient") == pseudonym).collect()
    assert len(held["rows"]["messages"]["rows"]) == rows.height
    told = json.dumps(held["received_from_providers"], ensure_ascii=False)
    assert marks_of(held["number"]).number.search(told)
    others = project.lake.scan(MESSAGES).filter(pl.col("recipient") != pseudonym).collect()
    assert not any(other in json.dumps(held) for other in others["recipient"].unique()[:50])


def test_retention_removes_what_is_old_seals_its_days_and_keeps_the_sums(project):
    path = project.settings.path
    keeps = "\n[retention]\nlanding_days = 35\nrows_days = 35\n"
    path.write_text(path.read_text("utf-8") + keeps, "utf-8")
    kept = Project.open(path)
    moment = NOW + timedelta(days=8)  # 10 November: days before 6 October are older
    cut = datetime(2026, 10, 6, tzinfo=UTC).date()
    order = ReportOrder(
        ReportKind.PERIOD, None, SOME_DAYS[0], SOME_DAYS[-1], "Europe/Kyiv", Language.ENGLISH
    )
    before, cube = figures_of(kept, order).totals, sums(kept)

    rehearsed = apply_retention(kept, moment, rehearse=True)
    assert {one.layer for one in rehearsed} >= {"landing", "messages"}
    assert kept.lake.scan(MESSAGES, last=SOME_DAYS[0]).collect().height > 0
    removed = apply_retention(kept, moment, rehearse=False)

    assert all(one.left == 0 for one in removed)
    assert min(kept.lake.scan(MESSAGES).collect()["day"]) == cut
    ranges = [folder.name.partition("_")[2] for folder in kept.landing.root.glob("*/*_*")]
    assert min(ranges) >= str(cut)  # a pull goes when the last of its days is too old
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMS_ETL_NOW", moment.isoformat())
        run_backfill(kept, SOME_DAYS[0], SOME_DAYS[-1], kept.source_names, pull=False)
        assert sums(kept) == cube
        after = figures_of(kept, order).totals
    assert (after.submitted, after.delivered) == (before.submitted, before.delivered)


def test_upkeep_leaves_fewer_files_and_the_same_rows(project):
    rows = project.lake.scan(MESSAGES).collect().sort("message_id")
    rebuilt(project)
    assert "cube" in {kept.table for kept in keep_up_tables(project)}  # old versions are young
    kept = project.lake.keep_up(CUBE, timedelta(0))
    assert kept.files_after <= kept.files_before
    assert kept.removed > 0
    assert project.lake.scan(MESSAGES).collect().sort("message_id").equals(rows)


def test_another_key_gives_other_pseudonyms_of_the_same_people(project, monkeypatch):
    old = project.lake.scan(MESSAGES).select("message_id", "recipient", "key_id").collect()
    person = old.drop_nulls("recipient")["recipient"][0]
    record_lift(project.warehouse, Lift(person, "absent", NOW, "list_owner", "olena", WHY))
    before = sums(project)
    monkeypatch.setenv("NEW_KEY", "b" * 64)

    done = rotate_key(project, EnvSecret("NEW_KEY"))

    assert not done.rebuilt.failed
    new = project.lake.scan(MESSAGES).select("message_id", "recipient", "key_id").collect()
    both = old.join(new, on="message_id", suffix="_new").drop_nulls("recipient")
    assert both.height > 0
    pairs = both.select("recipient", "recipient_new").unique()
    assert pairs.height == pairs["recipient"].n_unique() == pairs["recipient_new"].n_unique()
    assert not set(both["recipient"]) & set(both["recipient_new"])
    assert both["key_id_new"].n_unique() == 1
    assert sums(project) == before
    renamed = dict(pairs.iter_rows())
    assert {lift.recipient for lift in lifts(project.warehouse)} == {person, renamed[person]}
    with pytest.raises(ConfigError, match="in use already"):
        rotate_key(project, project.settings.project.pseudonym_key)


def test_the_commands_say_what_was_done(project):
    number, _ = somebody(project)
    runner = CliRunner()
    erased = runner.invoke(cli.app, ["erase", number, "--why", WHY])
    assert erased.exit_code == 0, erased.output
    assert "found nothing" in erased.output
    kept = runner.invoke(cli.app, ["housekeeping", "retention"])
    assert "Nothing is older than [retention] allows" in kept.output


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-10-01"))
def daily_thing(context) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 1})


def test_old_runs_go_but_no_partition_is_forgotten():
    with dg.DagsterInstance.ephemeral() as instance:
        days = ("2026-10-01", "2026-10-02", "2026-10-01")
        runs = [
            dg.materialize([daily_thing], partition_key=day, instance=instance).run_id
            for day in days
        ]
        later = datetime.now(UTC) + timedelta(hours=1)
        assert remove_runs(instance, datetime(2020, 1, 1, tzinfo=UTC)) == (0, 0)
        assert remove_runs(instance, later) == (1, 2)
        assert instance.get_materialized_partitions(daily_thing.key) == set(days)
        assert {run.run_id for run in instance.get_runs()} == set(runs[1:])
