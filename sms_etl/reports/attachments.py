"""The data of a report as files inside its PDF: whole where the tables on paper are cut short."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

from sms_etl.reports.as_json import figures_json
from sms_etl.reports.data_files import DataFormat, data_file
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words

JSON_NAME = "figures.json"


@dataclass(frozen=True)
class Attached:
    """A file inside a PDF; `at` is its date of making."""

    name: str
    description: str
    content: bytes
    at: datetime

    def as_json(self) -> dict[str, str]:
        """As the typesetting process reads it."""
        content = base64.b64encode(self.content).decode()
        return {
            "name": self.name,
            "description": self.description,
            "content": content,
            "at": self.at.isoformat(),
        }


def attachments(figures: Figures, words: Words) -> tuple[Attached, ...]:
    """All figures as JSON, and the tables as a spreadsheet."""
    tables = data_file(figures, words.language, DataFormat.XLSX)
    at = figures.data_as_of
    return (
        Attached(JSON_NAME, words.text("All figures of this report"), figures_json(figures), at),
        Attached(
            DataFormat.XLSX.file_name, words.text("The tables of this report, whole"), tables, at
        ),
    )
