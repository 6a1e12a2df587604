"""What sinch tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case
from sms_etl.sandbox.sinch_api import SERVICE_PLAN

CASE = Case(
    kind="sinch",
    settings=lambda _accounts: {"service_plan_id": SERVICE_PLAN, "api_token": "SINCH_TOKEN"},
    secrets=lambda accounts: {"SINCH_TOKEN": accounts.secret_of("sinch")},
    tells=("recipient", "sender", "campaign", "created_at", "done_at"),
    reads_twice="a message is a recipient of its batch and a report of its own",
    reads_as={"opted_out": "failed"},
)
