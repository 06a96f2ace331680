"""The readers' guide on Spark: an optional group, ``make test-spark``; needs Java 17."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest

from tests.conftest import Run
from tests.integration.test_readers import (
    DATASETS,
    DATE,
    INSTANT,
    RATE,
    SELL_OFF,
    SHOWN,
    folder,
    in_order,
    known_by,
    plain,
    published,
    snippets,
    views,
)

pytestmark = pytest.mark.spark

__all__ = ["folder"]  # a fixture

SPARK = {
    DATE: "date",
    RATE: "double",
    INSTANT: "timestamp",  # an instant; one without a zone is timestamp_ntz
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.bool_(): "boolean",
    pa.string(): "string",
}


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A small local session in another zone than UTC; the snippet sets the zone, and takes the session as it is."""
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", False)
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.session.timeZone", "Asia/Tokyo")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.mark.parametrize("dataset", ["jgb_yields", "tic_holdings", "securities_flows"])
def test_spark_gets_the_same_rows_types_and_nulls(from_bundle: Run, folder: Any, spark: Any, dataset: str) -> None:
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    expected = published(from_bundle, dataset)
    then = known_by(expected, datetime.fromisoformat(SHOWN), DATASETS[dataset])
    assert 0 < then.num_rows < expected.num_rows
    for view, rows in zip(views(snippets()["Spark"], dataset), (expected, then), strict=True):
        assert dict(view.dtypes) == {field.name: SPARK[field.type] for field in expected.schema}
        table = view.toArrow()
        assert table.schema.types == expected.schema.types
        assert view.count() == table.num_rows == rows.num_rows
        assert in_order(table, dataset).equals(plain(rows))
        assert sum(column.null_count for column in table.columns) > 0


def test_spark_has_the_figures_of_the_sell_off_and_none_from_later(folder: Any, spark: Any) -> None:
    from pyspark.sql.functions import col

    current, as_of = views(snippets()["Spark"])
    for view in (current, as_of):
        rows = view.where(col("obs_date") == date(2026, 1, 20)).collect()
        assert all(type(row.obs_date) is date and isinstance(row.yield_pct, float) for row in rows)
        assert {row.tenor_years: row.yield_pct for row in rows if row.tenor_years in SELL_OFF} == SELL_OFF
    newest = as_of.selectExpr("max(unix_micros(published_at))").first()[0]
    assert newest <= datetime.fromisoformat(SHOWN).timestamp() * 1_000_000
    published_at = current.where("obs_date = date'2026-01-20' and tenor_years = 40").select("published_at")
    assert published_at.selectExpr("cast(published_at as string)").first()[0] == "2026-01-21 00:30:00"


def test_a_holding_that_the_publisher_suppresses_is_null_in_spark(folder: Any, spark: Any) -> None:
    for view in views(snippets()["Spark"], "tic_holdings"):
        (row,) = view.where("month_end_date = date'2026-01-31' and holder = 'Anguilla'").collect()
        assert row.position_usd_bn is None
        assert row.is_aggregate is False
