"""What must be known of a source to judge what it reads from the simulated world.

The contract suite and `agree` share it; a case is `sms_etl/sandbox/cases/<kind>.py`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from typing import Any

from sms_etl.sandbox import cases
from sms_etl.sandbox.accounts import Accounts


@dataclass(frozen=True)
class Case:
    """One source against its simulated provider.

    kind: of the settings; also the provider's name in the sandbox unless `api` says another.
    settings: the block of the settings file without kind and base_url; make pages small here
        (batch_size, page_size, batch_rows) if the asker decides. Paths begin where the provider
        writes, if it writes files or a database.
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
        """Name of the simulated provider."""
        return self.api or self.kind


def kinds() -> list[str]:
    """Every kind of source that has a case, in the order of the alphabet."""
    return sorted(module.name for module in pkgutil.iter_modules(cases.__path__))


def case_of(kind: str) -> Case:
    """The case of a kind; imported when asked for, so that a broken one breaks only itself."""
    found: Case = import_module(f"{cases.__name__}.{kind}").CASE
    return found
