"""Requests and replies between the HTTP server and the simulated providers."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """One HTTP request as a provider sees it; header names in Title-Case.

    `base` is where the provider is served: scheme, host and mount, for links in answers.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = ""

    @property
    def path(self) -> str:
        """Path without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """Decoded query; the last of repeated names wins."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """Decoded fields of a form body; the last of repeated names wins."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The JSON in the body; None if there is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def token(self) -> str:
        """What stands after the word in the Authorization header: 'Bearer x', 'App x'."""
        return self.headers.get("Authorization", "").partition(" ")[2]

    @property
    def basic(self) -> tuple[str, str] | None:
        """User and password of HTTP Basic; None if they are not there."""
        kind, _, coded = self.headers.get("Authorization", "").partition(" ")
        try:
            user, colon, password = base64.b64decode(coded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return (user, password) if colon and kind.lower() == "basic" else None


@dataclass(frozen=True)
class Reply:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer in UTF-8."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(
        status, body, {"Content-Type": "application/json;charset=utf-8"} | dict(headers or {})
    )
