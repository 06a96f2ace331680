"""The mathematics of the curve as assets, between the change log and dbt.

Belongs here: running ``analytics.curve_tables`` on the yields as known. Not here: what is computed.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow.compute as pc

from jgb_assets.analytics.curve_tables import curve_components, fitted_curves
from jgb_assets.defs.ingest import table_key
from jgb_assets.defs.parquet import parquet_spec, written
from jgb_assets.defs.world import World
from jgb_assets.landing.changelog import log_schema, state
from jgb_assets.sources.registry import SOURCES

SOURCE = SOURCES["mof_jgb_yields"]
(YIELDS,) = SOURCE.tables
DEPS = [table_key(SOURCE, YIELDS.name), dg.AssetKey(["landing", "clock"])]
TABLES = {"fitted_curves": (fitted_curves, "obs_date"), "curve_components": (curve_components, None)}


@dg.multi_asset(
    name="curves",
    description="Zero and forward rates, fitted curves and principal components of the yields as known.",
    specs=[
        parquet_spec("analytics", name, "numpy", description, DEPS)
        for name, description in {
            "fitted_curves": "One row a session: zero and forward rates, Diebold-Li factors, Svensson parameters.",
            "curve_components": "Principal components of daily changes by set of tenors and period.",
        }.items()
    ],
)
def curves(world: World) -> Iterator[dg.MaterializeResult[Any]]:
    """From the change log, as known by the clock that dbt goes by."""
    log = world.change_logs(SOURCE.name).read(YIELDS.name, log_schema(YIELDS))
    known = state(log.filter(pc.field("first_seen_at") <= world.clock()), YIELDS)
    for name, (compute, time_column) in TABLES.items():
        path = world.settings.analytics_dir / f"{name}.parquet"
        yield written("analytics", path, compute(known), time_column)
