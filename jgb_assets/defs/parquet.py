"""Assets that are one Parquet file for dbt to read: how they are declared, written and shown.

Belongs here: what landing's and the analytics' tables have in common. Not here: what is in them.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from jgb_assets.defs.preview import table_metadata
from jgb_assets.defs.world import OWNERS
from jgb_assets.files import write_table


def parquet_spec(
    group: str, name: str, kind: str, description: str, deps: Iterable[dg.AssetKey] = (), *, skippable: bool = False
) -> dg.AssetSpec:
    """The asset ``group``/``name``; dbt derives the same key from its source."""
    return dg.AssetSpec(
        [group, name],
        deps=list(deps),
        description=description,
        group_name=group,
        kinds={kind, "parquet"},
        owners=OWNERS,
        skippable=skippable,
    )


def written(group: str, path: Path, table: pa.Table, time_column: str | None = None) -> dg.MaterializeResult[Any]:
    """Write the asset that is named as its file; the same table is the same data version."""
    body = write_table(path, table)
    return dg.MaterializeResult(
        asset_key=[group, path.stem],
        data_version=dg.DataVersion(hashlib.sha256(body).hexdigest()),
        metadata=table_metadata(table, time_column, path),
    )
