"""Backfills: what was ordered, and how far each chunk came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "backfills",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column(
            "places", sa.String, nullable=False, comment="Sources, their streams and the outbox"
        ),
        sa.Column("pull", sa.Boolean, nullable=False, comment="False: from landing alone"),
        sa.Column(
            "recipe", sa.String(64), nullable=False, comment="Digest of what decides the result"
        ),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, comment="Null while a chunk is not done"),
    )
    op.create_table(
        "backfill_chunks",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("backfill_id", sa.BigInteger, sa.ForeignKey("backfills.id"), nullable=False),
        sa.Column("place", sa.String, nullable=False, comment="Source, source.stream or outbox"),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("error", sa.String),
        sa.Column("records", sa.BigInteger, nullable=False, comment="Records pulled"),
        sa.Column("rows", sa.BigInteger, nullable=False, comment="Messages, or events, rebuilt"),
        sa.Column("restated", sa.BigInteger, nullable=False, comment="Figures that are others now"),
        sa.Column("closed_at", MOMENT),
    )
    op.create_index("backfill_chunks_backfill", "backfill_chunks", ["backfill_id"])


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("backfill_chunks")
    op.drop_table("backfills")
