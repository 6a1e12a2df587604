"""`sms-etl check`: is everything there that a run needs, and how to mend what is not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl

from sms_etl.campaigns import read_catalogue
from sms_etl.config.clock import now
from sms_etl.config.settings import Settings
from sms_etl.errors import SmsEtlError
from sms_etl.mail.smtp import open_session
from sms_etl.model.vocabulary import Engagement
from sms_etl.project import Project
from sms_etl.rates import read_rates
from sms_etl.reports.render import typeset_probe
from sms_etl.sources.base import CheckResult
from sms_etl.subscriptions.upcoming import upcoming


def check_project(project: Project) -> Iterator[CheckResult]:
    """Every check of a deployment, in the order a run would need things."""
    settings = project.settings
    yield CheckResult("settings", ok=True, found=f"{settings.path} is valid")
    yield from _folder(settings.data_dir)
    yield from _tried("pseudonym key", "is set", settings.project.pseudonym_key.get)
    yield from _tried("warehouse", "can be written", lambda: project.warehouse)
    outbox = project.outbox
    if outbox is not None:
        yield from _listed("outbox", outbox.check)
    for name in project.settings.invoices:
        invoices = project.invoices(name)
        if invoices is not None:
            yield from _listed(f"invoices {name}", invoices.check)
    for name in project.enabled:
        yield from _listed(f"source {name}", project.source(name).check)
        yield from _listed(f"source {name}", partial(_streams, project, name))
    if settings.money is not None:
        for currency in _currencies(settings):
            yield from _listed(f"rates to {currency}", partial(_rates, settings, currency))
    catalogue = settings.campaigns.catalogue
    if catalogue is not None:
        path = settings.resolve(catalogue)
        yield from _tried("campaign catalogue", f"{path} is read", lambda: read_catalogue(path))
    yield from _tried("PDF renderer", "drew a page", typeset_probe)
    if settings.mail is None:
        yield CheckResult("mail", ok=True, found="not configured: reports are made, none is mailed")
    else:
        mail = settings.mail
        yield from _tried(
            "mail server", f"{mail.host}:{mail.port} answers", lambda: open_session(mail).quit()
        )
    yield from _listed("subscriptions", lambda: list(upcoming(project, now())))


def _currencies(settings: Settings) -> list[str]:
    """What reports convert money to: the currency of [money], then those of subscriptions."""
    common = [settings.money.currency] if settings.money else []
    own = {one.currency for one in settings.subscriptions if one.currency is not None}
    return [*common, *sorted(own.difference(common))]


def _rates(settings: Settings, currency: str) -> list[CheckResult]:
    """Whether money can be converted to a currency, today's too."""
    subject, rates = f"rates to {currency}", read_rates(settings, currency)
    if rates is None:
        return []
    needed = pl.lit(True) if rates.target == rates.base else pl.col("currency") == rates.target
    newest = rates.table.filter(needed)["day"].max()
    if not isinstance(newest, date):
        return [CheckResult(subject, ok=False, optional=True, found="there are none yet")]
    age = (now().astimezone(settings.project.zone).date() - newest).days
    if age <= rates.largest_age_days:
        return [CheckResult(subject, ok=True, found=f"are read; the newest is of {newest}")]
    return [
        CheckResult(
            subject,
            ok=False,
            optional=True,
            found=f"the newest is of {newest}, more than {rates.largest_age_days} days ago "
            f"(money.largest_age_days): money of today is not converted",
            mend="Fetch newer rates; whatever does that has stopped.",
        )
    ]


def _streams(project: Project, name: str) -> list[CheckResult]:
    """The right to read each stream; one that is not pulled may be missing."""
    pulled = {stream.kind for stream in project.streams(name)}
    return [
        result if kind in pulled else _optional(result, kind)
        for kind, result in project.source(name).check_streams()
    ]


def _optional(result: CheckResult, kind: Engagement) -> CheckResult:
    told = f'{result.found}, but is not pulled; add engagement = ["{kind.value}"] to pull it'
    return replace(result, found=told if result.ok else result.found, optional=True)


def _folder(folder: Path) -> Iterator[CheckResult]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield CheckResult(
            "data folder",
            ok=False,
            found=f"{folder} cannot be written ({error.strerror})",
            mend="Create it, give this user the right to write, or set project.data_dir.",
        )
    else:
        yield CheckResult("data folder", ok=True, found=f"{folder} can be written")


def _tried(subject: str, success: str, attempt: Callable[[], object]) -> Iterator[CheckResult]:
    try:
        attempt()
    except SmsEtlError as error:
        yield CheckResult(subject, ok=False, found=str(error))
    else:
        yield CheckResult(subject, ok=True, found=success)


def _listed(subject: str, check: Callable[[], list[CheckResult]]) -> Iterator[CheckResult]:
    try:
        yield from check()
    except SmsEtlError as error:
        yield CheckResult(subject, ok=False, found=str(error))
