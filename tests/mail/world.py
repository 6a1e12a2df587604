"""A frozen edition, settings and scripted mail servers for the tests of mail."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sms_etl.config.settings import Language, Mail, Project, Settings, Subscription
from sms_etl.mail.ledger import Entry, Ledger
from sms_etl.mail.local_server import LocalMailServer, Mailbox, running_mail_server
from sms_etl.mail.send import DeliveryReport, deliver, resend
from sms_etl.reports.editions import Edition, EditionStore
from sms_etl.reports.figures import Figures
from sms_etl.store.edition_folders import EditionFolders
from sms_etl.store.warehouse import Warehouse
from tests.reports import samples

NOW = datetime(2026, 11, 1, 7, 0, tzinfo=UTC)
OWNER = "owner@example.com"
OLENA, PETRO, IVAN = "olena@example.com", "petro@example.org", "ivan@example.com"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)


@dataclass(frozen=True)
class Drawn:
    """Stands in for the renderer; a PDF with dots at line starts and every byte value."""

    html: bytes = b"<p>page</p>"
    pdf: bytes = b"%PDF-1.7\r\n.\r\n..\r\n" + bytes(range(256)) * 40
    chart_png_mobile: bytes = PNG


def settings(port: int, **mail: Any) -> Settings:
    keys = {
        "host": "127.0.0.1",
        "port": port,
        "sender": "Звіти про SMS <reports@example.com>",
        "owner": OWNER,
        "timeout_seconds": 5,
    } | mail
    return Settings(
        project=Project(name="Аптеки", first_day=date(2026, 1, 1)), sources={}, mail=Mail(**keys)
    )


class World:
    """One deployment: an edition, its ledger, and the mail settings for a port."""

    def __init__(
        self,
        folder: Path,
        port: int = 1,
        figures: Figures | None = None,
        url: str | None = None,
        **mail: Any,
    ) -> None:
        self.folder = folder
        self.figures = figures or samples.month()
        self.warehouse = Warehouse(url or f"sqlite:///{folder / 'warehouse.sqlite'}").open()
        self.store = EditionStore(EditionFolders(folder / "editions"), self.warehouse)
        self.settings = settings(port, **mail)

    @property
    def mail(self) -> Mail:
        assert self.settings.mail is not None
        return self.settings.mail

    def edition(
        self,
        language: Language = Language.UKRAINIAN,
        rendered: Drawn | None = None,
        more: dict[str, bytes] | None = None,
    ) -> Edition:
        return self.store.freeze(
            self.figures,
            rendered or Drawn(),
            audience="monthly",
            language=language,
            now=NOW,
            more=more,
        )

    def subscription(self, *readers: str, **keys: Any) -> Subscription:
        return Subscription(name="monthly", readers=readers, cron="0 8 * * 1", **keys)

    def deliver(self, *readers: str) -> DeliveryReport:
        return deliver(
            self.edition(),
            readers,
            store=self.store,
            warehouse=self.warehouse,
            settings=self.settings,
        )

    def resend(self, reader: str) -> DeliveryReport:
        return resend(
            self.edition(),
            reader,
            store=self.store,
            warehouse=self.warehouse,
            settings=self.settings,
        )

    def ledger(self) -> dict[str, Entry]:
        return {entry.reader: entry for entry in Ledger(self.warehouse).entries(self.edition().id)}


def states(report: DeliveryReport) -> dict[str, str]:
    return {outcome.reader: outcome.state.value for outcome in report.outcomes}


class Scripted(Mailbox):
    """A mailbox that answers, hangs up or kills as told; the script is by stage.

    A script entry is an answer to give instead, or `drop` to cut the connection, or
    `store and drop`, or `kill` (SIGKILL to a process), or `store and kill`. Each entry is used once
    unless `for_ever`.
    """

    def __init__(self, folder: Path, *, for_ever: bool = False, **script: str) -> None:
        super().__init__(folder)
        self.script = script
        self.for_ever = for_ever
        self.pid_of_victim = lambda: 0

    def _next(self, stage: str) -> str | None:
        return self.script.get(stage) if self.for_ever else self.script.pop(stage, None)

    def _act(self, server: Any, order: str) -> str:
        if order.endswith("kill"):
            os.kill(self.pid_of_victim(), signal.SIGKILL)
        server.transport.abort()
        return "421 gone"

    def _scripted(self, server: Any, stage: str) -> str | None:
        order = self._next(stage)
        if order is None:
            return None
        return order if order[0].isdigit() else self._act(server, order)

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        answer = self._scripted(server, "mail")
        if answer is None:
            envelope.mail_from = address
        return answer or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        answer = self._scripted(server, "rcpt")
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        order = self.script.get("data", "")
        if not order or order.startswith("store"):
            await super().handle_DATA(server, session, envelope)
        return self._scripted(server, "data") or "250 OK stored"


@contextmanager
def scripted_server(
    folder: Path, *, tls: ssl.SSLContext | None = None, port: int = 0, **script: Any
) -> Iterator[tuple[LocalMailServer, Scripted]]:
    options = script.pop("options", {})
    handler = Scripted(folder, **script)
    with running_mail_server(folder, port, tls=tls, handler=handler, **options) as server:
        yield server, handler


def mailbox(folder: Path) -> dict[str, list[EmailMessage]]:
    """Mails by reader."""
    found: dict[str, list[EmailMessage]] = {}
    for message in Mailbox(folder).messages():
        found.setdefault(str(message["To"]), []).append(message)
    return found


def counts(folder: Path) -> dict[str, int]:
    return {reader: len(messages) for reader, messages in mailbox(folder).items()}


def self_signed(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context with a fresh certificate for a host, and the certificate."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    name = f"subjectAltName=IP:{host}" if host[0].isdigit() else f"subjectAltName=DNS:{host}"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        f"-subj /CN=test -addext {name} -keyout {key} -out {certificate}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
