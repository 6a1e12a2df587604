"""Landing: verbatim pages, and a pull without its manifest does not exist."""

from datetime import UTC, date, datetime

import pytest

from sms_etl.errors import LandingError, StoreError
from sms_etl.sources.base import Page, PageFormat, PullPlan
from sms_etl.store.landing import Landing

DAY = date(2026, 10, 25)
BODY = '{"messages": [{"body": "Ваш код 1234"}],\n "next_page_uri": null}'.encode()


@pytest.fixture
def landing(tmp_path):
    return Landing(tmp_path)


def page(body: bytes = BODY, records: int = 1) -> Page:
    return Page(body, PageFormat.JSON, records, "GET /Messages.json", datetime.now(UTC))


def plan(*pages: Page, first: date = DAY, last: date = DAY) -> PullPlan:
    return PullPlan(first, last, "one day", iter(pages))


def test_a_page_comes_back_byte_for_byte(landing):
    landing.land("twilio", plan(page(), page(b"[]", 0)))

    manifests = landing.manifests("twilio", [DAY])
    pages = landing.pages(manifests)

    assert [landing.body(landed) for landed in pages] == [BODY, b"[]"]
    assert [landed.number for landed in pages] == [1, 2]
    assert manifests[0].records == 1


def test_a_pull_that_died_does_not_exist(landing):
    def dying():
        yield page()
        raise ConnectionError("cut")

    with pytest.raises(ConnectionError):
        landing.land("twilio", PullPlan(DAY, DAY, "one day", dying()))

    assert landing.manifests("twilio", [DAY]) == []
    assert landing.days("twilio") == set()


def test_a_pull_over_several_days_is_found_from_each_of_them_and_no_other(landing):
    landing.land("twilio", plan(page(), first=date(2026, 10, 24), last=date(2026, 10, 26)))

    assert len(landing.manifests("twilio", [date(2026, 10, 25)])) == 1
    assert len(landing.manifests("twilio", [date(2026, 10, 26)])) == 1
    assert landing.manifests("twilio", [date(2026, 10, 27), date(2026, 10, 23)]) == []


def test_pulls_come_oldest_first(landing):
    landed = [landing.land("twilio", plan(page())).pull for _ in range(3)]

    assert [manifest.pull for manifest in landing.manifests("twilio", [DAY])] == landed


@pytest.mark.parametrize("harm", ["truncate", "remove"])
def test_a_truncated_or_missing_page_is_named(landing, harm):
    landing.land("twilio", plan(page()))
    path = landing.pages(landing.manifests("twilio", [DAY]))[0].path
    if harm == "truncate":
        path.write_bytes(path.read_bytes()[:10])
    else:
        path.unlink()

    with pytest.raises(LandingError, match=path.name):
        landing.pages(landing.manifests("twilio", [DAY]))


def test_a_changed_page_of_the_same_size_fails_its_checksum(landing, tmp_path):
    manifest = landing.land("twilio", plan(page()))
    path = landing.pages([manifest])[0].path
    other = Landing(tmp_path / "other")
    changed = other.land("twilio", plan(page(BODY.replace(b"1234", b"1235"))))
    path.write_bytes(other.pages([changed])[0].path.read_bytes())

    with pytest.raises(LandingError, match="checksum"):
        landing.verify(manifest.model_copy(update={"pages": resized(manifest, path)}))


def resized(manifest, path):
    return (manifest.pages[0].model_copy(update={"stored_bytes": path.stat().st_size}),)


def test_an_unwritable_folder_says_what_to_check(tmp_path):
    (tmp_path / "twilio").write_text("a file where a folder should be")

    with pytest.raises(StoreError, match="Check that the folder"):
        Landing(tmp_path).land("twilio", plan(page()))
