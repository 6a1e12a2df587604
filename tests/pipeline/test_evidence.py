"""From a figure to the messages it counts, and from a message to the records that told of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from sms_etl.cli import app
from sms_etl.config.settings import Language, ReportKind
from sms_etl.errors import StoreError
from sms_etl.evidence.trace import trace
from sms_etl.model.schemas import MESSAGES
from sms_etl.model.vocabulary import StatusClass
from sms_etl.publish import ReportOrder, figures_of
from tests.pipeline.company import DAYS

WEEK = (DAYS[4], DAYS[10])
SPAN = ["--from", str(WEEK[0]), "--to", str(WEEK[1])]


@pytest.fixture(autouse=True)
def settings(company, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands are those of this company, whichever others run beside it."""
    monkeypatch.setenv("SMS_ETL_CONFIG", str(company.project.settings.path))


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def listed(tmp_path: Path, *narrowed: str) -> list[dict[str, str]]:
    out = tmp_path / "rows.csv"
    run("messages", *SPAN, *narrowed, "--out", str(out))
    return list(csv.DictReader(out.read_text("utf-8-sig").splitlines()))


def test_the_rows_behind_every_figure_of_an_operator_are_as_many_as_it_says(company, tmp_path):
    zone = company.project.settings.project.business_time_zone
    order = ReportOrder(ReportKind.PERIOD, None, *WEEK, zone, Language.ENGLISH)
    figures = figures_of(company.project, order)
    operator = figures.by_operator[0]

    rows = listed(tmp_path, "--operator", operator.key)

    classes = [row["status_class"] for row in rows]
    for name in StatusClass:
        assert classes.count(name.value) == getattr(operator.totals, name.value)
    assert len(rows) == operator.totals.submitted > 100


def test_several_values_of_a_dimension_and_several_dimensions_narrow_the_rows(company, tmp_path):
    rows = listed(tmp_path, "--class", "failed", "--class", "rejected", "--source", "twilio")

    lake = company.project.lake.scan(MESSAGES, *WEEK, ["twilio"]).collect()
    expected = lake.filter(pl.col("status_class").is_in(["failed", "rejected"]))
    assert {row["message_id"] for row in rows} == set(expected["message_id"])
    assert len(rows) == expected.height > 0


def test_parquet_holds_the_rows_of_the_lake(company, tmp_path):
    out = tmp_path / "rows.parquet"

    shown = run("messages", *SPAN, "--format", "parquet", "--out", str(out))

    keys = ["day", "source", "message_id"]
    lake = company.project.lake.scan(MESSAGES, *WEEK).collect().sort(keys)
    assert pl.read_parquet(out).sort(keys).equals(lake)
    assert f"{lake.height:,} messages" in shown


def test_no_number_and_no_text_is_in_the_rows(company, tmp_path):
    listed(tmp_path)

    written = (tmp_path / "rows.csv").read_text("utf-8-sig")
    numbers = company.truth["recipient"].drop_nulls().head(300)
    assert len(numbers) == 300
    assert not any(number in written for number in numbers)


def test_a_message_is_traced_to_every_record_that_told_of_it(company):
    rows = company.project.lake.scan(MESSAGES, *WEEK, ["twilio"])
    told_twice = rows.filter(pl.col("observations") > 1, status_class="delivered").collect()
    message = told_twice.sort("message_id").row(0, named=True)

    found = trace(company.project, "twilio", message["message_id"])

    assert len(found.records) == message["observations"]
    assert found.messages == (message,)
    assert message["observed_at"] in [one.pulled_at for one in found.records]
    pages = company.project.landing.pages(company.project.landing.manifests("twilio", DAYS))
    for one in found.records:
        (page,) = [p for p in pages if (p.pull, p.number) == (one.pull, one.page)]
        records = json.loads(company.project.landing.body(page))["messages"]
        assert records[one.number]["sid"] == message["message_id"]


def test_a_code_is_told_in_words(company):
    rows = company.project.lake.scan(MESSAGES, *WEEK, ["twilio"])
    failed = rows.filter(status_class="failed", code="30003").collect().row(0, named=True)

    shown = run("trace", f"twilio:{failed['message_id']}", "--day", str(failed["day"]))

    assert "30003" in shown
    assert "nreachable" in shown


def test_a_message_that_nobody_knows_is_said_so(company):
    with pytest.raises(StoreError, match="'twilio' has no message 'SM-none'"):
        trace(company.project, "twilio", "SM-none")
