"""Knobs that make the simulated providers misbehave."""

from __future__ import annotations

import threading
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, field_validator

from sms_etl.sandbox.providers import APIS

Countdown = Literal["rate_limited", "server_errors", "busy_inside", "cut", "truncated"]


class FaultSettings(BaseModel):
    """What goes wrong. A countdown is how many of the next requests it spoils.

    calm: requests that are answered well before the countdowns begin.
    rate_limited: HTTP 429, with Retry-After unless `retry_after` is null. server_errors: HTTP 500.
    busy_inside: an error inside HTTP 200, where the provider does that.
    cut: the connection closes in mid-body. truncated: a complete HTTP answer with half the JSON.
    latency_ms: every answer waits. clock_step_seconds: the time moves on after every answer.
    page_size: the most records of a page. token_expired: every credential is refused.
    status_words, codes: message id to a status word or code nobody knows.
    nonsense: ids of messages whose record has values of wrong types. blank: ids whose record
    has nothing but the id. twice: ids whose record comes twice.
    provider: which provider all this concerns; null: all.
    """

    model_config = ConfigDict(extra="forbid")

    calm: NonNegativeInt = 0
    rate_limited: NonNegativeInt = 0
    retry_after: NonNegativeInt | None = 1
    server_errors: NonNegativeInt = 0
    busy_inside: NonNegativeInt = 0
    cut: NonNegativeInt = 0
    truncated: NonNegativeInt = 0
    latency_ms: NonNegativeInt = 0
    clock_step_seconds: NonNegativeInt = 0
    page_size: PositiveInt | None = None
    token_expired: bool = False
    status_words: dict[str, str] = Field(default_factory=dict)
    codes: dict[str, str] = Field(default_factory=dict)
    nonsense: list[str] = Field(default_factory=list)
    blank: list[str] = Field(default_factory=list)
    twice: list[str] = Field(default_factory=list)
    provider: str | None = None

    @field_validator("provider")
    @classmethod
    def _is_known(cls, provider: str | None) -> str | None:
        if provider is not None and provider not in APIS:
            raise ValueError(f"no such provider; the sandbox has {', '.join(APIS)}")
        return provider


class Faults:
    """Current settings, shared by the server's threads."""

    def __init__(self, settings: FaultSettings | None = None) -> None:
        self._lock = threading.Lock()
        self._settings = settings or FaultSettings()

    def settings(self) -> FaultSettings:
        """A copy of the settings as they are now."""
        with self._lock:
            return self._settings.model_copy(deep=True)

    def settings_for(self, provider: str) -> FaultSettings:
        """The settings if they concern this provider, else no faults at all."""
        settings = self.settings()
        return settings if settings.provider in (None, provider) else FaultSettings()

    def update(self, **changes: Any) -> None:
        """Change some settings and keep the rest.

        Raises:
            pydantic.ValidationError: no such setting, or a value it cannot have.
        """
        with self._lock:
            merged = self._settings.model_dump() | changes
            self._settings = FaultSettings.model_validate(merged)

    def calm(self, provider: str) -> bool:
        """Whether this request is one of those that nothing may spoil; counts it if so."""
        return self._spend("calm", provider)

    def spend(self, countdown: Countdown, provider: str) -> bool:
        """Whether the next request of this provider is to be spoiled; counts it if so."""
        return self._spend(countdown, provider)

    def _spend(self, countdown: str, provider: str) -> bool:
        with self._lock:
            left: int = getattr(self._settings, countdown)
            if left == 0 or self._settings.provider not in (None, provider):
                return False
            setattr(self._settings, countdown, left - 1)
            return True
