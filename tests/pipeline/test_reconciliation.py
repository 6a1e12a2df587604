"""What was planted in the simulated company is found by reconciling it, and nothing else."""

from datetime import date

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from assets.build import build_defs
from assets.jobs import DAILY_JOB
from assets.partitions import RANGE_END, RANGE_START
from sms_etl.cli import app
from sms_etl.days import days_between
from sms_etl.errors import ConfigError
from sms_etl.model.schemas import RECONCILIATION
from sms_etl.project import Project
from sms_etl.reconciliation.rows import COUNTS
from sms_etl.reconciliation.steps import compare_days, invoices_name, land_invoices
from sms_etl.sandbox import outbox_at
from sms_etl.sandbox.invoices import BILLED_DAYS, INVOICE_FILE, invoice_at, invoice_truth
from sms_etl.sources.invoices import InvoiceSettings
from tests.pipeline.company import DAYS, NOW, land_and_rebuild

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="module")
def accounts(company):
    """Both sources that are reconciled, with the invoice landed; nothing is kept in the lake."""
    for name in company.project.reconciled:
        land_invoices(company.project, name)
    return {name: compare_days(company.project, name, DAYS) for name in company.project.reconciled}


def differences(account):
    found = account.rows.filter(pl.col("state") != "matched")
    return {(row["message_id"], row["state"], row["detail"]) for row in found.to_dicts()}


def doubles(company, source):
    """Messages that the simulated company sent twice by mistake."""
    mine = pl.col("duplicate_of").is_not_null() & (pl.col("way") == source)
    return {(i, "doubled", "sent_twice") for i in company.truth.filter(mine)["message_id"]}


def test_every_planted_difference_is_found_and_nothing_else(company, accounts):
    planted = {tuple(row) for row in invoice_truth(company.world).iter_rows()}
    assert len(planted) == 13

    assert differences(accounts["turbosms"]) == planted | doubles(company, "turbosms")
    assert differences(accounts["twilio"]) == doubles(company, "twilio")
    assert doubles(company, "twilio")


def test_every_row_of_every_side_is_counted(company, accounts):
    outbox = outbox_at(company.world, NOW).filter(pl.col("source") == "turbosms").height
    sent = company.truth.filter(pl.col("way") == "turbosms").height
    lines = invoice_at(company.world, NOW).height
    rows = accounts["turbosms"].rows
    assert [rows[name].sum() for name in COUNTS] == [outbox, sent, lines]
    assert accounts["turbosms"].untimed == 0


def test_money_on_the_invoice_is_that_of_the_invoice(company, accounts):
    file = company.folder / "in" / "invoices" / INVOICE_FILE
    written = pl.read_csv(file, separator=";", decimal_comma=True)
    rows = accounts["turbosms"].rows
    assert rows["theirs_micro"].sum() == round(written["Сума"].sum() * 1_000_000)


def test_a_day_alone_says_what_it_says_among_others(company, accounts):
    for day in (date(2026, 10, 1), date(2026, 10, 4), date(2026, 10, 15)):
        alone = compare_days(company.project, "turbosms", [day])
        among = accounts["turbosms"]
        assert_frame_equal(alone.rows, among.rows.filter(pl.col("day") == day))
        assert_frame_equal(alone.days, among.days.filter(pl.col("day") == day))


def test_no_day_was_silent(accounts):
    for account in accounts.values():
        assert account.days["day"].to_list() == DAYS
        assert account.days["silence"].unique().to_list() == ["none"]


def test_an_invoice_is_landed_once_and_untouched(company, accounts):
    landing, place = company.project.landing, invoices_name("turbosms")
    assert land_invoices(company.project, "turbosms") == []
    (manifest,) = landing.manifests(place, DAYS)
    covered = days_between(manifest.first_day, manifest.last_day)
    assert covered == DAYS[:BILLED_DAYS]
    (page,) = landing.pages([manifest])
    written = company.folder / "in" / "invoices" / INVOICE_FILE
    assert landing.body(page) == written.read_bytes()


def lists(company, tmp_path, *options):
    """Run the command and read the lists that it writes."""
    out = tmp_path / "lists"
    period = ["--from", str(DAYS[0]), "--to", str(DAYS[-1])]
    wide = {"COLUMNS": "120"}
    result = CliRunner().invoke(app, ["reconcile", *period, "--out", str(out), *options], env=wide)
    assert result.exit_code == 0, result.output
    return result.output, {path.stem: pl.read_csv(path) for path in out.iterdir()}


def test_the_command_prints_states_and_writes_lists(fresh_company, tmp_path):
    days = DAYS[:8]
    land_and_rebuild(fresh_company.project, days)

    printed, found = lists(fresh_company, tmp_path, "--source", "turbosms")

    assert {"matched", "not_billed", "unknown_to_us"} <= set(printed.split())
    planted = invoice_truth(fresh_company.world)
    missing = planted.filter(pl.col("state") == "not_billed")["message_id"]
    rows = found["rows"]
    assert set(rows.filter(pl.col("state") == "not_billed")["message_id"]) == set(missing)
    by_campaign, by_day = (found[name]["count"].sum() for name in ("campaigns", "days"))
    assert by_campaign == by_day
    silent = found["silence"].filter(pl.col("silence") == "not_pulled")
    assert silent["day"].to_list() == [str(day) for day in DAYS[8:]]


def test_a_source_with_nothing_beside_it_is_refused_with_what_to_do(fresh_company):
    period = ["--from", "2026-10-01", "--to", "2026-10-02"]
    result = CliRunner().invoke(app, ["reconcile", *period, "--source", "gateway"])
    assert isinstance(result.exception, ConfigError)
    assert "[invoices.gateway]" in str(result.exception)
    assert "twilio, turbosms" in str(result.exception)


def test_the_asset_tells_each_day_and_its_checks_name_the_next_steps(fresh_company):
    ranged = {RANGE_START: "2026-10-04", RANGE_END: "2026-10-06"}
    with dg.DagsterInstance.ephemeral() as instance:
        result = (
            build_defs(fresh_company.project)
            .resolve_job_def(DAILY_JOB)
            .execute_in_process(instance=instance, tags=ranged, run_config=QUIET)
        )
    assert result.success
    found = {
        event.partition: event.materialization.metadata["dagster/partition_row_count"].value
        for event in result.get_asset_materialization_events()
        if event.asset_key.path == ["reconciliation", "turbosms"]
    }
    rows = fresh_company.project.lake.scan(RECONCILIATION, sources=["turbosms"]).collect()
    counted = dict(rows["day"].value_counts().iter_rows())
    assert found == {str(day): counted[day] for day in DAYS[3:6]}

    checks = {
        (check.asset_key.path[-1], check.check_name): check
        for check in result.get_asset_check_evaluations()
        if check.asset_key.path[0] == "reconciliation"
    }
    assert all(check.severity is dg.AssetCheckSeverity.WARN for check in checks.values())
    passed = {name for name, check in checks.items() if check.passed}
    assert set(checks) - passed == {("turbosms", "sides_agree")}
    steps = checks["turbosms", "sides_agree"].metadata["next_step"].value
    assert "doubled: " in steps
    assert "not_billed: " in steps


def totals_of(company, folder):
    """A deployment whose gateway sends daily totals, one of them a message too many."""
    folder.mkdir()
    local = pl.col("submitted_at").dt.convert_time_zone("Europe/Kyiv").dt.date()
    sent = company.truth.filter(pl.col("way") == "gateway").group_by(date=local)
    counted = sent.agg(n=pl.len(), sum=pl.col("price_micro").sum() / 1_000_000).sort("date")
    wrong = counted["date"][3]
    counted.with_columns(n=pl.col("n") + (pl.col("date") == wrong)).write_csv(folder / "all.csv")
    settings = InvoiceSettings(
        folder=folder,
        time_zone="Europe/Kyiv",
        currency="UAH",
        columns={"day": "date", "messages": "n", "price": "sum"},
    )
    update = {"invoices": {"gateway": settings}}
    return Project(company.project.settings.model_copy(update=update)), counted, wrong


def test_an_invoice_without_identifiers_is_compared_in_totals(company, tmp_path):
    project, counted, wrong = totals_of(company, tmp_path / "totals")
    land_invoices(project, "gateway")

    account = compare_days(project, "gateway", DAYS)

    assert account.totals["day"].to_list() == counted["date"].to_list()
    differ = account.totals.filter(pl.col("state") != "matched").to_dicts()
    assert [(row["day"], row["state"]) for row in differ] == [(wrong, "messages_differ")]
    assert differ[0]["messages_theirs"] - differ[0]["messages_ours"] == 1
    assert account.totals["difference_micro"].unique().to_list() == [0]
    assert set(account.rows["state"]) == {"not_compared"}
    alone = compare_days(project, "gateway", [wrong])
    assert_frame_equal(alone.totals, account.totals.filter(pl.col("day") == wrong))


def test_an_outbox_that_names_no_sources_is_shared_out_by_identifiers(company, accounts):
    settings = company.project.settings
    columns = {ours: theirs for ours, theirs in settings.outbox.columns.items() if ours != "source"}
    outbox = settings.outbox.model_copy(update={"columns": columns})
    project = Project(settings.model_copy(update={"outbox": outbox}))
    for name in ("turbosms", "twilio"):
        assert_frame_equal(compare_days(project, name, DAYS).rows, accounts[name].rows)
