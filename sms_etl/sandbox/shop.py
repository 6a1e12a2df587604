"""What the retailer's shop and its own systems know: orders, consents, visits of short links.

People buy by themselves, and some buy because of a message or a click; which is known to the truth
only. All tables belong to a world with plants.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from sms_etl.sandbox.draws import ROW, Draws
from sms_etl.sandbox.engaged import Engaged
from sms_etl.sandbox.lifecycle import UTC_TIME
from sms_etl.sandbox.plants import FAKED_ROUTE, HOLDOUT_CAMPAIGNS, NO_CONSENT, Period

PROMO_CODES = {"autumn-sale": "OSIN26", "back-to-school": "SHKOLA26"}
"""Campaign to the code that its buyers may use."""

_BEFORE = timedelta(days=120)
_MOST_ORDERS = 12
_HABITS = (
    # share of people, orders in the period and the time before it, whether still buying
    ("regular", 0.15, 8.0, True),
    ("occasional", 0.45, 1.6, True),
    ("sleeper", 0.15, 3.0, False),
    ("none", 0.25, 0.0, True),
)
_CLICK_BUYS, _OTHER_PROMO_BUYS = 0.15, 0.01
_MEDIAN_HOURS, _SPREAD, _SLOWEST_HOURS = 12.0, 1.1, 6 * 24.0
_WITHOUT_PHONE, _WITHOUT_CUSTOMER = 0.10, 0.08
_REFUNDED, _IN_PART, _UNDER_OWN_NUMBER = 0.06, 0.3, 0.5
_DOUBLED = 0.015
_MEDIAN_AMOUNT, _AMOUNT_SPREAD = 900.0, 0.8
_HOW = ("форма на сайті, версія 3", "анкета в магазині", "застосунок", "участь у розіграші")

ORDER, REFUND = "продаж", "повернення"
_ORDER_COLUMNS = (
    "contact_id", "e164", "at", "caused_by", "caused_campaign", "clicked", "campaign",
)  # fmt: skip


@dataclass(frozen=True)
class Shop:
    """The shop's tables, each with the truth beside it.

    orders: number, kind (ORDER or REFUND), refund_of, at, contact_id, phone (E.164 or null),
        customer (contact_id or null), amount_micro, currency, utm_campaign, promo_code, doubled
        (the export has it twice), and the truth: caused_by (message_id), caused_campaign, e164.
    consents: contact_id, e164, given_at, how, purpose.
    """

    orders: pl.DataFrame
    consents: pl.DataFrame


def keep_shop(
    draws: Draws,
    contacts: pl.DataFrame,
    messages: pl.DataFrame,
    engaged: Engaged,
    lift: float,
    period: Period,
) -> Shop:
    """Fill the shop's tables; contacts need `breach`, messages `planted`.

    Without a lift nobody buys because of a message or a click.
    """
    bought = pl.concat(
        [
            _habitual(draws, contacts, period),
            _moved_by_messages(draws, messages, lift),
            _moved_by_clicks(draws, messages, engaged, _CLICK_BUYS if lift else 0.0),
        ],
        how="vertical",
    ).filter(pl.col("at") < period.end)
    orders = _as_orders(draws, bought.sort("at", "contact_id", "caused_by"))
    refunds = _refunds(draws, orders)
    return Shop(
        pl.concat([orders, refunds], how="diagonal").sort("at", "number", "kind").drop(ROW),
        _consents(draws, contacts, period),
    )


def _habitual(draws: Draws, contacts: pl.DataFrame, period: Period) -> pl.DataFrame:
    """Orders that people make anyway."""
    buyers = contacts.filter(pl.col("e164").is_not_null()).with_columns(
        u=draws.uniform("shop:habit")
    )
    rate, still, reached = pl.lit(0.0), pl.lit(value=True), 1.0
    for _, share, orders, buying in reversed(_HABITS):
        here = pl.col("u") < reached
        rate = pl.when(here).then(orders).otherwise(rate)
        still = pl.when(here).then(buying).otherwise(still)
        reached -= share
    tries = pl.DataFrame({"nth": range(_MOST_ORDERS)}, schema={"nth": pl.UInt64})
    slots = (
        buyers.with_columns(rate=rate, still=still)
        .select(ROW, "contact_id", "e164", "rate", "still")
        .join(tries, how="cross")
        .with_columns((pl.col(ROW) * _MOST_ORDERS + pl.col("nth")).alias(ROW))
        .filter(draws.uniform("shop:buys") < pl.col("rate") / _MOST_ORDERS)
    )
    begin = period.start - _BEFORE
    seconds = int((period.end - begin).total_seconds())
    before = int(_BEFORE.total_seconds())
    span = pl.when("still").then(seconds).otherwise(before)
    return slots.with_columns(
        at=(pl.lit(begin) + pl.duration(seconds=draws.whole("shop:bought-at", 0, span))).cast(
            UTC_TIME
        ),
        caused_by=pl.lit(None, pl.String),
        caused_campaign=pl.lit(None, pl.String),
        clicked=pl.lit(value=False),
        campaign=pl.lit(None, pl.String),
    ).select(_ORDER_COLUMNS)


def _moved_by_messages(draws: Draws, messages: pl.DataFrame, lift: float) -> pl.DataFrame:
    """Orders that a message which truly arrived brought about, without a click."""
    share = (
        pl.when(pl.col("campaign").is_in(HOLDOUT_CAMPAIGNS))
        .then(lift)
        .otherwise(_OTHER_PROMO_BUYS if lift else 0.0)
    )
    moved = (
        _reached(messages)
        .filter(pl.col("kind") == "promo")
        .filter(draws.uniform("shop:moved") < share)
    )
    return moved.with_columns(
        at=_some_hours_after(draws, "shop:moved-after", pl.col("done_at")),
        caused_by="message_id",
        caused_campaign="campaign",
        clicked=pl.lit(value=False),
    ).select(_ORDER_COLUMNS)


def _moved_by_clicks(
    draws: Draws, messages: pl.DataFrame, engaged: Engaged, share: float
) -> pl.DataFrame:
    """Orders that a person made after opening a link; the shop sees the campaign in the link."""
    clicks = engaged.clicks.filter(~pl.col("robot")).unique(
        "message_id", keep="first", maintain_order=True
    )
    opened = (
        _reached(messages)
        .filter(pl.col("kind") == "promo")
        .join(clicks.select("message_id", clicked_at="at"), on="message_id")
        .filter(draws.uniform("shop:click-buys") < share)
    )
    return opened.with_columns(
        at=_some_hours_after(draws, "shop:click-after", pl.col("clicked_at")),
        caused_by="message_id",
        caused_campaign="campaign",
        clicked=pl.lit(value=True),
    ).select(_ORDER_COLUMNS)


def _reached(messages: pl.DataFrame) -> pl.DataFrame:
    """Messages that somebody truly got, numbered by ROW."""
    faked = (pl.col("planted") == FAKED_ROUTE).fill_null(value=False)
    return messages.filter(
        (pl.col("outcome") == "delivered") & ~faked & pl.col("contact_id").is_not_null()
    )


def _some_hours_after(draws: Draws, stream: str, moment: pl.Expr) -> pl.Expr:
    hours = (_MEDIAN_HOURS * (_SPREAD * draws.normal(stream)).exp()).clip(0.05, _SLOWEST_HOURS)
    return (moment + pl.duration(seconds=(hours * 3600).floor().cast(pl.Int64))).cast(UTC_TIME)


def _as_orders(draws: Draws, bought: pl.DataFrame) -> pl.DataFrame:
    """Numbers, money and marks; some lack the phone, others the customer, none lacks both."""
    rows = bought.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.UInt64))
    u = draws.uniform("shop:person")
    amount = _MEDIAN_AMOUNT * (_AMOUNT_SPREAD * draws.normal("shop:amount")).exp()
    code = pl.col("caused_campaign").replace_strict(
        PROMO_CODES, default=None, return_dtype=pl.String
    )
    return rows.with_columns(
        number=pl.format("P{}", pl.col(ROW) + 500_001),
        kind=pl.lit(ORDER),
        refund_of=pl.lit(None, pl.String),
        phone=pl.when(u >= _WITHOUT_PHONE).then("e164"),
        customer=pl.when(~u.is_between(_WITHOUT_PHONE, _WITHOUT_PHONE + _WITHOUT_CUSTOMER))
        .then("contact_id"),
        amount_micro=(amount * 100).round().cast(pl.Int64) * 10_000,
        currency=pl.lit("UAH"),
        utm_campaign=pl.when("clicked").then("campaign"),
        promo_code=pl.when(draws.uniform("shop:code") < 0.5).then(code),
        doubled=draws.uniform("shop:doubled") < _DOUBLED,
    ).drop("campaign", "clicked")  # fmt: skip


def _refunds(draws: Draws, orders: pl.DataFrame) -> pl.DataFrame:
    """Orders given back, whole or half, under the order's number or one of their own."""
    back = orders.filter(draws.uniform("shop:refund") < _REFUNDED)
    days = draws.whole("shop:refund-after", 86_400, 14 * 86_400)
    half = pl.col("amount_micro") // 20_000 * 10_000
    in_part = draws.uniform("shop:refund-part") < _IN_PART
    own = draws.uniform("shop:refund-number") < _UNDER_OWN_NUMBER
    return back.with_columns(
        at=pl.col("at") + pl.duration(seconds=days),
        kind=pl.lit(REFUND),
        refund_of="number",
        number=pl.when(own).then(pl.format("R{}", pl.col(ROW) + 500_001)).otherwise("number"),
        amount_micro=pl.when(in_part).then(half).otherwise("amount_micro"),
        utm_campaign=pl.lit(None, pl.String),
        promo_code=pl.lit(None, pl.String),
        doubled=pl.lit(value=False),
    )


def _consents(draws: Draws, contacts: pl.DataFrame, period: Period) -> pl.DataFrame:
    """A consent of everybody with a number, but of the people planted without one."""
    days = draws.whole("shop:consent-before", 30, 700)
    return (
        contacts.filter(pl.col("e164").is_not_null())
        .filter(pl.col("breach").is_null() | (pl.col("breach") != NO_CONSENT))
        .select(
            "contact_id",
            "e164",
            given_at=(pl.lit(period.start) - pl.duration(days=days)).cast(UTC_TIME),
            how=draws.one_of("shop:consent-how", _HOW),
            purpose=pl.lit("marketing"),
        )
        .sort("contact_id")
    )


def true_lifts(
    shop: Shop, messages: pl.DataFrame, skipped: pl.DataFrame, days: int, now: datetime
) -> list[dict[str, str | float]]:
    """What each campaign with a holdout caused, with and without the orders it caused.

    Counted like a study would, by person from the hour of the first message on, orders given back
    whole left out; `true_lift` is what the study estimates.
    """
    whole = (
        shop.orders.filter((pl.col("kind") == REFUND) & (pl.col("at") <= now))
        .group_by(number="refund_of")
        .agg(back=pl.col("amount_micro").sum())
    )
    orders = (
        shop.orders.filter((pl.col("kind") == ORDER) & (pl.col("at") <= now))
        .join(whole, on="number", how="left")
        .filter(pl.col("back").is_null() | (pl.col("back") < pl.col("amount_micro")))
    )
    told = []
    for campaign in HOLDOUT_CAMPAIGNS:
        groups = {
            "treated": messages.filter(pl.col("submitted_at") <= now),
            "held": skipped.filter((pl.col("skipped") == "holdout"), pl.col("submitted_at") <= now),
        }
        row: dict[str, str | float] = {"campaign": campaign, "days": days}
        own = (pl.col("caused_campaign") == campaign).fill_null(value=False)
        for name, frame in groups.items():
            people = (
                frame.filter(campaign=campaign)
                .drop_nulls("contact_id")
                .group_by("contact_id")
                .agg(since=pl.col("submitted_at").min().dt.truncate("1h"))
            )
            row[name] = people.height
            row[f"{name}_bought"] = _buyers(people, orders, days)
            row[f"{name}_bought_anyway"] = _buyers(people, orders.filter(~own), days)
        told.append(_with_lift(row))
    return told


def _with_lift(row: dict[str, str | float]) -> dict[str, str | float]:
    caused = float(row["treated_bought"]) - float(row["treated_bought_anyway"])
    treated = float(row["treated"])
    return {**row, "true_lift": caused / treated} if treated else row


def _buyers(people: pl.DataFrame, orders: pl.DataFrame, days: int) -> int:
    after = pl.col("at") - pl.col("since")
    return (
        people.join(orders.select("contact_id", "at"), on="contact_id")
        .filter(after.is_between(timedelta(0), timedelta(days=days)))["contact_id"]
        .n_unique()
    )
