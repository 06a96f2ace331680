"""Ministry of Finance Japan, International Transactions in Securities: who bought and sold across the border.

Belongs here: the weekly file, the monthly file and the monthly file by investor, their layouts, traps and gates. Not
here: trailing sums, and what flows say of holdings, which are derived.
"""

import calendar
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc

from jgb_assets.sources.base import (
    CONFIRM,
    LOOK,
    TIMESTAMP,
    Arrival,
    PublishedFile,
    ReleaseIncomplete,
    Snapshot,
    Source,
    SourceRejected,
    TableSpec,
    refuse_html,
)
from jgb_assets.sources.calendars import TOKYO, at, is_tokyo_office_day, nth_open_day_after

AMOUNTS = ("acquisition_jpy_100m", "disposition_jpy_100m", "net_jpy_100m")
MONTHS = calendar.month_abbr[1:]
SATURDAY = 5
FIRST_WEEK = date(2005, 1, 2)
FIRST_MONTH = date(2005, 1, 31)
WEEK_OUT_AFTER = 4  # business days: a Thursday, a day later after a holiday
MONTH_OUT_AFTER = 6  # business days: 10 August 2026


@dataclass(frozen=True)
class _Layout:
    """How a file is laid out: which record holds which labels, and which column which amount.

    ``labels`` is keyed by record (from 1), then by column (from 0), and holds each label of that record. ``groups``
    are the columns of each group of amounts by its key: acquisition, disposition and net, or the net alone.
    ``sums`` are (whole, parts, tolerance), the tolerance one above the largest gap seen: rounding.
    """

    title: str
    width: int
    unit: str
    labels: Mapping[int, Mapping[int, str]]
    groups: Mapping[tuple[str, ...], tuple[int, ...]]
    first_record: int
    sums: Sequence[tuple[tuple[str, ...], Sequence[tuple[str, ...]], int]]


def _labels(columns: str, *labels: str) -> dict[int, str]:
    return dict(zip(map(int, columns.split()), labels, strict=True))


SIDES = ("outward", "inward")
ASSETS = ("equity", "lt_debt", "subtotal", "st_debt", "total")
_TRIPLE = ("Acquisition", "Disposition", "Net")
_TRADES = (*_TRIPLE, *_TRIPLE, "Net", *_TRIPLE, "Net")
_KINDS = (
    "Equity and investment fund shares",
    "Long-term debt securities",
    "Subtotal",
    "Short-term debt securities",
    "Total",
)


def _by_side_and_asset(first: int) -> dict[tuple[str, ...], tuple[int, ...]]:
    """11 columns a side: three for each kind of security, one for each sum."""
    groups: dict[tuple[str, ...], tuple[int, ...]] = {}
    column = first
    for side, asset in product(SIDES, ASSETS):
        width = 1 if asset in ("subtotal", "total") else 3
        groups[side, asset] = tuple(range(column, column + width))
        column += width
    return groups


_SIDE_SUMS = [
    ((side, whole), [(side, part) for part in parts], 2)
    for side in SIDES
    for whole, parts in (("subtotal", ("equity", "lt_debt")), ("total", ("subtotal", "st_debt")))
]
INVESTORS = (
    "all",
    "public_sector",
    "central_bank",
    "general_government",
    "deposit_taking_corporations",
    "banks",
    "trust_banks",
    "other_sectors",
    "other_financial_corporations",
    "trust_accounts",
    "banks_trust_accounts",
    "trust_banks_trust_accounts",
    "financial_instruments_firms",
    "life_insurers",
    "non_life_insurers",
    "investment_trust_managers",
    "others",
)
_FINANCIALS = INVESTORS[9:10] + INVESTORS[12:16]
NOT_APPLICABLE = ("central_bank", "general_government", "banks_trust_accounts", "trust_banks_trust_accounts")
APPLICABLE_SINCE = date(2014, 1, 31)
LAYOUTS = {
    "week": _Layout(
        title="International Transactions in Securities (Weekly",
        width=23,
        unit="Unit: 100 million Yen",
        labels={
            9: _labels("1 12", "1. Portfolio Investment Assets", "2. Portfolio Investment Liabilities"),
            12: _labels("1 4 7 8 11 12 15 18 19 22", *_KINDS, *_KINDS),
            14: dict(enumerate(_TRADES * 2, start=1)),
        },
        groups=_by_side_and_asset(1),
        first_record=15,
        sums=_SIDE_SUMS,
    ),
    "montha1": _Layout(
        title="International Transactions in Securities(Monthly",
        width=27,
        unit="Unit: 100 mil Yen",
        labels={
            7: _labels(
                "0 14 25 26", "Portfolio Investment Assets", "Portfolio Investment Liabilities", "Subtotal", "Total"
            ),
            9: _labels("3 6 9 10 13 14 17 20 21 24 25 26", *_KINDS, *_KINDS, "Net", "Net"),
            11: _labels(
                " ".join(map(str, range(3, 25))),
                *_TRADES[:6],
                "Net (A)",
                *_TRIPLE,
                "Net (C)",
                *_TRADES[:6],
                "Net (B)",
                *_TRIPLE,
                "Net (D)",
            ),
        },
        groups=_by_side_and_asset(3) | {("difference", "subtotal"): (25,), ("difference", "total"): (26,)},
        first_record=12,
        sums=[
            *_SIDE_SUMS,
            *((("outward", kind), [("inward", kind), ("difference", kind)], 2) for kind in ("subtotal", "total")),
        ],
    ),
    "monthb3": _Layout(
        title="Purchases and Sales of Foreign Securities by Residents by Types of Investors(Long-term debt",
        width=54,
        unit="Unit: 100 mil Yen",
        labels={
            8: _labels(
                "3 6 15 24 33 36",
                "(a+b+c+d)",
                "Public Sector",
                "Deposit-taking Corporations (b)",
                "Other Sectors (d)",
                "銀行等(信託勘定)",
                "信託銀行(信託勘定)",
            ),
            9: _labels(
                "9 12 18 21 27 30 33 36 39 42 45 48 51",
                "Central Bank (a)",
                "General Government (c)",
                "Banks(Banking Accounts)",
                "Trust Banks(Banking Accounts)",
                "Other Financial Corporations",
                "Banks and Trust banks(Trust Accounts)",
                "Banks(Trust Accounts)",
                "Trust Banks(Trust Accounts)",
                "Financial Instruments Firms",
                "Life Insurance Companies",
                "Non-Life Insurance Companies",
                "Investment Trust Management Companies",
                "Others",
            ),
            11: dict(enumerate(_TRIPLE * len(INVESTORS), start=3)),
        },
        groups={(name,): tuple(range(3 * n, 3 * n + 3)) for n, name in enumerate(INVESTORS, start=1)},
        first_record=12,
        sums=[
            (("all",), [("public_sector",), ("deposit_taking_corporations",), ("other_sectors",)], 2),
            (("public_sector",), [("central_bank",), ("general_government",)], 1),
            (("deposit_taking_corporations",), [("banks",), ("trust_banks",)], 2),
            (("other_sectors",), [("other_financial_corporations",), ("others",)], 3),
            (("other_financial_corporations",), [(name,) for name in _FINANCIALS], 3),
            (("trust_accounts",), [("banks_trust_accounts",), ("trust_banks_trust_accounts",)], 2),
        ],
    ),
}
NET_TOLERANCE = 2  # acquisition less disposition against net; seen: 1
NET_TOLERANCES: dict[tuple[str, ...], int] = {("other_financial_corporations",): 5}  # seen: 4
YEAR_TOLERANCE = 8  # a year's row against its months: twelve roundings; seen: 7

STAMP_EN = re.compile(r"Final Update\s+([A-Z][a-z]+)\s+(\d{1,2})\s*,\s*(\d{4})")
STAMP_JA = re.compile(r"最終更新日\s*令和(\d{1,2}|元)年(\d{1,2})月(\d{1,2})日")
REIWA = 2018  # the year before Reiwa 1
WEEK_LABEL = re.compile(
    r"\s*(\d{4})[．.](\d{1,2})[．.](\d{1,2})\s*[～〜~]\s*(?:(\d{4})[．.]\s*)?(\d{1,2})[．.]\s*(\d{1,2})\s*"
)
INTEGER = re.compile(r"-?(\d{1,3}(,\d{3}){1,3}|\d{1,12})")  # a year's largest has 8 digits
# As compared after NFKC: full-width digits, brackets and tildes become ASCII.
ERA = re.compile(r"\(\w{2}(\d{1,2}|元)年\)")
CALENDAR_YEAR = re.compile(r"(\d{4})年\(1月~12月\)\s*\1CY")
FISCAL_YEAR = re.compile(r"(\d{4})年4月~(\d{4})年3月\s*\1FY")

NEW_WEEKS, NEW_MONTHS = 6, 3
AGE_DAYS = {"week": (4, 13), "montha1": (5, 25), "monthb3": (5, 25)}  # stamp less newest period end
SETTLED = timedelta(weeks=26)
MAX_REWRITTEN = 0.1
# Net amounts, 100 million yen, with the largest seen: beyond is unusual, ten times as much another unit.
BANDS: dict[str, dict[tuple[str, ...], int]] = {
    "week": {
        ("outward", "lt_debt"): 60_000,  # 44,579
        ("outward", "equity"): 50_000,  # 36,390
        ("outward", "st_debt"): 12_000,  # 8,102
        ("inward", "lt_debt"): 65_000,  # 48,623
        ("inward", "st_debt"): 110_000,  # 80,684
        ("inward", "total"): 150_000,  # 112,521
    },
    "montha1": {("outward", "lt_debt"): 100_000, ("inward", "lt_debt"): 90_000},  # 73,370, 63,892
    "monthb3": {("all",): 100_000},
}
UNIT_ERROR = 10

_HOME = "https://www.mof.go.jp/policy/international_policy/reference/itn_transactions_in_securities/"


def _table(name: str, description: str, dates: tuple[str, ...], labels: tuple[str, ...]) -> TableSpec:
    key = (dates[-1], *labels)
    schema = pa.schema(
        [
            *(pa.field(column, pa.date32(), nullable=column not in key) for column in dates),
            *(pa.field(column, pa.string(), nullable=False) for column in labels),
            *(pa.field(column, pa.int64()) for column in AMOUNTS),
            pa.field("updated_on", pa.date32()),
            pa.field("published_at", TIMESTAMP),
            pa.field("source_line", pa.int32()),
        ]
    )
    return TableSpec(name, description, schema, key, AMOUNTS, dates[-1], roles=(name,))


WEEK = _table(
    "week",
    "100 million yen by week, side and asset: transactions across the border, bought, sold and net.",
    dates=("week_start_date", "week_end_date"),
    labels=("side", "asset"),
)
MONTHA1 = _table(
    "montha1",
    "100 million yen by month, side and asset: transactions across the border, bought, sold and net.",
    dates=("month_end_date",),
    labels=("side", "asset"),
)
MONTHB3 = _table(
    "monthb3",
    "100 million yen by month and type of investor: residents' transactions in foreign long-term debt.",
    dates=("month_end_date",),
    labels=("investor",),
)


@dataclass(frozen=True)
class _Sheet:
    """A file cut into records (record n is ``records[n - 1]``) and its stamp."""

    source: Source
    file: Snapshot
    records: list[list[str]]

    @property
    def layout(self) -> _Layout:
        return LAYOUTS[self.file.role]

    def refuse(self, place: str, expected: str, found: str, remedy: str = LOOK) -> SourceRejected:
        return self.source.rejected(self.file, place=place, expected=expected, found=found, remedy=remedy)


_Amounts = tuple[int | None, int | None, int | None]  # acquisition, disposition, net


@dataclass(frozen=True)
class _Period:
    """A week or month: its record, its days, and its amounts by group."""

    record: int
    days: tuple[date, ...]
    amounts: Mapping[tuple[str, ...], _Amounts]


AGES_DAYS = {WEEK.name: (15, 25), MONTHA1.name: (45, 75), MONTHB3.name: (45, 75)}


class MofSecuritiesFlows(Source):
    """See the module."""

    name = "mof_securities_flows"
    title = "Japan's cross-border securities transactions"
    producer = "Ministry of Finance, Japan"
    homepage = _HOME + "index.htm"
    licence = "Public Data License 1.0 (attribution, note of edits; compatible with CC BY 4.0)"
    citation = (
        f"Source: Ministry of Finance Japan, International Transactions in Securities ({homepage}), Public Data "
        "License 1.0; processed."
    )
    cadence = "each week, and each month"
    publication = "08:50 Asia/Tokyo: weeks on the 4th business day after they end, months on the 6th of the next"
    files = (
        PublishedFile("week", (_HOME + "week.csv",), ".csv", "Weeks, Sunday to Saturday, from 2005-01-02."),
        PublishedFile("montha1", (_HOME + "montha1.csv",), ".csv", "Months from 2005-01."),
        PublishedFile(
            "monthb3",
            (_HOME + "monthb3.csv",),
            ".csv",
            "Foreign long-term debt by type of resident investor, months from 2005-01.",
        ),
    )
    tables = (WEEK, MONTHA1, MONTHB3)
    zone = TOKYO
    polls = ("0-50/10 9 * * 1-5", "0 10-18 * * 1-5")
    longest_pause = timedelta(days=15)  # over Golden Week and New Year
    ages_days = AGES_DAYS

    def parse(self, files: Mapping[str, Snapshot]) -> dict[str, pa.Table]:
        """Read each file into the table of its name, sorted by key."""
        tables = {spec.name: spec.empty() for spec in self.tables}
        for spec in self.tables:
            if spec.name in files:
                sheet = self._read(files[spec.name])
                stamp = _stamp(sheet)
                _check_labels(sheet)
                periods = list(_weeks(sheet) if spec is WEEK else _months(sheet))
                for period in periods:
                    _check_sums(sheet, period)
                tables[spec.name] = _to_table(spec, periods, stamp)
        return tables

    def gate(self, arrival: Arrival) -> list[str]:
        """Refuse what is older, holed, late or implausible, and a past that was rewritten further than is usual."""
        warnings = []
        for spec in self.tables:
            if spec.name in arrival.retrieved:
                self._gate_time(arrival, spec)
                warnings += self._gate_revisions(arrival, spec)
                warnings += self._gate_bands(arrival, spec)
        if {"montha1", "monthb3"} <= arrival.retrieved:
            a1, b3 = (arrival.tables[name]["updated_on"][0].as_py() for name in ("montha1", "monthb3"))
            if a1 != b3:
                raise ReleaseIncomplete(
                    source=self.name,
                    role=None,
                    url=f"{arrival.files['monthb3'].url} against {arrival.files['montha1'].url}",
                    place="the stamp",
                    expected=f"{a1}, as in montha1: they are of one release",
                    found=str(b3),
                    remedy="run again later: the files of a release may not all be out. Otherwise " + CONFIRM,
                )
        return warnings

    def next_expected_at(self, newest_observation: date) -> datetime:
        """08:50 Tokyo on the day on which the next week is due."""
        return _week_out(newest_observation + timedelta(days=(SATURDAY - newest_observation.weekday() - 1) % 7 + 1))

    def expected_at(self, table: str, newest: date) -> datetime:
        """Of a month, 08:50 Tokyo on the day on which the next one is due."""
        if table == WEEK.name:
            return self.next_expected_at(newest)
        return _month_out(nth_open_day_after(newest, 1, _is_month_end))

    def is_open(self, day: date) -> bool:
        """On the ministry's working days."""
        return is_tokyo_office_day(day)

    # --- layout -----------------------------------------------------------------------------------------------

    def _read(self, file: Snapshot) -> _Sheet:
        refuse_html(self, file)
        try:
            text = file.body.decode("cp932")
            records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except UnicodeDecodeError as error:
            found = repr(file.body[error.start : error.start + 4])
            raise self.rejected(
                file, place=f"byte {error.start}", expected="text in cp932", found=found, remedy=LOOK
            ) from error
        except csv.Error as error:
            raise self.rejected(
                file, place="the whole file", expected="records in csv quoting", found=str(error), remedy=LOOK
            ) from error
        sheet = _Sheet(self, file, records)
        layout = sheet.layout
        for number, record in enumerate(records, start=1):
            if len(record) != layout.width:
                raise sheet.refuse(f"record {number}", f"{layout.width} cells", f"{len(record)}")
        if len(records) < layout.first_record:
            raise sheet.refuse(
                f"record {len(records)}, the last", f"data from record {layout.first_record} on", "the end"
            )
        if not records[1][0].strip().startswith(layout.title):
            raise sheet.refuse(
                "record 2, column 0", f"a title that starts with {layout.title!r}", records[1][0][:120] or "nothing"
            )
        header = [cell for record in records[: layout.first_record - 1] for cell in record]
        if not any(_plain(layout.unit) in _plain(cell) for cell in header):
            raise sheet.refuse("the records above the data", f"a cell {layout.unit!r}", "none: another unit")
        return sheet

    # --- gates ------------------------------------------------------------------------------------------------

    def _gate_time(self, arrival: Arrival, spec: TableSpec) -> None:
        file, table, stored = arrival.files[spec.name], arrival.tables[spec.name], arrival.stored[spec.name]
        column = spec.key[0]
        stamp: date = table["updated_on"][0].as_py()
        today = file.retrieved_at.astimezone(TOKYO).date()

        def refuse(place: str, expected: str, found: str) -> SourceRejected:
            return self.rejected(file, place=place, expected=expected, found=found, remedy=CONFIRM)

        if stamp > today:
            raise refuse("the stamp", f"{today}, the day of retrieval in Tokyo, or earlier", str(stamp))
        newest: date = pc.max(table[column]).as_py()
        low, high = AGE_DAYS[spec.name]
        if not low <= (stamp - newest).days <= high:
            raise refuse(
                f"the stamp, {stamp}",
                f"{low} to {high} days after the end of the newest period, {newest}",
                f"{(stamp - newest).days}",
            )
        if not stored.num_rows:
            return
        known: date = pc.max(stored["updated_on"]).as_py()
        if stamp < known:
            raise refuse("the stamp", f"{known}, that of what is stored, or later", f"an older file: {stamp}")
        periods, stored_periods = set(table[column].to_pylist()), set(stored[column].to_pylist())
        if gone := sorted(stored_periods - periods):
            raise refuse(f"the period to {gone[0]}", "each stored period", f"{len(gone)} of them gone")
        most, days = (NEW_WEEKS, 7) if spec is WEEK else (NEW_MONTHS, 28)
        most = max(most, 1 + (stamp - known).days // days)  # more after a long pause of ours
        if len(periods - stored_periods) > most:
            raise refuse(
                f"the {len(periods - stored_periods)} newest periods", f"at most {most} new ones at once", "more"
            )

    def _gate_revisions(self, arrival: Arrival, spec: TableSpec) -> list[str]:
        file, stored = arrival.files[spec.name], arrival.stored[spec.name]
        revised = arrival.changes[spec.name].filter(pc.field("change") == "revised").to_pylist()
        if not revised:
            return []
        before = {tuple(row[name] for name in spec.key): row for row in stored.to_pylist()}
        changed = [
            (row, name, before[tuple(row[key] for key in spec.key)][name])
            for row in revised
            for name in AMOUNTS
            if row[name] != before[tuple(row[key] for key in spec.key)][name]
        ]
        newest: date = pc.max(arrival.tables[spec.name][spec.key[0]]).as_py()
        settled = [cell for cell in changed if cell[0][spec.key[0]] < newest - SETTLED]
        cells = sum(stored.num_rows - stored[name].null_count for name in AMOUNTS)
        told = [
            f"{spec.name}: {name} of {_key(row, spec)} was revised from {old} to {row[name]}"
            for row, name, old in changed
        ]
        if settled or len(changed) > MAX_REWRITTEN * cells:
            row, name, old = (settled or changed)[0]
            raise self.rejected(
                file,
                place=f"record {row['source_line']}, {name} of {_key(row, spec)}",
                expected=f"{old}, as stored: revisions reach back at most {SETTLED.days // 7} weeks and change at most "
                f"{MAX_REWRITTEN:.0%} of the cells",
                found=f"{row[name]} ({len(changed)} cells changed, {len(settled)} of them older)",
                remedy=CONFIRM,
            )
        return told

    def _gate_bands(self, arrival: Arrival, spec: TableSpec) -> list[str]:
        warnings = []
        for row in arrival.changes[spec.name].filter(pc.field("change") != "withdrawn").to_pylist():
            band = BANDS[spec.name].get(tuple(row[name] for name in spec.key[1:]))
            net = row["net_jpy_100m"]
            if band is None or net is None or abs(net) <= band:
                continue
            place = f"net of {_key(row, spec)}"
            if abs(net) > UNIT_ERROR * band:
                raise self.rejected(
                    arrival.files[spec.name],
                    place=f"record {row['source_line']}, {place}",
                    expected=f"at most {UNIT_ERROR * band:,} in 100 million yen",
                    found=f"{net:,}: another unit",
                    remedy=CONFIRM,
                )
            warnings.append(f"{spec.name}: {place} is {net:,}, beyond {band:,}")
        return warnings


def _key(row: Mapping[str, object], spec: TableSpec) -> str:
    """A row's key, as a person reads it."""
    return ", ".join(str(row[name]) for name in spec.key)


def _plain(text: str) -> str:
    """A label without its width, blanks and case: what a publisher's typist changes and nobody means."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _stamp(sheet: _Sheet) -> date:
    """The day of the release: two stamps, one in each language, that agree."""
    cells = [cell for record in sheet.records[:3] for cell in record]
    english = [match for cell in cells if (match := STAMP_EN.search(unicodedata.normalize("NFKC", cell)))]
    japanese = [match for cell in cells if (match := STAMP_JA.search(unicodedata.normalize("NFKC", cell)))]
    found = " | ".join(cell for cell in cells if cell)[:200] or "nothing"
    place, expected = "records 1 to 3", "one stamp 'Final Update' and one '最終更新日', of the same day"
    if len(english) != 1 or len(japanese) != 1:
        raise sheet.refuse(place, expected, found)
    era_year = 1 if japanese[0][1] == "元" else int(japanese[0][1])
    try:
        ours = date(int(english[0][3]), list(calendar.month_name).index(english[0][1]), int(english[0][2]))
        theirs = date(REIWA + era_year, int(japanese[0][2]), int(japanese[0][3]))
    except ValueError as error:
        raise sheet.refuse(place, expected, found) from error
    if ours != theirs:
        raise sheet.refuse(place, expected, f"{ours} and {theirs}")
    return ours


def _check_labels(sheet: _Sheet) -> None:
    """Refuse a column that is named otherwise: amounts are bound to columns by these labels."""
    for number, labels in sheet.layout.labels.items():
        for column, cell in enumerate(sheet.records[number - 1]):
            wanted = labels.get(column, "")
            if _plain(cell) != _plain(wanted):
                raise sheet.refuse(f"record {number}, column {column}", repr(wanted), repr(cell[:80]))


def _amounts(sheet: _Sheet, number: int, record: Sequence[str], last_day: date) -> dict[tuple[str, ...], _Amounts]:
    amounts: dict[tuple[str, ...], _Amounts] = {}
    for group, columns in sheet.layout.groups.items():
        values = [_integer(sheet, number, column, record[column], group, last_day) for column in columns]
        if len(columns) == 1:
            amounts[group] = (None, None, values[0])
            continue
        acquisition, disposition, net = values
        for column, gross in zip(columns[:2], (acquisition, disposition), strict=True):
            if gross is not None and gross < 0:
                raise sheet.refuse(f"record {number}, column {column}", "a gross amount of zero or more", f"{gross}")
        amounts[group] = (acquisition, disposition, net)
    return amounts


def _integer(sheet: _Sheet, number: int, column: int, cell: str, group: tuple[str, ...], last_day: date) -> int | None:
    text = cell.strip()
    if text == "-" and group[0] in NOT_APPLICABLE and last_day < APPLICABLE_SINCE:
        return None
    if not INTEGER.fullmatch(text):
        raise sheet.refuse(
            f"record {number}, column {column} ({' '.join(group)})",
            "a whole number of 100 million yen",
            repr(cell[:40]),
        )
    return int(text.replace(",", ""))


def _weeks(sheet: _Sheet) -> Iterator[_Period]:
    start = FIRST_WEEK
    for number, record in _data(sheet):
        match = WEEK_LABEL.fullmatch(record[0])
        wanted = f"the week from {start}, a Sunday, to {start + timedelta(days=6)}, as 2026．8．2～8．8"
        if not match:
            raise sheet.refuse(f"record {number}, column 0", wanted, repr(record[0][:60]))
        year, month, day, last_year, last_month, last_day = (int(text) if text else 0 for text in match.groups())
        try:
            days = date(year, month, day), date(last_year or year, last_month, last_day)
        except ValueError as error:
            raise sheet.refuse(f"record {number}, column 0", wanted, repr(record[0])) from error
        if days != (start, start + timedelta(days=6)):
            raise sheet.refuse(f"record {number}, column 0", wanted, repr(record[0]))
        yield _Period(number, days, _amounts(sheet, number, record, days[1]))
        start += timedelta(days=7)


def _data(sheet: _Sheet) -> Iterator[tuple[int, list[str]]]:
    """The records from the first of the data to the empty one that ends them; only notes may follow."""
    records = enumerate(sheet.records[sheet.layout.first_record - 1 :], start=sheet.layout.first_record)
    ended = False
    for number, record in records:
        if ended:
            if odd := next((cell for cell in record[3:] if cell.strip()), None):
                raise sheet.refuse(f"record {number}", "notes: the data ended with an empty record", repr(odd[:40]))
        elif any(cell.strip() for cell in record):
            yield number, record
        elif number == sheet.layout.first_record:
            raise sheet.refuse(f"record {number}", "a period", "an empty record")
        else:
            ended = True
    if not ended:
        raise sheet.refuse(
            f"record {len(sheet.records)}, the last", "an empty record after the data", "none: the file was cut short"
        )


def _months(sheet: _Sheet) -> Iterator[_Period]:
    month_end, unpublished = FIRST_MONTH, 0
    periods: dict[date, _Period] = {}
    years: list[tuple[str, int]] = []
    for number, record in _data(sheet):
        if not record[2].strip():
            years.append(_check_year(sheet, number, record, periods))
            continue
        place = f"record {number}, columns 0 to 2"
        labels = [unicodedata.normalize("NFKC", cell).strip() for cell in record[:3]]
        year = str(month_end.year) if month_end.month == 1 else ""
        wanted = [year, f"{month_end.month}月", MONTHS[month_end.month - 1]]
        if years or labels[1:] != wanted[1:] or not (labels[0] == year or (not year and ERA.fullmatch(labels[0]))):
            raise sheet.refuse(place, f"{' '.join(wanted).strip()}, the next month", " ".join(record[:3]))
        if not any(cell.strip() for cell in record[3:]):
            unpublished += 1
        elif unpublished:
            raise sheet.refuse(place, "no figures: the month before has none", f"figures of {month_end:%Y-%m}")
        else:
            periods[month_end] = _Period(number, (month_end,), _amounts(sheet, number, record, month_end))
            yield periods[month_end]
        month_end = _next_month_end(month_end)
    if not periods or month_end.month != 1:
        raise sheet.refuse("the months", "whole years, the last filled up with empty months", f"none after {month_end}")
    newest = max(periods)
    for kind, last_month in (("CY", 12), ("FY", 3)):
        # The last year that is over; its row may follow its last month with a delay.
        last = newest.year - (newest.month <= last_month) - (kind == "FY")
        due = [*range(FIRST_MONTH.year, last + 1)]
        found = [year for name, year in years if name == kind]
        if found[: len(due)] != due or len(found) > len(due) + 1:
            missing = sorted(set(due) - set(found))
            raise sheet.refuse(
                "the rows of years below the months",
                f"{kind} rows from {FIRST_MONTH.year} to {last}",
                f"none of {', '.join(f'{year}{kind}' for year in missing)}: the file was cut short, or a row dropped"
                if missing
                else f"{found[0]} to {found[-1]}, or in another order",
            )


def _next_month_end(day: date) -> date:
    year, month = day.year + day.month // 12, day.month % 12 + 1
    return date(year, month, calendar.monthrange(year, month)[1])


def _check_year(sheet: _Sheet, number: int, record: Sequence[str], periods: Mapping[date, _Period]) -> tuple[str, int]:
    """Refuse a calendar or fiscal year's row that is not the sum of its months."""
    label = unicodedata.normalize("NFKC", record[0]).strip()
    if match := CALENDAR_YEAR.fullmatch(label):
        kind, year, month = "CY", int(match[1]), 1
    elif (match := FISCAL_YEAR.fullmatch(label)) and int(match[2]) == int(match[1]) + 1:
        kind, year, month = "FY", int(match[1]), 4
    else:
        kind, year, month = "", 0, 0
    if year < FIRST_MONTH.year:
        raise sheet.refuse(
            f"record {number}, column 0", "a month, or a year such as 2025年(1月～12月） 2025CY", repr(record[0][:60])
        )
    months = [date(year, month, calendar.monthrange(year, month)[1])]
    while len(months) < 12:
        months.append(_next_month_end(months[-1]))
    if not all(month in periods for month in months):
        return kind, year
    for group, columns in sheet.layout.groups.items():
        for column, amount in zip(columns, range(3) if len(columns) == 3 else (2,), strict=True):
            parts = [periods[month].amounts[group][amount] for month in months]
            known = [part for part in parts if part is not None]
            if len(known) < len(parts):
                continue
            whole = _integer(sheet, number, column, record[column], group, months[-1])
            if whole is None or abs(whole - sum(known)) > YEAR_TOLERANCE:
                raise sheet.refuse(
                    f"record {number}, column {column} ({' '.join(group)})",
                    f"the sum of its months, {sum(known):,} within {YEAR_TOLERANCE}",
                    f"{record[column]}",
                )
    return kind, year


def _check_sums(sheet: _Sheet, period: _Period) -> None:
    """Refuse a net that is not acquisition less disposition, and parts that do not add up."""
    for group, (acquisition, disposition, net) in period.amounts.items():
        if acquisition is None or disposition is None or net is None:
            continue
        tolerance = NET_TOLERANCES.get(group, NET_TOLERANCE)
        if abs(acquisition - disposition - net) > tolerance:
            raise sheet.refuse(
                f"record {period.record}, column {sheet.layout.groups[group][-1]} ({' '.join(group)})",
                f"acquisition less disposition, {acquisition - disposition:,} within {tolerance}",
                f"{net:,}",
            )
    for whole, parts, tolerance in sheet.layout.sums:
        for amount, total in enumerate(period.amounts[whole]):
            members = [period.amounts[part][amount] for part in parts]
            known = [member for member in members if member is not None]
            if total is None or len(known) < len(members) or abs(sum(known) - total) <= tolerance:
                continue
            raise sheet.refuse(
                f"record {period.record}, column {sheet.layout.groups[whole][amount - 3]} ({' '.join(whole)})",
                f"{' + '.join(' '.join(part) for part in parts)} = {sum(known):,} within {tolerance}",
                f"{total:,}",
            )


def _week_out(saturday: date) -> datetime:
    """When a week is published."""
    return at(nth_open_day_after(saturday, WEEK_OUT_AFTER, is_tokyo_office_day), 8, 50, TOKYO)


def _is_month_end(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def _month_out(month_end: date) -> datetime:
    """When a month is published."""
    return at(nth_open_day_after(month_end, MONTH_OUT_AFTER, is_tokyo_office_day), 8, 50, TOKYO)


def _published(spec: TableSpec, ends: Sequence[date], stamp: date) -> Iterable[datetime]:
    """The newest period came out on the day of the stamp, the others when they were due, and not after it."""
    stamped = at(stamp, 8, 50, TOKYO)
    due = _week_out if spec is WEEK else _month_out
    return [*(min(due(end), stamped) for end in ends[:-1]), stamped]


def _to_table(spec: TableSpec, periods: Sequence[_Period], stamp: date) -> pa.Table:
    published = _published(spec, [period.days[-1] for period in periods], stamp)
    rows = [
        (*period.days, *group, *amounts, stamp, instant, period.record)
        for period, instant in zip(periods, published, strict=True)
        for group, amounts in period.amounts.items()
        if group[0] != "difference"
    ]
    columns = zip(*rows, strict=True)
    table = pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, spec.schema, strict=True)], schema=spec.schema
    )
    return table.sort_by([(name, "ascending") for name in spec.key])
