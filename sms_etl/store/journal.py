"""The journal of a pull under way: which answers lie in its folder, should it die.

A line per page, written after the page. Whoever holds the file's lock is alive: the system lets
go of it when a process ends, however it ends. The manifest makes the journal superfluous. Where a
file system has no locks nobody can be known to be dead, and nothing is resumed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import zstandard
from pydantic import BaseModel, ValidationError

from sms_etl.errors import StoreError
from sms_etl.sources.slices import Recording
from sms_etl.store.manifest import MANIFEST, ManifestPage, read_manifest

JOURNAL = "journal.ndjson"


class _Head(BaseModel):
    asked: str


class _Line(BaseModel):
    fingerprint: str
    page: ManifestPage


class Journal:
    """What a living pull writes down."""

    def __init__(self, folder: Path, asked: str) -> None:
        self._path = folder / JOURNAL
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("xb")
        except OSError as error:
            raise StoreError(
                f"{self._path} cannot be written ({error.strerror}). "
                f"Check that the folder exists, is writable and has room."
            ) from error
        with suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX)
        self._write(_Head(asked=asked))

    def add(self, fingerprint: str, page: ManifestPage) -> None:
        """Note a page that lies in the folder, whole."""
        with self._lock:
            self._write(_Line(fingerprint=fingerprint, page=page))

    def close(self, *, complete: bool) -> None:
        """Let go of the pull; a complete one needs its journal no more."""
        if complete:
            self._path.unlink(missing_ok=True)
        self._file.close()

    def _write(self, line: BaseModel) -> None:
        try:
            self._file.write(line.model_dump_json().encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written ({error.strerror}).") from error


@dataclass(frozen=True)
class DeadPull:
    """A pull that died, claimed: no other process takes it while this one has it open."""

    folder: Path
    held: IO[bytes]

    def recordings(self) -> dict[str, Recording]:
        """Its answers by fingerprint."""
        return {
            line.fingerprint: Recording(
                line.page.received_at,
                line.page.meta,
                _reader(self.folder / line.page.file, line.page),
            )
            for line in self._lines()
            if line.fingerprint
        }

    def release(self, *, remove: bool) -> None:
        """Give it up; `remove`: a complete pull stands in its place."""
        if remove:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.held.close()

    def _lines(self) -> Iterator[_Line]:
        """Every whole line after the head; the last may be cut."""
        self.held.seek(0)
        for text in self.held.readlines()[1:]:
            with suppress(ValidationError):
                yield _Line.model_validate_json(text)


def claim_dead(days: Path, asked: str) -> list[DeadPull]:
    """Every dead pull in the folder of some days that asked the same, oldest first.

    Those that a complete pull has followed are left alone.
    """
    journals = sorted(days.glob(f"*/{JOURNAL}"))
    manifests = days.glob(f"*/{MANIFEST}") if journals else ()
    alike = (path.parent.name for path in manifests if read_manifest(path).asked == asked)
    followed = max(alike, default="")
    claims = (_claimed(path, asked) for path in journals if path.parent.name > followed)
    return [dead for dead in claims if dead is not None]


def _claimed(path: Path, asked: str) -> DeadPull | None:
    try:
        held = path.open("rb")
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        head = _Head.model_validate_json(held.readline())
    except (OSError, ValidationError):
        held.close()
        return None
    if head.asked == asked and not (path.parent / MANIFEST).exists():
        return DeadPull(path.parent, held)
    held.close()
    return None


def _reader(path: Path, page: ManifestPage) -> Callable[[], bytes | None]:
    def body() -> bytes | None:
        try:
            whole = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
        except (OSError, zstandard.ZstdError):
            return None
        return whole if hashlib.sha256(whole).hexdigest() == page.body_sha256 else None

    return body
