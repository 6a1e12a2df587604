"""docs/report-data.md: every table and column of the data files, from the code that writes them.

`python -m sms_etl.reports.data_docs` writes the page; a test keeps it current.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from sms_etl.config.settings import Language, ReportKind
from sms_etl.metrics.summary import AsOf, no_totals
from sms_etl.reports.data_tables import data_tables
from sms_etl.reports.figures import FIGURES_VERSION, Figures
from sms_etl.reports.language import Words
from sms_etl.reports.tables.table import Column, Table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "report-data.md"

INTRODUCTION = """\
# The data of a report

`sms-etl report KIND --format xlsx|csv|parquet|json` writes the figures of a report as data; \
the same figures give the same bytes.

| format | what it is |
|---|---|
| `xlsx` | one sheet a table that has rows, headings in the reader's language, typed cells \
under a head that stays in sight; the sheet "Columns" has every table with its number of rows, \
the lasting name of every column and its headings in all languages |
| `csv` | a zip with one file a table: UTF-8 with a byte order mark, commas, decimal points, \
CRLF, the lasting names as heads; days `2026-10-25`, moments `2026-10-25T01:00:00Z`, truth \
`true` and `false`, an empty field for what is not known |
| `parquet` | a zip with one file a table, columns typed |
| `json` | the whole tree of figures, more than the tables hold: \
[figures.schema.json](figures.schema.json) |

Types: *count* is a whole number; *share* is between 0 and 1 (a difference of shares between \
−1 and 1); *seconds* may have a fraction; *number* is any other number, its unit \
in the heading; *money* is in currency units with up to six decimals\
 (`Decimal(38, 6)` in Parquet); *day* is a calendar day of the report's time zone; *moment* is\
 UTC; *flag* is true or false. A share of fewer than 30 messages is empty: its counts stand \
beside it. What the figures mean: [figures.md](figures.md).

Names of campaigns, senders and operators come from outside and may begin like a formula (`=`,\
 `+`, `-`, `@`). In the spreadsheet every name is a text cell, marked as quoted where it \
begins so; in CSV such a name has an apostrophe before it; Parquet and JSON have names as they\
 are. No table holds a person.
"""


def page() -> str:
    """The page: tables and columns are the same for all figures."""
    figures = _no_figures()
    tables = {language: data_tables(figures, Words(language)) for language in Language}
    return "\n".join([INTRODUCTION, *_tables(tables)])


def _tables(tables: dict[Language, tuple[Table, ...]]) -> Iterator[str]:
    common = _common(tables[Language.ENGLISH])
    named = {column.name for column in common}
    for at, table in enumerate(tables[Language.ENGLISH]):
        others = [tables[one][at] for one in Language if one is not Language.ENGLISH]
        sheets = ", ".join(f'"{title}"' for title in [table.title, *(o.title for o in others)])
        yield f"## {table.name}\n{table.meaning}. Sheet {sheets}.\n"
        own = [column for column in table.columns if column.name not in named]
        measured = len(own) < len(table.columns)
        yield from _rows(own if measured else table.columns, [table, *others])
        if measured:
            yield "\nand the columns of [every cohort](#every-cohort)."
        yield ""
    yield "## Every cohort\nColumns of each table of totals.\n"
    whole = next(n for n, one in enumerate(tables[Language.ENGLISH]) if one.name == "totals")
    yield from _rows(common, [tables[one][whole] for one in _english_first()])
    yield ""


def _english_first() -> list[Language]:
    return sorted(Language, key=lambda one: one is not Language.ENGLISH)


def _common(tables: Sequence[Table]) -> list[Column]:
    """The measures: what the totals and the table of campaigns share."""
    named = {table.name: table for table in tables}
    shared = {column.name for column in named["campaigns"].columns}
    return [column for column in named["totals"].columns if column.name in shared]


def _rows(columns: Sequence[Column], spoken: Sequence[Table]) -> Iterator[str]:
    yield "| column | type | heading | meaning |"
    yield "|---|---|---|---|"
    for column in columns:
        headings = [
            other.heading
            for table in spoken
            for other in table.columns
            if other.name == column.name
        ]
        shown = " · ".join(dict.fromkeys(headings))
        yield f"| `{column.name}` | {column.cell.value} | {shown} | {column.meaning} |"


def _no_figures() -> Figures:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    day = date(2026, 1, 1)
    return Figures(
        version=FIGURES_VERSION,
        kind=ReportKind.PERIOD,
        period=None,
        campaign=None,
        campaign_label=None,
        project="",
        first_day=day,
        last_day=day,
        previous_first_day=None,
        previous_last_day=None,
        zone="UTC",
        data_as_of=moment,
        goal=None,
        totals=no_totals(AsOf(moment, 0)),
        previous=None,
        days=(),
        previous_days=(),
        hours=(),
        by_campaign=(),
        by_source=(),
        by_sender=(),
        by_country=(),
        by_operator=(),
        reasons=(),
        findings=(),
        sources=(),
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
