"""Another pseudonym key: what landing holds is rebuilt with it, what it does not becomes nobody's.

The order makes a death harmless: lifts are copied under the new pseudonyms first, then the days
are rebuilt by a backfill that can be gone on with, then old pseudonyms without a number go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import polars as pl

from sms_etl.backfill.run import Summary, run_backfill
from sms_etl.config.clock import now
from sms_etl.config.secrets import EnvSecret
from sms_etl.engagement.build import stream_name
from sms_etl.errors import ConfigError
from sms_etl.housekeeping.layers import PERSON_TABLES, TIED_COLUMNS
from sms_etl.messages.phones import key_id, parse_numbers, pseudonyms
from sms_etl.model.clean_base import SUPPRESSIONS
from sms_etl.project import OUTBOX_NAME, Project
from sms_etl.sources.base import LandedPage
from sms_etl.store.audit import Lift, lifts, record_lift

LEAST_KEY_BYTES = 16

Reader = Callable[[Sequence[LandedPage]], pl.LazyFrame]


@dataclass(frozen=True)
class Rotation:
    """How a rotation ended. `nobody`: rows whose person is known no more, by table."""

    lifts: int
    rebuilt: Summary
    nobody: dict[str, int]


def rotate_key(project: Project, new: EnvSecret) -> Rotation:
    """Make every pseudonym anew with another key.

    Afterwards the variable of `project.pseudonym_key` must hold the new key.

    Raises:
        ConfigError: a key is missing or too short, or both are the same.
    """
    old_key = project.settings.project.pseudonym_key.get().encode()
    new_key = new.get().encode()
    if len(new_key) < LEAST_KEY_BYTES:
        raise ConfigError(f"{new.variable} is too short: set at least {LEAST_KEY_BYTES} bytes.")
    if key_id(new_key) == key_id(old_key):
        raise ConfigError(f"{new.variable} holds the key that is in use already.")
    renamed = _renamed(project, old_key, new_key)
    copied = _copy_lifts(project, renamed)
    changed = _with_key(project, new)
    today = now().astimezone(project.settings.project.zone).date()
    first, last = project.settings.project.first_day, today - timedelta(days=1)
    rebuilt = run_backfill(changed, first, last, changed.enabled, pull=False)
    nobody = {} if rebuilt.failed else _forget(changed, key_id(new_key))
    return Rotation(copied, rebuilt, nobody)


def _with_key(project: Project, new: EnvSecret) -> Project:
    block = project.settings.project.model_copy(update={"pseudonym_key": new})
    return replace(project, settings=project.settings.model_copy(update={"project": block}))


def _renamed(project: Project, old_key: bytes, new_key: bytes) -> dict[str, str]:
    """Old pseudonym -> new one of every number that landing holds."""
    found: dict[str, str] = {}
    region = project.settings.project.home_country
    for raw in _numbers(project):
        e164 = parse_numbers(raw.drop_nulls().unique(), region)["e164"].drop_nulls().unique()
        found |= dict(zip(pseudonyms(e164, old_key), pseudonyms(e164, new_key), strict=True))
    return found


def _numbers(project: Project) -> Iterator[pl.Series]:
    """Raw numbers of everything landed, a day at a time."""
    landing = project.landing
    readers: dict[str, Reader] = {name: project.source(name).read for name in project.source_names}
    for name in project.enabled:
        for stream in project.streams(name):
            readers[stream_name(name, stream.kind)] = stream.read
    if project.outbox is not None:
        readers[OUTBOX_NAME] = project.outbox.read
    for place, read in readers.items():
        for day in sorted(landing.days(place)):
            manifests = [m for m in landing.manifests(place, [day]) if m.first_day == day]
            pages = landing.pages(manifests)
            if pages:
                yield read(pages).select("recipient").collect()["recipient"]


def _copy_lifts(project: Project, renamed: dict[str, str]) -> int:
    """The record of lifts only grows, so each stands again under the new pseudonym."""
    known = lifts(project.warehouse)
    there = {(one.recipient, one.rule, one.lifted_at) for one in known}
    copies: list[Lift] = [
        replace(one, recipient=renamed[one.recipient])
        for one in known
        if one.recipient in renamed
        and (renamed[one.recipient], one.rule, one.lifted_at) not in there
    ]
    for copy in copies:
        record_lift(project.warehouse, copy)
    return len(copies)


def _forget(project: Project, new_id: str) -> dict[str, int]:
    """Rows that still carry another key's pseudonym: of days that landing does not hold."""
    forgotten: dict[str, int] = {}
    for table in PERSON_TABLES:
        if "key_id" not in table.names:
            continue
        old = pl.col("key_id").is_not_null() & (pl.col("key_id") != new_id)
        slices = project.lake.scan(table).filter(old).group_by("source", "day").len().collect()
        for (source,), of_it in slices.group_by("source"):
            days = of_it["day"].to_list()
            rows = project.lake.scan(table, min(days), max(days), [str(source)]).collect()
            rows = rows.filter(pl.col("day").is_in(days))
            if table is SUPPRESSIONS:
                rows = rows.filter(~old)
            tied = [name for name in TIED_COLUMNS if name in table.names]
            rows = rows.with_columns(pl.when(~old).then(pl.col(n)).alias(n) for n in tied)
            project.lake.replace(table, str(source), days, rows)
        if slices.height:
            forgotten[table.name] = int(slices["len"].sum())
            project.lake.vacuum(table, timedelta(0))
    return forgotten
