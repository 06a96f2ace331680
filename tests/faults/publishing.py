"""Tiny datasets that can be published in milliseconds, and what a reader holds a release to.

A generation is what the pipeline would hold after one more day: its number stands in every row of every dataset, so that
a mix of two releases shows, and its newest retrieval is a day later than the one before.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from jgb_assets.extracts.dictionary import Column, Dataset
from jgb_assets.extracts.release import Release, publish
from jgb_assets.extracts.store import Store

FIRST_INSTANT = datetime(2026, 1, 5, 0, 35, tzinfo=UTC)
FIRST_DAY = date(2025, 12, 1)
SOURCE = "toy_yields"

OFFICE = "Toy Office's file"


def column(name: str, data_type: str, unit: str, source: str = OFFICE, *, nullable: bool = False) -> Column:
    return Column(name, data_type, f"The {name.replace('_', ' ')} of toys.", unit, source, nullable)


GENERATION = column("generation", "integer", "count")
YIELDS = Dataset(
    "toy_yields",
    "Yields of toys",
    "What the Toy Office says each day.",
    ("obs_date", "tenor_years"),
    (
        column("obs_date", "date", "date"),
        column("tenor_years", "smallint", "years"),
        column("yield_pct", "double", "percent"),
        GENERATION,
        column("published_at", "timestamp with time zone", "instant", "publisher's calendar"),
    ),
    (SOURCE,),
    known_at="published_at",
    is_first_hand=True,
)
SHAPE = Dataset(
    "toy_shape",
    "Slopes of toys",
    "Computed from the yields of toys.",
    ("obs_date",),
    (
        column("obs_date", "date", "date"),
        column("slope_bp", "double", "bp", "computed: 3 years less 1 year", nullable=True),
        column("is_steep", "boolean", "flag", "computed: slope above 15 bp"),
        column("generation", "integer", "count", "computed: as in the yields"),
    ),
    (SOURCE,),
)
DATASETS = [SHAPE, YIELDS]
NAMES = [dataset.name for dataset in DATASETS]
FILES = {*(f"{name}.parquet" for name in NAMES), "changes.json", "CHANGES.md", "SHA256SUMS", "datapackage.json"}


def instant(generation: int) -> datetime:
    """The newest retrieval that went into a generation."""
    return FIRST_INSTANT + timedelta(days=generation)


def rows(generation: int) -> dict[str, list[dict[str, object]]]:
    """Each dataset's rows: a day more than the generation before had, and the same values with another generation."""
    days = [FIRST_DAY + timedelta(days=number) for number in range(10 + generation)]
    return {
        "toy_yields": [
            {
                "obs_date": day,
                "tenor_years": tenor,
                "yield_pct": 1 + tenor / 10 + number / 1000,
                "generation": generation,
                "published_at": datetime(day.year, day.month, day.day, 9, 35, tzinfo=UTC),
            }
            for number, day in enumerate(days)
            for tenor in (1, 2, 3)
        ],
        "toy_shape": [
            {"obs_date": day, "slope_bp": 20.0 if number else None, "is_steep": bool(number), "generation": generation}
            for number, day in enumerate(days)
        ],
    }


def sources() -> pa.Table:
    """Whose data went in."""
    return pa.table(
        {
            "source": [SOURCE],
            "title": ["Toys"],
            "homepage": ["https://toys.example/"],
            "licence": ["Toy Licence 1.0"],
            "citation": ["Source: Toy Office"],
        }
    )


def ledger(generation: int) -> pa.Table:
    """The files that went in: one a day."""
    numbers = range(generation + 1)
    return pa.table(
        {
            "source": [SOURCE for _ in numbers],
            "role": ["yields" for _ in numbers],
            "url": ["https://toys.example/data/yields.csv" for _ in numbers],
            "retrieved_at": pa.array([instant(number) for number in numbers], pa.timestamp("us", tz="UTC")),
            "snapshot_sha256": [hashlib.sha256(str(number).encode()).hexdigest() for number in numbers],
        }
    )


@contextmanager
def warehouse(generation: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts of a generation."""
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        of = rows(generation)
        for dataset in DATASETS:
            connection.register("shaped", pa.Table.from_pylist(of[dataset.name], schema=dataset.schema))
            connection.table("shaped").order("generation, random()").create(dataset.name)
            connection.unregister("shaped")
        yield connection


def publish_from(connection: duckdb.DuckDBPyConnection, store: Store, generation: int) -> Release:
    """Publish what ``warehouse`` made of a generation."""
    return publish(connection, DATASETS, sources(), ledger(generation), instant(generation), store)


def publish_generation(store: Store, generation: int) -> Release:
    """Make a generation and publish it."""
    with warehouse(generation) as connection:
        return publish_from(connection, store, generation)


def generation_in(tables: list[pa.Table]) -> int:
    """The one generation whose rows these are."""
    found = {number for table in tables for number in table["generation"].unique().to_pylist()}
    assert len(found) == 1, f"rows of the generations {sorted(found)} in one release"
    return int(found.pop())


def generation_of_whole(folder: Path) -> int:
    """The generation of a release, when every file of it is there, as hashed, and readable."""
    assert {path.name for path in folder.iterdir()} == FILES, f"{folder} holds {sorted(folder.iterdir())}"
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    hashes = {name: sha256 for sha256, name in (line.split("  ", 1) for line in lines)}
    assert list(hashes) == sorted(FILES - {"SHA256SUMS"})
    for name, sha256 in hashes.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256, folder / name
    descriptor = json.loads((folder / "datapackage.json").read_text())
    assert descriptor["id"] == folder.name
    assert {resource["path"] for resource in descriptor["resources"]} == {f"{name}.parquet" for name in NAMES}
    assert json.loads((folder / "changes.json").read_text())["release_id"] == folder.name
    generation = generation_in([pq.ParquetFile(folder / f"{name}.parquet").read() for name in NAMES])
    assert folder.name.startswith(f"{instant(generation):%Y%m%dT%H%M%SZ}-")
    return generation
