"""Reads the settings file and turns every mistake in it into a line a person can act on."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sms_etl.config.settings import ANY_FINDING, Settings, SourceSettings, Subscription
from sms_etl.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)

CONFIG_PATH_VARIABLE = "SMS_ETL_CONFIG"
DEFAULT_PATH = Path("sms_etl.toml")


def settings_path() -> Path:
    """Where the settings file is: SMS_ETL_CONFIG, or sms_etl.toml in the current folder."""
    return Path(os.environ.get(CONFIG_PATH_VARIABLE) or DEFAULT_PATH).absolute()


def load_settings(path: Path | None = None) -> Settings:
    """Read and validate the settings file, every source included.

    Raises:
        ConfigError: the file is missing, is not TOML, or says something that is not allowed.
    """
    from sms_etl.sources.database import DatabaseSettings
    from sms_etl.sources.invoices import InvoiceSettings
    from sms_etl.sources.registry import OUTBOX_KINDS, SOURCE_KINDS

    path = (path or settings_path()).absolute()
    tree = _read(path)
    settings = validate(Settings, {**tree, "path": path}, path, "")
    for subscription in settings.subscriptions:
        _check_names(subscription, path)
    sources = {
        name: _validate_kind(SOURCE_KINDS, block, path, f"sources.{name}")
        for name, block in settings.sources.items()
    }
    invoices = {
        name: validate(InvoiceSettings, block, path, f"invoices.{name}")
        for name, block in settings.invoices.items()
    }
    outbox = settings.outbox
    if outbox is not None:
        outbox = _validate_kind(OUTBOX_KINDS, outbox, path, "outbox")
    money = settings.money
    if money is not None and money.sql is not None:
        block = validate(DatabaseSettings, money.sql, path, "money.sql")
        money = money.model_copy(update={"sql": block})
    return settings.model_copy(
        update={"sources": sources, "outbox": outbox, "invoices": invoices, "money": money}
    )


def validate(model: type[Model], values: object, path: Path, prefix: str) -> Model:
    """Validate one block of the file; mistakes name the file, the key and what is allowed."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [_line(model, detail, prefix) for detail in error.errors()]
        raise ConfigError(f"{path} is not valid:\n" + "\n".join(lines)) from None


def _check_names(subscription: Subscription, path: Path) -> None:
    """Names of sections and findings, which the rooms that make them know."""
    prefix = f"{path} is not valid:\n  subscriptions '{subscription.name}'"
    if subscription.sections:
        from sms_etl.reports.kinds import KINDS

        known = [section.key for section in KINDS[subscription.report].sections]
        refuse_unknown(subscription.sections, known, f"{prefix}.sections")
    if subscription.only_if is not None and subscription.only_if.findings:
        from sms_etl.reports.figures import FindingKind

        kinds = [ANY_FINDING, *(kind.value for kind in FindingKind)]
        refuse_unknown(subscription.only_if.findings, kinds, f"{prefix}.only_if.findings")


def refuse_unknown(given: Sequence[str], known: Sequence[str], where: str) -> None:
    """Check that names are among those that are known.

    Raises:
        ConfigError: naming `where`, the first that is not, and what is allowed.
    """
    for name in given:
        if name not in known:
            raise ConfigError(f"{where}: {name!r} is not known; allowed: {', '.join(known)}")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"There is no settings file {path}. Create it (see docs/configuration.md) "
            f"or set {CONFIG_PATH_VARIABLE} to where it is."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The settings file {path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None


def _validate_kind(
    kinds: Mapping[str, type[SourceSettings]], block: object, path: Path, prefix: str
) -> SourceSettings:
    kind = block.get("kind") if isinstance(block, dict) else None
    if kind not in kinds:
        raise ConfigError(
            f"{path} is not valid:\n  {prefix}.kind: {kind!r} is not known; "
            f"allowed: {', '.join(sorted(kinds))}"
        )
    return validate(kinds[str(kind)], block, path, prefix)


def _line(model: type[BaseModel], detail: ErrorDetails, prefix: str) -> str:
    where = ".".join([prefix, *map(str, detail["loc"])]).strip(".") or "(file)"
    text = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        text = "this key is not known" + _nearest(model, detail)
    elif detail["type"] == "missing":
        text = "this key is missing"
    else:
        text += f"; found {detail['input']!r}" if _is_short(detail["input"]) else ""
    return f"  {where}: {text}"


def _nearest(model: type[BaseModel], detail: ErrorDetails) -> str:
    fields: dict[str, Any] = dict(model.model_fields)
    for step in detail["loc"][:-1]:
        if isinstance(step, str):
            fields = _fields_within(getattr(fields.get(step), "annotation", None))
    close = difflib.get_close_matches(str(detail["loc"][-1]), fields, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; allowed: {', '.join(sorted(fields))}" if fields else ""


def _fields_within(annotation: object) -> dict[str, Any]:
    """Fields of a block, of a block that may be left out, or of each block of a list."""
    blocks = (getattr(one, "model_fields", None) for one in (annotation, *get_args(annotation)))
    return dict(next(filter(None, blocks), {}))


def _is_short(value: object) -> bool:
    return isinstance(value, (str, int, float, bool)) and len(str(value)) < 80
