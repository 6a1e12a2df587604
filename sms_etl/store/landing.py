"""Landing: every page exactly as received, compressed, with a manifest for each pull.

Layout: `<root>/<source>/<first day>_<last day>/<pull>/00001.json.zst … manifest.json`.
Append-only. A pull without its manifest does not exist: the manifest is written last.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import zstandard
from pydantic import BaseModel, ConfigDict, ValidationError

from sms_etl.config.clock import now
from sms_etl.errors import LandingError
from sms_etl.sources.base import LandedPage, Page, PageFormat, PullPlan
from sms_etl.sources.records import body_of
from sms_etl.store.files import write_atomically

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
COMPRESSION_LEVEL = 3


class ManifestPage(BaseModel):
    """One page of a pull, as the manifest records it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    format: PageFormat
    request: str
    records: int
    received_at: datetime
    body_bytes: int
    body_sha256: str
    stored_bytes: int
    meta: dict[str, str]


class Manifest(BaseModel):
    """What was asked, what came, and how to prove it is still what came."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    source: str
    pull: str
    asked: str
    first_day: date
    last_day: date
    started_at: datetime
    finished_at: datetime
    pages: tuple[ManifestPage, ...]

    @property
    def records(self) -> int:
        """Records over all pages."""
        return sum(page.records for page in self.pages)

    @property
    def body_bytes(self) -> int:
        """Bytes received over all pages."""
        return sum(page.body_bytes for page in self.pages)


@dataclass(frozen=True)
class Landing:
    """The landing store on a folder."""

    root: Path

    def land(self, source: str, plan: PullPlan) -> Manifest:
        """Fetch the pages of a plan and keep each as it came; the manifest closes the pull.

        When fetching fails the pages stay without a manifest, so the pull does not exist.
        """
        started, stamp = now(), datetime.now(UTC)
        pull = f"{stamp:%Y%m%dT%H%M%S}.{stamp.microsecond:06d}Z-{secrets.token_hex(3)}"
        folder = self._folder(source, plan.first_day, plan.last_day) / pull
        pages = tuple(
            self._keep(folder, number, page) for number, page in enumerate(plan.pages, start=1)
        )
        manifest = Manifest(
            version=MANIFEST_VERSION,
            source=source,
            pull=pull,
            asked=plan.asked,
            first_day=plan.first_day,
            last_day=plan.last_day,
            started_at=started,
            finished_at=max(started, now()),
            pages=pages,
        )
        write_atomically(folder / MANIFEST, manifest.model_dump_json(indent=1).encode())
        logger.info("landed %s: %s, %d records", source, plan.asked, manifest.records)
        return manifest

    def manifests(self, source: str, days: Sequence[date]) -> list[Manifest]:
        """Every complete pull of a source that covers any of these days, oldest first."""
        if not days:
            return []
        first, last = min(days), max(days)
        wanted = set(days)
        found = []
        for folder in self._ranges(source):
            start, end = _range_of(folder)
            overlaps = start <= last and end >= first
            if overlaps and any(start <= day <= end for day in wanted):
                found += [_read_manifest(path) for path in folder.glob(f"*/{MANIFEST}")]
        return sorted(found, key=lambda manifest: manifest.pull)

    def days(self, source: str) -> set[date]:
        """Days that at least one complete pull of a source covers."""
        covered: set[date] = set()
        for folder in self._ranges(source):
            if any(folder.glob(f"*/{MANIFEST}")):
                start, end = _range_of(folder)
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
            page.meta.get("file_sha256", page.body_sha256)
            for folder in self._ranges(source)
            for path in folder.glob(f"*/{MANIFEST}")
            for page in _read_manifest(path).pages
        )

    def _folder(self, source: str, first: date, last: date) -> Path:
        return self.root / source / f"{first}_{last}"

    def _ranges(self, source: str) -> Iterator[Path]:
        root = self.root / source
        return iter(sorted(root.iterdir())) if root.is_dir() else iter(())

    def _keep(self, folder: Path, number: int, page: Page) -> ManifestPage:
        name = f"{number:05d}.{page.format}.zst"
        stored = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(page.body)
        write_atomically(folder / name, stored)
        return ManifestPage(
            file=name,
            format=page.format,
            request=page.request,
            records=page.records,
            received_at=page.received_at,
            body_bytes=len(page.body),
            body_sha256=hashlib.sha256(page.body).hexdigest(),
            stored_bytes=len(stored),
            meta=dict(page.meta),
        )

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


def _range_of(folder: Path) -> tuple[date, date]:
    first, _, last = folder.name.partition("_")
    return date.fromisoformat(first), date.fromisoformat(last)


def _read_manifest(path: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (ValidationError, json.JSONDecodeError, OSError) as error:
        raise LandingError(f"The manifest {path} cannot be read: {error}") from error
