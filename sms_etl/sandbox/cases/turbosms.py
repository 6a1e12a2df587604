"""What turbosms tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="turbosms",
    settings=lambda _accounts: {"token": "TURBO_TOKEN", "batch_size": 5},
    secrets=lambda accounts: {"TURBO_TOKEN": accounts.turbosms_auth},
    tells=("recipient", "sent_at", "channel"),
)
