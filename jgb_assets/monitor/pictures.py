"""A small picture of each dataset, and the few numbers that tell how it stands: what Dagster shows of an asset.

Belongs here: thumbnails and headline scalars. Not here: the page's charts, how Dagster takes them.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import altair as alt
import pandas as pd

from jgb_assets.monitor.auctions import auctions_of
from jgb_assets.monitor.capital import foreign_bonds, japan
from jgb_assets.monitor.cells import Datasets, shortest
from jgb_assets.monitor.claims import VERDICTS
from jgb_assets.monitor.curve import SHAPES
from jgb_assets.monitor.drawing import SERIES, by_sign, colour, dated, maturities, png, series, values
from jgb_assets.monitor.page import PANELS
from jgb_assets.monitor.panels import Chart

MOST_BYTES, SCALES = 60_000, (1.5, 1.0, 0.5)  # the first scale that is small enough
WIDTH, HEIGHT = 320, 130
OVERVIEW = ("curve", "tails-20y", "holdings", "spreads")  # panels of the page
YEARS = pd.DateOffset(years=3)
Scalars = dict[str, float]
Picture = Callable[[Datasets], Chart | None]
VERDICT_COLOURS = {"confirmed": "good", "contradicted": "bad", "basis_differs": "doubt", "not_measurable": "muted"}


def picture(datasets: Datasets, name: str) -> bytes | None:
    """A PNG of a dataset, at most ``MOST_BYTES``; None while it is empty.

    Raises:
        KeyError: nobody has said how to draw this dataset.
    """
    draw = PICTURES[name]
    if datasets.frame(name).empty:
        return None
    chart = draw(datasets)
    return _small(chart) if chart else None


def overview(datasets: Datasets) -> bytes:
    """A PNG of some of the page's charts, at most ``MOST_BYTES``: the curve, the 20-year's tails, holdings, spreads."""
    panels = {panel.name: panel for panel in PANELS}
    charts = [
        content.chart.properties(title=panels[name].title)
        for name in OVERVIEW
        if (content := panels[name].fill(datasets)) and content.chart
    ]
    return _small(
        alt.concat(*charts, columns=2).resolve_scale(color="independent", strokeDash="independent"), SCALES[1:]
    )


def verdicts(datasets: Datasets) -> bytes:
    """A PNG of every claim with what was said, what is measured, and the verdict."""
    told = [
        {
            "line": line,
            "claim": row["claim"].value,
            "claimed": str(shortest(row["claimed_value"])),
            "measured": str(shortest(row["measured_value"])),
            "unit": row["unit"].value,
            "verdict": VERDICTS[row["verdict"].value],
        }
        for line, row in enumerate(datasets.rows("claims", datasets.frame("claims")))
    ]
    y = alt.Y("line:Q", axis=None, scale=alt.Scale(reverse=True, nice=False, padding=12))
    base = alt.Chart(values(told), width=1000, height=21 * len(told)).encode(y=y)
    head = alt.Chart(values([{"line": -1}])).encode(y=y)
    layout: list[tuple[str, int, Literal["left", "right"]]] = [
        ("claim", 0, "left"),
        ("claimed", 690, "right"),
        ("measured", 770, "right"),
        ("unit", 785, "left"),
    ]
    columns = [
        part
        for name, x, align in layout
        for part in (
            base.mark_text(align=align, limit=620).encode(x=alt.value(x), text=f"{name}:N"),
            head.mark_text(align=align, color=colour("muted"), text=name).encode(x=alt.value(x)),
        )
    ]
    judged = base.mark_text(align="left", fontWeight="bold").encode(
        x=alt.value(895),
        text="verdict:N",
        color=alt.Color("verdict:N", legend=None, scale=_verdict_colours()),
    )
    return png(alt.layer(*columns, judged), 1.5)


def _verdict_colours() -> alt.Scale:
    return alt.Scale(domain=list(VERDICTS.values()), range=[colour(VERDICT_COLOURS[verdict]) for verdict in VERDICTS])


def _small(chart: Chart, scales: tuple[float, ...] = SCALES) -> bytes:
    for scale in scales:
        if len(body := png(chart, scale)) <= MOST_BYTES:
            return body
    raise ValueError(f"a picture of {len(body)} bytes even at scale {scale}, at most {MOST_BYTES} are allowed")


def scalars(datasets: Datasets, name: str) -> Scalars:
    """The numbers that are worth a line over time, by name with its unit; what is null is left out."""
    tell = SCALARS[name]
    if datasets.frame(name).empty:
        return {}
    return {key: float(value) for key, value in tell(datasets).items() if not pd.isna(value)}


def _lines(rows: list[dict[str, Any]], order: list[str], unit: str) -> Chart:
    return (
        _base(rows)
        .mark_line(strokeWidth=1.5)
        .encode(
            x=dated("day"), y=alt.Y("value:Q", title=unit, scale=alt.Scale(zero=False)), color=series("series", order)
        )
    )


def _base(rows: list[dict[str, Any]]) -> Chart:
    return alt.Chart(values(rows), width=WIDTH, height=HEIGHT)


def _melted(
    frame: pd.DataFrame, day: str, columns: Mapping[Any, str], years: pd.DateOffset = YEARS
) -> list[dict[str, Any]]:
    """The last years of some columns, as rows of day, series and value; long ones thinned to a point a week."""
    recent = frame[frame[day] > frame[day].max() - years]
    if len(recent) > 400:
        recent = recent.groupby(recent[day].dt.to_period("W")).tail(1)
    return [
        {"day": f"{on:%Y-%m-%d}", "series": label, "value": float(value)}
        for column, label in columns.items()
        for on, value in zip(recent[day], recent[column], strict=True)
        if not pd.isna(value)
    ]


def _curve(datasets: Datasets) -> Chart:
    newest = _newest_day(datasets, "jgb_yields", "tenor_years", "yield_pct")
    rows = [{"tenor_years": tenor, "pct": pct} for tenor, pct in zip(newest.index.tolist(), newest, strict=True)]
    return (
        _base(rows)
        .mark_line(point=True, color=SERIES[0])
        .encode(x=maturities(), y=alt.Y("pct:Q", title="%", scale=alt.Scale(zero=False)))
    )


def _wide(datasets: Datasets) -> Chart:
    columns = {f"yield_{tenor}y_pct": f"{tenor}-year" for tenor in (2, 10, 30, 40)}
    return _lines(_melted(datasets.frame("jgb_yields_wide"), "obs_date", columns), list(columns.values()), "%")


def _shape(datasets: Datasets) -> Chart:
    columns = {
        column: SHAPES[column].removeprefix("slope ")
        for column in ("slope_2s10s_bp", "slope_10s30s_bp", "slope_30s40s_bp")
    }
    return _lines(_melted(datasets.frame("curve_shape"), "obs_date", columns), list(columns.values()), "bp")


def _moves(datasets: Datasets) -> Chart:
    frame = datasets.frame("curve_moves")
    recent = frame[(frame["tenor_years"] == 30) & frame["change_1d_bp"].notna()].tail(250)
    rows = [
        {"day": f"{on:%Y-%m-%d}", "value": value}
        for on, value in zip(recent["obs_date"], recent["change_1d_bp"], strict=True)
    ]
    return (
        _base(rows)
        .mark_bar(width=1, color=SERIES[0])
        .encode(x=dated("day"), y=alt.Y("value:Q", title="30-year, bp a day"))
    )


def _factors(datasets: Datasets) -> Chart | None:
    frame = datasets.frame("curve_factors")
    window = frame["window"].iloc[frame["n_obs"].argmax()]
    part = frame[(frame["window"] == window) & (frame["component"] <= 3)]
    rows = [
        {"tenor_years": int(row["tenor_years"]), "loading": row["loading"], "series": f"component {row['component']}"}
        for row in part.to_dict("records")
    ]
    order = [f"component {n}" for n in (1, 2, 3)]
    tenors = sorted({row["tenor_years"] for row in rows})
    return (
        _base(rows)
        .mark_line(point=True)
        .encode(
            x=maturities(shown=tenors if len(tenors) < 12 else None),
            y=alt.Y("loading:Q"),
            color=series("series", order),
        )
    )


def _tails(datasets: Datasets) -> Chart:
    auctions = auctions_of(datasets, "20y").tail(36)
    rows = [
        {"day": f"{on:%Y-%m-%d}", "value": None if pd.isna(bp) else bp}
        for on, bp in zip(auctions["auction_date"], auctions["tail_yield_bp"], strict=True)
    ]
    return (
        _base(rows)
        .mark_bar(width=6, color=SERIES[0])
        .encode(x=dated("day"), y=alt.Y("value:Q", title="20-year tail, bp"))
    )


def _spreads(datasets: Datasets) -> Chart:
    columns = {"spread_10y_bp": "10-year spread", "hedged_pickup_10y_bp": "hedged"}
    return _lines(_melted(datasets.frame("repatriation"), "obs_date", columns), list(columns.values()), "bp")


def _flows(datasets: Datasets) -> Chart:
    months = foreign_bonds(datasets, "monthly")
    bought = months[months["investor_type"] == "all"].tail(36)
    rows = [
        {"day": f"{on:%Y-%m-%d}", "value": value}
        for on, value in zip(bought["period_end_date"], bought["net_jpy_bn"], strict=True)
    ]
    return (
        _base(rows)
        .mark_bar(width=6)
        .encode(
            x=dated("day"),
            y=alt.Y("value:Q", title="jpy bn a month"),
            color=by_sign("value"),
        )
    )


def _treasuries(datasets: Datasets) -> Chart:
    frame = datasets.frame("ust_yields")
    names = {24: "2-year", 120: "10-year", 360: "30-year"}
    wide = frame[frame["tenor_months"].isin(names)].pivot_table(
        index="obs_date", columns="tenor_months", values="yield_pct"
    )
    found = {months: label for months, label in names.items() if months in wide.columns}
    return _lines(_melted(wide.reset_index(), "obs_date", found), list(found.values()), "%")


def _holdings(datasets: Datasets) -> Chart | None:
    held = japan(datasets)
    if held.empty:
        return None
    return _lines(
        _melted(held, "month_end_date", {"position_usd_bn": "Japan"}, pd.DateOffset(years=10)), ["Japan"], "usd bn"
    )


def _vintages(datasets: Datasets) -> Chart:
    frame = datasets.frame("tic_holdings_vintages")
    counted = frame.groupby(frame["seen_at"].dt.strftime("%Y-%m-%d")).size()
    return _counted(counted.to_dict(), "values seen")


def _counted(counts: Mapping[Any, int], title: str) -> Chart:
    rows = [{"name": name, "count": int(count)} for name, count in counts.items()]
    return (
        _base(rows)
        .mark_bar(color=SERIES[0])
        .encode(
            y=alt.Y("name:N", title=None, sort=list(counts), axis=alt.Axis(labelLimit=190)),
            x=alt.X("count:Q", title=title, axis=alt.Axis(format="d", tickMinStep=1)),
        )
    )


def _securities(datasets: Datasets) -> Chart:
    frame = datasets.frame("japan_us_securities")
    kinds = [
        kind for kind in ("treasuries", "agencies", "corporates", "equities") if (frame["security_type"] == kind).any()
    ]
    wide = frame.reset_index(drop=True).pivot_table(
        index="month_end_date", columns="security_type", values="position_usd_bn"
    )
    return _lines(
        _melted(wide.reset_index(), "month_end_date", {kind: kind for kind in kinds}, pd.DateOffset(years=10)),
        kinds,
        "usd bn",
    )


def _revisions(datasets: Datasets) -> Chart:
    return _counted(datasets.frame("revisions").groupby("source_table").size().to_dict(), "figures revised")


def _reconciliations(datasets: Datasets) -> Chart:
    frame = datasets.frame("reconciliations")
    return _counted(dict(zip(frame["reconciliation"], frame["compared"], strict=True)), "figures compared")


def _status(datasets: Datasets) -> Chart:
    frame = datasets.frame("source_status")
    rows = [
        {"source": source, "day": f"{newest:%Y-%m-%d}"}
        for source, newest in zip(frame["source"], frame["newest_observation_date"], strict=True)
        if not pd.isna(newest)
    ]
    return (
        _base(rows)
        .mark_point(size=80, color=SERIES[0], opacity=1)
        .encode(x=dated("day", "newest observation"), y=alt.Y("source:N", title=None))
    )


def _claims(datasets: Datasets) -> Chart:
    frame = datasets.frame("claims")
    counts = {label: int((frame["verdict"] == verdict).sum()) for verdict, label in VERDICTS.items()}
    bars = _counted(counts, "claims").encode(color=alt.Color("name:N", legend=None, scale=_verdict_colours()))
    return bars + bars.mark_text(align="left", dx=4).encode(text="count:Q", color=alt.value(colour("ink")))


PICTURES: dict[str, Picture] = {
    "auction_tails": _tails,
    "claims": _claims,
    "curve_factors": _factors,
    "curve_moves": _moves,
    "curve_shape": _shape,
    "japan_us_securities": _securities,
    "jgb_yields": _curve,
    "jgb_yields_wide": _wide,
    "reconciliations": _reconciliations,
    "repatriation": _spreads,
    "revisions": _revisions,
    "securities_flows": _flows,
    "source_status": _status,
    "tic_holdings": _holdings,
    "tic_holdings_vintages": _vintages,
    "ust_yields": _treasuries,
}


def _newest(datasets: Datasets, name: str, columns: list[str]) -> Scalars:
    last = datasets.frame(name).iloc[-1]
    return {column: last[column] for column in columns}


def _newest_day(datasets: Datasets, name: str, by: str, column: str) -> pd.Series:
    """A column of the newest day, by maturity."""
    frame = datasets.frame(name)
    newest: pd.Series = frame[frame["obs_date"] == frame["obs_date"].iloc[-1]].set_index(by)[column]
    return newest


def _newest_auctions(datasets: Datasets) -> Scalars:
    told: Scalars = {}
    for instrument in ("10y", "20y", "30y", "40y"):
        auctions = auctions_of(datasets, instrument)
        if not auctions.empty:
            last = auctions.iloc[-1]
            told |= {
                f"{instrument}_tail_yield_bp": last["tail_yield_bp"],
                f"{instrument}_bid_to_cover": last["bid_to_cover"],
            }
    return told


def _newest_moves(datasets: Datasets) -> Scalars:
    newest = _newest_day(datasets, "curve_moves", "tenor_years", "change_1d_bp")
    return {f"change_1d_{tenor}y_bp": newest[tenor] for tenor in (10, 30, 40) if tenor in newest.index}


def _newest_curve(datasets: Datasets) -> Scalars:
    newest = _newest_day(datasets, "jgb_yields", "tenor_years", "yield_pct")
    return {f"yield_{tenor}y_pct": newest[tenor] for tenor in (2, 10, 20, 30, 40) if tenor in newest.index}


def _newest_treasuries(datasets: Datasets) -> Scalars:
    newest = _newest_day(datasets, "ust_yields", "tenor_months", "yield_pct")
    return {f"yield_{months // 12}y_pct": newest[months] for months in (24, 120, 360) if months in newest.index}


def _newest_flow(datasets: Datasets) -> Scalars:
    weeks = foreign_bonds(datasets, "weekly")
    return {} if weeks.empty else {"outward_long_term_debt_net_jpy_bn": weeks["net_jpy_bn"].iloc[-1]}


def _newest_securities(datasets: Datasets) -> Scalars:
    frame = datasets.frame("japan_us_securities")
    newest = frame[frame["month_end_date"] == frame["month_end_date"].max()]
    return {
        f"{kind}_position_usd_bn": position
        for kind, position in zip(newest["security_type"], newest["position_usd_bn"], strict=True)
    }


def _explained(datasets: Datasets) -> Scalars:
    frame = datasets.frame("curve_factors")
    first = frame[frame["component"] == 1].drop_duplicates("window")
    return {f"{row['window']}_explained_pct": row["explained_pct"] for row in first.to_dict("records")}


def _newest_holding(datasets: Datasets) -> Scalars:
    held = japan(datasets)
    if held.empty:
        return {}
    last = held.iloc[-1]
    return {f"japan_{column}": last[column] for column in ("position_usd_bn", "change_usd_bn", "rank")}


def _verdicts(datasets: Datasets) -> Scalars:
    verdicts = datasets.frame("claims")["verdict"]
    return {f"claims_{verdict}": float((verdicts == verdict).sum()) for verdict in VERDICTS}


SCALARS: dict[str, Callable[[Datasets], Scalars]] = {
    "auction_tails": _newest_auctions,
    "claims": _verdicts,
    "curve_factors": _explained,
    "curve_moves": _newest_moves,
    "curve_shape": lambda datasets: _newest(
        datasets, "curve_shape", ["slope_2s10s_bp", "slope_10s30s_bp", "slope_30s40s_bp", "fly_10s20s30s_bp"]
    ),
    "japan_us_securities": _newest_securities,
    "jgb_yields": _newest_curve,
    "jgb_yields_wide": lambda datasets: _newest(
        datasets, "jgb_yields_wide", [f"yield_{tenor}y_pct" for tenor in (2, 10, 30, 40)]
    ),
    "reconciliations": lambda datasets: {
        "beyond_tolerance": float(datasets.frame("reconciliations")["beyond_tolerance"].sum())
    },
    "repatriation": lambda datasets: _newest(
        datasets,
        "repatriation",
        ["spread_10y_bp", "hedged_pickup_10y_bp", "foreign_bond_net_13w_jpy_bn", "japan_tic_usd_bn"],
    ),
    "revisions": lambda datasets: {"revised_figures": float(len(datasets.frame("revisions")))},
    "securities_flows": _newest_flow,
    "source_status": lambda datasets: {"snapshots": float(datasets.frame("source_status")["snapshots"].sum())},
    "tic_holdings": _newest_holding,
    "tic_holdings_vintages": lambda datasets: {"values_seen": float(len(datasets.frame("tic_holdings_vintages")))},
    "ust_yields": _newest_treasuries,
}
