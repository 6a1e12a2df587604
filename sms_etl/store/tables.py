"""The tables of the warehouse, as data. Migrations bring a database to this shape."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
)


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is taken off and put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back a UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData()

DAILY_COUNTS = Table(
    "daily_counts",
    METADATA,
    Column("day", Date, nullable=False, comment="Calendar day of the business time zone"),
    Column("source", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("campaign", String, nullable=False),
    Column("sender", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("country", String, nullable=False),
    Column("operator", String, nullable=False),
    Column("status_class", String, nullable=False),
    Column("reason", String, comment="Null for delivered and pending"),
    Column("currency", String, comment="ISO 4217; null where no cost is known"),
    Column("messages", BigInteger, nullable=False),
    Column("parts", BigInteger, nullable=False),
    Column("cost_micro", BigInteger, nullable=False, comment="Millionths of the currency unit"),
    Index("daily_counts_day_source", "day", "source"),
    Index("daily_counts_campaign_day", "campaign", "day"),
)

CAMPAIGNS = Table(
    "campaigns",
    METADATA,
    Column("id", String, primary_key=True),
    Column("name_uk", String),
    Column("name_en", String),
    Column("kind", String),
)

BUILDS = Table(
    "builds",
    METADATA,
    Column("day", Date, primary_key=True),
    Column("source", String, primary_key=True),
    Column("landing", String(64), nullable=False, comment="Digest of the pulls read"),
    Column("dictionary", String(64), nullable=False),
    Column("code", String(64), nullable=False, comment="Digest of the program's files"),
    Column("settings", String(64), nullable=False),
    Column("built_at", UtcTime, nullable=False),
)

RESTATEMENTS = Table(
    "restatements",
    METADATA,
    # SQLite numbers rows by itself only in a column declared INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("day", Date, nullable=False),
    Column("source", String, nullable=False),
    Column("figure", String, nullable=False),
    Column("currency", String, nullable=False, comment="Empty for counts"),
    Column("then", BigInteger, nullable=False),
    Column("now", BigInteger, nullable=False),
    Column("causes", JSON, nullable=False),
    Index("restatements_day", "day", "at"),
)

FINDINGS = Table(
    "findings",
    METADATA,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("scope", JSON, nullable=False, comment="Dimension -> value of the slice"),
    Column("start", UtcTime, nullable=False),
    Column("end", UtcTime, nullable=False),
    Column("messages", BigInteger, nullable=False),
    Column("affected", BigInteger, nullable=False),
    Column("excess", BigInteger, nullable=False),
    Column("severity", Float, nullable=False),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("last_seen_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Column("payload", JSON, nullable=False, comment="The finding as in the figures"),
    Index("findings_start", "start"),
)

EDITIONS = Table(
    "editions",
    METADATA,
    Column("id", String, primary_key=True),
    Column("report", String, nullable=False),
    Column("period", String, nullable=False, comment="Empty for a report without a period"),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("campaign", String, nullable=False, comment="Empty for all campaigns"),
    Column("audience", String, nullable=False, comment="Subscription name, or all"),
    Column("language", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("figures_sha256", String(64), nullable=False, comment="Of what the figures say"),
    Column("figures_file_sha256", String(64), nullable=False),
    Column("html_sha256", String(64), nullable=False),
    Column("pdf_sha256", String(64), nullable=False),
    Column("chart_sha256", String(64), nullable=False),
    Column("folder", String, nullable=False, comment="Below the editions folder"),
    Column("data_as_of", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint(
        "report",
        "period",
        "first_day",
        "last_day",
        "campaign",
        "audience",
        "language",
        "revision",
        name="editions_key",
    ),
)

EDITION_FIGURES = Table(
    "edition_figures",
    METADATA,
    Column("edition_id", String, ForeignKey("editions.id"), primary_key=True),
    Column("dimension", String, primary_key=True, comment="Empty for the whole report"),
    Column("key", String, primary_key=True, comment="Empty for the whole report"),
    Column("figure", String, primary_key=True),
    Column("value", Float, comment="Null where the figure is not known"),
    Column("numerator", BigInteger),
    Column("denominator", BigInteger),
    Column("denominator_name", String),
    Column("low", Float),
    Column("high", Float),
    Column("interval_low", Float),
    Column("interval_high", Float),
    Column("coverage", Float),
    Column("mature", Boolean),
)

EDITION_FILES = Table(
    "edition_files",
    METADATA,
    Column("edition_id", String, ForeignKey("editions.id"), primary_key=True),
    Column("name", String, primary_key=True, comment="In the folder of the edition"),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
"""What an edition keeps besides the four files whose hashes stand in its row."""

SENT_STATE = "sent"
MAIL_STATES = ("claimed", "sending", SENT_STATE, "refused", "failed_temporarily", "unknown")
"""States of a row of the mail ledger; their meaning is in sms_etl.mail.ledger."""

MAIL_LEDGER = Table(
    "mail_ledger",
    METADATA,
    # SQLite numbers rows by itself only in a column declared INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("edition_id", String, ForeignKey("editions.id"), nullable=False),
    Column("reader", String, nullable=False),
    Column("state", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("claimed_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Column("server_answer", String),
    Column("attempts", Integer, nullable=False),
    Column("owner_told_at", UtcTime),
    UniqueConstraint("edition_id", "reader", name="mail_ledger_once"),
    CheckConstraint(
        f"state IN ({', '.join(repr(state) for state in MAIL_STATES)})", name="mail_ledger_state"
    ),
)

REPORT_TURNS = Table(
    "report_turns",
    METADATA,
    Column("subscription", String, primary_key=True),
    Column("due_at", UtcTime, primary_key=True),
    Column("state", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("edition_id", String, ForeignKey("editions.id")),
    Column("attempts", Integer, nullable=False),
    Column("attempted_at", UtcTime),
    Column("owner_told_at", UtcTime),
    Column("closed_at", UtcTime),
)

UNSUBSCRIBED = Table(
    "unsubscribed",
    METADATA,
    Column("subscription", String, primary_key=True),
    Column("reader", String, primary_key=True),
    Column("at", UtcTime, nullable=False),
)

BACKFILLS = Table(
    "backfills",
    METADATA,
    # SQLite numbers rows by itself only in a column declared INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("places", String, nullable=False, comment="Sources, their streams and the outbox"),
    Column("pull", Boolean, nullable=False, comment="False: from landing alone"),
    Column("recipe", String(64), nullable=False, comment="Digest of what decides the result"),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime, comment="Null while a chunk is not done"),
)

BACKFILL_CHUNKS = Table(
    "backfill_chunks",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("backfill_id", BigInteger, ForeignKey("backfills.id"), nullable=False),
    Column("place", String, nullable=False, comment="Source, source.stream or outbox"),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("state", String, nullable=False),
    Column("error", String),
    Column("records", BigInteger, nullable=False, comment="Records pulled"),
    Column("rows", BigInteger, nullable=False, comment="Messages, or events, rebuilt"),
    Column("restated", BigInteger, nullable=False, comment="Figures that are others now"),
    Column("closed_at", UtcTime),
    Index("backfill_chunks_backfill", "backfill_id"),
)

SUPPRESSION_LIFTS = Table(
    "suppression_lifts",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("recipient", String, nullable=False, comment="Pseudonym"),
    Column("rule", String, nullable=False),
    Column("lifted_at", UtcTime, nullable=False),
    Column("lifted_by", String, nullable=False, comment="list_owner or person"),
    Column("who", String, nullable=False, comment="Who recorded it"),
    Column("why", String, nullable=False),
)
"""Append-only: the migration adds triggers that refuse every change."""

REVEALS = Table(
    "reveals",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("who", String, nullable=False),
    Column("why", String, nullable=False),
    Column("recipient", String, nullable=False, comment="Pseudonym"),
    Column("outcome", String, nullable=False, comment="asked, shown or not_found"),
)
"""Append-only: the migration adds triggers that refuse every change."""

NOTICES = Table(
    "notices",
    METADATA,
    # SQLite numbers rows by itself only in a column declared INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("problem", String, nullable=False, comment="What identifies the problem"),
    Column("owner", String, comment="Address; empty for the owner of [mail]"),
    Column("subject", String, nullable=False),
    Column("body", String, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False, comment="When it was seen last"),
    Column("times", Integer, nullable=False),
    Column("told_at", UtcTime, comment="When the owner was told; null until then"),
    Column("closed_at", UtcTime),
    Column("end_told_at", UtcTime, comment="When the owner was told that it is over"),
    Index("notices_problem", "problem", "closed_at"),
)

HEARTBEATS = Table(
    "heartbeats",
    METADATA,
    Column("name", String, primary_key=True),
    Column("at", UtcTime, nullable=False),
)

ERASURES = Table(
    "erasures",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("who", String, nullable=False),
    Column("why", String, nullable=False),
    Column("person", String, nullable=False, comment="Pseudonym"),
    Column("outcome", String, nullable=False, comment="asked, done or incomplete"),
)
