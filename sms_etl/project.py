"""One deployment, opened: its settings, its stores and its sources."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from sms_etl.config import Settings, load_settings
from sms_etl.config.clock import now
from sms_etl.errors import ConfigError
from sms_etl.sources.base import PullKind, Source, Stream
from sms_etl.sources.invoices import Invoices
from sms_etl.sources.outbox import Outbox
from sms_etl.sources.registry import make_outbox, make_source, source_class
from sms_etl.store.bucket import Bucket
from sms_etl.store.bucket_landing import BucketLanding
from sms_etl.store.edition_folders import BucketEditionFolders, EditionFolders
from sms_etl.store.files import write_atomically
from sms_etl.store.lake import Lake
from sms_etl.store.landing import Landing
from sms_etl.store.warehouse import Warehouse

log = logging.getLogger(__name__)

LANDING, LAKE, EDITIONS, CHARTS = "landing", "lake", "editions", "charts"
"""Folders of the stores, in the data folder or in the bucket."""

OUTBOX_NAME = "outbox"
"""Under this name the user's own outbox lies in landing; no source may take it."""

ENGAGEMENT_KEY = "engagement"
"""Key of a source's settings that says which of its streams are pulled."""


@dataclass(frozen=True)
class Project:
    """Settings and everything that is opened by them."""

    settings: Settings

    @classmethod
    def open(cls, path: Path | None = None) -> Project:
        """Open the deployment that a settings file describes.

        Raises:
            ConfigError: the settings are wrong.
        """
        settings = load_settings(path)
        if OUTBOX_NAME in settings.sources:
            raise ConfigError(
                f"{settings.path} is not valid:\n  sources.{OUTBOX_NAME}: this name is kept for "
                f"your own outbox; choose another"
            )
        return cls(settings)

    @property
    def landing(self) -> Landing:
        """Raw pages."""
        root, storage = self.settings.data_dir / LANDING, self.settings.storage
        if storage is None:
            return Landing(root)
        return BucketLanding(root, Bucket(storage.url, storage.options).below(LANDING))

    @property
    def lake(self) -> Lake:
        """Canonical tables."""
        storage = self.settings.storage
        if storage is None:
            return Lake(self.settings.data_dir / LAKE)
        return Lake(f"{storage.url.rstrip('/')}/{LAKE}", storage.options)

    def rebuildable(self, days: Sequence[date]) -> list[date]:
        """Those of the days that are not sealed by retention; the others stay as they were."""
        limit = self.settings.retention.sealed_days
        if limit is None:
            return list(days)
        today = now().astimezone(self.settings.project.zone).date()
        first = today - timedelta(days=limit)
        sealed = [day for day in days if day < first]
        if sealed:
            log.warning(
                "%d days before %s are sealed by [retention] and stay as they were last built",
                len(sealed), first,
            )  # fmt: skip
        return [day for day in days if day >= first]

    def has_rows(self, first: date) -> bool:
        """Whether retention has left the rows of a day, so that sums can be held against them."""
        limit = self.settings.retention.rows_days
        today = now().astimezone(self.settings.project.zone).date()
        return limit is None or first >= today - timedelta(days=limit)

    @property
    def edition_folders(self) -> EditionFolders:
        """Files of frozen reports."""
        root, storage = self.settings.data_dir / EDITIONS, self.settings.storage
        if storage is None:
            return EditionFolders(root)
        return BucketEditionFolders(root, Bucket(storage.url, storage.options).below(EDITIONS))

    def keep_chart(self, source: str, day: date, svg: str) -> str:
        """Keep the chart of a source's day beside the stores; returns where it is."""
        name, storage = f"{CHARTS}/{source}/{day}.svg", self.settings.storage
        if storage is None:
            write_atomically(self.settings.data_dir / name, svg.encode())
            return str(self.settings.data_dir / name)
        bucket = Bucket(storage.url, storage.options)
        bucket.put(name, svg.encode())
        return f"{bucket.url.rstrip('/')}/{name}"

    @cached_property
    def warehouse(self) -> Warehouse:
        """The SQL warehouse, created or migrated on first use."""
        url = self.settings.project.warehouse_url
        default = f"sqlite:///{self.settings.data_dir / 'warehouse.sqlite'}"
        return Warehouse(url.get() if url else default).open()

    @property
    def source_names(self) -> list[str]:
        """Enabled sources that messages are read from, in the order of the settings file."""
        blocks = self.settings.sources
        return [name for name in self.enabled if source_class(blocks[name].kind).lists_messages]

    @property
    def enabled(self) -> list[str]:
        """Enabled sources, those with engagement only included."""
        return [name for name, block in self.settings.sources.items() if block.enabled]

    def streams(self, name: str) -> tuple[Stream, ...]:
        """The engagement that the settings want to be pulled from a source.

        All there is of a source that has no setting for it: a table of engagement.
        """
        streams = self.source(name).streams()
        wanted = getattr(self.settings.sources[name], ENGAGEMENT_KEY, None)
        return tuple(stream for stream in streams if wanted is None or stream.kind in wanted)

    def invoices(self, name: str) -> Invoices | None:
        """The folder of invoices of a source, if configured."""
        block = self.settings.invoices.get(name)
        return Invoices(name, block, self.settings.path.parent) if block is not None else None

    @property
    def outbox_sources(self) -> list[str]:
        """Sources whose every message the outbox knows."""
        if self.settings.outbox is None:
            return []
        named = self.settings.reconciliation.outbox_sources
        if named is not None:
            return [name for name in self.source_names if name in named]
        blocks = self.settings.sources
        return [
            name
            for name in self.source_names
            if source_class(blocks[name].kind).kind is PullKind.BY_ID
        ]

    @property
    def reconciled(self) -> list[str]:
        """Sources that something can be held against: the outbox or invoices."""
        named = {*self.outbox_sources, *self.settings.invoices}
        return [name for name in self.source_names if name in named]

    def source(self, name: str) -> Source:
        """A configured source.

        Raises:
            ConfigError: no such source.
        """
        if name not in self.settings.sources:
            raise ConfigError(
                f"There is no source {name!r} in {self.settings.path}; "
                f"there are: {', '.join(self.settings.sources)}"
            )
        return make_source(name, self.settings.sources[name], self.settings.path.parent)

    @property
    def outbox(self) -> Outbox | None:
        """The user's own outbox, if configured."""
        block = self.settings.outbox
        return make_outbox(block, self.settings.path.parent) if block is not None else None
