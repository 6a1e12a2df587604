"""Lifts of suppressions, and who asked for the number behind a pseudonym: both append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NUMBERED = sa.BigInteger().with_variant(sa.Integer, "sqlite")
APPEND_ONLY = ("suppression_lifts", "reveals")


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "suppression_lifts",
        sa.Column("id", NUMBERED, primary_key=True),
        sa.Column("recipient", sa.String, nullable=False, comment="Pseudonym"),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("lifted_at", MOMENT, nullable=False),
        sa.Column("lifted_by", sa.String, nullable=False, comment="list_owner or person"),
        sa.Column("who", sa.String, nullable=False, comment="Who recorded it"),
        sa.Column("why", sa.String, nullable=False),
    )
    op.create_table(
        "reveals",
        sa.Column("id", NUMBERED, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.Column("recipient", sa.String, nullable=False, comment="Pseudonym"),
        sa.Column("outcome", sa.String, nullable=False, comment="asked, shown or not_found"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION sms_etl_append_only() RETURNS trigger "
            "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
    for table in APPEND_ONLY:
        for deed in ("UPDATE", "DELETE"):
            op.execute(_trigger(table, deed))


def _trigger(table: str, deed: str) -> str:
    name = f"{table}_no_{deed.lower()}"
    if op.get_bind().dialect.name == "postgresql":
        return (
            f"CREATE TRIGGER {name} BEFORE {deed} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION sms_etl_append_only()"
        )
    return (
        f"CREATE TRIGGER {name} BEFORE {deed} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def downgrade() -> None:
    """Take this step back."""
    for table in APPEND_ONLY:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION sms_etl_append_only()")
