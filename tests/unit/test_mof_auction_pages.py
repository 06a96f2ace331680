"""The Ministry's pages on the day of an auction: the figures that they show, or a refusal, and never other figures.

Written from the source's specification. Layouts vary as raw HTML may; figures are those published.
"""

import hashlib
import itertools
import random
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import auction_pages as pages
import pyarrow as pa
import pytest
from auction_pages import AUCTIONS, Auction, Entry, Page, Row, at, en, english, ja, japanese, second, with_body
from quickly import quickly
from toy_source import World

from jgb_assets.landing.land import Landed
from jgb_assets.sources.base import Arrival, Snapshot, SourceRejected
from jgb_assets.sources.mof_auction_pages import MofAuctionPages

SOURCE = MofAuctionPages()
TWENTY, TEN, FORTY = AUCTIONS["20y 2020-07-21"], AUCTIONS["10y 2026-06-02"], AUCTIONS["40y 2026-05-27"]
BILL, EARLIER, FIVE = AUCTIONS["tbill 2024-06-28"], AUCTIONS["10y 2023-03-02"], AUCTIONS["5y 2013-08-13"]
CLIMATE, LINKED = AUCTIONS["10y_climate 2025-10-21"], AUCTIONS["10y_inflation 2025-08-15"]
KINDS = pytest.mark.parametrize("auction", [TWENTY, TEN, FORTY, BILL], ids=lambda auction: auction.instrument)
# What a result page in English must have; the columns after these vary by tenor.
NEEDED = tuple(english(TWENTY).columns)[:13]


def land(folder: Path, *fetched: Page) -> Landed:
    world = World(folder, SOURCE)
    for page in fetched:
        world.publish(*page)
    return world.land()


@cache
def roles(day: date) -> dict[str, str]:
    """The files of a day and of its month, by address."""
    files = [file.of(of) for file in SOURCE.files for of in (day, day.replace(day=1))]
    return {url: file.role for file in files for url in file.urls}


def read(page: Page) -> tuple[dict[str, list[Row]], list[str]]:
    """The tables and warnings of one page, as a landing of nothing else would have them: read, then judged."""
    instant, url, body = page
    role = roles(instant.date())[url]
    files = {role: Snapshot(role, url, instant, hashlib.sha256(body).hexdigest(), body)}
    tables = SOURCE.parse(files)
    nothing = {spec.name: spec.empty() for spec in SOURCE.tables}
    added = {n: t.append_column("change", pa.array(["added"] * len(t), pa.string())) for n, t in tables.items()}
    warnings = SOURCE.gate(Arrival(files, frozenset(files), tables, nothing, added))
    return {name: table.to_pylist() for name, table in tables.items()}, warnings


def like(found: list[Row], expected: Row) -> list[Row]:
    """Rows in the columns of another row."""
    return [{name: row[name] for name in expected} for row in found]


def well_formed(error: SourceRejected, url: str) -> None:
    assert (error.source, error.url) == ("mof_auction_pages", url)
    assert all([error.role, error.place, error.expected, error.found, error.remedy])


def refused(page: Page, of: str = "") -> None:
    try:
        found = read(page)
    except SourceRejected as error:
        well_formed(error, page[1])
    else:
        pytest.fail(f"{of} was read: {found}")


def right_or_refused(page: Page, expected: Row, of: str = "", or_warned: bool = False) -> None:
    """``or_warned``: or not read at all, with a warning."""
    try:
        tables, warnings = read(page)
    except SourceRejected as error:
        well_formed(error, page[1])
    else:
        found = like(tables["results" if "bids_jpy_bn" in expected else "non_price_2"], expected)
        assert found == [expected] or (or_warned and warnings and not found), of


# --- figures as published ---------------------------------------------------------------------------------------

# each page in two layouts of three; nobody has seen how a Japanese page prints that no small bid came
USUAL = [(name, auction, n) for n, (name, auction) in enumerate(AUCTIONS.items()) if "_" not in name]
RIGHT = {
    **{
        f"en {k} {m % 3}": (en(a, layout=[*pages.ENGLISH][m % 3]), a.row("en")) for k, a, n in USUAL for m in (n, n + 1)
    },
    **{
        f"ja {k} {m % 3}": (ja(a, layout=[*pages.JAPANESE][m % 3]), a.row("ja"))
        for k, a, n in [*USUAL, ("10y_climate", CLIMATE, 0), ("5y_climate", AUCTIONS["5y_climate 2026-05-25"], 1)]
        for m in (n, n + 1)
        if a.non_competitive != "0"
    },
    **{
        f"later headings, {layout}": (en(FORTY, pages.by_yield(FORTY), layout), FORTY.row("en"))
        for layout in pages.ENGLISH
    },
    "no commas": (en(TEN, english(TEN).edit(bids="7003.1", accepted="1983.9")), TEN.row("en")),
    "option not used": (en(TWENTY, english(TWENTY, "0")), TWENTY.row("en", "0")),
    "option used": (en(TWENTY, english(TWENTY, "1146")), TWENTY.row("en", "1146")),
    **{
        f"not yet held: {dash}": (en(TWENTY, english(TWENTY).edit(non_price_2=dash)), TWENTY.row("en"))
        for dash in ["–", "-", "—", "―", "－", "", "&nbsp;"]
    },
    **{
        f"triangle {a.instrument}, {write.__name__}": (pages.with_text(write(a), "-0.", "▲0."), a.row(write.__name__))
        for a in (AUCTIONS["10y 2019-09-03"], AUCTIONS["tbill 2019-11-29"])
        for write in (en, ja)
    },
}


def test_the_fixtures_agree_with_the_formulae() -> None:
    assert [name for name, auction in AUCTIONS.items() if not pages.consistent(auction)] == []


def test_the_fixtures_hold_the_eras_that_misled_others() -> None:
    assert "平成65年3月20日" in japanese(AUCTIONS["40y 2013-08-20"]).render().decode()
    assert "令和元年9月3日入札" in japanese(AUCTIONS["10y 2019-09-03"]).render().decode()


@pytest.mark.parametrize(("page", "expected"), RIGHT.values(), ids=RIGHT)
def test_a_page_as_published_is_read(page: Page, expected: Row) -> None:
    assert like(read(page)[0]["results"], expected) == [expected]


@KINDS
def test_columns_are_found_by_their_headings_wherever_they_stand(auction: Auction) -> None:
    for seed in range(4):
        page = english(auction)
        names = list(page.columns)[::-1]
        if seed:
            random.Random(seed).shuffle(names)
        page.columns = {name: page.columns[name] for name in names}
        assert like(read(en(auction, page))[0]["results"], auction.row("en")) == [auction.row("en")], names


@pytest.mark.parametrize("numerals", [("Ⅱ", "II"), ("II", "II"), ("U", "II"), ("U", "U")])
@pytest.mark.parametrize("name", ["10y 2022-03-01", "40y 2013-08-20"])
def test_the_afternoon_page(name: str, numerals: tuple[str, str]) -> None:
    expected = AUCTIONS[name].afternoon_row()
    for layout in pages.JAPANESE:
        found, _ = read(second(AUCTIONS[name], pages.afternoon(AUCTIONS[name], *numerals), layout))
        assert (like(found["non_price_2"], expected), found["results"]) == ([expected], []), layout


# --- what is fetched, and what the logs say ---------------------------------------------------------------------


def test_a_row_is_traced_to_its_page_and_to_the_hour_of_its_publication(tmp_path: Path) -> None:
    [row] = land(tmp_path, en(TWENTY)).logs["results"].to_pylist()
    assert row["published_at"] == datetime(2020, 7, 21, 3, 35, tzinfo=UTC)  # 12:35 in Tokyo
    assert (row["change"], row["first_seen_at"], row["source_url"]) == ("added", at(TWENTY.day), pages.url_en(TWENTY))


@pytest.mark.parametrize("auction", [TWENTY, BILL], ids=["bond", "bill"])
def test_the_english_page_is_read_where_both_are_there(tmp_path: Path, auction: Auction) -> None:
    [row] = land(tmp_path, ja(auction), en(auction)).logs["results"].to_pylist()
    assert (row["language"], row["source_url"]) == ("en", pages.url_en(auction))


def test_the_japanese_page_of_the_afternoon_is_read_where_both_are_there(tmp_path: Path) -> None:
    other = (at(TWENTY.day, 7), pages.url_en(TWENTY, "a"), pages.to_participants(TWENTY).render())
    log = land(tmp_path, other, second(TWENTY)).logs["non_price_2"].to_pylist()
    assert [(row["non_price_2_jpy_bn"], row["source_url"]) for row in log] == [(114.6, pages.url_ja(TWENTY, "a"))]


def test_a_bond_its_afternoon_and_a_bill_on_one_day(tmp_path: Path) -> None:
    bond, bill = AUCTIONS["30y 2025-02-06"], AUCTIONS["tbill 2025-02-06"]
    logs = land(tmp_path, en(bond), en(bill), second(bond)).logs
    found = like(logs["results"].to_pylist(), bond.row("en"))
    assert sorted(found, key=lambda row: str(row["instrument"])) == [bond.row("en"), bill.row("en")]
    assert like(logs["non_price_2"].to_pylist(), bond.afternoon_row()) == [bond.afternoon_row()]


@pytest.mark.parametrize("days", [30, 360])
def test_a_page_of_the_last_year_is_found(tmp_path: Path, days: int) -> None:
    landed = land(tmp_path, (at(TWENTY.day + timedelta(days=days)), *ja(TWENTY)[1:]))
    assert like(landed.logs["results"].to_pylist(), TWENTY.row("ja")) == [TWENTY.row("ja")]


@KINDS
def test_the_japanese_page_is_read_where_the_english_one_is_refused(tmp_path: Path, auction: Auction) -> None:
    """English headings have changed before. The refused page is kept, and the check warns."""
    renamed = english(auction).edit(heading_low_price="Lowest Price Accepted (per 100 yen)")
    world = World(tmp_path, SOURCE)
    for page in (en(auction, renamed), ja(auction)):
        world.publish(*page)
    landed = world.land()
    assert like(landed.logs["results"].to_pylist(), auction.row("ja")) == [auction.row("ja")]
    assert [pages.url_ja(auction) in warning and "lowest_price" in warning for warning in landed.warnings] == [True]
    (kept,) = (world.data / "quarantine" / "mof_auction_pages").glob("*.bytes")
    assert kept.read_bytes() == renamed.render()
    again = world.land()
    assert (again.arrived, len(again.records), len(again.warnings)) == ([], 1, 1)
    with pytest.raises(SourceRejected):
        land(tmp_path / "alone", en(auction, renamed))


def test_nothing_published_is_no_row_and_no_error(tmp_path: Path) -> None:
    landed = land(tmp_path, (at(TWENTY.day), "https://www.mof.go.jp/index.htm", pages.ERROR))
    assert [landed.logs[name].num_rows for name in ("results", "non_price_2", "calendar")] == [0, 0, 0]


def test_a_refused_page_leaves_what_was_stored(tmp_path: Path) -> None:
    land(tmp_path, en(TWENTY))
    later = (at(TWENTY.day, 8), *with_body(en(TWENTY), pages.ERROR)[1:])
    with pytest.raises(SourceRejected) as caught:
        land(tmp_path, later)
    well_formed(caught.value, later[1])
    log = World(tmp_path, SOURCE).land(at(TWENTY.day, 7)).logs["results"].to_pylist()
    assert like(log, TWENTY.row("en")) == [TWENTY.row("en")]


def test_a_figure_filled_in_later_is_a_revision(tmp_path: Path) -> None:
    again, evening = (at(TWENTY.day, 6), *en(TWENTY)[1:]), at(TWENTY.day, 8)
    filled = (evening, pages.url_en(TWENTY), english(TWENTY, TWENTY.non_price_2).render())
    log = land(tmp_path, en(TWENTY), again, filled).logs["results"].to_pylist()
    assert [(row["change"], row["first_seen_at"], row["non_price_2_jpy_bn"]) for row in log] == [
        ("added", at(TWENTY.day), None),
        ("revised", evening, 114.6),
    ]


# --- liquidity enhancement --------------------------------------------------------------------------------------

JANUARY, JULY = date(2021, 1, 15), date(2010, 7, 16)


@pytest.mark.parametrize(
    ("page", "figures"),
    [
        (with_body(pages.on(ja(TWENTY), JANUARY), pages.liquidity_ja()), (2287.6, 497.6, -0.008, -0.008)),
        (with_body(pages.on(en(TWENTY), JULY), pages.liquidity_en()), (1169.3, 299.7, -0.007, -0.009)),
    ],
    ids=["ja", "en"],
)
def test_a_liquidity_auction_is_no_bond(page: Page, figures: tuple[float, ...]) -> None:
    (row,) = read(page)[0]["results"]
    names = ("bids_jpy_bn", "accepted_jpy_bn", "highest_spread_pct", "average_spread_pct")
    assert (row["instrument"], row["auction_date"]) == ("liquidity_enhancement", page[0].date())
    assert tuple(row[name] for name in names) == figures
    assert (row["lowest_price"], row["highest_yield_pct"], row["coupon_pct"]) == (None, None, None)


def test_the_list_of_issues_reopened_is_no_afternoon_page() -> None:
    """It stands at the same address as the afternoon page of a bond; a run must not stop at it."""
    assert read(with_body(pages.on(second(TWENTY), JANUARY), pages.reopened_ja()))[0]["non_price_2"] == []


# --- the calendar -----------------------------------------------------------------------------------------------

LANGUAGES = pytest.mark.parametrize("language", pages.FOLDERS)


def listed(found: list[Row]) -> list[tuple[object, ...]]:
    """A calendar's rows. Whether liquidity auctions are ours is left open."""
    names = ("auction_date", "instrument", "issue_number", "has_result", "has_non_price_2")
    values = [tuple(row[name] for name in names) for row in found]
    return sorted([(d, None if i == "liquidity_enhancement" else i, *rest) for d, i, *rest in values], key=repr)


def entered(entries: list[Entry]) -> list[tuple[object, ...]]:
    kinds = [None if entry.instrument == "liquidity" else entry.instrument for entry in entries]
    pairs = zip(entries, kinds, strict=True)
    return sorted([(e.day, kind, e.issue_number, e.result, e.non_price_2) for e, kind in pairs], key=repr)


@LANGUAGES
@pytest.mark.parametrize("absolute", [False, True])
def test_a_calendar(language: str, absolute: bool) -> None:
    """Two securities share a day; what is not fixed has no number; loans in the table below are none of ours."""
    found = read(pages.calendar(language, base=pages.FOLDERS[language] if absolute else ""))[0]["calendar"]
    assert listed(found) == entered(pages.SEPTEMBER)
    said = {"en": ("10-year", "Treasury Discount", "Liquidity"), "ja": ("10年利付国債", "国庫短期", "流動性")}[language]
    texts = " ".join(str(row["security"]) for row in found)
    assert [text for text in said if text not in texts] == []


@pytest.mark.parametrize(
    ("language", "month", "entries"),
    [
        ("en", "May 2019", pages.IN_SPRING),
        ("ja", "令和元年5月", pages.IN_SPRING),
        ("ja", "令和7年10月", pages.IN_AUTUMN),
    ],
)
def test_other_months_and_securities(language: str, month: str, entries: list[Entry]) -> None:
    found, _ = read(pages.calendar(language, entries, at(entries[-1].day), month=month))
    assert listed(found["calendar"]) == entered(entries)


def test_the_english_calendar_is_read_where_both_are_there(tmp_path: Path) -> None:
    landed = land(tmp_path, *[pages.calendar(language) for language in pages.FOLDERS])
    assert set(landed.logs["calendar"]["source_url"].to_pylist()) == {pages.calendar("en")[1]}


@LANGUAGES
def test_a_result_that_comes_out_revises_the_calendar(tmp_path: Path, language: str) -> None:
    day = date(2024, 9, 3)
    known = [(1, Entry(day, "10y", 375, result=False)), (8, Entry(day, "10y", 375, non_price_2=True))]
    landed = land(tmp_path, *[pages.calendar(language, [entry], at(day, hour)) for hour, entry in known])
    log, names = landed.logs["calendar"].to_pylist(), ("change", "has_result", "has_non_price_2")
    assert [tuple(row[n] for n in names) for row in log] == [("added", False, False), ("revised", True, True)]


@LANGUAGES
def test_a_calendar_cut_anywhere_is_whole_or_refused(language: str) -> None:
    page = pages.calendar(language)
    for n in range(32):
        try:
            found, _ = read(with_body(page, page[2][: len(page[2]) * n // 32]))
        except SourceRejected as error:
            well_formed(error, page[1])
        else:
            assert listed(found["calendar"]) == entered(pages.SEPTEMBER), n


# --- pages that are not what they should be ---------------------------------------------------------------------

MONTHS = {language: pages.calendar(language) for language in pages.FOLDERS}
ADDRESSES = {"bond": en(TWENTY), "bond, ja": ja(TWENTY), "afternoon": second(TWENTY), "bill": en(BILL)}
ADDRESSES |= {"bill, ja": ja(BILL), "calendar": MONTHS["en"], "calendar, ja": MONTHS["ja"]}
OTHER = [cell for _, cell in english(AUCTIONS["20y 2026-06-25"]).columns.values()]
SAME = [cell for _, cell in english(TWENTY).columns.values()]
REFUSED = {
    **{
        f"{k} at {place}": with_body(page, body)
        for place, page in ADDRESSES.items()
        for k, body in pages.BODIES.items()
    },
    **{
        f"calendar, {new}, {language}": pages.with_text(MONTHS[language], old, new)
        for language, old, new in pages.MOVES
    },
    "bond at the bills' address": with_body(pages.on(en(BILL), TWENTY.day), en(TWENTY)[2]),
    "bond at the bills' address, ja": with_body(pages.on(ja(BILL), TWENTY.day), ja(TWENTY)[2]),
    "bill at the bonds' address": with_body(pages.on(en(TWENTY), BILL.day), en(BILL)[2]),
    "bill at the bonds' address, ja": with_body(pages.on(ja(TWENTY), BILL.day), ja(BILL)[2]),
    "of another day": with_body(en(TEN), en(EARLIER)[2]),
    "of another day, ja": with_body(ja(TEN), ja(EARLIER)[2]),
    "of another day, bill": with_body(ja(BILL), ja(AUCTIONS["tbill 2019-11-29"])[2]),
    "of another day, afternoon": with_body(second(TEN), second(EARLIER)[2]),
    "a day early": pages.on(en(TEN), date(2026, 6, 1)),
    "a day early, ja": pages.on(ja(TEN), date(2026, 6, 1)),
    "calendar at the bonds' address": with_body(ja(TEN), MONTHS["ja"][2]),
    "afternoon Ⅱ as result": with_body(ja(TEN), second(TEN)[2]),
    "afternoon II as result": ja(TEN, pages.afternoon(TEN, "II", "Ⅱ"), "spans"),
    "afternoon U as result": ja(TEN, pages.afternoon(TEN, "U", "U"), "wide"),
    "result in the afternoon": with_body(second(TEN), ja(TEN)[2]),
    "result in the afternoon, navigation": with_body(second(TEN), ja(TEN, layout="wide")[2]),
    "result in the afternoon, en": pages.not_yet_held(TWENTY),
    "afternoon, other number": second(TEN, pages.afternoon(TEN).edit(name="利付国庫債券（10年）（第381回）")),
    "afternoon, other tenor": second(TEN, pages.afternoon(TEN).edit(name="利付国庫債券（5年）（第382回）")),
    "afternoon, other tenor in title": second(FIVE, pages.afternoon(FIVE).edit(title=("5年利付", "10年利付"))),
    "afternoon, no amount": second(TEN, pages.afternoon(TEN).edit(label_accepted="応募額")),
    "afternoon, unit": second(TEN, pages.afternoon(TEN).edit(accepted="1,270百万円")),
    "afternoon, two amounts": second(TEN, pages.afternoon(TEN).edit(label_price="募入決定額")),
    "unlikely size": with_body(en(TWENTY), en(TWENTY)[2] + b"<!--" + b"-" * 300_000 + b"-->"),
    **{f"title {new}": en(TWENTY, english(TWENTY).edit(title=(old, new))) for old, new in pages.TITLES},
    **{f"title {new}": ja(TEN, japanese(TEN).edit(title=(old, new))) for old, new in pages.TITLES_JA},
    "10-year of 20 years": en(TWENTY, english(TWENTY).edit(title=("20-Year", "10-Year"), security="10-year")),
    **{
        f"{name} in {unit}": en(TWENTY, pages.in_unit(english(TWENTY, "1146"), name, unit))
        for name, unit in pages.UNITS
    },
    "two rows": en(TWENTY, pages.with_row(english(TWENTY), OTHER)),
    "two rows, ours below": en(TWENTY, pages.with_row(english(TWENTY), OTHER, below=False)),
    **{f"two auctions, {k}": pages.both(en(TEN, layout=k), en(EARLIER, layout=k)) for k in pages.ENGLISH},
    **{f"two auctions, ja {k}": pages.both(ja(TEN, layout=k), ja(EARLIER, layout=k)) for k in pages.JAPANESE},
    **{f"two tables, {k}": pages.with_table(en(TEN, layout=k), en(EARLIER, layout=k)) for k in ("plain", "wide")},
    **{f"two tables, ja {k}": pages.with_table(ja(TEN, layout=k), ja(EARLIER, layout=k)) for k in ("spans", "wide")},
}


@pytest.mark.parametrize("page", REFUSED.values(), ids=REFUSED)
def test_what_is_not_the_page_is_refused(page: Page) -> None:
    refused(page)


OLD_BYTES = ja(TEN)[2].decode().replace("UTF-8", "Shift_JIS").encode("cp932")
LINKED_JA = japanese(LINKED).edit(label_low_price="募入最低価格", label_high_yield="募入最高利回り")
AFTERNOON_EN = (at(TWENTY.day, 7), pages.url_en(TWENTY, "a"), pages.to_participants(TWENTY).render())
DOUBTFUL = {
    # how English pages name the first three was never seen, nor an English page of the afternoon
    "climate": (en(CLIMATE), CLIMATE.row("en")),
    "climate, later headings": (en(CLIMATE, pages.by_yield(CLIMATE)), CLIMATE.row("en")),
    "inflation-linked": (en(LINKED), LINKED.row("en")),
    "afternoon": (AFTERNOON_EN, TWENTY.afternoon_row()),
    "afternoon as result": (with_body(en(TWENTY), AFTERNOON_EN[2]), TWENTY.row("en", "1146")),
    "no averages": (en(FORTY, pages.without(pages.by_yield(FORTY), *NEEDED[-2:])), FORTY.row("en")),
    "row repeated": (en(TWENTY, pages.with_row(english(TWENTY), SAME)), TWENTY.row("en")),
    "old encoding": (with_body(ja(TEN), OLD_BYTES), TEN.row("ja")),
}
# a Japanese page of the inflation-linked bond, and what an afternoon page says when nobody bid, were never seen either
UNSEEN = {"inflation-linked": (ja(LINKED, LINKED_JA), LINKED.row("ja"))} | {
    text: (second(TEN, pages.afternoon(TEN).edit(accepted=text)), TEN.afternoon_row() | {"non_price_2_jpy_bn": None})
    for text in ("－", "―", "応募なし", "")
}


@pytest.mark.parametrize(("page", "expected"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_may_be_read_otherwise_is_right_or_refused(page: Page, expected: Row) -> None:
    right_or_refused(page, expected)


@pytest.mark.parametrize(("page", "expected"), UNSEEN.values(), ids=UNSEEN)
def test_what_was_never_seen_is_right_or_refused_or_left_with_a_warning(page: Page, expected: Row) -> None:
    right_or_refused(page, expected, or_warned=True)


@pytest.mark.parametrize("part", ["title", "dated", "day"])
def test_a_heading_that_contradicts_the_others_is_right_or_refused(part: str) -> None:
    for before, after in pages.TITLES_JA[:4]:
        page = japanese(TEN)
        setattr(page, part, getattr(page, part).replace(before, after))
        right_or_refused(ja(TEN, page), TEN.row("ja"), of=after)


@pytest.mark.parametrize("shape", range(3))
def test_a_page_cut_anywhere_is_right_or_refused(shape: int) -> None:
    for page, language in [
        (en(TEN, layout=[*pages.ENGLISH][shape]), "en"),
        (ja(TEN, layout=[*pages.JAPANESE][shape]), "ja"),
    ]:
        for n in range(32):
            cut = page[2][: len(page[2]) * n // 32]
            right_or_refused(with_body(page, cut), TEN.row(language), of=f"{n} of 32, {language}")


@KINDS
def test_a_page_that_lost_some_of_its_tags_is_right_or_refused(auction: Auction) -> None:
    chance = random.Random(1979)
    shapes = [*((en, "en", layout) for layout in pages.ENGLISH), *((ja, "ja", layout) for layout in pages.JAPANESE)]
    for write, language, layout in shapes:
        page = write(auction, None, layout)
        tags = re.split(r"(<[^>]+>)", page[2].decode())
        for n in range(6):
            lost = chance.sample(range(1, len(tags), 2), chance.choice([1, 2, 5]))
            rest = "".join("" if place in lost else text for place, text in enumerate(tags))
            right_or_refused(with_body(page, rest.encode()), auction.row(language), of=f"{n}, {language}: {rest}")


# --- pages falsified: as the true figures cannot be read from them, right or refused is refused -------------------

DAMAGES: dict[str, Callable[[dict[str, list[str]], str], object]] = {
    "gone": lambda parts, name: parts.pop(name),
    "label gone": lambda parts, name: parts[name].__setitem__(-2, ""),
    "value blank": lambda parts, name: parts[name].__setitem__(-1, ""),
    "value a dash": lambda parts, name: parts[name].__setitem__(-1, "－"),
    "value a text": lambda parts, name: parts[name].__setitem__(-1, "n.a."),
}


def line_names(a: Auction) -> list[str]:
    """The lines before the sections on non-competitive bids, which bear the same labels."""
    return [name for name in japanese(a).lines if not name.startswith(("law", "non_competitive", "non_price"))]


def column_names(a: Auction) -> list[str]:
    return [name for name in NEEDED if name in english(a).columns]


@pytest.mark.parametrize("damage", DAMAGES)
@KINDS
def test_a_page_without_what_it_must_have_is_refused(auction: Auction, damage: str) -> None:
    """What its title and address say too may be read from there; no value where none belongs is no damage."""
    for name in column_names(auction):
        page = english(auction)
        DAMAGES[damage](page.columns, name)
        right_or_refused(en(auction, page), auction.row("en"), of=name)
    for name in line_names(auction):
        other = japanese(auction)
        DAMAGES[damage](other.lines, name)
        right_or_refused(ja(auction, other), auction.row("ja"), of=name)


@KINDS
def test_figures_under_an_unknown_heading_are_not_passed_over_in_silence(auction: Auction) -> None:
    """What follows the competitive auction varies by tenor, so a heading may be new; its figure is not lost unseen."""
    expected, other = auction.row("en", auction.non_price_2), auction.row("ja")
    doubtful = [
        *((name, english(auction, auction.non_price_2), en, expected) for name in english(auction).columns),
        *((name, japanese(auction), ja, other) for name, line in japanese(auction).lines.items() if line[1]),
    ]
    for name, page, write, wanted in doubtful:
        if name.startswith("non_"):
            label = "Amounts of Other Bids (billion yen)" if write is en else "特別入札について"
            page.edit(**{("heading_" if write is en else "label_") + name: label})
            try:
                tables, warnings = read(write(auction, page))
            except SourceRejected as error:
                well_formed(error, write(auction)[1])
            else:
                assert warnings or like(tables["results"], wanted) == [wanted], name


@KINDS
def test_a_label_twice_in_its_section_is_refused(auction: Auction) -> None:
    for name in column_names(auction):
        page = english(auction)
        page.columns = pages.doubled(page.columns, name)
        refused(en(auction, page), of=name)
    for name in line_names(auction):
        other = japanese(auction)
        other.lines = pages.doubled(other.lines, name)
        if name not in ("allotment", "allotment_2", "high_yield_2"):  # halves of labels
            refused(ja(auction, other), of=name)


@KINDS
def test_values_under_each_others_labels_are_refused(auction: Auction) -> None:
    for name, other in itertools.combinations(column_names(auction), 2):
        columns = (page := english(auction)).columns
        if columns[name][1] != columns[other][1]:
            page.edit(**{name: columns[other][1], other: columns[name][1]})
            right_or_refused(en(auction, page), auction.row("en"), of=f"{name}, {other}")
    for name, other in itertools.combinations(line_names(auction), 2):
        lines = (mixed := japanese(auction)).lines
        if lines[name][2] and lines[other][2]:
            mixed.edit(**{name: lines[other][2], other: lines[name][2]})
            right_or_refused(ja(auction, mixed), auction.row("ja"), of=f"{name}, {other}")


def test_lowest_and_average_exchanged_together_are_refused() -> None:
    exchanged = {"low_price": "99.70", "average_price": "99.65", "high_yield": "0.416%", "average_yield": "0.419%"}
    refused(en(TWENTY, english(TWENTY).edit(**exchanged)))
    averages = english(FORTY).edit(average_price=FORTY.low_price, average_yield=f"{FORTY.high_yield}%")
    refused(en(FORTY, averages))


@pytest.mark.parametrize(("name", "text"), [(k, text) for k, texts in pages.FALSE.items() for text in texts.split()])
def test_a_falsified_cell_is_refused(name: str, text: str) -> None:
    refused(en(AUCTIONS[name], english(AUCTIONS[name]).edit(**dict([text.split("=")]))))


@pytest.mark.parametrize("layout", pages.JAPANESE)
def test_a_falsified_line_is_refused(layout: str) -> None:
    for text in pages.FALSE_JA.split():
        refused(ja(TEN, japanese(TEN).edit(**dict([text.split("=")])), layout), of=text)


# --- figures that no arithmetic holds, and texts without an end ---------------------------------------------------


@pytest.mark.parametrize("digits", [13, 400, 5_000])
def test_a_figure_longer_than_any_is_refused(digits: int) -> None:
    long = "9" * digits
    for name in ("bids", "low_price", "high_yield", "coupon", "issue_number"):
        refused(
            en(TWENTY, english(TWENTY).edit(**{name: long + ("%" if name in ("high_yield", "coupon") else "")})), name
        )
    for name, text in {"bids": f"{long}兆円", "high_yield": f"（{long}％）", "coupon": f"年{long}パーセント"}.items():
        refused(ja(TEN, japanese(TEN).edit(**{name: text})), name)
    refused(ja(TEN, japanese(TEN).edit(title=("382", long), name=f"利付国庫債券（10年）（第{long}回）")))
    refused(second(TEN, pages.afternoon(TEN).edit(title=("382", long), name=f"利付国庫債券（10年）（第{long}回）")))


@pytest.mark.parametrize(
    "cell", ["low_price=99.65001", "average_price=99.70001", "high_yield=0.41900%", "coupon=0.40001%"]
)
def test_a_fifth_decimal_is_refused_before_any_formula_sees_it(cell: str) -> None:
    """Published yields are recomputed in whole numbers of the fourth decimal; there is none for a fifth."""
    refused(en(TWENTY, english(TWENTY).edit(**dict([cell.split("=")]))))


@pytest.mark.parametrize("spread", ["9" * 400 + "%", "0.00001%"])
def test_a_spread_longer_than_any_is_left_unread_with_a_warning(spread: str) -> None:
    """Nobody has verified these pages: they never stop the rest."""
    page = pages.on(
        (*en(TWENTY)[:2], pages.liquidity_en().replace("▲0.007%".encode(), spread.encode())), date(2010, 7, 16)
    )
    tables, warnings = read(page)
    assert not tables["results"]
    assert any("highest_spread_pct" in warning for warning in warnings)


@pytest.mark.parametrize("language", pages.FOLDERS)
@pytest.mark.parametrize(
    "number", [10_000, 2**31, 10**19, 10**5_000], ids=["5 digits", "31 bits", "20 digits", "5,000"]
)
def test_an_issue_number_longer_than_any_is_refused_in_the_calendar(language: str, number: int) -> None:
    with_digits = "9" * 5_001 if number > 10**20 else str(number)
    refused(pages.with_text(pages.calendar(language), "375", with_digits), language)


@pytest.mark.parametrize("link", ["http://[", "//[::1/resul20240903.htm"])
def test_a_link_that_is_no_address_is_refused(link: str) -> None:
    page = pages.calendar("en")
    body = re.sub(rb'href="[^"]*resul20240903.htm"', f'href="{link}"'.encode(), page[2])
    assert body != page[2]
    refused(with_body(page, body))


@pytest.mark.parametrize("amount", ["-0.1", "100,000.0"])
def test_an_afternoon_of_less_than_nothing_or_more_than_all_is_refused(amount: str) -> None:
    shown = pages.to_participants(TWENTY).edit(non_price_2=amount)
    refused((at(TWENTY.day, 7), pages.url_en(TWENTY, "a"), shown.render()))


@pytest.mark.parametrize("piece", ["yen", "(", "non-price ii", "non price"])
def test_a_heading_without_an_end_is_refused_in_no_time(piece: str) -> None:
    page = en(TWENTY, english(TWENTY).edit(heading_bids="(" + piece * (200_000 // len(piece))))
    with quickly():
        refused(page, piece)


@pytest.mark.parametrize("piece", ["訂正", "1円", "(", "9", "兆", "|", "1."])
def test_a_value_without_an_end_is_refused_or_passed_over_in_no_time(piece: str) -> None:
    long = piece * (200_000 // len(piece.encode()))
    with quickly():
        refused(ja(TEN, japanese(TEN).edit(bids=long)))
    with quickly():
        right_or_refused(ja(TEN, japanese(TEN).edit(bids=f"7兆31億円（{long}")), TEN.row("ja"))


def test_a_page_whose_title_is_gone_is_refused_with_something_found() -> None:
    refused(with_body(second(TEN), b"<html><body><p></p></body></html>"))
