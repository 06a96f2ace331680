"""Panels of yields: one row a day, one column a tenor, NaN where a tenor is missing.

Belongs here: what every reader of a panel needs. Not here: any curve.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def as_panel(tenors_years: ArrayLike, values: ArrayLike) -> tuple[Floats, Floats]:
    """Tenors and panel as arrays that fit each other.

    Args:
        tenors_years: (tenor,) positive, each once, in any order.
        values: (day, tenor), or (tenor,) for a single day; NaN where missing.

    Raises:
        ValueError: naming what does not fit.
    """
    tenors = np.asarray(tenors_years, float)
    panel = np.atleast_2d(np.asarray(values, float))
    if tenors.ndim != 1 or panel.ndim != 2 or panel.shape[1] != len(tenors):
        raise ValueError(f"{np.shape(values)} values do not fit {np.shape(tenors_years)} tenors: expected (day, tenor)")
    if not len(tenors):
        raise ValueError("there is no tenor")
    if not (np.isfinite(tenors) & (tenors > 0)).all() or len(np.unique(tenors)) < len(tenors):
        raise ValueError(f"tenors must be positive years, each once: {tenors.tolist()}")
    if np.isinf(panel).any():
        row, column = np.argwhere(np.isinf(panel))[0]
        raise ValueError(f"the value of day {row} at {tenors[column]:g} years is infinite; a missing one is NaN")
    return tenors, panel


def by_tenors_present(panel: Floats) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Days that have the same tenors: their rows (day,) and the tenors that they have (tenor,) as booleans."""
    present = ~np.isnan(panel)
    # A pattern as a number, or as several of 62 bits.
    parts = np.split(present, range(62, present.shape[1], 62), axis=1)
    codes = [part @ (1 << np.arange(part.shape[1], dtype=np.int64)) for part in parts]
    order = np.lexsort(codes)
    is_other = np.any([np.diff(code[order]) != 0 for code in codes], axis=0)
    for rows in np.split(order, np.flatnonzero(is_other) + 1):
        if len(rows):
            yield rows, present[rows[0]]
