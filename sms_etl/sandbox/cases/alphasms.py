"""What alphasms tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="alphasms",
    settings=lambda _accounts: {"key": "ALPHASMS_KEY", "batch_size": 5},
    secrets=lambda accounts: {"ALPHASMS_KEY": accounts.secret_of("alphasms")},
    tells=("channel",),
    reads_as={"spam_filter": "rejected", "cancelled": "failed"},
)
