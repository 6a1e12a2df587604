"""Figures of editions as rows, for whoever queries the warehouse."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "edition_figures",
        sa.Column("edition_id", sa.String, sa.ForeignKey("editions.id"), primary_key=True),
        sa.Column("dimension", sa.String, primary_key=True, comment="Empty for the whole report"),
        sa.Column("key", sa.String, primary_key=True, comment="Empty for the whole report"),
        sa.Column("figure", sa.String, primary_key=True),
        sa.Column("value", sa.Float, comment="Null where the figure is not known"),
        sa.Column("numerator", sa.BigInteger),
        sa.Column("denominator", sa.BigInteger),
        sa.Column("denominator_name", sa.String),
        sa.Column("low", sa.Float),
        sa.Column("high", sa.Float),
        sa.Column("interval_low", sa.Float),
        sa.Column("interval_high", sa.Float),
        sa.Column("coverage", sa.Float),
        sa.Column("mature", sa.Boolean),
    )


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("edition_figures")
