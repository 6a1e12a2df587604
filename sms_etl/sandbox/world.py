"""The simulated company: every message it ever sent and everything that happened to each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.sandbox import texts
from sms_etl.sandbox.campaigns import (
    BLOCK_AT,
    CAMPAIGNS,
    CATALOGUE,
    OUTAGE_AT,
    Campaign,
    Way,
    day_at,
    local_time,
    slots,
)
from sms_etl.sandbox.conduct import (
    Kept,
    ListInUse,
    after_refusals,
    before_sending,
    without_listed,
)
from sms_etl.sandbox.draws import ROW, Draws, choose_rows
from sms_etl.sandbox.engaged import REPLY_NUMBER, Engaged, engage
from sms_etl.sandbox.lifecycle import UTC_TIME, Incident, live, outage, spam_block
from sms_etl.sandbox.people import build_contacts
from sms_etl.sandbox.planting import (
    planted_messages,
    planted_people,
    with_failures,
    with_nobody_reached,
    with_refusal_sentence,
    with_refusals,
)
from sms_etl.sandbox.plants import Period, Plants, with_sources
from sms_etl.sandbox.shop import Shop, keep_shop

OUTBOX_WAYS = (Way.TWILIO, Way.TURBOSMS)
"""Ways whose messages the retailer submits itself, so knows the identifiers of."""

_DUPLICATE_SHARE = 0.002
_MINOR_WAY_SHARE, _MINOR_WAY_LEAST = 0.01, 60
_INBOUND_SHARE, _INBOUND_LEAST = 0.003, 8
_INBOUND_TEXTS = ("STOP", "СТОП", "Дякую!", "Стоп", "Коли буде замовлення?", "stop")
INBOUND_NUMBER = REPLY_NUMBER

_HEX = "hexadecimal"
UUID_PIECES = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))

_PRICE_MICRO = {
    (Way.TWILIO, "UA"): 88_500,
    (Way.TURBOSMS, "UA"): 980_000,
    (Way.CABINET, "UA"): 620_000,
    (Way.GATEWAY, "UA"): 550_000,
    (Way.TWILIO, "abroad"): 71_000,
    (Way.TURBOSMS, "abroad"): 3_400_000,
    (Way.CABINET, "abroad"): 2_900_000,
    (Way.GATEWAY, "abroad"): 2_700_000,
}
"""Invented price of one part, in millionths of the currency unit."""
PRICES = pl.DataFrame(
    [
        {
            "way": str(way), "abroad": zone == "abroad", "part_micro": micro,
            "currency": "USD" if way == Way.TWILIO else "UAH",
        }
        for (way, zone), micro in _PRICE_MICRO.items()
    ]
)  # fmt: skip


@dataclass(frozen=True)
class WorldParameters:
    """Knobs of the world. `messages` counts what the retailer submits to both HTTP providers.

    `list_in_use`: whom the outbox skips. All else is as without it: a world with a list is the
    same world, less what was not sent.
    """

    seed: int = 2026
    messages: int = 30_000
    first_day: date = date(2026, 8, 1)
    days: int = 92
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Kyiv"))
    plants: Plants | None = None
    list_in_use: ListInUse | None = None

    @property
    def period(self) -> Period:
        """The period as the plants know it."""
        return Period(self.start, self.end, self.zone)

    @property
    def start(self) -> datetime:
        """Local midnight of the first day, UTC."""
        return local_time(self.first_day, 0, self.zone)

    @property
    def end(self) -> datetime:
        """Local midnight after the last day, UTC."""
        return local_time(self.first_day + timedelta(days=self.days), 0, self.zone)


@dataclass(frozen=True)
class World:
    """A generated world.

    `messages` has one row per outbound message of all ways, ordered by submitted_at: message_id,
    way, campaign, kind, channel, sender, service, contact_id, recipient (as typed), e164,
    country, operator, number_type, opted_out_at, text, encoding, parts, part_micro, currency,
    duplicate_of, submitted_at, outcome, class, incident, sent_at, done_at, read_at, billed_at;
    in a world with plants also contact_source and planted (what was planted on it). Only such a
    world has `shop`; its contacts have contact_source and breach. It and a world with a list in
    use have `skipped` (conduct.SKIPPED_COLUMNS: what was asked for and not sent).
    """

    parameters: WorldParameters
    messages: pl.DataFrame
    contacts: pl.DataFrame
    incidents: dict[str, Incident]
    engaged: Engaged
    skipped: pl.DataFrame | None = None
    shop: Shop | None = None

    @cached_property
    def inbound(self) -> pl.DataFrame:
        """What Twilio received: message_id, e164, text, submitted_at."""
        return self.engaged.replies.filter(pl.col("way") == str(Way.TWILIO)).select(
            "e164", "text", message_id="SM" + pl.col("event_id"), submitted_at="at"
        )

    @cached_property
    def by_way(self) -> dict[Way, pl.DataFrame]:
        """The messages of each way, in the same order."""
        return {way: self.messages.filter(pl.col("way") == way) for way in Way}


def build_world(parameters: WorldParameters | None = None) -> World:
    """Generate a world; the same parameters give the same world, byte for byte."""
    p = parameters or WorldParameters()
    if p.plants is not None:
        return build_planted(p, p.plants)
    draws = Draws(p.seed)
    contacts = build_contacts(draws, max(200, p.messages // 3), p.start, p.end)
    incidents = _incidents(p)
    submitted = _submitted(p, draws, contacts)
    messages = live(draws, submitted, incidents).sort("submitted_at", ROW)
    engaged = engage(draws, messages, contacts, _unprompted(p, draws, contacts))
    listed, engaged = _listed(p, messages, engaged)
    skipped = listed.skipped if p.list_in_use else None
    return World(p, listed.sent.drop(ROW), contacts, incidents, engaged, skipped)


def build_planted(p: WorldParameters, plants: Plants) -> World:
    """The world of a tidy company, with what the plants say on top."""
    draws = Draws(p.seed)
    contacts = with_sources(draws, build_contacts(draws, max(200, p.messages // 3), p.start, p.end))
    people = planted_people(draws, plants)
    incidents = _incidents(p)
    drafts = with_refusal_sentence(_submitted(p, draws, contacts)).with_columns(
        planted=pl.lit(None, pl.String)
    )
    kept = before_sending(draws, drafts, plants.holdout_share, p.zone)
    made = _identified(draws, planted_messages(draws, plants, drafts, people, p.period))
    submitted = pl.concat([kept.sent, made.select(kept.sent.columns)])
    messages = with_failures(draws, plants, live(draws, submitted, incidents), p.period)
    messages = messages.sort("submitted_at", ROW)
    contacts = pl.concat([contacts, people], how="diagonal")
    engaged = with_refusals(
        engage(draws, with_nobody_reached(messages), contacts, _unprompted(p, draws, contacts)),
        people,
        p.period,
    )
    silent, engaged = after_refusals(messages, engaged)
    listed, engaged = _listed(p, silent.sent, engaged)
    messages = listed.sent
    skipped = pl.concat([kept.skipped, silent.skipped, listed.skipped])
    skipped = skipped.sort("submitted_at", "contact_id")
    shop = keep_shop(draws, contacts, messages, engaged, plants.lift, p.period)
    return World(p, messages.drop(ROW), contacts, incidents, engaged, skipped, shop)


def _listed(p: WorldParameters, messages: pl.DataFrame, engaged: Engaged) -> tuple[Kept, Engaged]:
    """The outbox without people on the list in use, if there is one."""
    used = p.list_in_use or ListInUse(frozenset(), p.first_day)
    return without_listed(messages, engaged, used, p.zone, OUTBOX_WAYS)


def _unprompted(p: WorldParameters, draws: Draws, contacts: pl.DataFrame) -> pl.DataFrame:
    """Texts of customers to no message in particular, as engage takes them."""
    return _inbound(p, draws, contacts).select(
        "e164",
        "text",
        event_id=pl.col("message_id").str.strip_prefix("SM"),
        way=pl.lit(str(Way.TWILIO)),
        at="submitted_at",
    )


def _incidents(p: WorldParameters) -> dict[str, Incident]:
    outage_day = day_at(p.first_day, p.days, OUTAGE_AT)
    block_day = day_at(p.first_day, p.days, BLOCK_AT)
    block_end = block_day + timedelta(days=4)
    return {
        "outage": outage(local_time(outage_day, 11, p.zone), local_time(outage_day, 15, p.zone)),
        "spam_block": spam_block(
            local_time(block_day, 0, p.zone), local_time(block_end, 0, p.zone)
        ),
    }


def _submitted(p: WorldParameters, draws: Draws, contacts: pl.DataFrame) -> pl.DataFrame:
    """Every message as submitted, duplicates included, numbered by ROW."""
    duplicates = int(p.messages * _DUPLICATE_SHARE)
    minor = max(_MINOR_WAY_LEAST, int(p.messages * _MINOR_WAY_SHARE))
    groups = [
        (OUTBOX_WAYS, p.messages - duplicates),
        ((Way.CABINET,), minor),
        ((Way.GATEWAY,), minor),
    ]
    frames, first_row = [], duplicates
    for ways, count in groups:
        numbers = pl.int_range(first_row, first_row + count, dtype=pl.UInt64, eager=True)
        rows = pl.DataFrame({ROW: numbers})
        frames.append(_drafts(p, draws, rows, CATALOGUE.filter(pl.col("way").is_in(ways))))
        first_row += count
    drafts = _addressed(draws, pl.concat(frames), contacts)
    drafts = pl.concat([drafts, _duplicates(draws, drafts, duplicates)], how="diagonal")
    abroad = (pl.col("country") != "UA").fill_null(value=False)
    priced = drafts.with_columns(abroad=abroad).join(
        PRICES, on=["way", "abroad"], how="left", maintain_order="left"
    )
    return priced.drop("abroad")


def _drafts(
    p: WorldParameters, draws: Draws, rows: pl.DataFrame, catalogue: pl.DataFrame
) -> pl.DataFrame:
    """Choose a campaign and a second of it for each row."""
    chosen = choose_rows(
        catalogue, catalogue["share"], rows.select(draws.uniform("campaign")).to_series()
    )
    drafts = pl.concat([rows, chosen.drop("share", "name_uk", "name_en")], how="horizontal")
    by_campaign = {campaign.id: campaign for campaign in CAMPAIGNS}
    return pl.concat(
        _timed(p, draws, group, by_campaign[str(name)])
        for (name,), group in drafts.group_by("campaign", maintain_order=True)
    )


def _timed(
    p: WorldParameters, draws: Draws, drafts: pl.DataFrame, campaign: Campaign
) -> pl.DataFrame:
    table = slots(campaign, drafts.height, p.first_day, p.days, p.zone)
    uniform = drafts.select(draws.uniform("slot")).to_series()
    chosen = choose_rows(table, table["weight"], uniform).drop("weight")
    offset = draws.whole("second", 0, pl.col("slot_seconds"))
    return (
        pl.concat([drafts, chosen], how="horizontal")
        .with_columns(
            submitted_at=(pl.col("slot_start") + pl.duration(seconds=offset)).cast(UTC_TIME)
        )
        .drop("slot_start", "slot_seconds")
    )


def _addressed(draws: Draws, drafts: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """Give each draft a person (some are written to more often), a text and an identifier."""
    person = (draws.uniform("person") ** 1.5 * contacts.height).floor().cast(pl.Int64)
    people = contacts.drop(ROW)[drafts.select(person).to_series()]
    return _identified(
        draws,
        pl.concat([drafts, people], how="horizontal")
        .with_columns(text=texts.fill_in(draws, pl.col("template")))
        .with_columns(encoding=texts.encoding(pl.col("text")), parts=texts.parts(pl.col("text")))
        .with_columns(duplicate_of=pl.lit(None, dtype=pl.String))
        .drop("template"),
    )


def _duplicates(draws: Draws, drafts: pl.DataFrame, count: int) -> pl.DataFrame:
    """The same message submitted a second time some seconds later, under a new identifier."""
    originals = (
        drafts.filter(pl.col("way").is_in(OUTBOX_WAYS)).sort(draws.bits("again")).head(count)
    )
    return _identified(
        draws,
        originals.with_columns(
            pl.int_range(count, dtype=pl.UInt64).alias(ROW),
            duplicate_of=pl.col("message_id"),
            submitted_at=pl.col("submitted_at")
            + pl.duration(seconds=draws.whole("again-after", 2, 50)),
        ),
    )


def _identified(draws: Draws, drafts: pl.DataFrame) -> pl.DataFrame:
    """Set message_id in the form its provider uses."""
    hexadecimal = _hexadecimal(draws, drafts)
    pieces = [pl.col(_HEX).str.slice(at, length) for at, length in UUID_PIECES]
    uuid = pl.concat_str(pieces, separator="-")
    number = (pl.col(ROW) + 70_000_000).cast(pl.String)
    return (
        drafts.with_columns(hexadecimal)
        .with_columns(
            message_id=pl.when(pl.col("way") == Way.TWILIO)
            .then(pl.format("SM{}", pl.col(_HEX)))
            .when(pl.col("way") == Way.TURBOSMS)
            .then(uuid)
            .otherwise(number)
        )
        .drop(_HEX)
    )


def _hexadecimal(draws: Draws, rows: pl.DataFrame, stream: str = "id") -> pl.Series:
    """32 hexadecimal digits per row."""
    pairs = rows.select(high=draws.bits(f"{stream}:high"), low=draws.bits(f"{stream}:low"))
    return pl.Series(_HEX, [f"{high:016x}{low:016x}" for high, low in pairs.iter_rows()])


def _inbound(p: WorldParameters, draws: Draws, contacts: pl.DataFrame) -> pl.DataFrame:
    """Texts of customers to no message in particular: message_id, e164, text, submitted_at."""
    count = max(_INBOUND_LEAST, int(p.messages * _INBOUND_SHARE))
    rows = pl.DataFrame({ROW: pl.int_range(count, dtype=pl.UInt64, eager=True)})
    people = contacts.filter(pl.col("number_type") == "mobile")["e164"]
    rows = rows.with_columns(_hexadecimal(draws, rows, "inbound:id"))
    person = draws.whole("inbound:person", 0, people.len())
    second = draws.whole("inbound:at", 0, int((p.end - p.start).total_seconds()))
    return (
        rows.with_columns(
            message_id=pl.format("SM{}", pl.col(_HEX)),
            e164=people[rows.select(person).to_series()],
            text=draws.one_of("inbound:text", _INBOUND_TEXTS),
            submitted_at=(pl.lit(p.start.astimezone(UTC)) + pl.duration(seconds=second)).cast(
                UTC_TIME
            ),
        )
        .sort("submitted_at", ROW)
        .drop(ROW, _HEX)
    )
