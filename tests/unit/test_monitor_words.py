"""What the monitor calls unusual: by rule, from a few rows that were really so, and not on quiet days."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from jgb_assets.monitor.cells import Datasets
from jgb_assets.monitor.words import headlines, unusual

DAY = date(2026, 1, 20)
KEYS = {
    "jgb_yields": ["obs_date", "tenor_years"],
    "curve_shape": ["obs_date"],
    "curve_moves": ["obs_date", "tenor_years"],
    "auction_tails": ["instrument", "auction_date"],
    "tic_holdings": ["month_end_date", "holder"],
    "repatriation": ["obs_date"],
}
SHAPES = ["level_10y", "slope_2s10s", "slope_5s30s", "slope_10s30s", "slope_20s30s", "slope_30s40s"]
FLIES = ["fly_2s5s10s", "fly_5s10s20s", "fly_10s20s30s"]
Rows = dict[str, list[dict[str, Any]]]


def yields(day: date, **told: Any) -> dict[str, Any]:
    row = {"obs_date": day, "tenor_years": 30, "yield_pct": 3.0, "change_1d_bp": 0.5, "change_5d_bp": 1.0}
    return row | {"highest_since_date": day - timedelta(days=1)} | told


def moves(**told: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"obs_date": DAY, "tenor_years": 30}
    for sessions in (1, 5):
        row |= {f"change_{sessions}d_bp": 0.5}
        for way in ("rise", "fall"):
            row |= {f"{way}_{sessions}d_{what}": None for what in ("rank", "n", "since_date")}
    return row | told


def shape(**told: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"obs_date": DAY}
    for stem in SHAPES + FLIES:
        unit = "pct" if stem == "level_10y" else "bp"
        row |= {f"{stem}_{unit}": 10.0, f"{stem}_pctile": 60.0, f"{stem}_n": 6000}
        row |= {f"{stem}_{way}_since_date": DAY - timedelta(days=3) for way in ("highest", "lowest")}
    return row | told


def auction(day: date, **told: Any) -> dict[str, Any]:
    row = {"instrument": "20y", "auction_date": day, "tail_price": 0.1, "tail_yield_bp": 1.0, "bid_to_cover": 3.3}
    recent = {"longest_tail_since_date": day - timedelta(days=30), "lowest_cover_since_date": day - timedelta(days=30)}
    return row | recent | told


def held(day: date, rank: int) -> dict[str, Any]:
    return {"month_end_date": day, "holder": "Japan", "position_usd_bn": 1200.0, "change_usd_bn": 3.0, "rank": rank}


def quiet() -> Rows:
    """A year of sessions and two of auctions in which nothing happens."""
    return {
        "jgb_yields": [yields(DAY - timedelta(days=n)) for n in range(300)],
        "curve_moves": [moves(rise_1d_rank=900, rise_1d_n=3000, rise_1d_since_date=DAY - timedelta(days=2))],
        "curve_shape": [shape()],
        "auction_tails": [auction(DAY - timedelta(days=30 * n)) for n in range(24)],
        "tic_holdings": [held(date(2025, 11, 30), 1), held(date(2025, 10, 31), 1)],
        "repatriation": [],
    }


def told(rows: Rows) -> list[str]:
    return [sentence.striptags() for sentence in unusual(datasets(rows))]


def datasets(rows: Rows) -> Datasets:
    tables = {}
    for name, key in KEYS.items():
        table = (
            pa.Table.from_pylist(rows[name])
            if rows[name]
            else pa.table({column: pa.array([], pa.date32()) for column in key})
        )
        whole = [
            table.schema.field(n).with_type(pa.int32()) if field.name.endswith(("rank", "_n")) else field
            for n, field in enumerate(table.schema)
        ]
        dated = [field.with_type(pa.date32()) if field.name.endswith("_date") else field for field in whole]
        tables[name] = table.cast(pa.schema(dated, metadata={"primary_key": json.dumps(key)}))
    return Datasets(tables)


def test_a_quiet_day_has_nothing_to_tell() -> None:
    assert told(quiet()) == []


Change = Callable[[Rows], None]


def last_yield(**told: Any) -> Change:
    return lambda rows: rows["jgb_yields"][0].update(told)


def last_auction(**told: Any) -> Change:
    return lambda rows: rows["auction_tails"][0].update(told)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            last_yield(yield_pct=3.765, highest_since_date=None),
            "The 30-year, 3.765 %, is the highest on record.",
        ),
        (
            last_yield(tenor_years=10, yield_pct=2.33, highest_since_date=date(1999, 2, 5)),
            "The 10-year, 2.330 %, is the highest since 1999-02-05.",
        ),
        (
            lambda rows: rows["curve_moves"][0].update(
                change_1d_bp=20.3, rise_1d_rank=1, rise_1d_n=3067, rise_1d_since_date=None
            ),
            "The 30-year moved by +20.3 bp in one session, the largest rise on record: rank 1 of 3,067.",
        ),
        (
            lambda rows: rows["curve_moves"].__setitem__(
                0,
                moves(
                    tenor_years=40,
                    change_5d_bp=-27.2,
                    fall_5d_rank=4,
                    fall_5d_n=2244,
                    fall_5d_since_date=date(2025, 4, 15),
                ),
            ),
            "The 40-year moved by \N{MINUS SIGN}27.2 bp over five sessions, the largest fall since 2025-04-15: "
            "rank 4 of 2,244.",
        ),
        (
            lambda rows: rows["curve_shape"][0].update(
                slope_30s40s_bp=-8.1,
                slope_30s40s_pctile=0.11,
                slope_30s40s_n=4559,
                slope_30s40s_lowest_since_date=date(2026, 1, 9),
            ),
            "The slope 30s40s, \N{MINUS SIGN}8.1 bp, is at percentile 0.11 of 4,559 sessions, as low as on 2026-01-09.",
        ),
        (
            lambda rows: rows["curve_shape"][0].update(fly_2s5s10s_pctile=100.0, fly_2s5s10s_highest_since_date=None),
            "The fly 2s5s10s, 10.0 bp, is at percentile 100.00 of 6,000 sessions, a record.",
        ),
        (
            last_auction(tail_price=1.14, longest_tail_since_date=date(1987, 9, 1)),
            "At the 20-year auction of 2026-01-20 the tail, 1.14 yen, was the longest since 1987-09-01.",
        ),
        (
            last_auction(bid_to_cover=2.5, lowest_cover_since_date=None),
            "At the 20-year auction of 2026-01-20 the cover, 2.50, was the lowest on record.",
        ),
        (
            lambda rows: rows["curve_shape"][0].update(
                level_10y_pct=-0.287, level_10y_lowest_since_date=None, level_10y_n=7_400
            ),
            "The 10-year, \N{MINUS SIGN}0.287 %, is the lowest on record.",
        ),
        (
            lambda rows: rows["tic_holdings"][0].update(rank=2),
            "Japan's rank among holders of Treasuries is 2 in 2025-11; it was 1.",
        ),
    ],
)
def test_what_is_rare_is_told_in_words(change: Change, sentence: str) -> None:
    rows = quiet()
    change(rows)
    assert told(rows) == [sentence]


@pytest.mark.parametrize(
    "change",
    [
        last_yield(highest_since_date=DAY - timedelta(days=364)),  # within a year
        last_yield(tenor_years=7, highest_since_date=None),  # not a maturity that people quote
        lambda rows: rows["jgb_yields"].__setitem__(slice(200, None), []),  # too short a past for a record
        lambda rows: rows["curve_moves"][0].update(rise_1d_rank=31),  # beyond one in a hundred
        lambda rows: rows["curve_moves"][0].update(rise_1d_rank=1, rise_1d_n=200),  # the largest of few
        lambda rows: rows["curve_shape"][0].update(slope_30s40s_pctile=100.0, slope_30s40s_n=100),
        lambda rows: rows["curve_shape"][0].update(level_10y_lowest_since_date=None, level_10y_n=100),
        lambda rows: rows["curve_moves"][0].update(rise_1d_rank=1, rise_1d_n=None),
        lambda rows: rows["curve_shape"][0].update(level_10y_pctile=99.9),  # yields have their own rule
        last_auction(auction_date=DAY - timedelta(days=8), longest_tail_since_date=None),  # old news
        lambda rows: rows["auction_tails"].__setitem__(slice(20, None), []),
        lambda rows: rows["tic_holdings"][1].update(rank=None),
    ],
)
def test_what_is_not_rare_is_not_told(change: Change) -> None:
    rows = quiet()
    change(rows)
    assert told(rows) == []


def test_headlines_leave_out_what_is_not_known() -> None:
    rows = quiet()
    labels = [headline.label for headline in headlines(datasets(rows))]
    assert labels == ["30-year yield", "Slope 10s30s", "Last 20-year auction", "Japan's Treasuries"]
    assert headlines(datasets({name: [] for name in KEYS})) == []
