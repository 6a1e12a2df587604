"""A reader leaves with one click, over real HTTP, and the next send knows."""

from __future__ import annotations

import http.client
import logging
import re
import threading
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import SMTP, default
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import Language
from sms_etl.errors import ConfigError
from sms_etl.mail import cli
from sms_etl.mail.compose import compose, write_letter
from sms_etl.mail.unsubscribe import Wish, links_of
from sms_etl.mail.unsubscribe_server import unsubscribe_server
from sms_etl.mail.unsubscribed import Unsubscribed
from sms_etl.project import Project
from sms_etl.subscriptions.sending import mail_report
from tests.mail.world import NOW, OLENA, OWNER, PETRO, World, counts, mailbox, scripted_server

URL = "https://reports.example.com/unsubscribe"
ONE_CLICK = "List-Unsubscribe=One-Click"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("TEST_UNSUBSCRIBE_KEY", "0123456789abcdef" * 4)


def world_of(tmp_path, port=1) -> World:
    secret = EnvSecret("TEST_UNSUBSCRIBE_KEY")
    return World(tmp_path, port, unsubscribe_url=URL, unsubscribe_key=secret)


def project_of(world: World, language=Language.UKRAINIAN) -> Project:
    here = world.settings.project.model_copy(update={"data_dir": world.folder})
    subscription = world.subscription(OLENA, PETRO, language=language)
    update = {"project": here, "subscriptions": (subscription,)}
    return Project(world.settings.model_copy(update=update))


def received(world: World, reader: str):
    edition = world.edition()
    letter = write_letter(edition, edition.figures(), world.mail)
    body = compose(letter, reader, world.mail, NOW).as_bytes(policy=SMTP)
    return body, message_from_bytes(body, policy=default)


def link_of(message) -> str:
    return re.fullmatch(r"<(https://[^>]+)>, <mailto:[^>]+>", message["List-Unsubscribe"])[1]


@contextmanager
def serving(project: Project):
    with unsubscribe_server(project, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

        def ask(method: str, link: str, body: str | None = None):
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request(method, urlsplit(link).path, body, kind if body else {})
            answer = connection.getresponse()
            text = answer.read().decode()
            connection.close()
            return answer, text

        yield ask
        server.shutdown()


def test_every_reader_has_a_link_of_their_own_in_headers_and_body(tmp_path):
    world = world_of(tmp_path)
    links = {}
    for reader in (OLENA, PETRO):
        body, message = received(world, reader)
        links[reader] = link_of(message)
        assert f"List-Unsubscribe: <{links[reader]}>,\r\n <mailto:{OWNER}".encode() in body
        assert message["List-Unsubscribe-Post"] == ONE_CLICK
        for part in ("plain", "html"):
            text = message.get_body((part,)).get_content()
            assert text.count(links[reader]) == 1
            assert "unsubscribe.invalid" not in text
    assert links[OLENA] != links[PETRO]
    assert all(link.startswith(f"{URL}/") for link in links.values())


@pytest.mark.parametrize(
    ("language", "asks", "done"),
    [
        (Language.UKRAINIAN, "Більше не надсилати вам цей звіт?", "Вас відписано"),
        (Language.ENGLISH, "Do you no longer want this report?", "You are unsubscribed"),
    ],
)
def test_looking_changes_nothing_and_one_click_unsubscribes(tmp_path, caplog, language, asks, done):
    caplog.set_level(logging.DEBUG)
    world = world_of(tmp_path)
    project = project_of(world, language)
    link = link_of(received(world, OLENA)[1])
    gone = Unsubscribed(project.warehouse)
    with serving(project) as ask:
        for method in ("GET", "HEAD", "GET"):
            answer, page = ask(method, link)
            assert answer.status == 200
            assert (asks in page, "<form method=" in page) == (method == "GET",) * 2
        assert gone.of("monthly") == {}

        answer, page = ask("POST", link, ONE_CLICK)
        assert (answer.status, done in page, OLENA in page) == (200, True, True)
        assert answer.getheader("Referrer-Policy") == "no-referrer"
        first = gone.of("monthly")
        assert list(first) == [OLENA]
        answer, page = ask("POST", link, ONE_CLICK)
        assert answer.status == 200
        assert gone.of("monthly") == first, "a second click changes nothing"
        _, page = ask("GET", link)
        assert done in page
        assert "<form" not in page
    assert "POST 200" in caplog.text
    assert link.rpartition("/")[2] not in caplog.text


def test_a_wrong_token_is_not_found_and_says_no_more(tmp_path, capfd, monkeypatch):
    world = world_of(tmp_path)
    project = project_of(world)
    links = links_of(world.mail)
    good = links.link(Wish("monthly", OLENA))
    body, _, signature = good.rpartition("/")[2].partition(".")
    other = links.link(Wish("monthly", PETRO)).rpartition("/")[2].partition(".")[0]
    monkeypatch.setenv("TEST_UNSUBSCRIBE_KEY", "another key " * 4)
    strange = links_of(world.mail).link(Wish("monthly", OLENA)).rpartition("/")[2]
    monkeypatch.undo()
    monkeypatch.setenv("TEST_UNSUBSCRIBE_KEY", "0123456789abcdef" * 4)
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    wrong = ["", "x", ".", body, f"{body}.", f"{body}.{flipped}", f"{other}.{signature}", strange]
    wrong += ["%D1%8F.%D1%8F", f".{signature}", f"{body}.{signature[:-2]}"]
    with serving(project) as ask:
        answers = [
            (method, *ask(method, f"{URL}/{token}", ONE_CLICK if method == "POST" else None))
            for token in wrong
            for method in ("GET", "POST")
        ]
        answers_of_good = ask("DELETE", good)
    assert {(answer.status, text) for _, answer, text in answers} == {(404, "Not Found\n")}
    assert answers_of_good[0].status == 405
    assert Unsubscribed(project.warehouse).everyone() == []
    assert capfd.readouterr().err == "", "the usual log of requests would show the tokens"


def test_the_next_send_leaves_the_reader_out_until_they_come_back(tmp_path, monkeypatch):
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(
            cli.app, arguments, catch_exceptions=False, env={"COLUMNS": "200"}
        )
        assert result.exit_code == 0
        return result.output

    with scripted_server(tmp_path / "mail") as (server, _):
        world = world_of(tmp_path, server.port)
        project = project_of(world)
        monkeypatch.setattr(Project, "open", lambda: project)
        (subscription,) = project.settings.subscriptions
        assert "Nobody" in run("unsubscribed")
        link = link_of(received(world, OLENA)[1])
        with serving(project) as ask:
            ask("POST", link, ONE_CLICK)
        edition = world.edition()
        mailed = mail_report(project, subscription, edition)
        assert mailed.unsubscribed == (OLENA,)
        assert counts(tmp_path / "mail") == {PETRO: 1}
        (letter,) = mailbox(tmp_path / "mail")[PETRO]
        assert links_of(world.mail).wish(link_of(letter).rpartition("/")[2]) == Wish(
            "monthly", PETRO
        )
        assert OLENA in run("unsubscribed")
        with pytest.raises(ConfigError, match="has unsubscribed from 'monthly'"):
            run("resend", edition.id, OLENA)

        assert "gets monthly again" in run("resubscribe", "monthly", OLENA)
        with pytest.raises(ConfigError, match="has not unsubscribed"):
            run("resubscribe", "monthly", OLENA)
        assert mail_report(project, subscription, edition).unsubscribed == ()
        assert counts(tmp_path / "mail") == {PETRO: 1, OLENA: 1}
        run("unsubscribe", "monthly", PETRO)
        assert mail_report(project, subscription, edition).unsubscribed == (PETRO,)


def test_a_short_key_is_refused_before_anybody_is_written_to(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_UNSUBSCRIBE_KEY", "short")
    world = world_of(tmp_path)
    with pytest.raises(ConfigError, match="openssl rand -hex 32"):
        world.deliver(OLENA)
    assert world.ledger() == {}
    with pytest.raises(ConfigError, match="at least 32"):
        unsubscribe_server(project_of(world), "127.0.0.1", 0)
