"""What elks tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case
from sms_etl.sandbox.elks_api import USERNAME

CASE = Case(
    kind="elks",
    settings=lambda _accounts: {
        "username": USERNAME,
        "password": "ELKS_PASSWORD",
        "currency": "USD",
    },
    secrets=lambda accounts: {"ELKS_PASSWORD": accounts.secret_of("elks")},
    tells=("recipient", "sender", "created_at", "cost_micro", "currency"),
    reads_as={"opted_out": "failed", "invalid_number": "failed", "cancelled": "failed"},
    cannot={"an_unknown_code_is_loud_and_guesses_nothing": "46elks gives no codes"},
)
