"""``publish/v1/status.json``: what depends on now, and therefore stands beside the releases, not in them.

Belongs here: how old and how late each source is. Not here: what a source has delivered (the mart ``source_status``).
"""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

GRACE = timedelta(days=1)  # publishers are late by hours now and then
STALE = timedelta(days=14)  # no publisher has been this late but for a government shutdown


def status_of(source_status: pa.Table, now: datetime) -> dict[str, dict[str, Any]]:
    """By source, from the mart's rows and the run's clock."""
    return {row["source"]: _status(row, now) for row in source_status.to_pylist()}


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
