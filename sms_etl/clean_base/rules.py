"""Rules of the suppression list, as data.

What is in no rule never suppresses: absent subscribers (they come back), filtered texts and
blocked senders (never the number's fault), unknown ends.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from sms_etl.errors import ConfigError
from sms_etl.model.vocabulary import Mender, Reason

RULES_FILE = "suppression_rules.csv"


class Evidence(StrEnum):
    """What a rule looks at."""

    RECEIPT = "receipt"
    OPT_OUT = "opt_out"


class Lifter(StrEnum):
    """Who may lift a suppression before it ends."""

    LIST_OWNER = "list_owner"
    PERSON = "person"


@dataclass(frozen=True)
class Rule:
    """One rule: permanent failures of `reasons`, `in_a_row` of them within `within_days`.

    `menders` narrows the failures to those that these can mend; empty: all. `expires_days` is
    null for what never ends by itself. `ended_by_delivery`: a message that arrives later proves
    it wrong. `source` says where the rule comes from.
    """

    name: str
    version: int
    evidence: Evidence
    reasons: tuple[Reason, ...]
    menders: tuple[Mender, ...]
    in_a_row: int
    within_days: int | None
    expires_days: int | None
    ended_by_delivery: bool
    lifted_by: Lifter
    source: str


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, in the order in which a person's main one is chosen from the end."""
    text = (files("sms_etl.clean_base") / "data" / RULES_FILE).read_text(encoding="utf-8")
    return tuple(_rule(row) for row in csv.DictReader(text.splitlines()))


@cache
def rule(name: str) -> Rule:
    """One rule.

    Raises:
        ConfigError: there is no such rule.
    """
    for one in rules():
        if one.name == name:
            return one
    known = ", ".join(one.name for one in rules())
    raise ConfigError(f"There is no suppression rule {name!r}; there are: {known}")


@cache
def lookback_days() -> int:
    """How many days before a message its rules look at."""
    return max(one.within_days or 0 for one in rules())


def _rule(row: dict[str, str]) -> Rule:
    return Rule(
        name=row["rule"],
        version=int(row["version"]),
        evidence=Evidence(row["evidence"]),
        reasons=tuple(Reason(word) for word in row["reasons"].split(";")),
        menders=tuple(Mender(word) for word in row["menders"].split(";") if word),
        in_a_row=int(row["in_a_row"]),
        within_days=int(row["within_days"]) if row["within_days"] else None,
        expires_days=int(row["expires_days"]) if row["expires_days"] else None,
        ended_by_delivery=row["ended_by_delivery"] == "yes",
        lifted_by=Lifter(row["lifted_by"]),
        source=row["source"],
    )
