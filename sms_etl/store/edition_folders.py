"""Where the files of editions lie: a folder of this machine, or a bucket for every machine.

A name is placed whole or not at all and never changed; who places one holds the lock of its name.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sms_etl.errors import StoreError
from sms_etl.store.bucket import Bucket
from sms_etl.store.files import sync_folder, write_atomically

logger = logging.getLogger(__name__)


def sha256_of(body: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True)
class EditionFolders:
    """A folder of this machine with a folder for each edition."""

    root: Path

    def place(self, name: str, files: Mapping[str, bytes], proof: str) -> Mapping[str, bytes]:
        """Put files under a name that no edition has yet.

        Something that lies there nevertheless was left by a process that died before it wrote the
        edition's row, or the warehouse was set back. If no file is lacking and `proof` is the same
        it is the edition we are about to make, otherwise it is set aside, never deleted.

        Args:
            name: of the edition.
            files: what to keep, by name.
            proof: the file that says whether two editions are the same.

        Returns:
            the files that lie under the name now.

        Raises:
            StoreError: the place cannot be read or written.
        """
        target, partial = self.root / name, self.root / f".{name}.partial"
        try:
            if target.exists():
                there = [file for file in files if (target / file).is_file()]
                found = {file: (target / file).read_bytes() for file in there}
                if len(found) == len(files) and found[proof] == files[proof]:
                    return found
                aside = self.root / _aside(name, found.get(proof, b""))
                logger.warning("Edition folder %s has no row; set aside as %s", target, aside.name)
                target.rename(aside)
            if partial.exists():
                shutil.rmtree(partial)
            partial.mkdir(parents=True)
            for file, body in files.items():
                write_atomically(partial / file, body)
            partial.rename(target)
            sync_folder(self.root)
        except OSError as error:
            raise StoreError(
                f"The edition folder {target} cannot be written ({error.strerror}). "
                f"Check that {self.root} is writable and that the disk has room."
            ) from error
        return files

    def path(self, name: str, file: str, _sha256: str) -> Path:
        """Where this machine finds a file of an edition."""
        return self.root / name / file

    def address(self, name: str) -> str:
        """Where the files of an edition are kept, for people."""
        return str(self.root / name)


@dataclass(frozen=True)
class BucketEditionFolders(EditionFolders):
    """Editions in a bucket; `root` holds those files that this machine made or read."""

    bucket: Bucket

    def place(self, name: str, files: Mapping[str, bytes], proof: str) -> Mapping[str, bytes]:
        """As in a folder; the proof is put last, so what lacks it is not whole."""
        there = [one.key for one in self.bucket.objects(name)]
        if f"{name}/{proof}" in there:
            held = [file for file in files if f"{name}/{file}" in there]
            found = {file: self.bucket.get(f"{name}/{file}") for file in held}
            if len(found) == len(files) and found[proof] == files[proof]:
                return self._cached(name, found)
            self._set_aside(name, there, proof, _aside(name, found[proof]))
        for file in sorted(files, key=lambda one: one == proof):
            self.bucket.put(f"{name}/{file}", files[file])
        return self._cached(name, files)

    def path(self, name: str, file: str, sha256: str) -> Path:
        """Where this machine finds a file of an edition; brought from the bucket where needed.

        Raises:
            StoreError: the bucket does not have it, or has something else under its name.
        """
        path = self.root / name / file
        if not (path.is_file() and sha256_of(path.read_bytes()) == sha256):
            body = self.bucket.get(f"{name}/{file}")
            if sha256_of(body) != sha256:
                raise StoreError(
                    f"{self.address(name)}/{file} is not what was frozen. Restore it from a backup."
                )
            write_atomically(path, body)
        return path

    def address(self, name: str) -> str:
        """Where the files of an edition are kept, for people."""
        return f"{self.bucket.url}/{name}"

    def _cached(self, name: str, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
        for file, body in files.items():
            write_atomically(self.root / name / file, body)
        return files

    def _set_aside(self, name: str, keys: list[str], proof: str, aside: str) -> None:
        logger.warning("%s has no row; set aside as %s", self.address(name), aside)
        proof_last = sorted(keys, key=lambda key: key == f"{name}/{proof}")
        for key in proof_last:
            self.bucket.put(f"{aside}/{key.removeprefix(f'{name}/')}", self.bucket.get(key))
        for key in reversed(proof_last):
            self.bucket.remove([key])


def _aside(name: str, proof: bytes) -> str:
    return f"{name}-without-row-{sha256_of(proof)[:8]}"
