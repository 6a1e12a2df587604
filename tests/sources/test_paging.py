"""Every way of paging reads to the last row and ends."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from sms_etl.days import Window
from sms_etl.errors import PermanentSourceError
from sms_etl.sources import paging
from sms_etl.sources.auth import NoAuth
from sms_etl.sources.http import HttpClient, HttpSettings
from sms_etl.sources.http_source import slices
from tests.sources.scripted_server import Reply

ROWS = [{"id": n} for n in range(23, 0, -1)]
SIZE = 5


def read(server, answer, records, following, start=paging.START) -> list[int]:
    """Ids of all pages, in order; the server answers `answer(position)`."""

    def reply(asked) -> Reply:
        return Reply.of(answer(dict(parse_qsl(urlsplit(asked.target).query)).get("at", "")))

    server.otherwise = reply
    settings = HttpSettings(kind="test", base_url=server.url, requests_per_second=1000)
    client = HttpClient("shop", "account", settings, NoAuth(), "secret")
    pages = paging.pages(
        "shop", lambda at: client.get_json("/list", {"at": at}), records, following, start
    )
    return [row["id"] for page in pages for row in paging.at(json.loads(page.body), records or "")]


def cut(at: int) -> list[dict]:
    return ROWS[at : at + SIZE]


def cursor(position: str) -> dict:
    at = int(position or 0)
    after = str(at + SIZE) if at + SIZE < len(ROWS) else None
    return {"data": {"items": cut(at)}, "cursor": {"next": after}}


def numbered(position: str) -> dict:
    return {"rows": cut((int(position) - 1) * SIZE), "meta": {"pages": 5}}


def numbered_from_zero(position: str) -> dict:
    return {"rows": cut(int(position) * SIZE), "meta": {"pages": 5}}


def offset(position: str) -> dict:
    return {"rows": cut(int(position)), "meta": {"total": len(ROWS)}}


def below(position: str) -> list:
    return [row for row in ROWS if not position or row["id"] < int(position)][:SIZE]


@pytest.mark.parametrize(
    ("answer", "records", "following", "start", "asked"),
    [
        (cursor, "data.items", paging.given("cursor.next"), "", 5),
        (numbered, "rows", paging.page_number("meta.pages"), "1", 5),
        (numbered, "rows", paging.page_number(), "1", 6),
        (numbered_from_zero, "rows", paging.page_number("meta.pages", first=0), "0", 5),
        (offset, "rows", paging.offset("meta.total"), "0", 5),
        (offset, "rows", paging.offset(), "0", 6),
        (below, "", paging.backwards("id"), "", 6),
    ],
    ids=[
        "cursor", "page count", "no page count", "from zero", "total", "no total", "backwards",
    ],
)  # fmt: skip
def test_every_row_is_read_once(server, answer, records, following, start, asked):
    assert read(server, answer, records, following, start) == [row["id"] for row in ROWS]
    assert len(server.asked) == asked


def test_a_short_page_is_not_the_last(server):
    """A provider may give fewer than asked, as a new limit of pages or a filter after the cut."""

    def answer(position: str) -> dict:
        return {"rows": cut(int(position))[: 1 if position == "5" else SIZE]}

    assert read(server, answer, "rows", paging.offset(), "0") == [row["id"] for row in ROWS]


@pytest.mark.parametrize(
    ("answer", "following"),
    [
        (lambda _at: {"rows": ROWS[:1], "next": "same"}, paging.given("next")),
        (lambda _at: {"rows": ROWS[:1]}, paging.backwards("id")),
    ],
    ids=["cursor", "backwards"],
)
def test_a_circle_is_refused(server, answer, following):
    with pytest.raises(PermanentSourceError, match="circle"):
        read(server, answer, "rows", following)


def test_an_answer_without_the_list_is_refused(server):
    with pytest.raises(PermanentSourceError, match=r"no list 'data\.items'.*base_url"):
        read(server, lambda _at: {"data": []}, "data.items", paging.given("next"))


def test_long_windows_are_cut_without_gap_or_overlap():
    start = datetime(2026, 10, 24, 21, tzinfo=UTC)
    window = Window(start, start + timedelta(hours=25))
    pieces = slices(window, timedelta(hours=24))
    assert [piece.hours() for piece in pieces] == [24, 1]
    assert (pieces[0].start, pieces[-1].end) == (window.start, window.end)
    assert pieces[0].end == pieces[1].start
    assert slices(window, timedelta(hours=25)) == [window]
