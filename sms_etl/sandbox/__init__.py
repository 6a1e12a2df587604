"""A simulated company and its providers: HTTP APIs on loopback, exports, and the known truth."""

from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.clock import Clock
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.files import outbox_at, write_files
from sms_etl.sandbox.server import Sandbox, running_sandbox, settled
from sms_etl.sandbox.truth import incidents_at, truth_at
from sms_etl.sandbox.world import World, WorldParameters, build_world

__all__ = [
    "Accounts", "Clock", "FaultSettings", "Sandbox", "World", "WorldParameters", "build_world",
    "incidents_at", "outbox_at", "running_sandbox", "settled", "truth_at", "write_files",
]  # fmt: skip
