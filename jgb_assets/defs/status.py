"""``publish/v1/status.json``: how old and how late each source is, and which cannot be read.

Belongs here: running ``landing.visits.status_of`` at the end of every run. Not here: what is late.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from jgb_assets.defs.landing import RAW_TABLES
from jgb_assets.defs.preview import preview
from jgb_assets.defs.world import OWNERS, World
from jgb_assets.extracts.store import store_at
from jgb_assets.landing.visits import status_of
from jgb_assets.sources.registry import SOURCES

STATUS = dg.AssetKey(["extracts", "status"])
STATUS_STEP = "status"
FILE = "status.json"
LAST = {"dagster/priority": "-1"}  # of the steps that can run, those of priority 0 are before it


@dg.multi_asset(
    name=STATUS_STEP,
    description="Tell how old and how late each source is. Last, whatever became of dbt and the release.",
    specs=[
        dg.AssetSpec(
            STATUS,
            deps=RAW_TABLES,
            description="What depends on now, and therefore stands beside the releases: by source fresh, due, late or "
            "stale, when it was last checked, when the next is expected, and since when and why it cannot be read.",
            group_name="extracts",
            kinds={"json"},
            owners=OWNERS,
        )
    ],
    op_tags=LAST,
)
def status(context: dg.AssetExecutionContext, world: World) -> Iterator[dg.MaterializeResult[Any]]:
    """Also the run's verdict: it fails if one of its sources did, though it went on with the others.

    Raises:
        dg.Failure: a source of this run could not be read.
    """
    now, visits = world.transport().now(), {name: world.visits().last(name) for name in SOURCES}
    told = {
        name: status_of(source, source.newest(world.tables(source)), visits[name], now)
        for name, source in sorted(SOURCES.items())
    }
    store = store_at(world.settings.publish_location)
    if store.current():  # it stands beside releases
        store.write_json(FILE, told)
    yield dg.MaterializeResult(
        asset_key=STATUS,
        metadata={
            "dagster/row_count": len(told),
            "preview": preview(
                [{"source": name, **fields} for name, fields in told.items()], ["source", *next(iter(told.values()))]
            ),
            "file": dg.MetadataValue.path(store.path(FILE)),
        },
    )
    failed = {
        name: visit.failing
        for name, visit in visits.items()
        if visit and visit.failing and visit.failed_in(context.run.run_id) and not visit.failing.is_waiting
    }
    if failed:
        raise dg.Failure(
            f"{', '.join(failed)} could not be read: what was accepted before still stands",
            metadata={name: failing.why for name, failing in failed.items()},
            allow_retries=False,
        )
