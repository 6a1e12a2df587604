"""Money and letters of the simulated company, against what the world knows of every message."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction

import polars as pl
import pytest

from sms_etl.config.settings import Language, MoneySettings, Period, ReportKind, Subscription
from sms_etl.errors import ConfigError, ConservationError
from sms_etl.metrics.money_check import check_money
from sms_etl.model.schemas import MESSAGES
from sms_etl.project import Project
from sms_etl.publish import ReportOrder, figures_of, order_of
from sms_etl.rates import read_rates
from sms_etl.reports import cards
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from tests.pipeline.company import FIRST, LAST

ORDER = ReportOrder(ReportKind.PERIOD, Period.MONTH, FIRST, LAST, "Europe/Kyiv", Language.ENGLISH)
WORKDAYS = [date(2026, 10, n) for n in range(1, 32) if date(2026, 10, n).isoweekday() < 6]


def rate_of(day: date) -> Fraction:
    """Hryvnias for a dollar; Saturday and Sunday have Friday's."""
    last = max(known for known in WORKDAYS if known <= day)
    return Fraction(41) + Fraction(last.day, 8)


IN_DOLLARS = {
    "name": "investor",
    "readers": ["investor@example.com"],
    "period": "month",
    "currency": "USD",
}
DUE = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)


def _to_twelve_places(rate: Fraction) -> Fraction:
    """Cross rates are kept to twelve decimals, half up."""
    return Fraction(int(rate * 10**12 + Fraction(1, 2)), 10**12)


@pytest.fixture(scope="module")
def project(company, tmp_path_factory):
    """The same company, with the rates of the National Bank."""
    path = tmp_path_factory.mktemp("rates") / "nbu.json"
    rows = [
        {
            "r030": 840,
            "txt": "Долар США",
            "rate": float(rate_of(day)),
            "cc": "USD",
            "exchangedate": f"{day:%d.%m.%Y}",
        }
        for day in WORKDAYS
    ]
    path.write_text(json.dumps(rows), "utf-8")
    money = MoneySettings(currency="UAH", rates=path)
    return Project(company.project.settings.model_copy(update={"money": money}))


@pytest.fixture(scope="module")
def month(project) -> Figures:
    return figures_of(project, ORDER)


@pytest.fixture(scope="module")
def truth(company):
    day = pl.col("submitted_at").dt.convert_time_zone("Europe/Kyiv").dt.date()
    told = company.truth.with_columns(day=day).filter(day.is_between(FIRST, LAST))
    texts = company.world.messages.select("message_id", "text")
    return told.join(texts, on="message_id", how="left")


def test_every_kopiika_is_at_the_rate_of_its_day(truth, month):
    paid = truth.drop_nulls("price_micro").select("day", "currency", "price_micro", "class")
    exact = failed = Fraction(0)
    for day, currency, micro, name in paid.iter_rows():
        amount = micro * (rate_of(day) if currency == "USD" else 1)
        exact += amount
        failed += amount if name in {"failed", "rejected", "unknown"} else 0
    found = month.totals.converted

    assert found is not None
    assert found.spent_micro == round(exact)
    assert found.spent_on_undelivered_micro == round(failed)
    assert found.messages_with_cost == len(paid)
    assert found.missing == ()
    assert (found.first_rate_day, found.last_rate_day) == (WORKDAYS[0], WORKDAYS[-1])
    assert {cost.currency for cost in month.totals.costs} == {"UAH", "USD"}


def test_the_days_and_the_sources_add_up_to_the_month(month):
    whole = month.totals.converted
    for groups in (month.days, month.by_source, month.by_operator):
        parts = [g.totals.converted.spent_micro for g in groups if g.totals.converted]
        assert abs(sum(parts) - whole.spent_micro) <= len(parts)


def test_a_report_in_dollars_counts_hryvnias_at_the_cross_rate(project, truth, month):
    order = order_of(project, Subscription.model_validate(IN_DOLLARS), DUE)
    dollars = figures_of(project, order)
    paid = truth.drop_nulls("price_micro").select("day", "currency", "price_micro")
    exact = sum(
        Fraction(micro) * (1 if currency == "USD" else _to_twelve_places(1 / rate_of(day)))
        for day, currency, micro in paid.iter_rows()
    )
    found = dollars.totals.converted

    assert (found.currency, found.spent_micro, found.missing) == ("USD", round(exact), ())
    assert {point.totals.converted.currency for point in dollars.days} == {"USD"}
    assert dollars.totals.costs == month.totals.costs
    assert cards.spend(Words(Language.ENGLISH), dollars).value.startswith("$")


def test_a_currency_is_refused_where_there_are_no_rates(company):
    plain = Project(company.project.settings.model_copy(update={"money": None}))
    with pytest.raises(ConfigError, match=r"A report in USD needs exchange rates: add \[money\]"):
        figures_of(plain, replace(ORDER, currency="USD"))


def test_without_settings_nothing_is_converted(company):
    plain = Project(company.project.settings.model_copy(update={"money": None}))
    assert figures_of(plain, ORDER).totals.converted is None


def test_the_company_itself_has_rates_for_every_day(company):
    found = figures_of(company.project, ORDER).totals.converted
    assert found is not None
    assert found.missing == ()
    assert found.first_rate_day >= FIRST


def parts_of(text: str) -> int:
    """By the room of a part alone; the company's texts hold no character of two places."""
    if all(ord(c) < 128 for c in text) and not set(text) & set("^{}\\[~]|`\t"):
        return 1 if len(text) <= 160 else -(-len(text) // 153)
    return 1 if len(text) <= 70 else -(-len(text) // 67)


def test_waste_is_what_the_texts_with_a_dash_lost(truth, month):
    """The company writes one campaign in Latin letters with a long dash."""
    lost: dict[tuple[str, str], int] = {}
    money: dict[tuple[str, str], int] = {}
    known = truth.filter(pl.col("text").str.contains("–"), pl.col("channel") == "sms")
    for row in known.iter_rows(named=True):
        plain = row["text"].replace("–", "-")
        if plain.isascii():
            saved = row["parts"] - parts_of(plain)
            key = (row["campaign"], row["currency"])
            lost[key] = lost.get(key, 0) + saved
            if row["price_micro"] is not None:
                money[key] = money.get(key, 0) + row["price_micro"] * saved // row["parts"]
    [waste] = month.waste

    assert {waste.campaign} == {campaign for campaign, _ in lost}
    assert waste.letters == ("–",)
    assert waste.parts == sum(lost.values()) > 0
    assert {m.currency: m.micro for m in waste.money} == {
        currency: micro for (_, currency), micro in money.items()
    }


def test_parts_billed_are_those_of_the_texts(month):
    billed = {s.source: s.billed for s in month.sources if s.billed}
    assert "twilio" in billed
    for found in billed.values():
        assert found.messages > 0
        assert (found.messages_over, found.messages_under) == (0, 0)


def test_the_prices_of_the_month_are_known_as_a_rate(truth, month):
    rate = month.totals.prices
    assert rate is not None
    assert rate.numerator == truth["price_micro"].count()
    assert rate.denominator == len(truth)
    assert rate.coverage is not None


@pytest.mark.parametrize("field", ["spent_micro", "messages_with_cost"])
def test_a_sum_that_is_off_by_one_is_refused(project, month, field):
    totals = month.totals
    wrong = totals.converted.model_copy(update={field: getattr(totals.converted, field) + 1})
    broken = month.model_copy(
        update={"totals": totals.model_copy(update={"converted": wrong})}
    )  # fmt: skip
    with pytest.raises(ConservationError, match=r"totals\.converted"):
        check_money(broken, project.lake.scan(MESSAGES), read_rates(project.settings))


def test_waste_that_is_off_by_one_is_refused(project, month):
    wrong = month.waste[0].model_copy(update={"parts": month.waste[0].parts + 1})
    broken = month.model_copy(update={"waste": (wrong,)})
    with pytest.raises(ConservationError, match="waste"):
        check_money(broken, project.lake.scan(MESSAGES), read_rates(project.settings))
