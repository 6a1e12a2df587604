"""Decision Telecom SMS API: the status of one message identifier a request.

Facts: https://en-api.decisiontele.com/sms-api, and the errors in the description of the company's
own Python package (PyPI decisiontelecom 1.0.0), whose SMS client uses an older interface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import polars as pl

from sms_etl.config.secrets import EnvSecret
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.vocabulary import Channel
from sms_etl.sources.auth import HeaderAuth
from sms_etl.sources.base import Facts, LandedPage
from sms_etl.sources.http import TRANSIENT_STATUSES, Answer, BaseUrl, HttpClient
from sms_etl.sources.http_source import Credentials
from sms_etl.sources.one_by_one import ASKED, OneByOneSettings, OneByOneSource, scan_answers
from sms_etl.sources.records import final_at_poll, observations

PATH = "/v1/api/status"
FIELDS = ("status", "code")
ERROR_FIELDS = frozenset({"name", "code", "status"})
ACCOUNT_STATUSES = frozenset({401, 402, 403})


class DecisionTelecomSettings(OneByOneSettings):
    """One Decision Telecom account; the access key is in Base64 as the company gives it."""

    kind: Literal["decisiontelecom"]
    access_key: EnvSecret
    base_url: BaseUrl = "https://web.it-decision.com"


class DecisionTelecom(OneByOneSource[DecisionTelecomSettings]):
    """Asks for the status of every message the outbox knows, one by one."""

    provider = "decisiontelecom"
    settings_type = DecisionTelecomSettings
    allowed = "the access key is accepted"
    facts = Facts(
        title="Decision Telecom SMS API",
        window_filter="none; identifiers and the day come from the outbox",
        history="not stated for SMS; 5 days for Viber",
        look_back="messages of the settling period without a final status",
        rate_limit="a limit exists (error status 429) but no figure; 5 requests a second of one "
        "identifier by default, so 18 000 messages take an hour",
        proof="contract suite; the company's Python SDK reads an older interface only",
        missing="every time, the reason of a failure, price, recipient, sender; parts are told "
        "when a message is sent and not here",
        reports="the first poll that saw the final status stands for the delivered time, so times "
        "to deliver are upper bounds as coarse as the schedule; every reason is 'not stated' but "
        "for expired messages; cost comes from the tariff in the settings",
        documents="https://en-api.decisiontele.com/sms-api, pypi.org/project/decisiontelecom",
        to_check="whether the access key is in Base64 already (it is sent as it stands after "
        "'Basic'); whether an unknown identifier is answered inside HTTP 200 as in the SDK (an "
        "HTTP 400 would stop the pull); how long a status can be asked for; Viber messages have "
        "another method and are not asked for",
    )

    def credentials(self, settings: DecisionTelecomSettings) -> Credentials:
        """The access key."""
        key = settings.access_key.get()
        auth = HeaderAuth("Authorization", f"Basic {key}")
        return Credentials(settings.access_key.variable, auth, key)

    def ask(self, client: HttpClient, identifier: str) -> Answer:
        """The status of one message."""
        return client.get_json(PATH, {"message_id": identifier})

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; a refused identifier has a code and no status."""
        status = pl.col("status")
        return observations(
            scan_answers(pages, FIELDS, _record),
            {
                "message_id": pl.col(ASKED),
                "channel": pl.lit(Channel.SMS.value),
                "inbound": pl.lit(value=False),
                "status": status,
                "code": pl.col("code"),
                **final_at_poll(status, self.provider),
            },
        )

    def inspect(self, data: Any) -> None:
        """An error has a `status` too: the HTTP status it would have; inside HTTP 200 as a rule.

        An error about a parameter is about the message asked for and becomes its row.
        """
        if not isinstance(data, dict) or "status" not in data:
            raise PermanentSourceError(
                f"{self.name}: the answer has no status. "
                f"Check that base_url is Decision Telecom's API."
            )
        if not _is_error(data):
            return
        said = f"the provider answers status {data['status']}, code {data['code']}"
        if data["status"] in TRANSIENT_STATUSES:
            raise TransientSourceError(said)
        if data["status"] in ACCOUNT_STATUSES:
            raise PermanentSourceError(
                f"{self.name}: {said}. Check the access key in "
                f"{self._settings.access_key.variable} and the account's balance."
            )


def _is_error(data: Mapping[str, Any]) -> bool:
    return data.keys() >= ERROR_FIELDS


def _record(data: Any) -> Mapping[str, Any]:
    return {"code": data["code"]} if _is_error(data) else {"status": data["status"]}
