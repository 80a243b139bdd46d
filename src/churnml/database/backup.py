"""A backup at rest: one folder, or one .tar, that holds a workspace as it stood, and says what must be in it.

`manifest.json` names every file with its size and digest, and bears a digest of its own, so that one damaged byte
anywhere is found before anything is restored.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from churnml.database.workspace import digest_of_file
from churnml.errors import DataRefusedError, DependencyError, UsageError

MANIFEST, DATABASE = "manifest.json", "churnml.db"
_FORMAT = 1
_PIECE = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself.

    Parameters
    ----------
    version, revision : str
        Of the churnml that made it, and of the schema of its database.
    made_at : str
        ISO 8601, UTC: the instant whose state it holds.
    database : str
        What the database was: `sqlite` or `postgresql`.
    files : dict of str to list
        By its path in the backup, each file's SHA-256 and size in bytes.
    """

    version: str
    revision: str
    made_at: str
    database: str
    files: dict[str, list[Any]]  # Any: a text and a number

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(int(size) for _, size in self.files.values())

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data, with the digest by which a damaged manifest is known."""
        body = {"format": _FORMAT, **vars(self)}
        return body | {"sha256": _digest_of(body)}

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Return the manifest of a backup's folder.

        Raises
        ------
        DataRefusedError
            If there is none, or it is damaged, or of a form that this version does not know.
        """
        path = folder / MANIFEST
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            digest = body.pop("sha256")
            form = body.pop("format")
        except FileNotFoundError as error:
            raise DataRefusedError(
                f"a backup must hold {MANIFEST}, found none; name what `churnml backup` made"
            ) from error
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise DataRefusedError(f"{MANIFEST} of the backup is damaged; take another backup") from error
        if digest != _digest_of({"format": form, **body}):
            raise DataRefusedError(f"{MANIFEST} of the backup is damaged: its digest is another; take another backup")
        if form != _FORMAT:
            raise DataRefusedError(f"a backup must be of form {_FORMAT}, found {form}; restore it by a newer churnml")
        return cls(**body)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Hold every file of a backup against its manifest.

    Raises
    ------
    DataRefusedError
        If one is missing, damaged or unheard of, or lies outside.
    """
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()} - {MANIFEST}
    for name in sorted(there ^ set(manifest.files)):
        what = "is missing" if name in manifest.files else "is not named in its manifest"
        raise DataRefusedError(f"{name} of the backup {what}; take another backup")
    for name, (digest, size) in manifest.files.items():
        path = folder / name
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or path.is_symlink():
            raise DataRefusedError(f"{name} of the backup must lie within it; take another backup")
        if path.stat().st_size != size or digest_of_file(path) != digest:
            raise DataRefusedError(f"{name} of the backup is damaged: its digest is another; take another backup")


def check_target(target: Path) -> None:
    """Refuse to write a backup over something, before the work.

    Raises
    ------
    UsageError
        If a file is there, or a folder that is not empty.
    """
    taken = target.is_file() or (target.is_dir() and any(target.iterdir()))
    if taken or (target.is_dir() and target.suffix == ".tar"):
        raise UsageError(f"a backup must be written where nothing is, found {target}; give --to another name")


@contextmanager
def writing(target: Path) -> Iterator[Path]:
    """Give an empty folder for the files of a backup, and put it, or a .tar of it, in its place if all went well."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        packed = draft.with_suffix(".tar")
        draft.mkdir()
        try:
            yield draft
            if target.suffix == ".tar":
                with tarfile.open(packed, "w") as archive:
                    for path in sorted(draft.rglob("*")):
                        archive.add(path, path.relative_to(draft).as_posix(), recursive=False)
                packed.replace(target)
            else:
                if target.is_dir():
                    target.rmdir()  # it is empty
                draft.replace(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            packed.unlink(missing_ok=True)
    except OSError as error:
        raise DependencyError(
            f"cannot write the backup {target}: {error.strerror or error}; choose another place"
        ) from error


@contextmanager
def reading(source: Path, scratch: Path) -> Iterator[Path]:
    """Give the folder of a backup; a .tar is unpacked into a folder within `scratch` that is gone afterwards.

    Raises
    ------
    DataRefusedError
        If it is neither, or the .tar is damaged.
    """
    if source.is_dir():
        yield source
        return
    with TemporaryDirectory(prefix=".backup-", dir=scratch) as folder:
        try:
            with tarfile.open(source) as archive:
                archive.extractall(folder, filter="data")
        except (OSError, tarfile.TarError) as error:
            raise DataRefusedError(
                f"a backup must be a folder or a .tar, and {source} cannot be read: {error}; name what "
                "`churnml backup` made"
            ) from error
        yield Path(folder)


def copied(source: Path, target: Path) -> list[Any]:  # Any: a text and a number
    """Copy a file and return the SHA-256 of what was copied and its size."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as written:
        while piece := read.read(_PIECE):
            digest.update(piece)
            written.write(piece)
    return [digest.hexdigest(), target.stat().st_size]


def _digest_of(body: dict[str, Any]) -> str:  # Any: JSON
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
