"""Loyalty: buyers by recency, frequency and money, and how messages reach them.

RFM: each measure is cut at quintiles of the buyers, 1 lowest to 5 highest (A. M. Hughes, Strategic
Database Marketing, 1994). Ranks are cut, not amounts, so one large order moves nobody else. Scores
are those of the day before the report begins: what its messages brought does not decide who is
loyal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.metrics.cohort import Cohort
from sms_etl.metrics.money import Rates
from sms_etl.metrics.order_money import with_product
from sms_etl.metrics.rate import Rate
from sms_etl.model.vocabulary import StatusClass
from sms_etl.reports.engagement_figures import BuyerGroup, Loyalty

QUINTILES = 5
LOYAL = 4
"""Scores from here on are high."""

LAST_MESSAGES = 2
"""So many messages in a row that did not arrive make a person unreachable."""

BESIDE = timedelta(days=7)
"""How long before and after a message orders are looked for."""

LEAST_BUYERS = 30
"""Fewer buyers are not cut into fifths."""

MEASURES = ("recency", "frequency", "money")
CELL = "cell"
SENT, WITH_LINK, DELIVERED = "submitted", "delivered_with_link", "delivered"
PEOPLE, LOYAL_PEOPLE = "people", "loyal_people"

_NOT_ARRIVED = [
    word.value for word in (StatusClass.FAILED, StatusClass.REJECTED, StatusClass.UNKNOWN)
]
_ENDED = [StatusClass.DELIVERED.value, *_NOT_ARRIVED]
_SUMS = ("sent", "delivered", "linked", "clicked", "refused", "bought_before", "bought_after")


@dataclass(frozen=True)
class BuyerTables:
    """What loyalty is counted from.

    `orders`: rows of engagement.attribution.net_orders, from `days` before the report to `BESIDE`
    after it. `messages`: MESSAGES of the report and of the weeks before. `clicked` and `refused`:
    `message_source` and `message_id` of messages that a person opened or refused after; null:
    not known.
    """

    orders: pl.DataFrame
    messages: pl.LazyFrame
    clicked: pl.DataFrame | None
    refused: pl.DataFrame | None

    @property
    def first_day(self) -> date:
        """Day of the first order there is; there must be one."""
        return date.fromisoformat(str(self.orders["day"].min()))


def loyalty(tables: BuyerTables, cohort: Cohort, days: int, rates: Rates | None) -> Loyalty | None:
    """Buyers in quintiles and what the messages of a cohort did with them; null for too few."""
    pairs = _pairs(tables)
    orders = _with_person(tables.orders.filter(pl.col("net_micro") > 0), pairs)
    buyers, currency = _buyers(orders, cohort, days, rates)
    if buyers.height < LEAST_BUYERS:
        return None
    sent = _sent(tables, cohort, pairs, buyers)
    people = buyers.join(_by_person(sent, orders), on="person", how="left").with_columns(
        cell=pl.concat_str(MEASURES)
    )
    return Loyalty(
        first_day=max(cohort.days[0] - timedelta(days=days), tables.first_day),
        last_day=cohort.days[0] - timedelta(days=1),
        days=days,
        buyers=buyers.height,
        beside_days=BESIDE.days,
        currency=currency,
        groups=tuple(group for name in MEASURES for group in _groups(people, name, tables, cohort)),
        cells=_groups(people, CELL, tables, cohort),
        unreachable=_unreachable_rate(
            buyers, last_messages(tables.messages, pairs, buyers), cohort
        ),
    )


def scores(orders: pl.DataFrame, moment: datetime, rates: Rates | None) -> tuple[pl.DataFrame, str]:
    """Quintiles of everybody who ordered: `person`, `recency`, `frequency`, `money` (1 to 5).

    Equal people have equal scores: a tie takes the mean of its ranks. Money is that of the report,
    converted by day, else of the currency most orders are in.

    Returns:
        the scores, and the currency that money was counted in.
    """
    priced, currency = _in_one_currency(orders, rates)
    people = priced.group_by("person").agg(
        _recency=-(moment - pl.col("ordered_at").max()).dt.total_seconds(),
        _frequency=pl.len(),
        _money=pl.col("value").fill_null(0).sum(),
    )
    share = {name: pl.col(f"_{name}").rank("average") / pl.len() for name in MEASURES}
    fifth = {
        name: (value * QUINTILES).ceil().clip(1, QUINTILES).cast(pl.Int32)
        for name, value in share.items()
    }
    return people.select("person", **fifth).sort("person"), currency


def last_messages(
    messages: pl.LazyFrame, pairs: pl.DataFrame, buyers: pl.DataFrame
) -> pl.DataFrame:
    """Buyers written to at least twice: `person`, `lost` (the last two did not arrive).

    Only messages whose end is known count.
    """
    ended = _of_people(
        messages.filter(pl.col("status_class").is_in(_ENDED)), pairs, buyers["person"]
    )
    return (
        ended.sort("submitted_at", "message_id")
        .group_by("person")
        .agg(last=pl.col("status_class").tail(LAST_MESSAGES))
        .filter(pl.col("last").list.len() == LAST_MESSAGES)
        .select(
            "person", lost=pl.col("last").list.eval(pl.element().is_in(_NOT_ARRIVED)).list.all()
        )
    )


def loyal_unreachable(
    tables: BuyerTables, cohort: Cohort, days: int, rates: Rates | None
) -> pl.DataFrame:
    """People with high scores of frequency and money whose last two messages did not arrive.

    Returns:
        `contact` and `recipient` (digest and pseudonym, one may be null) and the three scores.
    """
    pairs = _pairs(tables)
    orders = _with_person(tables.orders.filter(pl.col("net_micro") > 0), pairs)
    buyers, _ = _buyers(orders, cohort, days, rates)
    lost = last_messages(tables.messages, pairs, buyers).filter("lost")
    told = pl.concat(
        [
            orders.select("person", "contact", "recipient"),
            pairs.select("recipient", person="_contact", contact="_contact").select(
                "person", "contact", "recipient"
            ),
        ]
    )
    known = told.group_by("person").agg(pl.col("contact", "recipient").drop_nulls().first())
    return (
        _loyal(buyers)
        .join(lost, on="person", how="semi")
        .join(known, on="person", how="left")
        .select("contact", "recipient", *MEASURES)
        .sort("money", "frequency", "recency", "contact", "recipient", descending=True)
    )


def _buyers(
    orders: pl.DataFrame, cohort: Cohort, days: int, rates: Rates | None
) -> tuple[pl.DataFrame, str]:
    start = datetime.combine(cohort.days[0], time.min, ZoneInfo(cohort.zone)).astimezone(UTC)
    since = start - timedelta(days=days)
    before = orders.filter(pl.col("ordered_at") < start, pl.col("ordered_at") >= since)
    return scores(before, start, rates)


def _loyal(buyers: pl.DataFrame) -> pl.DataFrame:
    return buyers.filter(pl.col("frequency") >= LOYAL, pl.col("money") >= LOYAL)


def _unreachable_rate(buyers: pl.DataFrame, last: pl.DataFrame, cohort: Cohort) -> Rate:
    told = _loyal(buyers).join(last, on="person")
    return cohort.rate(int(told["lost"].sum()), told.height, LOYAL_PEOPLE, timedelta(0))


def _pairs(tables: BuyerTables) -> pl.DataFrame:
    """Which contact a number is of, where messages or orders tell both: the latest word."""
    orders = tables.orders.select("recipient", "contact", at="ordered_at").drop_nulls()
    told = tables.messages.select("recipient", "contact", at="submitted_at").drop_nulls()
    known = [
        told.join(tables.orders.select(key).drop_nulls().unique().lazy(), on=key, how="semi")
        for key in ("recipient", "contact")
    ]
    sent = (
        pl.concat(known)
        .group_by("recipient", "contact")
        .agg(pl.col("at").max())
        .collect(engine="streaming")
    )
    return (
        pl.concat([orders, sent.select(orders.columns)])
        .sort("at", "contact")
        .unique("recipient", keep="last")
        .select("recipient", _contact="contact")
    )


def _with_person(rows: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Add `person`: the contact, else that of the number, else the number."""
    return (
        rows.join(pairs, on="recipient", how="left")
        .with_columns(person=pl.coalesce("contact", "_contact", "recipient"))
        .drop("_contact")
        .drop_nulls("person")
    )


def _of_people(messages: pl.LazyFrame, pairs: pl.DataFrame, people: pl.Series) -> pl.DataFrame:
    wanted = people.to_frame("person").lazy()
    return (
        messages.select(
            "source", "message_id", "recipient", "contact", "submitted_at", "status_class", "links"
        )
        .join(pairs.lazy(), on="recipient", how="left")
        .with_columns(person=pl.coalesce("contact", "_contact", "recipient"))
        .join(wanted, on="person", how="semi")
        .collect(engine="streaming")
    )


def _in_one_currency(orders: pl.DataFrame, rates: Rates | None) -> tuple[pl.DataFrame, str]:
    """Add `value`: money in one currency, null where it cannot be."""
    if rates is not None:
        return with_product(orders, rates).rename({"product": "value"}), rates.target
    ordered = orders["currency"].value_counts().sort("count", "currency", descending=True)
    main = str(ordered[0, "currency"]) if ordered.height else ""
    return orders.with_columns(value=pl.when(currency=main).then("net_micro")), main


def _sent(
    tables: BuyerTables, cohort: Cohort, pairs: pl.DataFrame, buyers: pl.DataFrame
) -> pl.DataFrame:
    """Messages of the cohort to buyers, a row each, with what followed."""
    sent = _of_people(cohort.of(tables.messages), pairs, buyers["person"])
    return sent.with_columns(
        delivered=pl.col("status_class") == StatusClass.DELIVERED.value,
        clicked=_among(sent, tables.clicked),
        refused=_among(sent, tables.refused),
    ).with_columns(linked=pl.col("delivered") & (pl.col("links") > 0).fill_null(value=False))


def _among(sent: pl.DataFrame, events: pl.DataFrame | None) -> pl.Series:
    """Whether each message is among those of some events."""
    if events is None:
        return pl.repeat(value=False, n=sent.height, eager=True, dtype=pl.Boolean)
    marked = events.select("message_id", source="message_source", found=pl.lit(value=True)).unique()
    found = sent.join(marked, on=["source", "message_id"], how="left", maintain_order="left")
    return found["found"].fill_null(value=False)


def _by_person(sent: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """Messages of every person written to, and whether they ordered before and after the first."""
    people = sent.group_by("person").agg(
        first=pl.col("submitted_at").min(),
        sent=pl.len(),
        delivered=pl.col("delivered").sum(),
        linked=pl.col("linked").sum(),
        clicked=(pl.col("clicked") & pl.col("linked")).sum(),
        refused=(pl.col("refused") & pl.col("delivered")).sum(),
    )
    bought = (
        orders.join(people.select("person", "first"), on="person")
        .with_columns(after=pl.col("ordered_at") - pl.col("first"))
        .group_by("person")
        .agg(
            bought_before=pl.col("after").is_between(-BESIDE, timedelta(0), closed="left").any(),
            bought_after=pl.col("after").is_between(timedelta(0), BESIDE).any(),
        )
    )
    return people.join(bought, on="person", how="left").with_columns(
        pl.col("bought_before", "bought_after").fill_null(value=False)
    )


def _groups(
    people: pl.DataFrame, measure: str, tables: BuyerTables, cohort: Cohort
) -> tuple[BuyerGroup, ...]:
    """Groups by one measure or by cell, the highest score first."""
    counted = (
        people.group_by(pl.col(measure).cast(pl.String).alias("score"))
        .agg(
            people=pl.len(),
            written=pl.col("sent").is_not_null().sum(),
            **{name: pl.col(name).sum() for name in _SUMS},
        )
        .sort("score", descending=True)
    )
    return tuple(_group(row, measure, tables, cohort) for row in counted.iter_rows(named=True))


def _group(row: dict[str, Any], measure: str, tables: BuyerTables, cohort: Cohort) -> BuyerGroup:
    def rate(numerator: str, denominator: str, name: str) -> Rate:
        return cohort.rate(int(row[numerator]), int(row[denominator]), name, BESIDE)

    return BuyerGroup(
        measure=measure,
        score=row["score"],
        people=row["people"],
        written=row["written"],
        delivered=rate("delivered", "sent", SENT),
        clicked=None if tables.clicked is None else rate("clicked", "linked", WITH_LINK),
        opted_out=None if tables.refused is None else rate("refused", "delivered", DELIVERED),
        bought_before=rate("bought_before", "written", PEOPLE),
        bought_after=rate("bought_after", "written", PEOPLE),
    )
