"""The one partitions definition every daily asset shares."""

from __future__ import annotations

from datetime import date

import dagster as dg

from sms_etl.project import Project

PARTITION = "dagster/partition"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
"""Run tags by which Dagster says which days a run is for."""


def daily_partitions(project: Project) -> dg.DailyPartitionsDefinition:
    """Calendar days of the business time zone, from the first day of the deployment.

    The last partition is the last day that is over. Changing the zone later changes every
    window, so it is fixed before the first backfill.
    """
    settings = project.settings.project
    return dg.DailyPartitionsDefinition(
        start_date=settings.first_day.isoformat(), timezone=settings.business_time_zone
    )


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days a run is to work on: one, or a range of a backfill chunk."""
    return [date.fromisoformat(key) for key in context.partition_keys]
