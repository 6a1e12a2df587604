"""What a report says of engagement, returns and loyalty, from the lake, counted by two routes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import polars as pl

from sms_etl.config.settings import ReportKind
from sms_etl.engagement.attribution import LONGEST, net_orders
from sms_etl.metrics.cohort import Cohort
from sms_etl.metrics.engaged import HORIZON, EngagementTables, engagement, refused_messages
from sms_etl.metrics.engagement_check import check_engagement, check_returns
from sms_etl.metrics.lift import lifts_of
from sms_etl.metrics.loyalty import BESIDE, BuyerTables, loyal_unreachable, loyalty
from sms_etl.metrics.money import Rates
from sms_etl.metrics.returns import Headline, brought, by_campaign, returns_of
from sms_etl.model.attribution import ATTRIBUTION, JUDGED_CLICKS
from sms_etl.model.engagement import CLICKS, OPT_OUTS, ORDERS, REPLIES
from sms_etl.model.schemas import ASKED, MESSAGES, Table
from sms_etl.model.vocabulary import OrderKind
from sms_etl.project import Project
from sms_etl.reports.engagement_figures import Attributed, Engagement, Loyalty
from sms_etl.reports.figures import Figures

BEFORE = timedelta(days=28)
"""Messages of so long before a report tell whether people are reached."""

MARGIN = timedelta(days=1)
"""A reader's day is not the business day."""

TOLD_IN = (ReportKind.PERIOD, ReportKind.CAMPAIGN)

AFTER = max(HORIZON, LONGEST, BESIDE)


def engaged_figures(project: Project, figures: Figures, rates: Rates | None) -> dict[str, Any]:
    """Fields of Figures that tell of engagement, in kinds of reports that print them.

    Raises:
        ConservationError: two ways of counting disagree; the message names the figure.
    """
    if figures.kind not in TOLD_IN:
        return {}
    labels = {row.key: row.label for row in figures.by_campaign}
    cohort = Cohort(
        days=(figures.first_day, figures.last_day),
        zone=figures.zone,
        as_of=figures.data_as_of,
        campaign=figures.campaign,
        label=lambda campaign: labels.get(campaign, campaign),
        asked=figures.filters,
    )
    source = _Source(project, cohort, rates)
    return {
        "engagement": source.engagement(figures),
        "attributed": source.attributed(figures),
        # Buyers are those of the whole shop.
        "loyalty": None if figures.filters else source.loyalty,
    }


def unreachable_people(project: Project, cohort: Cohort, rates: Rates | None) -> pl.DataFrame:
    """The loyal people whose last two messages did not arrive (metrics.loyalty)."""
    days = project.settings.engagement.loyalty_days
    return loyal_unreachable(_Source(project, cohort, rates).buyers, cohort, days, rates)


@dataclass(frozen=True)
class _Source:
    """The tables of one report."""

    project: Project
    cohort: Cohort
    rates: Rates | None

    def scan(self, table: Table, before: timedelta, after: timedelta) -> pl.LazyFrame:
        """A table of the days of the report and of some around them."""
        first, last = self.cohort.days
        return self.project.lake.scan(table, first - before - MARGIN, last + after + MARGIN)

    @cached_property
    def messages(self) -> pl.LazyFrame:
        """MESSAGES of the report, of the weeks before it and of what can follow it."""
        return self.scan(MESSAGES, BEFORE, AFTER)

    @cached_property
    def tables(self) -> EngagementTables:
        """Events of the report's messages."""
        return EngagementTables(
            messages=self.messages,
            clicks=self.scan(CLICKS, timedelta(0), AFTER),
            judged=self.scan(JUDGED_CLICKS, timedelta(0), AFTER),
            replies=self.scan(REPLIES, BEFORE, AFTER),
            opt_outs=self.scan(OPT_OUTS, BEFORE, AFTER),
        )

    def engagement(self, figures: Figures) -> Engagement | None:
        """What people did."""
        found = engagement(self.tables, self.cohort)
        if found is not None:
            check_engagement(found, self.tables, self.cohort, figures)
        return found

    def attributed(self, figures: Figures) -> Attributed | None:
        """What the messages brought; null without an attributed order or a holdout."""
        rows = self.scan(ATTRIBUTION, timedelta(0), AFTER)
        settings, cohort = self.project.settings.engagement, self.cohort
        bought = rows.filter(pl.col("net_micro") > 0).select("recipient", "contact", "ordered_at")
        orders = bought.collect()
        if orders.is_empty():
            return None
        asked = self.scan(ASKED, timedelta(0), timedelta(0))
        lifts = lifts_of(asked, self.messages, orders, settings.lift_days, cohort)
        headline = Headline(settings.click_days, settings.delivery_hours)
        judged = self.tables.judged
        found = brought(rows, judged, self.messages, cohort, headline, self.rates)
        totals = {row.key: row.totals for row in figures.by_campaign}
        whole = returns_of(found, None, figures.totals, cohort, headline, self.rates)
        campaigns = by_campaign(found, totals, lifts, cohort, headline, self.rates)
        result = Attributed(
            click_days=settings.click_days,
            delivery_hours=settings.delivery_hours,
            whole=whole,
            by_campaign=campaigns if cohort.campaign is None else (),
            lifts=lifts,
        )
        check_returns(result, rows, self.messages, cohort)
        return result

    @cached_property
    def buyers(self) -> BuyerTables:
        """Orders of a year, and messages with what followed them."""
        days = timedelta(days=self.project.settings.engagement.loyalty_days)
        orders = self.scan(ORDERS, days, AFTER).collect()
        judged = self.tables.judged.filter(
            pl.col("robot_rule").is_null(), pl.col("message_id").is_not_null()
        )
        clicked = judged.select("message_source", "message_id").unique().collect()
        return BuyerTables(
            orders=net_orders(
                orders.filter(kind=OrderKind.ORDER.value),
                orders.filter(kind=OrderKind.REFUND.value),
            ),
            messages=self.messages,
            clicked=None if clicked.is_empty() else clicked,
            refused=refused_messages(self.tables),
        )

    @property
    def loyalty(self) -> Loyalty | None:
        """Buyers in fifths; null for too few of them."""
        days = self.project.settings.engagement.loyalty_days
        if self.buyers.orders.is_empty():
            return None
        return loyalty(self.buyers, self.cohort, days, self.rates)
