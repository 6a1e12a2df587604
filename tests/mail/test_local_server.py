from __future__ import annotations

import smtplib

from sms_etl.mail.local_server import Mailbox, running_mail_server


def send(port: int, *readers: str, body: str = "Subject: x\r\n\r\n.dot\r\n") -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("a@example.com", readers, body)


def test_every_mail_becomes_a_file_for_each_reader(tmp_path):
    with running_mail_server(tmp_path / "mail") as server:
        send(server.port, "olena@example.com", "x/../y@example.com")
        send(server.port, "olena@example.com")
    assert sorted(path.name for path in (tmp_path / "mail").iterdir()) == [
        "0001-olena@example.com.eml",
        "0002-x_.._y@example.com.eml",
        "0003-olena@example.com.eml",
    ]
    (first, *_) = Mailbox(tmp_path / "mail").messages()
    assert (first["Subject"], first.get_content()) == ("x", ".dot\r\n")


def test_numbering_goes_on_after_a_restart(tmp_path):
    for number in (1, 2):
        with running_mail_server(tmp_path) as server:
            send(server.port, "a@example.com")
        assert (tmp_path / f"000{number}-a@example.com.eml").is_file()


def test_a_port_of_choice(tmp_path):
    with running_mail_server(tmp_path) as server:
        port = server.port
    with running_mail_server(tmp_path, port) as server:
        assert server.port == port
