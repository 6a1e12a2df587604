"""What is planted in a world on purpose, so that whoever looks for it can be held to the truth.

A world with Plants is that of a tidy company: its marketing texts say how to refuse, everybody
gave a consent, nobody is written to after a refusal or too often, and some people are held out of
two campaigns by lot. On top of that comes what the knobs plant. Draws are of streams of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.sandbox.campaigns import SALE_BRAND, Way
from sms_etl.sandbox.draws import ROW, Draws

HOLDOUT_CAMPAIGNS = ("autumn-sale", "back-to-school")
CONTACT_SOURCES = (("shop", 0.40), ("website", 0.30), ("app", 0.18), ("lottery", 0.12))
"""Where the retailer's contacts come from, and their shares."""
BAD_SOURCE = "lottery"

MOST_IN_DAYS, CAP_DAYS = 6, 7
"""The house's own rule: at the most so many marketing messages to a person in so many days."""

FAKED_WAY, FAKED_OPERATOR = Way.TURBOSMS, "Kyivstar"
PUMPED_COUNTRY = "AZ"

AFTER_OPT_OUT, NIGHT, FREQUENCY = "after_opt_out", "night", "frequency"
NO_CONSENT, NO_WORDING = "no_consent", "no_opt_out_wording"
BREACH_KINDS = (AFTER_OPT_OUT, NIGHT, FREQUENCY, NO_CONSENT, NO_WORDING)
FAKED_ROUTE, PUMPED_PREFIX = "faked-route", "pumped-prefix"
PLANTED = "planted"
"""Column of messages: what was planted on them; null for most."""


@dataclass(frozen=True)
class Factor:
    """Something that many failures have in common: of the messages it hits `share` fail.

    `operator`, `sender`, `contact_source` and `hour` (local) must all hold where they are given.
    With `by_person` the same people fail every time.
    """

    id: str
    outcome: str
    share: float
    operator: str | None = None
    sender: str | None = None
    contact_source: str | None = None
    hour: int | None = None
    by_person: bool = False

    def hits(self, zone: ZoneInfo) -> pl.Expr:
        """True for the messages it may fail."""
        hour = pl.col("submitted_at").dt.convert_time_zone(zone.key).dt.hour()
        tests = [
            pl.col(name) == value
            for name in ("operator", "sender", "contact_source")
            if (value := getattr(self, name)) is not None
        ]
        tests += [hour == self.hour] if self.hour is not None else []
        return pl.all_horizontal(tests).fill_null(value=False)


FACTORS = (
    Factor("vodafone-sale-sender", "network_error", 0.30, operator="Vodafone", sender=SALE_BRAND),
    Factor("lottery-contacts", "dead_number", 0.40, contact_source=BAD_SOURCE, by_person=True),
    Factor("eight-in-the-evening", "expired", 0.25, hour=20),
)


@dataclass(frozen=True)
class Plants:
    """Knobs.

    `lift`: how many of those whom a campaign of HOLDOUT_CAMPAIGNS reached buy because of it, beyond
    what their clicks bring. `breaches`: people of each kind. `pumped_share`: of all messages.
    """

    holdout_share: float = 0.15
    lift: float = 0.10
    factors: tuple[Factor, ...] = FACTORS
    breaches: int = 6
    pumped_share: float = 0.006
    faked_route: bool = True


NOTHING = Plants(lift=0.0, factors=(), breaches=0, pumped_share=0.0, faked_route=False)
"""The tidy company without anything planted: people are held out, but campaigns bring nothing."""


@dataclass(frozen=True)
class Period:
    """The period of a world."""

    start: datetime
    end: datetime
    zone: ZoneInfo

    def at(self, position: float, hour: float = 0.0) -> datetime:
        """So many hours after local midnight of the day at a position, 0 to 1, of the period."""
        day = (self.start + position * (self.end - self.start)).astimezone(self.zone)
        midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight + timedelta(hours=hour)).astimezone(UTC)


def with_sources(draws: Draws, contacts: pl.DataFrame) -> pl.DataFrame:
    """Add `contact_source` to the contacts."""
    u = draws.uniform("plants:contact-source")
    reached, source = 1.0, pl.lit(BAD_SOURCE)
    for name, share in reversed(CONTACT_SOURCES):
        source = pl.when(u < reached).then(pl.lit(name)).otherwise(source)
        reached -= share
    return contacts.with_columns(contact_source=source)


def lot_of_person(draws: Draws, rows: pl.DataFrame, stream: str) -> pl.Series:
    """A number in [0, 1) that is the same in every row of a person (`contact_id`)."""
    number = pl.col("contact_id").str.slice(1).cast(pl.UInt64).fill_null(0).alias(ROW)
    return rows.select(number).select(draws.uniform(stream)).to_series()
