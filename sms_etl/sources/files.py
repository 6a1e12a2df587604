"""Files that people drop: plain, gzip or zip, opened in memory within limits."""

from __future__ import annotations

import gzip
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from sms_etl.errors import PermanentSourceError
from sms_etl.sources.base import PageFormat

MOST_MEMBERS = 100
MOST_BYTES = 512 * 1024 * 1024
LARGEST_FILE_BYTES = 512 * 1024 * 1024
HIGHEST_RATIO = 200
RATIO_MATTERS_FROM_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
FORMATS = {".csv": PageFormat.CSV, ".xlsx": PageFormat.XLSX, ".ndjson": PageFormat.NDJSON}
ENDINGS = (*FORMATS, ".csv.gz", ".ndjson.gz", ".zip")
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Member:
    """A table inside a dropped file, its bytes as they are."""

    name: str
    format: PageFormat
    body: bytes


def dropped_files(folder: Path, owner: str) -> list[Path]:
    """Files of a folder that may hold tables, by name; hidden and temporary ones are left alone.

    Raises:
        PermanentSourceError: the folder cannot be listed.
    """
    if not os.access(folder, os.R_OK | os.X_OK) or not folder.is_dir():
        raise PermanentSourceError(
            f"{owner}: the folder {folder} cannot be listed. "
            f"Create it, let this user read it, or mend 'folder' in the settings."
        )
    return sorted(
        path
        for path in folder.iterdir()
        if path.name.lower().endswith(ENDINGS)
        and not path.name.startswith((".", "~$"))
        and path.is_file()
        and not path.is_symlink()
    )


def bytes_of(path: Path) -> bytes:
    """A dropped file whole.

    Raises:
        PermanentSourceError: it is too large.
    """
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise PermanentSourceError(f"it is larger than {LARGEST_FILE_BYTES} bytes; split it")
    return path.read_bytes()


def members(name: str, body: bytes) -> list[Member]:
    """Tables in a dropped file: the file itself, or what a gzip or zip file holds.

    Raises:
        PermanentSourceError: the file is broken, too large, a bomb, or holds names with tricks.
    """
    ending = PurePosixPath(name).suffix.lower()
    try:
        if ending == ".gz":
            return [_member(name[: -len(".gz")], _gunzipped(body))]
        if ending == ".zip":
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                return list(_unzipped(archive))
        if ending == ".xlsx":
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                _check_all(archive)
        return [_member(name, body)]
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, RuntimeError) as error:
        raise PermanentSourceError(f"it cannot be opened ({error}); export it again") from None


def gunzipped(body: bytes) -> bytes:
    """The bytes that a gzip file holds; others as they are.

    Raises:
        PermanentSourceError: the file is broken, too large or a bomb.
    """
    try:
        return _gunzipped(body) if body.startswith(GZIP_MAGIC) else body
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise PermanentSourceError(f"it cannot be opened ({error})") from None


def _gunzipped(body: bytes) -> bytes:
    with gzip.open(io.BytesIO(body)) as stream:
        return _limited(stream, len(body), MOST_BYTES)


def _unzipped(archive: zipfile.ZipFile) -> Iterator[Member]:
    left = MOST_BYTES
    for info in _check_all(archive):
        with archive.open(info) as stream:
            body = _limited(stream, info.compress_size, left)
        left -= len(body)
        member = _member(info.filename, body)
        if member.format is PageFormat.XLSX:
            members(info.filename, body)
        yield member


def _check_all(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Refuse an archive by what it says of itself, before anything is unpacked."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MOST_MEMBERS:
        raise PermanentSourceError(f"it holds {len(infos)} files; at most {MOST_MEMBERS} are read")
    for info in infos:
        _check_name(info)
        _check_size(info.compress_size, info.file_size)
    if sum(info.file_size for info in infos) > MOST_BYTES:
        raise PermanentSourceError(f"it unpacks to more than {MOST_BYTES} bytes")
    return infos


def _check_name(info: zipfile.ZipInfo) -> None:
    paths = (PurePosixPath(info.filename), PureWindowsPath(info.filename))
    tricky = any(path.is_absolute() or path.drive or ".." in path.parts for path in paths)
    if tricky or stat.S_ISLNK(info.external_attr >> 16):
        raise PermanentSourceError(f"it holds the name {info.filename!r}, which leads elsewhere")


def _check_size(packed: int, unpacked: int) -> None:
    if unpacked > RATIO_MATTERS_FROM_BYTES and unpacked > packed * HIGHEST_RATIO:
        raise PermanentSourceError(
            f"it unpacks to more than {HIGHEST_RATIO} times its size, as a bomb does"
        )


def _limited(stream: IO[bytes] | gzip.GzipFile, packed: int, most: int) -> bytes:
    """Unpack no further than the limits, whatever the archive says of itself."""
    body = bytearray()
    while chunk := stream.read(CHUNK_BYTES):
        body += chunk
        if len(body) > most:
            raise PermanentSourceError(f"it unpacks to more than {MOST_BYTES} bytes")
        _check_size(packed, len(body))
    return bytes(body)


def _member(name: str, body: bytes) -> Member:
    form = FORMATS.get(PurePosixPath(name).suffix.lower())
    if form is None:
        raise PermanentSourceError(
            f"{PurePosixPath(name).name!r} is none of {', '.join(FORMATS)}; remove it"
        )
    return Member(PurePosixPath(name).name, form, body)
