"""The shape of the settings file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    field_validator,
    model_validator,
)

from sms_etl.compliance.packs import Pack
from sms_etl.config.secrets import EnvSecret
from sms_etl.model.vocabulary import MICRO

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,40}$"
"""Source and subscription names become table partitions, asset keys and file names."""

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone such as 'Europe/Kyiv'") from error
    return name


HttpsUrl = Annotated[str, Field(pattern=r"^https://[^\s<>]+$")]
ZoneName = Annotated[str, AfterValidator(_known_zone)]


class Strict(BaseModel):
    """Settings that refuse a key they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TariffRow(Strict):
    """What one part costs to a country, for sources whose log carries no price.

    A row without a country is for every country that no other row names.
    """

    country: Country | None = None
    price_per_part: Annotated[Decimal, Field(ge=0)]
    currency: Currency

    @property
    def micro_per_part(self) -> int:
        """Price of a part in millionths of the currency unit."""
        return int((self.price_per_part * MICRO).to_integral_value())


class Project(Strict):
    """The deployment as a whole."""

    name: str = Field(min_length=1, description="Printed on every report")
    data_dir: Path = Path("var")
    business_time_zone: ZoneName = "Europe/Kyiv"
    first_day: date
    home_country: Country = "UA"
    silence_hours: Annotated[float, Field(gt=0)] = 72.0
    settling_days: Annotated[int, Field(ge=1, le=60)] = 4
    backfill_chunk_days: Annotated[int, Field(ge=1, le=366)] = 31
    pseudonym_key: EnvSecret = EnvSecret("SMS_ETL_PSEUDONYM_KEY")
    warehouse_url: EnvSecret | None = None
    run_schedules: bool = False
    slow_thresholds_seconds: tuple[Annotated[float, Field(gt=0)], ...] = (10.0, 60.0, 600.0)
    goal_delivery_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    correction_step: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.005,
        description="Share that a mailed figure may move by before the report is corrected",
    )

    @property
    def zone(self) -> ZoneInfo:
        """The business time zone."""
        return ZoneInfo(self.business_time_zone)


class ReadingPrice(Strict):
    """What the provider charges for a record of its log that is read; used by rehearsals only."""

    price_per_record: Annotated[Decimal, Field(ge=0)]
    currency: Currency

    @property
    def micro_per_record(self) -> Decimal:
        """Price of a record in millionths of the currency unit."""
        return self.price_per_record * MICRO


class SourceSettings(Strict):
    """What every source has; each provider adds its own keys."""

    kind: str
    enabled: bool = True
    tariff: tuple[TariffRow, ...] = ()
    reading_price: ReadingPrice | None = None
    owner: EmailStr | None = None
    """Who is told of failures of this source; without it the owner of [mail]."""


class SenderRule(Strict):
    """Names the campaign of messages by their sender or messaging service."""

    campaign: str
    sender: str | None = None
    service: str | None = None
    source: Name | None = None

    @model_validator(mode="after")
    def _says_something(self) -> SenderRule:
        if self.sender is None and self.service is None and self.source is None:
            raise ValueError("a campaign rule needs a sender, a service or a source")
        return self


class Campaigns(Strict):
    """Where campaigns come from besides the outbox."""

    catalogue: Path | None = None
    rules: tuple[SenderRule, ...] = ()


class EngagementSettings(Strict):
    """How replies and texts are read, which clicks are robots', and what an order belongs to.

    `opt_out_keywords`: whole replies that refuse further messages. `opt_out_wordings`: phrases of
    texts that say how to refuse. Both beside those the project knows; any case and punctuation.
    `robot_*`: limits of engagement.robots. `tie_days`: how long after a message a click without an
    identifier may be its. `links` and `promo_codes`: link or code -> campaign. `click_days` and
    `delivery_hours`: windows that reports tell conversion by; all are kept.
    """

    opt_out_keywords: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    opt_out_wordings: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    robot_seconds: Annotated[float, Field(ge=0)] = 5.0
    robot_links: Annotated[int, Field(ge=2)] = 5
    robot_links_seconds: Annotated[float, Field(gt=0)] = 10.0
    robot_networks: tuple[str, ...] = ()
    tie_days: Annotated[int, Field(ge=1, le=30)] = 7
    links: dict[str, str] = Field(default_factory=dict)
    promo_codes: dict[str, str] = Field(default_factory=dict)
    click_days: Literal[1, 3, 5, 7] = 5
    delivery_hours: Literal[12, 24] = 12
    lift_days: Annotated[int, Field(ge=1, le=30)] = 7
    loyalty_days: Annotated[int, Field(ge=90, le=730)] = 365


class Compliance(Strict):
    """What messages are held against: rule packs of the law, and limits of the house.

    `quiet_from` and `quiet_to` are local times of the recipient; `grace_hours` after a refusal.
    """

    packs: tuple[Pack, ...] = ()
    quiet_from: time | None = None
    quiet_to: time | None = None
    most_per_7_days: Annotated[int, Field(ge=1)] | None = None
    most_per_30_days: Annotated[int, Field(ge=1)] | None = None
    grace_hours: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _both_ends(self) -> Compliance:
        if (self.quiet_from is None) != (self.quiet_to is None):
            raise ValueError("give both 'quiet_from' and 'quiet_to', or neither")
        return self


class MoneySettings(Strict):
    """The currency of the reports and where dated rates are: a file, or a table of a database."""

    currency: Currency
    rates: Path | None = None
    sql: Any = None
    largest_age_days: Annotated[int, Field(ge=0, le=366)] = 10

    @model_validator(mode="after")
    def _one_table(self) -> MoneySettings:
        if (self.rates is None) == (self.sql is None):
            raise ValueError("give either 'rates' (a file) or 'sql' (a table)")
        return self


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Reconciliation(Strict):
    """What the own outbox, the log and the invoice are held against each other by.

    `outbox_sources`: sources whose every message the outbox knows; without it those that are
    asked by id. `price_tolerance`: in currency units, for one message.
    """

    outbox_sources: tuple[Name, ...] | None = None
    price_tolerance: Annotated[Decimal, Field(ge=0)] = Decimal("0.0001")
    double_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300

    @property
    def tolerance_micro(self) -> int:
        """Tolerance in millionths of the currency unit."""
        return int((self.price_tolerance * MICRO).to_integral_value())


class Mail(Strict):
    """The mail server and who may be written to."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)]
    security: Security = Security.STARTTLS
    username: str | None = None
    password: EnvSecret | None = None
    sender: str = Field(description="From header, e.g. 'Reports <reports@example.com>'")
    allowed_domains: tuple[str, ...] = ()
    timeout_seconds: Annotated[float, Field(gt=0)] = 30.0
    owner: EmailStr = Field(description="Who is told when something fails")
    reports_url: HttpsUrl | None = None
    unsubscribe_url: HttpsUrl | None = None
    unsubscribe_key: EnvSecret | None = None

    @model_validator(mode="after")
    def _unsubscribe_whole(self) -> Mail:
        if (self.unsubscribe_url is None) != (self.unsubscribe_key is None):
            raise ValueError("unsubscribe_url and unsubscribe_key belong together; give both")
        return self


class Storage(Strict):
    """Landing and lake in a bucket of S3-compatible object storage, for several machines.

    `url`: `s3://bucket/prefix`. Without `access_key_id` and `secret_access_key` the library looks
    for credentials as other AWS tools do.
    """

    url: Annotated[str, Field(pattern=r"^s3://[^/]+")]
    region: str = "us-east-1"
    endpoint: str | None = None
    access_key_id: EnvSecret | None = None
    secret_access_key: EnvSecret | None = None

    @property
    def options(self) -> dict[str, str]:
        """What reaches the bucket, by the names that object_store gives them."""
        told = {"aws_region": self.region}
        if self.endpoint is not None:
            told["aws_endpoint_url"] = self.endpoint
            told["aws_allow_http"] = str(self.endpoint.startswith("http://")).lower()
        if self.access_key_id is not None:
            told["aws_access_key_id"] = self.access_key_id.get()
        if self.secret_access_key is not None:
            told["aws_secret_access_key"] = self.secret_access_key.get()
        # Two writers of one table must not both win; both object stores tested keep this promise.
        return told | {"aws_conditional_put": "etag"}


class Retention(Strict):
    """How long each layer is kept, in days; null keeps it for good.

    `landing_days`: pages as received. `rows_days`: a row per message, event or record; sums over
    them stay. `old_versions_days`: replaced versions of tables. `runs_days`: runs of the
    orchestrator.
    """

    landing_days: Annotated[int, Field(ge=7)] | None = None
    rows_days: Annotated[int, Field(ge=35)] | None = None
    old_versions_days: Annotated[int, Field(ge=1)] = 7
    runs_days: Annotated[int, Field(ge=7)] | None = None

    @property
    def sealed_days(self) -> int | None:
        """Days after which a day is not rebuilt any more: what it is made from may be gone."""
        limits = [n for n in (self.landing_days, self.rows_days) if n is not None]
        return min(limits, default=None)


class NoticeSettings(Strict):
    """How owners are told of problems.

    `webhook`: variable with an address that takes JSON in Slack's form. `heartbeat_url`: variable
    with an address that is posted to while schedules run; whoever waits there notices silence.
    """

    mail: bool = True
    webhook: EnvSecret | None = None
    heartbeat_url: EnvSecret | None = None


class ReportKind(StrEnum):
    """What a report is about."""

    PERIOD = "period"
    CAMPAIGN = "campaign"
    PROVIDERS = "providers"
    OPERATORS = "operators"
    FAILURES = "failures"
    COMPLIANCE = "compliance"
    OPERATIONS = "operations"


class Period(StrEnum):
    """How long a period report looks back."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class Language(StrEnum):
    """Languages with a message catalogue."""

    UKRAINIAN = "uk"
    ENGLISH = "en"


FILTERED_BY: Mapping[ReportKind, tuple[str, ...]] = {
    ReportKind.COMPLIANCE: ("source", "campaign"),
    ReportKind.OPERATIONS: (),
}
"""Kinds of reports whose figures know fewer dimensions than messages do, and which."""


class Filters(Strict):
    """Which messages a report is of: they match every key that is given, by any of its values."""

    source: tuple[Name, ...] = ()
    country: tuple[Country, ...] = ()
    operator: tuple[str, ...] = ()
    sender: tuple[str, ...] = ()
    campaign: tuple[str, ...] = ()

    def given(self) -> dict[str, tuple[str, ...]]:
        """Dimension -> values, of the keys that are given."""
        return {name: value for name, value in self if value}


def require_filters(kind: ReportKind, filters: Filters) -> None:
    """Check that a report of a kind can be cut so.

    Raises:
        ValueError: naming the key that it cannot be cut by.
    """
    allowed = FILTERED_BY.get(kind, tuple(Filters.model_fields))
    for name in filters.given():
        if name not in allowed:
            raise ValueError(
                f"a report {kind.value!r} cannot be filtered by {name!r}; "
                f"allowed: {', '.join(allowed) or 'no filter'}"
            )


class Attachment(StrEnum):
    """What a mail brings besides its text."""

    PDF = "pdf"
    HTML = "html"
    XLSX = "xlsx"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


ANY_FINDING = "any"


class OnlyIf(Strict):
    """A report goes out only if one of these holds."""

    delivery_below: Annotated[float, Field(gt=0, le=1)] | None = None
    cost_above: Annotated[Decimal, Field(ge=0)] | None = None
    findings: tuple[str, ...] = ()
    changed: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> OnlyIf:
        thresholds = {self.delivery_below, self.cost_above} - {None}
        if not (thresholds or self.findings or self.changed):
            raise ValueError("give delivery_below, cost_above, findings or changed")
        return self


class IfEmpty(StrEnum):
    """What readers get for a period without messages."""

    NOTE = "note"
    SILENCE = "silence"


class AtDeadline(StrEnum):
    """What happens to a report whose data is not there in time."""

    MARK_INCOMPLETE = "mark_incomplete"
    WITHHOLD = "withhold"


def _known_cron(text: str) -> str:
    try:
        next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        raise ValueError(f"{text!r} is no cron expression such as '0 8 * * 1': {error}") from error
    return text


class Subscription(Strict):
    """Who gets which report of which messages, when, in what language and form."""

    name: Name
    readers: tuple[EmailStr, ...] = Field(min_length=1)
    report: ReportKind = ReportKind.PERIOD
    period: Period = Period.WEEK
    campaign: str | None = None
    filters: Filters = Filters()
    language: Language = Language.UKRAINIAN
    currency: Currency | None = None
    sections: tuple[str, ...] = ()
    formats: tuple[Attachment, ...] = (Attachment.PDF,)
    largest_mail_mb: Annotated[float, Field(gt=0, le=100)] = 10.0
    cron: Annotated[str, AfterValidator(_known_cron)] = "0 8 * * 1"
    time_zone: ZoneName | None = None
    only_if: OnlyIf | None = None
    if_empty: IfEmpty = IfEmpty.NOTE
    deadline_hours: Annotated[float, Field(ge=0, le=24 * 31)] = 24.0
    at_deadline: AtDeadline = AtDeadline.MARK_INCOMPLETE

    @model_validator(mode="after")
    def _campaign_named(self) -> Subscription:
        if self.report is ReportKind.CAMPAIGN and not self.campaign:
            raise ValueError("a campaign report needs the key 'campaign'")
        if self.campaign and self.filters.campaign:
            raise ValueError("'campaign' and 'filters.campaign' exclude each other")
        require_filters(self.report, self.filters)
        return self

    @field_validator("readers")
    @classmethod
    def _ascii(cls, readers: tuple[str, ...]) -> tuple[str, ...]:
        odd = [reader for reader in readers if not reader.isascii()]
        if odd:
            raise ValueError(f"few mail servers take addresses like {odd[0]}; use an ASCII one")
        return readers


class Settings(Strict):
    """The whole tree. What is `Any` here is validated by the module that knows its kinds."""

    project: Project
    outbox: Any = None
    sources: dict[Name, Any]
    campaigns: Campaigns = Campaigns()
    engagement: EngagementSettings = EngagementSettings()
    invoices: dict[Name, Any] = Field(default_factory=dict)
    reconciliation: Reconciliation = Reconciliation()
    money: MoneySettings | None = None
    compliance: Compliance = Compliance()
    mail: Mail | None = None
    notices: NoticeSettings = NoticeSettings()
    retention: Retention = Retention()
    storage: Storage | None = None
    subscriptions: tuple[Subscription, ...] = ()
    path: Path = Field(default=Path("sms_etl.toml"), exclude=True)

    @model_validator(mode="after")
    def _unique_names(self) -> Settings:
        names = [subscription.name for subscription in self.subscriptions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"subscription names used twice: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _subscriptions_fit(self) -> Settings:
        allowed = {name.lower() for name in self.mail.allowed_domains} if self.mail else set()
        for number, one in enumerate(self.subscriptions):
            where = f"subscriptions.{number} ('{one.name}')"
            outside = [r for r in one.readers if r.rpartition("@")[2].lower() not in allowed]
            if allowed and outside:
                raise ValueError(
                    f"{where}.readers: {outside[0]} is not of mail.allowed_domains "
                    f"({', '.join(sorted(allowed))})"
                )
            unknown = sorted(set(one.filters.source) - set(self.sources))
            if unknown:
                raise ValueError(f"{where}.filters.source: no such source: {', '.join(unknown)}")
            if one.currency is not None and self.money is None:
                raise ValueError(f"{where}.currency needs rates: add [money]")
        return self

    @model_validator(mode="after")
    def _known_sources(self) -> Settings:
        named = {*self.invoices, *(self.reconciliation.outbox_sources or ())}
        unknown = sorted(named - set(self.sources))
        if unknown:
            raise ValueError(
                f"invoices and reconciliation.outbox_sources name no source: {', '.join(unknown)}"
            )
        if self.reconciliation.outbox_sources and self.outbox is None:
            raise ValueError("reconciliation.outbox_sources needs an outbox")
        return self

    def resolve(self, path: Path) -> Path:
        """A path of the settings file, relative to the folder the file lies in."""
        return path if path.is_absolute() else (self.path.parent / path).resolve()

    @property
    def data_dir(self) -> Path:
        """Folder of landing, lake, warehouse and editions."""
        return self.resolve(self.project.data_dir)
