"""The Ministry's auction workbook: what it says, its traps, and what must not be let in."""

import hashlib
import io
import random
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import xlwt
from quickly import quickly

from jgb_assets.sources.base import Arrival, Snapshot, SourceRejected
from jgb_assets.sources.mof_jgb_auctions import AUCTIONS, MofJgbAuctions

REPOSITORY = Path(__file__).parents[2]
ARCHIVES = [
    path
    for root in (REPOSITORY / "jgb_assets" / "bundle" / "archive", REPOSITORY.parent / "shared" / "archive")
    for path in sorted(root.glob("*/www.mof.go.jp/**/Auction_Results_for_JGBs.xls"))
]
SOURCE = MofJgbAuctions()
URL = SOURCE.files[0].urls[1]
RETRIEVED = datetime(2026, 7, 3, 0, 35, tzinfo=UTC)

# The publisher's raw labels and, in the row two below, units. The inflation-linked sheet stars its lowest price.
AMOUNT, PRICE, RATE = "（億円）\n(100 million yen)", "（円）\n(per 100 yen)", "（％）"
UNITS = {
    **dict.fromkeys(["回号", "期間", "入札日", "発行日", "償還日"], ""),
    **dict.fromkeys(["表面利率", "平均利回", "最高利回", "初回基準金利", "スプレッド"], RATE),
    **dict.fromkeys(["平均価格", "最低価格"], PRICE),
    **dict.fromkeys(["発行予定額", "応募額", "落札・割当額", "定率/非競争"], AMOUNT),
    **dict.fromkeys(["第Ⅰ非価格競争", "第Ⅱ非価格競争"], AMOUNT),
    "最低価格*": PRICE + "*",
}
COUPON = "回号 入札日 発行日 償還日 表面利率 発行予定額 応募額 落札・割当額 "
PRICES = "平均価格 平均利回 最低価格 最高利回"
NO_COUPON = "回号 入札日 発行日 償還日 発行予定額 応募額 落札・割当額 "
LABELS = {
    "40年債": COUPON + "最低価格 最高利回 第Ⅱ非価格競争",
    "30年債": COUPON + PRICES + " 第Ⅰ非価格競争 第Ⅱ非価格競争",
    "20年債": COUPON + PRICES + " 第Ⅰ非価格競争 第Ⅱ非価格競争",
    "15変動": NO_COUPON + "初回基準金利 スプレッド 平均価格 最低価格 第Ⅰ非価格競争 第Ⅱ非価格競争",
    "10年債": COUPON + PRICES + " 定率/非競争 第Ⅰ非価格競争 第Ⅱ非価格競争",
    "GX10年債": COUPON + "最低価格 最高利回",
    "10年物価連動": COUPON + "平均価格 平均利回 最低価格* 最高利回 第Ⅰ非価格競争 第Ⅱ非価格競争",
    "5年債": COUPON + PRICES + " 定率/非競争 第Ⅰ非価格競争 第Ⅱ非価格競争",
    "GX5年債": COUPON + "最低価格 最高利回",
    "2年債": COUPON + PRICES + " 定率/非競争 第Ⅰ非価格競争 第Ⅱ非価格競争",
    "6年債": COUPON + PRICES + " 定率/非競争",
    "4年債": COUPON + PRICES + " 定率/非競争",
    "割3年": NO_COUPON + PRICES + " 定率/非競争",
    "TB ": "回号 期間 入札日 発行日 償還日 発行予定額 応募額 落札・割当額 " + PRICES + " 第Ⅰ非価格競争",
}
# Rows as published, an issue number typed as text with an apostrophe.
ROWS = {
    "40年債": """\
1 2007-11-06 2007-11-20 2048-03-20 2.4 1000 5012 999 99.1 2.435 0
18 2025-05-28 2025-05-29 2065-03-20 3.1 5000 11066 4999 99.2 3.135 486
18 2026-01-28 2026-01-29 2065-03-20 3.1 4000 11033 3998 87.27 3.72 380
19 2026-05-27 2026-05-28 2066-03-20 3.8 3000 8094 2996 99.18 3.84 203
""",
    "30年債": """\
1 1999-09-02 1999-09-20 2029-09-20 2.8 2000 9747 1996 ― ― 99.2 2.84 ― ―
26 2007-04-17 2007-04-20 2037-03-20 2.4 6000 23425 5496 100.86 2.351 100.8 2.354 497 491
73 2022-02-03 2022-02-04 2051-12-20 0.7 9000 24939 7235 97.86 0.788 97.85 0.788 1760 242
80 2023-12-07 2023-12-08 2053-09-20 1.8 9000 19126 7311 103.55 1.623 102.35 1.681 1688 0
90 2026-06-10 2026-06-11 2056-03-20 3.7 6000 13237 4508 97.78 3.86 97.4 3.888 1489 543
""",
    "20年債": """\
4 1987-09-01 1987-09-21 2007-09-20 5.6 5000 7131 4564 96.93 5.934 95.75 6.07 ― ―
117 2010-05-20 2010-05-25 2030-03-20 2.1 11000 39382 10031 100.35 2.075 100.35 2.075 965 1624
139 2012-08-23 2012-08-27 2032-06-20 1.6 12000 26003 10941 99.29 1.647 99.05 1.663 1056 0
154 2015-10-20 2015-10-22 2035-09-20 1.2 12000 33561 11038 102 1.078 101.9 1.083 956 493
173 2020-07-21 2020-07-22 2040-06-20 0.4 12000 36829 9692 99.7 0.416 99.65 0.419 2296 1146
192 2025-05-20 2025-05-21 2045-03-20 2.4 10000 18778 7509 99.29 2.453 98.15 2.54 2490 0
194 2025-12-11 2025-12-12 2045-09-20 2.7 8000 24841 6065 97.28 2.916 97.25 2.919 1930 634
195 2026-01-20 2026-01-21 2045-12-20 3.2 8000 19399 6078 99.35 3.253 99.1 3.274 1917 0
196 2026-06-25 2026-06-26 2046-03-20 3.4 7000 15736 5304 98.34 3.542 98.1 3.564 1690 30
""",
    "15変動": """\
8 2000-06-08 2000-06-20 2015-06-22 6000 39653 5993 1.71 -0.81 ― ― ― ―
48 2008-05-21 2008-05-26 2023-05-20 6000 19837 5497 1.67 -0.2 100.22 100 499 389
""",
    "10年債": """\
119 1989-04-05 1989-04-20 1999-06-21 4.8 10000 20862 3899.5 99.91 4.813 99.8 4.829 98.05 ― ―
242 2002-09-20 2002-10-21 2012-09-20 1.2 18000 11852 11852 99.98 1.202 99.45 1.261 211.09 ― ―
277 2006-03-02 2006-03-20 2016-03-20 1.6 19000 41268 17055.7 99.81 1.622 99.77 1.626 44.07 ― ―
355 2019-09-03 2019-09-04 2029-06-20 0.1 21000 61611 17130 103.68 -0.265 103.66 -0.264 2.8 3857 3134
369 2023-03-02 2023-03-03 2032-12-20 0.5 27000 169594 22462 100 0.5 100 0.5 4.55 4524 433
382 2026-06-02 2026-06-03 2036-03-20 2.4 26000 70031 19839 98.06 2.649 98.01 2.656 2.37 6151 1270
""",
    "GX10年債": """\
1 2024-02-14 2024-02-15 2033-12-20 0.7 8000 23212 7995 99.62 0.74
3 2025-10-21 2025-10-22 2035-09-20 1.6 3000 10675 2998 99.27 1.68
4 2026-03-13 2026-03-16 2035-12-20 2.1 3000 10260 2999 99.17 2.195
""",
    "10年物価連動": """\
1 2004-03-04 2004-03-10 2014-03-10 1.2 1000 4844 998 ― ― 99.11 1.295 ― ―
12 2007-08-07 2007-08-10 2017-06-10 1.2 5000 19106 4646 99.61 1.244 99.45 1.262 349 179
'30 2025-05-22 2025-05-23 2035-03-10 0.005 2500 7597 2498 ― ― 100.05 0 ― ―
'30 2025-08-15 2025-08-18 2035-03-10 0.005 2500 7292 2500 ― ― 99.3 0.078 ― ―
'30 2026-02-10 2026-02-12 2035-03-10 0.005 2500 8439 2498 ― ― 96.05 0.458 ― ―
31 2026-05-01 2026-05-07 2036-03-10 0.6 2500 8486 2499 ― ― 100.2 0.578 ― ―
""",
    "5年債": """\
1 2000-02-01 2000-02-21 2005-03-21 1 8000 15550 7931 100.25 0.948 100.19 0.96 69.37 ― ―
185 2026-06-23 2026-06-24 2031-03-20 2 25000 59322 19063 100.41 1.905 100.35 1.919 0 5933 0
""",
    "GX5年債": """\
1 2024-02-27 2024-02-28 2028-12-20 0.3 8000 27145 7998 99.81 0.339
5 2026-05-25 2026-05-26 2031-03-20 1.9 2500 11556 2500 99.81 1.941
""",
    "2年債": """\
3 1979-08-27 1979-09-10 1981-08-20 6.8 2000 1817 1139 99.3 7.206 99 7.387 ― ― ―
234 2005-06-28 2005-07-20 2007-07-20 0.1 17000 4154012 15472 100.06 0.069 100.06 0.069 113.37 1397 0
404 2019-08-29 2019-09-02 2021-09-01 0.1 20000 88328 16345 100.829 -0.311 100.825 -0.309 0 3651 1230
486 2026-06-30 2026-07-01 2028-07-01 1.4 28000 103744 21534 99.985 1.407 99.98 1.41 1.05 6462 1091
""",
    "6年債": """\
2 1994-02-15 1994-02-28 2000-02-21 3.3 3000 9557 3038 100.22 3.255 100.12 3.276 0.6
37 2001-03-09 2001-03-26 2007-03-20 0.7 5000 16918 4929 100.22 0.661 100.2 0.665 64.22
""",
    "4年債": """\
2 1980-06-02 1980-06-13 1984-05-21 8.5 1000 7318 1055 101.23 8.087 101.02 8.157 ―
64 2001-02-14 2001-02-28 2005-02-21 0.6 5000 18605 4851 100.03 0.592 100.01 0.597 137.2
""",
    "割3年": """\
1 2000-11-09 2000-11-30 2003-11-20 1000 2124 901 97.6 0.813 97.4 0.881 95.17
13 2002-10-29 2002-11-20 2005-11-21 1000 3310 893 99.64 0.12 99.62 0.126 99.72/145.51
""",
    "TB ": """\
1 ６か月（6-month） 1986-02-13 1986-02-20 1986-08-20 5000 11775 5174 97.28 5.602 97.23 5.713 －
17 3か月（3-month） 1989-09-05 1989-09-20 1989-12-20 12000 24067.5 13097 98.8 4.789 98.79 4.859 －
443 １年（1-year） 2009-01-15 2009-01-20 2010-01-20 17000 58848 15871.9 99.774 0.2265 99.767 0.2335 1127.8
""",
}
FOOTNOTES = [
    "* 2017年10月以降は、連動係数積算前の価格。それより前は連動係数積算後の価格。",
    "* From October 2017, Lowest Accepted Price is not multiplied by the indexation coefficient.",
]

# Published figures in another order and naming than the sheets (section 10 of the source specification).
INSTRUMENTS = {
    "JGB40": "40年債",
    "JGB30": "30年債",
    "JGB20": "20年債",
    "JGB10": "10年債",
    "GX10": "GX10年債",
    "ILB10": "10年物価連動",
    "JGB5": "5年債",
    "JGB2": "2年債",
    "DISC3": "割3年",
    "TB": "TB",
}
GOLDEN = """\
JGB2,1979-08-27,3,1979-09-10,1981-08-20,6.8,2000,1817,1139,99.3,7.206,99,7.387,,,
TB,1986-02-13,1,1986-02-20,1986-08-20,,5000,11775,5174,97.28,5.602,97.23,5.713,,,
JGB20,1987-09-01,4,1987-09-21,2007-09-20,5.6,5000,7131,4564,96.93,5.934,95.75,6.07,,,
JGB10,1989-04-05,119,1989-04-20,1999-06-21,4.8,10000,20862,3899.5,99.91,4.813,99.8,4.829,,,98.05
JGB30,1999-09-02,1,1999-09-20,2029-09-20,2.8,2000,9747,1996,,,99.2,2.84,,,
JGB5,2000-02-01,1,2000-02-21,2005-03-21,1,8000,15550,7931,100.25,0.948,100.19,0.96,,,69.37
JGB10,2002-09-20,242,2002-10-21,2012-09-20,1.2,18000,11852,11852,99.98,1.202,99.45,1.261,,,211.09
DISC3,2002-10-29,13,2002-11-20,2005-11-21,,1000,3310,893,99.64,0.12,99.62,0.126,,,99.72
ILB10,2004-03-04,1,2004-03-10,2014-03-10,1.2,1000,4844,998,,,99.11,1.295,,,
JGB2,2005-06-28,234,2005-07-20,2007-07-20,0.1,17000,4154012,15472,100.06,0.069,100.06,0.069,1397,0,113.37
JGB10,2006-03-02,277,2006-03-20,2016-03-20,1.6,19000,41268,17055.7,99.81,1.622,99.77,1.626,,,44.07
JGB30,2007-04-17,26,2007-04-20,2037-03-20,2.4,6000,23425,5496,100.86,2.351,100.8,2.354,497,491,
JGB40,2007-11-06,1,2007-11-20,2048-03-20,2.4,1000,5012,999,,,99.1,2.435,,0,
JGB20,2010-05-20,117,2010-05-25,2030-03-20,2.1,11000,39382,10031,100.35,2.075,100.35,2.075,965,1624,
JGB20,2012-08-23,139,2012-08-27,2032-06-20,1.6,12000,26003,10941,99.29,1.647,99.05,1.663,1056,0,
JGB20,2015-10-20,154,2015-10-22,2035-09-20,1.2,12000,33561,11038,102,1.078,101.9,1.083,956,493,
JGB2,2019-08-29,404,2019-09-02,2021-09-01,0.1,20000,88328,16345,100.829,-0.311,100.825,-0.309,3651,1230,0
JGB10,2019-09-03,355,2019-09-04,2029-06-20,0.1,21000,61611,17130,103.68,-0.265,103.66,-0.264,3857,3134,2.8
JGB20,2020-07-21,173,2020-07-22,2040-06-20,0.4,12000,36829,9692,99.7,0.416,99.65,0.419,2296,1146,
JGB30,2022-02-03,73,2022-02-04,2051-12-20,0.7,9000,24939,7235,97.86,0.788,97.85,0.788,1760,242,
JGB10,2023-03-02,369,2023-03-03,2032-12-20,0.5,27000,169594,22462,100,0.5,100,0.5,4524,433,4.55
JGB30,2023-12-07,80,2023-12-08,2053-09-20,1.8,9000,19126,7311,103.55,1.623,102.35,1.681,1688,0,
GX10,2025-10-21,3,2025-10-22,2035-09-20,1.6,3000,10675,2998,,,99.27,1.68,,,
JGB20,2025-05-20,192,2025-05-21,2045-03-20,2.4,10000,18778,7509,99.29,2.453,98.15,2.54,2490,0,
JGB40,2025-05-28,18,2025-05-29,2065-03-20,3.1,5000,11066,4999,,,99.2,3.135,,486,
JGB20,2025-12-11,194,2025-12-12,2045-09-20,2.7,8000,24841,6065,97.28,2.916,97.25,2.919,1930,634,
JGB20,2026-01-20,195,2026-01-21,2045-12-20,3.2,8000,19399,6078,99.35,3.253,99.1,3.274,1917,0,
JGB40,2026-01-28,18,2026-01-29,2065-03-20,3.1,4000,11033,3998,,,87.27,3.72,,380,
ILB10,2026-05-01,31,2026-05-07,2036-03-10,0.6,2500,8486,2499,,,100.2,0.578,,,
JGB40,2026-05-27,19,2026-05-28,2066-03-20,3.8,3000,8094,2996,,,99.18,3.84,,203,
JGB10,2026-06-02,382,2026-06-03,2036-03-20,2.4,26000,70031,19839,98.06,2.649,98.01,2.656,6151,1270,2.37
JGB5,2026-06-23,185,2026-06-24,2031-03-20,2,25000,59322,19063,100.41,1.905,100.35,1.919,5933,0,0
JGB20,2026-06-25,196,2026-06-26,2046-03-20,3.4,7000,15736,5304,98.34,3.542,98.1,3.564,1690,30,
JGB2,2026-06-30,486,2026-07-01,2028-07-01,1.4,28000,103744,21534,99.985,1.407,99.98,1.41,6462,1091,1.05
"""
GOLDEN_COLUMNS = (
    "issue_date",
    "maturity_date",
    "coupon_pct",
    "offered_jpy_100mn",
    "bids_jpy_100mn",
    "accepted_jpy_100mn",
    "average_price",
    "average_yield_pct",
    "lowest_price",
    "highest_yield_pct",
    "non_price_1_jpy_100mn",
    "non_price_2_jpy_100mn",
    "noncompetitive_jpy_100mn",
)

Grid = list[list[Any]]
Edit = Callable[[dict[str, Grid]], object]


def cell(text: str) -> date | float | str:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return date.fromisoformat(text)
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text.removeprefix("'")


def workbook(*edits: Edit, dates_1904: bool = False) -> bytes:
    """A workbook in the publisher's layout; its titles are long so that it is as heavy as a real one."""
    sheets: dict[str, Grid] = {}
    for name, labels in LABELS.items():
        header = labels.split()
        rows = [[cell(text) for text in line.split()] for line in ROWS[name].splitlines()]
        english = [f"Amounts of Bids Accepted \u3000{n % 3}" for n in range(len(header))]
        title = ["", name + "（40-year）" * 900]
        sheets[name] = [title, [], header, english, [UNITS[label] for label in header], *rows]
    sheets["10年物価連動"] += [[text] for text in FOOTNOTES]
    sheets["20年債"] += [[], ["", "", "\u3000"]]
    sheets["30年債"][5].append("\u3000")
    for edit in edits:
        edit(sheets)
    book = xlwt.Workbook()
    book.dates_1904 = dates_1904
    day = xlwt.easyxf(num_format_str="yyyy/m/d")
    for name, grid in sheets.items():
        sheet = book.add_sheet(name)
        for r, row in enumerate(grid):
            for c, value in enumerate(row):
                sheet.write(r, c, value, *([day] if isinstance(value, date) else []))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def put(address: str, value: object) -> Edit:
    """Writes a cell named as a spreadsheet names it: 20年債!I6."""
    sheet, column, row = re.fullmatch(r"(.+)!([A-Z])(\d+)", address).groups()

    def edit(sheets: dict[str, Grid]) -> None:
        line, at = sheets[sheet][int(row) - 1], ord(column) - ord("A")
        line.extend([""] * (at + 1 - len(line)))
        line[at] = value

    return edit


def drop(sheet: str, *rows: int) -> Edit:
    """Takes away rows, counted from 1."""

    def edit(sheets: dict[str, Grid]) -> None:
        sheets[sheet] = [line for number, line in enumerate(sheets[sheet], start=1) if number not in rows]

    return edit


def append(sheet: str, text: str) -> Edit:
    """Adds a row below the last."""
    return lambda sheets: sheets[sheet].append([cell(part) for part in text.split()])


def snapshot(body: bytes, retrieved_at: datetime = RETRIEVED) -> Snapshot:
    return Snapshot("workbook", URL, retrieved_at, hashlib.sha256(body).hexdigest(), body)


def parse(body: bytes) -> pa.Table:
    return SOURCE.parse({"workbook": snapshot(body)})["auctions"]


def auctions(table: pa.Table) -> dict[tuple[str, date], dict[str, Any]]:
    return {(row["sheet"], row["auction_date"]): row for row in table.to_pylist()}


def gate(body: bytes, stored: bytes | None = None, retrieved_at: datetime = RETRIEVED) -> list[str]:
    """The gate's warnings on a workbook, against another that is stored."""
    table = parse(body)
    known = AUCTIONS.empty() if stored is None else parse(stored)
    before, changes = auctions(known), []
    for key, row in auctions(table).items():
        if key not in before:
            changes.append(row | {"change": "added"})
        elif any(row[name] != before[key][name] for name in AUCTIONS.values):
            changes.append(row | {"change": "revised"})
    schema = AUCTIONS.schema.append(pa.field("change", pa.string()))
    return SOURCE.gate(
        Arrival(
            files={"workbook": snapshot(body, retrieved_at)},
            retrieved=frozenset({"workbook"}),
            tables={"auctions": table},
            stored={"auctions": known},
            changes={"auctions": pa.Table.from_pylist(changes, schema=schema)},
        )
    )


def refusal(act: Callable[[], object], place: str) -> SourceRejected:
    """The refusal, which names source, URL, the place and a remedy."""
    with pytest.raises(SourceRejected) as caught:
        act()
    error = caught.value
    assert (error.source, error.role, error.url, error.place) == ("mof_jgb_auctions", "workbook", URL, place)
    for part in ("mof_jgb_auctions", URL, place, error.expected, error.found, "What to do: " + error.remedy):
        assert part in str(error)
    assert error.remedy.startswith(("open the URL and compare", "compare with the publisher's page"))
    return error


@pytest.fixture(scope="module")
def body() -> bytes:
    return workbook()


def assert_golden(rows: dict[tuple[str, date], dict[str, Any]]) -> None:
    for line in GOLDEN.splitlines():
        instrument, day, issue, *figures = line.split(",")
        row = rows[INSTRUMENTS[instrument], date.fromisoformat(day)]
        assert row["issue_number"] == int(issue)
        wanted = [cell(text) if text else None for text in figures]
        assert [row[name] for name in GOLDEN_COLUMNS] == wanted, line


# --- what the workbook says ---------------------------------------------------------------------------------


def test_every_published_figure_is_read(body: bytes) -> None:
    assert_golden(auctions(parse(body)))


def test_the_40_year_sheet_has_its_highest_yield_where_others_have_their_average(body: bytes) -> None:
    row = auctions(parse(body))["40年債", date(2026, 1, 28)]
    assert (row["lowest_price"], row["highest_yield_pct"]) == (87.27, 3.72)
    assert (row["average_price"], row["average_yield_pct"], row["non_price_1_jpy_100mn"]) == (None, None, None)


def test_a_floating_rate_note_has_a_spread_and_no_yield(body: bytes) -> None:
    rows = auctions(parse(body))
    first, last = rows["15変動", date(2000, 6, 8)], rows["15変動", date(2008, 5, 21)]
    assert (first["reference_rate_pct"], first["spread_pct"], first["lowest_price"]) == (1.71, -0.81, None)
    assert (last["average_price"], last["lowest_price"], last["highest_yield_pct"]) == (100.22, 100, None)
    assert last["coupon_pct"] is None


def test_the_treasury_bill_sheet_is_named_with_a_space_and_shifted_by_its_term(body: bytes) -> None:
    rows = auctions(parse(body))
    row = rows["TB", date(1989, 9, 5)]
    assert (row["term_label"], row["maturity_date"], row["bids_jpy_100mn"]) == (
        "3か月（3-month）",
        date(1989, 12, 20),
        24067.5,
    )
    assert row["non_price_1_jpy_100mn"] is None  # marked － in this sheet, ― in the others
    assert rows["TB", date(2009, 1, 15)]["non_price_1_jpy_100mn"] == 1127.8
    assert {row["term_label"] for (sheet, _), row in rows.items() if sheet != "TB"} == {None}


def test_the_3_year_discount_bond_prints_accepted_and_tendered_in_one_cell(body: bytes) -> None:
    rows = auctions(parse(body))
    names = ("noncompetitive_jpy_100mn", "noncompetitive_tendered_jpy_100mn")
    assert [rows["割3年", date(2002, 10, 29)][name] for name in names] == [99.72, 145.51]
    assert [rows["割3年", date(2000, 11, 9)][name] for name in names] == [95.17, None]


def test_issue_numbers_typed_as_text_are_numbers(body: bytes) -> None:
    rows = auctions(parse(body))
    assert rows["10年物価連動", date(2026, 2, 10)]["issue_number"] == 30
    assert rows["10年物価連動", date(2026, 5, 1)]["issue_number"] == 31


def test_reopenings_of_an_issue_are_auctions_of_their_own(body: bytes) -> None:
    rows = auctions(parse(body))
    assert [day for (sheet, day), row in rows.items() if sheet == "40年債" and row["issue_number"] == 18] == [
        date(2025, 5, 28),
        date(2026, 1, 28),
    ]


def test_a_published_zero_is_a_value_and_a_marker_is_none(body: bytes) -> None:
    rows = auctions(parse(body))
    assert rows["20年債", date(2026, 1, 20)]["non_price_2_jpy_100mn"] == 0.0
    assert rows["20年債", date(1987, 9, 1)]["non_price_2_jpy_100mn"] is None
    assert rows["10年物価連動", date(2025, 5, 22)]["highest_yield_pct"] == 0.0


@pytest.mark.parametrize("marker", ["―", "－", "-", "–", "", "\u3000"])
def test_every_way_to_leave_a_cell_open_is_none(marker: str) -> None:
    row = auctions(parse(workbook(put("30年債!I6", marker))))["30年債", date(1999, 9, 2)]
    assert row["average_price"] is None


def test_negative_yields_are_kept(body: bytes) -> None:
    row = auctions(parse(body))["2年債", date(2019, 8, 29)]
    assert (row["average_yield_pct"], row["highest_yield_pct"]) == (-0.311, -0.309)


def test_bids_may_equal_what_was_accepted(body: bytes) -> None:
    row = auctions(parse(body))["10年債", date(2002, 9, 20)]
    assert row["bids_jpy_100mn"] == row["accepted_jpy_100mn"] == 11852


def test_footnotes_and_blank_rows_are_no_auctions(body: bytes) -> None:
    table = parse(body)
    assert table.num_rows == sum(len(text.splitlines()) for text in ROWS.values())
    assert table.filter(pc.field("sheet") == "10年物価連動").num_rows == 6


def test_a_row_is_traced_to_its_line_and_to_the_hour_of_its_publication(body: bytes) -> None:
    row = auctions(parse(body))["40年債", date(2007, 11, 6)]
    assert row["source_row"] == 6
    assert row["published_at"] == datetime(2007, 11, 6, 3, 35, tzinfo=UTC)  # 12:35 in Tokyo


def test_the_table_is_sorted_by_its_unique_key(body: bytes) -> None:
    table = parse(body)
    keys = list(zip(*(table[name].to_pylist() for name in AUCTIONS.key), strict=True))
    assert keys == sorted(set(keys))
    assert table.schema == AUCTIONS.schema


def test_the_same_bytes_give_the_same_table(body: bytes) -> None:
    assert parse(body).equals(parse(body))


def test_columns_are_found_by_their_labels_wherever_they_stand(body: bytes) -> None:
    def mirror(sheets: dict[str, Grid]) -> None:
        width = len(sheets["20年債"][2])
        for line in sheets["20年債"][2:]:
            line.extend([""] * (width - len(line)))
            line[1:] = line[:0:-1]

    assert parse(workbook(mirror)).equals(parse(body))


def test_a_header_further_down_is_found() -> None:
    table = parse(workbook(lambda sheets: sheets["2年債"].insert(0, ["note"])))
    assert auctions(table)["2年債", date(1979, 8, 27)]["source_row"] == 7


def test_dates_without_a_date_format_are_the_same_dates(body: bytes) -> None:
    plain = parse(workbook(put("20年債!B6", 32021.0)))  # 1987-09-01
    assert plain.equals(parse(body))


def test_a_workbook_that_counts_days_from_1904_gives_the_same_dates(body: bytes) -> None:
    assert parse(workbook(dates_1904=True)).equals(parse(body))


def test_nothing_retrieved_is_an_empty_table() -> None:
    table = SOURCE.parse({})["auctions"]
    assert (table.num_rows, table.schema) == (0, AUCTIONS.schema)


# --- bytes that are not the workbook ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (lambda body: b"", "the whole file"),
        (lambda body: b"\r\n<!DOCTYPE html><html><body>404</body></html>", "first bytes"),
        (lambda body: b"PK\x03\x04" + body[4:], "first bytes"),
        (lambda body: body[: len(body) // 2], "the end of the file"),
        (lambda body: body[:-300], "the end of the file"),
        (lambda body: body[:-512], "the end of the file"),
        (lambda body: body[:-1], "the end of the file"),
        (lambda body: body[:99_840], "the whole file"),
        (lambda body: body + bytes(5_000_000), "the whole file"),
        (lambda body: body[:512] + bytes(512) + body[1024:], "the whole file"),
    ],
    ids=["empty", "html", "xlsx", "half", "300 bytes", "a sector", "a byte", "small", "large", "zeros"],
)
def test_other_or_damaged_bytes_are_refused(
    body: bytes, damage: Callable[[bytes], bytes], place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal(lambda: parse(damage(body)), place)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("power", [0, 1, 8, 12, 21, 255])
def test_sectors_of_another_size_are_refused(body: bytes, power: int) -> None:
    """Excel writes this format in sectors of 512 bytes; the library divides by what is left of one of 1 or 2."""
    refusal(lambda: parse(body[:30] + bytes([power]) + body[31:]), "byte 30")


def test_a_directory_that_leads_to_an_entry_twice_is_refused(body: bytes) -> None:
    """The library follows each way: forty entries that lead to the next one twice would take it for ever."""
    first = 512 * (1 + int.from_bytes(body[48:52], "little"))
    once = body[: first + 128 + 68] + (2).to_bytes(4, "little") + body[first + 128 + 72 :]
    assert parse(once).equals(parse(body))
    twice = once[: first + 128 + 72] + (2).to_bytes(4, "little") + once[first + 128 + 76 :]
    refusal(lambda: parse(twice), "the directory")


def test_stray_cells_in_the_last_corner_do_not_fill_the_memory(body: bytes) -> None:
    """To fill up what lies before each of them would take 16 million cells."""
    far = [*[[]] * 65_535, [*[""] * 255, "x"]]
    big = workbook(lambda sheets: sheets.update(dict.fromkeys("abcdef", far)))
    with quickly():
        assert parse(big).equals(parse(body))


def test_no_damage_escapes_as_anything_but_a_refusal(body: bytes) -> None:
    chance = random.Random(19790827)
    refused = 0
    for _ in range(120):
        damaged = bytearray(body)
        for _ in range(chance.choice([1, 5, 50])):
            damaged[chance.randrange(8, len(damaged))] = chance.randrange(256)
        start = chance.randrange(512, len(damaged), 64)
        damaged[start : start + 64] = chance.randbytes(64)
        try:
            parse(bytes(damaged))
        except SourceRejected:
            refused += 1
    assert refused > 0


# --- layouts that must be learnt first ----------------------------------------------------------------------


def rename(before: str, after: str) -> Edit:
    def edit(sheets: dict[str, Grid]) -> None:
        renamed = [(after if name == before else name, grid) for name, grid in sheets.items()]
        sheets.clear()
        sheets.update(renamed)

    return edit


@pytest.mark.parametrize(
    ("edit", "place", "said"),
    [
        (lambda sheets: sheets.pop("GX5年債"), "sheet GX5年債", "each live sheet"),
        (rename("2年債", "2-year"), "sheet 2年債", "2-year"),
        (rename("4年債", "2年債 "), "sheet 2年債", "no sheet twice"),
        (put("2年債!A3", "No."), "2年債!A1:A10", "回号"),
        (put("2年債!A2", "回号"), "2年債!A1:A10", "[2, 3]"),
        (drop("6年債", 6, 7), "6年債!A1:A10", "auctions below"),
        (put("5年債!J3", "平均利率"), "5年債, row 3", "the label 平均利回 once"),
        (put("5年債!H3", ""), "5年債, row 3", "the label 落札・割当額 once"),
        (put("20年債!O3", "応募額"), "20年債, row 3", "2 times"),
        (put("20年債!F5", "（十億円）\n(billion yen)"), "20年債!F5", "(億円)(100millionyen)"),
        (put("40年債!I5", "（％）"), "40年債!I5", "(円)(per100yen)"),
        (put("TB !J5", "（円）"), "TB!J5", "(%)"),
        (put("2年債!E5", ""), "2年債!E5", "(%)"),
        (put("TB !B5", "（％）"), "TB!B5", "left empty"),
    ],
)
def test_another_layout_is_refused(edit: Edit, place: str, said: str) -> None:
    assert said in str(refusal(lambda: parse(workbook(edit)), place))


@pytest.mark.parametrize(
    ("edit", "place", "said"),
    [
        (put("20年債!I8", "n.a."), "20年債!I8", "a number or ―"),
        (put("20年債!G8", "―"), "20年債!G8", "a number (応募額)"),
        (put("20年債!G8", "26,003"), "20年債!G8", "'26,003'"),
        (put("10年債!M6", "98.05/120"), "10年債!M6", "98.05/120"),
        (put("20年債!K8", True), "20年債!K8", "a number or ―"),
        (put("20年債!G8", date(2012, 8, 23)), "20年債!G8", "a number"),
        (put("20年債!A8", "第139回"), "20年債!A8", "an issue number"),
        (put("20年債!A8", 139.5), "20年債!A8", "139.5"),
        (put("TB !B6", ""), "TB!B6", "a term"),
        (put("20年債!B8", "2012/8/23"), "20年債!B8", "a date without a time (入札日)"),
        (put("20年債!B8", 41144.5), "20年債!B8", "41144.5"),
        (put("20年債!B8", 1e12), "20年債!B8", "a date"),
        (put("20年債!B8", ""), "20年債!B8", "a date"),
        (put("20年債!D8", "―"), "20年債!D8", "a date without a time (償還日)"),
        (append("10年債", "383"), "10年債!B12", "a date"),
        (append("10年債", "'383"), "10年債!B12", "a date"),
        (put("20年債!N16", "see below"), "20年債!A16", "an issue number"),
        (append("10年物価連動", "31 2026-06-08 2026-06-09 2036-03-10"), "10年物価連動!A13", "row 14 below holds data"),
        (put("20年債!B8", date(2010, 5, 20)), "20年債!B8", "a date after 2010-05-20"),
        (put("20年債!B8", date(2009, 5, 20)), "20年債!B8", "a date after 2010-05-20"),
        (put("20年債!C8", date(2012, 8, 23)), "20年債!C8", "発行日 after 2012-08-23"),
        (put("20年債!D8", date(2012, 6, 20)), "20年債!D8", "償還日 after 2012-08-27"),
        (put("割3年!L7", "9" * 400 + "/145.51"), "割3年!L7", "a number or ―"),
        (put("20年債!G8", 10940), "20年債!H8", "落札・割当額 not above 応募額, 10940"),
        (put("20年債!K8", 99.3), "20年債!K8", "最低価格 not above 平均価格, 99.29"),
        (put("20年債!J8", 1.664), "20年債!J8", "平均利回 not above 最高利回, 1.663"),
    ],
)
def test_a_cell_that_cannot_be_is_refused_by_its_address(edit: Edit, place: str, said: str) -> None:
    assert said in str(refusal(lambda: parse(workbook(edit)), place))


# --- the gate -----------------------------------------------------------------------------------------------


def test_the_whole_history_passes_at_once(body: bytes) -> None:
    """Covers of 268, single-price 30-year bonds and bids below the offer are history, not errors."""
    assert gate(body) == []


def test_an_unchanged_workbook_passes(body: bytes) -> None:
    assert gate(body, stored=body) == []


NEXT = "'197 2026-07-02 2026-07-03 2046-06-20 3.4 7000 15736 5304 98.34 3.542 98.1 3.564 1690 30"


def new_auction(*changes: tuple[str, object]) -> bytes:
    """The fixture and a 20-year auction of 2026-07-02 in row 15, some of its cells changed."""
    edits = (put(f"20年債!{column}15", value) for column, value in changes)

    def insert(sheets: dict[str, Grid]) -> None:
        sheets["20年債"].insert(14, [cell(text) for text in NEXT.split()])

    return workbook(insert, *edits)


def test_a_new_auction_passes(body: bytes) -> None:
    assert gate(new_auction(), stored=body) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([("F", 70000)], "add up to the offer"),
        ([("F", 700)], "add up to the offer"),
        ([("M", "―")], "add up to the offer"),
        ([("M", 16900)], "add up to the offer"),
        ([("G", 79600)], "at most 15 times"),
        ([("E", 34)], "coupon_pct in 0 to 9"),
        ([("I", 983.4), ("K", 981)], "average_price in 60 to 130"),
        ([("K", 9.81)], "lowest_price in 60 to 130"),
        ([("L", 35.64)], "highest_yield_pct in -1.5 to 10"),
        ([("J", -3.542)], "average_yield_pct in -1.5 to 10"),
        ([("I", "―"), ("J", "―")], "average_price: a price-competitive auction has one"),
        ([("J", "―")], "average_yield_pct: a price-competitive auction has one"),
        ([("K", "―")], "lowest_price"),
        ([("B", date(2026, 6, 27))], "Saturday 2026-06-27"),
        ([("C", date(2026, 7, 20))], "Monday 2026-07-20"),  # Marine Day
    ],
)
def test_an_implausible_new_auction_is_refused(body: bytes, changes: list[tuple[str, object]], said: str) -> None:
    day = dict(changes).get("B", date(2026, 7, 2))
    error = refusal(lambda: gate(new_auction(*changes), stored=body), f"20年債, row 15, auction of {day}")
    assert said in str(error)
    assert "JGB_ACCEPT_SHA256" in error.remedy


def test_an_implausible_auction_that_is_stored_already_is_not_judged_again() -> None:
    odd = new_auction(("C", date(2026, 7, 20)))
    assert gate(odd, stored=odd) == []


def test_a_revised_auction_is_judged_and_told(body: bytes) -> None:
    revised = workbook(put("20年債!K14", 98.05))
    assert gate(revised, stored=body) == [
        "1 past auctions were rewritten: 20年債, row 14, auction of 2026-06-25",
    ]
    place = "20年債, row 14, auction of 2026-06-25"
    refusal(lambda: gate(workbook(put("20年債!K14", 9.8)), stored=body), place)


def test_saturdays_were_sessions_before_1989_02_01() -> None:
    assert gate(workbook(put("20年債!C6", date(1987, 9, 19)))) == []  # a Saturday
    refusal(lambda: gate(workbook(put("10年債!C6", date(1989, 4, 22)))), "10年債, row 6, auction of 1989-04-05")


def test_an_auction_may_be_of_the_day_of_retrieval_in_tokyo_but_not_later(body: bytes) -> None:
    assert gate(body, retrieved_at=datetime(2026, 6, 29, 15, 0, tzinfo=UTC)) == []  # midnight of 06-30 in Tokyo
    refusal(
        lambda: gate(body, retrieved_at=datetime(2026, 6, 29, 14, 59, tzinfo=UTC)),
        "2年債, row 9, auction of 2026-06-30",
    )


@pytest.mark.parametrize(
    ("edits", "place", "gone"),
    [
        ([drop("20年債", 14)], "sheet 20年債, auction of 2026-06-25", "1 of them"),
        ([drop("10年債", 6)], "sheet 10年債, auction of 1989-04-05", "1 of them"),
        ([put("2年債!B9", date(2026, 6, 29))], "sheet 2年債, auction of 2026-06-30", "1 of them"),
        ([lambda sheets: sheets.pop("TB ")], "sheet TB, auction of 1986-02-13", "3 of them"),
    ],
    ids=["the last", "the first", "another date", "a closed sheet"],
)
def test_a_stored_auction_must_not_disappear(body: bytes, edits: list[Edit], place: str, gone: str) -> None:
    assert gone in refusal(lambda: gate(workbook(*edits), stored=body), place).found


def test_an_earlier_vintage_may_be_the_first() -> None:
    assert gate(workbook(drop("20年債", 6), lambda sheets: sheets.pop("割3年"))) == []


def test_a_new_sheet_is_told_and_not_read(body: bytes) -> None:
    wider = workbook(lambda sheets: sheets.update({"50年債": [["", "50-year"], ["回号"]]}))
    assert parse(wider).equals(parse(body))
    assert gate(wider) == ["sheet 50年債 is new and is not read"]


def test_a_new_column_is_told_and_not_read(body: bytes) -> None:
    wider = workbook(put("40年債!L3", "案分比率"), put("40年債!L6", 83.05))
    assert parse(wider).equals(parse(body))
    assert gate(wider) == ["40年債!L3 is a new column, '案分比率', and is not read"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (drop("30年債", 10), ["sheet 30年債 has no auction after 2023-12-07, 936 days before the newest"]),
        (put("40年債!B9", date(2026, 2, 26)), []),  # 124 days
        (
            put("40年債!B9", date(2026, 2, 24)),
            ["sheet 40年債 has no auction after 2026-02-24, 126 days before the newest"],
        ),
    ],
)
def test_an_instrument_that_pauses_longer_than_ever_is_told_and_no_first_load(changes: Any, told: list[str]) -> None:
    body = workbook(changes)
    assert gate(body, stored=body) == told
    if told:
        with pytest.raises(SourceRejected) as refusal:
            gate(body)
        assert refusal.value.found == told[0]


@pytest.mark.parametrize(
    ("cell", "value", "said"),
    [
        ("20年債!K6", 65.75, "highest_yield_pct near"),  # 30 yen below the lowest price of 1987-09-01
        ("20年債!I6", 969.3, "average_yield_pct near"),  # ten times the average price
        ("20年債!L6", 12.07, "highest_yield_pct near"),  # six points more
        ("20年債!G6", 9.7e249, "bids_jpy_100mn in 0 to"),
    ],
)
def test_a_yield_belongs_to_its_price_in_any_year(cell: str, value: float, said: str) -> None:
    with pytest.raises(SourceRejected) as refusal:
        gate(workbook(put(cell, value)))
    assert said in refusal.value.expected


def test_the_workbook_is_due_45_days_after_its_newest_auction() -> None:
    assert SOURCE.next_expected_at(date(2026, 6, 30)) == datetime(2026, 8, 14, 0, 0, tzinfo=UTC)  # 09:00 in Tokyo


# --- the published file itself ------------------------------------------------------------------------------

COVERAGE = {
    "40年債": (94, date(2007, 11, 6), date(2026, 5, 27)),
    "30年債": (224, date(1999, 9, 2), date(2026, 6, 10)),
    "20年債": (342, date(1987, 9, 1), date(2026, 6, 25)),
    "10年債": (447, date(1989, 4, 5), date(2026, 6, 2)),
    "5年債": (317, date(2000, 2, 1), date(2026, 6, 23)),
    "2年債": (481, date(1979, 8, 27), date(2026, 6, 30)),
    "GX10年債": (5, date(2024, 2, 14), date(2026, 3, 13)),
    "GX5年債": (6, date(2024, 2, 27), date(2026, 5, 25)),
    "10年物価連動": (72, date(2004, 3, 4), date(2026, 5, 1)),
    "15変動": (42, date(2000, 6, 8), date(2008, 5, 21)),
    "6年債": (42, date(1994, 2, 15), date(2001, 3, 9)),
    "4年債": (68, date(1980, 6, 2), date(2001, 2, 14)),
    "割3年": (13, date(2000, 11, 9), date(2002, 10, 29)),
    "TB": (443, date(1986, 2, 13), date(2009, 1, 15)),
}


def test_the_published_workbook_is_at_hand() -> None:
    assert ARCHIVES


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda path: path.relative_to(REPOSITORY.parent).parts[0])
def published(request: pytest.FixtureRequest) -> bytes:
    return Path(request.param).read_bytes()


def test_the_published_workbook_holds_2596_auctions(published: bytes) -> None:
    table = parse(published)
    found = table.group_by("sheet").aggregate([([], "count_all"), ("auction_date", "min"), ("auction_date", "max")])
    columns = ("count_all", "auction_date_min", "auction_date_max")
    assert {row["sheet"]: tuple(row[name] for name in columns) for row in found.to_pylist()} == COVERAGE
    assert table.num_rows == 2596


def test_the_published_workbook_holds_the_golden_rows(published: bytes) -> None:
    assert_golden(auctions(parse(published)))


def test_the_published_workbook_passes_the_gate_without_a_warning(published: bytes) -> None:
    assert gate(published) == []


def test_the_published_workbook_shows_its_known_oddities(published: bytes) -> None:
    rows = auctions(parse(published))
    negative = [sheet for (sheet, _), row in rows.items() if (row["highest_yield_pct"] or 0) < 0]
    assert {sheet: negative.count(sheet) for sheet in negative} == {
        "2年債": 92,
        "5年債": 74,
        "10年債": 22,
        "10年物価連動": 43,
    }
    no_tail = [
        day for (sheet, day), row in rows.items() if sheet == "20年債" and row["average_price"] == row["lowest_price"]
    ]
    assert no_tail == [date(2010, 5, 20)]
    assert sum(row["noncompetitive_tendered_jpy_100mn"] is not None for row in rows.values()) == 10
    gaps = [row["issue_date"] - row["auction_date"] for row in rows.values()]
    assert (min(gaps), max(gaps)) == (timedelta(days=1), timedelta(days=33))


@pytest.mark.parametrize("cut", [1, 300, 512, 100_000, 245_248])
def test_a_cut_of_the_published_workbook_is_refused(published: bytes, cut: int) -> None:
    refusal(lambda: parse(published[:-cut]), "the end of the file")
