"""What the delivery logs of Amazon SNS tell of the simulated world, and what they cannot."""

from sms_etl.sandbox.aws_logs import ACCESS_KEY_ID, REGION
from sms_etl.sandbox.aws_sns_api import FAILURE_GROUP, SUCCESS_GROUP
from sms_etl.sandbox.case import Case

CASE = Case(
    kind="aws_sns",
    settings=lambda _accounts: {
        "region": REGION,
        "access_key_id": "AWS_KEY_ID",
        "secret_access_key": "AWS_SECRET",
        "log_groups": [SUCCESS_GROUP, FAILURE_GROUP],
    },
    secrets=lambda accounts: {
        "AWS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET": accounts.secret_of("aws_sns"),
    },
    tells=(
        "recipient", "operator", "created_at", "done_at", "parts_billed", "cost_micro", "currency",
    ),
    reads_as={
        "invalid_number": "failed",
        "opted_out": "failed",
        "cancelled": "failed",
        "final_unknown": "failed",
    },
    finals_only=True,
)  # fmt: skip
