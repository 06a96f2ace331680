"""What the ministry's pages of an auction have in common, whatever their language.

Belongs here: addresses, instruments, the fields of a result, the checks that any result passes. Not here: headings and
labels (``mof_auction_english``, ``mof_auction_japanese``), and what is judged against other pages
(``mof_auction_pages``).
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple
from urllib.parse import urljoin

import pyarrow as pa

from jgb_assets.sources.base import LOOK, Snapshot, Source, SourceRejected, kind
from jgb_assets.sources.calendars import TOKYO, at
from jgb_assets.sources.html_pages import Cell, Page
from jgb_assets.sources.japanese import plain

_HOST = "https://www.mof.go.jp/"
EN, JA = _HOST + "english/policy/jgbs/auction/calendar/", _HOST + "jgbs/auction/calendar/"
BOND_EN, BOND_JA = EN + "eresul/eresul{day:%Y%m%d}", JA + "nyusatsu/resul{day:%Y%m%d}"
BILL_EN, BILL_JA = EN + "etbill/etbillresul/eresul{day:%Y%m%d}", JA + "tbill/tbill_nyusatsu/resul{day:%Y%m%d}"
RESULTS, BILL_RESULTS, SECOND, CALENDAR = "results", "bill_results", "non_price_2", "calendar"

LIQUIDITY, INFLATION, BILL = "liquidity_enhancement", "10y_inflation", "tbill"
PRICE_COMPETITIVE = {"2y": 2, "5y": 5, "10y": 10, "20y": 20, "30y": 30}
SMALL_LOTS = {"2y", "5y", "10y"}  # have non-competitive bids, too
YIELD_COMPETITIVE = {"40y": 40, "5y_climate": 5, "10y_climate": 10}
UNVERIFIED = {INFLATION: 10, LIQUIDITY: 0}
ISSUED_WITHIN = timedelta(days=33)  # of the auction, on every row since 1979
TENORS_YEARS = PRICE_COMPETITIVE | YIELD_COMPETITIVE | UNVERIFIED

FIELDS: dict[str, pa.DataType] = {
    "issue_number": pa.int32(),
    "issue_date": pa.date32(),
    "maturity_date": pa.date32(),
    **dict.fromkeys(
        (
            *("coupon_pct", "bids_jpy_bn", "accepted_jpy_bn", "lowest_price", "highest_yield_pct"),
            *("allotment_at_lowest_pct", "average_price", "average_yield_pct"),
            *("non_competitive_jpy_bn", "non_price_1_jpy_bn", "non_price_2_jpy_bn"),
            *("highest_spread_pct", "average_spread_pct"),
        ),
        pa.float64(),
    ),
}

Row = dict[str, Any]


class SecondAuction(NamedTuple):
    """What primary dealers took in the afternoon; the amount is None while it is not known."""

    instrument: str
    issue_number: int
    amount_jpy_bn: float | None


class Read(NamedTuple):
    """What one page says: its rows, and what of it was not read."""

    rows: list[Row]
    notes: list[str]


@dataclass
class Reader(ABC):
    """One page of a known address and day. ``notes`` are filled while it is read."""

    source: Source
    file: Snapshot
    page: Page
    day: date
    notes: list[str] = field(default_factory=list)
    language: ClassVar[str]

    @abstractmethod
    def titled(self) -> str:
        """The instrument by the page's own title, which must name the day, too."""

    @abstractmethod
    def fields(self, instrument: str) -> Row:
        """A result's figures by field, but for what the title has told."""

    @abstractmethod
    def second_auction(self) -> SecondAuction | None:
        """The auction of the afternoon; None where the page is a list of reopened issues."""

    @abstractmethod
    def listed(self) -> Iterator[Row]:
        """The auctions of a month's calendar."""

    @property
    def is_bill(self) -> bool:
        """Whether the address is that of a bill."""
        return kind(self.file.role) == BILL_RESULTS

    def read(self) -> Read:
        """The rows of the page.

        Raises:
            SourceRejected: it is another page, or not laid out as it should be.
        """
        match kind(self.file.role):
            case "calendar":
                rows = list(self.listed())
                listings = [(row["auction_date"], row["security"]) for row in rows]
                if not rows or len(set(listings)) < len(rows):
                    raise self.refused("the first table", "auctions, each once", sorted(listings))
            case "non_price_2":
                rows = self._second()
            case _:
                rows = self._result()
        return Read(rows, self.notes)

    def refused(self, place: str, expected: str, found: object) -> SourceRejected:
        """A refusal of this page."""
        shown = str(found)[:300].strip() or "nothing"
        return self.source.rejected(self.file, place=place[:200], expected=expected, found=shown, remedy=LOOK)

    def known(self, instrument: str | None) -> str:
        """An instrument that has results at this address."""
        allowed = {BILL} if self.is_bill else set(TENORS_YEARS)
        if instrument not in allowed:
            raise self.refused("the title", f"one of {', '.join(sorted(allowed))}", instrument)
        return instrument

    def listed_auction(self, day: date | None, security: Cell, result: Cell, second: Cell) -> Row:
        """A row of the calendar, whose links lead where results of that day are."""
        if day is None or (day.year, day.month) != (self.day.year, self.day.month):
            raise self.refused(f"the row of {security.text}", f"a day of {self.day:%Y-%m}", day)
        number = re.search(r"\(第?([0-9]+)回?\)$", plain(security.text))
        if number and len(number[1]) > 4:
            raise self.refused(f"the row of {security.text}", "an issue number of at most 4 digits", number[1])
        instrument = instrument_of(security.text)
        bases = (BILL_EN, BILL_JA) if instrument == BILL else (BOND_EN, BOND_JA)
        allowed = {base.format(day=day) + end for base in bases for end in (".htm", "a.htm")}
        for link in (*result.links, *second.links):
            try:
                target = urljoin(self.file.url, link)
            except ValueError:  # not the text of any address: a bracket that is not closed
                target = link
            if target not in allowed:
                raise self.refused(f"the links of {day}, {security.text}", f"one of {sorted(allowed)}", target)
        return {
            "auction_date": day,
            "security": re.sub(r" ?\(第?[0-9]+回?\)$", "", security.text),
            "instrument": instrument,
            "issue_number": int(number[1]) if number else None,
            "has_result": bool(result.links),
            "has_non_price_2": bool(second.links),
            "language": self.language,
            "page": self.file.role,
        }

    def _result(self) -> list[Row]:
        instrument = self.titled()
        if instrument not in UNVERIFIED:
            return [self._finished(instrument, self.fields(instrument))]
        try:
            return [self._finished(instrument, self.fields(instrument))]
        except SourceRejected as rejection:
            self.notes.append(
                f"{self.file.url} was not read: nobody has verified its layout, and at {rejection.place} "
                f"{rejection.expected} was expected"
            )
        return []

    def _finished(self, instrument: str, found: Row) -> Row:
        """The row, if its parts fit each other."""
        row: Row = {name: found.get(name) for name in FIELDS} | {
            "instrument": instrument,
            "auction_date": self.day,
            "published_at": at(self.day, 12, 35, TOKYO),
            "language": self.language,
            "page": self.file.role,
        }
        if instrument == LIQUIDITY:
            return row
        for earlier, later in pairwise(("auction_date", "issue_date", "maturity_date")):
            if not row[earlier] < row[later]:
                raise self.refused(later, f"a day after {earlier}, {row[earlier]}", row[later])
        for lesser, greater in (
            ("accepted_jpy_bn", "bids_jpy_bn"),
            ("lowest_price", "average_price"),
            ("average_yield_pct", "highest_yield_pct"),
        ):
            if row[lesser] is not None and row[greater] is not None and row[lesser] > row[greater]:
                raise self.refused(lesser, f"not above {greater}, {row[greater]}", row[lesser])
        return row

    def _second(self) -> list[Row]:
        found = self.second_auction()
        if found is None:
            self.notes.append(f"{self.file.url} lists the issues of a liquidity-enhancement auction: not read")
            return []
        if found.amount_jpy_bn is None:
            self.notes.append(f"{self.file.url} has a dash for the amount: it is taken as not known")
        return [
            {
                "instrument": found.instrument,
                "auction_date": self.day,
                "issue_number": found.issue_number,
                "non_price_2_jpy_bn": found.amount_jpy_bn,
                "published_at": at(self.day, 15, 15, TOKYO),
                "language": self.language,
                "page": self.file.role,
            }
        ]


def instrument_of(name: str) -> str | None:
    """The house's name of what a title, a cell or a calendar names; None if it is none of ours."""
    text = plain(name).lower()
    years = re.search(r"(?<![0-9])([0-9]{1,2})(?:-?year|年)", text)
    if "流動性供給" in text or "liquidity" in text:
        return LIQUIDITY
    if "国庫短期証券" in text or "discountbill" in text or "t-bill" in text or "treasurybill" in text:
        return BILL
    if not years:
        return None
    for words, suffix in (
        (("クライメート", "climate"), "_climate"),
        (("物価連動", "inflation"), "_inflation"),
        (("変動", "floating"), "_floating"),
    ):
        if any(word in text for word in words):
            return f"{years[1]}y{suffix}"
    return f"{years[1]}y"


def day_of(year: int, month: int, day: int) -> date | None:
    """The calendar day, None if there is no such day."""
    try:
        return date(year, month, day)
    except ValueError:
        return None
