"""Report assets: an edition and its mail for every subscription, and the standing findings.

Rendering and mailing are separate assets. Neither is partitioned, so no backfill can reach
them; mailing has no retry policy and sends only when its run config says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import dagster as dg

from assets.failures import explained
from assets.sources import cube_key
from sms_etl.config.clock import now
from sms_etl.config.settings import Subscription
from sms_etl.errors import ConfigError, StoreError
from sms_etl.project import Project
from sms_etl.publish import editions, freeze_report, mail_report, order_of, record_findings
from sms_etl.reports.editions import Edition

EDITIONS_GROUP, MAIL_GROUP, FINDINGS_GROUP = "editions", "mail", "findings"
FINDINGS_KEY = dg.AssetKey("findings")


class EditionConfig(dg.Config):
    """As of which moment the report is made (ISO 8601 with offset); empty means now."""

    as_of: str = ""


class MailConfig(dg.Config):
    """As of which moment, and whether it is really sent: nothing is mailed unless `send` is on."""

    as_of: str = ""
    send: bool = False


def edition_key(subscription: str) -> dg.AssetKey:
    """Asset key of a subscription's editions."""
    return dg.AssetKey([EDITIONS_GROUP, subscription])


def mail_key(subscription: str) -> dg.AssetKey:
    """Asset key of a subscription's mail."""
    return dg.AssetKey([MAIL_GROUP, subscription])


def build_report_assets(project: Project) -> list[dg.AssetsDefinition]:
    """Findings, and edition and mail of every subscription."""
    return [
        _findings_asset(project),
        *(
            asset
            for subscription in project.settings.subscriptions
            for asset in (
                _edition_asset(project, subscription),
                _mail_asset(project, subscription),
            )
        ),
    ]


def _findings_asset(project: Project) -> dg.AssetsDefinition:
    @dg.asset(
        key=FINDINGS_KEY,
        deps=[cube_key(name) for name in project.source_names],
        group_name=FINDINGS_GROUP,
        kinds={"polars", "sql"},
        description="Problems of the last four weeks, each with its evidence; they open, persist "
        "and close in the warehouse table 'findings'.",
    )
    def findings(config: EditionConfig) -> dg.MaterializeResult[None]:
        zone = project.settings.project.zone
        yesterday = _moment(config.as_of).astimezone(zone).date() - timedelta(days=1)
        with explained():
            figures, changes = record_findings(project, yesterday)
        return dg.MaterializeResult(
            metadata={
                "open": len(figures.findings),
                "opened": len(changes.opened),
                "closed": len(changes.closed),
                "findings": dg.MetadataValue.table(
                    [
                        dg.TableRecord(
                            {
                                "kind": finding.kind.value,
                                "where": ", ".join(f"{k}={v}" for k, v in finding.scope.items()),
                                "from": finding.start.isoformat(),
                                "to": finding.end.isoformat(),
                                "affected": finding.affected,
                                "of": finding.messages,
                            }
                        )
                        for finding in figures.findings
                    ]
                )
                if figures.findings
                else "none",
            }
        )

    return findings


def _edition_asset(project: Project, subscription: Subscription) -> dg.AssetsDefinition:
    @dg.asset(
        key=edition_key(subscription.name),
        deps=[cube_key(name) for name in project.source_names],
        group_name=EDITIONS_GROUP,
        kinds={"pdf", "html"},
        description=(
            f"The {subscription.report.value} report '{subscription.name}' "
            f"({subscription.language.value}), frozen: figures as JSON, HTML and PDF with their "
            f"hashes. Refused when a figure derived by two routes differs or a page is not whole."
        ),
    )
    def edition(config: EditionConfig) -> dg.MaterializeResult[None]:
        with explained():
            order = order_of(project, subscription, _moment(config.as_of))
            frozen = freeze_report(project, order, subscription.name)
        return dg.MaterializeResult(metadata=_edition_metadata(frozen))

    return edition


def _mail_asset(project: Project, subscription: Subscription) -> dg.AssetsDefinition:
    @dg.asset(
        key=mail_key(subscription.name),
        deps=[edition_key(subscription.name)],
        group_name=MAIL_GROUP,
        kinds={"email"},
        description=(
            f"Mails the edition of '{subscription.name}' to readers who have not got it, once "
            f"each; the ledger proves it. Sends only with send: true in the run config."
        ),
    )
    def mail(context: dg.AssetExecutionContext, config: MailConfig) -> dg.MaterializeResult[None]:
        with explained():
            edition = _edition_for(project, subscription, _moment(config.as_of))
            if not config.send:
                context.log.info("send is off: nobody was mailed.")
                return dg.MaterializeResult(metadata={"sent": 0, "send": False})
            report = mail_report(project, subscription, edition)
        return dg.MaterializeResult(metadata={"edition": edition.id, **_mail_metadata(report)})

    return mail
