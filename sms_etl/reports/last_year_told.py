"""The same period last year, and the goal, in words."""

from __future__ import annotations

from sms_etl.reports.figures import Comparison, Figures, Verdict
from sms_etl.reports.language import Words
from sms_etl.reports.sentences import rate_text, rate_value
from sms_etl.reports.verdicts import amount

ABOUT_THE_SAME = 0.01
"""A difference that may be none, and is smaller than this with 95 % confidence, is none to tell."""

LEAST_POINTS = 0.001
"""The smallest difference of two shares that one decimal of a percent shows."""


def last_year_sentence(words: Words, figures: Figures) -> str:
    """Delivery against the same period last year; empty where that is not known."""
    then, first, last = figures.last_year, figures.last_year_first_day, figures.last_year_last_day
    if then is None or first is None or last is None:
        return ""
    span, one = words.span(first, last), figures.last_year_change
    if one is None or one.verdict is Verdict.TOO_FEW:
        rate = rate_text(words, then.delivery)
        if one is None:
            return words.text(
                "A year ago (%(span)s): delivered %(rate)s, to other operators: no fair "
                "comparison.",
                span=span,
                rate=rate,
            )
        return words.text(
            "A year ago (%(span)s): delivered %(rate)s; too few messages to compare.",
            span=span,
            rate=rate,
        )
    return _judged(words, one, span)


def _judged(words: Words, one: Comparison, span: str) -> str:
    told = {"span": span, "amount": amount(words, one)}
    match one.verdict:
        case Verdict.BETTER:
            return words.text(
                "Operators being equal, delivery is better than a year ago (%(span)s): %(amount)s.",
                **told,
            )
        case Verdict.WORSE:
            return words.text(
                "Operators being equal, delivery is worse than a year ago (%(span)s): %(amount)s.",
                **told,
            )
        case Verdict.NOT_SHOWN if _about_the_same(one):
            return words.text(
                "Delivery is about the same as a year ago (%(span)s): %(amount)s.", **told
            )
        case Verdict.NOT_SHOWN:
            return words.text(
                "No difference from a year ago (%(span)s) is shown: %(amount)s; it could be "
                "chance.",
                **told,
            )
        case _:
            return words.text(
                "It is too early to compare delivery with a year ago (%(span)s): receipts are "
                "missing.",
                span=span,
            )


def _about_the_same(one: Comparison) -> bool:
    return max(abs(one.interval.low), abs(one.interval.high)) < ABOUT_THE_SAME


def year_ago(words: Words, value: str) -> str:
    """What a figure was in the same period last year."""
    return words.text("a year ago: %(value)s", value=value)


def delivered_year_ago(words: Words, figures: Figures) -> str | None:
    """The delivery rate of last year, with a verdict only where the rates say what it says."""
    then, one = figures.last_year, figures.last_year_change
    if then is None:
        return None
    if then.delivery.small:
        return year_ago(words, rate_text(words, then.delivery))
    value = rate_value(words, then.delivery)
    if one is not None:
        if one.verdict is Verdict.BETTER and one.plain > 0:
            return words.text("a year ago: %(value)s, now better", value=value)
        if one.verdict is Verdict.WORSE and one.plain < 0:
            return words.text("a year ago: %(value)s, now worse", value=value)
        if one.verdict is Verdict.NOT_SHOWN and _about_the_same(one):
            return words.text("a year ago: %(value)s, about the same", value=value)
    return year_ago(words, value)


def goal_note(words: Words, figures: Figures) -> str | None:
    """Whether the goal of delivery was reached, and by how much; null for few messages."""
    rate, goal = figures.totals.delivery, figures.goal
    if goal is None or rate.value is None or rate.small:
        return None
    shown = words.percent_plain(goal)
    gap = abs(rate.value - goal)
    points = words.points(max(gap, LEAST_POINTS), signed=False)
    if rate.value >= goal:
        if round(gap, 3) < LEAST_POINTS:
            return words.text("goal %(goal)s: reached", goal=shown)
        return words.text("goal %(goal)s: reached, %(gap)s above", goal=shown, gap=points)
    if rate.high is not None and rate.high >= goal:
        return words.text("goal %(goal)s: still open", goal=shown)
    if round(gap, 3) < LEAST_POINTS:
        return words.text("goal %(goal)s: missed by less than %(gap)s", goal=shown, gap=points)
    return words.text("goal %(goal)s: missed by %(gap)s", goal=shown, gap=points)
