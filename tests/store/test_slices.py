"""Slices side by side: the same landing whatever the timing, and one failure loses no page."""

import threading
from datetime import UTC, date, datetime

import pytest

from sms_etl.errors import TransientSourceError
from sms_etl.sources.base import Page, PageFormat, PullPlan
from sms_etl.sources.slices import SlicedPages
from sms_etl.store.landing import Landing

FIRST, SECOND = date(2026, 10, 24), date(2026, 10, 25)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 1, tzinfo=UTC)


def page(text: str) -> Page:
    return Page(text.encode(), PageFormat.JSON, 1, f"GET /{text}", RECEIVED, {}, text)


def plan(day, *parts) -> PullPlan:
    return PullPlan(day, day, f"day {day}", SlicedPages(parts, LONG_AGO))


def slice_of(*texts, after=None, then=None):
    """Pages, which come after an event; when they have all been landed, another event is set."""

    def pages(recall):
        assert after is None or after.wait(10), "the other slice runs side by side"
        for text in texts:
            if recall.answer(text) is None:
                yield page(text)
        if then:
            then.set()

    return pages


def landed(landing, manifests):
    return [
        [(page.file, landing.body(kept).decode())
         for page, kept in zip(one.pages, landing.pages([one]), strict=True)]
        for one in manifests
    ]  # fmt: skip


def test_what_is_landed_does_not_depend_on_who_is_faster(tmp_path):
    last_first, one_by_one = Landing(tmp_path / "a"), Landing(tmp_path / "b")
    third, second = threading.Event(), threading.Event()
    backwards = last_first.land_all(
        "shop",
        [
            plan(FIRST, slice_of("a", "b", after=second)),
            plan(SECOND, slice_of("c", after=third, then=second), slice_of("d", "e", then=third)),
        ],
        parallel=3,
    )
    in_order = one_by_one.land_all(
        "shop",
        [plan(FIRST, slice_of("a", "b")), plan(SECOND, slice_of("c"), slice_of("d", "e"))],
    )
    assert landed(last_first, backwards) == landed(one_by_one, in_order)
    assert landed(one_by_one, in_order) == [
        [("00001.json.zst", "a"), ("00002.json.zst", "b")],
        [("001-00001.json.zst", "c"), ("002-00001.json.zst", "d"), ("002-00002.json.zst", "e")],
    ]
    assert [one.first_day for one in backwards] == [FIRST, SECOND]
    assert backwards == sorted(backwards, key=lambda manifest: manifest.pull)


def test_no_more_slices_are_fetched_at_once_than_allowed(tmp_path):
    lock, now, most = threading.Lock(), 0, 0

    def part(_recall):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.005)
        yield page("x")
        with lock:
            now -= 1

    Landing(tmp_path).land_all("shop", [plan(FIRST, *[part] * 9)], parallel=3)
    assert most == 3


def test_the_next_plan_is_not_made_before_there_is_a_hand_for_it(tmp_path):
    told = []

    def plans():
        for day in (FIRST, SECOND):
            told.append(f"plan {day}")
            yield PullPlan(day, day, "files", iter([page("a")]))
            told.append(f"done {len(Landing(tmp_path).manifests('shop', [day]))}")

    Landing(tmp_path).land_all("shop", plans())
    assert told == [f"plan {FIRST}", "done 1", f"plan {SECOND}", "done 1"]


def failing(*texts):
    def pages(_recall):
        for text in texts:
            yield page(text)
        raise TransientSourceError("the line is cut")

    return pages


def test_a_failed_slice_fails_the_pull_and_the_pages_of_the_others_are_used_again(tmp_path):
    landing, there = Landing(tmp_path), threading.Event()
    asked = []

    def counted(*texts, after=None):
        def pages(recall):
            for text in texts:
                if recall.answer(text) is None:
                    asked.append(text)
                yield page(text)

        return pages

    def late(recall):
        assert there.wait(10)
        yield from failing("c")(recall)

    with pytest.raises(TransientSourceError, match="the line is cut"):
        landing.land_all("shop", [plan(FIRST, slice_of("a", "b", then=there), late)], parallel=2)
    assert landing.manifests("shop", [FIRST]) == []

    (whole,) = landing.land_all("shop", [plan(FIRST, counted("a", "b"), counted("c", "d"))])
    assert asked == ["d"]
    assert len(whole.pages) == 4


def test_days_that_are_whole_stay_when_a_later_one_fails_and_no_further_one_is_begun(tmp_path):
    landing, begun = Landing(tmp_path), []

    def third():
        begun.append("third")
        return iter([page("z")])

    plans = [
        plan(FIRST, slice_of("a")),
        plan(SECOND, failing("b")),
        PullPlan(date(2026, 10, 26), date(2026, 10, 26), "more", SlicedPages((third,), LONG_AGO)),
    ]
    with pytest.raises(TransientSourceError):
        landing.land_all("shop", plans)
    assert landing.days("shop") == {FIRST}
    assert begun == []


def test_a_day_with_nothing_to_ask_for_is_a_whole_pull(tmp_path):
    landing = Landing(tmp_path)
    (manifest,) = landing.land_all("shop", [plan(FIRST)])
    assert manifest.pages == ()
    assert landing.manifests("shop", [FIRST]) == [manifest]
