"""Columns of the row of each kind, from EVENTS whose person is a pseudonym already."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from sms_etl.engagement.person import campaign_of_link, cut_link, cut_network
from sms_etl.engagement.replies import with_intent
from sms_etl.messages.purpose import purpose_of
from sms_etl.messages.text import text_facts
from sms_etl.model.vocabulary import UNKNOWN_LABEL, Engagement, OrderKind, TimeOrigin


def with_columns_of(
    frame: pl.DataFrame, kind: Engagement, opt_out_keywords: tuple[str, ...] = ()
) -> pl.DataFrame:
    """Add the columns that only rows of this kind have."""
    if kind is Engagement.REPLIES:
        return _replies(frame, opt_out_keywords)
    return _COLUMNS[kind](frame)


def _replies(frame: pl.DataFrame, opt_out_keywords: tuple[str, ...]) -> pl.DataFrame:
    facts = text_facts(frame["text"]).drop("parts")
    read = with_intent(frame.join(facts, on="text", how="left"), opt_out_keywords)
    return read.with_columns(
        received_at="at",
        received_at_origin=_origin(),
        sender=pl.col("sender").fill_null(UNKNOWN_LABEL),
    )


def _opt_outs(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(opted_out_at="at", opted_out_at_origin=_origin())


def _clicks(frame: pl.DataFrame) -> pl.DataFrame:
    """The link names the campaign only of a click that tells neither person nor message."""
    nobody = pl.all_horizontal(
        pl.col(name).is_null() for name in ("recipient", "contact", "message_id")
    )
    of_link = pl.when(nobody).then(pl.lit(campaign_of_link(frame["link"])))
    return frame.with_columns(
        campaign=pl.coalesce("campaign", of_link),
        clicked_at="at",
        clicked_at_origin=_origin(),
        link=cut_link(pl.col("link")),
        network=cut_network(frame["address"]),
        clicks=pl.col("clicks").fill_null(1),
        period_seconds=pl.col("period_seconds").fill_null(0),
    )


def _orders(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        ordered_at="at",
        ordered_at_origin=_origin(),
        kind=pl.col("order_kind").fill_null(OrderKind.ORDER.value),
        promo_code=pl.col("promo_code").str.strip_chars().str.to_uppercase(),
    )


def _consents(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        given_at="at", purpose=pl.coalesce(purpose_of(pl.col("purpose")), "purpose")
    )


_COLUMNS: Mapping[Engagement, Callable[[pl.DataFrame], pl.DataFrame]] = {
    Engagement.OPT_OUTS: _opt_outs,
    Engagement.CLICKS: _clicks,
    Engagement.ORDERS: _orders,
    Engagement.CONSENTS: _consents,
}


def _origin() -> pl.Expr:
    return (
        pl.when(pl.col("at").is_not_null())
        .then(pl.lit(TimeOrigin.PROVIDER.value))
        .otherwise(pl.lit(TimeOrigin.NONE.value))
    )
