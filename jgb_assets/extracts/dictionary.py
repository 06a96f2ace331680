"""What each dataset is, from dbt's manifest: the one list of columns; and what of it is promised.

Belongs here: turning a mart's YAML into Arrow schemas and field descriptions. Not here: any column by name.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

SCHEMA_VERSION = "1"
PROMISE = Path(__file__).with_name(f"promise_v{SCHEMA_VERSION}.json")
# How the source of a column begins that no publisher fills here: we compute or repeat it, or it tells of the retrieval.
COMPUTED = ("computed", "repeated", "set here")
LANDING = "landing"  # dbt's source of what landing itself keeps: the ledger, the registry, the clock
RECORDED = ("retrieval", "registry", "publisher's calendar")

ARROW_TYPES: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "double": pa.float64(),
    "integer": pa.int32(),
    "smallint": pa.int16(),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
    "varchar": pa.string(),
}


@dataclass(frozen=True)
class Column:
    """A column as its YAML describes it."""

    name: str
    data_type: str
    description: str
    unit: str
    source: str
    nullable: bool

    @property
    def arrow_type(self) -> pa.DataType:
        """The type in Parquet."""
        return ARROW_TYPES[self.data_type]

    @property
    def is_recorded(self) -> bool:
        """It says how and when the row came here."""
        return self.source.startswith(RECORDED)

    @property
    def is_published(self) -> bool:
        """A publisher said it; neither computed nor recorded here."""
        return not self.is_recorded and not self.source.startswith(COMPUTED)


@dataclass(frozen=True)
class Dataset:
    """A mart that is published under its own name.

    ``sources`` names whose files it is built from. ``known_at`` is the column that says from when a row could be known.
    A dataset is first-hand where it holds what publishers said; the others repeat it, or compute from it. ``may_leave``
    names key columns of which a value may be gone one day, with its past.
    """

    name: str
    title: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    sources: tuple[str, ...]
    known_at: str | None = None
    is_first_hand: bool = False
    may_leave: tuple[str, ...] = ()

    @cached_property
    def schema(self) -> pa.Schema:
        """Arrow schema; description, unit and source are each field's metadata."""
        fields = [
            pa.field(
                column.name,
                column.arrow_type,
                nullable=column.nullable,
                metadata={"description": column.description, "unit": column.unit, "source": column.source},
            )
            for column in self.columns
        ]
        return pa.schema(
            fields,
            metadata={
                "title": self.title,
                "description": self.description,
                "primary_key": json.dumps(self.key),
                "schema_version": SCHEMA_VERSION,
                **({"known_at": self.known_at} if self.known_at else {}),
            },
        )

    @property
    def time_column(self) -> str:
        """The column that tells how new the data are: the date of the key, else the last date."""
        dates = [column.name for column in self.columns if column.data_type == "date"]
        return next((name for name in dates if name in self.key), dates[-1])


def datasets(manifest_path: Path) -> list[Dataset]:
    """Every mart of the manifest, by name."""
    manifest = json.loads(manifest_path.read_text())
    marts = (
        node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    )
    return sorted((_dataset(node, manifest) for node in marts), key=lambda dataset: dataset.name)


def _dataset(node: dict[str, Any], manifest: dict[str, Any]) -> Dataset:
    meta = node["config"]["meta"]
    columns = tuple(
        Column(
            name=column["name"],
            data_type=column["data_type"],
            description=column["description"].strip(),
            unit=column["config"]["meta"]["unit"],
            source=column["config"]["meta"]["source"],
            nullable=not any(constraint["type"] == "not_null" for constraint in column["constraints"]),
        )
        for column in node["columns"].values()
    )
    return Dataset(
        name=node["name"],
        title=meta["title"],
        description=node["description"].strip(),
        key=tuple(meta["primary_key"]),
        columns=columns,
        sources=tuple(sorted(_sources(node["unique_id"], manifest))) or tuple(sorted(_all_sources(manifest))),
        known_at=meta.get("known_at"),
        is_first_hand=meta.get("first_hand", False),
        may_leave=tuple(meta.get("may_leave", ())),
    )


def _sources(unique_id: str, manifest: dict[str, Any]) -> set[str]:
    """Whose files a node is built from, through all that it reads; what landing keeps of every file names nobody."""
    if source := manifest["sources"].get(unique_id):
        return {source["config"]["meta"].get("built_from", source["source_name"])} - {LANDING}
    parents = manifest["nodes"].get(unique_id, {}).get("depends_on", {}).get("nodes", [])
    return {name for parent in parents for name in _sources(parent, manifest)}


def _all_sources(manifest: dict[str, Any]) -> set[str]:
    return {name for unique_id in manifest["sources"] for name in _sources(unique_id, manifest)}


def promise_of(datasets: Iterable[Dataset]) -> dict[str, Any]:
    """What readers are promised: by dataset its key, and of each column type and unit."""
    return {dataset.name: promise_of_file(dataset.schema) for dataset in datasets}


def promise_of_file(schema: pa.Schema) -> dict[str, Any]:
    """What the schema of a published Parquet file promises."""
    return {
        "key": json.loads(schema.metadata[b"primary_key"]),
        "columns": {
            field.name: {"type": str(field.type), "unit": field.metadata[b"unit"].decode()} for field in schema
        },
    }


def broken_promises(promise: Mapping[str, Any], datasets: Iterable[Dataset]) -> list[str]:
    """A sentence for each thing that was promised and is no more so; what is new breaks nothing."""
    offered = promise_of(datasets)
    broken = [f"{name}: the dataset is gone" for name in promise if name not in offered]
    for name in promise.keys() & offered.keys():
        before, now = promise[name], offered[name]
        if before["key"] != now["key"]:
            broken.append(f"{name}: its key was {', '.join(before['key'])} and is {', '.join(now['key'])}")
        for column, was in before["columns"].items():
            found = now["columns"].get(column)
            if not found:
                broken.append(f"{name}.{column}: the column is gone")
                continue
            broken += [
                f"{name}.{column}: its {what} was {was[what]} and is {found[what]}"
                for what in was
                if was[what] != found[what]
            ]
    return sorted(broken)
