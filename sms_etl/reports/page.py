"""What frames every report: title, headline, dates. The rest is in its sections."""

from __future__ import annotations

from typing import Any

from sms_etl.reports.figures import Figures
from sms_etl.reports.kinds import kind_of
from sms_etl.reports.language import Words
from sms_etl.reports.subset import subset_line


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
        "headline": kind.headline(words, figures),
    }
