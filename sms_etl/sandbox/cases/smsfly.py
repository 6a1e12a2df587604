"""What smsfly tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="smsfly",
    settings=lambda _accounts: {"key": "SMSFLY_KEY"},
    secrets=lambda accounts: {"SMSFLY_KEY": accounts.secret_of("smsfly")},
    tells=("channel", "cost_micro", "currency"),
    cannot={
        "a_record_that_comes_twice_is_two_rows_of_one_message": "an answer is one message",
    },
)
