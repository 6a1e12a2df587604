"""One daily asset for all clicks and orders: robots told from people, orders from messages."""

import dagster as dg

from assets.engagement import ENGAGEMENT_GROUP, events_key
from assets.failures import explained
from assets.partitions import days_of
from assets.sources import chunks, column_schema, messages_key
from sms_etl.engagement.attribute import attribute_days, sources_with
from sms_etl.model.attribution import ATTRIBUTION
from sms_etl.model.vocabulary import Engagement
from sms_etl.project import Project

ATTRIBUTION_KEY = dg.AssetKey([ENGAGEMENT_GROUP, "attribution"])


def is_attributed(project: Project) -> bool:
    """Whether clicks or orders are pulled at all."""
    return any(sources_with(project, kind) for kind in (Engagement.CLICKS, Engagement.ORDERS))


def build_attribution_asset(
    project: Project, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    """The asset; it has a job of its own, so that a provider that fails does not stop it."""
    events = [
        events_key(name, kind)
        for kind in (Engagement.CLICKS, Engagement.ORDERS)
        for name in sources_with(project, kind)
    ]

    @dg.asset(
        key=ATTRIBUTION_KEY,
        deps=[*events, *(messages_key(name) for name in project.source_names)],
        partitions_def=partitions,
        backfill_policy=chunks(project),
        group_name=ENGAGEMENT_GROUP,
        kinds={"polars", "deltalake"},
        metadata={"dagster/column_schema": column_schema(ATTRIBUTION)},
        description=(
            "Every click with the rule it fell to as a robot's and the message it belongs to; "
            "every order with the message that preceded it, in every window at once. Made from "
            "the lake alone: backfill it after a change of rules. Orders given back on these days "
            "are done again."
        ),
    )
    def attribution(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = days_of(context)
        with explained():
            done = attribute_days(project, days)
        for day in days:
            told = {
                "dagster/partition_row_count": done.orders.get(day, 0),
                "clicks": done.clicks.get(day, 0),
                "robots": done.robots.get(day, 0),
            }
            context.add_asset_metadata(told, partition_key=str(day))
        return dg.MaterializeResult(
            metadata={
                "orders": sum(done.orders.values()),
                "clicks": sum(done.clicks.values()),
                "robots": sum(done.robots.values()),
            }
        )

    return attribution
