"""Asset checks: they name what is wrong and the next step; only broken structure blocks."""

from datetime import date

import dagster as dg
import polars as pl

from assets.partitions import PARTITION, RANGE_END, RANGE_START
from assets.sources import cube_key, landing_key, messages_key
from sms_etl.days import days_between
from sms_etl.errors import LandingError
from sms_etl.model.schemas import CONSERVATION, CUBE, MESSAGES, QUARANTINE, UNMAPPED, Table
from sms_etl.project import Project

QUARANTINE_WARN_SHARE = 0.01
"""Above this share of records set aside, somebody should look."""

LISTED_ROWS = 10


def build_source_checks(project: Project, name: str) -> list[dg.AssetChecksDefinition]:
    """The checks of one source. Each looks at every day of the run; run by hand, at all days."""

    @dg.asset_check(
        asset=landing_key(name),
        name="pages_are_what_was_received",
        blocking=True,
        description="Every landed page of the days still has the checksum of its manifest.",
    )
    def pages_intact(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return pages_checked(project, name, days_of_check(project, name, context))

    @dg.asset_check(
        asset=messages_key(name),
        name="records_are_conserved",
        blocking=True,
        description="Messages in the lake, folded and quarantined records add up to what came in.",
    )
    def conserved(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return _conserved(project, name, days_of_check(project, name, context))

    @dg.asset_check(
        asset=messages_key(name),
        name="quarantine_is_small",
        description="Few records were set aside; the table names the first of them.",
    )
    def quarantine(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return _quarantine(project, name, days_of_check(project, name, context))

    @dg.asset_check(
        asset=messages_key(name),
        name="words_are_mapped",
        description="Every status word and code is in the dictionary of the provider.",
    )
    def mapped(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return _mapped(project, name, days_of_check(project, name, context))

    @dg.asset_check(
        asset=cube_key(name),
        name="cube_equals_messages",
        blocking=True,
        description="Messages, parts and money of the cube equal the sums over the rows.",
    )
    def double_entry(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return _double_entry(project, name, days_of_check(project, name, context))

    return [pages_intact, conserved, quarantine, mapped, double_entry]


def days_of_check(
    project: Project,
    name: str,
    context: dg.AssetCheckExecutionContext,
    account: Table = CONSERVATION,
) -> list[date]:
    """The days a check is to look at: those of its run; by hand, all that were built."""
    tags = context.run.tags
    if PARTITION in tags:
        return [date.fromisoformat(tags[PARTITION])]
    if RANGE_START in tags:
        return days_between(
            date.fromisoformat(tags[RANGE_START]), date.fromisoformat(tags[RANGE_END])
        )
    built = project.lake.scan(account, sources=[name]).select("day").unique().collect()
    return sorted(built["day"]) or [project.settings.project.first_day]


def pages_checked(project: Project, place: str, days: list[date]) -> dg.AssetCheckResult:
    """Whether the landed pages of some days are still what their manifests say."""
    manifests = project.landing.manifests(place, days)
    broken = []
    for manifest in manifests:
        try:
            project.landing.verify(manifest)
        except LandingError as error:
            broken.append(str(error))
    return dg.AssetCheckResult(
        passed=not broken,
        metadata={
            "pulls": len(manifests),
            "pages": sum(len(manifest.pages) for manifest in manifests),
            "broken": "\n".join(broken[:LISTED_ROWS]) or "none",
        },
    )


def _conserved(project: Project, name: str, days: list[date]) -> dg.AssetCheckResult:
    first, last = min(days), max(days)
    account = project.lake.scan(CONSERVATION, first, last, [name]).collect()
    rows = project.lake.scan(MESSAGES, first, last, [name]).group_by("day").agg(rows=pl.len())
    quarantined = (
        project.lake.scan(QUARANTINE, first, last, [name]).group_by("day").agg(set_aside=pl.len())
    )
    by_fate = account.group_by("day").agg(
        records_in=pl.col("records").sum(),
        messages=pl.col("records").filter(pl.col("fate") == "message").sum(),
        quarantined=pl.col("records").filter(pl.col("fate") == "quarantined").sum(),
    )
    wrong = (
        by_fate.join(rows.collect(), on="day", how="full", coalesce=True)
        .join(quarantined.collect(), on="day", how="full", coalesce=True)
        .fill_null(0)
        .filter(
            (pl.col("messages") != pl.col("rows")) | (pl.col("quarantined") != pl.col("set_aside"))
        )
        .sort("day")
    )
    missing = sorted(set(days) - set(account["day"].to_list()))
    return dg.AssetCheckResult(
        passed=wrong.is_empty() and not missing,
        metadata={
            "records_in": int(account["records"].sum()),
            "days_that_do_not_add_up": table_of(wrong),
            "days_without_account": ", ".join(map(str, missing)) or "none",
            "next_step": "Materialize these days again; if it persists, report it.",
        },
    )


def _quarantine(project: Project, name: str, days: list[date]) -> dg.AssetCheckResult:
    first, last = min(days), max(days)
    rows = project.lake.scan(QUARANTINE, first, last, [name]).collect()
    records = project.lake.scan(CONSERVATION, first, last, [name]).collect()["records"].sum()
    share = len(rows) / int(records) if records else 0.0
    return dg.AssetCheckResult(
        passed=share <= QUARANTINE_WARN_SHARE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "quarantined": len(rows),
            "share": share,
            "first_rows": table_of(rows.head(LISTED_ROWS)),
            "next_step": "Each row names pull, page and record: open that page in landing.",
        },
    )


def _mapped(project: Project, name: str, days: list[date]) -> dg.AssetCheckResult:
    words = (
        project.lake.scan(UNMAPPED, min(days), max(days), [name])
        .group_by("kind", "word")
        .agg(pl.col("messages").sum(), last_seen=pl.col("day").max())
        .sort("messages", descending=True)
        .collect()
    )
    return dg.AssetCheckResult(
        passed=words.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "unmapped": len(words),
            "words": table_of(words.head(LISTED_ROWS)),
            "next_step": "Add them to the provider's dictionary and rebuild the days.",
        },
    )


def _double_entry(project: Project, name: str, days: list[date]) -> dg.AssetCheckResult:
    first, last = min(days), max(days)
    messages = project.lake.scan(MESSAGES, first, last, [name]).select(
        messages=pl.len().cast(pl.Int64),
        parts=pl.col("parts").sum().cast(pl.Int64),
        cost_micro=pl.col("cost_micro").sum(),
        delivered=(pl.col("status_class") == "delivered").sum().cast(pl.Int64),
    )
    cube = project.lake.scan(CUBE, first, last, [name]).select(
        messages=pl.col("messages").sum(),
        parts=pl.col("parts").sum(),
        cost_micro=pl.col("cost_micro").sum(),
        delivered=pl.col("messages").filter(pl.col("status_class") == "delivered").sum(),
    )
    rows = pl.concat(
        [
            messages.collect().with_columns(counted_in=pl.lit("messages")),
            cube.collect().with_columns(counted_in=pl.lit("cube")),
        ]
    )
    return dg.AssetCheckResult(
        passed=rows.drop("counted_in").n_unique() == 1,
        metadata={
            "sums": table_of(rows),
            "next_step": "Materialize messages and cube of these days again.",
        },
    )


def table_of(frame: pl.DataFrame) -> dg.TableMetadataValue | str:
    """Rows of a frame as Dagster shows them."""
    if frame.is_empty():
        return "none"
    return dg.MetadataValue.table(
        [
            dg.TableRecord({k: v if isinstance(v, int | float) else str(v) for k, v in row.items()})
            for row in frame.iter_rows(named=True)
        ]
    )
