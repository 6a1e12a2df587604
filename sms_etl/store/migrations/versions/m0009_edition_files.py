"""Files of editions beside the four of every edition, with their hashes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "edition_files",
        sa.Column("edition_id", sa.String, sa.ForeignKey("editions.id"), primary_key=True),
        sa.Column("name", sa.String, primary_key=True, comment="In the folder of the edition"),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("edition_files")
