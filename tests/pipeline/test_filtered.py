"""Reports of a part of the messages say of that part what the pipeline says of all."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from sms_etl import publish
from sms_etl.cli import app
from sms_etl.config.settings import Filters, Language, ReportKind
from sms_etl.model.schemas import EVENTS, MESSAGES
from sms_etl.model.vocabulary import StatusClass
from sms_etl.publish import ReportOrder, cube_of, figures_of, freeze_report
from sms_etl.rates import read_rates
from sms_etl.reports.data_files import data_files
from sms_etl.reports.editions import EditionStore
from sms_etl.reports.figures import Figures, is_empty
from tests.pipeline.company import DAYS

WEEK = (DAYS[7], DAYS[13])


def order_with(company, kind: ReportKind = ReportKind.PERIOD, **filters: tuple[str, ...]):
    zone = company.project.settings.project.business_time_zone
    return ReportOrder(
        kind, None, *WEEK, zone, Language.ENGLISH, filters=Filters.model_validate(filters)
    )


def report_of(company, **filters: tuple[str, ...]) -> Figures:
    return figures_of(company.project, order_with(company, **filters))


def rows_of(company, **filters: tuple[str, ...]) -> pl.DataFrame:
    rows = company.project.lake.scan(MESSAGES, *WEEK).collect()
    for name, values in filters.items():
        rows = rows.filter(pl.col(name).is_in(values))
    return rows


@pytest.fixture(scope="module")
def whole(company) -> Figures:
    return report_of(company)


def values_of(company, name: str, at: int = 0) -> str:
    """The value of a dimension that has the most messages, or the next ones."""
    counted = rows_of(company).group_by(name).len().sort("len", name, descending=[True, False])
    return str(counted[name][at])


@pytest.mark.parametrize(
    ("dimensions", "several"),
    [
        (["source"], False),
        (["operator"], True),
        (["sender", "country"], False),
        (["campaign"], True),
        (["campaign", "operator"], False),
    ],
)
def test_every_count_is_that_of_the_rows_that_match(company, dimensions, several):
    filters = {
        name: tuple(values_of(company, name, at) for at in range(1 + several))
        for name in dimensions
    }

    figures = report_of(company, **filters)

    rows = rows_of(company, **filters)
    assert figures.totals.submitted == rows.height > 0
    for name in StatusClass:
        assert getattr(figures.totals, name.value) == (rows["status_class"] == name.value).sum()
    assert figures.totals.parts == rows["parts"].sum()
    spent = {cost.currency: cost.spent_micro for cost in figures.totals.costs}
    paid = rows.drop_nulls("currency").group_by("currency").agg(pl.col("cost_micro").sum())
    assert spent == dict(paid.iter_rows())
    for name, groups in (("operator", figures.by_operator), ("campaign", figures.by_campaign)):
        counted = dict(rows[name].value_counts().iter_rows())
        assert {row.key: row.totals.submitted for row in groups} == counted
    assert figures.filters == filters


def test_the_parts_of_a_dimension_add_up_to_the_whole(company, whole):
    parts = [report_of(company, operator=(row.key,)) for row in whole.by_operator]

    for name in ("submitted", *(name.value for name in StatusClass)):
        told = [getattr(part.totals, name) for part in parts]
        assert sum(told) == getattr(whole.totals, name)
    ends = [sum(day.delivered for day in part.event_days) for part in parts]
    assert sum(ends) == sum(day.delivered for day in whole.event_days) > 0


def test_what_no_dimension_is_known_of_is_counted_again_from_messages(company):
    """EVENTS has no operator: cut by one it is made of the messages."""
    operator = values_of(company, "operator")
    lake = order_with(company, operator=(operator,)).lake(company.project)

    found = lake.scan(EVENTS, *WEEK).collect()

    rows = rows_of(company, operator=(operator,))
    ended = rows.filter(pl.col("final"), pl.col("done_at").is_not_null())
    assert found["messages"].sum() == ended.height > 0


def test_people_are_not_counted_where_skipped_ones_cannot_be_told(company, whole):
    assert whole.reach.per_person is not None

    by_operator = report_of(company, operator=(values_of(company, "operator"),))
    by_campaign = report_of(company, campaign=(values_of(company, "campaign"),))

    assert by_operator.reach.per_person is None
    assert by_campaign.reach.per_person is not None


def test_the_page_says_on_top_which_messages_it_is_of(company):
    operator = values_of(company, "operator")
    order = order_with(company, operator=(operator,))

    edition = freeze_report(company.project, order, "of-an-operator")

    page = edition.html_path.read_text("utf-8")
    assert f"Only messages of: operator {operator}" in page
    assert "This report is of a part of the messages." in page
    told = json.loads(edition.figures_path.read_text("utf-8"))
    assert told["filters"] == {"operator": [operator]}
    cube = cube_of(company.project, order)
    assert cube.counts["messages"].sum() == edition.figures().totals.submitted
    assert set(cube.counts["operator"]) == {operator}


def test_what_was_mailed_is_not_corrected_because_other_messages_are_asked_for(
    company, monkeypatch: pytest.MonkeyPatch
):
    first, second = (values_of(company, "operator", at) for at in (0, 1))
    mailed = freeze_report(company.project, order_with(company, operator=(first,)), "changed")
    monkeypatch.setattr(EditionStore, "mailed", lambda _store, _edition: True)

    after = freeze_report(company.project, order_with(company, operator=(second,)), "changed")

    assert after.id == mailed.id
    assert after.figures().filters == {"operator": (first,)}


def test_an_edition_reads_its_tables_once_and_keeps_the_data_files(company, monkeypatch):
    operator = values_of(company, "operator")
    read = []

    def counted(*given):
        read.append(given)
        return read_rates(*given)

    monkeypatch.setattr(publish, "read_rates", counted)
    monkeypatch.setenv("SMS_ETL_CONFIG", str(company.project.settings.path))

    edition = freeze_report(
        company.project, order_with(company, operator=(operator,)), "of-an-operator"
    )

    assert len(read) == 1
    tables = data_files(edition.figures(), Language.ENGLISH)
    assert {name: edition.path(name).read_bytes() for name in tables} == tables
    checked = CliRunner().invoke(app, ["verify", edition.id])
    assert checked.exit_code == 0
    assert "Editions: 1, files: 7, problems: 0" in checked.output
    edition.path("report.xlsx").write_bytes(b"forged")
    checked = CliRunner().invoke(app, ["verify", edition.id])
    assert checked.exit_code == 1
    assert "report.xlsx is not what was frozen" in checked.output


def test_a_source_that_is_left_out_is_not_in_the_quality_of_the_data(company, whole):
    found = report_of(company, source=("twilio",))

    assert [state.source for state in found.sources] == ["twilio"]
    assert len(whole.sources) > 1


def test_a_part_without_messages_is_empty_and_no_error(company):
    assert is_empty(report_of(company, sender=("NOBODY",)))


def test_the_command_line_takes_filters_and_names_mistakes(
    company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SMS_ETL_CONFIG", str(company.project.settings.path))
    country = values_of(company, "country")
    span = ["--from", str(WEEK[0]), "--to", str(WEEK[1]), "--format", "json"]
    out = tmp_path / "report.json"

    done = CliRunner().invoke(
        app, ["report", "period", *span, "--only", f"country={country}", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(out.read_text("utf-8"))
    assert told["totals"]["submitted"] == rows_of(company, country=(country,)).height

    wrong = CliRunner().invoke(app, ["report", "period", *span, "--only", "contry=UA"])
    assert "did you mean 'country'?" in str(wrong.exception)
    whole_only = CliRunner().invoke(app, ["report", "operations", *span, "--only", "country=UA"])
    assert "cannot be filtered by 'country'" in str(whole_only.exception)
