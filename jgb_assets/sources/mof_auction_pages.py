"""Ministry of Finance Japan, the pages of each auction: its result within the hour, and the month's calendar.

Belongs here: which pages are asked for, their tables, and the gate. Not here: how a page is read
(``mof_auction_english``, ``mof_auction_japanese``); the historical workbook, which takes over about a month later;
covers and tails, which are derived tables.

Every yield must be that of its price. What nobody has verified (liquidity-enhancement auctions, inflation-linked bonds)
is read if it can be, and never stops the rest.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache

import numpy as np
import pyarrow as pa

from jgb_assets.analytics.bond_yields import (
    PER_UNIT,
    days_between,
    price_from_compound_yield,
    published_bill_yield_pct,
    published_simple_yield_pct,
    term_days,
)
from jgb_assets.sources.base import (
    AT,
    CONFIRM,
    TIMESTAMP,
    Arrival,
    Due,
    PublishedFile,
    Snapshot,
    Source,
    SourceRejected,
    TableSpec,
    kind,
)
from jgb_assets.sources.calendars import TOKYO, at, is_tokyo_session
from jgb_assets.sources.html_pages import Page
from jgb_assets.sources.mof_auction_english import English
from jgb_assets.sources.mof_auction_japanese import Japanese
from jgb_assets.sources.mof_auction_layouts import (
    BILL,
    BILL_EN,
    BILL_JA,
    BILL_RESULTS,
    BOND_EN,
    BOND_JA,
    CALENDAR,
    EN,
    FIELDS,
    ISSUED_WITHIN,
    JA,
    PRICE_COMPETITIVE,
    RESULTS,
    SECOND,
    TENORS_YEARS,
    UNVERIFIED,
    YIELD_COMPETITIVE,
    Read,
    Row,
)

RANGES = {  # lowest and highest real value since 2015: prices 81.95 and 112.7, covers 2.1 and 7.6
    "coupon_pct": (0, 9),
    "lowest_price": (60, 130),
    "average_price": (60, 130),
    "highest_yield_pct": (-1.5, 10),
    "average_yield_pct": (-1.5, 10),
    "allotment_at_lowest_pct": (0, 100),
}
# A reopened issue is shorter than its tenor: since 2007 plain bonds have 0.94 to 1.01 of it, the others 0.87 and more.
TERM_OF_TENOR, TERM_OF_OTHERS = (0.9, 1.015), (0.7, 1.015)
BILL_TERM_DAYS = (50, 372)
STEPS = {  # of the figure that is bid
    **{bond: {"lowest_price": 0.05} for bond in ("20y", "30y", "10y_inflation")},
    **{bond: {"lowest_price": 0.01} for bond in ("5y", "10y")},
    "2y": {"lowest_price": 0.005},
    "40y": {"highest_yield_pct": 0.005},
    **{bond: {"highest_yield_pct": 0.001} for bond in ("5y_climate", "10y_climate")},
    BILL: {"lowest_price": 0.0005},
}
MAX_COVER, MAX_COVER_OF_BILLS = 15, 1500  # bills in 2005 had 1,081
MAX_NON_PRICE_OF_ACCEPTED = 0.5  # a quarter of the offer goes to auction I, 15 percent to II: 0.33 and 0.19 of accepted
PRICE_ROOM = 0.01 + 1e-9  # between a bid yield's price and the printed one, of 106 auctions one is a step off
TOO_MUCH_BN = 1e5
MONTHS_ASKED = (-2, -1, 0, 1)  # the workbook is up to two months behind; the next month is listed ahead
HELD_TWICE = frozenset({*PRICE_COMPETITIVE, "40y"})  # with a non-price-competitive auction II in the afternoon
ASKED_AGAIN = timedelta(days=3)  # a page that was put right was put right soon
GIVEN_UP_AFTER = timedelta(days=7)  # called off, or left to the workbook
LONGEST_PAUSE = timedelta(days=21)  # between two auctions of any bond: 19 days since 2015

_PAGE = [pa.field("published_at", TIMESTAMP), pa.field("language", pa.string()), pa.field("page", pa.string())]
_KEY = [pa.field("instrument", pa.string(), nullable=False), pa.field("auction_date", pa.date32(), nullable=False)]

AUCTIONS = TableSpec(
    name="results",
    description="One row for each result page: amounts in billion yen, prices per 100 yen, rates in percent.",
    schema=pa.schema([*_KEY, *(pa.field(name, type_) for name, type_ in FIELDS.items()), *_PAGE]),
    key=("instrument", "auction_date"),
    values=tuple(FIELDS),
    observation_date="auction_date",
    roles=(RESULTS, BILL_RESULTS),
    role_column="page",
)
SECOND_AUCTIONS = TableSpec(
    name="non_price_2",
    description="One row for each page of a non-price-competitive auction II, held in the afternoon: billion yen.",
    schema=pa.schema(
        [*_KEY, pa.field("issue_number", pa.int32()), pa.field("non_price_2_jpy_bn", pa.float64()), *_PAGE]
    ),
    key=("instrument", "auction_date"),
    values=("issue_number", "non_price_2_jpy_bn"),
    observation_date="auction_date",
    roles=(SECOND,),
    role_column="page",
)
LISTED = TableSpec(
    name="calendar",
    description="One row for each auction that a month's calendar lists, and whether it links to its results yet.",
    schema=pa.schema(
        [
            pa.field("auction_date", pa.date32(), nullable=False),
            pa.field("security", pa.string(), nullable=False),
            pa.field("instrument", pa.string()),
            pa.field("issue_number", pa.int32()),
            pa.field("has_result", pa.bool_()),
            pa.field("has_non_price_2", pa.bool_()),
            *_PAGE[1:],
        ]
    ),
    key=("auction_date", "security"),
    values=("instrument", "issue_number", "has_result", "has_non_price_2"),
    observation_date=None,
    roles=(CALENDAR,),
    role_column="page",
)

AGES_DAYS = {AUCTIONS.name: (LONGEST_PAUSE.days + 2, 35)}


class MofAuctionPages(Source):
    """See the module."""

    name = "mof_auction_pages"
    title = "JGB auction pages"
    producer = "Ministry of Finance, Japan"
    homepage = EN + "index.htm"
    licence = "Public Data License 1.0 (attribution, note of edits; compatible with CC BY 4.0)"
    citation = (
        f"Source: Ministry of Finance Japan, JGB auction calendar and results ({homepage}), Public Data License 1.0; "
        "processed."
    )
    cadence = "each auction, several a month"
    publication = "12:35 Asia/Tokyo on the auction date, the non-price-competitive auction II at 15:15"
    files = (
        PublishedFile(
            RESULTS,
            (BOND_EN + ".htm", BOND_JA + ".htm"),
            ".htm",
            "The result of a bond auction, one page a day. Liquidity-enhancement auctions and inflation-linked bonds "
            "have layouts that nobody has verified: they are published only with JGB_INCLUDE_UNVERIFIED.",
            dated=True,
        ),
        PublishedFile(
            BILL_RESULTS,
            (BILL_EN + ".htm", BILL_JA + ".htm"),
            ".htm",
            "The result of a Treasury bill auction, one page a day.",
            dated=True,
        ),
        PublishedFile(  # the Japanese layout is the known one
            SECOND,
            (BOND_JA + "a.htm", BOND_EN + "a.htm"),
            ".htm",
            "What primary dealers took at the average price in the afternoon (non-price-competitive auction II).",
            dated=True,
        ),
        PublishedFile(
            CALENDAR,
            (EN + "{day:%y%m}e.htm", JA + "{day:%y%m}.htm"),
            ".htm",
            "A month's auctions, with links to what is out.",
            dated=True,
        ),
    )
    tables = (AUCTIONS, SECOND_AUCTIONS, LISTED)
    zone = TOKYO
    polls = ("40 12 * * 1-5", "10 13 * * 1-5", "20 15 * * 1-5", "50 15 * * 1-5")
    longest_pause = timedelta(days=12)  # between two auctions, with those of bills: New Year and Golden Week
    ages_days = AGES_DAYS
    pause_seconds = 1.2
    bypass_caches = True

    def asks(self, answered: Mapping[str, Snapshot], stored: Collection[str], today: date) -> Iterator[PublishedFile]:
        """The calendars around this month, then the results that they link to, once each but for the newest."""
        files = {file.role: file for file in self.files}
        for month in MONTHS_ASKED:
            number = today.year * 12 + today.month - 1 + month
            yield files[CALENDAR].of(date(number // 12, number % 12 + 1, 1))
        for listing in self._listed_in(answered):
            day, instrument = listing["auction_date"], listing["instrument"]
            results = BILL_RESULTS if instrument == BILL else RESULTS if instrument in TENORS_YEARS else None
            pages = [
                *([results] if results and listing["has_result"] else []),
                *([SECOND] if listing["has_non_price_2"] and instrument in HELD_TWICE else []),
            ]
            for page in pages:
                file = files[page].of(day)
                if file.role not in stored or today - day <= ASKED_AGAIN:
                    yield file

    def _listed_in(self, answered: Mapping[str, Snapshot]) -> list[Row]:
        """The auctions of the calendars that answered; one that is refused is for ``parse`` to refuse."""
        listed: list[Row] = []
        for role in sorted(answered):
            if kind(role) == CALENDAR:
                try:
                    listed += _read(self, answered[role]).rows
                except SourceRejected:
                    continue
        return listed

    def parse(self, files: Mapping[str, Snapshot]) -> dict[str, pa.Table]:
        """Read every page by its labels."""
        rows: dict[str, list[Row]] = {spec.name: [] for spec in self.tables}
        for role in sorted(files):
            (table,) = (spec.name for spec in self.tables if kind(role) in spec.roles)
            rows[table] += _read(self, files[role]).rows
        return {
            spec.name: pa.Table.from_pylist(rows[spec.name], schema=spec.schema).sort_by(
                [(name, "ascending") for name in reversed(spec.key)]
            )
            for spec in self.tables
        }

    def gate(self, arrival: Arrival) -> list[str]:
        """Refuse a result that is dated ahead, whose yields are not its prices', or that another page contradicts."""
        results = arrival.tables[AUCTIONS.name].to_pylist()
        listed = arrival.tables[LISTED.name].to_pylist()
        bonds = {row["auction_date"]: row for row in results if row["instrument"] != BILL}
        stored = [row for spec in (AUCTIONS, SECOND_AUCTIONS) for row in arrival.stored[spec.name].to_pylist()]
        seconds = {row["auction_date"]: row for row in arrival.tables[SECOND_AUCTIONS.name].to_pylist()}
        changes = [
            row
            for spec in (AUCTIONS, SECOND_AUCTIONS)
            for row in arrival.changes[spec.name].to_pylist()
            if row["change"] != "withdrawn"
        ]
        for row in changes:
            file, day = arrival.files[row["page"]], row["auction_date"]
            if kind(row["page"]) == SECOND:
                problems = list(_contradicted(row, bonds.get(day)))
            else:
                listings = [other for other in listed if _is_of(other, row)]
                problems = list(_impossible(row, file, listings))
                if row["instrument"] != BILL and day in seconds:
                    problems += _contradicted(seconds[day], row)
            for place, expected, found in problems:
                raise self.rejected(file, place=place, expected=expected, found=found, remedy=CONFIRM)
        newest = max((file.retrieved_at for file in arrival.files.values()), default=None)
        return [
            *(
                f"{row['instrument']} of {row['auction_date']} was rewritten"
                for row in changes
                if row["change"] == "revised" and _tells_otherwise(row, stored)
            ),
            *(
                note
                for file in arrival.files.values()
                if file.retrieved_at == newest
                for note in _read(self, file).notes
            ),
        ]

    def next_expected_at(self, newest_observation: date) -> datetime:
        """12:35 Tokyo, three weeks on: no pause between two auctions of any bond is longer."""
        return at(newest_observation + LONGEST_PAUSE, 12, 35, TOKYO)

    def is_open(self, day: date) -> bool:
        """On sessions: only then are there auctions."""
        return is_tokyo_session(day)

    def due(self, now: datetime, tables: Mapping[str, pa.Table]) -> Due:
        """When a listed auction's result should be out and is not here, or the month's calendar is not."""
        today = now.astimezone(TOKYO).date()
        if not self.is_open(today):
            return Due(False, f"{today:%A %Y-%m-%d} is no Tokyo session: no auction")
        listed = tables[LISTED.name].to_pylist()
        if f"{today:%Y-%m}" not in {f"{row['auction_date']:%Y-%m}" for row in listed}:
            return Due(True, f"the calendar of {today:%Y-%m} is not here yet")
        here = {
            name: {(row["instrument"], row["auction_date"]) for row in tables[name].to_pylist()}
            for name in (AUCTIONS.name, SECOND_AUCTIONS.name)
        }
        awaited = []
        for row in listed:
            day, instrument = row["auction_date"], row["instrument"]
            for name, hour, minute, instruments in (
                (AUCTIONS.name, 12, 35, {BILL, *TENORS_YEARS} - {*UNVERIFIED}),
                (SECOND_AUCTIONS.name, 15, 15, HELD_TWICE),
            ):
                if instrument in instruments and (instrument, day) not in here[name] and today - day <= GIVEN_UP_AFTER:
                    awaited.append((at(day, hour, minute, TOKYO), f"{name} of the {instrument} auction of {day}"))
        out = [what for instant, what in sorted(awaited) if instant <= now]
        if out:
            return Due(True, "not here yet: " + "; ".join(out))
        following = f"{min(awaited)[1]}" if awaited else "none is listed"
        return Due(False, f"nothing is due; next: {following}")


@lru_cache(maxsize=4096)  # the same bytes say the same: each page is read once a process, however often all are asked
def _read(source: Source, file: Snapshot) -> Read:
    reader = English if "/english/" in file.url else Japanese
    return reader(source, file, Page(source, file), date.fromisoformat(file.role.partition(AT)[2])).read()


def _tells_otherwise(row: Row, stored: list[Row]) -> bool:
    """Not so if the morning's page has only learnt of the non-price-competitive auction II in the afternoon."""
    before = [other for other in stored if _is_of(other, row) and kind(other["page"]) == kind(row["page"])]
    return any(
        other[name] != row[name]
        for other in before
        for name in FIELDS
        if name in other and not (name == "non_price_2_jpy_bn" and other[name] is None)
    )


def _is_of(listing: Row, row: Row) -> bool:
    return bool(listing["auction_date"] == row["auction_date"] and listing["instrument"] == row["instrument"])


def _impossible(row: Row, file: Snapshot, listings: list[Row]) -> Iterator[tuple[str, str, str]]:
    """Place, what was expected and what was found, where a result cannot be right."""
    today = file.retrieved_at.astimezone(TOKYO).date()
    if row["auction_date"] > today:
        yield "auction_date", f"no auction after the day of retrieval, {today} in Tokyo", f"{row['auction_date']}"
    if row["instrument"] in UNVERIFIED:  # never stops the rest
        return
    for name in ("auction_date", "issue_date"):
        if not is_tokyo_session(row[name]):
            yield name, "a Tokyo business day", f"{row[name]:%A %Y-%m-%d}"
    for name, (least, most) in RANGES.items():
        if row[name] is not None and not least <= row[name] <= most:
            yield name, f"{least:g} to {most:g}", f"{row[name]:g}"
    max_cover = MAX_COVER_OF_BILLS if row["instrument"] == BILL else MAX_COVER
    if not 0 < row["accepted_jpy_bn"] < TOO_MUCH_BN or row["bids_jpy_bn"] > max_cover * row["accepted_jpy_bn"]:
        cover = f"{row['bids_jpy_bn']:g} for {row['accepted_jpy_bn']:g}"
        yield "bids_jpy_bn", f"bids of at most {max_cover} times what was accepted", cover
    yield from _of_another_term(row)
    yield from _off_the_grid(row)
    yield from _misplaced(row)
    yield from _unlike_its_price(row)
    numbers = {listing["issue_number"] for listing in listings} or {None}
    if not numbers & {None, row["issue_number"]}:
        yield "issue_number", f"one of {sorted(numbers)}, as the calendar lists", f"{row['issue_number']}"


def _of_another_term(row: Row) -> Iterator[tuple[str, str, str]]:
    """Days that are not those of the instrument."""
    if row["issue_date"] - row["auction_date"] > ISSUED_WITHIN:
        yield "issue_date", f"at most {ISSUED_WITHIN.days} days after the auction", f"{row['issue_date']}"
    bounds = TERM_OF_TENOR if row["instrument"] in ("40y", *PRICE_COMPETITIVE) else TERM_OF_OTHERS
    tenor_days = 365.25 * TENORS_YEARS.get(row["instrument"], 0)
    least, most = BILL_TERM_DAYS if row["instrument"] == BILL else (bound * tenor_days for bound in bounds)
    days = (row["maturity_date"] - row["issue_date"]).days
    if not least <= days <= most:
        yield "maturity_date", f"a term of {row['instrument']}, {least:.0f} to {most:.0f} days", f"{days}"


def _misplaced(row: Row) -> Iterator[tuple[str, str, str]]:
    """Amounts that have changed places: since 2015 none of these has been so large, or missing."""
    small, first, second = (row[f"{name}_jpy_bn"] for name in ("non_competitive", "non_price_1", "non_price_2"))
    for name, amount in (("non_price_1_jpy_bn", first), ("non_price_2_jpy_bn", second)):
        if amount is not None and not 0 <= amount <= MAX_NON_PRICE_OF_ACCEPTED * row["accepted_jpy_bn"]:
            yield name, f"at most half of what was accepted, {row['accepted_jpy_bn']:g}", f"{amount:g}"
    if small is not None and first is not None and not 0 <= small < first:
        yield "non_competitive_jpy_bn", f"small lots below non-price-competitive auction I, {first:g}", f"{small:g}"
    if second is not None and first is None and row["instrument"] in PRICE_COMPETITIVE:
        yield "non_price_1_jpy_bn", "an amount: auction II comes after it", "none"


def _off_the_grid(row: Row) -> Iterator[tuple[str, str, str]]:
    """Bids come in steps: every figure since each step began is a multiple of it."""
    for name, step in STEPS.get(row["instrument"], {}).items():
        if row[name] is not None and round(row[name] * PER_UNIT) % round(step * PER_UNIT):
            yield name, f"a multiple of {step:g}", f"{row[name]:g}"


def _unlike_its_price(row: Row) -> Iterator[tuple[str, str, str]]:
    """Published yields are cut from that of their price; where the yield was bid, the price is the yield's."""
    issued, matures = np.datetime64(row["issue_date"]), np.datetime64(row["maturity_date"])
    if row["instrument"] in YIELD_COMPETITIVE:
        implied = float(price_from_compound_yield(row["highest_yield_pct"], row["coupon_pct"], issued, matures))
        if abs(implied - row["lowest_price"]) > PRICE_ROOM:
            yield (
                "lowest_price",
                f"{implied:.4f}, the price of {row['highest_yield_pct']:g} %",
                f"{row['lowest_price']:g}",
            )
        return
    for price, published in (("lowest_price", "highest_yield_pct"), ("average_price", "average_yield_pct")):
        if row[price] is None or row[published] is None:
            continue
        if row["instrument"] == BILL:
            implied = float(published_bill_yield_pct(row[price], days_between(issued, matures)))
        else:
            implied = float(published_simple_yield_pct(row[price], row["coupon_pct"], term_days(issued, matures)))
        if implied != row[published]:
            yield published, f"{implied:g}, the yield of {row[price]:g}", f"{row[published]:g}"


def _contradicted(row: Row, result: Row | None) -> Iterator[tuple[str, str, str]]:
    """The second page of the day is of the same issue as the first, and says no other amount."""
    if not 0 <= (row["non_price_2_jpy_bn"] or 0) < TOO_MUCH_BN:
        yield "non_price_2_jpy_bn", f"0 to {TOO_MUCH_BN:g}", f"{row['non_price_2_jpy_bn']:g}"
    if result is None:
        return
    for name in ("instrument", "issue_number"):
        if row[name] != result[name]:
            yield name, f"{result[name]}, as the result page of the day", f"{row[name]}"
    if None not in (told := {row["non_price_2_jpy_bn"], result["non_price_2_jpy_bn"]}) and len(told) > 1:
        yield (
            "non_price_2_jpy_bn",
            f"{result['non_price_2_jpy_bn']:g}, as the result page",
            f"{row['non_price_2_jpy_bn']:g}",
        )
    if (row["non_price_2_jpy_bn"] or 0) > MAX_NON_PRICE_OF_ACCEPTED * result["accepted_jpy_bn"]:
        accepted = f"at most half of what was accepted, {result['accepted_jpy_bn']:g}"
        yield "non_price_2_jpy_bn", accepted, f"{row['non_price_2_jpy_bn']:g}"
