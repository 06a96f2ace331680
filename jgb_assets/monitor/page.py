"""The page: one HTML file that opens offline, asks nobody for anything, and runs no script.

Belongs here: putting panels and words together. Not here: what a panel shows.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from jgb_assets.monitor.auctions import TAILED, clearing_gap, latest, name_of, tails
from jgb_assets.monitor.capital import holding_changes, holdings, investors, spreads, weeks
from jgb_assets.monitor.cells import Datasets, Figure, day, instant
from jgb_assets.monitor.claims import claims
from jgb_assets.monitor.curve import changes, curve_now, event_windows, kinks, shape
from jgb_assets.monitor.drawing import style_sheet, svg
from jgb_assets.monitor.panels import Panel
from jgb_assets.monitor.words import RULES, can_judge, headlines, newest_session, unusual

FOLDER = Path(__file__).parent
ADDRESS = re.compile(r" \(https?://[^)]*\)")  # in full at the foot of the page
POLICY = "default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'"
TEMPLATE, STYLE = "page.html.j2", "page.css"

PANELS = [
    Panel("curve", "The curve now and before", curve_now),
    Panel("shape", "Slopes and kinks in their history", shape),
    Panel("changes", "Changes by maturity and horizon", changes, is_wide=True),
    Panel("kinks", "Super-long slopes", kinks),
    Panel("spreads", "What staying abroad pays", spreads),
    Panel("events", "Three events, ten sessions on", event_windows, is_wide=True),
    Panel("latest", "The latest auctions", latest, is_wide=True),
    *(Panel(f"tails-{instrument}", f"Tails of the {name_of(instrument)}", tails(instrument)) for instrument in TAILED),
    Panel("gap-40y", "Clearing gap of the 40-year", clearing_gap),
    Panel("holdings", "What Japan holds of US Treasuries", holdings),
    Panel("holding-changes", "Why that changed", holding_changes),
    Panel("investors", "Who buys abroad", investors),
    Panel("weeks", "Foreign bonds, week by week", weeks),
    Panel("claims", "The article's claims", claims, is_wide=True),
]


def page(tables: Mapping[str, pa.Table], release_id: str, known_at: datetime) -> str:
    """The monitor of a release.

    Args:
        tables: its datasets by name, with their schemas' metadata.
        release_id: its name.
        known_at: the newest retrieval that went in, UTC.

    The same datasets give the same bytes.
    """
    datasets = Datasets(tables)
    filled = [(panel, panel.fill(datasets)) for panel in PANELS]
    style = style_sheet() + (FOLDER / STYLE).read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["number"] = _is_number
    return environment.get_template(TEMPLATE).render(
        release_id=release_id,
        known_at=f"{known_at:%Y-%m-%d %H:%M} UTC",
        policy=POLICY.format(_digest(style)),
        style=Markup(style),  # noqa: S704  # our own
        headlines=headlines(datasets),
        unusual=unusual(datasets),
        can_judge=can_judge(datasets),
        newest_session=newest_session(datasets),
        rules=RULES,
        status=_status(datasets, known_at),
        panels=[
            {
                "panel": panel,
                "content": content,
                "drawing": Markup(svg(content.chart)) if content and content.chart else None,  # noqa: S704  # escaped by Vega
                "sources": [ADDRESS.sub("", told) for told in datasets.citations(*content.datasets)] if content else [],
            }
            for panel, content in filled
        ],
        sources=datasets.citations(*sorted(tables)),
    )


def _status(datasets: Datasets, known_at: datetime) -> list[dict[str, Any]]:
    """By source the newest observation, when the next is expected, and whether it should have been there by then."""
    told = []
    for row in datasets.rows("source_status", datasets.frame("source_status")):
        expected = row["next_expected_at"]
        if row["newest_observation_date"].is_null:
            state = "none"
        else:
            state = "late" if not expected.is_null and expected.value <= known_at else "fresh"
        told.append(
            {
                "title": row["title"].value,
                "newest": day(row["newest_observation_date"], "nothing yet"),
                "expected": instant(expected),
                "state": state,
            }
        )
    return told


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _is_number(item: object) -> bool:
    return isinstance(item, Figure) and (item.value is None or isinstance(item.value, int | float))
