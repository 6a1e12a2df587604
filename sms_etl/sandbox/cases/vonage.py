"""What vonage tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case
from sms_etl.sandbox.vonage_api import ACCOUNT

CASE = Case(
    kind="vonage",
    settings=lambda _accounts: {"api_key": ACCOUNT, "api_secret": "VONAGE_SECRET"},
    secrets=lambda accounts: {"VONAGE_SECRET": accounts.secret_of("vonage")},
    tells=("recipient", "sender", "campaign", "created_at", "done_at", "cost_micro", "currency"),
    reads_as={"cancelled": "failed"},
)
