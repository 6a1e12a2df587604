"""What unisender tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="unisender",
    settings=lambda _accounts: {"api_key": "UNISENDER_KEY"},
    secrets=lambda accounts: {"UNISENDER_KEY": accounts.secret_of("unisender")},
    tells=("channel",),
    cannot={
        "a_record_that_comes_twice_is_two_rows_of_one_message": "an answer is one message",
    },
)
