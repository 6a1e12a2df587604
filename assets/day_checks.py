"""Checks of days against what is usual. They warn and name the rows; none of them blocks."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from assets.checks import LISTED_ROWS, days_of_check, table_of
from assets.sources import cube_key, landing_key, messages_key
from sms_etl.checks import steps
from sms_etl.config.clock import now
from sms_etl.project import Project

FRESHNESS_CHECK = "yesterday_is_there"

Metadata = dict[str, Any]
Judged = tuple[bool, Metadata]


def build_day_checks(project: Project, name: str) -> list[dg.AssetChecksDefinition]:
    """Freshness, volume, coverage, duplicates and shape of one source."""
    freshness = _check(
        project,
        name,
        cube_key(name),
        FRESHNESS_CHECK,
        "Yesterday, by the business time zone, was pulled after it was over and is built; a "
        "backfill of older days does not count.",
        lambda _days: _freshness(project, name),
    )
    return [
        _check(
            project,
            name,
            landing_key(name),
            "fields_are_as_before",
            "The provider's records have the fields they had on the days before: a field that is "
            "gone or new is named.",
            lambda days: _fields(project, name, days),
        ),
        _check(
            project,
            name,
            messages_key(name),
            "no_message_counts_twice",
            "No identifier is a message of two days.",
            lambda days: _twice(project, name, days),
        ),
        _check(
            project,
            name,
            cube_key(name),
            "volume_is_usual",
            "Messages of a day against the same weekday of the four weeks before: more than "
            "double or less than half is named.",
            lambda days: _volume(project, name, days),
        ),
        _check(
            project,
            name,
            cube_key(name),
            "receipts_came",
            "Days old enough have final states for as many messages as the two weeks before.",
            lambda days: _coverage(project, name, days),
        ),
        *([freshness] if name in steps.awaited_daily(project) else []),
    ]


def _check(
    project: Project,
    name: str,
    asset: dg.AssetKey,
    check_name: str,
    description: str,
    judge: Callable[[Sequence[date]], Judged],
) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=asset, name=check_name, description=description)
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        passed, metadata = judge(days_of_check(project, name, context))
        severity = dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(passed=passed, severity=severity, metadata=metadata)

    return check


def _fields(project: Project, name: str, days: Sequence[date]) -> Judged:
    found = steps.drifts(project, name, days)
    rows = pl.DataFrame(
        [
            {"day": day, "gone": ", ".join(one.gone), "new": ", ".join(one.new)}
            for day, one in sorted(found.items())
        ],
        schema={"day": pl.Date, "gone": pl.String, "new": pl.String},
    )
    return rows.is_empty(), {
        "days_that_differ": len(found),
        "fields": table_of(rows.head(LISTED_ROWS)),
        "next_step": "Look the fields up in the provider's change log; a field we read that is "
        "gone shows as missing values, words or prices.",
    }


def _twice(project: Project, name: str, days: Sequence[date]) -> Judged:
    rows = steps.twice(project, name, days)
    return rows.is_empty(), {
        "identifiers": len(rows),
        "first_rows": table_of(rows.head(LISTED_ROWS)),
        "next_step": "Materialize both days again; if it persists, the provider changed the time "
        "that decides the day.",
    }


def _volume(project: Project, name: str, days: Sequence[date]) -> Judged:
    rows = steps.volumes(project, name, days)
    return rows.is_empty(), {
        "odd_days": len(rows),
        "days": table_of(rows.head(LISTED_ROWS)),
        "next_step": "Ask who sends whether that was meant; sms-etl reconcile holds the outbox "
        "against the log.",
    }


def _coverage(project: Project, name: str, days: Sequence[date]) -> Judged:
    rows = steps.coverage(project, name, days, now())
    return rows.is_empty(), {
        "thin_days": len(rows),
        "days": table_of(rows.head(LISTED_ROWS)),
        "next_step": "Pull these days again (job settle); if nothing comes, ask the provider why "
        "receipts stopped, first those of the operator named.",
    }


def _freshness(project: Project, name: str) -> Judged:
    found = steps.freshness(project, name, now())
    return found.fresh, {
        "day": str(found.day),
        "pulled_after_its_end": str(found.pulled_at) if found.pulled_at else "no",
        "built": found.built,
        "next_step": f"Run the job daily for {found.day}." if not found.fresh else "Nothing to do.",
    }
