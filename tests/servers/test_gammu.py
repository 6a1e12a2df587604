"""Messages that nobody here made up: a real gammu-smsd sends them, the gammu source reads them.

gammu-smsd runs with its dummy phone and an SQLite database; a long message is one row per part
in `sentitems` and one message here.
"""

import shutil
import sqlite3
import subprocess
import time
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from sms_etl.config.settings import Language, ReportKind
from sms_etl.model.schemas import CONSERVATION, MESSAGES
from sms_etl.pipeline import land_source, rebuild_cube, rebuild_messages
from sms_etl.project import Project
from sms_etl.publish import ReportOrder, figures_of
from sms_etl.reports.render import render

pytestmark = pytest.mark.servers

DDL = Path("/usr/share/doc/gammu-smsd/examples/sqlite.sql")
TEXTS = (
    ("+380671234567", "Шановний клієнте, ваше замовлення відправлено. Номер накладної буде "
     "надіслано окремим повідомленням після обіду. Дякуємо, що ви з нами!"),
    ("+380501234567", "Your code 1234"),
    ("+380931234567", "Ваш код 4321. Нікому його не кажіть."),
    ("+48601234567", "x" * 300),
)  # fmt: skip
PARTS = (3, 1, 1, 2)
"""67 characters of UCS-2 or 153 of GSM-7 fit a part of a long message."""

SMSDRC = """
[gammu]
port = {folder}/phone
connection = none
model = dummy

[smsd]
service = sql
driver = sqlite3
database = smsd.db
dbdir = {folder}/
logfile = {folder}/smsd.log
commtimeout = 1
sendtimeout = 5
loopsleep = 1
statusfrequency = 0
"""

SETTINGS = """
[project]
name = "Gammu"
first_day = {first_day}
business_time_zone = "UTC"
pseudonym_key = "GAMMU_TEST_KEY"

[sources.gammu]
kind = "gammu"
url = "sqlite:///smsd.db"
time_zone = "UTC"
constants = {{ campaign = "shop" }}
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """A folder with the database of a gammu-smsd that has sent TEXTS."""
    for program in ("gammu-smsd", "gammu-smsd-inject"):
        assert shutil.which(program), f"{program} is missing; run make test-servers"
    folder = tmp_path_factory.mktemp("gammu")
    (folder / "phone").mkdir()
    for box in range(1, 6):
        (folder / "phone" / "sms" / str(box)).mkdir(parents=True)
    for other in ("note", "todo", "calendar", "phonebook"):
        (folder / "phone" / other).mkdir()
    database = sqlite3.connect(folder / "smsd.db")
    database.executescript(DDL.read_text())
    database.commit()
    config = folder / "smsdrc"
    config.write_text(SMSDRC.format(folder=folder))
    for number, text in TEXTS:
        command = ["gammu-smsd-inject", "-c", str(config), "TEXT", number, "-len", str(len(text))]
        unicode = [] if text.isascii() else ["-unicode"]
        subprocess.run([*command, *unicode, "-text", text], check=True, capture_output=True)
    with subprocess.Popen(["gammu-smsd", "-c", str(config)], stderr=subprocess.DEVNULL) as daemon:
        try:
            _wait_for(database, sum(PARTS))
        finally:
            daemon.terminate()
    database.close()
    return folder


def _wait_for(database, rows):
    deadline = time.monotonic() + 60
    while database.execute("SELECT count(*) FROM sentitems").fetchone()[0] < rows:
        assert time.monotonic() < deadline, "gammu-smsd did not send the messages in a minute"
        time.sleep(0.5)


@pytest.fixture
def project(gateway, monkeypatch):
    monkeypatch.setenv("GAMMU_TEST_KEY", "a key for this test")
    path = gateway / "sms_etl.toml"
    path.write_text(SETTINGS.format(first_day=_day(gateway).isoformat()), "utf-8")
    return Project.open(path)


def _day(gateway) -> date:
    with sqlite3.connect(gateway / "smsd.db") as database:
        stamp = database.execute("SELECT min(InsertIntoDB) FROM sentitems").fetchone()[0]
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC).date()


def test_what_gammu_really_sent_arrives_in_a_report(gateway, project):
    day = _day(gateway)
    land_source(project, "gammu", [day])
    rebuild_messages(project, "gammu", [day])
    rebuild_cube(project, "gammu", [day])

    messages = project.lake.scan(MESSAGES).collect().sort(pl.col("message_id"))
    assert messages["parts"].to_list() == list(PARTS)
    assert messages["encoding"].to_list() == ["ucs2", "gsm7", "ucs2", "gsm7"]
    assert messages["operator"].to_list()[:3] == ["Kyivstar", "Vodafone", "lifecell"]
    # Sent without a request for a receipt: nobody will ever know, and that is not "delivered".
    assert set(messages["status"]) == {"SendingOKNoReport"}
    assert set(messages["status_class"]) == {"unknown"}
    assert messages["final"].all()
    account = project.lake.scan(CONSERVATION).collect()
    folded = account.filter(pl.col("reason") == "part_of_message")["records"].sum()
    assert folded == sum(PARTS) - len(PARTS)

    order = ReportOrder(ReportKind.PERIOD, None, day, day, "UTC", Language.UKRAINIAN)
    figures = figures_of(project, order)
    assert (figures.totals.submitted, figures.totals.parts) == (len(TEXTS), sum(PARTS))
    assert figures.totals.unknown == len(TEXTS)
    assert render(figures, Language.UKRAINIAN).pdf.startswith(b"%PDF-")
