"""The manifest of a pull: what was asked, what came, and how to prove it is still what came."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sms_etl.errors import LandingError
from sms_etl.sources.base import RETRIES, PageFormat

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1


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
    def retries(self) -> int:
        """Requests that were sent again, over all pages."""
        return sum(int(page.meta.get(RETRIES, 0)) for page in self.pages)

    @property
    def body_bytes(self) -> int:
        """Bytes received over all pages."""
        return sum(page.body_bytes for page in self.pages)


def read_manifest(path: Path) -> Manifest:
    """A manifest from its file.

    Raises:
        LandingError: it cannot be read.
    """
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (ValidationError, json.JSONDecodeError, OSError) as error:
        raise LandingError(f"The manifest {path} cannot be read: {error}") from error
