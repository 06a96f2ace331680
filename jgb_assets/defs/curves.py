"""The mathematics of the curve as assets, between the change log and dbt.

Belongs here: running ``analytics.curve_tables`` on the yields as known. Not here: what is computed.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow.compute as pc

from jgb_assets.analytics.curve_tables import curve_components, fitted_curves
from jgb_assets.defs.ingest import table_key
from jgb_assets.defs.preview import table_metadata
from jgb_assets.defs.world import OWNERS, World
from jgb_assets.files import write_table
from jgb_assets.landing.changelog import log_schema, state
from jgb_assets.sources.registry import SOURCES

SOURCE = SOURCES["mof_jgb_yields"]
(YIELDS,) = SOURCE.tables
TABLES = {"fitted_curves": (fitted_curves, "obs_date"), "curve_components": (curve_components, None)}


def _spec(name: str, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["analytics", name],
        deps=[table_key(SOURCE, YIELDS.name), dg.AssetKey(["landing", "clock"])],
        description=description,
        group_name="analytics",
        kinds={"numpy", "parquet"},
        owners=OWNERS,
    )


@dg.multi_asset(
    name="curves",
    description="Zero and forward rates, fitted curves and principal components of the yields as known.",
    specs=[
        _spec("fitted_curves", "One row a session: zero and forward rates, Diebold-Li factors, Svensson parameters."),
        _spec("curve_components", "Principal components of daily changes by set of tenors and period."),
    ],
)
def curves(world: World) -> Iterator[dg.MaterializeResult[Any]]:
    """From the change log, as known by the clock that dbt goes by."""
    log = world.change_logs(SOURCE.name).read(YIELDS.name, log_schema(YIELDS))
    known = state(log.filter(pc.field("first_seen_at") <= world.clock()), YIELDS)
    for name, (compute, time_column) in TABLES.items():
        table = compute(known)
        path = world.settings.analytics_dir / f"{name}.parquet"
        body = write_table(path, table)
        yield dg.MaterializeResult(
            asset_key=["analytics", name],
            data_version=dg.DataVersion(hashlib.sha256(body).hexdigest()),
            metadata=table_metadata(table, time_column, path),
        )
