"""What a release says of itself: the Frictionless descriptor, and the metadata of each Parquet file.

Belongs here: whose data a dataset is built from, under which terms, from which bytes. Not here: writing releases.
"""

import subprocess
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from jgb_assets.extracts.dictionary import SCHEMA_VERSION, Column, Dataset
from jgb_assets.extracts.store import CHECKSUMS, SUMS, to_json
from jgb_assets.settings import REPOSITORY

FRICTIONLESS_TYPES = {
    "boolean": "boolean",
    "date": "date",
    "double": "number",
    "integer": "integer",
    "smallint": "integer",
    "timestamp with time zone": "datetime",
    "varchar": "string",
}


@dataclass(frozen=True)
class Extract:
    """One dataset's file as written. ``path`` is where readers find it."""

    dataset: Dataset
    path: str
    rows: int
    newest: date | None
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Provenance:
    """Whose data went into a release, and which files.

    ``sources`` has a row a source: source, title, homepage, licence, citation. ``ledger`` has a row a file that went
    in: source, role, url, retrieved_at, snapshot_sha256.
    """

    sources: list[dict[str, Any]]
    ledger: list[dict[str, Any]]

    def newest(self) -> datetime | None:
        """The newest retrieval that went in."""
        return max((entry["retrieved_at"] for entry in self.ledger), default=None)

    def of(self, dataset: Dataset) -> list[dict[str, Any]]:
        """The sources that a dataset is built from."""
        return [source for source in self.sources if source["source"] in dataset.sources]

    def newest_snapshot(self, dataset: Dataset) -> dict[str, Any] | None:
        """The newest file of a dataset's sources."""
        files = [entry for entry in self.ledger if entry["source"] in dataset.sources]
        newest = max(files, key=lambda entry: (entry["retrieved_at"], entry["source"], entry["role"]), default=None)
        if newest is None:
            return None
        told = {name: newest[name] for name in ("source", "role", "url", "retrieved_at")}
        return told | {"sha256": newest["snapshot_sha256"]}

    def schema(self, dataset: Dataset) -> pa.Schema:
        """A dataset's Arrow schema with what its file says of itself."""
        sources = self.of(dataset)
        told = [{name: source[name] for name in ("source", "title", "licence", "citation")} for source in sources]
        newest = self.newest_snapshot(dataset)
        return dataset.schema.with_metadata(
            {
                **(dataset.schema.metadata or {}),
                "sources": to_json(told),
                "licence": "; ".join(f"{source['title']}: {source['licence']}" for source in sources),
                **({"newest_snapshot": to_json(newest)} if newest else {}),
            }
        )


def descriptor(release_id: str, created: datetime, extracts: list[Extract], provenance: Provenance) -> dict[str, Any]:
    """The Frictionless data package of a release."""
    return {
        "profile": "data-package",
        "name": "jgb",
        "title": "Japanese government bonds: curve, auctions, and TIC holdings",
        "id": release_id,
        "version": SCHEMA_VERSION,
        "created": created,
        "git_sha": _git_sha(),
        CHECKSUMS: SUMS,
        "sources": [_source(source) for source in provenance.sources],
        "resources": [_resource(extract, provenance) for extract in extracts],
        "snapshots": provenance.ledger,
    }


def _source(source: dict[str, Any]) -> dict[str, str]:
    return {
        "title": source["citation"],
        "path": source["homepage"],
        "licence": source["licence"],
        "name": source["source"],
    }


def _resource(extract: Extract, provenance: Provenance) -> dict[str, Any]:
    dataset = extract.dataset
    return {
        "profile": "data-resource",
        "name": dataset.name,
        "title": dataset.title,
        "description": dataset.description,
        "path": extract.path.rpartition("/")[2],
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        # not "bytes": Frictionless does not count those of Parquet, and then calls them wrong
        "size_bytes": extract.bytes,
        "hash": f"sha256:{extract.sha256}",
        "rows": extract.rows,
        "newest": extract.newest,
        "known_at": dataset.known_at,
        "newest_snapshot": provenance.newest_snapshot(dataset),
        "sources": [_source(source) for source in provenance.of(dataset)],
        "schema": {"fields": [_field(column) for column in dataset.columns], "primaryKey": list(dataset.key)},
    }


def _field(column: Column) -> dict[str, Any]:
    plain = FRICTIONLESS_TYPES[column.data_type]
    return {
        "name": column.name,
        # Frictionless reads Parquet through pandas, which makes an integer column with nulls one of floats
        "type": "number" if plain == "integer" and column.nullable else plain,
        "arrow_type": str(column.arrow_type),
        "description": column.description,
        "unit": column.unit,
        "source": column.source,
        "constraints": {"required": not column.nullable},
    }


def _git_sha() -> str | None:
    """The commit that built the release, ``-dirty`` with uncommitted changes; None outside a checkout."""
    command = ["git", "-C", str(REPOSITORY), "describe", "--always", "--abbrev=40", "--dirty"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or None
