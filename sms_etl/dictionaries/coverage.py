"""docs/dictionaries.md: which words and codes of each provider are known, and what they mean.

`python -m sms_etl.dictionaries.coverage` writes it; a test keeps it current.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sms_etl.dictionaries.dictionary import Dictionary, dictionary_names, load_dictionary

PAGE = Path(__file__).parents[2] / "docs" / "dictionaries.md"
UNVERIFIED = "unverified"
"""Stands in the source of a word or code whose meaning no document that was read tells."""
WITHOUT_REASON = "no reason of a failure"

_HEAD = """\
# Dictionaries

Generated from the tables by `python -m sms_etl.dictionaries.coverage`; do not edit.

These are the status words and codes that a message can carry. Codes that only a refused request \
carries (a wrong key, a malformed query) are not here: a refused request is told as an error of \
the run. A word or code that is not here is loud and of class unknown, never guessed.
`sms-etl dictionary twilio 30003` explains one in both languages, and says where its meaning was \
read. An asterisk marks what could not be verified: compare it with the provider's documents \
before relying on it.

"""


def page() -> str:
    """The whole page, Markdown."""
    known = [load_dictionary(name) for name in dictionary_names()]
    table = ["| Dictionary | Status words | Codes | Not verified |", "| --- | --- | --- | --- |"]
    table += [_row(dictionary) for dictionary in known]
    sections = [_section(dictionary) for dictionary in known]
    return _HEAD + "\n".join(table) + "\n\n" + "\n".join(sections)


def _row(dictionary: Dictionary) -> str:
    name, counted = dictionary.provider, (dictionary.statuses, dictionary.codes)
    doubtful = sum(frame.filter(_doubtful(frame)).height for frame in counted)
    heights = " | ".join(str(frame.height) for frame in counted)
    return f"| [`{name}`](#{name}) | {heights} | {doubtful} |"


def _section(dictionary: Dictionary) -> str:
    words = _listed(dictionary.statuses, "word", "class")
    codes = _listed(dictionary.codes.fill_null(WITHOUT_REASON), "code", "reason")
    body = [f"## {dictionary.provider}", "", "Status words:", "", *words, ""]
    return "\n".join([*body, *(["Codes:", "", *codes, ""] if codes else [])])


def _listed(frame: pl.DataFrame, word: str, meaning: str) -> list[str]:
    """A line for every meaning, with its words in the order of the file."""
    marked = pl.format(
        "`{}`{}", word, pl.when(_doubtful(frame)).then(pl.lit("*")).otherwise(pl.lit(""))
    )
    grouped = frame.group_by(meaning, maintain_order=True).agg(marked.alias("listed"))
    return [f"- {row[meaning]}: {', '.join(row['listed'])}" for row in grouped.to_dicts()]


def _doubtful(frame: pl.DataFrame) -> pl.Expr:
    said = [name for name in ("source", "note") if name in frame.columns]
    return pl.concat_str(said, separator=" ", ignore_nulls=True).str.contains(UNVERIFIED)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
