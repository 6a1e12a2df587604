"""What clicksend tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case
from sms_etl.sandbox.clicksend_api import USERNAME

CASE = Case(
    kind="clicksend",
    settings=lambda _accounts: {
        "username": USERNAME,
        "api_key": "CLICKSEND_KEY",
        "currency": "USD",
    },
    secrets=lambda accounts: {"CLICKSEND_KEY": accounts.secret_of("clicksend")},
    tells=(
        "recipient",
        "sender",
        "campaign",
        "operator",
        "created_at",
        "parts_billed",
        "cost_micro",
        "currency",
    ),
    reads_as={"invalid_number": "failed"},
)
