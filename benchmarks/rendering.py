"""What a report costs to draw: against bare WeasyPrint, and as it grows.

`python -m benchmarks.rendering` writes docs/rendering.md.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import pikepdf

from sms_etl.config.settings import Language
from sms_etl.reports import render as drawing
from sms_etl.reports.attachments import attachments
from sms_etl.reports.figures import Figures
from sms_etl.reports.kinds import kind_of
from sms_etl.reports.language import Words
from tests.reports import samples

PAGE = Path(__file__).parent.parent / "docs" / "rendering.md"
REPEATS = 2
ROWS = (10, 400)
BARE = (
    "import sys; from weasyprint import HTML;"
    "sys.stdout.buffer.write(HTML(string=sys.stdin.read()).write_pdf(pdf_variant='pdf/a-3a'))"
)
"""WeasyPrint alone in a process of its own: no checks, no limits, nothing attached."""


def seconds(work: Callable[[], object]) -> float:
    """The best of some runs: the others were disturbed."""
    found = []
    for _ in range(REPEATS):
        start = perf_counter()
        work()
        found.append(perf_counter() - start)
    return min(found)


def bare(html: bytes) -> bytes:
    """A PDF by WeasyPrint alone."""
    return subprocess.run(
        [sys.executable, "-c", BARE], input=html, capture_output=True, check=True
    ).stdout


def pages(pdf: bytes) -> int:
    """Pages of a PDF."""
    return len(pikepdf.open(io.BytesIO(pdf)).pages)


def row_of(name: str, figures: Figures) -> list[str]:
    """One report: figures to HTML, HTML to PDF bare and by us, pages, size."""
    words = Words(Language.UKRAINIAN)
    sections = drawing._section_values(figures, words)
    page = drawing._page("pdf", figures, words, sections)
    told = attachments(figures, words)
    pdf = drawing.typeset(page, told)
    values = seconds(lambda: drawing._section_values(figures, words))
    html = seconds(lambda: drawing._page("pdf", figures, words, sections))
    alone = seconds(lambda: bare(page))
    ours = seconds(lambda: drawing.typeset(page, told))
    return [
        name, str(len(sections)), f"{values:.2f}", f"{html:.2f}", f"{alone:.2f}", f"{ours:.2f}",
        f"{ours / alone:.2f}", str(pages(pdf)), f"{len(pdf) / 1000:.0f}",
    ]  # fmt: skip


def with_rows(count: int) -> Figures:
    """A month with so many campaigns, all printed or not."""
    campaigns = tuple(
        samples.group(f"c{n}", f"Campaign {n}", 20_000 - n, 0.96, 0.95) for n in range(count)
    )
    return samples.month(by_campaign=campaigns)


def cut_to(figures: Figures, sections: int) -> list[str]:
    """The same report with only its first sections."""
    words = Words(Language.UKRAINIAN)
    printed = kind_of(figures).printed(figures)[:sections]
    values = [(section, section.values(figures, words)) for section in printed]
    page = drawing._page("pdf", figures, words, values)
    pdf = drawing.typeset(page)
    ours = seconds(lambda: drawing.typeset(page))
    return [str(len(values)), f"{ours:.2f}", str(pages(pdf))]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, numbers to the right."""
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def main() -> None:
    """Measure, and write the page."""
    heads = ("report", "sections", "values, s", "HTML, s", "bare, s", "ours, s", "ratio", "pages",
             "kB")  # fmt: skip
    kinds = [("month", samples.month()), ("providers", samples.providers()),
             ("operations", samples.operations())]  # fmt: skip
    by_kind = [row_of(name, figures) for name, figures in kinds]
    by_rows = [row_of(f"{count} campaigns", with_rows(count)) for count in ROWS]
    most = len(kind_of(samples.month()).printed(samples.month()))
    by_sections = [cut_to(samples.month(), n) for n in range(1, most + 1, 5)]
    PAGE.write_text(
        f"""# What a report costs to draw

Made by `python -m benchmarks.rendering`; do not edit. Seconds of one process on two shared cores,
the best of {REPEATS}. *Values*: figures to what is printed, charts included. *HTML*: templates.
*Bare*: WeasyPrint alone on the same HTML in a process of its own. *Ours*: the same with limits,
the check of every box against its page, one or two more settings where the last page is not full,
and the data of the report attached. Wall time on a machine that others kept busy: only large
differences mean anything, and a ratio below 1 is noise.

{table(heads, by_kind)}

## Growth with rows

A table is printed up to 25 rows; the rest is in the attached data, so a report does not grow with
what it is about.

{table(heads, by_rows)}

## Growth with sections

The month, cut after its first sections.

{table(("sections", "ours, s", "pages"), by_sections)}
""",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
