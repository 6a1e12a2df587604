"""Totals of an invoice without identifiers beside the sums of our messages.

A message is compared with one total: the narrowest that names it (campaign before country before
all); what no total names is a row of its own. Sums are compared, and the difference is stated.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import polars as pl

from sms_etl.model.schemas import INVOICE_TOTALS
from sms_etl.model.vocabulary import TotalState


def compare_totals(
    source: str,
    lines: pl.DataFrame,
    messages: pl.DataFrame,
    billed_days: Collection[date],
    tolerance_micro: int,
) -> pl.DataFrame:
    """INVOICE_TOTALS of an invoice.

    Args:
        source: Whose invoice it is.
        lines: INVOICE_LINES without identifiers.
        messages: MESSAGES of the source over all days of the totals.
        billed_days: Days that the invoice covers: their messages should be in some total.
        tolerance_micro: Difference in price that a single message may have.
    """
    usable = pl.col("problem").is_null()
    totals = _totals(lines.filter(usable)).with_row_index("total")
    cells = _cells(messages)
    best = _narrowest(totals, cells)
    ours = _summed(cells.join(best, on="cell"), ["total"])
    named = totals.join(ours, on="total", how="left")
    rest = cells.join(best, on="cell", how="anti").filter(
        pl.col("sent_on").is_in(list(billed_days))
    )
    left = _summed(rest, ["sent_on", "our_currency"]).select(
        pl.exclude("sent_on", "our_currency"),
        first_day="sent_on", day="sent_on", currency="our_currency", lines=pl.lit(0, pl.Int64),
    )  # fmt: skip
    rows = pl.concat([named, left], how="diagonal_relaxed").with_columns(
        pl.col("messages_ours", "parts_ours").fill_null(0),
    )
    judged = _judged(rows, tolerance_micro)
    unusable = _unusable(lines.filter(~usable))
    found = pl.concat([judged, unusable], how="diagonal_relaxed")
    return (
        found.with_columns(
            source=pl.lit(source), difference_micro=pl.col("theirs_micro") - pl.col("ours_micro")
        )
        .select(INVOICE_TOTALS.names)
        .cast(INVOICE_TOTALS.schema)
        .sort("day", "first_day", "country", "campaign", "currency", nulls_last=True)
    )


def _totals(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines that name the same messages are one total."""

    def known(name: str) -> pl.Expr:
        return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum())

    return lines.group_by(
        pl.col("day").alias("first_day"), pl.coalesce("last_day", "day").alias("day"),
        "country", "campaign", "currency", maintain_order=True,
    ).agg(
        lines=pl.len().cast(pl.Int64),
        messages_theirs=known("messages"),
        parts_theirs=known("parts"),
        theirs_micro=known("cost_micro"),
    )  # fmt: skip


def _cells(messages: pl.DataFrame) -> pl.DataFrame:
    """Messages counted by what a total may name."""
    return (
        messages.group_by(
            sent_on="day", to="country", of="campaign", our_currency="currency"
        )
        .agg(
            n=pl.len().cast(pl.Int64),
            parts=pl.col("parts").sum().cast(pl.Int64),
            cost=pl.col("cost_micro").sum(),
            priced=pl.col("cost_micro").count().cast(pl.Int64),
        )
        .sort("sent_on", "to", "of", "our_currency")
        .with_row_index("cell")
    )  # fmt: skip


def _narrowest(totals: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """`cell` and the one `total` that it is compared with."""
    days = (pl.col("day") - pl.col("first_day")).dt.total_days()
    return (
        totals.join_where(
            cells,
            pl.col("sent_on") >= pl.col("first_day"),
            pl.col("sent_on") <= pl.col("day"),
        )
        .filter(
            (pl.col("country").is_null() | (pl.col("country") == pl.col("to")))
            & (pl.col("campaign").is_null() | (pl.col("campaign") == pl.col("of")))
            & (
                pl.col("currency").is_null()
                | pl.col("our_currency").is_null()
                | (pl.col("currency") == pl.col("our_currency"))
            )
        )
        .sort(
            pl.col("campaign").is_null(), pl.col("country").is_null(), days, pl.col("total")
        )
        .unique("cell", keep="first", maintain_order=True)
        .select("cell", "total")
    )  # fmt: skip


def _summed(cells: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    return cells.group_by(keys, maintain_order=True).agg(
        messages_ours=pl.col("n").sum(),
        parts_ours=pl.col("parts").sum(),
        ours_micro=pl.when(pl.col("priced").sum() > 0).then(pl.col("cost").sum()),
    )


def _judged(rows: pl.DataFrame, tolerance_micro: int) -> pl.DataFrame:
    """The first difference that is there; prices may differ by the tolerance a message."""
    most = pl.max_horizontal("messages_ours", "messages_theirs", 1) * tolerance_micro
    money = (pl.col("theirs_micro") - pl.col("ours_micro").fill_null(0)).abs() > most
    tests = [
        (pl.col("lines") == 0, TotalState.NOT_BILLED),
        (pl.col("messages_theirs") != pl.col("messages_ours"), TotalState.MESSAGES_DIFFER),
        (pl.col("parts_theirs") != pl.col("parts_ours"), TotalState.PARTS_DIFFER),
        (money, TotalState.PRICED_DIFFERENTLY),
    ]
    state = pl.lit(TotalState.MATCHED.value)
    for test, name in reversed(tests):
        state = pl.when(test.fill_null(value=False)).then(pl.lit(name.value)).otherwise(state)
    return rows.with_columns(state=state)


def _unusable(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.select(
        first_day="day", day=pl.coalesce("last_day", "day"), country="country",
        campaign="campaign", currency="currency", state=pl.lit(TotalState.UNREADABLE.value),
        lines=pl.lit(1, pl.Int64), messages_ours=pl.lit(0, pl.Int64), messages_theirs="messages",
        parts_ours=pl.lit(0, pl.Int64), parts_theirs="parts", theirs_micro="cost_micro",
    )  # fmt: skip
