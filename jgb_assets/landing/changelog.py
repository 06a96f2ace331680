"""What changed between two parses of the same table, and since when each value has stood.

Belongs here: comparing, appending and replaying tables by key. Not here: why a value changed.

A change log is the table's own columns plus ``first_seen_at`` (the retrieval at which this value of this key was first
seen), ``change`` (added, revised, withdrawn; a withdrawn row has null values), ``source_url`` and ``sha256`` of the
snapshot it was seen in, and ``previous_retrieved_at``, when that file had been retrieved before and did not have it.
The table as known at an instant is one filter: the last row of each key seen by then.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jgb_assets.files import write_table
from jgb_assets.sources.base import TIMESTAMP, Snapshot, TableSpec

CHANGE = pa.field("change", pa.string(), nullable=False)
SEEN = [
    pa.field("first_seen_at", TIMESTAMP, nullable=False),
    CHANGE,
    pa.field("source_url", pa.string(), nullable=False),
    pa.field("sha256", pa.string(), nullable=False),
    pa.field("previous_retrieved_at", TIMESTAMP),
]
APPLIED = b"jgb.applied_snapshots"


def log_schema(spec: TableSpec) -> pa.Schema:
    """The columns of a table's change log."""
    return pa.schema([*spec.schema, *SEEN])


def compare(stored: pa.Table, new: pa.Table, spec: TableSpec) -> pa.Table:
    """The rows of ``new`` that ``stored`` lacks or has otherwise, and the rows gone, with ``change``.

    A row that a ``rolling`` file no longer shows still stands, but for those of the newest day that it shows: of that
    day it shows all.

    Raises:
        ValueError: a key stands twice in ``new``, which is a defect of its parser.
    """
    keys = list(spec.key)
    if new.group_by(keys).aggregate([]).num_rows != new.num_rows:
        raise ValueError(f"table {spec.name} holds a key {spec.key} twice")
    columns = [*spec.key, *spec.values]
    joined = _numbered(stored.select(columns), "in_stored").join(
        _numbered(new.select(columns), "in_new"), keys, join_type="full outer", left_suffix="_old", right_suffix="_new"
    )
    differs = pa.scalar(False)
    for value in spec.values:
        old, now = joined[f"{value}_old"], joined[f"{value}_new"]
        one_null = pc.xor(pc.is_null(old), pc.is_null(now))
        differs = pc.or_(differs, pc.or_(one_null, pc.fill_null(pc.not_equal(old, now), False)))
    is_new, is_stored = pc.is_valid(joined["in_new"]), pc.is_valid(joined["in_stored"])

    def rows(table: pa.Table, where: pa.ChunkedArray, index: str, change: str) -> pa.Table:
        taken = table.take(joined.filter(where)[index])
        return taken.append_column(CHANGE, pa.array([change] * taken.num_rows, pa.string()))

    gone = rows(stored, pc.and_(is_stored, pc.invert(is_new)), "in_stored", "withdrawn")
    gone = gone.filter(pc.invert(_stands(gone, new, spec)))
    for value in spec.values:
        position = gone.schema.get_field_index(value)
        gone = gone.set_column(
            position, gone.schema.field(value), pa.nulls(gone.num_rows, gone.schema.field(value).type)
        )
    changes = pa.concat_tables(
        [
            rows(new, pc.and_(is_new, pc.invert(is_stored)), "in_new", "added"),
            rows(new, pc.and_(pc.and_(is_new, is_stored), differs), "in_new", "revised"),
            gone,
        ]
    )
    return changes.sort_by([(key, "ascending") for key in keys])


def _stands(gone: pa.Table, new: pa.Table, spec: TableSpec) -> pa.Array:
    """Which of the rows that are gone a rolling file has merely stopped to show."""
    if not spec.rolling:
        return pa.array([False] * gone.num_rows, pa.bool_())
    stands = pa.array([True] * gone.num_rows, pa.bool_())
    if spec.role_column:
        stands = pc.is_in(gone[spec.role_column], pa.array(sorted(spec.rolling), pa.string()))
    if spec.observation_date and new.num_rows:
        stands = pc.and_(stands, pc.not_equal(gone[spec.observation_date], pc.max(new[spec.observation_date])))
    return stands


def state(log: pa.Table, spec: TableSpec) -> pa.Table:
    """The table that a change log adds up to: the last row of each key, less those withdrawn."""
    numbered = _numbered(log, "at")
    last = numbered.group_by(list(spec.key)).aggregate([("at", "max")])["at_max"]
    rows = log.take(last.sort()) if log.num_rows else log
    return (
        rows.filter(pc.field("change") != "withdrawn")
        .select(spec.schema.names)
        .sort_by([(key, "ascending") for key in spec.key])
    )


def extend(
    log: pa.Table, changes: pa.Table, spec: TableSpec, files: Mapping[str, Snapshot], seen_at: datetime
) -> pa.Table:
    """``log`` with ``changes`` as first seen at ``seen_at`` in ``files`` (by role)."""
    roles = changes[spec.role_column].to_pylist() if spec.role_column else [spec.roles[0]] * changes.num_rows
    seen = [
        pa.array([seen_at] * changes.num_rows, TIMESTAMP),
        changes["change"],
        pa.array([files[role].url for role in roles], pa.string()),
        pa.array([files[role].sha256 for role in roles], pa.string()),
        pa.array([files[role].previous_retrieved_at for role in roles], TIMESTAMP),
    ]
    rows = pa.table([*changes.select(spec.schema.names).columns, *seen], schema=log_schema(spec))
    return pa.concat_tables([log, rows])


class ChangeLogs:
    """The change logs of one source, as Parquet files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        """The file of one table."""
        return self._folder / f"{name}.parquet"

    def read(self, name: str, schema: pa.Schema) -> pa.Table:
        """The stored rows, none if nothing was ever written."""
        path = self.path(name)
        return pq.read_table(path, schema=schema) if path.is_file() else schema.empty_table()

    def write(self, name: str, table: pa.Table, applied: str) -> None:
        """Replace one table's file as a whole, saying which snapshots it adds up."""
        write_table(self.path(name), table.replace_schema_metadata({APPLIED: applied.encode()}))

    def applied(self, name: str, schema: pa.Schema) -> str | None:
        """Which snapshots the stored file adds up, None if there is no file, it is damaged or has other columns."""
        path = self.path(name)
        try:
            stored = pq.read_schema(path) if path.is_file() else None
        except pa.ArrowInvalid:
            return None
        if stored is None or not stored.equals(schema):
            return None
        return (stored.metadata or {}).get(APPLIED, b"").decode() or None


def _numbered(table: pa.Table, name: str) -> pa.Table:
    return table.append_column(name, pa.array(np.arange(table.num_rows)))
