from tests.contract.case import Case

CASE = Case(
    kind="alphasms",
    settings=lambda _accounts: {"key": "ALPHASMS_KEY", "batch_size": 5},
    secrets=lambda accounts: {"ALPHASMS_KEY": accounts.secret_of("alphasms")},
    tells=("channel",),
    reads_as={"spam_filter": "rejected", "cancelled": "failed"},
)
