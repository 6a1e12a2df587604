"""Canonical tables of the clean base: grounds to write to somebody no more."""

from __future__ import annotations

import polars as pl

from sms_etl.model.schemas import UTC_TIME, Column, Table

SUPPRESSIONS = Table(
    "suppressions",
    "Grounds to write to a person no more: one row per person, rule and day on which it was met",
    (
        Column(
            "day",
            pl.Date,
            "Business day of the message or reply that met the rule, or of the list that told it",
            nullable=False,
        ),
        Column("source", pl.String, "Configured source that told it", nullable=False),
        Column("recipient", pl.String, "Pseudonym of the person", nullable=False),
        Column("key_id", pl.String, "Which pseudonym key was used"),
        Column("rule", pl.String, "Rule of clean_base.rules", nullable=False),
        Column("rule_version", pl.Int32, "Its version", nullable=False),
        Column("reason", pl.String, "Reason", nullable=False),
        Column("since", UTC_TIME, "From when on: when it became known", nullable=False),
        Column("expires_at", UTC_TIME, "When it ends by itself; null: never"),
        Column("lifted_by", pl.String, "Who may lift it before: list_owner, person"),
        Column(
            "evidence",
            pl.List(pl.String),
            "Messages, replies or list entries behind it, as source:identifier",
            nullable=False,
        ),
    ),
)
