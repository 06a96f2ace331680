"""How Japanese offices print dates, amounts and prices.

Belongs here: grammars that more than one page shares, after NFKC and without whitespace. Not here: where they stand.
"""

import re
import unicodedata
from datetime import date
from decimal import Decimal

# The year before an era's first, which is printed 元年, and its first day. Maturities run on beyond its last.
ERAS = {
    "昭和": (1925, date(1926, 12, 25)),
    "平成": (1988, date(1989, 1, 8)),
    "令和": (2018, date(2019, 5, 1)),
}
# No figure is longer than twelve digits, or a percentage than six: what is longer is none, and overflows in arithmetic.
_COUNT = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})"


def _named(pattern: str) -> str:
    """A pattern without its groups, to stand within others."""
    return f"(?:{re.sub(r'[(](?![?])', '(?:', pattern)})"


_DATE = rf"({'|'.join(ERAS)})(元|[0-9]{{1,3}})年([0-9]{{1,2}})月([0-9]{{1,2}})日"
_AMOUNT = rf"(?:0|(?:({_COUNT})兆)?(?:({_COUNT})億)?(?:({_COUNT})万)?(?<=[兆億万]))円"
_PRICE = r"([0-9]{1,3})円(?:([0-9]{1,2})銭)?(?:([0-9])厘)?(?:([0-9])毛)?"
DATE, AMOUNT, PRICE = map(_named, (_DATE, _AMOUNT, _PRICE))
PERCENT = r"[-+−▲△]?[0-9]{1,6}(?:\.[0-9]{1,4})?%"
NOTE_MARKS = re.compile("[¹²³⁰-₉①-⓿❶-➓㉑-㉟㊱-㊿]")
UNITS_JPY = (10**12, 10**8, 10**4)  # 兆, 億, 万


def normal(text: str) -> str:
    """Text after NFKC; the marks of notes (①, ¹) are left out, which it would make digits of the figure beside them."""
    return unicodedata.normalize("NFKC", NOTE_MARKS.sub("", text))


def plain(text: object) -> str:
    """Text after NFKC and without whitespace: full-width digits, brackets and percent signs become ASCII."""
    return "".join(normal(str(text)).split())


def era_date(text: str) -> date | None:
    """令和元年 is 2019; 平成65年3月20日, as old maturities were printed, is 2053-03-20. None if it is no day."""
    if not (parts := re.fullmatch(_DATE, text)):
        return None
    before, first = ERAS[parts[1]]
    try:
        day = date(before + (1 if parts[2] == "元" else int(parts[2])), int(parts[3]), int(parts[4]))
    except ValueError:
        return None
    return day if day >= first else None


def amount_jpy(text: str) -> int | None:
    """兆, 億 and 万 yen: 1兆675億円 is 1,067,500,000,000. None if the text is no amount."""
    parts = re.fullmatch(_AMOUNT, text)
    if not parts:
        return None
    return sum(
        int(count.replace(",", "")) * unit for count, unit in zip(parts.groups(), UNITS_JPY, strict=True) if count
    )


def price_jpy(text: str) -> Decimal | None:
    """Yen, sen (1/100), rin (1/1,000) and mo (1/10,000): 100円04銭0厘5毛 is 100.0405. None if the text is no price."""
    parts = re.fullmatch(_PRICE, text)
    if not parts:
        return None
    yen, sen, rin, mo = (int(part or 0) for part in parts.groups())
    return Decimal(yen) + Decimal(sen).scaleb(-2) + Decimal(rin).scaleb(-3) + Decimal(mo).scaleb(-4)


def percent(text: str) -> Decimal | None:
    """-0.1507% or ▲0.008%; a triangle is a minus, as is the mathematical sign. None if the text is no percentage."""
    if not re.fullmatch(PERCENT, text):
        return None
    return Decimal(re.sub("[−▲△]", "-", text[:-1]))
