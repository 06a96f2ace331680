"""What a release must be before readers get it: as its contract says, and plausible beside the last one.

Belongs here: judging written files. Not here: what changed (``diff``), or single figures (dbt's tests).

What breaks the contract can never pass. What is implausible passes when a person has looked at it and gives the
content's hash in ``JGB_ACCEPT_SHA256``: a publisher may withdraw a series, and we may mend a formula.
"""

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from jgb_assets.extracts.dictionary import Dataset
from jgb_assets.extracts.diff import DatasetChanges

# Publishers revise figures and hardly ever withdraw them; a file that lost a block loses more than this. The most that
# was ever withdrawn is 2.3 % of the holdings, when table 3 took over from table 5 without El Salvador (June 2026).
SHRINK_SHARE, SHRINK_ROWS = 0.03, 5
# Rows that were there keep their size: revisions are a few per cent, a slip of units is a factor of ten or more.
MAGNITUDE_FACTOR, MAGNITUDE_PAIRS = 1.5, 30
# A new value may be a record. In no column did one of the values after the first 1,000 go beyond 3.1 times the record
# before it (a Svensson beta of 1979); of published figures 1.6 is the most (a flow of March 2020).
RECORD_FACTOR, RECORD_VALUES = 4, 1000
# How the unit of a column begins whose rows have several units ("see measure"): it has no magnitude of its own.
NO_MAGNITUDE = "see "


def contract_problems(dataset: Dataset, schema: pa.Schema, table: pa.Table, rows: int) -> list[str]:
    """What a table read back lacks of its contract: schema with all that it says, rows, key."""
    keys = table.select(list(dataset.key))
    problems = {
        "its schema is not the dictionary's": not table.schema.equals(schema, check_metadata=True),
        f"it has {table.num_rows} rows, not {rows}": table.num_rows != rows,
        f"its key {dataset.key} has nulls": any(column.null_count for column in keys.columns),
        f"its key {dataset.key} is not unique": keys.group_by(list(dataset.key)).aggregate([]).num_rows != len(keys),
    }
    for column in dataset.columns:
        if column.data_type == "double":
            finite = pc.all(pc.is_finite(table[column.name]), min_count=0).as_py()
            problems[f"{column.name} holds a value that is no number"] = not finite
    return [f"{dataset.name}: {problem}" for problem, is_so in problems.items() if is_so]


def plausibility_problems(changes: DatasetChanges, before: pa.Table, after: pa.Table) -> list[str]:
    """Where a table has lost coverage, or values are of another magnitude, against its last release."""
    dataset = changes.dataset
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("old_rows", before)
        connection.register("new_rows", after)
        connection.register("added_keys", changes.added)
        found = [*_coverage(connection, changes, before), *_magnitude(connection, dataset, before)]
    return [f"{dataset.name}{problem}" for problem in found]


def _lost(before: int, gone: int) -> bool:
    return gone > max(SHRINK_ROWS, SHRINK_SHARE * before)


def _coverage(connection: duckdb.DuckDBPyConnection, changes: DatasetChanges, before: pa.Table) -> Iterator[str]:
    dataset, rows = changes.dataset, changes.rows_before
    if _lost(rows, changes.withdrawn.num_rows):
        yield f": {changes.withdrawn.num_rows:,} of {rows:,} rows are gone"
    key = ", ".join(f'"{name}"' for name in dataset.key)
    for column in (column for column in dataset.columns if column.name in before.schema.names):
        name = f'"{column.name}"'
        if column.name not in dataset.key:
            values, gone = _one(
                connection,
                f"select count(old_rows.{name}), count(old_rows.{name}) filter (new_rows.{name} is null) "
                f"from old_rows join new_rows using ({key})",
            )
            if _lost(values, gone):
                yield f".{column.name}: {gone:,} of {values:,} values are gone"
        elif column.data_type in ("date", "timestamp with time zone"):
            ends = f"select min({name})::varchar, max({name})::varchar from "
            old, new = _one(connection, ends + "old_rows"), _one(connection, ends + "new_rows")
            if rows and (None in new or old[0] < new[0] or old[1] > new[1]):
                yield f".{column.name}: it reached from {old[0]} to {old[1]} and now from {new[0]} to {new[1]}"
        elif column.name not in dataset.may_leave and (
            missing := connection.sql(
                f"select distinct {name}::varchar from old_rows anti join new_rows using ({name}) order by 1"
            ).fetchall()
        ):
            yield f".{column.name}: no row has {', '.join(value for (value,) in missing)} any more"


def _magnitude(connection: duckdb.DuckDBPyConnection, dataset: Dataset, before: pa.Table) -> Iterator[str]:
    key = ", ".join(f'"{name}"' for name in dataset.key)
    for column in dataset.columns:
        if column.data_type != "double" or column.name not in before.schema.names or column.name in dataset.key:
            continue
        if column.unit.startswith(NO_MAGNITUDE):
            continue
        name = f'"{column.name}"'
        pairs, was, now = _one(
            connection,
            f"select count(*), avg(abs(old_rows.{name})), avg(abs(new_rows.{name})) "
            f"from old_rows join new_rows using ({key}) "
            f"where old_rows.{name} is not null and new_rows.{name} is not null",
        )
        if pairs >= MAGNITUDE_PAIRS and not was / MAGNITUDE_FACTOR <= now <= was * MAGNITUDE_FACTOR:
            yield f".{column.name}: its mean size over {pairs:,} rows was {was:.6g} and is {now:.6g}"
        values, largest = _one(connection, f"select count({name}), max(abs({name})) from old_rows")
        (added,) = _one(connection, f"select max(abs({name})) from new_rows semi join added_keys using ({key})")
        if values >= RECORD_VALUES and added is not None and added > RECORD_FACTOR * largest:
            yield f".{column.name}: a new value of size {added:.6g}, the largest so far is {largest:.6g}"


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    (row,) = connection.sql(sql).fetchall()
    return row
