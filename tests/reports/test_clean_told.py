"""The clean base, the rules and the suspicions as a reader sees them."""

from __future__ import annotations

import pytest

from sms_etl.config.settings import Language
from sms_etl.reports import clean_told, compliance_told
from sms_etl.reports.flat import flat_figures
from sms_etl.reports.kinds import kind_of
from sms_etl.reports.language import Words
from tests.reports import clean_samples, samples

EN, UK = Words(Language.ENGLISH), Words(Language.UKRAINIAN)
NB = "\u00a0"


def plain(text: str) -> str:
    return text.replace(NB, " ")


def test_a_pair_is_named_by_both_its_sides_with_how_many_times_as_often() -> None:
    figures = samples.failures()
    line = clean_told.factor_lines(EN, figures)[0]

    assert line.name == "operator lifecell, sender PROMIN"
    assert line.lift == "×15.8 (14.5–17.2)"
    assert clean_told.factor_lines(UK, figures)[2].name == "надіслано о 22:00–22:59"


def test_a_study_that_found_nothing_says_so_and_a_period_report_leaves_it_out() -> None:
    empty = clean_samples.STUDY.model_copy(update={"factors": ()})
    figures = samples.failures().model_copy(update={"failure_study": empty})

    title = clean_told.factors_title(EN, figures)
    assert title == "The undelivered have nothing in common that stands out"
    month = samples.month(failure_study=empty)
    assert "factors" not in [section.key for section in kind_of(month).printed(month)]
    assert "factors" in [section.key for section in kind_of(figures).printed(figures)]


def test_the_proof_line_says_what_was_spared_at_which_price_and_what_would_have_been() -> None:
    spared, wasted, before = clean_told.proof(EN, clean_samples.BASE, 4_800_284)

    assert spared == (
        "The list spared 61,204 messages to 13,020 people. At the price paid: UAH 58,731. No "
        "price is known of 41 messages. Without it 4,861,488 messages would have been sent; it "
        "was 4,800,284."
    )
    assert wasted.startswith("Sent to people on the list all the same: 812 messages to 402 people")
    assert before == (
        "Failures that a clean list would spare: 0.4% of 4,800,284 sent. Before: 1.7% of "
        "4,710,112 sent."
    )


def test_an_outbox_that_tells_nothing_proves_nothing() -> None:
    base = clean_samples.BASE.model_copy(update={"spared": None})

    assert "cannot be proved" in clean_told.proof(EN, base, 10)[0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (EN, "No consent on record · Ukraine"),
        (UK, "Немає запису про згоду · Україна"),
    ],
)
def test_a_rule_is_named_by_what_it_forbids_and_whose_it_is(words: Words, told: str) -> None:
    names = [
        line.name
        for line in compliance_told.rule_lines(words, samples.compliance(), clean_samples.RULES)
    ]

    assert told in names


def test_the_headline_names_the_rule_broken_most() -> None:
    assert compliance_told.headline(EN, samples.compliance()) == (
        "33,212 breaches of rules; most of them: No word on how to refuse · Ukraine, 1.7% of "
        "1,870,000 judged"
    )


def test_rules_that_were_kept_are_a_sentence_and_no_rows_of_noughts() -> None:
    lines = compliance_told.rule_lines(EN, samples.compliance(), clean_samples.RULES)
    kept = [line for line in lines if not line.matters]
    assert all(not line.breaches.numerator for line in kept)
    named = compliance_told.kept_note(EN, lines, named=True)
    assert named.startswith("Kept by every message that was judged: ")
    assert all(line.name in named for line in kept)
    assert "rules were kept by every message" in compliance_told.kept_note(EN, lines, named=False)
    assert compliance_told.kept_note(EN, [], named=True) == ""


def test_without_a_breach_nothing_is_to_be_done() -> None:
    kept = tuple(
        rule.model_copy(update={"breaches": clean_samples.rate(0, 1_000, "judged")})
        for rule in clean_samples.RULES.rules
    )
    told = clean_samples.RULES.model_copy(update={"rules": kept})
    figures = samples.compliance().model_copy(update={"compliance": told})

    assert compliance_told.headline(UK, figures) == "Жодного правила не порушено"
    assert compliance_told.steps(EN, figures) == []


def test_time_zones_that_are_not_certain_are_told_beside_the_breaches() -> None:
    (line,) = [
        line
        for line in compliance_told.rule_lines(EN, samples.compliance(), clean_samples.RULES)
        if line.name.startswith("Sent by night")
    ]

    assert line.not_judged == "time zone not certain: 310; time zone not known: 22"


def test_the_lag_says_how_many_were_written_to_again_and_for_how_long() -> None:
    lag = clean_samples.RULES.lag

    assert plain(compliance_told.lag_sentence(EN, lag)) == (
        "Written to again after refusing: 22.5% of 391 who refused. From refusal to the last "
        "message: half of them 31 h 30 min, at most 214 h."
    )
    assert lag is not None
    silent = lag.model_copy(
        update={"written_after": clean_samples.rate(0, 2, "people_who_refused")}
    )
    assert plain(compliance_told.lag_sentence(UK, silent)) == (
        "Відмовилися 2 людини, більше їм не писали."
    )


def test_a_suspicion_asks_and_does_not_say() -> None:
    pumped, faked = clean_told.suspicion_lines(EN, samples.failures())

    assert pumped.title == "Pumped traffic? Numbers beginning with 9947012 (Azerbaijan)"
    assert "97.0% went to consecutive numbers, elsewhere 0.2%" in pumped.signs
    assert faked.title == "Faked receipts? turbosms to lifecell"


def test_every_figure_is_a_row_of_the_warehouse_once() -> None:
    for figures in (samples.failures(), samples.compliance()):
        rows = [(row["dimension"], row["key"], row["figure"]) for row in flat_figures(figures)]
        assert len(rows) == len(set(rows))
    told = {
        (row["dimension"], row["key"], row["figure"]): row
        for row in flat_figures(samples.compliance())
    }
    assert told["rule", "ua.consent", "breaches_rate"]["numerator"] == 1_904
    assert told["", "", "spared_micro_UAH"]["value"] == 58_731_000_000
