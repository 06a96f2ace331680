"""Pages of the Ministry's auctions as HTML, in layouts that a browser shows alike, and the figures on them.

The figures are those published (amounts in 億円, from the workbook and from pages); some allotments are invented. A
page is a dict of columns or lines by name, so that a test can take away, exchange or falsify one of them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction

ROOT = "https://www.mof.go.jp"

Row = dict[str, object]
Page = tuple[datetime, str, bytes]  # when it was retrieved, where, and what came

FIELDS = (
    *("instrument", "day", "issue_number", "issue_date", "maturity", "coupon", "bids", "accepted"),
    *("low_price", "high_yield", "allotment", "average_price", "average_yield"),
    *("non_competitive", "non_price_1", "non_price_2"),
)
FIGURES = """\
2y 2015-01-29 349 2015-02-16 2017-02-15 0.1 108718 25580 100.180 0.009 57.6529 100.186 0.006 3.65 1408 0
2y 2019-08-29 404 2019-09-02 2021-09-01 0.1 88328 16345 100.825 -0.309 41.2345 100.829 -0.311 0 3651 1230
2y 2026-06-30 486 2026-07-01 2028-07-01 1.4 103744 21534 99.980 1.410 73.1204 99.985 1.407 1.05 6462 1091
5y 2013-08-13 113 2013-08-15 2018-06-20 0.3 135019 24486 100.07 0.285 18.2213 100.07 0.285 8.96 2496 4036
10y 2019-09-03 355 2019-09-04 2029-06-20 0.1 61611 17130 103.66 -0.264 36.2004 103.68 -0.265 2.8 3857 3134
10y 2022-03-01 365 2022-03-02 2031-12-20 0.1 68349 21126 99.22 0.180 6.0312 99.23 0.179 3.5 4863 2465
10y 2023-03-02 369 2023-03-03 2032-12-20 0.5 169594 22462 100.00 0.500 1.7735 100.00 0.500 4.55 4524 433
10y 2026-06-02 382 2026-06-03 2036-03-20 2.4 70031 19839 98.01 2.656 64.0250 98.06 2.649 2.37 6151 1270
20y 2020-07-21 173 2020-07-22 2040-06-20 0.4 36829 9692 99.65 0.419 28.5714 99.70 0.416 - 2296 1146
20y 2026-06-25 196 2026-06-26 2046-03-20 3.4 15736 5304 98.10 3.564 9.0909 98.34 3.542 - 1690 30
30y 2013-08-09 39 2013-08-13 2043-06-20 1.9 18887 4566 101.85 1.804 66.8085 102.11 1.791 - 432 258
30y 2021-04-06 70 2021-04-07 2051-03-20 0.7 22851 7354 100.20 0.691 66.6415 100.28 0.688 - 1637 630
30y 2025-02-06 85 2025-02-07 2054-12-20 2.3 25286 6757 100.10 2.294 12.3456 100.17 2.290 - 2239 437
40y 2013-08-20 6 2013-08-22 2053-03-20 1.9 13477 3995 99.45 1.920 54.4444 - - - - 402
40y 2020-01-28 12 2020-01-29 2059-03-20 0.5 11432 3992 103.62 0.400 23.7037 - - - - 50
40y 2022-07-26 15 2022-07-27 2062-03-20 1.0 18931 6999 89.43 1.345 81.2345 - - - - 690
40y 2026-01-28 18 2026-01-29 2065-03-20 3.1 11033 3998 87.27 3.720 45.4545 - - - - 380
40y 2026-05-27 19 2026-05-28 2066-03-20 3.8 8094 2996 99.18 3.840 30.7692 - - - - 203
10y_climate 2025-10-21 3 2025-10-22 2035-09-20 1.6 10675 2998 99.27 1.680 83.0508 - - - - -
5y_climate 2026-05-25 5 2026-05-26 2031-03-20 1.9 11556 2500 99.81 1.941 77.7777 - - - - -
10y_inflation 2025-08-15 30 2025-08-18 2035-03-10 0.005 7292 2500 99.30 0.078 20.0000 - - - - -
tbill 2019-11-29 873 2019-12-02 2020-03-09 - 116539.1 34932.6 100.0405 -0.1507 25.1912 100.0479 -0.1783 - 7867 -
tbill 2021-11-18 1038 2021-11-22 2022-11-21 - 107479 28478.6 100.124 -0.1241 33.2848 100.126 -0.1261 - 6521 -
tbill 2024-06-28 1240 2024-07-01 2024-09-30 - 146845 41795.5 99.9950 0.0200 96.7946 99.9960 0.0160 - 13204 -
tbill 2025-02-06 1285 2025-02-10 2025-08-12 - 101865 26930.9 99.812 0.3756 86.7769 99.814 0.3716 - 8069 -
"""


@dataclass(frozen=True)
class Auction:
    """One auction; figures as text, with the decimals that are printed, None where nothing is."""

    instrument: str
    day: date
    issue_number: str
    issue_date: date
    maturity: date
    coupon: str | None
    bids: str
    accepted: str
    low_price: str
    high_yield: str
    allotment: str
    average_price: str | None
    average_yield: str | None
    non_competitive: str | None
    non_price_1: str | None
    non_price_2: str | None

    @property
    def tenor(self) -> str:
        return self.instrument.split("_")[0].removesuffix("y")

    @property
    def single_price(self) -> bool:
        return self.average_price is None

    def row(self, language: str, non_price_2: str | None = None) -> Row:
        """What must be read from the result page, without the hour of its publication."""
        numbers = {
            "coupon_pct": number(self.coupon),
            "bids_jpy_bn": billions(self.bids),
            "accepted_jpy_bn": billions(self.accepted),
            "lowest_price": number(self.low_price),
            "highest_yield_pct": number(self.high_yield),
            "allotment_at_lowest_pct": number(self.allotment),
            "average_price": number(self.average_price),
            "average_yield_pct": number(self.average_yield),
            "non_competitive_jpy_bn": billions(self.non_competitive),
            "non_price_1_jpy_bn": billions(self.non_price_1),
            "non_price_2_jpy_bn": billions(non_price_2),
            "highest_spread_pct": None,
            "average_spread_pct": None,
        }
        return numbers | {
            "instrument": self.instrument,
            "auction_date": self.day,
            "issue_number": int(self.issue_number),
            "issue_date": self.issue_date,
            "maturity_date": self.maturity,
            "language": language,
        }

    def afternoon_row(self) -> Row:
        """What must be read from the afternoon's page, published at 15:15 in Tokyo."""
        row = self.row("ja", self.non_price_2)
        shared = {name: row[name] for name in ("instrument", "auction_date", "issue_number", "non_price_2_jpy_bn")}
        return shared | {"published_at": datetime.combine(self.day, time(6, 15), UTC)}


def number(text: str | None) -> float | None:
    return None if text is None else float(text)


def billions(text: str | None) -> float | None:
    return None if text is None else float(Decimal(text) / 10)


def auction(line: str) -> Auction:
    values = [None if text == "-" else text for text in line.split()]
    fields = dict(zip(FIELDS, values, strict=True))
    dates = {name: date.fromisoformat(fields[name]) for name in ("day", "issue_date", "maturity")}
    return Auction(**fields | dates)


AUCTIONS = {" ".join(line.split()[:2]): auction(line) for line in FIGURES.splitlines()}


# --- what the figures must satisfy (section 7 of the source specification) -------------------------------------


def consistent(auction: Auction) -> bool:
    """Whether yields follow from prices to the last digit, or prices to 0.01 from the yield where that is the bid."""
    a = auction
    if a.instrument == "tbill":
        return all(bill_yield(a, p) == Decimal(y) for p, y in _pairs(a))
    if a.instrument in ("40y", "10y_climate", "5y_climate"):
        return abs(price_at(a) - Decimal(a.low_price)) < Decimal("0.01")
    return all(simple_yield(a, p) == Decimal(y) for p, y in _pairs(a))


def _pairs(auction: Auction) -> list[tuple[str, str]]:
    pairs = [(auction.low_price, auction.high_yield)]
    return pairs if auction.single_price else [*pairs, (auction.average_price, auction.average_yield)]


def _truncated(value: Fraction, digits: int) -> Decimal:
    return Decimal(int(value * 10**digits)).scaleb(-digits)


def simple_yield(auction: Auction, price: str) -> Decimal:
    years = auction.maturity.year - auction.issue_date.year
    anniversary = auction.maturity.replace(year=auction.maturity.year - years)
    if anniversary < auction.issue_date:
        years, anniversary = years - 1, anniversary.replace(year=anniversary.year + 1)
    term = years + Fraction((anniversary - auction.issue_date).days, 365)
    paid = Fraction(price)
    return _truncated((Fraction(auction.coupon) + (100 - paid) / term) / paid * 100, 3)


def bill_yield(auction: Auction, price: str) -> Decimal:
    paid, days = Fraction(price), (auction.maturity - auction.issue_date).days
    return _truncated((100 - paid) / paid * 365 / days * 100, 4)


def price_at(auction: Auction) -> Decimal:
    """The price at the highest accepted yield, semi-annual compound."""
    half, v = Decimal(auction.coupon) / 2, 1 / (1 + Decimal(auction.high_yield) / 200)
    coupons = [auction.maturity]
    while coupons[-1] > auction.issue_date:
        last = coupons[-1]
        coupons.append(
            last.replace(month=last.month - 6) if last.month > 6 else last.replace(last.year - 1, last.month + 6)
        )
    previous, following = coupons[-1], coupons[-2]
    n = len(coupons) - 1
    w = Decimal((following - auction.issue_date).days) / (following - previous).days
    dirty = sum(half * v ** (w + k) for k in range(n)) + 100 * v ** (w + n - 1)
    return dirty - half * (1 - w)


# --- where pages stand (section 1) -----------------------------------------------------------------------------


def url_en(a: Auction, suffix: str = "") -> str:
    folder = "etbill/etbillresul" if a.instrument == "tbill" else "eresul"
    return f"{ROOT}/english/policy/jgbs/auction/calendar/{folder}/eresul{a.day:%Y%m%d}{suffix}.htm"


def url_ja(a: Auction, suffix: str = "") -> str:
    folder = "tbill/tbill_nyusatsu" if a.instrument == "tbill" else "nyusatsu"
    return f"{ROOT}/jgbs/auction/calendar/{folder}/resul{a.day:%Y%m%d}{suffix}.htm"


CALENDAR_EN = ROOT + "/english/policy/jgbs/auction/calendar/{:%y%m}e.htm"
CALENDAR_JA = ROOT + "/jgbs/auction/calendar/{:%y%m}.htm"


# --- how figures are written -----------------------------------------------------------------------------------


def slashed(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def long_date(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def era(day: date, reiwa_from: date = date(2019, 5, 1)) -> str:
    """As the office writes it; before the change of era was known, years of 平成 went on."""
    name, first = ("令和", 2018) if day >= reiwa_from else ("平成", 1988)
    return f"{name}{'元' if day.year - first == 1 else day.year - first}年{day.month}月{day.day}日"


def oku(text: str) -> str:
    """億円 as 兆, 億 and 万."""
    ten_thousands = int(Decimal(text) * 10_000)
    parts = ((ten_thousands // 10**8, "兆"), (ten_thousands // 10**4 % 10**4, "億"), (ten_thousands % 10**4, "万"))
    return "".join(f"{n:,}{unit}" for n, unit in parts if n) + "円"


def yen(text: str) -> str:
    whole, decimals = text.split(".")
    return f"{whole}円{decimals[:2]}銭" + "".join(d + u for d, u in zip(decimals[2:], "厘毛", strict=False))


def amount(text: str | None, digits: int) -> str:
    return "–" if text is None else f"{Decimal(text) / 10:,.{digits}f}"


def percent(text: str | None) -> str:
    return "–" if text is None else text + "%"


# --- English result pages --------------------------------------------------------------------------------------

SECURITIES = {
    "tbill": "Treasury Discount Bills",
    "10y_climate": "10-year Climate Transition",
    "10y_inflation": "10-year Inflation-Indexed",
}
SPECIAL = "Auction {} for JGB Market Special Participants (billion yen)"


@dataclass
class English:
    """A page with one header row and one data row: ``columns`` by name, each its heading and its cell."""

    title: str
    columns: dict[str, list[str]]
    more_rows: list[list[str]] = field(default_factory=list)
    rows_before: list[list[str]] = field(default_factory=list)

    def edit(self, title: tuple[str, str] = ("", ""), **cells: str) -> "English":
        """Writes cells by their column, a heading as ``heading_<column>``; replaces a part of the title."""
        self.title = self.title.replace(*title) if title[0] else self.title
        for name, text in cells.items():
            self.columns[name.removeprefix("heading_")][0 if name.startswith("heading_") else 1] = text
        return self

    def render(self, layout: str = "plain") -> bytes:
        header = [heading for heading, _ in self.columns.values()]
        rows = [*self.rows_before, [cell for _, cell in self.columns.values()], *self.more_rows]
        return ENGLISH[layout](self.title, header, rows).encode()


def english(a: Auction, non_price_2: str | None = None) -> English:
    """The result page. ``non_price_2`` is known in the afternoon only."""
    bill = a.instrument == "tbill"
    digits = 2 if bill else 1
    at = "Lowest Accepted Price"
    tenor = f"{a.tenor}-Year JGBs" if a.instrument.endswith("y") else SECURITIES.get(a.instrument, "")
    columns = {
        "security": ["Security", SECURITIES.get(a.instrument, f"{a.tenor}-year")],
        "issue_number": ["Issue Number", a.issue_number],
        "auction_date": ["Auction Date", slashed(a.day)],
        "issue_date": ["Issue Date", slashed(a.issue_date)],
        "maturity": ["Maturity Date", slashed(a.maturity)],
        "coupon": ["Nominal Coupon", percent(a.coupon)],
        "bids": ["Amounts of Competitive Bids (billion yen)", amount(a.bids, digits)],
        "accepted": ["Amounts of Bids Accepted (billion yen)", amount(a.accepted, digits)],
        "low_price": [f"{at} (per 100 yen)", a.low_price],
        "high_yield": [f"Yield at the {at}", percent(a.high_yield)],
        "allotment": [f"Allotment for Bids at the {at}", percent(a.allotment)],
        "average_price": ["Weighted Average Price (per 100 yen)", a.average_price or "–"],
        "average_yield": ["Yield at the Average Price", percent(a.average_yield)],
    }
    if bill:
        del columns["security"], columns["coupon"]
        columns["non_price_1"] = ["Amounts of Non- price -competitive " + SPECIAL.format("Ⅰ"), amount(a.non_price_1, 2)]
        return English(f"Auction Result of {tenor} on {long_date(a.day)}", columns)
    prefix = "Amounts of Bids Accepted at the Non-price -competitive "
    if a.non_competitive is not None:
        heading = "Amounts of Non-competitive Bids Tendered/Accepted (billion yen)"
        columns["non_competitive"] = [heading, amount(a.non_competitive, 3)]
    if a.non_price_1 is not None:
        columns["non_price_1"] = [prefix + SPECIAL.format("Ⅰ"), amount(a.non_price_1, 1)]
    columns["non_price_2"] = [prefix + SPECIAL.format("Ⅱ"), amount(non_price_2, 1)]
    return English(f"Auction Result of {tenor} on {long_date(a.day)}", columns)


def by_yield(a: Auction) -> English:
    """The page of a yield auction under its later headings."""
    return english(a).edit(
        heading_low_price="Price at the Highest Accepted Yield (per 100 yen)",
        heading_high_yield="Highest Accepted Yield",
        heading_allotment="Allotment for Bids at the Highest Accepted Yield",
    )


def _cells(tag: str, cells: list[str], wrap: Callable[[str], str] = str) -> str:
    return "<tr>" + "".join(f"<{tag}>{wrap(cell)}</{tag}>" for cell in cells) + "</tr>"


def _plain_en(title: str, header: list[str], rows: list[list[str]]) -> str:
    table = "\n".join([_cells("th", header), *(_cells("td", row) for row in rows)])
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head><body>\n'
        f'<a href="#main">Skip to Content</a><h1>{title}</h1>\n<table border="1">\n{table}\n</table>\n</body></html>\n'
    )


def _nav_en(title: str, header: list[str], rows: list[list[str]]) -> str:
    """A navigation table before, spans and breaks in the cells, a footnote after, an old table in a comment."""
    head = _cells("td", header, lambda text: f"<p><strong>{text.replace(' at the ', ' at the<br />')}</strong></p>")
    body = "".join(
        _cells("td", row, lambda text: f'\r\n<p align="right"><span>{text}</span>&nbsp;</p>') for row in rows
    )
    return (
        f"\ufeff<html><head><title>{title} : Ministry of Finance</title><style>td {{ width: 8% }}</style>"
        "<script>var label = '<td>Issue Number</td><td>999</td>';</script></head><body>"
        '<table class="nav"><tr><td><a href="/english/">Home</a></td><td>Auction Date</td><td>Liquidity Enhancement Auction</td></tr></table>'
        f"<h2><span>{title}</span></h2><!-- <table><tr><td>Issue Number</td></tr><tr><td>999</td></tr></table> -->"
        f'<table class="datatable"><thead>{head}</thead>\r\n<tbody>{body}</tbody></table>'
        "<p>[Note] Amounts of Bids Accepted are provisional.</p><table><tr><td>Contact</td></tr></table></body></html>"
    )


def _wide_en(title: str, header: list[str], rows: list[list[str]]) -> str:
    """Full-width brackets and percent signs, non-breaking spaces, no closing tags."""
    lines = ["".join(f"<td>{cell}" for cell in row) for row in [header, *rows]]
    text = "".join(f"<tr>{line}" for line in lines).translate(str.maketrans({"(": "（", ")": "）", "%": "％"}))
    text = text.replace("per 100", "per&nbsp;100").replace("billion ", "billion\n\u3000")
    return f"<HTML><HEAD><TITLE>{title}</TITLE></HEAD><BODY><H2>{title}</H2><TABLE>{text}</TABLE><P>Ministry of Finance</BODY></HTML>"


ENGLISH = {"plain": _plain_en, "nav": _nav_en, "wide": _wide_en}


# --- Japanese result pages -------------------------------------------------------------------------------------

NAMES = {
    "tbill": ("国庫短期証券", "国庫短期証券"),
    "10y_inflation": ("10年物価連動国債", "利付国庫債券（物価連動・10年）"),
    "10y_climate": ("10年クライメート・トランジション利付国債", "クライメート・トランジション利付国庫債券（10年）"),
    "5y_climate": ("5年クライメート・トランジション利付国債", "クライメート・トランジション利付国庫債券（5年）"),
}
LAW = "特別会計に関する法律（平成19年法律第23号）第46条第1項及び第62条第1項"
# pages of before the change of era number on
LAST_HEISEI = date(2019, 4, 1)


@dataclass
class Japanese:
    """A page of lines: ``lines`` by name, each its number, label and value. ``title`` heads it, ``dated`` the window."""

    title: str
    dated: str
    day: str
    intro: str
    lines: dict[str, list[str]]
    note: str

    def edit(self, title: tuple[str, str] = ("", ""), **values: str) -> "Japanese":
        """Writes values by their line, a label as ``label_<line>``; replaces a part of the headings."""
        if title[0]:
            self.title, self.dated, self.day = (text.replace(*title) for text in (self.title, self.dated, self.day))
        for name, text in values.items():
            self.lines[name.removeprefix("label_")][1 if name.startswith("label_") else 2] = text
        return self

    def render(self, layout: str = "four") -> bytes:
        return JAPANESE[layout](self).encode()


def _name(a: Auction) -> tuple[str, str]:
    usual = (f"{a.tenor}年利付国債", f"利付国庫債券（{a.tenor}年）")
    title, security = NAMES.get(a.instrument, usual)
    return f"{title}（第{a.issue_number}回）", f"{security}（第{a.issue_number}回）"


def japanese(a: Auction) -> Japanese:
    """The result page."""
    since = date(9999, 1, 1) if a.day < LAST_HEISEI else date(2019, 5, 1)
    title, security = _name(a)
    lines = {"name": ["", "名称及び記号", security], "law": ["", "発行根拠法律及びその条項", LAW]}
    if a.coupon:
        lines["coupon"] = ["", "表面利率", f"年{a.coupon}パーセント"]
    lines["issue_date"] = ["", "発行日", era(a.issue_date, since)]
    lines["maturity"] = ["", "償還期限", era(a.maturity, since)]
    intro = f"本日、{title}の入札について、下記のように募入の決定を行いました。"
    if a.single_price:
        lines |= {
            "bids": ["", "応募額", oku(a.bids)],
            "accepted": ["", "募入決定額", oku(a.accepted)],
            "high_yield": ["", "応募者利回り", a.high_yield + "％"],
            "high_yield_2": [" ", "（募入最高利回り）", ""],
            "low_price": ["", "発行価格", "額面金額100円につき" + yen(a.low_price)],
            "allotment": ["", "募入最高利回りに", ""],
            "allotment_2": [" ", "おける案分比率", a.allotment + "％"],
        }
    else:
        intro = f"本日、{title}の価格競争入札及び国債市場特別参加者・第Ⅰ非価格競争入札について、下記のように募入の決定を行いました。"
        lines |= {
            "competitive": ["", "価格競争入札について", ""],
            "bids": ["(1)", "応募額", oku(a.bids)],
            "accepted": ["(2)", "募入決定額", oku(a.accepted)],
            "low_price": ["(3)", "募入最低価格", yen(a.low_price)],
            "high_yield": [" ", "（募入最高利回り）", f"（{a.high_yield}％）"],
            "allotment": ["(4)", "募入最低価格に", ""],
            "allotment_2": [" ", "おける案分比率", a.allotment + "％"],
            "average_price": ["(5)", "募入平均価格", yen(a.average_price)],
            "average_yield": [" ", "（募入平均利回り）", f"（{a.average_yield}％）"],
        }
        price = {"price": ["", "発行価格", yen(a.average_price)], "yield": [" ", "", f"（{a.average_yield}％）"]}
        if a.non_competitive is not None:
            small = {"section": ["", "非競争入札について", ""], "bids": ["(1)", "応募額", oku(a.non_competitive)]}
            small |= {"accepted": ["(2)", "募入決定額", oku(a.non_competitive)]} | price
            lines |= {f"non_competitive_{name}": list(line) for name, line in small.items()}
            lines["non_competitive_price"][0] = "(3)"
        special = {"section": ["", "国債市場特別参加者・第Ⅰ非価格競争入札について", ""]}
        special |= {"accepted": ["(1)", "募入決定額", oku(a.non_price_1)]} | price
        lines |= {f"non_price_1_{name}": list(line) for name, line in special.items()}
        lines["non_price_1_price"][0] = "(2)"
    note = (
        ""
        if a.instrument == "tbill" or "_" in a.instrument
        else (
            "本日午後2時より、上記価格競争入札の結果に基づき、発行価格を募入平均価格とし、"
            "国債市場特別参加者を対象として、第Ⅱ非価格競争入札を実施します。"
        )
    )
    dated = title + "の入札結果" + ("" if a.instrument == "tbill" else f"（{era(a.day, since)}入札）")
    return Japanese(title + "の入札結果", dated, era(a.day, since), intro, _numbered(lines), note)


def afternoon(a: Auction, roman: str = "Ⅱ", in_window: str = "II") -> Japanese:
    """The afternoon's page. Windows were titled with ASCII letters while the page had the numeral, or a broken U."""
    page = japanese(a)
    title = _name(a)[0]
    price, rate = (a.low_price, a.high_yield) if a.single_price else (a.average_price, a.average_yield)
    page.title = f"{title}の第{roman}非価格競争入札結果"
    page.dated = f"{title}の第{in_window}非価格競争入札結果（{page.day}入札）"
    page.intro = f"本日、{title}の第{roman}非価格競争入札について、下記のように募入の決定を行いました。"
    kept = {name: page.lines[name] for name in ("name", "law", "coupon", "issue_date", "maturity")}
    page.lines = _numbered(
        kept
        | {
            "accepted": ["", "募入決定額", oku(a.non_price_2 or "0.1")],
            "price": ["", "発行価格（注）", yen(price)],
            "yield": [" ", "", f"（{rate}％）"],
        }
    )
    page.note = "（注）本日行われた当該国庫債券の価格競争入札における募入平均価格"
    return page


def _numbered(lines: dict[str, list[str]]) -> dict[str, list[str]]:
    """Numbers the lines that have no number yet; a blank keeps a line without."""
    count = 0
    for line in lines.values():
        if not line[0] or line[0].endswith("."):
            count += 1
            line[0] = f"{count}."
    return lines


def _merged(lines: dict[str, list[str]]) -> list[list[str]]:
    """Lines with the halves of the two-row labels put into one row, a break between."""
    rows: list[list[str]] = []
    for name, (mark, label, value) in lines.items():
        if name in ("allotment_2", "high_yield_2") and rows and name.removesuffix("_2") in lines:
            rows[-1][1] += "<br>" + label
            rows[-1][2] += value
        else:
            rows.append([mark, label, value])
    return rows


def _four_ja(page: Japanese) -> str:
    """As reported: number, label, spacer, value; the ratio beside the first half of its label; all in one table."""
    lines = {name: list(line) for name, line in page.lines.items()}
    if "allotment" in lines and "allotment_2" in lines:
        lines["allotment"][2], lines["allotment_2"][2] = lines["allotment_2"][2], ""
    rows = "\n".join(
        f"<tr><td>{mark}</td><td>{label}</td><td></td><td>{value}</td></tr>" for mark, label, value in lines.values()
    )
    heads = "".join(
        f'<tr><td colspan="4">{text}</td></tr>' for text in (page.title, page.day, "財務省", page.intro, "記")
    )
    return (
        f'<html lang="ja"><head><meta charset="UTF-8"><title>{page.dated}</title></head><body>\n'
        f"<table>{heads}\n{rows}\n"
        f'<tr><td colspan="4">{page.note}</td></tr></table></body></html>'
    )


def _spans_ja(page: Japanese) -> str:
    """Number and label in one cell, spans in cells, the ratio beside the second half, all else outside the table."""
    rows = "".join(
        f'<tr><th scope="row"><span>{mark.strip()}{label}</span></th>\r\n<td><span class="v">{value}</span></td></tr>'
        for mark, label, value in page.lines.values()
    )
    return (
        f'<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>{page.dated} : 財務省</title>'
        "<script>var old = '5.償還期限令和1年1月1日 6.価格競争入札について(1)応募額1億円';</script></head><body>"
        f'<div id="skip">このページの本文へ移動</div><h1>{page.title}</h1><p class="date">{page.day}<br>財務省</p>'
        f"<p>&nbsp;{page.intro}</p><table><tbody>{rows}</tbody></table><p>{page.note}</p>"
        "<p>連絡・問い合わせ先 理財局国債業務課<br>電話（代表）03（3581）4111（内線5582）</p></body></html>"
    )


def _wide_ja(page: Japanese) -> str:
    """Full-width figures, signs and brackets, blanks in labels, navigation before, two-row labels in one cell."""
    rows = "".join(
        f"<tr><td><p>{mark}</p></td><td><p>{label.replace('り）', 'り ）')}</p></td><td><p>{value}</p></td><td>&nbsp;</td></tr>\n"
        for mark, label, value in _merged(page.lines)
    )
    wide = str.maketrans("0123456789.,()", "０１２３４５６７８９．，（）")
    return (
        f"<html><head><title>{page.dated.translate(wide)}</title></head><body>"
        '<table class="nav"><tr><td><a href="/jgbs/">国債</a></td><td>発行日</td><td>流動性供給入札</td></tr></table>'
        "<!-- <table><tr><td>1.</td><td>応募額</td><td></td><td>9兆円</td></tr></table> -->"
        f"<h2>{page.title.translate(wide)}</h2><div align=right>{page.day.translate(wide)}</div><div>財 務 省</div>"
        f"<p>{page.intro}<center>記</center><table border=0>{rows.translate(wide)}</table><p>{page.note}</body></html>"
    )


JAPANESE = {"four": _four_ja, "spans": _spans_ja, "wide": _wide_ja}


# --- liquidity enhancement and calendars -----------------------------------------------------------------------


def reopened_ja() -> bytes:
    """What stands at the afternoon's address after a liquidity auction. The amounts are invented."""
    title = "流動性供給入札（第325回）において追加発行した国債の銘柄"
    issues = [("利付国庫債券（20年）（第95回）", "103億円"), ("利付国庫債券（20年）（第99回）", "56億円")]
    lines = {name: ["", name, amount] for name, amount in issues}
    return Japanese(title, title, "令和3年1月15日", "", lines, "").render()


def liquidity_ja() -> bytes:
    """15 January 2021, as published."""
    values = {
        "発行日": "令和3年1月18日",
        "応募額": "額面金額で2兆2,876億円",
        "募入決定額": "額面金額で4,976億円",
        "募入最大利回格差": "▲0.008％",
        "募入最大利回格差に係る案分比率": "57.7176％",
        "募入平均利回格差": "▲0.008％",
    }
    lines = _numbered({label: ["", label, value] for label, value in values.items()})
    title, intro = (
        "流動性供給（第325回）入札結果",
        "本日、入札参加者に対し流動性供給入札について、下記のように募入決定を行いました。",
    )
    return Japanese(title, title + "（令和3年1月15日入札）", "令和3年1月15日", intro, lines, "").render()


def liquidity_en() -> bytes:
    """16 July 2010, as published."""
    cells = {
        "Auction Date": "7/16/2010",
        "Issue Date": "7/22/2010",
        "Amounts of Competitive Bids (billion yen)": "1,169.3",
        "Amounts of Bids Accepted (billion yen)": "299.7",
        "Highest Accepted Spread(*)": "▲0.007%",
        "Allotment for Bids at the Highest Accepted Spread": "38.1521%",
        "Average Accepted Spread(*)": "▲0.009%",
        "Excluded Issues(**)": "-",
    }
    title = "Result of the Auction for Enhanced-liquidity on July 16, 2010"
    return English(title, {label: [label, cell] for label, cell in cells.items()}).render()


@dataclass(frozen=True)
class Entry:
    """A line of a calendar: what is known of an auction."""

    day: date
    instrument: str
    issue_number: int | None
    result: bool = True
    non_price_2: bool = False

    def _english(self) -> str:
        number = f"({self.issue_number})" if self.issue_number else ""
        if self.instrument == "liquidity":
            return "Liquidity Enhancement Auction<br>(remaining maturities of 5-15.5 years)"
        if self.instrument == "tbill":
            return f"Treasury Discount Bills (3-month){number}"
        return (
            "10-year Inflation-Indexed Bonds"
            if "inflation" in self.instrument
            else self.instrument.replace("y", "-year")
        ) + number

    def _japanese(self) -> str:
        number = f"（第{self.issue_number}回）" if self.issue_number else ""
        names = {
            "liquidity": "流動性供給入札<br>（残存期間5年超15.5年以下）",
            "tbill": f"国庫短期証券（3ヶ月）{number}",
        }
        usual = NAMES.get(self.instrument, (self.instrument.replace("y", "年利付国債"),))[0] + number
        return names.get(self.instrument, usual)


# September 2024 as published, up to the 26th, and what was known then of the rest.
SEPTEMBER = [
    Entry(date(2024, 9, 3), "10y", 375, non_price_2=True),
    Entry(date(2024, 9, 5), "30y", 83, non_price_2=True),
    Entry(date(2024, 9, 6), "tbill", 1254),
    Entry(date(2024, 9, 19), "tbill", 1258),
    Entry(date(2024, 9, 19), "liquidity", None),
    Entry(date(2024, 9, 26), "40y", 17),
    Entry(date(2024, 9, 27), "tbill", None, result=False),
    Entry(date(2024, 9, 30), "2y", None, result=False),
]


SEEN = datetime(2024, 9, 26, 8, tzinfo=UTC)
FOLDERS = {"en": "/english/policy/jgbs/auction/calendar/", "ja": "/jgbs/auction/calendar/"}
IN_SPRING = [Entry(date(2019, 5, 8), "10y", 354), Entry(date(2019, 5, 10), "10y_inflation", 24)]
IN_AUTUMN = [Entry(date(2025, 10, 21), "10y_climate", 3), Entry(date(2025, 10, 30), "2y", None, result=False)]


def calendar_en(entries: list[Entry], base: str = "", month: str = "September 2024") -> bytes:
    """``base`` stands before every link's path."""

    def cells(entry: Entry) -> list[str]:
        stamp = f"{entry.day:%Y%m%d}"
        path = base + ("etbill/etbillresul/" if entry.instrument == "tbill" else "eresul/")
        result = f'<a href="{path}eresul{stamp}.htm">Detail</a>' if entry.result else "Detail"
        if entry.instrument == "liquidity":
            result += f'<br><a href="{path}eresul{stamp}a.htm">Issues Re-opened</a>'
        later = f'<a href="{path}eresul{stamp}a.htm">Detail</a>' if entry.non_price_2 else "—"
        day = entry.day.strftime("%b" if entry.day.month == 5 else "%b.") + f" {entry.day.day}, {entry.day.year}"
        return [day, entry._english(), f'<a href="{base}announcement/auct{stamp}e.htm">Detail</a>', result, later]

    header = [
        "Auction Date",
        "Issue",
        "Auction<br>Announcement",
        "Auction<br>Result",
        "Non-price -<br>competitive<br>Auction II",
    ]
    table = _cells("th", header) + "".join(_cells("td", cells(entry)) for entry in entries)
    loan = ["Sep. 10, 2024", "Sep. 20, 2024", "Borrowing of Special Account for Energy Policy (Approx. 12-month)"]
    borrowing = _cells("th", ["Auction Date", "Borrowing Date", "Issue"]) + _cells("td", loan)
    return (
        f"<html><head><title>Auction Calendar {month}</title></head><body><h1>Auction Calendar {month}</h1>"
        f"<p>(1) Government Bonds and Treasury Discount Bills</p><table>{table}</table>"
        '<p>(2) Buy-back</p><p><a href="buy.htm">Buy-back Results (Aug. 2024)</a></p>'
        f"<p>(3) Borrowing</p><table>{borrowing}</table></body></html>"
    ).encode()


def calendar_ja(entries: list[Entry], base: str = "", month: str = "令和6年9月") -> bytes:
    def cells(entry: Entry) -> list[str]:
        stamp = f"{entry.day:%Y%m%d}"
        path = base + ("tbill/tbill_nyusatsu/" if entry.instrument == "tbill" else "nyusatsu/")
        result = f'<a href="{path}resul{stamp}.htm">入札結果</a>' if entry.result else "入札結果"
        if entry.instrument == "liquidity":
            result += f'<br><a href="{path}resul{stamp}a.htm">追加発行した国債の銘柄</a>'
        later = f'<a href="{path}resul{stamp}a.htm">結果</a>' if entry.non_price_2 else ""
        day = f"{entry.day.month}月{entry.day.day}日（{'月火水木金土日'[entry.day.weekday()]}）"
        notice, terms = f'<a href="{base}yotei/auct{stamp}.htm">発行予定額等</a>', "入札発行"
        return [day, entry._japanese(), notice, terms, result, later]

    header = ["入札予定日", "入札対象国債等", "発行予定額等", "入札発行", "入札結果", "第Ⅱ非価格競争入札結果"]
    table = _cells("th", header) + "".join(_cells("td", cells(entry)) for entry in entries)
    loan = _cells("td", ["9月10日（火）", "9月20日（金）", "エネルギー対策特別会計の借入金"])
    return (
        f'<html lang="ja"><head><title>入札カレンダー：{month}</title></head><body><h1>入札カレンダー：{month}</h1>'
        f"<table>{table}</table><h2>借入金</h2><table>{loan}</table></body></html>"
    ).encode()


# --- pages as retrieved ----------------------------------------------------------------------------------------


def at(day: date, hour: int = 4) -> datetime:
    """By itself 13:00 in Tokyo, after the results."""
    return datetime.combine(day, time(hour), UTC)


def en(a: Auction, page: English | None = None, layout: str = "plain") -> Page:
    return at(a.day), url_en(a), (page or english(a)).render(layout)


def ja(a: Auction, page: Japanese | None = None, layout: str = "four") -> Page:
    return at(a.day), url_ja(a), (page or japanese(a)).render(layout)


def second(a: Auction, page: Japanese | None = None, layout: str = "four") -> Page:
    return at(a.day, 7), url_ja(a, "a"), (page or afternoon(a)).render(layout)


def calendar(language: str, entries: list[Entry] = SEPTEMBER, seen: datetime = SEEN, **extra: str) -> Page:
    url, write = {"en": (CALENDAR_EN, calendar_en), "ja": (CALENDAR_JA, calendar_ja)}[language]
    return seen, url.format(entries[0].day), write(entries, **extra)


def with_body(page: Page, body: bytes) -> Page:
    return *page[:2], body


def with_text(page: Page, before: str, after: str) -> Page:
    text = page[2].decode()
    assert before in text
    return with_body(page, text.replace(before, after).encode())


def on(page: Page, day: date) -> Page:
    """The page at the address of another day, retrieved on that day."""
    before = f"{page[0]:%Y%m%d}"
    assert before in page[1]
    return at(day, page[0].hour), page[1].replace(before, f"{day:%Y%m%d}"), page[2]


def both(page: Page, other: Page) -> Page:
    """Two pages' bodies in one."""
    body = other[2].decode().lstrip("\ufeff").partition("<body>" if b"<body>" in other[2] else "<BODY>")[2]
    end = "</body>" if b"</body>" in page[2] else "</BODY>"
    return with_text(page, end, body.removesuffix("</html>"))


def with_table(page: Page, other: Page) -> Page:
    """A page that shows another's table, too, without its heading."""
    table = re.findall(r"<(table|TABLE)\b(.*?)</\1>", other[2].decode(), flags=re.DOTALL)[-1]
    end = "</body>" if b"</body>" in page[2] else "</BODY>"
    return with_text(page, end, f"<table{table[1]}</table>{end}")


def without(page: English, *names: str) -> English:
    page.columns = {name: column for name, column in page.columns.items() if name not in names}
    return page


def in_unit(page: English, name: str, unit: str) -> English:
    heading = page.columns[name]
    assert "(billion yen)" in heading[0]
    heading[0] = heading[0].replace("(billion yen)", unit)
    return page


def with_row(page: English, cells: list[str], below: bool = True) -> English:
    (page.more_rows if below else page.rows_before).append(cells)
    return page


def doubled(parts: dict[str, list[str]], name: str) -> dict[str, list[str]]:
    """Columns or lines, one of them twice."""
    again = {name + "_again": list(parts[name])}
    return {k: v for key, part in parts.items() for k, v in ({key: part} | (again if key == name else {})).items()}


def not_yet_held(a: Auction) -> Page:
    """The English result page as it stands before the afternoon's auction, at the address of the afternoon's page."""
    page = with_text(
        en(a, without(english(a), "non_price_2")), "</body>", "<p>Non-price-competitive Auction II: 14:00</p></body>"
    )
    return at(a.day, 7), url_en(a, "a"), page[2]


def to_participants(a: Auction) -> English:
    """How the title of the English afternoon page was seen to end; its table was not seen."""
    page = english(a, a.non_price_2)
    return page.edit(title=(page.title, page.title + " (For JGB Market Special Participants)"))


# --- falsifications --------------------------------------------------------------------------------------------

ERROR = b"<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"
NAVIGATION = "<body><ul><li>流動性供給入札</li><li>Liquidity Enhancement Auction</li></ul>".encode()
BODIES = {
    "error in the frame": ERROR.replace(b"<body>", NAVIGATION),
    "empty": b"",
    "blank": b" \r\n",
    "error": ERROR,
    "json": b'{"status": 200}',
    "noise": bytes(range(256)) * 40,
}
TITLES = [("July 21", "July 22"), ("2020", "2019"), ("20-Year", "10-Year"), ("20-Year JGBs", "Treasury Discount Bills")]
TITLES_JA = [("6月2日", "6月3日"), ("令和8年", "令和7年"), ("第382回", "第381回"), ("10年利付", "5年利付")]
TITLES_JA += [("10年利付国債", "10年物価連動国債"), ("入札結果", "第Ⅱ非価格競争入札結果"), ("入札結果", "入札発行")]
UNITS = [
    (n, unit) for n in ("bids", "accepted") for unit in ("(million yen)", "(100 million yen)", "(trillion yen)", "")
]
UNITS += [(n, "(million yen)") for n in ("non_price_1", "non_price_2")]
LINKS = [("resul20240903.htm", "resul20240904.htm"), ("resul20240903a.htm", "resul20240905a.htm")]
LINKS += [('href="', 'href="https://other.example/')]
MOVES = [*[("en", *link) for link in [*LINKS, ("eresul/", "old/"), ("Sep. ", "Oct. ")]]]
MOVES += [*[("ja", *link) for link in [*LINKS, ("nyusatsu/", "old/"), ("令和6年9月", "令和6年10月"), ("9月", "10月")]]]
# single cells or lines of a page, by auction
FALSE = {
    "20y 2020-07-21": """low_price=99.56 low_price=9.965 low_price=99.650.1 high_yield=0.418% high_yield=0.420%
        high_yield=▲0.419% high_yield=41.9% average_price=99.07 average_yield=0.417% coupon=4% coupon=0.5% bids=96.9
        bids=36,829 allotment=285.714% auction_date=7/22/2020 auction_date=7/21/2021 auction_date=6/21/2020
        issue_date=7/20/2020 issue_date=7/22/2021 maturity=6/20/2030 maturity=6/20/2050 maturity=6/31/2040
        security=10-year issue_number=17.3""",
    "40y 2026-05-27": "low_price=99.21 high_yield=3.845% maturity=3/20/2046 coupon=3.9% average_price=99.18",
    "tbill 2024-06-28": """low_price=99.9940 high_yield=0.0201% average_yield=0.0150% maturity=10/31/2024
        issue_date=6/27/2024""",
}
FALSE_JA = """bids=7兆31百万円 accepted=19,839十億円 accepted=7兆32億円 low_price=98円01銭5 low_price=98円00銭
    low_price=額面金額100円につき98円00銭 high_yield=（▲2.656％） average_yield=（2.650％） coupon=年2.5パーセント
    issue_date=令和8年6月1日 issue_date=平成8年6月3日 maturity=令和28年3月20日 maturity=令和18年13月20日
    name=利付国庫債券（20年）（第382回） name=利付国庫債券（10年）（第381回）
    name=利付国庫債券（物価連動・10年）（第382回） label_competitive=非競争入札について"""
