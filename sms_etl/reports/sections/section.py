"""What a section of a report is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words

Values = Mapping[str, Any]
"""What the template of a section prints; undefined names are an error."""


def always(_figures: Figures) -> bool:
    """The condition of a section that is never left out."""
    return True


Caption = tuple[str, str]
"""The title of a chart, and its text for those who do not see it."""


def uncharted(_words: Words, _figures: Figures) -> Caption | None:
    """The caption of a section without a chart."""
    return None


def sent(figures: Figures) -> bool:
    """The condition of a section that tells of messages: there are some."""
    return figures.totals.submitted > 0


@dataclass(frozen=True)
class Section:
    """A part of a report under one heading.

    `key` names its template `sections/<key>.html.j2`, which sees what `values` returns, besides
    `figures`, `words` and `target`. `has_data` says whether there is anything to print. `caption`
    tells of its chart without drawing it; null where it has none.
    """

    key: str
    values: Callable[[Figures, Words], Values]
    has_data: Callable[[Figures], bool] = sent
    caption: Callable[[Words, Figures], Caption | None] = uncharted

    @property
    def template(self) -> str:
        """Its template, below `report_templates`."""
        return f"sections/{self.key}.html.j2"
