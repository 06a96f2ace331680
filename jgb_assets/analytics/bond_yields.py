"""Yields of single bonds and bills: Japanese simple, semi-annual compound, money market, and their inverses.

Belongs here: price to yield and back. Not here: which auction was quoted how, curves of many bonds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jgb_assets.analytics.panels import Floats

Days = NDArray[np.datetime64]
Integers = NDArray[np.int64]

DAYS_PER_YEAR = 365  # also in a leap year: the stub counts its 29 February, whole years do not
MONTHS_PER_COUPON = 6
# Prices and coupons are published with at most 4 decimals: as whole numbers of these, division is exact.
PER_UNIT = 10_000
NEWTON_STEPS = 50
CONVERGED = 1e-12  # a smaller step is rounding where few days remain


def term_days(settlement: ArrayLike, maturity: ArrayLike) -> Integers:
    """Term of the Japanese simple yield in 365ths of a year: 365 a whole year, and the days of the stub.

    Whole years are counted back from maturity; the stub is the actual number of days from settlement to that
    anniversary, 29 February included.

    Args:
        settlement: (n,) days, of an auction the issue date.
        maturity: (n,) days.

    Raises:
        ValueError: if a bond does not mature after settlement.
    """
    settled, matures = _as_days(settlement, maturity)
    years = matures.astype("M8[Y]").astype(int) - settled.astype("M8[Y]").astype(int)
    years -= _months_before(matures, 12 * years) < settled
    stub = (_months_before(matures, 12 * years) - settled).astype(int)
    days: Integers = DAYS_PER_YEAR * years + stub
    return days


def days_between(settlement: ArrayLike, maturity: ArrayLike) -> Integers:
    """Actual days, of a bill the term.

    Raises:
        ValueError: if one does not mature after settlement.
    """
    settled, matures = _as_days(settlement, maturity)
    return (matures - settled).astype(int)


def simple_yield_pct(price: ArrayLike, coupon_pct: ArrayLike, days: ArrayLike) -> Floats:
    """Japanese simple yield: coupon plus the yearly gain to redemption, over the price.

    y = 100 (c + (100 - P) / T) / P, with T = days / 365. Source: the ministry's auction tables, which it reproduces.

    Args:
        price: (n,) clean price per 100.
        coupon_pct: (n,) percent a year, 0 for a discount bond.
        days: (n,) from ``term_days``.
    """
    paid, coupon, term = _as_floats(price, coupon_pct, days)
    return 100 * (coupon + (100 - paid) * DAYS_PER_YEAR / term) / paid


def price_from_simple_yield(yield_pct: ArrayLike, coupon_pct: ArrayLike, days: ArrayLike) -> Floats:
    """Clean price per 100 at a Japanese simple yield: the inverse of ``simple_yield_pct``."""
    rate, coupon, term = _as_floats(yield_pct, coupon_pct, days)
    return 100 * (coupon + 100 * DAYS_PER_YEAR / term) / (rate + 100 * DAYS_PER_YEAR / term)


def published_simple_yield_pct(price: ArrayLike, coupon_pct: ArrayLike, days: ArrayLike) -> Floats:
    """The simple yield as the ministry prints it: cut to 3 decimals towards zero, in whole numbers, so exactly.

    Neither rounding nor the floor: 3.27467 is printed as 3.274, -0.31191 as -0.311.

    Raises:
        ValueError: if a price or a coupon has more than 4 decimals.
    """
    paid, coupon = _as_whole("price", price), _as_whole("coupon_pct", coupon_pct)
    term = np.asarray(days, np.int64)
    gain = coupon * term + DAYS_PER_YEAR * (100 * PER_UNIT - paid)
    return _cut(100 * gain, paid * term, decimals=3)


def bill_yield_pct(price: ArrayLike, days: ArrayLike) -> Floats:
    """Yield of a discount bill, simple over actual days: y = 100 (100 - P) / P * 365 / days.

    Args:
        price: (n,) per 100.
        days: (n,) actual days from issue to maturity, 29 February included.
    """
    paid, actual = _as_floats(price, days)
    return 100 * (100 - paid) / paid * DAYS_PER_YEAR / actual


def price_from_bill_yield(yield_pct: ArrayLike, days: ArrayLike) -> Floats:
    """Price per 100 of a discount bill: the inverse of ``bill_yield_pct``."""
    rate, actual = _as_floats(yield_pct, days)
    return 100 / (1 + rate / 100 * actual / DAYS_PER_YEAR)


def published_bill_yield_pct(price: ArrayLike, days: ArrayLike, decimals: int = 4) -> Floats:
    """The bill's yield as printed: cut towards zero, exactly.

    Raises:
        ValueError: if a price has more than 4 decimals.
    """
    paid, actual = _as_whole("price", price), np.asarray(days, np.int64)
    return _cut(100 * DAYS_PER_YEAR * (100 * PER_UNIT - paid), paid * actual, decimals)


def discount_yield_pct(price: ArrayLike, days: ArrayLike) -> Floats:
    """Annual compound yield of a discount bond: y = 100 ((100 / P) ** (365 / days) - 1)."""
    paid, term = _as_floats(price, days)
    return 100 * ((100 / paid) ** (DAYS_PER_YEAR / term) - 1)


def price_from_compound_yield(
    yield_pct: ArrayLike, coupon_pct: ArrayLike, settlement: ArrayLike, maturity: ArrayLike
) -> Floats:
    """Clean price per 100 at a semi-annual compound yield.

    P + A = sum of c/2 v^(w + k) over the n coupons left, k = 0 .. n - 1, + 100 v^(w + n - 1), v = 1 / (1 + y / 200).
    Coupons fall every six months back from maturity; w is the part of the running half-year that is left, by actual
    days, and A = c/2 (1 - w) the accrued interest. Source: the street convention, such as Fabozzi, Bond Markets.

    Args:
        yield_pct: (n,) percent a year.
        coupon_pct: (n,) percent a year, 0 for a discount bond.
        settlement: (n,) days.
        maturity: (n,) days.

    Raises:
        ValueError: if a bond does not mature after settlement.
    """
    rate, coupon = _as_floats(yield_pct, coupon_pct)
    return _Cash.of(coupon, settlement, maturity).price(rate)


def compound_yield_pct(price: ArrayLike, coupon_pct: ArrayLike, settlement: ArrayLike, maturity: ArrayLike) -> Floats:
    """Semi-annual compound yield at a clean price: the inverse of ``price_from_compound_yield``, by Newton's method.

    NaN where price or coupon is NaN.

    Raises:
        ValueError: if a bond does not mature after settlement, a price is not above 0, or no yield is found.
    """
    paid, coupon = _as_floats(price, coupon_pct)
    if (paid <= 0).any():
        raise ValueError(f"a price is above 0: {paid[paid <= 0]}")
    cash = _Cash.of(coupon, settlement, maturity)
    # The logarithm of what a bond is worth is convex and falling in the logarithm of growth: Newton's method always
    # arrives, and a bond of one payment takes one step.
    target, growth = np.log(paid + cash.accrued), np.zeros(np.broadcast(paid, coupon, cash.accrued).shape)
    for _ in range(NEWTON_STEPS):
        worth, half_years = cash.worth(growth)
        step = (np.log(worth) - target) / half_years
        growth = growth + step
        if not (np.abs(step) > CONVERGED).any():
            break
    rate: Floats = 200 * np.expm1(growth)
    if (np.abs(step) > CONVERGED).any() or (np.isnan(rate) & ~np.isnan(paid + coupon)).any() or (rate < -100).any():
        raise ValueError("no compound yield found: prices are too far from any bond's")
    return rate


@dataclass(frozen=True)
class _Cash:
    """What bonds pay: amounts (n, coupon) per 100, in half-years from settlement, and the interest accrued."""

    amounts: Floats
    half_years: Floats
    accrued: Floats

    @classmethod
    def of(cls, coupon_pct: Floats, settlement: ArrayLike, maturity: ArrayLike) -> "_Cash":
        settled, matures = _as_days(settlement, maturity)
        months = (matures.astype("M8[M]") - settled.astype("M8[M]")).astype(int)
        count = months // MONTHS_PER_COUPON + 1  # the first coupon that may lie at or before settlement
        count -= _months_before(matures, MONTHS_PER_COUPON * (count - 1)) <= settled
        following = _months_before(matures, MONTHS_PER_COUPON * (count - 1))
        previous = _months_before(matures, MONTHS_PER_COUPON * count)
        left = ((following - settled) / (following - previous)).astype(float)
        number = np.arange(count.max(initial=0))
        half = np.expand_dims(coupon_pct / 2, -1)
        count = np.expand_dims(count, -1)
        amounts = np.where(number < count, half, 0) + np.where(number == count - 1, 100.0, 0)
        return cls(amounts, np.expand_dims(left, -1) + number, coupon_pct / 2 * (1 - left))

    def price(self, yield_pct: Floats) -> Floats:
        """Clean price per 100."""
        worth, _ = self.worth(np.log1p(np.asarray(yield_pct) / 200))
        return worth - self.accrued

    def worth(self, growth: Floats) -> tuple[Floats, Floats]:
        """Dirty price at a logarithm of growth a half-year, and the mean half-years to payment, by present value."""
        present = self.amounts * np.exp(-np.expand_dims(growth, -1) * self.half_years)
        worth: Floats = present.sum(axis=-1)
        half_years: Floats = (present * self.half_years).sum(axis=-1) / worth
        return worth, half_years


def _as_days(settlement: ArrayLike, maturity: ArrayLike) -> tuple[Days, Days]:
    settled, matures = np.asarray(settlement, "M8[D]"), np.asarray(maturity, "M8[D]")
    if not (matures > settled).all():
        raise ValueError("a bond matures after settlement")
    return settled, matures


def _months_before(day: Days, months: Integers) -> Days:
    """The same day of an earlier month, or that month's last."""
    month = day.astype("M8[M]")
    earlier = month - months
    length = ((earlier + 1).astype("M8[D]") - earlier.astype("M8[D]")).astype(int)
    within = (day - month.astype("M8[D]")).astype(int)
    same: Days = earlier.astype("M8[D]") + np.minimum(within, length - 1)
    return same


def _as_floats(*values: ArrayLike) -> list[Floats]:
    return [np.asarray(value, float) for value in values]


def _as_whole(name: str, values: ArrayLike) -> Integers:
    scaled = np.asarray(values, float) * PER_UNIT
    whole = np.rint(scaled)
    if not (np.abs(scaled - whole) < 1e-5).all():
        raise ValueError(f"{name} has more than 4 decimals, or is missing: {values!r}")
    integers: Integers = whole.astype(np.int64)
    return integers


def _cut(numerator: Integers, denominator: Integers, decimals: int) -> Floats:
    """The quotient without what follows ``decimals``; ``denominator`` is above 0."""
    units = np.abs(numerator) * 10**decimals // denominator
    cut: Floats = np.copysign(units, numerator) / 10**decimals + 0.0  # no negative zero
    return cut
