"""One conversation with the mail server, step by step, so that the stage of a failure is known."""

from __future__ import annotations

import ipaddress
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import parseaddr

from sms_etl.config.settings import Mail, Security
from sms_etl.errors import MailError

END_OF_DATA = b".\r\n"
DATA_TIMEOUT_SECONDS = 600.0
"""How long to wait for the answer to a whole message (RFC 5321, 4.5.3.2.6: 10 minutes)."""

OK, START_INPUT = 250, 354
SERVICE_CLOSING = 421
UNREADABLE = -1
MAX_ANSWER = 500
"""Characters of a server's answer that are kept."""


class NoConnectionError(MailError):
    """The server cannot be reached or will not talk to us; no mail was tried."""


class TemporaryRefusalError(MailError):
    """The server did not take this mail now, and surely does not have it."""


class PermanentRefusalError(MailError):
    """The server will never take this mail."""


class OutcomeUnknownError(MailError):
    """The connection broke after the whole mail was sent and before the server answered."""


class NotOursError(MailError):
    """The caller withdrew the mail before its end was sent."""


def security_of(mail: Mail) -> Security:
    """The protection in force: as written; unwritten, STARTTLS except towards this very host."""
    if "security" not in mail.model_fields_set and _is_loopback(mail.host):
        return Security.NONE
    return mail.security


class Session:
    """An open conversation; several mails may go through it. Use `open_session`."""

    def __init__(self, server: smtplib.SMTP, mail: Mail) -> None:
        self._server = server
        self._sender = parseaddr(mail.sender)[1]
        self._timeout = mail.timeout_seconds
        self.usable = True

    def hand_over(self, message: EmailMessage, reader: str, before_end: Callable[[], bool]) -> str:
        """Send one mail and return the server's answer.

        A server must not deliver a message whose end mark it never saw (RFC 5321, 4.1.1.10), so
        everything up to the mark may be repeated. `before_end` is called just before the mark;
        if it returns false the conversation is cut and nothing is delivered.

        Raises:
            TemporaryRefusalError: the server said so, or the connection broke before the mark.
            PermanentRefusalError: the server said so, or the mail is larger than it takes.
            OutcomeUnknownError: the connection broke after the end mark.
            NotOursError: `before_end` returned false.
        """
        body = message.as_bytes(policy=SMTP_POLICY)
        self._check_size(len(body))
        with self._breaks_as(
            TemporaryRefusalError, "the connection broke before the mail was sent"
        ):
            size = [f"SIZE={len(body)}"] if self._server.has_extn("size") else []
            self._expect(OK, self._server.mail(self._sender, size))
            self._expect(OK, self._server.rcpt(reader))
            self._expect(START_INPUT, self._server.docmd("DATA"))
            self._server.send(_stuff_dots(body))
            self._ask(before_end)
            self._expect_silence()
        with self._breaks_as(OutcomeUnknownError, "the connection broke after the mail was sent"):
            self._wait_up_to(DATA_TIMEOUT_SECONDS)
            self._server.send(END_OF_DATA)
            answer = self._expect(OK, self._server.getreply())
            self._wait_up_to(self._timeout)
            return answer

    def drop(self) -> None:
        """Cut the connection without a word; an unfinished mail is void."""
        self.usable = False
        self._server.close()

    def quit(self) -> None:
        """Say goodbye; what was sent is safe whatever the answer."""
        if self.usable:
            with suppress(smtplib.SMTPException, OSError):
                self._server.quit()
        self.drop()

    def _ask(self, before_end: Callable[[], bool]) -> None:
        """Cut the conversation, and with it the mail, unless we may go on."""
        allowed = False
        try:
            allowed = before_end()
        finally:
            if not allowed:
                self.drop()
        if not allowed:
            raise NotOursError("another run has claimed this mail")

    def _expect_silence(self) -> None:
        """Notice a server that hung up, or refused, amid the mail: it has not got the end mark.

        Raises:
            SMTPServerDisconnected: it did.
        """
        sock = self._server.sock
        if sock is None:
            raise smtplib.SMTPServerDisconnected("no connection")
        sock.settimeout(0)
        try:
            said = sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        finally:
            sock.settimeout(self._timeout)
        raise smtplib.SMTPServerDisconnected(
            "the server refused it halfway" if said else "the server hung up halfway"
        )

    def _wait_up_to(self, seconds: float) -> None:
        if self._server.sock is not None:
            self._server.sock.settimeout(seconds)

    def _check_size(self, size: int) -> None:
        stated = self._server.esmtp_features.get("size", "")
        limit = int(stated) if stated.isdigit() else 0
        if limit and size > limit:
            raise PermanentRefusalError(
                f"the mail has {size} bytes, the server takes {limit}; it was not sent"
            )

    def _expect(self, wanted: int, reply: tuple[int, bytes]) -> str:
        code, text = reply
        answer = f"{code} {text.decode('utf-8', 'replace')}"[:MAX_ANSWER]
        if code // 10 == wanted // 10:
            return answer
        if code == UNREADABLE:
            raise smtplib.SMTPServerDisconnected("the server's answer cannot be read")
        if code == SERVICE_CLOSING:
            self.drop()
        else:
            with suppress(smtplib.SMTPException, OSError):
                self._server.rset()
        if code // 100 == 5:
            raise PermanentRefusalError(answer)
        raise TemporaryRefusalError(answer)

    @contextmanager
    def _breaks_as(self, failure: type[MailError], what: str) -> Iterator[None]:
        try:
            yield
        except (smtplib.SMTPException, OSError) as error:
            self.drop()
            raise failure(f"{what} ({_describe(error)})") from error


def open_session(mail: Mail) -> Session:
    """Connect, protect the connection and log in, as the settings ask.

    Raises:
        NoConnectionError: the server cannot be reached, offers no STARTTLS, has a certificate
            that cannot be verified, or refuses the login.
        ConfigError: the password's environment variable is not set.
    """
    security = security_of(mail)
    password = mail.password.get() if mail.password else None
    if password and security is Security.NONE and not _is_loopback(mail.host):
        raise NoConnectionError(
            "mail.security is 'none', so the password would travel in the clear; it was not sent. "
            "Set mail.security to 'starttls' or 'tls'."
        )
    server: smtplib.SMTP | None = None
    try:
        server = _connect(mail, security)
        server.ehlo_or_helo_if_needed()
        if security is Security.STARTTLS:
            _start_tls(server, mail)
        if mail.username is not None:
            server.login(mail.username, password or "")
    except (smtplib.SMTPException, OSError) as error:
        if server is not None:
            server.close()
        raise NoConnectionError(_explain(mail, error)) from error
    except NoConnectionError:
        if server is not None:
            server.close()
        raise
    return Session(server, mail)


def _connect(mail: Mail, security: Security) -> smtplib.SMTP:
    if security is Security.TLS:
        return smtplib.SMTP_SSL(
            mail.host,
            mail.port,
            timeout=mail.timeout_seconds,
            context=ssl.create_default_context(),
        )
    return smtplib.SMTP(mail.host, mail.port, timeout=mail.timeout_seconds)


def _start_tls(server: smtplib.SMTP, mail: Mail) -> None:
    if not server.has_extn("starttls"):
        raise NoConnectionError(
            f"The mail server {mail.host}:{mail.port} offers no STARTTLS; nothing was sent. "
            f"Use its TLS port with mail.security = 'tls', or set 'none' if you accept that "
            f"reports travel in the clear."
        )
    # Without a context of ours smtplib verifies neither the certificate nor the name.
    server.starttls(context=ssl.create_default_context())
    server.ehlo()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _stuff_dots(body: bytes) -> bytes:
    """Double a dot at the start of a line (RFC 5321, 4.5.2); the body ends with a line break."""
    stuffed = re.sub(rb"(?m)^\.", b"..", body)
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"


def _describe(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        return f"{error.smtp_code} {shown}"[:MAX_ANSWER]
    return (str(error) or type(error).__name__)[:MAX_ANSWER]


def _explain(mail: Mail, error: Exception) -> str:
    where = f"The mail server {mail.host}:{mail.port}"
    told = _describe(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{where} shows a certificate that cannot be verified ({told}); nothing was sent."
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"{where} refuses the login of {mail.username} ({told}). Check the password."
    return f"{where} cannot be used ({told}). Check mail.host, mail.port and mail.security."
