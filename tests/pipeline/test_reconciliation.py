"""What was planted in the simulated company is found by reconciling it, and nothing else."""

from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sms_etl.days import days_between
from sms_etl.reconciliation.rows import COUNTS
from sms_etl.reconciliation.steps import compare_days, invoices_name, land_invoices
from sms_etl.sandbox import outbox_at
from sms_etl.sandbox.invoices import BILLED_DAYS, INVOICE_FILE, invoice_at, invoice_truth
from tests.pipeline.company import DAYS, NOW


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
