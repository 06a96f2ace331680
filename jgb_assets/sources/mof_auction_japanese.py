"""Japanese pages of an auction: numbered labels, each with its value behind it.

Belongs here: Japanese labels, titles and sections. Not here: what a result must satisfy.

A page is read as one text after NFKC and without whitespace, with a border between cells, so that it does not matter
which cells hold number, label and value: nothing but borders stands between them. Labels repeat between sections; each
is looked for within its own, and must stand there once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from jgb_assets.sources.html_pages import Cell
from jgb_assets.sources.japanese import AMOUNT, DATE, PERCENT, PRICE, amount_jpy, era_date, percent, plain, price_jpy
from jgb_assets.sources.mof_auction_layouts import (
    INFLATION,
    ISSUED_WITHIN,
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

NAME_JA = (
    r"((?:(?<![0-9])[0-9]{1,2}年)?(?:クライメート・トランジション|物価連動|変動)?(?:利付国債|国債|国庫短期証券)"
    r"(?:\([0-9]{1,2}(?:年|か月|ヶ月|カ月)\))?)\(第([0-9]{1,4})回\)"
)
TITLE_JA = re.compile(rf"{NAME_JA}の入札結果(?:\(({DATE})入札\))?")
REOPENED_JA = re.compile(r"流動性供給(?:入札)?\(第[0-9]+回\)において追加発行")
LIQUIDITY_JA = re.compile(rf"流動性供給(?:入札)?\(第([0-9]{{1,4}})回\)の?入札結果(?:\(({DATE})入札\))?")
SECOND_JA = re.compile(rf"{NAME_JA}の第(?:II|U|ii)非価格競争入札結果")
SECTION = r"(?<![0-9.,])[0-9]{1,2}\.\|*"  # 6. but not 28.5714
NEXT_SECTION = re.compile(SECTION + r"(?=[^0-9|])")
END = r"(?=[^0-9.,%]|$|[0-9]{1,2}\.[^0-9])"  # of a value: the text behind does not go on with it
MISSING_JA = r"[-‐‑–—―－]+"
BRACKETED = re.compile(r"\|*\(([^()]*)\)")
CORRECTION = re.compile(r"訂正|[0-9]円")


@dataclass
class Japanese(Reader):
    """See the module. ``titled_number`` is the issue's, as the title tells it."""

    titled_number: int = 0
    language = "ja"

    def titled(self) -> str:
        """20年利付国債（第173回）の入札結果（令和2年7月21日入札）, and what 名称及び記号 says of the same."""
        text = self.page.plain
        if SECOND_JA.search(text):
            raise self.refused("the title", "an auction's result", "a non-price-competitive auction II")
        titles = TITLE_JA.findall(text)
        for word, unverified in (("流動性供給", LIQUIDITY), ("物価連動", INFLATION)):
            if not titles and not self.is_bill and word in plain(self.page.headings):
                return unverified
        if not titles:
            raise self.refused("the title", "...(第N回)の入札結果", repr(text[:120]))
        if len(found := {(instrument_of(name), int(number)) for name, number, _ in titles}) > 1:
            raise self.refused("the title", "one auction", found)
        # A bill's title has no date of its own: it stands above the first label.
        dated = {day for *_, day in titles if day} or set(re.findall(DATE, text.partition("名称及び記号")[0]))
        if {era_date(day) for day in dated} != {self.day}:
            raise self.refused("the title", f"the auction of {self.day}", sorted(dated))
        instrument, self.titled_number = found.pop()
        return self._named(self.known(instrument))

    def fields(self, instrument: str) -> Row:
        """The figures by the labels that this instrument must have."""
        if instrument == LIQUIDITY:
            return self._liquidity()
        text = self.page.bordered
        row: Row = {
            "issue_number": self.titled_number,
            "issue_date": self._day(text, "発行日"),
            "maturity_date": self._day(text, "償還期限"),
        }
        if not self.is_bill:
            row["coupon_pct"] = float(
                self._found(text, SECTION + "表面利率", r"年([0-9]{1,2}(?:\.[0-9]{1,4})?)(?:パーセント|%)")
            )
        if instrument in YIELD_COMPETITIVE:
            return row | self._single_price(text)
        competitive = self._section("価格競争入札について", needed=True)
        row |= {
            "bids_jpy_bn": self._amount(competitive, "応募額"),
            "accepted_jpy_bn": self._amount(competitive, "募入決定額"),
        }
        for price, yield_, label, yield_label in (
            ("lowest_price", "highest_yield_pct", "募入最低価格(?!に)", "募入最高利回り"),
            ("average_price", "average_yield_pct", "募入平均価格", "募入平均利回り"),
        ):
            row[price] = self._price(competitive, label)
            row[yield_] = self._percent(competitive, rf"\({yield_label}\)")
        row["allotment_at_lowest_pct"] = self._allotment(competitive, "募入最低価格")
        small = self._section("非競争入札について", needed=instrument in SMALL_LOTS)
        if small:
            row["non_competitive_jpy_bn"] = self._amount_or_none(small, "募入決定額")  # none may have come
        first = self._section(
            "(?:国債市場特別参加者・)?第I非価格競争入札について",
            needed=instrument in PRICE_COMPETITIVE,
        )
        if first:
            row["non_price_1_jpy_bn"] = self._amount(first, "募入決定額")
        if (amounts := len(re.findall(rf"募入決定額\|*{AMOUNT}", text))) != 1 + (
            row.get("non_competitive_jpy_bn") is not None
        ) + bool(first):
            raise self.refused("the sections", "no amount in a section that is not known", f"{amounts} amounts")
        return row

    def second_auction(self) -> SecondAuction | None:
        """10年利付国債（第365回）の第Ⅱ非価格競争入札結果, with one amount."""
        text = self.page.plain
        titles = {(instrument_of(name), int(number)) for name, number in SECOND_JA.findall(text)}
        if not titles and REOPENED_JA.search(text):
            return None
        if len(titles) != 1:
            raise self.refused("the title", "...(第N回)の第II非価格競争入札結果, of one auction", titles or text[:120])
        text = self.page.bordered
        head = re.split(SECTION + "(?:名称及び記号|表面利率|発行日|募入決定額)", text)[0]
        if (dated := {era_date(day) for day in re.findall(DATE, head)}) - {self.day}:
            raise self.refused("the title", f"the auction of {self.day}", dated)
        if (
            re.search(SECTION + "発行日", text)
            and not self.day < (issued := self._day(text, "発行日")) <= self.day + ISSUED_WITHIN
        ):
            raise self.refused("発行日", f"a day soon after {self.day}", issued)
        instrument, self.titled_number = titles.pop()
        self._named(self.known(instrument))
        amount = self._amount_or_none(text, SECTION + "募入決定額")
        return SecondAuction(self.known(instrument), self.titled_number, amount)

    def listed(self) -> Iterator[Row]:
        """The rows of the first table with days: six cells, the result in the fifth."""
        headings = re.findall(r"入札カレンダー:?((?:令和|平成)(?:元|[0-9]+)年[0-9]+月)", self.page.bordered)
        if not headings or {era_date(f"{heading}1日") for heading in headings} != {self.day}:
            raise self.refused("the heading", f"入札カレンダー of {self.day:%Y-%m}", headings or "none")
        first = next((rows for rows in self.page.tables if any(_ja_day(row) for row in rows)), [])
        for row in first:
            if day := _ja_day(row):
                if len(row) != 6:
                    raise self.refused(f"the row of {row[0].text}", "6 cells", len(row))
                yield self.listed_auction(day_of(self.day.year, *day), row[1], row[4], row[5])

    def _single_price(self, text: str) -> Row:
        """All pay the price at the highest accepted yield; its second label may stand before or behind the figure."""
        second = r"(?:\(募入最高利回り\))?"
        return {
            "bids_jpy_bn": self._amount(text, SECTION + "応募額"),
            "accepted_jpy_bn": self._amount(text, SECTION + "募入決定額"),
            "highest_yield_pct": float(
                _share(self._found(text, SECTION + "応募者利回り", rf"{second}\|*\(?({PERCENT})\)?"))
            ),
            "lowest_price": self._price(text, SECTION + "発行価格", "額面金額100円につき"),
            "allotment_at_lowest_pct": self._allotment(text, "募入最高利回り"),
        }

    def _liquidity(self) -> Row:
        """Unverified: two of its lines have been seen."""
        text = self.page.bordered
        titles = LIQUIDITY_JA.findall(text)
        numbers, days = {number for number, _ in titles}, {era_date(day) for _, day in titles if day}
        if len(numbers) != 1 or days != {self.day}:
            raise self.refused("the title", f"one auction, of {self.day}", titles)
        row: Row = {
            "issue_number": int(numbers.pop()),
            "issue_date": self._day(text, "発行日"),
            "bids_jpy_bn": self._amount(text, SECTION + "応募額", "(?:額面金額で)?"),
            "accepted_jpy_bn": self._amount(text, SECTION + "募入決定額", "(?:額面金額で)?"),
            "highest_spread_pct": self._percent(text, SECTION + "募入最大利回格差(?!に)"),
        }
        if "募入平均利回格差" in text:
            row["average_spread_pct"] = self._percent(text, SECTION + "募入平均利回格差")
        return row

    def _named(self, instrument: str) -> str:
        """The instrument, if 名称及び記号 names the same issue as the title."""
        if "名称及び記号" not in self.page.bordered:
            return instrument
        name = self._found(self.page.bordered, SECTION + "名称及び記号", r"([^。]{2,60}?回\))")
        number = re.search(r"\(第([0-9]+)回\)", name)
        if not number or (instrument_of(name), int(number[1])) != (instrument, self.titled_number):
            raise self.refused("名称及び記号", f"{instrument}, issue {self.titled_number}, as the title", name)
        return instrument

    def _section(self, title: str, *, needed: bool) -> str:
        """The text of a numbered section, to the next one."""
        starts = list(re.finditer(SECTION + title, self.page.bordered))
        if len(starts) > 1 or (needed and not starts):
            raise self.refused("the sections", f"{title} once", f"{len(starts)} times")
        if not starts:
            return ""
        rest = self.page.bordered[starts[0].end() :]
        following = NEXT_SECTION.search(rest)
        return rest[: following.start()] if following else rest

    def _found(self, text: str, label: str, value: str) -> str:
        """The value behind a label that stands once; of what is behind a value nothing may be a correction of it."""
        labels = list(re.finditer(label, text))
        if len(labels) != 1:
            raise self.refused(_shown(label), "the label once", f"{len(labels)} times")
        behind = text[labels[0].end() :]
        if not (match := re.match(rf"\|*{value}{END}", behind)):
            raise self.refused(_shown(label), "its value behind it", repr(behind[:40]))
        if (note := BRACKETED.match(behind, match.end())) and CORRECTION.search(note[1]):
            raise self.refused(_shown(label), "one value", repr(behind[:60]))
        return match[1]

    def _amount(self, text: str, label: str, prefix: str = "") -> float:
        """Billion yen."""
        amount = amount_jpy(self._found(text, label, rf"{prefix}\|*({AMOUNT})"))
        assert amount is not None  # noqa: S101  # AMOUNT is its grammar
        return float(Decimal(amount).scaleb(-9))

    def _amount_or_none(self, text: str, label: str) -> float | None:
        """Billion yen, None for a dash."""
        if re.fullmatch(MISSING_JA, self._found(text, label, rf"({AMOUNT}|{MISSING_JA})")):
            return None
        return self._amount(text, label)

    def _price(self, text: str, label: str, prefix: str = "") -> float:
        found = price_jpy(self._found(text, label, rf"(?:{prefix})?\|*({PRICE})"))
        assert found is not None  # noqa: S101  # PRICE is its grammar
        return float(found)

    def _percent(self, text: str, label: str) -> float:
        return float(_share(self._found(text, label, rf"\(?({PERCENT})\)?")))

    def _day(self, text: str, label: str) -> date:
        found = self._found(text, SECTION + label, rf"({DATE})")
        if (day := era_date(found)) is None:
            raise self.refused(label, "a day of an era", found)
        return day

    def _allotment(self, text: str, of: str) -> float:
        """The label is split over two rows of the table; the value stands behind either part."""
        second = rf"(?:\({of}\))?"
        found = re.findall(rf"{of}に\|*({PERCENT})?\|*{second}\|*おける案分比率\|*({PERCENT})?", text)
        values = [value for pair in found for value in pair if value]
        if len(found) != 1 or len(values) != 1 or len(re.findall("案分比率", text)) != 1:
            raise self.refused(f"{of}における案分比率", "the label once with its value", values or "no value")
        return float(_share(values[0]))


def _ja_day(row: list[Cell]) -> tuple[int, int] | None:
    found = re.fullmatch(r"([0-9]{1,2})月([0-9]{1,2})日(?:\(.\))?", plain(row[0].text)) if row else None
    return (int(found[1]), int(found[2])) if found else None


def _share(text: str) -> Decimal:
    found = percent(text)
    assert found is not None  # noqa: S101  # PERCENT is its grammar
    return found


def _shown(label: str) -> str:
    return label.removeprefix(SECTION).replace("(?!に)", "").replace("\\", "")
