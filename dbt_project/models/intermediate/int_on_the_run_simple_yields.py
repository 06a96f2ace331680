"""The curve's yield of a tenor as the market quotes it: the Japanese simple yield of the newest issue at that yield.

The press quotes simple yields of one bond, the ministry publishes semi-annual compound ones of a constant maturity.
Here the newest issue gets the price that it has at the ministry's yield, by the street convention
(``price_from_compound_yield``), and that price its simple yield, 100 (c + (100 - P) / T) / P (``simple_yield_pct``;
both name their sources). In Python: a bond's payments are discounted one by one.

Of the bond itself nothing is observed: it is a little shorter than the tenor, and its own yield is not the curve's.
"""

import numpy as np
import pyarrow as pa

from jgb_assets.analytics.bond_yields import price_from_compound_yield, simple_yield_pct, term_days

DECIMALS = 4  # processors sum in other orders
# An issue is the newest from noon of its auction to the next auction, a year at most: then auctions are missing. It
# settles on its issue date at the earliest.
ISSUES = """
    curve_tenor_years as tenor_years, issue_number, coupon_pct, maturity_date, issue_date, auction_date as first_date,
    least(
        lead(auction_date) over (partition by instrument order by auction_date),
        (auction_date + interval 1 year)::date
    ) as end_date
"""
IS_NEWEST = "yields.tenor_years = issues.tenor_years and obs_date >= first_date and obs_date < end_date"
COLUMNS = """
    obs_date, yields.tenor_years, yield_pct, issue_number, coupon_pct, maturity_date,
    greatest(obs_date, issue_date) as settlement_date
"""


def model(dbt, session):
    """One row a session and tenor of which an issue is known."""
    dbt.config(materialized="table")
    with_coupon = "instrument in ('10y', '20y', '30y', '40y') and coupon_pct is not null"
    issues = dbt.ref("int_auctions").filter(with_coupon).project(ISSUES).set_alias("issues")
    yields = dbt.ref("int_jgb_yields").set_alias("yields")
    table = yields.join(issues, IS_NEWEST).project(COLUMNS).to_arrow_table()
    compound, coupon = (table[name].to_numpy() for name in ("yield_pct", "coupon_pct"))
    settled, matures = (table[name].to_numpy().astype("M8[D]") for name in ("settlement_date", "maturity_date"))
    price = price_from_compound_yield(compound, coupon, settled, matures)
    simple = simple_yield_pct(price, coupon, term_days(settled, matures))
    table = table.append_column("price", pa.array(np.round(price, DECIMALS)))
    return table.append_column("simple_yield_pct", pa.array(np.round(simple, DECIMALS)))
