"""What the events of AWS End User Messaging tell of the simulated world, and what they cannot."""

from sms_etl.sandbox.aws_eum_api import GROUP
from sms_etl.sandbox.aws_logs import ACCESS_KEY_ID, REGION
from sms_etl.sandbox.case import Case

CASE = Case(
    kind="aws_eum",
    settings=lambda _accounts: {
        "region": REGION,
        "access_key_id": "AWS_KEY_ID",
        "secret_access_key": "AWS_SECRET",
        "log_groups": [GROUP],
        "campaign_key": "campaign",
    },
    secrets=lambda accounts: {
        "AWS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET": accounts.secret_of("aws_eum"),
    },
    tells=(
        "recipient", "sender", "campaign", "created_at", "done_at", "parts_billed", "cost_micro",
        "currency",
    ),
    reads_as={"spam_filter": "rejected"},
    reads_twice="a message has an event when it is queued, sent and done",
    cannot={
        "an_unknown_code_is_loud_and_guesses_nothing": "events have no codes",
        "a_record_that_comes_twice_is_two_rows_of_one_message": "events of one message differ",
    },
)  # fmt: skip
