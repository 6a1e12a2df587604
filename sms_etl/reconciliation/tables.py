"""What people read of a reconciliation: states, campaigns and days in short, rows as CSV lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from sms_etl.model.vocabulary import ReconciliationState as State
from sms_etl.model.vocabulary import Silence, TotalState
from sms_etl.reconciliation.rows import COUNTS, known_sum
from sms_etl.spreadsheets import write_csv

if TYPE_CHECKING:
    from sms_etl.reconciliation.steps import Account

AGREED = (State.MATCHED.value, State.NOT_COMPARED.value)
"""States that need nobody."""

QUIET = (Silence.NONE.value, Silence.NOTHING_SENT.value)
"""Days that need nobody."""

NEXT_STEPS = {
    State.MISSING_AT_PROVIDER: "Look in your sending system for the provider's answer to these; "
    "send again what was never taken. Without an identifier: store the provider's when sending.",
    State.UNKNOWN_TO_US: "Ask who else sends with this account; change its keys if nobody does. "
    "Only billed: ask the provider for the messages.",
    State.DOUBLED: "Sent twice: look at retries of your sending system. Billed twice: claim it "
    "back with the list of rows.",
    State.PRICED_DIFFERENTLY: "Compare with the price list of the contract, mend the tariff in "
    "the settings or claim the difference.",
    State.PARTS_DIFFER: "Look at the text as it was sent: added links, other alphabet. Claim the "
    "parts that were not sent.",
    State.NOT_BILLED: "Look at the next invoice, or raise late_days in the settings.",
    State.UNREADABLE: "Mend the mapping in [invoices] of the settings.",
}
"""What to do about each state."""

SILENCE_STEPS = {
    Silence.NOT_PULLED: "Materialize the landing of these days.",
    Silence.NOTHING_KNOWN: "An outbox would tell whether anything was sent.",
    Silence.PROVIDER_EMPTY: "Your outbox has messages and the provider knows none: check the "
    "account, its rights and how long it keeps its log.",
    Silence.RECORDS_UNREADABLE: "Look at the quarantine of these days.",
    Silence.OUTBOX_EMPTY: "The provider has messages and your outbox none: check its export.",
    Silence.RECEIPTS_STOPPED: "Messages are there and hardly any has a final state: check "
    "callbacks or receipts at the provider.",
}
"""What to do about each silence."""


def by_state(rows: pl.DataFrame, keys: Sequence[str] = ()) -> pl.DataFrame:
    """RECONCILIATION rows summed by state, detail and currency, and by `keys` before them.

    Columns: keys, `state`, `detail`, `currency`, `count` (rows), COUNTS, `ours_micro`,
    `theirs_micro` and `difference_micro` (what the invoice says more than the log: of messages
    that only it has all of it, of messages it lacks what they cost, as a minus). Amounts are null
    where none is known.
    """
    names = [*keys, "state", "detail", "currency"]
    return (
        rows.with_columns(difference_micro=_difference())
        .group_by(names)
        .agg(
            pl.len().cast(pl.Int64).alias("count"),
            pl.col(*COUNTS).sum(),
            *(known_sum(name) for name in ("ours_micro", "theirs_micro", "difference_micro")),
        )
        .sort(*names, nulls_last=True)
    )


def _difference() -> pl.Expr:
    return (
        pl.when(pl.col("messages") == 0)
        .then("theirs_micro")
        .when(pl.col("state") == State.NOT_BILLED.value)
        .then(-pl.col("ours_micro"))
        .otherwise(pl.col("theirs_micro") - pl.col("ours_micro"))
    )


def open_days(days: pl.DataFrame) -> pl.DataFrame:
    """RECONCILIATION_DAYS with a silence that somebody should look at."""
    return days.filter(~pl.col("silence").is_in(QUIET))


def open_totals(totals: pl.DataFrame) -> pl.DataFrame:
    """INVOICE_TOTALS that do not agree."""
    return totals.filter(pl.col("state") != TotalState.MATCHED.value)


def write_lists(accounts: Sequence[Account], folder: Path) -> list[Path]:
    """Write CSV lists of several sources; returns the paths.

    rows.csv (what does not agree, a row each), campaigns.csv and days.csv (states counted),
    silence.csv (every day and its silence) and totals.csv (totals of invoices). Amounts are
    millionths of the currency unit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = pl.concat([account.rows for account in accounts])
    written = {
        "rows": rows.filter(~pl.col("state").is_in(AGREED)),
        "campaigns": by_state(rows, ["source", "campaign"]),
        "days": by_state(rows, ["source", "day"]),
        "silence": pl.concat([account.days for account in accounts]),
        "totals": pl.concat([account.totals for account in accounts]),
    }
    paths = []
    for name, frame in written.items():
        path = folder / f"{name}.csv"
        write_csv(frame, path)
        paths.append(path)
    return paths
