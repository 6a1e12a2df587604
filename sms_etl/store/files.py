"""Writing files so that a reader sees the whole of them or nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sms_etl.errors import StoreError


def write_atomically(path: Path, body: bytes) -> None:
    """Write a file that exists whole or not at all, also after a power cut.

    Raises:
        StoreError: the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise StoreError(
            f"{path} cannot be written ({error.strerror}). "
            f"Check that the folder exists, is writable and has room."
        ) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
