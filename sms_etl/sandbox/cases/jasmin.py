"""What the table of Jasmin's logger tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="jasmin",
    settings=lambda _accounts: {
        "url": "sqlite:///gateway.sqlite",
        "time_zone": "Europe/Kyiv",
        "batch_rows": 5,
    },
    secrets=lambda _accounts: {},
    tells=("sender", "created_at", "done_at", "parts_billed"),
    cannot={"an_unknown_code_is_loud_and_guesses_nothing": "Jasmin's table has no codes"},
)
