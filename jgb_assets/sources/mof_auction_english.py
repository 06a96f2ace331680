"""English pages of an auction: one row of headings, one row of figures.

Belongs here: English headings, titles and dates. Not here: what a result must satisfy.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from jgb_assets.sources.html_pages import Cell
from jgb_assets.sources.japanese import percent
from jgb_assets.sources.mof_auction_layouts import (
    BILL,
    INFLATION,
    LIQUIDITY,
    PRICE_COMPETITIVE,
    SMALL_LOTS,
    YIELD_COMPETITIVE,
    Reader,
    Row,
    SecondAuction,
    day_of,
    instrument_of,
)

BILLION, PER_100 = "billion yen", "per 100 yen"
# English heading (lower case, without its unit) of each field, and its unit.
HEADINGS: tuple[tuple[str, str, str], ...] = (
    ("security", "security", ""),
    ("issue_number", r"issue number", ""),
    ("auction_date", r"auction date", ""),
    ("issue_date", r"issue date", ""),
    ("maturity_date", r"maturity date", ""),
    ("coupon_pct", r"nominal coupon", ""),
    ("bids_jpy_bn", r"amounts? of competitive bids", BILLION),
    ("accepted_jpy_bn", r"amounts? of bids accepted", BILLION),
    ("lowest_price", r"lowest accepted price|price at the highest accepted yield", PER_100),
    ("highest_yield_pct", r"yield at the lowest accepted price|highest accepted yield", ""),
    ("allotment_at_lowest_pct", r"allotment\b.*", ""),
    ("highest_spread_pct", r"highest accepted spread", ""),
    ("average_spread_pct", r"average accepted spread", ""),
    ("average_price", r"(weighted )?average price", PER_100),
    ("average_yield_pct", r"yield at the (weighted )?average price", ""),
    ("non_price_2_jpy_bn", r".*non-?\s?price.*\bii\b.*", BILLION),
    ("non_price_1_jpy_bn", r".*non-?\s?price.*\bi\b.*", BILLION),
    ("non_competitive_jpy_bn", r".*non-?\s?competitive.*", BILLION),
)
ALWAYS = ("issue_number", "auction_date", "issue_date", "maturity_date")
RESULT = ("bids_jpy_bn", "accepted_jpy_bn", "lowest_price", "highest_yield_pct", "allotment_at_lowest_pct")
AVERAGES = ("average_price", "average_yield_pct")
LIQUIDITY_RESULT = (
    *("auction_date", "issue_date", "bids_jpy_bn", "accepted_jpy_bn", "highest_spread_pct", "average_spread_pct"),
)
DASHES = {"", "-"}  # after every hyphen, dash and minus sign has become one
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NUMBER = r"-?(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})(?:\.[0-9]{1,4})?"
LONGEST_HEADING = 400  # characters; the longest has 117, and what is compared with patterns must have an end
DAY_EN = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
WORDED_EN = r"([A-Z][a-z]{2,8})\.? ?([0-9]{1,2}), ?([0-9]{4})"
TITLE_EN = re.compile(
    rf"Auction Results? (?:of|for) ((?:(?!auction)[^.|]){{3,80}}?) (?:on|\() ?{WORDED_EN}", re.IGNORECASE
)


class English(Reader):
    """See the module."""

    language = "en"

    def titled(self) -> str:
        """Auction Result of 40-Year JGBs on January 28, 2020. A bill's title is not known for sure."""
        titles = TITLE_EN.findall(self.page.text)
        instruments = set()
        for name, *worded in titles:
            if (day := _worded_day(*worded)) != self.day:
                raise self.refused("the title", f"the auction of {self.day}", day or " ".join(worded))
            instruments.add(instrument_of(name))
        # How these are titled nobody has verified: their tables name the day.
        for word, instrument in (("liquidity", LIQUIDITY), ("inflation", INFLATION)):
            if not titles and not self.is_bill and word in self.page.headings.lower():
                return instrument
        if not titles and not self.is_bill:
            raise self.refused("the title", "Auction Result of ... on ...", repr(self.page.text[:120]))
        if len(instruments) > 1:
            raise self.refused("the title", "one instrument", sorted(map(str, instruments)))
        return self.known(instruments.pop() if instruments else BILL)

    def fields(self, instrument: str) -> Row:
        """The figures by the headings that this instrument must have."""
        needed = self._needed(instrument)
        columns = self._columns_of(instrument, needed)
        row: Row = {}
        for name, text in columns.items():
            if name in ("security", "auction_date"):
                continue
            value = self._value(name, text)
            if value is None and name in needed and name != "non_competitive_jpy_bn":  # none may have come
                raise self.refused(f"column {name}", "a figure", repr(text))
            row[name] = value
        if instrument in YIELD_COMPETITIVE and any(row.get(name) is not None for name in AVERAGES):
            raise self.refused("the averages", "none: the auction is at a single price", [row[n] for n in AVERAGES])
        return row

    def second_auction(self) -> SecondAuction | None:
        """The morning's table again, with the amount of the auction II; the list of reopened issues has no such title.

        Nobody has verified it: the Japanese page is read first.
        """
        titles = TITLE_EN.findall(self.page.text)
        if not titles and "liquidity" in self.page.headings.lower():
            return None
        instrument = self.titled()
        columns = self._columns_of(instrument, ["security", *ALWAYS, "non_price_2_jpy_bn"])
        number = self._value("issue_number", columns["issue_number"])
        amount = self._value("non_price_2_jpy_bn", columns["non_price_2_jpy_bn"])
        if not isinstance(number, int):
            raise self.refused("column Issue Number", "a number", columns["issue_number"])
        return SecondAuction(instrument, number, amount if isinstance(amount, float) else None)

    def listed(self) -> Iterator[Row]:
        """The rows of the first table; those of buy-backs and borrowings follow in others."""
        table = next((rows for rows in self.page.tables if _calendar_columns(rows)), None)
        if table is None:
            raise self.refused("the tables", "one headed Auction Date, Issue, Auction Result", "none")
        columns = _calendar_columns(table)
        for month, year in re.findall(r"Auction Calendar ([A-Z][a-z]+) ([0-9]{4})", self.page.text):
            if _worded_day(month, "1", year) != self.day:
                raise self.refused("the heading", f"the calendar of {self.day:%B %Y}", f"{month} {year}")
        for row in table:
            if not row or not re.search("[0-9]", row[0].text):
                continue
            worded = re.fullmatch(WORDED_EN + r"(?: ?\([A-Z][a-z]{2,8}\.?\))?", row[0].text)
            if not worded or len(row) <= max(columns.values()):
                expected = f"a day, and {max(columns.values()) + 1} cells"
                raise self.refused(f"the row of {row[0].text}", expected, [cell.text for cell in row])
            yield self.listed_auction(
                _worded_day(*worded.groups()),
                *(row[columns[name]] for name in ("issue", "auction result", "non-price")),
            )

    def _needed(self, instrument: str) -> list[str]:
        """The fields whose headings its page must have."""
        if instrument == LIQUIDITY:
            return [*LIQUIDITY_RESULT]
        needed = [*ALWAYS, *RESULT]
        if instrument != BILL:
            needed += ["security", "coupon_pct"]
        if instrument == BILL or instrument in PRICE_COMPETITIVE:
            needed += [*AVERAGES, "non_price_1_jpy_bn"]
        if instrument in SMALL_LOTS:
            needed += ["non_competitive_jpy_bn"]
        return needed

    def _columns_of(self, instrument: str, needed: list[str]) -> dict[str, str]:
        """The columns, if they are of this instrument and day, and none that is needed is missing."""
        columns = self._columns()
        for name in needed:
            if name not in columns:
                raise self.refused("the headings", f"a column of {name}", f"none among {sorted(columns)}")
        if instrument == BILL and (extra := {"security", "coupon_pct"} & set(columns)):
            raise self.refused("the headings", "those of a bill", f"{sorted(extra)}")
        if "security" in needed and (named := instrument_of(columns["security"])) != instrument:
            raise self.refused("column Security", f"{instrument}, as the title", f"{columns['security']!r} ({named})")
        if self._value("auction_date", columns["auction_date"]) != self.day:
            raise self.refused("column Auction Date", f"{self.day}, as the address", repr(columns["auction_date"]))
        return columns

    def _columns(self) -> dict[str, str]:
        """What stands below each known heading, of the one row of figures."""
        headers = [(rows, at) for rows in self.page.tables for at, row in enumerate(rows) if _is_header(row)]
        if len(headers) != 1:
            raise self.refused("the tables", "one row of headings with Auction Date and Issue Date", len(headers))
        rows, at = headers[0]
        filled = [{cell.text for cell in row if cell.text} for row in rows[at + 1 :]]
        # A note below the figures fills one cell, or spans them all.
        below = [row for row, texts in zip(rows[at + 1 :], filled, strict=True) if len(texts) > 1]
        if len(below) != 1:
            raise self.refused("the table", "one row of figures", f"{len(below)} rows")
        if len(below[0]) != len(rows[at]):
            raise self.refused("the table", f"{len(rows[at])} cells, as the headings", f"{len(below[0])} cells")
        found: dict[str, str] = {}
        for heading, cell in zip(rows[at], below[0], strict=True):
            name, unit = _heading(heading.text)
            field_, expected = next(
                ((known, unit_) for known, label, unit_ in HEADINGS if re.fullmatch(label, name)), (None, "")
            )
            if field_ is None and cell.text and (not name or unit == BILLION):
                raise self.refused(f"column {heading.text!r}", "no amount under a heading that is not known", cell.text)
            if field_ is None or (field_.startswith("non_") and unit == PER_100):
                self.notes.append(f"{self.file.url}: the column {heading.text!r} is not read")
                continue
            if field_ in found:
                raise self.refused(f"column {heading.text!r}", f"{field_} once", "it twice")
            left_out = unit == "" and (expected == PER_100 or field_.startswith("non_"))
            if unit != expected and not left_out:
                raise self.refused(f"column {heading.text!r}", f"the unit {expected or 'left out'}", unit or "none")
            found[field_] = cell.text
        return found

    def _value(self, name: str, text: str) -> int | float | date | None:
        dashed = _dashed(text)
        if dashed in DASHES:
            return None
        value: int | float | date | None = None
        if name.endswith("_date"):
            value = _numeric_day(text)
        elif name == "issue_number":
            value = int(text) if re.fullmatch(r"[0-9]{1,4}", text) else None
        elif name.endswith("_pct"):
            share = percent(dashed.replace(" ", "").strip("()"))
            value = None if share is None else float(share)
        elif re.fullmatch(NUMBER, dashed):
            value = float(Decimal(dashed.replace(",", "")))
        if value is None:
            raise self.refused(f"column {name}", "a figure of its kind, or a dash", repr(text))
        return value


def _is_header(row: list[Cell]) -> bool:
    names = {_heading(cell.text)[0] for cell in row}
    return {"auction date", "issue date"} <= names


def _heading(text: str) -> tuple[str, str]:
    """Name and unit, in lower case: Amounts of Bids Accepted (billion yen). Nothing of what is too long for one."""
    if len(text) > LONGEST_HEADING:
        return "", ""
    lower = _dashed(text).lower().replace("*", "").replace("()", "").replace("(%)", "").strip()
    parts = re.fullmatch(r"(.*?) ?\(([^()]*yen[^()]*)\)", lower)
    return (parts[1].strip(), parts[2].strip()) if parts else (lower, "")


def _calendar_columns(rows: list[list[Cell]]) -> dict[str, int]:
    """Where the first row of headings has what; empty if this is not the table of auctions."""
    for row in rows:
        names = [_dashed(cell.text).lower() for cell in row]
        wanted = ("auction date", "issue", "auction result", "non-price")
        columns = {word: number for word in wanted for number, name in enumerate(names) if name.startswith(word)}
        if len(columns) == len(wanted) and columns["auction date"] == 0:
            return columns
    return {}


def _dashed(text: str) -> str:
    """Every hyphen, dash and minus sign as the ASCII one."""
    return re.sub("[‐-―−－ー─]", "-", text).strip()


def _numeric_day(text: str) -> date | None:
    """M/D/YYYY."""
    parts = DAY_EN.fullmatch(text)
    return day_of(int(parts[3]), int(parts[1]), int(parts[2])) if parts else None


def _worded_day(month: str, day: str, year: str) -> date | None:
    """September 3, 2024, or Sep. 3, 2024."""
    name = month[:3].lower()
    return day_of(int(year), MONTHS.index(name) + 1, int(day)) if name in MONTHS else None
