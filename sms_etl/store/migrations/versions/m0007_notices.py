"""Notices: one per problem, and one when it is over; heartbeats."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("problem", sa.String, nullable=False, comment="What identifies the problem"),
        sa.Column("owner", sa.String, comment="Address; empty for the owner of [mail]"),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False, comment="When it was seen last"),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("told_at", MOMENT, comment="When the owner was told; null until then"),
        sa.Column("closed_at", MOMENT),
        sa.Column("end_told_at", MOMENT, comment="When the owner was told that it is over"),
    )
    op.create_index("notices_problem", "notices", ["problem", "closed_at"])
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
    )


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("heartbeats")
    op.drop_table("notices")
