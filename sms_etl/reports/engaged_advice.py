"""What to do about refusals and about loyal customers out of reach."""

from __future__ import annotations

from collections.abc import Iterator

from sms_etl.metrics.rate import Rate
from sms_etl.reports import sentences
from sms_etl.reports.engagement_figures import Engaged
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words

MANY_REFUSALS = 0.013
"""Share of refusals within a day from which Klaviyo warns (help.klaviyo.com, SMS deliverability);
a campaign is named when chance does not explain that it is above."""

REFUSAL_HOURS = 24

Told = tuple[str, str]
"""What to do, and what is at stake."""


def engaged_steps(words: Words, figures: Figures) -> Iterator[Told]:
    """Steps from what people did, for whoever keeps the list."""
    annoying = refused_campaign(figures)
    if annoying is not None:
        yield _fewer(words, figures, *annoying)
    loyalty = figures.loyalty
    if loyalty is not None and loyalty.unreachable.numerator:
        n = loyalty.unreachable.numerator
        yield (
            words.text(
                "Ask loyal customers whose last two messages were lost for a working number."
            ),
            words.plural("%(n)s loyal customer", "%(n)s loyal customers", n),
        )


def refused_campaign(figures: Figures) -> tuple[Engaged, Rate] | None:
    """The campaign that loses most people in a day, if it loses too many and not by chance."""
    found = figures.engagement
    if found is None:
        return None
    rows = found.by_campaign if figures.campaign is None else (found.whole,)
    many = [
        (one, refused.rate)
        for one in rows
        for refused in one.opt_outs
        if refused.window_hours == REFUSAL_HOURS and _too_many(refused.rate)
    ]
    return max(many, key=lambda pair: (pair[1].numerator, pair[0].label), default=None)


def _too_many(rate: Rate) -> bool:
    return not rate.small and rate.interval is not None and rate.interval.low > MANY_REFUSALS


def _fewer(words: Words, figures: Figures, one: Engaged, rate: Rate) -> Told:
    label = one.label if one.campaign is not None else figures.campaign_label or ""
    return (
        words.text(
            "Write “%(campaign)s” to fewer people or less often: within a day after it refused "
            "%(rate)s.",
            campaign=words.label(label),
            rate=sentences.rate_text(words, rate),
        ),
        words.plural("%(n)s person lost", "%(n)s people lost", rate.numerator),
    )
