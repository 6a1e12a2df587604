"""What a reason says on its own: the cube keeps the reason of a message, not who can mend it."""

from __future__ import annotations

from functools import cache

from sms_etl.dictionaries import reasons
from sms_etl.model.vocabulary import Mender, Reason

DEAD_REASONS = frozenset({Reason.INVALID_NUMBER, Reason.NOT_MOBILE})
"""Reasons that say, where they are for good, that no SMS can ever reach the number.

People who block or opt out have numbers that work: they are told apart.
"""

BLOCKING_REASONS = frozenset(
    {
        Reason.SPAM_FILTERED,
        Reason.CARRIER_BLOCKED,
        Reason.UNREGISTERED_SENDER,
        Reason.SENDER_NOT_ALLOWED,
    }
)
"""Reasons by which a network keeps a sender out."""


@cache
def menders() -> dict[str, Mender]:
    """Who can mend each reason, from the dictionary."""
    return {name: Mender(who) for name, who in reasons().select("reason", "mender").iter_rows()}


def mender_of(reason: str) -> Mender:
    """Mender of a reason word; nobody for a word that is not a Reason."""
    return menders().get(reason, Mender.NOBODY)


def list_reasons() -> frozenset[str]:
    """Reasons that cleaning the recipient list mends."""
    return frozenset(name for name, who in menders().items() if who is Mender.LIST)
