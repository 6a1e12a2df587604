"""What messagebird tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="messagebird",
    settings=lambda _accounts: {"access_key": "MESSAGEBIRD_KEY", "page_size": 3},
    secrets=lambda accounts: {"MESSAGEBIRD_KEY": accounts.secret_of("messagebird")},
    tells=(
        "recipient",
        "sender",
        "campaign",
        "operator",
        "created_at",
        "done_at",
        "parts_billed",
        "cost_micro",
    ),
    reads_twice="the list is newest first by offset: rows that arrive push others to later pages",
    reads_as={"invalid_number": "failed", "opted_out": "failed", "cancelled": "failed"},
)
