"""A bucket of an S3-compatible object store: the few things landing needs of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sms_etl.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from obstore.store import S3Store


@dataclass(frozen=True)
class Stored:
    """One object: its key below the prefix, its size, and what changes when it does."""

    key: str
    size: int
    version: str


@dataclass(frozen=True)
class Bucket:
    """Objects below a prefix.

    url: `s3://bucket/prefix`. options: keys as other tools on object_store know them
    (aws_endpoint_url, aws_region, aws_access_key_id, aws_secret_access_key, aws_allow_http).
    """

    url: str
    options: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Bucket({self.url!r})"

    def below(self, name: str) -> Bucket:
        """The same bucket with a longer prefix."""
        return Bucket(f"{self.url.rstrip('/')}/{name}", self.options)

    def put(self, key: str, body: bytes) -> None:
        """Write an object whole.

        Raises:
            StoreError: the store cannot be reached or refuses.
        """
        import obstore

        with self._explained("written", key):
            obstore.put(self._store, self._path(key), body)

    def put_file(self, key: str, path: Path) -> None:
        """Write an object from a file, piece by piece; it is there whole or not at all.

        Raises:
            StoreError: the store cannot be reached or refuses.
        """
        import obstore

        with self._explained("written", key):
            obstore.put(self._store, self._path(key), path)

    def get(self, key: str) -> bytes:
        """Read an object.

        Raises:
            StoreError: it is not there, or the store cannot be reached.
        """
        import obstore

        with self._explained("read", key):
            return bytes(obstore.get(self._store, self._path(key)).bytes())

    def remove(self, keys: list[str]) -> None:
        """Remove objects; those that are not there are no error."""
        import obstore

        if keys:
            with self._explained("removed", keys[0]):
                obstore.delete(self._store, [self._path(key) for key in keys])

    def objects(self, prefix: str = "") -> list[Stored]:
        """Every object below a folder."""
        import obstore

        start = self._path(prefix)
        skip = len(self._prefix) + 1 if self._prefix else 0
        with self._explained("listed", prefix):
            return [
                Stored(item["path"][skip:], item["size"], item["e_tag"] or str(item["size"]))
                for page in obstore.list(self._store, prefix=start or None)
                for item in page
            ]

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders right below a folder."""
        import obstore

        with self._explained("listed", prefix):
            found = obstore.list_with_delimiter(self._store, prefix=self._path(prefix) or None)
        return sorted(PurePosixPath(path).name for path in found["common_prefixes"])

    @cached_property
    def _prefix(self) -> str:
        return urlsplit(self.url).path.strip("/")

    def _path(self, key: str) -> str:
        return "/".join(part for part in (self._prefix, key) if part)

    @cached_property
    def _store(self) -> S3Store:
        try:
            from obstore.store import S3Store
        except ImportError as error:
            raise ConfigError(
                "Object storage needs the extra s3: pip install 'sms-etl[s3]'"
            ) from error
        options: Any = dict(self.options)
        return S3Store(bucket=urlsplit(self.url).netloc, config=options)

    @contextmanager
    def _explained(self, deed: str, key: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as error:
            cause = " ".join(str(error).split())
            raise StoreError(
                f"{self.url}/{key} cannot be {deed}: {cause[:300]}. Check [storage] in the "
                f"settings, the store and the rights of its key."
            ) from error
