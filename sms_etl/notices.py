"""Telling owners of problems: once when one begins, once when it is over."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, time, timedelta

import requests

from sms_etl.checks.steps import awaited_daily, freshness
from sms_etl.config.clock import now
from sms_etl.config.secrets import EnvSecret
from sms_etl.errors import MailError, SmsEtlError
from sms_etl.mail.alert import alert_owner
from sms_etl.project import Project
from sms_etl.store.notices import Notice, Notices, Problem

logger = logging.getLogger(__name__)

SCHEDULER = "scheduler"
"""Name of the heartbeat of whatever runs schedules and sensors."""

FRESH_FROM = time(9, 0)
"""From this hour of the business day on yesterday should be there."""

WEBHOOK_TIMEOUT_SECONDS = 10.0
LONGEST_TEXT = 3000
"""Characters of a text that chat programs show whole."""


def tell(project: Project, problems: Sequence[Problem], over: Sequence[str] = ()) -> list[Notice]:
    """Note problems and ends of problems, and tell their owners what they do not know yet.

    A notice that cannot be handed over stays to be told and is tried again by the next call.

    Returns:
        The notices handed over by this call.
    """
    store = Notices(project.warehouse)
    store.note(problems, over, now())
    told = []
    for notice in store.untold():
        try:
            _hand_over(project, notice)
        except SmsEtlError as error:
            logger.warning("Nobody was told of %r yet: %s", notice.problem.subject, error)
            continue
        store.mark_told(notice, now())
        told.append(notice)
    return told


def owner_of(project: Project, source: str) -> str | None:
    """Who is told of problems of a source; null for the owner of [mail]."""
    block = project.settings.sources.get(source)
    owner: str | None = block.owner if block is not None else None
    return owner


def tell_of_stale_days(project: Project) -> list[Notice]:
    """Tell of sources whose yesterday is not there in the morning, and of those it came for."""
    moment = now().astimezone(project.settings.project.zone)
    problems, over = [], []
    for name in awaited_daily(project):
        key = f"yesterday of {name}"
        found = freshness(project, name, moment)
        if found.fresh:
            over.append(key)
        elif moment.time() >= FRESH_FROM and found.day >= project.settings.project.first_day:
            lacks = "is not built" if found.pulled_at else "was not pulled after it was over"
            problems.append(
                Problem(
                    key,
                    f"{name}: {found.day} is missing",
                    f"{found.day} of {name} {lacks}. Run the job 'daily' for this day; if the "
                    f"schedule did not start it, look at the daemon.",
                    owner_of(project, name),
                )
            )
    return tell(project, problems, over)


def beat(project: Project) -> None:
    """Note that the scheduler is alive, here and at the address that waits for it.

    Raises:
        MailError: the address did not answer; the beat is kept here all the same.
    """
    Notices(project.warehouse).beat(SCHEDULER, now())
    address = project.settings.notices.heartbeat_url
    if address is not None:
        _post(address, "heartbeat", {})


def silent_for(project: Project, at: datetime) -> timedelta | None:
    """How long the scheduler was not heard of; null if it never was."""
    last = Notices(project.warehouse).last_beat(SCHEDULER)
    return at - last if last is not None else None


def _hand_over(project: Project, notice: Notice) -> None:
    settings, problem = project.settings, notice.problem
    subject = f"Over: {problem.subject}" if notice.over else problem.subject
    if notice.over and notice.closed_at is not None:
        seen = "once" if notice.times == 1 else f"{notice.times} times"
        text = f"Seen {seen} since {notice.opened_at:%Y-%m-%d %H:%M} UTC; it was:\n\n{problem.body}"
    else:
        text = problem.body
    if settings.notices.webhook is not None:
        message = f"*[{settings.project.name}] {subject}*\n{text}"[:LONGEST_TEXT]
        _post(settings.notices.webhook, "webhook", {"text": message})
    if settings.notices.mail:
        alert_owner(settings, subject, text, to=problem.owner)


def _post(address: EnvSecret, name: str, body: dict[str, str]) -> None:
    """Post JSON to an address that is itself a secret, so it is in no message of ours."""
    try:
        answer = requests.post(
            address.get(), json=body, timeout=WEBHOOK_TIMEOUT_SECONDS, allow_redirects=False
        )
    except requests.RequestException as error:
        raise MailError(
            f"The {name} of [notices] cannot be reached ({type(error).__name__})."
        ) from None
    if not answer.ok:
        raise MailError(f"The {name} of [notices] answered {answer.status_code}.")
