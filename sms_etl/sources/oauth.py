"""OAuth2 client credentials (RFC 6749, section 4.4): a token that is fetched and renewed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import requests
from requests.auth import HTTPBasicAuth

from sms_etl.errors import PermanentSourceError
from sms_etl.sources.auth import RenewableAuth
from sms_etl.sources.http import HttpClient, HttpSettings

RENEW_SECONDS_EARLY = 30.0
LIFE_WHEN_UNSTATED_SECONDS = 300.0


class ClientCredentials(RenewableAuth):
    """Sends a bearer token; gets one at `path` before the first request and when it runs out."""

    def __init__(
        self,
        source: str,
        settings: HttpSettings,
        path: str,
        client_id: str,
        client_secret: str,
        scope: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        basic = HTTPBasicAuth(client_id, client_secret)
        self._client = HttpClient(source, client_id, settings, basic, client_secret)
        self._source = source
        self._path = path
        self._fields = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header, with a new token if the old one is about to run out."""
        with self._lock:
            if not self._token or self._clock() >= self._good_until:
                self._fetch()
            request.headers["Authorization"] = self._header
        return request

    def renew(self, refused: requests.PreparedRequest) -> None:
        """Forget the token that a request was refused with."""
        with self._lock:
            if refused.headers.get("Authorization") == self._header:
                self._token = ""

    @property
    def _header(self) -> str:
        return f"Bearer {self._token}"

    def _fetch(self) -> None:
        data = self._client.post_form(self._path, self._fields).data
        token = data.get("access_token") if isinstance(data, Mapping) else None
        if not isinstance(token, str) or not token:
            raise PermanentSourceError(
                f"{self._source}: the token endpoint gave no access_token. Check base_url, the "
                f"client's name and its secret."
            )
        life = data.get("expires_in")
        seconds = float(life) if isinstance(life, (int, float)) else LIFE_WHEN_UNSTATED_SECONDS
        self._token = token
        self._good_until = self._clock() + max(0.0, seconds - RENEW_SECONDS_EARLY)
