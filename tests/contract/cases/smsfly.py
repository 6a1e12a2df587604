from tests.contract.case import Case

CASE = Case(
    kind="smsfly",
    settings=lambda _accounts: {"key": "SMSFLY_KEY"},
    secrets=lambda accounts: {"SMSFLY_KEY": accounts.secret_of("smsfly")},
    tells=("channel", "cost_micro", "currency"),
    cannot={
        "a_record_that_comes_twice_is_two_rows_of_one_message": "an answer is one message",
    },
)
