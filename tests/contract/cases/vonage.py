from sms_etl.sandbox.vonage_api import ACCOUNT
from tests.contract.case import Case

CASE = Case(
    kind="vonage",
    settings=lambda _accounts: {"api_key": ACCOUNT, "api_secret": "VONAGE_SECRET"},
    secrets=lambda accounts: {"VONAGE_SECRET": accounts.secret_of("vonage")},
    tells=("recipient", "sender", "campaign", "created_at", "done_at", "cost_micro", "currency"),
    reads_as={"cancelled": "failed"},
)
