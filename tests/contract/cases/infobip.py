from datetime import timedelta

from tests.contract.case import Case

CASE = Case(
    kind="infobip",
    settings=lambda _accounts: {"api_key": "INFOBIP_KEY"},
    secrets=lambda accounts: {"INFOBIP_KEY": accounts.secret_of("infobip")},
    tells=("recipient", "sender", "campaign", "parts_billed", "done_at", "cost_micro", "currency"),
    reads_as={"cancelled": "failed"},
    pulled_after=timedelta(hours=1),
    remembers=timedelta(hours=48),
)
