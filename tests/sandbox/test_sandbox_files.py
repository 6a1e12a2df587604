"""The company's files agree with the truth beside them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import fastexcel
import polars as pl
import pytest
from typer.testing import CliRunner

from sms_etl.sandbox import outbox_at, settled, write_files
from sms_etl.sandbox.cli import app


@pytest.fixture(scope="module")
def folder(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("company")
    write_files(world, settled(world), folder)
    return folder


@pytest.fixture(scope="module")
def truth(folder):
    return pl.read_parquet(folder / "truth.parquet")


def test_truth_is_written_twice_alike(folder, truth):
    lines = [json.loads(line) for line in (folder / "truth.ndjson").read_text().splitlines()]
    assert [line["message_id"] for line in lines] == truth["message_id"].to_list()
    assert [line["class"] for line in lines] == truth["class"].to_list()
    assert datetime.fromisoformat(lines[0]["submitted_at"]) == truth["submitted_at"][0]


def test_outbox_has_every_message_of_both_http_providers(folder, truth):
    outbox = pl.read_csv(folder / "outbox.csv", infer_schema=False)
    assert outbox.columns == [
        "message_id", "source", "recipient", "campaign", "submitted_at", "sender", "text",
        "contact_id",
    ]  # fmt: skip
    ours = truth.filter(pl.col("way").is_in(["twilio", "turbosms"]))
    assert outbox["message_id"].to_list() == ours["message_id"].to_list()
    times = [datetime.fromisoformat(text) for text in outbox["submitted_at"]]
    assert times == ours["submitted_at"].to_list()


def test_outbox_grows_with_the_clock(world):
    noon = datetime(2026, 9, 16, 9, 0, tzinfo=UTC)
    assert outbox_at(world, noon)["submitted_at"].max() <= noon
    assert 0 < outbox_at(world, noon).height < outbox_at(world, settled(world)).height


def test_campaigns_are_named_in_both_languages(folder, truth):
    campaigns = pl.read_csv(folder / "campaigns.csv")
    assert set(campaigns["campaign"]) == set(truth["campaign"])
    assert set(campaigns["kind"]) == {"promo", "otp", "service"}
    assert {"Осінній розпродаж", "Код входу"} <= set(campaigns["name_uk"])


def test_cabinet_exports_together_hold_each_message_once(folder, truth):
    csv = pl.read_csv(
        folder / "cabinet" / "export-1.csv", separator=";", infer_schema=False, encoding="utf8"
    )
    sheet = fastexcel.read_excel(folder / "cabinet" / "export-2.xlsx").load_sheet(0).to_polars()
    assert csv.columns == sheet.columns
    assert csv.columns == [
        "ID", "Телефон", "Відправник", "Статус", "Відправлено", "Доставлено", "Частин", "Ціна",
    ]  # fmt: skip
    mine = truth.filter(pl.col("way") == "cabinet")
    words = dict(csv.select("ID", "Статус").rows()) | dict(sheet.select("ID", "Статус").rows())
    assert len(words) == csv.height + sheet.height == mine.height
    assert words == dict(mine.select("message_id", "word").rows())
    first = mine["submitted_at"][0].astimezone(ZoneInfo("Europe/Kyiv"))
    assert csv["Відправлено"][0] == first.strftime("%d.%m.%Y %H:%M:%S")
    assert set(csv["Ціна"].drop_nulls().str.contains(",")) == {True}
    assert sheet.schema["Відправлено"].is_temporal()


def test_gateway_table_has_smpp_words_and_utc_times(folder, truth):
    with closing(sqlite3.connect(folder / "gateway.sqlite")) as connection:
        rows = connection.execute("SELECT id, status, created_at, cost FROM sms_log").fetchall()
    mine = truth.filter(pl.col("way") == "gateway")
    assert {str(row[0]): row[1] for row in rows} == dict(mine.select("message_id", "word").rows())
    first = mine.row(0, named=True)
    assert next(row[2] for row in rows if str(row[0]) == first["message_id"]) == (
        first["submitted_at"].strftime("%Y-%m-%d %H:%M:%S")
    )
    assert sum(round(row[3] * 1e6) for row in rows if row[3]) == mine["price_micro"].sum()


def test_events_name_the_planted_incidents(folder):
    events = json.loads((folder / "events.json").read_text())
    assert {(e["kind"], e["operator"], e["sender"]) for e in events} == {
        ("outage", "lifecell", None), ("spam_block", None, "PROMINSALE"),
    }  # fmt: skip


def test_command_line_writes_the_same_files(folder, tmp_path):
    result = CliRunner().invoke(app, ["files", "--out", str(tmp_path), "--messages", "2000"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "truth.ndjson").read_bytes() == (folder / "truth.ndjson").read_bytes()
    assert (tmp_path / "outbox.csv").read_bytes() == (folder / "outbox.csv").read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        ["files", "--out", "x", "--now", "2026-10-25"], ["files", "--out", "x", "--first-day", "1"],
        ["serve", "--faults", '{"gremlins": 1}'],
    ],
)  # fmt: skip
def test_command_line_says_which_option_is_wrong(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [*arguments, "--messages", "100"])
    assert result.exit_code == 2
    assert arguments[-2] in result.output
    assert not list(tmp_path.iterdir())
