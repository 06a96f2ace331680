"""Since when a yield, and its rise, was last so extreme. In Python: SQL needs every pair of days."""

from jgb_assets.analytics.records import records_by_series

CANDIDATES = (
    "'highest' as kind, tenor_years::varchar as series, obs_date as at_date, yield_pct as extreme",
    "'largest_rise' as kind, tenor_years::varchar as series, obs_date as at_date, change_1d_bp as extreme",
)


def model(dbt, session):
    """One row a value and question, with ``since_date`` (null = a record)."""
    dbt.config(materialized="table")
    return records_by_series(dbt.ref("int_jgb_yields"), CANDIDATES)
