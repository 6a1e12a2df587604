from __future__ import annotations

from datetime import time
from typing import Any

import polars as pl
import pytest

from sms_etl.compliance.judge import Judged, Material, judge, lookback_days
from sms_etl.compliance.packs import Pack, PackRule, pack_rules
from sms_etl.compliance.zones import zones_of
from sms_etl.model.compliance import BREACHES, BreachKind
from tests.clean_base.frames import at, days
from tests.compliance.frames import consents, refusals, sent

MONTH = days(1, 31)
GRACE = PackRule(id="t.out", kind=BreachKind.AFTER_OPT_OUT, grace_hours=24, source="test")
NIGHT = PackRule(
    id="t.night", kind=BreachKind.NIGHT, quiet_from=time(21), quiet_to=time(8), source="test"
)
WEEK = PackRule(id="t.week", kind=BreachKind.FREQUENCY, most=2, days=7, source="test")
CONSENT = PackRule(id="t.consent", kind=BreachKind.NO_CONSENT, source="test")
WORDING = PackRule(id="t.wording", kind=BreachKind.NO_OPT_OUT_WORDING, source="test")


def judged(
    rule: PackRule,
    messages: pl.LazyFrame,
    refused: pl.LazyFrame | None = None,
    consented: pl.LazyFrame | None = None,
    *,
    register: bool = True,
) -> Judged:
    material = Material(
        messages,
        refusals() if refused is None else refused,
        consents() if consented is None else consented,
        register,
    )
    return judge(material, [rule], MONTH)


def broken(found: Judged) -> list[str]:
    return found.breaches["message_id"].to_list()


def said(found: Judged) -> dict[str, int]:
    return dict(found.judgements.select("judgement", "messages").rows())


def test_a_message_after_a_refusal_and_its_grace_is_a_breach_with_the_refusal_as_evidence() -> None:
    stop = refusals({"since": at(8, 9), "evidence": ["alpha:r1"]})
    found = judged(GRACE, sent({"submitted_at": at(9, 9)}, {"submitted_at": at(9, 9, 1)}), stop)

    assert found.breaches.select("message_id", "since", "evidence").rows() == [
        ("m2", at(8, 9), ["alpha:r1"])
    ]
    assert said(found) == {"breach": 1, "kept": 1}


def test_a_refusal_that_no_longer_holds_or_is_somebody_elses_breaks_nothing() -> None:
    over = refusals({"since": at(1), "until": at(5), "evidence": []})
    other = refusals({"since": at(1), "recipient": "ivan", "evidence": []})

    assert broken(judged(GRACE, sent({}), over)) == []
    assert broken(judged(GRACE, sent({}), other)) == []


def test_ten_business_days_after_a_friday_end_on_the_friday_two_weeks_later() -> None:
    rule = GRACE.model_copy(update={"grace_hours": None, "grace_business_days": 10})
    friday = at(2)
    stop = refusals({"since": friday, "evidence": []})
    messages = sent({"submitted_at": at(16)}, {"submitted_at": at(16, 10, 1)})

    assert friday.weekday() == 4
    assert broken(judged(rule, messages, stop)) == ["m2"]


@pytest.mark.parametrize(
    ("utc", "night"),
    [((17, 59), False), ((18, 0), True), ((4, 59), True), ((5, 0), False), ((23, 30), True)],
)
def test_night_is_by_the_clock_of_the_persons_own_zone(utc: tuple[int, int], night: bool) -> None:
    """Kyiv is three hours ahead of UTC in early October."""
    found = judged(NIGHT, sent({"submitted_at": at(10, *utc)}))

    assert bool(broken(found)) is night


def test_night_in_kyiv_is_day_in_new_york() -> None:
    new_york = {"number_prefix": "1212555", "country": "US", "submitted_at": at(10, 19)}
    found = judged(NIGHT, sent(new_york, {"submitted_at": at(10, 19)}))

    assert broken(found) == ["m2"]
    assert found.breaches["local_time"].to_list() == ["2026-10-10 22:00 Europe/Kyiv"]


def test_a_zone_that_is_not_known_or_not_certain_is_no_breach_and_is_counted_apart() -> None:
    toll_free = {"number_prefix": "1800555", "country": "US", "submitted_at": at(10, 12)}
    nowhere = {"number_prefix": "9999999", "submitted_at": at(10, 23)}
    no_number = {"number_prefix": None, "submitted_at": at(10, 23)}
    found = judged(NIGHT, sent(toll_free, nowhere, no_number))

    assert broken(found) == []
    assert said(found) == {"zone_ambiguous": 1, "zone_unknown": 2}


def test_where_every_zone_of_a_number_has_night_it_is_certain() -> None:
    """Russia's zones lie between two and twelve hours ahead of UTC."""
    russia = {"number_prefix": "7", "country": "RU"}
    night = sent(russia | {"submitted_at": at(10, 19)}, russia | {"submitted_at": at(10, 12)})
    found = judged(NIGHT, night)

    assert said(found) == {"breach": 1, "zone_ambiguous": 1}


def test_more_than_the_most_in_any_seven_days_is_a_breach_per_message_beyond() -> None:
    messages = sent(*({"submitted_at": at(day)} for day in (1, 3, 5, 8, 20)))
    found = judged(WEEK, messages)

    assert found.breaches.select("message_id", "sent", "evidence").rows() == [
        ("m3", 3, ["alpha:m3", "alpha:m2", "alpha:m1"]),
        ("m4", 3, ["alpha:m4", "alpha:m3", "alpha:m2"]),
    ]


def test_messages_of_one_moment_count_one_by_one() -> None:
    found = judged(WEEK, sent({}, {}, {}, {}))

    assert found.breaches.select("message_id", "sent").rows() == [("m3", 3), ("m4", 4)]


def test_messages_before_the_days_judged_count_but_are_not_told() -> None:
    messages = sent(*({"submitted_at": at(day)} for day in (1, 2, 3)))
    material = Material(messages, refusals(), consents(), register=True)

    assert judge(material, [WEEK], days(3, 3)).breaches["message_id"].to_list() == ["m3"]
    assert judge(material, [WEEK], days(4, 9)).judgements.is_empty()
    assert lookback_days([WEEK, NIGHT]) == 7


def test_only_messages_without_consent_count_where_the_rule_says_so() -> None:
    rule = WEEK.model_copy(update={"without_consent": True})
    messages = sent(*({"submitted_at": at(day)} for day in (1, 2, 3, 4, 5)))
    since_the_third = consents({"given_at": at(3, 1)})

    assert broken(judged(rule, messages, consented=since_the_third)) == []
    assert broken(judged(rule, messages)) == ["m3", "m4", "m5"]


@pytest.mark.parametrize(
    ("entry", "breach"),
    [
        ({"given_at": at(10, 8)}, False),
        ({"given_at": at(10, 10)}, True),
        ({"given_at": at(1), "withdrawn_at": at(5)}, True),
        ({"given_at": at(1), "withdrawn_at": at(11)}, False),
        ({"given_at": at(1), "recipient": None, "contact": "c-anna"}, False),
        ({"given_at": at(1), "recipient": "ivan"}, True),
        ({"given_at": at(1), "purpose": "transactional"}, True),
        ({"given_at": None}, False),
    ],
)
def test_a_consent_counts_if_it_is_older_and_still_held(
    entry: dict[str, Any], breach: bool
) -> None:
    found = judged(CONSENT, sent({"contact": "c-anna"}), consented=consents(entry))

    assert bool(broken(found)) is breach


def test_without_a_register_nobody_is_said_to_have_given_no_consent() -> None:
    found = judged(CONSENT, sent({}), register=False)

    assert (broken(found), said(found)) == ([], {"no_register": 1})


def test_a_text_that_does_not_say_how_to_refuse_is_a_breach_and_no_text_is_not() -> None:
    found = judged(WORDING, sent({"opt_out_wording": False}, {"opt_out_wording": None}, {}))

    assert broken(found) == ["m1"]
    assert said(found) == {"breach": 1, "kept": 1, "no_text": 1}


@pytest.mark.parametrize("rule", [GRACE, NIGHT, WEEK, CONSENT, WORDING], ids=lambda r: r.kind)
def test_transactional_and_rejected_are_in_no_count_and_unknown_purpose_is_not_judged(
    rule: PackRule,
) -> None:
    worst: dict[str, Any] = {"opt_out_wording": False, "submitted_at": at(10, 22)}
    rows = [worst | {"purpose": "transactional"}, worst | {"status_class": "rejected"}]
    unknown = worst | {"purpose": "unknown"}
    stop = refusals({"since": at(1), "evidence": []})
    found = judged(rule, sent(*rows * 3, *[unknown] * 4), stop)

    assert broken(found) == []
    assert said(found) == {"purpose_unknown": 4}


def test_a_pack_is_about_the_numbers_of_its_countries() -> None:
    poland = {"country": "PL", "opt_out_wording": False, "number_prefix": "4860112"}
    everybody = sent({"opt_out_wording": False}, poland)
    material = Material(everybody, refusals(), consents(), register=False)
    found = judge(material, [r for pack in Pack for r in pack_rules(pack)], MONTH)

    assert found.breaches.select("message_id", "rule").rows() == [
        ("m2", "eu.wording"),
        ("m1", "ua.wording"),
    ]


def test_no_messages_and_no_rules_give_empty_tables() -> None:
    nothing = Material(sent(), refusals(), consents(), register=True)

    assert judge(nothing, [NIGHT, WEEK, GRACE], MONTH).breaches.schema == BREACHES.schema
    assert judge(nothing, [], MONTH).judgements.is_empty()


def test_every_rule_of_every_pack_has_a_source_a_place_it_was_read_and_a_date() -> None:
    for pack in Pack:
        for rule in pack_rules(pack):
            assert rule.source
            assert rule.source_uk
            assert rule.reading_uk
            assert rule.seen
            assert rule.read_on is not None
            assert rule.countries
            assert rule.id.startswith(pack.value)


def test_zones_are_those_of_libphonenumber() -> None:
    assert zones_of("3805012") == ("Europe/Kyiv",)
    assert zones_of("9999999") == ()
    assert len(zones_of("1800555")) > 10
