"""The clean base, the rules and the failure study as rows of the warehouse."""

from __future__ import annotations

from collections.abc import Iterator

from sms_etl.reports.clean_figures import CleanBase, Compliance, FailureStudy
from sms_etl.reports.figures import Figures
from sms_etl.reports.flat_engagement import WHOLE, Flat

FACTOR, RULE, LISTED_BY = "common_factor", "rule", "suppression_rule"
"""Dimensions: their keys are the scope of a factor, or the name of a rule."""


def flat_clean(figures: Figures) -> Iterator[Flat]:
    """Every figure of these sections."""
    if figures.failure_study is not None:
        yield from _study(figures.failure_study)
    if figures.clean_base is not None:
        yield from _base(figures.clean_base)
    if figures.compliance is not None:
        yield from _compliance(figures.compliance)
    if figures.suspicions:
        yield WHOLE, WHOLE, "suspicions", len(figures.suspicions)


def _study(study: FailureStudy) -> Iterator[Flat]:
    yield WHOLE, WHOLE, "common_factors", len(study.factors)
    for one in study.factors:
        scope = ",".join(f"{name}={value}" for name, value in one.scope.items())
        yield FACTOR, scope, "undelivered_rate", one.inside
        yield FACTOR, scope, "undelivered_elsewhere_rate", one.outside
        yield FACTOR, scope, "lift", one.lift
        yield FACTOR, scope, "of_undelivered_rate", one.share_of_failures


def _base(base: CleanBase) -> Iterator[Flat]:
    yield WHOLE, WHOLE, "people_suppressed", base.people
    yield WHOLE, WHOLE, "list_failures_rate", base.list_failures
    for name, counted in (("spared", base.spared), ("sent_though_suppressed", base.wasted)):
        if counted is not None:
            yield WHOLE, WHOLE, f"{name}_messages", counted.messages
            for currency, micro in counted.cost_micro.items():
                yield WHOLE, WHOLE, f"{name}_micro_{currency}", micro
    for rule in base.rules:
        yield LISTED_BY, rule.rule, "people_suppressed", rule.people
        yield LISTED_BY, rule.rule, "people_added", rule.added


def _compliance(told: Compliance) -> Iterator[Flat]:
    for rule in told.rules:
        yield RULE, rule.rule, "breaches_rate", rule.breaches
        for why, messages in rule.not_judged.items():
            yield RULE, rule.rule, f"not_judged_{why}", messages
    if told.lag is not None:
        yield WHOLE, WHOLE, "written_after_refusal_rate", told.lag.written_after
        yield WHOLE, WHOLE, "refusal_to_silence_longest_hours", told.lag.longest_hours
