"""A mail server for this machine only, that keeps every mail as a file: for demos and tests."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as DEFAULT_POLICY  # noqa: N812
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from sms_etl.store.files import write_atomically

LOOPBACK = "127.0.0.1"
SIZE_LIMIT_BYTES = 33_554_432


class Mailbox:
    """aiosmtpd handler: writes each mail to `<number>-<reader>.eml` in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Store the mail once per recipient (the name is aiosmtpd's)."""
        for reader in envelope.rcpt_tos:
            self._store(str(reader), bytes(envelope.original_content))
        return "250 OK stored"

    def _store(self, reader: str, body: bytes) -> None:
        name = re.sub(r"[^A-Za-z0-9.@+-]", "_", reader)
        with self._lock:
            number = 1 + max(
                (int(path.name.partition("-")[0]) for path in self.folder.glob("[0-9]*-*.eml")),
                default=0,
            )
            write_atomically(self.folder / f"{number:04d}-{name}.eml", body)

    def messages(self) -> list[EmailMessage]:
        """Every stored mail, oldest first."""
        parsed = [
            message_from_bytes(path.read_bytes(), policy=DEFAULT_POLICY)
            for path in sorted(self.folder.glob("*.eml"))
        ]
        return [message for message in parsed if isinstance(message, EmailMessage)]


class LocalMailServer(Controller):
    """An SMTP server on loopback in a thread of its own."""

    def _trigger_server(self) -> None:
        # Port 0 asks the system for a free port, which is known only now.
        if isinstance(self.server, asyncio.Server):
            self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def running_mail_server(
    folder: Path,
    port: int = 0,
    *,
    tls: ssl.SSLContext | None = None,
    handler: Any = None,
    **options: Any,
) -> Iterator[LocalMailServer]:
    """Run a mail server until the block ends; `server.port` is its port, on 127.0.0.1.

    Args:
        folder: where the mails are kept.
        port: 0 for any free one.
        tls: offer STARTTLS with this server-side context.
        handler: an aiosmtpd handler of your own; by default a Mailbox on the folder.
        options: passed to aiosmtpd's SMTP class.
    """
    folder.mkdir(parents=True, exist_ok=True)
    server = LocalMailServer(
        handler or Mailbox(folder),
        hostname=LOOPBACK,
        port=port,
        tls_context=tls,
        **{"data_size_limit": SIZE_LIMIT_BYTES, "enable_SMTPUTF8": False, **options},
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()
