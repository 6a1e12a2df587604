"""Sentences about `Figures`: the headline, section titles, findings and rates in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from markupsafe import Markup

from sms_etl.errors import RenderError
from sms_etl.metrics.rate import Rate
from sms_etl.model.vocabulary import UNKNOWN_LABEL, Mender
from sms_etl.reports.figures import Cost, DayPoint, Figures, Finding, FindingKind, GroupRow
from sms_etl.reports.language import Words
from sms_etl.reports.slices import finding_span

VISIBLE_GAP = 0.0005
"""Two shares closer than this print alike with one decimal."""

LEVEL_DAYS = 0.02
"""Days that differ by less than this are called level."""

MOST_SHARE = 0.8
"""The reasons that together reach this share are named first (Pareto)."""

TIMES_SHOWN_UP_TO = timedelta(days=2)
"""A shorter finding is dated to the minute, a longer one to the day."""

NO_RATE = Markup('<span class="rate none">—</span>')
"""A rate of nothing, in a table."""


def of_denominator(words: Words, rate: Rate) -> str:
    """The denominator of a rate in words: how many, and what of."""
    n = rate.denominator
    match rate.denominator_name:
        case "submitted":
            return words.plural("of %(n)s sent", "of %(n)s sent", n)
        case "final":
            return words.plural("of %(n)s with a final state", "of %(n)s with a final state", n)
        case "undelivered":
            return words.plural("of %(n)s undelivered", "of %(n)s undelivered", n)
        case "delivered":
            return words.plural("of %(n)s delivered", "of %(n)s delivered", n)
        case "delivered_with_time":
            return words.plural("of %(n)s delivered", "of %(n)s delivered", n)
        case "delivered_or_waiting":
            return words.plural("of %(n)s delivered or waiting", "of %(n)s delivered or waiting", n)
        case "asked":
            return words.plural("of %(n)s asked for", "of %(n)s asked for", n)
        case "people":
            return words.plural("of %(n)s person", "of %(n)s people", n)
        case "records":
            return words.plural("of %(n)s record", "of %(n)s records", n)
        case _:
            return _engaged_denominator(words, rate)


def _engaged_denominator(words: Words, rate: Rate) -> str:
    n = rate.denominator
    match rate.denominator_name:
        case "delivered_with_link":
            return words.plural(
                "of %(n)s delivered text with a link", "of %(n)s delivered texts with a link", n
            )
        case "delivered_on_channels_that_report_reading":
            return words.plural(
                "of %(n)s delivered where reading is reported",
                "of %(n)s delivered where reading is reported",
                n,
            )
        case "clicked_messages":
            return words.plural("of %(n)s opened text", "of %(n)s opened texts", n)
        case "loyal_people":
            return words.plural("of %(n)s loyal customer", "of %(n)s loyal customers", n)
        case _:
            return _judged_denominator(words, rate)


def _judged_denominator(words: Words, rate: Rate) -> str:
    n = rate.denominator
    match rate.denominator_name:
        case "ended":
            return words.plural("of %(n)s that ended", "of %(n)s that ended", n)
        case "judged":
            return words.plural("of %(n)s judged", "of %(n)s judged", n)
        case "people_who_refused":
            return words.plural("of %(n)s who refused", "of %(n)s who refused", n)
        case name:
            raise RenderError(f"a rate has the denominator {name!r}, which no language names")


def rate_value(words: Words, rate: Rate) -> str:
    """The part of a rate before its denominator: a percentage, or a count for few messages."""
    if rate.value is None:
        return "—"
    return words.count(rate.numerator) if rate.small else words.percent(rate.value)


def rate_text(words: Words, rate: Rate) -> str:
    """A rate with its denominator: `96.5% of 4,800,284 sent`, or `7 of 12 sent`."""
    if rate.value is None:
        return words.text("no messages")
    return f"{rate_value(words, rate)} {of_denominator(words, rate)}"


def rate_html(words: Words, rate: Rate) -> Markup:
    """A rate for a table: counts first, then the percentage when there are enough messages."""
    if rate.value is None:
        return NO_RATE
    share = "" if rate.small else words.percent(rate.value)
    return Markup(
        '<span class="rate"><span class="counts">{}</span> <span class="share">{}</span></span>'
    ).format(_counts(words, rate), share)


def stacked_rate_html(words: Words, rate: Rate) -> Markup:
    """A rate for a table with many of them: the percentage, its counts on a line below."""
    if rate.value is None:
        return NO_RATE
    if rate.small:
        return Markup('<span class="rate">{}</span>').format(_counts(words, rate))
    return Markup(
        '<span class="rate"><span class="share">{}</span> <span class="counts">{}</span></span>'
    ).format(words.percent(rate.value), _counts(words, rate))


def _counts(words: Words, rate: Rate) -> str:
    return words.text(
        "%(k)s of %(n)s", k=words.count(rate.numerator), n=words.count(rate.denominator)
    )


def ceiling(words: Words, rate: Rate) -> str | None:
    """What the rate may still become when every missing receipt turns out a delivery."""
    if rate.value is None or rate.high is None or rate.small:
        return None
    if rate.high - rate.value < VISIBLE_GAP:
        return None
    return words.text("up to %(high)s with the missing receipts", high=words.percent(rate.high))


def mender(words: Words, who: str) -> str:
    """Who can mend a cause."""
    match Mender(who):
        case Mender.SENDER:
            return words.text("we, the sender")
        case Mender.LIST:
            return words.text("the owner of the contact list")
        case Mender.PROVIDER:
            return words.text("the provider")
        case Mender.OPERATOR:
            return words.text("the mobile operator")
        case Mender.NOBODY:
            return words.text("nobody (another channel)")


def dimension(words: Words, name: str) -> str:
    """A dimension of the data, as it stands before a name."""
    known = {
        "source": words.text("source"),
        "provider": words.text("provider"),
        "operator": words.text("operator"),
        "sender": words.text("sender"),
        "country": words.text("country"),
        "campaign": words.text("campaign"),
        "channel": words.text("channel"),
        "number_prefix": words.text("numbers beginning with"),
        "contact_source": words.text("contacts from"),
        "template": words.text("text template"),
        "hour": words.text("sent at"),
    }
    return known.get(name, name)


def _rows_of(figures: Figures, name: str) -> Sequence[GroupRow]:
    rows = {
        "source": figures.by_source,
        "operator": figures.by_operator,
        "sender": figures.by_sender,
        "campaign": figures.by_campaign,
    }
    return rows.get(name, ())


def scope_value(words: Words, figures: Figures, name: str, key: str) -> str:
    """The printed name of one value of a dimension."""
    if name == "country":
        return words.country(key)
    row = next((row for row in _rows_of(figures, name) if row.key == key), None)
    return words.label(row.label if row else key)


def scope_text(words: Words, figures: Figures, scope: dict[str, str]) -> str:
    """The slice a finding is about."""
    if not scope:
        return words.text("all messages")
    return ", ".join(
        _slice_text(words, name, key, scope_value(words, figures, name, key))
        for name, key in sorted(scope.items())
    )


def _slice_text(words: Words, name: str, key: str, shown: str) -> str:
    """A dimension and its value; names of campaigns are sentences at times, so they are quoted."""
    if name == "campaign" and key != UNKNOWN_LABEL:
        return words.text("campaign “%(name)s”", name=shown)
    return f"{dimension(words, name)} {shown}"


def finding_title(words: Words, figures: Figures, finding: Finding) -> str:
    """What happened and where, in one line."""
    where = scope_text(words, figures, finding.scope)
    match finding.kind:
        case FindingKind.DELIVERY_DROP:
            return words.text("Delivery dropped: %(where)s", where=where)
        case FindingKind.RECEIPTS_MISSING:
            return words.text("Receipts are missing: %(where)s", where=where)
        case FindingKind.SLOW_DELIVERY:
            return words.text("Delivery was slow: %(where)s", where=where)
        case FindingKind.SENDER_BLOCKED:
            return words.text("The sender name is blocked: %(where)s", where=where)
        case FindingKind.DEAD_NUMBERS:
            title = words.text("Many numbers do not exist or take no SMS")
            return f"{title}: {where}" if finding.scope else title
        case FindingKind.UNMAPPED_WORDS:
            return words.text("Status words nobody has explained: %(where)s", where=where)
        case FindingKind.QUARANTINED:
            return words.text("Records could not be read: %(where)s", where=where)


def finding_evidence(words: Words, finding: Finding) -> str:
    """How many messages, against what is usual."""
    k, n = words.count(finding.affected), finding.messages
    if finding.kind is FindingKind.QUARANTINED:
        counts = words.plural(
            "Affected: %(k)s of %(n)s record", "Affected: %(k)s of %(n)s records", n, k=k
        )
    else:
        counts = words.plural(
            "Affected: %(k)s of %(n)s message", "Affected: %(k)s of %(n)s messages", n, k=k
        )
    parts = [counts]
    if finding.baseline is not None and finding.excess > 0:
        parts.append(words.text("%(k)s more than usual", k=words.count(finding.excess)))
    if finding.kind is FindingKind.DELIVERY_DROP and finding.baseline is not None:
        parts.append(
            words.text(
                "delivered %(rate)s; before: %(baseline)s",
                rate=rate_text(words, finding.rate),
                baseline=rate_text(words, finding.baseline),
            )
        )
    return "; ".join(parts)


def finding_when(words: Words, figures: Figures, finding: Finding) -> str:
    """When it happened, in the report's zone."""
    if finding.end - finding.start <= TIMES_SHOWN_UP_TO:
        return words.between(finding.start, finding.end, figures.zone)
    first, last = finding_span(finding, figures.zone)
    return words.span_short(first, last)


def money_list(words: Words, costs: Sequence[Cost], field: str = "spent_micro") -> str:
    """Sums of several currencies, joined; empty for none."""
    sums = [(cost.currency, getattr(cost, field)) for cost in costs]
    shown = [words.money(micro, currency) for currency, micro in sums if micro]
    return " + ".join(shown)


def headline(words: Words, figures: Figures) -> str:
    """The one sentence a reader takes away."""
    rate = figures.totals.delivery
    if rate.value is None:
        return _nothing(words, figures)
    parts = [words.text("Delivered: %(rate)s", rate=_headline_rate(words, rate))]
    parts += _goal(words, figures)
    parts += _worst(words, figures)
    return "; ".join(parts)


def _headline_rate(words: Words, rate: Rate) -> str:
    if rate.small:
        return rate_text(words, rate)
    number = words.compact(rate.denominator)
    share = words.percent(rate.value or 0.0)
    return words.text("%(share)s of %(n)s messages sent", share=share, n=number)


def _nothing(words: Words, figures: Figures) -> str:
    absent = [s for s in figures.sources if s.days_present < s.days_expected]
    if absent:
        names = ", ".join(words.label(s.source) for s in absent)
        return words.text("No conclusion: data of %(names)s is missing", names=names)
    return words.text("Nothing was sent in this period")


def _goal(words: Words, figures: Figures) -> list[str]:
    rate, goal = figures.totals.delivery, figures.goal
    if goal is None or rate.value is None or rate.small:
        return []
    shown = words.percent_plain(goal)
    if rate.value >= goal:
        return [words.text("the goal of %(goal)s is met", goal=shown)]
    if rate.high is not None and rate.high >= goal:
        return [
            words.text(
                "the goal of %(goal)s is still open until the missing receipts come", goal=shown
            )
        ]
    gap = words.points(goal - rate.value, signed=False)
    return [words.text("%(gap)s below the goal of %(goal)s", gap=gap, goal=shown)]


def _worst(words: Words, figures: Figures) -> list[str]:
    losses = [f for f in figures.findings if f.kind is not FindingKind.UNMAPPED_WORDS]
    if not losses:
        return []
    finding = max(losses, key=lambda f: (f.severity, f.excess, f.id))
    return [_problem(words, figures, finding)]


def _problem(words: Words, figures: Figures, finding: Finding) -> str:
    where = scope_text(words, figures, finding.scope)
    match finding.kind:
        case FindingKind.RECEIPTS_MISSING:
            return words.text("receipts are missing (%(where)s)", where=where)
        case FindingKind.DEAD_NUMBERS:
            text = words.plural(
                "%(n)s message went to a number that does not exist or takes no SMS",
                "%(n)s messages went to numbers that do not exist or take no SMS",
                finding.affected,
            )
            return f"{text} ({where})" if finding.scope else text
        case _:
            touched = max(finding.excess, 0) or finding.affected
            text = words.plural(
                "the largest problem touched about %(n)s message",
                "the largest problem touched about %(n)s messages",
                touched,
            )
            return f"{text} ({where})" if finding.scope else text


def daily_title(words: Words, figures: Figures) -> str:
    """What the series of days shows."""
    if figures.first_day == figures.last_day:
        return words.text("Delivery by hour")
    days = [p for p in figures.days if not p.totals.delivery.small]
    if not days:
        return words.text("Delivery by day")
    worst = min(days, key=_best_case)
    best = max(days, key=lambda p: p.totals.delivery.value or 0.0)
    low, high = _best_case(worst), best.totals.delivery.value or 0.0
    if high - low < LEVEL_DAYS:
        return words.text("Delivery was level from day to day")
    return words.text(
        "The worst day was %(day)s: delivered %(rate)s",
        day=words.day_month(worst.day),
        rate=rate_text(words, worst.totals.delivery),
    )


def _best_case(point: DayPoint) -> float:
    high = point.totals.delivery.high
    return high if high is not None else 1.0


def reasons_title(words: Words, figures: Figures) -> str:
    """How few reasons explain most of what did not arrive."""
    total, count = 0, 0
    for row in figures.reasons:
        if total >= MOST_SHARE * row.share.denominator:
            break
        total, count = total + row.share.numerator, count + 1
    if not figures.reasons or figures.reasons[0].share.small:
        return words.text("Why messages did not arrive")
    share = words.percent(total / figures.reasons[0].share.denominator, 0)
    of = of_denominator(words, figures.reasons[0].share)
    return words.plural(
        "%(n)s reason explains %(share)s %(of)s",
        "%(n)s reasons explain %(share)s %(of)s",
        count,
        share=share,
        of=of,
    )
