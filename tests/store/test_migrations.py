"""Every step of the warehouse's migrations, up and down, with rows in every table."""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, BigInteger, Boolean, Date, DateTime, Float, Integer, String

from sms_etl.store.tables import METADATA
from sms_etl.store.warehouse import MIGRATIONS, Warehouse
from tests.store.postgres import PostgresServer

VALUES = {
    Boolean: True,
    Date: date(2026, 10, 5),
    DateTime: datetime(2026, 10, 5, 6, 7, 8, tzinfo=UTC),
    Float: 0.25,
    Integer: 7,
    BigInteger: 9_000_000_000_000,
    JSON: {"country": ["UA"]},
    String: "Осінь",
}
ALLOWED = {("mail_ledger", "state"): "sent"}
"""What a constraint allows."""


def config_for(connection):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def revisions():
    """Every revision, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def value_for(table, column):
    if (table.name, column.name) in ALLOWED:
        return ALLOWED[table.name, column.name]
    for kind, value in VALUES.items():
        if isinstance(column.type, kind):
            if kind is DateTime and column.type.timezone is False:
                return value.replace(tzinfo=None)
            return value
    raise AssertionError(f"a value for {table.name}.{column.name} of {column.type!r} is wanted")


def tables_of(connection):
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def fill_new(connection, filled):
    """A row, with every column, in each table that has none; tables in `filled` have one."""
    for table in tables_of(connection):
        if table.name not in filled:
            row = {column.name: value_for(table, column) for column in table.columns}
            connection.execute(table.insert(), row)
            filled.add(table.name)


def rows(connection):
    """Table -> its rows as mappings."""
    return {
        table.name: [dict(row._mapping) for row in connection.execute(sa.select(table))]
        for table in tables_of(connection)
    }


def check_kept(before, after):
    """Rows of tables that are there before and after are the same in the columns of both."""
    assert set(before) & set(after)
    for name in set(before) & set(after):
        assert len(before[name]) == len(after[name]) == 1, name
        (old,), (new,) = before[name], after[name]
        both = set(old) & set(new)
        assert {key: old[key] for key in both} == {key: new[key] for key in both}, name


def up_and_down_with_rows(url):
    warehouse = Warehouse(url)
    steps = revisions()
    filled: set[str] = set()

    def move(deed, revision):
        with warehouse.write() as connection:
            before = rows(connection)
            deed(config_for(connection), revision)
            if before:
                check_kept(before, rows(connection))

    for revision in steps:
        move(command.upgrade, revision)
        with warehouse.write() as connection:
            fill_new(connection, filled)
    assert filled == set(METADATA.tables)
    for revision in reversed(steps[:-1]):
        move(command.downgrade, revision)
    move(command.upgrade, "head")
    with warehouse.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    with warehouse.write() as connection:
        command.downgrade(config_for(connection), "base")
        assert tables_of(connection) == []
    warehouse.close()


def test_up_and_down_on_sqlite(tmp_path):
    up_and_down_with_rows(f"sqlite:///{tmp_path}/warehouse.sqlite")


@pytest.mark.servers
def test_up_and_down_on_postgresql():
    with PostgresServer() as url:
        up_and_down_with_rows(url)
