"""What frames every report: title, headline, dates. The rest is in its sections."""

from __future__ import annotations

from typing import Any

from sms_etl.reports.advice import Step
from sms_etl.reports.figures import Figures
from sms_etl.reports.kinds import kind_of
from sms_etl.reports.language import Words
from sms_etl.reports.sections.steps import STEPS
from sms_etl.reports.subset import subset_line

FIRST_PAGE = 2
"""Sections up to this place (from 0) begin on the first page as a rule."""


def first_step(figures: Figures, words: Words) -> Step | None:
    """What to do first, where the list of steps stands further down than the first page."""
    kind = kind_of(figures)
    keys = [section.key for section in kind.printed(figures)]
    if STEPS not in keys or keys.index(STEPS) <= FIRST_PAGE:
        return None
    return next(iter(kind.steps(words, figures)), None)


def frame_values(figures: Figures, words: Words) -> dict[str, Any]:
    """What `report.html.j2` prints around the sections."""
    kind = kind_of(figures)
    kicker, title = kind.title(words, figures)
    return {
        "kicker": kicker,
        "title": title,
        "project": words.label(figures.project),
        "subset": subset_line(words, figures),
        "span": words.span(figures.first_day, figures.last_day),
        "as_of": words.moment(figures.data_as_of, figures.zone),
        "created": figures.data_as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "first_step": first_step(figures, words),
        "headline": kind.headline(words, figures),
    }
