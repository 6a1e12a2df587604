"""Engagement, returns and loyalty as a reader sees them, in both languages."""

import re

import pytest

from sms_etl.config.settings import Language
from sms_etl.reports import advice
from sms_etl.reports.engaged_advice import refused_campaign
from sms_etl.reports.engagement_figures import OptOuts
from sms_etl.reports.kinds import kind_of
from sms_etl.reports.language import Words
from sms_etl.reports.render import render_html
from sms_etl.reports.sections import engaged, loyal, returns
from tests.reports import engaged_samples, samples

UK, EN = Words(Language.UKRAINIAN), Words(Language.ENGLISH)
KEYS = ["engaged", "returns", "loyal"]


def text(language, figures=None):
    page = render_html(figures or engaged_samples.month(), language).decode()
    bare = re.sub(r"<[^>]+>", " ", page.split("<main>")[1])
    return " ".join(bare.replace("\u00a0", " ").replace("&#39;", "'").split())


def test_sections_are_there_only_where_there_is_data():
    plain, full = samples.month(), engaged_samples.month()
    assert not {s.key for s in kind_of(plain).printed(plain)} & set(KEYS)
    assert [s.key for s in kind_of(full).printed(full) if s.key in KEYS] == KEYS


def test_it_is_said_that_sms_tells_no_opens_and_what_stands_for_them():
    said = text(Language.ENGLISH)
    assert "An SMS does not tell whether it was opened, so no open rate is given." in said
    assert "People opened the link of 3.9% of 4,629,163 delivered texts with a link" in said
    assert "Reading is reported by Viber only" in said
    assert "SMS не повідомляє, чи її відкрили" in text(Language.UKRAINIAN)


def test_robots_stand_beside_people_with_the_rules_they_fell_to():
    [note] = [n for n in engaged.notes(EN, engaged_samples.engagement()) if "robots" in n]
    assert note.startswith(
        "Of 245,729 clicks 32,695 were robots' and are in no rate: a program by its name: 20,059; "
        "sooner than anybody reads: 9,026; from a data centre: 3,610."
    )


@pytest.mark.parametrize("share", [None, "few"])
def test_a_campaign_without_known_clicks_prints_a_dash_and_few_messages_no_percentage(share):
    figures = engaged_samples.month()
    whole = figures.engagement.whole
    clicked = None if share is None else samples.rate(2, 9, "delivered_with_link")
    changed = figures.engagement.model_copy(
        update={"whole": whole.model_copy(update={"clicked": clicked}), "by_campaign": ()}
    )
    title = engaged.title(EN, changed)
    assert title == (
        "Read: 69.5% of 88,120 delivered where reading is reported"
        if share is None
        else "People opened the link of 2 of 9 delivered texts with a link"
    )


def test_an_order_is_said_to_follow_a_message_and_not_to_be_caused_by_it():
    found = engaged_samples.attributed()
    assert "what came before an order, not what caused it" in returns.rule(EN, found)
    assert "за 5 днів до нього" in returns.rule(UK, found).replace("\u00a0", " ")
    assert "12 годин" in returns.rule(UK, found).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("window", "english", "ukrainian"),
    [
        ("click_1d", "opened at most 1 day before", "відкрите щонайбільше за 1 день"),
        ("click_3d", "opened at most 3 days before", "відкрите щонайбільше за 3 дні"),
        ("delivery_24h", "arrived at most 24 hours before", "надійшло щонайбільше за 24 години"),
    ],
)
def test_windows_in_words(window, english, ukrainian):
    assert returns.window_name(EN, window) == english
    assert returns.window_name(UK, window) == ukrainian


def test_only_a_holdout_that_shows_something_says_how_many_orders_were_caused():
    notes = returns.lift_notes(EN, engaged_samples.attributed().lifts)
    assert [n for n in notes if "would not have" in n] == [
        "Осінній розпродаж made about 1,812 people order who would not have (from 1,272 to 2,323)."
    ]
    verdicts = [returns.verdict(EN, one) for one in engaged_samples.attributed().lifts]
    assert verdicts == [
        "the campaign brought orders", "no effect is shown", "too few people to tell"
    ]  # fmt: skip


def test_the_loyal_and_unreachable_are_counted_and_the_list_is_named_not_printed():
    found = engaged_samples.loyalty()
    assert loyal.title(EN, found) == "Loyal but out of reach: 2.3% of 18,204 loyal customers"
    assert (
        loyal.title(UK, found)
        == "Віддані, але недосяжні: 2,3\u00a0% з 18\u00a0204 відданих покупців"
    )
    assert "sms-etl loyal-unreachable" in loyal.unreachable(EN, found)


def test_a_campaign_that_drives_people_away_and_the_unreachable_are_steps():
    figures = engaged_samples.month()
    calm = [step.what for step in advice.steps(EN, figures)]
    assert not [what for what in calm if "less often" in what]
    assert [what for what in calm if what.startswith("Ask loyal customers")]
    found = figures.engagement
    lost = samples.rate(2_400, 120_000, "delivered")
    loud = found.by_campaign[4].model_copy(
        update={"opt_outs": (OptOuts(window_hours=24, rate=lost),)}
    )
    rows = (*found.by_campaign[:4], loud)
    changed = figures.model_copy(
        update={"engagement": found.model_copy(update={"by_campaign": rows})}
    )
    told = {step.what: step.stake for step in advice.steps(EN, changed)}
    assert (
        told[
            "Write “Бонуси до дня народження” to fewer people or less often: within a day after it "
            "refused 2.0% of 120,000 delivered."
        ]
        == "2,400 people lost"
    )


def test_a_few_refusals_are_no_reason_to_write_less():
    figures = engaged_samples.month()
    found = figures.engagement
    few = found.by_campaign[0].model_copy(
        update={"opt_outs": (OptOuts(window_hours=24, rate=samples.rate(2, 60, "delivered")),)}
    )
    changed = figures.model_copy(
        update={"engagement": found.model_copy(update={"by_campaign": (few,)})}
    )
    assert refused_campaign(changed) is None
