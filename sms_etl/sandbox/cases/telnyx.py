"""What telnyx tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="telnyx",
    settings=lambda _accounts: {"api_key": "TELNYX_KEY"},
    secrets=lambda accounts: {"TELNYX_KEY": accounts.secret_of("telnyx")},
    tells=(
        "recipient",
        "sender",
        "channel",
        "operator",
        "created_at",
        "sent_at",
        "done_at",
        "parts_billed",
        "cost_micro",
        "currency",
    ),
    finals_only=True,
    reads_twice="records that appear while paging by number push others to later pages",
)
