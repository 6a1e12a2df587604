"""What to do, the largest stake first."""

from __future__ import annotations

from collections.abc import Callable

from sms_etl.reports.advice import Step
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values, always

STEPS = "steps"


def steps_section(steps_of: Callable[[Words, Figures], list[Step]]) -> Section:
    """The next steps of one kind of report."""

    def values(figures: Figures, words: Words) -> Values:
        return {"steps": steps_of(words, figures)}

    return Section(STEPS, values, always)
