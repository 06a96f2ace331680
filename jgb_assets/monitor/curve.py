"""The curve on the page: its levels, how it moved, its shape, and three events.

Belongs here: charts of yields. Not here: auctions, what is unusual.
"""

from datetime import date
from itertools import pairwise
from typing import Any

import altair as alt
import pandas as pd
from markupsafe import Markup

from jgb_assets.monitor.cells import BP_PER_PCT, MINUS, Datasets, Figure, Row, day, difference, number, sentence
from jgb_assets.monitor.drawing import (
    HEIGHT,
    SERIES,
    WIDE,
    WIDTH,
    colour,
    dashes,
    dated,
    maturities,
    series,
    values,
)
from jgb_assets.monitor.panels import Content, Item, Table

# Sessions that people compare with: the reaction to the US tariffs, and two weak 20-year auctions.
EVENTS = [date(2025, 4, 8), date(2025, 5, 20), date(2026, 1, 20)]
SHOCK = EVENTS[-1]
BEFORE, AFTER = 5, 10  # sessions of an event window
WINDOW_TENORS = [10, 20, 30, 40]
AGO = {
    "1 week": pd.DateOffset(weeks=1),
    "1 month": pd.DateOffset(months=1),
    "3 months": pd.DateOffset(months=3),
    "1 year": pd.DateOffset(years=1),
}
COMPARED = ["1 week", "1 month", "1 year"]
SHAPES = {
    "level_10y_pct": "10-year level",
    "slope_2s10s_bp": "slope 2s10s",
    "slope_5s30s_bp": "slope 5s30s",
    "slope_10s30s_bp": "slope 10s30s",
    "slope_20s30s_bp": "slope 20s30s",
    "slope_30s40s_bp": "slope 30s40s",
    "fly_2s5s10s_bp": "fly 2s5s10s",
    "fly_5s10s20s_bp": "fly 5s10s20s",
    "fly_10s20s30s_bp": "fly 10s20s30s",
}
KINKS = {"slope_10s30s_bp": "10s30s", "slope_20s30s_bp": "20s30s", "slope_30s40s_bp": "30s40s"}
KINK_YEARS = 3
EXTREME_PCTILE = 2.5  # a percentile so near to an end is told
A_YEAR_WIDE = 10  # the cells of shorter maturities are: three digits only just fit
HEAT_BP = [-25, -10, -3, 3, 10, 25]
HEAT = ["fall-3", "fall-2", "fall-1", "flat", "rise-1", "rise-2", "rise-3"]


def sessions(datasets: Datasets) -> pd.DatetimeIndex:
    """Days with a curve, in order."""
    return pd.DatetimeIndex(datasets.frame("jgb_yields")["obs_date"].unique())


def session_at(days: pd.DatetimeIndex, wanted: pd.Timestamp) -> pd.Timestamp | None:
    """The last session that is not after a day."""
    place = int(days.searchsorted(wanted, side="right")) - 1
    return days[place] if place >= 0 else None


def curve_on(datasets: Datasets, on: pd.Timestamp) -> dict[int, Row]:
    """The rows of a session by maturity."""
    frame = datasets.frame("jgb_yields")
    return {int(row["tenor_years"].value): row for row in datasets.rows("jgb_yields", frame.loc[[on]])}


def curve_now(datasets: Datasets) -> Content | None:
    """Yields by maturity: the newest session, earlier ones, and the day of the shock."""
    days = sessions(datasets)
    if days.empty:
        return None
    now = days[-1]
    found: dict[str, pd.Timestamp | None] = {"newest": now}
    found |= {f"{ago} before": session_at(days, now - AGO[ago]) for ago in COMPARED}
    found["the shock"] = pd.Timestamp(SHOCK) if pd.Timestamp(SHOCK) in days else None
    curves = {label: curve_on(datasets, on) for label, on in found.items() if on is not None}
    named = {label: _day_of(curve) for label, curve in curves.items()}
    legend = {label: f"{named[label]} ({label})" for label in curves}
    rows = [
        {"session": legend[label], "tenor_years": tenor, "yield_pct": row["yield_pct"].value}
        for label, curve in curves.items()
        for tenor, row in curve.items()
    ]
    base = alt.Chart(values(rows), width=WIDTH, height=HEIGHT).encode(
        x=maturities(),
        y=alt.Y("yield_pct:Q", title="yield, % a year", scale=alt.Scale(zero=False)),
        color=series("session", list(legend.values())).legend(columns=3),
    )
    chart = base.mark_line().encode(
        strokeDash=dashes("session", list(legend.values())).legend(columns=3)
    ) + base.mark_point().transform_filter(alt.datum.session == legend["newest"])
    tenors = sorted(curves["newest"])
    table = Table(
        ["years", *(Markup("{}<br>{}").format(label, named[label]) for label in curves)],
        [
            [str(tenor), *(number(curve[tenor]["yield_pct"], 3) if tenor in curve else "" for curve in curves.values())]
            for tenor in tenors
        ],
    )
    return Content(
        "% a year, semi-annual compound",
        _levels(curves, named),
        named["newest"],
        ("jgb_yields",),
        table,
        chart,
        "Constant maturity, closing; terminals quote the simple yield of single bonds, which is higher at a discount.",
    )


def _day_of(curve: dict[int, Row]) -> Figure:
    return day(next(iter(curve.values()))["obs_date"])


def _levels(curves: dict[str, dict[int, Row]], named: dict[str, Figure]) -> Markup:
    newest = curves["newest"]
    told = [
        sentence("the {tenor}-year yields {level} %", tenor=tenor, level=number(newest[tenor]["yield_pct"], 3))
        for tenor in WINDOW_TENORS
        if tenor in newest
    ]
    text = sentence("On {day} {levels}.", day=named["newest"], levels=Markup(", ").join(told))
    if "the shock" not in curves or named["the shock"].value == named["newest"].value:
        return text
    moves = [
        sentence("{move} bp in the {tenor}-year", tenor=tenor, move=_moved(newest[tenor], curves["the shock"][tenor]))
        for tenor in WINDOW_TENORS
        if tenor in newest and tenor in curves["the shock"]
    ]
    return sentence(
        "{text} Against {shock}: {moves}.", text=text, shock=named["the shock"], moves=Markup(", ").join(moves)
    )


def _moved(now: Row, then: Row) -> Figure:
    return difference(now["yield_pct"], then["yield_pct"], 1, BP_PER_PCT)


def changes(datasets: Datasets) -> Content | None:
    """How far each maturity moved over a session and longer: a map of maturity by horizon."""
    days = sessions(datasets)
    if len(days) < 2:
        return None
    now = days[-1]
    then = {"1 session": days[-2]} | {ago: session_at(days, now - offset) for ago, offset in AGO.items()}
    curves = {label: curve_on(datasets, on) for label, on in then.items() if on is not None}
    newest = curve_on(datasets, now)
    moves = {
        label: {tenor: _moved(newest[tenor], curve[tenor]) for tenor in newest if tenor in curve}
        for label, curve in curves.items()
    }
    edges = _edges(sorted(newest))
    rows = [
        {
            "horizon": label,
            "tenor_years": tenor,
            "from": edges[tenor][0],
            "to": edges[tenor][1],
            "middle": sum(edges[tenor]) / 2,
            "is_tight": tenor < A_YEAR_WIDE and abs(move.value) > 99,
            "change_bp": move.value,
            "text": f"{move.value:+.0f}".replace("-", MINUS) if round(move.value) else "0",
        }
        for label, by_tenor in moves.items()
        for tenor, move in by_tenor.items()
    ]
    base = alt.Chart(values(rows), width=WIDE - 90, height=44 * len(moves)).encode(
        y=alt.Y("horizon:N", title=None, sort=list(moves), axis=alt.Axis(domain=False, ticks=False))
    )
    axis = alt.Axis(values=[t for t in newest if t <= 10 or t % 5 == 0], format="d", grid=False)
    cells = base.mark_rect(stroke=colour("surface"), strokeWidth=1).encode(
        x=alt.X("from:Q", title="maturity, years", scale=alt.Scale(zero=False, nice=False), axis=axis),
        x2="to:Q",
        color=alt.Color(
            "change_bp:Q",
            title="change, bp",
            scale=alt.Scale(type="threshold", domain=HEAT_BP, range=[colour(name) for name in HEAT]),
        ),
    )
    written = base.mark_text().encode(
        x="middle:Q",
        text="text:N",
        size=alt.condition(alt.datum.is_tight, alt.value(9.5), alt.value(11)),
        color=alt.condition(
            (alt.datum.change_bp >= HEAT_BP[-1]) | (alt.datum.change_bp < HEAT_BP[0]),
            alt.value(colour("surface")),
            alt.value(colour("ink")),
        ),
    )
    table = Table(
        ["years", *(Markup("{}<br>since {}").format(label, _day_of(curve)) for label, curve in curves.items())],
        [[str(tenor), *(by_tenor.get(tenor, "") for by_tenor in moves.values())] for tenor in sorted(newest)],
    )
    told = [
        sentence("{move} bp over {label}", move=by_tenor[30], label=label)
        for label, by_tenor in moves.items()
        if 30 in by_tenor
    ]
    says = sentence("The 30-year to {day}: {moves}.", day=_day_of(newest), moves=Markup(", ").join(told))
    return Content("bp", says, _day_of(newest), ("jgb_yields",), table, cells + written)


def _edges(tenors: list[int]) -> dict[int, tuple[float, float]]:
    """From where to where a maturity's cell reaches on a numeric axis: half-way to its neighbours."""
    middles = [(low + high) / 2 for low, high in pairwise(tenors)]
    bounds = [tenors[0] - 0.5, *middles, tenors[-1] + (tenors[-1] - middles[-1] if middles else 0.5)]
    return {tenor: (bounds[n], bounds[n + 1]) for n, tenor in enumerate(tenors)}


def shape(datasets: Datasets) -> Content | None:
    """Where slopes and kinks stand in their history: percentile of n sessions."""
    frame = datasets.frame("curve_shape")
    if frame.empty:
        return None
    row = datasets.last("curve_shape", frame)
    stems = {column.rpartition("_")[0]: (column, label) for column, label in SHAPES.items()}
    known = {stem: told for stem, told in stems.items() if not row[told[0]].is_null}
    rows = [
        {"measure": label, "pctile": row[f"{stem}_pctile"].value, "text": f"{row[f'{stem}_pctile'].value:.0f}"}
        for stem, (_, label) in known.items()
    ]
    order = [label for _, label in known.values()]
    base = alt.Chart(values(rows), width=WIDTH - 110, height=28 * len(order)).encode(
        y=alt.Y("measure:N", title=None, sort=order, axis=alt.Axis(domain=False, ticks=False, labelPadding=12)),
        x=alt.X("pctile:Q", title="percentile of its history", scale=alt.Scale(domain=[0, 100])),
    )
    middle = alt.Chart(values([{"pctile": 50}])).mark_rule(strokeDash=[3, 3]).encode(x="pctile:Q")
    chart = (
        middle
        + base.mark_bar(height=3, color=colour("grid")).encode(x2=alt.datum(50))
        + base.mark_point(size=90, color=SERIES[0], opacity=1)
        + base.mark_text(dy=-11).encode(text="text:N")
    )
    table = Table(
        ["measure", "value", "1 session, bp", "5 sessions, bp", "percentile", "n", "last as high", "last as low"],
        [
            [
                f"{label}, {'%' if column.endswith('_pct') else 'bp'}",
                number(row[column], 3 if column.endswith("_pct") else 1),
                number(row[f"{stem}_change_1d_bp"], 1, signed=True),
                number(row[f"{stem}_change_5d_bp"], 1, signed=True),
                number(row[f"{stem}_pctile"], 2),
                number(row[f"{stem}_n"], 0),
                day(row[f"{stem}_highest_since_date"], "record"),
                day(row[f"{stem}_lowest_since_date"], "record"),
            ]
            for stem, (column, label) in known.items()
        ],
    )
    extreme = [
        sentence(
            "{label} ({value}) at percentile {pctile} of {n}",
            label=label,
            value=number(row[column], 3 if column.endswith("_pct") else 1),
            pctile=number(row[f"{stem}_pctile"], 2),
            n=number(row[f"{stem}_n"], 0),
        )
        for stem, (column, label) in known.items()
        if not EXTREME_PCTILE < row[f"{stem}_pctile"].value < 100 - EXTREME_PCTILE
    ]
    says = (
        sentence(
            "Near an end of its history on {day}: {told}.", day=day(row["obs_date"]), told=Markup("; ").join(extreme)
        )
        if extreme
        else sentence("On {day} no measure is near an end of its history.", day=day(row["obs_date"]))
    )
    return Content(
        "percentile; values in bp, the level in %",
        says,
        day(row["obs_date"]),
        ("curve_shape",),
        table,
        chart,
        "A slope AsBs is B less A; a fly AsBsCs is twice B less A and C. Histories start with the maturity: n differs.",
    )


def kinks(datasets: Datasets) -> Content | None:
    """The super-long slopes over the last years."""
    frame = datasets.frame("curve_shape")
    if frame.empty:
        return None
    newest = frame["obs_date"].iloc[-1]
    recent = frame[frame["obs_date"] > newest - pd.DateOffset(years=KINK_YEARS)]
    rows = [
        {"day": f"{on:%Y-%m-%d}", "slope": label, "bp": value}
        for column, label in KINKS.items()
        for on, value in recent[column].dropna().items()
    ]
    if not rows:
        return None
    chart = (
        alt.Chart(values(rows), width=WIDTH, height=HEIGHT)
        .mark_line(strokeWidth=1.5)
        .encode(
            x=dated("day"),
            y=alt.Y("bp:Q", title="bp"),
            color=series("slope", list(KINKS.values())),
            strokeDash=dashes("slope", list(KINKS.values())),
        )
    )
    last = datasets.last("curve_shape", recent)
    months = recent.groupby(recent["obs_date"].dt.to_period("M")).tail(1)
    table = Table(
        ["last session of the month", *(f"{label}, bp" for label in KINKS.values())],
        [
            [day(row["obs_date"]), *(number(row[column], 1) for column in KINKS)]
            for row in datasets.rows("curve_shape", months)
        ],
    )
    told = [
        sentence("{label} {value} bp", label=label, value=number(last[column], 1)) for column, label in KINKS.items()
    ]
    return Content(
        "bp",
        sentence("On {day}: {told}.", day=day(last["obs_date"]), told=Markup(", ").join(told)),
        day(last["obs_date"]),
        ("curve_shape",),
        table,
        chart,
    )


def event_windows(datasets: Datasets) -> Content | None:
    """Cumulative change around three sessions, from five before to ten after."""
    days = sessions(datasets)
    events = [pd.Timestamp(event) for event in EVENTS if pd.Timestamp(event) in days]
    rows: list[dict[str, Any]] = []
    lines: list[list[Item]] = []
    told: list[Markup] = []
    newest: Figure | None = None
    for event in events:
        centre = int(days.searchsorted(event))
        if centre < BEFORE:
            continue
        base = curve_on(datasets, days[centre - BEFORE])
        for offset in range(-BEFORE, min(AFTER, len(days) - 1 - centre) + 1):
            curve = curve_on(datasets, days[centre + offset])
            moves = {t: _moved(curve[t], base[t]) for t in WINDOW_TENORS if t in curve and t in base}
            newest = _day_of(curve)
            rows += [
                {"event": f"{event:%Y-%m-%d}", "session": offset, "tenor": f"{tenor}-year", "bp": move.value}
                for tenor, move in moves.items()
            ]
            lines.append(
                [
                    f"{event:%Y-%m-%d}, t{offset:+d}".replace("-", "\u2011")
                    if offset
                    else f"{event:%Y\u2011%m\u2011%d}, t",
                    newest,
                    *(moves.get(tenor, "") for tenor in WINDOW_TENORS),
                ]
            )
            if not offset and 30 in moves:
                told.append(sentence("{move} bp by {day}", move=moves[30], day=newest))
    if newest is None:
        return None
    order = [f"{tenor}-year" for tenor in WINDOW_TENORS]
    shown = list(dict.fromkeys(row["event"] for row in rows))
    parts = [
        alt.layer(
            alt.Chart(values([{"session": 0}])).mark_rule(strokeDash=[3, 3]).encode(x="session:Q"),
            alt.Chart(values([row for row in rows if row["event"] == event]))
            .mark_line(point=True)
            .encode(
                x=alt.X(
                    "session:Q", title="sessions from the event", scale=alt.Scale(domain=[-BEFORE, AFTER], nice=False)
                ),
                y=alt.Y("bp:Q", title=f"bp since t{MINUS}{BEFORE}" if event == shown[0] else None),
                color=series("tenor", order),
                strokeDash=dashes("tenor", order),
            ),
            title=event,
            width=(WIDE - 130) // 3,
            height=HEIGHT,
        )
        for event in shown
    ]
    table = Table(["event, session", "day", *(f"{tenor}-year" for tenor in WINDOW_TENORS)], lines)
    says = sentence(
        "From five sessions before to the session itself the 30-year moved {told}.", told=Markup(", ").join(told)
    )
    return Content(
        "bp, cumulative since the close five sessions before",
        says,
        newest,
        ("jgb_yields",),
        table,
        alt.hconcat(*parts).resolve_scale(y="shared"),
    )
