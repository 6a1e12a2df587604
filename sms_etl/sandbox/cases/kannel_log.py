"""What Kannel's access log tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="kannel_log",
    settings=lambda _accounts: {
        "folder": ".",
        "time_zone": "Europe/Kyiv",
        "identifier": "binf",
        "provider": "kannel_map",
        "page_messages": 5,
    },
    secrets=lambda _accounts: {},
    tells=("recipient", "sender", "sent_at", "done_at"),
    cannot={
        "a_record_with_every_optional_field_null_is_still_a_row": "a line always says what "
        "happened, and that is its status",
        "a_record_that_comes_twice_is_two_rows_of_one_message": "a log has every line once; of "
        "a copy only the last message has the receipts, and the two fold into one",
    },
)
