"""Figures of the monitor: how they are written, and that they name the cell they come from."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jgb_assets.monitor.cells import Cell, Datasets, day, difference, instant, month, number, sentence, shortest, words


def cell(value: Any, column: str = "yield_pct") -> Cell:
    return Cell("jgb_yields", ("2026-01-20", 40), column, value)


def datasets(**columns: list[Any]) -> Datasets:
    schema = pa.schema(
        [
            ("obs_date", pa.date32()),
            ("tenor_years", pa.int16()),
            ("yield_pct", pa.float64()),
            ("rank", pa.int32()),
            ("seen_at", pa.timestamp("us", tz="UTC")),
        ],
        metadata={
            "primary_key": json.dumps(["obs_date", "tenor_years"]),
            "sources": json.dumps([{"source": "mof", "citation": "Source: Ministry of Finance Japan."}]),
        },
    )
    return Datasets({"toy": pa.table(columns, schema=schema)})


@pytest.mark.parametrize(
    ("value", "digits", "signed", "text"),
    [
        (3.901, 3, False, "3.901"),
        (4.0, 3, False, "4.000"),
        (1209.889, 1, False, "1,209.9"),
        (-8.1, 1, False, "\N{MINUS SIGN}8.1"),
        (20.3, 1, True, "+20.3"),
        (-0.04, 1, True, "0.0"),  # neither plus nor minus nothing
        (0.0, 0, True, "0"),
        (None, 1, False, "\N{EN DASH}"),
        (float("nan"), 1, True, "\N{EN DASH}"),
    ],
)
def test_numbers_are_written_for_people(value: float | None, digits: int, signed: bool, text: str) -> None:
    assert str(number(cell(value), digits, signed=signed)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.75, "0.75"),
        (3.901, "3.901"),
        (26.9637, "26.964"),
        (-1819.0, "\N{MINUS SIGN}1,819"),
        (None, "\N{EN DASH}"),
    ],
)
def test_a_column_of_many_units_shows_the_decimals_it_needs(value: float | None, text: str) -> None:
    assert str(shortest(cell(value))) == text


def test_a_figure_names_its_cell() -> None:
    assert number(cell(3.901), 2).__html__() == (
        '<data value="3.901" data-cell="jgb_yields/2026-01-20/40/yield_pct">3.90</data>'
    )


def test_a_difference_names_both_cells_and_is_free_of_binary_noise() -> None:
    rise = difference(cell(3.765), Cell("jgb_yields", ("2026-01-19", 40), "yield_pct", 3.562), 1, 100)
    assert rise.value == 20.3
    assert rise.__html__() == (
        '<data value="20.3" data-cell="jgb_yields/2026-01-20/40/yield_pct" '
        'data-less="jgb_yields/2026-01-19/40/yield_pct">+20.3</data>'
    )
    assert difference(cell(3.765), cell(None), 1).value is None


def test_what_is_null_names_no_cell() -> None:
    assert number(cell(None), 1).__html__() == '<span class="none">\N{EN DASH}</span>'
    assert day(cell(None), "record").__html__() == '<span class="none">record</span>'


def test_texts_and_keys_are_escaped() -> None:
    held = Cell("tic_holdings", ("2026-04-30", 'Korea, "South" & <b>'), "holder", "<script>")
    assert words(held).__html__() == (
        '<data value="&lt;script&gt;" data-cell="tic_holdings/2026-04-30/Korea, %22South%22 %26 %3Cb%3E/holder">'
        "&lt;script&gt;</data>"
    )
    assert sentence("{a} of {b}", a="<i>", b=words(held)).startswith("&lt;i&gt; of <data ")


def test_rows_keep_whole_numbers_days_and_instants() -> None:
    seen = datetime(2026, 6, 29, 12, 0, tzinfo=UTC)
    toy = datasets(
        obs_date=[date(2026, 1, 20), date(2026, 1, 19)],
        tenor_years=[40, 40],
        yield_pct=[3.901, 3.721],
        rank=[1, None],
        seen_at=[seen, seen],
    )
    first, last = toy.rows("toy", toy.frame("toy"))
    assert (str(day(first["obs_date"])), str(month(last["obs_date"]))) == ("2026-01-19", "2026-01")
    assert str(instant(last["seen_at"])) == "2026-06-29 12:00 UTC"
    assert number(last["rank"], 0).__html__() == '<data value="1" data-cell="toy/2026-01-20/40/rank">1</data>'
    assert first["rank"].is_null
    assert toy.citations("toy") == ["Source: Ministry of Finance Japan."]


@given(st.floats(-1e6, 1e6), st.integers(0, 3))
def test_what_is_written_is_within_half_a_unit_of_what_is_meant(value: float, digits: int) -> None:
    text = str(number(cell(value), digits, signed=True)).replace("\N{MINUS SIGN}", "-").replace(",", "")
    assert abs(float(text) - value) <= 0.5 * 10**-digits + 1e-9
