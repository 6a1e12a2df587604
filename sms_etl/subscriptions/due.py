"""When a subscription is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from sms_etl.config.settings import Settings, Subscription

_MINUTE = timedelta(minutes=1)


def zone_of(subscription: Subscription, settings: Settings) -> ZoneInfo:
    """The time zone of a subscription's days and of its cron."""
    return ZoneInfo(subscription.time_zone or settings.project.business_time_zone)


def when(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as the clock of a zone shows it, for people."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone})"


def last_due(subscription: Subscription, settings: Settings, moment: datetime) -> datetime:
    """The last time the subscription was due, up to and including a moment (UTC)."""
    # The iterator leaves out its start, which may be due itself.
    start = moment.astimezone(zone_of(subscription, settings)) + _MINUTE
    found: datetime = next(CronSim(subscription.cron, start, reverse=True))
    return found.astimezone(UTC)


def next_due(subscription: Subscription, settings: Settings, moment: datetime) -> datetime:
    """The first time the subscription is due after a moment (UTC)."""
    start = moment.astimezone(zone_of(subscription, settings))
    found: datetime = next(CronSim(subscription.cron, start))
    return found.astimezone(UTC)
