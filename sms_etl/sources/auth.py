"""How a request says who asks. Redirects are refused, so a secret goes to its provider only."""

from __future__ import annotations

import requests
from requests.auth import AuthBase


class HeaderAuth(AuthBase):
    """Sends a secret in a header; unlike a plain header it is not replaced by a netrc entry."""

    def __init__(self, header: str, value: str) -> None:
        self._header = header
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers[self._header] = self._value
        return request


class BearerAuth(HeaderAuth):
    """Sends a token: 'Authorization: Bearer x'."""

    def __init__(self, token: str) -> None:
        super().__init__("Authorization", f"Bearer {token}")


class QueryAuth(AuthBase):
    """Sends secrets in the query, for providers that know no better; pages do not record them."""

    def __init__(self, **secrets: str) -> None:
        self._secrets = secrets

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add to the query."""
        request.prepare_url(str(request.url), self._secrets)
        return request


class NoAuth(AuthBase):
    """Sends nothing: the key is in the body. Without it a netrc entry would be sent."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
        return request


class RenewableAuth(AuthBase):
    """Credentials that run out and can be had anew."""

    def renew(self, refused: requests.PreparedRequest) -> None:
        """Forget what was refused; the next request gets a new one.

        What another thread has renewed in the meantime stays.
        """
        raise NotImplementedError
