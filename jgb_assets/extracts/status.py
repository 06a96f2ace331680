"""``publish/v1/status.json``: what depends on now, and therefore stands beside the releases, not in them.

Belongs here: how old and how late each source is. Not here: what a source has delivered (the mart ``source_status``).
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from jgb_assets.extracts.release import VERSION_FOLDER, write_if_changed

GRACE = timedelta(days=1)  # publishers are late by hours now and then
STALE = timedelta(days=14)  # no publisher has been this late but for a government shutdown


def write_status(source_status: pa.Table, now: datetime, publish_dir: Path) -> dict[str, dict[str, Any]]:
    """Rewrite the file from the mart's rows and the run's clock."""
    status = {row["source"]: _status(row, now) for row in source_status.to_pylist()}
    write_if_changed(publish_dir / VERSION_FOLDER / "status.json", status)
    return status


def _status(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    newest, expected = row["newest_observation_date"], row["next_expected_at"]
    late = now - expected if expected else None
    if late is None:
        word = "never retrieved"
    elif late < timedelta(0):
        word = "fresh"
    else:
        word = "due" if late < GRACE else "late" if late < STALE else "stale"
    return {
        "status": word,
        "age_days": (now.date() - newest).days if newest else None,
        "last_checked_at": now,
        "newest_observation_date": newest,
        "next_expected_at": expected,
    }
