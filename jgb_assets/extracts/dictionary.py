"""What each dataset is, from dbt's manifest: the one list of columns.

Belongs here: turning a mart's YAML into Arrow schemas and field descriptions. Not here: any column by name.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa

SCHEMA_VERSION = "1"

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


@dataclass(frozen=True)
class Dataset:
    """A mart that is published under its own name."""

    name: str
    title: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @cached_property
    def schema(self) -> pa.Schema:
        """Arrow schema; description, unit and source are each field's metadata."""
        fields = [
            pa.field(
                column.name,
                ARROW_TYPES[column.data_type],
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
    return sorted(map(_dataset, marts), key=lambda dataset: dataset.name)


def _dataset(node: dict) -> Dataset:  # type: ignore[type-arg]  # dbt publishes no types for its manifest
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
    return Dataset(node["name"], meta["title"], node["description"].strip(), tuple(meta["primary_key"]), columns)
