"""Curves of few parameters: Diebold-Li and Svensson, fitted to every day at once.

Belongs here: the two curves, and what keeps a fit from parameters that the yields do not support. Not here: which
yields are fitted, and how decays are searched.

The equation, at maturity m in years, yield and betas in percent a year:

    y(m) = b0 + b1 s(m/tau1) + b2 h(m/tau1) + b3 h(m/tau2),   s(x) = (1 - exp(-x)) / x,   h(x) = s(x) - exp(-x)

Nelson and Siegel (1987) without b3, as Diebold and Li (2006) read it: b0 is the level, b1 the slope (short less long:
negative where the curve rises), b2 the curvature, 1 / tau1 their decay. Svensson (1994) adds the second hump.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from jgb_assets.analytics.decay_search import (
    BLOCK_DAYS,
    LARGEST_TAU_YEARS,
    LEAST_NOISE_PCT,
    LEAST_TAU_RATIO,
    LEAST_TAU_YEARS,
    NO_PRIOR,
    PRIOR_PCT,
    Days,
    Fitted,
    Grid,
    loadings,
    refined,
    ridge_of,
)
from jgb_assets.analytics.panels import Floats, as_panel, by_tenors_present

# Diebold and Li's 0.0609 a month: the curvature loading peaks at 29 to 30 months.
DIEBOLD_LI_DECAY_PER_YEAR = 0.7308


@dataclass(frozen=True)
class Search:
    """Which days start from where.

    Attributes:
        below_bp: days whose misfit is below this.
        taus: (tau,) years, whose pairs are tried.
        most: from how many of a day's local optima among these it starts.
        rounds: of steps, before they are compared.
    """

    below_bp: float
    taus: Floats
    most: int
    rounds: int


# A day that is nearly a Svensson curve is one but for a neighbouring optimum, and is searched more closely.
# On the rest finer grids and more starts than these found better optima on 8 days in 10,000.
SEARCHES = (
    Search(np.inf, np.geomspace(0.25, 40, 24), most=5, rounds=1),
    Search(1.0, np.geomspace(0.2, 50, 40), most=4, rounds=4),
    Search(0.2, np.geomspace(LEAST_TAU_YEARS, LARGEST_TAU_YEARS, 73), most=12, rounds=4),
)
# So many at a time, which bounds the memory that the finest grid takes.
CLOSER_DAYS = 1000
# The expectation of betas where four factors must be kept from fitting worse than three: up to ninetyfold.
WIDER_PRIORS_PCT = PRIOR_PCT * 2 ** (np.arange(1, 14) / 2)
WIDE_GRID = np.geomspace(LEAST_TAU_YEARS, LARGEST_TAU_YEARS, 20)
DENSE_GRID = np.geomspace(LEAST_TAU_YEARS, LARGEST_TAU_YEARS, 100)
# Of a singular value's square: what numpy's least squares, too, takes for rounding.
NO_RIDGE = 1e-28
# numpy lets go of the interpreter, so that two threads share the days; more would wait for each other.
WORKERS = 2


@dataclass(frozen=True)
class FittedCurves:
    """Curves, one a day; NaN where a day has too few tenors.

    Attributes:
        factors: (day, 3) level, slope, curvature, or (day, 4) with the second hump: percent a year.
        taus_years: (day, 1) or (day, 2), ascending: a hump peaks at 1.793 tau.
        rmse_bp: (day,) root mean square misfit over the day's tenors.
    """

    factors: Floats
    taus_years: Floats
    rmse_bp: Floats

    @classmethod
    def nothing(cls, days: int, humps: int) -> "FittedCurves":
        """No curve on any day."""
        return cls(*(np.full((days, *shape), np.nan) for shape in ((2 + humps,), (humps,), ())))

    @classmethod
    def of(cls, fitted: Fitted, days: Days, count: int) -> "FittedCurves":
        """The days of a panel of ``count`` days that could be fitted."""
        curves = cls.nothing(count, len(fitted.log_taus))
        curves.factors[days.rows] = fitted.betas.T
        curves.taus_years[days.rows] = np.exp(fitted.log_taus).T
        curves.rmse_bp[days.rows] = fitted.rmse_bp(days)
        return curves

    def yields_pct(self, tenors_years: ArrayLike) -> Floats:
        """The curves at ``tenors_years`` (tenor,): (day, tenor), percent a year."""
        columns, _ = loadings(np.asarray(tenors_years, float)[:, None], self.taus_years.T)
        yields: Floats = np.einsum("dk,knd->dn", self.factors, columns)
        return yields


def fit_diebold_li(
    tenors_years: ArrayLike, yields_pct: ArrayLike, decay_per_year: float | None = DIEBOLD_LI_DECAY_PER_YEAR
) -> FittedCurves:
    """Level, slope and curvature of each day by least squares.

    Source: Diebold and Li, Forecasting the term structure of government bond yields, J. of Econometrics 130 (2006).

    Args:
        tenors_years: (tenor,)
        yields_pct: (day, tenor) percent a year, NaN where a tenor is missing; a day needs three.
        decay_per_year: 1 / tau1, the same each day; None fits it too, each day its own between 0.011 and 10. A day then
            needs four tenors.

    Raises:
        ValueError: if the arguments do not fit each other, or the decay is no positive number.
    """
    tenors, panel = as_panel(tenors_years, yields_pct)
    if decay_per_year is None:
        days = Days.of(tenors, panel, 4)
        return FittedCurves.of(_free_decay(days), days, len(panel))
    if not 0 < decay_per_year < np.inf:
        raise ValueError(f"decay_per_year must be positive: {decay_per_year}")
    curves = FittedCurves.nothing(len(panel), humps=1)
    for rows, present in by_tenors_present(panel):
        if present.sum() < 3:
            continue
        design = loadings(tenors[present, None], np.array([[1 / decay_per_year]]))[0][..., 0].T
        observed = panel[rows][:, present]
        curves.factors[rows] = factors = observed @ np.linalg.pinv(design).T
        curves.taus_years[rows] = 1 / decay_per_year
        curves.rmse_bp[rows] = 100 * np.sqrt(((observed - factors @ design.T) ** 2).mean(axis=1))
    return curves


def _free_decay(days: Days) -> Fitted:
    """The better of what a day's two best decays on a grid lead to."""
    grid = Grid(days, np.geomspace(LEAST_TAU_YEARS, LARGEST_TAU_YEARS / LEAST_TAU_RATIO, 40), humps=1)
    no_prior = np.full(len(days.rows), NO_PRIOR)
    start, _ = grid.best(no_prior)
    best = Fitted.nothing(start, no_prior)
    for index, log_taus in grid.minima(no_prior, most=2):
        found = refined(days.at(index), log_taus, no_prior[index])
        is_better = found.sse < best.sse[index]
        best.put(index[is_better], found.at(is_better))
    return best


def fit_svensson(tenors_years: ArrayLike, yields_pct: ArrayLike) -> FittedCurves:
    """Level, slope and two humps of each day, with decays of its own.

    Plain least squares answers a day that does not need the second hump with betas of thousands that cancel. Here each
    beta is expected around 0 with a standard deviation of 20 percentage points, weighed against the yields by the
    day's own misfit variance: what is minimised is the sum of squared errors plus variance / 20^2 times the sum of
    squared betas. The variance is that of the fit, over as many degrees of freedom as tenors less four: where the model
    is right there is no misfit and no pull. Where four factors would then fit worse than three with any decay, the
    expectation is widened until they do not: the three's own betas are as large as they are.

    A day depends on no other. Parameters move with the yields, and jump where another optimum becomes the better one.
    The limits at maturity 0 and far out are extrapolations: b0 need not be near the longest yield.

    Sources: Svensson, Estimating and interpreting forward interest rates, NBER working paper 4871 (1994); on the
    degenerate betas Gilli, Grosse and Schumann, Calibrating the Nelson-Siegel-Svensson model, COMISEF 031 (2010).

    Args:
        tenors_years: (tenor,)
        yields_pct: (day, tenor) percent a year, NaN where a tenor is missing; a day needs six.

    Returns:
        Betas 0 to 3 and 0.1 <= tau1 < tau2 <= 100: the slope decays with the shorter of the two.

    Raises:
        ValueError: if the arguments do not fit each other.
    """
    tenors, panel = as_panel(tenors_years, yields_pct)
    workers = min(WORKERS, 1 + len(panel) // BLOCK_DAYS)
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(partial(_svensson, tenors), np.array_split(panel, workers)))
    return FittedCurves(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(FittedCurves))
    )


def _svensson(tenors: Floats, panel: Floats) -> FittedCurves:
    """``fit_svensson`` of some days, in one thread.

    1. Three factors with a free decay: a first idea of the misfit variance, and what must not be fitted worse.
    2. The likeliest of the optima that a grid of taus leads to.
    3. Again, more closely, where the day is nearly a Svensson curve.
    4. A wider expectation where three factors fit better.
    """
    days = Days.of(tenors, panel, 6)
    three = _free_decay(days)
    noise = three.sse / (days.count - 3)

    first, *closer = SEARCHES
    fitted = _likeliest(days, noise, first)
    for search in closer:
        rmse_bp = fitted.rmse_bp(days)
        nearly = np.flatnonzero((rmse_bp < search.below_bp) & (rmse_bp > 100 * LEAST_NOISE_PCT))
        for index in np.array_split(nearly, 1 + len(nearly) // CLOSER_DAYS):
            some = days.at(index)
            again = _likeliest(some, noise[index], search)
            is_better = again.criterion(some) < fitted.at(index).criterion(some)
            fitted.put(index[is_better], again.at(is_better))

    # Decays at which loadings all but coincide may fit best, with betas of millions: these three.sse leaves out.
    any_decay = Grid(days, DENSE_GRID, humps=1).best(np.full(len(days.rows), NO_RIDGE))[1]
    no_worse = np.maximum(np.minimum(three.sse, any_decay), days.count * LEAST_NOISE_PCT**2)
    for prior_pct in WIDER_PRIORS_PCT:
        worse = np.flatnonzero(fitted.sse > no_worse)
        if not len(worse):
            break
        some = days.at(worse)
        ridge = ridge_of(noise[worse], prior_pct)
        start, _ = Grid(some, WIDE_GRID, humps=2).best(ridge)
        fitted.put(worse, refined(some, start, ridge, rounds=3))
    fitted.put(*_three_of(three, np.flatnonzero(fitted.sse > np.maximum(three.sse, no_worse))))
    return FittedCurves.of(fitted, days, len(panel))


def _three_of(three: Fitted, index: np.ndarray) -> tuple[np.ndarray, Fitted]:
    """Where nothing else helps: three factors, and a second hump of none."""
    those = three.at(index)
    log_taus = those.log_taus + np.log([[1.0], [LEAST_TAU_RATIO]])
    return index, Fitted(log_taus, those.ridge, np.pad(those.betas, ((0, 1), (0, 0))), those.sse)


def _likeliest(days: Days, noise: Floats, search: Search) -> Fitted:
    """The best by its criterion of what a day's optima on a grid lead to, with a first idea of the noise (day,)."""
    grid = Grid(days, search.taus, humps=2)
    start, sse = grid.best(ridge_of(noise))
    best = Fitted.nothing(start, ridge_of(sse / days.freedom))
    for index, log_taus in grid.minima(best.ridge, search.most):
        some = days.at(index)
        found = refined(some, log_taus, best.ridge[index], search.rounds)
        is_better = found.criterion(some) < best.at(index).criterion(some)
        best.put(index[is_better], found.at(is_better))
    return refined(days, best.log_taus, best.ridge, re_estimate_noise=True)
