"""Every kind of report from a company's real tables: made, counted twice, and drawn."""

from __future__ import annotations

from datetime import date

import pytest

from sms_etl.config.settings import Language, Period, ReportKind
from sms_etl.publish import ReportOrder, figures_of
from sms_etl.reports.render import render_html

FIRST, LAST = date(2026, 10, 5), date(2026, 10, 11)


def figures(project, kind):
    return figures_of(
        project, ReportOrder(kind, Period.WEEK, FIRST, LAST, "Europe/Kyiv", Language.ENGLISH)
    )


@pytest.mark.parametrize("kind", ["providers", "operators", "failures"])
def test_a_kind_is_made_from_the_cube_and_drawn(company, kind):
    told = figures(company.project, ReportKind(kind))
    card = told.scorecard
    if card is not None:
        assert sum(route.totals.submitted for route in card.routes) == told.totals.submitted
        delivered = [day.delivered for group in card.series for day in group.days]
        assert sum(delivered) == told.totals.delivered
    page = render_html(told, Language.UKRAINIAN).decode()
    assert "<h2>" in page


def test_the_operations_report_tells_of_the_pulls_that_were_landed(company):
    project = company.project
    told = figures(project, ReportKind.OPERATIONS)
    operations = told.operations
    assert operations is not None
    for pulls in operations.pulls:
        manifests = [
            one
            for one in project.landing.manifests(pulls.source, [FIRST, LAST])
            if one.first_day <= LAST and one.last_day >= FIRST
        ]
        assert pulls.count >= len(manifests) > 0
    assert {one.source for one in operations.days} == set(project.source_names)
    by_source = {one.source: sum(day.messages for day in one.days) for one in operations.days}
    assert by_source == {state.source: state.messages for state in told.sources}
    ended = sum(one.ended for one in operations.late)
    assert 0 < ended <= told.totals.submitted
    page = render_html(told, Language.UKRAINIAN).decode()
    assert "Завантаження: найповільніше" in page
