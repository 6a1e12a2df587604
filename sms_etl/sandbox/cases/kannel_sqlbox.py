"""What the table of Kannel's sqlbox tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="kannel_sqlbox",
    settings=lambda _accounts: {
        "url": "sqlite:///gateway.sqlite",
        "provider": "kannel_map",
        "batch_rows": 5,
    },
    secrets=lambda _accounts: {},
    tells=("recipient", "sender", "created_at", "sent_at", "done_at"),
    reads_twice="a message and each of its receipts are rows of their own",
    cannot={
        "a_record_with_every_optional_field_null_is_still_a_row": "a row always says whether it "
        "is a message or a receipt, and that is its status",
    },
)
