"""CSV files that a spreadsheet program opens: no cell of them begins a formula."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from sms_etl.spreadsheets import FORMULA_STARTS, write_csv


def written(path: Path, table: pl.DataFrame) -> list[dict[str, str]]:
    write_csv(table, path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_text_that_begins_a_formula_is_written_as_a_text(tmp_path, start):
    table = pl.DataFrame({"contact_id": [f"{start}HYPERLINK(1)", f"a{start}"], "count": [-1, 2]})

    first, second = written(tmp_path / "list.csv", table)

    assert first == {"contact_id": f"'{start}HYPERLINK(1)", "count": "-1"}
    assert second == {"contact_id": f"a{start}", "count": "2"}


def test_letters_and_moments_come_back_as_they_were(tmp_path):
    moment = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    table = pl.DataFrame({"name": ["Їжак", None], "at": [moment, None]})

    first, second = written(tmp_path / "list.csv", table)

    assert first["name"] == "Їжак"
    assert datetime.fromisoformat(first["at"]) == moment
    assert second == {"name": "", "at": ""}
