"""What the stream suite cannot see: providers that page, count or shape their answers oddly."""

from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.vocabulary import Engagement
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2026, 10, 20)
AFTER = datetime(2026, 10, 21, 12, tzinfo=UTC)


@pytest.fixture
def stream_of(server, naps, monkeypatch, tmp_path):
    def make(kind, stream, **settings):
        monkeypatch.setenv("KEY", "secret-word")
        block = {"kind": kind, "base_url": server.url, "requests_per_second": 1000, **settings}
        source = make_source("shop", SOURCE_KINDS[kind].model_validate(block), tmp_path)
        return next(s for s in source.streams() if s.kind is stream)

    return make


@pytest.fixture
def pull(context_at, land):
    """Every page of the day, and its records as EVENTS."""

    def run(stream, now=AFTER):
        pages = [page for plan in stream.plan([DAY], context_at(now)) for page in plan.pages]
        return pages, stream.read(land(pages)).collect()

    return run


def entry(number):
    return {
        "id": str(number), "phone_number": f"48600{number:06d}", "expire_at": None,
        "created_at": "2026-10-01T10:00:00Z",
    }  # fmt: skip


def test_a_list_that_ignores_the_offset_is_refused(stream_of, pull, server):
    same = Reply.of({"size": 4, "collection": [entry(1), entry(2)]})
    server.otherwise = lambda _asked: same
    with pytest.raises(PermanentSourceError, match="begins like an earlier one"):
        pull(stream_of("smsapi", Engagement.OPT_OUTS, token="KEY"))


def test_a_click_without_a_message_or_device_is_still_a_click(stream_of, pull, server):
    click = {
        "idz_do_id": 7, "phone_number": "48600100200", "date_hit": "2026-10-20T17:00:00+0200",
        "name": "a", "short_url": "https://idz.do/a", "os": "", "browser": "", "device": "",
        "suffix": None, "message": None,
    }  # fmt: skip
    server.script = [Reply.of({"size": 1, "collection": [click]})]
    _, events = pull(stream_of("smsapi", Engagement.CLICKS, token="KEY"))
    row = events.row(0, named=True)
    assert row["at"] == datetime(2026, 10, 20, 15, tzinfo=UTC)
    assert (row["recipient"], row["link"]) == ("48600100200", "https://idz.do/a")
    assert [row[name] for name in ("message_id", "device", "malformed")] == [None, None, None]


def visits(total, *texts):
    data = [
        {
            "referer": "", "date": text, "userAgent": "x", "visitLocation": None,
            "potentialBot": False, "visitedUrl": None,
        }
        for text in texts
    ]  # fmt: skip
    pagination = {"currentPage": 1, "pagesCount": min(2, total), "totalItems": total}
    return Reply.of({"visits": {"data": data, "pagination": pagination}})


def test_visits_that_arrive_in_a_window_that_is_over_are_told_of(stream_of, pull, server):
    server.script = [
        visits(2, "2026-10-20T12:00:00+03:00"), visits(3, "2026-10-20T11:00:00+03:00"),
    ]  # fmt: skip
    with pytest.raises(TransientSourceError, match="arrived while it was read"):
        pull(stream_of("shlink", Engagement.CLICKS, api_key="KEY"))


def test_the_last_second_of_a_day_is_the_last_that_is_asked_for(stream_of, pull, server):
    server.otherwise = lambda _asked: visits(0)
    stream = stream_of("shlink", Engagement.CLICKS, api_key="KEY")
    pull(stream)
    pull(stream, now=datetime(2026, 10, 20, 12, 30, 15, 500_000, tzinfo=UTC))
    ends = [parse_qs(urlsplit(asked.target).query)["endDate"] for asked in server.asked]
    assert ends == [["2026-10-20T20:59:59+00:00"], ["2026-10-20T12:30:14+00:00"]]


def test_a_day_that_has_not_begun_is_not_asked_for(stream_of, pull, server):
    early = datetime(2026, 10, 19, 12, tzinfo=UTC)
    pages, events = pull(stream_of("shlink", Engagement.CLICKS, api_key="KEY"), now=early)
    assert pages == []
    assert events.is_empty()
    assert server.asked == []


def test_a_visit_of_an_old_server_without_the_link_is_a_click(stream_of, pull, server):
    server.script = [visits(1, "2026-10-20T12:00:00+03:00")]
    _, events = pull(stream_of("shlink", Engagement.CLICKS, api_key="KEY"))
    row = events.row(0, named=True)
    assert row["at"] == datetime(2026, 10, 20, 9, tzinfo=UTC)
    assert (row["link"], row["robot"]) == (None, False)


def received(number, second=0):
    return {
        "messageId": str(number), "to": "380440000000", "from": "380501234567", "text": "STOP",
        "receivedAt": f"2026-10-20T09:00:{second:02d}.000+0000",
    }  # fmt: skip


def test_replies_of_one_moment_on_two_pages_are_all_read(stream_of, pull, server):
    inbox = [received(n, second) for n, second in enumerate([9, 7, 5, 5, 1])]

    def newest_before(asked):
        until = parse_qs(urlsplit(asked.target).query)["receivedUntil"][0]
        return Reply.of({"results": [r for r in inbox if r["receivedAt"] < until][:3]})

    server.otherwise = newest_before
    pages, events = pull(stream_of("infobip", Engagement.REPLIES, api_key="KEY", page_size=3))
    assert [page.records for page in pages] == [3, 3, 1]
    assert set(events["event_id"]) == {"0", "1", "2", "3", "4"}


def test_more_replies_in_a_moment_than_fit_a_page_are_not_lost_in_silence(stream_of, pull, server):
    full = Reply.of({"results": [received(number) for number in range(2)]})
    server.otherwise = lambda _asked: full
    stream = stream_of("infobip", Engagement.REPLIES, api_key="KEY", page_size=2)
    with pytest.raises(PermanentSourceError, match="Set page_size higher"):
        pull(stream)


def test_infobip_is_not_asked_for_what_it_has_forgotten(stream_of, pull, server):
    stream = stream_of("infobip", Engagement.REPLIES, api_key="KEY")
    pages, _ = pull(stream, now=datetime(2026, 10, 23, 12, tzinfo=UTC))
    assert pages == []
    assert server.asked == []


def mobizon(data):
    return Reply.of({"code": 0, "data": data, "message": ""})


def test_counts_of_links_are_read_by_their_place_in_the_question(stream_of, pull, server):
    links = [
        {"id": at, "code": f"c{at}", "shortLink": None if at == 3 else f"https://mbz.im/c{at}",
         "clickCnt": 0 if at == 2 else "5"}
        for at in range(1, 9)
    ]  # fmt: skip
    days = {"param": "2026-10-20"} | {f"clicks{at}": at * 10 for at in range(5)}
    broken = {"param": "2026-10-20", "clicks0": "many", "clicks1": None}
    server.script = [
        mobizon({"items": links, "totalItemCount": 8}),
        mobizon({"items": [days], "totals": {}}),
        mobizon({"items": [broken], "totals": {}}),
    ]
    stream = stream_of("mobizon", Engagement.CLICKS, api_key="KEY", currency="UAH")
    pages, events = pull(stream)
    assert [page.records for page in pages] == [0, 5, 2]
    read = events.select("link", "count_text", "clicks").rows()
    assert read == [
        ("https://mbz.im/c1", "0", 0), ("c3", "10", 10), ("https://mbz.im/c4", "20", 20),
        ("https://mbz.im/c5", "30", 30), ("https://mbz.im/c6", "40", 40),
        ("https://mbz.im/c7", "many", None), ("https://mbz.im/c8", None, None),
    ]  # fmt: skip
    assert events["at"].unique().to_list() == [datetime(2026, 10, 19, 21, tzinfo=UTC)]
    assert events["period_seconds"].unique().to_list() == [86_400]


def test_an_answer_of_another_shape_is_told_and_counted(stream_of, pull, server):
    server.script = [
        mobizon({"items": [{"id": 1, "shortLink": "a", "clickCnt": 1}], "totalItemCount": 1}),
        mobizon({"items": None, "totals": {}}),
    ]
    pages, events = pull(stream_of("mobizon", Engagement.CLICKS, api_key="KEY", currency="UAH"))
    assert sum(page.records for page in pages) == events.height == 1
    assert "another shape" in events["malformed"].item()
