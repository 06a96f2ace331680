"""Ministry of Finance Japan, "Interest Rate": JGB constant-maturity yields, 15 tenors, daily from 1974-09-24.

Belongs here: the two files (history to the last month-end, current month), their layout, their traps, their gates.
Not here: changes, slopes and records, which are derived tables.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

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
from jgb_assets.sources.calendars import TOKYO, at, is_tokyo_session, next_tokyo_session, tokyo_sessions

TENORS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40)
FIELDS = 1 + len(TENORS)
HEADERS = {"Date": ("en", "Y"), "基準日": ("ja", "年")}
TITLES = {"en": "Interest Rate", "ja": "国債金利情報"}

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]{1,3})?")
DATE_EN = re.compile(r"((?:19|20)[0-9]{2})/([1-9][0-9]?)/([1-9][0-9]?)")
DATE_JA = re.compile(r"([SHR])([1-9][0-9]?)\.([1-9][0-9]?)\.([1-9][0-9]?)")
# First and last day of each era, as the file writes them: S64.1.6 is followed by H1.1.9, H31.4.26 by R1.5.7.
ERAS = {
    "S": (1925, date(1926, 12, 25), date(1989, 1, 7)),
    "H": (1988, date(1989, 1, 8), date(2019, 4, 30)),
    "R": (2018, date(2019, 5, 1), date.max),
}

# Facts of the published history, the same in every vintage seen (2017 to 2026).
FIRST_DATE = date(1974, 9, 24)
FIRST_VALUES = dict.fromkeys(TENORS, FIRST_DATE) | {  # the 20-year is older than the 15-year
    10: date(1986, 7, 5),
    15: date(1991, 8, 30),
    20: date(1986, 12, 1),
    25: date(2004, 3, 22),
    30: date(1999, 9, 2),
    40: date(2007, 11, 6),
}
GAPS = {  # first and last session without a value; no other cell is empty after a tenor's first value
    1: (date(1978, 5, 22), date(1980, 8, 21)),
    2: (date(1978, 5, 22), date(1979, 8, 21)),
    3: (date(1978, 5, 22), date(1978, 8, 21)),
}
LANDMARKS = {  # whole rows, so that no two columns can have changed places
    FIRST_DATE: "10.327 9.362 8.83 8.515 8.348 8.29 8.24 8.121 8.127",
    date(2007, 11, 6): "0.655 0.771 0.849 0.995 1.102 1.181 1.249 1.352 1.477 1.583 1.916 2.133 2.281 2.378 2.439",
}
FIVE_DAY_WEEK_SINCE = date(1989, 2, 1)  # before it Saturdays were sessions; after it the calendar is exact
ROWS_BEFORE_FIVE_DAY_WEEK = 4_063
SUNDAY = 6
LONGEST_MONTH = 23
HISTORY_LAGS_MONTHS = 2  # it ends with the last month, or with the one before until it is updated
YIELD_RANGE_PCT = (-1.0, 15.0)

# The largest moves that really happened, with room: a larger one is a slipped unit, column or digit until confirmed.
CALM_SINCE = date(2000, 1, 1)
MAX_CHANGE_BP = 30.0  # since 2000 the largest is 27.1 (25-year, 2013-04-04)
MAX_CHANGE_EARLIER_BP = 65.0  # before 2000 the largest is 61.7 (7-year, 1985-10-25)
MAX_AGAINST_NEIGHBOURS_BP = 10.0  # since 2000 the largest is 8.9 (10-year, 2023-03-14)
UNUSUAL_CHANGE_BP = dict(  # 99.9th percentile of absolute daily changes since 2000
    zip(
        TENORS,
        (7.2, 9.0, 9.9, 10.6, 11.8, 13.4, 15.1, 14.7, 14.1, 15.1, 17.1, 17.1, 17.1, 18.0, 17.9),
        strict=True,
    )
)

_EN = "https://www.mof.go.jp/english/policy/jgbs/reference/interest_rate/"
_JA = "https://www.mof.go.jp/jgbs/reference/interest_rate/"

YIELDS = TableSpec(
    name="yields",
    description="One row for each published yield: percent a year, semi-annual compound, Tokyo close at 15:00.",
    schema=pa.schema(
        [
            pa.field("obs_date", pa.date32(), nullable=False),
            pa.field("tenor_years", pa.int16(), nullable=False),
            pa.field("yield_pct", pa.float64()),
            pa.field("yield_text", pa.string()),
            pa.field("published_at", TIMESTAMP),
            pa.field("file_kind", pa.string()),
            pa.field("language", pa.string()),
            pa.field("source_line", pa.int32()),
        ]
    ),
    key=("obs_date", "tenor_years"),
    values=("yield_pct",),
    observation_date="obs_date",
    roles=("history", "current"),
    role_column="file_kind",
    rolling=frozenset({"current"}),
    max_rewritten=50,  # 14 vintages of nine years agree in every cell: this series is not revised
)


@dataclass(frozen=True)
class _Row:
    line: int
    day: date
    texts: tuple[str, ...]


@dataclass(frozen=True)
class _File:
    snapshot: Snapshot
    language: str
    title: str | None
    rows: tuple[_Row, ...]


AGES_DAYS = {YIELDS.name: (14, 14)}  # stale; late is a matter of business days


class MofJgbYields(Source):
    """See the module."""

    name = "mof_jgb_yields"
    title = "JGB constant-maturity yields"
    producer = "Ministry of Finance, Japan"
    homepage = _EN + "index.htm"
    licence = "Public Data License 1.0 (attribution, note of edits; compatible with CC BY 4.0)"
    citation = f"Source: Ministry of Finance Japan, Interest Rate ({homepage}), Public Data License 1.0; processed."
    cadence = "each Tokyo business day"
    publication = "09:30 Asia/Tokyo on the business day after the observation"
    files = (
        PublishedFile(
            "history",
            (_EN + "historical/jgbcme_all.csv", _JA + "data/jgbcm_all.csv"),
            ".csv",
            "Every session from 1974-09-24 to the last month-end.",
        ),
        PublishedFile(
            "current",
            (_EN + "jgbcme.csv", _JA + "jgbcm.csv"),
            ".csv",
            "The sessions of the current month; on a month's first business day still the previous month.",
        ),
    )
    tables = (YIELDS,)
    zone = TOKYO
    polls = ("40 9 * * 1-5", "10 10 * * 1-5", "0 12-18 * * 1-5")
    longest_pause = timedelta(days=12)  # the ten closed days of 2019, and a day each side
    ages_days = AGES_DAYS
    pause_seconds = 1.2
    bypass_caches = True  # the current month's own footer warns of stale copies

    def parse(self, files: Mapping[str, Snapshot]) -> dict[str, pa.Table]:
        """Unite history and current month by date.

        Where both have a day and differ, the file that was retrieved later stands; of one retrieval the current month.
        """
        rows: dict[date, tuple[_Row, str, str]] = {}
        if "history" in files:
            history = self._read(files["history"])
            self._check_history(history)
            rows |= {row.day: (row, "history", history.language) for row in history.rows}
        if "current" in files:
            current = self._read(files["current"])
            self._check_current(current)
            outranks = "history" not in files or files["current"].retrieved_at >= files["history"].retrieved_at
            for row in current.rows:
                if row.day not in rows or (outranks and rows[row.day][0].texts != row.texts):
                    rows[row.day] = (row, "current", current.language)
        return {YIELDS.name: _long_table(rows)}

    def gate(self, arrival: Arrival) -> list[str]:
        """Refuse what is late-dated, older, holed or implausible against the stored series."""
        if arrival.tables[YIELDS.name].num_rows == 0:
            return []
        arrival = replace(arrival, tables={YIELDS.name: _with_months_that_rolled_off(arrival)})
        table = arrival.tables[YIELDS.name]
        newest_file = max(arrival.files.values(), key=lambda file: (file.retrieved_at, file.role == "current"))
        if "history" not in arrival.files:
            raise self.rejected(
                newest_file,
                place="the set of files",
                expected="the history file before, or with, the current month",
                found="only the current month",
                remedy="retrieve the history file too: " + self.files[0].urls[0],
            )
        days = sorted(table["obs_date"].unique().to_pylist())
        warnings = self._gate_time(arrival, days)
        self._gate_calendar(newest_file, days, arrival)
        warnings += self._gate_moves(arrival)
        warnings += _overlap_warnings(table)
        for role in sorted(arrival.retrieved):
            warnings += _title_warnings(arrival.files[role])
        return warnings

    def next_expected_at(self, newest_observation: date) -> datetime:
        """09:30 Tokyo on the business day after the session that follows."""
        return at(next_tokyo_session(next_tokyo_session(newest_observation)), 9, 30, TOKYO)

    def is_open(self, day: date) -> bool:
        """On each session the yields of the one before come out."""
        return is_tokyo_session(day)

    def late_at(self, table: str, newest: date) -> datetime:
        """When a second session is missing: around holidays calendar days say nothing."""
        return self.next_expected_at(next_tokyo_session(newest))

    # --- layout -----------------------------------------------------------------------------------------------

    def _read(self, file: Snapshot) -> _File:
        refuse_html(self, file)
        try:
            text = file.body.decode("cp932")
        except UnicodeDecodeError as error:
            raise self.rejected(
                file,
                place=f"byte {error.start}",
                expected="text in cp932",
                found=f"bytes {file.body[error.start : error.start + 4]!r}",
                remedy=LOOK,
            ) from error
        lines = text.replace("\r\n", "\n").split("\n")
        if lines.pop() != "":
            raise self.rejected(
                file,
                place=f"line {len(lines) + 1}, the last",
                expected="a line end after the last row",
                found="the file ends within a line: cut short, or saved again by a spreadsheet",
                remedy=LOOK,
            )
        title = None if lines[0].split(",")[0] in HEADERS else lines[0]
        header_at = 0 if title is None else 1
        language = self._check_header(file, title, lines[header_at] if len(lines) > header_at else "", header_at + 1)
        rows = []
        for number, line in enumerate(lines[header_at + 1 :], start=header_at + 2):
            if line.startswith(",") or line == "":
                self._check_footer(file, lines[number - 1 :], number)
                break
            rows.append(self._row(file, line, number, language))
        if not rows:
            raise self.rejected(file, place=f"line {header_at + 2}", expected="data rows", found="none", remedy=LOOK)
        for earlier, later in pairwise(rows):
            if later.day <= earlier.day:
                raise self.rejected(
                    file,
                    place=f"line {later.line}",
                    expected=f"a date after {earlier.day}",
                    found=str(later.day),
                    remedy=LOOK,
                )
        return _File(file, language, title, tuple(rows))

    def _check_header(self, file: Snapshot, title: str | None, header: str, line: int) -> str:
        first = header.split(",", maxsplit=1)[0]
        if first not in HEADERS:
            raise self.rejected(
                file,
                place=f"line {line}",
                expected="a header that starts with Date or 基準日, in cp932",
                found=repr(header[:60]),
                remedy=LOOK,
            )
        language, unit = HEADERS[first]
        wanted = ",".join([first, *(f"{tenor}{unit}" for tenor in TENORS)])
        if header != wanted:
            raise self.rejected(file, place=f"line {line}", expected=wanted, found=header[:120], remedy=LOOK)
        if title is not None:
            fields = title.split(",")
            if not fields[0].startswith(TITLES[language]) or len(fields) != FIELDS or "%" not in fields[-1]:
                raise self.rejected(
                    file,
                    place="line 1",
                    expected=f"{TITLES[language]!r}, 14 empty fields and a unit in %",
                    found=repr(title[:80]),
                    remedy=LOOK,
                )
        return language

    def _check_footer(self, file: Snapshot, lines: list[str], number: int) -> None:
        if len(lines) != 2 or lines[0].strip(",") != "" or "※" not in lines[1]:
            raise self.rejected(
                file,
                place=f"line {number}",
                expected="data, or a line of commas and one ※ footer that end the file",
                found=repr("\n".join(lines)[:80]),
                remedy=LOOK,
            )

    def _row(self, file: Snapshot, line: str, number: int, language: str) -> _Row:
        first, *cells = line.split(",")
        if len(cells) != len(TENORS):
            raise self.rejected(
                file,
                place=f"line {number}",
                expected=f"{FIELDS} fields",
                found=f"{1 + len(cells)}: {line[:60]!r}",
                remedy=LOOK,
            )
        day = _parse_day(first, language)
        if day is None or day.weekday() == SUNDAY:
            raise self.rejected(
                file,
                place=f"line {number}, field 1",
                expected="YYYY/M/D" if language == "en" else "an era date such as R8.1.20",
                found=f"{first!r} (there is no session on a Sunday; a spreadsheet re-save turns dates into M/D/YY)",
                remedy=LOOK,
            )
        for tenor, cell in zip(TENORS, cells, strict=True):
            if cell == "-":
                continue
            if not NUMBER.fullmatch(cell) or not YIELD_RANGE_PCT[0] <= float(cell) <= YIELD_RANGE_PCT[1]:
                raise self.rejected(
                    file,
                    place=f"line {number}, {tenor}-year of {day}",
                    expected=f"- or {YIELD_RANGE_PCT[0]:g} to {YIELD_RANGE_PCT[1]:g} percent, up to 3 decimals",
                    found=repr(cell[:40]),
                    remedy=LOOK,
                )
        for tenor, cell in zip(TENORS, cells, strict=True):
            if (cell == "-") != _is_empty(day, tenor):
                raise self.rejected(
                    file,
                    place=f"line {number}, {tenor}-year of {day}",
                    expected="'-': the publisher has no value there"
                    if _is_empty(day, tenor)
                    else "a yield: none is empty",
                    found=repr(cell),
                    remedy=LOOK,
                )
        return _Row(number, day, tuple(cells))

    def _check_history(self, file: _File) -> None:
        def refuse(place: str, expected: str, found: str) -> SourceRejected:
            return self.rejected(file.snapshot, place=place, expected=expected, found=found, remedy=LOOK)

        first, last = file.rows[0], file.rows[-1]
        if first.day != FIRST_DATE:
            raise refuse(f"line {first.line}", f"the history to start on {FIRST_DATE}", str(first.day))
        if last.day < FIRST_VALUES[40]:
            raise refuse(f"line {last.line}, the last", f"rows beyond {FIRST_VALUES[40]}", f"the last is {last.day}")
        early = sum(row.day < FIVE_DAY_WEEK_SINCE for row in file.rows)
        if early != ROWS_BEFORE_FIVE_DAY_WEEK:
            raise refuse(f"rows before {FIVE_DAY_WEEK_SINCE}", f"{ROWS_BEFORE_FIVE_DAY_WEEK:,}", f"{early:,}")
        if next_tokyo_session(last.day).month == last.day.month:
            raise refuse(
                f"line {last.line}, the last",
                "the last business day of a month",
                f"{last.day}: the file was cut short",
            )

    def _check_current(self, file: _File) -> None:
        first, last = file.rows[0], file.rows[-1]
        if len(file.rows) > LONGEST_MONTH or (first.day.year, first.day.month) != (last.day.year, last.day.month):
            raise self.rejected(
                file.snapshot,
                place=f"lines {first.line} to {last.line}",
                expected=f"at most {LONGEST_MONTH} rows of one month",
                found=f"{len(file.rows)} rows from {first.day} to {last.day}",
                remedy=LOOK,
            )

    # --- gates ------------------------------------------------------------------------------------------------

    def _gate_time(self, arrival: Arrival, days: list[date]) -> list[str]:
        table, stored, newest = arrival.tables[YIELDS.name], arrival.stored[YIELDS.name], days[-1]
        file = _file_of(newest, table, arrival.files)
        today = file.retrieved_at.astimezone(TOKYO).date()
        if newest > today:
            raise self.rejected(
                file,
                place=f"row of {newest}",
                expected=f"no date after the day of retrieval, {today} in Tokyo",
                found=str(newest),
                remedy=CONFIRM,
            )
        if stored.num_rows:
            known = pc.max(stored["obs_date"]).as_py()
            if newest < known:
                raise self.rejected(
                    file,
                    place="the last row",
                    expected=f"{known}, the newest stored date, or later",
                    found=f"{newest}: an older or shortened file",
                    remedy=CONFIRM,
                )
        history = arrival.files["history"]
        retrieved = history.retrieved_at.astimezone(TOKYO).date()
        last = pc.max(table.filter(pc.field("file_kind") == "history")["obs_date"]).as_py()
        months = 12 * (retrieved.year - last.year) + retrieved.month - last.month
        if months > HISTORY_LAGS_MONTHS:
            raise self.rejected(
                history,
                place="the last row",
                expected=f"the last business day of one of the {HISTORY_LAGS_MONTHS} months before {retrieved:%B %Y}",
                found=f"{last}: frozen, or cut short",
                remedy=CONFIRM,
            )
        return [f"row of {newest} was retrieved on its own day; publication is a day later"] if newest == today else []

    def _gate_calendar(self, file: Snapshot, days: list[date], arrival: Arrival) -> None:
        stored_days = set(arrival.stored[YIELDS.name]["obs_date"].unique().to_pylist())
        if gone := sorted(stored_days - set(days)):
            raise self.rejected(
                file,
                place=f"row of {gone[0]}",
                expected=f"each of the {len(stored_days):,} stored dates",
                found=f"{len(gone)} of them gone",
                remedy=CONFIRM,
            )
        known_to = max(stored_days) if stored_days else FIVE_DAY_WEEK_SINCE - timedelta(days=1)
        expected = set(tokyo_sessions(known_to + timedelta(days=1), days[-1]))
        found = {day for day in days if day >= FIVE_DAY_WEEK_SINCE and day not in stored_days}
        if odd := sorted(expected ^ found):
            raise self.rejected(
                file,
                place=f"row of {odd[0]}",
                expected="each Tokyo business day once: weekdays less national holidays and 31 December to 3 January",
                found=f"{'no row for' if odd[0] in expected else 'a row for'} {odd[0]} ({len(odd)} such days)",
                remedy="at a month's turn one of the two files may be late: run again later. Otherwise " + CONFIRM,
            )

    def _gate_moves(self, arrival: Arrival) -> list[str]:
        table, changes = arrival.tables[YIELDS.name], arrival.changes[YIELDS.name]
        warnings = []
        rewritten = changes.filter(pc.field("change") != "added").to_pylist()
        if rewritten:
            warnings.append(
                f"{len(rewritten)} past cells were rewritten in a series that is not revised: "
                + ", ".join(f"{row['tenor_years']}-year of {row['obs_date']}" for row in rewritten[:5])
            )
        days, yields = to_matrix(table)
        for day, texts in LANDMARKS.items():
            wanted = np.array(texts.split(), dtype=np.float64)
            found = yields[days == np.datetime64(day)][0]
            if not arrival.stored[YIELDS.name].num_rows and not np.array_equal(found[~np.isnan(found)], wanted):
                raise self.rejected(
                    arrival.files["history"],
                    place=f"row of {day}",
                    expected=texts,
                    found=f"{' '.join(f'{number:g}' for number in found)}: columns have changed places",
                    remedy=CONFIRM,
                )
        moves_bp = np.round(100 * np.diff(yields, axis=0), 2)  # yields have three decimals: less is binary noise
        touched = _touched(days, changes)
        touched = touched[1:] | touched[:-1]
        modern = (days[1:] >= np.datetime64(CALM_SINCE))[:, None]
        apart_bp = np.zeros_like(moves_bp)
        apart_bp[:, 1:-1] = moves_bp[:, 1:-1] - (moves_bp[:, :-2] + moves_bp[:, 2:]) / 2
        limits = {
            "a move that has happened before": (moves_bp, np.where(modern, MAX_CHANGE_BP, MAX_CHANGE_EARLIER_BP)),
            "a move like its neighbours'": (apart_bp, np.where(modern, MAX_AGAINST_NEIGHBOURS_BP, np.inf)),
        }
        for rule, (measure_bp, limit_bp) in limits.items():
            beyond = np.where(touched & (np.abs(measure_bp) > limit_bp), np.abs(measure_bp), 0)
            if beyond.any():
                row = beyond.any(axis=1).argmax()  # the first such day, on it the widest of its mark
                column = beyond[row].argmax()
                day = days[row + 1].item()
                raise self.rejected(
                    _file_of(day, table, arrival.files),
                    place=f"{TENORS[column]}-year of {day}",
                    expected=rule,
                    found=f"{yields[row, column]:g} to {yields[row + 1, column]:g} percent in a day",
                    remedy=CONFIRM,
                )
        recent = touched & (days[1:] > days[-1] - np.timedelta64(31, "D"))[:, None]
        unusual = np.abs(moves_bp) > np.array([UNUSUAL_CHANGE_BP[tenor] for tenor in TENORS])
        warnings += [
            f"{TENORS[column]}-year moved {moves_bp[row, column]:+.1f} bp on {days[row + 1]}, more than 99.9 % of days"
            for row, column in np.argwhere(unusual & recent)
        ]
        same = touched.all(axis=1) & np.all(moves_bp == 0, axis=1)
        for row in np.flatnonzero(same):
            raise self.rejected(
                _file_of(days[row + 1].item(), table, arrival.files),
                place=f"row of {days[row + 1]}",
                expected="yields that differ from the session before in at least one tenor",
                found="the same 15 yields: a stale row under a new date",
                remedy=CONFIRM,
            )
        return warnings


def _parse_day(text: str, language: str) -> date | None:
    """The date as that language's file writes it, None if it is not one."""
    try:
        if language == "en":
            match = DATE_EN.fullmatch(text)
            return date(*map(int, match.groups())) if match else None
        match = DATE_JA.fullmatch(text)
        if not match:
            return None
        base, begins, ends = ERAS[match[1]]
        day = date(base + int(match[2]), int(match[3]), int(match[4]))
        return day if begins <= day <= ends else None
    except ValueError:
        return None


def _with_months_that_rolled_off(arrival: Arrival) -> pa.Table:
    """The table with the stored rows of earlier current months: the history may take them over a day later."""
    table, stored = arrival.tables[YIELDS.name], arrival.stored[YIELDS.name]
    stands = pc.and_(
        pc.equal(stored["file_kind"], "current"), pc.invert(pc.is_in(stored["obs_date"], table["obs_date"].unique()))
    )
    return pa.concat_tables([table, stored.filter(stands)]).sort_by([(name, "ascending") for name in YIELDS.key])


def _is_empty(day: date, tenor: int) -> bool:
    """Whether the publisher has no value for a tenor on a day."""
    first, last = GAPS.get(tenor, (date.max, date.min))
    return day < FIRST_VALUES[tenor] or first <= day <= last


def _file_of(day: date, table: pa.Table, files: Mapping[str, Snapshot]) -> Snapshot:
    """The file that a day's row was read from, or the one that took its place."""
    return files[table.filter(pc.field("obs_date") == day)["file_kind"][0].as_py()]


def _overlap_warnings(table: pa.Table) -> list[str]:
    """Days on which the current month's row was kept although the history has the day too: they differ."""
    days, kinds = table["obs_date"].to_numpy(), table["file_kind"].to_numpy()
    odd = np.unique(days[(kinds == "current") & (days <= days[kinds == "history"].max())])
    return [f"history and current month differ on {day}; the current month's row stands" for day in odd]


def _title_warnings(file: Snapshot) -> list[str]:
    """What is odd about the title line: it is missing, or its month is not that of the rows."""
    lines = file.body.decode("cp932").splitlines()
    title = lines[0].split(",")[0]
    if title in HEADERS:
        return [f"{file.url} came without its title line"]
    if file.role != "current":
        return []
    language = "en" if title.startswith(TITLES["en"]) else "ja"
    last = [day for line in lines if (day := _parse_day(line.split(",")[0], language))][-1]
    wanted = f"({last:%B %Y})" if language == "en" else f"(令和{last.year - ERAS['R'][0]}年{last.month}月)"
    return [] if title.endswith(wanted) else [f"{file.url} is titled {title!r} but ends with a row of {last}"]


def _long_table(rows: Mapping[date, tuple[_Row, str, str]]) -> pa.Table:
    """One row a published yield, sorted by key. Publication is at the next session, 09:30 Tokyo."""
    if not rows:
        return YIELDS.empty()
    days = sorted(rows)
    published = [at(following, 9, 30, TOKYO) for following in [*days[1:], next_tokyo_session(days[-1])]]
    texts = np.array([rows[day][0].texts for day in days])
    row, column = np.nonzero(texts != "-")
    shown = texts[row, column]
    by_day = {
        "obs_date": pa.array(days, pa.date32()),
        "published_at": pa.array(published, TIMESTAMP),
        "file_kind": pa.array([rows[day][1] for day in days], pa.string()),
        "language": pa.array([rows[day][2] for day in days], pa.string()),
        "source_line": pa.array([rows[day][0].line for day in days], pa.int32()),
    }
    by_cell = {
        "tenor_years": pa.array(np.array(TENORS, dtype=np.int16)[column]),
        "yield_pct": pa.array(shown.astype(np.float64)),
        "yield_text": pa.array(shown.tolist(), pa.string()),
    }
    columns = by_cell | {name: values.take(pa.array(row)) for name, values in by_day.items()}
    return pa.table([columns[name] for name in YIELDS.schema.names], schema=YIELDS.schema)


def to_matrix(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """A long yields table as its days (day,) and its yields in percent (day, tenor), NaN where none was published."""
    days, row = np.unique(table["obs_date"].to_numpy(), return_inverse=True)
    column = np.searchsorted(TENORS, table["tenor_years"].to_numpy())
    yields = np.full((len(days), len(TENORS)), np.nan)
    yields[row, column] = table["yield_pct"].to_numpy()
    return days, yields


def _touched(days: np.ndarray, changes: pa.Table) -> np.ndarray:
    """Which cells (day, tenor) are new or differ from the stored ones."""
    touched = np.zeros((len(days), len(TENORS)), dtype=bool)
    rows = np.searchsorted(days, changes["obs_date"].to_numpy())
    touched[rows, np.searchsorted(TENORS, changes["tenor_years"].to_numpy())] = True
    return touched
