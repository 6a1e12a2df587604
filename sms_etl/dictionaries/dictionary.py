"""The dictionary of one provider: status words to classes, codes to reasons."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.abc import Traversable
from typing import Any

import polars as pl

from sms_etl.dictionaries.tables import (
    CODE_COLUMNS,
    REASON_ORIGIN,
    STATUS_COLUMNS,
    data_folder,
    read_table,
    reasons,
    require_unique,
)
from sms_etl.errors import ConfigError
from sms_etl.model.vocabulary import Receipt, StatusClass

NO_STATUS = "(no status)"
"""Stands in a status file for a record that has no status word."""

VERSION_CHARACTERS = 12

CODE_FILES = {
    "smpp_map": ("smpp", "gsm_map"),
    "kannel": ("smpp",),
    "kannel_map": ("smpp", "gsm_map"),
}
"""The number in the err field of an SMPP receipt has no common meaning: every message centre has
its own table. "smpp" leaves it unknown; "smpp_map" is for connections that give MAP errors."""

STATUS_FILES = {
    "smpp_map": ("smpp",),
    "kannel": ("kannel", "smpp"),
    "kannel_map": ("kannel", "smpp"),
}
"""Kannel has words of its own beside those of the receipts it passes on."""


@dataclass(frozen=True)
class Dictionary:
    """What a provider's words mean.

    `statuses` and `codes` have the columns of their files plus `key`, the compared form of the
    word. `version` changes with any byte of the files.
    """

    provider: str
    statuses: pl.DataFrame
    codes: pl.DataFrame
    version: str


@dataclass(frozen=True)
class Explanation:
    """One word or code in plain terms; blanks are what the sources do not say."""

    provider: str
    word: str
    kind: str
    name: str | None
    meaning_en: str | None
    meaning_uk: str | None
    status_class: str | None
    final: bool | None
    reason: str | None
    permanence: str | None
    mender: str | None
    stop_writing: bool
    source: str
    note: str | None


def status_key(word: pl.Expr) -> pl.Expr:
    """Form in which status words are compared: trimmed, lower case, null if empty."""
    text = word.cast(pl.String).str.strip_chars().str.to_lowercase()
    return pl.when(text != "").then(text)


def code_key(code: pl.Expr) -> pl.Expr:
    """Form in which codes are compared: as status words, without leading zeros.

    "027" and "27" are one code, and so are "0x0000000b" and "0x0B".
    """
    return status_key(code).str.replace(r"^(0x)?0*([0-9a-f]+)$", "$1$2")


@cache
def load_dictionary(provider: str) -> Dictionary:
    """Read the packaged dictionary of a provider once.

    Raises:
        ConfigError: there is none, or a file of it is wrong.
    """
    return read_dictionary(data_folder(), provider)


def dictionary_names() -> list[str]:
    """Every provider that has a dictionary, sorted."""
    suffix = "_status.csv"
    own = [file.name for file in data_folder().iterdir() if file.name.endswith(suffix)]
    return sorted({name.removesuffix(suffix) for name in own} | set(STATUS_FILES))


def read_dictionary(folder: Traversable, provider: str) -> Dictionary:
    """Read and check the dictionary files of a provider in a folder.

    Raises:
        ConfigError: naming the file, the row, the column and the words allowed there.
    """
    status_files = [f"{name}_status.csv" for name in STATUS_FILES.get(provider, (provider,))]
    code_files = [f"{name}_codes.csv" for name in CODE_FILES.get(provider, (provider,))]
    if not (folder / status_files[0]).is_file():
        raise ConfigError(
            f"there is no dictionary for provider {provider!r}: "
            f"the known ones are {', '.join(dictionary_names())}"
        )
    statuses = pl.concat(
        [_read_statuses(folder, file) for file in status_files], how="vertical"
    ).with_columns(status_key(pl.col("word")).alias("key"))
    codes = pl.concat(
        [_read_codes(folder, file) for file in code_files], how="vertical"
    ).with_columns(code_key(pl.col("code")).alias("key"))
    require_unique(" and ".join(status_files), statuses["key"])
    require_unique(" and ".join(code_files), codes["key"])
    return Dictionary(provider, statuses, codes, _version(folder, [*status_files, *code_files]))


def explain(provider: str, code_or_word: str) -> Explanation | None:
    """What one status word or code of a provider means; None if the dictionary has neither.

    Raises:
        ConfigError: the provider has no dictionary.
    """
    dictionary = load_dictionary(provider)
    status = _row(dictionary.statuses, status_key, code_or_word)
    if status:
        return _explain_status(provider, status)
    code = _row(dictionary.codes, code_key, code_or_word)
    return _explain_code(provider, code) if code else None


def _read_statuses(folder: Traversable, file: str) -> pl.DataFrame:
    statuses = read_table(folder, file, STATUS_COLUMNS)
    _require_receipts(file, statuses)
    return statuses


def _read_codes(folder: Traversable, file: str) -> pl.DataFrame:
    codes = read_table(folder, file, CODE_COLUMNS)
    explained = codes["reason"].is_not_null()
    for column in ("permanence", "mender"):
        wrong = codes.filter(explained != codes[column].is_not_null())["code"]
        if not wrong.is_empty():
            raise ConfigError(
                f"{file} code {wrong[0]} column {column}: it must be given with a reason, "
                "and left blank without one"
            )
    return codes


def _require_receipts(file: str, statuses: pl.DataFrame) -> None:
    """A delivered word says how far its proof reaches; no other word has a proof."""
    delivered = statuses["class"] == StatusClass.DELIVERED.value
    wrong = statuses.filter(delivered == (statuses["receipt"] == Receipt.NONE.value))["word"]
    if not wrong.is_empty():
        raise ConfigError(
            f"{file} word {wrong[0]} column receipt: it must be none unless the class is delivered"
        )


def _version(folder: Traversable, names: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        digest.update((folder / name).read_bytes())
    digest.update((data_folder() / REASON_ORIGIN).read_bytes())
    return digest.hexdigest()[:VERSION_CHARACTERS]


def _row(
    table: pl.DataFrame, compared: Callable[[pl.Expr], pl.Expr], word: str
) -> dict[str, Any] | None:
    found = table.filter(pl.col("key") == compared(pl.lit(word)))
    return found.row(0, named=True) if found.height else None


def _defaults(reason: str | None) -> dict[str, Any]:
    found = reasons().filter(pl.col("reason") == pl.lit(reason, pl.String))
    return found.row(0, named=True) if found.height else {}


def _explain_status(provider: str, row: dict[str, Any]) -> Explanation:
    defaults = _defaults(row["reason"])
    return Explanation(
        provider=provider,
        word=row["word"],
        kind="status",
        name=None,
        meaning_en=defaults.get("meaning_en"),
        meaning_uk=defaults.get("meaning_uk"),
        status_class=row["class"],
        final=row["final"],
        reason=row["reason"],
        permanence=defaults.get("permanence"),
        mender=defaults.get("mender"),
        stop_writing=defaults.get("stop_writing", False),
        source=row["source"],
        note=row["note"],
    )


def _explain_code(provider: str, row: dict[str, Any]) -> Explanation:
    return Explanation(
        provider=provider,
        word=row["code"],
        kind="code",
        name=row["name"],
        meaning_en=row["meaning_en"],
        meaning_uk=row["meaning_uk"],
        status_class=row["class_alone"],
        final=None,
        reason=row["reason"],
        permanence=row["permanence"],
        mender=row["mender"],
        stop_writing=row["stop_writing"],
        source=row["source"],
        note=None,
    )
