"""Which message preceded an order: every window at once, replayable from the raw events.

A touch is a person's click, or a delivery, of a message to whoever ordered. For every window the
last touch inside it takes the order. A window asks its own kind of touch only, so a later touch
that is out of its own window takes nothing and hides nothing: with "last touch of any kind" a
delivery of yesterday would leave an order unattributed that a click of three days ago was still
good for (community.klaviyo.com, "order not attributed though inside the window").

Attribution says what preceded an order, not what caused it; only a holdout says that
(metrics.lift).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from sms_etl.model.schemas import UTC_TIME
from sms_etl.model.vocabulary import Purpose, StatusClass

CLICK, DELIVERY = "click", "delivery"


@dataclass(frozen=True)
class Window:
    """How long after a touch an order still belongs to it, both ends included."""

    touch: str
    length: timedelta

    @property
    def name(self) -> str:
        """`click_5d`, `delivery_12h`: prefix of its columns."""
        if self.touch == CLICK:
            return f"{CLICK}_{self.length.days}d"
        return f"{DELIVERY}_{self.length // timedelta(hours=1)}h"


CLICK_DAYS = (1, 3, 5, 7)
DELIVERY_HOURS = (12, 24)
WINDOWS = (
    *(Window(CLICK, timedelta(days=days)) for days in CLICK_DAYS),
    *(Window(DELIVERY, timedelta(hours=hours)) for hours in DELIVERY_HOURS),
)
"""Windows in use: 1 and 5 days of Klaviyo (help.klaviyo.com, conversion tracking settings), 7 days
of Postscript and Emotive, 3 days of Voyado; 12 and 24 hours after the delivery."""

LONGEST = max(window.length for window in WINDOWS)

TOUCH_COLUMNS = ("campaign", "source", "message_id", "at")
"""What is kept of the touch that takes an order, per window."""

_TOUCHES: dict[str, pl.DataType | type[pl.DataType]] = {
    "touch": pl.String,
    "at": UTC_TIME,
    "recipient": pl.String,
    "contact": pl.String,
    "source": pl.String,
    "message_id": pl.String,
    "campaign": pl.String,
}
TOUCHES = pl.Schema(_TOUCHES)

_ORDER = ("source", "event_id")
_ROW = "_row"


def delivery_touches(messages: pl.LazyFrame) -> pl.LazyFrame:
    """TOUCHES of MESSAGES that arrived and were to sell something, or may have been.

    A transactional message (a payment code) is brought about by an order, not the other way round.
    A delivery without a time counts from the submission.
    """
    return messages.filter(
        pl.col("status_class") == StatusClass.DELIVERED.value,
        pl.col("purpose") != Purpose.TRANSACTIONAL.value,
    ).select(
        touch=pl.lit(DELIVERY),
        at=pl.coalesce("done_at", "submitted_at"),
        recipient="recipient",
        contact="contact",
        source="source",
        message_id="message_id",
        campaign="campaign",
    )


def click_touches(judged: pl.LazyFrame) -> pl.LazyFrame:
    """TOUCHES of JUDGED_CLICKS: single clicks of people on a known message."""
    return judged.filter(
        pl.col("robot_rule").is_null(),
        pl.col("period_seconds") == 0,
        pl.col("message_id").is_not_null(),
    ).select(
        touch=pl.lit(CLICK),
        at="clicked_at",
        recipient="recipient",
        contact="contact",
        source="message_source",
        message_id="message_id",
        campaign=pl.col("campaign"),
    )


def attribute(
    orders: pl.DataFrame,
    refunds: pl.DataFrame,
    touches: pl.LazyFrame,
    codes: Mapping[str, str],
) -> pl.DataFrame:
    """One row per order with what took it in every window.

    Args:
        orders: ORDERS of kind order; an order read twice counts once, as last pulled.
        refunds: ORDERS of kind refund, of any day; one read twice counts once.
        touches: TOUCHES up to `LONGEST` before the orders.
        codes: promo code, or its beginning before a `*` -> campaign.

    Returns:
        columns of ATTRIBUTION.
    """
    once = net_orders(orders, refunds).with_row_index(_ROW)
    found = once.with_columns(code_campaign=_code_campaign(once, codes))
    people = _touches_of(once, touches)
    for touch in (CLICK, DELIVERY):
        last = _last(once, people.filter(touch=touch))
        for window in WINDOWS:
            if window.touch == touch:
                found = found.join(
                    _inside(last, window), on=_ROW, how="left", maintain_order="left"
                )
    return found.drop(_ROW)


def net_orders(orders: pl.DataFrame, refunds: pl.DataFrame) -> pl.DataFrame:
    """Every order once, with `refunded_micro` and `net_micro`.

    Only money of the order's currency is taken off, and no more than was paid.
    """
    once = (
        orders.sort("pulled_at", "day")
        .unique(_ORDER, keep="last", maintain_order=True)
        .sort(*_ORDER)
    )
    back = (
        refunds.sort("pulled_at", "day")
        .unique(_ORDER, keep="last", maintain_order=True)
        .group_by("source", "currency", event_id="refund_of")
        .agg(refunded_micro=pl.col("amount_micro").abs().sum())
    )
    refunded = pl.min_horizontal(pl.col("refunded_micro").fill_null(0), "amount_micro")
    return (
        once.join(
            back, on=["source", "event_id", "currency"], how="left", maintain_order="left",
            nulls_equal=True,
        )
        .with_columns(refunded_micro=refunded)
        .with_columns(net_micro=pl.col("amount_micro") - pl.col("refunded_micro"))
    )  # fmt: skip


def _code_campaign(orders: pl.DataFrame, codes: Mapping[str, str]) -> pl.Series:
    """Campaign named by the promo code, else by utm_campaign."""
    code = pl.col("promo_code").str.strip_chars().str.to_uppercase()
    exact = {key.upper(): campaign for key, campaign in codes.items() if not key.endswith("*")}
    named = code.replace_strict(exact, default=None, return_dtype=pl.String)
    begun = [
        pl.when(code.str.starts_with(key[:-1].upper())).then(pl.lit(campaign))
        for key, campaign in codes.items()
        if key.endswith("*")
    ]
    return orders.select(code_campaign=pl.coalesce(named, *begun, "utm_campaign")).to_series()


def _touches_of(orders: pl.DataFrame, touches: pl.LazyFrame) -> pl.DataFrame:
    """Touches of anybody who ordered."""
    found = [
        touches.join(orders.select(name).drop_nulls().unique().lazy(), on=name, how="semi")
        for name in ("recipient", "contact")
    ]
    return pl.concat(found).unique().collect(engine="streaming")


def _last(orders: pl.DataFrame, touches: pl.DataFrame) -> pl.DataFrame:
    """The last touch at or before every order, by number or by contact, whichever is later.

    Of several at one moment the one with the greatest identifier stands, so that a replay agrees.
    """
    at = orders.select(_ROW, "recipient", "contact", at="ordered_at").sort("at")
    kept = touches.with_columns(touched_at="at").sort("at", "source", "message_id")
    found = [
        at.drop_nulls(person).select(_ROW, "at", person).join_asof(
            kept.drop_nulls(person).select(
                "at", person, "touched_at", "source", "message_id", "campaign"
            ),
            on="at", by=person, strategy="backward", check_sortedness=False,
        ).drop_nulls("touched_at").drop(person)
        for person in ("recipient", "contact")
    ]  # fmt: skip
    return (
        pl.concat(found)
        .sort(_ROW, "touched_at", "source", "message_id")
        .unique(_ROW, keep="last", maintain_order=True)
    )


def _inside(last: pl.DataFrame, window: Window) -> pl.DataFrame:
    return last.filter(pl.col("at") - pl.col("touched_at") <= window.length).select(
        _ROW,
        pl.col("campaign").alias(f"{window.name}_campaign"),
        pl.col("source").alias(f"{window.name}_source"),
        pl.col("message_id").alias(f"{window.name}_message_id"),
        pl.col("touched_at").alias(f"{window.name}_at"),
    )
