"""Where releases stand: a folder, or a bucket below a prefix. Readers of either see one whole release.

Belongs here: placing, switching and removing releases as wholes. Not here: what is in one.

    v1/current -> releases/<release_id>     folders only, replaced in one step
    v1/jgb.duckdb                           folders only, views over the files of the current release
    v1/latest.json                          on object stores the switch itself, written last, on condition
    v1/releases/<release_id>/               there as a whole once its ``datapackage.json`` is
"""

import errno
import json
import os
import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from fsspec import AbstractFileSystem

from jgb_assets.extracts.dictionary import SCHEMA_VERSION
from jgb_assets.files import write_atomically
from jgb_assets.settings import place_of_releases

VERSION_FOLDER = f"v{SCHEMA_VERSION}"
RELEASES = "releases"
CURRENT = "current"
LATEST = "latest.json"
VIEWS = "jgb.duckdb"
LOG = "log"
DESCRIPTOR = "datapackage.json"
CHANGES = "CHANGES.md"
CHANGES_JSON = "changes.json"
SUMS = "SHA256SUMS"
MONITOR = "monitor.html"
CHECKSUMS = "checksums"  # where the descriptor names the file of sums
STAGING = ".staging-"
RELEASE_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
MOVE_AWAY = "Move it out of the place of releases and run again to publish it anew."
# A half release on an object store may be another publisher's that is still at work; this much later it is not.
ABANDONED = timedelta(hours=1)


class ReleaseRefused(Exception):
    """A release that is not whole, not as its contract says, or implausible. Readers keep the one they have."""


class StoreUnreachable(Exception):
    """An object store that does not answer, or does not let us."""


class PublisherBusy(Exception):
    """Another publisher is at work, or has switched meanwhile. Readers have its release."""


class Store(ABC):
    """A place of releases. Names are relative to ``v1/``, with slashes."""

    location: str
    pointer: str  # the file that leads readers to a release

    @abstractmethod
    def path(self, name: str) -> str:
        """Where a reader finds ``name``: a path or a URI."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            FileNotFoundError: there is none.
        """

    @abstractmethod
    def read_table(self, name: str) -> pa.Table:
        """A Parquet file."""

    @abstractmethod
    def write(self, name: str, body: bytes) -> None:
        """Write a whole file."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Take a file away."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Names of the files below a folder, relative to it, in order; empty if there is none."""

    @abstractmethod
    def current(self) -> str | None:
        """The release that readers have."""

    @abstractmethod
    def publishing(self) -> AbstractContextManager[None]:
        """A context in which this is the only publisher. Clears away what a killed one left.

        Raises:
            PublisherBusy: another is at work.
        """

    @abstractmethod
    def staging(self) -> AbstractContextManager[Path]:
        """A context with a local folder in which a release is made."""

    @abstractmethod
    def add(self, staging: Path, release_id: str) -> None:
        """Place a release that stands whole in ``staging``, its descriptor last. Readers do not see it yet.

        Raises:
            ReleaseRefused: part of it stands there already, and nobody is at work on it.
        """

    @abstractmethod
    def switch(self, release_id: str) -> None:
        """Give readers another release, in one step.

        Raises:
            PublisherBusy: another publisher has switched since ``publishing`` began.
        """

    @abstractmethod
    def remove(self, release_id: str) -> None:
        """Take a release away, as a whole."""

    @abstractmethod
    def viewed(self) -> str | None:
        """The release that DuckDB's views read; of a store without views the current one."""

    def releases(self) -> list[str]:
        """The whole releases, oldest first."""
        found = (name.split("/") for name in self.names(RELEASES))
        return sorted(parts[0] for parts in found if parts[1:] == [DESCRIPTOR] and RELEASE_ID.fullmatch(parts[0]))

    def files(self, release_id: str) -> list[str]:
        """Names of a release's files."""
        return self.names(f"{RELEASES}/{release_id}")

    def holds(self, name: str, body: bytes) -> bool:
        """Whether there is such a file, with just these bytes."""
        try:
            return self.read(name) == body
        except FileNotFoundError:
            return False

    def write_json(self, name: str, content: object) -> None:
        """Write JSON as a whole; leave a file that says the same alone."""
        body = to_json(content)
        if not self.holds(name, body):
            self.write(name, body)


class FolderStore(Store):
    """Releases in a folder."""

    def __init__(self, folder: Path) -> None:
        self.location = str(folder)
        self.pointer = CURRENT
        self._root = folder / VERSION_FOLDER

    def path(self, name: str) -> str:  # noqa: D102
        return str(self._root / name)

    def read(self, name: str) -> bytes:  # noqa: D102
        return (self._root / name).read_bytes()

    def read_table(self, name: str) -> pa.Table:  # noqa: D102
        return pq.read_table(self._root / name, partitioning=None)

    def write(self, name: str, body: bytes) -> None:  # noqa: D102
        write_atomically(self._root / name, body)

    def delete(self, name: str) -> None:  # noqa: D102
        (self._root / name).unlink()

    def names(self, folder: str) -> list[str]:  # noqa: D102
        root = self._root / folder
        files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in files if not path.parts[0].startswith("."))

    def current(self) -> str | None:  # noqa: D102
        link = self._root / CURRENT
        return link.readlink().name if link.is_symlink() else None

    @contextmanager
    def publishing(self) -> Iterator[None]:  # noqa: D102
        releases = self._root / RELEASES
        for folder in (self._root, releases):
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o755)  # readers are others, whatever the umask
        try:
            with FileLock(self._root / ".lock", timeout=0):
                for leftover in releases.glob(f"{STAGING}*"):
                    shutil.rmtree(leftover)
                for leftover in [*self._root.glob(".tmp-*"), *(self._root / LOG).glob(".tmp-*")]:
                    leftover.unlink(missing_ok=True)
                yield
        except Timeout as busy:
            raise PublisherBusy(f"another publisher is at work on {self.location}; its release stands.") from busy

    @contextmanager
    def staging(self) -> Iterator[Path]:  # noqa: D102
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=self._root / RELEASES))
        staging.chmod(0o755)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def add(self, staging: Path, release_id: str) -> None:  # noqa: D102
        for path in staging.iterdir():
            path.chmod(0o644)
            with path.open("rb") as file:
                os.fsync(file.fileno())
        folder = self._root / RELEASES / release_id
        if folder.exists():
            raise ReleaseRefused(f"{folder} is no whole release. {MOVE_AWAY}")
        staging.rename(folder)

    def switch(self, release_id: str) -> None:  # noqa: D102
        if self.current() != release_id:
            link = self._root / f".{CURRENT}"
            link.unlink(missing_ok=True)
            link.symlink_to(Path(RELEASES) / release_id)
            link.replace(self._root / CURRENT)
        self.write_json(LATEST, latest(release_id))
        self._write_views(release_id)

    def _write_views(self, release_id: str) -> None:
        """A DuckDB file with a view for each of the release's files; left alone where it has them already.

        Views hold absolute paths, as DuckDB knows no path relative to a database: so it stands beside the releases.
        """
        if self.viewed() == release_id:
            return
        temporary = self._root / f".tmp-{VIEWS}"
        temporary.unlink(missing_ok=True)
        with duckdb.connect() as connection:  # the oldest format that DuckDB 1 and later attach
            connection.execute(f"attach {_literal(temporary)} as jgb (storage_version 'v1.0.0')")
            for file in sorted((self._root / RELEASES / release_id).glob("*.parquet")):
                connection.execute(f'create view jgb."{file.stem}" as from read_parquet({_literal(file)})')
        if self._viewed_by(temporary) != release_id:
            raise OSError(errno.EIO, "DuckDB could not write it whole; is the disk full?", str(temporary))
        temporary.chmod(0o644)
        temporary.replace(self._root / VIEWS)

    def viewed(self) -> str | None:  # noqa: D102
        return self._viewed_by(self._root / VIEWS)

    def _viewed_by(self, path: Path) -> str | None:
        """The one release of this place that a DuckDB file's views read."""
        if not path.is_file():
            return None
        try:
            with duckdb.connect(path, read_only=True) as views:
                statements = views.sql("select sql from duckdb_views() where not internal").fetchall()
        except duckdb.Error:
            return None
        folders = {re.split(r"read_parquet\('", sql)[-1].rpartition("/")[0].replace("''", "'") for (sql,) in statements}
        (folder,) = folders if len(folders) == 1 else (None,)
        if folder is None:
            return None
        release = self._root / RELEASES / Path(folder).name
        return release.name if release.is_dir() and Path(folder).is_dir() and release.samefile(folder) else None

    def remove(self, release_id: str) -> None:  # noqa: D102
        folder = self._root / RELEASES / release_id
        shutil.rmtree(folder.rename(folder.with_name(f"{STAGING}{release_id}")))


class BucketStore(Store):
    """Releases on an object store. Who may, and where the endpoint is, the standard chain of AWS says."""

    def __init__(self, uri: str) -> None:
        self.location = uri.rstrip("/")
        self.pointer = LATEST
        self._root = f"{self.location.removeprefix('s3://')}/{VERSION_FOLDER}"
        self._seen_tag: str | None = None

    @cached_property
    def _files(self) -> AbstractFileSystem:
        from s3fs import S3FileSystem  # noqa: PLC0415  # half a second that folders need not pay

        return S3FileSystem(use_listings_cache=False)

    def path(self, name: str) -> str:  # noqa: D102
        return f"s3://{self._root}/{name}"

    def read(self, name: str) -> bytes:  # noqa: D102
        body: bytes = self._ask("cat_file", name)
        return body

    def _ask(self, what: str, name: str, *arguments: object, **options: object) -> Any:
        """One call to the store; what the network or the rights spoil is said in one sentence."""
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415  # comes with s3fs, and as late

        try:
            return getattr(self._files, what)(f"{self._root}/{name}", *arguments, **options)
        except FileNotFoundError as error:
            if "NoSuchBucket" not in str(error.__cause__):
                raise
            raise StoreUnreachable(f"{self.location}: {error}.") from error
        except (PermissionError, ConnectionError, TimeoutError, BotoCoreError) as error:
            raise StoreUnreachable(
                f"{self.location}: {error}. Credentials, region and endpoint come from the standard AWS chain."
            ) from error

    def read_table(self, name: str) -> pa.Table:  # noqa: D102
        return pq.read_table(pa.BufferReader(self.read(name)))

    def write(self, name: str, body: bytes) -> None:  # noqa: D102
        self._ask("pipe_file", name, body)

    def delete(self, name: str) -> None:  # noqa: D102
        self._ask("rm_file", name)

    def names(self, folder: str) -> list[str]:  # noqa: D102
        root = f"{self._root}/{folder}/"
        found = self._ask("find", f"{folder}/")
        # the store's own pages make empty objects for folders, whose names end in a slash or are the folder's
        return sorted(name.removeprefix(root) for name in found if name.startswith(root) and not name.endswith("/"))

    def current(self) -> str | None:  # noqa: D102
        try:
            return str(json.loads(self.read(LATEST))["release_id"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise ReleaseRefused(f"{self.path(LATEST)} is damaged. Delete it and run again to publish anew.") from error

    def viewed(self) -> str | None:  # noqa: D102
        return self.current()

    @contextmanager
    def publishing(self) -> Iterator[None]:  # noqa: D102
        self._seen_tag = self._tag()
        yield

    @contextmanager
    def staging(self) -> Iterator[Path]:  # noqa: D102
        with tempfile.TemporaryDirectory(prefix="jgb-release-") as folder:
            yield Path(folder)

    def add(self, staging: Path, release_id: str) -> None:  # noqa: D102
        if release_id in self.releases():
            return  # another publisher has placed the same content meanwhile: a release's files never change
        names = sorted((path.name for path in staging.iterdir()), key=lambda name: (name == DESCRIPTOR, name))
        for name in names:
            self.write(f"{RELEASES}/{release_id}/{name}", (staging / name).read_bytes())
        self._clear_abandoned(release_id)
        if set(names) - set(self.files(release_id)):
            self.remove(release_id)
            raise PublisherBusy(f"another publisher cleared {self.path(RELEASES)}; its release stands.")

    def switch(self, release_id: str) -> None:  # noqa: D102
        body = to_json(latest(release_id))
        if self.holds(LATEST, body):
            return
        condition = {"IfMatch": self._seen_tag} if self._seen_tag else {"IfNoneMatch": "*"}
        try:
            self._ask("pipe_file", LATEST, body, **condition)
        except OSError as error:
            if self._tag() == self._seen_tag:
                raise
            if self.holds(LATEST, body):
                return  # it was done; only the answer was lost
            raise PublisherBusy(
                f"another publisher switched {self.path(LATEST)} meanwhile; its release stands."
            ) from error
        self._seen_tag = self._tag()

    def remove(self, release_id: str) -> None:  # noqa: D102
        names = sorted(self.files(release_id), key=lambda name: (name != DESCRIPTOR, name))
        for name in names:  # the descriptor first: from then on it is no release
            self.delete(f"{RELEASES}/{release_id}/{name}")

    def _tag(self) -> str | None:
        try:
            return str(self._ask("info", LATEST)["ETag"])
        except FileNotFoundError:
            return None

    def _clear_abandoned(self, release_id: str) -> None:
        """Remove half releases. How old they are is told by the store's clock: against the release just placed."""
        found: dict[str, Any] = self._ask("find", f"{RELEASES}/", detail=True)
        newest: dict[str, datetime] = {}
        for name, info in found.items():
            release = name.removeprefix(f"{self._root}/{RELEASES}/").split("/")[0]
            if not RELEASE_ID.fullmatch(release):
                continue
            newest[release] = max(newest.get(release, info["LastModified"]), info["LastModified"])
        for half in newest.keys() - set(self.releases()):
            if newest[release_id] - newest[half] > ABANDONED:
                self.remove(half)


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def store_at(location: str | Path) -> Store:
    """The place of releases at a folder or an ``s3://bucket/prefix``.

    Raises:
        ValueError: another kind of place.
    """
    place = place_of_releases(location)
    return BucketStore(place) if place.startswith("s3://") else FolderStore(Path(place))


def latest(release_id: str) -> dict[str, str]:
    """What ``latest.json`` says."""
    return {"release_id": release_id, "path": f"{RELEASES}/{release_id}"}


def to_json(content: object) -> bytes:
    """JSON as it is published; dates and instants in ISO 8601, instants with a Z."""
    return (json.dumps(content, indent=2, ensure_ascii=False, default=_iso) + "\n").encode()


def _iso(value: date | datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
