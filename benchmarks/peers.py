"""The same landed Twilio pages, taken to counts in the ways that others would.

Each does what its users would write: last record of a message, three times, class of the status,
price as a number, country by the number's prefix, length and alphabet of the text, a keyed digest
of the number where it can, a table of messages kept on disk and counts by hour. None of them
folds parts and attempts, looks for odd letters, templates, links and number runs, or accounts for
every record, as ours does.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from benchmarks.landed import DAY, SOURCE, project_in
from sms_etl.pipeline import rebuild_cube, rebuild_messages
from sms_etl.store.landing import Landing

LINES_A_FILE = 100
KEY = b"benchmark key of the peers"
CLASSES = {
    "delivered": "delivered", "undelivered": "failed", "failed": "rejected", "sent": "pending",
}  # fmt: skip
COUNTRIES = {"+380": "UA", "+486": "PL", "+491": "DE", "+373": "MD", "+420": "CZ", "+407": "RO"}
PREFIX = 4


def bodies(folder: Path) -> Iterator[bytes]:
    """Pages of the day as received."""
    landing = Landing(folder / "data" / "landing")
    for page in landing.pages(landing.manifests(SOURCE, [DAY])):
        yield landing.body(page)


def lines_of(folder: Path) -> Path:
    """The records as plain NDJSON, made once: readers of lines are given what they like best."""
    lines = folder / "lines"
    if not lines.exists():
        part = folder / "lines.part"
        part.mkdir(exist_ok=True)
        for number, body in enumerate(bodies(folder)):
            with (part / f"{number // LINES_A_FILE:04d}.ndjson").open("ab") as file:
                for record in json.loads(body)["messages"]:
                    file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        part.rename(lines)
    return lines


def scan(folder: Path) -> int:
    """Parse every page and touch nothing: what reading JSON costs at the least (simdjson)."""
    import simdjson

    parser, found = simdjson.Parser(), 0
    for body in bodies(folder):
        found += len(parser.parse(body)["messages"])
    return found


def ours(folder: Path) -> int:
    """Messages, quarantine, accounts and cube, kept in the lake and the warehouse."""
    project = project_in(folder)
    accounts = rebuild_messages(project, SOURCE, [DAY])
    rebuild_cube(project, SOURCE, [DAY])
    return sum(account.records for account in accounts)


DUCKDB_SQL = """
CREATE TABLE seen AS SELECT
    sid, "from" AS sender, "to" AS number, direction, status, error_code, body,
    strptime(substr(date_created, 6, 20), '%d %b %Y %H:%M:%S') AS created_at,
    strptime(substr(date_sent, 6, 20), '%d %b %Y %H:%M:%S') AS sent_at,
    strptime(substr(date_updated, 6, 20), '%d %b %Y %H:%M:%S') AS updated_at,
    abs(price::DECIMAL(18, 6)) AS cost, price_unit AS currency, num_segments::INT AS parts
FROM {records};
CREATE TABLE messages AS
SELECT * EXCLUDE (number, body), map_extract_value({classes}, status) AS class,
    map_extract_value({countries}, left(number, 4)) AS country,
    sha256('{key}' || number) AS recipient, length(body) AS text_length,
    NOT regexp_matches(body, '[^\\x00-\\x7F]') AS gsm7
FROM (SELECT * FROM seen QUALIFY row_number() OVER (PARTITION BY sid ORDER BY updated_at DESC) = 1);
COPY messages TO '{target}/messages.parquet' (FORMAT parquet, COMPRESSION zstd);
CREATE TABLE cube AS
SELECT date_trunc('hour', created_at) AS hour, sender, country, class, error_code, currency,
    count(*) AS messages, sum(parts) AS parts, sum(cost) AS cost,
    quantile_cont(epoch(updated_at - created_at), [0.5, 0.95]) AS seconds
FROM messages GROUP BY ALL;
"""


def duckdb_sql(folder: Path) -> int:
    """DuckDB's read_ndjson and SQL, from plain NDJSON."""
    import duckdb

    fields = "sid from to direction status error_code body date_created date_sent date_updated"
    columns = dict.fromkeys(f"{fields} price price_unit num_segments".split(), "VARCHAR")
    records = f"read_ndjson('{lines_of(folder)}/*.ndjson', columns={columns})"
    with duckdb.connect() as connection:
        connection.execute(f"SET threads={os.environ.get('POLARS_MAX_THREADS', '2')}")
        connection.execute(_sql(records, folder))
        return _one(connection, "SELECT count(*) FROM seen")


def dlt_duckdb(folder: Path) -> int:
    """Load pages with dlt into DuckDB, then SQL as of a dbt package of Twilio."""
    import dlt
    import orjson

    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    database = folder / "dlt.duckdb"
    database.unlink(missing_ok=True)
    pipeline = dlt.pipeline(
        "benchmark", pipelines_dir=str(folder / "dlt"), dataset_name="twilio",
        destination=dlt.destinations.duckdb(str(database)),
    )  # fmt: skip
    pages = (orjson.loads(body)["messages"] for body in bodies(folder))
    pipeline.run(pages, table_name="message", primary_key="sid")
    import duckdb

    with duckdb.connect(str(database)) as connection:
        connection.execute("USE twilio")
        sql = _sql("message", folder).replace("strptime(substr(", "try_strptime(substr(")
        connection.execute(sql)
        return _one(connection, "SELECT count(*) FROM seen")


def orjson_rows(folder: Path) -> int:
    """Row by row in Python, with orjson and a dictionary by message."""
    import orjson
    import polars as pl

    messages: dict[str, dict[str, Any]] = {}
    found = 0
    for body in bodies(folder):
        for record in orjson.loads(body)["messages"]:
            row = _row(record)
            found += 1
            known = messages.get(row["sid"])
            if known is None or known["updated_at"] <= row["updated_at"]:
                messages[row["sid"]] = row
    cube: Counter[tuple[Any, ...]] = Counter()
    for row in messages.values():
        hour = row["created_at"].replace(minute=0, second=0)
        cube[hour, row["sender"], row["country"], row["class"], row["error_code"]] += 1
    pl.DataFrame(list(messages.values())).write_parquet(folder / "rows.parquet")
    return found


def pandas_frame(folder: Path) -> int:
    """Pages into one pandas frame, columns normalised, grouped."""
    import orjson
    import pandas as pd

    frame = pd.DataFrame([row for body in bodies(folder) for row in orjson.loads(body)["messages"]])
    found = len(frame)
    for name in ("date_created", "date_sent", "date_updated"):
        frame[name] = pd.to_datetime(frame[name], format="%a, %d %b %Y %H:%M:%S %z")
    frame = frame.sort_values("date_updated").drop_duplicates("sid", keep="last")
    frame["class"] = frame["status"].map(CLASSES)
    frame["country"] = frame["to"].str[:PREFIX].map(COUNTRIES)
    frame["cost"] = pd.to_numeric(frame["price"]).abs()
    frame["parts"] = pd.to_numeric(frame["num_segments"])
    frame["recipient"] = frame["to"].map(_digest)
    frame["text_length"] = frame["body"].str.len()
    frame["gsm7"] = frame["body"].map(str.isascii)
    frame["hour"] = frame["date_created"].dt.floor("h")
    keys = ["hour", "from", "country", "class", "error_code", "price_unit"]
    frame.groupby(keys, dropna=False)[["parts", "cost"]].sum()
    frame.drop(columns=["body", "to", "subresource_uris"]).to_parquet(folder / "pandas.parquet")
    return found


WAYS: dict[str, Callable[[Path], int]] = {
    "scan": scan,
    "ours": ours,
    "duckdb": duckdb_sql,
    "orjson": orjson_rows,
    "pandas": pandas_frame,
    "dlt": dlt_duckdb,
}


def _sql(records: str, folder: Path) -> str:
    return DUCKDB_SQL.format(
        records=records, target=folder, key=KEY.decode(), classes=f"MAP {CLASSES}",
        countries=f"MAP {COUNTRIES}",
    )  # fmt: skip


def _one(connection: Any, question: str) -> int:
    return int(connection.execute(question).fetchone()[0])


def _digest(number: str) -> str:
    return hmac.digest(KEY, number.encode(), hashlib.sha256).hex()


def _row(record: dict[str, Any]) -> dict[str, Any]:
    price, body = record["price"], record["body"]
    return {
        "sid": record["sid"],
        "sender": record["from"],
        "status": record["status"],
        "class": CLASSES.get(record["status"], "unknown"),
        "error_code": record["error_code"],
        "country": COUNTRIES.get(record["to"][:PREFIX], "unknown"),
        "recipient": _digest(record["to"]),
        "created_at": _at(record["date_created"]),
        "sent_at": _at(record["date_sent"]),
        "updated_at": _at(record["date_updated"]),
        "cost": None if price is None else abs(Decimal(price)),
        "currency": record["price_unit"],
        "parts": int(record["num_segments"]),
        "text_length": len(body),
        "gsm7": body.isascii(),
    }


def _at(text: str) -> datetime:
    return parsedate_to_datetime(text)
