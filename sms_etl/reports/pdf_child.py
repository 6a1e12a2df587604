"""Typesets one report in a process of its own: `python pdf_child.py FAMILY SECONDS BYTES`.

HTML comes in on standard input, PDF goes out on standard output. Anything WeasyPrint warns of,
and any font that is not ours, ends the process with status 1 and the complaint on standard error.
A process of its own because a missing font library crashes the interpreter, long documents do not
give their memory back, and a runaway layout must be stoppable. It imports nothing of the project.
"""

from __future__ import annotations

import hashlib
import logging
import resource
import sys
from typing import Any

PDF_VARIANT = "pdf/a-3a"
COMPLAINTS_SHOWN = 10


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


def typeset(html: bytes, family: str, complaints: Complaints) -> bytes:
    """HTML to a tagged PDF/A whose bytes depend on the HTML alone; only data URIs are loaded."""
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    foreign: set[str] = set()

    def inspect(_document: Any, pdf: Any) -> None:
        foreign.update(foreign_fonts(pdf, family))

    fetcher = URLFetcher(allowed_protocols=["data"], allow_redirects=False, fail_on_errors=True)
    page = HTML(string=html.decode("utf-8"), url_fetcher=fetcher)
    identifier = hashlib.sha256(html).digest()[:16]
    content = page.write_pdf(pdf_variant=PDF_VARIANT, pdf_identifier=identifier, finisher=inspect)
    complaints.messages += [f"font outside the package: {name}" for name in sorted(foreign)]
    return bytes(content)


def main() -> int:
    """Run as a program; see the module's docstring."""
    family, seconds, memory = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    limit(seconds, memory)
    complaints = Complaints()
    logging.getLogger("weasyprint").addHandler(complaints)
    content = typeset(sys.stdin.buffer.read(), family, complaints)
    if complaints.messages:
        sys.stderr.write("\n".join(complaints.messages[:COMPLAINTS_SHOWN]))
        return 1
    sys.stdout.buffer.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
