"""Which tables hold rows about people, and for how long they are kept."""

from __future__ import annotations

from sms_etl.model.attribution import ATTRIBUTION_TABLES
from sms_etl.model.clean_base import SUPPRESSIONS
from sms_etl.model.compliance import BREACHES, JUDGEMENTS
from sms_etl.model.engagement import ENGAGEMENT_TABLES
from sms_etl.model.erasure import ERASED
from sms_etl.model.schemas import (
    ASKED,
    INVOICE_TOTALS,
    LAKE_TABLES,
    MESSAGES,
    QUARANTINE,
    RECONCILIATION,
    RECONCILIATION_DAYS,
    Table,
)
from sms_etl.model.suspicions import SUSPICIONS

ALL_TABLES: tuple[Table, ...] = tuple(
    dict.fromkeys(
        (
            *LAKE_TABLES,
            ASKED,
            *ENGAGEMENT_TABLES,
            *ATTRIBUTION_TABLES,
            RECONCILIATION,
            RECONCILIATION_DAYS,
            INVOICE_TOTALS,
            SUPPRESSIONS,
            BREACHES,
            JUDGEMENTS,
            SUSPICIONS,
            ERASED,
        )
    )
)
"""Every table of the lake."""

PERSON_COLUMNS = ("recipient", "contact")
"""Columns that say who a row is about."""

TIED_COLUMNS = (*PERSON_COLUMNS, "key_id", "number_prefix")
"""Columns that go when a person is erased."""

ROW_TABLES: tuple[Table, ...] = (
    MESSAGES,
    QUARANTINE,
    RECONCILIATION,
    *ENGAGEMENT_TABLES,
    *ATTRIBUTION_TABLES,
    BREACHES,
    SUSPICIONS,
)
"""Tables with a row per message, event or record; the sums over them are kept apart."""


PERSON_TABLES: tuple[Table, ...] = tuple(
    table for table in ALL_TABLES if set(PERSON_COLUMNS) & set(table.names)
)
"""Tables whose rows say who they are about."""
