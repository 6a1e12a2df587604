"""What the sources at Amazon Web Services share: boto3 with our retries, budget and errors.

boto3 is imported when first needed: it is an extra (`sms-etl[aws]`).
"""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import Field, model_validator
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_before_delay
from tenacity.wait import wait_random_exponential

from sms_etl.config.clock import now
from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import SourceSettings
from sms_etl.days import Window, day_window
from sms_etl.errors import ConfigError, PermanentSourceError, TransientSourceError
from sms_etl.sources.base import (
    CheckResult,
    Page,
    PageFormat,
    PullContext,
    PullKind,
    PullPlan,
    Source,
    checked,
)
from sms_etl.sources.http import CONNECT_SECONDS, LONGEST_BACKOFF_SECONDS, BaseUrl
from sms_etl.sources.rate_budget import RateBudget, rate_budget

log = logging.getLogger(__name__)

LOGS, SNS, S3 = "logs", "sns", "s3"
MOST_EVENTS = 10_000
"""The most events of a page of FilterLogEvents (CloudWatch Logs API Reference)."""

CLOCK_MARGIN = timedelta(minutes=1)
"""Two services of AWS may stamp one message a little apart."""

QUOTED_CHARACTERS = 200
TRANSIENT_CODES = frozenset({
    "InternalError", "InternalFailure", "InternalServerError", "LimitExceededException",
    "RequestLimitExceeded", "RequestTimeout", "ServiceUnavailable", "ServiceUnavailableException",
    "SlowDown", "Throttling", "ThrottlingException", "ThrottledException",
    "TooManyRequestsException",
})  # fmt: skip
DENIED_CODES = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"}
)
MISSING_CODES = frozenset({"ResourceNotFoundException", "NoSuchBucket", "NoSuchKey", "404"})


class AwsDeniedError(PermanentSourceError):
    """The credentials are good but have no right to do this."""


class AwsSettings(SourceSettings):
    """An AWS region and who asks there.

    Without `access_key_id` and `secret_access_key` boto3 looks for credentials as all AWS tools
    do (environment, ~/.aws, role of the machine). `late_hours`: how long after a day its log is
    still looked at for receipts. AWS waits 72 hours for them; four days are the days that are
    pulled again for late receipts. `base_url` is for tests.
    """

    region: str
    access_key_id: EnvSecret | None = None
    secret_access_key: EnvSecret | None = None
    session_token: EnvSecret | None = None
    late_hours: Annotated[float, Field(gt=0, le=24 * 14)] = 96.0
    base_url: BaseUrl | None = None
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0
    retry_budget_seconds: Annotated[float, Field(ge=0, le=7200)] = 600.0

    @model_validator(mode="after")
    def _whole_key(self) -> AwsSettings:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("give both access_key_id and secret_access_key, or neither")
        return self

    @property
    def account(self) -> str:
        """Names the rate budget: quotas of AWS are per account and region."""
        who = self.access_key_id.variable if self.access_key_id else "default credentials"
        return f"aws {self.region} {who} {self.base_url or ''}"


@dataclass(frozen=True)
class AwsAnswer:
    """What an operation gave, and the waits it took to get it, in seconds."""

    data: Any
    waits: tuple[float, ...]


class _Again(Exception):  # noqa: N818 - a signal to the retry loop, never seen outside
    def __init__(self, reason: str, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds


class AwsClient:
    """Operations of one AWS account, repeated as long as the retry budget lasts."""

    def __init__(self, source: str, settings: AwsSettings) -> None:
        self._source = source
        self._settings = settings
        self._budget: RateBudget = rate_budget(settings.account, settings.requests_per_second)
        self._session = _session(source, settings)
        self._services: dict[str, Any] = {}

    def call(
        self,
        service: str,
        operation: str,
        asked: Mapping[str, Any],
        needs: str,
        take: Callable[[Any], Any] | None = None,
    ) -> AwsAnswer:
        """One operation that changes nothing.

        Args:
            service: of boto3, such as 'logs'.
            operation: its method, such as 'filter_log_events'.
            asked: its parameters.
            needs: a key the answer must have; boto3 makes an empty answer of JSON cut short.
            take: makes the data of the answer; where a body is to be read, errors of the
                connection happen in it.

        Raises:
            TransientSourceError: AWS cannot answer now.
            PermanentSourceError: it refuses.
        """
        waits: list[float] = []

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            time.sleep(seconds)

        retrying = Retrying(
            retry=retry_if_exception_type(_Again),
            wait=_backoff,
            stop=stop_before_delay(self._settings.retry_budget_seconds),
            sleep=sleep,
            reraise=True,
        )
        where = f"{self._source}: {service}.{operation}"
        try:
            data = retrying(self._once, where, service, operation, asked, needs, take)
        except _Again as error:
            raise TransientSourceError(
                f"{where}: {error} (after {len(waits) + 1} tries). The next run asks again; "
                f"if it lasts, see the AWS Health Dashboard."
            ) from None
        return AwsAnswer(data, tuple(waits))

    def _once(
        self,
        where: str,
        service: str,
        operation: str,
        asked: Mapping[str, Any],
        needs: str,
        take: Callable[[Any], Any] | None,
    ) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        self._budget.wait_turn()
        try:
            data = getattr(self._service(service), operation)(**asked)
            if needs not in data:
                raise _Again(f"the answer has no {needs!r}")
            return take(data) if take else data
        except ClientError as error:
            raise self._refusal(where, error) from None
        except ResponseParserError:
            raise _Again("the answer cannot be read") from None
        except BotoCoreError as error:
            raise self._trouble(where, error) from None

    def _service(self, name: str) -> Any:
        from botocore.config import Config

        if name not in self._services:
            settings = self._settings
            self._services[name] = self._session.client(
                name,
                endpoint_url=settings.base_url,
                config=Config(
                    retries={"total_max_attempts": 1},
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=settings.timeout_seconds,
                ),
            )
        return self._services[name]

    def _refusal(self, where: str, error: Any) -> Exception:
        """What AWS answered, as an error of ours; its words hold no secret."""
        told = error.response.get("Error", {})
        code, status = str(told.get("Code")), _status(error.response)
        if code in TRANSIENT_CODES or status == 429 or status >= 500:
            wait = _retry_after(error.response)
            if wait:
                self._budget.pause(wait)
            return _Again(f"AWS answers {code} (HTTP {status})", wait)
        said = f"{where}: {code}: {str(told.get('Message'))[:QUOTED_CHARACTERS]}"
        if code in DENIED_CODES:
            return AwsDeniedError(f"{said}. Give this user or role the right to do it.")
        if code in MISSING_CODES:
            return PermanentSourceError(
                f"{said}. Check region, log_groups and bucket in the settings; a log group that "
                f"AWS has not made yet may be created empty."
            )
        return PermanentSourceError(
            f"{said}. Check the access key in the environment and the settings of this source."
        )

    def _trouble(self, where: str, error: Exception) -> Exception:
        """What boto3 itself met."""
        from botocore import exceptions as known

        if isinstance(error, known.SSLError):
            return PermanentSourceError(
                f"{where}: the server's certificate is not trusted. "
                f"Check the certificates of this machine."
            )
        if isinstance(error, (known.HTTPClientError, known.IncompleteReadError)):
            return _Again(f"the answer did not come whole ({type(error).__name__})")
        return PermanentSourceError(
            f"{where}: {type(error).__name__}: {str(error)[:QUOTED_CHARACTERS]}. "
            f"Name access_key_id and secret_access_key in the settings, or give this machine "
            f"credentials as for other AWS tools."
        )


S = TypeVar("S", bound=AwsSettings)


class AwsSource(Source, Generic[S]):
    """A source that reads what AWS wrote down: one pull per day, each whole in itself.

    A message is written down when its receipt comes, up to `late_hours` after it was sent: the
    pull of a day looks that far ahead, and what is of other days is folded.
    """

    kind: ClassVar[PullKind] = PullKind.WINDOW

    def __init__(self, name: str, settings: S, _base: Path = Path()) -> None:
        super().__init__(name)
        self._settings = settings

    @abstractmethod
    def pages(self, client: AwsClient, window: Window) -> Iterator[Page]:
        """What was written down in a window, half open, UTC."""

    @abstractmethod
    def try_out(self, client: AwsClient) -> None:
        """Cheap requests that show whether it may be read and is complete."""

    def plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per business day."""
        client = AwsClient(self.name, self._settings)
        for day in sorted(days):
            own = day_window(day, context.zone)
            late = timedelta(hours=self._settings.late_hours)
            window = Window(own.start - CLOCK_MARGIN, own.end + late)
            asked = f"written {window.start.isoformat()} to {window.end.isoformat()}"
            yield PullPlan(day, day, asked, self.pages(client, window))

    def check(self) -> list[CheckResult]:
        """Try credentials and rights; the first failure is told."""
        settings = self._settings.model_copy(update={"retry_budget_seconds": 0.0})
        return [
            checked(
                f"source {self.name}",
                lambda: self.try_out(AwsClient(self.name, settings)),
                "the delivery logs may be read",
            )
        ]


def log_pages(
    client: AwsClient, source: str, groups: Sequence[str], window: Window
) -> Iterator[Page]:
    """Messages of CloudWatch log groups as NDJSON pages, oldest first, group after group.

    A page without events does not mean the end: only one without a token does.

    Raises:
        PermanentSourceError: AWS gives the same token again and again.
    """
    for group in groups:
        asked: dict[str, Any] = {
            "logGroupName": group,
            "startTime": _milliseconds(window.start),
            "endTime": _milliseconds(window.end) - 1,
            "limit": MOST_EVENTS,
        }
        told = f"FilterLogEvents {group} {window.start.isoformat()} {window.end.isoformat()}"
        token: str | None = None
        waits: tuple[float, ...] = ()
        while True:
            more = {"nextToken": token} if token else {}
            answer = client.call(LOGS, "filter_log_events", asked | more, "events")
            waits += answer.waits
            if answer.data["events"]:
                lines = [_one_line(event["message"]) for event in answer.data["events"]]
                yield ndjson_page(lines, told, {"log_group": group}, waits)
                waits = ()
            before, token = token, answer.data.get("nextToken")
            if not token:
                break
            if token == before:
                raise PermanentSourceError(
                    f"{source}: {group}: AWS gives the same nextToken again; pull again later."
                )


def try_log_groups(client: AwsClient, groups: Sequence[str]) -> None:
    """Ask every group for one event of the last minute."""
    start = _milliseconds(now() - timedelta(minutes=1))
    for group in groups:
        asked = {"logGroupName": group, "startTime": start, "limit": 1}
        client.call(LOGS, "filter_log_events", asked, "events")


def ndjson_page(
    lines: Sequence[str], request: str, meta: Mapping[str, str], waits: Sequence[float]
) -> Page:
    """Records as received, one a line; `meta` tells of retries where there were any."""
    effort = {"retries": str(len(waits)), "waited_seconds": f"{sum(waits):.1f}"}
    body = "\n".join(lines).encode()
    told = {**meta, **(effort if waits else {})}
    return Page(body, PageFormat.NDJSON, len(lines), request, now(), told)


def _one_line(message: str) -> str:
    """A JSON text without the line breaks between its parts: inside strings there are none."""
    return message.strip().replace("\r", " ").replace("\n", " ") or "null"


def _session(source: str, settings: AwsSettings) -> Any:
    try:
        import boto3
    except ModuleNotFoundError:
        raise ConfigError(
            f"{source}: sources at AWS need boto3; install it with: pip install 'sms-etl[aws]'"
        ) from None
    keys = (settings.access_key_id, settings.secret_access_key, settings.session_token)
    key, secret, token = (name.get() if name else None for name in keys)
    return boto3.session.Session(
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        region_name=settings.region,
    )


def _status(response: Mapping[str, Any]) -> int:
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _retry_after(response: Mapping[str, Any]) -> float | None:
    text = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", "")
    return float(text) if text.isdecimal() else None


_JITTER = wait_random_exponential(multiplier=1, max=LONGEST_BACKOFF_SECONDS)


def _backoff(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    wait = error.wait_seconds if isinstance(error, _Again) else None
    return _JITTER(state) if wait is None else wait


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
