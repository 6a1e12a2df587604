"""Settings of invoices and reconciliation: each mistake names the file, the key and what to do."""

from decimal import Decimal

import pytest

from sms_etl.config import load_settings
from sms_etl.errors import ConfigError
from sms_etl.project import Project

PROJECT = """
[project]
name = "Крамниця"
first_day = 2026-08-01
"""
GATEWAY = """
[sources.gateway]
kind = "sql"
url = "sqlite:///gateway.sqlite"
table = "sms_log"
time_zone = "UTC"
columns = { message_id = "id", recipient = "phone", status = "word", created_at = "submitted_at" }
"""
BY_ID = """
[sources.turbosms]
kind = "turbosms"
token = "TURBOSMS_TOKEN"
"""
OUTBOX = """
[outbox]
kind = "csv"
path = "outbox.csv"
time_zone = "UTC"
columns = { message_id = "id", submitted_at = "at" }
"""
INVOICES = """
[invoices.gateway]
folder = "invoices"
time_zone = "UTC"
columns = { day = "date", messages = "n" }
"""


def project_of(tmp_path, *blocks):
    path = tmp_path / "sms_etl.toml"
    path.write_text("\n".join([PROJECT, *blocks]), "utf-8")
    return Project(load_settings(path))


@pytest.mark.parametrize(
    ("blocks", "outbox_sources", "reconciled"),
    [
        ((GATEWAY, BY_ID), [], []),
        ((GATEWAY, BY_ID, OUTBOX), ["turbosms"], ["turbosms"]),
        ((GATEWAY, BY_ID, OUTBOX, INVOICES), ["turbosms"], ["gateway", "turbosms"]),
        ((GATEWAY, BY_ID, INVOICES), [], ["gateway"]),
        (
            (GATEWAY, BY_ID, OUTBOX, '[reconciliation]\noutbox_sources = ["gateway"]'),
            ["gateway"],
            ["gateway"],
        ),
    ],
)
def test_what_is_held_against_what(tmp_path, blocks, outbox_sources, reconciled):
    project = project_of(tmp_path, *blocks)
    assert project.outbox_sources == outbox_sources
    assert project.reconciled == reconciled


@pytest.mark.parametrize(
    ("blocks", "complaint"),
    [
        ((BY_ID, INVOICES), "name no source: gateway"),
        ((GATEWAY, '[reconciliation]\noutbox_sources = ["gateway"]'), "needs an outbox"),
        ((GATEWAY, "[reconciliation]\nprice_tolerance = -1"), "price_tolerance"),
        ((GATEWAY, INVOICES.replace("day =", "date =")), r"invoices\.gateway\.columns"),
        ((GATEWAY, INVOICES.replace("folder =", "floder =")), "did you mean 'folder'"),
    ],
)
def test_a_mistake_is_named(tmp_path, blocks, complaint):
    with pytest.raises(ConfigError, match=complaint):
        project_of(tmp_path, *blocks)


def test_the_tolerance_is_counted_in_millionths(tmp_path):
    project = project_of(tmp_path, GATEWAY, "[reconciliation]\nprice_tolerance = 0.01")
    settings = project.settings.reconciliation
    assert settings.price_tolerance == Decimal("0.01")
    assert settings.tolerance_micro == 10_000
