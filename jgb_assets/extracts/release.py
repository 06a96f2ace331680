"""A release: every mart as one Parquet file, validated, described, and switched to in one step.

Belongs here: writing, checking, naming and switching releases. Not here: what the columns mean.

``publish/v1/releases/<release_id>/`` is written beside and renamed when whole; ``current`` is a symlink replaced
atomically. The id is the newest retrieval that went in plus eight hex digits of the content, so that the same inputs
have the same id, and nothing is written when nothing changed.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock

from jgb_assets.extracts.dictionary import SCHEMA_VERSION, Dataset
from jgb_assets.files import write_atomically
from jgb_assets.settings import REPOSITORY

VERSION_FOLDER = f"v{SCHEMA_VERSION}"
DESCRIPTOR = "datapackage.json"
STAGING = ".staging-"
FRICTIONLESS_TYPES = {
    "boolean": "boolean",
    "date": "date",
    "double": "number",
    "integer": "integer",
    "smallint": "integer",
    "timestamp with time zone": "datetime",
    "varchar": "string",
}


class ReleaseRefused(Exception):
    """A release that is not whole or not as its contract says. Readers keep the one they have."""


@dataclass(frozen=True)
class Extract:
    """One dataset's file as written."""

    dataset: Dataset
    path: Path
    rows: int
    newest: date | None
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Release:
    """What ``current`` points to after publishing.

    ``is_new`` is False where its content had been published before, ``is_switched`` where readers were there already.
    """

    release_id: str
    folder: Path
    extracts: list[Extract]
    is_new: bool
    is_switched: bool

    @property
    def news(self) -> str:
        """What happened, in words."""
        if self.is_new:
            return "published"
        return "switched back to" if self.is_switched else "unchanged: no published byte was written"


def publish(
    connection: duckdb.DuckDBPyConnection,
    datasets: list[Dataset],
    sources: pa.Table,
    ledger: pa.Table,
    now: datetime,
    publish_dir: Path,
) -> Release:
    """Write, validate and switch to the release of what ``connection`` holds.

    Args:
        connection: the warehouse, read-only.
        datasets: what is published.
        sources: whose data went in: source, title, homepage, licence, citation.
        ledger: the files that went in: source, role, url, retrieved_at, snapshot_sha256.
        now: the run's clock, which names a release that nothing went into.
        publish_dir: where ``v1/`` stands.

    Raises:
        ReleaseRefused: a file read back is not what its contract says, or the release stands already, but damaged.
        filelock.Timeout: another publisher is at work.
    """
    root = publish_dir / VERSION_FOLDER
    releases = root / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    with FileLock(root / ".lock", timeout=0), _staging(releases) as staging:
        extracts = [_write(connection, dataset, staging) for dataset in datasets]
        for extract in extracts:
            _validate(extract)
        content = hashlib.sha256("".join(f"{e.dataset.name} {e.sha256}\n" for e in extracts).encode()).hexdigest()
        newest = (pc.max(ledger["retrieved_at"]).as_py() or now).astimezone(UTC)
        release_id = f"{newest:%Y%m%dT%H%M%SZ}-{content[:8]}"
        folder = releases / release_id
        is_new = not folder.exists()
        if is_new:
            write_atomically(staging / DESCRIPTOR, _json(_descriptor(release_id, newest, extracts, sources, ledger)))
            staging.rename(folder)
        moved = [replace(extract, path=folder / extract.path.name) for extract in extracts]
        for extract in moved:
            _verify(extract)
        is_switched = _switch(root, release_id)
    return Release(release_id, folder, moved, is_new, is_switched)


@contextmanager
def _staging(releases: Path) -> Iterator[Path]:
    """A folder beside the releases. What a killed publisher left behind is cleared away first."""
    for leftover in releases.glob(f"{STAGING}*"):
        shutil.rmtree(leftover)
    staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=releases))
    staging.chmod(0o755)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write(connection: duckdb.DuckDBPyConnection, dataset: Dataset, folder: Path) -> Extract:
    columns = ", ".join(f'"{column.name}"' for column in dataset.columns)
    rows = connection.table(dataset.name).project(columns).order(", ".join(f'"{column}"' for column in dataset.key))
    table = rows.to_arrow_table().cast(dataset.schema)
    path = folder / f"{dataset.name}.parquet"
    pq.write_table(table, path, compression="zstd")
    body = path.read_bytes()
    newest = pc.max(table[dataset.time_column]).as_py()
    return Extract(dataset, path, table.num_rows, newest, hashlib.sha256(body).hexdigest(), len(body))


def _validate(extract: Extract) -> None:
    """Read a file back and hold it against its contract."""
    dataset = extract.dataset
    table = pq.read_table(extract.path)
    keys = table.select(list(dataset.key))
    problems = {
        "its schema is not the dictionary's": not table.schema.equals(dataset.schema, check_metadata=True),
        f"it has {table.num_rows} rows, not {extract.rows}": table.num_rows != extract.rows,
        f"its key {dataset.key} has nulls": any(column.null_count for column in keys.columns),
        f"its key {dataset.key} is not unique": keys.group_by(list(dataset.key)).aggregate([]).num_rows != len(keys),
    }
    if found := [problem for problem, is_so in problems.items() if is_so]:
        raise ReleaseRefused(
            f"{dataset.name}: {'; '.join(found)}. The last release stands; mend the mart and run again."
        )


def _verify(extract: Extract) -> None:
    """Hold a file of the release against what was just written: an old release with this id must still be whole."""
    path = extract.path
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != extract.sha256:
        raise ReleaseRefused(f"{path} is missing or damaged. Move {path.parent} away and run again to publish it anew.")


def _switch(root: Path, release_id: str) -> bool:
    """Point ``current`` and ``latest.json`` at a release, each in one step. Whether they pointed elsewhere."""
    current, target = root / "current", Path("releases") / release_id
    is_switched = not current.is_symlink() or current.readlink() != target
    if is_switched:
        link = root / ".current"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        link.replace(current)
    write_if_changed(root / "latest.json", {"release_id": release_id, "path": f"releases/{release_id}"})
    return is_switched


def write_if_changed(path: Path, content: object) -> None:
    """Write JSON as a whole; leave a file that says the same alone."""
    body = _json(content)
    if not path.is_file() or path.read_bytes() != body:
        write_atomically(path, body)


def _descriptor(
    release_id: str, newest: datetime, extracts: list[Extract], sources: pa.Table, ledger: pa.Table
) -> dict[str, object]:
    """The Frictionless data package of a release."""
    return {
        "profile": "data-package",
        "name": "jgb",
        "title": "Japanese government bonds: curve, auctions, and TIC holdings",
        "id": release_id,
        "version": SCHEMA_VERSION,
        "created": newest,
        "git_sha": _git_sha(),
        "sources": [
            {
                "title": source["citation"],
                "path": source["homepage"],
                "licence": source["licence"],
                "name": source["source"],
            }
            for source in sources.to_pylist()
        ],
        "resources": [_resource(extract) for extract in extracts],
        "snapshots": ledger.select(["source", "role", "url", "retrieved_at", "snapshot_sha256"]).to_pylist(),
    }


def _resource(extract: Extract) -> dict[str, object]:
    dataset = extract.dataset
    return {
        "profile": "data-resource",
        "name": dataset.name,
        "title": dataset.title,
        "description": dataset.description,
        "path": extract.path.name,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "bytes": extract.bytes,
        "hash": f"sha256:{extract.sha256}",
        "rows": extract.rows,
        "newest": extract.newest,
        "schema": {
            "fields": [
                {
                    "name": column.name,
                    "type": FRICTIONLESS_TYPES[column.data_type],
                    "description": column.description,
                    "unit": column.unit,
                    "source": column.source,
                }
                for column in dataset.columns
            ],
            "primaryKey": list(dataset.key),
        },
    }


def _git_sha() -> str | None:
    """The commit that built the release, ``-dirty`` with uncommitted changes; None outside a checkout."""
    command = ["git", "-C", str(REPOSITORY), "describe", "--always", "--abbrev=40", "--dirty"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False, default=_iso) + "\n").encode()


def _iso(value: date | datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
