"""Par, zero and forward: each follows from the others on every day that was ever published."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from curves import ALL_TENORS_SINCE, TENORS_YEARS, dates, day, panel, zeros
from hypothesis import given, settings
from hypothesis import strategies as st

from jgb_assets.analytics import par_to_zero, zero_to_par

TIMES = np.arange(1, 81) / 2
AT_TENOR = (2 * TENORS_YEARS).astype(int) - 1


def rises(discount: np.ndarray) -> np.ndarray:
    """The days (day,) on which a later payment is worth more than an earlier one."""
    return (np.diff(discount, axis=1, prepend=1.0) > 0).any(axis=1)


def test_the_grid_is_every_half_year_to_the_longest_tenor() -> None:
    assert zeros().times_years.tolist() == TIMES.tolist()
    assert zeros().discount.shape == zeros().zero_pct.shape == zeros().forward_pct.shape == (13_248, 80)
    assert np.array_equal(np.isnan(zeros().discount), np.isnan(zeros().par_pct))


@pytest.mark.parametrize(("column", "tenor"), list(enumerate(TENORS_YEARS.astype(int))))
def test_a_bond_with_the_published_yield_as_its_coupon_is_worth_100(column: int, tenor: int) -> None:
    coupons = panel()[:, column] / 2
    days = ~np.isnan(coupons)
    discount = zeros().discount[days, : 2 * tenor]
    price = sum(coupons[days] * discount[:, number] for number in range(2 * tenor)) + 100 * discount[:, -1]
    assert days.sum() > 4_000
    assert np.abs(price - 100).max() < 1e-10


def test_the_way_back_ends_at_the_published_yields() -> None:
    back = zero_to_par(TIMES, zeros().zero_pct)[:, AT_TENOR]
    published = ~np.isnan(panel())
    assert np.abs(back - panel())[published].max() < 1e-10


def test_the_way_back_by_the_annuity() -> None:
    """The coupon that buys 1 less what is repaid, on every half year."""
    factors = (1 + zeros().zero_pct[-1] / 200) ** (-2 * TIMES)
    expected = [200 * (1 - factors[n]) / factors[: n + 1].sum() for n in range(80)]
    np.testing.assert_allclose(zero_to_par(TIMES, zeros().zero_pct[-1])[0], expected, rtol=0, atol=1e-12)


def test_discount_factors_are_positive() -> None:
    assert np.nanmin(zeros().discount) > 0.17


def test_the_days_on_which_discount_rises_while_every_yield_is_positive() -> None:
    """Negative forwards: the yields of neighbouring tenors ask for them, or the straight line between does."""
    positive = ~(panel() <= 0).any(axis=1)
    odd = positive & rises(zeros().discount)
    assert Counter(dates()[odd].astype("M8[Y]").astype(str)) == {
        "1986": 26,
        "1988": 21,
        "2013": 4,
        "2014": 2,
        "2015": 29,
    }
    assert odd.sum() == 82
    assert dates()[odd].max() == np.datetime64("2015-11-05")
    assert (positive & rises(zeros().discount[:, AT_TENOR])).sum() == 63


def test_forwards_compound_to_discount_factors() -> None:
    product = np.cumprod(1 / (1 + zeros().forward_pct / 200), axis=1)
    assert np.array_equal(np.isnan(product), np.isnan(zeros().discount))
    assert np.nanmax(np.abs(product - zeros().discount)) < 1e-10


def test_forwards_compound_between_any_two_dates() -> None:
    growth = np.prod(1 + zeros().forward_pct[:, 10:20] / 200, axis=1)  # the half years that end at 5.5, ..., 10
    np.testing.assert_allclose(zeros().forward_between_pct(5, 10), 200 * (growth**0.1 - 1), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("start", "end"), [(5, 10), (1, 2), (10, 20), (30, 40), (0.5, 40), (9.5, 10)])
def test_a_forward_joins_two_zeros(start: float, end: float) -> None:
    earlier, later = ((1 + zeros().zero_at_pct(time) / 200) ** (2 * time) for time in (start, end))
    forward = zeros().forward_between_pct(start, end)
    assert np.array_equal(np.isnan(forward), np.isnan(zeros().zero_at_pct(end)))
    assert np.nanmax(np.abs(earlier * (1 + forward / 200) ** (2 * (end - start)) - later)) < 1e-10


def test_the_first_half_year_is_zero_forward_and_par_at_once() -> None:
    for rates in (zeros().zero_pct, zeros().forward_pct, zeros().par_pct):
        np.testing.assert_allclose(rates[:, 0], zeros().zero_at_pct(0.5), rtol=0, atol=1e-10)


def test_a_rising_curve_has_zeros_above_par_and_forwards_above_zeros() -> None:
    curve = par_to_zero(TENORS_YEARS, 1 + 0.05 * TENORS_YEARS)
    later = slice(2, None)
    assert (curve.zero_pct[0, later] > curve.par_pct[0, later]).all()
    assert (curve.forward_pct[0, later] > curve.zero_pct[0, later]).all()


@settings(deadline=None)
@given(st.floats(-1, 15), st.sets(st.sampled_from(TENORS_YEARS.tolist()), min_size=1))
def test_a_flat_curve_is_its_own_zero_and_forward(rate: float, tenors: set[float]) -> None:
    curve = par_to_zero(sorted(tenors), [rate] * len(tenors))
    assert curve.times_years[-1] == max(tenors)
    for rates in (curve.par_pct, curve.zero_pct, curve.forward_pct, zero_to_par(curve.times_years, curve.zero_pct)):
        np.testing.assert_allclose(rates, rate, rtol=0, atol=1e-9)


def test_three_half_years_by_hand() -> None:
    """Half a year at 2 %, one and a half at 4 %, so a year at 3 %: coupons 1, 1.5 and 2."""
    half = Fraction(100, 101)
    one = (1 - Fraction("0.015") * half) / Fraction("1.015")
    one_and_half = (1 - Fraction("0.02") * (half + one)) / Fraction("1.02")
    assert half + one == Fraction(40200, 20503)
    assert float(one_and_half) == pytest.approx(0.941947280790, abs=1e-12)
    curve = par_to_zero([0.5, 1.5], [2, 4])
    assert curve.times_years.tolist() == [0.5, 1, 1.5]
    np.testing.assert_allclose(curve.par_pct, [[2, 3, 4]], rtol=0, atol=1e-12)
    np.testing.assert_allclose(curve.discount, [[float(half), float(one), float(one_and_half)]], rtol=0, atol=1e-14)
    np.testing.assert_allclose(curve.zero_pct, [[2, 3.007537549, 4.027071867]], rtol=0, atol=1e-9)
    np.testing.assert_allclose(curve.forward_pct, [[2, 4.020100503, 6.081526981]], rtol=0, atol=1e-9)


def test_between_tenors_the_par_yield_lies_on_a_straight_line() -> None:
    early = dates() < np.datetime64("1978-05-22")
    np.testing.assert_allclose(zeros().par_pct[early, 2], panel()[early, :2].mean(axis=1), rtol=0, atol=1e-12)
    late = dates() >= ALL_TENORS_SINCE
    thirty, forty = panel()[late, -2:].T
    np.testing.assert_allclose(zeros().par_pct[late, 64], (3 * thirty + forty) / 4, rtol=0, atol=1e-12)


def test_before_its_first_auction_the_15_year_lies_between_10_and_20() -> None:
    days = (dates() >= np.datetime64("1986-12-01")) & (dates() < np.datetime64("1991-08-30"))
    ten, fifteen, twenty = panel()[days][:, [9, 10, 11]].T
    assert np.isnan(fifteen).all()
    np.testing.assert_allclose(zeros().par_pct[days, 29], (ten + twenty) / 2, rtol=0, atol=1e-12)
    assert np.isfinite(zeros().discount[days, :40]).all()


def test_below_the_shortest_tenor_the_par_yield_is_flat() -> None:
    np.testing.assert_array_equal(zeros().par_pct[-1, :2], panel()[-1, [0, 0]])
    shortest_is_four = day("1978-06-01")
    np.testing.assert_allclose(zeros().par_pct[shortest_is_four, :8], panel()[shortest_is_four, 3], rtol=0, atol=1e-12)
    np.testing.assert_allclose(zeros().zero_pct[shortest_is_four, :8], panel()[shortest_is_four, 3], rtol=0, atol=1e-9)


def test_there_is_nothing_beyond_the_longest_tenor_of_a_day() -> None:
    longest = np.where(np.isnan(panel()), 0, TENORS_YEARS).max(axis=1)
    assert np.array_equal(np.isfinite(zeros().zero_pct), longest[:, None] >= TIMES)
    has_forty = np.isfinite(zeros().zero_at_pct(40))
    assert np.array_equal(has_forty, dates() >= ALL_TENORS_SINCE)
    assert np.isnan(zeros().zero_at_pct(40.5)).all()
    assert np.isnan(zeros().forward_between_pct(30, 40)[~has_forty]).all()


def test_without_the_40_year_everything_to_30_years_stays() -> None:
    days = panel()[-500:].copy()
    days[:, -1] = np.nan
    curve = par_to_zero(TENORS_YEARS, days)
    np.testing.assert_allclose(curve.discount[:, :60], zeros().discount[-500:, :60], rtol=0, atol=1e-14)
    assert np.isnan(curve.discount[:, 60:]).all()


def test_a_missing_tenor_changes_its_day_only() -> None:
    days = panel()[-50:].copy()
    days[7, 10] = np.nan
    curve = par_to_zero(TENORS_YEARS, days)
    others = np.arange(50) != 7
    np.testing.assert_allclose(curve.discount[others], zeros().discount[-50:][others], rtol=0, atol=1e-14)
    assert curve.par_pct[7, 29] == pytest.approx((days[7, 9] + days[7, 11]) / 2, abs=1e-12)
    np.testing.assert_allclose(curve.discount[7, :20], zeros().discount[-50:][7, :20], rtol=0, atol=1e-14)


def test_the_order_of_tenors_does_not_matter() -> None:
    order = np.random.default_rng(1).permutation(15)
    curve = par_to_zero(TENORS_YEARS[order], panel()[:, order])
    np.testing.assert_allclose(curve.discount, zeros().discount, rtol=0, atol=1e-14)


def test_one_day_alone_and_no_day() -> None:
    alone = par_to_zero(TENORS_YEARS, panel()[-1])
    np.testing.assert_allclose(alone.discount, zeros().discount[-1:], rtol=0, atol=1e-14)
    assert par_to_zero(TENORS_YEARS, np.empty((0, 15))).forward_pct.shape == (0, 80)
    assert np.isnan(par_to_zero(TENORS_YEARS, np.full((2, 15), np.nan)).discount).all()


@pytest.mark.parametrize(
    ("tenors", "values", "trouble"),
    [
        ([1, 2], [[1, 2, 3]], r"\(1, 3\) values do not fit \(2,\) tenors"),
        ([[1, 2]], [[1, 2]], "do not fit"),
        ([1, 2], [[[1, 2]]], "do not fit"),
        ([0, 1], [[1, 2]], r"tenors must be positive.*\[0\.0, 1\.0\]"),
        ([2, 2], [[1, 2]], r"each once: \[2\.0, 2\.0\]"),
        ([1, np.nan], [[1, 2]], "tenors must be positive"),
        ([1, 7], [[1, 2], [1, np.inf]], "day 1 at 7 years is infinite"),
    ],
)
def test_what_does_not_fit_is_named(tenors: list[float], values: list[list[float]], trouble: str) -> None:
    with pytest.raises(ValueError, match=trouble):
        par_to_zero(tenors, values)
    with pytest.raises(ValueError, match=trouble):
        zero_to_par(tenors, values)


@pytest.mark.parametrize("times", [[1, 2], [0.5, 1.5], [1, 0.5]])
def test_the_way_back_needs_every_half_year(times: list[float]) -> None:
    with pytest.raises(ValueError, match=r"times must be 0\.5, 1, 1\.5"):
        zero_to_par(times, [[1, 2]])


def test_a_curve_of_more_than_64_tenors_with_a_hole() -> None:
    tenors = np.arange(1, 81) / 2
    par = np.vstack([1 + 0.05 * tenors] * 3)
    par[1, -1] = np.nan
    zeros_ = par_to_zero(tenors, par)
    assert np.isnan(zeros_.discount).sum() == 1
    np.testing.assert_array_equal(zeros_.discount[0], zeros_.discount[2])
    np.testing.assert_array_equal(zeros_.discount[0, :-1], zeros_.discount[1, :-1])


def test_a_forward_from_today_is_the_zero_rate() -> None:
    np.testing.assert_array_equal(zeros().forward_between_pct(0, 10), zeros().zero_at_pct(10))


@pytest.mark.parametrize(("start", "end"), [(5, 5), (10, 5), (-1, 5), (0, 0), (0, 7.25), (0.1, 5)])
def test_a_forward_has_a_length_in_half_years(start: float, end: float) -> None:
    with pytest.raises(ValueError, match=r"a forward ends after it starts|known at whole half-years"):
        zeros().forward_between_pct(start, end)
