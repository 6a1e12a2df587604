"""The figures as canonical JSON, and the schema of that JSON.

`python -m sms_etl.reports.as_json` writes the schema into `docs/`; a test keeps it current.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sms_etl.reports.figures import Figures

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "docs" / "figures.schema.json"


def figures_json(figures: Figures) -> bytes:
    """The figures as canonical JSON: UTF-8, sorted keys, no spaces."""
    tree = figures.model_dump(mode="json")
    return json.dumps(
        tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def figures_schema() -> dict[str, Any]:
    """JSON Schema of what `figures_json` writes."""
    return Figures.model_json_schema(mode="serialization")


if __name__ == "__main__":
    text = json.dumps(figures_schema(), ensure_ascii=False, indent=1, sort_keys=True)
    SCHEMA_FILE.write_text(text + "\n", encoding="utf-8")
