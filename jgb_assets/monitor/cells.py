"""Figures that know where they come from: a cell of a dataset, or the difference of two.

Belongs here: looking figures up, and writing them for people. Not here: which figures are shown.

Whatever number a page shows is a ``Figure``, which writes itself with its cell beside it, so that a test, or a reader
who doubts it, can look it up: ``<data value="3.901" data-cell="jgb_yields/2026-01-20/40/yield_pct">3.901</data>``.
"""

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
from markupsafe import Markup

MINUS = "\u2212"
BP_PER_PCT = 100.0
WHOLE = {pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype()}  # whole numbers stay so where some are null
EXACT = 6  # decimals: no publisher gives more, and the rest is binary noise of a difference


@dataclass(frozen=True)
class Cell:
    """A value and its place: dataset, key in the order of the dataset's, column."""

    dataset: str
    key: tuple[Any, ...]
    column: str
    value: Any

    @property
    def place(self) -> str:
        """``dataset/key/.../column``, each part quoted as in URLs."""
        return "/".join(quote(_plain(part), safe=" ,.") for part in (self.dataset, *self.key, self.column))

    @property
    def is_null(self) -> bool:
        """The dataset has no value here."""
        return bool(pd.isna(self.value))


@dataclass(frozen=True)
class Figure:
    """A cell as people read it. ``less`` is the cell that was subtracted, times ``factor``, if it is a difference."""

    text: str
    cell: Cell
    less: Cell | None = None
    factor: float = 1.0

    @property
    def value(self) -> Any:
        """The value behind the text; None for null."""
        if self.cell.is_null or (self.less and self.less.is_null):
            return None
        if self.less is None:
            return self.cell.value
        return round(self.factor * (self.cell.value - self.less.value), EXACT)

    def __str__(self) -> str:
        return self.text

    def __html__(self) -> Markup:
        """The text in an element that names the cell."""
        value = self.value
        if value is None:
            return Markup('<span class="none">{}</span>').format(self.text)
        less = Markup(' data-less="{}"').format(self.less.place) if self.less else ""
        return Markup('<data value="{}" data-cell="{}"{}>{}</data>').format(
            _plain(value), self.cell.place, less, self.text
        )


@dataclass(frozen=True)
class Count:
    """How many rows of a dataset have a value in a column; without a column, how many it has."""

    value: int
    dataset: str
    column: str = ""
    wanted: str = ""

    def __html__(self) -> Markup:
        """The number in an element that says what was counted."""
        return Markup('<data value="{0}" data-count="{1}">{0}</data>').format(
            self.value, "/".join(filter(None, (self.dataset, self.column, self.wanted)))
        )


def number(cell: Cell, digits: int, *, signed: bool = False) -> Figure:
    """A number with so many decimals, thousands apart; a dash for null."""
    return Figure(_written(None if cell.is_null else cell.value, digits, signed), cell)


def shortest(cell: Cell, most: int = 3) -> Figure:
    """A number with as many decimals as it needs, and at most so many: for columns of many units."""
    if cell.is_null:
        return number(cell, 0)
    needed = next(n for n in range(most + 1) if n == most or round(cell.value, n) == round(cell.value, most))
    return number(cell, needed)


def difference(cell: Cell, less: Cell, digits: int, factor: float = 1.0) -> Figure:
    """``factor`` times one cell less another, with its sign."""
    figure = Figure("", cell, less, factor)
    return Figure(_written(figure.value, digits, True), cell, less, factor)


def day(cell: Cell, null: str = "\u2013") -> Figure:
    """A date; ``null`` in words where there is none."""
    return Figure(null if cell.is_null else f"{cell.value:%Y-%m-%d}", cell)


def month(cell: Cell) -> Figure:
    """The month of a date."""
    return Figure(f"{cell.value:%Y-%m}", cell)


def instant(cell: Cell, null: str = "\u2013") -> Figure:
    """An instant to the minute, in UTC."""
    return Figure(null if cell.is_null else f"{cell.value.tz_convert(UTC):%Y-%m-%d %H:%M} UTC", cell)


def words(cell: Cell, null: str = "") -> Figure:
    """A text as it stands in the dataset."""
    return Figure(null if cell.is_null else str(cell.value), cell)


def _written(value: float | None, digits: int, signed: bool) -> str:
    if value is None:
        return "\u2013"
    text = f"{value:{'+' if signed else ''},.{digits}f}"
    is_zero = not any(char in "123456789" for char in text)
    return (text.lstrip("+-") if is_zero else text).replace("-", MINUS)


def _plain(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value.tz is None else f"{value.tz_convert(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return repr(value) if isinstance(value, float) else str(value)


class Row:
    """One row of a dataset: its cells by column."""

    def __init__(self, dataset: str, key: tuple[Any, ...], values: Mapping[Hashable, Any]) -> None:
        self._dataset, self._key, self._values = dataset, key, values

    def __getitem__(self, column: str) -> Cell:
        return Cell(self._dataset, self._key, column, self._values[column])


class Datasets:
    """The datasets of a release.

    Args:
        tables: by name. Keys and sources stand in each schema's metadata, as in a release's files.
    """

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._tables = tables
        self._frames: dict[str, pd.DataFrame] = {}

    def frame(self, name: str) -> pd.DataFrame:
        """A dataset, sorted by its key; the key's columns are columns too, dates are timestamps without a time."""
        if name not in self._frames:
            key = self.key(name)
            frame = self._tables[name].to_pandas(date_as_object=False, types_mapper=WHOLE.get)
            indexed = frame.set_index(key if len(key) > 1 else key[0], drop=False).sort_index()
            indexed.index.names = [None] * len(key)  # a level and a column of one name are ambiguous
            self._frames[name] = indexed
        return self._frames[name]

    def key(self, name: str) -> list[str]:
        """The columns of a dataset's key."""
        key: list[str] = json.loads(self._tables[name].schema.metadata[b"primary_key"])
        return key

    def rows(self, name: str, chosen: pd.DataFrame) -> list[Row]:
        """Rows of a dataset, of a part of its frame."""
        key = self.key(name)
        return [Row(name, tuple(values[column] for column in key), values) for values in chosen.to_dict("records")]

    def last(self, name: str, chosen: pd.DataFrame) -> Row:
        """The last row of a part of a dataset's frame that is not empty."""
        (row,) = self.rows(name, chosen.tail(1))
        return row

    def count(self, name: str, column: str = "", wanted: str = "") -> Count:
        """The number of rows of a dataset, or of those with a value in a column."""
        frame = self.frame(name)
        return Count(int((frame[column] == wanted).sum()) if column else len(frame), name, column, wanted)

    def citations(self, *names: str) -> list[str]:
        """Whose data the datasets are, as their files cite them."""
        told = [
            source["citation"]
            for name in names
            for source in json.loads((self._tables[name].schema.metadata or {}).get(b"sources", b"[]"))
        ]
        return list(dict.fromkeys(told))


def sentence(template: str, **figures: Any) -> Markup:
    """Words with figures in them; whatever is no figure is escaped."""
    return Markup(template).format(**figures)  # noqa: S704  # the templates are ours
