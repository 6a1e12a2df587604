"""What the table of TurboSMS's SQL gateway tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="turbosms_sql",
    settings=lambda _accounts: {
        "url": "sqlite:///gateway.sqlite",
        "table": "promin",
        "batch_rows": 5,
    },
    secrets=lambda _accounts: {},
    tells=("recipient", "sender", "created_at", "sent_at", "done_at"),
)
