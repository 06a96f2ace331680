"""Tables of what the mathematics makes of auctions, for dbt to read.

Belongs here: which yields and prices of an auction are computed, and which published ones they must reproduce.
Not here: the mathematics itself; which rule holds for which auction (dbt's seed ``auction_yield_rules``).
"""

import duckdb
import numpy as np
import pyarrow as pa

from jgb_assets.analytics.bond_yields import (
    compound_yield_pct,
    days_between,
    discount_yield_pct,
    price_from_compound_yield,
    published_bill_yield_pct,
    published_simple_yield_pct,
    term_days,
)
from jgb_assets.analytics.panels import Floats

SIMPLE, COMPOUND, BILL, DISCOUNT = "simple_jp", "compound_sa", "simple_act365", "compound_annual"
# Processors sum in other orders: rates agree to 1e-9 between them.
RATE_DECIMALS, TAIL_DECIMALS = 6, 4
PRICE_STEP = 0.01  # of prices that the ministry derives from a yield
EXACT = 1e-9  # two numbers of at most 4 decimals are the same or differ by more
KEY = ("instrument", "auction_date")
INPUTS = ", ".join(
    (
        *KEY,
        *("issue_date", "maturity_date", "coupon_pct", "average_price", "lowest_price"),
        *("average_yield_pct", "highest_yield_pct"),
        *("yield_convention", "extra_days", "nominal_years", "yield_decimals", "average_price_step"),
    )
)
SIDES = {"average": "average_yield_pct", "lowest": "highest_yield_pct"}  # price -> its published yield


def auction_yields(relation: duckdb.DuckDBPyRelation) -> pa.Table:
    """Compound yields and tails, and what the published yields should be by their own rule.

    Args:
        relation: one row an auction with its key, dates, coupon_pct, average_price, lowest_price, average_yield_pct,
            highest_yield_pct, and its rule: yield_convention, extra_days, nominal_years, yield_decimals and
            average_price_step.

    Returns:
        The key with average_compound_pct, highest_compound_pct, tail_compound_bp (null without a coupon bond's price),
        and for each of average and lowest: ``<side>_recomputed`` (a yield in percent, or the price where the yield was
        bid), ``<side>_published`` beside it, and ``<side>_agrees`` (null where nothing can be recomputed).
    """
    table = relation.project(INPUTS).to_arrow_table()
    rows = {name: _numpy(table[name]) for name in table.column_names if name not in KEY}
    convention = rows["yield_convention"]
    compound = {side: _compound_pct(rows, side) for side in SIDES}
    bid = convention == COMPOUND  # the yield itself is the bid; the price is its rounded image
    compound["lowest"] = np.where(bid, rows["highest_yield_pct"], compound["lowest"])
    columns = {
        "average_compound_pct": np.round(compound["average"], RATE_DECIMALS),
        "highest_compound_pct": np.round(compound["lowest"], RATE_DECIMALS),
        "tail_compound_bp": np.round(100 * (compound["lowest"] - compound["average"]), TAIL_DECIMALS),
    }
    for side, published in SIDES.items():
        recomputed, least = _recomputed(rows, side)
        claimed = np.where(bid, rows[f"{side}_price"], rows[published])
        known = ~np.isnan(recomputed) & ~np.isnan(claimed)
        agrees = (claimed >= least - EXACT) & (claimed <= recomputed + EXACT)
        columns |= {f"{side}_recomputed": recomputed, f"{side}_published": claimed}
        columns[f"{side}_agrees"] = pa.array(agrees, pa.bool_(), mask=~known)
    arrays = {
        name: values if isinstance(values, pa.Array) else pa.array(values, pa.float64(), from_pandas=True)
        for name, values in columns.items()
    }
    return pa.table({name: table[name] for name in KEY} | arrays)


def _compound_pct(rows: dict[str, np.ndarray], side: str) -> Floats:
    """Semi-annual compound yields of coupon and discount bonds at a price; NaN elsewhere."""
    price = rows[f"{side}_price"]
    discount = rows["yield_convention"] == DISCOUNT
    coupon = np.where(discount, 0.0, rows["coupon_pct"])
    at = np.flatnonzero(~np.isnan(price) & ~np.isnan(coupon))
    found = np.full(len(price), np.nan)
    found[at] = compound_yield_pct(price[at], coupon[at], rows["issue_date"][at], rows["maturity_date"][at])
    return found


def _recomputed(rows: dict[str, np.ndarray], side: str) -> tuple[Floats, Floats]:
    """What should have been published, and the least that may have been.

    They differ where the printed average is cut: the yield is that of a price up to one step above it.
    """
    price, coupon, convention = rows[f"{side}_price"], rows["coupon_pct"], rows["yield_convention"]
    step = np.nan_to_num(rows["average_price_step"]) if side == "average" else np.zeros(len(price))
    days = np.zeros(len(price), int)
    dated = np.flatnonzero(convention != "none")
    issued, matures = rows["issue_date"][dated], rows["maturity_date"][dated]
    days[dated] = np.where(
        convention[dated] == BILL, days_between(issued, matures), term_days(issued, matures)
    ) + np.nan_to_num(rows["extra_days"][dated]).astype(int)
    years = rows["nominal_years"]
    days = np.where(np.isnan(years), days, 365 * np.nan_to_num(years)).astype(int)
    recomputed, least = np.full(len(price), np.nan), np.full(len(price), np.nan)

    def fill(rule: str, *needed: Floats) -> np.ndarray:
        usable = convention == rule
        for values in needed:
            usable = usable & ~np.isnan(values)
        return np.flatnonzero(usable)

    at = fill(SIMPLE, price, coupon)
    recomputed[at] = published_simple_yield_pct(price[at], coupon[at], days[at])
    least[at] = published_simple_yield_pct(price[at] + step[at], coupon[at], days[at])
    for decimals in np.unique(rows["yield_decimals"][convention == BILL]):
        at = np.intersect1d(fill(BILL, price), np.flatnonzero(rows["yield_decimals"] == decimals))
        recomputed[at] = published_bill_yield_pct(price[at], days[at], int(decimals))
        least[at] = published_bill_yield_pct(price[at] + step[at], days[at], int(decimals))
    at = fill(DISCOUNT, price)
    recomputed[at] = least[at] = np.floor(1000 * discount_yield_pct(price[at], days[at]) + EXACT) / 1000
    if side == "lowest":
        at = fill(COMPOUND, rows["highest_yield_pct"], coupon)
        exact = price_from_compound_yield(
            rows["highest_yield_pct"][at], coupon[at], rows["issue_date"][at], rows["maturity_date"][at]
        )
        recomputed[at] = least[at] = np.round(np.floor(exact / PRICE_STEP + 0.5) * PRICE_STEP, 2)
    return recomputed, least


def _numpy(column: pa.ChunkedArray) -> np.ndarray:
    """Numbers as floats with NaN for null; text and days as they are."""
    if pa.types.is_date(column.type):
        days: np.ndarray = column.to_numpy().astype("M8[D]")
        return days
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return np.asarray(column.to_pylist(), object)
    numbers: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers
