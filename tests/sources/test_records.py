"""Reading landed pages: one broken record never costs the page, the page never costs the day."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from sms_etl.errors import LandingError
from sms_etl.sources.base import Page, PageFormat
from sms_etl.sources.records import PLACE, scan_json

FIELDS = ("id", "price", "code")
RECEIVED = datetime(2025, 3, 6, 1, 2, 3, tzinfo=UTC)


def page(body: str | bytes, form=PageFormat.JSON) -> Page:
    body = body if isinstance(body, bytes) else body.encode()
    return Page(body, form, 1, "asked", RECEIVED)


def rows(frame: pl.LazyFrame, *columns: str) -> list[tuple]:
    return frame.select(columns or FIELDS).collect().rows()


def test_records_know_their_place_in_landing(land):
    pages = [page('{"list": [{"id": "a"}, {"id": "b"}]}'), page('{"list": [{"id": "c"}]}')]
    frame = scan_json(land(pages), FIELDS, "list")
    assert rows(frame, *PLACE, "id") == [
        ("pull-1", 1, 0, RECEIVED, "a"),
        ("pull-1", 1, 1, RECEIVED, "b"),
        ("pull-1", 2, 0, RECEIVED, "c"),
    ]
    assert frame.collect_schema() == frame.collect().schema


def test_values_of_any_plain_type_become_text(land):
    body = '{"list": [{"id": 12345678901234567890, "price": -0.0075, "code": true, "more": {}}]}'
    frame = scan_json(land([page(body)]), FIELDS, "list")
    assert rows(frame) == [("12345678901234567890", "-0.0075", "true")]


@pytest.mark.parametrize("form", [None, 2])
def test_white_space_does_not_matter(land, form):
    body = json.dumps({"list": [{"id": "a\nb"}, {"id": "Знижка"}]}, indent=form)
    frame = scan_json(land([page(body + "\n")]), FIELDS, "list")
    assert rows(frame, "id", "malformed") == [("a\nb", None), ("Знижка", None)]


def test_an_empty_page_has_no_records(land):
    assert rows(scan_json(land([page('{"list": []}')]), FIELDS, "list")) == []


def test_no_pages_are_an_empty_frame():
    frame = scan_json([], FIELDS, "list").collect()
    assert frame.is_empty()
    assert frame.columns == [*PLACE, *FIELDS, "malformed"]


def test_a_broken_record_is_a_row_that_says_why_and_its_neighbours_are_whole(land):
    body = json.dumps(
        {
            "list": [
                {"id": "a", "price": "1"},
                {"id": "b", "price": ["free"], "code": {"x": None}},
                "text",
                None,
                {"id": "c", "code": 30003},
                {"id": "[not nested]"},
            ]
        }
    )
    frame = scan_json(land([page('{"list": [{"id": "z"}]}'), page(body)]), FIELDS, "list")
    assert rows(frame, "page", "record", "id", "price", "code", "malformed") == [
        (1, 0, "z", None, None, None),
        (2, 0, "a", "1", None, None),
        (2, 1, "b", None, None, "not a plain value in: price, code"),
        (2, 2, None, None, None, "the record is not an object but str"),
        (2, 3, None, None, None, "the record is not an object but NoneType"),
        (2, 4, "c", None, "30003", None),
        (2, 5, "[not nested]", None, None, None),
    ]


def test_a_null_in_the_list_is_a_malformed_row(land):
    frame = scan_json(land([page('{"list": [null, {"id": "a"}]}')]), FIELDS, "list")
    assert rows(frame, "id", "malformed") == [
        (None, "the record is not an object but NoneType"),
        ("a", None),
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('{"list": [{"id": "a"}', "the page is not JSON"),
        ('{"list": null}', "the page has no list 'list'"),
        ('{"list": {"id": "a"}}', "the page has no list 'list'"),
        ('{"other": []}', "the page has no list 'list'"),
        ("[]", "the page has no list 'list'"),
        ("", "the page is not JSON"),
    ],
)
def test_a_page_that_is_no_list_is_one_malformed_row(land, body, why):
    found = rows(scan_json(land([page(body)]), FIELDS, "list"), "id", "malformed")
    assert len(found) == 1
    assert found[0][0] is None
    assert found[0][1].startswith(why)


def test_ndjson_pages_hold_a_record_a_line_whatever_separators_are_in_the_text(land):
    body = '{"id": "a\u2028b"}\n{"id": null, "price": "1"}\n{"id"\n{"id": "c"}\n'
    frame = scan_json(land([page(body, PageFormat.NDJSON)]), FIELDS)
    found = rows(frame, "record", "id", "price")
    assert found == [(0, "a\u2028b", None), (1, None, "1"), (2, None, None), (3, "c", None)]
    why = frame.collect()["malformed"].to_list()
    assert why[2].startswith("the line is not JSON")
    assert [why[0], why[1], why[3]] == [None, None, None]


def test_whole_ndjson_pages(land):
    body = '{"id": "a\u2028b"}\n{"id": "c", "code": "1"}\n'
    frame = scan_json(land([page(body, PageFormat.NDJSON)]), FIELDS)
    assert rows(frame) == [("a\u2028b", None, None), ("c", None, "1")]


def test_bytes_that_are_no_text_are_kept_as_far_as_they_can_be_read(land):
    body = b'{"list": [{"id": "a\xff"}, {"id": "b"}]}'
    assert rows(scan_json(land([page(body)]), FIELDS, "list"), "id") == [("a\ufffd",), ("b",)]


def test_only_what_is_asked_for_is_given(land):
    frame = scan_json(
        land([page('{"list": [{"id": "a"}, {"id": "b"}, {"id": "c"}]}')]), FIELDS, "list"
    )
    assert frame.filter(pl.col("record") > 0).select("id").collect().rows() == [("b",), ("c",)]
    assert frame.head(2).select(pl.len()).collect().item() == 2


def test_a_lost_page_is_an_error_that_names_the_file(land):
    landed = land([page('{"list": []}')])
    landed[0].path.unlink()
    with pytest.raises(LandingError, match=r"00001\.json\.zst"):
        scan_json(landed, FIELDS, "list").collect()
