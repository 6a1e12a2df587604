"""One person is taken out of a page; everybody else stays as they were."""

import json

import pytest

from sms_etl.housekeeping.masking import (
    NotEditableError,
    holds,
    marks_of,
    masked,
    records_of,
)
from sms_etl.sources.base import PageFormat

OLENA = marks_of("+380671234567").with_values(["Вітаємо, Олено!", "c-17"])


@pytest.mark.parametrize(
    "written",
    [
        "+380671234567", "380671234567", "0671234567", "671234567", "00380671234567",
        "+38 (067) 123-45-67", "067 123 45 67", "to=%2B380671234567&",
    ],
)  # fmt: skip
def test_a_number_is_found_however_it_is_written(written):
    body = f'{{"to": "{written}"}}'.encode()
    assert holds(body, OLENA)
    assert not holds(masked(body, PageFormat.JSON, OLENA), OLENA)


@pytest.mark.parametrize("written", ["1380671234567", "3806712345678", "+380671234566"])
def test_another_number_is_not(written):
    assert not holds(written.encode(), OLENA)


def test_the_smallest_record_loses_number_text_and_identifier():
    page = {
        "messages": [
            {"sid": "SM1", "to": "+380671234567", "body": "Вітаємо, Олено!", "n": 1, "c": "c-17"},
            {"sid": "SM2", "to": "+380501112233", "body": "Вітаємо, Олено!", "n": 2, "c": "c-17"},
        ],
        "next": None,
    }
    edited = json.loads(masked(json.dumps(page).encode(), PageFormat.JSON, OLENA))
    first = {"sid": "SM1", "to": "+380000000000", "body": "", "n": 1, "c": ""}
    assert edited == {"messages": [first, page["messages"][1]], "next": None}


def test_a_text_said_of_several_people_stays():
    people = [{"n": 380671234567}, {"n": 380501112233}]
    page = {"items": [{"text": "Вітаємо, Олено!", "to": people}, {"text": "x"}]}
    edited = json.loads(masked(json.dumps(page).encode(), PageFormat.JSON, OLENA))
    assert edited["items"][0] == {
        "text": "Вітаємо, Олено!",
        "to": [{"n": 380000000000}, {"n": 380501112233}],
    }


def test_numbers_that_are_keys_go_too():
    page = {"info": {"380671234567": "DELIVRD", "380501112233": "DELIVRD"}}
    edited = json.loads(masked(json.dumps(page).encode(), PageFormat.JSON, OLENA))
    assert edited == {"info": {"380000000000": "DELIVRD", "380501112233": "DELIVRD"}}


@pytest.mark.parametrize("form", [PageFormat.CSV, PageFormat.TEXT])
def test_lines_of_others_stay_byte_for_byte(form):
    body = '1;380671234567;"Вітаємо, Олено!";c-17\r\n2;380501112233;"Вітаємо, Олено!";c-18\r\n'
    edited = masked(body.encode(), form, OLENA).decode()
    assert edited == '1;380000000000;"";\r\n2;380501112233;"Вітаємо, Олено!";c-18\r\n'


def test_a_page_in_another_encoding_stays_what_it_is():
    body = "1;380671234567;Привіт\n2;380501112233;Привіт\n".encode("cp1251")
    edited = masked(body, PageFormat.CSV, OLENA)
    assert edited == body.replace(b"380671234567", b"380000000000")


def test_a_spreadsheet_is_not_edited_in_silence():
    with pytest.raises(NotEditableError):
        masked(b"PK 380671234567", PageFormat.XLSX, OLENA)


def test_the_records_of_a_person_are_told_as_they_came():
    page = {"messages": [{"to": "380671234567", "p": 1}, {"to": "380501112233", "p": 2}]}
    told = records_of(json.dumps(page).encode(), PageFormat.JSON, OLENA)
    assert told == [{"to": "380671234567", "p": 1}]
