"""Campaigns beside each other, with what can be said of the differences."""

from __future__ import annotations

from sms_etl.reports import verdicts
from sms_etl.reports.figures import Figures
from sms_etl.reports.group_tables import message, table
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


def values(figures: Figures, words: Words) -> Values:
    """The table and the verdicts."""
    shown = table(words, figures, figures.by_campaign, "campaign", total=True)
    return {
        "title": words.text("This campaign beside the others of these days")
        if figures.campaign
        else message(words, words.text("Campaigns"), shown),
        "campaigns": shown,
        "verdicts": verdicts.campaign_sentences(words, figures),
    }


CAMPAIGNS = Section("campaigns", values, lambda figures: len(figures.by_campaign) > 1)
