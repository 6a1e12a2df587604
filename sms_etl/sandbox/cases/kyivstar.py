"""What kyivstar tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case
from sms_etl.sandbox.kyivstar_api import CLIENT_ID

FAILURES = (
    *("expired", "outage", "dead_number", "landline", "network_error"),
    *("spam_filter", "invalid_number", "opted_out", "cancelled"),
)

CASE = Case(
    kind="kyivstar",
    settings=lambda _accounts: {
        "client_id": CLIENT_ID,
        "client_secret": "KYIVSTAR_SECRET",
        "batch_size": 5,
    },
    secrets=lambda accounts: {"KYIVSTAR_SECRET": accounts.secret_of("kyivstar")},
    tells=("channel",),
    reads_as=dict.fromkeys(FAILURES, "unknown"),
    cannot={
        "a_record_that_comes_twice_is_two_rows_of_one_message": "the answer is a table of "
        "identifiers, which cannot hold one twice",
    },
)
