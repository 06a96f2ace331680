"""For each value the latest earlier date with one at least as extreme. In Python: SQL needs every pair of days."""

from jgb_assets.analytics.records import records_by_series


def model(dbt, session):
    """One row a candidate, with ``since_date`` (null = a record)."""
    dbt.config(materialized="table")
    return records_by_series(dbt.ref("int_record_candidates").to_arrow_table())
