"""Everything Dagster shows of one deployment, built from its settings."""

from __future__ import annotations

import dagster as dg

from assets.attribution import build_attribution_asset, is_attributed
from assets.checks import build_source_checks
from assets.clean_base import build_clean_base_assets, build_clean_base_checks
from assets.day_checks import build_day_checks
from assets.engagement import build_stream_assets, build_stream_checks
from assets.housekeeping import build_housekeeping_job, build_housekeeping_schedule
from assets.jobs import build_jobs
from assets.partitions import daily_partitions
from assets.reconciliation import build_reconciliation_asset, build_reconciliation_checks
from assets.reports import build_report_assets
from assets.schedules import build_schedules
from assets.sensors import build_sensors
from assets.sources import build_outbox_asset, build_source_assets
from sms_etl.project import Project


def build_defs(project: Project) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors of a deployment."""
    partitions = daily_partitions(project)
    names = project.source_names
    assets = [asset for name in names for asset in build_source_assets(project, name, partitions)]
    assets += [
        asset
        for name in project.enabled
        for asset in build_stream_assets(project, name, partitions)
    ]
    if project.settings.outbox is not None:
        assets.append(build_outbox_asset(project, partitions))
    if is_attributed(project):
        assets.append(build_attribution_asset(project, partitions))
    assets += build_clean_base_assets(project, partitions)
    checks = [check for name in names for check in build_source_checks(project, name)]
    checks += [check for name in names for check in build_day_checks(project, name)]
    checks += [check for name in project.enabled for check in build_stream_checks(project, name)]
    for name in project.reconciled:
        assets.append(build_reconciliation_asset(project, name, partitions))
        checks += build_reconciliation_checks(project, name)
    checks += build_clean_base_checks(project)
    jobs = build_jobs(project)
    house = build_housekeeping_job(project)
    return dg.Definitions(
        assets=[*assets, *build_report_assets(project)],
        asset_checks=checks,
        jobs=[*jobs, house],
        schedules=[*build_schedules(project, jobs), build_housekeeping_schedule(project, house)],
        sensors=build_sensors(project, partitions),
        # Polars uses every core by itself; a process per step would only pay imports again.
        executor=dg.in_process_executor,
    )
