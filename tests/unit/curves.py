"""Every published yield of the packaged history, and the curves fitted to them: each worked out once."""

from functools import cache

import bench
import numpy as np

from jgb_assets.analytics import FittedCurves, ZeroCurves, fit_diebold_li, fit_svensson, par_to_zero

TENORS_YEARS = bench.TENORS_YEARS
ALL_TENORS_SINCE = np.datetime64("2007-11-06")


@cache
def history() -> tuple[np.ndarray, np.ndarray]:
    """Days (day,) and yields (day, tenor) in percent, NaN where none was published."""
    found = bench.history()
    for array in found:
        array.flags.writeable = False
    return found


def dates() -> np.ndarray:
    return history()[0]


def panel() -> np.ndarray:
    return history()[1]


def day(text: str) -> int:
    """The row of a session."""
    (row,) = np.flatnonzero(dates() == np.datetime64(text))
    return int(row)


@cache
def zeros() -> ZeroCurves:
    return par_to_zero(TENORS_YEARS, panel())


@cache
def svensson() -> FittedCurves:
    return fit_svensson(TENORS_YEARS, panel())


@cache
def free_decay() -> FittedCurves:
    return fit_diebold_li(TENORS_YEARS, panel(), None)
