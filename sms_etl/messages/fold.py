"""Many records, one message: repeated observations, parts of a long message, attempts of an order.

Every rule here decides by what the records say, never by the order in which they came.
"""

from __future__ import annotations

import polars as pl

from sms_etl.messages.days import OUTBOX_TOLD
from sms_etl.model.schemas import UTC_TIME
from sms_etl.model.vocabulary import Reason, Receipt, StatusClass

_CLASS_RANK = {
    StatusClass.DELIVERED: 4,
    StatusClass.FAILED: 3,
    StatusClass.REJECTED: 2,
    StatusClass.UNKNOWN: 1,
    StatusClass.PENDING: 0,
}
"""Between two records of equal finality and time, the better proven one wins."""


_FROM_THE_ORDER = (
    "recipient", "campaign", "service", "currency",
    *(f"outbox_{name}" for name in OUTBOX_TOLD),
)  # fmt: skip
"""What any attempt tells of its whole order."""


def _is(*classes: StatusClass) -> pl.Expr:
    return pl.any_horizontal(pl.col("status_class") == one.value for one in classes)


def _rank() -> pl.Expr:
    ranks = pl.lit(0)
    for status_class, rank in _CLASS_RANK.items():
        ranks = pl.when(_is(status_class)).then(rank).otherwise(ranks)
    return ranks.cast(pl.Int8)


def _certainty() -> pl.Expr:
    """0: may still change; 1: final without an answer; 2: final with one."""
    answered = pl.col("final") & ~_is(StatusClass.UNKNOWN)
    return pl.col("final").cast(pl.Int8) + answered.cast(pl.Int8)


def latest_observation(records: pl.DataFrame) -> pl.DataFrame:
    """One row per (day, message_id): the record that stands, whatever order records came in.

    A final state never goes back to an open one, nor an answer to none: that a provider stopped
    waiting undoes no receipt. Between answers the provider's own last change decides, then the
    later pull; proof from the handset stays if the operator's comes after it. Price and billed
    parts may mature after the state: the latest known ones are kept. `observations` counts the
    records of each message.
    """
    alone = ~pl.struct("day", "message_id").is_duplicated()
    split = records.with_columns(_alone=alone)
    several = _latest_of(split.filter(~pl.col("_alone")).drop("_alone"))
    one = split.filter("_alone").with_columns(
        done_at=pl.when("final").then("done_at"), observations=pl.lit(1, pl.UInt32)
    )
    return pl.concat([one.select(several.columns), several])


def _latest_of(records: pl.DataFrame) -> pl.DataFrame:
    """The record that stands of each message, from records of which several tell of one."""
    ordered = records.sort(
        _certainty(),
        pl.col("updated_at"),
        pl.col("pulled_at"),
        _rank(),
        pl.col("pull"),
        pl.col("page"),
        pl.col("record"),
        nulls_last=False,
    )
    by_pull = ("cost_micro", "currency", "parts_billed")
    kept = [
        name
        for name in records.columns
        if name not in {"day", "message_id", "done_at", "receipt", "observations", *by_pull}
    ]
    latest = (
        ordered.with_columns(**_ends(), proof=_proof())
        .group_by("day", "message_id", maintain_order=True)
        .agg(
            *(pl.col(name).last() for name in [*kept, "receipt"]),
            *(
                pl.col(name)
                .sort_by("pulled_at", "updated_at", "pull", "page", "record")
                .drop_nulls()
                .last()
                for name in by_pull
            ),
            # A provider's update time also moves on billing; the first sight is nearer.
            *(pl.col(name).min() for name in _ends()),
            proof=pl.col("proof").max(),
            observations=pl.len().cast(pl.UInt32),
        )
    )
    return latest.with_columns(done_at=_done_at(), receipt=_receipt()).drop(*_ends(), "proof")


_PROOFS = {Receipt.OPERATOR: 1, Receipt.UNSTATED: 2, Receipt.HANDSET: 3}
_BEYOND_OPERATOR = "done_beyond_operator"


def _proof() -> pl.Expr:
    """How far the receipt of a delivered record reaches; 0 for any other."""
    reach = pl.lit(0)
    for receipt, far in _PROOFS.items():
        reach = pl.when(pl.col("receipt") == receipt.value).then(far).otherwise(reach)
    return pl.when(pl.col("final") & _is(StatusClass.DELIVERED)).then(reach).otherwise(0)


def _ends() -> dict[str, pl.Expr]:
    """When each class became final, and delivery by more than the operator's word."""
    ends = {
        f"done_{one.value}": pl.when(pl.col("final") & _is(one)).then(pl.col("done_at"))
        for one in _CLASS_RANK
    }
    beyond = _proof() > _PROOFS[Receipt.OPERATOR]
    return {**ends, _BEYOND_OPERATOR: pl.when(beyond).then(pl.col("done_at"))}


def _done_at() -> pl.Expr:
    """When the class that stands became final; with proof from the handset, when that came."""
    done = pl.lit(None, UTC_TIME)
    for one in _CLASS_RANK:
        done = pl.when(_is(one)).then(pl.col(f"done_{one.value}")).otherwise(done)
    beyond = _is(StatusClass.DELIVERED) & (pl.col("proof") > _PROOFS[Receipt.OPERATOR])
    return pl.when(beyond).then(pl.col(_BEYOND_OPERATOR)).otherwise(done)


def _receipt() -> pl.Expr:
    """The farthest proof there is of a delivery that stands."""
    receipt = pl.col("receipt")
    for proof, far in _PROOFS.items():
        stands = _is(StatusClass.DELIVERED) & (pl.col("proof") == far)
        receipt = pl.when(stands).then(pl.lit(proof.value)).otherwise(receipt)
    return receipt


def join_parts(messages: pl.DataFrame) -> pl.DataFrame:
    """Fold the rows of one long message (same `part_of`) into one message.

    Delivered only if every part was; pending while any part is; otherwise the state and reason
    of a lost part, before one of unknown fate. Parts and costs add up; `parts_arrived` counts
    those delivered. The identifier is that of the first part. Adds `part_rows`.
    """
    single = messages.filter(pl.col("part_of").is_null()).with_columns(
        part_rows=pl.lit(1, pl.UInt32)
    )
    parts = messages.filter(pl.col("part_of").is_not_null())
    if parts.is_empty():
        return single
    summed = {"cost_micro", "parts_billed", "parts_arrived", "observations"}
    kept = [c for c in messages.columns if c not in {"day", "part_of", "done_at", *summed}]
    folded = (
        parts.sort(_first_of(_PART_DECIDES), "message_id")
        .group_by("day", "part_of", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in kept if name not in {"message_id", "text"}),
            message_id=pl.col("message_id").min(),
            text=pl.col("text").sort_by("message_id").str.join(""),
            done_at=pl.when(pl.col("final").all()).then(pl.col("done_at").max()).first(),
            cost_micro=_sum_of_known("cost_micro"),
            parts_billed=pl.len().cast(pl.Int32),
            parts_arrived=_is(StatusClass.DELIVERED).sum().cast(pl.Int32),
            observations=pl.col("observations").sum(),
            part_rows=pl.len().cast(pl.UInt32),
        )
    )
    return pl.concat([single, folded.select(single.columns)])


def join_attempts(messages: pl.DataFrame) -> pl.DataFrame:
    """Fold the attempts of one order (same `order_id`: Viber, then SMS) into one message.

    Delivered if any attempt was, and then by the first that was; else it waits while any does;
    else it is unknown while any is; else the last attempt stands. Channel, state and reason are
    those of the attempt that stands. The order was submitted, and is named, as its first attempt;
    money and parts add up. Attempts billed in several currencies stay messages of their own.
    Adds `attempts`. Needs `part_rows`.
    """
    one_currency = pl.col("currency").drop_nulls().n_unique().over("day", "order_id") <= 1
    is_attempt = pl.col("order_id").is_not_null() & one_currency
    single = messages.filter(~is_attempt).with_columns(attempts=pl.lit(1, pl.Int32))
    attempts = messages.filter(is_attempt)
    if attempts.is_empty():
        return single
    summed = {"cost_micro", "parts_billed", "observations", "part_rows"}
    of_first = {"message_id", "submitted_at", "submitted_at_origin"}
    mine = {"day", "order_id", *summed, *of_first, *_FROM_THE_ORDER}
    delivered_at = pl.when(_is(StatusClass.DELIVERED)).then(pl.col("done_at"))
    folded = (
        attempts.sort(
            _first_of(_ATTEMPT_DECIDES), delivered_at, "submitted_at", "message_id",
            descending=[False, False, True, True], nulls_last=True,
        )
        .group_by("day", "order_id", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in messages.columns if name not in mine),
            *(pl.col(name).drop_nulls().first() for name in _FROM_THE_ORDER),
            *(pl.col(name).sort_by("submitted_at", "message_id").first() for name in of_first),
            *(_sum_of_known(name).alias(name) for name in ("cost_micro", "parts_billed")),
            *(pl.col(name).sum() for name in ("observations", "part_rows")),
            attempts=pl.len().cast(pl.Int32),
        )
    )  # fmt: skip
    return pl.concat([single, folded.select(single.columns)])


def with_partly_delivered(messages: pl.DataFrame) -> pl.DataFrame:
    """Add `partly_delivered`: it will not arrive whole, and some part of it did, or it is said."""
    lost = ~_is(StatusClass.DELIVERED, StatusClass.PENDING)
    some = (pl.col("parts_arrived") > 0) | (pl.col("reason") == Reason.PARTLY_DELIVERED.value)
    return messages.with_columns(partly_delivered=(lost & some).fill_null(value=False))


_LOST = (StatusClass.FAILED, StatusClass.REJECTED)
_PART_DECIDES = ((StatusClass.PENDING,), _LOST, (StatusClass.UNKNOWN,), (StatusClass.DELIVERED,))
_ATTEMPT_DECIDES = ((StatusClass.DELIVERED,), (StatusClass.PENDING,), (StatusClass.UNKNOWN,), _LOST)


def _first_of(order: tuple[tuple[StatusClass, ...], ...]) -> pl.Expr:
    """The place of a row's class in an order of classes."""
    place = pl.lit(len(order), pl.Int8)
    for number, classes in enumerate(order):
        place = pl.when(_is(*classes)).then(pl.lit(number, pl.Int8)).otherwise(place)
    return place


def _sum_of_known(name: str) -> pl.Expr:
    """Sum of a column, null where nothing is known."""
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).first()
