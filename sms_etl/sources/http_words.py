"""What a provider says beside the data: how long to wait, what went wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

QUOTED_FIELDS = frozenset(
    {"code", "message", "messageId", "error", "errorCode", "title", "detail", "description", "text"}
)


def retry_after(header: str | None) -> float | None:
    """Retry-After in seconds or as an HTTP date, as seconds from now; nonsense is None."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def told_in(data: Any) -> Iterator[str]:
    """What an error body says, wherever in it the provider puts its words."""
    if isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, (dict, list)):
                yield from told_in(value)
            elif key in QUOTED_FIELDS and value is not None:
                yield str(value)
    elif isinstance(data, list):
        for value in data:
            yield from told_in(value)


def said_of(error: requests.RequestException) -> str:
    """Our own words: the library's texts quote whole URLs."""
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(
        error, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)
    ):
        return "the connection was cut in the middle of the body"
    return "the host cannot be reached or cut the connection; check base_url and the network"
