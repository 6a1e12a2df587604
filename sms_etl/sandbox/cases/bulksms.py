"""What bulksms tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.bulksms_api import ACCOUNT
from sms_etl.sandbox.case import Case

CASE = Case(
    kind="bulksms",
    settings=lambda _accounts: {"token_id": ACCOUNT, "token_secret": "BULKSMS_SECRET"},
    secrets=lambda accounts: {"BULKSMS_SECRET": accounts.secret_of("bulksms")},
    tells=("recipient", "sender", "campaign", "created_at", "parts_billed"),
    reads_as={"landline": "rejected"},
)
