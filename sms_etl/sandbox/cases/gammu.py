"""What the sentitems table of Gammu SMSD tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="gammu",
    settings=lambda _accounts: {
        "url": "sqlite:///gateway.sqlite",
        "time_zone": "Europe/Kyiv",
        "batch_rows": 5,
    },
    secrets=lambda _accounts: {},
    tells=("recipient", "created_at"),
    reads_as={"invalid_number": "failed", "opted_out": "failed", "cancelled": "failed"},
)
