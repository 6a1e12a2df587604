"""One pull being landed: its slices page by page, then its manifest."""

from __future__ import annotations

import hashlib
import logging
import secrets
import shutil
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import zstandard

from sms_etl.config.clock import now
from sms_etl.errors import LandingError, PermanentSourceError
from sms_etl.sources.base import Page, PullPlan
from sms_etl.sources.slices import Part, Recall, Recording, SlicedPages
from sms_etl.store.files import write_atomically
from sms_etl.store.journal import Journal, claim_dead
from sms_etl.store.manifest import MANIFEST, MANIFEST_VERSION, Manifest, ManifestPage

logger = logging.getLogger(__name__)

COMPRESSION_LEVEL = 3


class Pull:
    """A pull under way in the folder of its days.

    Answers of dead pulls that asked the same are taken over instead of being asked for again.
    """

    def __init__(self, days: Path, source: str, plan: PullPlan) -> None:
        self._source = source
        self._plan = plan
        self._started, stamp = now(), datetime.now(UTC)
        self._name = f"{stamp:%Y%m%dT%H%M%S}.{stamp.microsecond:06d}Z-{secrets.token_hex(3)}"
        self._folder = days / self._name
        self._dead = claim_dead(days, plan.asked)
        self._journal = Journal(self._folder, plan.asked)
        self._parts = _parts(plan.pages)
        self._recordings = self._recorded()
        self._kept: dict[int, list[ManifestPage]] = {}
        self._recalled = 0
        self._manifest: Manifest | None = None
        self._lock = threading.Lock()
        if not self._parts:
            self._close()

    @property
    def slices(self) -> int:
        """How many slices there are to fetch."""
        return len(self._parts)

    def fetch(self, number: int, stopped: threading.Event) -> None:
        """Land one slice; the last to end closes the pull. Ends early when `stopped` is set.

        When the provider refuses to go on from recorded answers, the slice starts over.
        """
        recall, pages = Recall(self._recordings), list[ManifestPage]()
        try:
            self._land(number, recall, pages, stopped)
        except PermanentSourceError as error:
            if not recall.used:
                raise
            logger.warning(
                "%s: %s: cannot be resumed, starting over: %s",
                self._source, self._plan.asked, error,
            )  # fmt: skip
            for page in pages:
                (self._folder / page.file).unlink()
            recall, pages = Recall(), []
            self._land(number, recall, pages, stopped)
        if stopped.is_set():
            return
        with self._lock:
            self._kept[number] = pages
            self._recalled += recall.used
            if len(self._kept) == self.slices:
                self._close()

    def manifest(self) -> Manifest:
        """What came; only of a pull whose every slice was fetched."""
        if self._manifest is None:
            raise LandingError(f"{self._folder} was not landed whole. Pull the day again.")
        return self._manifest

    def leave(self) -> None:
        """Let go of a pull that was not completed, so that another may go on from it."""
        if self._manifest is None:
            self._journal.close(complete=False)
            for dead in self._dead:
                dead.release(remove=False)
            if not any(self._folder.glob("*.zst")):
                shutil.rmtree(self._folder, ignore_errors=True)

    def _recorded(self) -> dict[str, Recording]:
        """Answers of dead pulls that are young enough; the newest of each."""
        if not isinstance(self._plan.pages, SlicedPages):
            return {}
        not_before = self._plan.pages.not_before
        found: dict[str, Recording] = {}
        for dead in self._dead:
            found |= dead.recordings()
        return {key: one for key, one in found.items() if one.received_at >= not_before}

    def _land(
        self, number: int, recall: Recall, kept: list[ManifestPage], stopped: threading.Event
    ) -> None:
        for at, page in enumerate(self._parts[number](recall), start=1):
            kept.append(self._keep(self._file(number, at, page), page))
            if stopped.is_set():
                return

    def _file(self, number: int, at: int, page: Page) -> str:
        part = f"{number + 1:03d}-" if self.slices > 1 else ""
        return f"{part}{at:05d}.{page.format}.zst"

    def _keep(self, name: str, page: Page) -> ManifestPage:
        stored = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(page.body)
        write_atomically(self._folder / name, stored)
        kept = ManifestPage(
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
        self._journal.add(page.fingerprint, kept)
        return kept

    def _close(self) -> None:
        self._manifest = Manifest(
            version=MANIFEST_VERSION,
            source=self._source,
            pull=self._name,
            asked=self._plan.asked,
            first_day=self._plan.first_day,
            last_day=self._plan.last_day,
            started_at=self._started,
            finished_at=max(self._started, now()),
            pages=tuple(page for number in sorted(self._kept) for page in self._kept[number]),
        )
        write_atomically(self._folder / MANIFEST, self._manifest.model_dump_json(indent=1).encode())
        self._journal.close(complete=True)
        for dead in self._dead:
            dead.release(remove=True)
        logger.info(
            "landed %s: %s, %d records in %d pages, %d of them from a pull that died",
            self._source, self._plan.asked, self._manifest.records,
            len(self._manifest.pages), self._recalled,
        )  # fmt: skip


def _parts(pages: Iterable[Page]) -> tuple[Part, ...]:
    if isinstance(pages, SlicedPages):
        return pages.parts
    return (lambda _recall: iter(pages),)
