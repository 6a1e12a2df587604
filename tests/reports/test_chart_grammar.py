"""Charts are Vega-Lite specifications; Altair's copy of the schema says whether they are valid."""

import altair
import jsonschema
import pytest

from sms_etl.config.settings import Language
from sms_etl.reports import vega
from sms_etl.reports.chart_daily import daily
from sms_etl.reports.chart_latency import latency
from sms_etl.reports.language import Words
from tests.reports import samples


@pytest.mark.parametrize("canvas", [vega.PAGE, vega.PHONE], ids=["page", "phone"])
@pytest.mark.parametrize("draw", [daily, latency])
@pytest.mark.parametrize("figures", [samples.month(), samples.campaign()], ids=["month", "one"])
def test_every_chart_is_valid_vega_lite(figures, draw, canvas):
    specification = draw(figures, Words(Language.UKRAINIAN), canvas)

    chart = altair.Chart.from_dict(specification)

    assert chart.to_dict()["$schema"] == specification["$schema"]


def test_an_invalid_specification_would_be_noticed():
    broken = daily(samples.month(), Words(Language.ENGLISH), vega.PAGE) | {"vconcat": [{"mark": 1}]}

    with pytest.raises(jsonschema.ValidationError):
        altair.Chart.from_dict(broken)
