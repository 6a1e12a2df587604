"""What each subscription sends next and when, for the person who reviews the settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sms_etl.config.settings import AtDeadline, IfEmpty, Period, ReportKind, Subscription
from sms_etl.mail.unsubscribed import Unsubscribed
from sms_etl.project import Project
from sms_etl.publish import ReportOrder, editions, order_of
from sms_etl.sources.base import CheckResult
from sms_etl.subscriptions.conditions import asked
from sms_etl.subscriptions.due import last_due, next_due, when, zone_of
from sms_etl.subscriptions.turns import Turns


def upcoming(project: Project, moment: datetime) -> Iterator[CheckResult]:
    """The next report of every subscription, and what may keep it from its readers.

    Args:
        project: the deployment.
        moment: now, UTC.

    Raises:
        StoreError: the warehouse cannot be read.
    """
    if project.settings.subscriptions and not project.settings.project.run_schedules:
        yield CheckResult(
            "schedules",
            ok=True,
            found="are off here: nothing below goes out by itself (project.run_schedules)",
        )
    for subscription in project.settings.subscriptions:
        yield from _of(project, subscription, moment)


def _of(project: Project, subscription: Subscription, moment: datetime) -> Iterator[CheckResult]:
    subject = f"subscription {subscription.name}"
    due = next_due(subscription, project.settings, moment)
    order = order_of(project, subscription, due)
    gone = set(Unsubscribed(project.warehouse).of(subscription.name)) & set(subscription.readers)
    yield CheckResult(
        subject,
        ok=True,
        found="; ".join(
            (
                f"next {when(due, zone_of(subscription, project.settings))}, cron "
                f"'{subscription.cron}'",
                _what(order),
                _to_whom(subscription, len(gone)),
                *_terms(subscription),
            )
        ),
    )
    if len(gone) == len(subscription.readers):
        yield CheckResult(
            subject,
            ok=False,
            optional=True,
            found="every reader has unsubscribed: it is made and mailed to nobody",
            mend="Name other readers, or remove it; sms-etl mail unsubscribed lists who left.",
        )
    yield from _of_its_days(project, subject, subscription, order)
    yield from _open_turn(project, subject, subscription, moment)


def _what(order: ReportOrder) -> str:
    if order.kind is ReportKind.CAMPAIGN:
        return f"campaign report of '{order.campaign}', its messages up to {order.last_day}"
    if order.period is Period.DAY:
        return f"{order.kind} report of {order.last_day}"
    length = f"a {order.period}, " if order.period else ""
    return f"{order.kind} report of {length}{order.first_day} to {order.last_day}"


def _to_whom(subscription: Subscription, gone: int) -> str:
    count = len(subscription.readers)
    readers = f"{count} reader{'s' if count != 1 else ''}"
    left = f" ({gone} of them unsubscribed)" if gone else ""
    forms = ", ".join(subscription.formats) or "no attachment"
    return f"to {readers}{left}, {subscription.language}, {forms}"


def _terms(subscription: Subscription) -> Iterator[str]:
    """What is said only where the settings say it, and what the deadline does."""
    for name, values in subscription.filters.given().items():
        yield f"only {name} {' or '.join(values)}"
    if subscription.sections:
        yield f"only sections {', '.join(subscription.sections)}"
    if subscription.currency is not None:
        yield f"money in {subscription.currency}"
    if subscription.only_if is not None:
        yield f"mailed only if {' or '.join(asked(subscription.only_if))}"
    if subscription.if_empty is IfEmpty.SILENCE:
        yield "not mailed if there are no messages"
    late = (
        "goes out marked incomplete"
        if subscription.at_deadline is AtDeadline.MARK_INCOMPLETE
        else "is not sent"
    )
    yield f"{late} if data is missing {subscription.deadline_hours:g} h later"


def _of_its_days(
    project: Project, subject: str, subscription: Subscription, order: ReportOrder
) -> Iterator[CheckResult]:
    """Days that were reported already, or that the project has no data of."""
    first = project.settings.project.first_day
    if order.last_day < first:
        yield CheckResult(
            subject,
            ok=False,
            optional=True,
            found=f"its days are before project.first_day ({first}): it will be empty",
            mend="Pull earlier days (an earlier project.first_day, then a backfill), or wait.",
        )
    if order.period is None:
        return
    store = editions(project)
    newest = store.newest(
        audience=subscription.name,
        report=order.kind,
        first_day=order.first_day,
        last_day=order.last_day,
    )
    if newest is not None and store.mailed(newest):
        yield CheckResult(
            subject,
            ok=True,
            found=f"these days were mailed already ({newest.id}): only a correction is, or to a "
            f"reader who lacks them",
        )


def _open_turn(
    project: Project, subject: str, subscription: Subscription, moment: datetime
) -> Iterator[CheckResult]:
    due = last_due(subscription, project.settings, moment)
    turn = Turns(project.warehouse).get(subscription.name, due)
    if turn is None or not turn.open:
        return
    why = f": {turn.detail}" if turn.detail else ""
    yield CheckResult(
        subject,
        ok=False,
        optional=True,
        found=f"the report due {when(due, zone_of(subscription, project.settings))} is still to "
        f"go out{why}",
        mend="sms-etl mail turns shows what it waits for.",
    )
