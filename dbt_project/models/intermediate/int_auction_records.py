"""How extreme a tail and a cover is so far. In Python: SQL needs every pair of days."""

from jgb_assets.analytics.records import records_by_series

CANDIDATES = (
    "'longest_tail' as kind, instrument as series, auction_date as at_date, tail_price as extreme",
    "'lowest_cover' as kind, instrument as series, auction_date as at_date, -bid_to_cover as extreme",
)


def model(dbt, session):
    """One row a value and question."""
    dbt.config(materialized="table")
    return records_by_series(dbt.ref("int_auctions"), CANDIDATES)
