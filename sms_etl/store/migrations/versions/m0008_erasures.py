"""Erasures: who asked for whose, why, and how far it came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "erasures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.Column("person", sa.String, nullable=False, comment="Pseudonym"),
        sa.Column("outcome", sa.String, nullable=False, comment="asked, done or incomplete"),
    )


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("erasures")
