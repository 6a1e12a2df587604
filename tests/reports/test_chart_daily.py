"""The series of days as drawn: what belongs to one day stands in one place."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from sms_etl.config.settings import Language
from sms_etl.reports import vega
from sms_etl.reports.chart_daily import daily
from sms_etl.reports.figures import DayPoint, Figures
from sms_etl.reports.language import Words
from tests.reports import samples

FIRST = date(2026, 10, 1)
DAYS = 22


def burst(*sent: int) -> Figures:
    """A campaign of three weeks that sends on few of its days."""
    days = tuple(
        DayPoint(
            day=FIRST + timedelta(days=n),
            totals=samples.totals(3_000 if n in sent else 0, 0.96 if n in sent else 1.0),
        )
        for n in range(DAYS)
    )
    return samples.campaign().model_copy(
        update={"first_day": FIRST, "last_day": days[-1].day, "days": days}
    )


def shift(text: str) -> float:
    moved = re.search(r"translate\(([-\d.]+)", text)
    return float(moved[1]) if moved else 0.0


def middles(svg: str) -> dict[str, dict[str, float]]:
    """Kind of mark -> day -> where its middle stands from the left, in CSS pixels."""
    found: dict[str, dict[str, float]] = {}

    def walk(node: ElementTree.Element, left: float) -> None:
        left += shift(node.get("transform", ""))
        told = re.match(r"key: ([\d-]+);", node.get("aria-label", ""))
        if told:
            kind = node.get("aria-roledescription", "")
            start = float(re.match(r"M([-\d.]+)", node.get("d", ""))[1]) if kind == "bar" else 0.0
            width = float(re.search(r"h([-\d.]+)", node.get("d", ""))[1]) if kind == "bar" else 0.0
            found.setdefault(kind, {})[told[1]] = left + start + width / 2
        for child in node:
            walk(child, left)

    walk(ElementTree.fromstring(svg), 0.0)  # noqa: S314 (drawn by us)
    return found


@pytest.mark.parametrize("canvas", [vega.PAGE, vega.PHONE])
@pytest.mark.parametrize("sent", [(0, 9, 21), (3, 4, 20)])
def test_rate_and_volume_of_a_day_stand_above_each_other(sent, canvas):
    places = middles(vega.svg(daily(burst(*sent), Words(Language.ENGLISH), canvas)))
    days = {(FIRST + timedelta(days=n)).isoformat() for n in sent}
    assert places["point"].keys() == days
    assert len(places["bar"]) == DAYS
    for day in days:
        assert places["point"][day] == pytest.approx(places["bar"][day], abs=0.01), day
