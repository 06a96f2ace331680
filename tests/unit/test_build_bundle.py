"""The packaged archive: publishers' figures in publishers' layouts, none of their prose."""

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import build_bundle
import pytest
import xlrd
import xlwt

from jgb_assets.settings import BUNDLE

TIC = "2026-05-18T201500Z/ticdata.treasury.gov/resource-center/data-chart-center/tic/Documents/"
MOF = "2026-07-03T003500Z/www.mof.go.jp/english/policy/jgbs/"
CURRENT = MOF + "reference/interest_rate/jgbcme.csv"
HISTORY = MOF + "reference/interest_rate/historical/jgbcme_all.csv"
WORKBOOK = MOF + "auction/past_auction_results/Auction_Results_for_JGBs.xls"

TENORS = "1Y,2Y,3Y,4Y,5Y,6Y,7Y,8Y,9Y,10Y,15Y,20Y,25Y,30Y,40Y"
YIELDS = f"""Interest Rate (June 2026),,,,,,,,,,,,,,,(Unit : %)
Date,{TENORS}
2026/6/1,1.123,1.4,1.558,1.775,1.948,2.094,2.243,2.397,2.538,2.682,3.225,3.567,3.871,3.863,3.8
2026/6/2,1.123,-0.4,1.558,1.775,2,2.094,2.243,2.397,2.538,2.682,-,-,-,-,-
"""
YIELDS_PROSE = ',,,,,,,,,,,,,,,\n"  ※If you cannot download, please clear the cache.",,,,,,,,,,,,,,,\n'

TABLE_3 = """Table 3: U.S. Treasury Securities Held by Foreign Residents 1/||||
All Countries and International and Regional Organizations||||
A positive number for net U.S. sales to foreigners denotes an increase||||
Millions of dollars||||
Link: https://ticdata.treasury.gov/slt_table3.txt||||
||||
|||Total U.S. Treasuries|Total U.S. Treasuries
Country|Country Code|Date|Holdings|Net U.S. Sales
country|country_code|date|for_treas_pos|for_treas_net
China, Mainland|41408|2026-04|651072|-0
China, Mainland|41408|2026-03|652302|n.a.
||||
Notes:||||
1/ Data collected by the Treasury.||||
"""
TABLE_5 = """Table 5: Major Foreign Holders of Treasury Securities||
Holdings at end of time period||
Billions of dollars||
Link: https://ticdata.treasury.gov/slt_table5.txt||
||
Country|2026-04|2026-03
China, Mainland|651.1|652.3
Of Which: Foreign Official T-Bonds & Notes|3449.2|3461.0
||
Notes:||
"Aggregate Holdings" are collected from custodians.||
"""
HISTORICAL = """|MAJOR FOREIGN HOLDERS OF TREASURY SECURITIES||
|    (in billions of dollars)||
|HOLDINGS 1/ AT END OF PERIOD||
|||
|Series 7/|Series|
| III|II|
|Jun|Jun|
Country|2002|2002|
|------|------|
"China, Mainland"|1200|1200.0|
Belgium  5/|22.9|n.a.|
Grand Total|1223|1200.0|
|||
Of which:|||
  For. Official|600.5|*|
|||
Department of the Treasury/Federal Reserve Board|||
5/18/2026|||
"(2002 revised May 18, 2026)"|||
|||
1/ The data include estimates.|||"""  # the publisher's March 2026 file ended without a line end, too
PROSE = (b"Notes:", b"Link", b"positive", b"Data collected", b"collected", b"The data", b"cache", b"end of time")

SHEETS: dict[str, list[list[Any]]] = {
    "10年物価連動": [
        ["", "１０年物価連動債"],
        [],
        ["回号", "入札日", "発行日", "償還日", "表面利率", "最低価格*", "第Ⅱ非価格競争"],
        ["Issue Number", "Auction Date", "Issue Date", "Maturity Date", "Nominal Coupon", "Price", "Bids\u3000"],
        ["", "", "", "", "（％）", "（円）*\n(per 100 yen)", "（億円）"],
        ["27", 45000, 45001, 48000, 0.005, 100.2, "―", "\u3000"],
        [28, 45010, 45011, 48000, 0.005, 99.29, 0],
        ["* From October 2017, the price is not multiplied."],
    ],
    "TB ": [
        ["", "TB"],
        [],
        ["回号", "期間", "入札日", "第Ⅰ非価格競争"],
        ["Issue Number", "Maturity", "Auction Date", "Bids"],
        [],
        [1, "６か月（6-month）", 31456, "－"],
        [2, "１年（1-year）", 31482, "99.92/113.54"],
    ],
}


def workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    book = xlwt.Workbook()
    dates = xlwt.easyxf(num_format_str="m/d/yy")
    for name, rows in sheets.items():
        sheet = book.add_sheet(name)
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                is_date = at > 4 and rows[2][column : column + 1] and rows[2][column].endswith("日")
                sheet.write(at, column, value, dates if is_date else xlwt.Style.default_style)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def text(layout: str, encoding: str = "ascii") -> bytes:
    return layout.replace("|", "\t").replace("\n", "\r\n").encode(encoding)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    files = {
        HISTORY: text(YIELDS.replace(" (June 2026)", "")),
        CURRENT: text(YIELDS + YIELDS_PROSE, "cp932"),
        WORKBOOK: workbook(SHEETS),
        TIC + "slt_table3.txt": text(TABLE_3),
        TIC + "slt_table5.txt": text(TABLE_5),
        TIC + "mfhhis01.txt": text(HISTORICAL).replace(b"\r", b""),
        MOF + "reference/interest_rate/index.htm": b"<html>not a file of any source</html>",
    }
    for path, body in files.items():
        target = tmp_path / "archive" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    (tmp_path / "archive" / "README.md").write_text("What is here.")
    return tmp_path / "archive"


def build(archive: Path, name: str = "bundle") -> Path:
    bundle = archive.parent / name
    build_bundle.build(archive, bundle)
    return bundle


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def figures(folder: Path) -> dict[str, bytes]:
    return {path: body for path, body in contents(folder).items() if not path.endswith(build_bundle.SIDECAR)}


def test_files_of_the_sources_are_written_without_prose(archive: Path) -> None:
    files = figures(build(archive))
    assert set(files) == {
        HISTORY,
        CURRENT,
        WORKBOOK,
        *(TIC + name for name in ("slt_table3.txt", "slt_table5.txt", "mfhhis01.txt")),
    }
    for path, body in files.items():
        assert not [prose for prose in PROSE if prose in body], path


def test_yields_keep_their_texts(archive: Path) -> None:
    files = figures(build(archive))
    assert files[CURRENT] == text(YIELDS)
    published = (archive / HISTORY).read_bytes()
    assert files[HISTORY] == published.replace(b"Interest Rate", b"Interest Rate (rebuilt)")


def test_tic_tables_keep_title_unit_headers_data_and_the_blank_line_that_ends_them(archive: Path) -> None:
    files = figures(build(archive))
    lines = TABLE_3.splitlines(keepends=True)
    assert files[TIC + "slt_table3.txt"] == text("".join([lines[0], lines[3], *lines[6:12]]))
    lines = TABLE_5.splitlines(keepends=True)
    assert files[TIC + "slt_table5.txt"] == text("".join([lines[0], lines[2], *lines[5:9]]))


def test_historical_holdings_keep_doubled_columns_trimmed_zeros_footnote_marks_and_dates(archive: Path) -> None:
    assert figures(build(archive))[TIC + "mfhhis01.txt"] == text(HISTORICAL.split("|||\n1/ The data", maxsplit=1)[0])


def test_workbook_keeps_every_typed_cell_but_the_footnote_and_the_stray_blank(archive: Path) -> None:
    book = xlrd.open_workbook(file_contents=figures(build(archive))[WORKBOOK])
    assert book.sheet_names() == ["10年物価連動", "TB "]
    original = xlrd.open_workbook(file_contents=(archive / WORKBOOK).read_bytes())
    for sheet, before in zip(book.sheets(), original.sheets(), strict=True):
        for row in range(sheet.nrows):
            for cell, published in zip(sheet.row(row), before.row(row), strict=False):
                assert cell.value == published.value
                assert cell.ctype == (published.ctype if published.value != "" else xlrd.XL_CELL_EMPTY)
    linked = book.sheet_by_index(0)
    assert (linked.nrows, linked.ncols) == (7, 7)
    assert [linked.cell(5, column).ctype for column in (0, 1, 4, 6)] == [
        xlrd.XL_CELL_TEXT,
        xlrd.XL_CELL_DATE,
        xlrd.XL_CELL_NUMBER,
        xlrd.XL_CELL_TEXT,
    ]


def test_the_same_figures_give_the_same_bytes_whenever_they_are_built(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = contents(build(archive, "first"))
    monkeypatch.setattr("time.time", lambda: 1e9)
    for path in archive.rglob("*"):
        os.utime(path, (0, 0))
    assert contents(build(archive, "second")) == first


def test_a_bundle_rebuilt_from_itself_is_itself(archive: Path) -> None:
    bundle = build(archive)
    assert figures(build(bundle, "again")) == figures(bundle)


def test_a_sidecar_states_where_the_figures_came_from(archive: Path) -> None:
    sidecar = json.loads(contents(build(archive))[CURRENT + build_bundle.SIDECAR])
    assert sidecar["url"] == "https://www.mof.go.jp/english/policy/jgbs/reference/interest_rate/jgbcme.csv"
    assert sidecar["retrieved_at"] == "2026-07-03T00:35:00Z"
    assert sidecar["sha256"] == hashlib.sha256(text(YIELDS)).hexdigest()
    assert sidecar["bytes"] == len(text(YIELDS))
    assert sidecar["original_sha256"] == hashlib.sha256((archive / CURRENT).read_bytes()).hexdigest()
    assert sidecar["last_modified"] is None
    assert "Ministry of Finance" in sidecar["producer"]


@pytest.mark.parametrize(
    ("path", "published", "damaged", "place"),
    [
        (HISTORY, b"1.558", b"1.5x8", r"line 4, cell 4: .*1\.5x8"),
        (HISTORY, b"2026/6/2", b"6/2/26", r"line 4, cell 1: .*6/2/26"),
        (HISTORY, b",-\r\n", b",-", "line 4: expected a line end"),
        (HISTORY, b"1.948,", b"", "line 3: expected 16 cells"),
        (TIC + "slt_table3.txt", b"651072", b"651,072", "line 10, cell 4: .*651,072"),
        (TIC + "slt_table3.txt", b"for_treas_net", b"net", "line 9, cell 5: .*'net'"),
        (TIC + "slt_table5.txt", b"652.3", b"652.3 2/", "line 7, cell 3: .*652.3 2/"),
        (TIC + "slt_table5.txt", b"China", b"\t\t\r\nChina", "line 8, cell 2: expected nothing, found '651.1'"),
        (TIC + "mfhhis01.txt", b"n.a.", b"", "line 11, cell 3"),
        (TIC + "mfhhis01.txt", b"Federal Reserve Board", b"", "Department of the Treasury"),
        (WORKBOOK, "―".encode("utf-16-le"), "？".encode("utf-16-le"), "sheet '10年物価連動', row 6, cell 7: .*text ？"),
    ],
)
def test_an_unreadable_cell_is_named_and_the_old_bundle_stays(
    archive: Path, path: str, published: bytes, damaged: bytes, place: str
) -> None:
    before = contents(build(archive))
    body = (archive / path).read_bytes()
    at = body.rindex(published)
    (archive / path).write_bytes(body[:at] + damaged + body[at + len(published) :])
    with pytest.raises(build_bundle.Unreadable, match=f"{Path(path).name}.*{place}"):
        build(archive)
    assert contents(archive.parent / "bundle") == before
    assert sorted(entry.name for entry in archive.parent.iterdir()) == ["archive", "bundle"]


def test_a_folder_that_is_no_bundle_is_not_replaced(archive: Path) -> None:
    (archive.parent / "home" / "letters").mkdir(parents=True)
    with pytest.raises(build_bundle.Unreadable, match="letters"):
        build(archive, "home")


def test_an_archive_without_figures_or_with_too_many_is_refused(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(build_bundle.Unreadable, match="found 0"):
        build_bundle.build(archive.parent / "nowhere", archive.parent / "bundle")
    monkeypatch.setattr(build_bundle, "MAX_BYTES", 1_000)
    with pytest.raises(build_bundle.Unreadable, match="1 to 1,000 bytes"):
        build(archive)


def test_the_packaged_files_match_their_sidecars_and_fit() -> None:
    files = contents(BUNDLE)
    bodies = figures(BUNDLE)
    assert len(files) == 2 * len(bodies) == 20
    for path, body in bodies.items():
        sidecar = json.loads(files[path + build_bundle.SIDECAR])
        assert sidecar["sha256"] == hashlib.sha256(body).hexdigest(), path
        assert sidecar["bytes"] == len(body), path
        assert sidecar["url"] == "https://" + path.split("/", 1)[1]
        assert sidecar["producer"] and sidecar["licence"] and sidecar["citation"]
    assert sum(map(len, files.values())) <= 10_000_000


def test_the_packaged_files_are_what_the_script_writes(tmp_path: Path) -> None:
    build_bundle.build(BUNDLE, tmp_path / "again")
    assert figures(tmp_path / "again") == figures(BUNDLE)
