"""What an asset shows after a run: rows, newest observation, a few rows, where the file is.

Belongs here: metadata common to all assets. Not here: what is special to one.
"""

from base64 import b64encode
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

PREVIEW_ROWS = 10


def table_metadata(table: pa.Table, time_column: str | None, path: Path | str) -> dict[str, Any]:
    """Rows, newest observation, the last rows by ``time_column``, and the file."""
    newest = table.sort_by([(time_column, "descending")]) if time_column else table
    return {
        "dagster/row_count": table.num_rows,
        **({"newest_observation": str(pc.max(table[time_column]).as_py())} if time_column else {}),
        "preview": preview(newest.slice(0, PREVIEW_ROWS).to_pylist(), table.schema.names),
        "file": dg.MetadataValue.path(path),
    }


def preview(rows: list[dict[str, Any]], names: list[str]) -> dg.TableMetadataValue:
    """Rows as the UI shows them: dates and instants as text, nulls empty."""
    records = [dg.TableRecord({name: _shown(row[name]) for name in names}) for row in rows]
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn(name) for name in names]))


def picture(png: bytes, alt: str) -> dg.MarkdownMetadataValue:
    """A picture as the UI shows it: in the event itself, so that it stays what it was."""
    return dg.MetadataValue.md(f"![{alt}](data:image/png;base64,{b64encode(png).decode()})")


def _shown(value: object) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
