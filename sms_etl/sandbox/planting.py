"""Planting: people and messages made for the purpose, and ends of messages that are changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import polars as pl

from sms_etl.sandbox import texts
from sms_etl.sandbox.draws import ROW, Draws
from sms_etl.sandbox.engaged import Engaged
from sms_etl.sandbox.lifecycle import UTC_TIME
from sms_etl.sandbox.people import ABROAD
from sms_etl.sandbox.plants import (
    AFTER_OPT_OUT,
    BREACH_KINDS,
    FAKED_OPERATOR,
    FAKED_ROUTE,
    FAKED_WAY,
    FREQUENCY,
    MOST_IN_DAYS,
    NIGHT,
    NO_CONSENT,
    NO_WORDING,
    PLANTED,
    PUMPED_COUNTRY,
    PUMPED_PREFIX,
    Period,
    Plants,
    lot_of_person,
)

_FAKED_SPAN = (0.18, 0.40)
_PUMPED_FIRST = 994_507_770_000
_PUMPED_AT, _PUMPED_SECONDS = 0.57, 3 * 3600
_PUMPED_CAMPAIGN, _BREACH_CAMPAIGN = "login-code", "loyalty-points"
_CODE_DIGITS = 6
_AFTER_CODE = pl.col("text").str.slice(_CODE_DIGITS)
_NIGHT_ABROAD = "night_abroad"
_REFUSAL_SENTENCES = (" Відмова: STOP", " Vidmova: STOP")
_CYRILLIC_TEXT = r"\p{Cyrillic}{4}"
_FIRST_PLANTED_ROW = 10_000_000


def planted_people(draws: Draws, plants: Plants) -> pl.DataFrame:
    """People made for the breaches, one kind each: contacts, and `breach`, the kind."""
    kinds = [*BREACH_KINDS, _NIGHT_ABROAD]
    rows = pl.DataFrame(
        {
            ROW: pl.int_range(
                _FIRST_PLANTED_ROW, _FIRST_PLANTED_ROW + len(kinds) * plants.breaches,
                dtype=pl.UInt64, eager=True,
            ),
            "breach": [kind for kind in kinds for _ in range(plants.breaches)],
        },
        schema={ROW: pl.UInt64, "breach": pl.String},
    )  # fmt: skip
    wording, abroad = pl.col("breach") == NO_WORDING, pl.col("breach") == _NIGHT_ABROAD
    ukrainian = ~wording & ~abroad
    number = (
        pl.when(wording).then(pl.format("+48601{}", draws.digits("plants:number", 6)))
        .when(abroad).then(pl.format("+1212736{}", draws.digits("plants:number", 4)))
        .otherwise(pl.format("+38067{}", draws.digits("plants:number", 7)))
    )  # fmt: skip
    return rows.with_columns(
        country=pl.when(wording).then(pl.lit("PL")).when(abroad).then(pl.lit("US"))
        .otherwise(pl.lit("UA")),
        operator=pl.when(ukrainian).then(pl.lit("Kyivstar")),
        number_type=pl.lit("mobile"),
        contact_id=pl.format("C{}", pl.col(ROW)),
        network=pl.when(ukrainian).then(pl.lit("Kyivstar")).otherwise(pl.lit(ABROAD)),
        e164=number,
        dead=pl.lit(value=False),
        opted_out_at=pl.lit(None, UTC_TIME),
        recipient=number,
        contact_source=pl.lit("shop"),
    )  # fmt: skip


def with_refusal_sentence(drafts: pl.DataFrame) -> pl.DataFrame:
    """Marketing texts that say how to refuse, and the parts they take then."""
    cyrillic, latin = _REFUSAL_SENTENCES
    sentence = (
        pl.when(pl.col("text").str.contains(_CYRILLIC_TEXT))
        .then(pl.lit(cyrillic))
        .otherwise(pl.lit(latin))
    )
    promo = pl.col("kind") == "promo"
    text = pl.when(promo).then(pl.col("text") + sentence).otherwise("text")
    return drafts.with_columns(text=text).with_columns(
        encoding=texts.encoding(pl.col("text")), parts=texts.parts(pl.col("text"))
    )


def planted_messages(
    draws: Draws, plants: Plants, drafts: pl.DataFrame, people: pl.DataFrame, period: Period
) -> pl.DataFrame:
    """Messages made for the breaches and the pumped prefix, in the columns of `drafts`."""
    return pl.concat(
        [
            _breaching(draws, drafts, people, period),
            _pumped(draws, plants, drafts, period),
        ],
        how="diagonal",
    ).with_columns(duplicate_of=pl.lit(None, pl.String))


_BREACH_TIMES: dict[str, Sequence[tuple[float, float]]] = {
    AFTER_OPT_OUT: [(0.60, 12)],
    NIGHT: [(0.35, 2.5)],
    _NIGHT_ABROAD: [(0.35, 13.5)],
    FREQUENCY: [(0.54, 11 + 13 * n) for n in range(MOST_IN_DAYS + 2)],
    NO_CONSENT: [(0.45, 12)],
    NO_WORDING: [(0.50, 13)],
}
"""When each kind is written to: position in the period and local hour. One in New York at 13:30 of
Kyiv has half past six, or half past seven between two changes of clocks."""
REFUSED_AT = (0.40, 12.0)


def _breaching(
    draws: Draws, drafts: pl.DataFrame, people: pl.DataFrame, period: Period
) -> pl.DataFrame:
    like = drafts.filter(campaign=_BREACH_CAMPAIGN)
    if people.is_empty() or like.is_empty():
        return drafts.clear()
    times = pl.DataFrame(
        [
            (kind, n, period.at(position, _waking(hour)))
            for kind, moments in _BREACH_TIMES.items()
            for n, (position, hour) in enumerate(moments)
        ],
        schema={"breach": pl.String, "nth": pl.UInt64, "submitted_at": UTC_TIME},
        orient="row",
    )
    rows = people.join(times, on="breach", maintain_order="left").with_columns(
        (pl.col(ROW) * 16 + pl.col("nth")).alias(ROW),
        pl.col("submitted_at") + pl.duration(seconds=pl.int_range(pl.len()).cast(pl.Int64) % 97),
        planted=pl.col("breach").replace(_NIGHT_ABROAD, NIGHT),
    )
    rows = rows.with_columns(
        pl.when((pl.col("breach") == FREQUENCY) & (pl.col("nth") < MOST_IN_DAYS))
        .then(pl.lit("before-" + FREQUENCY))
        .otherwise(PLANTED)
        .alias(PLANTED)
    )
    same = like.head(1).drop(column for column in rows.columns if column in like.columns)
    text = pl.when(pl.col("breach") == NO_WORDING).then(
        pl.col("text").str.replace(_REFUSAL_SENTENCES[1], "", literal=True)
    )
    return (
        rows.join(same, how="cross")
        .with_columns(text=pl.coalesce(text, "text"))
        .drop("breach", "nth")
    )


def _waking(hours: float) -> float:
    """Hours after midnight of a series of messages, each at a time of day when people are awake."""
    day, hour = divmod(hours, 24)
    return 24 * day + (hour if hours < 24 else 10 + hour % 10)


def _pumped(draws: Draws, plants: Plants, drafts: pl.DataFrame, period: Period) -> pl.DataFrame:
    """One night's codes for a block of numbers that nobody wrote to before."""
    count = int(drafts.height * plants.pumped_share)
    like = drafts.filter(campaign=_PUMPED_CAMPAIGN)
    if not count or like.is_empty():
        return drafts.clear()
    first = _FIRST_PLANTED_ROW * 100
    rows = pl.DataFrame({ROW: pl.int_range(first, first + count, dtype=pl.UInt64, eager=True)})
    night = period.at(_PUMPED_AT, 2)
    e164 = pl.format("+{}", pl.lit(_PUMPED_FIRST) + pl.int_range(pl.len()))
    rows = rows.with_columns(
        e164=e164,
        recipient=e164,
        country=pl.lit(PUMPED_COUNTRY),
        operator=pl.lit(None, pl.String),
        network=pl.lit(ABROAD),
        number_type=pl.lit("mobile"),
        contact_id=pl.lit(None, pl.String),
        contact_source=pl.lit("website"),
        dead=pl.lit(value=False),
        opted_out_at=pl.lit(None, UTC_TIME),
        planted=pl.lit(PUMPED_PREFIX),
        submitted_at=pl.lit(night, UTC_TIME)
        + pl.duration(seconds=pl.int_range(pl.len()) * _PUMPED_SECONDS // count),
    )
    same = like.head(1).drop(column for column in rows.columns if column in like.columns)
    return rows.join(same, how="cross").with_columns(
        text=pl.format("{}{}", draws.digits("plants:code", _CODE_DIGITS), _AFTER_CODE)
    )


def with_failures(
    draws: Draws, plants: Plants, messages: pl.DataFrame, period: Period
) -> pl.DataFrame:
    """Let planted messages arrive, planted factors fail and the faked route claim.

    Adds `planted` where it is missing and changes outcome, class, sent_at, done_at and read_at.
    """
    made = messages.with_columns(_certain=pl.col(PLANTED).is_not_null())
    changed = _outcome_set(made, pl.col("_certain"), "delivered", None, 5)
    if plants.faked_route:
        changed = _outcome_set(
            changed.with_columns(
                sent_at=pl.when(_faked(period)).then("submitted_at").otherwise("sent_at")
            ),
            _faked(period),
            "delivered",
            FAKED_ROUTE,
            0,
        )
    for factor in plants.factors:
        stream = f"plants:{factor.id}"
        lot = pl.lit(lot_of_person(draws, changed, stream))
        if not factor.by_person:
            lot = draws.uniform(stream)
        free = pl.col(PLANTED).is_null() & (pl.col("outcome") == "delivered")
        hit = free & factor.hits(period.zone) & (lot < factor.share)
        changed = _outcome_set(changed, hit, factor.outcome, factor.id, 12)
    return changed.drop("_certain")


def _faked(period: Period) -> pl.Expr:
    first, last = (period.at(position) for position in _FAKED_SPAN)
    return (
        (pl.col("way") == FAKED_WAY)
        & (pl.col("operator") == FAKED_OPERATOR).fill_null(value=False)
        & pl.col("submitted_at").is_between(first, last, closed="left")
        & (pl.col("class") != "rejected")
        & pl.col(PLANTED).is_null()
    )


def _outcome_set(
    messages: pl.DataFrame, hit: pl.Expr, outcome: str, planted: str | None, seconds: int
) -> pl.DataFrame:
    """Give the messages that are hit another end, some seconds after they were sent."""
    hits = messages.select(hit.alias("hit"))["hit"]
    found = pl.lit(hits)
    klass = "delivered" if outcome == "delivered" else "failed"
    wait = 24 * 3600 + 60 if outcome == "expired" else seconds
    sent = pl.coalesce("sent_at", "submitted_at")
    return messages.with_columns(
        outcome=pl.when(found).then(pl.lit(outcome)).otherwise("outcome"),
        sent_at=pl.when(found).then(sent).otherwise("sent_at"),
        billed_at=pl.when(found).then(pl.coalesce("billed_at", sent)).otherwise("billed_at"),
        done_at=pl.when(found)
        .then(sent + timedelta(seconds=wait))
        .otherwise("done_at")
        .cast(UTC_TIME),
        read_at=pl.when(found).then(pl.lit(None, UTC_TIME)).otherwise("read_at"),
        planted=pl.when(found).then(pl.coalesce(PLANTED, pl.lit(planted, pl.String)))
        .otherwise(PLANTED),
        **{"class": pl.when(found).then(pl.lit(klass)).otherwise("class")},
    )  # fmt: skip


def with_nobody_reached(messages: pl.DataFrame) -> pl.DataFrame:
    """Messages as people know them, for what they do with them.

    Those of the faked route and of the pumped prefix reached nobody, so nobody answers them or
    opens their links.
    """
    nobody = pl.col(PLANTED).is_in([FAKED_ROUTE, PUMPED_PREFIX]).fill_null(value=False)
    return messages.with_columns(
        outcome=pl.when(nobody).then(pl.lit("no_receipt")).otherwise("outcome")
    )


def with_refusals(engaged: Engaged, people: pl.DataFrame, period: Period) -> Engaged:
    """Put planted people who refused on the stop list; they do nothing else."""
    theirs = people["e164"].implode()
    refused = people.filter(breach=AFTER_OPT_OUT).select(
        event_id=pl.format("{}{}", pl.lit("0" * 24), pl.col(ROW).cast(pl.String)),
        e164="e164",
        at=pl.lit(period.at(*REFUSED_AT), UTC_TIME),
    )
    others = engaged.opt_outs.filter(~pl.col("e164").is_in(theirs))
    return replace(
        engaged,
        replies=engaged.replies.filter(~pl.col("e164").is_in(theirs)),
        opt_outs=pl.concat([others, refused], how="diagonal").sort("at", "event_id"),
    )
