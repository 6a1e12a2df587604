"""Taking one person out of pages as received: the number, the texts to it, the identifiers.

Pages are edited by their form: in JSON the smallest record that holds the number, in lines the
line. What else a page says stays as it was, byte for byte in lines, value for value in JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import phonenumbers

from sms_etl.sources.base import PageFormat

GONE = ""
"""What stands where a text or an identifier stood."""

SEPARATORS = r"[\s().\-]{0,3}"
"""What people write between the digits of a number."""


class NotEditableError(Exception):
    """A page of a form that is not edited here."""


@dataclass(frozen=True)
class Marks:
    """How a person is recognised in a page: the number, and values that are theirs alone.

    number: matches every way of writing it. digits: its national digits. values: texts sent to
    the number and identifiers of the person, looked for only in records that hold the number.
    """

    number: re.Pattern[str]
    digits: str
    values: frozenset[str] = frozenset()

    def with_values(self, values: Sequence[str]) -> Marks:
        """The same person with more values."""
        return Marks(self.number, self.digits, self.values | frozenset(filter(None, values)))


def marks_of(e164: str) -> Marks:
    """Marks of a number in E.164.

    Raises:
        phonenumbers.NumberParseException: it is none.
    """
    parsed = phonenumbers.parse(e164)
    national = phonenumbers.national_significant_number(parsed)
    spaced = SEPARATORS.join(national)
    country = SEPARATORS.join(str(parsed.country_code))
    prefix = rf"(?:(?:\\+|00)?{SEPARATORS}{country}{SEPARATORS}0?{SEPARATORS}|0{SEPARATORS})?"
    return Marks(re.compile(rf"(?<!\d){prefix}({spaced})(?!\d)"), national)


def holds(body: bytes, marks: Marks) -> bool:
    """Whether a page holds the number in any way of writing it."""
    return marks.number.search(body.decode("utf-8", "surrogateescape")) is not None


def masked(body: bytes, form: PageFormat, marks: Marks) -> bytes:
    """The page without the person.

    Raises:
        NotEditableError: a spreadsheet, or JSON that cannot be read.
    """
    text = body.decode("utf-8", "surrogateescape")
    if form is PageFormat.JSON:
        edited = _json(text, marks)
    elif form is PageFormat.NDJSON:
        edited = "\n".join(
            _json(line, marks) if marks.number.search(line) else line for line in text.split("\n")
        )
    elif form in {PageFormat.CSV, PageFormat.TEXT}:
        edited = "\n".join(
            _line(line, marks) if marks.number.search(line) else line for line in text.split("\n")
        )
    else:
        raise NotEditableError(f"pages of the form {form} are not edited")
    return edited.encode("utf-8", "surrogateescape")


def _json(text: str, marks: Marks) -> str:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise NotEditableError("it is not readable JSON") from error
    return json.dumps(_edited(data, marks), ensure_ascii=False, separators=(",", ":"))


def _edited(value: Any, marks: Marks) -> Any:
    """A value with every smallest record that holds the number edited.

    A list of several is a list of records: only those that hold the number are touched. What
    stands above such a list is said of all of them, so its texts stay.
    """
    if not _holds(value, marks):
        return value
    if isinstance(value, list) and len(value) > 1:
        return [_edited(part, marks) for part in value]
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        records = [part for part in parts if _has_records(part, marks)]
        if records:
            if isinstance(value, list):
                return [_edited(part, marks) for part in value]
            return {
                _without_number(key, marks): _edited(part, marks)
                if _has_records(part, marks)
                else _cleaned(part, replace(marks, values=frozenset()))
                for key, part in value.items()
            }
    return _cleaned(value, marks)


def _has_records(value: Any, marks: Marks) -> bool:
    """Whether a list of several records lies in a value, one of which holds the number."""
    if isinstance(value, list):
        if len(value) > 1:
            return any(_holds(part, marks) for part in value)
        return any(_has_records(part, marks) for part in value)
    if isinstance(value, dict):
        return any(_has_records(part, marks) for part in value.values())
    return False


def _holds(value: Any, marks: Marks) -> bool:
    if isinstance(value, dict):
        return any(marks.number.search(key) or _holds(part, marks) for key, part in value.items())
    if isinstance(value, list):
        return any(_holds(part, marks) for part in value)
    return isinstance(value, str | int) and marks.number.search(str(value)) is not None


def _cleaned(value: Any, marks: Marks) -> Any:
    """A record with number, texts and identifiers of the person gone."""
    if isinstance(value, dict):
        return {_without_number(key, marks): _cleaned(part, marks) for key, part in value.items()}
    if isinstance(value, list):
        return [_cleaned(part, marks) for part in value]
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if str(value) in marks.values:
        return GONE
    cleaned = _without_number(str(value), marks)
    if isinstance(value, int):
        return int(cleaned) if cleaned != str(value) else value
    return cleaned


def _without_number(text: str, marks: Marks) -> str:
    """The text with the digits of the number made zeros."""

    def zeros(found: re.Match[str]) -> str:
        start = found.start(1) - found.start()
        whole = found.group()
        return whole[:start] + re.sub(r"\d", "0", whole[start:])

    return marks.number.sub(zeros, text)


def _line(line: str, marks: Marks) -> str:
    cleaned = _without_number(line, marks)
    for value in sorted(marks.values, key=len, reverse=True):
        for written in (value, value.replace('"', '""')):
            cleaned = cleaned.replace(written, GONE)
    return cleaned


def records_of(body: bytes, form: PageFormat, marks: Marks) -> list[Any]:
    """The records of a page that hold the number, as they were received."""
    text = body.decode("utf-8", "surrogateescape")
    if form is PageFormat.JSON:
        return list(_records(json.loads(text), marks))
    lines = [line for line in text.split("\n") if marks.number.search(line)]
    if form is PageFormat.NDJSON:
        return [json.loads(line) for line in lines]
    return lines


def _records(value: Any, marks: Marks) -> Iterator[Any]:
    if not _holds(value, marks):
        return
    parts = value.values() if isinstance(value, dict) else value
    several = isinstance(value, list) and len(value) > 1
    if isinstance(value, dict | list) and (several or _has_records(value, marks)):
        for part in parts:
            yield from _records(part, marks)
    else:
        yield value
