"""Since when a yield last rose, or fell, so much. In Python: SQL needs every pair of days."""

from jgb_assets.analytics.records import records_by_series

CANDIDATES = ("kind, tenor_years::varchar as series, obs_date as at_date, size_bp as extreme",)


def model(dbt, session):
    """One row a move, with ``since_date`` (null = a record)."""
    dbt.config(materialized="table")
    return records_by_series(dbt.ref("int_yield_moves"), CANDIDATES)
