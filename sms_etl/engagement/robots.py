"""Which clicks were not people's: stated rules, and each click labelled with the rule it fell to.

Programs open links too: previews of messengers, filters of operators and mail, crawlers. The rules
are those the trade names (braze.com/docs "SMS and RCS bot click filtering", docs.tracklysms.com
"Bot detection", academy.insiderone.com "SMS bot clicks"); what they look for is data.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

import polars as pl

from sms_etl.dictionaries.tables import DataColumn, data_folder, read_table, require_unique
from sms_etl.errors import ConfigError

AGENTS_FILE, NETWORKS_FILE = "robot_agents.csv", "data_centre_networks.csv"
AGENT_COLUMNS = (DataColumn("pattern"), DataColumn("what"), DataColumn("source"))
NETWORK_COLUMNS = (DataColumn("network"), DataColumn("owner"), DataColumn("source"))

Network = IPv4Network | IPv6Network


class RobotRule(StrEnum):
    """Why a click is no person's, in the order in which the rules are asked."""

    PROVIDER = "provider"
    USER_AGENT = "user_agent"
    DATA_CENTRE = "data_centre"
    TOO_SOON = "too_soon"
    MANY_LINKS = "many_links"


@dataclass(frozen=True)
class RobotRules:
    """Limits of the rules that are not lists.

    soon_seconds: a click at most so long after the delivery was nobody's who read the text.
    many_links: so many messages or links opened by one visitor ...
    many_links_seconds: ... within so long a time, to the second, were opened by a program.
    networks: data-centre networks besides the packaged ones.
    """

    soon_seconds: float = 5.0
    many_links: int = 5
    many_links_seconds: float = 10.0
    networks: tuple[str, ...] = ()


def with_robot_rule(clicks: pl.DataFrame, rules: RobotRules) -> pl.DataFrame:
    """Add `robot_rule`: the first RobotRule a click falls to; null for a person's.

    A row that counts the clicks of a period says nothing a rule could ask, so it stays a person's
    unless the provider says otherwise.

    Args:
        clicks: CLICKS with `delivered_at`, when the message they belong to arrived (null: not
            known), and `opened`, what was opened (message or link).
        rules: limits.
    """
    single = pl.col("period_seconds") == 0
    after = pl.col("clicked_at") - pl.col("delivered_at")
    soon = after.is_between(timedelta(0), timedelta(seconds=rules.soon_seconds))
    found = {
        RobotRule.PROVIDER: pl.col("robot"),
        RobotRule.USER_AGENT: single & _named_robot(pl.col("user_agent")),
        RobotRule.DATA_CENTRE: single
        & pl.col("network").is_in(_in_data_centres(clicks["network"], rules.networks)),
        RobotRule.TOO_SOON: single & soon,
        RobotRule.MANY_LINKS: single & pl.col("_many"),
    }
    told = [
        pl.when(rule.fill_null(value=False)).then(pl.lit(name.value))
        for name, rule in found.items()
    ]
    return (
        clicks.with_columns(_many=_many_links(clicks, rules))
        .with_columns(robot_rule=pl.coalesce(*told))
        .drop("_many")
    )


def _named_robot(agent: pl.Expr) -> pl.Expr:
    return agent.str.contains(_agent_pattern())


@cache
def _agent_pattern() -> str:
    table = read_table(data_folder(), AGENTS_FILE, AGENT_COLUMNS)
    require_unique(AGENTS_FILE, table["pattern"])
    return "(?i)" + "|".join(f"(?:{pattern})" for pattern in table["pattern"])


def _in_data_centres(networks: pl.Series, more: tuple[str, ...]) -> list[str]:
    """Those of the visitors' networks that lie in a data centre."""
    ranges = {4: _ranges(4, more), 6: _ranges(6, more)}
    found = []
    for text in networks.drop_nulls().unique().to_list():
        network = ip_network(text)
        starts, ends = ranges[network.version]
        place = bisect_right(starts, int(network.network_address)) - 1
        if place >= 0 and int(network.broadcast_address) <= ends[place]:
            found.append(text)
    return found


@cache
def _ranges(version: int, more: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """First and last address of every data centre, ascending and apart from each other."""
    table = read_table(data_folder(), NETWORKS_FILE, NETWORK_COLUMNS)
    require_unique(NETWORKS_FILE, table["network"])
    listed = [_network(text) for text in (*table["network"], *more)]
    merged: list[Network]
    if version == 4:
        merged = list(collapse_addresses(n for n in listed if isinstance(n, IPv4Network)))
    else:
        merged = list(collapse_addresses(n for n in listed if isinstance(n, IPv6Network)))
    return [int(n.network_address) for n in merged], [int(n.broadcast_address) for n in merged]


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ConfigError(
            f"{text!r} in {NETWORKS_FILE} or engagement.robot_networks is no network such as "
            f"203.0.113.0/24: {error}"
        ) from None


def _many_links(clicks: pl.DataFrame, rules: RobotRules) -> pl.Series:
    """Whether the visitor opened many messages or links about that time.

    A visitor is one network with one user agent, or the person whose messages were opened.
    """
    width = timedelta(seconds=rules.many_links_seconds)
    single = clicks.with_row_index("_row").filter(pl.col("period_seconds") == 0)
    rows: set[int] = set()
    for visitor in (["network", "user_agent"], ["recipient"]):
        known = single.drop_nulls([*visitor, "opened"]).sort("clicked_at")
        if known.is_empty():
            continue
        burst = known.rolling("clicked_at", period=width, closed="both", group_by=visitor).agg(
            many=pl.col("opened").n_unique() >= rules.many_links,
            rows=pl.col("_row"),
        )
        rows |= set(burst.filter("many")["rows"].explode().to_list())
    many = pl.repeat(value=False, n=clicks.height, eager=True, dtype=pl.Boolean)
    return many.scatter(sorted(rows), True) if rows else many
