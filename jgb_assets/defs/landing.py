"""What the landing tells dbt besides the data: the clock, the registry, the ledger.

Belongs here: the three small tables under ``changelog/``. Not here: a source's own tables.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from jgb_assets.defs.ingest import table_key
from jgb_assets.defs.parquet import parquet_spec, written
from jgb_assets.defs.world import World
from jgb_assets.extracts.store import store_at
from jgb_assets.landing.land import LEDGER, LEDGER_SCHEMA, stored_logs
from jgb_assets.settings import Settings
from jgb_assets.sources.base import TIMESTAMP
from jgb_assets.sources.registry import SOURCES

CLOCK_SCHEMA = pa.schema(
    [pa.field("now_at", TIMESTAMP, nullable=False), pa.field("includes_unverified", pa.bool_(), nullable=False)]
)
LEDGER_SOURCE = pa.field("source", pa.string(), nullable=False)
REGISTRY_COLUMNS = ("title", "producer", "homepage", "licence", "citation", "cadence", "publication")


POLL = "jgb/poll"  # the tag of runs that a schedule starts

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
            skippable=True,
        ),
        parquet_spec(
            "landing",
            "sources",
            "python",
            "One row a source of the registry, whether or not anything of it has arrived.",
            skippable=True,
        ),
        parquet_spec(
            "landing",
            "ledger",
            "python",
            "One row a file that arrived with other bytes than before, with the newest observation after it.",
            RAW_TABLES,
            skippable=True,
        ),
    ],
)
def landing(context: dg.AssetExecutionContext, world: World) -> Iterator[dg.MaterializeResult[Any]]:
    """After everything was fetched, so that the clock is past it.

    A source that never landed gets its empty change logs here, so that its datasets are empty and valid. A poll that
    brought nothing new ends here, and so does a run of which a source failed: without these tables nothing that needs
    them is run.
    """
    told = {"now_at": [world.transport().now()], "includes_unverified": [world.settings.include_unverified]}
    now = pa.table(told, schema=CLOCK_SCHEMA)
    registry = pa.Table.from_pylist(
        [
            {"source": source.name} | {column: getattr(source, column) for column in REGISTRY_COLUMNS}
            for source in SOURCES.values()
        ]
    )
    ledger = _in_one(
        {
            source.name: stored_logs(source, world.store(), world.change_logs(source.name))[LEDGER]
            for source in SOURCES.values()
        }
    )
    is_poll = POLL in context.run.tags
    failed = [name for name in SOURCES if (visit := world.visits().last(name)) and visit.failed_in(context.run.run_id)]
    if is_poll or failed:
        has_release = store_at(world.settings.publish_location).current() is not None
        is_live = world.settings.transport == "live"  # an archive may lack a source for good
        if is_poll and is_live and not has_release and (missing := never_landed(world)):
            context.log.info(f"the first release waits for {', '.join(missing)}")
            return
        if has_release and is_released(world.settings, ledger):
            context.log.info("nothing new: all that arrived is in the release that readers have")
            return
    for name, table in {"clock": now, "sources": registry, "ledger": ledger}.items():
        yield written("landing", world.settings.changelog_dir / f"{name}.parquet", table)


def landed_ledger(world: World) -> pa.Table:
    """What has landed, as the change logs on disk tell."""
    return _in_one({name: world.change_logs(name).read(LEDGER, LEDGER_SCHEMA) for name in SOURCES})


def _in_one(ledgers: Mapping[str, pa.Table]) -> pa.Table:
    return pa.concat_tables(
        rows.add_column(0, LEDGER_SOURCE, pa.array([source] * rows.num_rows, pa.string()))
        for source, rows in ledgers.items()
    )


def never_landed(world: World) -> list[str]:
    """The sources of which nothing was ever accepted."""
    return [name for name in SOURCES if not world.store().records(name)]


def inputs_of(settings: Settings) -> str:
    """Names the files that the stored world is made of, how they are read, and where they are published."""
    parts = [(settings.changelog_dir / f"{name}.parquet").read_bytes() for name in ("sources", "ledger")]
    parts.append(f"{settings.include_unverified} {settings.publish_uri}".encode())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def is_released(settings: Settings, ledger: pa.Table) -> bool:
    """Whether a release was made of just these files."""
    mark, stored = settings.published_inputs_path, settings.changelog_dir / "ledger.parquet"
    if not (mark.is_file() and stored.is_file()):
        return False
    return pq.read_table(stored).equals(ledger) and mark.read_text() == inputs_of(settings)
