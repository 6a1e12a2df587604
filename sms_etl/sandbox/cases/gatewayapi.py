"""What gatewayapi tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="gatewayapi",
    settings=lambda _accounts: {"token": "GATEWAYAPI_TOKEN"},
    secrets=lambda accounts: {"GATEWAYAPI_TOKEN": accounts.secret_of("gatewayapi")},
    tells=("recipient", "sender", "campaign", "sent_at", "done_at"),
    reads_as={"invalid_number": "failed", "spam_filter": "rejected"},
    cannot={
        "a_record_that_comes_twice_is_two_rows_of_one_message": "an answer is one message",
    },
)
