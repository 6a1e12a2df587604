"""Landing in a bucket: what is there is there for every machine.

A pull is landed on this machine first and then put into the bucket, its manifest last, so a pull
without its manifest does not exist here either. Pages never change once they are written, so what
was read before lies in a folder of this machine as a cache; the bucket alone says what there is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sms_etl.errors import LandingError, StoreError
from sms_etl.sources.base import LandedPage, PullPlan
from sms_etl.store.bucket import Bucket
from sms_etl.store.files import write_atomically
from sms_etl.store.landing import Landing, range_of
from sms_etl.store.manifest import MANIFEST, Manifest, read_manifest

UPLOADED = "uploaded"
"""In a pull's folder on this machine: the version of its manifest in the bucket."""


@dataclass(frozen=True)
class BucketLanding(Landing):
    """The landing store in a bucket; `root` is the folder that pulls and cached pages lie in."""

    bucket: Bucket

    def land_all(
        self,
        source: str,
        plans: Iterable[PullPlan],
        parallel: int = 1,
        since: datetime | None = None,
    ) -> list[Manifest]:
        """As on a folder; whole pulls are put into the bucket, also when others failed."""
        try:
            return super().land_all(source, plans, parallel, since)
        finally:
            self.put_pulls(source)

    def put_pulls(self, source: str) -> None:
        """Put whole pulls of this machine that the bucket lacks into it, the manifest last."""
        for manifest in sorted((self.root / source).glob(f"*/*/{MANIFEST}")):
            pull = manifest.parent
            if not (pull / UPLOADED).exists():
                for page in read_manifest(manifest).pages:
                    self.bucket.put(self._key(pull / page.file), (pull / page.file).read_bytes())
                self._put_manifest(manifest)

    def fetch_all(self) -> None:
        """Bring every page of the bucket to this machine."""
        for source in self.bucket.folders(""):
            for folder in self._ranges(source):
                for manifest in self.manifest_paths(folder):
                    for _ in self._landed(read_manifest(manifest)):
                        pass

    def replaced(self, path: Path, old: Path) -> None:
        """Put a page that was edited, and its manifest, in the place of an old page."""
        self.bucket.put(self._key(path), path.read_bytes())
        self._put_manifest(path.with_name(MANIFEST))
        self.bucket.remove([self._key(old)])

    def manifest_edited(self, manifest: Path) -> None:
        """Put an edited manifest into the bucket."""
        self._put_manifest(manifest)

    def remove_before(self, before: date) -> int:
        """Remove pulls whose last day is earlier; returns the number of objects and files."""
        removed = super().remove_before(before)
        for source in self.bucket.folders(""):
            for name in self.bucket.folders(source):
                if range_of(Path(name))[1] < before:
                    keys = [one.key for one in self.bucket.objects(f"{source}/{name}")]
                    # Manifests first: a pull without one does not exist.
                    manifests = [key for key in keys if key.endswith(MANIFEST)]
                    self.bucket.remove(manifests)
                    self.bucket.remove([key for key in keys if key not in manifests])
                    removed += len(keys)
        return removed

    def old_ranges(self, before: date) -> list[Path]:
        """Folders of pulls whose last day is earlier, here or in the bucket."""
        there = {
            self.root / source / name
            for source in self.bucket.folders("")
            for name in self.bucket.folders(source)
            # Some stores still name a folder whose last object is gone.
            if range_of(Path(name))[1] < before and self.bucket.objects(f"{source}/{name}")
        }
        return sorted(there | set(super().old_ranges(before)))

    def _ranges(self, source: str) -> Iterator[Path]:
        return iter([self.root / source / name for name in self.bucket.folders(source)])

    def manifest_paths(self, folder: Path) -> list[Path]:
        """Manifests of the bucket in the folder of some days, brought to this machine."""
        there = {
            self.root / one.key: one
            for one in self.bucket.objects(self._key(folder))
            if one.key.endswith(f"/{MANIFEST}")
        }
        for path in folder.glob(f"*/{MANIFEST}"):
            # Removed by retention on another machine; what was never put there stays.
            if path not in there and (path.parent / UPLOADED).exists():
                shutil.rmtree(path.parent)
        for path, stored in there.items():
            mark = path.parent / UPLOADED
            if not path.exists() or _read(mark) != stored.version:
                write_atomically(path, self.bucket.get(stored.key))
                write_atomically(mark, stored.version.encode())
                _drop_unnamed(path)
        return sorted(there)

    def _landed(self, manifest: Manifest) -> Iterator[LandedPage]:
        folder = self._folder(manifest.source, manifest.first_day, manifest.last_day)
        for page in manifest.pages:
            path = folder / manifest.pull / page.file
            if not path.exists():
                try:
                    write_atomically(path, self.bucket.get(self._key(path)))
                except StoreError as error:
                    raise LandingError(
                        f"{self.bucket.url}/{self._key(path)} is missing. Restore it from a "
                        f"backup, or remove the whole pull from the bucket and pull the day again."
                    ) from error
        return super()._landed(manifest)

    def _key(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _put_manifest(self, manifest: Path) -> None:
        key = self._key(manifest)
        self.bucket.put(key, manifest.read_bytes())
        (version,) = [one.version for one in self.bucket.objects(self._key(manifest.parent))
                      if one.key == key]  # fmt: skip
        write_atomically(manifest.parent / UPLOADED, version.encode())


def _read(path: Path) -> str | None:
    with suppress(OSError):
        return path.read_text("utf-8")
    return None


def _drop_unnamed(manifest: Path) -> None:
    """Remove cached pages that a manifest does not name any more: somebody was erased."""
    named = {page.file for page in read_manifest(manifest).pages}
    for path in manifest.parent.glob("*.zst"):
        if path.name not in named:
            path.unlink()
