"""Alembic environment: migrates over the connection (and transaction) it is given."""

from __future__ import annotations

from alembic import context

from sms_etl.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
