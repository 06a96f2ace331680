"""Auctions on the page: tails in both conventions, cover, the 40-year's clearing gap, the latest of each kind.

Belongs here: charts and the table of auctions. Not here: how a tail is computed.
"""

from collections.abc import Callable
from functools import partial

import altair as alt
import pandas as pd
from markupsafe import Markup

from jgb_assets.monitor.cells import Datasets, Row, day, difference, number, sentence
from jgb_assets.monitor.drawing import SERIES, WIDTH, colour, values
from jgb_assets.monitor.panels import Chart, Content, Table

SHOWN = 24  # auctions: two years of a monthly one
TAILED = ["10y", "20y", "30y"]
LATEST = ["2y", "5y", "10y", "20y", "30y", "40y", "10y_inflation", "10y_climate", "5y_climate"]
LATEST_YEARS = 1  # an instrument that was not auctioned for longer is not among the latest
MEANS = {"tail_yield_bp": "tail_prior12_mean_bp", "tail_compound_bp": "tail_compound_prior12_mean_bp"}
CONVENTIONS = {"tail_yield_bp": "simple, as published", "tail_compound_bp": "semi-annual compound"}


def name_of(instrument: str) -> str:
    """An instrument in words: ``20y`` is the 20-year, ``10y_inflation`` the 10-year inflation-linked."""
    tenor, _, kind = instrument.partition("_")
    told = {"": "", "inflation": " inflation-linked", "climate": " climate transition"}
    return f"{tenor.removesuffix('y')}-year{told[kind]}"


def auctions_of(datasets: Datasets, instrument: str) -> pd.DataFrame:
    """The auctions of an instrument, in order."""
    frame = datasets.frame("auction_tails")
    return frame[frame["instrument"] == instrument]


def tails(instrument: str) -> Callable[[Datasets], Content | None]:
    """The panel of an instrument's tails."""
    return partial(_tails, instrument=instrument)


def _tails(datasets: Datasets, instrument: str) -> Content | None:
    """Tails as bars in both conventions with their prior-12 mean; below, cover with its own."""
    recent = auctions_of(datasets, instrument).tail(SHOWN)
    if recent.empty:
        return None
    rows = datasets.rows("auction_tails", recent)
    bars = [
        {"auction": _label(row), "convention": label, "bp": row[column].value}
        for row in rows
        for column, label in CONVENTIONS.items()
        if not row[column].is_null
    ]
    means = [
        {"auction": _label(row), "convention": label, "bp": row[MEANS[column]].value}
        for row in rows
        for column, label in CONVENTIONS.items()
        if not row[MEANS[column]].is_null
    ]
    order = list(CONVENTIONS.values())
    x = _auctions([_label(row) for row in rows])
    tailed = (
        alt.Chart(values(bars), width=WIDTH - 20, height=150)
        .mark_bar()
        .encode(
            x=x,
            xOffset=alt.XOffset("convention:N", sort=order),
            y=alt.Y("bp:Q", title="tail, bp"),
            color=alt.Color(
                "convention:N",
                title="yield",
                sort=order,
                scale=alt.Scale(domain=order, range=[SERIES[0], colour("fall-2")]),
                legend=alt.Legend(symbolType="square"),
            ),
        )
    )
    mean = (
        alt.Chart(values(means))
        .mark_tick(color=SERIES[1], thickness=2, width=8)
        .encode(x=x, xOffset=alt.XOffset("convention:N", sort=order), y="bp:Q")
    )
    table = Table(
        [
            "auction",
            "tail, yen",
            "tail, bp simple",
            "prior-12 mean",
            "tail, bp compound",
            "prior-12 mean",
            "cover",
            "prior-12 mean",
            "longest since",
            "cover lowest since",
        ],
        [
            [
                day(row["auction_date"]),
                number(row["tail_price"], 2),
                number(row["tail_yield_bp"], 1),
                number(row["tail_prior12_mean_bp"], 2),
                number(row["tail_compound_bp"], 2),
                number(row["tail_compound_prior12_mean_bp"], 2),
                number(row["bid_to_cover"], 2),
                number(row["bid_to_cover_prior12_mean"], 2),
                day(row["longest_tail_since_date"], "record"),
                day(row["lowest_cover_since_date"], "record"),
            ]
            for row in reversed(rows)
        ],
    )
    last = rows[-1]
    says = sentence(
        "On {day} the tail was {yen} yen: {simple} bp simple, {compound} bp compound, against a prior-12 mean of "
        "{mean} bp simple; {rank} of {n} by length. Cover {cover}, prior-12 mean {cover_mean}.",
        day=day(last["auction_date"]),
        yen=number(last["tail_price"], 2),
        simple=number(last["tail_yield_bp"], 1),
        compound=number(last["tail_compound_bp"], 2),
        mean=number(last["tail_prior12_mean_bp"], 2),
        rank=number(last["tail_rank"], 0),
        n=number(last["tail_n"], 0),
        cover=number(last["bid_to_cover"], 2),
        cover_mean=number(last["bid_to_cover_prior12_mean"], 2),
    )
    return Content(
        "bp; cover as a multiple",
        says,
        day(last["auction_date"]),
        ("auction_tails",),
        table,
        alt.vconcat(tailed + mean, _cover(rows, x)).resolve_scale(color="independent"),
        "Orange: mean of the twelve auctions before, by each convention. The tail is the average less the lowest "
        "accepted price.",
    )


def clearing_gap(datasets: Datasets) -> Content | None:
    """The 40-year has one price and no tail: how far it cleared above the curve of the day."""
    recent = auctions_of(datasets, "40y").tail(SHOWN)
    if recent.empty:
        return None
    rows = datasets.rows("auction_tails", recent)
    x = _auctions([_label(row) for row in rows])
    bars = [
        {"auction": _label(row), "bp": row["clearing_gap_bp"].value}
        for row in rows
        if not row["clearing_gap_bp"].is_null
    ]
    gaps = (
        alt.Chart(values(bars), width=WIDTH - 20, height=150)
        .mark_bar(color=SERIES[0])
        .encode(x=x, y=alt.Y("bp:Q", title="clearing gap, bp"))
    )
    table = Table(
        ["auction", "highest yield, %", "curve, %", "clearing gap, bp", "cover", "prior-12 mean", "cover lowest since"],
        [
            [
                day(row["auction_date"]),
                number(row["highest_yield_pct"], 3),
                number(row["curve_yield_pct"], 3),
                number(row["clearing_gap_bp"], 1, signed=True),
                number(row["bid_to_cover"], 2),
                number(row["bid_to_cover_prior12_mean"], 2),
                day(row["lowest_cover_since_date"], "record"),
            ]
            for row in reversed(rows)
        ],
    )
    last = rows[-1]
    says = sentence(
        "On {day} it cleared at {highest} %, {gap} bp from the curve. Cover {cover}, prior-12 mean {mean}.",
        day=day(last["auction_date"]),
        highest=number(last["highest_yield_pct"], 3),
        gap=number(last["clearing_gap_bp"], 1, signed=True),
        cover=number(last["bid_to_cover"], 2),
        mean=number(last["bid_to_cover_prior12_mean"], 2),
    )
    return Content(
        "bp, semi-annual compound; cover as a multiple",
        says,
        day(last["auction_date"]),
        ("auction_tails",),
        table,
        alt.vconcat(gaps, _cover(rows, x)),
        "One price for all: the gap is the highest accepted yield less the 40-year of the same day's closing curve.",
    )


def latest(datasets: Datasets) -> Content | None:
    """The latest auction of each kind against the mean of the six before."""
    found = [
        datasets.last("auction_tails", of_kind)
        for instrument in LATEST
        if not (of_kind := auctions_of(datasets, instrument)).empty
    ]
    if not found:
        return None
    newest = max(found, key=lambda row: row["auction_date"].value)
    oldest = newest["auction_date"].value - pd.DateOffset(years=LATEST_YEARS)
    shown = [row for row in found if row["auction_date"].value > oldest]
    table = Table(
        [
            "instrument",
            "auction",
            "highest yield, %",
            "cover",
            "against prior-6 mean",
            "tail, yen",
            "tail, bp simple",
            "against prior-6 mean",
            "tail, bp compound",
            "clearing gap, bp",
        ],
        [
            [
                name_of(row["instrument"].value),
                day(row["auction_date"]),
                number(row["highest_yield_pct"], 3),
                number(row["bid_to_cover"], 2),
                difference(row["bid_to_cover"], row["bid_to_cover_prior6_mean"], 2),
                number(row["tail_price"], 2),
                number(row["tail_yield_bp"], 1),
                difference(row["tail_yield_bp"], row["tail_prior6_mean_bp"], 1),
                number(row["tail_compound_bp"], 2),
                number(row["clearing_gap_bp"], 1, signed=True),
            ]
            for row in shown
        ],
    )
    compared = [row for row in shown if not row["bid_to_cover_prior6_mean"].is_null and not row["bid_to_cover"].is_null]
    weaker = [row for row in compared if row["bid_to_cover"].value < row["bid_to_cover_prior6_mean"].value]
    told = [
        sentence(
            "the {name} ({by} at {cover})",
            name=name_of(row["instrument"].value),
            by=difference(row["bid_to_cover"], row["bid_to_cover_prior6_mean"], 2),
            cover=number(row["bid_to_cover"], 2),
        )
        for row in weaker
    ]
    says = (
        sentence("Cover was below the mean of the six auctions before in {told}.", told=Markup(", ").join(told))
        if told
        else Markup("In none was cover below the mean of the six auctions before.")
        if compared
        else Markup("None has six auctions before it to be held against.")
    )
    return Content(
        "%, bp; cover as a multiple",
        says,
        day(newest["auction_date"]),
        ("auction_tails",),
        table,
        None,
        "Auctions at one price have no tail. Yields as published: simple, the 40-year compound.",
    )


def _label(row: Row) -> str:
    return f"{row['auction_date'].value:%Y-%m-%d}"


def _auctions(labels: list[str]) -> alt.X:
    return alt.X(
        "auction:O",
        title=None,
        scale=alt.Scale(domain=labels),
        axis=alt.Axis(labelExpr="slice(datum.label, 0, 7)", labelAngle=-90, grid=False),
    )


def _cover(rows: list[Row], x: alt.X) -> Chart:
    told = [
        {
            "auction": _label(row),
            "cover": row["bid_to_cover"].value,
            "mean": None if row["bid_to_cover_prior12_mean"].is_null else row["bid_to_cover_prior12_mean"].value,
        }
        for row in rows
        if not row["bid_to_cover"].is_null
    ]
    base = alt.Chart(values(told), width=WIDTH - 20, height=80).encode(x=x)
    y = alt.Y("cover:Q", title="cover", scale=alt.Scale(zero=False))
    return base.mark_point(color=SERIES[0], size=40, opacity=1).encode(y=y) + base.mark_line(
        color=SERIES[1], strokeWidth=1.5
    ).encode(y="mean:Q")
