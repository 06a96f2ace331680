"""A release: every dataset as one Parquet file, judged, described, and switched to in one step.

Belongs here: making and naming releases. Not here: what the columns mean, or where releases stand (``store``).

The id is the newest retrieval that went in plus eight hex digits of the content, so that the same inputs have the same
id, and nothing is written when nothing changed.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jgb_assets.extracts.descriptor import Extract, Provenance, descriptor
from jgb_assets.extracts.dictionary import Dataset, broken_promises, promise_of_file
from jgb_assets.extracts.diff import Changes, DatasetChanges, compare
from jgb_assets.extracts.gates import contract_problems, plausibility_problems
from jgb_assets.extracts.store import (
    CHANGES,
    CHANGES_JSON,
    DESCRIPTOR,
    MOVE_AWAY,
    RELEASES,
    SUMS,
    ReleaseRefused,
    Store,
    to_json,
)
from jgb_assets.extracts.upkeep import content_of, hashes_of, is_held_back, released_at, sums, verify
from jgb_assets.files import write_atomically

LIFTED_BY = "python -m jgb_assets.extracts rollback"
# What is made of a release's tables, its id and the newest retrieval that went in, and lies beside them.
Page = Callable[[Mapping[str, pa.Table], str, datetime], str]
NO_PAGES: Mapping[str, Page] = MappingProxyType({})
LEDGER = ["source", "role", "url", "retrieved_at", "snapshot_sha256"]


@dataclass(frozen=True)
class Release:
    """What publishing made of the datasets.

    ``is_new`` is False where the content had been published before, ``is_switched`` where readers were there already or
    are kept away. ``changes`` is the text of its ``CHANGES.md``.
    """

    release_id: str
    location: str
    extracts: list[Extract]
    changes: str
    is_new: bool
    is_switched: bool
    is_held_back: bool

    @property
    def news(self) -> str:
        """What happened, in words."""
        if self.is_held_back:
            return f"held back: readers were rolled back from it ({LIFTED_BY} {self.release_id} gives it to them again)"
        if self.is_new:
            return "published"
        return "switched to" if self.is_switched else "unchanged: no published byte was written"


def publish(
    connection: duckdb.DuckDBPyConnection,
    datasets: list[Dataset],
    sources: pa.Table,
    ledger: pa.Table,
    now: datetime,
    store: Store,
    accepted: frozenset[str] = frozenset(),
    pages: Mapping[str, Page] = NO_PAGES,
) -> Release:
    """Write, judge and switch to the release of what ``connection`` holds.

    Args:
        connection: the warehouse, read-only: a table a dataset.
        datasets: what is published.
        sources: whose data went in: source, title, homepage, licence, citation.
        ledger: the files that went in: source, role, url, retrieved_at, snapshot_sha256.
        now: the run's clock. It names a release that nothing went into, and where it stands before the last release
            this is a view of the past, which may show less.
        store: where releases stand.
        accepted: hashes of contents that a person let pass though they are implausible.
        pages: by file name what is made of the written files for people to look at.

    Raises:
        ReleaseRefused: it is not what its contract says, breaks a promise, is implausible beside the last release, or
            stands already, but damaged. Readers keep the one they have.
        PublisherBusy: another publisher is at work.
    """
    in_order = [(name, "ascending") for name in ("source", "retrieved_at", "role")]
    provenance = Provenance(sources.sort_by("source").to_pylist(), ledger.select(LEDGER).sort_by(in_order).to_pylist())
    created = (provenance.newest() or now).astimezone(UTC)
    with store.publishing(), store.staging() as staging:
        extracts = [_write(connection, dataset, provenance.schema(dataset), staging) for dataset in datasets]
        content = hashlib.sha256(content_of({Path(e.path).name: e.sha256 for e in extracts})).hexdigest()
        release_id = f"{created:%Y%m%dT%H%M%SZ}-{content[:8]}"
        folder = f"{RELEASES}/{release_id}"
        is_new = release_id not in store.releases()
        previous, held_back = store.current(), not is_new and is_held_back(store, release_id)
        if is_new or (previous != release_id and not held_back):
            is_past = previous is not None and now < released_at(previous)
            doubted = None if is_past or content in accepted else content
            changes = _changes(release_id, extracts, staging, store, previous, doubted)
        if is_new:
            write_atomically(staging / CHANGES_JSON, to_json(changes.to_json()))
            write_atomically(staging / CHANGES, changes.to_markdown().encode())
            tables = {extract.dataset.name: _read(staging, extract) for extract in extracts} if pages else {}
            for name, page in pages.items():
                write_atomically(staging / name, page(tables, release_id, created).encode())
            package = to_json(descriptor(release_id, created, extracts, provenance))
            files = {path.name: path.read_bytes() for path in staging.iterdir()} | {DESCRIPTOR: package}
            write_atomically(staging / SUMS, sums(hashes_of(files)))
            write_atomically(staging / DESCRIPTOR, package)
            store.add(staging, release_id)
        _refuse_damaged(store, release_id, extracts)
        is_switched = previous != release_id and not held_back
        store.switch(previous if previous and held_back else release_id)  # mends what a killed publisher left half-way
        told = store.read(f"{folder}/{CHANGES}").decode()
    moved = [replace(extract, path=store.path(f"{folder}/{extract.dataset.name}.parquet")) for extract in extracts]
    return Release(release_id, store.path(folder), moved, told, is_new, is_switched, held_back)


def _write(connection: duckdb.DuckDBPyConnection, dataset: Dataset, schema: pa.Schema, folder: Path) -> Extract:
    """Write a dataset's file, read it back, and hold it against its contract."""
    columns = ", ".join(f'"{column.name}"' for column in dataset.columns)
    rows = connection.table(dataset.name).project(columns).order(", ".join(f'"{column}"' for column in dataset.key))
    table = rows.to_arrow_table()
    if nulls := [field.name for field in schema if not field.nullable and table[field.name].null_count]:
        raise ReleaseRefused(
            f"{dataset.name}: {', '.join(nulls)} {'has' if len(nulls) == 1 else 'have'} nulls. "
            "The last release stands; mend the mart and run again."
        )
    table = table.cast(schema)
    path = folder / f"{dataset.name}.parquet"
    pq.write_table(table, path, compression="zstd")
    if problems := contract_problems(dataset, schema, pq.read_table(path, partitioning=None), table.num_rows):
        raise ReleaseRefused(f"{'; '.join(problems)}. The last release stands; mend the mart and run again.")
    body = path.read_bytes()
    newest = pc.max(table[dataset.time_column]).as_py()
    return Extract(dataset, str(path), table.num_rows, newest, hashlib.sha256(body).hexdigest(), len(body))


def _changes(
    release_id: str, extracts: list[Extract], staging: Path, store: Store, previous: str | None, content: str | None
) -> Changes:
    """What the staged files change for readers; refused where that may not be.

    Args:
        release_id: the release to be.
        extracts: its files.
        staging: where they are.
        store: where the release stands that readers have.
        previous: that release.
        content: the hash to name where the change is implausible; None where that is let pass.
    """
    if previous is None or not store.files(previous):
        new = {extract.dataset.name: compare(extract.dataset, None, _read(staging, extract)) for extract in extracts}
        return Changes(release_id, None, new)
    if problems := verify(store, previous):
        raise ReleaseRefused(
            f"the release that readers have is damaged: {'; '.join(problems)}. Roll back to another. {MOVE_AWAY}"
        )
    package = json.loads(store.read(f"{RELEASES}/{previous}/{DESCRIPTOR}"))
    published = {resource["name"]: resource for resource in package["resources"]}
    same = {e.dataset.name for e in extracts if published.get(e.dataset.name, {}).get("hash") == f"sha256:{e.sha256}"}
    before = {
        name: store.read_table(f"{RELEASES}/{previous}/{resource['path']}")
        for name, resource in published.items()
        if name not in same
    }
    promise = {name: promise_of_file(table.schema) for name, table in before.items()}
    if broken := broken_promises(promise, [extract.dataset for extract in extracts]):
        raise ReleaseRefused(
            f"{'; '.join(broken)}. Within a major version columns are only added: the last release stands."
        )
    changed: dict[str, DatasetChanges] = {}
    implausible: list[str] = []
    for extract in extracts:
        dataset = extract.dataset
        if dataset.name in same:
            continue
        was, now = before.get(dataset.name), _read(staging, extract)
        changes = compare(dataset, was, now)
        if not changes.is_empty:
            changed[dataset.name] = changes
        if content and was is not None:
            implausible += plausibility_problems(changes, was, now)
    if implausible:
        raise ReleaseRefused(
            f"{'; '.join(implausible)}. The last release stands. If that is right all the same, run again with "
            f"JGB_ACCEPT_SHA256={content}"
        )
    return Changes(release_id, previous, changed)


def _read(staging: Path, extract: Extract) -> pa.Table:
    return pq.read_table(staging / f"{extract.dataset.name}.parquet", partitioning=None)


def _refuse_damaged(store: Store, release_id: str, extracts: list[Extract]) -> None:
    """A release with this id must be whole, and hold just what was written, also when it stood there before."""
    problems = verify(store, release_id)
    listed = store.read(f"{RELEASES}/{release_id}/{SUMS}").decode().splitlines() if not problems else []
    problems += [
        f"{store.path(f'{RELEASES}/{release_id}/{extract.dataset.name}.parquet')} holds something else"
        for extract in extracts
        if listed and f"{extract.sha256}  {extract.dataset.name}.parquet" not in listed
    ]
    if problems:
        raise ReleaseRefused(f"{'; '.join(problems)}. {MOVE_AWAY}")
