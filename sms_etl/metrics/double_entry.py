"""The same counts by another road: counted from messages, not summed from the cube."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction

import polars as pl

from sms_etl.errors import ConservationError
from sms_etl.metrics.events import TOLD
from sms_etl.metrics.rate import Rate
from sms_etl.metrics.recount import Key, Recount, Scope, Tally, added, recount, recount_whole
from sms_etl.model.vocabulary import StatusClass
from sms_etl.reports.figures import Comparison, Figures, GroupRow, Reach, Totals
from sms_etl.reports.periods import previous_days

Counted = dict[str, int]
"""Name of a figure -> its value; one that is missing is zero."""

_SHOWN = 5
"""Differences named in the error; the first ones tell enough."""

_SUMS = ("parts", "messages_with_parts", "operator_receipts", "partly_delivered")
_NOW, _THEN = False, True
_CURRENCY = re.compile(r"messages_with_cost\[(.*)\]")


def cross_check(figures: Figures, messages: pl.LazyFrame, zone: str) -> None:
    """Count the period again and compare every count of the report.

    Totals of the period, of the one before, of days, hours and all groups (classes, parts, money,
    times, slow messages and what every rate is made of), reasons, comparisons, the days of
    receipts and the rates with other denominators. Findings and the accounts of the sources are
    not compared; those of a source are proved when its messages are built.

    Args:
        figures: What is to be proved.
        messages: MESSAGES of the days the report was made from.
        zone: Time zone the days of the report are in.

    Raises:
        ConservationError: A figure is not what the messages say; it is named with both values.
    """
    counted = recount(messages, _scope(figures, zone))
    told = _told_totals(figures) | _told_reasons(figures) | _told_comparisons(figures)
    told |= _told_ends(figures) | _told_reaches(figures) | _told_series(figures)
    expected = _expected_totals(figures, counted) | _expected_reasons(figures, counted)
    expected |= _expected_comparisons(figures, counted) | _expected_ends(counted)
    expected |= _expected_reaches(figures, counted) | _expected_series(counted)
    _compare(told, expected)


def check_last_year(figures: Figures, messages: pl.LazyFrame, zone: str) -> None:
    """Count the same period last year again: its totals and what delivery is held against.

    Args:
        figures: What is to be proved.
        messages: MESSAGES of these days, one more on either side.
        zone: Time zone the days of the report are in.

    Raises:
        ConservationError: A figure is not what the messages say; it is named with both values.
    """
    whole, first, last = figures.last_year, figures.last_year_first_day, figures.last_year_last_day
    if whole is None or first is None or last is None:
        return
    seconds = [slow.threshold_seconds for slow in whole.latency.slow]
    tally = recount_whole(messages, Scope((first, last), None, zone, None, tuple(seconds)))
    told, expected = _told_of(whole), _expected_of(tally, seconds)
    if figures.last_year_change is not None:
        told |= _told_rate("change.base", figures.last_year_change.base)
        expected |= _delivery("change.base", tally)
    _compare(*({f"last_year.{k}": n for k, n in one.items()} for one in (told, expected)))


def _scope(figures: Figures, zone: str) -> Scope:
    days = (figures.first_day, figures.last_day)
    named = dict(_named_totals(figures))
    slow = {one.threshold_seconds for totals in named.values() for one in totals.latency.slow}
    return Scope(
        days=days,
        days_before=None if figures.campaign is not None else previous_days(figures.period, *days),
        zone=zone,
        campaign=figures.campaign,
        slow_seconds=tuple(sorted(slow)),
        series=figures.scorecard.dimension if figures.scorecard else None,
    )


# totals


def _groups(figures: Figures) -> Mapping[str, tuple[GroupRow, ...]]:
    return {
        "campaign": figures.by_campaign,
        "source": figures.by_source,
        "sender": figures.by_sender,
        "country": figures.by_country,
        "operator": figures.by_operator,
    }


def _named_totals(figures: Figures) -> Iterator[tuple[str, Totals]]:
    """Every Totals of the report with its name."""
    yield "totals", figures.totals
    if figures.previous is not None:
        yield "previous", figures.previous
    for dimension, rows in _groups(figures).items():
        for row in rows:
            yield f"by_{dimension}[{row.key}]", row.totals
            if row.previous is not None:
                yield f"by_{dimension}[{row.key}].previous", row.previous
    for point in (*figures.days, *figures.previous_days):
        yield f"by_day[{point.day}]", point.totals
    for cell in figures.hours:
        yield f"by_hour[{cell.weekday} {cell.hour}]", cell.totals
    for route in figures.scorecard.routes if figures.scorecard else ():
        yield f"by_route[{route.source} {route.operator}]", route.totals


def _told_totals(figures: Figures) -> Counted:
    found: Counted = {}
    for name, totals in _named_totals(figures):
        found |= {f"{name}.{word}": value for word, value in _told_of(totals).items()}
    return found


def _told_of(totals: Totals) -> Counted:
    told = {word: getattr(totals, word) for word in ("submitted", *StatusClass)}
    told |= {word: getattr(totals, word) for word in _SUMS} | _told_rate("prices", totals.prices)
    told |= _told_rate("delivery", totals.delivery)
    told |= _told_rate("delivery_of_final", totals.delivery_of_final)
    told |= _told_rate("coverage", totals.coverage)
    told |= {"latency.messages": totals.latency.messages, "latency.waiting": totals.latency.waiting}
    for slow in totals.latency.slow:
        told |= _told_rate(f"slow[{slow.threshold_seconds:g}]", slow.rate)
    for cost in totals.costs:
        told |= {
            f"spent[{cost.currency}]": cost.spent_micro,
            f"spent_on_undelivered[{cost.currency}]": cost.spent_on_undelivered_micro,
            f"messages_with_cost[{cost.currency}]": cost.messages_with_cost,
            f"messages[{cost.currency}]": cost.messages,
            f"per_delivered[{cost.currency}]": cost.per_delivered_micro or 0,
        }
    return told


def _expected_totals(figures: Figures, counted: Recount) -> Counted:
    seconds = sorted(
        {s.threshold_seconds for _, t in _named_totals(figures) for s in t.latency.slow}
    )
    found: Counted = {}
    cuts = {cut: t for cut, t in counted.by.items() if cut != "route" or figures.scorecard}
    for cut, tallies in cuts.items():
        for key, tally in tallies.items():
            name = _name(cut, key, tallies)
            if name is not None:
                told = _expected_of(tally, seconds)
                found |= {f"{name}.{word}": value for word, value in told.items()}
    return found


def _name(cut: str, key: Key, tallies: Mapping[Key, Tally]) -> str | None:
    """Name of a group; none for one of the days before that is not in the report's own."""
    before, *rest = key
    if cut == "total":
        return "previous" if before else "totals"
    name = f"by_{cut}[{' '.join(str(part) for part in rest)}]"
    if not before or cut == "day":
        return name
    return f"{name}.previous" if (_NOW, *rest) in tallies else None


def _expected_of(tally: Tally, seconds: list[float]) -> Counted:
    submitted = tally["messages"]
    final = tally[StatusClass.DELIVERED] + tally[StatusClass.FAILED] + tally[StatusClass.REJECTED]
    found = {"submitted": submitted, **{word.value: tally[word] for word in StatusClass}}
    found |= {name: tally[name] for name in _SUMS} | _rate("prices", tally["priced"], submitted)
    found |= _rate("delivery", tally[StatusClass.DELIVERED], submitted)
    found |= _rate("delivery_of_final", tally[StatusClass.DELIVERED], final)
    found |= _rate("coverage", final, submitted)
    found |= {"latency.messages": tally["timed"], "latency.waiting": tally[StatusClass.PENDING]}
    if tally["timed"]:
        for n, threshold in enumerate(seconds):
            found |= _rate(f"slow[{threshold:g}]", tally[f"slow_{n}"], tally[f"seen_{n}"])
    return found | _expected_money(tally, submitted)


def _expected_money(tally: Tally, submitted: int) -> Counted:
    found: Counted = {}
    for currency in [m[1] for name in list(tally) if (m := _CURRENCY.fullmatch(name))]:
        words = ("spent", "spent_on_undelivered", "messages_with_cost")
        found |= {f"{word}[{currency}]": tally[f"{word}[{currency}]"] for word in words}
        found[f"messages[{currency}]"] = submitted
        paid = tally[f"delivered_with_cost[{currency}]"]
        if paid:
            price = round(Fraction(tally[f"spent[{currency}]"], paid))
            found[f"per_delivered[{currency}]"] = price
    return found


def _told_rate(name: str, rate: Rate | None) -> Counted:
    return _rate(name, rate.numerator, rate.denominator) if rate is not None else {}


def _rate(name: str, numerator: int, denominator: int) -> Counted:
    return {f"{name}.numerator": numerator, f"{name}.denominator": denominator}


# reasons


def _told_reasons(figures: Figures) -> Counted:
    found: Counted = {}
    for row in figures.reasons:
        name = f"reasons[{row.reason} {row.permanence}]"
        found |= _told_rate(name, row.share)
        found[f"{name}.previous_messages"] = row.previous_messages or 0
    return found


def _expected_reasons(figures: Figures, counted: Recount) -> Counted:
    now = {key[1:]: n for key, n in counted.reasons.items() if key[0] is _NOW}
    everything = sum(now.values())
    found: Counted = {}
    for key, messages in now.items():
        name = f"reasons[{' '.join(key)}]"
        found |= _rate(name, messages, everything)
        found[f"{name}.previous_messages"] = counted.reasons.get((_THEN, *key), 0)
    return found


# comparisons


def _told_comparisons(figures: Figures) -> Counted:
    found: Counted = {}
    for cut, comparisons in _compared(figures).items():
        for one in comparisons:
            found |= _told_rate(f"{cut} comparisons[{one.key}].rate", one.rate)
            found |= _told_rate(f"{cut} comparisons[{one.key}].base", one.base)
    if figures.change is not None:
        found |= _told_rate("change.rate", figures.change.rate)
        found |= _told_rate("change.base", figures.change.base)
    return found


def _expected_comparisons(figures: Figures, counted: Recount) -> Counted:
    nothing = added([])
    found: Counted = {}
    for cut, comparisons in _compared(figures).items():
        groups = {key[1]: tally for key, tally in counted.by[cut].items() if not key[0]}
        everyone = added(groups.values())
        for one in comparisons:
            mine = groups.get(one.key, nothing)
            others = added([everyone])
            for word in ("messages", StatusClass.DELIVERED):
                others[word] -= mine[word]
            found |= _delivery(f"{cut} comparisons[{one.key}].rate", mine)
            found |= _delivery(f"{cut} comparisons[{one.key}].base", others)
    if figures.change is not None:
        found |= _delivery("change.rate", counted.by["total"].get((_NOW,), nothing))
        found |= _delivery("change.base", counted.by["total"].get((_THEN,), nothing))
    return found


def _compared(figures: Figures) -> dict[str, tuple[Comparison, ...]]:
    """Comparisons by the dimension whose values they compare."""
    card = figures.scorecard
    return {"campaign": figures.comparisons} | ({card.dimension: card.comparisons} if card else {})


def _delivery(name: str, tally: Tally) -> Counted:
    return _rate(name, tally[StatusClass.DELIVERED], tally["messages"])


# days of the values of a dimension


def _told_series(figures: Figures) -> Counted:
    return {
        f"series[{group.key} {one.day}].{word}": value
        for group in (figures.scorecard.series if figures.scorecard else ())
        for one in group.days
        for word, value in (("submitted", one.submitted), ("delivered", one.delivered))
    }


def _expected_series(counted: Recount) -> Counted:
    return {
        f"series[{key} {day}].{word}": value
        for (key, day), tally in counted.series.items()
        for word, value in (("submitted", tally["messages"]), ("delivered", tally["delivered"]))
    }


# days of receipts


def _told_ends(figures: Figures) -> Counted:
    return {
        f"event_days[{one.day}].{word}": getattr(one, word)
        for one in figures.event_days
        for word in TOLD
    }


def _expected_ends(counted: Recount) -> Counted:
    return {
        f"event_days[{day}].{word}": messages
        for (day, word), messages in counted.ends.items()
        if word in TOLD
    }


# other denominators


def _told_reaches(figures: Figures) -> Counted:
    found: Counted = {}
    for reach in _reaches(figures):
        told = _told_rate("silence_is_success", reach.silence_is_success)
        if reach.of_asked is not None:
            told["of_asked.numerator"] = reach.of_asked.numerator
        if reach.per_person is not None:
            told["per_person.numerator"] = reach.per_person.numerator
            if not reach.skipped:
                told["per_person.denominator"] = reach.per_person.denominator
        if reach.messages_without_person is not None:
            told["messages_without_person"] = reach.messages_without_person
        found |= {f"{_reach_name(reach)}.{word}": value for word, value in told.items()}
    return found


def _expected_reaches(figures: Figures, counted: Recount) -> Counted:
    found: Counted = {}
    nobody = {"reached": 0, "named": 0, "nameless": 0}
    for reach in _reaches(figures):
        cut = "total" if reach.campaign is None else "campaign"
        key: Key = (_NOW,) if reach.campaign is None else (_NOW, reach.campaign)
        tally = counted.by[cut].get(key, added([]))
        people = counted.people.get(reach.campaign, nobody)
        taken = tally["messages"] - tally[StatusClass.FAILED] - tally[StatusClass.REJECTED]
        expected = _rate("silence_is_success", taken, tally["messages"])
        if reach.of_asked is not None:
            expected["of_asked.numerator"] = tally[StatusClass.DELIVERED]
        if reach.per_person is not None:
            expected["per_person.numerator"] = people["reached"]
            if not reach.skipped:
                expected["per_person.denominator"] = people["named"]
        if reach.messages_without_person is not None:
            expected["messages_without_person"] = people["nameless"]
        found |= {f"{_reach_name(reach)}.{word}": value for word, value in expected.items()}
    return found


def _reaches(figures: Figures) -> tuple[Reach, ...]:
    whole = () if figures.reach is None else (figures.reach,)
    return (*whole, *figures.reach_by_campaign)


def _reach_name(reach: Reach) -> str:
    return "reach" if reach.campaign is None else f"reach_by_campaign[{reach.campaign}]"


def _compare(told: Counted, expected: Counted) -> None:
    wrong = [
        f"{name}: report {told.get(name, 0)}, messages {expected.get(name, 0)}"
        for name in dict.fromkeys([*told, *sorted(expected)])
        if told.get(name, 0) != expected.get(name, 0)
    ]
    if wrong:
        raise ConservationError(
            f"{len(wrong)} figures differ from a recount of the messages: "
            + "; ".join(wrong[:_SHOWN])
            + ". Rebuild the cube of these days and make the report again."
        )
