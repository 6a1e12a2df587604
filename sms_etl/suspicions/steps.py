"""Suspicions of a project: some days held beside those before them, and the rows kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from sms_etl.model.attribution import JUDGED_CLICKS
from sms_etl.model.schemas import MESSAGES
from sms_etl.model.suspicions import SUSPICIONS
from sms_etl.project import Project
from sms_etl.suspicions.rows import ALL_SOURCES, Traffic, suspicions

WINDOW_DAYS = 7
"""Days looked at: a pumped night is seen in the week it was in."""

USUAL_DAYS = 28
"""Days before them that show what is usual."""

CLICK_DAYS = 7
"""How long after a message its link is opened by those who do."""


def suspect_days(project: Project, days: Sequence[date]) -> pl.DataFrame:
    """SUSPICIONS of the week that ends with each of these days; kept under that day."""
    found = [_suspect(project, day) for day in sorted(days)]
    rows = pl.concat([SUSPICIONS.empty(), *found])
    for source in (ALL_SOURCES, *project.source_names):
        mine = rows.filter(pl.col("source") == source)
        project.lake.replace(SUSPICIONS, source, days, mine)
    return rows


def traffic_of(project: Project, first: date, last: date) -> Traffic:
    """Messages of some days, of those before them, and what people opened of both."""
    lake, eve = project.lake, first - timedelta(days=1)
    early = first - timedelta(days=USUAL_DAYS)
    return Traffic(
        window=lake.scan(MESSAGES, first, last),
        before=lake.scan(MESSAGES, early, eve),
        judged=lake.scan(JUDGED_CLICKS, early, last + timedelta(days=CLICK_DAYS)),
    )


def _suspect(project: Project, day: date) -> pl.DataFrame:
    return suspicions(traffic_of(project, day - timedelta(days=WINDOW_DAYS - 1), day), day)
