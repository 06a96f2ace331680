"""Ministry of Finance Japan, "Auction Results for JGBs": every auction from 1979-08-27, one sheet an instrument.

Belongs here: the historical workbook, its layout, its traps, its gates. Not here: the result pages of the day;
instrument names, billions, covers and tails, which are staging and derived tables.
"""

import io
import math
import re
import struct
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import xlrd
from xlrd.compdoc import CompDocError
from xlrd.formula import FormulaError

from jgb_assets.analytics.bond_yields import simple_yield_pct, term_days
from jgb_assets.sources.base import (
    CONFIRM,
    LOOK,
    TIMESTAMP,
    Arrival,
    PublishedFile,
    Snapshot,
    Source,
    SourceRejected,
    TableSpec,
    refuse_html,
)
from jgb_assets.sources.calendars import TOKYO, at, is_tokyo_office_day, is_tokyo_session

AMOUNT, PRICE, RATE = "(億円)(100millionyen)", "(円)(per100yen)", "(%)"
# The publisher's label and unit (NFKC, without whitespace and asterisks) of each raw column.
COLUMNS = {
    "回号": ("issue_number", ""),
    "期間": ("term_label", ""),
    "入札日": ("auction_date", ""),
    "発行日": ("issue_date", ""),
    "償還日": ("maturity_date", ""),
    "表面利率": ("coupon_pct", RATE),
    "発行予定額": ("offered_jpy_100mn", AMOUNT),
    "応募額": ("bids_jpy_100mn", AMOUNT),
    "落札・割当額": ("accepted_jpy_100mn", AMOUNT),
    "平均価格": ("average_price", PRICE),
    "平均利回": ("average_yield_pct", RATE),
    "最低価格": ("lowest_price", PRICE),
    "最高利回": ("highest_yield_pct", RATE),
    "定率/非競争": ("noncompetitive_jpy_100mn", AMOUNT),
    "/": ("noncompetitive_tendered_jpy_100mn", AMOUNT),  # no label of its own: stands after a slash in 割3年
    "第I非価格競争": ("non_price_1_jpy_100mn", AMOUNT),
    "第II非価格競争": ("non_price_2_jpy_100mn", AMOUNT),
    "初回基準金利": ("reference_rate_pct", RATE),
    "スプレッド": ("spread_pct", RATE),
}
TYPES = {  # the rest are numbers
    "issue_number": pa.int32(),
    "term_label": pa.string(),
    "auction_date": pa.date32(),
    "issue_date": pa.date32(),
    "maturity_date": pa.date32(),
}
# Single-price auctions have no average, a floating-rate note sold at par no price at all; the rest came later or ended.
MAY_BE_MISSING = {"平均価格", "平均利回", "最低価格", "定率/非競争", "第I非価格競争", "第II非価格競争"}

_DATES = ("入札日", "発行日", "償還日")
_AMOUNTS = ("発行予定額", "応募額", "落札・割当額")
_PRICES = ("平均価格", "平均利回", "最低価格", "最高利回")
_NON_PRICE = ("第I非価格競争", "第II非価格競争")
_COUPON = ("回号", *_DATES, "表面利率", *_AMOUNTS)
_SINGLE_PRICE = (*_COUPON, "最低価格", "最高利回")
_LONG = (*_COUPON, *_PRICES, *_NON_PRICE)
_SMALL_LOT = (*_COUPON, *_PRICES, "定率/非競争")
LIVE = {
    "40年債": (*_SINGLE_PRICE, "第II非価格競争"),
    "30年債": _LONG,
    "20年債": _LONG,
    "10年債": (*_SMALL_LOT, *_NON_PRICE),
    "GX10年債": _SINGLE_PRICE,
    "10年物価連動": _LONG,
    "5年債": (*_SMALL_LOT, *_NON_PRICE),
    "GX5年債": _SINGLE_PRICE,
    "2年債": (*_SMALL_LOT, *_NON_PRICE),
}
CLOSED = {
    "15変動": ("回号", *_DATES, *_AMOUNTS, "初回基準金利", "スプレッド", "平均価格", "最低価格", *_NON_PRICE),
    "6年債": _SMALL_LOT,
    "4年債": _SMALL_LOT,
    "割3年": ("回号", *_DATES, *_AMOUNTS, *_PRICES, "定率/非競争"),
    "TB": ("回号", "期間", *_DATES, *_AMOUNTS, *_PRICES, "第I非価格競争"),
}
LAYOUTS = LIVE | CLOSED
TEXT = (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_TEXT, xlrd.XL_CELL_BLANK)
HEADER_ROWS = 3  # Japanese labels, English labels, units
MISSING = {"", "-", "\u2013", "―"}  # after NFKC, which makes the U+FF0D of the TB sheet a hyphen
# The 3-year discount bond alone prints accepted/tendered in one cell; elsewhere a slash would be of unknown order.
ACCEPTED_OF_TENDERED = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)/(\d{1,9}(?:\.\d{1,9})?)")

# Hold on each of the 2,596 auctions to 2026-06-30: the first is never above the second.
NEVER_ABOVE = (("落札・割当額", "応募額"), ("最低価格", "平均価格"), ("平均利回", "最高利回"))

MAGIC = bytes.fromhex("D0CF11E0A1B11AE1")
SIZE_BYTES = (100_000, 5_000_000)  # 490,496 bytes in July 2026
SECTOR = 512  # of every workbook in this format that Excel writes
SECTOR_POWERS = (9, 6)  # of two: bytes of a sector, and of a short sector
FREE_SECTOR = -1
# What xlrd raises on a damaged workbook, learnt from truncations and mutations of the real one.
XLRD_ERRORS = (
    xlrd.XLRDError,
    CompDocError,
    FormulaError,
    struct.error,
    AssertionError,
    LookupError,  # an index, a key, an unknown text encoding
    RecursionError,
    UnicodeDecodeError,
)

# Bounds that history breaks (a cover of 1,081 in 2005, bids below the offer) but no live instrument since 2015.
AMOUNTS = (
    *("offered_jpy_100mn", "bids_jpy_100mn", "accepted_jpy_100mn", "noncompetitive_jpy_100mn"),
    *("non_price_1_jpy_100mn", "non_price_2_jpy_100mn"),
)
MAX_AMOUNT = 1e8  # the most that was ever bid is 1.98e7, for bills in 2005
# How far a published yield may lie from the simple yield of its price, percentage points; elsewhere 0.05 (seen: 0.022).
YIELD_ROOM_PCT = {"40年債": 0.5, "TB": 0.2}  # seen: 0.205, the 40-year's is compound; 0.098, very short terms
CALM_SINCE = date(2015, 1, 1)
ALLOTTED_OF_OFFERED = (0.995, 1.0005)  # with non-price I and small lots: 0.9978 to 1.0000; 10 or 100 is a wrong unit
MAX_COVER = 15
RANGES = {  # lowest and highest real value since 2015: prices 81.95 and 112.7
    "coupon_pct": (0, 9),
    "average_price": (60, 130),
    "lowest_price": (60, 130),
    "average_yield_pct": (-1.5, 10),
    "highest_yield_pct": (-1.5, 10),
}
SESSIONS_SINCE = date(1989, 2, 1)  # before it Saturdays were sessions; after it the calendar is exact
# Price-competitive since 2015, so with averages; the longest pause of each since 2015 is 37 to 47 days, of 40年債 119.
PRICE_COMPETITIVE = ("2年債", "5年債", "10年債", "20年債", "30年債")
LONGEST_PAUSE = dict.fromkeys(PRICE_COMPETITIVE, timedelta(days=50)) | {"40年債": timedelta(days=125)}
REPUBLISHED_AFTER = timedelta(days=45)  # about monthly: saves of 2026-07-02, with auctions to 06-30, and 2026-08-13

_EN = "https://www.mof.go.jp/english/policy/jgbs/auction/past_auction_results/"

AUCTIONS = TableSpec(
    name="auctions",
    description="One row for each auction: amounts in 億円 (100 million yen), prices per 100 yen, rates in percent.",
    schema=pa.schema(
        [
            pa.field("sheet", pa.string(), nullable=False),
            *(
                pa.field(name, TYPES.get(name, pa.float64()), nullable=name != "auction_date")
                for name, _ in COLUMNS.values()
            ),
            pa.field("published_at", TIMESTAMP),
            pa.field("source_row", pa.int32()),
        ]
    ),
    key=("sheet", "auction_date"),
    values=tuple(name for name, _ in COLUMNS.values() if name != "auction_date"),
    observation_date="auction_date",
    roles=("workbook",),
    max_rewritten=20,  # no revision has been seen; 75 auctions read from the result pages agree in every cell
)

_Row = dict[str, Any]

AGES_DAYS = {AUCTIONS.name: (REPUBLISHED_AFTER.days, 90)}


class MofJgbAuctions(Source):
    """See the module."""

    name = "mof_jgb_auctions"
    title = "JGB auction results"
    producer = "Ministry of Finance, Japan"
    homepage = _EN + "index.htm"
    licence = "Public Data License 1.0 (attribution, note of edits; compatible with CC BY 4.0)"
    citation = (
        f"Source: Ministry of Finance Japan, Auction Results for JGBs ({homepage}), Public Data License 1.0; processed."
    )
    cadence = "each auction: monthly at 2, 5, 10, 20 and 30 years, less often for the others"
    publication = "12:35 Asia/Tokyo on the auction date; the workbook follows about monthly"
    files = (
        PublishedFile(
            "workbook",
            (
                "https://www.mof.go.jp/jgbs/reference/appendix/jgb_historical_data.xls",
                _EN + "Auction_Results_for_JGBs.xls",
            ),
            ".xls",
            "Every auction from 1979-08-27 to about a month ago, one sheet an instrument.",
        ),
    )
    tables = (AUCTIONS,)
    zone = TOKYO
    polls = ("20 15 * * 1-5",)  # it comes on no announced day
    longest_pause = timedelta(days=60)  # it is asked whenever the result pages are, and when it is due
    ages_days = AGES_DAYS
    pause_seconds = 1.2
    bypass_caches = True

    def parse(self, files: Mapping[str, Snapshot]) -> dict[str, pa.Table]:
        """Read every known sheet of the workbook by its Japanese labels."""
        rows: list[_Row] = []
        if "workbook" in files:
            file = files["workbook"]
            for sheet in self._sheets(file, self._open(file)):
                rows += sheet.rows()
        rows.sort(key=lambda row: (row["sheet"], row["auction_date"]))
        return {AUCTIONS.name: pa.Table.from_pylist(rows, schema=AUCTIONS.schema)}

    def gate(self, arrival: Arrival) -> list[str]:
        """Refuse a workbook that is shorter than what is stored, dated ahead, or implausible where it is new."""
        table, stored = arrival.tables[AUCTIONS.name], arrival.stored[AUCTIONS.name]
        if table.num_rows == 0:
            return []
        file = arrival.files["workbook"]
        if gone := sorted(_keys(stored) - _keys(table)):
            sheet, day = gone[0]
            raise self.rejected(
                file,
                place=f"sheet {sheet}, auction of {day}",
                expected=f"each of the {stored.num_rows:,} stored auctions",
                found=f"{len(gone):,} of them gone: an older or shortened file",
                remedy=CONFIRM,
            )
        today = file.retrieved_at.astimezone(TOKYO).date()
        changes = arrival.changes[AUCTIONS.name].to_pylist()
        for row in changes:
            for expected, found in _implausible(row, today):
                raise self.rejected(file, place=_place(row), expected=expected, found=found, remedy=CONFIRM)
        rewritten = [_place(row) for row in changes if row["change"] != "added"]
        warnings = [f"{len(rewritten)} past auctions were rewritten: " + ", ".join(rewritten[:5])] if rewritten else []
        pauses = _pauses(table)
        if pauses and not arrival.stored[AUCTIONS.name].num_rows:
            expected = "the last auctions of each instrument about as new as the newest of all"
            raise self.rejected(
                file, place="the whole file", expected=expected, found="; ".join(pauses), remedy=CONFIRM
            )
        return warnings + pauses + self._unread(file)

    def next_expected_at(self, newest_observation: date) -> datetime:
        """09:00 Tokyo, 45 days after the newest auction: the workbook is republished about monthly."""
        return at(newest_observation + REPUBLISHED_AFTER, 9, 0, TOKYO)

    def is_open(self, day: date) -> bool:
        """On the ministry's working days."""
        return is_tokyo_office_day(day)

    def _sheets(self, file: Snapshot, book: xlrd.Book) -> "list[_Sheet]":
        """The known sheets, of which each live one must be there, and none twice."""
        names = [name.strip() for name in book.sheet_names()]
        for name in LAYOUTS:
            if names.count(name) > 1 or (name in LIVE and name not in names):
                raise self.rejected(
                    file,
                    place=f"sheet {name}",
                    expected="each live sheet, and no sheet twice",
                    found=f"{names.count(name)} of that name among {names}",
                    remedy=LOOK,
                )
        return [
            _Sheet(self, file, name, sheet, book.datemode)
            for name, sheet in zip(names, book.sheets(), strict=True)
            if name in LAYOUTS
        ]

    def _open(self, file: Snapshot) -> xlrd.Book:
        def refuse(place: str, expected: str, found: str) -> SourceRejected:
            return self.rejected(file, place=place, expected=expected, found=found, remedy=LOOK)

        refuse_html(self, file)
        if not file.body.startswith(MAGIC):
            raise refuse("first bytes", "an OLE2 workbook (.xls)", repr(file.body[:8]))
        length = len(file.body)
        if not SIZE_BYTES[0] <= length <= SIZE_BYTES[1]:
            raise refuse("the whole file", f"{SIZE_BYTES[0]:,} to {SIZE_BYTES[1]:,} bytes", f"{length:,}")
        if (powers := struct.unpack_from("<HH", file.body, 30)) != SECTOR_POWERS:
            raise refuse("byte 30", f"sectors of 2 to the power of {SECTOR_POWERS} bytes", f"{powers}")
        if length < (needed := _bytes_in_use(file.body)):
            raise refuse("the end of the file", f"{needed:,} bytes by its sector table", f"{length:,}: cut short")
        if not _directory_is_a_tree(file.body):
            raise refuse("the directory", "each of its entries once", "one that several others lead to")
        try:
            # Rows as long as they are: to fill them up, one stray cell in the last corner would take 16 million others.
            return xlrd.open_workbook(file_contents=file.body, logfile=io.StringIO(), ragged_rows=True)
        except XLRD_ERRORS as error:
            raise refuse("the whole file", "a readable workbook", f"{type(error).__name__}: {error}") from error

    def _unread(self, file: Snapshot) -> list[str]:
        """Sheets and columns that the publisher added and nobody reads."""
        book = self._open(file)
        warnings = [
            f"sheet {name.strip()} is new and is not read" for name in book.sheet_names() if name.strip() not in LAYOUTS
        ]
        for sheet in self._sheets(file, book):
            known = sheet.columns.values()
            warnings += [
                f"{sheet.place(sheet.header, column)} is a new column, {label!r}, and is not read"
                for column, label in enumerate(sheet.labels)
                if label and column not in known
            ]
        return warnings


class _Sheet:
    """A known sheet whose header and units are as they should be. Rows and columns count from 0."""

    def __init__(self, source: Source, file: Snapshot, name: str, sheet: xlrd.sheet.Sheet, datemode: int) -> None:
        self.source, self.file, self.name, self.sheet, self.datemode = source, file, name, sheet, datemode
        self.header = self._find_header()
        self.labels = [_plain(value) for value in sheet.row_values(self.header)]
        for label in LAYOUTS[name]:
            if (count := self.labels.count(label)) != 1:
                place, found = f"{name}, row {self.header + 1}", f"{count} times in {self.labels}"
                raise self.refused(place, f"the label {label} once", found)
        self.columns = {label: self.labels.index(label) for label in LAYOUTS[name]}
        for label, column in self.columns.items():
            unit = COLUMNS[label][1]
            if _plain(self.cell(self.header + 2, column).value) != unit:
                raise self.refused_cell(self.header + 2, column, f"the unit {unit or 'left empty'} of {label}")

    def rows(self) -> Iterator[_Row]:
        """The auctions, in the order of their dates."""
        footnote, previous = None, date.min
        for number in range(self.header + HEADER_ROWS, self.sheet.nrows):
            filled = [column for column, value in enumerate(self.sheet.row_values(number)) if str(value).strip()]
            if not filled:
                continue
            cell = self.cell(number, 0)
            if filled == [0] and cell.ctype == xlrd.XL_CELL_TEXT and _issue_number(cell) is None:
                footnote = number
                continue
            if footnote is not None:
                raise self.refused_cell(footnote, 0, f"an auction: row {number + 1} below holds data")
            row = self._row(number)
            if row["auction_date"] <= previous:
                raise self.refused_cell(number, self.columns["入札日"], f"a date after {previous}")
            previous = row["auction_date"]
            yield row

    def cell(self, row: int, column: int) -> xlrd.sheet.Cell:
        """A cell, empty beyond the last of its row."""
        return self.sheet.cell(row, column) if column < self.sheet.row_len(row) else xlrd.sheet.empty_cell

    def place(self, row: int, column: int) -> str:
        """The cell as a spreadsheet shows it: 20年債!I345."""
        return f"{self.name}!{xlrd.colname(column)}{row + 1}"

    def refused(self, place: str, expected: str, found: str) -> SourceRejected:
        return self.source.rejected(self.file, place=place, expected=expected, found=found, remedy=LOOK)

    def refused_cell(self, row: int, column: int, expected: str) -> SourceRejected:
        return self.refused(self.place(row, column), expected, repr(self.cell(row, column).value)[:200])

    def _find_header(self) -> int:
        found = [row for row in range(min(10, self.sheet.nrows)) if _plain(self.cell(row, 0).value) == "回号"]
        if len(found) != 1 or self.sheet.nrows <= found[0] + HEADER_ROWS:
            raise self.refused(
                f"{self.name}!A1:A10",
                "回号 once, with English labels, units and auctions below",
                f"it in rows {[row + 1 for row in found]} of {self.sheet.nrows}",
            )
        return found[0]

    def _row(self, number: int) -> _Row:
        row: _Row = {"sheet": self.name, "source_row": number + 1}
        for label, column in self.columns.items():
            row |= self._cell(number, label, column)
        row["published_at"] = at(row["auction_date"], 12, 35, TOKYO)
        for lesser, greater in NEVER_ABOVE:
            low, high = row.get(COLUMNS[lesser][0]), row.get(COLUMNS[greater][0])
            if low is not None and high is not None and low > high:
                raise self.refused_cell(number, self.columns[lesser], f"{lesser} not above {greater}, {high:g}")
        for earlier, later in pairwise(_DATES):
            if row[COLUMNS[earlier][0]] >= row[COLUMNS[later][0]]:
                raise self.refused_cell(number, self.columns[later], f"{later} after {row[COLUMNS[earlier][0]]}")
        return row

    def _cell(self, number: int, label: str, column: int) -> _Row:
        """The raw columns that a cell fills."""
        cell, name = self.cell(number, column), COLUMNS[label][0]
        text = _plain(cell.value) if cell.ctype in TEXT else None
        value: int | float | str | date | None
        if label == "回号":
            value, expected = _issue_number(cell), "an issue number"
        elif label == "期間":
            value, expected = cell.value.strip() if text else None, "a term"
        elif label in _DATES:
            value, expected = _day(cell, self.datemode), "a date without a time"
        elif label in MAY_BE_MISSING and text in MISSING:
            return {name: None}
        elif label == "定率/非競争" and self.name == "割3年" and (parts := ACCEPTED_OF_TENDERED.fullmatch(text or "")):
            return {name: float(parts[1]), COLUMNS["/"][0]: float(parts[2])}
        else:
            value, expected = _number(cell), "a number or ―" if label in MAY_BE_MISSING else "a number"
        if value is None:
            raise self.refused_cell(number, column, f"{expected} ({label})")
        return {name: value}


def _plain(value: object) -> str:
    """A cell's text after NFKC, without whitespace and asterisks."""
    return "".join(unicodedata.normalize("NFKC", str(value)).split()).replace("*", "")


def _number(cell: xlrd.sheet.Cell) -> float | None:
    return float(cell.value) if cell.ctype == xlrd.XL_CELL_NUMBER and math.isfinite(cell.value) else None


def _issue_number(cell: xlrd.sheet.Cell) -> int | None:
    """Some are typed as text: issues 27 to 30 of the inflation-linked bond."""
    text = f"{cell.value:g}" if cell.ctype == xlrd.XL_CELL_NUMBER else _plain(cell.value) if cell.ctype in TEXT else ""
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else None


def _day(cell: xlrd.sheet.Cell, datemode: int) -> date | None:
    if cell.ctype not in (xlrd.XL_CELL_DATE, xlrd.XL_CELL_NUMBER) or not cell.value.is_integer():
        return None
    try:
        day: date = xlrd.xldate.xldate_as_datetime(cell.value, datemode).date()
    except OverflowError:
        return None
    return day


def _sector_table(body: bytes) -> tuple[list[int], list[int]]:
    """In which sectors an OLE2 file's table stands, and the table: of each sector the one that follows it."""
    sectors = [sector for sector in struct.unpack_from("<109i", body, 76) if sector >= 0]
    entries = b"".join(body[SECTOR * (1 + sector) : SECTOR * (2 + sector)] for sector in sectors)
    return sectors, np.frombuffer(entries, "<i4", count=len(entries) // 4).tolist()


def _bytes_in_use(body: bytes) -> int:
    """The length that an OLE2 file's sector table asks for: xlrd does not miss a cut end in every layout."""
    sectors, following = _sector_table(body)
    used = [sector for sector, entry in enumerate(following) if entry != FREE_SECTOR]
    return SECTOR * (2 + max([0, *sectors, *used]))


def _directory_is_a_tree(body: bytes) -> bool:
    """Whether no two entries of an OLE2 file's directory lead to the same: from forty of them xlrd never comes back."""
    _, following = _sector_table(body)
    sector, seen, links = struct.unpack_from("<i", body, 48)[0], set(), []
    while 0 <= sector < len(following) and sector not in seen and SECTOR * (2 + sector) <= len(body):
        seen.add(sector)
        for entry in range(SECTOR * (1 + sector), SECTOR * (2 + sector), 128):
            left, right, child = struct.unpack_from("<3i", body, entry + 68)
            links += {1: [left, right, child], 2: [left, right], 5: [left, right, child]}.get(body[entry + 66], [])
        sector = following[sector]
    links = [link for link in links if link >= 0]
    return len(set(links)) == len(links)


def _keys(table: pa.Table) -> set[tuple[str, date]]:
    return set(zip(*(table[column].to_pylist() for column in AUCTIONS.key), strict=True))


def _place(row: _Row) -> str:
    return f"{row['sheet']}, row {row['source_row']}, auction of {row['auction_date']}"


def _implausible(row: _Row, today: date) -> Iterator[tuple[str, str]]:
    """What was expected and found where a new or changed row cannot be right."""
    day = row["auction_date"]
    if day > today:
        yield f"no auction after the day of retrieval, {today} in Tokyo", str(day)
    for name in ("auction_date", "issue_date"):
        if row[name] >= SESSIONS_SINCE and not is_tokyo_session(row[name]):
            yield f"{name} on a Tokyo business day", f"{row[name]:%A %Y-%m-%d}"
    if day >= CALM_SINCE and row["sheet"] in LIVE:
        yield from _unlike_today(row)
    yield from _impossible(row)


def _unlike_today(row: _Row) -> Iterator[tuple[str, str]]:
    """What no live instrument's auction has been since 2015. History has odder ones that are true."""
    allotted = row["accepted_jpy_100mn"] + (row["non_price_1_jpy_100mn"] or 0) + (row["noncompetitive_jpy_100mn"] or 0)
    offered = row["offered_jpy_100mn"]
    if not ALLOTTED_OF_OFFERED[0] * offered <= allotted <= ALLOTTED_OF_OFFERED[1] * offered:
        yield "amounts accepted that add up to the offer, within 0.5 percent", f"{allotted:g} of {offered:g}"
    if row["bids_jpy_100mn"] > MAX_COVER * row["accepted_jpy_100mn"]:
        cover = f"{row['bids_jpy_100mn']:g} for {row['accepted_jpy_100mn']:g}"
        yield f"bids of at most {MAX_COVER} times what was accepted", cover
    for name, (least, most) in RANGES.items():
        if row[name] is not None and not least <= row[name] <= most:
            yield f"{name} in {least:g} to {most:g}", f"{row[name]:g}"
    for name in ("average_price", "average_yield_pct"):
        if row["sheet"] in PRICE_COMPETITIVE and row[name] is None:
            yield f"{name}: a price-competitive auction has one", "none"
    if row["lowest_price"] is None:
        yield "lowest_price: the price of a live instrument", "none"


def _impossible(row: _Row) -> Iterator[tuple[str, str]]:
    """What no auction of any age can be: amounts out of this world, a yield that is not its price's."""
    for name in AMOUNTS:
        if row[name] is not None and not 0 <= row[name] <= MAX_AMOUNT:
            yield f"{name} in 0 to {MAX_AMOUNT:g}", f"{row[name]:g}"
    for price, published in (("average_price", "average_yield_pct"), ("lowest_price", "highest_yield_pct")):
        if row[price] is not None and row[published] is not None:
            implied, room = _simple_yield_pct(row, row[price]), YIELD_ROOM_PCT.get(row["sheet"], 0.05)
            if not abs(row[published] - implied) <= room:
                yield f"{published} near {implied:.3f}, as price, coupon and term imply", f"{row[published]:g}"


def _simple_yield_pct(row: _Row, price: float) -> float:
    """Japanese simple yield, which is close to every convention that was ever published."""
    days = term_days(np.datetime64(row["issue_date"]), np.datetime64(row["maturity_date"]))
    return float(simple_yield_pct(price, row["coupon_pct"] or 0, days)) if price > 0 else math.inf


def _pauses(table: pa.Table) -> list[str]:
    """Instruments without an auction for longer than any real pause, as of the newest auction of all."""
    last = dict(zip(table["sheet"].to_pylist(), table["auction_date"].to_pylist(), strict=True))  # sorted by date
    newest = max(last.values())
    return [
        f"sheet {sheet} has no auction after {last[sheet]}, {(newest - last[sheet]).days} days before the newest"
        for sheet, pause in LONGEST_PAUSE.items()
        if newest - last[sheet] > pause
    ]
