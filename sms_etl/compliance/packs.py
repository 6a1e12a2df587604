"""Rule packs: what a law or the house forbids, as data with sources and dates."""

from __future__ import annotations

import tomllib
from datetime import date, time, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sms_etl.model.compliance import BreachKind


class Pack(StrEnum):
    """The packs there are."""

    UKRAINE = "ua"
    EUROPEAN_UNION = "eu"
    UNITED_STATES = "us"


HOUSE = "house"
"""Pack of the rules that the settings themselves set."""

Hours = Annotated[int, Field(ge=0)]


class PackRule(BaseModel):
    """One rule for marketing messages; what it needs depends on its kind.

    `grace_hours` or `grace_business_days` (Monday to Friday): how long messages may go on after a
    refusal. `quiet_from`, `quiet_to`: local times of the person between which nothing is sent.
    `most` in any `days`; `without_consent`: only messages without a consent count. `source` is the
    law, `seen` where it was read, `reading` what we make of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: BreachKind
    grace_hours: Hours | None = None
    grace_business_days: Hours | None = None
    quiet_from: time | None = None
    quiet_to: time | None = None
    most: Hours | None = None
    days: Annotated[int, Field(ge=1)] | None = None
    without_consent: bool = False
    source: str
    source_uk: str = ""
    seen: str = ""
    reading: str = ""
    reading_uk: str = ""
    version: int = 1
    read_on: date | None = None
    countries: tuple[str, ...] = ()
    """Countries of the numbers it is about; empty: all."""

    @property
    def lookback(self) -> timedelta:
        """How far before a message it looks at other messages."""
        return timedelta(days=self.days or 0)


@cache
def pack_rules(pack: Pack) -> tuple[PackRule, ...]:
    """The rules of a pack, each with the version, date and countries of the pack."""
    text = (files("sms_etl.compliance") / "packs" / f"{pack.value}.toml").read_text("utf-8")
    told = tomllib.loads(text)
    shared = {name: told[name] for name in ("version", "read_on", "countries")}
    return tuple(PackRule(**rule, **shared) for rule in told["rules"])
