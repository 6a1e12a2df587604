"""The rules a deployment is held against: those of its packs, and those of the house."""

from __future__ import annotations

from sms_etl.compliance.packs import HOUSE, PackRule, pack_rules
from sms_etl.config.settings import Compliance
from sms_etl.model.compliance import BreachKind

HOUSE_SOURCE = "The settings: [compliance]"
HOUSE_SOURCE_UK = "Налаштування: [compliance]"
WEEK, MONTH = 7, 30
"""Days that messages per person are counted over."""


def rules_of(settings: Compliance) -> tuple[PackRule, ...]:
    """Every rule, those of the packs first."""
    named = [rule for pack in settings.packs for rule in pack_rules(pack)]
    return (*named, *_house(settings))


def _house(settings: Compliance) -> list[PackRule]:
    found = []
    if settings.grace_hours is not None:
        found.append(
            _rule("after_opt_out", BreachKind.AFTER_OPT_OUT, grace_hours=settings.grace_hours)
        )
    if settings.quiet_from is not None:
        hours = {"quiet_from": settings.quiet_from, "quiet_to": settings.quiet_to}
        found.append(_rule("hours", BreachKind.NIGHT, **hours))
    for days, most in ((WEEK, settings.most_per_7_days), (MONTH, settings.most_per_30_days)):
        if most is not None:
            found.append(_rule(f"in_{days}_days", BreachKind.FREQUENCY, most=most, days=days))
    return found


def _rule(name: str, kind: BreachKind, **limits: object) -> PackRule:
    told = {"id": f"{HOUSE}.{name}", "kind": kind, "source": HOUSE_SOURCE, **limits}
    told["source_uk"] = HOUSE_SOURCE_UK
    return PackRule.model_validate(told)
