"""Assets of the engagement that the settings want: landing and rows of each stream, and checks."""

from collections.abc import Sequence
from datetime import date

import dagster as dg
import polars as pl

from assets.checks import LISTED_ROWS, days_of_check, pages_checked, table_of
from assets.failures import PROVIDER_RETRIES, explained
from assets.partitions import days_of
from assets.sources import LANDING, chunks, column_schema, report_landing
from sms_etl.engagement.build import ROW, TABLES, stream_name
from sms_etl.engagement.fates import FOLDED, QUARANTINED
from sms_etl.engagement.steps import StreamAccount, land_stream, rebuild_stream
from sms_etl.model.engagement import EVENT_CONSERVATION, EVENT_QUARANTINE
from sms_etl.model.vocabulary import Engagement
from sms_etl.project import Project
from sms_etl.sources.base import Stream

ENGAGEMENT_GROUP = "engagement"


def stream_landing_key(name: str, kind: Engagement) -> dg.AssetKey:
    """Asset key of a stream's landing."""
    return dg.AssetKey([LANDING, name, kind.value])


def events_key(name: str, kind: Engagement) -> dg.AssetKey:
    """Asset key of a stream's rows."""
    return dg.AssetKey([ENGAGEMENT_GROUP, name, kind.value])


def build_stream_assets(
    project: Project, name: str, partitions: dg.DailyPartitionsDefinition
) -> list[dg.AssetsDefinition]:
    """Landing and rows of every stream of a source that is pulled; none for most sources."""
    return [
        asset
        for stream in project.streams(name)
        for asset in (
            _landing_asset(project, name, stream, partitions),
            _events_asset(project, name, stream, partitions),
        )
    ]


def build_stream_checks(project: Project, name: str) -> list[dg.AssetChecksDefinition]:
    """The checks of the streams of a source."""
    return [
        check
        for stream in project.streams(name)
        for check in (_pages_check(project, name, stream), _rows_check(project, name, stream))
    ]


def _landing_asset(
    project: Project, name: str, stream: Stream, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    provider = project.settings.sources[name].kind

    @dg.asset(
        key=stream_landing_key(name, stream.kind),
        partitions_def=partitions,
        backfill_policy=chunks(project),
        group_name=LANDING,
        kinds={"sms", "raw"},
        pool=f"source_{name}",
        retry_policy=PROVIDER_RETRIES,
        tags={"provider": provider},
        description=(
            f"Every page of {stream.kind.value} that {name} ({provider}) answered for the day, "
            f"exactly as received, with a manifest, apart from its messages."
        ),
    )
    def landed(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = days_of(context)
        with explained():
            manifests = land_stream(project, name, stream, days)
        return report_landing(context, manifests, days)

    return landed


def _events_asset(
    project: Project, name: str, stream: Stream, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    @dg.asset(
        key=events_key(name, stream.kind),
        deps=[stream_landing_key(name, stream.kind)],
        partitions_def=partitions,
        backfill_policy=chunks(project),
        group_name=ENGAGEMENT_GROUP,
        kinds={"polars", "deltalake"},
        tags={"provider": project.settings.sources[name].kind},
        metadata={"dagster/column_schema": column_schema(TABLES[stream.kind])},
        description=(
            f"{TABLES[stream.kind].meaning}: of {name}, rebuilt from landing alone. Records in = "
            f"rows + folded + quarantined, or the day is refused."
        ),
    )
    def events(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = days_of(context)
        with explained():
            accounts = rebuild_stream(project, name, stream, days)
        for account in accounts:
            context.add_asset_metadata(_told(account), partition_key=str(account.day))
        return dg.MaterializeResult(metadata={"rows": sum(account.rows for account in accounts)})

    return events


def _told(account: StreamAccount) -> dict[str, int]:
    return {
        "dagster/partition_row_count": account.rows,
        "records_in": account.records,
        "folded": sum(account.folded.values()),
        "quarantined": sum(account.quarantined.values()),
    }


def _pages_check(project: Project, name: str, stream: Stream) -> dg.AssetChecksDefinition:
    place = stream_name(name, stream.kind)

    @dg.asset_check(
        asset=stream_landing_key(name, stream.kind),
        name="pages_are_what_was_received",
        blocking=True,
        description="Every landed page of the days still has the checksum of its manifest.",
    )
    def pages_intact(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        days = days_of_check(project, place, context, EVENT_CONSERVATION)
        return pages_checked(project, place, days)

    return pages_intact


def _rows_check(project: Project, name: str, stream: Stream) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=events_key(name, stream.kind),
        name="records_are_conserved",
        blocking=True,
        description="Rows in the lake, folded and quarantined records add up to what came in.",
    )
    def conserved(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        place = stream_name(name, stream.kind)
        days = days_of_check(project, place, context, EVENT_CONSERVATION)
        return _conserved(project, name, stream, days)

    return conserved


def _conserved(
    project: Project, name: str, stream: Stream, days: Sequence[date]
) -> dg.AssetCheckResult:
    lake, place = project.lake, stream_name(name, stream.kind)
    first, last = min(days), max(days)
    account = lake.scan(EVENT_CONSERVATION, first, last, [place]).collect()
    set_aside = lake.scan(EVENT_QUARANTINE, first, last, [place]).collect()
    rows = lake.scan(TABLES[stream.kind], first, last, [name]).select(pl.len()).collect().item()

    def of(fate: str) -> int:
        return int(account.filter(pl.col("fate") == fate)["records"].sum())

    missing = sorted(set(days) - set(account["day"].to_list()))
    return dg.AssetCheckResult(
        passed=of(ROW) == rows and of(QUARANTINED) == set_aside.height and not missing,
        metadata={
            "rows": rows,
            "folded": of(FOLDED),
            "quarantined": table_of(set_aside.head(LISTED_ROWS)),
            "days_without_account": ", ".join(map(str, missing)) or "none",
            "next_step": "Materialize these days again; if it persists, report it.",
        },
    )
