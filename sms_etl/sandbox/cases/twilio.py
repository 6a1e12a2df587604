"""What twilio tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="twilio",
    settings=lambda accounts: {
        "account_sid": accounts.twilio_sid,
        "auth_token": "TWILIO_TOKEN",
        "unsent_lookback_days": 60,
    },
    secrets=lambda accounts: {"TWILIO_TOKEN": accounts.twilio_auth},
    tells=("recipient", "created_at", "sent_at", "cost_micro", "currency"),
    reads_twice="messages of recent days are also in the sweep for those without a sent time",
)
