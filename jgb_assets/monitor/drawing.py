"""How charts look: colours by name in light and dark, type, and the way from a chart to SVG and PNG.

Belongs here: what all charts share. Not here: a single chart.

On the page a colour is a CSS variable, so that one drawing serves light, dark and paper. A picture has no style sheet:
there the light colours stand in.
"""

import io
import json
import re
from typing import Any

import altair as alt
import vl_convert as vlc
from PIL import Image

from jgb_assets.monitor.panels import Chart

# Name: light, dark. Series and text reach a contrast of 4.5 to 1 on their surface, so that thin lines can be told.
COLOURS = {
    "surface": ("#ffffff", "#14181d"),
    "ground": ("#f3f5f7", "#0c0f13"),
    "ink": ("#1a1f26", "#e8ebef"),
    "muted": ("#545d69", "#a3adba"),
    "grid": ("#dfe3e8", "#2b323b"),
    "accent": ("#0b5cad", "#74b3f5"),
    "series-1": ("#0b5cad", "#74b3f5"),
    "series-2": ("#b3400a", "#f79a5c"),
    "series-3": ("#0b6e5f", "#4fc9b4"),
    "series-4": ("#7a3aa6", "#c79bf0"),
    "series-5": ("#6b6200", "#d6c84a"),
    "fall-3": ("#1f5fa8", "#3f86d6"),
    "fall-2": ("#6ba1d8", "#2c5f9c"),
    "fall-1": ("#cfe0f2", "#1d3654"),
    "flat": ("#eef0f2", "#232930"),
    "rise-1": ("#f8d9c4", "#4d2d1a"),
    "rise-2": ("#e6976a", "#94491c"),
    "rise-3": ("#b3400a", "#e07a3c"),
    "good": ("#0b6e5f", "#4fc9b4"),
    "bad": ("#a8201a", "#ff8f87"),
    "doubt": ("#7a5b00", "#e3bf4f"),
}
SERIES = [f"var(--series-{n})" for n in range(1, 6)]
DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4]]  # a series can be told without its colour
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
TEXT, SMALL = 12, 11
INKS = 64  # colours of a picture: charts have few, and a palette makes them a tenth as large
WIDTH, HEIGHT, WIDE = 500, 260, 1090  # pixels at scale 1; the page scales them to its columns


def colour(name: str) -> str:
    """A colour of the page by its name."""
    if name not in COLOURS:
        raise KeyError(f"no colour is called {name}: one of {', '.join(COLOURS)}")
    return f"var(--{name})"


def svg(chart: Chart) -> str:
    """A chart for the page, which names it: the parts of the drawing mean nothing by themselves."""
    drawn: str = vlc.vegalite_to_svg(_spec(chart))
    return drawn.replace("<svg ", '<svg aria-hidden="true" ', 1)


def png(chart: Chart, scale: float = 1.0) -> bytes:
    """A chart as a picture, in light colours."""
    text = json.dumps(_spec(chart) | {"background": COLOURS["surface"][0]})
    literal = re.sub(r"var\(--([a-z0-9-]+)\)", lambda found: COLOURS[found[1]][0], text)
    drawn = Image.open(io.BytesIO(vlc.vegalite_to_png(literal, scale=scale)))
    small = io.BytesIO()
    drawn.convert("RGB").quantize(INKS).save(small, "PNG", optimize=True)
    return small.getvalue()


def style_sheet() -> str:
    """The colours as CSS variables: light, and dark where the reader wants it; paper is light."""
    light, dark = ("".join(f"--{name}:{pair[n]};" for name, pair in COLOURS.items()) for n in (0, 1))
    return (
        f":root{{color-scheme:light;{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{color-scheme:dark;{dark}}}}}"
    )


def values(rows: list[dict[str, Any]]) -> Any:
    """Rows as a chart takes them; dates are ISO dates, which Vega reads as UTC."""
    return alt.InlineData(values=rows)


def dated(name: str, title: str | None = None) -> alt.X:
    """A time axis of ISO dates, without the machine's zone."""
    return alt.X(f"{name}:T", title=title, scale=alt.Scale(type="utc"), axis=alt.Axis())


def monthly() -> alt.X:
    """An axis of months with room for a bar each."""
    return alt.X(
        "month:O",
        title=None,
        timeUnit=alt.TimeUnitParams(unit="yearmonth", utc=True),
        axis=alt.Axis(format="%Y-%m", labelAngle=-90),
    )


def by_sign(name: str) -> Any:
    """One colour for what was bought, one for what was sold."""
    return alt.condition(alt.datum[name] >= 0, alt.value(SERIES[0]), alt.value(SERIES[1]))


def maturities(shown: list[int] | None = None) -> alt.X:
    """The axis of maturities: numbers, so that 30 to 40 years is as wide as 10 to 20."""
    return alt.X(
        "tenor_years:Q",
        title="maturity, years",
        scale=alt.Scale(zero=False, nice=False, padding=8),
        axis=alt.Axis(values=shown or [1, 5, 10, 15, 20, 25, 30, 40], format="d"),
    )


def series(name: str, order: list[str]) -> alt.Color:
    """A colour for each of a few series, in their order."""
    return alt.Color(f"{name}:N", title=None, sort=order, scale=alt.Scale(domain=order, range=SERIES[: len(order)]))


def dashes(name: str, order: list[str]) -> alt.StrokeDash:
    """A dash for each of the same series."""
    return alt.StrokeDash(
        f"{name}:N", title=None, sort=order, scale=alt.Scale(domain=order, range=DASHES[: len(order)])
    )


def _spec(chart: Chart) -> dict[str, Any]:
    spec: dict[str, Any] = chart.to_dict()
    return spec | {
        "background": "transparent",
        "padding": 4,
        "config": {
            "aria": False,  # the page names each chart as a whole and gives its figures in a table
            "font": FONT,
            "view": {"stroke": None},
            "axis": {
                "labelColor": colour("muted"),
                "titleColor": colour("muted"),
                "gridColor": colour("grid"),
                "domainColor": colour("grid"),
                "tickColor": colour("grid"),
                "labelFontSize": SMALL,
                "titleFontSize": SMALL,
                "titleFontWeight": "normal",
                "labelPadding": 4,
            },
            "legend": {
                "labelColor": colour("ink"),
                "titleColor": colour("muted"),
                "labelFontSize": SMALL,
                "titleFontSize": SMALL,
                "titleFontWeight": "normal",
                "orient": "top",
                "symbolStrokeWidth": 2,
                "symbolType": "stroke",
                "columns": 4,
                "labelLimit": 220,
            },
            "header": {"labelColor": colour("ink"), "labelFontSize": TEXT, "titleColor": colour("muted")},
            "title": {"color": colour("ink"), "fontSize": TEXT, "fontWeight": "bold", "anchor": "start"},
            "text": {"color": colour("ink"), "fontSize": SMALL},
            "rule": {"color": colour("muted")},
            "line": {"strokeWidth": 2},
            "point": {"size": 28, "filled": True},
            "bar": {"color": colour("series-1")},
        },
    }
