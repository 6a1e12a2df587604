"""What bird tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="bird",
    settings=lambda _accounts: {"api_key": "BIRD_KEY", "page_size": 3},
    secrets=lambda accounts: {"BIRD_KEY": accounts.secret_of("bird")},
    tells=(
        "recipient",
        "sender",
        "campaign",
        "created_at",
        "sent_at",
        "done_at",
        "parts_billed",
        "cost_micro",
    ),
)
