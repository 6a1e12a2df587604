"""Scorecards of sources and operators: comparisons, routes, days; and what better routes bring."""

from __future__ import annotations

import random
from dataclasses import replace

import polars as pl
import pytest

from sms_etl.config.settings import Language, ReportKind
from sms_etl.errors import ConservationError
from sms_etl.metrics.double_entry import cross_check
from sms_etl.reports import routes_told
from sms_etl.reports.build import build_figures
from sms_etl.reports.figures import Figures, Route
from sms_etl.reports.language import Words
from sms_etl.reports.render import render_html
from sms_etl.reports.routes import best_of, gains
from sms_etl.reports.sections.multiples import MULTIPLES
from tests.reports import samples
from tests.reports.test_build import REQUEST, ZONE, inputs, some, table
from tests.reports.test_render import text_of

EN, UK = Words(Language.ENGLISH), Words(Language.UKRAINIAN)
KINDS = {ReportKind.PROVIDERS: "source", ReportKind.OPERATORS: "operator"}


@pytest.fixture(scope="module")
def messages() -> pl.DataFrame:
    return table(list(some(random.Random(5), 400)))


def built(messages: pl.DataFrame, kind: ReportKind) -> Figures:
    return build_figures(inputs(messages), replace(REQUEST, kind=kind))


@pytest.mark.parametrize(("kind", "dimension"), KINDS.items())
def test_routes_and_days_add_up_to_the_whole(messages, kind, dimension):
    figures = built(messages, kind)
    card = figures.scorecard
    assert card is not None
    assert card.dimension == dimension
    assert sum(r.totals.submitted for r in card.routes) == figures.totals.submitted
    days = [day for group in card.series for day in group.days]
    assert sum(day.submitted for day in days) == figures.totals.submitted
    assert sum(day.delivered for day in days) == figures.totals.delivered
    assert {len(group.days) for group in card.series} == {len(figures.days)}


def test_other_kinds_have_no_scorecard(messages):
    assert built(messages, ReportKind.PERIOD).scorecard is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_scorecard_is_recounted_from_the_messages(messages, kind):
    cross_check(built(messages, kind), messages.lazy(), ZONE)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda card: card["routes"][0]["totals"].__setitem__("delivered", 1),
        lambda card: card["series"][0]["days"][2].__setitem__("delivered", 9999),
        lambda card: card["comparisons"][0]["base"].__setitem__("numerator", 1),
        lambda card: card.update(routes=card["routes"][1:]),
    ],
)
def test_a_scorecard_that_says_another_thing_is_refused(messages, spoil):
    tree = built(messages, ReportKind.PROVIDERS).model_dump()
    spoil(tree["scorecard"])
    with pytest.raises(ConservationError):
        cross_check(Figures.model_validate(tree), messages.lazy(), ZONE)


def route(source: str, submitted: int, share: float, waiting: float = 0.0) -> Route:
    totals = samples.totals(submitted, share, unknown_share=0.0, pending_share=waiting)
    return Route(source=source, operator="lifecell", totals=totals)


def with_routes(*routes: Route) -> Figures:
    figures = samples.providers()
    assert figures.scorecard is not None
    card = figures.scorecard.model_copy(update={"routes": routes})
    return figures.model_copy(update={"scorecard": card})


def test_a_better_route_brings_the_difference_of_the_two_rates():
    [gain] = gains(with_routes(route("turbosms", 100_000, 0.90), route("vonage", 50_000, 0.95)))
    assert (gain.worse.source, gain.better.source, gain.more) == ("turbosms", "vonage", 5_000)


def test_missing_receipts_of_the_worse_route_count_as_deliveries():
    waiting = route("turbosms", 100_000, 0.90, waiting=0.03)
    [gain] = gains(with_routes(waiting, route("vonage", 50_000, 0.95)))
    assert gain.more == 2_000
    late = route("turbosms", 100_000, 0.90, waiting=0.045)
    assert gains(with_routes(late, route("vonage", 50_000, 0.95))) == []


def test_a_route_that_is_hardly_used_does_not_win_by_luck():
    often, seldom = route("turbosms", 100_000, 0.96), route("vonage", 40, 1.0)
    assert best_of([often, seldom]) is often
    assert best_of([route("vonage", 12, 1.0)]) is None


@pytest.mark.parametrize(
    ("words", "what", "stake"),
    [
        (EN, "Send messages to lifecell by Vonage, not by TurboSMS.", "at least 5,000 messages"),
        (UK, "через Vonage, а не через TurboSMS", "щонайменше на 5 000 повідомлень більше"),
    ],
)
def test_the_first_step_names_the_route_to_leave(words, what, stake):
    figures = with_routes(route("turbosms", 100_000, 0.90), route("vonage", 50_000, 0.95))
    first = routes_told.steps(words, figures)[0]
    assert what in first.what
    assert stake in first.stake.replace("\u00a0", " ")


def test_the_headline_names_the_worse_source_and_the_worst_operator():
    said = routes_told.providers_headline(EN, samples.providers())
    assert said.startswith("TurboSMS delivers 1.4 pp worse than the other sources")
    said = routes_told.operators_headline(EN, samples.operators()).replace("\u00a0", " ")
    assert said.startswith("lifecell delivers worst: 96.2% of 960,057 sent; best is Kyivstar")


def test_the_worst_day_is_named_with_whose_it_is_and_never_that_of_what_is_not_known():
    words = EN, UK
    said = [MULTIPLES.values(samples.operators(), one)["title"] for one in words]
    assert said[0] == "The worst day was 18 October at lifecell: delivered 86.0% of 18,020 sent"
    plain = said[1].replace("\u00a0", " ")
    assert plain == "Найгірший день — 18 жовтня, lifecell: доставлено 86,0 % з 18 020 надісланих"
    assert MULTIPLES.values(samples.operators(), EN)["low"] == "85%"


def test_a_report_on_operators_has_one_table_of_them():
    page = render_html(samples.operators(), Language.ENGLISH).decode()
    assert page.count('<th scope="row">Vodafone Ukraine</th>') == 2  # the scorecard, the routes


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", ["providers", "operators"])
def test_better_and_worse_are_words_and_not_only_colours(kind, language):
    text = text_of(render_html(getattr(samples, kind)(), language))
    better, worse = ("better", "worse") if language is Language.ENGLISH else ("краще", "гірше")
    assert f"+0.6 pp {better}" in text or f"+0,6 в. п., {better}" in text
    assert f"−1.4 pp {worse}" in text or f"−1,4 в. п., {worse}" in text
