"""Reading the monitor as a doubting reader does: each figure against the cell of the Parquet file that it names."""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as pq
from lxml import html

PUBLISHED = re.compile(r"[+-]?\d[\d,]*(\.\d+)?")
# What has digits and is no figure: names of maturities, measures and horizons, and what is said of rules and terms.
NAMES = re.compile(
    r"\d+-year|\d+s\d+s(\d+s)?|prior-\d+|\d+ (weeks?|months?|year|sessions?)\b|t[+\N{NON-BREAKING HYPHEN}\N{MINUS SIGN}]\d+|License 1\.0"
    r"|January 2026\b|3-month bill"
)


@dataclass(frozen=True)
class MonitorPage:
    """A release's page, beside the files it was made of."""

    release: Path

    @cached_property
    def text(self) -> str:
        return (self.release / "monitor.html").read_text(encoding="utf-8")

    @cached_property
    def root(self) -> Any:
        return html.fromstring(self.text.encode(), parser=html.HTMLParser(encoding="utf-8"))

    @cached_property
    def figures(self) -> list[Any]:
        return self.root.xpath("//*[@data-cell]")

    def cell(self, place: str) -> Any:
        """The value at ``dataset/key/.../column``."""
        dataset, *key, column = map(unquote, place.split("/"))
        return self._dataset(dataset)[tuple(key)][column]

    def _dataset(self, name: str) -> dict[tuple[str, ...], dict[str, Any]]:
        cache: dict[str, Any] = self.__dict__.setdefault("_datasets", {})
        if name not in cache:
            table = pq.read_table(self.release / f"{name}.parquet", partitioning=None)
            key = json.loads(table.schema.metadata[b"primary_key"])
            cache[name] = {tuple(_named(row[column]) for column in key): row for row in table.to_pylist()}
        return cache[name]

    def wrong(self) -> list[str]:
        """The figures that are not what their cells say, as read and as written; the counts that are not so many."""
        told = [problem for figure in self.figures if (problem := self._problem(figure))]
        for figure in self.root.xpath("//*[@data-count]"):
            dataset, *condition = figure.get("data-count").split("/")
            rows = [
                row for row in self._dataset(dataset).values() if not condition or row[condition[0]] == condition[1]
            ]
            if not figure.text_content() == figure.get("value") == str(len(rows)):
                told.append(f"{figure.get('data-count')}: {figure.text_content()}, is {len(rows)}")
        return told

    def _problem(self, figure: Any) -> str | None:
        expected = self.cell(figure.get("data-cell"))
        if less := figure.get("data-less"):
            ratio = 100 if "yield_pct" in less else 1  # percentage points are told in bp
            expected = ratio * (expected - self.cell(less))
        text, behind = " ".join(figure.text_content().split()), figure.get("value")
        is_right = self._tells(text, expected) and (
            abs(float(behind) - expected) < 1e-6 if isinstance(expected, float) else behind == _named(expected)
        )
        return (
            None if is_right else f"{figure.get('data-cell')} {less or ''}: {text!r}, behind it {behind}, is {expected}"
        )

    @staticmethod
    def _tells(text: str, expected: Any) -> bool:
        """To the decimals that are shown, or a date to the day, the month, the minute."""
        if isinstance(expected, datetime):
            return text in (f"{expected:%Y-%m-%d %H:%M} UTC", f"{expected:%Y-%m-%d}")
        if isinstance(expected, date):
            return text in (f"{expected:%Y-%m-%d}", f"{expected:%Y-%m}")
        if isinstance(expected, str):
            return text == " ".join(expected.split())
        plain = text.replace("\N{MINUS SIGN}", "-")
        if not PUBLISHED.fullmatch(plain):
            return False
        shown = Decimal(plain.replace(",", ""))
        half = Decimal(1).scaleb(shown.as_tuple().exponent) / 2
        return abs(shown - Decimal(repr(float(expected)))) <= half + Decimal("1e-9")

    def loose_numbers(self) -> list[str]:
        """Numbers in the page's words that name no cell."""
        root = html.fromstring(html.tostring(self.root))
        for element in root.xpath(
            "//head | //svg | //*[@data-cell] | //*[@data-count] | //header | //footer | //nav | //*[@class='small']"
        ):
            _drop(element)
        for line_end in root.xpath("//br"):
            line_end.tail = f" {line_end.tail or ''}"
        for element in root.xpath("//tbody//th"):  # rows are named after a maturity, or a session of an event
            _drop(element)
        words = " ".join(root.text_content().split())
        return re.findall(r"\S*\d\S*", NAMES.sub("", words))


def _named(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return str(value)


def _drop(element: Any) -> None:
    """Without the element, with what follows it."""
    parent, before, tail = element.getparent(), element.getprevious(), element.tail or ""
    if before is not None:
        before.tail = f"{before.tail or ''} {tail}"
    else:
        parent.text = f"{parent.text or ''} {tail}"
    parent.remove(element)
