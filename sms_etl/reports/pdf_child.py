"""Typesets one report in a process of its own: `python pdf_child.py FAMILY SECONDS BYTES`.

A JSON object with the HTML and the files to attach comes in on standard input, PDF goes out on
standard output. Anything WeasyPrint warns of, any font that is not ours, and anything that sticks
out of its page ends the process with status 1 and the complaint on standard error.
A process of its own because a missing font library crashes the interpreter, long documents do not
give their memory back, and a runaway layout must be stoppable. It imports nothing of the project.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import resource
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

PDF_VARIANT = "pdf/a-3a"
COMPLAINTS_SHOWN = 10

OVERFULL_BY = 1.0
"""CSS pixels that a line of text or an image may stick out of the page's content."""

LEAST_FILL = 0.4
"""A last page filled less than this is worth setting the whole a little tighter."""

GOOD_FILL = 0.75
"""A last page filled less than this is worth setting the whole a little wider."""

TIGHT = """
section { margin-top: 8px !important; }
th, td { padding-top: 1.8px !important; padding-bottom: 1.8px !important; }
.entry { margin-bottom: 3px !important; line-height: 1.22 !important; }
.findings li { margin-bottom: 3px !important; }
"""
"""Style of the second try; a user's style sheet, so it must insist to win over the report's own."""

WIDE = """
section { margin-top: 18px !important; }
th, td { padding-top: 3.6px !important; padding-bottom: 3.6px !important; }
.entry { margin-bottom: 9px !important; line-height: 1.36 !important; }
.findings li { margin-bottom: 8px !important; }
"""
"""Style of the try that spreads what is there over the pages it takes anyway."""


class Complaints(logging.Handler):
    """Keeps every message of level warning or above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self.messages.append(record.getMessage())


def limit(seconds: int, memory: int) -> None:
    """Bound processor time and address space of this process."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def foreign_fonts(pdf: Any, family: str) -> set[str]:
    """Names of the embedded fonts that are not of the family."""
    names = set()
    for item in pdf.objects:
        name = item.get("BaseFont") if isinstance(item, dict) else None
        if name is not None:
            plain = str(name).lstrip("/").rpartition("+")[2]
            if not plain.startswith(family):
                names.add(plain)
    return names


def printed(box: Any) -> Iterator[Any]:
    """Lines of text and images of a page, without what stands in its margins."""
    from weasyprint.formatting_structure.boxes import ReplacedBox, TextBox

    if isinstance(box, (TextBox, ReplacedBox)):
        yield box
    for child in getattr(box, "children", ()):
        yield from printed(child)


def body_of(page: Any) -> list[Any]:
    """What is printed inside the margins; WeasyPrint shows its layout only by this name."""
    from weasyprint.formatting_structure.boxes import MarginBox

    children = page._page_box.children
    return [box for c in children if not isinstance(c, MarginBox) for box in printed(c)]


def overfull(document: Any) -> list[str]:
    """What sticks out of the page, to the right or below, a complaint each."""
    found = []
    for number, page in enumerate(document.pages, start=1):
        sheet = page._page_box
        right = sheet.content_box_x() + sheet.width + OVERFULL_BY
        bottom = sheet.content_box_y() + sheet.height + OVERFULL_BY
        for box in body_of(page):
            if box.position_x + box.width > right or box.position_y + box.height > bottom:
                what = getattr(box, "text", "an image")
                found.append(f"page {number} is overfull: {what[:60]!r} sticks out of it")
    return found


def fill_of(page: Any) -> float:
    """How far down a page is filled, as a share of its height."""
    sheet = page._page_box
    bottoms = [box.position_y + box.height for box in body_of(page)]
    return float((max(bottoms, default=0.0) - sheet.content_box_y()) / sheet.height)


def laid_out(page: Any, options: dict[str, Any]) -> Any:
    """The document in the setting with the fewest pages and the fullest emptiest page.

    Tighter is tried where it may save a last page, wider where it may fill one.
    """
    from weasyprint import CSS

    def again(style: str) -> Any:
        return page.render(**options, stylesheets=[CSS(string=style)])

    def worth(document: Any) -> tuple[int, float]:
        return -len(document.pages), min(fill_of(one) for one in document.pages)

    document = page.render(**options)
    pages, last = len(document.pages), fill_of(document.pages[-1])
    if pages == 1 or last >= GOOD_FILL:
        return document
    if last < LEAST_FILL:
        tighter = again(TIGHT)
        if len(tighter.pages) < pages:
            return tighter
    return max(document, again(WIDE), key=worth)


def typeset(asked: dict[str, Any], family: str, complaints: Complaints) -> bytes:
    """HTML to a tagged PDF/A whose bytes depend on the input alone; only data URIs are loaded."""
    from weasyprint import HTML, Attachment
    from weasyprint.urls import URLFetcher

    html = asked["html"].encode()
    attachments = [
        Attachment(
            string=base64.b64decode(one["content"]),
            name=one["name"],
            description=one["description"],
            created=datetime.fromisoformat(one["at"]),
            modified=datetime.fromisoformat(one["at"]),
            relationship="Data",
        )
        for one in asked["attachments"]
    ]

    foreign: set[str] = set()

    def inspect(_document: Any, pdf: Any) -> None:
        foreign.update(foreign_fonts(pdf, family))

    fetcher = URLFetcher(allowed_protocols=["data"], allow_redirects=False, fail_on_errors=True)
    page = HTML(string=html.decode(), url_fetcher=fetcher)
    options = {
        "pdf_variant": PDF_VARIANT,
        "pdf_identifier": hashlib.sha256(html).digest()[:16],
        "attachments": attachments,
    }
    document = laid_out(page, options)
    content = document.write_pdf(finisher=inspect, **options)
    complaints.messages += [f"font outside the package: {name}" for name in sorted(foreign)]
    complaints.messages += overfull(document)
    return bytes(content)


def main() -> int:
    """Run as a program; see the module's docstring."""
    family, seconds, memory = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    limit(seconds, memory)
    complaints = Complaints()
    logging.getLogger("weasyprint").addHandler(complaints)
    content = typeset(json.load(sys.stdin.buffer), family, complaints)
    if complaints.messages:
        sys.stderr.write("\n".join(complaints.messages[:COMPLAINTS_SHOWN]))
        return 1
    sys.stdout.buffer.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
