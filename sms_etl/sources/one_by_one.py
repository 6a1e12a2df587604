"""What sources share that tell the status of one identifier a request.

An answer need not repeat the identifier, so it stands in the page's meta.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, TypeVar

import polars as pl
from pydantic import Field

from sms_etl.sources.base import LandedPage, Page
from sms_etl.sources.http import Answer, HttpClient
from sms_etl.sources.http_source import ByIdSettings, ByIdSource
from sms_etl.sources.json_pages import split_page
from sms_etl.sources.records import scan_pages

ASKED = "message_id"
"""Key of a page's meta, and the column: the identifier asked for."""


class OneByOneSettings(ByIdSettings):
    """A source asked for one identifier a request."""

    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    batch_size: Annotated[int, Field(ge=1, le=1)] = 1


Q = TypeVar("Q", bound=OneByOneSettings)


class OneByOneSource(ByIdSource[Q]):
    """Asks for the status of every message the outbox knows, one by one."""

    @abstractmethod
    def ask(self, client: HttpClient, identifier: str) -> Answer:
        """The answer about one identifier."""

    def batch(self, client: HttpClient, ids: list[str]) -> Page:
        """The answer about one identifier, which is one record."""
        (identifier,) = ids
        page = self.ask(client, identifier).page(1)
        return replace(page, meta={**page.meta, ASKED: identifier})

    def try_out(self, client: HttpClient) -> object:
        """Ask for an identifier that does not exist: the credentials must be accepted."""
        return self.ask(client, "1")


def scan_answers(
    pages: Sequence[LandedPage],
    fields: Sequence[str],
    record: Callable[[Any], Mapping[str, Any]] = lambda data: data,
) -> pl.LazyFrame:
    """Pages of one record each: ASKED, and `fields` (dotted paths) of what `record` makes of it."""

    def decode(page: LandedPage, body: bytes) -> pl.DataFrame:
        return split_page(
            body, (ASKED, *fields), lambda data: [{**record(data), ASKED: page.meta[ASKED]}]
        )

    return scan_pages(pages, (ASKED, *fields), decode)
