"""Messages that nobody here made up: a real Kannel sends them and writes its access log."""

import socket
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime

import polars as pl
import pytest

from sms_etl.model.schemas import CONSERVATION, MESSAGES
from sms_etl.pipeline import land_source, rebuild_messages
from sms_etl.project import Project
from tests.servers.machine import free_port, program
from tests.servers.message_centre import Fate, MessageCentre

pytestmark = pytest.mark.servers

SHORT, BRACKETS, LONG = "+380671234567", "+380501234567", "+380931234567"
REFUSED, EXPIRED, SWITCHED_OFF = "+380671111111", "+380672222222", "+380673333333"
FATES = {
    REFUSED: Fate(refused=0x0B),
    EXPIRED: Fate(stat="EXPIRED", err="027"),
    SWITCHED_OFF: Fate(stat="UNDELIV", err="001"),
}
TEXTS = {
    SHORT: "Your code 1234",
    BRACKETS: "Code [1] 4321] [udh:0:] bye",
    LONG: "Шановний клієнте, ваше замовлення відправлено. Номер накладної буде надіслано окремо.",
    REFUSED: "Nobody has this number",
    EXPIRED: "Too late",
    SWITCHED_OFF: "Not there",
}
EVENTS = 2 * len(TEXTS) + (len(TEXTS) - 1) + 1
"""Every message and Kannel's own receipt; the centre's, where it took the message; and that of
the second part of the long one."""
ACCEPTED = 202
SECONDS = 60

CONFIG = """
group = core
admin-port = {admin}
admin-password = test
smsbox-port = {box}
box-allow-ip = 127.0.0.1
access-log = {folder}/access.log
log-file = {folder}/bearerbox.log
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = centre
host = 127.0.0.1
port = {centre}
transceiver-mode = true
smsc-username = shop
smsc-password = shop
system-type = ""
address-range = ""

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
log-file = {folder}/smsbox.log

group = sendsms-user
username = shop
password = shop
concatenation = true
max-messages = 9

group = sms-service
keyword = default
text = ""
omit-empty = true
"""

SETTINGS = """
[project]
name = "Kannel"
first_day = {day}
business_time_zone = "UTC"
pseudonym_key = "KANNEL_TEST_KEY"

[sources.kannel]
kind = "kannel_log"
folder = "."
time_zone = "UTC"
identifier = "binf"
provider = "kannel_map"
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """A folder with the access log of a Kannel that has sent TEXTS."""
    folder = tmp_path_factory.mktemp("kannel")
    ports = {name: free_port() for name in ("admin", "box", "sendsms")}
    config = folder / "kannel.conf"
    with MessageCentre(lambda number: FATES.get(_plus(number), Fate())) as centre:
        config.write_text(CONFIG.format(folder=folder, centre=centre.port, **ports))
        bearerbox = _running("bearerbox", config, ports["box"])
        with bearerbox, _running("smsbox", config, ports["sendsms"]):
            for number, text in TEXTS.items():
                _send(ports["sendsms"], number, text)
            _wait_for(folder / "access.log")
    return folder


def _plus(number):
    return "+" + number.lstrip("+")


@contextmanager
def _running(name, config, port):
    """One of Kannel's programs once it listens, told to end afterwards."""
    command, nowhere = [program(name), "-v", "4", str(config)], subprocess.DEVNULL
    process = subprocess.Popen(command, env={"TZ": "UTC"}, stdout=nowhere, stderr=nowhere)
    try:
        deadline = time.monotonic() + SECONDS
        while not _listens(port):
            assert process.poll() is None, f"{name} ended"
            assert time.monotonic() < deadline, f"{name} does not listen"
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(timeout=SECONDS)


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _send(port, number, text):
    asked = {
        "username": "shop", "password": "shop", "from": "PROMIN", "to": number, "text": text,
        "charset": "UTF-8", "coding": "0" if text.isascii() else "2", "dlr-mask": "31",
        "dlr-url": "http://127.0.0.1:9/none", "binfo": f"ours-{number}",
    }  # fmt: skip
    url = f"http://127.0.0.1:{port}/cgi-bin/sendsms?{urllib.parse.urlencode(asked)}"
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        assert answer.status == ACCEPTED


def _wait_for(log):
    deadline = time.monotonic() + SECONDS
    while log.read_text("utf-8", "replace").count("[udh:") < EVENTS + 1:
        assert time.monotonic() < deadline, log.read_text("utf-8", "replace")
        time.sleep(0.5)


@pytest.fixture
def project(gateway, monkeypatch):
    monkeypatch.setenv("KANNEL_TEST_KEY", "a key for this test")
    path = gateway / "sms_etl.toml"
    path.write_text(SETTINGS.format(day=datetime.now(UTC).date().isoformat()), "utf-8")
    return Project.open(path)


def test_what_kannel_really_sent_is_read_from_its_log(gateway, project):
    day = datetime.now(UTC).date()
    land_source(project, "kannel", [day])
    rebuild_messages(project, "kannel", [day])
    messages = project.lake.scan(MESSAGES).collect()
    by_id = {row["message_id"]: row for row in messages.iter_rows(named=True)}
    told = {
        number: tuple(by_id[f"ours-{number}"][name] for name in ("status", "code", "reason"))
        for number in TEXTS
    }
    assert told == {
        SHORT: ("DELIVRD", "000", None),
        BRACKETS: ("DELIVRD", "000", None),
        LONG: ("DELIVRD", "000", None),
        REFUSED: ("DLR 16", "0x0000000b", "invalid_number"),
        EXPIRED: ("EXPIRED", "027", "absent_subscriber"),
        SWITCHED_OFF: ("UNDELIV", "001", "invalid_number"),
    }
    long = by_id[f"ours-{LONG}"]
    assert (long["encoding"], long["parts"], long["operator"]) == ("ucs2", 2, "lifecell")
    account = project.lake.scan(CONSERVATION).collect()
    reasons = account.filter(pl.col("fate") == "folded").select("reason", "records").rows()
    assert reasons == [("inbound_message", 1)]
