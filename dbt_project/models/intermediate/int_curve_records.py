"""Since when a measure of the curve was last so extreme. In Python: SQL needs every pair of days."""

from jgb_assets.analytics.records import records_by_series

CANDIDATES = (
    "'highest' as kind, measure as series, obs_date as at_date, measured as extreme",
    "'lowest' as kind, measure as series, obs_date as at_date, -measured as extreme",
)


def model(dbt, session):
    """One row a value and question, with ``since_date`` (null = a record)."""
    dbt.config(materialized="table")
    return records_by_series(dbt.ref("int_curve_measures"), CANDIDATES)
