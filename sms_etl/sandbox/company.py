"""What the company of a world with plants has beside its outbox, and the truth of what is planted.

shop.sqlite: orders (some exported twice), consents, visits of short links. refusals/refusals.csv:
the stop list with what its web form took. planted.json and truth-*.parquet: the truth.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import polars as pl

from sms_etl.sandbox.plants import (
    BREACH_KINDS,
    CAP_DAYS,
    FAKED_OPERATOR,
    FAKED_ROUTE,
    FAKED_WAY,
    MOST_IN_DAYS,
    PLANTED,
    PUMPED_COUNTRY,
    PUMPED_PREFIX,
    Plants,
)
from sms_etl.sandbox.shop import Shop, true_lifts
from sms_etl.sandbox.world import World

LIFT_DAYS = 7
_SQL_TIME = "%Y-%m-%d %H:%M:%S"
REFUSAL_TIME = "%d.%m.%Y %H:%M:%S"
_TABLES = {
    "orders": "number TEXT, created_at TEXT, phone TEXT, customer_id TEXT, total NUMERIC, "
    "currency TEXT, type TEXT, refund_of TEXT, utm_source TEXT, utm_campaign TEXT, promo TEXT",
    "consents": "customer_id TEXT, phone TEXT, given_at TEXT, withdrawn_at TEXT, how TEXT, "
    "purpose TEXT",
    "visits": "id TEXT, opened_at TEXT, url TEXT, message_id TEXT, user_agent TEXT, ip TEXT",
}
_PEOPLE_NETWORKS = ("46.211", "178.133", "37.73")
"""Beginnings of addresses that Ukrainian operators give to phones; invented for the sandbox."""
_ROBOT_NETWORKS = {"facebook": "69.63.176", "Telegram": "149.154.161", "X11": "3.120.10"}
_ELSEWHERE = "203.0.113"


def write_company(world: World, now: datetime, folder: Path) -> None:
    """Write all of it as it stands at a simulated time; nothing in a world without plants."""
    shop, plants, skipped = world.shop, world.parameters.plants, world.skipped
    if shop is None or plants is None or skipped is None:
        return
    _write_shop(world, shop, now, folder / "shop.sqlite")
    _write_refusals(world, now, folder / "refusals")
    happened = shop.orders.filter(pl.col("at") <= now)
    happened.write_parquet(folder / "truth-orders.parquet")
    shop.consents.write_parquet(folder / "truth-consents.parquet")
    skipped.filter(pl.col("submitted_at") <= now).write_parquet(folder / "truth-skipped.parquet")
    told = planted_at(world, now)
    text = json.dumps(told, ensure_ascii=False, indent=2)
    (folder / "planted.json").write_text(text + "\n", "utf-8")


def planted_at(world: World, now: datetime) -> dict[str, object]:
    """Everything that is planted and has begun, by name."""
    shop, plants, skipped = world.shop, world.parameters.plants, world.skipped
    if shop is None or plants is None or skipped is None:
        return {}
    sent = world.messages.filter(pl.col("submitted_at") <= now)
    return {
        "breaches": _breaches(sent),
        "house_rule": {"most": MOST_IN_DAYS, "days": CAP_DAYS},
        "factors": _factors(sent, plants),
        "faked_route": _span(sent, FAKED_ROUTE)
        | {"way": str(FAKED_WAY), "operator": FAKED_OPERATOR},
        "pumped_prefix": _span(sent, PUMPED_PREFIX)
        | {
            "country": PUMPED_COUNTRY,
            "prefixes": sent.filter(planted=PUMPED_PREFIX)
            .select(pl.col("e164").str.slice(1, 7).unique().sort())
            .to_series()
            .to_list(),
        },
        "lifts": true_lifts(shop, sent, skipped, LIFT_DAYS, now),
        "robots": {
            "clicks": world.engaged.clicks.filter(pl.col("at") <= now).height,
            "of_robots": world.engaged.clicks.filter("robot", pl.col("at") <= now).height,
        },
    }


def _breaches(sent: pl.DataFrame) -> list[dict[str, object]]:
    rows = sent.filter(pl.col(PLANTED).is_in(BREACH_KINDS))
    return [
        {"kind": kind, "way": way, "message_id": identifier, "country": country,
         "submitted_at": at.isoformat()}
        for kind, way, identifier, country, at in rows.select(
            PLANTED, "way", "message_id", "country", "submitted_at"
        ).iter_rows()
    ]  # fmt: skip


def _factors(sent: pl.DataFrame, plants: Plants) -> list[dict[str, object]]:
    return [
        {
            "id": factor.id,
            "outcome": factor.outcome,
            "share": factor.share,
            **{
                name: value
                for name in ("operator", "sender", "contact_source", "hour")
                if (value := getattr(factor, name)) is not None
            },
            "failed_by_it": sent.filter(planted=factor.id).height,
        }
        for factor in plants.factors
    ]


def _span(sent: pl.DataFrame, planted: str) -> dict[str, object]:
    rows = sent.filter(planted=planted)["submitted_at"]
    first, last = rows.min(), rows.max()
    return {
        "messages": rows.len(),
        "first": first.isoformat() if isinstance(first, datetime) else None,
        "last": last.isoformat() if isinstance(last, datetime) else None,
    }


def _write_shop(world: World, shop: Shop, now: datetime, path: Path) -> None:
    """Times in UTC; an order that was exported twice is there twice."""
    path.unlink(missing_ok=True)
    orders = shop.orders.filter(pl.col("at") <= now)
    orders = pl.concat([orders, orders.filter("doubled")]).sort("at", "number", "kind")
    sign = pl.when(pl.col("refund_of") == pl.col("number")).then(-1).otherwise(1)
    tables = {
        "orders": orders.select(
            "number", _told("at"), "phone", "customer",
            (pl.col("amount_micro") * sign / 1_000_000).round(2), "currency", "kind",
            pl.when(pl.col("refund_of") != pl.col("number")).then("refund_of").alias("of"),
            pl.when(pl.col("utm_campaign").is_not_null()).then(pl.lit("sms")).alias("utm_source"),
            "utm_campaign", "promo_code",
        ),
        "consents": shop.consents.filter(pl.col("given_at") <= now).select(
            "contact_id", "e164", _told("given_at"), pl.lit(None).alias("gone"), "how", "purpose"
        ),
        "visits": _visits(world, now),
    }  # fmt: skip
    with closing(sqlite3.connect(path)) as connection, connection:
        for name, columns in _TABLES.items():
            marks = ", ".join("?" for _ in columns.split(","))
            connection.execute(f"CREATE TABLE {name} ({columns})")
            connection.executemany(
                f"INSERT INTO {name} VALUES ({marks})",  # noqa: S608 - names of this module
                tables[name].iter_rows(),
            )


def _told(column: str) -> pl.Expr:
    return pl.col(column).dt.strftime(_SQL_TIME)


def _visits(world: World, now: datetime) -> pl.DataFrame:
    """Every opening of a short link as the shortener logs it; addresses come of the identifier."""
    byte = pl.col("event_id").str.slice(0, 2).str.to_integer(base=16)
    other = pl.col("event_id").str.slice(2, 2).str.to_integer(base=16)
    beginning = pl.lit(_PEOPLE_NETWORKS[0])
    for nth, network in enumerate(_PEOPLE_NETWORKS):
        here = byte % len(_PEOPLE_NETWORKS) == nth
        beginning = pl.when(here).then(pl.lit(network)).otherwise(beginning)
    person = pl.format("{}.{}.{}", beginning, other, byte)
    robot = pl.lit(_ELSEWHERE)
    for name, network in _ROBOT_NETWORKS.items():
        named = pl.col("user_agent").str.contains(name, literal=True)
        robot = pl.when(named & (other < 192)).then(pl.lit(network)).otherwise(robot)
    address = pl.when("robot").then(pl.format("{}.{}", robot, byte)).otherwise(person)
    return world.engaged.clicks.filter(pl.col("at") <= now).select(
        "event_id", _told("at"), "link", "message_id", "user_agent", address.alias("ip")
    )


def _write_refusals(world: World, now: datetime, folder: Path) -> None:
    """The whole list, local times; most entries name the customer too."""
    folder.mkdir(exist_ok=True)
    people = world.contacts.select("e164", "contact_id").drop_nulls().unique("e164", keep="first")
    zone = world.parameters.zone.key
    local = pl.col("at").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    (
        world.engaged.opt_outs.filter(pl.col("at") <= now)
        .join(people, on="e164", how="left", maintain_order="left")
        .select("contact_id", phone="e164", refused_at=local)
        .write_csv(folder / "refusals.csv", datetime_format=REFUSAL_TIME)
    )
