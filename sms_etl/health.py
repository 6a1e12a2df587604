"""`sms-etl check`: is everything there that a run needs, and how to mend what is not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from sms_etl.campaigns import read_catalogue
from sms_etl.errors import SmsEtlError
from sms_etl.mail.smtp import open_session
from sms_etl.model.vocabulary import Engagement
from sms_etl.project import Project
from sms_etl.rates import read_rates
from sms_etl.reports.render import typeset_probe
from sms_etl.sources.base import CheckResult


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
        yield from _tried("exchange rates", "are read", lambda: read_rates(settings))
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
