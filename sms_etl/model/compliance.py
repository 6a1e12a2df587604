"""Canonical tables of compliance: breaches of rules, and what could be judged at all."""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from sms_etl.model.schemas import UTC_TIME, Column, Table


class BreachKind(StrEnum):
    """What a rule forbids."""

    AFTER_OPT_OUT = "after_opt_out"
    NIGHT = "night"
    FREQUENCY = "frequency"
    NO_CONSENT = "no_consent"
    NO_OPT_OUT_WORDING = "no_opt_out_wording"


class Judgement(StrEnum):
    """What a rule says of a message: kept, broken, or why it cannot be said."""

    KEPT = "kept"
    BREACH = "breach"
    PURPOSE_UNKNOWN = "purpose_unknown"
    ZONE_UNKNOWN = "zone_unknown"
    ZONE_AMBIGUOUS = "zone_ambiguous"
    PERSON_UNKNOWN = "person_unknown"
    NO_REGISTER = "no_register"
    NO_TEXT = "no_text"


BREACHES = Table(
    "breaches",
    "One row per message and rule it broke, with the evidence",
    (
        Column("day", pl.Date, "Business day of the message", nullable=False),
        Column("source", pl.String, "Configured source of the message", nullable=False),
        Column("message_id", pl.String, "Provider's identifier", nullable=False),
        Column("campaign", pl.String, "Campaign identifier, or 'unknown'", nullable=False),
        Column("recipient", pl.String, "Pseudonym of the person"),
        Column("country", pl.String, "ISO 3166 alpha-2 of the number", nullable=False),
        Column("submitted_at", UTC_TIME, "When it was sent", nullable=False),
        Column("kind", pl.String, "BreachKind", nullable=False),
        Column("rule", pl.String, "Rule of compliance.packs", nullable=False),
        Column("pack_version", pl.Int32, "Version of its pack", nullable=False),
        Column("since", UTC_TIME, "When the person refused; null for other kinds"),
        Column("local_time", pl.String, "Local time and zone of the person; null if not by night"),
        Column("sent", pl.Int32, "Messages to the person in the rule's days, this one included"),
        Column(
            "evidence",
            pl.List(pl.String),
            "What shows it, as source:identifier: the refusal, or the messages counted",
            nullable=False,
        ),
    ),
)

JUDGEMENTS = Table(
    "judgements",
    "Messages that each rule looked at, by what it could say; they add up to all in its countries",
    (
        Column("day", pl.Date, "Business day of the messages", nullable=False),
        Column("source", pl.String, "Configured source", nullable=False),
        Column("campaign", pl.String, "Campaign identifier, or 'unknown'", nullable=False),
        Column("kind", pl.String, "BreachKind", nullable=False),
        Column("rule", pl.String, "Rule of compliance.packs", nullable=False),
        Column("judgement", pl.String, "Judgement", nullable=False),
        Column("messages", pl.Int64, "Messages", nullable=False),
    ),
)
