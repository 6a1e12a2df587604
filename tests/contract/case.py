"""What the contract suite must be told of a provider; the rest it finds out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sms_etl.sandbox import Accounts


@dataclass(frozen=True)
class Case:
    """One source against its simulated provider.

    kind: of the settings; also the provider's name in the sandbox unless `api` says another.
    settings: the block of the settings file without kind and base_url; make pages small here
        (batch_size, page_size) if the provider lets the asker decide.
    secrets: environment variables, as the settings name them.
    tells: columns of OBSERVATIONS that must equal the truth wherever the truth has a value.
    reads_twice: why one pull may read a message twice; blank: it may not.
    reads_as: outcome to the class its words give, where they cannot tell the true one.
    finals_only: the provider lists only messages that are done.
    pulled_after: how long after a day's end it is pulled; shorter than the provider's memory.
    remembers: how long the provider tells of a message after its submission; None: longer than
        any test asks for.
    cannot: test name (without test_) to the reason why it does not apply to this provider.
    """

    kind: str
    settings: Callable[[Accounts], Mapping[str, Any]]
    secrets: Callable[[Accounts], Mapping[str, str]]
    tells: tuple[str, ...] = ()
    api: str = ""
    reads_twice: str = ""
    reads_as: Mapping[str, str] = field(default_factory=dict)
    finals_only: bool = False
    pulled_after: timedelta = timedelta(days=4)
    remembers: timedelta | None = None
    cannot: Mapping[str, str] = field(default_factory=dict)

    @property
    def provider(self) -> str:
        return self.api or self.kind
