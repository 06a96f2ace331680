"""Compound yields of auctions, and the published yields computed again. In Python: yields are found by iteration."""

from jgb_assets.analytics.auction_tables import auction_yields


def model(dbt, session):
    """One row an auction."""
    dbt.config(materialized="table")
    return auction_yields(dbt.ref("int_auctions"))
