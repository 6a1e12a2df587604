"""What mobizon tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="mobizon",
    settings=lambda _accounts: {"api_key": "MOBIZON_KEY", "currency": "USD"},
    secrets=lambda accounts: {"MOBIZON_KEY": accounts.secret_of("mobizon")},
    tells=("recipient", "sender", "operator", "sent_at", "parts_billed", "cost_micro", "currency"),
    reads_as={"spam_filter": "rejected", "cancelled": "failed"},
    cannot={"an_unknown_code_is_loud_and_guesses_nothing": "Mobizon gives no codes"},
)
