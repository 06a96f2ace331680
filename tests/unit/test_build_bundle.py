"""The packaged archive: publishers' figures in publishers' layouts, none of their prose."""

import hashlib
import io
import json
import os
import re
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
RATES = (
    "2026-05-07T003500Z/home.treasury.gov/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/"
)
PAR = RATES + "2026/all@type=daily_treasury_yield_curve&field_tdr_date_value=2026&page&_format=csv"
FLOWS = "2026-08-15T000500Z/www.mof.go.jp/policy/international_policy/reference/itn_transactions_in_securities/"
WEEK, MONTHA1, MONTHB3 = (FLOWS + name for name in ("week.csv", "montha1.csv", "monthb3.csv"))

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
PAR_YIELDS = """Date,"1 Mo","1.5 Month","10 Yr"
05/01/2026,3.71,,4.39
04/30/2026,0.00,3.71,14.40
10/11/2010,,,"""  # a holiday; the publisher's files have no line end either

# The ministry's bilingual files: <3> stands for three commas, a pilcrow for a line feed within a cell.
SIDE_JA = "取得,処分,ネット,取得,処分,ネット,ネット,取得,処分,ネット,ネット"
SIDE = "Acquisition,Disposition,Net,Acquisition,Disposition,Net,Net,Acquisition,Disposition,Net,Net"
ASSETS_JA = "   株式 ・投資ファンド持分<3>   中 長 期 債 <3>  小  計,   短 期 債<3>  合  計"
ASSETS = "Equity and investment fund shares<3> Long-term debt securities<3>Subtotal,Short-term debt securities<3>Total"
BOUGHT = '"1,689 ","1,419 ",270 ,"23,929 ","15,051 ","8,878 ","9,149 ",448 ,"1,119 ",-671 ,"8,478 "'
WEEKLY = f"""対外及び対内証券売買契約等の状況\u3000(週次・指定報告機関ベース）<19>最終更新日  令和8年8月14日<3>
International Transactions in Securities (Weekly; based on reports from designated major investors)<19>"Final Update  August  14 , 2026"<3>
<22>
<19>単位： 億円<3>
<19>Unit: 100 million Yen<3>
<22>
<22>
,１．対外証券投資\u3000【居住者による取得・処分】<11>2．対内証券投資\u3000【非居住者による取得・処分】<10>
,1. Portfolio Investment Assets<11>2. Portfolio Investment Liabilities<10>
<22>
"期間¶Period",{ASSETS_JA},{ASSETS_JA}
,{ASSETS},{ASSETS}
,{SIDE_JA},{SIDE_JA}
,{SIDE},{SIDE}
2005．1．2～ 1．8,{BOUGHT},{BOUGHT}
2025．12．28～2026．1．3 ,{BOUGHT},{BOUGHT}
2026．8．2～8．8,{BOUGHT},{BOUGHT}
<22>
"""
WEEKLY_PROSE = """（備考）,②四捨五入のため、合計に合わないことがある。<21>
<22>
   (Note 1),"Recorded under the\u3000new items ""Equity and investment fund shares""."<21>
"""
MONTHLY_ASSETS_JA = "株式・投資ファンド持分<3>中\u3000長\u3000期\u3000債<3>小計,短\u3000\u3000期\u3000\u3000債<3>合計"
MONTHLY_ASSETS = ASSETS.replace(" Long", "Long")
MONTH = '"9,934","8,428","1,506","89,060","83,172","5,888","7,394","8,289","9,042",-753,"6,641"'
MONTHLY = f"""対外及び対内証券売買契約等の状況（月別推移）<11>最終更新日  令和8年8月10日<15>
International Transactions in Securities(Monthly; based on reports from designated major investors)<11>"Final Update  August 10, 2026"<15>
<26>
<25>（単位：億円）,
<25>(Unit: 100 mil Yen),
対外証券投資【居住者による取得・処分】<14>対内証券投資【非居住者による取得・処分】<11>小計,合計
Portfolio Investment Assets<14>Portfolio Investment Liabilities<11>Subtotal,Total
<3>{MONTHLY_ASSETS_JA},{MONTHLY_ASSETS_JA},ネット,ネット
<3>{MONTHLY_ASSETS},{MONTHLY_ASSETS},Net,Net
<3>{SIDE_JA},{SIDE_JA},（A-B),(C-D)
<3>Acquisition,Disposition,Net,Acquisition,Disposition,Net,Net (A),Acquisition,Disposition,Net,Net (C),Acquisition,Disposition,Net,Acquisition,Disposition,Net,Net (B),Acquisition,Disposition,Net,Net (D)<2>
2005,１月,Jan,{MONTH},{MONTH},"-19,709",0
(平成17年)\u3000,２月,Feb,{MONTH},{MONTH},"-19,709",0
(令和元年),10月,Oct,{MONTH},{MONTH},"-19,709",0
,11月,Nov<24>
,12月,Dec<24>
2005年(1月～12月）  2005CY<3>{MONTH},{MONTH},"-19,709",0
2005年4月～2006年3月  2005FY<3>{MONTH},{MONTH},"-19,709",0
<26>
"""
MONTHLY_PROSE = "（備考）,②四捨五入のため、合計に合わないことがある。<25>\n   (Note 2),Totals may not add.<25>\n"
INVESTORS = ",".join(['"43,181","41,764","1,417"', "-,-,-", "1417,0,-5", *['"5,271","9,384","-4,113"'] * 14])
BY_INVESTOR = f"""投資家部門別対外証券投資（中長期債）<18>最終更新日  令和8年8月10日<35>
Purchases and Sales of Foreign Securities by Residents by Types of Investors(Long-term debt securities)<18>"Final Update  August 10, 2026"<35>
<52>（単位：億円）,
<52>（Unit: 100 mil Yen）,
<3>各部門計<3>公的部門<9>預金取扱機関<9>その他部門<29>
<9>中央銀行<3>一般政府<6>銀行等（銀行勘定）<3>信託銀行（銀行勘定）<6>その他金融機関<24>その他<2>
<30>銀行等及び信託銀行（信託勘定）<9>金融商品取引業者<3>生命保険会社<3>損害保険会社<3>投資信託委託会社等<5>
<3>（a+b+c+ｄ)<3> Public Sector<9>Deposit-taking Corporations (b)<9>Other Sectors （d)<9>銀行等（信託勘定）<3>信託銀行（信託勘定）<17>
<9>Central Bank (a)<3>General Government (ｃ)<6>Banks（Banking Accounts)<3>Trust Banks(Banking Accounts）<6>Other Financial Corporations<3>Banks and Trust banks（Trust Accounts）<3>Banks（Trust Accounts）<3>Trust Banks（Trust Accounts）<3>Financial Instruments Firms<3>Life Insurance Companies<3>Non-Life Insurance Companies<3>Investment Trust Management Companies<3>Others<2>
<3>{",".join(["取得,処分,ネット"] * 17)}
<3>{",".join(["Acquisition,Disposition,Net"] * 17)}
2005,1月,Jan,{INVESTORS}
,２月,Feb,{INVESTORS}
,3月,Mar<51>
2005年(1月～12月）  2005CY<3>{INVESTORS}
2005年4月～2006年3月  2005FY<3>{INVESTORS}
<53>
"""
BY_INVESTOR_PROSE = "（備考）,①,四捨五入のため、合計に合わないことがある。<51>\n,  (Note 1),Totals may not add.<51>\n"
PROSE = (
    *(b"Notes:", b"Link", b"positive", b"Data collected", b"collected", b"The data", b"cache", b"end of time"),
    *(b"(Note", b"may not add", b"Recorded", "備考".encode("cp932"), "四捨五入".encode("cp932")),
)

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


def japanese(layout: str) -> bytes:
    lines = re.sub(r"<(\d+)>", lambda blanks: "," * int(blanks[1]), layout)
    return lines.replace("\n", "\r\n").replace("¶", "\n").encode("cp932")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    files = {
        HISTORY: text(YIELDS.replace(" (June 2026)", "")),
        CURRENT: text(YIELDS + YIELDS_PROSE, "cp932"),
        WORKBOOK: workbook(SHEETS),
        TIC + "slt_table3.txt": text(TABLE_3),
        TIC + "slt_table5.txt": text(TABLE_5),
        TIC + "mfhhis01.txt": text(HISTORICAL).replace(b"\r", b""),
        PAR: PAR_YIELDS.encode(),
        WEEK: japanese(WEEKLY + WEEKLY_PROSE),
        MONTHA1: japanese(MONTHLY + MONTHLY_PROSE),
        MONTHB3: japanese(BY_INVESTOR + BY_INVESTOR_PROSE),
        RATES + "2026/all@type=daily_treasury_bill_rates&page&_format=csv": b"not a file of any source",
        PAR.replace("2026&page", "2025&page"): b"not a file of any source: the day is not the folder's",
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
        PAR,
        *(WEEK, MONTHA1, MONTHB3),
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


def test_par_yields_are_as_published_but_for_the_end_of_the_last_line(archive: Path) -> None:
    assert figures(build(archive))[PAR] == (archive / PAR).read_bytes() + b"\n"


def test_flows_keep_titles_stamps_labels_figures_and_the_blank_line_that_ends_them(archive: Path) -> None:
    files = figures(build(archive))
    assert files[WEEK] == japanese(WEEKLY)
    assert files[MONTHA1] == japanese(MONTHLY)
    assert files[MONTHB3] == japanese(BY_INVESTOR)


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


def test_a_dated_file_with_a_query_has_its_owner_and_its_url(archive: Path) -> None:
    sidecar = json.loads(contents(build(archive))[PAR + build_bundle.SIDECAR])
    assert sidecar["url"] == "https://" + PAR.split("/", 1)[1].replace("@", "?")
    assert sidecar["producer"] == "US Department of the Treasury"


def test_a_dated_file_without_a_layout_stops_the_build(archive: Path) -> None:
    page = archive / MOF / "auction/calendar/2606e.htm"
    page.parent.mkdir(parents=True)
    page.write_bytes(b"<html>")
    with pytest.raises(build_bundle.Unreadable, match=r"2606e\.htm: a file of mof_auction_pages without a layout"):
        build(archive)


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
        (PAR, b"3.71", b"3.715", r"line 3, cell 3: .*'3\.715'"),
        (PAR, b"0.00", b"N/A", "line 3, cell 2: .*'N/A'"),
        (PAR, b"14.40", b"4.40 e", r"line 3, cell 4: .*'4\.40 e'"),
        (PAR, b"04/30/2026", b"4/30/26", "line 3, cell 1: .*4/30/26"),
        (PAR, b"1 Mo", b"4 WEEKS BANK DISCOUNT", "line 1, cell 2: .*BANK DISCOUNT"),
        (PAR, b"10/11/2010,,,", b"Notes: none", "line 4: expected 4 cells"),
        (PAR, b"10/11/2010", b"Notes: none", "line 4, cell 1: .*Notes: none"),
        (PAR, b"4.39", "４.39".encode("cp932"), "ascii"),
        (WEEK, b"1,689 ", b"-1,689 ", "line 17, cell 13: .*'-1,689 '"),
        (WEEK, b"-671 ", b"-671", "line 17, cell 22: .*'-671'"),
        (WEEK, b"-671 ", b"", "line 17, cell 22: .*found ''"),
        (WEEK, b"-671 ", b"- ", "line 17, cell 22: .*'- '"),
        (WEEK, b"270 ", b"27O ", "line 17, cell 15: .*'27O '"),
        (WEEK, "2026．8．2～8．8".encode("cp932"), b"last week", "line 17, cell 1: .*last week"),
        (WEEK, b"Unit: 100 million Yen", b"Unit: 100 million Yen; see notes", "line 5, .*see notes"),
        (WEEK, b"Period", b"Period, see note", "line 11, of its cells that are not blank, cell 1"),
        (WEEK, b"Liabilities", b"Liabilities,Revised", "line 9: expected 23 cells"),
        (WEEK, b"Liabilities,", b"Liabilities,Revised", "line 9, .*cell 3: expected nothing, found 'Revised'"),
        (WEEK, "令和8年".encode("cp932"), b"2026/", "line 1, .*cell 2: .*2026/"),
        (WEEK, b"August  14 , 2026", b"", "line 2, .*cell 2: .*'Final Update  '"),
        (WEEK, b"2. Portfolio Investment Liabilities", b"", "line 9, .*cell 2: .*found ''"),
        (WEEK, "対外".encode("cp932"), b"\x81\x00", "cp932"),
        (WEEK, b"\r\n   (Note 1)", b"270 \r\n   (Note 1)", "line 20, cell 23: expected nothing, found '270 '"),
        (MONTHA1, b"1,506", b"1,506 ", "line 18, cell 17: .*'1,506 '"),
        (MONTHA1, b"-753", b"-", "line 18, cell 24: .*'-'"),
        (MONTHA1, b"-753", b"", "line 18, cell 24: .*''"),
        (MONTHA1, b"Dec,", b"Dec,0", "line 16, cell 5: .*''"),
        (MONTHA1, b"Dec", b"Dec p", "line 16, cell 3: .*Dec p"),
        (MONTHA1, "12月,".encode("cp932"), "13月,".encode("cp932"), "line 16, cell 2: .*13月"),
        (MONTHA1, "(令和元年)".encode("cp932"), b"revised", "line 14, cell 1: .*revised"),
        (MONTHA1, b"2005FY,", b"2005FY,r", "line 18, cell 1: .*2005FY"),
        (MONTHA1, b"2005FY", b"2005FY p", "line 18, cell 1: .*2005FY p"),
        (MONTHA1, b"Net (D)", b"Net (E)", r"line 11, .*cell 22: .*Net \(E\)"),
        (MONTHB3, b"Life Insurance Companies", b"Insurers 1/", "line 9, .*cell 11: .*Insurers 1/"),
        (MONTHB3, b"5,271", b"-5,271", "line 16, cell 52: .*-5,271"),
        (MONTHB3, b"1417", b"1.417", "line 16, cell 10: .*1.417"),
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


@pytest.mark.parametrize(("path", "layout"), [(WEEK, WEEKLY), (MONTHA1, MONTHLY), (MONTHB3, BY_INVESTOR)])
def test_flows_that_end_without_a_blank_line_are_cut_short(archive: Path, path: str, layout: str) -> None:
    lines = layout.splitlines(keepends=True)
    for published in ("".join(lines[:-1]), "".join(lines[:5])):
        (archive / path).write_bytes(japanese(published))
        with pytest.raises(build_bundle.Unreadable, match="expected an empty line after the data"):
            build(archive)


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
    assert len(files) == 2 * len(bodies) == 108
    for path, body in bodies.items():
        sidecar = json.loads(files[path + build_bundle.SIDECAR])
        assert sidecar["sha256"] == hashlib.sha256(body).hexdigest(), path
        assert sidecar["bytes"] == len(body), path
        assert sidecar["url"] == "https://" + path.split("/", 1)[1].replace("@", "?")
        assert sidecar["producer"] and sidecar["licence"] and sidecar["citation"]
    assert sum(map(len, files.values())) <= 10_000_000


def test_the_packaged_files_are_what_the_script_writes(tmp_path: Path) -> None:
    build_bundle.build(BUNDLE, tmp_path / "again")
    assert figures(tmp_path / "again") == figures(BUNDLE)
