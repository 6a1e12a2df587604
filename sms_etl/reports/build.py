"""From the cube to the figures of a report. A pure function: same inputs, same figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property

import polars as pl

from sms_etl.config.settings import Language, Period, ReportKind
from sms_etl.days import days_between
from sms_etl.errors import ConfigError
from sms_etl.findings.detect import Evidence, find_problems
from sms_etl.metrics.cohort import Asked
from sms_etl.metrics.completion import completion_curves, with_known
from sms_etl.metrics.events import event_days
from sms_etl.metrics.local_time import require_whole_hours, with_local_time
from sms_etl.metrics.money import UNDELIVERED, Rates, with_converted
from sms_etl.metrics.prices import with_expected_prices
from sms_etl.metrics.reach import Reached, reach_by_campaign, reach_of
from sms_etl.metrics.reasons import mender_of
from sms_etl.metrics.summary import (
    SLOW_SECONDS,
    AsOf,
    Key,
    compact,
    compact_hours,
    compact_latency,
    no_totals,
    plain_rate,
    totals_by,
)
from sms_etl.metrics.survival import without_silent_sources
from sms_etl.model.schemas import ASKED, ENCODING, EVENTS
from sms_etl.model.vocabulary import Permanence, Reason
from sms_etl.reports.comparisons import against_the_others, between_periods
from sms_etl.reports.figures import (
    FIGURES_VERSION,
    Comparison,
    DayPoint,
    Figures,
    GroupRow,
    HourCell,
    ReasonRow,
    Scorecard,
    SourceState,
    Totals,
)
from sms_etl.reports.last_year import LastYear, with_last_year
from sms_etl.reports.letters import billed_by_source, latin_option, waste_of
from sms_etl.reports.periods import last_year_days, previous_days
from sms_etl.reports.scorecard import DIMENSION_OF, SOURCE, scorecard
from sms_etl.reports.source_states import ConfiguredSource, source_states
from sms_etl.reports.twin.cube import TwinCube, twin_cube

DIMENSIONS = ("campaign", "source", "sender", "country", "operator")
"""Dimensions a report breaks its totals down by."""

SECONDS_PER_HOUR = 3600.0

_BEFORE = "before"
"""Column: whether a row belongs to the previous period."""

Days = tuple[date, date]


@dataclass(frozen=True)
class ReportInputs:
    """Tables and facts a report is made from.

    `cube` and `latency` hold the days of `periods.days_to_load`; whatever they hold before the
    period is the baseline of the findings. `conservation` and `unmapped` may hold more days than
    the period. `labels`: campaign -> language -> label. `events`, `asked`, `encoding` and
    `messages` hold the days of the cube; without `messages` people are not counted, without
    `rates` no money is converted, without `last_year` nothing is said of it. All but
    `conservation`, `unmapped` and `earlier` (every message, in which dead numbers are looked for;
    null: `messages`) hold what `ReportRequest.filters` asks for and no more.
    """

    cube: pl.LazyFrame
    latency: pl.LazyFrame
    conservation: pl.LazyFrame
    unmapped: pl.LazyFrame
    sources: Sequence[ConfiguredSource]
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    events: pl.LazyFrame = field(default_factory=lambda: EVENTS.empty().lazy())
    asked: pl.LazyFrame = field(default_factory=lambda: ASKED.empty().lazy())
    encoding: pl.LazyFrame = field(default_factory=lambda: ENCODING.empty().lazy())
    messages: pl.LazyFrame | None = None
    earlier: pl.LazyFrame | None = None
    rates: Rates | None = None
    last_year: LastYear | None = None


@dataclass(frozen=True)
class ReportRequest:
    """What is asked for. Days are calendar days of `zone`, both ends included.

    For a campaign the days bound where its messages are looked for; the report covers the days
    from its first to its last message, and its baseline is every other campaign in the cube.
    `expected_days`: what every source should have been built for; null means every day.
    `filters`: what the inputs were cut to.
    """

    kind: ReportKind
    period: Period | None
    first_day: date
    last_day: date
    zone: str
    language: Language
    project: str
    data_as_of: datetime
    silence_hours: float
    campaign: str | None = None
    goal: float | None = None
    expected_days: Sequence[date] | None = None
    slow_seconds: Sequence[float] = SLOW_SECONDS
    currency: str | None = None
    filters: Asked = field(default_factory=dict)

    @property
    def as_of(self) -> AsOf:
        """Moment and silence that decide maturity."""
        return AsOf(self.data_as_of, self.silence_hours, tuple(self.slow_seconds), self.currency)


def build_figures(inputs: ReportInputs, request: ReportRequest) -> Figures:
    """Every figure of a report.

    Raises:
        ConfigError: The zone has no whole-hour offset, or the campaign has no messages.
    """
    require_whole_hours(request.zone, request.first_day, request.last_day)
    rows = _Rows(inputs, request)
    whole = totals_by(*rows.slim, [_BEFORE], request.as_of)
    states = _states(rows)
    first, last = rows.days
    figures = Figures(
        version=FIGURES_VERSION,
        kind=request.kind,
        period=request.period,
        campaign=request.campaign,
        campaign_label=rows.label(request.campaign) if request.campaign else None,
        project=request.project,
        first_day=first,
        last_day=last,
        previous_first_day=rows.previous[0] if rows.previous else None,
        previous_last_day=rows.previous[1] if rows.previous else None,
        zone=request.zone,
        data_as_of=request.data_as_of,
        goal=request.goal,
        totals=whole.get((False,)) or no_totals(request.as_of),
        previous=whole.get((True,)),
        days=_day_points(rows, rows.days),
        previous_days=_day_points(rows, rows.previous),
        hours=_hour_cells(rows),
        by_campaign=_campaign_rows(rows),
        by_source=_group_rows(rows, "source"),
        by_sender=_group_rows(rows, "sender"),
        by_country=_group_rows(rows, "country"),
        by_operator=_group_rows(rows, "operator"),
        reasons=_reason_rows(rows),
        findings=find_problems(_evidence(rows, states), first, last, request.zone, request.as_of),
        sources=states,
        comparisons=_campaign_comparisons(rows),
        change=_change(rows, whole),
        filters={name: tuple(values) for name, values in request.filters.items()},
    )
    figures = _with_letters(rows, _with_other_counts(rows, figures))
    earlier = rows.last_year
    if earlier is not None:
        cohort = earlier.current
        figures = with_last_year(figures, rows.current[0], cohort, earlier.days, request.as_of)
    return figures.model_copy(update={"scorecard": _scorecard(rows, figures)})


def build_twin(inputs: ReportInputs, request: ReportRequest) -> TwinCube:
    """The rows behind the figures of a report, for its page to filter.

    Raises:
        ConfigError: As `build_figures`.
    """
    require_whole_hours(request.zone, request.first_day, request.last_day)
    rows = _Rows(inputs, request)
    return twin_cube(*rows.current, *rows.days, request.as_of)


@dataclass(frozen=True)
class _Rows:
    """The rows of the report, of its days, and of what it is compared with."""

    inputs: ReportInputs
    request: ReportRequest

    @cached_property
    def all(self) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """Cube and latency with local time; the cube with what the maturity clock says."""
        zone = self.request.zone
        latency = with_local_time(without_silent_sources(self.inputs.latency.lazy()), zone)
        cube = with_known(self.inputs.cube.lazy(), self._curves, self.request.data_as_of)
        cube = with_expected_prices(cube, self.request.data_as_of, self.request.silence_hours)
        cube = with_local_time(cube, zone)
        if self.inputs.rates is not None:
            first = (self.days_before or (self.request.first_day,))[0]
            cube = with_converted(cube, self.inputs.rates, first, self.request.last_day)
        return cube, latency

    @property
    def _curves(self) -> pl.DataFrame:
        """Completion curves of the days before the period, or of all where they tell too little.

        The business day stands for the local one: a curve does not hang on an hour.
        """
        latency = without_silent_sources(self.inputs.latency.lazy())
        horizon = self.request.silence_hours * SECONDS_PER_HOUR
        earlier = latency.filter(pl.col("day") < self.request.first_day)
        curves = completion_curves(earlier, horizon)
        return curves if not curves.is_empty() else completion_curves(latency, horizon)

    @cached_property
    def days(self) -> Days:
        """First and last day of the report."""
        asked = (self.request.first_day, self.request.last_day)
        if self.request.campaign is None:
            return asked
        mine = self.all[0].filter(self.asked & pl.col("local_day").is_between(*asked))
        first, last = (
            mine.select(first=pl.col("local_day").min(), last=pl.col("local_day").max())
            .collect(engine="streaming")
            .row(0)
        )
        if first is None:
            raise ConfigError(
                f"No messages of campaign {self.request.campaign!r} between {asked[0]} and"
                f" {asked[1]}. Check the campaign identifier, or build and load earlier days."
            )
        return first, last

    @property
    def days_before(self) -> Days | None:
        """Days of the period before, whether anything was sent then or not; null for a campaign."""
        if self.request.campaign is not None:
            return None
        return previous_days(self.request.period, *self.days)

    @cached_property
    def previous(self) -> Days | None:
        """Days of the period before; null for a campaign, or where there is no data at all."""
        found = self.slim[0].select(pl.col(_BEFORE).any()).collect().item()
        return self.days_before if found else None

    @property
    def last_year(self) -> _Rows | None:
        """The same period a year earlier, as a report of its own; its money stays as paid."""
        found, days = self.inputs.last_year, last_year_days(self.request.period, *self.days)
        if found is None or days is None or self.request.campaign is not None:
            return None
        return _Rows(
            replace(
                self.inputs, cube=found.cube, latency=found.latency, rates=None, last_year=None
            ),
            replace(self.request, period=None, first_day=days[0], last_day=days[1]),
        )

    @property
    def asked(self) -> pl.Expr:
        """Rows of the campaign asked for, or all."""
        if self.request.campaign is None:
            return pl.lit(value=True)
        return pl.col("campaign") == self.request.campaign

    @property
    def inside(self) -> pl.Expr:
        """Rows of the report's days."""
        return pl.col("local_day").is_between(*self.days)

    @cached_property
    def current(self) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """Cube and latency of the report."""
        cube, latency = self.all
        return cube.filter(self.inside & self.asked), latency.filter(self.inside & self.asked)

    @cached_property
    def both(self) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """Cube and latency of the report and of the previous period, told apart by a column."""
        before = pl.lit(value=False)
        if self.days_before:
            before = pl.col("local_day").is_between(*self.days_before)
        cube, latency = self.all
        wanted = (self.inside & self.asked) | before
        return (
            cube.filter(wanted).with_columns(before.alias(_BEFORE)),
            latency.filter(wanted).with_columns(before.alias(_BEFORE)),
        )

    @cached_property
    def slim(self) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """`both` summed over time, in memory: the dimensions are read from it one by one."""
        keys = [*DIMENSIONS, _BEFORE]
        cube, latency = self.both
        return (
            compact(cube, keys).collect(engine="streaming").lazy(),
            compact_latency(latency, keys).collect(engine="streaming").lazy(),
        )

    @cached_property
    def timed(self) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """`both` summed over all dimensions but time, in memory."""
        cube, latency = self.both
        counts = compact_hours(cube, [_BEFORE]).collect(engine="streaming")
        times = compact_latency(latency, ["hour", _BEFORE]).collect(engine="streaming")
        zone = self.request.zone
        return with_local_time(counts.lazy(), zone), with_local_time(times.lazy(), zone)

    @cached_property
    def by_day(self) -> dict[Key, Totals]:
        """Totals of every day of the report and of the previous period."""
        return totals_by(*self.timed, ["local_day"], self.request.as_of)

    def label(self, campaign: str) -> str:
        """Label of a campaign in the report's language, or its identifier."""
        return self.inputs.labels.get(campaign, {}).get(self.request.language, campaign)


def _day_points(rows: _Rows, days: Days | None) -> tuple[DayPoint, ...]:
    if days is None:
        return ()
    empty = no_totals(rows.request.as_of)
    return tuple(
        DayPoint(day=day, totals=rows.by_day.get((day,), empty)) for day in days_between(*days)
    )


def _hour_cells(rows: _Rows) -> tuple[HourCell, ...]:
    cube, latency = (frame.filter(~pl.col(_BEFORE)) for frame in rows.timed)
    found = totals_by(cube, latency, ["weekday", "local_hour"], rows.request.as_of)
    return tuple(
        HourCell(weekday=weekday, hour=hour, totals=totals)
        for (weekday, hour), totals in found.items()
    )


def _group_rows(rows: _Rows, dimension: str) -> tuple[GroupRow, ...]:
    found = totals_by(*rows.slim, [_BEFORE, dimension], rows.request.as_of)
    return _ordered(
        GroupRow(
            key=value,
            label=rows.label(value) if dimension == "campaign" else value,
            totals=totals,
            previous=found.get((True, value)),
        )
        for (before, value), totals in found.items()
        if not before
    )


def _campaign_rows(rows: _Rows) -> tuple[GroupRow, ...]:
    """A campaign stands beside the other campaigns of its days."""
    if rows.request.campaign is None:
        return _group_rows(rows, "campaign")
    cube, latency = (frame.filter(rows.inside) for frame in rows.all)
    found = totals_by(cube, latency, ["campaign"], rows.request.as_of)
    return _ordered(
        GroupRow(key=value, label=rows.label(value), totals=totals, previous=None)
        for (value,), totals in found.items()
    )


def _campaign_comparisons(rows: _Rows) -> tuple[Comparison, ...]:
    cube, latency = (frame.filter(rows.inside) for frame in rows.all)
    totals = totals_by(cube, latency, ["campaign"], rows.request.as_of)
    found = against_the_others(cube, "campaign", {key[0]: t for key, t in totals.items()})
    asked = rows.request.campaign
    return tuple(one for one in found if asked is None or one.key == asked)


def _change(rows: _Rows, whole: Mapping[Key, Totals]) -> Comparison | None:
    """The period against the one before, where both have messages."""
    if (False,) not in whole or (True,) not in whole:
        return None
    return between_periods(rows.both[0], _BEFORE, whole[(False,)], whole[(True,)])


def _with_other_counts(rows: _Rows, figures: Figures) -> Figures:
    """Add what happened on each day, and the rates with other denominators."""
    inputs, request = rows.inputs, rows.request
    messages = inputs.messages
    earlier = messages if inputs.earlier is None else inputs.earlier
    if messages is not None:
        local_day = pl.col("submitted_at").dt.convert_time_zone(request.zone).dt.date()
        messages = messages.filter(local_day.is_between(*rows.days), rows.asked)
    outbox = with_local_time(inputs.asked, request.zone).filter(rows.inside, rows.asked)
    told = Reached(outbox, messages, earlier)
    campaigns = {row.key: row.totals for row in figures.by_campaign}
    return figures.model_copy(
        update={
            "event_days": event_days(
                inputs.events.filter(rows.asked), days_between(*rows.days), request.zone
            ),
            "reach": reach_of(told, figures.totals),
            # A report on one campaign has it as its whole.
            "reach_by_campaign": ()
            if request.campaign is not None
            else reach_by_campaign(told, campaigns),
        }
    )


def _ordered(groups: Iterable[GroupRow]) -> tuple[GroupRow, ...]:
    return tuple(sorted(groups, key=lambda group: (-group.totals.submitted, group.key)))


def _reason_rows(rows: _Rows) -> tuple[ReasonRow, ...]:
    """Reasons of undelivered messages, the most frequent first; shares of all undelivered."""
    counted = (
        rows.slim[0]
        .filter(pl.col("status_class").is_in([name.value for name in UNDELIVERED]))
        .group_by(
            pl.col("reason").fill_null(Reason.NOT_STATED.value),
            pl.col("permanence").fill_null(Permanence.UNKNOWN.value),
        )
        .agg(
            now=pl.col("messages").filter(~pl.col(_BEFORE)).sum(),
            before=pl.col("messages").filter(pl.col(_BEFORE)).sum(),
        )
        .filter(pl.col("now") > 0)
        .sort("now", "reason", "permanence", descending=[True, False, False])
        .collect()
    )
    undelivered = int(counted["now"].sum())
    return tuple(
        ReasonRow(
            reason=reason,
            permanence=permanence,
            mender=mender_of(reason),
            share=plain_rate(now, undelivered, "undelivered", rows.request.as_of),
            previous_messages=before if rows.previous else None,
        )
        for reason, permanence, now, before in counted.iter_rows()
    )


def _with_letters(rows: _Rows, figures: Figures) -> Figures:
    """What the letters of texts cost, and parts billed against parts computed."""
    encoding = with_local_time(rows.inputs.encoding, rows.request.zone)
    mine = encoding.filter(rows.inside & rows.asked).collect().lazy()
    billed = billed_by_source(mine)
    sources = [s.model_copy(update={"billed": billed.get(s.source)}) for s in figures.sources]
    return figures.model_copy(
        update={
            "waste": waste_of(mine, rows.label),
            "latin_option": latin_option(mine),
            "sources": tuple(sources),
        }
    )


def _scorecard(rows: _Rows, figures: Figures) -> Scorecard | None:
    """Sources or operators beside each other, in a report that is about them."""
    dimension = DIMENSION_OF.get(rows.request.kind)
    if dimension is None:
        return None
    groups = figures.by_source if dimension == SOURCE else figures.by_operator
    totals = {row.key: row.totals for row in groups}
    days = days_between(*rows.days)
    return scorecard(*rows.current, dimension, totals, days, rows.request.as_of)


def _states(rows: _Rows) -> tuple[SourceState, ...]:
    """All configured sources; for a campaign those that carried it."""
    sources = rows.inputs.sources
    if rows.request.campaign is not None:
        carried = {group.key for group in _group_rows(rows, "source")}
        sources = [source for source in sources if source.name in carried]
    expected = rows.request.expected_days
    covered = days_between(*rows.days)
    return source_states(
        rows.inputs.conservation.lazy(),
        rows.inputs.unmapped.lazy(),
        sources,
        covered if expected is None else [day for day in covered if day in set(expected)],
        rows.days,
    )


def _evidence(rows: _Rows, states: tuple[SourceState, ...]) -> Evidence:
    """A period is judged by what came before it, a campaign by the other campaigns."""
    usual = pl.col("local_day") < rows.days[0]
    if rows.request.campaign is not None:
        usual = pl.col("campaign") != rows.request.campaign
    cube, latency = rows.all
    return Evidence(
        cube=rows.current[0],
        latency=rows.current[1],
        usual_cube=cube.filter(usual),
        usual_latency=latency.filter(usual),
        # What a whole source could not read says nothing of a part of its messages.
        sources=() if set(rows.request.filters) - {SOURCE} else states,
    )
