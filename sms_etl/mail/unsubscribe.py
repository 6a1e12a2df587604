"""Links with which a reader leaves a subscription: who and what, signed, so none can be made up."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from email.headerregistry import BaseHeader, UnstructuredHeader
from email.policy import Policy

from sms_etl.config.settings import Mail
from sms_etl.errors import ConfigError

SHORTEST_KEY = 32
"""Characters; a shorter key could be guessed from one link."""

_PURPOSE = b"sms_etl unsubscribe 1\0"
"""Keeps a signature made for this from being good for anything else."""


@dataclass(frozen=True)
class Wish:
    """A reader does not want a subscription any more."""

    subscription: str
    reader: str


class Links:
    """Makes the links, and reads the tokens at their ends."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._key = key.encode()

    def link(self, wish: Wish) -> str:
        """The address at which a wish is granted; the same for the same wish."""
        body = json.dumps([wish.subscription, wish.reader], ensure_ascii=False).encode()
        return f"{self._url}/{_text(body)}.{_text(self._signature(body))}"

    def wish(self, token: str) -> Wish | None:
        """What a token asks for; null if this key did not sign it."""
        body_text, _, signature_text = token.partition(".")
        body, signature = _bytes(body_text), _bytes(signature_text)
        # Compared in constant time: how long it takes must not tell how much was guessed.
        if not hmac.compare_digest(self._signature(body), signature):
            return None
        subscription, reader = json.loads(body)
        return Wish(subscription, reader)

    def _signature(self, body: bytes) -> bytes:
        return hmac.digest(self._key, _PURPOSE + body, hashlib.sha256)


def links_of(mail: Mail) -> Links | None:
    """The links of the settings; null if these have no address for them.

    Raises:
        ConfigError: the key is not set, or is too short.
    """
    if mail.unsubscribe_url is None or mail.unsubscribe_key is None:
        return None
    key = mail.unsubscribe_key.get()
    if len(key) < SHORTEST_KEY:
        raise ConfigError(
            f"The key in {mail.unsubscribe_key.variable} has {len(key)} characters; links to "
            f"unsubscribe need at least {SHORTEST_KEY}. Make one with: openssl rand -hex 32"
        )
    return Links(mail.unsubscribe_url, key)


class AddressList(UnstructuredHeader, BaseHeader):
    """List-Unsubscribe: folded between addresses only.

    The standard library would write a long address as an encoded word (RFC 2047), which no mail
    program reads in this header.
    """

    def fold(self, *, policy: Policy) -> str:
        """The lines of the header."""
        value = self.replace(", <", f",{policy.linesep} <")
        return f"{self.name}: {value}{policy.linesep}"


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """What was encoded; nothing if it was not."""
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return b""
