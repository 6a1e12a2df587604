"""Records inside records: paths, lists per record, and pages that do not fit."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sms_etl.sources.base import LandedPage, PageFormat
from sms_etl.sources.json_pages import JsonReader, split_page

AT = datetime(2025, 3, 5, tzinfo=UTC)


def decoded(data, fields, records="", each="", form=PageFormat.JSON) -> list[tuple]:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    page = LandedPage(Path(), "pull", 1, form, 0, AT, {})
    return JsonReader(fields, records, each).decode(page, body).rows()


SENT = {"id": 1, "status": {"name": "DELIVERED"}, "price": {"amount": 0.5}, "errors": ["40300"]}
FIELDS = ("id", "status.name", "price.amount", "errors.0")


def test_dotted_fields_reach_into_records_and_lists():
    plain = {"id": "2", "status": None, "errors": []}
    wanted = [("1", "DELIVERED", "0.5", "40300", None), ("2", None, None, None, None)]
    assert decoded({"data": {"items": [SENT, plain]}}, FIELDS, "data.items") == wanted
    assert decoded([SENT, plain], FIELDS) == wanted, "the page itself is the list"
    lines = f"{json.dumps(SENT)}\n{json.dumps(plain)}\n".encode()
    assert decoded(lines, FIELDS, form=PageFormat.NDJSON) == wanted


@pytest.mark.parametrize("odd", [(), ("?",)], ids=["at once", "one by one"])
def test_a_list_in_a_record_is_a_row_per_item(odd):
    two = {"id": "a", "recipients": {"items": [{"to": 1, "status": "sent"}, {"to": 2}]}}
    none = {"id": "b", "recipients": {"items": []}}
    fields = ("id", "recipients.items.to", "recipients.items.status")
    rows = decoded({"items": [two, none, {"id": "c"}, *odd]}, fields, "items", "recipients.items")
    assert rows[:4] == [
        ("a", "1", "sent", None),
        ("a", "2", None, None),
        ("b", None, None, None),
        ("c", None, None, None),
    ]
    assert len(rows) == 4 + len(odd)


def test_one_odd_record_is_malformed_and_the_others_stay():
    odd = {"id": {"of": 3}, "status": "DELIVERED"}
    rows = decoded([SENT, odd, 7], FIELDS)
    assert rows[0] == ("1", "DELIVERED", "0.5", "40300", None)
    assert rows[1] == (None, None, None, None, "not a plain value in: id")
    assert rows[2][-1] == "the record is not an object but int"


@pytest.mark.parametrize("odd", [(), ("?",)], ids=["at once", "one by one"])
def test_an_item_may_be_a_plain_value_if_only_it_is_asked_for(odd):
    rows = decoded([{"id": "a", "to": ["x", "y"]}, {"id": "b"}, *odd], ("id", "to"), each="to")
    assert rows[:3] == [("a", "x", None), ("a", "y", None), ("b", None, None)]
    assert len(rows) == 3 + len(odd)


def test_an_item_that_is_no_object_is_malformed():
    rows = decoded([{"id": "a", "to": ["x"]}, {"id": "b", "to": 5}], ("id", "to.name"), each="to")
    assert [(row[0], row[-1] is None) for row in rows] == [("a", False), ("b", False)]


def test_a_page_without_its_list_is_one_malformed_row():
    assert decoded({"error": 1}, FIELDS, "data.items")[0][-1] == "the page has no list 'data.items'"
    assert decoded(b"<html>", FIELDS)[0][-1].startswith("the page is not JSON")


def test_pages_of_another_shape_are_split_by_the_source():
    def split(data):
        return [{"id": key, "status": word} for key, word in data["info"].items()]

    fields = ("id", "status")
    found = split_page(b'{"info": {"1": "DELIVRD", "2": null}}', fields, split).rows()
    assert found == [("1", "DELIVRD", None), ("2", None, None)]
    assert "another shape" in split_page(b'{"other": 1}', fields, split).rows()[0][-1]
