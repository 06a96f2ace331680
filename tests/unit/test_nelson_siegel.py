"""Fitted curves: what they must recover, and what must hold on every day that was ever published."""

from functools import cache

import numpy as np
import pytest
from curves import ALL_TENORS_SINCE, TENORS_YEARS, dates, day, free_decay, panel, svensson
from hypothesis import given, settings
from hypothesis import strategies as st

from jgb_assets.analytics import FittedCurves, fit_diebold_li, fit_svensson, nelson_siegel

DECAY = 0.7308
TO_NINE_YEARS = TENORS_YEARS[:9]


def loadings(tenors: np.ndarray, decay: float) -> np.ndarray:
    """(tenor, factor), written anew."""
    x = tenors * decay
    slope = (1 - np.exp(-x)) / x
    return np.column_stack([np.ones(len(x)), slope, slope - np.exp(-x)])


def curves(factors: np.ndarray, taus: np.ndarray) -> FittedCurves:
    return FittedCurves(factors, taus, np.zeros(len(factors)))


def rmse_bp(fitted: FittedCurves, tenors: np.ndarray, yields: np.ndarray) -> np.ndarray:
    return 100 * np.sqrt(np.nanmean((fitted.yields_pct(tenors) - yields) ** 2, axis=1))


def largest_beta(fitted: FittedCurves) -> np.ndarray:
    largest: np.ndarray = np.abs(fitted.factors).max(axis=1)
    return largest


def assert_same(left: FittedCurves, right: FittedCurves, rows: object = slice(None)) -> None:
    """Equal but for the last digits of sums."""
    np.testing.assert_allclose(left.rmse_bp, right.rmse_bp[rows], rtol=0, atol=1e-6)
    np.testing.assert_allclose(left.factors, right.factors[rows], rtol=0, atol=1e-3)
    np.testing.assert_allclose(left.taus_years, right.taus_years[rows], rtol=1e-3)


# --- the equation ---------------------------------------------------------------------------------------------


def test_a_curve_at_a_maturity_by_hand() -> None:
    """At m = tau1 = 2 tau2 the exponents are 1 and 2."""
    e1, e2 = 0.36787944117144233, 0.1353352832366127
    expected = 3 - 2 * (1 - e1) + 1.5 * (1 - 2 * e1) + 4 * ((1 - e2) / 2 - e2)
    found = curves(np.array([[3.0, -2, 1.5, 4]]), np.array([[2.0, 1]])).yields_pct([2])
    np.testing.assert_allclose(found, [[expected]], rtol=0, atol=1e-12)


def test_a_curve_runs_from_level_plus_slope_to_level() -> None:
    curve = curves(np.array([[3.0, -2, 1.5, 4], [1, 1, 1, 1]]), np.array([[1.5, 6], [1, 9]]))
    np.testing.assert_allclose(curve.yields_pct([1e-7, 1e9]), [[1, 3], [2, 1]], rtol=0, atol=1e-6)


def test_a_hump_peaks_at_1793_thousandths_of_tau() -> None:
    maturities = np.linspace(0.1, 30, 29_901)
    (hump,) = curves(np.array([[0.0, 0, 0, 1]]), np.array([[1.0, 4]])).yields_pct(maturities)
    assert maturities[hump.argmax()] == pytest.approx(1.793 * 4, abs=0.01)


# --- Diebold-Li -----------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.lists(st.floats(-15, 15), min_size=3, max_size=3),
    st.floats(0.1, 3),
    st.sets(st.sampled_from(TENORS_YEARS.tolist())),
)
def test_known_factors_return_whichever_tenors_are_missing(
    factors: list[float], decay: float, missing: set[float]
) -> None:
    yields = loadings(TENORS_YEARS, decay) @ factors
    yields[np.isin(TENORS_YEARS, list(missing - {1, 5, 20}))] = np.nan
    fitted = fit_diebold_li(TENORS_YEARS, yields, decay)
    np.testing.assert_allclose(fitted.factors, [factors], rtol=0, atol=1e-8)
    np.testing.assert_allclose(fitted.taus_years, [[1 / decay]])
    assert fitted.rmse_bp[0] < 1e-8


@pytest.mark.parametrize("decay", [0.02, 0.2, DECAY, 2.0, 3.0])
@pytest.mark.parametrize("text", ["1974-09-24", "1990-10-01", "2003-06-11", "2016-07-06", "2026-06-30"])
def test_it_is_least_squares(text: str, decay: float) -> None:
    yields = panel()[day(text)]
    here = ~np.isnan(yields)
    design = loadings(TENORS_YEARS[here], decay)
    expected, *_ = np.linalg.lstsq(design, yields[here])
    fitted = fit_diebold_li(TENORS_YEARS, yields, decay)
    np.testing.assert_allclose(fitted.factors[0], expected, rtol=1e-7, atol=1e-8)
    misfit_bp = 100 * (yields[here] - design @ expected)
    assert fitted.rmse_bp[0] == pytest.approx((misfit_bp @ misfit_bp / here.sum()) ** 0.5, abs=1e-9)


def test_the_decay_is_diebold_and_lis_unless_given() -> None:
    usual, given_ = fit_diebold_li(TENORS_YEARS, panel()[-100:]), fit_diebold_li(TENORS_YEARS, panel()[-100:], DECAY)
    np.testing.assert_array_equal(usual.factors, given_.factors)
    months = np.arange(1, 121)
    hump = loadings(months / 12, DECAY)[:, 2]
    assert months[hump.argmax()] in {29, 30}


def test_factors_are_linear_in_the_yields() -> None:
    one, other = panel()[-100:], panel()[-1100:-1000]
    together = fit_diebold_li(TENORS_YEARS, 2 * one - 3 * other + 1).factors
    separate = 2 * fit_diebold_li(TENORS_YEARS, one).factors - 3 * fit_diebold_li(TENORS_YEARS, other).factors
    np.testing.assert_allclose(together, separate + np.array([1, 0, 0]), rtol=0, atol=1e-10)


def test_diebold_li_over_the_whole_history() -> None:
    fitted = fit_diebold_li(TENORS_YEARS, panel())
    assert np.isfinite(fitted.factors).all()
    np.testing.assert_allclose(rmse_bp(fitted, TENORS_YEARS, panel()), fitted.rmse_bp, rtol=0, atol=1e-9)
    order = np.random.default_rng(1).permutation(15)
    other = fit_diebold_li(TENORS_YEARS[order], panel()[:, order])
    np.testing.assert_allclose(other.factors, fitted.factors, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("fit", "least"),
    [(fit_diebold_li, 3), (lambda tenors, yields: fit_diebold_li(tenors, yields, None), 4), (fit_svensson, 6)],
    ids=["diebold-li", "free decay", "svensson"],
)
def test_a_day_needs_its_number_of_tenors(fit: object, least: int) -> None:
    yields = np.where(np.arange(15) < np.arange(16)[:, None], panel()[-1], np.nan)  # none, one, ..., 15 tenors
    fitted = fit(TENORS_YEARS, yields)  # type: ignore[operator]
    enough = np.arange(16) >= least
    assert np.isfinite(fitted.factors).all(axis=1).tolist() == enough.tolist()
    for values in (fitted.factors, fitted.taus_years, fitted.rmse_bp[:, None]):
        assert np.array_equal(np.isfinite(values), np.broadcast_to(enough[:, None], values.shape))


# --- Diebold-Li with a decay of each day's own ----------------------------------------------------------------


@cache
def fixed_decays() -> list[tuple[FittedCurves, np.ndarray]]:
    """The whole history with twelve decays, and for each the days (day,) without absurd betas."""
    fits = [fit_diebold_li(TENORS_YEARS, panel(), decay) for decay in np.geomspace(0.02, 5, 12)]
    return [(fitted, largest_beta(fitted) <= 1000) for fitted in fits]


def test_a_pronounced_hump_gives_its_decay_away() -> None:
    random = np.random.default_rng(1)
    factors = random.uniform([0, -5, 3], [6, 5, 8], (500, 3)) * random.choice([[1, 1, -1], [1, 1, 1]], 500)
    taus = 1 / random.uniform(0.2, 2, (500, 1))
    fitted = fit_diebold_li(TENORS_YEARS, curves(factors, taus).yields_pct(TENORS_YEARS), None)
    assert fitted.rmse_bp.max() < 1e-5
    np.testing.assert_allclose(fitted.taus_years, taus, rtol=1e-5)
    np.testing.assert_allclose(fitted.factors, factors, rtol=0, atol=1e-4)


def test_a_free_decay_fits_as_well_as_any_fixed_one() -> None:
    """A neighbouring optimum may be taken for the best: rarely, and it costs next to nothing.

    Betas beyond 1000, which cancel, are not matched: days of 1978 without the shortest bonds invite them.
    """
    loss_bp = np.concatenate([(free_decay().rmse_bp - fixed.rmse_bp)[sound] for fixed, sound in fixed_decays()])
    assert len(loss_bp) > 157_000
    assert loss_bp.max() < 0.01
    assert (loss_bp > 0.001).sum() <= 30


def test_a_free_decay_is_between_its_bounds() -> None:
    assert free_decay().taus_years.min() > 0.0999
    assert free_decay().taus_years.max() < 91
    np.testing.assert_allclose(rmse_bp(free_decay(), TENORS_YEARS, panel()), free_decay().rmse_bp, rtol=0, atol=1e-6)


# --- Svensson: curves that are known --------------------------------------------------------------------------


def known_curves(count: int) -> FittedCurves:
    random = np.random.default_rng(1)
    factors = random.uniform([0, -5, -8, -8], [6, 5, 8, 8], (count, 4))
    tau1 = random.uniform(0.5, 4, count)
    tau2 = tau1 * random.uniform(1.5, np.minimum(10, 30 / tau1))
    return curves(factors, np.column_stack([tau1, tau2]))


@pytest.mark.parametrize("tenors", [TENORS_YEARS, TO_NINE_YEARS], ids=["15 tenors", "9 tenors"])
def test_known_curves_are_recovered(tenors: np.ndarray) -> None:
    """Of 60,000 curves about 1 in 1,000 end at a neighbouring optimum, none 0.5 bp away."""
    known = known_curves(2000).yields_pct(tenors)
    fitted = fit_svensson(tenors, known)
    assert (fitted.rmse_bp > 0.01).mean() <= 0.002
    assert fitted.rmse_bp.max() < 0.5
    assert np.median(fitted.rmse_bp) < 1e-3


def test_recovered_curves_have_the_known_parameters() -> None:
    """Where both humps can be seen: one of next to nothing may lie anywhere."""
    known = known_curves(500)
    fitted = fit_svensson(TENORS_YEARS, known.yields_pct(TENORS_YEARS))
    seen = (np.abs(known.factors[:, 2:]) > 1).all(axis=1)
    right = (np.abs(fitted.factors - known.factors) < 0.01).all(axis=1) & seen
    assert right.sum() > 0.97 * seen.sum() > 300
    np.testing.assert_allclose(fitted.taus_years[right], known.taus_years[right], rtol=1e-3)


def test_between_its_tenors_a_recovered_curve_is_the_known_one() -> None:
    known = known_curves(500)
    fitted = fit_svensson(TENORS_YEARS, known.yields_pct(TENORS_YEARS))
    off_bp = 100 * np.abs(fitted.yields_pct([1.5, 7.5, 12, 17, 27, 35]) - known.yields_pct([1.5, 7.5, 12, 17, 27, 35]))
    assert np.quantile(off_bp, 0.99) < 0.01


def test_three_factors_are_a_svensson_curve_too() -> None:
    random = np.random.default_rng(2)
    known = curves(random.uniform([0, -5, -8], [6, 5, 8], (500, 3)), 1 / random.uniform(0.1, 3, (500, 1)))
    fitted = fit_svensson(TENORS_YEARS, known.yields_pct(TENORS_YEARS))
    assert fitted.rmse_bp.max() < 0.01
    assert largest_beta(fitted).max() < 20


@pytest.mark.parametrize("level", [-0.5, 0, 2, 8])
def test_a_flat_curve_is_its_level(level: float) -> None:
    fitted = fit_svensson(TENORS_YEARS, np.full(15, level, float))
    np.testing.assert_allclose(fitted.factors, [[level, 0, 0, 0]], rtol=0, atol=1e-3)
    np.testing.assert_allclose(fitted.yields_pct([0.5, 7, 50]), level, rtol=0, atol=1e-4)
    assert fitted.rmse_bp[0] < 1e-3


# --- Svensson: the whole history ------------------------------------------------------------------------------


def test_every_day_with_six_tenors_has_a_curve() -> None:
    enough = (~np.isnan(panel())).sum(axis=1) >= 6
    assert enough.all()
    for values in (svensson().factors, svensson().taus_years, svensson().rmse_bp):
        assert np.isfinite(values).all()


def test_the_second_hump_comes_after_the_first() -> None:
    first, second = svensson().taus_years.T
    assert (second > 1.0999 * first).all()
    assert first.min() > 0.0999
    assert second.max() < 100.001


def test_four_factors_fit_no_worse_than_three() -> None:
    assert (svensson().rmse_bp <= free_decay().rmse_bp).all()
    for fixed, sound in fixed_decays():
        assert (svensson().rmse_bp <= fixed.rmse_bp)[sound].all()
    any_betas = np.min([fixed.rmse_bp for fixed, _ in fixed_decays()], axis=0)
    worse_bp = svensson().rmse_bp - any_betas  # three factors may do it with millions, on days of 1978 and 1979
    assert (worse_bp > 0.001).sum() <= 2
    assert worse_bp.max() < 0.1


def test_betas_are_of_the_size_of_yields() -> None:
    largest = largest_beta(svensson())
    assert largest[dates() >= np.datetime64("1999-09-02")].max() < 50
    assert (largest > 50).sum() < 80
    assert (largest > 100).sum() < 40
    assert largest.max() < 500


def ridge_fit(taus: np.ndarray, ridge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each day at its taus the betas (day, 4) under a ridge (day,), and the objective (day,): solved anew."""
    x = TENORS_YEARS[:, None] / taus[:, None]
    slope = (1 - np.exp(-x)) / x
    design = np.concatenate([np.ones_like(x[..., :1]), slope[..., :1], slope - np.exp(-x)], axis=2)
    design[np.isnan(panel())] = 0
    yields = np.nan_to_num(panel())
    gram = design.transpose(0, 2, 1) @ design + ridge[:, None, None] * np.eye(4)
    betas = np.linalg.solve(gram, np.einsum("dnk,dn->dk", design, yields)[..., None])[..., 0]
    residuals = yields - np.einsum("dnk,dk->dn", design, betas)
    return betas, (residuals**2).sum(axis=1) + ridge * (betas**2).sum(axis=1)


def test_it_is_the_documented_optimum() -> None:
    """Betas of 20 percentage points weighed by the day's own misfit variance, and no better taus 1 % away.

    Not on the days, 3 in 100, whose prior is widened lest four factors fit worse than three; nor on the few whose search
    ended in a narrow valley.
    """
    count = (~np.isnan(panel())).sum(axis=1)
    noise = count * (svensson().rmse_bp / 100) ** 2 / (count - 4)
    ridge = np.maximum(noise, 5e-5**2) / 20**2
    betas, objective = ridge_fit(svensson().taus_years, ridge)
    as_expected = np.abs(betas - svensson().factors).max(axis=1) < 1e-2 * (1 + largest_beta(svensson()))
    assert as_expected.mean() > 0.96
    nearby = []
    for step in ([1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [1, -1], [-1, 1]):
        taus = np.clip(svensson().taus_years * np.exp(0.01 * np.array(step)), 0.1, 100)
        taus[:, 1] = np.maximum(taus[:, 1], 1.1 * taus[:, 0])
        nearby.append(ridge_fit(taus, ridge)[1])
    better = np.min(nearby, axis=0) < objective * (1 - 1e-4)
    assert better[as_expected].mean() < 0.05


def test_the_misfit_is_that_of_the_curve() -> None:
    np.testing.assert_allclose(rmse_bp(svensson(), TENORS_YEARS, panel()), svensson().rmse_bp, rtol=0, atol=1e-9)


def test_curves_move_as_the_yields_do() -> None:
    """Whatever the parameters do: they may jump to another optimum, the curve at the tenors hardly does."""
    since = dates() >= ALL_TENORS_SINCE
    curve, yields = svensson().yields_pct(TENORS_YEARS)[since], panel()[since]
    apart_bp = 100 * np.abs(np.diff(curve, axis=0) - np.diff(yields, axis=0)).max(axis=1)
    assert np.median(apart_bp) < 0.6
    assert np.quantile(apart_bp, 0.99) < 5
    assert apart_bp.max() < 10


def test_where_no_wider_expectation_helps_three_factors_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """With none to try, every day that has one otherwise: 3 in 100, as in the spring of 1979."""
    monkeypatch.setattr(nelson_siegel, "WIDER_PRIORS_PCT", [])
    spring = (dates() >= np.datetime64("1979-02-01")) & (dates() < np.datetime64("1979-04-01"))
    fitted = fit_svensson(TENORS_YEARS, panel()[spring])
    three = fit_diebold_li(TENORS_YEARS, panel()[spring], None)
    taken = fitted.factors[:, 3] == 0
    assert taken.sum() > 10
    np.testing.assert_array_equal(fitted.factors[taken, :3], three.factors[taken])
    np.testing.assert_array_equal(fitted.rmse_bp[taken], three.rmse_bp[taken])
    assert (fitted.rmse_bp <= three.rmse_bp).all()
    np.testing.assert_allclose(rmse_bp(fitted, TENORS_YEARS, panel()[spring]), fitted.rmse_bp, rtol=0, atol=1e-6)


# --- Svensson: a day depends on no other ----------------------------------------------------------------------


def test_the_order_of_days_does_not_matter() -> None:
    order = np.random.default_rng(1).permutation(len(panel()))
    assert_same(fit_svensson(TENORS_YEARS, panel()[order]), svensson(), order)


def test_the_same_days_have_the_same_curves_to_the_last_bit() -> None:
    one, other = (fit_svensson(TENORS_YEARS, panel()[::20]) for _ in range(2))
    for name, values in vars(one).items():
        np.testing.assert_array_equal(values, vars(other)[name])


def test_the_order_of_tenors_does_not_matter() -> None:
    order = np.random.default_rng(2).permutation(15)
    other = fit_svensson(TENORS_YEARS[order], panel()[::4, order])
    np.testing.assert_allclose(other.rmse_bp, svensson().rmse_bp[::4], rtol=0, atol=1e-3)


@pytest.mark.parametrize("text", ["1974-09-24", "1978-08-15", "1990-10-01", "2008-10-28", "2026-06-30"])
def test_a_day_alone_is_as_it_is_among_others(text: str) -> None:
    row = day(text)
    alone = fit_svensson(TENORS_YEARS, panel()[row])
    assert alone.factors.shape == (1, 4)
    assert_same(alone, svensson(), [row])


def test_a_missing_tenor_changes_its_day_only() -> None:
    days = panel()[-100:].copy()
    days[7, 9] = np.nan
    fitted = fit_svensson(TENORS_YEARS, days)
    others = np.arange(100) != 7
    recent = FittedCurves(*(values[-100:] for values in vars(svensson()).values()))
    assert_same(FittedCurves(*(values[others] for values in vars(fitted).values())), recent, others)
    here = ~np.isnan(days[7])
    assert_same(fit_svensson(TENORS_YEARS[here], days[7, here]), fitted, [7])
    assert np.abs(fitted.factors[7] - recent.factors[7]).max() > 1e-3


@pytest.mark.parametrize("tenors", [[1, 2, 3], [4, 7, 10], [25, 30, 40]])
def test_a_tenor_that_was_never_there_is_a_missing_one(tenors: list[float]) -> None:
    """As the 40-year before 2007 and the shortest bonds of 1978."""
    days = panel()[-300:].copy()
    gone = np.isin(TENORS_YEARS, tenors)
    days[:, gone] = np.nan
    holed, whole = fit_svensson(TENORS_YEARS, days), fit_svensson(TENORS_YEARS[~gone], days[:, ~gone])
    assert_same(holed, whole)
    assert_same(fit_diebold_li(TENORS_YEARS, days), fit_diebold_li(TENORS_YEARS[~gone], days[:, ~gone]))


def test_yields_turned_upside_down_turn_the_curve() -> None:
    days = panel()[::40]
    upright, turned = fit_svensson(TENORS_YEARS, days), fit_svensson(TENORS_YEARS, -days)
    assert_same(FittedCurves(-turned.factors, turned.taus_years, turned.rmse_bp), upright)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_misfit_scales_with_the_yields(scale: float) -> None:
    """Not exactly: yields twice as large speak twice as loud against the betas' expected size."""
    days = panel()[dates() >= ALL_TENORS_SINCE][::10]
    ratio = fit_svensson(TENORS_YEARS, scale * days).rmse_bp / (scale * fit_svensson(TENORS_YEARS, days).rmse_bp)
    assert np.median(ratio) == pytest.approx(1, abs=0.05)
    assert ratio.max() < 2


def test_no_day_at_all_and_days_without_yields() -> None:
    for fit, factors in ((fit_diebold_li, 3), (fit_svensson, 4)):
        none = fit(TENORS_YEARS, np.empty((0, 15)))
        assert (none.factors.shape, none.taus_years.shape, none.rmse_bp.shape) == ((0, factors), (0, factors - 2), (0,))
        empty = fit(TENORS_YEARS, np.full((2, 15), np.nan))
        assert np.isnan(empty.factors).all()
        assert np.isnan(empty.rmse_bp).all()
    assert fit_diebold_li(TENORS_YEARS, np.empty((0, 15)), None).factors.shape == (0, 3)


def test_what_is_given_is_not_changed() -> None:
    days = panel()[:20].copy()
    fit_svensson(TENORS_YEARS, days)
    fit_diebold_li(TENORS_YEARS, days)
    np.testing.assert_array_equal(days, panel()[:20])


@pytest.mark.parametrize("fit", [fit_diebold_li, fit_svensson])
@pytest.mark.parametrize(
    ("tenors", "values", "trouble"),
    [
        ([1, 2], [[1, 2, 3]], r"\(1, 3\) values do not fit \(2,\) tenors"),
        ([-1, 2], [[1, 2]], r"tenors must be positive.*\[-1\.0, 2\.0\]"),
        ([2, 2], [[1, 2]], "each once"),
        ([1, np.inf], [[1, 2]], "tenors must be positive"),
        ([1, 7], [[1, 2], [-np.inf, 1]], "day 1 at 1 years is infinite"),
    ],
)
def test_what_does_not_fit_is_named(fit: object, tenors: list[float], values: list[list[float]], trouble: str) -> None:
    with pytest.raises(ValueError, match=trouble):
        fit(tenors, values)  # type: ignore[operator]


@pytest.mark.parametrize("decay", [0, -0.7308, np.nan, np.inf])
def test_a_decay_is_positive(decay: float) -> None:
    with pytest.raises(ValueError, match="decay_per_year must be positive"):
        fit_diebold_li(TENORS_YEARS, panel()[-1], decay)
