"""Curves of few parameters: Diebold-Li and Svensson, fitted to every day at once.

Belongs here: the loadings, the fits, and what keeps a fit from parameters that the data do not support. Not here: which
yields are fitted.

The equation, at maturity m in years, yield and betas in percent a year:

    y(m) = b0 + b1 s(m/tau1) + b2 h(m/tau1) + b3 h(m/tau2),   s(x) = (1 - exp(-x)) / x,   h(x) = s(x) - exp(-x)

Nelson and Siegel (1987) without b3, as Diebold and Li (2006) read it: b0 is the level, b1 the slope (short less long:
negative where the curve rises), b2 the curvature, 1 / tau1 their decay. Svensson (1994) adds the second hump.

Inside, the day is the last axis: each step of the algebra is one operation on all days.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from jgb_assets.analytics.panels import Floats, as_panel, by_tenors_present

# Diebold and Li's 0.0609 a month: the curvature loading peaks at 29 to 30 months.
DIEBOLD_LI_DECAY_PER_YEAR = 0.7308
# Beyond these the loadings are straight lines, or gone, at any maturity that bonds have.
LEAST_TAU_YEARS, LARGEST_TAU_YEARS = 0.1, 100.0
# Two humps closer than this are one.
LEAST_TAU_RATIO = 1.1
# The size of a beta before the day is seen: generous, as no yield of the ministry's was ever above 12.2.
PRIOR_PCT = 20.0
# A misfit of 0.005 bp is none: yields are published to 0.1 bp.
LEAST_NOISE_PCT = 5e-5
# A ridge that only keeps betas computable where loadings coincide.
NO_PRIOR = 1e-12
# A day is left alone once a round of steps changes its misfit by less.
SETTLED_BP = 0.001
ROUNDS, STEPS = 8, 3
# As many days as the processor's cache holds grids of.
BLOCK_DAYS = 256
# numpy lets go of the interpreter, so that two threads share the days; more would wait for each other.
WORKERS = 2


@dataclass(frozen=True)
class Search:
    """Which days start from where.

    Attributes:
        below_bp: days with a misfit below this.
        taus: years, the grid whose pairs are tried.
        most: of how many of a day's local optima on that grid it starts.
    """

    below_bp: float
    taus: Floats
    most: int


# A day that is nearly a Svensson curve is one, but for a neighbouring optimum: it is searched more closely.
SEARCHES = (
    Search(np.inf, np.geomspace(0.25, 40, 24), 5),
    Search(1.0, np.geomspace(0.2, 50, 40), 4),
    Search(0.2, np.geomspace(0.1, 100, 90), 12),
)


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

    def yields_pct(self, tenors_years: ArrayLike) -> Floats:
        """The curves at ``tenors_years`` (tenor,): (day, tenor), percent a year."""
        columns, _ = _loadings(np.asarray(tenors_years, float)[:, None], self.taus_years.T)
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
        ValueError: if the arguments do not fit each other, or the decay is not positive.
    """
    tenors, panel = as_panel(tenors_years, yields_pct)
    if decay_per_year is None:
        days = _Days.of(tenors, panel, 4)
        taus = np.geomspace(LEAST_TAU_YEARS, LARGEST_TAU_YEARS / LEAST_TAU_RATIO, 40)
        start, _ = _Grid(days, taus, humps=1).best(days.constant(NO_PRIOR))
        return _refined(days, start, days.constant(NO_PRIOR)).curves(days, len(panel))
    if not decay_per_year > 0:
        raise ValueError(f"decay_per_year must be positive: {decay_per_year}")
    fitted = FittedCurves(*(np.full((len(panel), *shape), np.nan) for shape in ((3,), (1,), ())))
    for rows, present in by_tenors_present(panel):
        if present.sum() < 3:
            continue
        design = _loadings(tenors[present, None], np.array([[1 / decay_per_year]]))[0][..., 0].T
        observed = panel[rows][:, present]
        fitted.factors[rows] = factors = observed @ np.linalg.pinv(design).T
        fitted.taus_years[rows] = 1 / decay_per_year
        fitted.rmse_bp[rows] = 100 * np.sqrt(((observed - factors @ design.T) ** 2).mean(axis=1))
    return fitted


def fit_svensson(tenors_years: ArrayLike, yields_pct: ArrayLike) -> FittedCurves:
    """Level, slope and two humps of each day, with decays of its own.

    Given the decays the betas follow by linear least squares (Golub and Pereyra, 1973); the decays are searched on a
    grid and refined by Levenberg-Marquardt steps from its local optima.

    Plain least squares answers a day that does not need the second hump with betas of thousands that cancel. Here each
    beta is expected around 0 with a standard deviation of 20 percentage points, weighed against the yields by the
    day's own misfit variance: what is minimised is the sum of squared errors plus variance / 20^2 times the sum of
    squared betas. The variance is that of the fit, over as many degrees of freedom as tenors less four: where the model
    is right there is no misfit and no pull. Where four factors would then fit worse than three with any decay, the
    expectation is widened until they do not.

    A day depends on no other, and the optimum moves with the data; it jumps only where two optima are equally likely.

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
    """``fit_svensson`` of some days, in one thread."""
    days = _Days.of(tenors, panel, 6)
    three = fit_diebold_li(tenors, panel[days.rows], None)
    three_sse = days.count * (three.rmse_bp / 100) ** 2
    noise = three_sse / (days.count - 3)

    first, *others = SEARCHES
    fitted = _searched(days, noise, first.taus, first.most)
    for search in others:
        rmse_bp = fitted.rmse_bp(days)
        nearly = np.flatnonzero((rmse_bp < search.below_bp) & (rmse_bp > 100 * LEAST_NOISE_PCT))
        for index in np.array_split(nearly, 1 + len(nearly) // BLOCK_DAYS):
            some = days.at(index)
            again = _searched(some, noise[index], search.taus, search.most)
            is_better = again.unlikelihood(some) < fitted.at(index).unlikelihood(some)
            fitted.put(index[is_better], again.at(is_better))

    prior = PRIOR_PCT
    while len(worse := np.flatnonzero(fitted.sse > np.maximum(three_sse, days.count * LEAST_NOISE_PCT**2))):
        prior *= 2**0.5
        if prior > 100 * PRIOR_PCT:  # what is left are three factors, and a second hump of none
            break
        some = days.at(worse)
        ridge = _ridge(noise[worse], prior)
        start, _ = _Grid(some, np.geomspace(LEAST_TAU_YEARS, LARGEST_TAU_YEARS, 20), humps=2).best(ridge)
        fitted.put(worse, _refined(some, start, ridge, rounds=3))
    curves = fitted.curves(days, len(panel))
    rows = days.rows[worse]
    curves.factors[rows] = np.pad(three.factors[worse], ((0, 0), (0, 1)))
    curves.taus_years[rows] = three.taus_years[worse] * [1, LEAST_TAU_RATIO]
    curves.rmse_bp[rows] = three.rmse_bp[worse]
    return curves


def _searched(days: "_Days", noise: Floats, taus: Floats, most: int) -> "_Fitted":
    """The likeliest of the optima that a grid of taus leads to, with a first idea of the misfit variance (day,)."""
    grid = _Grid(days, taus, humps=2)
    start, sse = grid.best(_ridge(noise))
    best = _Fitted.nothing(start, _ridge(sse / (days.count - 4)))
    for index, log_taus in grid.minima(best.ridge, most):
        some = days.at(index)
        found = _refined(some, log_taus, best.ridge[index], rounds=1)
        is_better = found.unlikelihood(some) < best.at(index).unlikelihood(some)
        best.put(index[is_better], found.at(is_better))
    return _refined(days, best.log_taus, best.ridge, re_estimate=True)


def _ridge(noise: Floats, prior_pct: float = PRIOR_PCT) -> Floats:
    """Misfit variance (day,) over the variance of a beta."""
    ridge: Floats = np.maximum(noise, LEAST_NOISE_PCT**2) / prior_pct**2
    return ridge


@dataclass(frozen=True)
class _Days:
    """Days that can be fitted, each array (tenor, day).

    A missing tenor has yield 0, and stands so far out that every loading but the level's is 0 there too.
    """

    tenors: Floats
    maturities: Floats
    yields: Floats
    present: Floats
    rows: np.ndarray

    @classmethod
    def of(cls, tenors: Floats, panel: Floats, least: int) -> "_Days":
        present = ~np.isnan(panel)
        rows = np.flatnonzero(present.sum(axis=1) >= least)
        here = present[rows].T
        return cls(
            tenors[:, None],
            np.where(here, tenors[:, None], 1e30),
            np.where(here, panel[rows].T, 0.0),
            here.astype(float),
            rows,
        )

    @property
    def count(self) -> Floats:
        count: Floats = self.present.sum(axis=0)
        return count

    def at(self, index: np.ndarray) -> "_Days":
        return _Days(
            self.tenors, self.maturities[:, index], self.yields[:, index], self.present[:, index], self.rows[index]
        )

    def constant(self, value: float) -> Floats:
        return np.full(len(self.rows), value)


def _loadings(tenors: Floats, taus: Floats) -> tuple[Floats, Floats]:
    """Loadings (beta, tenor, day) at taus (hump, day), and each hump's derivative (hump, tenor, day) by log tau."""
    columns = np.empty((2 + len(taus), len(tenors), taus.shape[1]))
    x = np.divide(tenors, taus[:, None], out=columns[2:])
    decayed = np.negative(x)
    np.exp(decayed, out=decayed)
    hump_slopes = x * decayed
    slopes = 1 - decayed
    slopes /= x
    columns[0] = 1
    columns[1] = slopes[0]
    humps = np.subtract(slopes, decayed, out=columns[2:])
    return columns, np.subtract(humps, hump_slopes, out=hump_slopes)


class _Grid:
    """Every combination of decays on a grid, of which the best is found without solving for betas.

    A design's singular value decomposition gives the misfit under any ridge from the squared projections of the yields.
    """

    def __init__(self, days: _Days, taus: Floats, humps: int) -> None:
        self.taus = taus
        self.count = len(days.rows)
        index = np.stack(np.triu_indices(len(taus), 1)) if humps == 2 else np.arange(len(taus))[None]
        self.log_taus = np.log(taus)[index]
        columns, _ = _loadings(days.tenors, taus[index])
        self.groups = []
        present_in = np.where(days.present > 0, days.yields, np.nan).T
        for rows, present in by_tenors_present(present_in):
            bases, singular, _ = np.linalg.svd(columns[:, present].transpose(2, 1, 0), full_matrices=False)
            yields = days.yields[:, rows][present]
            squares = np.tensordot(yields, bases, axes=(0, 1)) ** 2
            self.groups.append((rows, squares, singular**2, (yields**2).sum(axis=0)))

    def best(self, ridge: Floats) -> tuple[Floats, Floats]:
        """Log taus (hump, day) of the smallest objective under a ridge (day,), and their sum of squares (day,)."""
        log_taus = np.empty((len(self.log_taus), self.count))
        sse = np.empty(self.count)
        for rows, squares, singular, total in self.groups:
            explained = self._explained(squares, singular, ridge[rows])
            best = explained.argmax(axis=1)
            share = singular[best] / (singular[best] + ridge[rows, None])
            log_taus[:, rows] = self.log_taus[:, best]
            sse[rows] = total - (squares[np.arange(len(rows)), best] * share * (2 - share)).sum(axis=1)
        return log_taus, np.maximum(sse, 0)

    def minima(self, ridge: Floats, most: int) -> Iterator[tuple[np.ndarray, Floats]]:
        """A day's deepest local minimum, the next, ...: the days that have one, and its log taus (hump, day)."""
        first, second = np.triu_indices(len(self.taus), 1)
        peaks = np.empty((self.count, len(first)))
        for rows, squares, singular, _ in self.groups:
            for some in np.array_split(np.arange(len(rows)), 1 + len(rows) // BLOCK_DAYS):
                explained = np.full((len(some), len(self.taus) + 2, len(self.taus) + 2), -np.inf)
                explained[:, first + 1, second + 1] = self._explained(squares[some], singular, ridge[rows[some]])
                highest = np.maximum(np.maximum(explained[:, :-2], explained[:, 1:-1]), explained[:, 2:])
                highest = np.maximum(np.maximum(highest[:, :, :-2], highest[:, :, 1:-1]), highest[:, :, 2:])
                middle = explained[:, 1:-1, 1:-1]
                peaks[rows[some]] = np.where(middle >= highest, middle, -np.inf)[:, first, second]
        for _ in range(most):
            best = peaks.argmax(axis=1)
            index = np.flatnonzero(np.isfinite(peaks[np.arange(self.count), best]))
            yield index, self.log_taus[:, best[index]]
            peaks[np.arange(self.count), best] = -np.inf

    @staticmethod
    def _explained(squares: Floats, singular: Floats, ridge: Floats) -> Floats:
        """Sum of squares (day, combination) less the objective."""
        explained: Floats = np.einsum("dpk,dpk->dp", squares, singular / (singular + ridge[:, None, None]))
        return explained


@dataclass
class _Fitted:
    """What a search found; the day is every array's last axis."""

    log_taus: Floats
    ridge: Floats
    betas: Floats
    sse: Floats

    @classmethod
    def nothing(cls, log_taus: Floats, ridge: Floats) -> "_Fitted":
        humps, days = log_taus.shape
        return cls(log_taus.copy(), ridge.copy(), np.zeros((2 + humps, days)), np.full(days, np.inf))

    @property
    def objective(self) -> Floats:
        objective: Floats = self.sse + self.ridge * (self.betas**2).sum(axis=0)
        return objective

    def unlikelihood(self, days: _Days) -> Floats:
        """What rounds of steps and of new misfit variances make smaller: minus twice the log likelihood."""
        freedom = days.count - 4
        noise = np.maximum(self.sse / freedom, LEAST_NOISE_PCT**2)
        unlikelihood: Floats = freedom * np.log(noise) + (self.betas**2).sum(axis=0) / PRIOR_PCT**2
        return unlikelihood

    def rmse_bp(self, days: _Days) -> Floats:
        rmse: Floats = 100 * np.sqrt(self.sse / days.count)
        return rmse

    def at(self, index: np.ndarray) -> "_Fitted":
        return _Fitted(*(getattr(self, field.name)[..., index] for field in fields(self)))

    def put(self, index: np.ndarray, other: "_Fitted") -> None:
        """Take over another's days to ``index``."""
        for field in fields(self):
            getattr(self, field.name)[..., index] = getattr(other, field.name)

    def curves(self, days: _Days, count: int) -> FittedCurves:
        """For a panel of ``count`` days."""
        parts = self.betas, self.log_taus, self.sse
        curves = FittedCurves(*(np.full((count, *part.shape[:-1]), np.nan) for part in parts))
        curves.factors[days.rows] = self.betas.T
        curves.taus_years[days.rows] = np.exp(self.log_taus).T
        curves.rmse_bp[days.rows] = self.rmse_bp(days)
        return curves


@dataclass
class _Point(_Fitted):
    """Decays tried, the betas that follow, and what the next step needs."""

    columns: Floats
    hump_slopes: Floats
    lower: Floats
    residuals: Floats

    @classmethod
    def tried(cls, days: _Days, log_taus: Floats, ridge: Floats) -> "_Point":
        columns, hump_slopes = _loadings(days.maturities, np.exp(log_taus))
        columns[0] = days.present
        gram = np.zeros((len(columns), len(columns), columns.shape[2]))
        for i in range(len(columns)):
            for j in range(i + 1):
                gram[i, j] = np.einsum("nd,nd->d", columns[i], columns[j])
            gram[i, i] += ridge
        lower = _cholesky(gram)
        betas = _solved(lower, np.einsum("knd,nd->kd", columns, days.yields))
        residuals = days.yields - np.einsum("kd,knd->nd", betas, columns)
        sse = np.einsum("nd,nd->d", residuals, residuals)
        return cls(log_taus, ridge, betas, sse, columns, hump_slopes, lower, residuals)

    def move(self, condition: np.ndarray, other: "_Point") -> None:
        """Take over another's days where ``condition`` (day,) holds."""
        for field in fields(self):
            np.copyto(getattr(self, field.name), getattr(other, field.name), where=condition)


def _refined(days: _Days, log_taus: Floats, ridge: Floats, rounds: int = ROUNDS, re_estimate: bool = False) -> _Fitted:
    """Levenberg-Marquardt on the log taus, the betas being eliminated (Kaufman, 1975).

    Where the ridge (day,) is re-estimated, each round but the first takes it from the misfit that was left.
    """
    humps = len(log_taus)
    lowest = np.log(LEAST_TAU_YEARS) + np.log(LEAST_TAU_RATIO) * np.arange(humps)[:, None]
    highest = np.log(LARGEST_TAU_YEARS) - np.log(LEAST_TAU_RATIO) * np.array([[1, 0]]).T[:humps]
    fitted = _Fitted.nothing(log_taus, ridge)
    live = np.arange(len(days.rows))
    damping = days.constant(0.1)
    for number in range(rounds):
        some, before = days.at(live), fitted.at(live)
        weight = _ridge(before.sse / (some.count - 4)) if re_estimate and number else before.ridge
        point = _Point.tried(some, before.log_taus, weight)
        for _ in range(STEPS):
            trial = np.clip(point.log_taus + _step(point, damping), lowest, highest)
            trial[1:] = np.maximum(trial[1:], trial[:-1] + np.log(LEAST_TAU_RATIO))
            tried = _Point.tried(some, trial, weight)
            is_better = tried.objective < point.objective
            point.move(is_better, tried)
            damping = np.where(is_better, damping * 0.3, damping * 4)
        fitted.put(live, point)
        is_live = np.abs(point.rmse_bp(some) - before.rmse_bp(some)) > SETTLED_BP
        live, damping = live[is_live], damping[is_live]
    return fitted


def _step(point: _Point, damping: Floats) -> Floats:
    """Where the log taus (hump, day) should go, at most half a unit."""
    bend = point.betas[2:, None] * point.hump_slopes
    bend[0] += point.betas[1] * point.columns[2]  # d s / d log tau = h
    gradient = np.einsum("hnd,nd->hd", bend, point.residuals)
    shared = _products(point.columns, bend)
    explained = np.stack([_solved(point.lower, shared[:, hump]) for hump in range(len(bend))], axis=1)
    hessian = _products(bend, bend) - np.einsum("khd,kid->hid", shared, explained)
    diagonal = np.arange(len(bend))
    hessian[diagonal, diagonal] = hessian[diagonal, diagonal] * (1 + damping) + 1e-13
    return np.clip(_solved(_cholesky(hessian), gradient), -0.5, 0.5)


def _products(left: Floats, right: Floats) -> Floats:
    """Inner products over tenors: (a, tenor, day) and (b, tenor, day) to (a, b, day)."""
    products: Floats = np.einsum("and,bnd->abd", left, right)
    return products


def _cholesky(matrices: Floats) -> Floats:
    """Lower factors of (k, k, day) positive definite matrices; numpy's own takes many times as long on small ones."""
    lower = np.zeros_like(matrices)
    for i in range(len(matrices)):
        for j in range(i + 1):
            rest = matrices[i, j] - (lower[i, :j] * lower[j, :j]).sum(axis=0)
            lower[i, j] = np.sqrt(np.maximum(rest, 1e-300)) if i == j else rest / lower[j, j]
    return lower


def _solved(lower: Floats, right: Floats) -> Floats:
    """The solutions (k, day) for the factors (k, k, day) and right-hand sides (k, day)."""
    solution = right.copy()
    for i in range(len(lower)):
        solution[i] = (solution[i] - (lower[i, :i] * solution[:i]).sum(axis=0)) / lower[i, i]
    for i in reversed(range(len(lower))):
        solution[i] = (solution[i] - (lower[i + 1 :, i] * solution[i + 1 :]).sum(axis=0)) / lower[i, i]
    return solution
