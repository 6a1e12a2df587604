"""First tables: daily counts, campaigns, findings, editions, mail ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply this step."""
    _create_counts()
    _create_campaigns_and_findings()
    _create_editions()
    _create_mail_ledger()


def downgrade() -> None:
    """Take this step back."""
    for name in ("mail_ledger", "editions", "findings", "campaigns", "daily_counts"):
        op.drop_table(name)


def _create_counts() -> None:
    op.create_table(
        "daily_counts",
        sa.Column("day", sa.Date, nullable=False, comment="Calendar day of the business time zone"),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("campaign", sa.String, nullable=False),
        sa.Column("sender", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("country", sa.String, nullable=False),
        sa.Column("operator", sa.String, nullable=False),
        sa.Column("status_class", sa.String, nullable=False),
        sa.Column("reason", sa.String, comment="Null for delivered and pending"),
        sa.Column("currency", sa.String, comment="ISO 4217; null where no cost is known"),
        sa.Column("messages", sa.BigInteger, nullable=False),
        sa.Column("parts", sa.BigInteger, nullable=False),
        sa.Column(
            "cost_micro", sa.BigInteger, nullable=False, comment="Millionths of the currency unit"
        ),
    )
    op.create_index("daily_counts_day_source", "daily_counts", ["day", "source"])
    op.create_index("daily_counts_campaign_day", "daily_counts", ["campaign", "day"])


def _create_campaigns_and_findings() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name_uk", sa.String),
        sa.Column("name_en", sa.String),
        sa.Column("kind", sa.String),
    )
    op.create_table(
        "findings",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("scope", sa.JSON, nullable=False, comment="Dimension -> value of the slice"),
        sa.Column("start", MOMENT, nullable=False),
        sa.Column("end", MOMENT, nullable=False),
        sa.Column("messages", sa.BigInteger, nullable=False),
        sa.Column("affected", sa.BigInteger, nullable=False),
        sa.Column("excess", sa.BigInteger, nullable=False),
        sa.Column("severity", sa.Float, nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.Column("payload", sa.JSON, nullable=False, comment="The finding as in the figures"),
    )
    op.create_index("findings_start", "findings", ["start"])


def _create_editions() -> None:
    op.create_table(
        "editions",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("report", sa.String, nullable=False),
        sa.Column(
            "period", sa.String, nullable=False, comment="Empty for a report without a period"
        ),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("campaign", sa.String, nullable=False, comment="Empty for all campaigns"),
        sa.Column("audience", sa.String, nullable=False, comment="Subscription name, or all"),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column(
            "figures_sha256", sa.String(64), nullable=False, comment="Of what the figures say"
        ),
        sa.Column("figures_file_sha256", sa.String(64), nullable=False),
        sa.Column("html_sha256", sa.String(64), nullable=False),
        sa.Column("pdf_sha256", sa.String(64), nullable=False),
        sa.Column("chart_sha256", sa.String(64), nullable=False),
        sa.Column("folder", sa.String, nullable=False, comment="Below the editions folder"),
        sa.Column("data_as_of", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint(
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


def _create_mail_ledger() -> None:
    op.create_table(
        "mail_ledger",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("edition_id", sa.String, sa.ForeignKey("editions.id"), nullable=False),
        sa.Column("reader", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("message_id", sa.String, nullable=False),
        sa.Column("claimed_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.Column("server_answer", sa.String),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.UniqueConstraint("edition_id", "reader", name="mail_ledger_once"),
        sa.CheckConstraint(
            "state IN ('claimed', 'sending', 'sent', 'refused', 'failed_temporarily', 'unknown')",
            name="mail_ledger_state",
        ),
    )
