"""What a reader is told of money: one currency, late prices, odd letters, parts billed."""

from __future__ import annotations

from datetime import date

import pytest

from sms_etl.config.settings import Language
from sms_etl.model.vocabulary import MICRO
from sms_etl.reports import advice, cards
from sms_etl.reports.figures import (
    Converted,
    EncodingWaste,
    Figures,
    LatinOption,
    Money,
    PartsBilled,
    Totals,
)
from sms_etl.reports.language import Words
from sms_etl.reports.letters_told import billed_note, latin_note, shown_letters
from sms_etl.reports.quality import source_notes
from sms_etl.reports.render import render
from tests.reports import samples

EN, UK = Words(Language.ENGLISH), Words(Language.UKRAINIAN)


def whole(**changes) -> Converted:
    return Converted(
        **{
            "currency": "UAH",
            "spent_micro": 2_000_000 * MICRO,
            "spent_on_undelivered_micro": 60_000 * MICRO,
            "per_delivered_micro": 440_000,
            "messages_with_cost": 1000,
            "first_rate_day": date(2026, 9, 30),
            "last_rate_day": date(2026, 10, 30),
            **changes,
        }
    )


def with_totals(**changes) -> Figures:
    month = samples.month()
    return month.model_copy(update={"totals": month.totals.model_copy(update=changes)})


def test_all_money_is_one_sum_and_what_was_paid_stands_beside_it():
    card = cards.spend(EN, with_totals(converted=whole()))
    assert card.value == "UAH 2.00M"
    assert card.notes[0].startswith("paid: UAH ")
    assert " + $" in card.notes[0]
    assert card.notes[0].endswith("at the rates of 30 September – 30 October 2026")
    assert card.notes[1] == "UAH 60,000 of it on undelivered messages"
    per = cards.per_delivered(EN, with_totals(converted=whole()))
    assert per.value == "UAH 0.440"


def test_money_without_a_rate_is_said_aloud():
    missing = (Money(currency="USD", micro=12 * MICRO),)
    for words, text in ((EN, "WITHOUT $12.00: there is no rate for it"), (UK, "БЕЗ")):
        notes = cards.spend(words, with_totals(converted=whole(missing=missing))).notes
        assert any(note.startswith(text) for note in notes)


def test_where_nothing_could_be_converted_currencies_stand_apart_and_it_is_said():
    costs = samples.month().totals.costs
    missing = tuple(Money(currency=cost.currency, micro=cost.spent_micro) for cost in costs)
    nothing = whole(
        currency="EUR", spent_micro=0, messages_with_cost=0,
        first_rate_day=None, last_rate_day=None, missing=missing,
    )  # fmt: skip
    notes = cards.spend(EN, with_totals(converted=nothing)).notes
    assert notes[0].startswith("and $")
    assert notes[1] == "NOT in EUR: there is no rate for it"


@pytest.mark.parametrize(
    ("mature", "told"), [(True, "no more usually come"), (False, "more may come")]
)
def test_the_card_says_whether_more_prices_may_come(mature, told):
    month = samples.month()
    n = month.totals.submitted
    rate = samples.rate(n - 5000, n, missing=0 if mature else 4000)
    costs = tuple(
        cost.model_copy(update={"messages_with_cost": cost.messages_with_cost - 2500})
        for cost in month.totals.costs
    )
    notes = cards.spend(EN, with_totals(prices=rate, costs=costs)).notes
    assert any(told in note for note in notes)


def wasteful(parts: int = 90_000, **changes) -> Figures:
    waste = EncodingWaste(
        campaign="otp",
        label="Код входу (OTP)",
        letters=("–", "–\u00a0"),
        messages=parts,
        parts=parts,
        money=(Money(currency="UAH", micro=38_000 * MICRO),),
    )
    return samples.month(waste=(waste,), **changes)


def told(words: Words, figures: Figures) -> list[advice.Step]:
    return [step for step in advice.steps(words, figures) if "160" in step.what]


def test_one_line_says_which_letter_to_replace_and_what_it_cost():
    [step] = told(EN, wasteful())
    assert step.what == (
        "Replace “–”, U+00A0 in the texts of the campaign “Код входу (OTP)” by plain characters: "
        "one of them leaves 70 characters to a part instead of 160."
    )
    assert step.stake == "90,000 parts too many: UAH 38,000"
    [step] = told(UK, wasteful())
    assert step.what.startswith("Замініть «–», U+00A0 у текстах кампанії «Код входу (OTP)»")
    assert "зайвих частин" in step.stake


def test_a_few_parts_earn_no_step():
    assert told(EN, wasteful(parts=3)) == []
    assert told(EN, samples.month()) == []


def test_characters_that_cannot_be_seen_are_named_by_their_code_point():
    assert shown_letters(EN, ["\u200b’", "’…"]) == "U+200B, “’”, “…”"


def test_latin_letters_are_an_option_and_no_advice():
    option = LatinOption(parts=1200, money=(Money(currency="UAH", micro=504 * MICRO),))
    figures = samples.month(latin_option=option)
    assert latin_note(EN, figures) == (
        "An option, no advice: Ukrainian texts in Latin letters would take fewer parts, by "
        "1,200 parts (UAH 504); they are harder to read."
    )
    assert latin_note(UK, figures).startswith("Можливість, а не порада")
    assert told(EN, figures) == []
    assert latin_note(EN, samples.month()) == ""


def billed(**counts: int) -> PartsBilled:
    zero = dict.fromkeys(("messages_over", "parts_over", "messages_under", "parts_under"), 0)
    return PartsBilled(**{"messages": 5000, **zero, **counts})


def test_parts_billed_are_told_of_only_where_they_differ():
    assert billed_note(EN, None) == billed_note(EN, billed()) == ""
    differing = billed(messages_over=12, parts_over=15, messages_under=1, parts_under=1)
    note = (
        "Parts billed are not those of the texts: 15 more for 12 messages; 1 fewer for 1 message, "
        "of 5,000 compared."
    )
    state = samples.month().sources[0].model_copy(update={"billed": differing})
    assert source_notes(EN, state)[-1] == note


@pytest.mark.parametrize("language", list(Language))
def test_a_page_with_all_of_it_is_drawn(language):
    month = wasteful(latin_option=LatinOption(parts=7, money=()))
    sources = [
        month.sources[0].model_copy(update={"billed": billed(messages_over=2, parts_over=2)})
    ]
    totals: Totals = month.totals.model_copy(
        update={"converted": whole(missing=(Money(currency="EUR", micro=MICRO),))}
    )
    rendered = render(
        month.model_copy(update={"totals": totals, "sources": (*sources, *month.sources[1:])}),
        language,
    )
    assert b"U+00A0" in rendered.html
