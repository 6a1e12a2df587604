"""How lists are read to their last page. Every way ends: pages that go in a circle are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sms_etl.errors import PermanentSourceError
from sms_etl.sources.base import Page
from sms_etl.sources.http import Answer

Following = Callable[[Any, list[Any], str], str | None]
"""JSON of an answer, its records and the position asked for, to the next position; None: end."""

START = ""
"""The position of the first page, for cursors and links."""


def pages(
    source: str,
    ask: Callable[[str], Answer],
    records: str,
    following: Following,
    start: str = START,
) -> Iterator[Page]:
    """Ask for a position, hand the page on, and ask for the next, until there is none.

    `records` is the dotted path of the list in the answer; blank: the answer is the list.

    Raises:
        PermanentSourceError: no such list, or a position came twice.
    """
    position = start
    seen = {position}
    while True:
        answer = ask(position)
        found = at(answer.data, records)
        if not isinstance(found, list):
            raise PermanentSourceError(
                f"{source}: the answer has no list {records!r}. "
                f"Check that base_url is the provider's API."
            )
        yield answer.page(len(found))
        following_position = following(answer.data, found, position)
        if following_position is None:
            return
        if following_position in seen:
            raise PermanentSourceError(f"{source}: the provider's pages go in a circle.")
        seen.add(following_position)
        position = following_position


def given(path: str) -> Following:
    """The provider gives the next position: a cursor or a link at a dotted path of the answer."""

    def following(data: Any, _found: list[Any], _position: str) -> str | None:
        value = at(data, path)
        return str(value) if value else None

    return following


def page_number(pages_in_all: str = "", *, first: int = 1) -> Following:
    """Page numbers, `start` at `first`, to the page count at a dotted path.

    Without a path, or while the answer has no count, to the first empty page: a short page may
    only mean that the provider gives fewer than asked.
    """

    def following(data: Any, found: list[Any], position: str) -> str | None:
        number = int(position) + 1
        count = at(data, pages_in_all) if pages_in_all else None
        more = bool(found) if count is None else number < int(count) + first
        return str(number) if more else None

    return following


def offset(records_in_all: str = "") -> Following:
    """Offsets, `start` at "0", to the record count at a dotted path, else to the first empty page.

    Rows that arrive push older ones to later pages: ask for windows that are closed.
    """

    def following(data: Any, found: list[Any], position: str) -> str | None:
        reached = int(position) + len(found)
        count = at(data, records_in_all) if records_in_all else None
        more = bool(found) and (count is None or reached < int(count))
        return str(reached) if more else None

    return following


def backwards(field: str) -> Following:
    """From newer to older: the lowest number in a field of the page, to the first empty page."""

    def following(_data: Any, found: list[Any], _position: str) -> str | None:
        numbers = [int(record[field]) for record in found]
        return str(min(numbers)) if numbers else None

    return following


def at(data: Any, path: str) -> Any:
    """The value at a dotted path of nested objects, or None."""
    for name in path.split(".") if path else ():
        data = data.get(name) if isinstance(data, dict) else None
    return data
