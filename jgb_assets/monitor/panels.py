"""What a panel of the page is: a chart, what it says, and the figures behind it.

Belongs here: the shape of a panel. Not here: a single one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from jgb_assets.monitor.cells import Datasets, Figure

Chart = Any  # of altair, whose own methods say no more
Item = Figure | str | Markup


@dataclass(frozen=True)
class Table:
    """The figures behind a chart; the first item of a row is its name. ``head`` may hold figures, such as dates."""

    head: list[Item]
    rows: list[list[Item]]


@dataclass(frozen=True)
class Content:
    """What fills a panel.

    ``says`` is the chart in words, also its text alternative; ``as_of`` the newest observation in it; ``datasets`` are
    those that it is drawn from. Without a chart the table stands open.
    """

    unit: str
    says: Markup
    as_of: Figure
    datasets: tuple[str, ...]
    table: Table
    chart: Chart | None = None
    note: str = ""


@dataclass(frozen=True)
class Panel:
    """A place on the page. ``fill`` gives None where the release has no figures for it."""

    name: str
    title: str
    fill: Callable[[Datasets], Content | None]
    is_wide: bool = field(default=False, kw_only=True)
