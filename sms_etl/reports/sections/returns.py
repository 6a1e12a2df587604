"""What messages brought: orders, money, conversion, return on spend, lift against a holdout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sms_etl.engagement.attribution import CLICK, DELIVERY, WINDOWS
from sms_etl.metrics.rate import Rate
from sms_etl.reports.engagement_figures import Amount, Attributed, Lift, Returns, WindowReturn
from sms_etl.reports.figures import Figures, Verdict
from sms_etl.reports.language import Words
from sms_etl.reports.sections.engaged import left_out, whole_name
from sms_etl.reports.sections.section import Section, Values
from sms_etl.reports.slices import MOST_ROWS


@dataclass(frozen=True)
class ReturnLine:
    """One row of the table of campaigns."""

    name: str
    orders: str
    of_delivered: Rate
    of_clicked: Rate | None
    revenue: str
    per_delivered: str
    on_spend: str


@dataclass(frozen=True)
class WindowLine:
    """One row of the table of windows."""

    name: str
    orders: str
    revenue: str
    headline: bool


@dataclass(frozen=True)
class LiftLine:
    """One row of the table of holdouts."""

    name: str
    treated: Rate
    holdout: Rate
    difference: str
    verdict: str


def values(figures: Figures, words: Words) -> Values:
    """Tables of campaigns, windows and holdouts."""
    found = figures.attributed
    if found is None:
        return {}
    rows = found.by_campaign[:MOST_ROWS]
    whole = _line(words, whole_name(words, figures), found.whole)
    lines = [_line(words, words.label(one.label), one) for one in rows]
    return {
        "title": title(words, found),
        "rule": rule(words, found),
        "lines": lines,
        "total": whole,
        "left_out": left_out(words, len(found.by_campaign) - len(rows)),
        "on_spend": any(line.on_spend for line in (*lines, whole)),
        "windows": [_window_line(words, found, one) for one in found.whole.windows],
        "codes": codes(words, found),
        "lifts": [_lift_line(words, one) for one in found.lifts],
        "lift_notes": lift_notes(words, found.lifts),
    }


def title(words: Words, found: Attributed) -> str:
    """How many orders the messages came before, and for how much."""
    main = found.whole.headline
    orders = words.plural("%(n)s order", "%(n)s orders", main.orders)
    if not main.orders:
        return words.text("No order followed a message")
    return words.text(
        "After the messages: %(orders)s for %(money)s", orders=orders, money=_revenue(words, main)
    )


def rule(words: Words, found: Attributed) -> str:
    """Which message an order belongs to, and that it may not have caused it."""
    return words.text(
        "An order belongs to the message whose link a person opened in the %(days)s before it, or "
        "that arrived in the %(hours)s before it; to the later of the two. This says what "
        "came before an order, not what caused it. Refunds are taken off; an order told twice "
        "counts once.",
        days=words.plural("%(n)s day", "%(n)s days", found.click_days),
        hours=words.plural("%(n)s hour", "%(n)s hours", found.delivery_hours),
    )


def _line(words: Words, name: str, one: Returns) -> ReturnLine:
    return ReturnLine(
        name=name,
        orders=words.count(one.headline.orders),
        of_delivered=one.converted_delivered,
        of_clicked=one.converted_clicked,
        revenue=_revenue(words, one.headline) if one.headline.orders else "—",
        per_delivered=_price(words, one.revenue_per_delivered),
        on_spend=""
        if one.return_on_spend is None
        else words.text("%(n)s for 1", n=words.decimal(one.return_on_spend, 1)),
    )


def _price(words: Words, money: Amount | None) -> str:
    return "—" if money is None else words.price(money.micro, money.currency)


def _revenue(words: Words, one: WindowReturn) -> str:
    """In the report's currency where all of it can be converted, else by currency."""
    if one.converted is not None:
        return words.money(one.converted.micro, one.converted.currency)
    ordered = sorted(one.revenue, key=lambda money: (-money.micro, money.currency))
    return " + ".join(words.money(money.micro, money.currency) for money in ordered) or "—"


def window_name(words: Words, name: str) -> str:
    """A window in words."""
    window = next(one for one in WINDOWS if one.name == name)
    if window.touch == CLICK:
        days = words.plural("%(n)s day", "%(n)s days", window.length.days)
        return words.text("opened at most %(time)s before", time=days)
    hours = words.plural("%(n)s hour", "%(n)s hours", round(window.length.total_seconds() / 3600))
    return words.text("arrived at most %(time)s before", time=hours)


def _window_line(words: Words, found: Attributed, one: WindowReturn) -> WindowLine:
    used = {f"{CLICK}_{found.click_days}d", f"{DELIVERY}_{found.delivery_hours}h"}
    return WindowLine(
        name=window_name(words, one.window),
        orders=words.count(one.orders),
        revenue=_revenue(words, one) if one.orders else "—",
        headline=one.window in used,
    )


def codes(words: Words, found: Attributed) -> str:
    """Orders that name their campaign themselves; empty for none."""
    one = found.whole.by_code
    if not one.orders:
        return ""
    return words.plural(
        "%(n)s order of these days names a campaign by its promo code or its link (utm): "
        "%(money)s. It is counted by the windows as well.",
        "%(n)s orders of these days name a campaign by their promo code or their link (utm): "
        "%(money)s. They are counted by the windows as well.",
        one.orders,
        money=_revenue(words, one),
    )


def _lift_line(words: Words, one: Lift) -> LiftLine:
    return LiftLine(
        name=words.label(one.label),
        treated=one.treated,
        holdout=one.holdout,
        difference=words.text(
            "%(difference)s, from %(low)s to %(high)s",
            difference=words.points(one.difference),
            low=words.decimal(one.interval.low * 100, 1, signed=True),
            high=words.decimal(one.interval.high * 100, 1, signed=True),
        ),
        verdict=verdict(words, one),
    )


def verdict(words: Words, one: Lift) -> str:
    """What a holdout shows, in words."""
    match Verdict(one.verdict):
        case Verdict.BETTER:
            return words.text("the campaign brought orders")
        case Verdict.WORSE:
            return words.text("the campaign cost orders")
        case Verdict.NOT_SHOWN:
            return words.text("no effect is shown")
        case Verdict.TOO_FEW:
            return words.text("too few people to tell")
        case Verdict.TOO_EARLY:
            return words.text("too early to tell")


def lift_notes(words: Words, lifts: Sequence[Lift]) -> list[str]:
    """How the two groups were made, how many orders were caused, and who is in neither group."""
    if not lifts:
        return []
    days = words.plural("%(n)s day", "%(n)s days", lifts[0].days)
    notes = [
        words.text(
            "Of one list, some were left out by lot; both groups count people who ordered within "
            "%(days)s, whether their message arrived or not. Only this says what a campaign "
            "caused. The range holds the true difference in 19 of 20 cases.",
            days=days,
        )
    ]
    notes += [_caused(words, one) for one in lifts if Verdict(one.verdict) is Verdict.BETTER]
    both = sum(one.both for one in lifts)
    if both:
        notes.append(
            words.plural(
                "%(n)s person was written to and left out in different rounds and is in neither "
                "group.",
                "%(n)s people were written to and left out in different rounds and are in neither "
                "group.",
                both,
            )
        )
    return notes


def _caused(words: Words, one: Lift) -> str:
    low, mid, high = (
        words.count(round(share * one.treated.denominator))
        for share in (one.interval.low, one.difference, one.interval.high)
    )
    return words.text(
        "%(name)s made about %(mid)s people order who would not have (from %(low)s to %(high)s).",
        name=words.label(one.label),
        low=low,
        mid=mid,
        high=high,
    )


RETURNS = Section("returns", values, lambda figures: figures.attributed is not None)
