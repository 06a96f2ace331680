"""How Japanese offices print dates, amounts and prices: what is read, and what is taken for nothing."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jgb_assets.sources.japanese import AMOUNT, DATE, PERCENT, PRICE, amount_jpy, era_date, percent, plain, price_jpy


def matches(grammar: str, text: str) -> bool:
    return re.fullmatch(grammar, text) is not None


# --- text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        ("（０．４１９％）", "(0.419%)"),
        (" 3兆 6,829\u3000億\n円\t", "3兆6,829億円"),
        ("第Ⅰ非価格競争、第Ⅱ", "第I非価格競争、第II"),
        ("99円\u00a065銭", "99円65銭"),
        ("－０.１５０７％", "-0.1507%"),
        ("㈱　①応募額²", "(株)応募額"),
        (20, "20"),
        ("", ""),
    ],
)
def test_text_in_one_width_and_without_space(printed: object, text: str) -> None:
    assert plain(printed) == text


# --- days of an era -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("令和2年7月21日", date(2020, 7, 21)),
        ("令和22年06月20日", date(2040, 6, 20)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("令和元年12月31日", date(2019, 12, 31)),
        ("令和1年5月1日", date(2019, 5, 1)),
        ("令和2年2月29日", date(2020, 2, 29)),
        ("平成31年4月30日", date(2019, 4, 30)),
        ("平成元年1月8日", date(1989, 1, 8)),
        ("平成65年3月20日", date(2053, 3, 20)),  # a maturity beyond the era's last day
        ("平成101年3月20日", date(2089, 3, 20)),
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("昭和元年12月25日", date(1926, 12, 25)),
        ("昭和54年8月27日", date(1979, 8, 27)),
    ],
)
def test_days_of_an_era(text: str, day: date) -> None:
    assert era_date(text) == day
    assert matches(DATE, text)


@pytest.mark.parametrize(
    "text",
    [
        *("令和元年4月30日", "平成元年1月7日", "昭和元年12月24日", "令和0年5月1日"),  # before the era's first
        *("令和3年2月29日", "令和2年2月30日", "令和2年4月31日", "令和2年13月1日", "令和2年0月1日", "令和2年1月0日"),
        *("大正15年12月24日", "2020年7月21日", "2年7月21日", "令和年7月21日", "令和二年7月21日", "令和２年7月21日"),
        *(
            "令和2年7月",
            "令和2年7月21",
            "令和2年元月1日",
            "令和2年7月21日入札",
            "(令和2年7月21日)",
            "令和 2年7月21日",
            "",
        ),
        *("令和2年007月21日", "令和2年7月021日", "令和0002年7月21日"),
        *("令和9999年1月1日", "令和99999999999999999999年1月1日", "令和2年99999999999999999999月1日"),
    ],
)
def test_what_is_no_day(text: str) -> None:
    assert era_date(text) is None


@settings(deadline=None)
@given(st.dates(date(1926, 12, 25), date(2117, 12, 31)), st.sampled_from(["昭和", "平成", "令和"]), st.booleans())
def test_a_day_printed_in_any_era_is_that_day(day: date, era: str, padded: bool) -> None:
    year = day.year - {"昭和": 1925, "平成": 1988, "令和": 2018}[era]
    month, number = (f"{part:02}" if padded else f"{part}" for part in (day.month, day.day))
    text = f"{era}{'元' if year == 1 else year}年{month}月{number}日"
    begun = day >= {"昭和": date(1926, 12, 25), "平成": date(1989, 1, 8), "令和": date(2019, 5, 1)}[era]
    assert era_date(text) == (day if begun else None)
    assert matches(DATE, text) or not begun


# --- amounts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1兆675億円", 1_067_500_000_000),
        ("3兆6,829億円", 3_682_900_000_000),
        ("11兆6,539億1,000万円", 11_653_910_000_000),
        ("11兆6539億1000万円", 11_653_910_000_000),
        ("9,692億円", 969_200_000_000),
        ("9692億円", 969_200_000_000),
        ("50億円", 5_000_000_000),
        ("3億6,500万円", 365_000_000),
        ("8,804万円", 88_040_000),
        ("2兆円", 2_000_000_000_000),
        ("1兆5万円", 1_000_000_050_000),
        ("1,234兆円", 1_234_000_000_000_000),
        ("1,234,567億円", 123_456_700_000_000),
        ("0億円", 0),
        ("0円", 0),
    ],
)
def test_amounts(text: str, amount: int) -> None:
    assert amount_jpy(text) == amount
    assert matches(AMOUNT, text)


@pytest.mark.parametrize(
    "text",
    [
        *(f"{'9' * 13}億円", f"{'9' * 5_000}兆円", "1" + ",000" * 4 + "億円"),  # no figure is so long
        *("1,00億円", "10,0000億円", "1000,000億円", "1,億円", ",100億円", "1,,000億円", "1,0億円"),  # grouping
        *("", "円", "億円", "兆億万円", "0", "100円", "00円", "9,692円", "9,692億", "9,692", "億9,692円"),
        *(
            "5億1兆円",
            "1億2億円",
            "1万5億円",
            "1.5億円",
            "-1億円",
            "▲1億円",
            "９,692億円",
            "約1億円",
            "1億円程度",
            "1億 円",
        ),
    ],
)
def test_what_is_no_amount(text: str) -> None:
    assert amount_jpy(text) is None
    assert not matches(AMOUNT, text)


@settings(deadline=None)
@given(st.integers(1, 10**16 - 1).map(lambda man: 10_000 * man), st.booleans())
@example(10**16, True)
def test_an_amount_printed_in_full_is_that_amount(amount: int, grouped: bool) -> None:
    cho, oku, man = amount // 10**12, amount // 10**8 % 10**4, amount // 10**4 % 10**4
    parts = [(cho, "兆"), (oku, "億"), (man, "万")]
    text = "".join(f"{count:,}{unit}" if grouped else f"{count}{unit}" for count, unit in parts if count) + "円"
    assert amount_jpy(text) == amount
    assert matches(AMOUNT, text)


# --- prices ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("99円65銭", "99.65"),
        ("99円81銭2厘", "99.812"),
        ("100円04銭0厘5毛", "100.0405"),
        ("100円00銭0厘0毛", "100"),
        ("99円99銭9厘9毛", "99.9999"),
        ("99円5銭", "99.05"),  # five hundredths
        ("100円00銭", "100"),
        ("100円", "100"),
        ("0円", "0"),
    ],
)
def test_prices(text: str, price: str) -> None:
    assert price_jpy(text) == Decimal(price)
    assert matches(PRICE, text)


@pytest.mark.parametrize(
    "text",
    [
        *("99.65円", "99円6.5銭", "-99円65銭", "９９円65銭", "99円 65銭", "約99円65銭", "99円65銭程度"),
        *(
            "99円65銭12厘",
            "99円65銭1厘12毛",
            "99円650銭",
            "1000円",
            "1,000円",
            "99円65銭99円65銭",
            "額面金額100円につき99円27銭",
        ),
    ],
)
def test_what_is_no_price(text: str) -> None:
    assert price_jpy(text) is None
    assert not matches(PRICE, text)


@given(st.integers(0, 9_999_999), st.integers(0, 3))
def test_a_price_printed_in_full_is_that_price(units: int, parts: int) -> None:
    """Of four printed decimals as many as the coins that are named."""
    yen, decimals = divmod(units, 10_000)
    sen, rin, mo = f"{decimals:04}"[:2], f"{decimals:04}"[2], f"{decimals:04}"[3]
    text = f"{yen}円" + "".join([f"{sen}銭", f"{rin}厘", f"{mo}毛"][:parts])
    kept = "".join([sen, rin, mo][:parts])
    assert price_jpy(text) == Decimal(f"{yen}.{kept or 0}")
    assert matches(PRICE, text)


# --- percentages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "share"),
    [
        *[("0.419%", "0.419"), ("28.5714%", "28.5714"), ("100%", "100"), ("0%", "0"), ("0.000%", "0.000")],
        *[("-0.1507%", "-0.1507"), ("▲0.008%", "-0.008"), ("△0.008%", "-0.008"), ("-1%", "-1")],
        *[(plain("０．４１９％"), "0.419"), (plain("－０．１５０７ ％"), "-0.1507"), (plain("▲ 0.008％"), "-0.008")],
    ],
)
def test_percentages(text: str, share: str) -> None:
    assert str(percent(text)) == share
    assert matches(PERCENT, text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "%", "-%", "▲%", "0.419", "0,419%", "1,000%", ".5%", "5.%", "0..5%", "1.2.3%"),
        *("--0.4%", "▲-0.4%", "▲▲0.4%", "0.4▲%", "- 0.4%", "０.4%", "0.4％", "(0.4%)", "0.4%0.4%", "年0.4%"),
        *("0.4%\n", "∞%", "nan%", "1e3%"),
        *(f"{'9' * 400}%", "0.12345%", f"0.{'1' * 5_000}%"),  # nor so exact
    ],
)
def test_what_is_no_percentage(text: str) -> None:
    assert percent(text) is None
    assert not matches(PERCENT, text)


# --- the grammars by which pages are searched accept what the functions read ------------------------------------

LOOSE = {
    "date": "(昭和|平成|令和)(元|[0-9]{0,4})年[0-9]{0,3}月[0-9]{0,3}日",
    "amount": "([0-9]{1,5}|[0-9]{1,4},[0-9]{2,4})?兆?([0-9]{1,5}|[0-9]{0,4},[0-9]{2,4})?億?([0-9]{1,5})?万?円?",
    "price": "[0-9]{0,4}円([0-9]{0,3}銭)?([0-9]{0,2}厘)?([0-9]{0,2}毛)?",
    "percent": r"[-+▲△]{0,2}[0-9,]{0,3}\.?[0-9]{0,4}%?",
}


@pytest.mark.parametrize(
    ("loose", "grammar", "reads"),
    [("amount", AMOUNT, amount_jpy), ("price", PRICE, price_jpy), ("percent", PERCENT, percent)],
    ids=["amount", "price", "percent"],
)
@settings(deadline=None)
@given(data=st.data())
def test_a_grammar_matches_what_its_function_reads(
    loose: str, grammar: str, reads: Callable[[str], object], data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(LOOSE[loose], fullmatch=True) | st.from_regex(grammar, fullmatch=True))
    assert matches(grammar, text) == (reads(text) is not None)


@settings(deadline=None)
@given(st.from_regex(LOOSE["date"], fullmatch=True) | st.from_regex(DATE, fullmatch=True))
@example("令和2年007月21日")
@example("令和0002年7月21日")
def test_the_grammar_of_days_matches_every_day_that_is_read(text: str) -> None:
    """Not the reverse: 令和2年2月30日 is well printed, and no day."""
    assert matches(DATE, text) or era_date(text) is None
