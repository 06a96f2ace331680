"""US Treasury TIC: who outside the United States holds US Treasury securities, monthly, by country of the holder.

Belongs here: the four files (tables 5, 3 and 1 of form SLT, and the major holders back to 2000), their layouts, their
traps, their gates. Not here: which file wins for a month, and what a change in holdings is made of, which are derived.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise, zip_longest
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jgb_assets.sources.base import (
    CONFIRM,
    LOOK,
    TIMESTAMP,
    Arrival,
    Due,
    PublishedFile,
    ReleaseIncomplete,
    Snapshot,
    Source,
    SourceRejected,
    TableSpec,
    refuse_html,
)
from jgb_assets.sources.calendars import NEW_YORK, at, is_us_business_day, nth_open_day_after

SLT_FIRST_MONTH = 2020 * 12  # tables 3 and 1 start in January 2020; a month is counted as 12 * year + month - 1
MFH_FIRST_MONTH = 2000 * 12 + 2  # the major holders start in March 2000
TABLE5_MONTHS = 13
TABLE5_ROWS = 100  # 25: the 20 largest holders, all others and the totals
SLT_HEADER = ("country", "country_code", "date")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Codes that are no countries, with their names. Each stands in tables 3 and 1; the last of a file is one of them, so a
# file cut short at the end of a line misses at least that one.
AGGREGATES = {
    "19992": "region",  # Total Europe
    "39942": "region",  # Total Latin America
    "34401": "region",  # Total Caribbean
    "49999": "region",  # Total Asia
    "59994": "region",  # Total Africa
    "69906": "region",  # Total Other
    "16713": "memo",  # Memo: Euro Area
    "16721": "memo",  # Memo: European Union
    "69995": "aggregate",  # All Countries
    "72907": "aggregate",  # International
    "76929": "aggregate",  # Total Regional Orgs.
    "79995": "aggregate",  # Total IROs
    "99996": "aggregate",  # Grand Total
    "99990": "official",  # Of Which: Foreign Official
    "99991": "official",  # Of Which: Foreign Non-Official
}
# "Of Which" groups of table 1 alone, each as total, official, non-official: depository institutions, other financial,
# non-financial, state and local government, fund shares, asset-backed securities.
INDUSTRIES = (
    *("82643", "82644", "82645", "82651", "82652", "82653", "82678", "82679", "82680"),
    *("82686", "82687", "82688", "84018", "84019", "84020", "89991", "89992", "89993"),
)
HOLDER_KINDS = AGGREGATES | dict.fromkeys(INDUSTRIES, "aggregate")
CANADA = "29998"  # a country, and a region of its own in the sums
GROUP_SUMS = (
    ((*(code for code, kind in AGGREGATES.items() if kind == "region"), CANADA), "69995"),
    (("69995", "79995"), "99996"),
    (("99990", "99991"), "99996"),
    (("72907", "76929"), "79995"),
)
ROW_KINDS = {
    "All Other": "other",
    "Grand Total": "total",
    "Of Which: Foreign Official": "official",
    "Of Which: Foreign Official Treasury Bills": "official_bills",
    "Of Which: Foreign Official T-Bonds & Notes": "official_bonds",
    "For. Official": "official",
    "Treasury Bills": "official_bills",
    "T-Bonds & Notes": "official_bonds",
    "Oil Exporters": "region",
    "Carib Bnkng Ctrs": "region",
    "Belgium-Luxembourg": "region",
}
BLOCK_KINDS = ("other", "total", "official", "official_bills", "official_bonds")  # each block has each of these once
NOT_A_COUNTRY = ("Total", "Memo", "Of Which", "All", "Grand", "International")  # how the names of aggregates begin

# Tolerances of the sums, in the unit of the file, with the largest gap seen in real files.
COLUMN_TOLERANCE_MN = 2  # 1: rounding
GROUP_TOLERANCE_MN = 5  # 0
TOTAL_TOLERANCE_BN = {"table5": 0.5, "mfhhis01": 1.0}  # 0.2, 0.5: up to 45 rounded rows
OFFICIAL_TOLERANCE_BN = 0.3  # 0.1

# Age: days from the newest month's last day. On the 2025-26 calendar at most 79; the federal closure of autumn 2025
# took it to 109. The files that were frozen at 2023-01 still answer 200.
UNUSUAL_AGE_DAYS = 80
MAX_AGE_DAYS = 137
MIN_SIZE = 0.7
ALL_OUT_AFTER = timedelta(minutes=20)  # the files of a release come in random order within 15 minutes

# Since 2020, bn: Japan 1,061.5 to 1,325.5, Grand Total 6,903 to 9,487; months moved by -79.6 to +56.7 and -276.6 to
# +374.2. Holder: lowest, highest, unusual change in a month.
BANDS_SINCE = date(2020, 1, 1)
BANDS_BN = {"Japan": (500, 2_000, 120), "Grand Total": (5_000, 15_000, 450)}
UNUSUAL_REVISION_BN = 25  # first prints of Japan 2024 are said to have been 22 above today's values
MAX_REVISION_OF_TOTAL = 0.05
SAME_FACTOR_SHARE = 0.5

# Announced release days, by month: a release carries the month before last. Source: the publisher's release calendar.
RELEASES = {
    (2026, month): date(2026, month, day)
    for month, day in enumerate((15, 18, 18, 15, 18, 18, 14, 17, 16, 16, 18, 15), start=1)
} | {  # put off while federal offices were closed
    (2013, 10): date(2013, 10, 22),
    (2025, 10): date(2025, 11, 18),
    (2025, 11): date(2025, 11, 18),
}
EARLIEST_RELEASE_DAY = 9  # 14 July 2026
LATEST_RELEASE_DAY = 14  # outside the calendar: the 11th business day and up to 3 more
CLOSURES = (  # of federal offices, first and last day: no business days for a release
    (date(2013, 10, 1), date(2013, 10, 16)),
    (date(2018, 12, 22), date(2019, 1, 25)),
    (date(2025, 10, 1), date(2025, 11, 12)),
)

# "United Kingdom 2/". A run of blanks or digits is entered at its start only: else a long one is read over and over.
TEXT_MARK = re.compile(r"(?:(?<!\s)\s+|(?<![\s\d]))\d+/$")
YEAR_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
INTEGER = r"^-?\d{1,12}$"
POSITION = re.compile(r"-?\d{1,5}(\.\d)?")  # trailing zeros are trimmed in the newer blocks of mfhhis01
VINTAGE = re.compile(r"\d{1,2}/\d{1,2}/(\d{4}|\d{2})")
FOOTER = "Department of the Treasury/Federal Reserve Board"
NOT_AVAILABLE = "n.a."
BELOW_50_MILLION = "*"

_HOME = "https://home.treasury.gov/data/treasury-international-capital-tic-system-home-page/"
_BASES = (
    "https://ticdata.treasury.gov/resource-center/data-chart-center/tic/Documents/",
    "https://treasury.gov/resource-center/data-chart-center/tic/Documents/",
    "https://www.treasury.gov/resource-center/data-chart-center/tic/Documents/",
    "https://ticdata.treasury.gov/Publish/",
)
FROZEN = f"open {_HOME} and see which file it links now: this one is no longer updated. Otherwise " + CONFIRM
AGAIN = "release incomplete: run again after 16:20 New York, when the files of a release are all out. Otherwise "
CLASSIFY = "decide what it is and add it to HOLDER_KINDS or ROW_KINDS: it must not be ranked among countries unseen"


def _table(
    name: str,
    description: str,
    key: tuple[str, ...],
    values: tuple[str, ...],
    columns: dict[str, pa.DataType],
    rolling: frozenset[str] = frozenset(),
) -> TableSpec:
    columns |= {"published_at": TIMESTAMP}
    schema = pa.schema([pa.field(column, kind, nullable=column not in key) for column, kind in columns.items()])
    return TableSpec(name, description, schema, key, values, "month_end_date", roles=(name,), rolling=rolling)


def _slt_table(name: str, description: str, values: tuple[str, ...]) -> TableSpec:
    texts = dict.fromkeys(("holder_code", "holder_name", "holder_kind"), pa.string())
    numbers = dict.fromkeys(values, pa.int64())
    columns = texts | {"month_end_date": pa.date32()} | numbers | {"source_line": pa.int32()}
    return _table(name, description, ("holder_code", "month_end_date"), values, columns)


TABLE5 = _table(
    "table5",
    "USD billion by holder and month-end: the 20 largest holders of the newest month and the totals.",
    key=("row_label", "month_end_date"),
    values=("position_usd_bn",),
    columns={
        "row_label": pa.string(),
        "row_kind": pa.string(),
        "month_end_date": pa.date32(),
        "rank_newest": pa.int16(),
        "position_usd_bn": pa.float64(),
        "source_line": pa.int32(),
    },
    rolling=frozenset({"table5"}),  # 13 months, 20 holders
)
TABLE3 = _slt_table(
    "table3",
    "USD million by holder and month-end: US Treasuries held, net bought and revalued, long-term and short-term.",
    (
        *("for_treas_pos", "for_treas_net", "for_lt_treas_pos", "for_lt_treas_net", "for_lt_treas_valchg"),
        *("for_st_treas_pos", "for_st_treas_net"),
    ),
)
ASSETS = ("treas", "agcy", "corp", "eqty")
MEASURES = ("pos", "net", "valchg")
TABLE1 = _slt_table(
    "table1",
    "USD million by holder and month-end: long-term US securities held, net bought and revalued, by type.",
    tuple(f"for_lt_{asset}_{measure}" for asset in ("total", *ASSETS) for measure in MEASURES),
)
MFHHIS01 = _table(
    "mfhhis01",
    "USD billion by holder and month-end since 2000-03; a month of a series break also on its old series.",
    key=("row_label", "month_end_date", "is_primary"),
    values=("position_usd_bn", "is_below_50_million"),
    columns={
        "row_label": pa.string(),
        "row_kind": pa.string(),
        "month_end_date": pa.date32(),
        "is_primary": pa.bool_(),
        "series_label": pa.string(),
        "position_usd_bn": pa.float64(),
        "is_below_50_million": pa.bool_(),
        "source_line": pa.int32(),
    },
)
# The column of Treasuries held, and how many of its units make a billion.
HEADLINES = {
    "table5": ("position_usd_bn", 1),
    "table3": ("for_treas_pos", 1_000),
    "table1": ("for_lt_treas_pos", 1_000),
    "mfhhis01": ("position_usd_bn", 1),
}
# How a file is recognised: a cell above the header that starts so, a cell that is the unit, the header's first cells.
LAYOUTS = {
    "table5": ("Table 5: Major Foreign Holders of Treasury Securities", "Billions of dollars", ("Country",)),
    "table3": ("Table 3: U.S. Treasury Securities Held by Foreign Residents", "Millions of dollars", SLT_HEADER),
    "table1": ("Table 1: U.S. Long-Term Securities Held by Foreign Residents", "Millions of dollars", SLT_HEADER),
    "mfhhis01": ("MAJOR FOREIGN HOLDERS OF TREASURY SECURITIES", "(in billions of dollars)", ("Country",)),
}
# (parts, whole) by column: within a row the parts add up to the whole wherever all of them are published.
COLUMN_SUMS: dict[str, list[tuple[tuple[str, ...], str]]] = {
    "table3": [((f"for_lt_treas_{m}", f"for_st_treas_{m}"), f"for_treas_{m}") for m in ("pos", "net")],
    "table1": [(tuple(f"for_lt_{asset}_{m}" for asset in ASSETS), f"for_lt_total_{m}") for m in MEASURES],
}
_Grid = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class _Sheet:
    """A file cut into cells: line n is ``rows[n - 1]``, ``header`` the line of its (first) header."""

    source: Source
    file: Snapshot
    rows: list[list[str]]
    header: int

    def refuse(self, place: str, expected: str, found: str, remedy: str = LOOK) -> SourceRejected:
        return self.source.rejected(self.file, place=place, expected=expected, found=found, remedy=remedy)

    def data(self) -> Iterator[tuple[int, list[str]]]:
        """The lines below the header, to the first empty first cell."""
        for line, cells in enumerate(self.rows[self.header :], start=self.header + 1):
            if not cells[0].strip():
                return
            yield line, cells


@dataclass(frozen=True)
class _Row:
    line: int
    label: str
    kind: str
    texts: list[str]
    values: list[float | None]


@dataclass(frozen=True)
class _Block:
    """Rows of positions under one header. ``primary`` is False for the old series of a month that stands twice."""

    months: list[int]
    primary: list[bool]
    series: list[str | None]
    rows: list[_Row]


class TreasuryTic(Source):
    """See the module."""

    name = "treasury_tic"
    title = "Foreign holdings of US Treasury securities"
    producer = "US Department of the Treasury, Treasury International Capital (TIC) System"
    homepage = _HOME + "tic-forms-instructions/securities-b-portfolio-holdings-of-us-and-foreign-securities"
    licence = "US government work; no copyright notice on the files; no endorsement implied"
    citation = "Source: US Department of the Treasury, Treasury International Capital (TIC) System; processed."
    cadence = "each month"
    publication = "16:00 America/New_York, about six weeks after the month-end; files within 20 minutes of each other"
    files = tuple(
        PublishedFile(role, tuple(base + name for base in _BASES), ".txt", description)
        for role, name, description in (
            ("table5", "slt_table5.txt", "The 20 largest holders, the last 13 months."),
            ("table3", "slt_table3.txt", "Treasuries by holder from 2020-01: long-term and short-term."),
            ("table1", "slt_table1.txt", "Long-term US securities by holder and type from 2020-01."),
            ("mfhhis01", "mfhhis01.txt", "Major holders from 2000-03 to the last full calendar year."),
        )
    )
    tables = (TABLE5, TABLE3, TABLE1, MFHHIS01)
    zone = NEW_YORK
    # Every quarter of an hour from 16:20 on the day of a release; if it is not out then, hourly (see ``due``).
    polls = ("20,35,50 16 * * 1-5", "5,20,35,50 17-20 * * 1-5")
    longest_pause = timedelta(days=40)  # from release to release at most 35 days in 2026
    ages_days = dict.fromkeys(("table5", "table3", "table1"), (UNUSUAL_AGE_DAYS, MAX_AGE_DAYS))  # mfhhis01 is yearly

    def parse(self, files: Mapping[str, Snapshot]) -> dict[str, pa.Table]:
        """Read each file into the table of its name, sorted by key."""
        tables = {spec.name: spec.empty() for spec in self.tables}
        for role, file in files.items():
            sheet = self._read(file)
            if role == "table5":
                tables[role] = _parse_table5(sheet)
            elif role == "mfhhis01":
                tables[role] = _parse_mfhhis01(sheet)
            else:
                tables[role] = _parse_slt(sheet, TABLE3 if role == "table3" else TABLE1)
        return tables

    def gate(self, arrival: Arrival) -> list[str]:
        """Refuse what is older, smaller, frozen or implausible, and files of different releases."""
        warnings = []
        for spec in self.tables:
            if spec.name in arrival.retrieved:
                warnings += self._gate_time(arrival, spec)
                warnings += self._gate_revisions(arrival, spec)
                warnings += self._gate_bands(arrival, spec)
        for role in ("table5", "table1"):
            warnings += self._gate_release(arrival, role)
        return warnings

    def next_expected_at(self, newest_observation: date) -> datetime:
        """16:00 New York on the announced day; outside the calendar on the latest day that the rule allows."""
        return _released_at(newest_observation.year * 12 + newest_observation.month)

    def is_open(self, day: date) -> bool:
        """On federal business days; that offices are closed by a shutdown is not known in advance."""
        return is_us_business_day(day)

    def due(self, now: datetime, tables: Mapping[str, pa.Table]) -> Due:
        """From 20 minutes after a release, when its files are all out; but on its day at 20 minutes past each hour.

        Where no day is announced, from the earliest on which there ever was a release.
        """
        today = now.astimezone(NEW_YORK)
        newest = {name: day for name, day in self.newest(tables).items() if name in self.ages_days}
        if not self.is_open(today.date()) or None in newest.values():
            return super().due(now, tables)
        name, day = min(((name, day) for name, day in newest.items() if day), key=lambda pair: pair[1])
        month = day.year * 12 + day.month
        first = _first_out_at(month)
        told = f"{name} after {day:%Y-%m} is out from {first:%Y-%m-%dT%H:%MZ} on, with all of its release "
        if now < first + ALL_OUT_AFTER:
            return Due(False, f"{told}{ALL_OUT_AFTER.seconds // 60} minutes later")
        is_its_day = _is_announced(month) and today.date() == first.astimezone(NEW_YORK).date()
        if not is_its_day and today.minute // 15 != 1:
            return Due(False, f"{told}or later: asked for at 20 minutes past the hour")
        return Due(True, told.rstrip())

    # --- layout -----------------------------------------------------------------------------------------------

    def _read(self, file: Snapshot) -> _Sheet:
        refuse_html(self, file)
        title, unit, anchor = LAYOUTS[file.role]
        try:
            lines = file.body.decode("ascii").replace("\r\n", "\n").split("\n")
        except UnicodeDecodeError as error:
            found = repr(file.body[error.start : error.start + 4])
            raise self._refuse(file, f"byte {error.start}", "ASCII", found, LOOK) from error
        last = lines.pop()
        if file.role == "mfhhis01":
            # Its footer proves that it is whole, so a copy whose last line lacks its end will do (seen: 2026-03).
            lines += [last] if last else []
            try:
                rows = [next(csv.reader([line], delimiter="\t"), [""]) for line in lines]
            except csv.Error as error:
                raise self._refuse(file, "the whole file", "lines of cells in csv quoting", str(error), LOOK) from error
        else:
            rows = [line.split("\t") for line in lines]
        header = next((n for n, row in enumerate(rows, start=1) if tuple(row[: len(anchor)]) == anchor), 0)
        sheet = _Sheet(self, file, rows, header)
        if last and file.role != "mfhhis01":
            raise sheet.refuse(
                f"line {len(lines) + 1}, the last", "a line end", f"{last[-40:]!r}: the file is cut short"
            )
        above = [cell.strip() for row in rows[: header - 1 if header else None] for cell in row if cell.strip()]
        if not any(cell.startswith(title) for cell in above):
            raise sheet.refuse(
                "the lines above the header", f"the title {title!r}", " | ".join(above)[:160] or "nothing"
            )
        if unit not in above:
            raise sheet.refuse("the lines above the header", f"the unit {unit!r}", " | ".join(above)[:160] or "nothing")
        if not header:
            raise sheet.refuse("the whole file", f"a header that starts with the cells {anchor}", "another layout")
        width = len(rows[header - 1])
        for line, row in enumerate(rows, start=1):
            if len(row) != width:
                raise sheet.refuse(f"line {line}", f"{width} cells, as in the header on line {header}", f"{len(row)}")
        return sheet

    def _refuse(self, file: Snapshot, place: str, expected: str, found: str, remedy: str = CONFIRM) -> SourceRejected:
        return self.rejected(file, place=place, expected=expected, found=found, remedy=remedy)

    # --- gates ------------------------------------------------------------------------------------------------

    def _gate_time(self, arrival: Arrival, spec: TableSpec) -> list[str]:
        role = spec.name
        file, table, stored = arrival.files[role], arrival.tables[role], _stored(arrival, spec)
        newest: date = pc.max(table["month_end_date"]).as_py()
        today = file.retrieved_at.astimezone(NEW_YORK).date()

        def refuse(expected: str, found: str, remedy: str = CONFIRM) -> SourceRejected:
            return self._refuse(file, f"newest month, {newest:%Y-%m}", expected, found, remedy)

        if newest > today:
            raise refuse(f"no month that ends after the day of retrieval, {today} in New York", str(newest))
        if stored.num_rows and newest < (known := pc.max(stored["month_end_date"]).as_py()):
            raise refuse(f"{known:%Y-%m}, the newest stored, or later", f"an older file: {newest:%Y-%m}")
        if table.num_rows < MIN_SIZE * stored.num_rows:
            raise refuse(f"at least {MIN_SIZE:.0%} of the {stored.num_rows:,} stored rows", f"{table.num_rows:,}")
        # mfhhis01 holds whole calendar years: the month that it would lack, were it late, is the December after.
        since = newest
        if role == "mfhhis01":
            if newest.month != 12:
                raise refuse("a December: the file holds whole calendar years", str(newest), FROZEN)
            since = newest.replace(year=newest.year + 1)
        age = (today - since).days
        found = f"{age} days since {since} on {today}"
        if age > MAX_AGE_DAYS:
            raise refuse(f"at most {MAX_AGE_DAYS} days since {since}", f"frozen: {found}", FROZEN)
        return [f"{role} is late: {found}; {UNUSUAL_AGE_DAYS} are usual"] if age > UNUSUAL_AGE_DAYS else []

    def _gate_revisions(self, arrival: Arrival, spec: TableSpec) -> list[str]:
        file, stored = arrival.files[spec.name], _stored(arrival, spec)
        if not arrival.changes[spec.name].filter(pc.field("change") == "revised").num_rows:
            return []
        warnings: list[str] = []
        before = _holdings(spec, stored)
        pairs = _holdings(spec, arrival.tables[spec.name]).join(
            before, ["name", "month_end_date"], right_suffix=" stored", join_type="inner"
        )
        old, new = _floats(pairs["bn stored"]), _floats(pairs["bn"])
        positive = (old > 0) & (new > 0)
        factors = np.round(np.log10(new[positive] / old[positive]), 2)
        powers, counts = np.unique(factors[factors != 0], return_counts=True)
        if counts.size and counts.max() > SAME_FACTOR_SHARE * (before.num_rows - before["bn"].null_count):
            raise self._refuse(
                file,
                f"column {HEADLINES[spec.name][0]}, {counts.max():,} of its stored cells",
                "revisions that differ from cell to cell",
                f"the same factor {10 ** powers[counts.argmax()]:.4g} on all: another unit",
            )
        moved = np.flatnonzero(np.abs(new - old) > 0)  # not where either is missing
        for row in pairs.take(moved).to_pylist():
            place, before_bn, bn = f"{row['name']} of {row['month_end_date']:%Y-%m}", row["bn stored"], row["bn"]
            move = f"{before_bn:,.1f} to {bn:,.1f} bn"
            if row["name"] == "Grand Total" and abs(bn - before_bn) > MAX_REVISION_OF_TOTAL * before_bn:
                wanted = f"a revision of at most {MAX_REVISION_OF_TOTAL:.0%}"
                raise self._refuse(file, f"{place}, column {HEADLINES[spec.name][0]}", wanted, move)
            if row["kind"] == "country" and abs(bn - before_bn) > UNUSUAL_REVISION_BN:
                warnings.append(f"{spec.name}: {place} was revised from {move}")
        return warnings

    def _gate_bands(self, arrival: Arrival, spec: TableSpec) -> list[str]:
        file, table = arrival.files[spec.name], arrival.tables[spec.name]
        for column in (value for value in spec.values if value.endswith(("_pos", "_usd_bn"))):
            for row in table.filter(pc.field(column) < 0).slice(0, 1).to_pylist():
                place = f"line {row['source_line']}, column {column} of {row['month_end_date']:%Y-%m}"
                raise self._refuse(file, place, "a position of zero or more", f"{row[column]}")
        if spec is TABLE1:  # its Treasuries are long-term only, and equal to table 3
            return []
        warnings = []
        changed = set(arrival.changes[spec.name]["month_end_date"].to_pylist())
        holdings = _holdings(spec, table).filter(pc.field("month_end_date") >= BANDS_SINCE)
        for name, (low, high, unusual) in BANDS_BN.items():
            previous = None
            for row in holdings.filter(pc.field("name") == name).sort_by("month_end_date").to_pylist():
                month, position = row["month_end_date"], row["bn"]
                if position is None or not low <= position <= high:
                    place = f"{name} of {month:%Y-%m}, column {HEADLINES[spec.name][0]}"
                    raise self._refuse(file, place, f"{low:,} to {high:,} USD bn", f"{position}")
                if previous is not None and month in changed and abs(position - previous) > unusual:
                    warnings.append(
                        f"{spec.name}: {name} moved {position - previous:+.1f} bn in {month:%Y-%m}, beyond {unusual}"
                    )
                previous = position
        return warnings

    def _gate_release(self, arrival: Arrival, role: str) -> list[str]:
        """Refuse ``role`` and table 3 of two releases; whether their cells agree is an asset check."""
        if not {"table3", role} <= arrival.files.keys():
            return []
        newest, newest3 = (pc.max(arrival.tables[name]["month_end_date"]).as_py() for name in (role, "table3"))
        if newest == newest3:
            return []
        if not {"table3", role} <= arrival.retrieved:
            return [f"{role} is of {newest:%Y-%m}, table 3 of {newest3:%Y-%m}: not compared until both are there"]
        raise ReleaseIncomplete(
            source=self.name,
            role=None,
            url=f"{arrival.files[role].url} against {arrival.files['table3'].url}",
            place="newest month",
            expected=f"{newest3:%Y-%m}, as in table 3",
            found=f"{newest:%Y-%m}",
            remedy=AGAIN + CONFIRM,
        )


def _stored(arrival: Arrival, spec: TableSpec) -> pa.Table:
    """What is stored of a table, without the months that have scrolled out of its file."""
    stored = arrival.stored[spec.name]
    if spec.rolling:
        stored = stored.filter(pc.field("month_end_date") >= pc.min(arrival.tables[spec.name]["month_end_date"]))
    return stored


def _holdings(spec: TableSpec, table: pa.Table) -> pa.Table:
    """name, kind, month_end_date, bn of a table, whichever it is; of a doubled month the new series."""
    column, per_bn = HEADLINES[spec.name]
    name, kind = ("row_label", "row_kind") if "row_label" in spec.key else ("holder_name", "holder_kind")
    if spec is MFHHIS01:
        table = table.filter(pc.field("is_primary"))
    return pa.table(
        {
            "name": table[name],
            "kind": table[kind],
            "month_end_date": table["month_end_date"],
            "bn": pc.divide(pc.cast(table[column], pa.float64()), per_bn),
        }
    )


def _floats(column: pa.ChunkedArray) -> _Grid:
    """A column as floats, NaN where null."""
    numbers: _Grid = pc.cast(column, pa.float64()).to_numpy()
    return numbers


def _to_table(spec: TableSpec, columns: Sequence[Any]) -> pa.Table:
    """All columns of the table but the last, ``published_at``, which follows from the month."""
    ends = columns[spec.schema.names.index("month_end_date")]
    released = {end: _released_at(end.year * 12 + end.month - 1) for end in set(ends)}
    columns = [*columns, [released[end] for end in ends]]
    table = pa.table(dict(zip(spec.schema.names, columns, strict=True)), schema=spec.schema)
    return table.take(pc.sort_indices(table, [(name, "ascending") for name in spec.key]))


def _released_at(month: int) -> datetime:
    """When the calendar puts a month (12 * year + month - 1) out; without an announced day, at the latest."""
    return _out_at(month, LATEST_RELEASE_DAY)


def _first_out_at(month: int) -> datetime:
    """The same, but without an announced day at the earliest."""
    return _out_at(month, EARLIEST_RELEASE_DAY)


def _out_at(month: int, business_day: int) -> datetime:
    year, number = (month + 2) // 12, (month + 2) % 12 + 1
    eve = date(year, number, 1) - timedelta(days=1)
    day = RELEASES.get((year, number)) or nth_open_day_after(eve, business_day, _is_open)
    return at(day, 16, 0, NEW_YORK)


def _is_announced(month: int) -> bool:
    return ((month + 2) // 12, (month + 2) % 12 + 1) in RELEASES


def _is_open(day: date) -> bool:
    return is_us_business_day(day) and not any(first <= day <= last for first, last in CLOSURES)


def _month_end(month: int) -> date:
    """The last calendar day of a month counted as 12 * year + month - 1."""
    return date((month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)


def _year_month(month: int) -> str:
    return f"{month // 12}-{month % 12 + 1:02d}"


def _kind(sheet: _Sheet, line: int, key: str, name: str, kinds: Mapping[str, str]) -> str:
    """What a row is: an aggregate of the list, or else a country."""
    if key not in kinds and name.startswith(NOT_A_COUNTRY):
        raise sheet.refuse(
            f"line {line}, first cells", "a country, or an aggregate of the list", f"{key!r} {name!r}", CLASSIFY
        )
    return kinds.get(key, "country")


# --- tables 3 and 1: a line for each holder and month ----------------------------------------------------------


def _holder(row: tuple[int, list[str]]) -> tuple[str, str]:
    """The code and the name of a numbered line."""
    return row[1][1], row[1][0]


def _parse_slt(sheet: _Sheet, spec: TableSpec) -> pa.Table:
    header = sheet.rows[sheet.header - 1]
    for name in spec.values:
        if header.count(name) != 1:
            raise sheet.refuse(
                f"line {sheet.header}, the header", f"one column {name}", f"{header.count(name)} in {header}"
            )
    rows = list(sheet.data())
    if not rows or not (newest := YEAR_MONTH.fullmatch(rows[0][1][2])):
        raise sheet.refuse(
            f"line {sheet.header + 1}, column date", "YYYY-MM", repr(rows[0][1][2]) if rows else "no data"
        )
    last = int(newest[1]) * 12 + int(newest[2]) - 1
    if last < SLT_FIRST_MONTH:
        raise sheet.refuse(f"line {rows[0][0]}, column date", f"{_year_month(SLT_FIRST_MONTH)} or later", newest[0])
    wanted = [_year_month(month) for month in range(last, SLT_FIRST_MONTH - 1, -1)]
    kinds: dict[str, str] = {}
    for (code, name), group in groupby(rows, key=_holder):
        lines = list(group)
        if code in kinds:
            raise sheet.refuse(f"line {lines[0][0]}, column country_code", "each code in one group", f"{code} again")
        months = [cells[2] for _, cells in lines]
        if months != wanted:
            pairs = zip_longest(months, wanted, fillvalue="another holder")
            n, (found, month) = next((n, pair) for n, pair in enumerate(pairs) if pair[0] != pair[1])
            raise sheet.refuse(
                f"line {lines[0][0] + n}, column date of {name} ({code})",
                f"{month}: each month from {wanted[0]} back to {_year_month(SLT_FIRST_MONTH)}",
                found[:40] or "an empty cell",
            )
        kinds[code] = _kind(sheet, lines[0][0], code, name, HOLDER_KINDS)
    if missing := {*(AGGREGATES if spec is TABLE3 else HOLDER_KINDS), CANADA} - kinds.keys():
        raise sheet.refuse(
            f"line {rows[-1][0]}, the last of the data",
            "each aggregate of the list, and Canada",
            f"no group {', '.join(sorted(missing))}: the file was cut short, or dropped them",
        )
    columns = list(zip(*(cells for _, cells in rows), strict=True))
    table = _to_table(
        spec,
        [
            columns[1],
            columns[0],
            [kinds[code] for code in columns[1]],
            [_month_end(month) for month in range(last, SLT_FIRST_MONTH - 1, -1)] * len(kinds),
            *(_integers(sheet, name, columns[header.index(name)]) for name in spec.values),
            [line for line, _ in rows],
        ],
    )
    _check_slt(sheet, spec, table, len(wanted))
    return table


def _integers(sheet: _Sheet, name: str, texts: Sequence[str]) -> pa.Array:
    """The cells of a column below the header, null where not available."""
    cells = pa.array(texts)
    missing = pc.equal(cells, NOT_AVAILABLE)
    odd = pc.index(pc.or_(missing, pc.match_substring_regex(cells, INTEGER)), False).as_py()
    if odd >= 0:
        raise sheet.refuse(
            f"line {sheet.header + 1 + odd}, column {name}",
            f"a whole number without separators, or {NOT_AVAILABLE}",
            repr(texts[odd][:40]),
        )
    return pc.cast(pc.if_else(missing, None, cells), pa.int64())


def _check_slt(sheet: _Sheet, spec: TableSpec, table: pa.Table, months: int) -> None:
    """Refuse sums that are off. ``table`` is sorted by holder and month, and complete."""
    grids = {name: _floats(table[name]).reshape(-1, months) for name in spec.values}
    rows = {code: n for n, code in enumerate(table["holder_code"].to_pylist()[::months])}
    for name, expected, tolerance, rule in _sums(spec, grids, rows):
        for holder, month in np.argwhere(np.abs(grids[name] - expected) > tolerance)[:1]:
            row = table.slice(holder * months + month, 1).to_pylist()[0]
            raise sheet.refuse(
                f"line {row['source_line']}, column {name}: {row['holder_name']}, {row['month_end_date']:%Y-%m}",
                f"{rule} = {expected[holder, month]:.0f} within {tolerance}",
                f"{row[name]}",
            )


def _sums(
    spec: TableSpec, grids: Mapping[str, _Grid], rows: Mapping[str, int]
) -> Iterator[tuple[str, _Grid, int, str]]:
    """Column, what its cells (holder, month) should be, NaN where nothing is known, tolerance and rule."""
    for parts, whole in COLUMN_SUMS[spec.name]:
        yield whole, np.sum([grids[part] for part in parts], axis=0), COLUMN_TOLERANCE_MN, " + ".join(parts)
    if spec is TABLE1:  # its regions do not add up where parts are suppressed
        return
    change = np.full_like(grids["for_st_treas_net"], np.nan)
    change[:, 1:] = np.diff(grids["for_st_treas_pos"])
    yield "for_st_treas_net", change, COLUMN_TOLERANCE_MN, "change of for_st_treas_pos"
    for name, grid in grids.items():
        for members, total in GROUP_SUMS:
            expected = np.full_like(grid, np.nan)
            expected[rows[total]] = grid[[rows[member] for member in members]].sum(axis=0)
            yield name, expected, GROUP_TOLERANCE_MN, "groups " + " + ".join(members)


# --- table 5 and mfhhis01: a row for each holder, a column for each month --------------------------------------


def _parse_table5(sheet: _Sheet) -> pa.Table:
    header = sheet.rows[sheet.header - 1][1:]
    found = [YEAR_MONTH.fullmatch(cell) for cell in header]
    months = [int(match[1]) * 12 + int(match[2]) - 1 for match in found if match]
    if len(header) != TABLE5_MONTHS or months != [months[0] - n for n in range(len(header)) if months]:
        raise sheet.refuse(
            f"line {sheet.header}, the header",
            f"{TABLE5_MONTHS} months YYYY-MM, newest first, without a gap",
            f"{header}",
        )
    rows = [_row(sheet, line, cells, months, tokens=()) for line, cells in sheet.data()]
    if len(rows) > TABLE5_ROWS:
        raise sheet.refuse(
            f"line {rows[TABLE5_ROWS].line}",
            f"at most {TABLE5_ROWS} rows: the largest holders, and totals",
            f"{len(rows):,}",
        )
    block = _Block(months, [True] * len(months), [None] * len(months), rows)
    _check_block(sheet, block)
    countries = [row for row in rows if row.kind == "country"]
    for higher, lower in pairwise(countries):
        if (lower.values[0] or 0) > (higher.values[0] or 0):
            raise sheet.refuse(
                f"line {lower.line}, column {_year_month(months[0])}",
                f"countries in descending order: at most {higher.values[0]}",
                f"{lower.label} {lower.values[0]}",
            )
    ranks = {row.label: rank for rank, row in enumerate(countries, start=1)}
    cells = [
        (row.label, row.kind, _month_end(month), ranks.get(row.label), value, row.line)
        for row in rows
        for month, value in zip(months, row.values, strict=True)
    ]
    return _to_table(TABLE5, list(zip(*cells, strict=True)))


def _parse_mfhhis01(sheet: _Sheet) -> pa.Table:
    blocks = list(_blocks(sheet))
    for newer, older in pairwise(blocks):
        if older.months[0] != newer.months[-1] - 1:
            raise sheet.refuse(
                f"the block above line {older.rows[0].line}",
                f"a block that starts with {_year_month(newer.months[-1] - 1)}: year blocks follow without a gap",
                _year_month(older.months[0]),
            )
    if (first := blocks[-1].months[-1]) != MFH_FIRST_MONTH:
        raise sheet.refuse(
            "the last block", f"its oldest month to be {_year_month(MFH_FIRST_MONTH)}", _year_month(first)
        )
    ends = {month: _month_end(month) for block in blocks for month in block.months}
    cells = [
        (row.label, row.kind, ends[month], primary, series, value, text == BELOW_50_MILLION, row.line)
        for block in blocks
        for row in block.rows
        for month, primary, series, value, text in zip(
            block.months, block.primary, block.series, row.values, row.texts, strict=True
        )
    ]
    return _to_table(MFHHIS01, list(zip(*cells, strict=True)))


def _blocks(sheet: _Sheet) -> Iterator[_Block]:
    """The year blocks, newest first, each with its sums checked."""
    above: list[list[str]] = []  # the lines with an empty first cell that a header may belong to
    block: _Block | None = None
    for line, cells in enumerate(sheet.rows, start=1):
        label = cells[0].strip()
        if label in ("Country", FOOTER) and block:
            _check_block(sheet, block)
            yield block
        if label == FOOTER and not block:
            raise sheet.refuse(f"line {line}", "the holders of at least one year above the footer", "none")
        if label == FOOTER:
            following = (row[0].strip() for row in sheet.rows[line:])
            vintage = next((cell for cell in following if cell), "")
            if not VINTAGE.fullmatch(vintage):
                raise sheet.refuse(
                    f"line {line + 1}, the footer", "the vintage date as M/D/YYYY or M/D/YY", repr(vintage)
                )
            return
        if label == "Country":
            block = _header(sheet, line, cells[1:], above)
        elif not label:
            if block and (odd := next((cell for cell in cells if POSITION.fullmatch(cell.strip())), None)):
                raise sheet.refuse(
                    f"line {line}, column 1", "the holder of the values that follow", f"empty, then {odd}"
                )
            above.append([cell.strip() for cell in cells[1:]])
        elif block and label != "Of which:":
            block.rows.append(_row(sheet, line, cells, block.months, tokens=(NOT_AVAILABLE, BELOW_50_MILLION)))
    raise sheet.refuse(
        f"line {len(sheet.rows)}, the last",
        f"the line {FOOTER!r} and the vintage date",
        "neither: the file was cut short",
    )


def _header(sheet: _Sheet, line: int, years: list[str], above: list[list[str]]) -> _Block:
    """An empty block. Months stand in the line above the years, labels of series in the two lines above the months."""
    names = above[-1] if above else []
    months: list[int] = []
    primary: list[bool] = []
    for column, (name, year) in enumerate(zip(names, years, strict=False), start=2):
        if not name and not year.strip():
            break
        if name not in MONTHS or not re.fullmatch(r"\d{4}", year):
            raise sheet.refuse(f"line {line}, column {column}", "a month and a year", f"{name!r} over {year!r}")
        months.append(int(year) * 12 + MONTHS.index(name))
        primary.append(len(months) < 2 or months[-1] != months[-2])
        fits = (primary[-1] and (len(months) < 2 or months[-1] == months[-2] - 1)) or primary[-2:] == [True, False]
        if not fits or months[-1] // 12 != months[0] // 12:
            raise sheet.refuse(
                f"line {line}, column {column}",
                f"the month before {_year_month(months[-2])} and of its year, or that month on its old series",
                _year_month(months[-1]),
            )
    if not months or any(cell.strip() for cell in (*names[len(months) :], *years[len(months) :])):
        raise sheet.refuse(f"line {line}, the header", "months of one year from column 2 on", f"{names} over {years}")
    labels = [" ".join(TEXT_MARK.sub("", cell) for cell in cells if cell) for cells in zip(*above[-3:-1], strict=True)]
    series = [label if label.startswith("Series") else None for label in labels] or [None] * len(names)
    return _Block(months, primary, series[: len(months)], [])


def _row(sheet: _Sheet, line: int, cells: list[str], months: Sequence[int], tokens: tuple[str, ...]) -> _Row:
    label = TEXT_MARK.sub("", cells[0].strip())
    texts = [cell.strip() for cell in cells[1 : len(months) + 1]]
    for column, text in enumerate(texts, start=2):
        if not POSITION.fullmatch(text) and text not in tokens:
            wanted = " or ".join(("a position in billions with at most one decimal", *tokens))
            raise sheet.refuse(f"line {line}, column {column} of {label!r}", wanted, repr(text[:40]))
    if any(cell.strip() for cell in cells[len(months) + 1 :]):
        raise sheet.refuse(f"line {line}, column {len(months) + 2} of {label!r}", "no cell without a month", f"{cells}")
    values = [None if text in tokens else float(text) for text in texts]
    return _Row(line, label, _kind(sheet, line, label, label, ROW_KINDS), texts, values)


def _check_block(sheet: _Sheet, block: _Block) -> None:
    """Refuse a row that stands twice, a total that is missing, and sums that are off."""
    lines = {row.label: row.line for row in reversed(block.rows)}
    for row in block.rows:
        if lines[row.label] != row.line:
            raise sheet.refuse(
                f"line {row.line}, column 1", f"{row.label!r} once, on line {lines[row.label]}", "it again"
            )
    kinds = [row.kind for row in block.rows]
    for kind in BLOCK_KINDS:
        if kinds.count(kind) != 1:
            names = [name for name, named in ROW_KINDS.items() if named == kind]
            raise sheet.refuse(
                f"the block of {_year_month(block.months[0])}",
                f"one row {' or '.join(names)}",
                f"{kinds.count(kind)}: the file was cut short, or renamed it",
            )
    values = np.array([row.values for row in block.rows], dtype=np.float64)
    total, official, bills, bonds = (values[kinds.index(kind)] for kind in BLOCK_KINDS[1:])
    holders = np.nansum(values[[kind in ("country", "region", "other") for kind in kinds]], axis=0)
    for kind, whole, parts, tolerance, rule in (
        ("total", total, holders, TOTAL_TOLERANCE_BN[sheet.file.role], "all holders and All Other"),
        ("official", official, bills + bonds, OFFICIAL_TOLERANCE_BN, "bills and bonds"),
    ):
        # Old series are not held to their sums: that of 2006-06 misses its published total by 2.5.
        off = ~(np.abs(whole - parts) <= tolerance + 1e-9) & np.array(block.primary)
        for column in np.flatnonzero(off)[:1]:
            raise sheet.refuse(
                f"line {block.rows[kinds.index(kind)].line}, column {column + 2}: {_year_month(block.months[column])}",
                f"{rule} = {parts[column]:.1f} within {tolerance}",
                f"{whole[column]:.1f}",
            )
