"""Editions in a bucket: made on one machine, read and mailed on another one."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from sms_etl.errors import StoreError
from sms_etl.reports.editions import EditionStore
from sms_etl.store.bucket import Stored
from sms_etl.store.edition_folders import BucketEditionFolders
from tests.mail.world import World, mailbox, running_mail_server, states
from tests.reports import samples
from tests.reports.test_editions import Drawn, corrected, freeze


class PowerCutError(Exception):
    pass


@dataclass
class MemoryBucket:
    """What a bucket does, in a dictionary; it dies before deed number `dies_at`."""

    url: str = "s3://reports/editions"
    held: dict[str, bytes] = field(default_factory=dict)
    dies_at: int | None = None
    deeds: int = 0

    def _count(self) -> None:
        if self.deeds == self.dies_at:
            raise PowerCutError
        self.deeds += 1

    def put(self, key, body):
        self._count()
        self.held[key] = body

    def get(self, key):
        if key not in self.held:
            raise StoreError(f"{self.url}/{key} cannot be read: not found")
        return self.held[key]

    def remove(self, keys):
        self._count()
        for key in keys:
            self.held.pop(key, None)

    def objects(self, prefix=""):
        return [
            Stored(key, len(body), "1")
            for key, body in sorted(self.held.items())
            if key.startswith(f"{prefix}/")
        ]


@pytest.fixture
def bucket():
    return MemoryBucket()


@pytest.fixture
def world(tmp_path):
    """A warehouse that every machine reaches."""
    return World(tmp_path)


def machine(world, bucket, name):
    """The editions as a machine of this name sees them."""
    return EditionStore(BucketEditionFolders(world.folder / name, bucket), world.warehouse)


def test_another_machine_reads_what_one_has_frozen_and_keeps_it(world, bucket):
    made = freeze(machine(world, bucket, "one"), samples.month())
    two = machine(world, bucket, "two")
    found = two.get(made.id)
    assert found.figures() == samples.month()
    assert found.pdf_path.read_bytes() == Drawn().pdf
    assert found.address == f"s3://reports/editions/{made.id}"
    bucket.held.clear()
    assert found.pdf_path.read_bytes() == Drawn().pdf
    assert len(two.verify(found)) == len(found.hashes) - 2, "these two files are here"


def test_a_report_made_by_one_machine_is_mailed_by_another(world, bucket, tmp_path):
    world.store = machine(world, bucket, "one")
    made = world.edition()
    world.store = machine(world, bucket, "two")
    with running_mail_server(tmp_path / "mailbox", 0) as server:
        mailing = World(tmp_path, server.port)
        mailing.store = machine(mailing, bucket, "two")
        assert states(mailing.deliver("olena@promin.example")) == {"olena@promin.example": "sent"}
    (mail,) = mailbox(tmp_path / "mailbox")["olena@promin.example"]
    (attached,) = mail.iter_attachments()
    assert attached.get_content() == made.pdf_path.read_bytes()


def test_a_file_that_was_damaged_here_is_brought_again(world, bucket):
    store = machine(world, bucket, "one")
    edition = freeze(store, samples.month())
    edition.pdf_path.write_bytes(b"%PDF forged")
    assert store.verify(edition) == ()
    assert edition.pdf_path.read_bytes() == Drawn().pdf


def test_what_was_changed_or_removed_in_the_bucket_is_told(world, bucket):
    edition = freeze(machine(world, bucket, "one"), samples.month())
    bucket.held[f"{edition.id}/report.pdf"] = b"%PDF forged"
    del bucket.held[f"{edition.id}/chart.png"]
    two = machine(world, bucket, "two")
    forged, missing = two.verify(two.get(edition.id))
    assert "report.pdf is not what was frozen" in forged
    assert "chart.png cannot be read" in missing
    assert not (world.folder / "two" / edition.id / "report.pdf").exists()


def freeze_until_cut(store, figures, bucket, dies_at):
    """Freeze with a power cut before a deed of the bucket; whether it came so far."""
    bucket.deeds, bucket.dies_at = 0, dies_at
    try:
        freeze(store, figures)
    except PowerCutError:
        return True
    finally:
        bucket.dies_at = None
    return False


@pytest.mark.parametrize("dies_at", range(4))
def test_death_at_any_file_then_again_elsewhere_gives_the_same_edition(world, bucket, dies_at):
    one, two = machine(world, bucket, "one"), machine(world, bucket, "two")
    assert freeze_until_cut(one, samples.month(), bucket, dies_at)
    assert one.recent() == []
    edition = freeze(two, samples.month())
    assert {key.partition("/")[0] for key in bucket.held} == {edition.id}
    assert one.verify(one.get(edition.id)) == ()


def test_what_was_left_without_a_row_is_set_aside_whole_and_never_becomes_other_figures(
    world, bucket, tmp_path
):
    older, newer = samples.month(), corrected(samples.month())
    (tmp_path / "lost").mkdir()
    left = freeze(machine(World(tmp_path / "lost"), bucket, "elsewhere"), older)
    before = {key.partition("/")[2]: body for key, body in bucket.held.items()}
    store = machine(world, bucket, "one")
    cuts = 0
    while freeze_until_cut(store, newer, bucket, cuts):
        cuts += 1
    assert cuts > len(left.hashes), "it also died when all was copied"
    (edition,) = store.recent()
    assert edition.id == left.id
    assert edition.figures() == newer
    assert store.verify(edition) == ()
    aside = {
        key.partition("/")[2]: body
        for key, body in bucket.held.items()
        if "-without-row-" in key
    }  # fmt: skip
    assert aside == before
