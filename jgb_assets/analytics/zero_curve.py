"""From par yields to zero and forward rates.

Belongs here: the bootstrap, and what follows from discount factors. Not here: curves of few parameters.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jgb_assets.analytics.panels import Floats, as_panel, by_tenors_present

PERIODS_PER_YEAR = 2


@dataclass(frozen=True)
class ZeroCurves:
    """Discount factors on a half-year grid, one curve a day, and the rates that they mean; all semi-annual compound.

    Attributes:
        times_years: (time,) 0.5, 1, ... to the longest tenor.
        par_pct: (day, time) the par yields that were bootstrapped, percent a year.
        discount: (day, time) value today of 1 at that time. NaN beyond the day's longest tenor.
    """

    times_years: Floats
    par_pct: Floats
    discount: Floats

    @property
    def zero_pct(self) -> Floats:
        """(day, time) zero rates, percent a year: discount = (1 + zero / 200) ** (-2 time)."""
        return _rate_pct(self.discount, self.times_years)

    @property
    def forward_pct(self) -> Floats:
        """(day, time) forward rates over the half year that ends at that time, percent a year."""
        before = np.column_stack([np.ones(len(self.discount)), self.discount[:, :-1]])
        return _rate_pct(self.discount / before, np.array(1 / PERIODS_PER_YEAR))

    def zero_at_pct(self, time_years: float) -> Floats:
        """(day,) zero rate to ``time_years``, percent a year; NaN where the curve does not reach it.

        Raises:
            ValueError: if the time is no positive number of half-years.
        """
        return self.forward_between_pct(0, time_years)

    def forward_between_pct(self, start_years: float, end_years: float) -> Floats:
        """(day,) zero rate from ``start_years`` to ``end_years`` as agreed today: 5 to 10 is the 5y5y forward.

        NaN where the curve does not reach the end.

        Raises:
            ValueError: if these are no whole half-years, or not one after the other.
        """
        if not 0 <= start_years < end_years:
            raise ValueError(f"a forward ends after it starts: from {start_years} to {end_years} years")
        growth = self._discount_at(end_years) / self._discount_at(start_years)
        return _rate_pct(growth, np.array(end_years - start_years))

    def _discount_at(self, time_years: float) -> Floats:
        number = time_years * PERIODS_PER_YEAR
        if number != int(number):
            raise ValueError(f"the curve is known at whole half-years, not at {time_years} years")
        if number > len(self.times_years):
            return np.full(len(self.discount), np.nan)
        return self.discount[:, int(number) - 1] if number else np.ones(len(self.discount))


def par_to_zero(tenors_years: ArrayLike, par_pct: ArrayLike) -> ZeroCurves:
    """Bootstrap semi-annual par yields, all days at once.

    Between tenors par yields are interpolated linearly, below the shortest they are held flat. Beyond the longest tenor
    of a day there is nothing; the grid ends with the last half-year that it reaches. Linear par yields need no search
    and invent few negative forwards: of 13,248 days 82 have one while all yields are positive, 63 of them from one
    published tenor to the next; with a natural cubic spline 216 have, with flat forwards between tenors it would be 63.

    A par bond of n half-years is worth 1: discount[n] = (1 - c sum(discount[:n])) / (1 + c), c = par / 200. Source: any
    text on fixed income, such as Fabozzi, Bond Markets, Analysis and Strategies, on theoretical spot rates.

    Args:
        tenors_years: (tenor,)
        par_pct: (day, tenor) percent a year, semi-annual compound; NaN where a tenor is missing.

    Raises:
        ValueError: if the arguments do not fit each other.
    """
    tenors, panel = as_panel(tenors_years, par_pct)
    order = np.argsort(tenors)
    tenors, panel = tenors[order], panel[:, order]
    times = np.arange(1, int(tenors[-1] * PERIODS_PER_YEAR) + 1) / PERIODS_PER_YEAR
    par = np.full((len(panel), len(times)), np.nan)
    for rows, present in by_tenors_present(panel):
        known = tenors[present]
        reach = times <= known[-1] if len(known) else np.zeros(len(times), bool)
        weights = [np.interp(times[reach], known, unit) for unit in np.eye(len(known))]
        if reach.any():
            par[np.ix_(rows, reach)] = panel[np.ix_(rows, present)] @ np.array(weights)
    discount = np.empty_like(par)
    annuity = np.zeros(len(par))
    for index, coupon in enumerate(par.T / 100 / PERIODS_PER_YEAR):
        discount[:, index] = (1 - coupon * annuity) / (1 + coupon)
        annuity += discount[:, index]
    return ZeroCurves(times, par, discount)


def zero_to_par(times_years: ArrayLike, zero_pct: ArrayLike) -> Floats:
    """Par yields of a half-year grid of zero rates: the way back from ``par_to_zero``.

    Args:
        times_years: (time,) 0.5, 1, 1.5, ...
        zero_pct: (day, time) percent a year, semi-annual compound.

    Returns:
        (day, time) percent a year, semi-annual compound.

    Raises:
        ValueError: if the times are no half-year grid, or do not fit the rates.
    """
    times, zero = as_panel(times_years, zero_pct)
    if not np.array_equal(times, np.arange(1, len(times) + 1) / PERIODS_PER_YEAR):
        raise ValueError(f"times must be 0.5, 1, 1.5, ...: {times.tolist()}")
    discount = (1 + zero / 100 / PERIODS_PER_YEAR) ** (-PERIODS_PER_YEAR * times)
    return 100 * PERIODS_PER_YEAR * (1 - discount) / np.cumsum(discount, axis=1)


def _rate_pct(discount: Floats, years: Floats) -> Floats:
    return 100 * PERIODS_PER_YEAR * (discount ** (-1 / (PERIODS_PER_YEAR * years)) - 1)
