"""The shape of a provider's records: which fields they have, and what changed overnight."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sms_etl.sources.base import LandedPage, PageFormat
from sms_etl.sources.records import body_of

LEAST_DAYS = 3
"""Days before a day that must agree before a field counts as usual, or as new."""

REGULAR = 0.5
"""A field of a smaller share of the records is optional: it comes and goes."""

ITEM = "[]"
"""Stands for the elements of a list in the path of a field."""

ANY_KEY = "*"
"""Stands for a key that is data: an identifier or a number of a person."""

IDENTIFIER = re.compile(r"\d{4}|^(?=.*\d).{16,}$")


@dataclass(frozen=True)
class Shape:
    """How often each field stands in how many records."""

    fields: Mapping[str, int]
    records: int

    @property
    def regular(self) -> frozenset[str]:
        """Fields that are not optional."""
        least = REGULAR * self.records
        return frozenset(name for name, count in self.fields.items() if count >= least)

    def plus(self, other: Shape) -> Shape:
        """Both together."""
        fields = Counter(self.fields) + Counter(other.fields)
        return Shape(fields, self.records + other.records)


@dataclass(frozen=True)
class Drift:
    """Regular fields of every day before that a day lacks, and its own that none of them had."""

    gone: tuple[str, ...]
    new: tuple[str, ...]


def shape_of(page: LandedPage) -> Shape:
    """Dotted paths of the fields of a page, or its headings; none for what has no fields."""
    body = body_of(page)
    if page.format is PageFormat.CSV:
        return Shape(dict.fromkeys(_headings(body), page.records), page.records)
    if page.format not in {PageFormat.JSON, PageFormat.NDJSON}:
        return Shape({}, 0)
    try:
        if page.format is PageFormat.JSON:
            found = Counter(_paths(json.loads(body)))
        else:
            lines = [line for line in body.splitlines() if line.strip()]
            found = Counter(path for line in lines for path in _paths(json.loads(line)))
    except ValueError:
        return Shape({}, 0)
    return Shape(found, page.records)


def drift(day: date, shapes: Mapping[date, Shape]) -> Drift:
    """What the fields of a day lack or have beside those of the days before it.

    Days without records say nothing; with fewer than LEAST_DAYS of them before, nothing is usual
    yet.
    """
    before = [shape for one, shape in shapes.items() if one < day and shape.fields]
    there = shapes.get(day, Shape({}, 0))
    if len(before) < LEAST_DAYS or not there.fields:
        return Drift((), ())
    always = frozenset.intersection(*(shape.regular for shape in before))
    ever = frozenset[str]().union(*(shape.fields for shape in before))
    return Drift(tuple(sorted(always - set(there.fields))), tuple(sorted(there.regular - ever)))


def _paths(value: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            name = ANY_KEY if IDENTIFIER.search(key) else key
            path = f"{prefix}.{name}" if prefix else name
            yield path
            yield from _paths(part, path)
    elif isinstance(value, list):
        for part in value:
            yield from _paths(part, prefix + ITEM)


def _headings(body: bytes) -> Sequence[str]:
    """The first line of a CSV file; its words whatever the delimiter is."""
    line = body.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    try:
        dialect = csv.Sniffer().sniff(line)
    except csv.Error:
        return [line]
    return next(csv.reader(io.StringIO(line), dialect), [])
