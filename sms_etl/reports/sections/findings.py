"""What was noticed, in the order of the numbers on the chart."""

from __future__ import annotations

from dataclasses import dataclass

from sms_etl.reports import advice, sentences
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values
from sms_etl.reports.slices import MOST_FINDINGS


@dataclass(frozen=True)
class FindingLine:
    """One finding as printed."""

    title: str
    when: str
    evidence: str
    reason: str
    cost: str
    mender: str


def finding_lines(words: Words, figures: Figures, reasons: advice.Reasons) -> list[FindingLine]:
    """Findings in the order of their numbers on the chart."""
    return [
        FindingLine(
            title=sentences.finding_title(words, figures, finding),
            when=sentences.finding_when(words, figures, finding),
            evidence=sentences.finding_evidence(words, finding),
            reason=advice.reason_name(words, reasons, finding.main_reason)
            if finding.main_reason
            else "",
            cost=sentences.money_list(words, finding.cost),
            mender=sentences.mender(words, advice.finding_mender(figures, finding)),
        )
        for finding in figures.findings[:MOST_FINDINGS]
    ]


def findings_left_out(words: Words, figures: Figures) -> str:
    """How many findings are not printed; empty for none."""
    n = len(figures.findings) - MOST_FINDINGS
    if n <= 0:
        return ""
    return words.plural(
        "And %(n)s more in the data of the report.", "And %(n)s more in the data of the report.", n
    )


def values(figures: Figures, words: Words) -> Values:
    """The printed findings and how many more there are."""
    return {
        "title": words.plural("%(n)s finding", "%(n)s findings", len(figures.findings)),
        "findings": finding_lines(words, figures, advice.reasons_of(words)),
        "left_out": findings_left_out(words, figures),
    }


FINDINGS = Section("findings", values, lambda figures: bool(figures.findings))
