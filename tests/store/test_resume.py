"""A pull that died: the next one goes on from the pages it landed, and takes nothing else."""

import threading
from datetime import UTC, date, datetime

import pytest

from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.sources.base import Page, PageFormat, PullPlan
from sms_etl.sources.slices import SlicedPages
from sms_etl.store.landing import Landing

DAY = date(2026, 10, 25)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Provider:
    """Answers requests a, b, c; `asked` are those that went over the wire."""

    def __init__(self, dies_at="", refuses="") -> None:
        self.dies_at = dies_at
        self.refuses = refuses
        self.asked = []

    def plan(self, *slices, asked="one day", not_before=LONG_AGO) -> PullPlan:
        parts = tuple(self.part(requests) for requests in slices or ("abc",))
        return PullPlan(DAY, DAY, asked, SlicedPages(parts, not_before))

    def part(self, requests):
        def pages(recall):
            for request in requests:
                recalled = recall.answer(request)
                yield self.recalled(request, *recalled) if recalled else self.answer(request)

        return pages

    def answer(self, request) -> Page:
        self.asked.append(request)
        if request == self.dies_at:
            raise TransientSourceError(f"{request} is not answered")
        if request == self.refuses:
            raise PermanentSourceError(f"{request} is no cursor of mine")
        return self.page(request, f"the answer to {request}".encode(), datetime.now(UTC))

    def recalled(self, request, body, recording) -> Page:
        return self.page(request, body, recording.received_at)

    def page(self, request, body, received_at) -> Page:
        return Page(body, PageFormat.JSON, 1, f"GET /{request}", received_at, {}, request)


@pytest.fixture
def landing(tmp_path):
    return Landing(tmp_path)


def died(landing, *slices, at="c", **more):
    with pytest.raises(TransientSourceError):
        landing.land("shop", Provider(dies_at=at).plan(*slices, **more))


def files(landing, pattern="*"):
    return sorted(path for path in (landing.root / "shop").glob(f"*/*/{pattern}"))


def bodies(landing, manifest):
    return [landing.body(page).decode()[-1] for page in landing.pages([manifest])]


def test_only_the_rest_is_asked_for_and_everything_is_landed(landing):
    died(landing)
    provider = Provider()
    manifest = landing.land("shop", provider.plan())
    assert provider.asked == ["c"]
    assert bodies(landing, manifest) == ["a", "b", "c"]
    landing.verify(manifest)


def test_pages_taken_over_keep_their_own_time(landing):
    died(landing)
    before = datetime.now(UTC)
    manifest = landing.land("shop", Provider().plan())
    assert [page.received_at < before for page in manifest.pages] == [True, True, False]


def test_a_pull_may_die_again_and_again(landing):
    died(landing, at="b")
    died(landing, at="c")
    provider = Provider()
    assert len(landing.land("shop", provider.plan()).pages) == 3
    assert provider.asked == ["c"]


def test_nothing_of_the_dead_is_left_once_the_pull_is_whole(landing):
    died(landing)
    manifest = landing.land("shop", Provider().plan())
    assert {path.parent.name for path in files(landing)} == {manifest.pull}
    assert [path.name for path in files(landing)] == [
        "00001.json.zst", "00002.json.zst", "00003.json.zst", "manifest.json",
    ]  # fmt: skip


def test_a_pull_that_landed_nothing_leaves_nothing(landing):
    died(landing, at="a")
    assert files(landing) == []


def cut(path):
    path.write_bytes(path.read_bytes()[:-3])


def emptied(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [cut, emptied, lambda path: path.unlink()])
def test_a_page_that_is_not_whole_is_asked_for_again(landing, harm):
    died(landing)
    harm(files(landing, "00001*")[0])
    provider = Provider()
    manifest = landing.land("shop", provider.plan())
    assert provider.asked == ["a", "c"]
    assert bodies(landing, manifest) == ["a", "b", "c"]


def test_a_page_that_differs_from_what_was_received_is_asked_for_again(landing):
    died(landing)
    first, second = files(landing, "*.zst")
    first.write_bytes(second.read_bytes())
    provider = Provider()
    assert bodies(landing, landing.land("shop", provider.plan())) == ["a", "b", "c"]
    assert provider.asked == ["a", "c"]


def test_a_journal_whose_last_line_was_cut_loses_that_page_only(landing):
    died(landing)
    cut(files(landing, "journal*")[0])
    provider = Provider()
    landing.land("shop", provider.plan())
    assert provider.asked == ["b", "c"]


def test_a_complete_pull_is_never_taken_for_a_dead_one(landing):
    landing.land("shop", Provider().plan())
    provider = Provider()
    landing.land("shop", provider.plan())
    assert provider.asked == ["a", "b", "c"]
    assert len(landing.manifests("shop", [DAY])) == 2


def test_what_died_before_a_complete_pull_is_past(landing):
    died(landing)
    journal, first, second = files(landing)
    kept = {path: path.read_bytes() for path in (journal, first, second)}
    landing.land("shop", Provider().plan())
    journal.parent.mkdir()
    for path, body in kept.items():
        path.write_bytes(body)
    provider = Provider()
    landing.land("shop", provider.plan())
    assert provider.asked == ["a", "b", "c"]


def test_another_question_source_or_day_is_asked_from_the_start(landing):
    died(landing)
    for source, plan in (
        ("shop", {"asked": "another window"}),
        ("other", {}),
    ):
        provider = Provider()
        landing.land(source, provider.plan(**plan))
        assert provider.asked == ["a", "b", "c"]


def test_answers_that_are_too_old_are_asked_for_again(landing):
    died(landing)
    provider = Provider()
    landing.land("shop", provider.plan(not_before=datetime.now(UTC)))
    assert provider.asked == ["a", "b", "c"]


def test_a_provider_that_refuses_an_old_cursor_is_asked_from_the_start(landing, caplog):
    died(landing, "abcd", at="d")

    class Forgetful(Provider):
        """Knows cursor d only if it gave it today."""

        def answer(self, request):
            self.refuses = "" if "a" in self.asked else "d"
            return super().answer(request)

    provider = Forgetful()
    manifest = landing.land("shop", provider.plan("abcd"))
    assert provider.asked == ["d", "a", "b", "c", "d"]
    assert bodies(landing, manifest) == ["a", "b", "c", "d"]
    assert "starting over" in caplog.text


def test_pages_of_the_refused_attempt_are_not_left_beside_those_of_the_new_one(landing):
    died(landing, "abcd", at="d")
    attempts = [Provider(refuses="d").part("abcd"), Provider().part("ab")]
    plan = PullPlan(
        DAY, DAY, "one day", SlicedPages((lambda recall: attempts.pop(0)(recall),), LONG_AGO)
    )
    manifest = landing.land("shop", plan)
    assert bodies(landing, manifest) == ["a", "b"]
    assert {path.name for path in files(landing, "*.zst")} == {page.file for page in manifest.pages}


def test_a_refusal_that_has_nothing_to_do_with_resuming_is_told_at_once(landing):
    provider = Provider(refuses="b")
    with pytest.raises(PermanentSourceError, match="no cursor"):
        landing.land("shop", provider.plan())
    assert provider.asked == ["a", "b"]


def test_a_living_pull_is_left_alone(landing):
    """Two pulls at once: the second neither takes the pages of the first nor removes them."""
    reached, go_on = threading.Event(), threading.Event()

    class Slow(Provider):
        def answer(self, request):
            if request == "c":
                reached.set()
                assert go_on.wait(10)
            return super().answer(request)

    found = []
    first = threading.Thread(target=lambda: found.append(landing.land("shop", Slow().plan())))
    first.start()
    assert reached.wait(10)
    provider = Provider()
    second = landing.land("shop", provider.plan())
    go_on.set()
    first.join(10)
    assert provider.asked == ["a", "b", "c"]
    assert bodies(landing, second) == bodies(landing, found[0]) == ["a", "b", "c"]


def test_two_that_resume_at_once_do_not_fight(landing):
    """The dead pull is claimed by the first; the second asks for everything itself."""
    died(landing)
    reached, go_on = threading.Event(), threading.Event()

    class Slow(Provider):
        def answer(self, request):
            reached.set()
            assert go_on.wait(10)
            return super().answer(request)

    slow, found = Slow(), []
    first = threading.Thread(target=lambda: found.append(landing.land("shop", slow.plan())))
    first.start()
    assert reached.wait(10)
    provider = Provider()
    second = landing.land("shop", provider.plan())
    go_on.set()
    first.join(10)
    assert slow.asked == ["c"]
    assert provider.asked == ["a", "b", "c"]
    assert bodies(landing, second) == bodies(landing, found[0]) == ["a", "b", "c"]
