"""docs/sources.md, generated from the facts that stand on every source.

`python -m sms_etl.sources.catalogue` writes it; a test keeps it current.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sms_etl.sources.base import Facts, PullKind, Source
from sms_etl.sources.registry import SOURCES, source_class

PAGE = Path(__file__).parents[2] / "docs" / "sources.md"

PULLS = {
    PullKind.WINDOW: "window of time",
    PullKind.BY_ID: "by identifier, from the outbox",
    PullKind.DROP_FOLDER: "files",
    PullKind.SQL: "SQL",
}

_HEAD = """\
# Sources

Generated from the code by `python -m sms_etl.sources.catalogue`; do not edit. How to add one:
`docs/adding-a-source.md`.

"""
_COLUMNS = ("Kind", "Source", "Pull", "Window filter", "History kept", "Rate limit", "Verified")


def page() -> str:
    """The whole page, Markdown."""
    classes = {kind: source_class(kind) for kind in SOURCES}
    rows = [_row(kind, source) for kind, source in classes.items()]
    table = [_line(_COLUMNS), _line("---" for _ in _COLUMNS), *rows]
    sections = [_section(kind, source.facts) for kind, source in classes.items()]
    return _HEAD + "\n".join(table) + "\n\n" + "\n".join(sections)


def _row(kind: str, source: type[Source]) -> str:
    facts = source.facts
    cells = (
        f"[`{kind}`](#{kind})", facts.title, PULLS[source.kind], facts.window_filter,
        facts.history, facts.rate_limit, "in part" if facts.to_check else "yes",
    )  # fmt: skip
    return _line(cells)


def _section(kind: str, facts: Facts) -> str:
    lines = [
        f"## {kind}",
        "",
        f"{facts.title}.",
        "",
        f"- Look-back: {facts.look_back}.",
        f"- Proof: {facts.proof}.",
        f"- The provider does not tell: {facts.missing}.",
        f"- What the reports then say: {facts.reports}.",
        f"- Documents: {facts.documents}",
    ]
    if facts.engagement:
        lines.append(
            f"- Engagement (turn on with `engagement` in its settings): {facts.engagement}."
        )
    if facts.to_check:
        lines.append(f"- **Not verified; check before relying on it:** {facts.to_check}.")
    return "\n".join([*lines, ""])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
