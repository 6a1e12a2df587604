"""What a report says of campaigns beside each other and of a period after another."""

from datetime import UTC, datetime, timedelta

import pytest

from sms_etl.config.settings import Language
from sms_etl.metrics.summary import AsOf, totals_by
from sms_etl.reports.comparisons import against_the_others, between_periods
from sms_etl.reports.figures import Verdict
from sms_etl.reports.language import Words
from sms_etl.reports.verdicts import campaign_sentences, change_sentence
from tests.cubes import HOUR, at, cube, latency
from tests.reports.samples import month

NOON = at("2026-10-20")
AS_OF = AsOf(datetime(2026, 11, 1, tzinfo=UTC), silence_hours=72)


def sent(campaign, operator, delivered, failed, *, hours=1, pending=0):
    """The same counts in each of `hours` hours."""
    classes = {"delivered": delivered, "failed": failed, "pending": pending}
    return [
        {"hour": NOON + n * HOUR, "campaign": campaign, "operator": operator,
         "status_class": name, "messages": count}
        for n in range(hours)
        for name, count in classes.items()
        if count
    ]  # fmt: skip


def compared(rows, as_of=AS_OF):
    frame = cube(rows)
    totals = totals_by(frame, latency([]), ["campaign"], as_of)
    found = against_the_others(frame, "campaign", {key[0]: t for key, t in totals.items()})
    return {one.key: one for one in found}


def test_a_campaign_to_a_weak_operator_is_not_called_worse():
    told = compared(
        [
            *sent("weak", "TriMob", 800, 200, hours=3),
            *sent("weak", "Kyivstar", 99, 1, hours=3),
            *sent("strong", "TriMob", 80, 20, hours=3),
            *sent("strong", "Kyivstar", 990, 10, hours=3),
        ]
    )
    assert told["weak"].rate.value < told["strong"].rate.value - 0.1
    assert told["weak"].verdict is Verdict.NOT_SHOWN
    assert told["weak"].standardised == pytest.approx(0.0)
    assert told["weak"].mix_effect == pytest.approx(told["weak"].plain)


def test_a_campaign_that_delivers_worse_everywhere_is_told_with_its_range():
    told = compared(
        [
            *sent("bad", "Kyivstar", 850, 150, hours=3),
            *sent("good", "Kyivstar", 960, 40, hours=3),
            *sent("alike", "Kyivstar", 955, 45, hours=3),
        ]
    )
    assert told["bad"].verdict is Verdict.WORSE
    assert told["bad"].interval.high < 0
    assert told["good"].verdict is Verdict.BETTER
    assert told["bad"].base.numerator == 3 * (960 + 955)
    assert told["bad"].rate.numerator == 3 * 850


def test_hours_that_scatter_make_a_difference_no_news():
    """Nine good hours and one in which all failed, in either campaign: not 4 % worse, but luck."""

    def campaign(name, bad):
        calm = sent(name, "Kyivstar", 480, 20, hours=9)
        return [*calm, {**calm[0], "hour": NOON + 20 * HOUR, "messages": 500 - bad},
                {**calm[1], "hour": NOON + 20 * HOUR, "messages": bad}]  # fmt: skip

    told = compared([*campaign("a", 300), *campaign("b", 480)])
    assert told["a"].dispersion > 5
    assert told["a"].verdict is Verdict.NOT_SHOWN


def test_few_messages_and_missing_receipts_are_not_judged():
    rows = [*sent("few", "Kyivstar", 10, 10), *sent("rest", "Kyivstar", 990, 10)]
    assert compared(rows)["few"].verdict is Verdict.TOO_FEW
    early = AsOf(NOON + timedelta(hours=2), silence_hours=72)
    rows = [*sent("fresh", "Kyivstar", 500, 10, pending=490), *sent("rest", "Kyivstar", 990, 10)]
    assert compared(rows, early)["fresh"].verdict is Verdict.TOO_EARLY


def test_a_single_campaign_has_nothing_to_be_compared_with():
    assert compared(sent("only", "Kyivstar", 500, 10)) == {}


def test_a_period_is_compared_with_the_one_before_at_the_same_operators():
    import polars as pl

    now = cube(sent("x", "Kyivstar", 900, 100, hours=3)).with_columns(before=pl.lit(value=False))
    then = cube(sent("x", "Kyivstar", 980, 20, hours=3)).with_columns(before=pl.lit(value=True))
    both = pl.concat([now, then])
    totals = totals_by(both, latency([]).with_columns(before=pl.lit(value=True)), ["before"], AS_OF)
    told = between_periods(both, "before", totals[(False,)], totals[(True,)])
    assert told is not None
    assert told.verdict is Verdict.WORSE
    assert told.standardised == pytest.approx(-0.08)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_its_sentence_in_both_languages(language, verdict):
    words, figures = Words(language), month()
    rows = compared([*sent("a", "Kyivstar", 850, 150), *sent("b", "Kyivstar", 960, 40)])
    found = tuple(one.model_copy(update={"verdict": verdict}) for one in rows.values())
    figures = figures.model_copy(update={"comparisons": found, "change": found[0]})
    sentence = change_sentence(words, figures)
    assert bool(sentence) is (verdict is not Verdict.TOO_FEW)
    told = campaign_sentences(words, figures)
    assert len(told) == (0 if verdict is Verdict.TOO_FEW else 1)
    if verdict in {Verdict.BETTER, Verdict.WORSE}:
        assert words.points(found[0].standardised) in sentence
        assert words.points(found[0].standardised) in told[0]
