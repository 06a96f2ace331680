"""Since when a tail, and a cover, was last so extreme. In Python: SQL needs every pair of days."""

from jgb_assets.analytics.records import records_by_series

CANDIDATES = (
    "'longest_tail' as kind, instrument as series, auction_date as at_date, tail_price as extreme",
    "'lowest_cover' as kind, instrument as series, auction_date as at_date, -bid_to_cover as extreme",
)


def model(dbt, session):
    """One row a value and question, with ``since_date`` (null = a record)."""
    dbt.config(materialized="table")
    return records_by_series(dbt.ref("int_auctions").filter("has_history"), CANDIDATES)
