"""What the landing tells dbt besides the data: the clock, the registry, the ledger.

Belongs here: the three small tables under ``changelog/``. Not here: a source's own tables.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa

from jgb_assets.defs.ingest import table_key
from jgb_assets.defs.parquet import parquet_spec, written
from jgb_assets.defs.world import World
from jgb_assets.landing.land import LEDGER, stored_logs
from jgb_assets.sources.base import TIMESTAMP
from jgb_assets.sources.registry import SOURCES

CLOCK_SCHEMA = pa.schema(
    [pa.field("now_at", TIMESTAMP, nullable=False), pa.field("includes_unverified", pa.bool_(), nullable=False)]
)
LEDGER_SOURCE = pa.field("source", pa.string(), nullable=False)
REGISTRY_COLUMNS = ("title", "producer", "homepage", "licence", "citation", "cadence", "publication")


RAW_TABLES = [table_key(source, spec.name) for source in SOURCES.values() for spec in source.tables]


@dg.multi_asset(
    name="landing",
    description="Tell dbt what the run knows besides the data.",
    specs=[
        parquet_spec(
            "landing",
            "clock",
            "python",
            "The instant (UTC) as of which the world is built (now, the archive's last, or JGB_AS_OF), and whether "
            "readings of unverified layouts are published (JGB_INCLUDE_UNVERIFIED).",
        ),
        parquet_spec(
            "landing",
            "sources",
            "python",
            "One row a source of the registry, whether or not anything of it has arrived.",
        ),
        parquet_spec(
            "landing",
            "ledger",
            "python",
            "One row a file that arrived with other bytes than before, with the newest observation after it.",
            RAW_TABLES,
        ),
    ],
)
def landing(world: World) -> Iterator[dg.MaterializeResult[Any]]:
    """After everything was fetched, so that the clock is past it.

    A source that never landed gets its empty change logs here, so that its datasets are empty and valid.
    """
    told = {"now_at": [world.transport().now()], "includes_unverified": [world.settings.include_unverified]}
    now = pa.table(told, schema=CLOCK_SCHEMA)
    registry = pa.Table.from_pylist(
        [
            {"source": source.name} | {column: getattr(source, column) for column in REGISTRY_COLUMNS}
            for source in SOURCES.values()
        ]
    )
    ledgers = []
    for source in SOURCES.values():
        rows = stored_logs(source, world.store(), world.change_logs(source.name))[LEDGER]
        ledgers.append(rows.add_column(0, LEDGER_SOURCE, pa.array([source.name] * rows.num_rows, pa.string())))
    for name, table in {"clock": now, "sources": registry, "ledger": pa.concat_tables(ledgers)}.items():
        yield written("landing", world.settings.changelog_dir / f"{name}.parquet", table)
