"""What plivo tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case
from sms_etl.sandbox.plivo_api import AUTH_ID

CASE = Case(
    kind="plivo",
    settings=lambda _accounts: {"auth_id": AUTH_ID, "auth_token": "PLIVO_TOKEN"},
    secrets=lambda accounts: {"PLIVO_TOKEN": accounts.secret_of("plivo")},
    tells=("recipient", "sender", "channel", "created_at", "sent_at", "cost_micro", "currency"),
    reads_twice="the list is newest first by offset: rows that arrive push others to later pages",
)
