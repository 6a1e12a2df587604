from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from aiosmtpd.smtp import AuthResult

from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import Security
from sms_etl.errors import ConfigError, MailError
from sms_etl.mail import smtp
from sms_etl.mail.alert import alert_owner
from sms_etl.mail.ledger import Claim, Ledger, MailState
from sms_etl.mail.local_server import LocalMailServer, Mailbox, running_mail_server
from tests.mail.world import (
    IVAN,
    NOW,
    OLENA,
    OWNER,
    PETRO,
    Drawn,
    Scripted,
    World,
    counts,
    mailbox,
    scripted_server,
    self_signed,
    states,
)


def test_each_reader_gets_one_mail_of_their_own(tmp_path):
    with scripted_server(tmp_path / "mail") as (server, _):
        world = World(tmp_path, server.port)
        report = world.deliver(OLENA, PETRO, OLENA)
    assert states(report) == {OLENA: "sent", PETRO: "sent"}
    assert report.complete
    assert counts(tmp_path / "mail") == {OLENA: 1, PETRO: 1}
    entry = world.ledger()[OLENA]
    assert (entry.state, entry.attempts, entry.server_answer) == ("sent", 1, "250 OK stored")
    assert entry.message_id == mailbox(tmp_path / "mail")[OLENA][0]["Message-ID"]
    assert entry.closed_at is not None


def test_delivering_again_sends_nothing(tmp_path):
    with scripted_server(tmp_path / "mail") as (server, _):
        world = World(tmp_path, server.port)
        world.deliver(OLENA)
        report = world.deliver(OLENA, PETRO)
    assert counts(tmp_path / "mail") == {OLENA: 1, PETRO: 1}
    assert [(o.reader, o.state, o.news) for o in report.outcomes] == [
        (OLENA, "sent", False),
        (PETRO, "sent", True),
    ]


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_refused_for_now_is_tried_again_by_the_next_call(tmp_path, stage):
    with scripted_server(tmp_path / "mail", **{stage: "451 greylisted"}) as (server, _):
        world = World(tmp_path, server.port)
        first = world.deliver(OLENA, PETRO)
        assert states(first) == {OLENA: "failed_temporarily", PETRO: "sent"}
        assert first.outcomes[0].answer == "451 greylisted"
        assert first.worth_retrying
        assert not first.owner_told
        second = world.deliver(OLENA, PETRO)
    assert second.complete
    assert counts(tmp_path / "mail") == {OLENA: 1, PETRO: 1}
    assert world.ledger()[OLENA].attempts == 2


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_refused_for_ever_is_told_once_and_not_tried_again(tmp_path, stage):
    with scripted_server(tmp_path / "mail", **{stage: "550 no such mailbox"}) as (server, _):
        world = World(tmp_path, server.port)
        report = world.deliver(OLENA, PETRO)
        assert states(report) == {OLENA: "refused", PETRO: "sent"}
        assert report.owner_told
        again = world.deliver(OLENA, PETRO)
    assert states(again) == {OLENA: "refused", PETRO: "sent"}
    assert not again.owner_told
    assert counts(tmp_path / "mail") == {PETRO: 1, OWNER: 1}
    (alert,) = mailbox(tmp_path / "mail")[OWNER]
    assert "olena@example.com: refused - 550 no such mailbox" in alert.get_content()
    assert PETRO not in alert.get_content()


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
def test_a_connection_lost_before_data_is_tried_again(tmp_path, stage):
    with scripted_server(tmp_path / "mail", **{stage: "drop"}) as (server, _):
        world = World(tmp_path, server.port)
        first = world.deliver(OLENA, PETRO)
        assert states(first) == {OLENA: "failed_temporarily", PETRO: "sent"}
        assert world.deliver(OLENA, PETRO).complete
    assert counts(tmp_path / "mail") == {OLENA: 1, PETRO: 1}


def test_a_connection_lost_amid_data_is_tried_again(tmp_path):
    with dying_server(after_bytes=2000) as port:
        world = World(tmp_path, port, timeout_seconds=1)
        # Larger than the buffers of the sockets, so that the break is noticed on the way.
        world.edition(rendered=Drawn(pdf=b"%PDF" * 2_000_000))
        report = world.deliver(OLENA)
    assert states(report) == {OLENA: "failed_temporarily"}
    assert "before the mail was sent" in report.outcomes[0].answer
    with scripted_server(tmp_path / "mail", port=port):
        assert world.deliver(OLENA).complete
    assert counts(tmp_path / "mail") == {OLENA: 1}


@pytest.mark.parametrize(("order", "arrived"), [("drop", 0), ("store and drop", 1)])
def test_a_connection_lost_after_data_is_unknown_and_never_replayed(tmp_path, order, arrived):
    with scripted_server(tmp_path / "mail", data=order) as (server, _):
        world = World(tmp_path, server.port)
        first = world.deliver(OLENA, PETRO)
        assert states(first) == {OLENA: "unknown", PETRO: "sent"}
        assert first.owner_told
        again = world.deliver(OLENA, PETRO)
    assert states(again) == {OLENA: "unknown", PETRO: "sent"}
    assert not again.owner_told
    assert counts(tmp_path / "mail").get(OLENA, 0) == arrived


def test_resend_is_explicit_and_keeps_the_message_id(tmp_path):
    with scripted_server(tmp_path / "mail", data="store and drop") as (server, _):
        world = World(tmp_path, server.port)
        world.deliver(OLENA)
        report = world.resend(OLENA)
    assert states(report) == {OLENA: "sent"}
    first, second = mailbox(tmp_path / "mail")[OLENA]
    assert first["Message-ID"] == second["Message-ID"]
    assert world.ledger()[OLENA].attempts == 2


def test_a_server_that_says_no_answer_in_time_after_data_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(smtp, "DATA_TIMEOUT_SECONDS", 0.3)
    with silent_after_data() as port:
        report = World(tmp_path, port, timeout_seconds=0.5).deliver(OLENA)
    assert states(report) == {OLENA: "unknown"}
    assert "timed out" in report.outcomes[0].answer


def test_an_unreachable_server_fails_every_mail_for_now_and_is_asked_once(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        world = World(tmp_path, closed.getsockname()[1])
        report = world.deliver(OLENA, PETRO, IVAN)
        assert set(states(report).values()) == {"failed_temporarily"}
        assert "cannot be used" in report.outcomes[0].answer


def test_only_allowed_domains_are_written_to(tmp_path):
    with scripted_server(tmp_path / "mail") as (server, _):
        world = World(tmp_path, server.port, allowed_domains=("Example.com",))
        report = world.deliver(OLENA, PETRO, "olena@sub.example.com", "x@evil-example.com")
        assert states(report) == {
            OLENA: "sent",
            PETRO: "refused",
            "olena@sub.example.com": "refused",
            "x@evil-example.com": "refused",
        }
        assert counts(tmp_path / "mail") == {OLENA: 1, OWNER: 1}
        opened = World(tmp_path, server.port)
        assert opened.deliver(PETRO).complete, "allowing the domain later is enough"


def test_a_mail_larger_than_the_server_takes_is_not_sent(tmp_path):
    options = {"data_size_limit": 8_000}
    with scripted_server(tmp_path / "mail", options=options) as (server, _):
        report = World(tmp_path, server.port).deliver(OLENA)
    assert states(report) == {OLENA: "refused"}
    assert "the server takes 8000" in report.outcomes[0].answer
    assert counts(tmp_path / "mail") == {OWNER: 1}


def test_a_damaged_edition_is_not_mailed(tmp_path):
    with scripted_server(tmp_path / "mail") as (server, _):
        world = World(tmp_path, server.port)
        world.edition().pdf_path.write_bytes(b"%PDF of somebody else")
        with pytest.raises(MailError, match=r"report\.pdf is not what was frozen"):
            world.deliver(OLENA)
    assert counts(tmp_path / "mail") == {}
    assert world.ledger() == {}


def test_an_address_that_mail_servers_do_not_take_is_refused(tmp_path):
    with scripted_server(tmp_path / "mail") as (server, _):
        report = World(tmp_path, server.port).deliver("олена@example.com")
    assert states(report) == {"олена@example.com": "refused"}


def test_no_mail_settings(tmp_path):
    world = World(tmp_path)
    world.settings = world.settings.model_copy(update={"mail": None})
    with pytest.raises(ConfigError, match=r"no \[mail\]"):
        world.deliver(OLENA)
    with pytest.raises(ConfigError, match=r"no \[mail\]"):
        alert_owner(world.settings, "x", "y")


def test_alert_is_a_short_text_to_the_owner(tmp_path):
    with scripted_server(tmp_path / "mail") as (server, _):
        alert_owner(World(tmp_path, server.port).settings, "Збій\nдоставки", "Що сталося.\n.\nКрок")
    (alert,) = mailbox(tmp_path / "mail")[OWNER]
    assert alert["Subject"] == "[Аптеки] Збій доставки"
    assert alert.get_content().splitlines() == ["Що сталося.", ".", "Крок"]
    assert alert["Auto-Submitted"] == "auto-generated"


def test_an_alert_that_cannot_be_sent_raises(tmp_path):
    with (
        scripted_server(tmp_path / "mail", rcpt="550 no") as (server, _),
        pytest.raises(MailError, match="550 no"),
    ):
        alert_owner(World(tmp_path, server.port).settings, "x", "y")


# protection of the connection


def test_starttls_that_is_not_offered_stops_everything(tmp_path):
    with scripted_server(tmp_path / "mail") as (server, _):
        world = World(tmp_path, server.port, security="starttls")
        report = world.deliver(OLENA)
    assert states(report) == {OLENA: "failed_temporarily"}
    assert "offers no STARTTLS" in report.outcomes[0].answer
    assert counts(tmp_path / "mail") == {}


def test_starttls_with_a_trusted_certificate(tmp_path, monkeypatch):
    context, certificate = self_signed(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    options = {"require_starttls": True}
    with scripted_server(tmp_path / "mail", tls=context, options=options) as (server, _):
        assert World(tmp_path, server.port, security="starttls").deliver(OLENA, PETRO).complete
    assert counts(tmp_path / "mail") == {OLENA: 1, PETRO: 1}


class ImplicitTls(LocalMailServer):
    """A mail server that speaks TLS from the first byte and wants a login."""

    def __init__(self, folder, context):
        super().__init__(
            Mailbox(folder), hostname="127.0.0.1", port=0, server_hostname="127.0.0.1",
            ssl_context=context, ready_timeout=5.0, auth_require_tls=False, auth_required=True,
            authenticator=self.accept,
        )  # fmt: skip
        self.logins = []

    def accept(self, _server, _session, _envelope, _mechanism, data):
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"right")

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        with socket.create_connection(("127.0.0.1", self.port), 5) as plain:
            client = ssl.create_default_context()
            client.wrap_socket(plain, server_hostname="127.0.0.1").close()


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # of the server: it is TLS already
@pytest.mark.parametrize(("password", "sent"), [("right", 1), ("wrong-word", 0)])
def test_tls_from_the_first_byte_with_a_login(tmp_path, monkeypatch, password, sent):
    context, certificate = self_signed(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("MAIL_PASSWORD", password)
    (tmp_path / "mail").mkdir()
    server = ImplicitTls(tmp_path / "mail", context)
    server.start()
    try:
        world = World(
            tmp_path, server.port, security="tls", username="reports", password="MAIL_PASSWORD"
        )
        report = world.deliver(OLENA)
    finally:
        server.stop()

    assert server.logins == [("reports", password)]
    assert len(Mailbox(tmp_path / "mail").messages()) == sent
    assert report.complete == bool(sent)
    assert "wrong-word" not in report.text()


@pytest.mark.parametrize("host", ["127.0.0.1", "other.example"])
def test_starttls_with_an_unknown_or_foreign_certificate_sends_nothing(tmp_path, monkeypatch, host):
    context, certificate = self_signed(tmp_path, host)
    if host == "other.example":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with scripted_server(tmp_path / "mail", tls=context) as (server, _):
        report = World(tmp_path, server.port, security="starttls").deliver(OLENA)
    assert states(report) == {OLENA: "failed_temporarily"}
    assert "certificate that cannot be verified" in report.outcomes[0].answer
    assert counts(tmp_path / "mail") == {}


@pytest.mark.parametrize("answer", [b"454 TLS not available now", b"220 go on"])
def test_starttls_that_fails_sends_nothing(tmp_path, answer):
    """Refused for now, or a handshake that is cut: never in the clear instead."""
    heard = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        while line := connection.recv(4096):
            heard.append(line[:8].upper().strip())
            if heard[-1] != b"STARTTLS":
                connection.sendall(b"250-fine\r\n250 STARTTLS\r\n")
                continue
            connection.sendall(answer + b"\r\n")
            if answer.startswith(b"220"):
                return

    with raw_server(talk) as port:
        report = World(tmp_path, port, security="starttls").deliver(OLENA, PETRO)
    assert set(states(report).values()) == {"failed_temporarily"}
    assert not {line[:4] for line in heard} & {b"MAIL", b"DATA"}


def test_protection_in_force(tmp_path):
    def of(**mail: object) -> Security:
        return smtp.security_of(World(tmp_path, **mail).mail)

    assert of(host="127.0.0.1") is Security.NONE
    assert of(host="localhost") is Security.NONE
    assert of(host="::1") is Security.NONE
    assert of(host="127.0.0.1", security="starttls") is Security.STARTTLS
    assert of(host="mail.example.com") is Security.STARTTLS
    assert of(host="127.0.0.1.example.com") is Security.STARTTLS
    assert of(host="mail.example.com", security="none") is Security.NONE
    assert of(host="mail.example.com", security="tls") is Security.TLS


def test_a_password_never_travels_in_the_clear(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_SMTP_PASSWORD", "pa55word")
    world = World(
        tmp_path,
        host="192.0.2.1",
        security="none",
        username="reports",
        password=EnvSecret("TEST_SMTP_PASSWORD"),
    )
    report = world.deliver(OLENA)
    assert states(report) == {OLENA: "failed_temporarily"}
    assert "in the clear" in report.outcomes[0].answer
    assert "pa55word" not in report.text()


def test_a_password_that_is_not_set_is_a_wrong_setting(tmp_path, monkeypatch):
    monkeypatch.delenv("TEST_SMTP_PASSWORD", raising=False)
    with scripted_server(tmp_path / "mail") as (server, _):
        world = World(tmp_path, server.port, username="a", password=EnvSecret("TEST_SMTP_PASSWORD"))
        with pytest.raises(ConfigError, match="TEST_SMTP_PASSWORD"):
            world.deliver(OLENA)
        assert World(tmp_path, server.port).deliver(OLENA).complete


# the ledger by itself


def test_a_claim_taken_over_stops_the_first_holder(tmp_path):
    world = World(tmp_path)
    ledger = Ledger(world.warehouse)
    edition = world.edition().id
    first = ledger.claim(edition, OLENA, "<1@example.com>", NOW)
    second = ledger.claim(edition, OLENA, "<1@example.com>", NOW)
    assert isinstance(first, Claim)
    assert isinstance(second, Claim)
    assert not ledger.start_sending(first)
    assert ledger.start_sending(second)
    assert not ledger.close(first, MailState.FAILED_TEMPORARILY, "x", NOW)
    found = ledger.claim(edition, OLENA, "<1@example.com>", NOW)
    assert not isinstance(found, Claim)
    assert found.state is MailState.SENDING
    assert world.ledger()[OLENA].state is MailState.UNKNOWN
    assert ledger.close(second, MailState.SENT, "250 OK", NOW), "the sender knows best"
    assert world.ledger()[OLENA].state is MailState.SENT


class TakenOver(Scripted):
    """Another run claims the mail while this one talks to the server."""

    def __init__(self, world: World) -> None:
        super().__init__(world.folder / "mail")
        self.world = world

    async def handle_RCPT(self, *arguments):  # noqa: N802
        edition = self.world.edition().id
        Ledger(self.world.warehouse).claim(edition, OLENA, "<2@example.com>", NOW)
        return await super().handle_RCPT(*arguments)


def test_a_claim_lost_while_talking_to_the_server_sends_nothing(tmp_path):
    handler = TakenOver(World(tmp_path))
    with running_mail_server(tmp_path / "mail", handler=handler) as server:
        report = World(tmp_path, server.port).deliver(OLENA)
    assert states(report) == {OLENA: "claimed"}
    assert "another run" in report.outcomes[0].answer
    assert counts(tmp_path / "mail") == {}


# servers that aiosmtpd cannot play


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server for one conversation, gone afterwards so that its port is free again."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            talk(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join(timeout=5)


def converse_until_data(connection: socket.socket) -> None:
    connection.sendall(b"220 hello\r\n")
    line = b""
    while not line.upper().startswith(b"DATA"):
        line = connection.recv(4096)
        connection.sendall(
            b"354 go on\r\n" if line.upper().startswith(b"DATA") else b"250 fine\r\n"
        )


def dying_server(after_bytes: int):
    def talk(connection: socket.socket) -> None:
        converse_until_data(connection)
        got = 0
        while got < after_bytes:
            got += len(connection.recv(500))
        # Closing with unread bytes resets the connection, as a crash does.

    return raw_server(talk)


def silent_after_data():
    def talk(connection: socket.socket) -> None:
        converse_until_data(connection)
        while connection.recv(65536):
            pass

    return raw_server(talk)
