"""One way to ask a provider over HTTP: time-outs, retries, Retry-After and a shared rate budget.

Bodies come back byte for byte. Secrets, queries and headers never reach an error or a log.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import quote_plus, urljoin, urlsplit

import requests
from pydantic import AfterValidator, Field
from requests.auth import AuthBase
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_before_delay

from sms_etl.config.clock import now
from sms_etl.config.settings import SourceSettings
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.sources.auth import NoAuth, RenewableAuth
from sms_etl.sources.base import RETRIES, WAITED, Page, PageFormat
from sms_etl.sources.http_words import retry_after, said_of, told_in
from sms_etl.sources.rate_budget import rate_budget
from sms_etl.sources.slices import Recall, Recording

log = logging.getLogger(__name__)
_RANDOM = random.SystemRandom()

CONNECT_SECONDS = 10.0
LONGEST_BODY_SECONDS = 300.0
LARGEST_BODY_BYTES = 64 * 1024 * 1024
LARGEST_FILE_BYTES = 512 * 1024 * 1024
REDIRECTS = frozenset({302, 303, 307})
LONGEST_BACKOFF_SECONDS = 60.0
CHUNK_BYTES = 64 * 1024
QUOTED_CHARACTERS = 200
MASK = "***"
TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
MENDS = {
    400: "The request is not accepted; check the settings of this source",
    401: "Check the account name and the secret in the environment",
    403: "The account has no right to read this; ask the provider for it",
    404: "Check base_url and the account name",
}


def _https_or_loopback(url: str) -> str:
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment or not parts.hostname:
        raise ValueError("a base URL is scheme and host only, such as https://api.example.com")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return url.rstrip("/")
    raise ValueError("only https is allowed (plain http for this machine only)")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


BaseUrl = Annotated[str, AfterValidator(_https_or_loopback)]


class HttpSettings(SourceSettings):
    """What every source that is asked over HTTP has.

    `parallel_slices`: days and parts of days that are asked for side by side, under the one rate.
    `resume_hours`: how long the answers of a pull that died spare the next one asking; 0: never.
    """

    base_url: BaseUrl
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 10.0
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0
    retry_budget_seconds: Annotated[float, Field(ge=0, le=7200)] = 600.0
    parallel_slices: Annotated[int, Field(ge=1, le=16)] = 4
    resume_hours: Annotated[float, Field(ge=0, le=24)] = 3.0


@dataclass(frozen=True)
class Answer:
    """One answer: the body as received, the JSON in it, and what it took to get it.

    `fingerprint` is the same for the same request of the same account, whatever the secret.
    """

    body: bytes
    data: Any
    request: str
    received_at: datetime
    retries: int
    waited_seconds: float
    fingerprint: str = ""

    def page(self, records: int, form: PageFormat = PageFormat.JSON) -> Page:
        """The answer as a page to land; `meta` tells of retries where there were any."""
        effort = {RETRIES: str(self.retries), WAITED: f"{self.waited_seconds:.1f}"}
        meta = effort if self.retries else {}
        return Page(
            self.body, form, records, self.request, self.received_at, meta, self.fingerprint
        )


class _Again(Exception):  # noqa: N818 - a signal to the retry loop, never seen outside
    def __init__(
        self, reason: str, wait_seconds: float | None = None, *, refused: bool = False
    ) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds
        self.refused = refused


@dataclass(frozen=True)
class _Asked:
    """A request before credentials are added, so that what is told of it holds none."""

    method: str
    url: str
    params: Mapping[str, str] | None
    payload: object = None
    form: Mapping[str, str] | None = None
    is_json: bool = True
    accepted: Collection[int] = ()
    file_absent: str = ""
    once: bool = False
    elsewhere: bool = False
    renewals: list[datetime] = field(default_factory=list)

    def request(self) -> requests.Request:
        return requests.Request(
            self.method, self.url, params=self.params, json=self.payload, data=self.form
        )

    @property
    def told(self) -> str:
        """Method, path and query; the query of an address elsewhere may be a secret."""
        parts = urlsplit(str(self.request().prepare().url))
        if self.elsewhere:
            return f"{self.method} {parts.scheme}://{parts.netloc}{parts.path}"
        return f"{self.method} {parts.path}{'?' if parts.query else ''}{parts.query}"

    @property
    def where(self) -> str:
        """Host and path; the query may hold what must not be told."""
        parts = urlsplit(self.url)
        return f"{self.method} {parts.scheme}://{parts.netloc}{parts.path}"


class HttpClient:
    """Asks one account of one provider.

    `secret` is masked wherever a provider's words are quoted. `inspect` looks at the JSON of an
    answer and raises TransientSourceError (asked again) or PermanentSourceError for errors that
    come inside HTTP 200.
    """

    def __init__(
        self,
        source: str,
        account: str,
        settings: HttpSettings,
        auth: AuthBase,
        secret: str,
        inspect: Callable[[Any], None] | None = None,
    ) -> None:
        self._source = source
        self._base = settings.base_url
        self._settings = settings
        self._secret = secret
        self._inspect = inspect
        self._account = f"{self._base} {account}"
        self._budget = rate_budget(self._account, settings.requests_per_second)
        self._auth = auth
        self._sessions = threading.local()
        self._recall = Recall()

    def recalling(self, recall: Recall) -> HttpClient:
        """The same client, which does not ask for what can be recalled."""
        twin = copy.copy(self)
        twin._recall = recall
        return twin

    def get_json(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        accepted: Collection[int] = (),
    ) -> Answer:
        """GET a path of the base URL (or a link the provider gave, on the same host).

        `accepted` are HTTP statuses that are an answer here: 404 about one identifier.
        """
        return self._ask(_Asked("GET", self._resolve(path), params, accepted=accepted))

    def post_json(
        self, path: str, payload: object, params: Mapping[str, str] | None = None
    ) -> Answer:
        """POST JSON; only for requests that change nothing, because they are repeated."""
        return self._ask(_Asked("POST", self._resolve(path), params, payload=payload))

    def post_once(self, path: str, payload: object) -> Answer:
        """POST JSON that orders something: repeated only where it was refused (HTTP 429).

        Raises:
            TransientSourceError: whether it was done is not known.
        """
        return self._ask(_Asked("POST", self._resolve(path), None, payload=payload, once=True))

    def post_form(
        self, path: str, fields: Mapping[str, str], params: Mapping[str, str] | None = None
    ) -> Answer:
        """POST a form; only for requests that change nothing, because they are repeated."""
        return self._ask(_Asked("POST", self._resolve(path), params, form=fields))

    def get_bytes(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """GET a body that is not JSON (a CSV or a zip file); `data` is None."""
        return self._ask(_Asked("GET", self._resolve(path), params, is_json=False))

    @property
    def base_url(self) -> str:
        """Where the API is."""
        return self._base

    @property
    def _session(self) -> requests.Session:
        """One session a thread: requests does not promise that threads may share one."""
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = self._sessions.session = requests.Session()
            session.auth = self._auth
        return session

    def get_file(self, path: str, absent: str) -> Answer:
        """GET a file that the provider keeps with somebody else, byte for byte; `data` is None.

        One redirect is followed, to any host over https, and without credentials. `absent` says
        what to do when there is no such file (HTTP 404).
        """
        return self._ask(
            _Asked("GET", self._resolve(path), None, is_json=False, file_absent=absent)
        )

    def get_linked_file(self, link: str, absent: str) -> Answer:
        """The same by a whole address that the provider gave: to another host without credentials.

        Raises:
            PermanentSourceError: the other host is not asked over https.
        """
        if urlsplit(link)[:2] == urlsplit(self._base)[:2]:
            return self.get_file(link, absent)
        asked = _Asked("GET", link, None, is_json=False, file_absent=absent, elsewhere=True)
        return self._ask(asked)

    def _ask(self, asked: _Asked) -> Answer:
        fingerprint = self._fingerprint(asked)
        recalled = self._recall.answer(fingerprint)
        if recalled is None:
            return self._ask_provider(asked, fingerprint)
        return _recalled(asked, fingerprint, *recalled)

    def _fingerprint(self, asked: _Asked) -> str:
        """Of the account, the method, the URL and the body; the secret in a body is masked."""
        prepared = asked.request().prepare()
        body = prepared.body or b""
        body = body.encode() if isinstance(body, str) else bytes(body)
        for written in (self._secret, json.dumps(self._secret)[1:-1], quote_plus(self._secret)):
            body = body.replace(written.encode(), MASK.encode()) if written else body
        whole = [self._account, str(prepared.method), str(prepared.url), body.hex()]
        return hashlib.sha256("\n".join(whole).encode()).hexdigest()

    def _ask_provider(self, asked: _Asked, fingerprint: str) -> Answer:
        waits: list[float] = []

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            time.sleep(seconds)

        retrying = Retrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, _Again) and (error.refused or not asked.once)
            ),
            wait=_backoff,
            stop=stop_before_delay(self._settings.retry_budget_seconds),
            before_sleep=self._tell,
            sleep=sleep,
            reraise=True,
        )
        try:
            body, data = retrying(self._send, asked)
        except _Again as error:
            tries = f"after {len(waits) + 1} tries" if waits else "at the first try"
            raise TransientSourceError(
                f"{self._source}: {asked.where}: {error} ({tries}). "
                f"The next run asks again; if it lasts, see the provider's status page."
            ) from None
        return Answer(
            body=body,
            data=data,
            request=asked.told,
            received_at=now(),
            retries=len(waits),
            waited_seconds=sum(waits),
            fingerprint=fingerprint,
        )

    def _resolve(self, path: str) -> str:
        ours = path.startswith("/") and not path.startswith("//")
        url = self._base + path if ours else urljoin(f"{self._base}/", path)
        if urlsplit(url)[:2] != urlsplit(self._base)[:2]:
            raise PermanentSourceError(
                f"{self._source}: the provider's link leads to another host "
                f"({urlsplit(url).hostname}); it was not followed. Check base_url."
            )
        return url

    def _send(self, asked: _Asked) -> tuple[bytes, Any]:
        self._budget.wait_turn()
        if asked.elsewhere:
            response, body = self._sent_elsewhere(asked, asked.url)
        else:
            response, body = self._sent(asked, self._session, asked.request())
        if asked.file_absent and response.status_code in REDIRECTS:
            address = response.headers.get("Location", "")
            response, body = self._sent_elsewhere(asked, address)
        self._judge(asked, response, body)
        return body, self._data(body) if asked.is_json else None

    def _sent_elsewhere(self, asked: _Asked, address: str) -> tuple[requests.Response, bytes]:
        """Ask for a file at the address that was given, which may itself be a secret."""
        parts = urlsplit(address)
        beside_us = {urlsplit(self._base).scheme, parts.scheme} == {"http"} and _is_loopback(
            parts.hostname or ""
        )
        if parts.scheme != "https" and not beside_us:
            raise PermanentSourceError(
                f"{self._source}: the provider's file is not kept behind https; it was not fetched."
            )
        with requests.Session() as elsewhere:
            return self._sent(asked, elsewhere, requests.Request("GET", address, auth=NoAuth()))

    def _sent(
        self, asked: _Asked, session: requests.Session, request: requests.Request
    ) -> tuple[requests.Response, bytes]:
        prepared = session.prepare_request(request)
        try:
            with session.send(
                prepared,
                **self._environment(prepared),
                timeout=(CONNECT_SECONDS, self._settings.timeout_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response, self._read(
                    response, LARGEST_FILE_BYTES if asked.file_absent else LARGEST_BODY_BYTES
                )
        except requests.exceptions.SSLError:
            raise PermanentSourceError(
                f"{self._source}: {asked.where}: the server's certificate is not trusted. "
                f"Check base_url and the certificates of this machine."
            ) from None
        except requests.RequestException as error:
            raise _Again(said_of(error)) from None
        except OSError as error:
            raise PermanentSourceError(
                f"{self._source}: {error}. Check REQUESTS_CA_BUNDLE in the environment."
            ) from None

    def _data(self, body: bytes) -> Any:
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            if _is_json_of_another_charset(body):
                raise PermanentSourceError(
                    f"{self._source}: the answer is whole JSON but not in UTF-8. Set the account's "
                    f"charset to UTF-8 at the provider."
                ) from None
            raise _Again(f"the answer of {len(body)} bytes is not whole JSON") from None
        if self._inspect is not None:
            try:
                self._inspect(data)
            except TransientSourceError as error:
                raise _Again(str(error)) from None
        return data

    def _environment(self, prepared: requests.PreparedRequest) -> Mapping[str, Any]:
        """The proxies and certificates that this machine's environment names."""
        found = self._session.merge_environment_settings(prepared.url, {}, None, None, None)
        return {name: found[name] for name in ("proxies", "verify", "cert")}

    def _read(self, response: requests.Response, most: int) -> bytes:
        body = bytearray()
        started = time.monotonic()
        for chunk in response.iter_content(CHUNK_BYTES):
            body += chunk
            if len(body) > most:
                raise PermanentSourceError(
                    f"{self._source}: an answer is larger than {most} bytes and was "
                    f"cut off. Check that base_url is the provider's API."
                )
            if time.monotonic() - started > LONGEST_BODY_SECONDS:
                raise _Again(f"the body did not end within {LONGEST_BODY_SECONDS:.0f} s")
        return bytes(body)

    def _judge(self, asked: _Asked, response: requests.Response, body: bytes) -> None:
        status = response.status_code
        if status == 401 and not asked.renewals and isinstance(self._auth, RenewableAuth):
            asked.renewals.append(now())
            self._auth.renew(response.request)
            raise _Again("the token was refused", 0.0, refused=True)
        if status in TRANSIENT_STATUSES:
            wait = retry_after(response.headers.get("Retry-After"))
            if wait:
                self._budget.pause(wait)
            raise _Again(f"the provider answers HTTP {status}", wait, refused=status == 429)
        if status // 100 == 3:
            mend = "It wants to redirect, which is refused; set base_url to the final address"
        elif status == 404 and asked.file_absent:
            mend = asked.file_absent
        elif status // 100 != 2 and status not in asked.accepted:
            mend = MENDS.get(status, "The provider refuses the request; see its documentation")
        else:
            return
        raise PermanentSourceError(
            f"{self._source}: {asked.where}: HTTP {status}{self._quoted(body)}. {mend}."
        )

    def _quoted(self, body: bytes) -> str:
        """What the provider says of the error, without the secret."""
        try:
            words = [*told_in(json.loads(body))]
        except (ValueError, RecursionError):
            return ""
        text = " ".join(words).replace(self._secret, MASK)[:QUOTED_CHARACTERS]
        return f" ({text})" if text else ""

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        log.warning("%s: %s; asking again in %.1f s", self._source, error, state.upcoming_sleep)


def _is_json_of_another_charset(body: bytes) -> bool:
    """Whether a body is JSON once its bytes outside ASCII are taken for letters of some charset."""
    try:
        body.decode()
    except UnicodeDecodeError:
        try:
            json.loads(body.decode("latin-1"))
        except (ValueError, RecursionError):
            return False
        return True
    return False


def _recalled(asked: _Asked, fingerprint: str, body: bytes, recording: Recording) -> Answer:
    return Answer(
        body=body,
        data=json.loads(body) if asked.is_json else None,
        request=asked.told,
        received_at=recording.received_at,
        retries=int(recording.meta.get(RETRIES, 0)),
        waited_seconds=float(recording.meta.get(WAITED, 0)),
        fingerprint=fingerprint,
    )


def _backoff(state: RetryCallState) -> float:
    """Full jitter, but never earlier than the provider asked."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_seconds if isinstance(error, _Again) else None
    top = min(LONGEST_BACKOFF_SECONDS, 2.0**state.attempt_number)
    return max(asked or 0.0, _RANDOM.uniform(0, top))
