"""Report assets: an edition and its mail for every subscription, and the standing findings.

Rendering and mailing are separate assets. Neither is partitioned, so no backfill can reach
them; mailing has no retry policy and sends only when its run config says so.
"""

from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from assets.failures import explained
from assets.sources import cube_key
from sms_etl.config.clock import now
from sms_etl.config.settings import Subscription
from sms_etl.errors import ConfigError
from sms_etl.mail.ledger import MailState
from sms_etl.mail.send import DeliveryReport
from sms_etl.project import Project
from sms_etl.publish import freeze_report, latest_edition, order_of, record_findings
from sms_etl.reports.editions import Edition
from sms_etl.subscriptions.sending import mail_report

EDITIONS_GROUP, MAIL_GROUP, FINDINGS_GROUP = "editions", "mail", "findings"
OWNER_TOLD = "owner_told"
"""Metadata of a failure: the owner knows of it already."""

BACKFILL = "dagster/backfill"
"""Tag of a run that a backfill started: it never mails."""

FINDINGS_KEY = dg.AssetKey("findings")


class EditionConfig(dg.Config):
    """As of which moment the report is made (ISO 8601 with offset); empty means now."""

    as_of: str = ""


class MailConfig(dg.Config):
    """As of which moment, and whether it is really sent: nothing is mailed unless `send` is on.

    `turn`: the time it was due, for a run that a sensor started; the conditions of the
    subscription hold for it.
    """

    as_of: str = ""
    send: bool = False
    turn: str = ""


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
            edition = latest_edition(project, subscription, _moment(config.as_of))
            if not config.send or BACKFILL in context.run.tags:
                context.log.info("send is off, or this is a backfill: nobody was mailed.")
                return dg.MaterializeResult(metadata={"sent": 0, "send": False})
            turn = _moment(config.turn) if config.turn else None
            mailed = mail_report(project, subscription, edition, turn)
        if mailed.delivery is None:
            context.log.info(f"Nobody was mailed: {mailed.reason}")
            return dg.MaterializeResult(
                metadata={"edition": edition.id, "sent": 0, "nobody_because": mailed.reason}
            )
        metadata = {
            "edition": edition.id,
            **_mail_metadata(mailed.delivery),
            "unsubscribed": ", ".join(mailed.unsubscribed) or "none",
        }
        if turn is not None and mailed.delivery.worth_retrying:
            context.log.warning(f"Some readers are tried again soon.\n{mailed.delivery.text()}")
        elif not mailed.delivery.complete:
            raise dg.Failure(
                description="Not every reader has the report; see 'sms-etl mail list'.\n"
                + mailed.delivery.text(),
                metadata={**metadata, OWNER_TOLD: mailed.delivery.owner_told},
                allow_retries=False,
            )
        return dg.MaterializeResult(metadata=metadata)

    return mail


def _moment(text: str) -> datetime:
    """The moment a run config names.

    Raises:
        ConfigError: it is not ISO 8601 with an offset.
    """
    if not text:
        return now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigError(
            f"as_of: {text!r} is not a time with an offset such as 2026-11-02T08:00:00+02:00"
        )
    return moment


def _edition_metadata(edition: Edition) -> dict[str, Any]:
    figures = edition.figures()
    delivery, latency = figures.totals.delivery, figures.totals.latency
    known = {
        "delivered_at_least": delivery.low,
        "delivered_at_most": delivery.high,
        "receipt_coverage": delivery.coverage,
        "receipts_usually_known_at_this_age": figures.totals.completeness,
        "seconds_within_which_half_of_all_sent_arrived": latency.all_median,
    }
    return {
        **{name: value for name, value in known.items() if value is not None},
        "edition": edition.id,
        "revision": edition.revision,
        "days": f"{figures.first_day} to {figures.last_day}",
        "submitted": figures.totals.submitted,
        "delivered": figures.totals.delivered,
        "delivered_of_submitted": delivery.value if delivery.value is not None else 0.0,
        "provisional": not delivery.mature,
        "findings": len(figures.findings),
        "pdf": dg.MetadataValue.path(str(edition.pdf_path)),
        "html": dg.MetadataValue.path(str(edition.html_path)),
        "figures": dg.MetadataValue.path(str(edition.figures_path)),
        "pdf_sha256": edition.pdf_sha256,
    }


def _mail_metadata(report: DeliveryReport) -> dict[str, Any]:
    sent_now = [o for o in report.outcomes if o.news and o.state is MailState.SENT]
    return {
        "sent_now": len(sent_now),
        "readers_who_have_it": len(report.readers(MailState.SENT)),
        "readers": len(report.outcomes),
        "ledger": report.text(),
    }
