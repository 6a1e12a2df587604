"""What infobip tells of the simulated world, and what it cannot."""

from datetime import timedelta

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="infobip",
    settings=lambda _accounts: {"api_key": "INFOBIP_KEY"},
    secrets=lambda accounts: {"INFOBIP_KEY": accounts.secret_of("infobip")},
    tells=("recipient", "sender", "campaign", "parts_billed", "done_at", "cost_micro", "currency"),
    reads_as={"cancelled": "failed"},
    pulled_after=timedelta(hours=1),
    remembers=timedelta(hours=48),
)
