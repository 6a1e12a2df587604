"""What smsc tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case
from sms_etl.sandbox.smsc_api import LOGIN

CASE = Case(
    kind="smsc",
    settings=lambda _accounts: {"login": LOGIN, "password": "SMSC_PASSWORD", "currency": "USD"},
    secrets=lambda accounts: {"SMSC_PASSWORD": accounts.secret_of("smsc")},
    tells=(
        "recipient",
        "sender",
        "channel",
        "operator",
        "created_at",
        "parts_billed",
        "cost_micro",
        "currency",
    ),
    reads_as={"spam_filter": "rejected"},
)
