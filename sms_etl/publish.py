"""From the cube to a frozen edition and its mail: what a report job does, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sms_etl.campaigns import catalogue, labels
from sms_etl.config.clock import now
from sms_etl.config.settings import Filters, Language, Period, ReportKind, Subscription
from sms_etl.days import days_between
from sms_etl.engagement.report import engaged_figures
from sms_etl.errors import StoreError
from sms_etl.metrics.double_entry import check_last_year, cross_check
from sms_etl.metrics.money_check import check_money
from sms_etl.model.schemas import (
    ASKED,
    CONSERVATION,
    CUBE,
    ENCODING,
    EVENTS,
    INVOICE_TOTALS,
    LATENCY,
    MESSAGES,
    RECONCILIATION,
    RECONCILIATION_DAYS,
    UNMAPPED,
)
from sms_etl.model.vocabulary import StatusClass
from sms_etl.project import Project
from sms_etl.rates import read_rates
from sms_etl.readiness import missing_data
from sms_etl.reports.build import ReportInputs, ReportRequest, build_figures, build_twin
from sms_etl.reports.clean_values import clean_values
from sms_etl.reports.correction import correction
from sms_etl.reports.data_files import data_files
from sms_etl.reports.editions import Edition, EditionKey, EditionStore
from sms_etl.reports.figures import (
    Correction,
    Figures,
    Reconciled,
    RestatedFigure,
    fingerprint,
)
from sms_etl.reports.last_year import LastYear
from sms_etl.reports.narrowed import NarrowedLake
from sms_etl.reports.operations import OperationsInputs, operations
from sms_etl.reports.operations_figures import Operations
from sms_etl.reports.periods import days_to_load, last_year_days, period_days, with_neighbours
from sms_etl.reports.reconciled import Reconciliation, reconciled
from sms_etl.reports.render import render
from sms_etl.reports.source_states import ConfiguredSource
from sms_etl.reports.twin.cube import TwinCube
from sms_etl.restatement import PARTS, SPENT, SUBMITTED, moved
from sms_etl.store.warehouse import FindingChanges

CAMPAIGN_SEARCH_DAYS = 92
"""How far back the messages of a campaign are looked for."""

WATCH_DAYS = 28
"""Days that the standing list of findings is kept for."""

Question = tuple[ReportInputs, ReportRequest]
"""The tables of a report, and what is asked of them."""


@dataclass(frozen=True)
class ReportOrder:
    """Which report is wanted. Days are calendar days of `zone`, both included.

    `sections`: keys of the sections to print; none means all. `currency`: what money is converted
    to; none means that of the settings. `filters`: which messages it is of.
    """

    kind: ReportKind
    period: Period | None
    first_day: date
    last_day: date
    zone: str
    language: Language
    campaign: str | None = None
    sections: tuple[str, ...] = ()
    currency: str | None = None
    filters: Filters = field(default_factory=Filters)

    def lake(self, project: Project) -> NarrowedLake:
        """The lake, cut to what the report is of."""
        first = days_to_load(self.period, self.first_day, self.last_day)[0]
        return NarrowedLake(project.lake, self.filters.given(), project.has_rows(first))


def order_of(project: Project, subscription: Subscription, as_of: datetime) -> ReportOrder:
    """What a subscription's report covers at a moment: the last period that was over by then."""
    zone = subscription.time_zone or project.settings.project.business_time_zone
    yesterday = as_of.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    if subscription.report is ReportKind.CAMPAIGN:
        first, last = yesterday - timedelta(days=CAMPAIGN_SEARCH_DAYS - 1), yesterday
        period = None
    else:
        period = subscription.period
        first, last = period_days(period, yesterday)
    return ReportOrder(
        kind=subscription.report,
        period=period,
        first_day=first,
        last_day=last,
        zone=zone,
        language=subscription.language,
        campaign=subscription.campaign,
        sections=subscription.sections,
        currency=subscription.currency,
        filters=subscription.filters,
    )


def figures_of(project: Project, order: ReportOrder) -> Figures:
    """Every figure of a report, each derived by two routes.

    Raises:
        ConservationError: rows and cube disagree; the message names the figure. Where retention
            has taken the rows, the cube alone is left, and people are not counted.
        ConfigError: the zone or the campaign cannot be reported on.
    """
    return _whole(project, order, _question(project, order))


def _whole(project: Project, order: ReportOrder, question: Question) -> Figures:
    """Every figure of a report, from its tables read already."""
    figures = _proved(project, order, question)
    lake, rates = order.lake(project), question[0].rates
    first, _ = days_to_load(order.period, order.first_day, order.last_day)
    more: dict[str, Any] = {
        "sections": order.sections,
        "restated": _restated(project, figures),
        "reconciliation": _reconciliation(lake, figures),
        "operations": _operations(project, figures),
    }
    if project.has_rows(first):
        more |= engaged_figures(project, figures, rates)
        more |= clean_values(project, figures)
    return figures.model_copy(update=more)


def _proved(project: Project, order: ReportOrder, question: Question) -> Figures:
    """The figures that the cube gives, held against the rows where retention has left them."""
    figures = build_figures(*question)
    first, last = days_to_load(order.period, order.first_day, order.last_day)
    lake = order.lake(project)
    if project.has_rows(first):
        messages = lake.scan(MESSAGES, first, last)
        cross_check(figures, messages, order.zone)
        check_money(figures, messages, question[0].rates)
    _check_last_year(project, lake, figures)
    return figures


def _check_last_year(project: Project, lake: NarrowedLake, figures: Figures) -> None:
    """Hold last year's sums against its rows, where retention has left them."""
    if figures.last_year_first_day is None or figures.last_year_last_day is None:
        return
    first, last = with_neighbours(figures.last_year_first_day, figures.last_year_last_day)
    if project.has_rows(first):
        check_last_year(figures, lake.scan(MESSAGES, first, last), figures.zone)


def cube_of(project: Project, order: ReportOrder) -> TwinCube:
    """The rows behind a report, for its page to filter.

    Raises:
        ConfigError: the zone or the campaign cannot be reported on.
    """
    return build_twin(*_question(project, order))


def _question(project: Project, order: ReportOrder, *, last_year: bool = True) -> Question:
    """The tables of a report, and what is asked of them."""
    first, last = days_to_load(order.period, order.first_day, order.last_day)
    lake, settings = order.lake(project), project.settings.project
    rates = read_rates(project.settings, order.currency)
    wanted = order.filters.source or project.source_names
    sources = [_configured(project, name, order) for name in project.source_names if name in wanted]
    # Of people who were skipped no more is known than the campaign.
    people = lake.knows(ASKED) and project.has_rows(first)
    pulled = [source.last_pulled_at for source in sources if source.last_pulled_at is not None]
    inputs = ReportInputs(
        cube=lake.scan(CUBE, first, last),
        latency=lake.scan(LATENCY, first, last),
        conservation=lake.scan(CONSERVATION, order.first_day, order.last_day),
        unmapped=lake.scan(UNMAPPED, order.first_day, order.last_day),
        sources=sources,
        labels=labels(catalogue(project.settings)),
        events=lake.scan(EVENTS, first, last),
        asked=lake.scan(ASKED, first, last),
        messages=lake.scan(MESSAGES, first, last) if people else None,
        earlier=project.lake.scan(MESSAGES, first, last) if people else None,
        encoding=lake.scan(ENCODING, first, last),
        rates=rates,
        last_year=_last_year(lake, order) if last_year else None,
    )
    request = ReportRequest(
        kind=order.kind,
        period=order.period,
        first_day=order.first_day,
        last_day=order.last_day,
        zone=order.zone,
        language=order.language,
        project=settings.name,
        data_as_of=max(pulled, default=now()),
        silence_hours=settings.silence_hours,
        campaign=order.campaign,
        goal=settings.goal_delivery_rate,
        slow_seconds=settings.slow_thresholds_seconds,
        expected_days=days_between(max(order.first_day, settings.first_day), order.last_day),
        currency=rates.target if rates else None,
        filters=order.filters.given(),
    )
    return inputs, request


def _last_year(lake: NarrowedLake, order: ReportOrder) -> LastYear | None:
    """The same period a year earlier, where the lake has it whole.

    Every source that has any of these days must have all of them: a sum of half a year ago would
    pass for growth.
    """
    days = last_year_days(order.period, order.first_day, order.last_day)
    if days is None or order.campaign is not None:
        return None
    there = lake.scan(CONSERVATION, *days).select("source", "day").unique()
    built = there.group_by("source").len().collect()["len"]
    if built.is_empty() or built.min() != len(days_between(*days)):
        return None
    around = with_neighbours(*days)
    return LastYear(lake.scan(CUBE, *around), lake.scan(LATENCY, *around))


def _restated(project: Project, figures: Figures) -> tuple[RestatedFigure, ...]:
    """How the previous period moved since its last report.

    Restatements are kept by business day and of all messages, so a report in another zone or of a
    part of the messages says nothing of them.
    """
    first, last, now_ = figures.previous_first_day, figures.previous_last_day, figures.previous
    if first is None or last is None or now_ is None:
        return ()
    if figures.zone != project.settings.project.business_time_zone or figures.filters:
        return ()
    told = editions(project).last_told(figures.kind, figures.period, first, last)
    if told is None:
        return ()
    values = {(name, ""): getattr(now_, name) for name in (SUBMITTED, PARTS, *StatusClass)}
    values |= {(SPENT, cost.currency): cost.spent_micro for cost in now_.costs}
    found = moved(project.warehouse.restatements(first, last, told), values)
    return tuple(
        RestatedFigure(
            figure=one.figure,
            currency=one.currency,
            then=one.then,
            now=one.now,
            causes=tuple(one.causes),
        )
        for one in found
    )


def _operations(project: Project, figures: Figures) -> Operations | None:
    """What was pulled, what is there and what came late, in a report that is about it."""
    if figures.kind is not ReportKind.OPERATIONS:
        return None
    days = (figures.first_day, figures.last_day)
    names, expected = project.source_names, days_between(*days)
    built = project.lake.scan(CONSERVATION, *days).select("source", "day").unique().collect()
    inputs = OperationsInputs(
        manifests={name: project.landing.manifests(name, expected) for name in names},
        built={
            name: set(built.filter(source=name)["day"]) & project.landing.days(name)
            for name in names
        },
        conservation=project.lake.scan(CONSERVATION, *days),
        events=project.lake.scan(EVENTS, *days),
        restatements=project.warehouse.restatements(*days),
    )
    return operations(inputs, days, project.settings.project.zone)


def _reconciliation(lake: NarrowedLake, figures: Figures) -> tuple[Reconciled, ...]:
    """What outbox, logs and invoices say of each other on the report's days."""
    days = (figures.first_day, figures.last_day)
    tables = (RECONCILIATION, RECONCILIATION_DAYS, INVOICE_TOTALS)
    return reconciled(
        Reconciliation(*(lake.scan(table, *days) for table in tables)),
        days,
        figures.campaign,
    )


def freeze_report(project: Project, order: ReportOrder, audience: str) -> Edition:
    """Build, check, render and freeze a report; the same figures give the edition there is.

    An edition that was mailed stays too while no figure has moved by more than the settings'
    `correction_step`, as the next report tells of smaller moves; and if other messages or sections
    are asked for since.

    Raises:
        ConservationError, RenderError, StoreError: nothing was frozen.
    """
    question = _question(project, order)
    figures = _whole(project, order, question)
    project.warehouse.put_campaigns(catalogue(project.settings))
    store = editions(project)
    newest = store.latest(EditionKey.of(figures, audience, order.language))
    if newest is not None and newest.figures_sha256 == fingerprint(figures):
        return newest
    if newest is not None and store.mailed(newest):
        before = newest.figures()
        if (before.filters, before.sections) != (figures.filters, figures.sections):
            # Other messages moved no figure: what was mailed stays, the next period is as asked.
            return newest
        told = _correction(project, figures, newest)
        if told is None:
            return newest
        figures = figures.model_copy(update={"correction": told})
    return store.freeze(
        figures,
        render(figures, order.language, build_twin(*question)),
        audience=audience,
        language=order.language,
        now=now(),
        more=data_files(figures, order.language),
    )


def _correction(project: Project, figures: Figures, mailed: Edition) -> Correction | None:
    since = project.warehouse.restatements(figures.first_day, figures.last_day, mailed.created_at)
    step = project.settings.project.correction_step
    return correction(mailed.figures().totals, figures.totals, step, mailed.created_at, since)


def latest_edition(project: Project, subscription: Subscription, as_of: datetime) -> Edition:
    """The newest edition of what a subscription covers at a moment.

    Raises:
        StoreError: none was frozen yet.
    """
    order = order_of(project, subscription, as_of)
    found = editions(project).newest(
        audience=subscription.name,
        report=order.kind,
        first_day=order.first_day if order.period else None,
        last_day=order.last_day if order.period else None,
    )
    if found is None:
        raise StoreError(
            f"There is no edition of '{subscription.name}' for {order.first_day} to "
            f"{order.last_day}. Materialize editions/{subscription.name} first."
        )
    return found


def record_findings(project: Project, last_day: date) -> tuple[Figures, FindingChanges]:
    """Bring the standing list of findings up to date over the days up to `last_day`.

    Returns:
        what the cube says of these days, without the sections of other tables, and what changed.
    """
    zone = project.settings.project.zone
    first_day = last_day - timedelta(days=WATCH_DAYS - 1)
    order = ReportOrder(ReportKind.PERIOD, None, first_day, last_day, zone.key, Language.ENGLISH)
    figures = _proved(project, order, _question(project, order, last_year=False))
    start = datetime.combine(first_day, time.min, zone).astimezone(UTC)
    end = datetime.combine(last_day + timedelta(days=1), time.min, zone).astimezone(UTC)
    return figures, project.warehouse.put_findings(figures.findings, start, end, now())


def editions(project: Project) -> EditionStore:
    """The frozen reports of a project."""
    return EditionStore(project.edition_folders, project.warehouse)


def _configured(project: Project, name: str, order: ReportOrder) -> ConfiguredSource:
    days = days_between(order.first_day, order.last_day)
    manifests = project.landing.manifests(name, days)
    missing = missing_data(project, order.first_day, order.last_day, ZoneInfo(order.zone), [name])
    return ConfiguredSource(
        name=name,
        provider=project.source(name).provider,
        # What a report would wait for is missing in it, too, and never quiet.
        whole_days=frozenset(days).difference(*(one.days for one in missing)),
        last_pulled_at=max((m.finished_at for m in manifests), default=None),
    )
