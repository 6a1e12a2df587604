"""What the table of playSMS tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="playsms",
    settings=lambda _accounts: {"url": "sqlite:///gateway.sqlite", "batch_rows": 5},
    secrets=lambda _accounts: {},
    tells=("recipient", "sender", "created_at"),
    reads_as={"invalid_number": "failed", "opted_out": "failed", "cancelled": "failed"},
    cannot={"an_unknown_code_is_loud_and_guesses_nothing": "playSMS gives no codes"},
)
