from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from sms_etl.clean_base.proof import saved, still_sent
from sms_etl.model.schemas import ASKED, UTC_TIME
from tests.clean_base.frames import at, messages, table

KYIV = "Europe/Kyiv"
SPANS = pl.Schema([("recipient", pl.String), ("since", UTC_TIME), ("until", UTC_TIME)])


def listed(*rows: tuple[str, datetime, datetime | None]) -> pl.LazyFrame:
    return pl.DataFrame(list(rows), schema=SPANS, orient="row").lazy()


def asked(*rows: dict[str, Any]) -> pl.LazyFrame:
    plain = {"day": at(10).date(), "source": "alpha", "campaign": "sale", "messages": 1}
    skipped = {"skipped": "suppressed", "recipient": "anna"}
    return table(ASKED, [plain | skipped | row for row in rows])


PRICED = messages(
    {"campaign": "sale", "cost_micro": 100, "currency": "UAH", "recipient": "ivan"},
    {"campaign": "sale", "cost_micro": 300, "currency": "UAH", "recipient": "ivan"},
    {"campaign": "news", "cost_micro": 900, "currency": "UAH", "recipient": "ivan"},
    {"campaign": "news", "cost_micro": 7, "currency": "USD", "source": "beta"},
)


def test_a_row_skipped_for_somebody_on_the_list_is_saved_at_the_price_its_campaign_paid() -> None:
    found = saved(asked({"messages": 3}), PRICED, listed(("anna", at(1), None)), KYIV)

    assert found is not None
    assert (found.messages, found.people, found.unpriced) == (3, 1, 0)
    assert found.cost_micro == {"UAH": 3 * 200}


def test_a_campaign_without_prices_takes_those_of_its_source_and_else_of_all() -> None:
    def cost(**row: Any) -> dict[str, int]:
        found = saved(asked(row), PRICED, listed(("anna", at(1), None)), KYIV)
        assert found is not None
        return dict(found.cost_micro)

    assert cost(campaign="new") == {"UAH": round(1300 / 3)}
    assert cost(campaign="new", source="beta") == {"USD": 7}
    assert cost(campaign="new", source="gamma") == {"UAH": round(1300 / 3)}


def test_a_skipped_message_is_priced_by_the_country_of_the_persons_number() -> None:
    paid = messages(
        {"campaign": "sale", "cost_micro": 100, "currency": "UAH", "recipient": "ivan"},
        {"campaign": "sale", "cost_micro": 900, "currency": "UAH", "recipient": "jan"}
        | {"country": "PL"},
    )
    before = messages({"country": "PL", "status_class": "failed", "cost_micro": 900})
    spans = listed(("anna", at(1), None))

    abroad, unknown = (saved(asked({}), paid, spans, KYIV, told) for told in (before, None))
    assert abroad is not None
    assert unknown is not None
    assert (abroad.cost_micro, unknown.cost_micro) == ({"UAH": 900}, {"UAH": 500})


def test_whom_the_source_refused_free_of_charge_costs_nothing_to_skip() -> None:
    refused = {"status_class": "rejected", "cost_micro": None}
    before = messages(refused | {"submitted_at": at(1)}, refused | {"source": "beta"})
    again = messages(refused | {"submitted_at": at(1)}, {"cost_micro": 9, "submitted_at": at(2)})
    spans = listed(("anna", at(1), None))

    free, charged = (saved(asked({}), PRICED, spans, KYIV, told) for told in (before, again))
    assert free is not None
    assert charged is not None
    assert (free.messages, free.unpriced, free.cost_micro) == (1, 0, {"UAH": 0})
    assert charged.cost_micro == {"UAH": 200}


def test_without_any_price_messages_are_saved_and_money_is_not_claimed() -> None:
    found = saved(asked({}), messages({}), listed(("anna", at(1), None)), KYIV)

    assert found is not None
    assert (found.messages, found.unpriced, found.cost_micro) == (1, 1, {})


def test_who_was_skipped_for_another_reason_or_listed_later_is_not_saved_by_the_list() -> None:
    rows = asked({}, {"recipient": "ivan"}, {"recipient": "olha"})
    spans = listed(
        ("anna", at(10, 8), None),
        ("olha", at(1), at(9)),
    )
    found = saved(rows, PRICED, spans, KYIV)

    assert found is not None
    assert (found.messages, found.cost_micro) == (0, {})


def test_the_list_of_a_day_is_the_one_that_stood_at_its_midnight_in_the_business_zone() -> None:
    midnight = at(9, 21)
    before, after = midnight.replace(hour=20, minute=59), midnight.replace(minute=1)

    def count(since: datetime) -> int:
        found = saved(asked({}), PRICED, listed(("anna", since, None)), KYIV)
        assert found is not None
        return found.messages

    assert (count(before), count(after)) == (1, 0)


def test_an_outbox_that_tells_nobody_who_was_skipped_proves_nothing() -> None:
    submitted = asked({"skipped": None, "recipient": None})

    assert saved(submitted, PRICED, listed(("anna", at(1), None)), KYIV) is None


def test_what_was_sent_to_people_on_the_list_is_counted_with_its_cost_and_what_came_of_it() -> None:
    rows = messages(
        {"submitted_at": at(10), "cost_micro": 5, "currency": "UAH", "status_class": "failed"},
        {"submitted_at": at(11), "cost_micro": 6, "currency": "UAH"},
        {"submitted_at": at(10), "cost_micro": 9, "currency": "UAH", "recipient": "ivan"},
        {"submitted_at": at(2), "cost_micro": 9, "currency": "UAH"},
    )
    spans = listed(("anna", at(3), None), ("anna", at(4), None))
    found = still_sent(rows, spans, KYIV)

    assert (found.messages, found.people, found.undelivered) == (2, 1, 1)
    assert found.cost_micro == {"UAH": 11}
