"""The search for a curve's decays, on every day at once: a grid, then steps from its local optima.

Belongs here: loadings, least squares given the decays, and the way to better decays. Not here: which curves are fitted,
and what their parameters mean.

Given the decays a curve is linear in its betas (Golub and Pereyra, 1973), so that only one or two decays a day are
searched, as log taus. What is minimised is the day's

    objective = sum of squared errors + ridge * sum of squared betas.

The day is the last axis of every array: each step of the algebra is one operation on all days.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from jgb_assets.analytics.panels import Floats, by_tenors_present

# A hump peaks at 1.793 tau: from two months to four times the longest maturity. Beyond, loadings are straight or gone.
LEAST_TAU_YEARS, LARGEST_TAU_YEARS = 0.1, 100.0
# Two humps closer than this are one.
LEAST_TAU_RATIO = 1.1
# The size of a beta before the day is seen: generous, as no yield of the ministry's was ever above 12.2.
PRIOR_PCT = 20.0
# A misfit of 0.005 bp is none: yields are published to 0.1 bp.
LEAST_NOISE_PCT = 5e-5
# Keeps betas computable where loadings coincide; it only shows where they would cancel by tens of thousands.
NO_PRIOR = 1e-12
# A day is left alone once a round of steps changes its misfit by less.
SETTLED_BP = 0.001
ROUNDS, STEPS = 8, 3
# Levenberg-Marquardt: where damping begins, and what a good and a bad step make of it.
DAMPING, AFTER_GOOD, AFTER_BAD = 0.1, 0.3, 4.0
LONGEST_STEP = 0.5
# As many days as the processor's cache holds grids of.
BLOCK_DAYS = 256


def loadings(maturities: Floats, taus: Floats) -> tuple[Floats, Floats]:
    """What the betas are multiplied with, and how the humps change with their tau.

    Args:
        maturities: (tenor, day) years, or (tenor, 1).
        taus: (hump, day) years.

    Returns:
        (beta, tenor, day) 1, the slope of the first tau, and each hump; (hump, tenor, day) humps by log tau.
    """
    x = maturities / taus[:, None]
    decayed = np.negative(x)
    np.exp(decayed, out=decayed)
    slopes = (1 - decayed) / x
    columns = np.empty((2 + len(taus), *x.shape[1:]))
    columns[0] = 1
    columns[1] = slopes[0]
    humps = np.subtract(slopes, decayed, out=columns[2:])
    x *= decayed
    return columns, np.subtract(humps, x, out=x)


def ridge_of(noise: Floats, prior_pct: float = PRIOR_PCT) -> Floats:
    """Misfit variance (day,) over the variance that a beta is expected to have."""
    ridge: Floats = np.maximum(noise, LEAST_NOISE_PCT**2) / prior_pct**2
    return ridge


@dataclass(frozen=True)
class Days:
    """Days that can be fitted: their rows (day,) of a panel, and arrays (tenor, day).

    A missing tenor has yield 0, and stands so far out that every loading but the level's is 0 there too.
    """

    tenors: Floats
    rows: np.ndarray
    maturities: Floats
    yields: Floats
    present: Floats

    @classmethod
    def of(cls, tenors: Floats, panel: Floats, least_tenors: int) -> "Days":
        """The days of a panel (day, tenor) that have so many tenors."""
        present = ~np.isnan(panel)
        rows = np.flatnonzero(present.sum(axis=1) >= least_tenors)
        here = present[rows].T
        maturities = np.where(here, tenors[:, None], 1e30)
        return cls(tenors, rows, maturities, np.where(here, panel[rows].T, 0.0), here.astype(float))

    @property
    def count(self) -> Floats:
        """Tenors of each day."""
        count: Floats = self.present.sum(axis=0)
        return count

    @property
    def freedom(self) -> Floats:
        """Tenors less the four betas. The taus are not counted: six tenors would leave none."""
        return self.count - 4

    def at(self, index: np.ndarray) -> "Days":
        """Some of the days."""
        parts = self.maturities[:, index], self.yields[:, index], self.present[:, index]
        return Days(self.tenors, self.rows[index], *parts)


@dataclass
class Fitted:
    """What a search found: (hump, day), (day,), (beta, day) and (day,)."""

    log_taus: Floats
    ridge: Floats
    betas: Floats
    sse: Floats

    @classmethod
    def nothing(cls, log_taus: Floats, ridge: Floats) -> "Fitted":
        """Where a search starts."""
        humps, days = log_taus.shape
        return cls(log_taus.copy(), ridge.copy(), np.zeros((2 + humps, days)), np.full(days, np.inf))

    @property
    def objective(self) -> Floats:
        """What steps make smaller."""
        objective: Floats = self.sse + self.ridge * (self.betas**2).sum(axis=0)
        return objective

    def criterion(self, days: Days) -> Floats:
        """What steps and new misfit variances make smaller, by turns: freedom * log(variance) + betas^2 / prior^2.

        For given betas it is smallest at variance = sse / freedom, for a given variance at the least objective.
        """
        noise = np.maximum(self.sse / days.freedom, LEAST_NOISE_PCT**2)
        criterion: Floats = days.freedom * np.log(noise) + (self.betas**2).sum(axis=0) / PRIOR_PCT**2
        return criterion

    def rmse_bp(self, days: Days) -> Floats:
        """(day,) root mean square misfit."""
        rmse: Floats = 100 * np.sqrt(self.sse / days.count)
        return rmse

    def at(self, index: np.ndarray) -> "Fitted":
        """Some of the days."""
        return Fitted(*(getattr(self, field.name)[..., index] for field in fields(Fitted)))

    def put(self, index: np.ndarray, other: "Fitted") -> None:
        """Take over another's days to ``index``."""
        for field in fields(Fitted):
            getattr(self, field.name)[..., index] = getattr(other, field.name)


class Grid:
    """Every combination of some taus, of which the good ones are found without solving for betas.

    A design's singular value decomposition gives the misfit under any ridge from the squared projections of the yields.
    """

    def __init__(self, days: Days, taus: Floats, humps: int) -> None:
        self.size = len(taus)
        self.combinations = np.stack(np.triu_indices(len(taus), 1)) if humps == 2 else np.arange(len(taus))[None]
        self.log_taus = np.log(taus)[self.combinations]
        self.count = len(days.rows)
        columns, _ = loadings(days.tenors[:, None], taus[self.combinations])  # a combination in the place of a day
        self.groups = []
        for rows, present in by_tenors_present(np.where(days.present > 0, days.yields, np.nan).T):
            bases, singular, _ = np.linalg.svd(columns[:, present].transpose(2, 1, 0), full_matrices=False)
            self.groups.append((rows, days.yields[:, rows][present].T, bases, singular**2))

    def best(self, ridge: Floats) -> tuple[Floats, Floats]:
        """Log taus (hump, day) of the least objective under a ridge (day,), and their sum of squares (day,)."""
        log_taus = np.empty((len(self.log_taus), self.count))
        sse = np.empty(self.count)
        for rows, squares, singular, total in self._blocks():
            best = self._explained(squares, singular, ridge[rows]).argmax(axis=1)
            share = singular[best] / (singular[best] + ridge[rows, None])
            log_taus[:, rows] = self.log_taus[:, best]
            sse[rows] = total - (squares[np.arange(len(rows)), best] * share * (2 - share)).sum(axis=1)
        return log_taus, np.maximum(sse, 0)

    def minima(self, ridge: Floats, most: int) -> Iterator[tuple[np.ndarray, Floats]]:
        """A day's deepest local minimum, the next, ...: the days that have one, and its log taus (hump, day)."""
        within = tuple(self.combinations + 1)  # a border of nothing around the grid
        peaks = np.empty((self.count, self.log_taus.shape[1]))
        for rows, squares, singular, _ in self._blocks():
            explained = np.full((len(rows), *[self.size + 2] * len(within)), -np.inf)
            explained[:, *within] = self._explained(squares, singular, ridge[rows])
            highest = explained.copy()
            for axis in range(1, highest.ndim):
                lines = np.moveaxis(highest, axis, 0)
                lines[1:-1] = np.maximum(np.maximum(lines[:-2], lines[1:-1]), lines[2:])
            peaks[rows] = np.where(explained >= highest, explained, -np.inf)[:, *within]
        for _ in range(most):
            best = peaks.argmax(axis=1)
            index = np.flatnonzero(np.isfinite(peaks[np.arange(self.count), best]))
            yield index, self.log_taus[:, best[index]]
            peaks[np.arange(self.count), best] = -np.inf

    def _blocks(self) -> Iterator[tuple[np.ndarray, Floats, Floats, Floats]]:
        """Rows (day,), squares of projections (day, combination, beta), of singular values, and of yields (day,)."""
        for rows, yields, bases, singular in self.groups:
            for some in np.array_split(np.arange(len(rows)), 1 + len(rows) // BLOCK_DAYS):
                squares = np.tensordot(yields[some], bases, axes=(1, 1)) ** 2
                yield rows[some], squares, singular, (yields[some] ** 2).sum(axis=1)

    @staticmethod
    def _explained(squares: Floats, singular: Floats, ridge: Floats) -> Floats:
        """Sum of squares (day, combination) less the objective."""
        explained: Floats = np.einsum("dpk,dpk->dp", squares, singular / (singular + ridge[:, None, None]))
        return explained


def refined(
    days: Days, log_taus: Floats, ridge: Floats, rounds: int = ROUNDS, re_estimate_noise: bool = False
) -> Fitted:
    """Levenberg-Marquardt steps on the log taus (hump, day), the betas being eliminated (Kaufman, 1975).

    Where the noise is re-estimated, each round but the first takes its ridge from the misfit that was left.
    """
    gap = np.log(LEAST_TAU_RATIO)
    lowest = np.log(LEAST_TAU_YEARS)
    highest = np.log(LARGEST_TAU_YEARS) - gap * np.arange(len(log_taus))[::-1, None]
    if len(log_taus) == 1:
        highest = highest - gap  # leaves room for a second hump
    fitted = Fitted.nothing(log_taus, ridge)
    live = np.arange(len(days.rows))
    damping = np.full(len(live), DAMPING)
    for number in range(rounds):
        some, before = days.at(live), fitted.at(live)
        weight = ridge_of(before.sse / some.freedom) if re_estimate_noise and number else before.ridge
        point = _Point.tried(some, before.log_taus, weight)
        for _ in range(STEPS):
            trial = np.clip(point.log_taus + _step(point, damping), lowest, highest)
            trial[1:] = np.maximum(trial[1:], trial[:-1] + gap)
            tried = _Point.tried(some, trial, weight)
            is_better = tried.objective < point.objective
            point.move(is_better, tried)
            damping = damping * np.where(is_better, AFTER_GOOD, AFTER_BAD)
        fitted.put(live, point)
        is_live = np.abs(point.rmse_bp(some) - before.rmse_bp(some)) > SETTLED_BP
        live, damping = live[is_live], damping[is_live]
    return fitted


@dataclass
class _Point(Fitted):
    """Decays tried, the betas that follow, and what the next step needs; of no more use than that."""

    columns: Floats
    hump_slopes: Floats
    lower: Floats
    residuals: Floats

    @classmethod
    def tried(cls, days: Days, log_taus: Floats, ridge: Floats) -> "_Point":
        columns, hump_slopes = loadings(days.maturities, np.exp(log_taus))
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


def _step(point: _Point, damping: Floats) -> Floats:
    """Where the log taus (hump, day) should go."""
    bend = point.betas[2:, None] * point.hump_slopes
    bend[0] += point.betas[1] * point.columns[2]  # by log tau, the slope's loading changes by the hump's
    gradient = np.einsum("hnd,nd->hd", bend, point.residuals)
    shared = np.einsum("knd,hnd->khd", point.columns, bend)
    explained = np.stack([_solved(point.lower, shared[:, hump]) for hump in range(len(bend))], axis=1)
    hessian = np.einsum("hnd,ind->hid", bend, bend) - np.einsum("khd,kid->hid", shared, explained)
    diagonal = np.arange(len(bend))
    hessian[diagonal, diagonal] = hessian[diagonal, diagonal] * (1 + damping) + 1e-13  # no hump, no slope: no step
    return np.clip(_solved(_cholesky(hessian), gradient), -LONGEST_STEP, LONGEST_STEP)


def _cholesky(matrices: Floats) -> Floats:
    """Lower factors of (k, k, day) positive definite matrices; numpy's own takes many times as long on small ones."""
    lower = np.zeros_like(matrices)
    for i in range(len(matrices)):
        for j in range(i + 1):
            rest = matrices[i, j] - (lower[i, :j] * lower[j, :j]).sum(axis=0)
            # rounding may take a vanishing pivot below 0
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
