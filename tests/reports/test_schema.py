"""The published schema of the figures is the one the code has."""

import json

from sms_etl.reports.as_json import SCHEMA_FILE, figures_json, figures_schema
from sms_etl.reports.figures import Figures
from tests.reports import samples


def test_the_published_schema_is_current():
    assert json.loads(SCHEMA_FILE.read_text("utf-8")) == figures_schema(), (
        "write it anew: python -m sms_etl.reports.as_json"
    )


def test_canonical_json_comes_back_whole():
    figures = samples.month()
    text = figures_json(figures)
    assert Figures.model_validate_json(text) == figures
    assert figures_json(Figures.model_validate_json(text)) == text
    assert "Подорожник".encode() in text
