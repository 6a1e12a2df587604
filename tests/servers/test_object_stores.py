"""The suite of the local stores, and a deployment, on real S3-compatible servers."""

import os
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest

from sms_etl.derived import rebuild_derived
from sms_etl.errors import StoreError
from sms_etl.housekeeping.erase import erase, held_pages, person_of
from sms_etl.housekeeping.masking import marks_of
from sms_etl.housekeeping.retention import apply_retention
from sms_etl.housekeeping.steps import keep_up_tables
from sms_etl.model.schemas import CUBE, MESSAGES
from sms_etl.project import Project
from sms_etl.reports.editions import EditionStore
from sms_etl.store.bucket import Bucket
from sms_etl.store.bucket_landing import BucketLanding
from sms_etl.store.edition_folders import BucketEditionFolders
from sms_etl.store.lake import Lake
from sms_etl.store.warehouse import Warehouse
from tests.pipeline.company import DAYS, NOW, land_and_rebuild, rebuild, running_company
from tests.reports import samples
from tests.reports import test_editions as of_editions
from tests.servers.object_stores import STORES, make_bucket, storage
from tests.store import test_lake as of_lake
from tests.store import test_landing as of_landing
from tests.store import test_large_slices as of_large

pytestmark = pytest.mark.servers
SOME_DAYS = DAYS[:4]


@pytest.fixture(scope="module", params=list(STORES))
def endpoint(request, tmp_path_factory):
    with STORES[request.param](tmp_path_factory.mktemp(request.param)) as address:
        make_bucket(address)
        yield address


@pytest.fixture
def place(endpoint, monkeypatch):
    """Storage below a prefix of its own."""
    return storage(endpoint, uuid4().hex, monkeypatch)


@pytest.fixture
def lake(place):
    return Lake(f"{place.url}/lake", place.options)


@pytest.fixture
def landing(place, tmp_path):
    return BucketLanding(tmp_path / "here", Bucket(place.url, place.options).below("landing"))


@pytest.fixture
def store(place, tmp_path):
    warehouse = Warehouse(f"sqlite:///{tmp_path / 'warehouse.sqlite'}").open()
    bucket = Bucket(place.url, place.options).below("editions")
    return EditionStore(BucketEditionFolders(tmp_path / "editions", bucket), warehouse)


test_slice = of_lake.test_replacing_a_slice_leaves_other_days_and_sources_alone
test_empty_day = of_lake.test_a_day_without_rows_becomes_empty
test_outside = of_lake.test_rows_outside_the_slice_are_refused_and_nothing_changes
test_never_written = of_lake.test_a_table_never_written_is_empty
test_scan = of_lake.test_scan_cuts_to_days_and_sources
test_writers_side_by_side = of_lake.test_writers_of_different_sources_do_not_disturb_each_other
test_earlier_release = (
    of_lake.test_a_table_of_an_earlier_release_that_lacks_what_rows_may_lack_opens_and_is_written
)
test_large_slice = of_large.test_only_its_slice_is_replaced
test_large_rows = of_large.test_rows_come_back_as_from_a_frame_and_the_table_can_be_kept_up
test_large_outside = of_large.test_a_row_outside_the_slice_is_refused_and_nothing_changes
test_large_writers = of_large.test_of_two_writers_of_one_empty_slice_one_stays
test_byte_for_byte = of_landing.test_a_page_comes_back_byte_for_byte
test_died = of_landing.test_a_pull_that_died_does_not_exist
test_several_days = of_landing.test_a_pull_over_several_days_is_found_from_each_of_them_and_no_other
test_order = of_landing.test_pulls_come_oldest_first

test_edition = of_editions.test_a_report_is_kept_with_its_hashes
test_same_edition = of_editions.test_the_same_figures_give_the_same_edition_untouched
test_pulled_again = of_editions.test_pulling_the_same_data_again_is_no_correction
test_revision = of_editions.test_other_figures_make_a_revision_and_keep_the_old_one
test_apart = of_editions.test_language_audience_and_campaign_are_apart
test_no_edition = of_editions.test_nothing_yet


def test_an_edition_is_read_and_proved_on_another_machine(store, tmp_path):
    made = of_editions.freeze(store, samples.month())
    folders = replace(store.folders, root=tmp_path / "elsewhere")
    other = EditionStore(folders, store._warehouse)
    found = other.get(made.id)
    assert other.verify(found) == ()
    assert found.figures() == samples.month()
    folders.bucket.put(f"{made.id}/report.pdf", b"%PDF forged")
    third = EditionStore(replace(folders, root=tmp_path / "third"), store._warehouse)
    (told,) = third.verify(third.get(made.id))
    assert "report.pdf is not what was frozen" in told


def elsewhere(landing, tmp_path):
    """Another machine that reads the same bucket."""
    return replace(landing, root=tmp_path / "elsewhere")


def test_what_one_machine_lands_another_one_reads(landing, tmp_path):
    landing.land("twilio", of_landing.plan(of_landing.page()))
    other = elsewhere(landing, tmp_path)
    assert other.days("twilio") == {of_landing.DAY}
    (page,) = other.pages(other.manifests("twilio", [of_landing.DAY]))
    assert other.body(page) == of_landing.BODY


def test_a_pull_that_died_before_its_manifest_was_put_exists_nowhere_and_then_everywhere(
    landing, tmp_path, monkeypatch
):
    def die(self, key, body):
        if key.endswith("manifest.json"):
            raise StoreError("the network is gone")
        put(self, key, body)

    put = Bucket.put
    monkeypatch.setattr(Bucket, "put", die)
    with pytest.raises(StoreError, match="network"):
        landing.land("twilio", of_landing.plan(of_landing.page()))
    other = elsewhere(landing, tmp_path)
    assert landing.days("twilio") == other.days("twilio") == set()
    monkeypatch.setattr(Bucket, "put", put)
    landing.put_pulls("twilio")
    assert landing.days("twilio") == other.days("twilio") == {of_landing.DAY}


def test_a_wrong_key_is_told_without_the_secret(place, monkeypatch):
    bucket = Bucket("s3://no-such-bucket/x", place.options)
    with pytest.raises(StoreError, match=r"Check \[storage\]") as told:
        bucket.get("a")
    assert "test-secret" not in str(told.value)


@pytest.fixture
def companies(endpoint, tmp_path, monkeypatch):
    """The same company twice: with folders, and with everything in a bucket."""
    with running_company(tmp_path / "promin") as company:
        path = company.project.settings.path
        local = company.project
        bucket = f"""
[storage]
url = "s3://reports/{uuid4().hex}"
endpoint = "{endpoint}"
access_key_id = "S3_KEY"
secret_access_key = "S3_SECRET"
"""
        os.environ |= {"S3_KEY": "test-key", "S3_SECRET": "test-secret"}
        text = path.read_text("utf-8").replace('data_dir = "data"', 'data_dir = "data-s3"')
        remote_path = path.with_name("remote.toml")
        remote_path.write_text(text + bucket, "utf-8")
        yield local, Project.open(remote_path)


def cube(project):
    return project.lake.scan(CUBE, SOME_DAYS[0], SOME_DAYS[-1]).collect().sort(CUBE.names)


def test_a_deployment_in_a_bucket_is_the_same_deployment(companies):
    local, remote = companies
    for project in (local, remote):
        land_and_rebuild(project, SOME_DAYS)
        rebuild_derived(project, SOME_DAYS)
    assert cube(local).height > 0
    assert cube(remote).equals(cube(local))
    assert not (remote.settings.data_dir / "lake").exists()
    rebuild(remote, SOME_DAYS)
    assert cube(remote).equals(cube(local))

    outbox = remote.outbox.read(
        remote.landing.pages(remote.landing.manifests("outbox", SOME_DAYS))
    ).collect()
    number = outbox["recipient"].drop_nulls()[0]
    assert erase(remote, number, "olena", "letter of 3 November").complete
    assert cube(remote).equals(cube(local))
    person = person_of(remote, number)
    fresh = Project.open(remote.settings.path)
    other = replace(fresh.landing, root=Path(str(remote.landing.root) + "-elsewhere"))
    other.fetch_all()
    assert list(held_pages_of(other, marks_of(person.e164))) == []
    rows = remote.lake.scan(MESSAGES).filter(pl.col("recipient") == person.pseudonym)
    assert rows.collect().is_empty()
    keep_up_tables(remote)
    assert cube(remote).equals(cube(local))


def held_pages_of(landing, marks):
    class Holder:
        pass

    holder = Holder()
    holder.landing = landing
    return held_pages(holder, marks)


def test_retention_removes_old_pulls_from_the_bucket(companies):
    _, remote = companies
    land_and_rebuild(remote, SOME_DAYS)
    kept = remote.settings.model_copy(
        update={"retention": remote.settings.retention.model_copy(update={"landing_days": 30})}
    )
    project = Project(kept)
    removed = apply_retention(project, NOW, rehearse=False)
    assert [(one.layer, one.left) for one in removed] == [("landing", 0)]
    ends = {one.key.split("/")[1].partition("_")[2] for one in project.landing.bucket.objects()}
    assert min(ends) == "2026-10-03"
