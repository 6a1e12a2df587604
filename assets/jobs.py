"""Jobs: the daily chain, the settling of late receipts, and one per report subscription."""

from __future__ import annotations

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from assets.attribution import ATTRIBUTION_KEY, is_attributed
from assets.clean_base import clean_base_keys
from assets.engagement import events_key, stream_landing_key
from assets.reconciliation import reconciliation_key
from assets.reports import FINDINGS_KEY, edition_key, mail_key
from assets.sources import cube_key, landing_key, messages_key
from sms_etl.config.settings import Subscription
from sms_etl.project import OUTBOX_NAME, Project

DAILY_JOB = "daily"
SETTLE_JOB = "settle"
REBUILD_JOB = "rebuild_from_landing"
FINDINGS_JOB = "watch"
ATTRIBUTION_JOB = "attribute"
CLEAN_BASE_JOB = "clean_base"


def build_jobs(project: Project) -> list[UnresolvedAssetJobDefinition]:
    """Every job of the deployment."""
    names = project.source_names
    rebuilt = [key(name) for name in names for key in (messages_key, cube_key)]
    pulled = [landing_key(name) for name in names]
    for name in project.enabled:
        for stream in project.streams(name):
            pulled.append(stream_landing_key(name, stream.kind))
            rebuilt.append(events_key(name, stream.kind))
    rebuilt += [reconciliation_key(name) for name in project.reconciled]
    if project.settings.outbox is not None:
        pulled.append(landing_key(OUTBOX_NAME))
    attributed = [_attribution_job()] if is_attributed(project) else []
    return [
        dg.define_asset_job(
            DAILY_JOB,
            selection=dg.AssetSelection.assets(*pulled, *rebuilt),
            description="Pull one day from every source and rebuild it. One source's failure "
            "does not stop another's. Backfill it over any range: chunks run one by one.",
        ),
        dg.define_asset_job(
            SETTLE_JOB,
            selection=dg.AssetSelection.assets(*pulled, *rebuilt),
            description="Pull the last days again for late receipts and prices, and rebuild them.",
        ),
        dg.define_asset_job(
            REBUILD_JOB,
            selection=dg.AssetSelection.assets(*rebuilt),
            description="Rebuild messages, engagement and cube from landing alone: after a mapping "
            "changed. Talks to no provider and mails nobody.",
        ),
        dg.define_asset_job(
            FINDINGS_JOB,
            selection=dg.AssetSelection.assets(FINDINGS_KEY),
            description="Bring the standing list of problems up to date.",
        ),
        *attributed,
        dg.define_asset_job(
            CLEAN_BASE_JOB,
            selection=dg.AssetSelection.assets(*clean_base_keys(project)),
            description="Who should not be written to any more, which messages broke a rule, what "
            "is suspected: from the lake alone. Backfill it after a change of rules.",
        ),
        *(report_job(subscription) for subscription in project.settings.subscriptions),
    ]


def _attribution_job() -> UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        ATTRIBUTION_JOB,
        selection=dg.AssetSelection.assets(ATTRIBUTION_KEY),
        description="Tell robots from people and orders from messages, from the lake alone. "
        "Backfill it after a change of rules.",
    )


def report_job_name(subscription: Subscription) -> str:
    """Job that makes and mails the report of a subscription."""
    return f"report_{subscription.name}"


def report_job(subscription: Subscription) -> UnresolvedAssetJobDefinition:
    """Freeze an edition, then mail it to whoever has not got it."""
    return dg.define_asset_job(
        report_job_name(subscription),
        selection=dg.AssetSelection.assets(
            edition_key(subscription.name), mail_key(subscription.name)
        ),
        description=f"Report '{subscription.name}' ({subscription.report.value}, "
        f"{subscription.language.value}): freeze an edition, then mail it. Running it again "
        f"mails nobody who has it.",
    )
