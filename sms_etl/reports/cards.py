"""The figures on the first page, each with its change against the previous period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sms_etl.metrics.rate import Rate
from sms_etl.reports.figures import Converted, DayPoint, Figures, Latency, TimeQuality, Totals
from sms_etl.reports.language import Words
from sms_etl.reports.last_year_told import delivered_year_ago, goal_note, year_ago
from sms_etl.reports.letters_told import money_sum
from sms_etl.reports.sentences import ceiling, money_list, rate_text, rate_value
from sms_etl.reports.slices import (
    converted,
    length_in_days,
    main_cost,
    previous_length_in_days,
    same_currency,
)

FEWEST_POINTS = 5
"""A line through fewer days says nothing."""

SAME_TIME = 0.05
"""Durations that differ by less than this share, or by less than a tenth of a second, are alike."""


@dataclass(frozen=True)
class Change:
    """A change in words. `verdict` is better, worse, same or plain (neither good nor bad)."""

    arrow: str
    amount: str
    word: str
    verdict: str


@dataclass(frozen=True)
class Card:
    """One figure of the first page."""

    name: str
    value: str
    notes: tuple[str, ...]
    change: Change | None
    series: tuple[float | None, ...]
    low: str = ""
    high: str = ""


def _same(words: Words) -> Change:
    return Change("=", "", words.text("no change"), "same")


def _change(words: Words, delta: float, amount: str, *, good: int) -> Change:
    """`good` is +1 when more is better, -1 when less is better, 0 when neither."""
    arrow = "▲" if delta > 0 else "▼"
    if good == 0:
        word = words.text("more") if delta > 0 else words.text("less")
        return Change(arrow, amount, word, "plain")
    better = delta * good > 0
    word = words.text("better") if better else words.text("worse")
    return Change(arrow, amount, word, "better" if better else "worse")


def rate_change(words: Words, now: Rate, before: Rate | None, *, good: int = 1) -> Change | None:
    """Difference of two rates in percentage points; null when either says too little.

    `good` is -1 for a rate that had better be low.
    """
    if before is None or now.value is None or before.value is None or now.small or before.small:
        return None
    delta = now.value - before.value
    if round(delta * 100, 1) == 0:
        return _same(words)
    return _change(words, delta, words.points(delta), good=good)


def _relative(words: Words, now: float, before: float, *, good: int) -> Change | None:
    if before <= 0:
        return None
    ratio = now / before - 1
    if round(ratio * 100, 1) == 0:
        return _same(words)
    return _change(words, ratio, words.relative(ratio), good=good)


def _per_day(figures: Figures) -> float | None:
    """What turns a sum of the previous period into one of the same length; null without one."""
    before = previous_length_in_days(figures)
    return length_in_days(figures) / before if before else None


def _series(figures: Figures, value: Callable[[Totals], float | None]) -> tuple[float | None, ...]:
    points: Sequence[DayPoint] = figures.days
    series = tuple(value(point.totals) for point in points)
    known = sum(one is not None for one in series)
    return series if known >= FEWEST_POINTS else ()


def _rate_of(rate: Rate) -> float | None:
    return None if rate.small else rate.value


def _ends(series: tuple[float | None, ...], shown: Callable[[float], str]) -> tuple[str, str]:
    known = [value for value in series if value is not None]
    return (shown(min(known)), shown(max(known))) if known else ("", "")


def submitted(words: Words, figures: Figures) -> Card:
    """How many messages were submitted."""
    now, was, scale = figures.totals, figures.previous, _per_day(figures)
    change = None
    if was is not None and scale is not None:
        change = _relative(words, now.submitted, was.submitted * scale, good=0)
    notes = []
    if now.messages_with_parts:
        parts = words.decimal(now.parts / now.messages_with_parts, 2)
        notes.append(words.text("%(parts)s parts per message on average", parts=parts))
    if figures.last_year is not None:
        notes.append(year_ago(words, words.compact(figures.last_year.submitted)))
    series = _series(figures, lambda t: float(t.submitted))
    low, high = _ends(series, words.compact)
    value = words.compact(now.submitted)
    return Card(words.text("Sent"), value, tuple(notes), change, series, low, high)


def _rate_card(
    words: Words, name: str, rate: Rate, before: Rate | None, notes: Sequence[str | None]
) -> Card:
    whole = rate_text(words, rate)
    value = rate_value(words, rate)
    rest = whole.removeprefix(value).strip()
    kept = tuple(note for note in (rest, *notes) if note)
    return Card(name, value, kept, rate_change(words, rate, before), ())


def delivered(words: Words, figures: Figures) -> Card:
    """The delivery rate, of submitted, with what it may still become."""
    rate, was = figures.totals.delivery, figures.previous
    notes = [ceiling(words, rate), *_how_delivered(words, figures.totals)]
    notes += [goal_note(words, figures), delivered_year_ago(words, figures)]
    card = _rate_card(words, words.text("Delivered"), rate, was.delivery if was else None, notes)
    return _with_series(words, figures, card, lambda t: _rate_of(t.delivery))


def _how_delivered(words: Words, totals: Totals) -> list[str]:
    """How far the proof of delivery falls short, where it does."""
    notes = []
    if n := totals.operator_receipts:
        notes.append(
            words.plural(
                "%(n)s only by the operator's word", "%(n)s only by the operator's word", n
            )
        )
    if n := totals.partly_delivered:
        notes.append(
            words.plural(
                "%(n)s arrived in part and is not counted",
                "%(n)s arrived in part and are not counted",
                n,
            )
        )
    return notes


def coverage(words: Words, figures: Figures) -> Card:
    """The share of messages whose end is known."""
    totals, was = figures.totals, figures.previous
    open_ = totals.pending
    note = words.plural("%(n)s still waiting", "%(n)s still waiting", open_) if open_ else None
    usual = usually_known(words, totals)
    name = words.text("Final state known")
    card = _rate_card(words, name, totals.coverage, was.coverage if was else None, [note, usual])
    return _with_series(words, figures, card, lambda t: _rate_of(t.coverage))


def usually_known(words: Words, totals: Totals) -> str | None:
    """How complete receipts usually are at the age of messages that may still change."""
    if totals.completeness is None or totals.delivery.mature or not totals.pending:
        return None
    share = words.percent(totals.completeness)
    return words.text("at this age usually %(share)s of the receipts are in", share=share)


def _with_series(
    words: Words, figures: Figures, card: Card, value: Callable[[Totals], float | None]
) -> Card:
    series = _series(figures, value)
    low, high = _ends(series, words.percent)
    return Card(card.name, card.value, card.notes, card.change, series, low, high)


def _time_change(words: Words, now: Latency, before: Latency | None) -> Change | None:
    if before is None or now.median is None or before.median is None:
        return None
    delta = now.median - before.median
    if abs(delta) < max(0.1, SAME_TIME * before.median):
        return _same(words)
    sign = "+" if delta > 0 else "\u2212"
    return _change(words, delta, sign + words.duration(abs(delta)), good=-1)


def _of_all(words: Words, latency: Latency) -> list[str]:
    """The same over everything sent: a time over arrivals alone hides what is stuck."""
    if latency.all_median is None:
        return [words.text("of all sent, fewer than half arrived")]
    if latency.all_p90 is None:
        return [
            words.text("of all sent, half within %(time)s", time=words.duration(latency.all_median))
        ]
    return [words.text("of all sent, 90%% within %(time)s", time=words.duration(latency.all_p90))]


def median_time(words: Words, figures: Figures) -> Card:
    """The median time to deliver, with how far it can be trusted."""
    now = figures.totals.latency
    name = words.text("Median time to deliver")
    if now.median is None or now.p90 is None:
        return Card(name, "—", (words.text("the sources tell no times"),), None, ())
    notes = [words.text("90%% within %(time)s", time=words.duration(now.p90)), *_of_all(words, now)]
    if now.quality is TimeQuality.UPPER_ESTIMATE:
        notes.append(words.text("at most; some sources give no exact time"))
    if figures.last_year is not None and figures.last_year.latency.median is not None:
        notes.append(year_ago(words, words.duration(figures.last_year.latency.median)))
    was = figures.previous.latency if figures.previous else None
    series = _series(figures, lambda t: t.latency.median)
    low, high = _ends(series, words.duration)
    value = words.duration(now.median)
    return Card(name, value, tuple(notes), _time_change(words, now, was), series, low, high)


def spend(words: Words, figures: Figures) -> Card:
    """Money spent, in one currency; what it was paid in is named beside it."""
    name, cost = words.text("Spent"), main_cost(figures.totals)
    if cost is None:
        return Card(name, "—", (words.text("the sources tell no prices"),), None, ())
    notes = _currencies(words, figures.totals, cost.currency)
    lost = words.money(cost.spent_on_undelivered_micro, cost.currency)
    notes.append(words.text("%(money)s of it on undelivered messages", money=lost))
    notes += _prices(words, figures.totals)
    was, scale = same_currency(figures.previous, cost.currency), _per_day(figures)
    change = None
    if was is not None and scale is not None:
        change = _relative(words, cost.spent_micro, was.spent_micro * scale, good=0)
    series = _series(figures, lambda t: _money(t, cost.currency, "spent_micro"))
    low, high = _ends(series, lambda v: words.money(round(v), cost.currency))
    value = words.money(cost.spent_micro, cost.currency)
    return Card(name, value, tuple(notes), change, series, low, high)


def _currencies(words: Words, totals: Totals, main: str) -> list[str]:
    """Other currencies: what the sum was converted from, or what stands beside it."""
    whole = converted(totals)
    if whole is None:
        others = [c for c in totals.costs if c.currency != main]
        beside = [words.text("and %(money)s", money=money_list(words, others))] if others else []
        return [*beside, *_nothing_converted(words, totals)]
    return [_origin(words, totals, whole), *_missing_rates(words, whole)]


def _origin(words: Words, totals: Totals, whole: Converted) -> str:
    paid = money_list(words, totals.costs)
    if whole.first_rate_day is None or whole.last_rate_day is None:
        return words.text("paid: %(money)s", money=paid)
    span = words.span(whole.first_rate_day, whole.last_rate_day)
    return words.text("paid: %(money)s; at the rates of %(span)s", money=paid, span=span)


def _nothing_converted(words: Words, totals: Totals) -> list[str]:
    """Said where the report has a currency and no rate for any of the money."""
    whole = totals.converted
    if whole is None or not whole.missing:
        return []
    currency = whole.currency
    return [words.text("NOT in %(currency)s: there is no rate for it", currency=currency)]


def _missing_rates(words: Words, whole: Converted) -> list[str]:
    if not whole.missing:
        return []
    money = money_sum(words, whole.missing)
    return [words.text("WITHOUT %(money)s: there is no rate for it", money=money)]


def _prices(words: Words, totals: Totals) -> list[str]:
    """How many prices are known and whether more will come."""
    known, rate = sum(c.messages_with_cost for c in totals.costs), totals.prices
    if known >= totals.submitted:
        return []
    counts = {"k": words.count(known), "n": words.count(totals.submitted)}
    if rate is None:
        return [words.text("prices known for %(k)s of %(n)s messages", **counts)]
    if rate.mature:
        return [
            words.text("prices known for %(k)s of %(n)s messages; no more usually come", **counts)
        ]
    return [words.text("prices known for %(k)s of %(n)s messages; more may come", **counts)]


def _money(totals: Totals, currency: str, field: str) -> float | None:
    cost = same_currency(totals, currency)
    value = getattr(cost, field) if cost else None
    return None if value is None else float(value)


def per_delivered(words: Words, figures: Figures) -> Card:
    """What one delivered message cost."""
    name, cost = words.text("Cost of a delivered message"), main_cost(figures.totals)
    if cost is None or cost.per_delivered_micro is None:
        return Card(name, "—", (words.text("not known"),), None, ())
    was = same_currency(figures.previous, cost.currency)
    change = None
    if was is not None and was.per_delivered_micro:
        change = _relative(words, cost.per_delivered_micro, was.per_delivered_micro, good=-1)
    notes = (words.text("all spending divided by delivered"),)
    series = _series(figures, lambda t: _money(t, cost.currency, "per_delivered_micro"))
    low, high = _ends(series, lambda v: words.price(round(v), cost.currency))
    value = words.price(cost.per_delivered_micro, cost.currency)
    return Card(name, value, notes, change, series, low, high)


def delivery_cards(words: Words, figures: Figures) -> list[Card]:
    """The six figures about delivery, in reading order."""
    makers = (submitted, delivered, coverage, median_time, spend, per_delivered)
    return [make(words, figures) for make in makers]
