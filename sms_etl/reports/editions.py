"""Editions: reports frozen for good, with the hashes that prove it.

An edition is files (its figures as JSON, the HTML, the PDF, the chart of the mail, the tables as
data) and a row in the warehouse, with one more for each file of tables. The files appear whole or
not at all, the rows are written after them, both under a lock, so a process may die at any moment
and the next call ends in the same state.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Row, func, select

from sms_etl.config.settings import Language, Period, ReportKind
from sms_etl.errors import StoreError
from sms_etl.reports.as_json import figures_json
from sms_etl.reports.figures import Figures, fingerprint
from sms_etl.reports.flat import flat_figures
from sms_etl.store.edition_folders import EditionFolders, sha256_of
from sms_etl.store.tables import EDITION_FIGURES, EDITION_FILES, EDITIONS, MAIL_LEDGER, SENT_STATE
from sms_etl.store.warehouse import Warehouse

FIGURES_FILE = "figures.json"
HTML_FILE = "report.html"
PDF_FILE = "report.pdf"
CHART_FILE = "chart.png"

MAY_HAVE_ARRIVED = ("sending", "sent", "unknown")
"""States of the mail ledger after which a reader may know the figures."""

EVERYBODY = "all"
"""Audience of an edition that was made for no subscription."""


class Rendered(Protocol):
    """What the renderer hands over."""

    @property
    def html(self) -> bytes:
        """The page, self-contained, UTF-8."""

    @property
    def pdf(self) -> bytes:
        """The typeset report."""

    @property
    def chart_png_mobile(self) -> bytes:
        """The chart of the mail, drawn to be read on a phone."""


@dataclass(frozen=True)
class EditionKey:
    """What an edition is about and for whom; revisions share it."""

    report: ReportKind
    period: Period | None
    first_day: date
    last_day: date
    campaign: str | None
    audience: str
    language: Language

    @classmethod
    def of(cls, figures: Figures, audience: str, language: Language) -> EditionKey:
        """The key of a report's figures."""
        return cls(
            report=figures.kind,
            period=figures.period,
            first_day=figures.first_day,
            last_day=figures.last_day,
            campaign=figures.campaign,
            audience=audience,
            language=language,
        )

    def columns(self) -> dict[str, Any]:
        """The key as columns of the table editions, where nothing is an empty text."""
        return {
            "report": self.report.value,
            "period": self.period.value if self.period else "",
            "first_day": self.first_day,
            "last_day": self.last_day,
            "campaign": self.campaign or "",
            "audience": self.audience,
            "language": self.language.value,
        }

    def slug(self) -> str:
        """Readable name, unique by its hash, fit for a folder and a URL."""
        parts = [str(value) for value in self.columns().values()]
        proof = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]
        words = [re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")[:40] for part in parts]
        return "-".join([*filter(None, words), proof])


@dataclass(frozen=True)
class Edition:
    """One frozen report.

    `folder` is where this machine has the files. `figures_sha256` is the fingerprint of what the
    figures say (it does not move when the same data is pulled again); the other hashes are SHA-256
    of the files, `more_sha256` with the names of those that not every edition has.
    """

    id: str
    key: EditionKey
    revision: int
    figures_sha256: str
    figures_file_sha256: str
    html_sha256: str
    pdf_sha256: str
    chart_sha256: str
    more_sha256: tuple[tuple[str, str], ...]
    folder: Path
    data_as_of: datetime
    created_at: datetime

    folders: EditionFolders = field(compare=False, repr=False)

    @property
    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of every file, by its name."""
        return {
            FIGURES_FILE: self.figures_file_sha256,
            HTML_FILE: self.html_sha256,
            PDF_FILE: self.pdf_sha256,
            CHART_FILE: self.chart_sha256,
            **dict(self.more_sha256),
        }

    @property
    def address(self) -> str:
        """Where the files are kept, for people."""
        return self.folders.address(self.folder.name)

    def path(self, file: str) -> Path:
        """A file on this machine, brought here if it is kept elsewhere.

        Raises:
            StoreError: it is kept elsewhere and cannot be brought.
        """
        return self.folders.path(self.folder.name, file, self.hashes[file])

    @property
    def figures_path(self) -> Path:
        """The figures as JSON."""
        return self.path(FIGURES_FILE)

    @property
    def html_path(self) -> Path:
        """The page."""
        return self.path(HTML_FILE)

    @property
    def pdf_path(self) -> Path:
        """The typeset report."""
        return self.path(PDF_FILE)

    @property
    def chart_path(self) -> Path:
        """The chart of the mail."""
        return self.path(CHART_FILE)

    def figures(self) -> Figures:
        """The figures the edition was made from.

        Raises:
            StoreError: the file is missing, damaged, or cannot be brought here.
        """
        try:
            return Figures.model_validate_json(self.figures_path.read_bytes())
        except (OSError, ValueError) as error:
            raise StoreError(
                f"The figures of edition {self.id} cannot be read from {self.address}. "
                f"Restore it from a backup; an edition is never made anew."
            ) from error


class EditionStore:
    """The files of editions and their rows in the warehouse."""

    def __init__(self, folders: EditionFolders, warehouse: Warehouse) -> None:
        self.folders = folders
        self._warehouse = warehouse

    def freeze(
        self,
        figures: Figures,
        rendered: Rendered,
        *,
        audience: str = EVERYBODY,
        language: Language,
        now: datetime,
        more: Mapping[str, bytes] | None = None,
    ) -> Edition:
        """Keep a report for good, with `more` files by name.

        If the newest edition of the same key says the same (by fingerprint) it is returned
        untouched; other figures make the next revision. Nothing that exists is ever overwritten.

        Raises:
            StoreError: the files or the warehouse cannot be read or written.
        """
        key = EditionKey.of(figures, audience, language)
        said = fingerprint(figures)
        more = more or {}
        files = {
            **more,
            FIGURES_FILE: figures_json(figures),
            HTML_FILE: rendered.html,
            PDF_FILE: rendered.pdf,
            CHART_FILE: rendered.chart_png_mobile,
        }
        with self._warehouse.write(lock=f"sms_etl:edition:{key.slug()}") as connection:
            newest = self._newest(connection, key)
            if newest is not None and newest.figures_sha256 == said:
                return newest
            revision = newest.revision + 1 if newest else 1
            edition_id = f"{key.slug()}-r{revision}"
            placed = self.folders.place(edition_id, files, FIGURES_FILE)
            hashes = {name: sha256_of(body) for name, body in placed.items()}
            row = {
                **key.columns(),
                "id": edition_id,
                "revision": revision,
                "figures_sha256": said,
                "figures_file_sha256": hashes[FIGURES_FILE],
                "html_sha256": hashes[HTML_FILE],
                "pdf_sha256": hashes[PDF_FILE],
                "chart_sha256": hashes[CHART_FILE],
                "folder": edition_id,
                "data_as_of": figures.data_as_of,
                "created_at": now,
            }
            connection.execute(EDITIONS.insert(), [row])
            for name in more:
                kept = {"name": name, "sha256": hashes[name], "bytes": len(placed[name])}
                connection.execute(EDITION_FILES.insert(), [{"edition_id": edition_id, **kept}])
            connection.execute(
                EDITION_FIGURES.insert(),
                [{"edition_id": edition_id, **one} for one in flat_figures(figures)],
            )
        return self.get(edition_id)

    def get(self, edition_id: str) -> Edition:
        """An edition by its identifier.

        Raises:
            StoreError: there is none.
        """
        with self._warehouse.read() as connection:
            row = connection.execute(select(EDITIONS).where(EDITIONS.c.id == edition_id)).first()
            if row is None:
                raise StoreError(f"There is no edition {edition_id!r} in {self._warehouse.name}.")
            return self._edition(connection, row)

    def latest(self, key: EditionKey) -> Edition | None:
        """The newest revision of a key, if there is any."""
        with self._warehouse.read() as connection:
            return self._newest(connection, key)

    def newest(
        self,
        *,
        audience: str,
        report: ReportKind,
        first_day: date | None = None,
        last_day: date | None = None,
    ) -> Edition | None:
        """The edition made last for an audience, of these days if they are given."""
        query = select(EDITIONS).where(
            EDITIONS.c.audience == audience, EDITIONS.c.report == report.value
        )
        if first_day is not None:
            query = query.where(EDITIONS.c.first_day == first_day)
        if last_day is not None:
            query = query.where(EDITIONS.c.last_day == last_day)
        last_made = query.order_by(EDITIONS.c.created_at.desc(), EDITIONS.c.revision.desc())
        with self._warehouse.read() as connection:
            row = connection.execute(last_made.limit(1)).first()
            return self._edition(connection, row) if row is not None else None

    def last_mailed(self, audience: str, before: str) -> Edition | None:
        """The edition that an audience got last, other than the one named `before`."""
        query = (
            select(EDITIONS)
            .join(MAIL_LEDGER, MAIL_LEDGER.c.edition_id == EDITIONS.c.id)
            .where(
                EDITIONS.c.audience == audience,
                EDITIONS.c.id != before,
                MAIL_LEDGER.c.state == SENT_STATE,
            )
            .order_by(MAIL_LEDGER.c.closed_at.desc())
            .limit(1)
        )
        with self._warehouse.read() as connection:
            row = connection.execute(query).first()
            return self._edition(connection, row) if row is not None else None

    def last_told(
        self, report: ReportKind, period: Period | None, first_day: date, last_day: date
    ) -> datetime | None:
        """When anybody was last given a report of these days; null for never."""
        query = select(func.max(EDITIONS.c.created_at)).where(
            EDITIONS.c.report == report.value,
            EDITIONS.c.period == (period.value if period else ""),
            EDITIONS.c.first_day == first_day,
            EDITIONS.c.last_day == last_day,
        )
        with self._warehouse.read() as connection:
            told: datetime | None = connection.execute(query).scalar()
        return told

    def mailed(self, edition: Edition) -> bool:
        """Whether anybody has it, or may have it."""
        reached = select(func.count()).where(
            MAIL_LEDGER.c.edition_id == edition.id, MAIL_LEDGER.c.state.in_(MAY_HAVE_ARRIVED)
        )
        with self._warehouse.read() as connection:
            return bool(connection.execute(reached).scalar())

    def recent(self, limit: int | None = 50) -> list[Edition]:
        """The editions made last, newest first; without a limit all of them."""
        newest_first = select(EDITIONS).order_by(
            EDITIONS.c.created_at.desc(), EDITIONS.c.revision.desc(), EDITIONS.c.id
        )
        with self._warehouse.read() as connection:
            rows = connection.execute(newest_first.limit(limit)).all()
            return [self._edition(connection, row) for row in rows]

    def verify(self, edition: Edition) -> tuple[str, ...]:
        """What is wrong with the files of an edition, one sentence each; nothing if intact."""
        problems = []
        for name, sha256 in edition.hashes.items():
            try:
                path = edition.path(name)
            except StoreError as error:
                problems.append(str(error))
                continue
            if not path.is_file():
                problems.append(f"{path} is missing")
            elif sha256_of(path.read_bytes()) != sha256:
                problems.append(f"{path} is not what was frozen")
        return tuple(problems)

    def _newest(self, connection: Connection, key: EditionKey) -> Edition | None:
        same_key = [EDITIONS.c[name] == value for name, value in key.columns().items()]
        query = select(EDITIONS).where(*same_key).order_by(EDITIONS.c.revision.desc()).limit(1)
        row = connection.execute(query).first()
        return self._edition(connection, row) if row is not None else None

    def _edition(self, connection: Connection, row: Row[Any]) -> Edition:
        named = select(EDITION_FILES.c.name, EDITION_FILES.c.sha256).where(
            EDITION_FILES.c.edition_id == row.id
        )
        more = connection.execute(named.order_by(EDITION_FILES.c.name)).all()
        key = EditionKey(
            report=ReportKind(row.report),
            period=Period(row.period) if row.period else None,
            first_day=row.first_day,
            last_day=row.last_day,
            campaign=row.campaign or None,
            audience=row.audience,
            language=Language(row.language),
        )
        return Edition(
            id=row.id,
            key=key,
            revision=row.revision,
            figures_sha256=row.figures_sha256,
            figures_file_sha256=row.figures_file_sha256,
            html_sha256=row.html_sha256,
            pdf_sha256=row.pdf_sha256,
            chart_sha256=row.chart_sha256,
            more_sha256=tuple((name, sha256) for name, sha256 in more),
            folder=self.folders.root / row.folder,
            data_as_of=row.data_as_of,
            created_at=row.created_at,
            folders=self.folders,
        )
