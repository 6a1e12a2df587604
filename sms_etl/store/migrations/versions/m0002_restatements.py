"""Restatements: what a rebuild of a day changed, and what it was built from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "builds",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("landing", sa.String(64), nullable=False, comment="Digest of the pulls read"),
        sa.Column("dictionary", sa.String(64), nullable=False),
        sa.Column("code", sa.String(64), nullable=False, comment="Digest of the program's files"),
        sa.Column("settings", sa.String(64), nullable=False),
        sa.Column("built_at", MOMENT, nullable=False),
    )
    op.create_table(
        "restatements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("figure", sa.String, nullable=False),
        sa.Column("currency", sa.String, nullable=False, comment="Empty for counts"),
        sa.Column("then", sa.BigInteger, nullable=False),
        sa.Column("now", sa.BigInteger, nullable=False),
        sa.Column("causes", sa.JSON, nullable=False),
    )
    op.create_index("restatements_day", "restatements", ["day", "at"])


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("restatements")
    op.drop_table("builds")
