"""Upkeep of every table of a deployment."""

from __future__ import annotations

from datetime import timedelta

from sms_etl.housekeeping.layers import ALL_TABLES
from sms_etl.project import Project
from sms_etl.store.upkeep import Kept


def keep_up_tables(project: Project) -> list[Kept]:
    """Join small files of every table there is, and remove versions that are too old."""
    old = timedelta(days=project.settings.retention.old_versions_days)
    found = (project.lake.keep_up(table, old) for table in ALL_TABLES)
    return [kept for kept in found if kept is not None]
