"""The page behind the links to unsubscribe (RFC 8058): GET asks and changes nothing, POST does it.

Mail programs and virus scanners open links on their own, so only a POST may unsubscribe. Tokens
are never logged: whoever has one can unsubscribe its reader. TLS is for the proxy in front.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sms_etl.config.clock import now
from sms_etl.config.settings import Language
from sms_etl.errors import ConfigError, StoreError
from sms_etl.mail.send import mail_settings
from sms_etl.mail.unsubscribe import Links, Wish, links_of
from sms_etl.mail.unsubscribed import Unsubscribed
from sms_etl.project import Project
from sms_etl.reports.language import TEMPLATES, Words

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

LARGEST_BODY = 10_000
"""Bytes of a POST that are read; a mail program sends thirty."""

PATIENCE_SECONDS = 10
"""How long a connection may be silent."""

HEADERS = [
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Robots-Tag", "noindex"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'",
    ),
]


class UnsubscribeApp:
    """A WSGI application; any WSGI server can run it."""

    def __init__(self, project: Project) -> None:
        """Raises ConfigError: the settings have no mail, or no address or key for the links."""
        mail = mail_settings(project.settings)
        links = links_of(mail)
        if links is None:
            raise ConfigError(
                f"{project.settings.path} has no mail.unsubscribe_url and mail.unsubscribe_key; "
                f"without them no link to unsubscribe is sent."
            )
        self._links: Links = links
        self._owner = mail.owner
        self._languages = {s.name: s.language for s in project.settings.subscriptions}
        self._unsubscribed = Unsubscribed(project.warehouse)
        self._page = Environment(
            loader=FileSystemLoader(TEMPLATES / "mail"), autoescape=True, undefined=StrictUndefined
        ).get_template("unsubscribe.html.j2")

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        method = environ["REQUEST_METHOD"]
        status, kind, body = self._answer(method, environ)
        logger.info("Unsubscribe page: %s %d", method, status)
        headers = [*HEADERS, ("Content-Type", kind), ("Content-Length", str(len(body)))]
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "GET, HEAD, POST"))
        start(f"{status.value} {status.phrase}", headers)
        return [] if method == "HEAD" else [body]

    def _answer(self, method: str, environ: WSGIEnvironment) -> tuple[HTTPStatus, str, bytes]:
        # Read whatever comes: a connection closed over unread bytes is reset before the answer.
        length = environ.get("CONTENT_LENGTH") or "0"
        environ["wsgi.input"].read(min(int(length) if length.isdigit() else 0, LARGEST_BODY))
        if method not in {"GET", "HEAD", "POST"}:
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED)
        # The last part only: a proxy may keep or take off the path before it.
        wish = self._links.wish(environ.get("PATH_INFO", "").rpartition("/")[2])
        if wish is None:
            return _plain(HTTPStatus.NOT_FOUND)
        try:
            if method == "POST":
                self._unsubscribed.add(wish.subscription, wish.reader, now())
                logger.info("A reader of %r unsubscribed", wish.subscription)
            gone = wish.reader in self._unsubscribed.of(wish.subscription)
        except StoreError:
            logger.exception("A reader of %r could not be unsubscribed", wish.subscription)
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE)
        return HTTPStatus.OK, "text/html; charset=utf-8", self._written(wish, gone=gone)

    def _written(self, wish: Wish, *, gone: bool) -> bytes:
        # A subscription that is gone from the settings has no language; its readers may leave it.
        words = Words(self._languages.get(wish.subscription, Language.ENGLISH))
        names = {"name": wish.subscription, "reader": wish.reader}
        if gone:
            title = words.text("You are unsubscribed")
            text = words.text(
                "The report “%(name)s” is not sent to %(reader)s any more. If this was a "
                "mistake, write to %(owner)s.",
                **names,
                owner=self._owner,
            )
        else:
            title = words.text("Do you no longer want this report?")
            text = words.text("The report “%(name)s” is sent to %(reader)s.", **names)
        page = self._page.render(
            language=words.language.value,
            title=title,
            text=text,
            button="" if gone else words.text("Unsubscribe"),
        )
        return page.encode()


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Nothing: the line would hold the token."""


class UnsubscribeServer(ThreadingMixIn, WSGIServer):
    """The application over HTTP; a slow visitor keeps no other waiting."""

    daemon_threads = True


def unsubscribe_server(project: Project, host: str, port: int) -> UnsubscribeServer:
    """The server, bound and ready for `serve_forever`; port 0 takes a free one.

    Raises:
        ConfigError: the settings are not whole, or the port cannot be taken.
    """
    app = UnsubscribeApp(project)
    try:
        server = UnsubscribeServer((host, port), _Handler)
    except OSError as error:
        raise ConfigError(f"{host}:{port} cannot be listened on: {error.strerror}.") from error
    server.set_app(app)
    return server


def _plain(status: HTTPStatus) -> tuple[HTTPStatus, str, bytes]:
    return status, "text/plain; charset=utf-8", f"{status.phrase}\n".encode()
