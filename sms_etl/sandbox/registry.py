"""From a path to the provider API that answers it.

APIs are imported when first asked for, so that one module cannot keep the others from serving.
"""

from __future__ import annotations

from importlib import import_module

from sms_etl.sandbox.provider import ProviderApi
from sms_etl.sandbox.providers import APIS, ROOTS


def api_class(provider: str) -> type[ProviderApi]:
    """The API class of a provider.

    Raises:
        KeyError: the sandbox has no such provider.
    """
    module = import_module(f"sms_etl.sandbox.{provider}_api")
    found: type[ProviderApi] = getattr(module, APIS[provider])
    return found


def mounted(path: str) -> tuple[str, str] | None:
    """The provider that a path belongs to, and the mount to be cut off; None: nobody's."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    if first in APIS:
        return first, f"/{first}"
    return next(((name, "") for root, name in ROOTS.items() if path.startswith(root)), None)
