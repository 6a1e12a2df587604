"""What esputnik tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="esputnik",
    settings=lambda _accounts: {"password": "ESPUTNIK_PASSWORD", "batch_size": 5},
    secrets=lambda accounts: {"ESPUTNIK_PASSWORD": accounts.secret_of("esputnik")},
    tells=("channel",),
    reads_as={"invalid_number": "failed", "cancelled": "failed"},
    cannot={"an_unknown_code_is_loud_and_guesses_nothing": "eSputnik gives no codes"},
)
