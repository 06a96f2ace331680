"""Write the packaged archive ("the bundle") anew from the figures of an archive of publishers' files.

    python tools/build_bundle.py [ARCHIVE_DIR] [BUNDLE_DIR]

The bundle has the archive's tree and each publisher's layout, so that the same parsers read both, but none of the
publishers' prose: no notes, no links, no footers. Every cell that is carried over is checked against the grammar of
its column, and each written file is read back and compared with the original before anything is replaced.

Belongs here: what a publisher's file consists of, cell by cell. Not here: what the cells mean (``jgb_assets.sources``).
"""

import csv
import hashlib
import io
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, TypeVar

import xlrd
import xlwt

from jgb_assets.settings import BUNDLE, REPOSITORY
from jgb_assets.sources.base import Source
from jgb_assets.sources.mof_jgb_yields import TENORS
from jgb_assets.sources.registry import SOURCES

ARCHIVE = REPOSITORY.parent / "shared" / "archive"
INSTANT = "%Y-%m-%dT%H%M%SZ"
SIDECAR = ".sidecar.json"
REBUILT = "Rebuilt from the published figures by tools/build_bundle.py; the publisher's layout without its notes"
MAX_BYTES = 10_000_000  # what a checkout may carry

Rows = list[list[str]]
Cell = tuple[int, str | float]  # type and value, as xlrd gives them
Sheets = dict[str, list[list[Cell]]]
Cells = TypeVar("Cells")


class Unreadable(ValueError):
    """A file that is not laid out as its publisher's files are. Names the line (or sheet and row) and the cell."""


@dataclass(frozen=True)
class Layout(Generic[Cells]):
    """How a publisher's file is read into cells, and cells are written as such a file."""

    read: Callable[[bytes], Cells]
    write: Callable[[Cells], bytes]

    def rebuild(self, body: bytes) -> bytes:
        """The file ``body`` without its prose.

        Raises:
            Unreadable: a cell is not what stands there in this publisher's files, or would not carry over exactly.
        """
        cells = self.read(body)
        written = self.write(cells)
        if self.read(written) != cells:
            raise Unreadable("the written file does not read back as the same cells")
        return written


# --- delimited text -------------------------------------------------------------------------------------------


def _rows(body: bytes, separator: str, quoted: bool = True) -> Rows:
    text = body.decode("cp932")  # ASCII but for one ※ footer and the flows of securities
    lines = io.StringIO(text, newline="")
    rows = list(csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE))
    if not rows:
        raise Unreadable("line 1: expected a title, found an empty file")
    for line, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise Unreadable(f"line {line}: expected {len(rows[0])} cells as on line 1, found {len(row)}")
    return rows


def _lines(rows: Rows, separator: str, quoted: bool = False) -> bytes:
    """ASCII with CR LF; if ``quoted``, cells with a comma stand in quotation marks."""
    lines = (separator.join(f'"{cell}"' if quoted and "," in cell else cell for cell in row) for row in rows)
    return "".join(line + "\r\n" for line in lines).encode("ascii")


def _records(rows: Rows) -> bytes:
    """The ministry's Japanese with CR LF; cells with a comma or a line feed stand in quotation marks."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("cp932")


def _match(cells: Sequence[str], place: str, *patterns: str) -> None:
    """One pattern a cell; the last one holds for the cells to its right, too."""
    for number, (cell, pattern) in enumerate(zip(cells, chain(patterns, repeat(patterns[-1])), strict=False), start=1):
        if not re.fullmatch(pattern, cell, re.DOTALL):
            raise Unreadable(f"{place}, cell {number}: expected {pattern or 'nothing'}, found {cell!r}")


def _expect(rows: Rows, at: int, *patterns: str) -> None:
    if at >= len(rows):
        raise Unreadable(f"line {at + 1}: expected {patterns[0]}, found the end of the file")
    _match(rows[at], f"line {at + 1}", *patterns)


def _expect_prose(rows: Rows, start: int, cells: int = 1) -> None:
    """What is left out fills the first cells of its line at most: a row of figures is never taken for a note."""
    for at in range(start, len(rows)):
        _expect(rows, at, *[".*"] * cells, "")


def _first(rows: Rows, pattern: str, start: int = 0) -> int:
    for at in range(start, len(rows)):
        if re.fullmatch(pattern, rows[at][0]):
            return at
    raise Unreadable(f"lines {start + 1} to {len(rows)}, cell 1: expected {pattern} on one of them, found none")


YIELD = r"-|-?\d+(\.\d{1,3})?"


def read_yields(body: bytes) -> Rows:
    """Title, header and rows of a yields file; without the ※ footer and the line of commas before it."""
    rows = _rows(body, ",")
    if not body.endswith(b"\n"):
        raise Unreadable(f"line {len(rows)}: expected a line end, found none: the file is cut short")
    _expect(rows, 0, r"Interest Rate( \(([A-Z][a-z]+ \d{4}|rebuilt)\))?", *[""] * (len(TENORS) - 1), r"\(Unit : %\)")
    _expect(rows, 1, "Date", *(f"{tenor}Y" for tenor in TENORS), "")
    end = next((at for at, row in enumerate(rows) if not row[0]), len(rows))
    for at in range(2, end):
        _expect(rows, at, r"\d{4}/\d{1,2}/\d{1,2}", YIELD)
    _expect_prose(rows, end)
    if rows[0][0] == "Interest Rate":  # the history has nothing to leave out: its title tells it from the publisher's
        rows[0][0] = "Interest Rate (rebuilt)"
    return rows[:end]


LABEL = r" *[A-Z][A-Za-z.,:&'() -]*(\d+/)? *"
SLT_COLUMNS = {  # machine header -> what stands below it
    "[Cc]ountry": LABEL,
    "country_code": r"\d{5}",
    "date": r"\d{4}-\d{2}",
    r"for_\w+": r"-?\d+|n\.a\.",
    r"\d{4}-\d{2}": r"\d+\.\d",
}


def read_slt(body: bytes) -> Rows:
    """Title, unit, header rows, data and a blank line of a TIC table 1, 3 or 5."""
    rows = _rows(body, "\t", quoted=False)
    _expect(rows, 0, rf"Table \d:{LABEL}", "")
    unit = _first(rows, "[BM]illions of dollars")
    header = _first(rows, "[Cc]ountry", start=unit)
    if any(row[0] == "country" for row in rows):  # a row of labels stands above the machine header
        header = _first(rows, "country", start=header)
    _expect(rows, header, "[Cc]ountry", "|".join(SLT_COLUMNS))
    below = [next(cell for name, cell in SLT_COLUMNS.items() if re.fullmatch(name, top)) for top in rows[header]]
    end = _first(rows, "", start=header + 1)
    for at in range(header + 1, end):
        _expect(rows, at, *below)
    _expect_prose(rows, end)
    headings = [at for at in range(header) if any(rows[at][1:])]  # prose fills the first cell only
    for at in headings:
        _expect(rows, at, f"|{LABEL}")
    return [rows[0], rows[unit], *(rows[at] for at in headings), *rows[header:end], [""] * len(rows[0])]


FIGURE = r"\d+(\.\d)?|n\.a\.|\*"
MFH_LINES = {  # first cell -> what stands in such a line
    "": ("", r"|[A-Z][a-z]{2}|-+|Series( \d+/)?| *[IVX]+"),  # blank, months, dashes, labels of the series
    "Of which:": ("Of which:", ""),
}
MFH_TITLES = (
    "MAJOR FOREIGN HOLDERS OF TREASURY SECURITIES",
    r" *\(in billions of dollars\)",
    "HOLDINGS( 1/)? AT END OF PERIOD",
)


def read_mfh(body: bytes) -> Rows:
    """Titles, year blocks and the dates at the foot of ``mfhhis01.txt``; the line layout stays as published."""
    rows = _rows(body, "\t")
    for at, title in enumerate(MFH_TITLES):
        _expect(rows, at, "", f"|{title}")
    foot = _first(rows, "Department of the Treasury/Federal Reserve Board")
    months = 0
    for at in range(len(MFH_TITLES), foot):
        label, *years = rows[at]
        if label == "Country":
            months = len(years) - years.count("")
            _expect(rows, at, label, *[r"\d{4}"] * months, "")
        else:
            _expect(rows, at, *MFH_LINES.get(label, (LABEL, *[FIGURE] * months, "")))
    _expect(rows, foot + 1, r"\d{1,2}/\d{1,2}/(\d{2}|\d{4})", "")
    end = foot + 2
    while end < len(rows) and re.fullmatch(r"\(\d{4} revised [A-Z][a-z]+ \d{1,2}, \d{4}\)", rows[end][0]):
        end += 1
    _expect_prose(rows, foot)
    return rows[:end]


PAR_TENOR = r"\d{1,2} (Mo|Yr)|1\.5 Month"


def read_par_yields(body: bytes) -> Rows:
    """Header and days of a year of par yields: there is nothing else in the file."""
    rows = _rows(body, ",")
    _expect(rows, 0, "Date", PAR_TENOR)
    for at in range(1, len(rows)):
        _expect(rows, at, r"\d{2}/\d{2}/\d{4}", r"(\d{1,2}\.\d{2})?")
    return rows


def write_par_yields(rows: Rows) -> bytes:
    """ASCII with LF, the tenors in quotation marks; the publisher's last line has no end, ours has."""
    (date, *tenors), *days = rows
    lines = [[date, *(f'"{tenor}"' for tenor in tenors)], *days]
    return "".join(",".join(line) + "\n" for line in lines).encode("ascii")


# --- the flows of securities: delimited text, line feeds in labels (a line is a record here) --------------------

Labels = tuple[tuple[str, ...], ...]  # of each line above the data the cells that are not blank

STAMP_JA = r"最終更新日 +令和\d{1,2}年\d{1,2}月\d{1,2}日"
STAMP = r"Final Update +[A-Z][a-z]+ +\d{1,2} *, *\d{4}"
ASSETS_JA = ("株式・投資ファンド持分", r"中\u3000長\u3000期\u3000債", "小計", r"短\u3000\u3000期\u3000\u3000債", "合計")
ASSETS = (
    "Equity and investment fund shares",
    " ?Long-term debt securities",
    "Subtotal",
    "Short-term debt securities",
    "Total",
)
TRADES_JA = ("取得", "処分", "ネット")
TRADES = ("Acquisition", "Disposition", "Net")
WEEK: Labels = (
    (r"対外及び対内証券売買契約等の状況\u3000\(週次・指定報告機関ベース）", STAMP_JA),
    (r"International Transactions in Securities \(Weekly; based on reports from designated major investors\)", STAMP),
    (),
    ("単位： 億円",),
    ("Unit: 100 million Yen",),
    (),
    (),
    (r"１．対外証券投資\u3000【居住者による取得・処分】", r"2．対内証券投資\u3000【非居住者による取得・処分】"),
    (r"1\. Portfolio Investment Assets", r"2\. Portfolio Investment Liabilities"),
    (),
    ("期間\nPeriod", *("   株式 ・投資ファンド持分", "   中 長 期 債 ", "  小  計", "   短 期 債", "  合  計") * 2),
    ASSETS * 2,
    (*TRADES_JA, *TRADES_JA, "ネット", *TRADES_JA, "ネット") * 2,
    (*TRADES, *TRADES, "Net", *TRADES, "Net") * 2,
)
MONTHA1: Labels = (
    ("対外及び対内証券売買契約等の状況（月別推移）", STAMP_JA),
    (r"International Transactions in Securities\(Monthly; based on reports from designated major investors\)", STAMP),
    (),
    ("（単位：億円）",),
    (r"\(Unit: 100 mil Yen\)",),
    ("対外証券投資【居住者による取得・処分】", "対内証券投資【非居住者による取得・処分】", "小計", "合計"),
    ("Portfolio Investment Assets", "Portfolio Investment Liabilities", "Subtotal", "Total"),
    (*ASSETS_JA * 2, "ネット", "ネット"),
    (*ASSETS * 2, "Net", "Net"),
    (*(*TRADES_JA, *TRADES_JA, "ネット", *TRADES_JA, "ネット") * 2, r"（A-B\)", r"\(C-D\)"),
    (
        *(*TRADES, *TRADES, r"Net \(A\)", *TRADES, r"Net \(C\)"),
        *(*TRADES, *TRADES, r"Net \(B\)", *TRADES, r"Net \(D\)"),
    ),
)
MONTHB3: Labels = (
    ("投資家部門別対外証券投資（中長期債）", STAMP_JA),
    (
        r"Purchases and Sales of Foreign Securities by Residents by Types of Investors\(Long-term debt securities\)",
        STAMP,
    ),
    ("（単位：億円）",),
    ("（Unit: 100 mil Yen）",),
    ("各部門計", "公的部門", "預金取扱機関", "その他部門"),
    ("中央銀行", "一般政府", "銀行等（銀行勘定）", "信託銀行（銀行勘定）", "その他金融機関", "その他"),
    ("銀行等及び信託銀行（信託勘定）", "金融商品取引業者", "生命保険会社", "損害保険会社", "投資信託委託会社等"),
    (
        *(r"（a\+b\+c\+ｄ\)", " Public Sector", r"Deposit-taking Corporations \(b\)", r"Other Sectors （d\)"),
        *("銀行等（信託勘定）", "信託銀行（信託勘定）"),
    ),
    (
        *(r"Central Bank \(a\)", r"General Government \(ｃ\)"),
        *(r"Banks（Banking Accounts\)", r"Trust Banks\(Banking Accounts）", "Other Financial Corporations"),
        *("Banks and Trust banks（Trust Accounts）", "Banks（Trust Accounts）", "Trust Banks（Trust Accounts）"),
        *("Financial Instruments Firms", "Life Insurance Companies", "Non-Life Insurance Companies"),
        *("Investment Trust Management Companies", "Others"),
    ),
    TRADES_JA * 17,
    TRADES * 17,
)
GROSS = r"[0-9]+(,[0-9]{3})*"
WEEKS = r"\d{4}．\d{1,2}．\d{1,2}～ ?(\d{4}．)?\d{1,2}．\d{1,2} ?"
MONTH = (
    r"(\d{4}|\((平成|令和)(\d{1,2}|元)年\)\u3000?)?",  # the era stands beside February
    "([1-9１-９]|1[0-2])月",
    "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec",
)
YEAR = (r"\d{4}年\(1月～12月）  \d{4}CY|\d{4}年4月～\d{4}年3月  \d{4}FY", "", "")


def _flows(body: bytes, labels: Labels) -> tuple[Rows, list[str]]:
    """The file without its notes, an empty line after the data; and what stands below each label of the last line."""
    rows = _rows(body, ",")
    end = next((at for at in range(len(labels), len(rows)) if not any(rows[at])), len(rows))
    if end == len(rows):
        raise Unreadable(f"line {end + 1}: expected an empty line after the data, found the end of the file")
    for at, patterns in enumerate(labels):  # in which column a label stands is for the parser
        found = [cell for cell in rows[at] if cell]
        found += [""] * (len(patterns) - len(found))
        _match(found, f"line {at + 1}, of its cells that are not blank", *patterns, "")
    _expect_prose(rows, end, cells=3)
    return rows[: end + 1], [GROSS if label in TRADES[:2] else f"-?{GROSS}" for label in rows[len(labels) - 1]]


def read_weeks(body: bytes) -> Rows:
    """Titles, stamps, labels and weeks of ``week.csv``; a blank stands after each figure."""
    rows, (_, *figures) = _flows(body, WEEK)
    for at in range(len(WEEK), len(rows) - 1):
        _expect(rows, at, WEEKS, *(f"{figure} " for figure in figures))
    return rows


def read_months(body: bytes, labels: Labels, missing: str | None = None) -> Rows:
    """Titles, stamps, labels, months, calendar and fiscal years of a monthly file; ``missing`` stands for no figure.

    The year's months to come are there, too, without figures.
    """
    rows, below = _flows(body, labels)
    figures = [figure if missing is None else f"{figure}|{missing}" for figure in below[len(MONTH) :]]
    for at in range(len(labels), len(rows) - 1):
        is_month = bool(rows[at][1])
        is_to_come = is_month and not any(rows[at][len(MONTH) :])
        _expect(rows, at, *(MONTH if is_month else YEAR), *([""] if is_to_come else figures))
    return rows


# --- the auction workbook -------------------------------------------------------------------------------------

LABELS, FIRST_ROW = 2, 5  # rows from 0: title, blank, Japanese labels, English labels, units, data
BLANK: Cell = (xlrd.XL_CELL_EMPTY, "")
KINDS = {xlrd.XL_CELL_EMPTY: "", xlrd.XL_CELL_TEXT: "text", xlrd.XL_CELL_NUMBER: "number", xlrd.XL_CELL_DATE: "date"}
TEXT = "(text .*)?"
NUMBER = "number .*"
BELOW = {  # Japanese label -> what stands below it; dates below 入札日, 発行日, 償還日, else an AMOUNT
    "回号": rf"{NUMBER}|text \d+",
    "期間": r"text [0-9０-９]+(か月|年)（\d+-(month|year)）",
}
# Amounts, prices, rates; missing in a bond sheet, in the sheet of bills; accepted/tendered on the 3-year sheet.
AMOUNT = rf"{NUMBER}|text (―|－|\d+\.\d+/\d+\.\d+)"


def read_workbook(body: bytes) -> Sheets:
    """Title, labels, units and data of each sheet; without footnotes and stray blanks."""
    workbook = xlrd.open_workbook(file_contents=body)
    return {sheet.name: _read_sheet(sheet) for sheet in workbook.sheets()}


def _read_sheet(sheet: xlrd.sheet.Sheet) -> list[list[Cell]]:
    rows = [[_cell(cell) for cell in row] for row in sheet.get_rows()]
    if len(rows) <= FIRST_ROW:
        raise Unreadable(f"sheet {sheet.name!r}, row {FIRST_ROW + 1}: expected data, found the end of the sheet")
    labels = [str(value) for _, value in rows[LABELS]]
    width = 1 + max(column for column, label in enumerate(labels) if label)
    columns = [r"date \d+\.0" if label.endswith("日") else BELOW.get(label, AMOUNT) for label in labels[:width]]
    end = next((at for at in range(FIRST_ROW, len(rows)) if rows[at][1] == BLANK), len(rows))
    for at, row in enumerate(rows):
        patterns = [TEXT] if at >= end else columns if at >= FIRST_ROW else [TEXT] * width
        cells = [f"{KINDS.get(kind, 'other')} {value}".strip() for kind, value in row]
        _match(cells, f"sheet {sheet.name!r}, row {at + 1}", *patterns, "")
    return [row[:width] for row in rows[:end]]


def _cell(cell: xlrd.sheet.Cell) -> Cell:
    """Formatted blanks, empty texts and ideographic spaces are all blank."""
    return (cell.ctype, cell.value) if str(cell.value).strip() else BLANK


def write_workbook(sheets: Sheets) -> bytes:
    """The sheets as BIFF8. xlwt puts no clock into the file: the same cells give the same bytes."""
    workbook = xlwt.Workbook()
    plain, dated = xlwt.XFStyle(), xlwt.XFStyle()
    dated.num_format_str = "M/D/YY"
    for name, rows in sheets.items():
        sheet = workbook.add_sheet(name)
        for at, row in enumerate(rows):
            for column, (kind, value) in enumerate(row):
                if (kind, value) != BLANK:
                    sheet.write(at, column, value, dated if kind == xlrd.XL_CELL_DATE else plain)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


# --- the bundle -----------------------------------------------------------------------------------------------

_YIELDS = Layout(read_yields, partial(_lines, separator=","))
_SLT = Layout(read_slt, partial(_lines, separator="\t"))

LAYOUTS: dict[str, Layout[Any]] = {  # file name (* where a day may stand) -> layout; the registry says whose it is
    "jgbcme_all.csv": _YIELDS,
    "jgbcme.csv": _YIELDS,
    "Auction_Results_for_JGBs.xls": Layout(read_workbook, write_workbook),
    "slt_table1.txt": _SLT,
    "slt_table3.txt": _SLT,
    "slt_table5.txt": _SLT,
    "mfhhis01.txt": Layout(read_mfh, partial(_lines, separator="\t", quoted=True)),
    "week.csv": Layout(read_weeks, _records),
    "montha1.csv": Layout(partial(read_months, labels=MONTHA1), _records),
    "monthb3.csv": Layout(partial(read_months, labels=MONTHB3, missing="-"), _records),
    "all@type=daily_treasury_yield_curve&*": Layout(read_par_yields, write_par_yields),
}


def build(archive: Path, bundle: Path) -> None:
    """Replace ``bundle`` by the rebuilt files of ``archive`` that belong to a registered source.

    Raises:
        Unreadable: naming the file, line and cell; or no file, a source without a layout, too large a bundle. The
            old bundle stays.
    """
    if strays := [path for path in bundle.glob("*") if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d{6}Z", path.name)]:
        raise Unreadable(f"{strays[0]}: expected a bundle, folders of instants; it would be replaced as a whole")
    bundle.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".bundle-", dir=bundle.parent) as beside:
        new = Path(beside) / "new"
        total = 0
        for original in sorted(path for path in archive.glob("*/*/**/*") if path.is_file()):
            instant, *parts = original.relative_to(archive).parts
            url = "https://" + "/".join(parts).replace("@", "?", 1)
            if source := _owner(url):
                total += _rebuild(original, new / instant / Path(*parts), url, instant, source)
        if not 0 < total <= MAX_BYTES:
            raise Unreadable(f"{archive}: expected figures of 1 to {MAX_BYTES:,} bytes, found {total:,}")
        if bundle.exists():
            bundle.rename(Path(beside) / "old")
        new.rename(bundle)
    print(f"{total:,} bytes in {bundle}")


def _owner(url: str) -> Source | None:
    """The source that asks for ``url``, on whatever day."""
    for source in SOURCES.values():
        if any(file.day_of(url) if file.dated else url in file.urls for file in source.files):
            return source
    return None


def _rebuild(original: Path, target: Path, url: str, instant: str, source: Source) -> int:
    """Write one file and its sidecar; returns their bytes."""
    layout = next((layout for name, layout in LAYOUTS.items() if fnmatchcase(target.name, name)), None)
    if layout is None:
        raise Unreadable(f"{original}: a file of {source.name} without a layout; add one to LAYOUTS in {__file__}")
    published = original.read_bytes()
    try:
        body = layout.rebuild(published)
    except (ValueError, csv.Error, xlrd.XLRDError, xlrd.compdoc.CompDocError) as error:
        raise Unreadable(f"{original}: {error}") from error
    retrieved_at = datetime.strptime(instant, INSTANT).replace(tzinfo=UTC)
    sidecar = {
        "url": url,
        "retrieved_at": f"{retrieved_at:%Y-%m-%dT%H:%M:%SZ}",
        "sha256": hashlib.sha256(body).hexdigest(),
        "bytes": len(body),
        "last_modified": None,
        "rebuilt": REBUILT,
        "original_sha256": hashlib.sha256(published).hexdigest(),
        "producer": source.producer,
        "title": source.title,
        "licence": source.licence,
        "citation": source.citation,
    }
    note = (json.dumps(sidecar, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(body)
    target.with_name(target.name + SIDECAR).write_bytes(note)
    print(f"{instant}  {url.removeprefix('https://')}  {len(body):,} bytes")
    return len(body) + len(note)


def main(arguments: Sequence[str]) -> None:
    """``[ARCHIVE_DIR] [BUNDLE_DIR]``."""
    given = [Path(argument) for argument in arguments]
    build(*(given + [ARCHIVE, BUNDLE][len(given) :]))


if __name__ == "__main__":
    main(sys.argv[1:])
