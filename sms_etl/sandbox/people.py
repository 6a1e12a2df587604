"""The retailer's customers: numbers, operators, and how somebody once typed each number."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from sms_etl.sandbox.draws import ROW, Draws, choose_rows

ABROAD = "abroad"
"""Network name of every number that is not Ukrainian mobile; has its own quality."""

RANGES = pl.DataFrame(
    [
        ("UA", "Kyivstar", "mobile", 6.6, "38067", 7),
        ("UA", "Kyivstar", "mobile", 6.6, "38068", 7),
        ("UA", "Kyivstar", "mobile", 6.6, "38096", 7),
        ("UA", "Kyivstar", "mobile", 6.6, "38097", 7),
        ("UA", "Kyivstar", "mobile", 6.6, "38098", 7),
        ("UA", "Kyivstar", "mobile", 3.3, "38077", 7),
        ("UA", "Kyivstar", "mobile", 3.3, "38039", 7),
        ("UA", "Vodafone", "mobile", 7.4, "38050", 7),
        ("UA", "Vodafone", "mobile", 7.4, "38066", 7),
        ("UA", "Vodafone", "mobile", 7.4, "38095", 7),
        ("UA", "Vodafone", "mobile", 7.4, "38099", 7),
        ("UA", "Vodafone", "mobile", 1.5, "38075", 7),
        ("UA", "lifecell", "mobile", 6.0, "38063", 7),
        ("UA", "lifecell", "mobile", 6.0, "38073", 7),
        ("UA", "lifecell", "mobile", 6.0, "38093", 7),
        ("UA", "TriMob", "mobile", 2.0, "38091", 7),
        ("UA", None, "fixed_line", 0.9, "380442", 6),
        ("PL", None, "mobile", 1.6, "48601", 6),
        ("DE", None, "mobile", 1.0, "491511", 7),
        ("MD", None, "mobile", 0.8, "37369", 6),
        ("CZ", None, "mobile", 0.5, "420602", 6),
        ("RO", None, "mobile", 0.4, "40722", 6),
        (None, None, "invalid", 0.8, "", 0),
    ],
    schema={
        "country": pl.String, "operator": pl.String, "number_type": pl.String,
        "weight": pl.Float64, "prefix": pl.String, "free_digits": pl.Int64,
    },
    orient="row",
)  # fmt: skip
"""Number ranges and their share of customers. Ukrainian prefixes: PyPI phonenumbers 9.0."""

_BROKEN_NUMBERS = ("12345", "+38050{6}", "067{5}", "38063{9}", "немає телефону", "0{4}", "+3809{5}")
"""Things found in a phone field that are no number; {k} stands for k digits of the person."""

_DEAD_SHARE = 0.03
_OPTED_OUT_BEFORE_SHARE = 0.012
_OPTED_OUT_DURING_SHARE = 0.012


def build_contacts(draws: Draws, count: int, start: datetime, end: datetime) -> pl.DataFrame:
    """Customers, one row each.

    Columns: contact_id, country, operator (holder of the number range), network (what decides
    quality), number_type, e164 (null if invalid), recipient (as typed), dead (no longer in use),
    opted_out_at (UTC, null if on no stop list).
    """
    rows = pl.DataFrame({ROW: pl.int_range(count, dtype=pl.UInt64, eager=True)})
    uniform = rows.select(draws.uniform("contact:range")).to_series()
    return (
        pl.concat([rows, choose_rows(RANGES, RANGES["weight"], uniform)], how="horizontal")
        .with_columns(
            contact_id=pl.format("C{}", (pl.col(ROW) + 100_001).cast(pl.String)),
            network=pl.col("operator").fill_null(ABROAD),
            e164=pl.when(pl.col("number_type") != "invalid").then(
                pl.format(
                    "+{}{}",
                    pl.col("prefix"),
                    draws.digits("contact:digits", pl.col("free_digits")),
                )
            ),
            dead=draws.uniform("contact:dead") < _DEAD_SHARE,
            opted_out_at=_opted_out_at(draws, start, end),
        )
        .with_columns(recipient=_as_typed(draws))
        .drop("weight", "prefix", "free_digits")
    )


def _opted_out_at(draws: Draws, start: datetime, end: datetime) -> pl.Expr:
    u = draws.uniform("contact:opt-out")
    seconds = draws.whole("contact:opt-out-at", 0, int((end - start).total_seconds()))
    during = pl.lit(start) + pl.duration(seconds=seconds)
    return (
        pl.when(u < _OPTED_OUT_BEFORE_SHARE)
        .then(pl.lit(start - timedelta(days=30)))
        .when(u < _OPTED_OUT_BEFORE_SHARE + _OPTED_OUT_DURING_SHARE)
        .then(during)
        .cast(pl.Datetime("us", "UTC"))
    )


def _as_typed(draws: Draws) -> pl.Expr:
    """The number as typed in the shop's database, with the habits of Ukrainian writers."""
    e164 = pl.col("e164")
    national = e164.str.strip_prefix("+380")
    area, head = national.str.slice(0, 2), national.str.slice(2, 3)
    middle, tail = national.str.slice(5, 2), national.str.slice(7, 2)
    habits: list[tuple[float, pl.Expr]] = [
        (0.36, e164),
        (0.56, pl.format("380{}", national)),
        (0.76, pl.format("0{}", national)),
        (0.84, pl.format("+38 (0{}) {}-{}-{}", area, head, middle, tail)),
        (0.90, pl.format("0{} {} {} {}", area, head, middle, tail)),
        (0.94, pl.format("0{}-{}-{}-{}", area, head, middle, tail)),
        (0.97, pl.format("80{}", national)),
        (0.98, pl.format("8 (0{}) {}-{}-{}", area, head, middle, tail)),
        (0.99, pl.format("00380{}", national)),
    ]
    u = draws.uniform("contact:habit")
    ukrainian = pl.format("{}", national)
    for limit, form in reversed(habits):
        ukrainian = pl.when(u < limit).then(form).otherwise(ukrainian)
    foreign = pl.when(u < 0.8).then(e164).otherwise(pl.format("00{}", e164.str.slice(1)))
    return (
        pl.when(pl.col("number_type") == "invalid")
        .then(_broken(draws))
        .when(pl.col("country") == "UA")
        .then(ukrainian)
        .otherwise(foreign)
    )


def _broken(draws: Draws) -> pl.Expr:
    text = draws.one_of("contact:broken", _BROKEN_NUMBERS)
    for count in (4, 5, 6, 9):
        digits = draws.digits("contact:broken-digits", count)
        text = text.str.replace(f"{{{count}}}", digits, literal=True)
    return text
