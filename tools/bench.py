"""The benchmarks: our fits to the whole history of yields, reading a release, and its page, as ratios.

    python tools/bench.py

Times are of this machine, at this moment; a ratio says more than they do, and its bar is what we hold ourselves to. No
bar fails a build: whether fits are right is for tests, which share the package's fits with this. Our Svensson fit lets
two threads share the days, as in use, and is timed in one as well; ``make bench`` leaves LAPACK one. What is read is
the release that ``make run`` published.

The page's bar is in seconds, as it was asked for; its ratio is to reading the tables that it is made of.

Belongs here: what is timed, against what, and how well the Svensson fits of both describe the yields. Not here: any
mathematics of ours.
"""

import ctypes
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow.parquet as pq
from nelson_siegel_svensson.calibrate import calibrate_nss_ols

import jgb_assets
from jgb_assets.analytics import (
    FittedCurves,
    fit_diebold_li,
    fit_svensson,
    nelson_siegel,
    par_to_zero,
    principal_components,
)
from jgb_assets.analytics.nelson_siegel import DIEBOLD_LI_DECAY_PER_YEAR, PRIOR_PCT
from jgb_assets.landing.transport import ArchiveTransport
from jgb_assets.settings import BUNDLE, Settings
from jgb_assets.sources.base import Snapshot
from jgb_assets.sources.mof_jgb_yields import FIRST_DATE, FIRST_VALUES, TENORS, YIELDS, MofJgbYields, to_matrix

PACKAGE = "nelson-siegel-svensson"
TENORS_YEARS = np.array(TENORS, float)
SEED = 0
PAGE_SECONDS = 6  # of the monitor, on two cores
TIMED_DAYS = 100
COMPARED_DAYS = 200
COMPARISON = (
    "days", "failed", "degenerate", "RMSE: ours", "theirs", "all: > 0.1 worse", "> 0.5", "worst",
    "plain: > 0.1 worse", "> 0.5", "worst", "largest beta: ours", "theirs",
)  # fmt: skip


def history() -> tuple[np.ndarray, np.ndarray]:
    """Days (day,) and yields (day, tenor) in percent, NaN where none was published: the packaged history."""
    archive, source = ArchiveTransport(BUNDLE), MofJgbYields()
    url = next(file.urls[0] for file in source.files if file.role == "history")
    responses = filter(None, (archive.fetch(url, instant) for instant in reversed(archive.instants())))
    newest = next(responses)
    snapshot = Snapshot("history", url, newest.retrieved_at, "", newest.body)
    return to_matrix(source.parse({"history": snapshot})[YIELDS.name])


def fit_package(yields_pct: np.ndarray) -> FittedCurves:
    """The package's Svensson curves, day after day; NaN where it raises."""
    curves = FittedCurves(*(np.full((len(yields_pct), *shape), np.nan) for shape in ((4,), (2,), ())))
    with _silenced():
        for row, observed in enumerate(yields_pct):
            tenors, known = TENORS_YEARS[~np.isnan(observed)], observed[~np.isnan(observed)]
            try:
                curve, _ = calibrate_nss_ols(tenors, known)
            except np.linalg.LinAlgError:  # its search met a tau at which the loadings are not finite
                continue
            curves.factors[row] = curve.beta0, curve.beta1, curve.beta2, curve.beta3
            curves.taus_years[row] = curve.tau1, curve.tau2
            curves.rmse_bp[row] = 100 * np.sqrt(np.mean((curve(tenors) - known) ** 2))
    return curves


@dataclass(frozen=True)
class Comparison:
    """Svensson curves of the same days, ours and the package's."""

    ours: FittedCurves
    theirs: FittedCurves

    @classmethod
    def of(cls, yields_pct: np.ndarray) -> "Comparison":
        """Fit (day, tenor) both ways."""
        return cls(fit_svensson(TENORS_YEARS, yields_pct), fit_package(yields_pct))

    @property
    def worse_bp(self) -> np.ndarray:
        """(day,) by how much our misfit is larger, NaN where the package failed."""
        return self.ours.rmse_bp - self.theirs.rmse_bp

    @property
    def is_plain(self) -> np.ndarray:
        """(day,) the package's decays are positive, and no beta is beyond what ours are expected to be."""
        within = np.abs(self.theirs.factors).max(axis=1) <= PRIOR_PCT
        return within & (self.theirs.taus_years > 0).all(axis=1)

    def cells(self, name: str) -> list[str]:
        """A row beneath ``COMPARISON``."""
        fitted = ~np.isnan(self.worse_bp)
        betas = [np.nanmax(np.abs(curves.factors)) for curves in (self.ours, self.theirs)]
        return [
            name,
            f"{(~fitted).sum()}",
            f"{(fitted & ~self.is_plain).sum()}",
            *(f"{np.nanmedian(curves.rmse_bp):.2f}" for curves in (self.ours, self.theirs)),
            *_beyond(self.worse_bp[fitted]),
            *_beyond(self.worse_bp[self.is_plain]),
            *(f"{beta:.3g}" for beta in betas),
        ]


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Markdown, aligned."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, ["-" * width for width in widths], *rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")


def speed(dates: np.ndarray, yields: np.ndarray) -> None:
    """Print how long fits to every day take."""
    count = f"{len(dates):,} days"
    some = yields[np.random.default_rng(SEED).choice(len(yields), TIMED_DAYS, replace=False)]
    failed = np.isnan(fit_package(some).rmse_bp).sum()
    svensson, one_thread, package = _seconds(
        3, lambda: fit_svensson(TENORS_YEARS, yields), lambda: _in_one_thread(yields), lambda: fit_package(some)
    ).min(axis=1)
    package *= len(yields) / TIMED_DAYS

    x = DIEBOLD_LI_DECAY_PER_YEAR * TENORS_YEARS
    slope = (1 - np.exp(-x)) / x
    design, filled = np.column_stack([np.ones_like(x), slope, slope - np.exp(-x)]), np.nan_to_num(yields).T
    diebold_li, lstsq = np.median(
        _seconds(
            200,
            lambda: fit_diebold_li(TENORS_YEARS, yields),
            lambda: np.linalg.lstsq(design, filled, rcond=None),
        ),
        axis=1,
    )

    moves = 100 * np.diff(yields[~np.isnan(yields).any(axis=1)], axis=0)
    zeros, components = np.median(
        _seconds(20, lambda: par_to_zero(TENORS_YEARS, yields), lambda: principal_components(moves)), axis=1
    )

    print_table(
        ("what", "ours, s", "against", "theirs, s", "ratio", "bar"),
        [
            (
                f"Svensson, {count}",
                f"{svensson:.2f}",
                f"{PACKAGE} {version(PACKAGE)}, {TIMED_DAYS} days extrapolated",
                f"{package:.2f}",
                f"theirs / ours {package / svensson:.1f}",
                _bar("at least 100", package >= 100 * svensson),
            ),
            (
                "the same in one thread",
                f"{one_thread:.2f}",
                "the same",
                f"{package:.2f}",
                f"theirs / ours {package / one_thread:.1f}",
                "",
            ),
            (
                f"Diebold-Li, {count}",
                f"{diebold_li:.5f}",
                "numpy.linalg.lstsq, once",
                f"{lstsq:.5f}",
                f"ours / theirs {diebold_li / lstsq:.2f}",
                _bar("at most 3", diebold_li <= 3 * lstsq),
            ),
            (f"par to zero, {count}", f"{zeros:.5f}", "", "", "", ""),
            (f"principal components, {len(moves):,} days", f"{components:.5f}", "", "", "", ""),
        ],
    )
    print(
        f"\nSvensson: each the best of 3; the package fails on {failed} of its {TIMED_DAYS} days, whose time counts.\n"
        "Diebold-Li: each the median of 200; lstsq is given zeros for missing tenors, as only its time is meant.\n"
        "The others: the median of 20.\n"
    )


def accuracy(dates: np.ndarray, yields: np.ndarray) -> None:
    """Print how well the Svensson curves of both fit, by the tenors that were published."""
    starts = sorted({FIRST_DATE, *(FIRST_VALUES[tenor] for tenor in (15, 20, 30, 40))})
    generator = np.random.default_rng(SEED)
    rows = []
    for group in np.split(np.arange(len(dates)), np.searchsorted(dates, np.array(starts[1:], "datetime64[D]"))):
        drawn = generator.choice(group, COMPARED_DAYS, replace=False)
        rows.append(Comparison.of(yields[drawn]).cells(f"{dates[group[0]]} to {dates[group[-1]]}"))
    print_table(COMPARISON, rows)
    print(
        f"\n{COMPARED_DAYS} days drawn from each span; the package fails on some. Betas in percent, the rest in bp:\n"
        "medians of the RMSE, and shares of days on which ours is above theirs by so much. Degenerate: a decay of\n"
        f"theirs is not positive, or a beta beyond {PRIOR_PCT:g}; the other days are plain."
    )


def reading() -> None:
    """Print how long reading ``jgb_yields`` takes beside PyArrow alone."""
    file = Path(Settings.from_environment().publish_location) / "v1" / "current" / "jgb_yields.parquet"
    ours, bare, as_of = np.median(
        _seconds(
            20,
            lambda: jgb_assets.read("jgb_yields"),
            lambda: pq.read_table(file).to_pandas(),
            lambda: jgb_assets.read("jgb_yields", as_of="2026-05-10T00:00:00Z"),
        ),
        axis=1,
    )
    rows = [
        ("jgb_assets.read", f"{ours:.4f}", f"ours / theirs {ours / bare:.2f}", _bar("at most 1.3", ours <= 1.3 * bare)),
        ("the same as of an instant", f"{as_of:.4f}", f"ours / theirs {as_of / bare:.2f}", ""),
        ("pyarrow.parquet.read_table(...).to_pandas()", f"{bare:.4f}", "", ""),
    ]
    print_table(("reading jgb_yields", "s", "ratio", "bar"), rows)
    print("\nEach the median of 20, taking turns.\n")


def looking() -> None:
    """Print how long the page of a release takes, in a process of its own, beside reading what it is made of."""
    release = Path(Settings.from_environment().publish_location) / "v1" / "current"
    read = f"tables = {{p.stem: pq.read_table(p) for p in Path({str(release)!r}).glob('*.parquet')}}"
    before = f"from datetime import UTC, datetime; from pathlib import Path; import pyarrow.parquet as pq; {read}"
    build = "from jgb_assets.monitor.page import page; page(tables, 'bench', datetime(2026, 1, 1, tzinfo=UTC))"
    bare, ours = np.median(
        _seconds(
            3,
            *(
                partial(subprocess.run, [sys.executable, "-c", code], check=True)
                for code in (before, f"{before}; {build}")
            ),
        ),
        axis=1,
    )
    rows = [
        (
            "monitor.html",
            f"{ours:.2f}",
            f"ours / reading {ours / bare:.1f}",
            _bar(f"at most {PAGE_SECONDS} s", ours <= PAGE_SECONDS),
        ),
        ("reading the release's tables", f"{bare:.2f}", "", ""),
    ]
    print_table(("the monitor, with Python's start and imports", "s", "ratio", "bar"), rows)
    print("\nEach the median of 3, taking turns.\n")


def main() -> None:
    """Print the tables."""
    dates, yields = history()
    reading()
    looking()
    speed(dates, yields)
    accuracy(dates, yields)


def _in_one_thread(yields: np.ndarray) -> None:
    workers = nelson_siegel.WORKERS
    nelson_siegel.WORKERS = 1
    try:
        fit_svensson(TENORS_YEARS, yields)
    finally:
        nelson_siegel.WORKERS = workers


def _bar(bar: str, is_met: bool) -> str:
    return f"{bar}: {'met' if is_met else 'not met'}"


def _beyond(worse_bp: np.ndarray) -> list[str]:
    """Shares of days that are worse by 0.1 and by 0.5 bp, and the worst."""
    return [
        f"{(worse_bp > 0.1).mean():.1%}",
        f"{(worse_bp > 0.5).mean():.1%}",
        f"{worse_bp.max():.2f}",
    ]


def _seconds(repeats: int, *works: Callable[[], object]) -> np.ndarray:
    """(work, repeat) seconds, the works taking turns, each after one that does not count."""
    seconds = np.empty((len(works), repeats + 1))
    for repeat in range(repeats + 1):
        for number, work in enumerate(works):
            started = perf_counter()
            work()
            seconds[number, repeat] = perf_counter() - started
    return seconds[:, 1:]


@contextmanager
def _silenced() -> Iterator[None]:
    """Neither numpy's warnings nor what LAPACK prints past Python where an argument is not finite."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in (1, 2)]
    with Path(os.devnull).open("w") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            for stream in (1, 2):
                os.dup2(nowhere.fileno(), stream)
            yield
        finally:
            ctypes.CDLL(None).fflush(None)  # C's buffers belong to nowhere too
            for stream, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, stream)
                os.close(copy)


if __name__ == "__main__":
    main()
