"""What stands on top of the page: the headline figures, and what is unusual, said by rule.

Belongs here: rules and their thresholds. Not here: charts.

A rule reads one row and says a sentence or nothing, so that the same figures give the same words on every day.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from jgb_assets.monitor.auctions import LATEST, auctions_of, name_of
from jgb_assets.monitor.capital import japan
from jgb_assets.monitor.cells import Datasets, Figure, Row, day, month, number, sentence
from jgb_assets.monitor.curve import EXTREME_PCTILE, SHAPES, curve_on, sessions

TENORS = [2, 5, 10, 20, 30, 40]
LONG_AGO = pd.DateOffset(years=1)  # a level, tail or cover not seen for so long is told
FEW_PCT, ENOUGH_MOVES = 1.0, 250  # a move is told among the largest 1 % of its direction, from a year of them on
ENOUGH_SESSIONS, ENOUGH_AUCTIONS = 250, 24  # before them, a record or percentile says nothing
RECENT = pd.DateOffset(days=7)  # an auction is news for so long, to the newest session
JUDGED = ("jgb_yields", "curve_moves", "curve_shape", "auction_tails", "tic_holdings")  # what rules read
HORIZONS = {1: "in one session", 5: "over five sessions"}

RULES = (
    "Told are, to the newest session: yields at their highest, and the 10-year at its lowest, for more than a year; "
    "moves over one or five sessions among the largest "
    f"{FEW_PCT:g} % of their direction; slopes and flies within {EXTREME_PCTILE} percentiles of an end of their "
    "history; tails and covers of its last seven days not seen for more than a year; TIC months in which Japan's rank "
    "changed."
)


@dataclass(frozen=True)
class Headline:
    """A figure on top: what it is, its value, what to hold it against."""

    label: str
    value: Markup
    against: Markup


def headlines(datasets: Datasets) -> list[Headline]:
    """The figures that everyone asks for first."""
    found = [
        *_yields(datasets),
        _slope(datasets),
        _tail(datasets),
        _holding(datasets),
        _pickup(datasets),
        _flows(datasets),
    ]
    return [headline for headline in found if headline]


def unusual(datasets: Datasets) -> list[Markup]:
    """A sentence for each thing that a rule finds unusual; none on a quiet day."""
    return [
        *_high_yields(datasets),
        *_low_ten_year(datasets),
        *_large_moves(datasets),
        *_extreme_shapes(datasets),
        *_weak_auctions(datasets),
        *_new_rank(datasets),
    ]


def newest_session(datasets: Datasets) -> Figure | None:
    """The day of which rules speak; None without a curve."""
    row = _last(datasets, "curve_shape")
    return day(row["obs_date"]) if row else None


def can_judge(datasets: Datasets) -> bool:
    """Whether there is anything to which a rule applies."""
    return any(not datasets.frame(name).empty for name in JUDGED)


def _yields(datasets: Datasets) -> Iterator[Headline]:
    days = sessions(datasets)
    curve = curve_on(datasets, days[-1]) if len(days) else {}
    for tenor in (10, 30, 40):
        if tenor in curve:
            row = curve[tenor]
            yield Headline(
                f"{tenor}-year yield",
                sentence("{value} %", value=number(row["yield_pct"], 3)),
                sentence(
                    "{day}; {one} bp on the day, {five} over five sessions",
                    day=day(row["obs_date"]),
                    one=number(row["change_1d_bp"], 1, signed=True),
                    five=number(row["change_5d_bp"], 1, signed=True),
                ),
            )


def _slope(datasets: Datasets) -> Headline | None:
    row = _last(datasets, "curve_shape")
    if row is None or row["slope_10s30s_bp"].is_null:
        return None
    return Headline(
        "Slope 10s30s",
        sentence("{value} bp", value=number(row["slope_10s30s_bp"], 1)),
        sentence(
            "{day}; percentile {pctile} of {n} sessions",
            day=day(row["obs_date"]),
            pctile=number(row["slope_10s30s_pctile"], 1),
            n=number(row["slope_10s30s_n"], 0),
        ),
    )


def _tail(datasets: Datasets) -> Headline | None:
    auctions = auctions_of(datasets, "20y")
    if auctions.empty:
        return None
    row = datasets.last("auction_tails", auctions)
    return Headline(
        "Last 20-year auction",
        sentence("tail {value} bp", value=number(row["tail_yield_bp"], 1)),
        sentence("{day}; cover {cover}", day=day(row["auction_date"]), cover=number(row["bid_to_cover"], 2)),
    )


def _holding(datasets: Datasets) -> Headline | None:
    months = japan(datasets)
    if months.empty:
        return None
    row = datasets.last("tic_holdings", months)
    return Headline(
        "Japan's Treasuries",
        sentence("{value} bn USD", value=number(row["position_usd_bn"], 1)),
        sentence(
            "{month}; {change} on the month, rank {rank}",
            month=month(row["month_end_date"]),
            change=number(row["change_usd_bn"], 1, signed=True),
            rank=number(row["rank"], 0),
        ),
    )


def _pickup(datasets: Datasets) -> Headline | None:
    row = _last(datasets, "repatriation", "hedged_pickup_10y_bp")
    if row is None:
        return None
    return Headline(
        "Hedged 10-year pick-up",
        sentence("{value} bp", value=number(row["hedged_pickup_10y_bp"], 1, signed=True)),
        sentence(
            "{day}; unhedged {spread} bp", day=day(row["obs_date"]), spread=number(row["spread_10y_bp"], 1, signed=True)
        ),
    )


def _flows(datasets: Datasets) -> Headline | None:
    row = _last(datasets, "repatriation", "foreign_bond_net_13w_jpy_bn")
    if row is None:
        return None
    return Headline(
        "Foreign bonds bought, 13 weeks",
        sentence("{value} bn yen", value=number(row["foreign_bond_net_13w_jpy_bn"], 0, signed=True)),
        sentence("to the week of {week}", week=day(row["foreign_bond_week_end_date"])),
    )


def _last(datasets: Datasets, name: str, filled: str | None = None) -> Row | None:
    frame = datasets.frame(name)
    if filled and not frame.empty:
        frame = frame[frame[filled].notna()]
    return None if frame.empty else datasets.last(name, frame)


def _high_yields(datasets: Datasets) -> Iterator[Markup]:
    """Yields as high as not for more than a year."""
    days = sessions(datasets)
    if len(days) < ENOUGH_SESSIONS:
        return
    frame = datasets.frame("jgb_yields")
    for tenor, row in curve_on(datasets, days[-1]).items():
        since = row["highest_since_date"]
        if tenor not in TENORS or not (since.is_null or since.value < days[-1] - LONG_AGO):
            continue
        if since.is_null and (frame["tenor_years"] == tenor).sum() < ENOUGH_SESSIONS:
            continue
        yield sentence(
            "The {tenor}-year, {value} %, {since}.",
            tenor=tenor,
            value=number(row["yield_pct"], 3),
            since=_since("is the highest since", "is the highest on record", day(since)),
        )


def _low_ten_year(datasets: Datasets) -> Iterator[Markup]:
    """The 10-year as low as not for more than a year; of other maturities nobody keeps lows."""
    row = _last(datasets, "curve_shape", "level_10y_pct")
    if row is None or row["level_10y_n"].value < ENOUGH_SESSIONS:
        return
    since = row["level_10y_lowest_since_date"]
    if since.is_null or since.value < row["obs_date"].value - LONG_AGO:
        yield sentence(
            "The 10-year, {value} %, {since}.",
            value=number(row["level_10y_pct"], 3),
            since=_since("is the lowest since", "is the lowest on record", day(since)),
        )


def _large_moves(datasets: Datasets) -> Iterator[Markup]:
    """Moves of the newest session among the largest of their direction."""
    frame = datasets.frame("curve_moves")
    if frame.empty:
        return
    newest = frame[frame["obs_date"] == frame["obs_date"].iloc[-1]]
    for row in datasets.rows("curve_moves", newest):
        if row["tenor_years"].value not in TENORS:
            continue
        for sessions_back, words in HORIZONS.items():
            for stem in ("rise", "fall"):
                rank, n = row[f"{stem}_{sessions_back}d_rank"], row[f"{stem}_{sessions_back}d_n"]
                if rank.is_null or n.is_null or n.value < ENOUGH_MOVES or rank.value > n.value * FEW_PCT / 100:
                    continue
                since = row[f"{stem}_{sessions_back}d_since_date"]
                yield sentence(
                    "The {tenor}-year moved by {move} bp {words}, the largest {stem} {since}: rank {rank} of {n}.",
                    tenor=row["tenor_years"].value,
                    stem=stem,
                    move=number(row[f"change_{sessions_back}d_bp"], 1, signed=True),
                    words=words,
                    since=_since("since", "on record", day(since)),
                    rank=number(rank, 0),
                    n=number(n, 0),
                )


def _extreme_shapes(datasets: Datasets) -> Iterator[Markup]:
    """Slopes and flies near an end of their history."""
    row = _last(datasets, "curve_shape")
    if row is None:
        return
    for column, label in SHAPES.items():
        stem = column.rpartition("_")[0]
        pctile, n = row[f"{stem}_pctile"], row[f"{stem}_n"]
        if column.endswith("_pct") or pctile.is_null or n.is_null or n.value < ENOUGH_SESSIONS:
            continue
        if EXTREME_PCTILE < pctile.value < 100 - EXTREME_PCTILE:
            continue
        is_high = pctile.value > 50
        since = row[f"{stem}_{'highest' if is_high else 'lowest'}_since_date"]
        yield sentence(
            "The {label}, {value} bp, is at percentile {pctile} of {n} sessions, {since}.",
            label=label,
            value=number(row[column], 1),
            pctile=number(pctile, 2),
            n=number(n, 0),
            since=_since(f"as {'high' if is_high else 'low'} as on", "a record", day(since)),
        )


def _weak_auctions(datasets: Datasets) -> Iterator[Markup]:
    """Recent auctions whose tail was as long, or whose cover as low, as not for more than a year."""
    days = sessions(datasets)
    for instrument in LATEST if len(days) else []:
        auctions = auctions_of(datasets, instrument)
        if len(auctions) < ENOUGH_AUCTIONS:
            continue
        row = datasets.last("auction_tails", auctions)
        held = row["auction_date"].value
        if held < days[-1] - RECENT:
            continue
        for measured, since, words in (
            (number(row["tail_price"], 2), row["longest_tail_since_date"], "tail, {value} yen, was the longest"),
            (number(row["bid_to_cover"], 2), row["lowest_cover_since_date"], "cover, {value}, was the lowest"),
        ):
            if measured.value is None or not (since.is_null or since.value < held - LONG_AGO):
                continue
            yield sentence(
                "At the {name} auction of {day} the {what} {since}.",
                name=name_of(instrument),
                day=day(row["auction_date"]),
                what=sentence(words, value=measured),
                since=_since("since", "on record", day(since)),
            )


def _new_rank(datasets: Datasets) -> Iterator[Markup]:
    """Japan's rank, where it is not that of the month before."""
    months = japan(datasets).tail(2)
    if len(months) < 2:
        return
    before, now = datasets.rows("tic_holdings", months)
    if now["rank"].is_null or before["rank"].is_null or now["rank"].value == before["rank"].value:
        return
    yield sentence(
        "Japan's rank among holders of Treasuries is {rank} in {month}; it was {before}.",
        rank=number(now["rank"], 0),
        month=month(now["month_end_date"]),
        before=number(before["rank"], 0),
    )


def _since(words: str, record: str, date: Figure) -> Markup:
    return Markup.escape(record) if date.value is None else sentence(words + " {date}", date=date)
