"""What omnicell tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case
from sms_etl.sandbox.omnicell_api import LOGIN

CASE = Case(
    kind="omnicell",
    settings=lambda _accounts: {"login": LOGIN, "password": "OMNICELL_PASSWORD"},
    secrets=lambda accounts: {"OMNICELL_PASSWORD": accounts.secret_of("omnicell")},
    reads_as={"cancelled": "failed"},
    cannot={
        "what_the_provider_tells_is_read_right": "Omnicell tells the state and, of delivered "
        "messages alone, a time: see the tests of the source",
        "a_record_that_comes_twice_is_two_rows_of_one_message": "an answer is one message",
    },
)
