"""Yields of single bonds and bills: what the ministry printed, and what another arithmetic makes of the same bonds."""

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import count, product, takewhile

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jgb_assets.analytics.bond_yields import (
    bill_yield_pct,
    compound_yield_pct,
    days_between,
    discount_yield_pct,
    price_from_bill_yield,
    price_from_compound_yield,
    price_from_simple_yield,
    published_bill_yield_pct,
    published_simple_yield_pct,
    simple_yield_pct,
    term_days,
)

# Auction, issue, maturity, coupon, average price and yield, lowest price and its yield, as published; then, of some,
# computed: tail by the simple and by the compound yield in bp, compound yields at the average and the lowest price.
AUCTIONS = {
    (row := line.split())[0]: row[1:]
    for line in """\
20y-1987-09-01 1987-09-21 2007-09-20 5.6 96.93   -      95.75   -      13.477 10.406  5.8627  5.9667
2y-2005-06-28  2005-07-20 2007-07-20 0.1 100.06  0.069  100.06  0.069
5y-2007-06-12  2007-06-25 2012-06-20 1.5 99.77   1.549  99.75   1.553
20y-2008-02    2008-02-29 2027-12-20 2.1 99.64   2.125  99.60   2.128
20y-2012-08-23 2012-08-27 2032-06-20 1.6 99.29   1.647  99.05   1.663
20y-2015-10-20 2015-10-22 2035-09-20 1.2 102     1.078  101.90  1.083
2y-2019-08-29  2019-09-02 2021-09-01 0.1 100.829 -0.311 100.825 -0.309 0.197  0.198  -0.3134 -0.3115
10y-2019-09-03 2019-09-04 2029-06-20 0.1 103.68  -0.265 103.66  -0.264
20y-2020-07-21 2020-07-22 2040-06-20 0.4 99.70   0.416  99.65   0.419
30y-2022-02-03 2022-02-04 2051-12-20 0.7 97.86   0.788  97.85   0.788  0.042  0.038   0.7804  0.7808
10y-2023-03-02 2023-03-03 2032-12-20 0.5 100     0.500  100     0.500  0.000  0.000   0.5000  0.5000
30y-2023-12-07 2023-12-08 2053-09-20 1.8 103.55  1.623  102.35  1.681  5.839  5.045   1.6486  1.6991
20y-2025-05-20 2025-05-21 2045-03-20 2.4 99.29   2.453  98.15   2.540  8.707  7.369   2.4453  2.5190
20y-2025-11-19 2025-11-20 2045-09-20 2.7 98.61   2.809  98.30   2.833  2.476  2.067   2.7916  2.8123
20y-2025-12-11 2025-12-12 2045-09-20 2.7 97.28   2.916  97.25   2.919  0.246  0.203   2.8813  2.8833
20y-2026-01-20 2026-01-21 2045-12-20 3.2 99.35   3.253  99.10   3.274  2.088  1.724   3.2444  3.2617
10y-2026-06-02 2026-06-03 2036-03-20 2.4 98.06   2.649  98.01   2.656  0.656  0.589   2.6257  2.6316
5y-2026-06-23  2026-06-24 2031-03-20 2   100.41  1.905  100.35  1.919
20y-2026-06-25 2026-06-26 2046-03-20 3.4 98.34   3.542  98.10   3.564  2.107  1.717   3.5171  3.5343
2y-2026-06-30  2026-07-01 2028-07-01 1.4 99.985  1.407  99.98   1.410  0.257  0.254   1.4076  1.4102
ilb-2026-05-01 2026-05-07 2036-03-10 0.6 100.2   0.578  100.2   0.578
""".splitlines()
}
DAYS = st.dates(date(1980, 1, 1), date(2040, 12, 31))
TERMS = st.integers(1, 14_700)
PRICES = st.integers(2, 4).flatmap(lambda places: st.decimals(40, 200, places=places)).map(Fraction)
COUPONS = st.sampled_from([Fraction(n, 200) for n in range(1801)])  # every 0.1 is among them


def back(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last."""
    year, month = divmod(12 * day.year + day.month - 1 - months, 12)
    return day.replace(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def exact_term(settled: date, matures: date) -> int:
    years = sum(1 for _ in takewhile(lambda n: back(matures, 12 * n) >= settled, count(1)))
    return 365 * years + (back(matures, 12 * years) - settled).days


def exact_price(yield_pct: float | str, coupon_pct: float | str, settled: date, matures: date) -> float:
    """Each payment discounted by itself, to 40 digits."""
    with localcontext(prec=40):
        half = Decimal(str(coupon_pct)) / 2
        growth = 1 + Decimal(str(yield_pct)) / 200
        coupons = [back(matures, 6 * n) for n in takewhile(lambda n: back(matures, 6 * n) > settled, count())][::-1]
        previous = back(matures, 6 * len(coupons))
        left = Decimal((coupons[0] - settled).days) / Decimal((coupons[0] - previous).days)
        first, worth = growth**-left, Decimal(0)
        for number, day in enumerate(coupons):
            worth += (half + (100 if day == matures else 0)) * first * growth**-number
        return float(worth - half * (1 - left))


def cut(value: Fraction, decimals: int) -> float:
    return int(value * 10**decimals) / 10**decimals  # int() goes towards zero


# --- Japanese simple yield ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, row in AUCTIONS.items() if row[4] != "-"])
def test_the_printed_yields_are_those_of_the_printed_prices(name: str) -> None:
    issue, maturity, coupon, average, average_yield, lowest, highest_yield = AUCTIONS[name][:7]
    found = published_simple_yield_pct([float(average), float(lowest)], float(coupon), term_days(issue, maturity))
    assert found.tolist() == [float(average_yield), float(highest_yield)]


@pytest.mark.parametrize(
    ("issue", "maturity", "extra", "coupon", "price", "unrounded", "printed"),
    [
        ("2026-01-21", "2045-12-20", 0, 3.2, 99.35, 3.25379, 3.253),
        ("2026-01-21", "2045-12-20", 0, 3.2, 99.1, 3.27467, 3.274),
        ("2019-09-02", "2021-09-01", 0, 0.1, 100.829, -0.31191, -0.311),
        ("2019-09-02", "2021-09-01", -1, 0.1, 100.829, -0.31248, -0.312),  # what it would be without 29 February
        ("2019-09-02", "2021-09-01", 0, 0.1, 100.825, -0.30994, -0.309),
        ("2015-10-22", "2035-09-20", 0, 1.2, 102, 1.07801, 1.078),
        ("2015-10-22", "2035-09-20", -1, 1.2, 102, 1.07800, 1.077),  # without 29 February
        ("2019-09-04", "2029-06-20", 0, 0.1, 103.68, -0.26593, -0.265),
        ("2007-06-25", "2012-06-20", 0, 1.5, 99.75, 1.55399, 1.553),
        ("2002-09-20", "2012-09-20", 0, 1.2, 99.45, 1.26194, 1.261),  # issued 2002-10-21, for ten years all the same
        ("1999-01-20", "2001-01-22", 1, 0.6, 99.81, 0.69593, 0.695),  # both ends counted
        ("1979-09-10", "1981-08-20", 1, 6.8, 99, 7.38723, 7.387),  # both ends counted
    ],
)
def test_yields_are_cut_towards_zero_and_29_february_counts_in_the_stub(
    issue: str, maturity: str, extra: int, coupon: float, price: float, unrounded: float, printed: float
) -> None:
    days = term_days(issue, maturity) + extra
    assert simple_yield_pct(price, coupon, days) == pytest.approx(unrounded, abs=1e-5)
    assert published_simple_yield_pct(price, coupon, days) == printed


@pytest.mark.parametrize(
    ("settled", "matures", "days"),
    [
        ("2008-02-29", "2027-12-20", 19 * 365 + 295),
        ("2019-09-02", "2021-09-01", 2 * 365),  # a year, and 365 days with a 29 February
        ("2019-08-31", "2021-09-01", 2 * 365 + 1),
        ("2020-02-29", "2024-02-29", 4 * 365),
        ("2020-02-28", "2024-02-29", 4 * 365 + 1),
        ("2020-03-01", "2024-02-29", 3 * 365 + 364),
        ("2023-02-28", "2024-02-29", 365),
        ("2023-03-01", "2024-02-29", 365),
        ("2024-02-29", "2026-02-28", 365 + 365),
        ("2026-01-31", "2026-03-31", 59),
    ],
)
def test_terms_by_hand(settled: str, matures: str, days: int) -> None:
    assert term_days(settled, matures) == days == exact_term(date.fromisoformat(settled), date.fromisoformat(matures))


@settings(deadline=None)
@given(DAYS, st.lists(TERMS, min_size=1, max_size=20))
def test_terms_of_any_bonds(settled: date, actual: list[int]) -> None:
    matures = [settled + timedelta(days) for days in actual]
    assert term_days(settled, matures).tolist() == [exact_term(settled, day) for day in matures]
    assert days_between(settled, matures).tolist() == actual


@settings(deadline=None)
@given(PRICES, COUPONS, DAYS, TERMS)
@example(Fraction(80), Fraction("0.4"), date(2026, 1, 1), 365)  # (0.4 + 20) / 80 is 25.5 %, in floats 25.499...
@example(Fraction("80.0001"), Fraction("0.4"), date(2026, 1, 1), 365)
@example(Fraction(120), Fraction("1.1"), date(2026, 1, 1), 365)  # (1.1 - 20) / 120 is -15.75 %
@example(Fraction("119.9999"), Fraction("1.1"), date(2026, 1, 1), 365)
def test_the_cut_is_exact(price: Fraction, coupon: Fraction, settled: date, actual: int) -> None:
    matures = settled + timedelta(actual)
    exact = 100 * (coupon + (100 - price) * 365 / exact_term(settled, matures)) / price
    days = term_days(settled, matures)
    assert published_simple_yield_pct(float(price), float(coupon), days) == cut(exact, 3)
    assert simple_yield_pct(float(price), float(coupon), days) == pytest.approx(float(exact), rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("days", [1, 730, 14_235])
def test_at_100_the_yield_is_the_coupon(days: int) -> None:
    coupons = np.arange(1801) / 200  # 18 of them are cut too low in floats
    assert published_simple_yield_pct(100, coupons, days).tolist() == coupons.tolist()


@settings(deadline=None)
@given(PRICES.map(float), COUPONS.map(float), TERMS, st.floats(-1.5, 15))
@example(100.0, 0.0, 730, 0.0)
def test_a_simple_yield_and_its_price(price: float, coupon: float, days: int, rate: float) -> None:
    assert price_from_simple_yield(simple_yield_pct(price, coupon, days), coupon, days) == pytest.approx(
        price, rel=1e-12
    )
    priced = price_from_simple_yield(rate, coupon, days)
    assert priced == pytest.approx(100 + days / 365 * (coupon - priced * rate / 100), rel=1e-11)
    assert simple_yield_pct(priced, coupon, days) == pytest.approx(rate, abs=1e-8)


# --- bills and discount bonds ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("issue", "maturity", "extra", "price", "decimals", "printed"),
    [
        ("2019-12-02", "2020-03-09", 0, 100.0405, 4, -0.1507),  # -0.15078, 98 days with a 29 February
        ("2024-07-01", "2024-09-30", 0, 99.9950, 4, 0.0200),
        ("2024-07-01", "2024-09-30", 0, 99.9960, 4, 0.0160),
        ("1986-02-20", "1986-08-20", 1, 97.23, 3, 5.713),  # both ends counted
        ("2026-01-01", "2026-01-09", 0, 91.25, 4, 437.5),  # 8.75 / 91.25 * 365 / 8, in floats 437.49...
    ],
)
def test_the_printed_yields_of_bills(
    issue: str, maturity: str, extra: int, price: float, decimals: int, printed: float
) -> None:
    days = days_between(issue, maturity) + extra
    assert published_bill_yield_pct(price, days, decimals) == printed
    assert 0 <= abs(bill_yield_pct(price, days)) - abs(printed) + 1e-9 < 10.0**-decimals


@settings(deadline=None)
@given(PRICES, st.integers(1, 400), st.sampled_from([3, 4]), st.floats(-5, 15))
def test_bills_of_any_price(price: Fraction, days: int, decimals: int, rate: float) -> None:
    exact = 100 * (100 - price) / price * 365 / days
    assert published_bill_yield_pct(float(price), days, decimals) == cut(exact, decimals)
    assert bill_yield_pct(float(price), days) == pytest.approx(float(exact), rel=1e-12, abs=1e-9)
    assert price_from_bill_yield(bill_yield_pct(float(price), days), days) == pytest.approx(float(price), rel=1e-12)
    assert bill_yield_pct(price_from_bill_yield(rate, days), days) == pytest.approx(rate, abs=1e-8)


def test_a_discount_bond_grows_to_100() -> None:
    """The three-year bond of 2002-10-29 was published at 0.120 and 0.126, cut."""
    prices = np.array([99.64, 99.62, 104, 100])
    found = discount_yield_pct(prices, term_days("2002-11-20", "2005-11-21"))
    np.testing.assert_allclose(prices * (1 + found / 100) ** (1096 / 365), 100, rtol=0, atol=1e-10)
    assert np.floor(1000 * found[:2]).tolist() == [120, 126]
    assert found[2] < 0 == found[3]


# --- semi-annual compound yield -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("issue", "maturity", "coupon", "rate", "price"),
    [
        ("2007-11-20", "2048-03-20", 2.4, 2.435, 99.1025),
        ("2020-01-29", "2059-03-20", 0.5, 0.4, 103.6196),
        ("2022-07-27", "2062-03-20", 1.0, 1.345, 89.4245),  # printed as 89.43
        ("2025-05-29", "2065-03-20", 3.1, 3.135, 99.2043),
        ("2025-11-27", "2065-03-20", 3.1, 3.555, 90.4009),
        ("2026-01-29", "2065-03-20", 3.1, 3.72, 87.2692),
        ("2026-05-28", "2066-03-20", 3.8, 3.84, 99.1832),
        ("2025-10-22", "2035-09-20", 1.6, 1.68, 99.2719),
        ("1999-09-20", "2029-09-20", 2.8, 2.84, 99.1960),  # on a coupon day
        ("2026-02-21", "2027-03-20", 2, 0, 103 - 154 / 181),  # three coupons of 1, less what has accrued of the first
        ("2026-02-21", "2027-03-20", 0, 0, 100),
        ("2026-02-21", "2027-03-20", 0, 2, 100 * 1.01 ** -(2 + 27 / 181)),  # 27 days of 181 are left
        ("2026-02-21", "2027-03-20", 0, -2, 100 * 0.99 ** -(2 + 27 / 181)),
    ],
)
def test_prices_derived_from_the_yield_that_was_bid(
    issue: str, maturity: str, coupon: float, rate: float, price: float
) -> None:
    found = price_from_compound_yield(rate, coupon, issue, maturity)
    assert found == pytest.approx(price, abs=5.001e-5)
    assert compound_yield_pct(found, coupon, issue, maturity) == pytest.approx(rate, abs=1e-10)


@pytest.mark.parametrize("name", [name for name, row in AUCTIONS.items() if len(row) > 7])
def test_compound_yields_and_both_tails(name: str) -> None:
    issue, maturity, coupon, average, _, lowest, _, simple_bp, compound_bp, *yields = AUCTIONS[name]
    prices = [float(average), float(lowest)]
    compound = compound_yield_pct(prices, float(coupon), issue, maturity)
    np.testing.assert_allclose(compound, [float(rate) for rate in yields], rtol=0, atol=5.001e-5)
    assert 100 * np.diff(compound) == pytest.approx(float(compound_bp), abs=5.001e-4)
    simple = simple_yield_pct(prices, float(coupon), term_days(issue, maturity))
    assert 100 * np.diff(simple) == pytest.approx(float(simple_bp), abs=5.001e-4)


@settings(deadline=None, max_examples=60)
@given(st.integers(-2000, 15000), COUPONS.map(float), DAYS, TERMS)
@example(0, 2.4, date(2025, 5, 21), 7243)
@example(1500, 0.0, date(2025, 5, 21), 7243)
@example(1500, 2.0, date(2028, 2, 29), 184)  # a coupon day of 31 August
@example(1500, 2.0, date(2027, 8, 29), 184)  # of 29 February, whose other coupon falls on 29 August
def test_prices_of_any_bonds(thousandths: int, coupon: float, settled: date, actual: int) -> None:
    matures, rate = settled + timedelta(actual), thousandths / 1000
    found = price_from_compound_yield(rate, coupon, settled, matures)
    assert found == pytest.approx(exact_price(rate, coupon, settled, matures), rel=1e-11, abs=1e-11)


@settings(deadline=None)
@given(st.integers(1, 80), COUPONS.map(float), st.floats(-1.5, 15).filter(lambda y: abs(y) > 0.01), DAYS)
@example(7, 3.0, 3.0, date(2036, 2, 29))
@example(8, 3.0, 3.0, date(2035, 8, 31))
def test_on_a_coupon_day_the_price_is_the_annuitys(number: int, coupon: float, rate: float, matures: date) -> None:
    factor = (1 + rate / 200) ** -number
    expected = 100 * coupon / rate * (1 - factor) + 100 * factor
    found = price_from_compound_yield(rate, coupon, back(matures, 6 * number), matures)
    assert found == pytest.approx(expected, rel=1e-10)


@settings(deadline=None)
@given(st.integers(60_0000, 130_0000), COUPONS.map(float), DAYS, st.integers(365, 14_700))
def test_the_compound_yield_is_that_of_the_price(units: int, coupon: float, settled: date, actual: int) -> None:
    matures = settled + timedelta(actual)
    found = compound_yield_pct(units / 10_000, coupon, settled, matures)
    assert exact_price(found, coupon, settled, matures) == pytest.approx(units / 10_000, abs=1e-9)


@pytest.mark.parametrize(
    ("settled", "coupon", "rate"),
    [
        *[(date(2026, 1, 29), 0, 5), (date(2036, 1, 29), 0, 8), (date(2046, 1, 29), 0, 12)],  # deep discounts
        *[(date(2026, 1, 29), 0.5, 8), (date(2036, 1, 29), 0.5, 12), (date(2026, 1, 29), 9, 15)],
    ],
)
def test_every_bond_has_a_compound_yield(settled: date, coupon: float, rate: float) -> None:
    price = exact_price(rate, coupon, settled, date(2066, 3, 20))
    assert compound_yield_pct(price, coupon, settled, "2066-03-20") == pytest.approx(rate, abs=1e-8)


@pytest.mark.parametrize("days", range(1, 13))
def test_a_bond_has_a_compound_yield_to_its_last_day(days: int) -> None:
    settled = date(2066, 3, 20) - timedelta(days)
    for rate, coupon in product((-0.5, 0, 0.005, 0.5, 1, 2, 3, 5, 9), (0, 0.1, 0.5, 1, 2, 3, 5)):
        price = exact_price(rate, coupon, settled, date(2066, 3, 20))
        assert compound_yield_pct(price, coupon, settled, "2066-03-20") == pytest.approx(rate, abs=1e-8)


def test_only_what_is_missing_has_no_yield() -> None:
    found = compound_yield_pct([99, np.nan, 101, 100], [2, 2, np.nan, 2], "2026-03-20", "2036-03-20")
    assert np.isnan(found).tolist() == [False, True, True, False]
    assert found[3] == pytest.approx(2, abs=1e-12)
    assert found[0] == pytest.approx(compound_yield_pct(99, 2, "2026-03-20", "2036-03-20"), abs=1e-12)


# --- shapes and refusals --------------------------------------------------------------------------------------


def test_bonds_of_all_lengths_at_once_are_each_as_alone() -> None:
    bonds = (
        np.array([0.1, 2, 0]),
        ["2026-01-29", "2026-03-20", "2028-02-29"],
        ["2028-02-01", "2065-03-20", "2028-08-31"],
    )
    for function, values in ((price_from_compound_yield, [-0.3, 3.5, 0]), (compound_yield_pct, [97.5, 101, 99.25])):
        alone = [float(function(*bond)) for bond in zip(values, *bonds, strict=True)]
        np.testing.assert_allclose(function(values, *bonds), alone, rtol=0, atol=1e-11, strict=True)
        assert function([], [], [], []).shape == (0,)


@pytest.mark.parametrize("maturity", ["2026-06-25", "2026-06-24", "NaT"])
@pytest.mark.parametrize("function", [term_days, days_between, price_from_compound_yield, compound_yield_pct])
def test_a_bond_matures_after_settlement(function: Callable[..., np.ndarray], maturity: str) -> None:
    rates = () if function in {term_days, days_between} else ([3, 3], [3, 3])
    with pytest.raises(ValueError, match="matures after settlement"):
        function(*rates, ["2026-06-25", "2026-06-25"], ["2046-03-20", maturity])


@pytest.mark.parametrize("bad", [99.99999, 100.00005, np.nan])
def test_what_has_more_than_4_decimals_was_never_printed(bad: float) -> None:
    assert published_simple_yield_pct([99.9999, 100], [0.0001, 1], 365).tolist() == [0, 1]
    for name, function, *arguments in (
        ("price", published_simple_yield_pct, [100, bad], 1, 365),
        ("coupon_pct", published_simple_yield_pct, 100, [1, bad], 365),
        ("price", published_bill_yield_pct, [100, bad], 91),
    ):
        with pytest.raises(ValueError, match=f"^{name} has more than 4 decimals, or is missing"):
            function(*arguments)


@pytest.mark.parametrize(
    ("price", "trouble"),
    [(0, "a price is above 0.*0"), (-1, "above 0.*-1"), (1e300, "no compound yield"), (np.inf, "no compound yield")],
)
def test_a_price_that_no_bond_has(price: float, trouble: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=trouble):
        compound_yield_pct([100, price], 2, "2026-03-20", "2036-03-20")
