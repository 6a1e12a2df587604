"""Pages of a pull in slices that may be fetched side by side, and begun again where one died."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sms_etl.sources.base import Page


@dataclass(frozen=True)
class Recording:
    """An answer that a dead pull landed. `body` reads it; None: it is not whole any more."""

    received_at: datetime
    meta: Mapping[str, str]
    body: Callable[[], bytes | None]


class Recall:
    """Answers that need not be asked for again, by the fingerprint of their request.

    `used` counts those that were taken.
    """

    def __init__(self, recordings: Mapping[str, Recording] | None = None) -> None:
        self._recordings = recordings or {}
        self.used = 0

    def answer(self, fingerprint: str) -> tuple[bytes, Recording] | None:
        """The recorded answer to a request, or None."""
        recording = self._recordings.get(fingerprint)
        body = recording.body() if recording else None
        if recording is None or body is None:
            return None
        self.used += 1
        return body, recording


Part = Callable[[Recall], Iterator[Page]]
"""The pages of one slice, from its beginning; answers are recalled where there are any."""


@dataclass(frozen=True)
class SlicedPages:
    """Pages whose slices do not need each other; iterated, they come one after another.

    Answers received before `not_before` are asked for again: rows may have come since.
    """

    parts: tuple[Part, ...]
    not_before: datetime

    def __iter__(self) -> Iterator[Page]:
        """Every page, asked for now."""
        for part in self.parts:
            yield from part(Recall())
