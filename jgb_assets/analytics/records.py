"""How extreme a value is in its own past: since when it was last as extreme, and its rank.

Belongs here: the search through a series' past. Not here: which series, and which direction is extreme.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa

RANK_BLOCK = 256


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


def ranks_so_far(values: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rank of each value among itself and the earlier ones of its series, and how many these are.

    A series is taken in blocks: the sorted past says how many of it are larger, the block's own earlier values are
    compared one by one.

    Args:
        values: (n,) finite numbers in any one unit, series after series, each oldest first.
        starts: (n,) True at the first value of each series.

    Returns:
        (n,) ranks, 1 the largest, equal values sharing the better one, and (n,) counts.
    """
    ranks = np.empty(len(values), np.int64)
    counts = np.empty(len(values), np.int64)
    for first, end in pairwise([*np.flatnonzero(starts), len(values)]):
        past = np.empty(0)
        for start in range(first, end, RANK_BLOCK):
            block = values[start : min(start + RANK_BLOCK, end)]
            larger_past = len(past) - np.searchsorted(past, block, side="right")
            larger_in_block = np.tril(block > block[:, None], -1).sum(axis=1)
            ranks[start : start + len(block)] = 1 + larger_past + larger_in_block
            past = np.sort(np.concatenate([past, block]), kind="stable")
        counts[first:end] = np.arange(1, end - first + 1)
    return ranks, counts


def records_by_series(relation: duckdb.DuckDBPyRelation, candidates: Sequence[str]) -> pa.Table:
    """Ask of each value how extreme it is in its series so far.

    Args:
        relation: rows that hold the values.
        candidates: projections of ``relation`` to kind, series, at_date and extreme, larger being more extreme; rows
            without a value take no part.

    Returns:
        The projected rows with ``since_date``, the latest earlier ``at_date`` of the same kind and series with an
        ``extreme`` at least as large (null: there never was one), ``extreme_rank`` among itself and the earlier ones
        (1 is the largest, equal ones share) and ``values_so_far``, how many these are.
    """
    rows = reduce(duckdb.DuckDBPyRelation.union, map(relation.project, candidates))
    table = rows.filter("extreme is not null").order("kind, series, at_date").to_arrow_table()
    kind, series = (table[name].combine_chunks().dictionary_encode().indices.to_numpy() for name in ("kind", "series"))
    starts = (np.diff(kind, prepend=-1) != 0) | (np.diff(series, prepend=-1) != 0)
    found = latest_earlier_at_least(table["extreme"].to_numpy(), starts)
    since = table["at_date"].combine_chunks().take(pa.array(found, mask=found < 0))
    ranks, counts = ranks_so_far(table["extreme"].to_numpy(), starts)
    answers = {
        "since_date": since,
        "extreme_rank": pa.array(ranks, pa.int32()),
        "values_so_far": pa.array(counts, pa.int32()),
    }
    for name, answer in answers.items():
        table = table.append_column(name, answer)
    return table
