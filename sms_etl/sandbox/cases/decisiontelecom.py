"""What decisiontelecom tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="decisiontelecom",
    settings=lambda _accounts: {"access_key": "DECISION_KEY"},
    secrets=lambda accounts: {"DECISION_KEY": accounts.secret_of("decisiontelecom")},
    tells=("channel",),
    reads_as={"spam_filter": "rejected", "cancelled": "failed"},
    cannot={
        "a_record_that_comes_twice_is_two_rows_of_one_message": "an answer is one message",
    },
)
