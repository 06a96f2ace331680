"""Dagster on top of the rest, kept thin: assets, checks, jobs and resources, no data code."""
