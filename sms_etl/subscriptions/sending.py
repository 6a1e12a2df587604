"""From a subscription that is due to mails: what to wait for, when to give up, whom to write to."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sms_etl.config.clock import now
from sms_etl.config.settings import AtDeadline, IfEmpty, ReportKind, Subscription
from sms_etl.errors import ConfigError, MailError
from sms_etl.mail.alert import alert_owner
from sms_etl.mail.attachments import Wanted
from sms_etl.mail.send import DeliveryReport, deliver
from sms_etl.mail.unsubscribed import Unsubscribed
from sms_etl.project import Project
from sms_etl.publish import editions, order_of
from sms_etl.readiness import Missing, missing_data
from sms_etl.reports.editions import Edition
from sms_etl.reports.figures import is_empty
from sms_etl.subscriptions.conditions import why_not
from sms_etl.subscriptions.due import last_due, next_due, when, zone_of
from sms_etl.subscriptions.turns import Turn, Turns, TurnState

logger = logging.getLogger(__name__)

RETRY = timedelta(minutes=15)
"""Between two tries of a report that failed, or that not every reader could be sent."""

RETRIES_AFTER_DEADLINE = timedelta(hours=24)
"""How long after its deadline a report that was to go out is still tried."""

CAMPAIGN_DAYS = timedelta(days=7)
"""A campaign report looks for messages far back; of so many days the data must be there."""


@dataclass(frozen=True)
class Look:
    """What is to be done about a subscription now: a run (the number of its try), or nothing."""

    due_at: datetime
    attempt: int | None
    told: str


@dataclass(frozen=True)
class Mailed:
    """What became of an edition: a delivery, or the reason why nobody was mailed."""

    delivery: DeliveryReport | None
    reason: str
    unsubscribed: tuple[str, ...] = ()


def look(project: Project, subscription: Subscription, moment: datetime) -> Look:
    """Decide about a subscription; call it every few minutes.

    A report goes out once its data is there. The owner is told once of what is waited for, and
    of a report that is withheld, given up or was missed. Turns left open from before come first:
    a daily report may still wait when the next one is due.

    Raises:
        StoreError: lake, landing or warehouse cannot be read or written.
    """
    turns = Turns(project.warehouse)
    due = last_due(subscription, project.settings, moment)
    newest = turns.get(subscription.name, due) or turns.open(subscription.name, due, moment)
    told = []
    for turn in turns.left_open(subscription.name):
        found = _Decision(project, subscription, turns, turn, moment).made()
        if found.attempt is not None:
            return found
        told.append(found.told)
    if not newest.open:
        told.append(_closed(project, subscription, newest, moment))
    return Look(due, None, "\n".join(told))


def _closed(project: Project, subscription: Subscription, turn: Turn, moment: datetime) -> str:
    following = next_due(subscription, project.settings, moment)
    zone = zone_of(subscription, project.settings)
    return (
        f"The report due {when(turn.due_at, zone)} is {turn.state.value.replace('_', ' ')}"
        f"{f' ({turn.detail})' if turn.detail else ''}; next: {when(following, zone)}."
    )


def still_missing(
    project: Project, subscription: Subscription, due: datetime
) -> tuple[Missing, ...]:
    """What the report of a turn waits for."""
    order = order_of(project, subscription, due)
    first = order.first_day
    if subscription.report is ReportKind.CAMPAIGN:
        first = max(first, order.last_day - CAMPAIGN_DAYS + timedelta(days=1))
    zone = zone_of(subscription, project.settings)
    return missing_data(project, first, order.last_day, zone, subscription.filters.source)


@dataclass(frozen=True)
class _Decision:
    project: Project
    subscription: Subscription
    turns: Turns
    turn: Turn
    moment: datetime

    @property
    def deadline(self) -> datetime:
        return self.turn.due_at + timedelta(hours=self.subscription.deadline_hours)

    @property
    def over(self) -> bool:
        return self.moment >= self.deadline

    def made(self) -> Look:
        last_try = self.deadline + RETRIES_AFTER_DEADLINE
        if self.moment >= last_try:
            if self.turn.attempts == 0:
                return self._end(TurnState.MISSED, "nobody looked at it until too late")
            return self._end(
                TurnState.GIVEN_UP,
                f"not every reader has it after "
                f"{self.turn.attempts} tries; see 'sms-etl mail list'",
            )
        missing = still_missing(self.project, self.subscription, self.turn.due_at)
        if missing and not self.over:
            return self._wait(missing)
        if missing and self.subscription.at_deadline is AtDeadline.WITHHOLD:
            return self._end(TurnState.WITHHELD, _listed(missing))
        if self.turn.attempted_at is not None and self.moment < self.turn.attempted_at + RETRY:
            return self._nothing(f"Tried {self.turn.attempts} times; waiting for the next try.")
        attempt = self.turns.attempt(self.turn, self.moment)
        return Look(self.turn.due_at, attempt, _listed(missing) or "The data is there.")

    def _wait(self, missing: tuple[Missing, ...]) -> Look:
        listed = _listed(missing)
        self.turns.note(self.turn, detail=listed)
        if self.turn.owner_told_at is None:
            zone = zone_of(self.subscription, self.project.settings)
            then = (
                "goes out marked incomplete"
                if self.subscription.at_deadline is AtDeadline.MARK_INCOMPLETE
                else "is not sent"
            )
            self._tell(
                f"Report '{self.subscription.name}' waits for data",
                f"The report '{self.subscription.name}' was due {when(self.turn.due_at, zone)}. "
                f"This is missing:\n\n{listed}\n\nIt goes out by itself once the data is there. If "
                f"it is not there by {when(self.deadline, zone)}, it {then}.",
            )
        return self._nothing(f"Waiting for data: {listed}")

    def _end(self, state: TurnState, detail: str) -> Look:
        self._tell(
            f"Report '{self.subscription.name}' was not sent to everybody",
            f"The report '{self.subscription.name}' due "
            f"{when(self.turn.due_at, zone_of(self.subscription, self.project.settings))} is "
            f"{state.value.replace('_', ' ')}: {detail}",
        )
        self.turns.close(self.turn, state, detail, self.moment)
        return self._nothing(detail)

    def _tell(self, subject: str, body: str) -> None:
        """Tell the owner; if that fails it is tried at the next look."""
        try:
            alert_owner(self.project.settings, subject, body)
        except (MailError, ConfigError):
            logger.exception("The owner could not be told: %s\n%s", subject, body)
        else:
            self.turns.note(self.turn, owner_told_at=self.moment)

    def _nothing(self, told: str) -> Look:
        return Look(self.turn.due_at, None, told)


def mail_report(
    project: Project, subscription: Subscription, edition: Edition, due: datetime | None = None
) -> Mailed:
    """Mail an edition to the readers of a subscription who have not got it and want it.

    Args:
        project: the deployment.
        subscription: whose readers.
        edition: what they get.
        due: the turn it is sent for: its conditions hold and it is closed when nobody is left to
            be tried again. Without it a person wants it sent now.

    Raises:
        ConfigError: the settings have no mail server.
        MailError: the edition is not what was frozen.
    """
    turns = Turns(project.warehouse)
    turn = turns.get(subscription.name, due) if due is not None else None
    if turn is not None:
        silent = _why_silent(project, subscription, edition)
        if silent is not None:
            state, reason = silent
            turns.close(turn, state, reason, now(), edition.id)
            return Mailed(None, reason)
    off = Unsubscribed(project.warehouse).of(subscription.name)
    gone = tuple(reader for reader in subscription.readers if reader in off)
    report = deliver(
        edition,
        [reader for reader in subscription.readers if reader not in gone],
        wanted=Wanted.of(subscription),
        store=editions(project),
        warehouse=project.warehouse,
        settings=project.settings,
        now=now,
    )
    if turn is not None and not report.worth_retrying:
        told = report.counts() + (f", {len(gone)} unsubscribed" if gone else "")
        turns.close(turn, TurnState.SENT, told, now(), edition.id)
    return Mailed(report, "", gone)


def _why_silent(
    project: Project, subscription: Subscription, edition: Edition
) -> tuple[TurnState, str] | None:
    figures = edition.figures()
    if is_empty(figures) and subscription.if_empty is IfEmpty.SILENCE:
        return TurnState.EMPTY, "no messages in the period, and if_empty is 'silence'"
    last = editions(project).last_mailed(subscription.name, edition.id)
    reason = why_not(subscription.only_if, figures, last.figures() if last else None)
    return (TurnState.NOT_MET, reason) if reason is not None else None


def _listed(missing: tuple[Missing, ...]) -> str:
    return "\n".join(one.text() for one in missing)
