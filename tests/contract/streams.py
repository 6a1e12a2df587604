"""Streams on the bench: what each tells of the simulated world, and what truly happened."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from sms_etl.days import day_window
from sms_etl.engagement.build import BuiltEvents, EventRecipe, build_events
from sms_etl.model.schemas import OUTBOX
from sms_etl.model.vocabulary import Engagement
from sms_etl.pipeline import pull_frame
from sms_etl.sandbox import Sandbox, World, WorldParameters, build_world
from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.case import case_of
from sms_etl.sources.base import LandedPage, Page, PullContext, Source, Stream
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from sms_etl.store.landing import Landing

WORLD = WorldParameters(messages=6_000, first_day=date(2026, 10, 20), days=9)
ZONE = WORLD.zone
ORDINARY, AUTUMN = date(2026, 10, 23), date(2026, 10, 25)
EDGE_DAYS = (ORDINARY, AUTUMN)
SECOND = timedelta(seconds=1)
KEY = b"a key of the tests"

Truth = Callable[[pl.DataFrame, datetime], pl.DataFrame]


def world_with_edges() -> World:
    """A world in which people answered and clicked in the first and last second of EDGE_DAYS.

    And every other hour of ORDINARY.
    """
    world = build_world(WORLD)
    moments = [
        moment
        for day in EDGE_DAYS
        for edge in [day_window(day, ZONE)]
        for moment in (edge.start - SECOND, edge.start, edge.end - SECOND, edge.end)
    ]
    morning = day_window(ORDINARY, ZONE).start
    moments += [morning + timedelta(hours=hour, seconds=7) for hour in range(1, 23, 2)]
    return replace(
        world,
        engaged=replace(
            world.engaged,
            replies=_moved(world.engaged.replies, moments),
            clicks=_moved(world.engaged.clicks, moments),
        ),
    )


def _moved(events: pl.DataFrame, moments: list[datetime]) -> pl.DataFrame:
    times = pl.Series("moved", moments).cast(pl.Datetime("us", "UTC"))
    parts = []
    for _, of_way in events.group_by("way", maintain_order=True):
        few = min(of_way.height, len(moments))
        at = times.head(few).extend(of_way["at"].slice(few).cast(times.dtype))
        parts.append(of_way.with_columns(at=at))
    return pl.concat(parts).sort("at", "event_id")


def pseudonym(e164: str) -> str:
    return hmac.new(KEY, e164.encode(), "sha256").hexdigest()


def person() -> pl.Expr:
    return pl.col("e164").map_elements(pseudonym, return_dtype=pl.String)


def replies(identifier: pl.Expr) -> Truth:
    def truth(events: pl.DataFrame, _now: datetime) -> pl.DataFrame:
        return events.select(
            event_id=identifier,
            received_at="at",
            recipient=person(),
            intent=pl.when("opt_out").then(pl.lit("opt_out")).otherwise(pl.lit("other")),
        )

    return truth


def counted_by_day(events: pl.DataFrame, _now: datetime) -> pl.DataFrame:
    local = pl.col("at").dt.convert_time_zone(ZONE.key).dt.truncate("1d")
    return events.group_by("link", clicked_at=local.dt.convert_time_zone("UTC")).agg(
        clicks=pl.len().cast(pl.Int64)
    )


def standing(events: pl.DataFrame, now: datetime) -> pl.DataFrame:
    still = pl.col("expires_at").is_null() | (pl.col("expires_at") > now)
    return events.filter(still).select(
        event_id=pl.col("event_id").str.head(12),
        opted_out_at="at",
        expires_at="expires_at",
        recipient=person(),
    )


@dataclass(frozen=True)
class StreamCase:
    """One stream of a source. `truth` makes the rows that must come of what happened.

    identifier: of an event as the provider writes it, of its 32 hexadecimal digits.
    cannot: test name (without test_) to the reason why it does not apply.
    """

    kind: str
    stream: Engagement
    truth: Truth
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Callable[[Accounts], Mapping[str, str]] | None = None
    identifier: Callable[[str], str] = str
    pulled_after: timedelta = timedelta(days=2)
    cannot: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.stream.value}"


NO_WINDOW = "the whole list comes, whatever its days"
COUNTS = "an answer is one page of counts, not a list of clicks"
CASES = (
    StreamCase(
        "twilio",
        Engagement.REPLIES,
        replies("SM" + pl.col("event_id")),
        settings={"inbound_numbers": ["+15005550006"]},
        identifier="SM{}".format,
    ),
    StreamCase(
        "infobip", Engagement.REPLIES, replies(pl.col("event_id")), pulled_after=timedelta(hours=1)
    ),
    StreamCase(
        "sinch",
        Engagement.REPLIES,
        replies("01" + pl.col("event_id").str.head(24).str.to_uppercase()),
    ),
    StreamCase(
        "mobizon",
        Engagement.CLICKS,
        counted_by_day,
        cannot={
            "pages_are_read_to_the_last_row": COUNTS,
            "a_record_of_nulls_is_told_and_loses_no_other": COUNTS,
            "a_record_that_comes_twice_is_one_row": COUNTS,
            "rows_that_arrive_while_paging_lose_none_and_double_none": COUNTS,
        },
    ),
    StreamCase(
        "smsapi",
        Engagement.CLICKS,
        lambda events, _now: events.select(
            "message_id", "link", clicked_at="at", recipient=person()
        ),
        settings={"token": "SMSAPI_TOKEN"},
        secrets=lambda accounts: {"SMSAPI_TOKEN": accounts.secret_of("smsapi")},
    ),
    StreamCase(
        "smsapi",
        Engagement.OPT_OUTS,
        standing,
        settings={"token": "SMSAPI_TOKEN"},
        secrets=lambda accounts: {"SMSAPI_TOKEN": accounts.secret_of("smsapi")},
        cannot={
            "the_edges_of_a_day_are_in_to_the_second": NO_WINDOW,
            "days_beside_each_other_lose_nothing_between_them": NO_WINDOW,
            "a_day_without_events_is_empty_and_no_error": NO_WINDOW,
        },
    ),
    StreamCase(
        "shlink",
        Engagement.CLICKS,
        lambda events, _now: events.select("link", "user_agent", clicked_at="at"),
        settings={"api_key": "SHLINK_KEY"},
        secrets=lambda accounts: {"SHLINK_KEY": accounts.secret_of("shlink")},
        cannot={
            "a_record_that_comes_twice_is_one_row": "a visit has no identifier: two are two",
        },
    ),
)


@dataclass
class StreamBench:
    """One stream against its simulated provider; lands in `folder`."""

    case: StreamCase
    sandbox: Sandbox
    folder: Path

    @property
    def source(self) -> Source:
        accounts = self.sandbox.accounts
        known = {} if self.case.secrets else case_of(self.case.kind).settings(accounts)
        block = {
            "kind": self.case.kind,
            "base_url": f"{self.sandbox.base_url}/{self.case.kind}",
            "requests_per_second": 1000,
            "retry_budget_seconds": 30,
            "engagement": [self.case.stream.value],
            **known,
            **self.case.settings,
        }
        settings = SOURCE_KINDS[self.case.kind].model_validate(block)
        return make_source("shop", settings, self.folder)

    @property
    def secrets(self) -> Mapping[str, str]:
        of = self.case.secrets or case_of(self.case.kind).secrets
        return of(self.sandbox.accounts)

    @property
    def stream(self) -> Stream:
        (found,) = (s for s in self.source.streams() if s.kind is self.case.stream)
        return found

    @property
    def landing(self) -> Landing:
        return Landing(self.folder / "landing")

    @property
    def place(self) -> str:
        return f"shop.{self.case.stream.value}"

    def at_usual_time(self, days: list[date]) -> datetime:
        moment = day_window(max(days), ZONE).end + self.case.pulled_after
        self.sandbox.set_clock(moment)
        return moment

    def land(self, days: list[date], now: datetime | None = None) -> None:
        context = PullContext(ZONE, now or self.sandbox.clock.now(), OUTBOX.empty())
        for plan in self.stream.plan(days, context):
            self.landing.land(self.place, plan)

    def pages(self, days: list[date]) -> list[Page]:
        context = PullContext(ZONE, self.sandbox.clock.now(), OUTBOX.empty())
        return [page for plan in self.stream.plan(days, context) for page in plan.pages]

    def landed(self, days: list[date]) -> list[LandedPage]:
        return self.landing.pages(self.landing.manifests(self.place, days))

    def build(self, days: list[date]) -> BuiltEvents:
        manifests = self.landing.manifests(self.place, days)
        stream = self.stream
        recipe = EventRecipe(
            "shop", self.source.provider, stream.kind, ZONE, "UA", KEY, stream.whole_list
        )
        return build_events(stream.read(self.landed(days)), pull_frame(manifests), days, recipe)

    def pull(self, days: list[date], now: datetime | None = None) -> BuiltEvents:
        self.land(days, now)
        return self.build(days)

    def events(self, days: list[date]) -> pl.DataFrame:
        """What happened by now; of a whole list everything, else what is of these days."""
        happened = self.sandbox.events_truth(self.case.kind, self.case.stream)
        if self.stream.whole_list:
            return happened
        return happened.filter(
            pl.col("at").dt.convert_time_zone(ZONE.key).dt.date().is_in(list(days))
        )

    def truth(self, days: list[date]) -> pl.DataFrame:
        return self.case.truth(self.events(days), self.sandbox.clock.now())
