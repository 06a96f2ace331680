"""Capital on the page: what Japan holds of US Treasuries, why that changed, who buys abroad, what it pays.

Belongs here: charts of TIC, flows and spreads. Not here: what they mean for policy.
"""

from typing import Any

import altair as alt
import pandas as pd
from markupsafe import Markup

from jgb_assets.monitor.cells import Datasets, Row, day, month, number, sentence, words
from jgb_assets.monitor.drawing import HEIGHT, SERIES, WIDTH, by_sign, colour, dashes, dated, monthly, series, values
from jgb_assets.monitor.panels import Content, Table

HOLDER = "Japan"
LEVEL_MONTHS, CHANGE_MONTHS, FLOW_MONTHS, FLOW_WEEKS, SPREAD_YEARS = 60, 36, 24, 52, 3
PARTS = {
    "net_purchases_usd_bn": "net purchases",
    "valuation_usd_bn": "price changes",
    "other_usd_bn": "other",
}
INVESTORS = {
    "all": "all investors",
    "banks": "banks",
    "life_insurers": "life insurers",
    "investment_trust_managers": "investment trusts",
    "trust_accounts": "trust accounts",
}
SPREADS = {
    "spread_10y_bp": "10-year, unhedged",
    "spread_30y_bp": "30-year, unhedged",
    "hedged_pickup_10y_bp": "10-year, hedged",
    "hedged_pickup_30y_bp": "30-year, hedged",
}


def japan(datasets: Datasets) -> pd.DataFrame:
    """Japan's months, in order."""
    frame = datasets.frame("tic_holdings")
    return frame[frame["holder"] == HOLDER]


def foreign_bonds(datasets: Datasets, frequency: str) -> pd.DataFrame:
    """What residents bought, net, of foreign long-term debt, by period; where it is known."""
    frame = datasets.frame("securities_flows")
    return frame[
        (frame["frequency"] == frequency)
        & (frame["direction"] == "outward")
        & (frame["security_type"] == "long_term_debt")
        & frame["net_jpy_bn"].notna()
    ]


def holdings(datasets: Datasets) -> Content | None:
    """The level with its first prints, and Japan's rank among countries."""
    recent = japan(datasets).tail(LEVEL_MONTHS)
    if recent.empty:
        return None
    rows = datasets.rows("tic_holdings", recent)
    told = [
        {
            "month": _iso(row),
            "last seen": row["position_usd_bn"].value,
            "first": None if row["first_print_usd_bn"].is_null else row["first_print_usd_bn"].value,
            "rank": None if row["rank"].is_null else row["rank"].value,
        }
        for row in rows
    ]
    base = alt.Chart(values(told), width=WIDTH, height=190).encode(x=dated("month"))
    y = alt.Y("last seen:Q", title="usd bn", scale=alt.Scale(zero=False))
    level = base.mark_line(color=SERIES[0]).encode(y=y)
    first = base.mark_point(filled=False, color=SERIES[1], size=26, opacity=1).encode(y="first:Q")
    worst = max([2, *(int(row["rank"].value) for row in rows if not row["rank"].is_null)])
    rank = (
        base.mark_line(color=SERIES[0], interpolate="step-after")
        .encode(
            y=alt.Y(
                "rank:Q",
                title="rank",
                scale=alt.Scale(reverse=True, domain=[1, worst], nice=False),
                axis=alt.Axis(values=list(range(1, worst + 1)), format="d"),
            )
        )
        .properties(height=50)
    )
    last = rows[-1]
    table = Table(
        ["month", "usd bn", "first seen", "rank", "share, %", "first seen on"],
        [
            [
                month(row["month_end_date"]),
                number(row["position_usd_bn"], 1),
                number(row["first_print_usd_bn"], 1),
                number(row["rank"], 0),
                number(row["share_pct"], 1),
                day(row["first_seen_at"]),
            ]
            for row in reversed(rows)
        ],
    )
    says = sentence(
        "At the end of {month} custodians held {level} bn USD of Treasuries for Japan, rank {rank} among countries, "
        "{share} % of all foreign holdings.",
        month=month(last["month_end_date"]),
        level=number(last["position_usd_bn"], 1),
        rank=number(last["rank"], 0),
        share=number(last["share_pct"], 1),
    )
    return Content(
        "usd bn",
        says,
        month(last["month_end_date"]),
        ("tic_holdings",),
        table,
        alt.vconcat(alt.layer(level, first, *_breaks(rows, dated("month"))), rank),
        "Circles: as first seen by this pipeline. By custodian: other countries hold for Japan too. "
        "Dashed: a new survey starts the series anew.",
    )


def holding_changes(datasets: Datasets) -> Content | None:
    """The change of a month as net purchases, price changes and the rest."""
    whole = japan(datasets)
    recent = whole[whole["net_purchases_usd_bn"].notna()].tail(CHANGE_MONTHS)
    if recent.empty:
        return None
    rows = datasets.rows("tic_holdings", recent)
    bars = [
        {"month": _iso(row), "part": label, "usd_bn": row[column].value}
        for row in rows
        for column, label in PARTS.items()
        if not row[column].is_null
    ]
    totals = [
        {"month": _iso(row), "usd_bn": row["change_usd_bn"].value} for row in rows if not row["change_usd_bn"].is_null
    ]
    order = list(PARTS.values())
    x = monthly()
    stacked = (
        alt.Chart(values(bars), width=WIDTH, height=HEIGHT - 30)
        .mark_bar()
        .encode(
            x=x,
            y=alt.Y("usd_bn:Q", title="usd bn"),
            color=alt.Color(
                "part:N",
                title=None,
                sort=order,
                scale=alt.Scale(domain=order, range=[SERIES[0], SERIES[1], colour("muted")]),
                legend=alt.Legend(symbolType="square"),
            ),
        )
    )
    total = (
        alt.Chart(values(totals))
        .mark_point(shape="diamond", color=colour("ink"), stroke=colour("surface"), strokeWidth=1.5, size=70, opacity=1)
        .encode(x=x, y="usd_bn:Q")
    )
    last = rows[-1]
    table = Table(
        ["month", "change, usd bn", *(f"{label}, usd bn" for label in order), "what may be said", "break"],
        [
            [
                month(row["month_end_date"]),
                number(row["change_usd_bn"], 1, signed=True),
                *(number(row[column], 1, signed=True) for column in PARTS),
                words(row["change_statement"]),
                "new series" if row["series_break"].value else "",
            ]
            for row in reversed(rows)
        ],
    )
    says = sentence(
        "{month}: {statement}.",
        month=month(last["month_end_date"]),
        statement=words(last["change_statement"], "nothing to say"),
    )
    return Content(
        "usd bn a month",
        says,
        month(last["month_end_date"]),
        ("tic_holdings",),
        table,
        alt.layer(stacked, total, *_breaks(rows, x)),
        "Diamond: the change. Only net purchases tell what was bought; a dashed line marks a break of the series.",
    )


def investors(datasets: Datasets) -> Content | None:
    """Net purchases of foreign long-term debt by type of investor, month by month."""
    bought = foreign_bonds(datasets, "monthly")
    bought = bought[bought["investor_type"].isin(INVESTORS)]
    if bought.empty:
        return None
    months = sorted(bought["period_end_date"].unique())[-FLOW_MONTHS:]
    by_month: dict[Any, dict[str, Row]] = {on: {} for on in months}
    for row in datasets.rows("securities_flows", bought[bought["period_end_date"].isin(months)]):
        by_month[row["period_end_date"].value][row["investor_type"].value] = row
    bars = [
        {"month": f"{on:%Y-%m-%d}", "investor": INVESTORS[kind], "jpy_bn": row["net_jpy_bn"].value}
        for on, rows in by_month.items()
        for kind, row in rows.items()
    ]
    x = monthly()
    chart = (
        alt.Chart(values(bars), width=WIDTH - 90, height=52)
        .mark_bar()
        .encode(
            x=x,
            y=alt.Y("jpy_bn:Q", title=None, axis=alt.Axis(tickCount=3)),
            color=by_sign("jpy_bn"),
            row=alt.Row(
                "investor:N",
                title=None,
                sort=list(INVESTORS.values()),
                header=alt.Header(labelAngle=0, labelAlign="left", labelLimit=110),
            ),
        )
        .properties(spacing=8)
        .resolve_scale(y="independent")
    )
    newest = by_month[months[-1]]
    first = next(iter(newest.values()))
    table = Table(
        ["month", *(f"{label}, jpy bn" for label in INVESTORS.values())],
        [
            [
                month(next(iter(rows.values()))["period_end_date"]),
                *(number(rows[kind]["net_jpy_bn"], 0, signed=True) if kind in rows else "" for kind in INVESTORS),
            ]
            for on, rows in reversed(by_month.items())
        ],
    )
    told = [
        sentence("{label} {net}", label=label, net=number(newest[kind]["net_jpy_bn"], 0, signed=True))
        for kind, label in INVESTORS.items()
        if kind in newest
    ]
    says = sentence(
        "Net purchases in {month}, jpy bn: {told}.", month=month(first["period_end_date"]), told=Markup(", ").join(told)
    )
    return Content(
        "jpy bn a month, net",
        says,
        month(first["period_end_date"]),
        ("securities_flows",),
        table,
        chart,
        "Foreign long-term debt of all countries and currencies; blue bought, orange sold, each kind on its own "
        "scale. Trust accounts are usually read as pension money.",
    )


def weeks(datasets: Datasets) -> Content | None:
    """Weekly net purchases of foreign long-term debt by residents."""
    bought = foreign_bonds(datasets, "weekly").tail(FLOW_WEEKS)
    if bought.empty:
        return None
    rows = datasets.rows("securities_flows", bought)
    bars = [{"week": f"{row['period_end_date'].value:%Y-%m-%d}", "jpy_bn": row["net_jpy_bn"].value} for row in rows]
    chart = (
        alt.Chart(values(bars), width=WIDTH, height=HEIGHT)
        .mark_bar(width=6)
        .encode(
            x=dated("week"),
            y=alt.Y("jpy_bn:Q", title="jpy bn"),
            color=by_sign("jpy_bn"),
        )
    )
    last, known = rows[-1], datasets.frame("repatriation")
    known = known[known["foreign_bond_net_52w_jpy_bn"].notna()]
    says = sentence(
        "In the week to {day} residents bought, net, {net} bn yen of foreign long-term debt.",
        day=day(last["period_end_date"]),
        net=number(last["net_jpy_bn"], 1, signed=True),
    )
    if not known.empty:
        sums = datasets.last("repatriation", known)
        told = [
            sentence("{n} weeks {sum}", n=n, sum=number(sums[f"foreign_bond_net_{n}w_jpy_bn"], 1, signed=True))
            for n in (4, 13, 52)
        ]
        says = sentence(
            "{says} Sums to the week of {week}: {told}.",
            says=says,
            week=day(sums["foreign_bond_week_end_date"]),
            told=Markup(", ").join(told),
        )
    table = Table(
        ["week to", "net, jpy bn", "first print, jpy bn", "revised"],
        [
            [
                day(row["period_end_date"]),
                number(row["net_jpy_bn"], 1, signed=True),
                number(row["first_print_jpy_bn"], 1, signed=True),
                "revised" if row["revised"].value else "",
            ]
            for row in reversed(rows)
        ],
    )
    return Content(
        "jpy bn a week, net", says, day(last["period_end_date"]), ("securities_flows", "repatriation"), table, chart
    )


def spreads(datasets: Datasets) -> Content | None:
    """What Treasuries pay over JGBs, and what a three-month hedge leaves of it."""
    frame = datasets.frame("repatriation")
    frame = frame[frame["spread_10y_bp"].notna()]
    if frame.empty:
        return None
    recent = frame[frame["obs_date"] > frame["obs_date"].iloc[-1] - pd.DateOffset(years=SPREAD_YEARS)]
    weekly = recent.groupby(recent["obs_date"].dt.to_period("W")).tail(1)  # a point a week is enough for three years
    lines = [
        {"day": f"{on:%Y-%m-%d}", "measure": label, "bp": value}
        for column, label in SPREADS.items()
        for on, value in weekly[column].dropna().items()
    ]
    order = list(SPREADS.values())
    zero = alt.Chart(values([{"bp": 0}])).mark_rule().encode(y="bp:Q")
    chart = zero + alt.Chart(values(lines), width=WIDTH, height=HEIGHT).mark_line(strokeWidth=1.5).encode(
        x=dated("day"),
        y=alt.Y("bp:Q", title="bp"),
        color=series("measure", order).legend(columns=2),
        strokeDash=dashes("measure", order).legend(columns=2),
    )
    last = datasets.last("repatriation", recent)
    months = recent.groupby(recent["obs_date"].dt.to_period("M")).head(1)
    shown = datasets.rows("repatriation", months)
    if shown[-1]["obs_date"].value != last["obs_date"].value:
        shown.append(last)
    table = Table(
        ["known on the morning of", *(f"{label}, bp" for label in order), "hedge cost, %", "policy rate, %"],
        [
            [
                day(row["obs_date"]),
                *(number(row[column], 1) for column in SPREADS),
                number(row["hedge_cost_pct"], 2),
                number(row["policy_rate_pct"], 2),
            ]
            for row in reversed(shown)
        ],
    )
    says = sentence(
        "On the morning of {day} the 10-year Treasury paid {spread} bp over the JGB; hedged for three months, "
        "{pickup} bp. The 30-year: {long}, hedged {long_pickup}.",
        day=day(last["obs_date"]),
        spread=number(last["spread_10y_bp"], 1, signed=True),
        pickup=number(last["hedged_pickup_10y_bp"], 1, signed=True),
        long=number(last["spread_30y_bp"], 1, signed=True),
        long_pickup=number(last["hedged_pickup_30y_bp"], 1, signed=True),
    )
    return Content(
        "bp",
        says,
        day(last["obs_date"]),
        ("repatriation",),
        table,
        chart,
        "As known on Tokyo mornings; the chart has the last of each week. Hedge: 3-month bill less policy rate, "
        "without the cross-currency basis, so nobody earns it.",
    )


def _iso(row: Row) -> str:
    return f"{row['month_end_date'].value:%Y-%m-%d}"


def _breaks(rows: list[Row], x: alt.X) -> list[alt.Chart]:
    """A dashed line where the series starts anew; no chart where it never does."""
    broken = [{"month": _iso(row)} for row in rows if row["series_break"].value]
    return [alt.Chart(values(broken)).mark_rule(strokeDash=[4, 3]).encode(x=x)] if broken else []
