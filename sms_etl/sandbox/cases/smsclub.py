"""What smsclub tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="smsclub",
    settings=lambda _accounts: {"token": "SMSCLUB_TOKEN", "batch_size": 5},
    secrets=lambda accounts: {"SMSCLUB_TOKEN": accounts.secret_of("smsclub")},
    tells=("channel",),
    reads_as={"spam_filter": "rejected"},
    cannot={
        "an_unknown_code_is_loud_and_guesses_nothing": "SMS Club gives no codes",
        "a_record_that_comes_twice_is_two_rows_of_one_message": "the answer is a table of "
        "identifiers, which cannot hold one twice",
    },
)
