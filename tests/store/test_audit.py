from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sms_etl.errors import StoreError
from sms_etl.store.audit import (
    Lift,
    Reveal,
    RevealOutcome,
    lifts,
    record_lift,
    record_reveal,
    reveals,
)
from sms_etl.store.warehouse import Warehouse
from tests.store.postgres import PostgresServer

REFUSED = (DBAPIError, StoreError)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
LIFT = Lift("anna", "no_such_number", NOON, "list_owner", "olena", "She called: number is hers")
ASKED = Reveal(NOON, "olena", "Complaint 17", "anna", RevealOutcome.ASKED)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(f"sqlite:///{tmp_path}/warehouse.sqlite").open()


def test_lifts_and_questions_are_kept_in_order(warehouse: Warehouse) -> None:
    record_lift(warehouse, LIFT)
    record_reveal(warehouse, ASKED)
    record_reveal(warehouse, Reveal(NOON, "olena", "Complaint 17", "anna", RevealOutcome.SHOWN))

    assert lifts(warehouse) == [LIFT]
    assert [one.outcome for one in reveals(warehouse)] == ["asked", "shown"]


def refuses_change(warehouse: Warehouse) -> None:
    record_lift(warehouse, LIFT)
    record_reveal(warehouse, ASKED)
    for table in ("reveals", "suppression_lifts"):
        for deed in (f"DELETE FROM {table}", f"UPDATE {table} SET why = 'nothing'"):  # noqa: S608
            with pytest.raises(REFUSED, match="append-only"), warehouse.write() as connection:
                connection.execute(text(deed))
    assert (lifts(warehouse), reveals(warehouse)) == ([LIFT], [ASKED])


def test_neither_can_be_changed_or_deleted_by_anybody_with_sql(warehouse: Warehouse) -> None:
    refuses_change(warehouse)


@pytest.mark.servers
def test_nor_on_postgresql() -> None:
    with PostgresServer() as url:
        opened = Warehouse(url).open()
        refuses_change(opened)
        opened.close()
