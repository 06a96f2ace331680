"""US Treasury daily par yield curve: 14 tenors from 1 month to 30 years, daily from 1990-01-02, one file a year.

Belongs here: the yearly file, its layout, its traps, its gates. Not here: spreads to other curves, which are derived.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jgb_assets.sources.base import (
    CONFIRM,
    LOOK,
    TIMESTAMP,
    Arrival,
    PublishedFile,
    Snapshot,
    Source,
    SourceRejected,
    TableSpec,
    refuse_html,
)
from jgb_assets.sources.calendars import NEW_YORK, at, is_us_business_day, nth_open_day_after


class Tenor(NamedTuple):
    """A maturity of the curve. Moves in percentage points; ``unusual`` is the 99.9th percentile of 1990 to 2026."""

    label: str
    code: str
    months: float
    first_day: date
    unusual: float


TENORS = (
    Tenor("1 Mo", "1M", 1, date(2001, 7, 31), 0.69),
    Tenor("1.5 Month", "1_5M", 1.5, date(2025, 2, 18), 0.69),  # too young for a percentile, as 2 and 4 months
    Tenor("2 Mo", "2M", 2, date(2018, 10, 16), 0.69),
    Tenor("3 Mo", "3M", 3, date(1990, 1, 2), 0.47),
    Tenor("4 Mo", "4M", 4, date(2022, 10, 19), 0.47),
    Tenor("6 Mo", "6M", 6, date(1990, 1, 2), 0.33),
    Tenor("1 Yr", "1Y", 12, date(1990, 1, 2), 0.34),
    Tenor("2 Yr", "2Y", 24, date(1990, 1, 2), 0.33),
    Tenor("3 Yr", "3Y", 36, date(1990, 1, 2), 0.32),
    Tenor("5 Yr", "5Y", 60, date(1990, 1, 2), 0.29),
    Tenor("7 Yr", "7Y", 84, date(1990, 1, 2), 0.29),
    Tenor("10 Yr", "10Y", 120, date(1990, 1, 2), 0.27),
    Tenor("20 Yr", "20Y", 240, date(1993, 10, 1), 0.25),
    Tenor("30 Yr", "30Y", 360, date(1990, 1, 2), 0.27),
)
BY_LABEL = {tenor.label: tenor for tenor in TENORS}
NOT_ISSUED = {"30Y": (date(2002, 2, 19), date(2006, 2, 8))}  # first and last day without a 30-year yield
# Published without a value; any other day like these is worth a look.
EMPTY_ROWS = frozenset({date(2010, 10, 11)})
EMPTY_CELLS = frozenset((date(2008, 12, day), "3M") for day in (10, 18, 24))  # 1-month bills yielded 0.00 to 0.03

VALUE = re.compile(r"\d{1,2}\.\d\d")
MISSING = ("", "N/A")
HIGHEST_PCT = 15.0  # seen: 0.00 to 9.18

FIRST_YEAR = 1990
FRIDAY = 4
OPEN_FRIDAYS = {(12, 31), (11, 10)}
FIRST_SESSION_BY = 5  # of January; seen: 2 to 4
ROWS_OF_A_YEAR = (245, 253)  # seen: 248 to 252
LATE_DAYS, FROZEN_DAYS = 5, 8  # the longest pause seen is 4 days
MAX_REWRITTEN = 0.05  # of the cells shared with what is stored; seen: none in 33,858
LISTED = 20
# The largest moves that really happened: 1.06 (1 month, debt ceiling of 2023), 0.60 from 1 year on (1 year).
MAX_MOVE_BILLS, MAX_MOVE_NOTES = 1.50, 1.00
RECENT_DAYS = 31
SPREADS = {  # seen, in percentage points: lowest and highest
    ("10Y", "2Y"): (-1.08, 2.91),
    ("30Y", "10Y"): (-0.37, 1.60),
    ("30Y", "20Y"): (-0.46, 0.48),
    ("20Y", "10Y"): (-0.08, 1.18),
    ("5Y", "3Y"): (-0.38, 1.07),
    ("6M", "3M"): (-0.44, 1.05),
}

_HOME = "https://home.treasury.gov/resource-center/data-chart-center/interest-rates/"

YIELDS = TableSpec(
    name="yields",
    description="One row for each published yield: percent a year, semi-annual bond equivalent, par.",
    schema=pa.schema(
        [
            pa.field("obs_date", pa.date32(), nullable=False),
            pa.field("tenor_code", pa.string(), nullable=False),
            pa.field("tenor_months", pa.float64(), nullable=False),
            pa.field("yield_pct", pa.float64()),
            pa.field("yield_text", pa.string()),
            pa.field("published_at", TIMESTAMP),
            pa.field("file_role", pa.string()),
            pa.field("source_line", pa.int32()),
        ]
    ),
    key=("obs_date", "tenor_code"),
    values=("yield_pct",),
    observation_date="obs_date",
    roles=("year",),
    role_column="file_role",
)

_Grid = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class _Row:
    line: int
    day: date
    texts: tuple[str, ...]


@dataclass(frozen=True)
class _Year:
    """A year's file: the tenors of its columns and its rows, newest first."""

    file: Snapshot
    tenors: tuple[Tenor, ...]
    rows: tuple[_Row, ...]


AGES_DAYS = {YIELDS.name: (LATE_DAYS, FROZEN_DAYS)}


class TreasuryParYields(Source):
    """See the module."""

    name = "treasury_par_yields"
    title = "US Treasury par yields"
    producer = "US Department of the Treasury"
    homepage = _HOME + "TextView?type=daily_treasury_yield_curve"
    licence = "US government work; no copyright notice on the files; no endorsement implied"
    citation = "Source: US Department of the Treasury, Daily Treasury Par Yield Curve Rates; processed."
    cadence = "each day on which the US government securities market is open"
    publication = "18:00 America/New_York on the day of observation, can be late"
    files = (
        PublishedFile(
            "year",
            (
                _HOME + "daily-treasury-rates.csv/{day:%Y}/all?type=daily_treasury_yield_curve"
                "&field_tdr_date_value={day:%Y}&page&_format=csv",
            ),
            ".csv",
            "The days of one year, newest first; a file a year from 1990.",
            dated=True,
        ),
    )
    tables = (YIELDS,)
    zone = NEW_YORK
    polls = ("30 18 * * 1-5", "0,30 19-22 * * 1-5", "0 23 * * 1-5")
    longest_pause = timedelta(days=7)
    ages_days = AGES_DAYS

    def asks(self, answered: Mapping[str, Snapshot], stored: Collection[str], today: date) -> Iterator[PublishedFile]:
        """Every year from 1990 that is not stored, this year, and in January the last one too."""
        (file,) = self.files
        for year in range(FIRST_YEAR, today.year + 1):
            of_year = file.of(date(year, 1, 1))
            if of_year.role not in stored or year == today.year or (year == today.year - 1 and today.month == 1):
                yield of_year

    def files_among(self, offered: frozenset[str], stored: Collection[str], today: date) -> Iterator[PublishedFile]:
        """Every year that is not stored; of those that are, this year and the last."""
        for file in super().files_among(offered, stored, today):
            if file.role not in stored or _year_of(file.role) >= today.year - 1:
                yield file

    def parse(self, files: Mapping[str, Snapshot]) -> dict[str, pa.Table]:
        """One row a cell with a value, by day and tenor."""
        return {YIELDS.name: _long_table([self._read(files[role]) for role in sorted(files)])}

    def gate(self, arrival: Arrival) -> list[str]:
        """Refuse a year that is short, frozen or rewritten, and moves that never happened."""
        warnings = []
        today = max(map(_today, arrival.files.values()))  # bytes that did not change bear their first retrieval
        for role in sorted(arrival.retrieved & arrival.files.keys()):
            year = self._read(arrival.files[role])
            warnings += self._gate_time(year, today)
            warnings += self._gate_revisions(year, arrival)
            warnings += _empty(year)
        return warnings + self._gate_moves(arrival)

    def next_expected_at(self, newest_observation: date) -> datetime:
        """18:00 New York on the next session."""
        return _published_at(nth_open_day_after(newest_observation, 1, _is_session))

    def is_open(self, day: date) -> bool:
        """On each session its yields come out in the evening."""
        return _is_session(day)

    # --- layout -----------------------------------------------------------------------------------------------

    def _refuse(self, file: Snapshot, place: str, expected: str, found: str, remedy: str = LOOK) -> SourceRejected:
        return self.rejected(file, place=place, expected=expected, found=found, remedy=remedy)

    def _read(self, file: Snapshot) -> _Year:
        if file.body.strip() in (b"", b"Date") and _is_young(_year_of(file.role), _today(file)):
            return _Year(file, (), ())
        refuse_html(self, file)
        try:
            lines = file.body.decode("ascii").removesuffix("\n").split("\n")
        except UnicodeDecodeError as error:
            raise self._refuse(
                file, f"byte {error.start}", "ASCII", repr(file.body[error.start : error.start + 4])
            ) from error
        tenors = self._header(file, lines[0])
        rows = [self._row(file, number, line, tenors) for number, line in enumerate(lines[1:], start=2)]
        for later, earlier in pairwise(rows):
            if earlier.day >= later.day:
                raise self._refuse(
                    file, f"line {earlier.line}", f"a day before {later.day}: newest first", str(earlier.day)
                )
        if not rows and not _is_young(_year_of(file.role), _today(file)):
            raise self._refuse(file, "line 2", "a row of yields", "only a header")
        for tenor in TENORS:
            if tenor not in tenors and any(_has_value(tenor, row.day) for row in rows):
                raise self._refuse(
                    file,
                    "line 1, the header",
                    f"a column {tenor.label!r}: it is published on days of this file",
                    lines[0],
                )
        return _Year(file, tenors, tuple(rows))

    def _header(self, file: Snapshot, line: str) -> tuple[Tenor, ...]:
        first, *cells = line.split(",")
        if first != "Date":
            raise self._refuse(file, "line 1, the header", "'Date,' and the labels of tenors", repr(line[:60]))
        tenors = []
        for column, cell in enumerate(cells, start=2):
            tenor = BY_LABEL.get(cell[1:-1]) if cell == f'"{cell[1:-1]}"' else None
            if tenor is None or tenor in tenors:
                raise self._refuse(
                    file,
                    f"line 1, column {column}",
                    "one of the labels " + ", ".join(f'"{label}"' for label in BY_LABEL) + ", each once",
                    f"{cell[:60]}: another kind of rates, or a new tenor that the parser must learn",
                )
            tenors.append(tenor)
        return tuple(tenors)

    def _row(self, file: Snapshot, number: int, line: str, tenors: tuple[Tenor, ...]) -> _Row:
        first, *cells = line.split(",")
        if len(cells) != len(tenors):
            raise self._refuse(
                file, f"line {number}", f"{1 + len(tenors)} cells, as in the header", f"{1 + len(cells)}: {line[:60]!r}"
            )
        day = _parse_day(first)
        if day is None or day.weekday() >= 5 or day.year != _year_of(file.role):
            raise self._refuse(
                file,
                f"line {number}, column 1",
                f"a weekday of {_year_of(file.role)} as MM/DD/YYYY",
                f"{first!r} (a spreadsheet's copy writes dates otherwise; a URL without its year gives another window)",
            )
        for column, (tenor, cell) in enumerate(zip(tenors, cells, strict=True), start=2):
            if cell in MISSING:
                continue
            place = f"line {number}, column {column}, {tenor.label} of {day}"
            if not VALUE.fullmatch(cell) or float(cell) > HIGHEST_PCT:
                raise self._refuse(file, place, f"0.00 to {HIGHEST_PCT:.2f} percent with two decimals", repr(cell[:40]))
            if not _has_value(tenor, day):
                raise self._refuse(file, place, "an empty cell: this tenor has no value then", repr(cell))
        return _Row(number, day, tuple(cells))

    # --- gates ------------------------------------------------------------------------------------------------

    def _gate_time(self, year: _Year, today: date) -> list[str]:
        file = year.file
        if not year.rows:
            return [f"{file.url} has no rows yet"]
        newest = year.rows[0].day
        if newest > today:
            raise self._refuse(
                file, f"line {year.rows[0].line}", f"no day after {today}, the day of retrieval", str(newest), CONFIRM
            )
        if newest.year < today.year and not _is_young(newest.year + 1, today):
            low, high = ROWS_OF_A_YEAR
            if not low <= len(year.rows) <= high:
                raise self._refuse(
                    file, "the whole file", f"{low} to {high} rows of a closed year", f"{len(year.rows)}", CONFIRM
                )
        if (oldest := year.rows[-1].day) > date(newest.year, 1, FIRST_SESSION_BY):
            raise self._refuse(
                file,
                f"line {year.rows[-1].line}, the last",
                f"a row of {newest.year}-01-0{FIRST_SESSION_BY} or before",
                f"{oldest}: the file was cut short",
                CONFIRM,
            )
        age = (today - newest).days
        if newest.year < today.year or age <= LATE_DAYS:
            return []
        found = f"{newest}, {age} days before {today}"
        if age > FROZEN_DAYS:
            raise self._refuse(
                file, "the newest day", f"at most {FROZEN_DAYS} days before the retrieval", f"frozen: {found}", CONFIRM
            )
        return [f"{file.url} is late: its newest day is {found}"]

    def _gate_revisions(self, year: _Year, arrival: Arrival) -> list[str]:
        file, role = year.file, year.file.role
        stored = arrival.stored[YIELDS.name].filter(pc.field("file_role") == role)
        days = {row.day for row in year.rows if not all(text in MISSING for text in row.texts)}
        if gone := sorted(set(stored["obs_date"].to_pylist()) - days):
            raise self._refuse(
                file,
                f"the row of {gone[0]}",
                f"each stored day of {gone[0].year}",
                f"{len(gone)} of them gone: an older or shortened file",
                CONFIRM,
            )
        changes = arrival.changes[YIELDS.name].filter(pc.field("file_role") == role)
        rewritten = changes.filter(pc.field("change") != "added").to_pylist()
        if len(rewritten) > max(1, MAX_REWRITTEN * stored.num_rows):
            first = rewritten[0]
            raise self._refuse(
                file,
                f"from {first['tenor_code']} of {first['obs_date']} on",
                f"at most {MAX_REWRITTEN:.0%} of the {stored.num_rows:,} stored cells rewritten: it is not revised",
                f"{len(rewritten):,}: columns have changed places, or another kind of rates",
                CONFIRM,
            )
        told = [f"{row['tenor_code']} of {row['obs_date']} was rewritten to {row['yield_pct']}" for row in rewritten]
        more = len(told) - LISTED
        return told[:LISTED] + ([f"and {more} more cells of {file.url}"] if more > 0 else [])

    def _gate_moves(self, arrival: Arrival) -> list[str]:
        table, changes = arrival.tables[YIELDS.name], arrival.changes[YIELDS.name]
        days, yields = _to_matrix(table)
        if len(days) < 2:
            return []
        moves = np.round(np.diff(yields, axis=0), 2)
        cells = _touched(days, changes).astype(int)  # 1: new or changed
        touched = (cells[1:] | cells[:-1]).astype(bool)
        limits = np.array([MAX_MOVE_BILLS if tenor.months < 12 else MAX_MOVE_NOTES for tenor in TENORS])
        for row, column in np.argwhere(touched & (np.abs(moves) > limits))[:1]:
            day, tenor = days[row + 1].item(), TENORS[column]
            raise self._refuse(
                _file_of(days[row + cells[row + 1, column]].item(), arrival),
                f"{tenor.label} of {day}",
                f"a move of at most {limits[column]:.2f} in a day",
                f"{yields[row, column]:.2f} to {yields[row + 1, column]:.2f}",
                CONFIRM,
            )
        both = ~np.isnan(moves)
        for row in np.flatnonzero(touched.any(axis=1) & both.any(axis=1) & np.all((moves == 0) | ~both, axis=1))[:1]:
            day = days[row + 1].item()
            raise self._refuse(
                _file_of(days[row + cells[row + 1].max()].item(), arrival),
                f"the row of {day}",
                "yields that differ from the day before in at least one tenor",
                "the same yields: a stale row under a new date",
                CONFIRM,
            )
        recent = days > days[-1] - np.timedelta64(RECENT_DAYS, "D")
        unusual = touched & recent[1:, None] & (np.abs(moves) > np.array([tenor.unusual for tenor in TENORS]))
        warnings = [
            f"{TENORS[column].label} moved {moves[row, column]:+.2f} on {days[row + 1]}, more than 99.9 % of days"
            for row, column in np.argwhere(unusual)
        ]
        codes = [tenor.code for tenor in TENORS]
        new = cells.any(axis=1) & recent
        for (long, short), (low, high) in SPREADS.items():
            spread = np.round(yields[:, codes.index(long)] - yields[:, codes.index(short)], 2)
            warnings += [
                f"{long} less {short} was {spread[row]:+.2f} on {days[row]}, outside {low:+.2f} to {high:+.2f}"
                for row in np.flatnonzero(new & ((spread < low) | (spread > high)))
            ]
        return warnings


def _year_of(role: str) -> int:
    return int(role[-10:-6])


def _today(file: Snapshot) -> date:
    return file.retrieved_at.astimezone(NEW_YORK).date()


def _is_young(year: int, today: date) -> bool:
    """Whether a year has not reached its second session: its file may lag."""
    eve = date(year, 1, 1) - timedelta(days=1)
    return today < nth_open_day_after(eve, 2, _is_session)


def _parse_day(text: str) -> date | None:
    match = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", text)
    try:
        return date(int(match[3]), int(match[1]), int(match[2])) if match else None
    except ValueError:
        return None


def _has_value(tenor: Tenor, day: date) -> bool:
    """Whether the publisher gives this tenor on that day."""
    first, last = NOT_ISSUED.get(tenor.code, (date.max, date.min))
    return day >= tenor.first_day and not first <= day <= last


def _is_session(day: date) -> bool:
    """Whether yields are due: federal business days, and Fridays before a New Year or Veterans Day on a Saturday."""
    return is_us_business_day(day) or (day.weekday() == FRIDAY and (day.month, day.day) in OPEN_FRIDAYS)


def _published_at(day: date) -> datetime:
    return at(day, 18, 0, NEW_YORK)


def _empty(year: _Year) -> list[str]:
    """Rows and cells without a value that are not known to be so."""
    warnings = []
    for row in year.rows:
        missing = [
            tenor.label
            for tenor, text in zip(year.tenors, row.texts, strict=True)
            if text in MISSING and _has_value(tenor, row.day) and (row.day, tenor.code) not in EMPTY_CELLS
        ]
        if all(text in MISSING for text in row.texts):
            if row.day not in EMPTY_ROWS:
                warnings.append(f"{year.file.url}, line {row.line}: {row.day} has no yield at all")
        elif missing:
            warnings.append(f"{year.file.url}, line {row.line}: {row.day} has no {', '.join(missing)}")
    return warnings


def _long_table(years: list[_Year]) -> pa.Table:
    cells = [
        (row.day, tenor.code, tenor.months, float(text), text, published_at, year.file.role, row.line)
        for year in sorted(years, key=lambda year: year.file.role)
        for row in reversed(year.rows)
        for published_at in [_published_at(row.day)]
        for tenor, text in sorted(zip(year.tenors, row.texts, strict=True), key=lambda cell: cell[0].months)
        if text not in MISSING
    ]
    columns = zip(*cells, strict=True) if cells else [[]] * len(YIELDS.schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, YIELDS.schema, strict=True)],
        schema=YIELDS.schema,
    )


def _to_matrix(table: pa.Table) -> tuple[np.ndarray, _Grid]:
    """Days (day,) and their yields in percent (day, tenor), NaN where none was published."""
    days, row = np.unique(table["obs_date"].to_numpy(), return_inverse=True)
    yields = np.full((len(days), len(TENORS)), np.nan)
    yields[row, _columns(table)] = table["yield_pct"].to_numpy()
    return days, yields


def _columns(table: pa.Table) -> np.ndarray:
    """The column of each row's tenor."""
    columns: np.ndarray = np.searchsorted([tenor.months for tenor in TENORS], table["tenor_months"].to_numpy())
    return columns


def _touched(days: np.ndarray, changes: pa.Table) -> np.ndarray:
    """Which cells (day, tenor) are new or differ from the stored ones; days that lost every yield have no row."""
    touched = np.zeros((len(days), len(TENORS)), dtype=bool)
    changes = changes.filter(pc.is_in(changes["obs_date"], pa.array(days)))
    touched[np.searchsorted(days, changes["obs_date"].to_numpy()), _columns(changes)] = True
    return touched


def _file_of(day: date, arrival: Arrival) -> Snapshot:
    (role,) = arrival.tables[YIELDS.name].filter(pc.field("obs_date") == day)["file_role"].unique().to_pylist()
    return arrival.files[role]
