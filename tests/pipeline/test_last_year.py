"""A report of a lake that holds the same day last year."""

from datetime import date, timedelta

import polars as pl
import pytest

from sms_etl.config.settings import Language, Period, ReportKind
from sms_etl.errors import ConservationError
from sms_etl.model.schemas import CONSERVATION, CUBE, LATENCY, MESSAGES, Table
from sms_etl.project import Project
from sms_etl.publish import ReportOrder, figures_of
from tests.pipeline.company import land_and_rebuild

DAY, YEAR = date(2026, 10, 14), timedelta(weeks=52)
ORDER = ReportOrder(ReportKind.PERIOD, Period.DAY, DAY, DAY, "Europe/Kyiv", Language.ENGLISH)


def put_a_year_earlier(project: Project, table: Table, name: str) -> None:
    """What the lake has of a source on the day, as if it had been sent 52 weeks before."""
    rows = project.lake.scan(table, DAY, DAY, [name]).collect()
    moved = rows.with_columns(pl.col(pl.Date, pl.Datetime) - YEAR)
    project.lake.replace(table, name, [DAY - YEAR], moved)


def test_last_year_is_told_where_the_lake_has_it_and_proved_from_its_rows(fresh_company):
    project = fresh_company.project
    land_and_rebuild(project, [DAY])
    assert figures_of(project, ORDER).last_year is None

    for name in project.source_names:
        for table in (CUBE, LATENCY, CONSERVATION, MESSAGES):
            put_a_year_earlier(project, table, name)
    figures = figures_of(project, ORDER)
    assert figures.last_year_first_day == figures.last_year_last_day == DAY - YEAR
    assert figures.last_year is not None
    assert figures.last_year.submitted == figures.totals.submitted > 0
    assert figures.last_year.delivered == figures.totals.delivered

    nothing = MESSAGES.empty()
    project.lake.replace(MESSAGES, project.source_names[0], [DAY - YEAR], nothing)
    with pytest.raises(ConservationError, match="last_year"):
        figures_of(project, ORDER)

    two_days = ReportOrder(
        ReportKind.PERIOD, None, DAY, DAY + timedelta(days=1), ORDER.zone, Language.ENGLISH
    )
    assert figures_of(project, two_days).last_year is None
