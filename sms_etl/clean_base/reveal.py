"""The only way from a pseudonym back to a number: asked by name, with a reason, and logged.

Numbers are in landing alone. The pseudonym leads to messages or events of the lake, these to their
landed records, and a number counts only if its pseudonym is the one asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from sms_etl.clean_base.steps import LEAST_REASON
from sms_etl.config.clock import now
from sms_etl.engagement.build import TABLES, stream_name
from sms_etl.errors import ConfigError
from sms_etl.messages.phones import key_id, parse_numbers, pseudonyms
from sms_etl.model.schemas import MESSAGES
from sms_etl.pipeline import OUTBOX_MARGIN_DAYS, read_outbox
from sms_etl.project import Project
from sms_etl.store.audit import Reveal, RevealOutcome, record_reveal

MOST_DAYS = 30
"""Landed days that are looked through for one number, the newest first."""


@dataclass(frozen=True)
class Question:
    """Whose number is asked for (a pseudonym), by whom, and why."""

    recipient: str
    who: str
    why: str


def reveal(project: Project, question: Question) -> str | None:
    """The number behind a pseudonym in E.164, or null if landing does not hold it any more.

    The question is written down before anything is looked up, and so is what came of it.

    Raises:
        ConfigError: no name, no reason, no pseudonym key, or another key made the pseudonym.
    """
    if len(question.why.strip()) < LEAST_REASON or not question.who.strip():
        raise ConfigError(
            "Say who asks and why (--why 'complaint 17 of 3 November'); both are kept for good, "
            "and without them no number is shown."
        )
    key = project.settings.project.pseudonym_key.get().encode()
    _write_down(project, question, RevealOutcome.ASKED)
    found = next(
        (
            number
            for raw in _candidates(project, question.recipient)
            if (number := _match(raw, question.recipient, project, key)) is not None
        ),
        None,
    )
    outcome = RevealOutcome.NOT_FOUND if found is None else RevealOutcome.SHOWN
    _write_down(project, question, outcome)
    return found


def _write_down(project: Project, question: Question, outcome: RevealOutcome) -> None:
    told = Reveal(now(), question.who, question.why.strip(), question.recipient, outcome)
    record_reveal(project.warehouse, told)


def _match(raw: pl.Series, recipient: str, project: Project, key: bytes) -> str | None:
    numbers = parse_numbers(raw.drop_nulls(), project.settings.project.home_country)
    known = numbers.filter(pl.col("e164").is_not_null())
    mine = known.filter(pseudonyms(known["e164"], key) == recipient)
    return str(mine["e164"][0]) if mine.height else None


def _candidates(project: Project, recipient: str) -> Iterator[pl.Series]:
    """Raw numbers of the landed records that belong to a pseudonym, a day at a time."""
    seen = (
        project.lake.scan(MESSAGES)
        .filter(pl.col("recipient") == recipient)
        .select("source", "day", "message_id", "key_id")
        .sort("day", descending=True)
        .head(MOST_DAYS)
        .collect()
    )
    _require_key(project, seen["key_id"].drop_nulls().to_list())
    for source, day, message_id in seen.drop("key_id").iter_rows():
        yield from _of_message(project, source, day, message_id)
    yield from _of_events(project, recipient)


def _of_message(project: Project, name: str, day: date, message_id: str) -> Iterator[pl.Series]:
    source = project.source(name)
    around = [day + timedelta(days=n) for n in range(-1, source.spill_days + 1)]
    manifests = project.landing.manifests(name, around)
    if manifests:
        read = source.read(project.landing.pages(manifests))
        mine = read.filter(pl.col("message_id") == message_id).select("recipient")
        yield mine.collect()["recipient"]
    # A provider that is asked by identifier may answer without the number.
    wide = [day + timedelta(days=n) for n in range(-OUTBOX_MARGIN_DAYS, OUTBOX_MARGIN_DAYS + 1)]
    yield read_outbox(project, wide, name).filter(pl.col("message_id") == message_id)["recipient"]


def _of_events(project: Project, recipient: str) -> Iterator[pl.Series]:
    """Replies, list entries and other events of people who were perhaps never written to."""
    for name in project.enabled:
        for stream in project.streams(name):
            days = (
                project.lake.scan(TABLES[stream.kind], sources=[name])
                .filter(pl.col("recipient") == recipient)
                .select(pl.col("day").unique().sort(descending=True))
                .head(MOST_DAYS)
                .collect()["day"]
            )
            place = stream_name(name, stream.kind)
            for day in days:
                manifests = project.landing.manifests(place, [day])
                if manifests:
                    read = stream.read(project.landing.pages(manifests))
                    yield read.select("recipient").collect()["recipient"]


def _require_key(project: Project, ids: list[str]) -> None:
    mine = key_id(project.settings.project.pseudonym_key.get().encode())
    if ids and mine not in ids:
        raise ConfigError(
            f"The pseudonym was made with key {ids[0]}, and the key of this deployment is {mine}. "
            f"Set the key that made it."
        )
