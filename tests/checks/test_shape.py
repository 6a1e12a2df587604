"""A provider that changes its records overnight is noticed by the fields."""

from datetime import UTC, date, datetime

import pytest
import zstandard

from sms_etl.checks.shape import Drift, Shape, drift, shape_of
from sms_etl.sources.base import LandedPage, PageFormat

DAYS = [date(2026, 10, n) for n in range(1, 5)]


def page(tmp_path, body, form=PageFormat.JSON):
    path = tmp_path / f"00001.{form}.zst"
    path.write_bytes(zstandard.compress(body.encode()))
    return LandedPage(path, "pull", 1, form, 1, datetime(2026, 10, 1, tzinfo=UTC), {})


@pytest.mark.parametrize(
    ("body", "form", "fields"),
    [
        (
            '{"messages": [{"sid": "SM1", "price": null}, {"sid": "SM2", "to": {"code": 1}}]}',
            PageFormat.JSON,
            {"messages": 1, "messages[].sid": 2, "messages[].price": 1, "messages[].to": 1,
             "messages[].to.code": 1},
        ),
        ('{"a": 1}\n{"b": {"c": 2}}\n', PageFormat.NDJSON, {"a": 1, "b": 1, "b.c": 1}),
        ("ID;Телефон;Статус\n1;380;ok\n", PageFormat.CSV, {"ID": 1, "Телефон": 1, "Статус": 1}),
        ('{"cut', PageFormat.JSON, {}),
        (
            '{"info": {"380671234567": "DELIVRD", "b7f3a9c2d4e8f1a0": "x"}}',
            PageFormat.JSON,
            {"info": 1, "info.*": 2},
        ),
    ],
)  # fmt: skip
def test_fields_are_dotted_paths_and_hold_no_data(tmp_path, body, form, fields):
    assert shape_of(page(tmp_path, body, form)).fields == fields


def every(*names, **shares):
    """A hundred records with these fields in each, and others in some."""
    return Shape(dict.fromkeys(names, 100) | shares, 100)


def test_a_field_that_went_and_one_that_came_are_told_apart():
    shapes = dict.fromkeys(DAYS[:3], every("id", "status", "price"))
    assert drift(DAYS[3], shapes | {DAYS[3]: every("id", "status", "cost")}) == Drift(
        gone=("price",), new=("cost",)
    )


def test_an_optional_field_comes_and_goes():
    shapes = dict.fromkeys(DAYS[:3], every("id", error=3))
    assert drift(DAYS[3], shapes | {DAYS[3]: every("id")}) == Drift((), ())
    assert drift(DAYS[3], shapes | {DAYS[3]: every("id", refused=1)}) == Drift((), ())


def test_empty_days_and_two_days_say_nothing():
    usual, other = every("id"), every("ident")
    empty = Shape({}, 0)
    assert drift(DAYS[3], dict.fromkeys(DAYS[:3], usual) | {DAYS[3]: empty}) == Drift((), ())
    assert drift(DAYS[3], dict.fromkeys(DAYS[:2], usual) | {DAYS[3]: other}) == Drift((), ())
    quiet = {DAYS[0]: usual, DAYS[1]: usual, DAYS[2]: empty, DAYS[3]: other}
    assert drift(DAYS[3], quiet) == Drift((), ())
