from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sms_etl.suspicions.rows import SAMPLE, suspicions
from tests.suspicions.traffic import END, honest, pumped, traffic

LAST_DAY = (END - timedelta(days=1)).date()


def signs(rows: list[dict[str, Any]]) -> dict[tuple[str, str], set[str]]:
    found = suspicions(traffic(rows), LAST_DAY)
    told: dict[tuple[str, str], set[str]] = {}
    for kind, scope, sign in found.select("kind", "scope", "sign").iter_rows():
        told.setdefault((kind, scope), set()).add(sign)
    return told


PUMPED = ("pumped_traffic", "country=AZ,number_prefix=9947012")


def test_honest_traffic_raises_no_suspicion() -> None:
    assert signs(honest()) == {}


@pytest.mark.slow
def test_honest_traffic_of_many_seeds_raises_hardly_any_suspicion() -> None:
    raised = sum(bool(signs(honest(seed))) for seed in range(40))

    assert raised <= 2


def test_a_pumped_prefix_is_suspected_by_every_sign_it_shows_and_alone() -> None:
    found = signs([*honest(), *pumped()])

    assert set(found) == {PUMPED}
    assert found[PUMPED] >= {"growth", "number_runs", "no_clicks"}


def test_a_suspicion_names_its_figures_its_time_and_messages_to_test() -> None:
    found = suspicions(traffic([*honest(), *pumped()]), LAST_DAY)
    runs = found.filter(sign="number_runs").row(0, named=True)

    assert runs["value"] == 1.0
    assert runs["usual"] < 0.01
    assert runs["of"] == runs["messages"] == 400
    assert runs["last_at"] - runs["first_at"] == timedelta(seconds=20 * 399)
    assert len(runs["sample"]) == SAMPLE
    assert runs["day"] == LAST_DAY


def test_a_new_market_whose_people_click_is_not_suspected() -> None:
    """Growth alone is what a business hopes for."""
    spread = pumped(in_number_run=False, cost_micro=50_000)
    for number, row in enumerate(spread):
        row["clicked"] = number % 12 == 0

    assert signs([*honest(), *spread]) == {}


def test_a_few_messages_to_a_new_country_are_not_suspected() -> None:
    assert signs([*honest(), *pumped(20)]) == {}


def faked(sign: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The route beta to Vodafone fakes its receipts."""
    for number, row in enumerate(rows):
        if (row["source"], row["operator"]) == ("beta", "Vodafone"):
            match sign:
                case "no_clicks":
                    row["clicked"] = row["clicked"] and number % 6 == 0
                case "too_fast":
                    row["seconds_to_deliver"] = 0.2 + number % 5 / 10
                case "same_time":
                    row["seconds_to_deliver"] = 3.0
    return rows


@pytest.mark.parametrize("sign", ["no_clicks", "too_fast", "same_time"])
def test_a_route_with_faked_receipts_is_suspected_for_its_operator_only(sign: str) -> None:
    route = ("faked_receipts", "source=beta,operator=Vodafone")

    assert signs(faked(sign, honest())) == {route: {sign}}


def test_a_route_that_carries_a_campaign_of_few_clicks_is_not_suspected_for_it() -> None:
    """Everybody opens less of that campaign, whichever way it goes."""
    rows = honest()
    for number, row in enumerate(rows):
        beta = row["source"] == "beta"
        if beta or number % 40 == 0:
            row |= {"campaign": "news", "clicked": row["clicked"] and number % 6 == 0}

    assert signs(rows) == {}


def test_a_route_alone_to_its_operator_has_nothing_to_be_held_beside() -> None:
    rows = [row | {"source": "alpha"} for row in honest()]
    for row in rows:
        row["seconds_to_deliver"] = 0.4 + row["submitted_at"].second / 100

    assert signs(rows) == {}


def test_without_clicks_and_messages_nothing_is_said() -> None:
    assert signs([]) == {}
    assert signs([row | {"clicked": False} for row in honest()]) == {}
