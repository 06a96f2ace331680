"""Since when a value was last as extreme: the fast search against the obvious one."""

from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jgb_assets.analytics.records import latest_earlier_at_least, records_by_series

SCHEMA = pa.schema(
    [("kind", pa.string()), ("series", pa.string()), ("at_date", pa.date32()), ("extreme", pa.float64())]
)
FIRST_DAY = date(2026, 1, 1)
FEW_VALUES = st.integers(-3, 3).map(float)  # many ties
ANY_VALUE = st.floats(allow_nan=False, allow_infinity=False)
SERIES = st.lists(st.one_of(FEW_VALUES, ANY_VALUE), min_size=1, max_size=40)


def by_series(rows: pa.Table) -> pa.Table:
    return records_by_series(duckdb.from_arrow(rows), ["*"])


def obvious(series: list[float]) -> list[int | None]:
    """Look at every earlier value, the latest first."""
    return [
        next((earlier for earlier in reversed(range(at)) if series[earlier] >= series[at]), None)
        for at in range(len(series))
    ]


def search(*series: list[float]) -> list[int]:
    values = np.array([value for one in series for value in one], dtype=float)
    starts = np.array([at == 0 for one in series for at in range(len(one))], dtype=bool)
    return latest_earlier_at_least(values, starts).tolist()


@settings(deadline=None)
@given(st.lists(SERIES, max_size=5))
@example([[0.0] * 33])
@example([[float(value) for value in range(33)], [float(-value) for value in range(33)]])
@example([[9.0, *[1.0] * 31, 8.0], [5.0]])
def test_it_is_what_looking_at_every_earlier_value_finds(series: list[list[float]]) -> None:
    expected, offset = [], 0
    for one in series:
        expected += [-1 if found is None else offset + found for found in obvious(one)]
        offset += len(one)
    assert search(*series) == expected


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9, 255, 256, 257, 1000])
def test_every_length_reaches_back_to_the_first_value(length: int) -> None:
    rising_below_the_first = [1e6, *map(float, range(length))]
    assert search(rising_below_the_first) == [-1] + [0] * length


def test_a_tie_is_as_extreme() -> None:
    assert search([2.0, 1.0, 2.0, 2.0]) == [-1, 0, 0, 2]


def test_a_record_has_no_earlier_one() -> None:
    assert search([1.0, 2.0, 3.0]) == [-1, -1, -1]


def test_a_single_value_and_none() -> None:
    assert search([4.5]) == [-1]
    assert search([-4.5], [1.0], [0.5]) == [-1, -1, -1]
    assert search() == []


def test_a_series_does_not_look_into_the_one_before() -> None:
    assert search([9.0, 8.0], [1.0, 0.5], [3.0]) == [-1, 0, -1, 2, -1]


def test_what_is_given_is_not_changed() -> None:
    values, starts = np.array([3.0, 1.0, 2.0]), np.array([True, False, False])
    latest_earlier_at_least(values, starts)
    assert values.tolist() == [3.0, 1.0, 2.0]
    assert starts.tolist() == [True, False, False]


def test_many_values_are_found_fast_enough_to_be_daily_work() -> None:
    """A rising series is the worst for a search that steps: each of 200,000 looks back over all before it."""
    values = np.arange(200_000, dtype=float)
    values[0] = 1e9
    found = latest_earlier_at_least(values, np.arange(200_000) == 0)
    assert found[0] == -1
    assert (found[1:] == 0).all()


@settings(deadline=None)
@given(st.dictionaries(st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y", "z"])), SERIES, max_size=6))
def test_dates_of_records_by_kind_and_series(groups: dict[tuple[str, str], list[float]]) -> None:
    rows, expected = [], []
    for (kind, series), values in sorted(groups.items()):
        days = [FIRST_DAY + timedelta(days=2 * number) for number in range(len(values))]
        rows += [
            {"kind": kind, "series": series, "at_date": at, "extreme": value}
            for at, value in zip(days, values, strict=True)
        ]
        expected += [None if found is None else days[found] for found in obvious(values)]
    candidates = pa.Table.from_pylist(rows, schema=SCHEMA)
    result = by_series(candidates)
    assert result["since_date"].to_pylist() == expected
    assert result.drop_columns("since_date").equals(candidates)


def test_no_rows_give_no_rows_of_the_same_columns() -> None:
    result = by_series(SCHEMA.empty_table())
    assert result.schema == SCHEMA.append(pa.field("since_date", pa.date32()))
    assert result.num_rows == 0


def test_rows_in_several_chunks_are_one_table() -> None:
    rows = [
        {"kind": "yield", "series": "10y", "at_date": FIRST_DAY + timedelta(days=number), "extreme": value}
        for number, value in enumerate([2.0, 1.0, 1.5])
    ]
    parts = pa.concat_tables([pa.Table.from_pylist([row], schema=SCHEMA) for row in rows])
    assert by_series(parts)["since_date"].to_pylist() == [None, FIRST_DAY, FIRST_DAY]
