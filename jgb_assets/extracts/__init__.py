"""From marts to a release that other teams read: dictionary, Parquet files, the switch, the status beside it.

Reads DuckDB and dbt's manifest, writes the publish folder. No Dagster.
"""
