"""Who an event is about, and how much of where it came from may be kept."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address, ip_network
from urllib.parse import unquote_plus

import polars as pl

from sms_etl.messages.erased import is_one_of
from sms_etl.messages.phones import key_id, parse_numbers, pseudonyms
from sms_etl.model.vocabulary import UNKNOWN_LABEL

KEPT_BITS = {4: 24, 6: 48}
"""Leading bits of an internet address that are kept: a network, not a household."""

_QUERY = r"[?#].*$"
_UTM_CAMPAIGN = r"[?&]utm_campaign=([^&#]+)"
_LOGIN = r"^(\w+://)[^/@]*@"


def with_person(rows: pl.DataFrame, home_country: str, key: bytes) -> pl.DataFrame:
    """Replace `recipient` by its pseudonym, the same as in messages; add `key_id`, `country`."""
    numbers = parse_numbers(rows["recipient"], home_country)
    numbers = numbers.select(
        recipient="raw", pseudonym=pseudonyms(numbers["e164"], key), country="country"
    )
    return (
        rows.join(numbers, on="recipient", how="left", nulls_equal=True)
        .with_columns(
            recipient="pseudonym",
            key_id=pl.when(pl.col("pseudonym").is_not_null()).then(pl.lit(key_id(key))),
            country=pl.col("country").fill_null(UNKNOWN_LABEL),
        )
        .drop("pseudonym")
    )


def without_erased(rows: pl.DataFrame, people: Collection[str]) -> pl.DataFrame:
    """Events of which those of erased people (pseudonyms, or contacts) are nobody's."""
    if not people:
        return rows
    mine = is_one_of(people)
    return rows.with_columns(
        pl.when(~mine).then(pl.col(name)).alias(name) for name in ("contact", "key_id", "recipient")
    )


def cut_link(link: pl.Expr) -> pl.Expr:
    """A link without its query, fragment and login, which may name the person."""
    return link.str.replace(_QUERY, "").str.replace(_LOGIN, "$1")


def campaign_of_link(links: pl.Series) -> pl.Series:
    """What `utm_campaign` of each link says, decoded; null without one."""
    told = pl.DataFrame({"link": links, "written": links.str.extract(_UTM_CAMPAIGN)})
    written = told["written"].drop_nulls().unique()
    decoded = pl.DataFrame(
        {
            "written": written,
            "campaign": pl.Series([unquote_plus(text) for text in written], dtype=pl.String),
        }
    )
    return told.join(decoded, on="written", how="left", maintain_order="left")["campaign"]


def cut_network(addresses: pl.Series) -> pl.Series:
    """Internet addresses cut to their network; null for what is none."""
    distinct = addresses.drop_nulls().unique()
    table = pl.DataFrame(
        {
            "address": distinct,
            "network": pl.Series([_network(text) for text in distinct], dtype=pl.String),
        }
    )
    joined = addresses.to_frame("address").join(
        table, on="address", how="left", maintain_order="left"
    )
    return joined["network"]


def _network(text: str) -> str | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return str(ip_network(f"{address}/{KEPT_BITS[address.version]}", strict=False))
