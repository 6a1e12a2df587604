"""Made-up credentials of the simulated accounts. They open nothing but the sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field

TWILIO_ACCOUNT_SID = "AC" + "5a" * 16
TWILIO_SERVICE_SID = "MG" + "5e" * 16


@dataclass(frozen=True)
class Accounts:
    """Credentials that the sandbox accepts."""

    twilio_sid: str = TWILIO_ACCOUNT_SID
    twilio_auth: str = field(default="sandbox-twilio", repr=False)
    turbosms_auth: str = field(default="sandbox-turbosms", repr=False)

    def secret_of(self, provider: str) -> str:
        """The secret of any other provider's account."""
        return f"sandbox-{provider}"
