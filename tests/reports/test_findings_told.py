"""Findings in words: one line for one thing, none that says less than it seems to."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from sms_etl.config.settings import Language
from sms_etl.reports import advice, sentences
from sms_etl.reports.as_json import figures_json
from sms_etl.reports.chart_daily import slots
from sms_etl.reports.figures import Figures, Finding, FindingKind
from sms_etl.reports.language import Words
from sms_etl.reports.render import render_html
from tests.reports import samples

UK, EN = Words(Language.UKRAINIAN), Words(Language.ENGLISH)


def of_kind(kind: FindingKind, **changes: object) -> Finding:
    (found,) = [finding for finding in samples.findings() if finding.kind is kind]
    return found.model_copy(update=changes)


def month(*findings: Finding) -> Figures:
    return samples.month(findings=findings)


def drops(count: int) -> list[Finding]:
    """One drop a day, each of another operator."""
    whole = of_kind(FindingKind.DELIVERY_DROP)
    return [
        whole.model_copy(
            update={
                "id": f"drop{n}",
                "scope": {"operator": f"operator {n}"},
                "start": whole.start - timedelta(days=n),
                "end": whole.start - timedelta(days=n) + timedelta(hours=3),
                "affected": 100,
                "severity": 0.5 - n / 100,
            }
        )
        for n in range(count)
    ]


def steps(words: Words, figures: Figures) -> list[advice.Step]:
    return advice.steps(words, figures)


@pytest.mark.parametrize("words", [UK, EN], ids=["uk", "en"])
def test_dead_numbers_of_all_messages_are_told_without_naming_all_messages(words) -> None:
    finding = of_kind(FindingKind.DEAD_NUMBERS, scope={})
    figures = month(finding)
    said = [
        sentences.finding_title(words, figures, finding),
        sentences.headline(words, figures),
        steps(words, figures)[0].what,
    ]
    assert not [text for text in said if words.text("all messages") in text or "(" in text]
    assert words.count(finding.affected) in said[1]


@pytest.mark.parametrize("words", [UK, EN], ids=["uk", "en"])
def test_dead_numbers_of_one_campaign_name_it(words) -> None:
    finding = of_kind(FindingKind.DEAD_NUMBERS)
    figures = month(finding)
    name = "Повернення клієнтів, які не купували пів року"
    assert name in sentences.finding_title(words, figures, finding)
    assert name in sentences.headline(words, figures)
    assert name in steps(words, figures)[0].what


def test_the_headline_does_not_call_a_part_of_the_messages_all_messages() -> None:
    found = samples.findings()[0].model_copy(update={"scope": {}})
    said = sentences.headline(EN, samples.month(findings=(found,)))
    assert said.endswith("the largest problem touched about 13,870 messages")


def test_findings_that_ask_the_same_are_one_step() -> None:
    found = drops(3)
    (first, *rest) = steps(EN, month(*found))
    assert all(finding.scope["operator"] in first.what for finding in found)
    assert first.stake == "300 messages"
    assert not [step for step in rest if "route" in step.what]


def test_a_step_names_the_gravest_and_counts_the_rest() -> None:
    what = steps(EN, month(*drops(9)))[0].what
    assert [n for n in range(9) if f"operator {n};" in what] == [0, 1, 2]
    assert "and 6 more" in what


def test_advice_on_a_reason_does_not_repeat_that_of_a_finding() -> None:
    landlines = samples.month().reasons[1].model_copy(update={"reason": "not_mobile_landline"})
    reasons = (*samples.month().reasons, landlines)
    with_finding = month(of_kind(FindingKind.DEAD_NUMBERS)).model_copy(update={"reasons": reasons})
    without = with_finding.model_copy(update={"findings": ()})
    asks = [[step.what for step in steps(EN, figures)] for figures in (with_finding, without)]
    assert [sum("landlines" in what for what in told) for told in asks] == [0, 1]


def test_opt_outs_keep_their_own_advice_beside_dead_numbers() -> None:
    opted = samples.month().reasons[1].model_copy(update={"reason": "opted_out"})
    figures = month(of_kind(FindingKind.DEAD_NUMBERS, scope={}))
    figures = figures.model_copy(update={"reasons": (*figures.reasons, opted)})
    assert any("writing on may break the law" in step.what for step in steps(EN, figures))


@pytest.mark.parametrize(("count", "left"), [(6, 0), (9, 3)])
def test_the_page_prints_six_findings_and_the_data_all(count, left) -> None:
    figures = month(*drops(count))
    page = render_html(figures, Language.ENGLISH).decode().replace("\u00a0", " ")
    (listed,) = re.findall(r'<ol class="findings">(.*?)</ol>', page, flags=re.DOTALL)
    assert listed.count("<li>") == 6
    assert f"{count} findings" in page
    assert ("more in the data of the report" in page) == bool(left)
    assert (f"And {left} more in the data of the report." in page) == bool(left)
    marks = " ".join(slot.marks for slot in slots(figures, EN)).split()
    assert sorted(marks) == list("123456")
    assert Figures.model_validate_json(figures_json(figures)).findings == figures.findings
