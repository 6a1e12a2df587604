"""Landing: every page exactly as received, compressed, with a manifest for each pull.

Layout: `<root>/<source>/<first day>_<last day>/<pull>/00001.json.zst … manifest.json`.
Append-only. A pull without its manifest does not exist: the manifest is written last.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

import zstandard

from sms_etl.errors import LandingError
from sms_etl.sources.base import LandedPage, PageFormat, PullPlan
from sms_etl.sources.records import body_of
from sms_etl.store.crew import Crew
from sms_etl.store.files import write_atomically
from sms_etl.store.manifest import MANIFEST, Manifest, ManifestPage, read_manifest
from sms_etl.store.pull import COMPRESSION_LEVEL, Pull

__all__ = ["Landing", "Manifest"]

FILE_CHECKSUM = "file_sha256"
"""Key of the meta of a page with the checksum of the file as it was dropped."""

ERASED_PREFIX = "erased-"
"""Begins the name of a page that somebody was taken out of."""


@dataclass(frozen=True)
class Landing:
    """The landing store on a folder."""

    root: Path

    def land(self, source: str, plan: PullPlan) -> Manifest:
        """Fetch the pages of one plan and keep each as it came; see land_all."""
        (manifest,) = self.land_all(source, [plan])
        return manifest

    def land_all(
        self,
        source: str,
        plans: Iterable[PullPlan],
        parallel: int = 1,
        since: datetime | None = None,
    ) -> list[Manifest]:
        """Fetch the pages of plans and keep each as it came; a manifest closes each pull.

        A plan whose like was landed whole since a moment is not landed again.

        `parallel` slices, of one plan or of several, are fetched side by side. Names of files,
        manifests and their order depend on the plans and the answers alone. When a slice fails
        no further one is begun, what is complete stays, and the other pages stay without a
        manifest: that pull does not exist, but its like may go on from there.
        """
        pulls: list[Pull] = []
        with Crew(parallel) as crew:
            try:
                for plan in plans:
                    if since is not None and self._has_landed(source, plan, since):
                        continue
                    pull = Pull(self._folder(source, plan.first_day, plan.last_day), source, plan)
                    pulls.append(pull)
                    for number in range(pull.slices):
                        crew.do(partial(pull.fetch, number, crew.stopped))
                crew.finish()
            finally:
                crew.stop()
                for pull in pulls:
                    pull.leave()
        return [pull.manifest() for pull in pulls]

    def manifests(self, source: str, days: Sequence[date]) -> list[Manifest]:
        """Every complete pull of a source that covers any of these days, oldest first."""
        if not days:
            return []
        first, last = min(days), max(days)
        wanted = set(days)
        found = []
        for folder in self._ranges(source):
            start, end = range_of(folder)
            overlaps = start <= last and end >= first
            if overlaps and any(start <= day <= end for day in wanted):
                found += [read_manifest(path) for path in self.manifest_paths(folder)]
        return sorted(found, key=lambda manifest: manifest.pull)

    def days(self, source: str) -> set[date]:
        """Days that at least one complete pull of a source covers."""
        covered: set[date] = set()
        for folder in self._ranges(source):
            if self.manifest_paths(folder):
                start, end = range_of(folder)
                covered |= {
                    date.fromordinal(n) for n in range(start.toordinal(), end.toordinal() + 1)
                }
        return covered

    def pages(self, manifests: Sequence[Manifest]) -> list[LandedPage]:
        """Pages of pulls, each checked to be there and of the size its manifest says.

        Raises:
            LandingError: a page is missing or truncated.
        """
        return [page for manifest in manifests for page in self._landed(manifest)]

    def body(self, page: LandedPage) -> bytes:
        """The bytes of a page exactly as received.

        Raises:
            LandingError: the file is damaged.
        """
        return body_of(page)

    def verify(self, manifest: Manifest) -> None:
        """Prove that a pull is still what came, byte for byte.

        Raises:
            LandingError: a page differs from its checksum.
        """
        for landed, page in zip(self._landed(manifest), manifest.pages, strict=True):
            if hashlib.sha256(self.body(landed)).hexdigest() != page.body_sha256:
                raise LandingError(
                    f"{landed.path} is not what was received: its checksum differs from the "
                    f"manifest. Restore it from a backup, or move its pull folder away and pull "
                    f"the day again."
                )

    def checksums(self, source: str) -> frozenset[str]:
        """Checksums of every page ever landed for a source."""
        return frozenset(
            page.meta.get(FILE_CHECKSUM, page.body_sha256)
            for folder in self._ranges(source)
            for path in self.manifest_paths(folder)
            for page in read_manifest(path).pages
        )

    def manifest_paths(self, folder: Path) -> list[Path]:
        """Manifests in the folder of some days."""
        return sorted(folder.glob(f"*/{MANIFEST}"))

    def fetch_all(self) -> None:
        """Bring every page to this machine; on a folder they are."""

    def rewrite(self, place: Place, body: bytes) -> None:
        """Put another body in the place of a page, for the one reason there is: an erasure.

        The manifest points to the new file before the old one goes, so a death in between leaves
        a file that no manifest names; `stored_pages` still finds it.

        Raises:
            LandingError: the page belongs to no whole pull.
        """
        if place.manifest is None:
            raise LandingError(f"{place.path} belongs to no whole pull")
        manifest = read_manifest(place.manifest)
        stored = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(body)
        name = f"{ERASED_PREFIX}{secrets.token_hex(4)}-{place.path.name.rpartition('-')[2]}"
        pages = tuple(
            _rewritten(page, name, body, stored) if page.file == place.path.name else page
            for page in manifest.pages
        )
        if pages != manifest.pages:
            new = place.path.with_name(name)
            write_atomically(new, stored)
            changed = manifest.model_copy(update={"pages": pages})
            write_atomically(place.manifest, changed.model_dump_json(indent=1).encode())
            self.replaced(new, place.path)
        # One that is named nowhere was left by an erasure that died after the manifest.
        place.path.unlink()

    def replaced(self, path: Path, old: Path) -> None:
        """A page stands in the place of an old one; nothing more to do on a folder."""

    def manifest_edited(self, manifest: Path) -> None:
        """A manifest was edited; nothing more to do on a folder."""

    def old_ranges(self, before: date) -> list[Path]:
        """Folders of pulls of all sources whose last day is earlier."""
        return [
            folder for folder in sorted(self.root.glob("*/*_*")) if range_of(folder)[1] < before
        ]

    def remove_before(self, before: date) -> int:
        """Remove pulls whose last day is earlier; returns the number of files."""
        removed = 0
        for folder in Landing.old_ranges(self, before):
            removed += sum(path.is_file() for path in folder.rglob("*"))
            shutil.rmtree(folder)
        return removed

    def _has_landed(self, source: str, plan: PullPlan, since: datetime) -> bool:
        """Whether the same question about the same days was answered whole since a moment."""
        folder = self._folder(source, plan.first_day, plan.last_day)
        found = (read_manifest(path) for path in self.manifest_paths(folder))
        return any(one.asked == plan.asked and one.started_at >= since for one in found)

    def _folder(self, source: str, first: date, last: date) -> Path:
        return self.root / source / f"{first}_{last}"

    def _ranges(self, source: str) -> Iterator[Path]:
        root = self.root / source
        return iter(sorted(root.iterdir())) if root.is_dir() else iter(())

    def _landed(self, manifest: Manifest) -> Iterator[LandedPage]:
        folder = self._folder(manifest.source, manifest.first_day, manifest.last_day)
        for number, page in enumerate(manifest.pages, start=1):
            path = folder / manifest.pull / page.file
            size = path.stat().st_size if path.exists() else -1
            if size != page.stored_bytes:
                state = "is missing" if size < 0 else f"has {size} bytes, not {page.stored_bytes}"
                raise LandingError(
                    f"{path} {state}. Restore the file from a backup, or move the whole pull "
                    f"folder away and pull the day again."
                )
            yield LandedPage(
                path=path,
                pull=manifest.pull,
                number=number,
                format=page.format,
                records=page.records,
                received_at=page.received_at,
                meta=page.meta,
            )


def range_of(folder: Path) -> tuple[date, date]:
    """First and last day of a folder of pulls."""
    first, _, last = folder.name.partition("_")
    return date.fromisoformat(first), date.fromisoformat(last)


@dataclass(frozen=True)
class Place:
    """One stored page, wherever it lies: in a pull, or in one that never came whole."""

    path: Path
    manifest: Path | None
    format: PageFormat


def stored_pages(root: Path) -> Iterator[Place]:
    """Every stored page of every source, those of pulls that never came whole included."""
    for path in sorted(root.glob("*/*_*/*/*.zst")):
        manifest = path.with_name(MANIFEST)
        form = path.name.removesuffix(".zst").rpartition(".")[2]
        yield Place(path, manifest if manifest.exists() else None, PageFormat(form))


def _rewritten(page: ManifestPage, name: str, body: bytes, stored: bytes) -> ManifestPage:
    """What the manifest says of an edited page; a dropped file is still known by its checksum."""
    return page.model_copy(
        update={
            "file": name,
            "body_bytes": len(body),
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "stored_bytes": len(stored),
            "meta": {FILE_CHECKSUM: page.body_sha256, **page.meta},
        }
    )
