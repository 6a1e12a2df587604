"""Who can mend a reason, where only the reason is known: the cube does not keep the mender."""

from __future__ import annotations

from sms_etl.model.vocabulary import Mender, Reason

MENDER_OF = {
    Reason.ABSENT_SUBSCRIBER: Mender.NOBODY,
    Reason.UNREACHABLE_HANDSET: Mender.NOBODY,
    Reason.INVALID_NUMBER: Mender.LIST,
    Reason.NOT_MOBILE: Mender.LIST,
    Reason.BLOCKED_BY_RECIPIENT: Mender.LIST,
    Reason.OPTED_OUT: Mender.LIST,
    Reason.SPAM_FILTERED: Mender.SENDER,
    Reason.CARRIER_BLOCKED: Mender.PROVIDER,
    Reason.UNREGISTERED_SENDER: Mender.SENDER,
    Reason.SENDER_NOT_ALLOWED: Mender.SENDER,
    Reason.EXPIRED: Mender.NOBODY,
    Reason.NO_RECEIPT: Mender.PROVIDER,
    Reason.NETWORK_ERROR: Mender.OPERATOR,
    Reason.NO_ROUTE: Mender.PROVIDER,
    Reason.PROVIDER_ERROR: Mender.PROVIDER,
    Reason.RATE_LIMITED: Mender.SENDER,
    Reason.INSUFFICIENT_FUNDS: Mender.SENDER,
    Reason.ACCOUNT_PROBLEM: Mender.SENDER,
    Reason.GEO_PERMISSION: Mender.SENDER,
    Reason.ENCODING_OR_LENGTH: Mender.SENDER,
    Reason.FRAUD_OR_PUMPING: Mender.SENDER,
    Reason.DUPLICATE: Mender.SENDER,
    Reason.CANCELED: Mender.SENDER,
    Reason.UNKNOWN_STATUS: Mender.PROVIDER,
    Reason.UNKNOWN_CODE: Mender.PROVIDER,
    Reason.NOT_STATED: Mender.PROVIDER,
    Reason.OTHER: Mender.NOBODY,
}

LIST_REASONS = frozenset(reason for reason, mender in MENDER_OF.items() if mender is Mender.LIST)
"""Reasons that cleaning the recipient list mends."""

BLOCKING_REASONS = frozenset(
    {
        Reason.SPAM_FILTERED,
        Reason.CARRIER_BLOCKED,
        Reason.UNREGISTERED_SENDER,
        Reason.SENDER_NOT_ALLOWED,
    }
)
"""Reasons by which a network keeps a sender out."""


def mender_of(reason: str) -> str:
    """Mender of a reason word; nobody for a word that is not a Reason."""
    try:
        return MENDER_OF[Reason(reason)]
    except ValueError:
        return Mender.NOBODY
