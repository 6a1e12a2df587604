"""Turns of subscriptions, readers who unsubscribed, and what the owner was told of mails."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "report_turns",
        sa.Column("subscription", sa.String, primary_key=True),
        sa.Column("due_at", MOMENT, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sa.Column("edition_id", sa.String, sa.ForeignKey("editions.id")),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("attempted_at", MOMENT),
        sa.Column("owner_told_at", MOMENT),
        sa.Column("closed_at", MOMENT),
    )
    op.create_table(
        "unsubscribed",
        sa.Column("subscription", sa.String, primary_key=True),
        sa.Column("reader", sa.String, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.add_column("mail_ledger", sa.Column("owner_told_at", MOMENT))


def downgrade() -> None:
    """Take this step back."""
    with op.batch_alter_table("mail_ledger") as table:
        table.drop_column("owner_told_at")
    op.drop_table("unsubscribed")
    op.drop_table("report_turns")
