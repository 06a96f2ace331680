"""Jobs: what to start from the UI, the command line or a schedule.

Belongs here: selections of assets under the names that people use. Not here: schedules and sensors.

Each refresh runs one source, or all, and then dbt and the extracts as a whole: a release is always a complete set, and
what did not change keeps its bytes.
"""

import dagster as dg

from jgb_assets.sources.registry import SOURCES

NAMES = {
    "refresh_jgb_yields": ("mof_jgb_yields",),
    "refresh_auctions": ("mof_jgb_auctions", "mof_auction_pages"),
    "refresh_tic": ("treasury_tic",),
    "refresh_ust_yields": ("treasury_par_yields",),
    "refresh_flows": ("mof_securities_flows",),
}
DOWNSTREAM = dg.AssetSelection.groups("landing", "analytics", "seeds", "staging", "intermediate", "marts", "extracts")


@dg.definitions
def refreshes() -> dg.Definitions:
    """One job a source, and one for all."""
    everything = dg.define_asset_job(
        "refresh_all", dg.AssetSelection.all(), description="Every source, every table, and the release."
    )
    jobs = [
        dg.define_asset_job(
            job,
            dg.AssetSelection.groups(*names) | DOWNSTREAM,
            description=f"{' and '.join(SOURCES[name].title for name in names)}: files and raw tables, then every "
            "table and the release.",
        )
        for job, names in NAMES.items()
    ]
    return dg.Definitions(jobs=[everything, *jobs])
