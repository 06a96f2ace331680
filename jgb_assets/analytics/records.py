"""Since when a value was last as extreme.

Belongs here: the search through a series' past. Not here: which series, and which direction is extreme.
"""

from collections.abc import Sequence
from functools import reduce

import duckdb
import numpy as np
import pyarrow as pa


def latest_earlier_at_least(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """For each value the index of the latest earlier one of its series that is at least as large, -1 if none is.

    All series at once: windows of 1, 2, 4, ... values know their maximum, and each value steps back over the widest
    windows whose maximum it exceeds.

    Args:
        values: (n,) finite numbers in any one unit, series after series, each oldest first.
        starts: (n,) True at the first value of each series.

    Returns:
        (n,) int64 indices.
    """
    # A wall before each series is higher than anything, so that no search leaves its series.
    walls = np.cumsum(starts)
    at = np.arange(len(values)) + walls
    levels = [np.full(len(values) + starts.sum(), np.inf)]
    levels[0][at] = values
    for width in 2 ** np.arange(len(values).bit_length()):
        wider = np.full_like(levels[-1], np.inf)
        np.maximum(levels[-1][width:], levels[-1][:-width], out=wider[width:])
        if not np.isfinite(wider).any():
            break
        levels.append(wider)
    found = at - 1
    for level in reversed(range(len(levels))):
        found = np.where(levels[level][found] < values, found - 2**level, found)
    is_wall = np.isinf(levels[0][found])
    return np.where(is_wall, -1, found - np.cumsum(np.isinf(levels[0]))[found])


def records_by_series(relation: duckdb.DuckDBPyRelation, candidates: Sequence[str]) -> pa.Table:
    """Ask of each value since when it was last so extreme.

    Args:
        relation: rows that hold the values.
        candidates: projections of ``relation`` to kind, series, at_date and extreme, larger being more extreme; rows
            without a value take no part.

    Returns:
        The projected rows with ``since_date``, the latest earlier ``at_date`` of the same kind and series with an
        ``extreme`` at least as large; null means that there never was one.
    """
    rows = reduce(duckdb.DuckDBPyRelation.union, map(relation.project, candidates))
    table = rows.filter("extreme is not null").order("kind, series, at_date").to_arrow_table()
    kind, series = (table[name].combine_chunks().dictionary_encode().indices.to_numpy() for name in ("kind", "series"))
    starts = (np.diff(kind, prepend=-1) != 0) | (np.diff(series, prepend=-1) != 0)
    found = latest_earlier_at_least(table["extreme"].to_numpy(), starts)
    since = table["at_date"].combine_chunks().take(pa.array(found, mask=found < 0))
    return table.append_column("since_date", since)
