"""Files of the simulated company: its outbox, exports of its minor providers, and the truth."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import fields
from datetime import datetime
from pathlib import Path

import polars as pl

from sms_etl.sandbox.campaigns import CATALOGUE, Way
from sms_etl.sandbox.clock import as_utc
from sms_etl.sandbox.company import write_company
from sms_etl.sandbox.invoices import write_invoices
from sms_etl.sandbox.lifecycle import seen_at
from sms_etl.sandbox.rates import write_rates
from sms_etl.sandbox.truth import incidents_at, truth_at
from sms_etl.sandbox.words import with_words
from sms_etl.sandbox.world import OUTBOX_WAYS, World

CABINET_CSV_TIME = "%d.%m.%Y %H:%M:%S"
_SQL_TIME = "%Y-%m-%d %H:%M:%S"
_GATEWAY_DDL = """
CREATE TABLE sms_log (
  id INTEGER PRIMARY KEY, phone TEXT NOT NULL, sender TEXT, campaign TEXT, body TEXT,
  status TEXT NOT NULL, error_code INTEGER, parts INTEGER, cost NUMERIC, currency TEXT,
  created_at TEXT NOT NULL, sent_at TEXT, done_at TEXT, updated_at TEXT NOT NULL
)"""
_GATEWAY_INSERT = "INSERT INTO sms_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def write_files(world: World, now: datetime, folder: Path) -> list[Path]:
    """Write everything the company has on disk at a simulated time; returns the paths.

    outbox.csv (both HTTP providers, recipients as typed, UTC times), campaigns.csv,
    stop_list.csv, cabinet/export-1.csv and cabinet/export-2.xlsx (first and second half of the
    period, Ukrainian headings, local times without zone), gateway.sqlite (table sms_log, UTC
    times), invoices/turbosms-1.csv (once issued, see invoices), truth.ndjson and truth.parquet
    (see truth.truth_at), truth-replies.parquet, truth-clicks.parquet and truth-opt_outs.parquet
    (see engaged.Engaged), nbu.json (see rates) and events.json. In a world with plants also what
    is in company.
    """
    now = as_utc(now)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cabinet").mkdir(exist_ok=True)
    truth = truth_at(world, now)
    outbox_at(world, now).write_csv(folder / "outbox.csv", datetime_format="%FT%T%:z")
    CATALOGUE.select("campaign", "name_uk", "name_en", "kind").write_csv(folder / "campaigns.csv")
    _stop_list(world, now).write_csv(folder / "stop_list.csv", datetime_format="%FT%T%:z")
    truth.write_ndjson(folder / "truth.ndjson")
    truth.write_parquet(folder / "truth.parquet")
    engaged = world.engaged.seen(now)
    for field in fields(engaged):
        frame: pl.DataFrame = getattr(engaged, field.name)
        frame.write_parquet(folder / f"truth-{field.name}.parquet")
    (folder / "events.json").write_text(
        json.dumps(incidents_at(world, now), ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    write_company(world, now, folder)
    write_rates(world, now, folder / "nbu.json")
    write_invoices(world, now, folder / "invoices")
    _write_cabinet(world, now, folder / "cabinet")
    _write_gateway(world, now, folder / "gateway.sqlite")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def outbox_at(world: World, now: datetime) -> pl.DataFrame:
    """What the retailer has submitted to both HTTP providers; the columns of schemas.OUTBOX.

    Where the world has it, also what was skipped, and where the contacts came from.
    """
    sent = world.messages.filter(
        pl.col("way").is_in(OUTBOX_WAYS) & (pl.col("submitted_at") <= as_utc(now))
    )
    told: list[str | pl.Expr] = [
        "message_id", pl.col("way").alias("source"), "recipient", "campaign", "submitted_at",
        "sender", "text", "contact_id",
    ]  # fmt: skip
    if world.skipped is None:
        return sent.select(told)
    nothing = pl.lit(None, pl.String)
    skipped = world.skipped.filter(pl.col("submitted_at") <= as_utc(now))
    told += [name for name in ("contact_source",) if name in sent.columns]
    rows = [
        sent.select(*told, skipped=nothing),
        skipped.with_columns(message_id=nothing, text=nothing).select(*told, "skipped"),
    ]
    return pl.concat(rows).sort("submitted_at", maintain_order=True)


def _stop_list(world: World, now: datetime) -> pl.DataFrame:
    return (
        world.contacts.filter((pl.col("opted_out_at") <= now) & pl.col("e164").is_not_null())
        .select("contact_id", pl.col("e164").alias("recipient"), "opted_out_at")
        .sort("opted_out_at", "contact_id")
    )


def _seen(world: World, way: Way, now: datetime) -> pl.DataFrame:
    paid = pl.col("billed_at").is_not_null()
    return with_words(seen_at(world.by_way[way], now)).with_columns(
        phone=pl.coalesce("e164", "recipient").str.strip_prefix("+"),
        price=pl.when(paid).then(pl.col("part_micro") * pl.col("parts") / 1_000_000).round(4),
    )


def _write_cabinet(world: World, now: datetime, folder: Path) -> None:
    """The export of a web cabinet in two files that share no message."""
    zone = world.parameters.zone.key
    local = pl.col("submitted_at", "done_at").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    middle = world.parameters.start + (world.parameters.end - world.parameters.start) / 2
    seen = _seen(world, Way.CABINET, now)
    first_half = pl.col("submitted_at") < middle
    for half, path in (
        (seen.filter(first_half), folder / "export-1.csv"),
        (seen.filter(~first_half), folder / "export-2.xlsx"),
    ):
        table = half.with_columns(local).select(
            pl.col("message_id").alias("ID"),
            pl.col("phone").alias("Телефон"),
            pl.col("sender").alias("Відправник"),
            pl.col("word").alias("Статус"),
            pl.col("submitted_at").alias("Відправлено"),
            pl.when(pl.col("outcome") == "delivered").then(pl.col("done_at")).alias("Доставлено"),
            pl.col("parts").alias("Частин"),
            pl.col("price").alias("Ціна"),
        )
        if path.suffix == ".csv":
            table.write_csv(
                path, separator=";", include_bom=True, datetime_format=CABINET_CSV_TIME,
                decimal_comma=True,
            )  # fmt: skip
        else:
            table.write_excel(
                path, worksheet="Експорт", dtype_formats={pl.Datetime: "dd.mm.yyyy hh:mm:ss"}
            )


def _write_gateway(world: World, now: datetime, path: Path) -> None:
    """A gateway's own log table in SQLite; status words and codes as SMPP receipts have them."""
    path.unlink(missing_ok=True)
    times = pl.col("submitted_at", "sent_at", "done_at", "updated_at").dt.strftime(_SQL_TIME)
    rows = (
        _seen(world, Way.GATEWAY, now)
        .with_columns(times, pl.col("message_id").cast(pl.Int64))
        .select(
            "message_id", "phone", "sender", "campaign", "text", "word", "code", "parts", "price",
            "currency", "submitted_at", "sent_at", "done_at", "updated_at",
        )
    )  # fmt: skip
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(_GATEWAY_DDL)
        connection.executemany(_GATEWAY_INSERT, rows.iter_rows())
