"""One simulated day read through every source, each judged by what truly happened."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from sms_etl.config.clock import NOW_VARIABLE
from sms_etl.model.schemas import OBSERVATIONS
from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import case_of
from sms_etl.sandbox.server import Sandbox
from sms_etl.sources.base import PullKind

TRUE_NAMES: Mapping[str, str] = {
    "cost_micro": "price_micro",
    "parts_billed": "parts",
    "created_at": "submitted_at",
}
"""Columns of OBSERVATIONS to their names in the truth, where they differ."""

TOLD = ("recipient", "sender", "sent_at", "done_at", "parts_billed", "cost_micro", "code")
"""Columns of OBSERVATIONS that a report is poorer without."""

SECOND = timedelta(seconds=1)
"""Providers state whole seconds, rounded or cut."""


@dataclass(frozen=True)
class Agreement:
    """How a source's reading of some days compares with the truth.

    messages: submitted on these days and still told of. lost: of these, not read.
    wrong: read with another class than the provider's words can give.
    off: column -> messages in which the source tells another value than the true one.
    blurred: messages whose true class the provider's words cannot tell.
    silent: columns of TOLD that no record of the source fills.
    """

    kind: str
    pull: PullKind
    pages: int
    messages: int
    lost: int
    wrong: int
    off: Mapping[str, int]
    blurred: int
    silent: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether all that the source can tell is true."""
        return self.messages > 0 and not (self.lost or self.wrong or self.off)


def agreement(bench: Bench, days: Sequence[date]) -> Agreement:
    """Pull some days through a source at its usual time and compare them with the truth."""
    bench.at_usual_time(days)
    pages = bench.pages(days)
    observed = bench.read(pages).unique("message_id", keep="last")
    truth = bench.truth(days)
    both = bench.classed(observed).join(truth, on="message_id", suffix="_true")
    true_class = bench.sandbox.truth(bench.case.provider).select("message_id", really="class")
    blurred = truth.join(true_class, on="message_id").filter(pl.col("class") != pl.col("really"))
    return Agreement(
        kind=bench.case.kind,
        pull=bench.source.kind,
        pages=len(pages),
        messages=truth.height,
        lost=truth.join(observed, on="message_id", how="anti").height,
        wrong=both.filter(pl.col("status_class").ne_missing(pl.col("class"))).height,
        off={name: n for name in bench.case.tells if (n := misread(truth, observed, name).height)},
        blurred=blurred.height,
        silent=tuple(name for name in TOLD if observed[name].null_count() == observed.height),
    )


def misread(truth: pl.DataFrame, observed: pl.DataFrame, column: str) -> pl.DataFrame:
    """Messages in which a column of OBSERVATIONS is not what the truth has, where it has a value.

    Returns:
        message_id, the true value, the read value.
    """
    true = TRUE_NAMES.get(column, column)
    billed = truth if column != "currency" else truth.drop_nulls(TRUE_NAMES["cost_micro"])
    known = billed.select("message_id", pl.col(true).alias("true")).drop_nulls("true")
    both = known.join(observed.select("message_id", pl.col(column).alias("read")), on="message_id")
    wrong = pl.col("read").ne_missing(pl.col("true"))
    if OBSERVATIONS.schema[column] == OBSERVATIONS.schema["created_at"]:
        off = (pl.col("read") - pl.col("true").dt.truncate("1s")).abs()
        wrong = (off > SECOND).fill_null(value=True)
    return both.filter(wrong)


def agreements(
    sandbox: Sandbox, kinds: Sequence[str], days: Sequence[date], folder: Path
) -> Iterator[Agreement]:
    """The agreement of one source after the other; they land under `folder`."""
    for kind in kinds:
        bench = Bench(case_of(kind), sandbox, folder / kind)
        with _environment(bench, days):
            yield agreement(bench, days)


@contextmanager
def _environment(bench: Bench, days: Sequence[date]) -> Iterator[None]:
    """The secrets of the sandbox, and its time for the time now."""
    before = dict(os.environ)
    os.environ.update(bench.case.secrets(bench.sandbox.accounts))
    os.environ[NOW_VARIABLE] = bench.at_usual_time(days).isoformat()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
