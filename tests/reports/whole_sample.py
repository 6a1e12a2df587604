"""Figures with data in every field, small, for what must hold of all of them."""

from __future__ import annotations

from datetime import date

from sms_etl.metrics.rate import Rate
from sms_etl.reports.figures import (
    Converted,
    Correction,
    EncodingWaste,
    EventDay,
    Figures,
    LatinOption,
    Money,
    PartsBilled,
    Reach,
    Reconciled,
    ReconciledState,
    RestatedFigure,
    SlowShare,
    Totals,
)
from tests.reports import clean_samples, engaged_samples, samples
from tests.reports.samples import rate

FEW = 2
DAY = date(2026, 10, 12)


def every_figure() -> Figures:
    """A report of which no field is empty: more than any one kind of report has."""
    month = samples.last_year_month()
    compared = samples.providers().scorecard
    operated = samples.operations()
    assert compared is not None
    assert month.last_year is not None
    assert month.previous is not None
    changes = {
        "campaign": "autumn_sale",
        "campaign_label": "Осінній розпродаж",
        "totals": filled(month.totals),
        "previous": filled(month.previous),
        "last_year": filled(month.last_year),
        "days": _filled(month.days[:FEW]),
        "previous_days": _filled(month.previous_days[:FEW]),
        "hours": month.hours[:FEW],
        **{
            name: _filled(getattr(month, name)[:FEW])
            for name in ("by_campaign", "by_source", "by_sender", "by_country", "by_operator")
        },
        "sources": tuple(one.model_copy(update={"billed": _billed()}) for one in month.sources),
        "comparisons": compared.comparisons,
        "change": month.last_year_change,
        "restated": _restated(),
        "correction": Correction(corrects_at=samples.AS_OF, figures=_restated()),
        "event_days": (EventDay(day=DAY, delivered=3, failed=2, rejected=1),),
        "reach": _reach(None),
        "reach_by_campaign": (_reach("otp"),),
        "waste": (_waste(),),
        "latin_option": LatinOption(parts=9, money=(Money(currency="UAH", micro=4_000_000),)),
        "reconciliation": (_reconciled(),),
        "scorecard": compared.model_copy(
            update={
                "series": tuple(
                    one.model_copy(update={"days": one.days[:FEW]}) for one in compared.series
                ),
                "routes": _filled(compared.routes[:FEW]),
            }
        ),
        "operations": operated.operations,
        "engagement": _few(engaged_samples.engagement()),
        "attributed": _few(engaged_samples.attributed()),
        "loyalty": _loyalty(),
        "failure_study": clean_samples.STUDY,
        "clean_base": clean_samples.BASE,
        "compliance": clean_samples.RULES,
        "suspicions": clean_samples.SUSPICIONS,
        "filters": {"source": ("turbosms",)},
        "sections": ("summary",),
    }
    return month.model_copy(update=changes)


def filled(totals: Totals) -> Totals:
    """Totals of which no field is empty."""
    long = {f"all_{name}": 60.0 for name in ("median", "p90", "p95", "p99")}
    slow = (SlowShare(threshold_seconds=60.0, rate=rate(40, 900, "delivered")),)
    return totals.model_copy(
        update={
            "latency": totals.latency.model_copy(update={**long, "slow": slow}),
            "completeness": 0.98,
            "prices": rate(800, 900),
            "converted": Converted(
                currency="UAH",
                spent_micro=900_000_000,
                spent_on_undelivered_micro=30_000_000,
                per_delivered_micro=430_000,
                messages_with_cost=800,
                first_rate_day=DAY,
                last_rate_day=DAY,
                missing=(Money(currency="XAU", micro=7),),
            ),
        }
    )


def _few(node):
    """With a few campaigns only."""
    return node.model_copy(update={"by_campaign": node.by_campaign[:FEW]})


def _filled(nodes):
    """Nodes with totals, these filled."""
    return tuple(one.model_copy(update={"totals": filled(one.totals)}) for one in nodes)


def _billed() -> PartsBilled:
    return PartsBilled(messages=90, messages_over=5, parts_over=7, messages_under=2, parts_under=3)


def _restated() -> tuple[RestatedFigure, ...]:
    return (
        RestatedFigure(figure="spent", currency="UAH", then=1, now=2, causes=("prices",)),
        RestatedFigure(figure="delivered", currency="", then=1, now=2, causes=("receipts",)),
    )


def _reach(campaign: str | None) -> Reach:
    some: Rate = rate(600, 900)
    return Reach(
        campaign=campaign,
        silence_is_success=some,
        of_asked=some,
        skipped={"suppressed": 4},
        per_person=some,
        messages_without_person=5,
        messages_to_dead=6,
        people_dead=7,
    )


def _waste() -> EncodingWaste:
    return EncodingWaste(
        campaign="otp",
        label="Код входу",
        letters=("«»",),
        messages=80,
        parts=70,
        money=(Money(currency="UAH", micro=3_000_000),),
    )


def _reconciled() -> Reconciled:
    return Reconciled(
        source="twilio",
        states=(ReconciledState(state="billed_only", messages=3, difference_micro={"UAH": 5_000}),),
        totals=4,
        totals_differ=1,
        totals_difference_micro={"UAH": 9_000},
        silent_days={"not_asked": (DAY,)},
    )


def _loyalty():
    told = engaged_samples.loyalty()
    cell = told.groups[0].model_copy(update={"measure": "cell", "score": "545"})
    return told.model_copy(update={"cells": (cell,)})
