"""The US Treasury's par yields: what a year's file says, its traps, and what must not be let in.

Written from the source's specification, without sight of the parser.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from jgb_assets.landing.changelog import compare
from jgb_assets.sources.base import Arrival, Snapshot, SourceRejected
from jgb_assets.sources.treasury_par_yields import YIELDS, TreasuryParYields

REPOSITORY = Path(__file__).parents[2]
ROOTS = [
    root
    for root in (REPOSITORY / "jgb_assets" / "bundle" / "archive", REPOSITORY.parent / "shared" / "archive")
    if any(root.glob("*/home.treasury.gov/**/all@*"))
]
SOURCE = TreasuryParYields()
NEW_YORK = ZoneInfo("America/New_York")
TENORS = {  # label -> code, months
    "1 Mo": ("1M", 1),
    "1.5 Month": ("1_5M", 1.5),
    "2 Mo": ("2M", 2),
    "3 Mo": ("3M", 3),
    "4 Mo": ("4M", 4),
    "6 Mo": ("6M", 6),
    "1 Yr": ("1Y", 12),
    "2 Yr": ("2Y", 24),
    "3 Yr": ("3Y", 36),
    "5 Yr": ("5Y", 60),
    "7 Yr": ("7Y", 84),
    "10 Yr": ("10Y", 120),
    "20 Yr": ("20Y", 240),
    "30 Yr": ("30Y", 360),
}
LABELS = list(TENORS)
SHORT = LABELS[: LABELS.index("1 Yr")]
FIRST = {
    **dict.fromkeys(LABELS, date(1990, 1, 2)),
    "20 Yr": date(1993, 10, 1),
    "1 Mo": date(2001, 7, 31),
    "2 Mo": date(2018, 10, 16),
    "4 Mo": date(2022, 10, 19),
    "1.5 Month": date(2025, 2, 18),
}
GAP = date(2002, 2, 19), date(2006, 2, 8)  # of the 30 Yr
GOLDEN = """
1990-01-02 -    -    -    7.83 -    7.89 7.81 7.87 7.90 7.87 7.98 7.94 -    8.00
1993-10-01 -    -    -    2.98 -    3.11 3.35 3.84 4.18 4.72 5.03 5.34 6.12 5.98
2000-01-03 -    -    -    5.48 -    5.81 6.09 6.38 6.42 6.50 6.65 6.58 6.94 6.61
2001-07-31 3.67 -    -    3.54 -    3.47 3.53 3.79 4.06 4.57 4.86 5.07 5.61 5.51
2002-02-15 1.72 -    -    1.74 -    1.84 2.20 2.97 3.50 4.27 4.66 4.86 5.58 5.37
2002-02-19 1.73 -    -    1.76 -    1.87 2.23 2.98 3.52 4.28 4.71 4.88 5.61 -
2006-02-09 4.32 -    -    4.52 -    4.67 4.66 4.66 4.62 4.55 4.55 4.54 4.72 4.51
2008-12-10 0.00 -    -    -    -    0.21 0.49 0.86 1.21 1.62 2.05 2.69 3.39 3.09
2010-10-11 -    -    -    -    -    -    -    -    -    -    -    -    -    -
2018-10-16 2.19 -    2.22 2.30 -    2.46 2.66 2.87 2.95 3.02 3.10 3.16 3.26 3.32
2020-03-09 0.57 -    0.52 0.33 -    0.27 0.31 0.38 0.40 0.46 0.56 0.54 0.87 0.99
2020-03-25 0.00 -    0.00 0.00 -    0.07 0.19 0.34 0.41 0.56 0.77 0.88 1.23 1.45
2020-08-04 0.09 -    0.09 0.09 -    0.11 0.14 0.11 0.10 0.19 0.36 0.52 0.96 1.19
2022-10-19 3.31 -    3.72 4.07 4.32 4.45 4.60 4.55 4.56 4.35 4.26 4.14 4.38 4.15
2023-10-19 5.58 -    5.57 5.60 5.62 5.56 5.44 5.14 5.01 4.95 5.00 4.98 5.30 5.11
2025-01-02 4.45 -    4.36 4.36 4.31 4.25 4.17 4.25 4.29 4.38 4.47 4.57 4.86 4.79
2025-02-18 4.38 4.41 4.38 4.34 4.37 4.34 4.24 4.29 4.33 4.40 4.48 4.55 4.83 4.77
2025-09-05 4.29 4.24 4.24 4.07 4.05 3.85 3.65 3.51 3.48 3.59 3.80 4.10 4.72 4.78
2025-12-31 3.74 3.75 3.67 3.67 3.63 3.59 3.48 3.47 3.55 3.73 3.94 4.18 4.79 4.84
2026-04-30 3.72 3.71 3.71 3.68 3.76 3.71 3.72 3.88 3.91 4.02 4.20 4.40 4.97 4.98
2026-06-26 3.70 3.70 3.75 3.83 3.89 3.94 3.94 4.07 4.09 4.12 4.23 4.38 4.87 4.87
"""
Row = dict[str, str]  # label -> cell
Rows = dict[date, Row]


def cells_of(line: str) -> Row:
    return {label: text for label, text in zip(LABELS, line.split()[1:], strict=True) if text != "-"}


GOLDEN_ROWS: Rows = {date.fromisoformat(line[:10]): cells_of(line) for line in GOLDEN.strip().splitlines()}
JUNE = b"""Date,"1 Mo","1.5 Month","2 Mo","3 Mo","4 Mo","6 Mo","1 Yr","2 Yr","3 Yr","5 Yr","7 Yr","10 Yr","20 Yr","30 Yr"
06/26/2026,3.70,3.70,3.75,3.83,3.89,3.94,3.94,4.07,4.09,4.12,4.23,4.38,4.87,4.87
06/25/2026,3.70,3.71,3.75,3.84,3.90,3.95,3.96,4.09,4.13,4.15,4.26,4.40,4.87,4.86
06/24/2026,3.66,3.71,3.76,3.85,3.90,3.95,3.99,4.11,4.15,4.17,4.28,4.41,4.87,4.86
06/23/2026,3.65,3.71,3.76,3.85,3.89,3.96,4.01,4.16,4.22,4.27,4.38,4.50,4.96,4.94"""
COLUMBUS = b"""Date,"1 Mo","3 Mo","6 Mo","1 Yr","2 Yr","3 Yr","5 Yr","7 Yr","10 Yr","20 Yr","30 Yr"
10/12/2010,0.14,0.13,0.17,0.21,0.37,0.59,1.14,1.77,2.44,3.44,3.80
10/11/2010,,,,,,,,,,,
10/08/2010,0.14,0.12,0.16,0.21,0.35,0.54,1.11,1.75,2.41,3.39,3.75"""


# --- files in the publisher's layout, with figures of our own ---------------------------------------------------


def alive(label: str, day: date) -> bool:
    return day >= FIRST[label] and not (label == "30 Yr" and GAP[0] <= day <= GAP[1])


def nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta((weekday - first.weekday()) % 7 + 7 * (n - 1))


def holidays(year: int) -> set[date]:
    last_of_may = date(year, 5, 31) - timedelta(date(year, 5, 31).weekday())
    fixed = [(1, 1), (7, 4), (11, 11), (12, 25), *([(6, 19)] if year > 2021 else [])]
    moved = {day + timedelta(day.weekday() == 6) for day in (date(year, *of) for of in fixed)}
    mondays = {nth(year, month, 0, n) for month, n in ((1, 3), (2, 3), (9, 1), (10, 2))}
    return moved | mondays | {last_of_may, nth(year, 11, 3, 4)}


def weekdays(first: date, last: date) -> list[date]:
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5]


BASE = dict(zip(LABELS, (430, 430, 425, 400, 405, 410, 390, 380, 385, 395, 410, 430, 480, 485), strict=True))


def cell(label: str, day: date) -> str:
    """A level that moves each day, by 12 basis points at most."""
    cents = BASE[label] + day.toordinal() * 3 % 13
    return f"{cents // 100}.{cents % 100:02d}" if alive(label, day) else ""


def moved(text: str, cents: int) -> str:
    total = round(float(text) * 100) + cents
    return f"{total // 100}.{total % 100:02d}"


def smooth(days: Iterable[date]) -> Rows:
    return {day: {label: cell(label, day) for label in LABELS} for day in days}


def period(first: date, last: date) -> Rows:
    off = {day for year in range(first.year, last.year + 1) for day in holidays(year)}
    return smooth(day for day in weekdays(first, last) if day not in off)


def year(number: int) -> Rows:
    return period(date(number, 1, 1), date(number, 12, 31))


def csv(rows: Rows, labels: Iterable[str] | None = None) -> bytes:
    """Newest first, no newline at the end; the columns of the tenors that lived in those days."""
    columns = [label for label in LABELS if any(alive(label, day) for day in rows)] if labels is None else list(labels)
    header = ",".join(["Date", *(f'"{label}"' for label in columns)])
    lines = [
        ",".join([f"{day:%m/%d/%Y}", *(rows[day].get(label, "") for label in columns)])
        for day in sorted(rows, reverse=True)
    ]
    return "\n".join([header, *lines]).encode()


def having(rows: Rows, *cells: tuple[date, str, str]) -> Rows:
    """The rows with other texts in some cells."""
    changed = {day: dict(row) for day, row in rows.items()}
    for day, label, text in cells:
        changed[day][label] = text
    return changed


def without(rows: Rows, *days: date) -> Rows:
    assert set(days) <= set(rows)
    return {day: row for day, row in rows.items() if day not in days}


def swap(body: bytes, old: str, new: str) -> bytes:
    """One occurrence replaced: the fault under test is really in the file."""
    assert old.encode() in body, old
    return body.replace(old.encode(), new.encode(), 1)


def role_of(number: int) -> str:
    return f"year@{number}-01-01"


def url_of(number: int) -> str:
    return SOURCE.files[0].of(date(number, 1, 1)).urls[0]


def evening(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 19, tzinfo=NEW_YORK).astimezone(UTC)


TENTH = date(2026, 3, 10)  # a Tuesday
RETRIEVED = evening(TENTH)


def snapshot(number: int, body: bytes, at: datetime = datetime(2026, 6, 29, 12, tzinfo=UTC)) -> Snapshot:
    return Snapshot(role_of(number), url_of(number), at, hashlib.sha256(body).hexdigest(), body)


def parse(body: bytes, number: int = 2026) -> pa.Table:
    return SOURCE.parse({role_of(number): snapshot(number, body)})["yields"]


def texts(table: pa.Table) -> Rows:
    """Day -> label -> text, of the cells that have a row."""
    names = {code: label for label, (code, _) in TENORS.items()}
    rows: Rows = {}
    for row in table.select(["obs_date", "tenor_code", "yield_text"]).to_pylist():
        rows.setdefault(row["obs_date"], {})[names[row["tenor_code"]]] = row["yield_text"]
    return rows


def gate(
    new: Mapping[int, bytes],
    stored: Mapping[int, bytes] | None = None,
    at: datetime = RETRIEVED,
) -> list[str]:
    """What the landing does with files by year: parse, compare with what is stored, judge."""
    before = {role_of(n): snapshot(n, body, at - timedelta(hours=1)) for n, body in (stored or {}).items()}
    files = before | {role_of(n): snapshot(n, body, at) for n, body in new.items()}
    known, tables = SOURCE.parse(before), SOURCE.parse(files)
    changes = {"yields": compare(known["yields"], tables["yields"], YIELDS)}
    return SOURCE.gate(Arrival(files, frozenset(map(role_of, new)), tables, known, changes))


def names(text: str, what: str | date) -> bool:
    """Whether a text names a day (either way of writing), a tenor (by label or code), a line, or says these words."""
    if isinstance(what, date):
        return what.isoformat() in text or f"{what:%m/%d/%Y}" in text
    ways = (what, TENORS[what][0]) if what in TENORS else (what,)
    return any(re.search(rf"(?<![\w.]){re.escape(way)}(?!\w)", text) for way in ways)


def refused(call: Callable[[], object], *says: str | date, number: int = 2026) -> None:
    """The call is refused by this source, for this year's file, and says where and what."""
    with pytest.raises(SourceRejected) as caught:
        call()
    error = caught.value
    assert (error.source, error.role, error.url) == ("treasury_par_yields", role_of(number), url_of(number))
    assert all([error.place, error.expected, error.found, error.remedy])
    told = f"{error.place} | {error.expected} | {error.found}"
    assert [what for what in says if not names(told, what)] == [], told


def warned(warnings: list[str], *says: str | date) -> None:
    told = "\n".join(warnings)
    assert [what for what in says if not names(told, what)] == [], told


# --- what a file says -------------------------------------------------------------------------------------------


def test_nothing_retrieved_is_an_empty_table_of_the_schema() -> None:
    assert SOURCE.parse({}) == {"yields": YIELDS.empty()}


def test_the_address_states_the_year_in_the_path_and_in_the_query() -> None:
    assert url_of(2019) == (
        "https://home.treasury.gov/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/2019/all"
        "?type=daily_treasury_yield_curve&field_tdr_date_value=2019&page&_format=csv"
    )
    assert SOURCE.files[0].day_of(url_of(2019)) == date(2019, 1, 1)
    assert SOURCE.files[0].day_of(url_of(2019).replace("value=2019", "value=2020")) is None


@pytest.mark.parametrize("number", sorted({day.year for day in GOLDEN_ROWS} - {2010}))
def test_golden_rows_are_read_as_published(number: int) -> None:
    rows = {day: row for day, row in GOLDEN_ROWS.items() if day.year == number}
    assert texts(parse(csv(rows), number)) == rows


def test_a_cell_is_a_row_with_its_code_months_figure_text_instant_and_line() -> None:
    table = parse(JUNE)
    assert table.schema == YIELDS.schema
    rows = table.to_pylist()
    assert len(rows) == 4 * 14
    assert [row["tenor_code"] for row in rows[:14]] == [code for code, _ in TENORS.values()]
    assert [row["tenor_months"] for row in rows[-14:]] == [months for _, months in TENORS.values()]
    assert [row["obs_date"].day for row in rows[::14]] == [23, 24, 25, 26]
    assert [row["source_line"] for row in rows[::14]] == [5, 4, 3, 2]
    assert rows[-1] == {
        "obs_date": date(2026, 6, 26),
        "tenor_code": "30Y",
        "tenor_months": 360.0,
        "yield_pct": 4.87,
        "yield_text": "4.87",
        "published_at": datetime(2026, 6, 26, 22, tzinfo=UTC),
        "file_role": "year@2026-01-01",
        "source_line": 2,
    }


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        (date(2026, 1, 2), 23),
        (date(2026, 3, 6), 23),
        (date(2026, 3, 9), 22),
        (date(2026, 10, 30), 22),
        (date(2026, 11, 2), 23),
        (date(2006, 3, 15), 23),  # summer time began in April
        (date(1990, 7, 2), 22),
    ],
)
def test_a_day_is_published_at_18_hours_in_new_york(day: date, hour: int) -> None:
    [instant] = set(parse(csv(smooth([day])), day.year)["published_at"].to_pylist())
    assert instant == datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def test_files_are_read_into_one_table_in_order_of_days_and_each_row_knows_its_file() -> None:
    bodies = {2026: JUNE, 2010: COLUMBUS, 2025: csv({d: r for d, r in GOLDEN_ROWS.items() if d.year == 2025})}
    table = SOURCE.parse({role_of(n): snapshot(n, body) for n, body in bodies.items()})["yields"]
    keys = list(zip(table["obs_date"].to_pylist(), table["tenor_months"].to_pylist(), strict=True))
    assert keys == sorted(set(keys))
    assert {(day.year, role) for (day, _), role in zip(keys, table["file_role"].to_pylist(), strict=True)} == {
        (number, role_of(number)) for number in bodies
    }


def test_columns_are_found_by_label_wherever_they_stand() -> None:
    rows = {day: row for day, row in GOLDEN_ROWS.items() if day.year == 2025}
    shuffled = [*LABELS[5:], *LABELS[4::-1]]
    assert parse(csv(rows, shuffled), 2025).equals(parse(csv(rows), 2025))


def test_the_oldest_day_needs_no_newline_and_bears_one() -> None:
    assert parse(JUNE + b"\n").equals(parse(JUNE))
    assert date(2026, 6, 23) in texts(parse(JUNE))


def test_zero_is_a_value_and_15_is_the_most() -> None:
    body = swap(JUNE, "06/24/2026,3.66,3.71,3.76", "06/24/2026,0.00,15.00,0.01")
    table = parse(body).filter(pc.field("source_line") == 4)
    assert table["yield_pct"].to_pylist()[:3] == [0.0, 15.0, 0.01]
    assert table["yield_text"].to_pylist()[:3] == ["0.00", "15.00", "0.01"]


@pytest.mark.parametrize("missing", ["", "N/A"])
def test_a_missing_cell_is_no_row(missing: str) -> None:
    body = swap(JUNE, "06/24/2026,3.66,3.71,", f"06/24/2026,3.66,{missing},")
    found = texts(parse(body))
    assert "1.5 Month" not in found[date(2026, 6, 24)]
    assert found[date(2026, 6, 24)]["2 Mo"] == "3.76"
    assert sum(map(len, found.values())) == 4 * 14 - 1


@pytest.mark.parametrize("missing", ["", "N/A"])
def test_the_empty_row_of_2010_10_11_is_no_observation(missing: str) -> None:
    body = swap(COLUMBUS, "10/11/2010" + "," * 11, "10/11/2010" + f",{missing}" * 11)
    table = parse(body, 2010)
    assert {day: len(row) for day, row in texts(table).items()} == {date(2010, 10, 8): 11, date(2010, 10, 12): 11}
    assert sorted(set(table["source_line"].to_pylist())) == [2, 4]


LIVES = [  # label, last day without, first day with
    ("20 Yr", date(1993, 9, 30), date(1993, 10, 1)),
    ("1 Mo", date(2001, 7, 30), date(2001, 7, 31)),
    ("2 Mo", date(2018, 10, 15), date(2018, 10, 16)),
    ("4 Mo", date(2022, 10, 18), date(2022, 10, 19)),
    ("1.5 Month", date(2025, 2, 14), date(2025, 2, 18)),
    ("30 Yr", date(2006, 2, 8), date(2006, 2, 9)),
]


@pytest.mark.parametrize(("label", "before", "day"), LIVES, ids=[label for label, _, _ in LIVES])
def test_a_column_is_there_from_the_first_day_of_its_tenor(label: str, before: date, day: date) -> None:
    early, late = (period(date(day.year, 1, 1), last) for last in (before, day))
    assert parse(csv(early), day.year).equals(
        parse(csv(early, [*(k for k in LABELS if alive(k, before)), label]), day.year)
    )
    assert all(label not in row for row in texts(parse(csv(early), day.year)).values())
    assert [of for of, row in texts(parse(csv(late), day.year)).items() if label in row] == [day]
    refused(
        lambda: parse(csv(late, [k for k in LABELS if alive(k, day) and k != label]), day.year), label, number=day.year
    )


@pytest.mark.parametrize(("label", "before", "_"), LIVES, ids=[label for label, _, _ in LIVES])
def test_a_value_before_the_first_day_of_its_tenor_is_refused(label: str, before: date, _: date) -> None:
    rows = having(period(date(before.year, 1, 1), before), (before, label, "4.44"))
    body = csv(rows, [k for k in LABELS if alive(k, before) or k == label])
    refused(lambda: parse(body, before.year), label, "line 2", number=before.year)


def test_the_30_year_column_is_there_up_to_its_gap() -> None:
    rows = {day: row for day, row in GOLDEN_ROWS.items() if day.year == 2002}
    last = {day: row for day, row in rows.items() if day.day == 19}
    labels = [label for label in LABELS if alive(label, date(2002, 2, 19))]
    assert texts(parse(csv(last, labels), 2002)) == last
    refused(lambda: parse(csv(rows, labels), 2002), "30 Yr", number=2002)
    resumed = having(rows, (date(2002, 2, 19), "30 Yr", "5.40"))
    refused(lambda: parse(csv(resumed), 2002), "30 Yr", "line 2", number=2002)


@pytest.mark.parametrize("cells", ["", "4.44"])
def test_within_its_gap_the_30_year_may_stand_empty_but_not_filled(cells: str) -> None:
    rows = having(year(2004), (date(2004, 6, 1), "30 Yr", cells))
    body = csv(rows, [*(label for label in LABELS if alive(label, date(2004, 1, 2))), "30 Yr"])
    if cells:
        line = (
            body.decode().split("\n").index(next(row for row in body.decode().split("\n") if "06/01/2004" in row)) + 1
        )
        refused(lambda: parse(body, 2004), "30 Yr", f"line {line}", number=2004)
    else:
        assert parse(body, 2004).equals(parse(csv(rows), 2004))


# --- what parse refuses -----------------------------------------------------------------------------------------

BILLS = (
    b'Date,"4 WEEKS BANK DISCOUNT","4 WEEKS COUPON EQUIVALENT","8 WEEKS BANK DISCOUNT","8 WEEKS COUPON EQUIVALENT"\n'
    b"06/26/2026,3.63,3.69,3.65,3.72\n06/25/2026,3.63,3.69,3.65,3.72"
)
REAL = b'Date,"5 YR","7 YR","10 YR","20 YR","30 YR"\n06/26/2026,1.61,1.80,1.97,2.32,2.58'
NO_FILES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty": (b"", ()),
    "blank": (b" \n\n", ()),
    "html": (b"<!DOCTYPE html><html><body>Access Denied</body></html>", ()),
    "html after a blank line": (b"\n" + b"<html>" + JUNE, ()),
    "byte order mark": (b"\xef\xbb\xbf" + JUNE, ()),
    "carriage returns": (JUNE.replace(b"\n", b"\r\n"), ()),
    "one carriage return": (swap(JUNE, "4.94", "4.94\r"), ()),
    "no header": (JUNE.split(b"\n", 1)[1], ("Date,",)),
    "another first label": (swap(JUNE, "Date,", "DATE,"), ("Date,",)),
    "blank before the header": (b" " + JUNE, ("Date,",)),
    "not ASCII": (swap(JUNE, "4.94", "4.9４"), ()),
    "bill rates": (BILLS, ("4 WEEKS BANK DISCOUNT",)),
    "real yields": (REAL, ("5 YR",)),
}


@pytest.mark.parametrize(("body", "says"), NO_FILES.values(), ids=NO_FILES)
def test_what_is_no_file_of_par_yields_is_refused(body: bytes, says: tuple[str, ...]) -> None:
    refused(lambda: parse(body), *says)


@pytest.mark.parametrize("label", LABELS)
def test_a_file_that_lost_a_column_is_refused(label: str) -> None:
    rows = {day: row for day, row in GOLDEN_ROWS.items() if day.year == 2026}
    refused(lambda: parse(csv(rows, [other for other in LABELS if other != label])), label)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"1.5 Month"', '"1.5 Mo"', "1.5 Mo"),
        ('"30 Yr"', '"30 YR"', "30 YR"),
        ('"3 Mo"', '"13 Wk"', "13 Wk"),
        ('"2 Mo"', '"1 Mo"', "1 Mo"),
        ('"20 Yr"', '"10 Yr"', "10 Yr"),
    ],
)
def test_an_unknown_or_doubled_label_is_refused_by_its_name(old: str, new: str, says: str) -> None:
    refused(lambda: parse(swap(JUNE, old, new)), says)


@pytest.mark.parametrize(("label", "value"), [("40 Yr", ""), ("40 Yr", "4.90"), ("10 Yr", ""), ("10 Yr", "4.38")])
def test_a_column_more_that_is_unknown_or_doubled_is_refused_even_if_empty(label: str, value: str) -> None:
    header, *rows = JUNE.decode().split("\n")
    body = "\n".join([f'{header},"{label}"', *(f"{row},{value}" for row in rows)]).encode()
    refused(lambda: parse(body), label)


FAULTS: dict[str, tuple[str, str, tuple[str | date, ...]]] = {
    "a cell less": ("4.09,4.13", "4.09", ("line 3",)),
    "a cell more": ("4.09,4.13", "4.09,4.13,4.14", ("line 3",)),
    "decimal comma": ("4.09,4.13", "4.09,4,13", ("line 3",)),
    "cut within the last row": (",4.96,4.94", "", ("line 5",)),
    "blank line": ("\n06/25", "\n\n06/25", ("line 3",)),
    "two newlines at the end": ("4.96,4.94", "4.96,4.94\n\n", ("line 6",)),
    "footer": ("4.96,4.94", "4.96,4.94\nSource: Treasury", ("line 6",)),
    "month without zero": ("06/25/2026", "6/25/2026", ("line 3", "6/25/2026")),
    "day without zero": ("06/26/2026", "07/1/2026", ("line 2", "07/1/2026")),
    "year of two digits": ("06/25/2026", "06/25/26", ("line 3", "06/25/26")),
    "day before month": ("06/25/2026", "25/06/2026", ("line 3", "25/06/2026")),
    "ISO date": ("06/25/2026", "2026-06-25", ("line 3", "2026-06-25")),
    "no such day": ("06/26/2026", "06/31/2026", ("line 2", "06/31/2026")),
    "no date": ("06/25/2026", "", ("line 3",)),
    "blank in the date": ("06/25/2026", " 06/25/2026", ("line 3",)),
    "Saturday": ("06/26/2026", "06/27/2026", ("line 2", date(2026, 6, 27))),
    "Sunday": ("06/23/2026", "06/21/2026", ("line 5", date(2026, 6, 21))),
    "twice": ("06/25/2026", "06/26/2026", ("line 3", date(2026, 6, 26))),
    "out of order": ("06/24/2026", "06/29/2026", ("line 4", date(2026, 6, 29))),
    "another year": ("06/23/2026", "06/23/2025", ("line 5", date(2025, 6, 23))),
    **{
        f"value {text!r}": (",3.66,", f",{text},", ("line 4", "1 Mo", *([text] if text.strip() else [])))
        for text in (
            "3.6",
            "3.660",
            "3",
            ".66",
            "103.66",
            "-0.01",
            "+3.66",
            "3.66%",
            " 3.66",
            "3.66 ",
            " ",
            "15.01",
            "99.99",
            "nan",
            "n/a",
            "ND",
            "-",
            "1e-1",
        )
    },
}


@pytest.mark.parametrize(("old", "new", "says"), FAULTS.values(), ids=FAULTS)
def test_a_row_or_cell_that_is_not_as_published_is_refused_by_its_line(
    old: str, new: str, says: tuple[str | date, ...]
) -> None:
    refused(lambda: parse(swap(JUNE, old, new)), *says)


def test_oldest_first_is_refused() -> None:
    header, *rows = JUNE.decode().split("\n")
    refused(lambda: parse("\n".join([header, *reversed(rows)]).encode()), "line 3")


@pytest.mark.parametrize("number", [2025, 2027])
def test_another_year_than_that_asked_for_is_refused(number: int) -> None:
    """The server answers so where the year does not stand in path and query."""
    refused(lambda: parse(JUNE, number), "line 2", date(2026, 6, 26), number=number)


def test_of_several_files_the_faulty_one_is_refused() -> None:
    files = {2010: COLUMBUS, 2026: swap(JUNE, "06/25/2026,3.70", "06/25/2026,3.7")}
    refused(lambda: SOURCE.parse({role_of(n): snapshot(n, body) for n, body in files.items()}), "line 3", "1 Mo")


# --- what the gate refuses, and what it wonders at --------------------------------------------------------------

MARCH = period(date(2026, 1, 1), TENTH)
NINTH = without(MARCH, TENTH)
DECEMBER_2008 = [date(2008, 12, day) for day in (10, 18, 24)]


@pytest.mark.parametrize("number", [1990, 1993, 1996, 2001, 2002, 2004, 2006, 2008, 2010, 2018, 2022, 2025])
def test_a_whole_year_arrives_without_a_warning(number: int) -> None:
    rows = year(number)
    if number == 2008:
        rows = having(rows, *((day, "3 Mo", "") for day in DECEMBER_2008))
    if number == 2010:
        rows[date(2010, 10, 11)] = {}
    assert gate({number: csv(rows)}) == []


@pytest.mark.parametrize("stored", [NINTH, MARCH, {}], ids=["a day more", "unchanged", "first retrieval"])
def test_the_current_year_arrives_without_a_warning(stored: Rows) -> None:
    assert gate({2026: csv(MARCH)}, {2026: csv(stored)} if stored else {}) == []


def test_the_first_days_of_a_year_pass_without_its_file() -> None:
    for day in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 2)):
        assert gate({2025: csv(year(2025))}, at=evening(day)) == []


@pytest.mark.parametrize("body", [b"Date", b"Date\n"])
def test_a_new_year_without_days_is_no_error_until_its_second_business_day(body: bytes) -> None:
    """A column is there if it has data in the year: without a day, of the header there is ``Date``."""
    last = {2025: csv(year(2025))}
    for day in (date(2026, 1, 1), date(2026, 1, 2)):
        assert isinstance(gate({2026: body}, last, evening(day)), list)
    refused(lambda: gate({2026: body}, last, evening(date(2026, 1, 6))))
    stored = last | {2026: csv(period(date(2026, 1, 1), date(2026, 1, 2)))}
    refused(lambda: gate({2026: body}, stored, evening(date(2026, 1, 2))), date(2026, 1, 2))


@pytest.mark.parametrize(
    ("at", "is_refused"),
    [
        (evening(TENTH), False),
        (datetime(2026, 3, 10, 4, 30, tzinfo=UTC), False),  # half past midnight in New York
        (datetime(2026, 3, 10, 3, 30, tzinfo=UTC), True),  # half past eleven of the 9th
        (evening(date(2026, 3, 9)), True),
    ],
)
def test_a_day_after_that_of_the_retrieval_in_new_york_is_refused(at: datetime, is_refused: bool) -> None:
    if is_refused:
        refused(lambda: gate({2026: csv(MARCH)}, at=at), TENTH)
    else:
        assert gate({2026: csv(MARCH)}, at=at) == []


@pytest.mark.parametrize(
    ("at", "warns"),
    [
        (evening(date(2026, 3, 15)), False),  # 5 days
        (datetime(2026, 3, 16, 3, tzinfo=UTC), False),  # still the 15th in New York
        (evening(date(2026, 3, 16)), True),
        (evening(date(2026, 3, 18)), True),  # 8 days
        (datetime(2026, 3, 19, 3, tzinfo=UTC), True),  # still the 18th
        (evening(date(2026, 3, 19)), None),
        (evening(date(2026, 12, 30)), None),
    ],
)
def test_a_newest_day_is_late_after_5_days_and_refused_after_8(at: datetime, warns: bool | None) -> None:
    files = {2026: csv(MARCH)}
    if warns is None:
        refused(lambda: gate(files, files, at), TENTH)
        assert isinstance(gate({}, files, at), list), "what was not retrieved is not judged by its age"
    elif warns:
        warned(gate(files, files, at), TENTH)
    else:
        assert gate(files, files, at) == []


def rows_of_2025(count: int) -> Rows:
    """The year with some days taken out here and there, or with holidays put in."""
    days, off = list(year(2025)), sorted(day for day in holidays(2025) if day.weekday() < 5)
    spare = len(days) - count
    gone = days[20::30][: max(spare, 0)] if spare <= 8 else days[20::20][:spare]
    found = smooth([*(day for day in days if day not in gone), *off[1 : 1 + max(-spare, 0)]])
    assert len(found) == count
    return found


@pytest.mark.parametrize("count", [245, 253])
def test_a_closed_year_has_245_to_253_days(count: int) -> None:
    assert isinstance(gate({2025: csv(rows_of_2025(count))}), list)


@pytest.mark.parametrize("count", [240, 244, 254])
def test_a_closed_year_of_other_than_245_to_253_days_is_refused(count: int) -> None:
    refused(lambda: gate({2025: csv(rows_of_2025(count))}), str(count), number=2025)


@pytest.mark.parametrize(
    ("at", "is_closed"),
    [
        (datetime(2026, 1, 1, 2, tzinfo=UTC), False),  # 31 December in New York
        (evening(date(2026, 1, 1)), False),
        (evening(date(2026, 1, 2)), False),  # the first business day
        (evening(date(2026, 1, 5)), True),
    ],
)
def test_a_year_is_closed_from_the_second_business_day_of_january(at: datetime, is_closed: bool) -> None:
    body = csv(rows_of_2025(244))
    if is_closed:
        refused(lambda: gate({2025: body}, at=at), "244", number=2025)
    else:
        assert isinstance(gate({2025: body}, at=at), list)


@pytest.mark.parametrize("lost", [date(2026, 1, 2), date(2026, 2, 10), TENTH], ids=["oldest", "middle", "newest"])
def test_a_day_that_was_stored_and_is_gone_is_refused(lost: date) -> None:
    refused(lambda: gate({2026: csv(without(MARCH, lost))}, {2026: csv(MARCH)}), lost)


def test_a_stored_day_that_came_back_empty_is_refused() -> None:
    refused(lambda: gate({2026: csv(MARCH | {TENTH: {}})}, {2026: csv(MARCH)}), TENTH)


def test_a_year_that_does_not_reach_back_to_january_is_refused() -> None:
    cut = {day: row for day, row in MARCH.items() if day > date(2026, 1, 5)}
    refused(lambda: gate({2026: csv(cut)}), min(cut))


def test_a_header_alone_is_no_error_in_the_first_days_of_a_year() -> None:
    header = csv(MARCH).partition(b"\n")[0]
    young = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    assert SOURCE.parse({role_of(2026): snapshot(2026, header, young)})["yields"].num_rows == 0
    refused(lambda: parse(header), "only a header")


def test_an_older_copy_is_refused() -> None:
    refused(lambda: gate({2026: csv(without(NINTH, date(2026, 3, 9)))}, {2026: csv(MARCH)}))


def some(rows: Rows, count: int, cents: int = 1) -> list[tuple[date, str, str]]:
    """So many cells, over all days and tenors, revised by a basis point."""
    cells = [(day, label) for day, row in rows.items() for label in row]
    step = len(cells) // count
    return [(day, label, moved(rows[day][label], cents)) for day, label in cells[::step][:count]]


def test_revisions_are_taken_and_listed() -> None:
    revised = [(date(2026, 1, 8), "10 Yr", "4.44"), (date(2026, 2, 3), "1.5 Month", "4.27"), (TENTH, "30 Yr", "4.83")]
    assert all(0 < abs(float(MARCH[day][label]) - float(text)) < 0.12 for day, label, text in revised)
    warnings = gate({2026: csv(having(MARCH, *revised))}, {2026: csv(MARCH)})
    for day, label, text in revised:
        warned(warnings, day, label, text)


def test_up_to_5_percent_of_the_cells_may_be_revised() -> None:
    rows = smooth(list(period(date(2026, 1, 1), date(2026, 4, 30)))[:50])  # 700 cells
    at = evening(max(rows))
    assert gate({2026: csv(having(rows, *some(rows, 35)))}, {2026: csv(rows)}, at) != []
    refused(lambda: gate({2026: csv(having(rows, *some(rows, 36)))}, {2026: csv(rows)}, at))


def test_the_share_of_revised_cells_is_that_of_the_file() -> None:
    """Bill rates under a year's name would be a small share of 37 years."""
    stored = {2024: csv(year(2024)), 2025: csv(year(2025)), 2026: csv(MARCH)}
    rewritten = having(MARCH, *some(MARCH, 14 * len(MARCH) // 7))
    refused(lambda: gate({2026: csv(rewritten)}, stored))


UNUSUAL = {  # the p99.9 of moves from day to day, in basis points
    "1 Mo": 69,
    "3 Mo": 47,
    "6 Mo": 33,
    "1 Yr": 34,
    "2 Yr": 33,
    "3 Yr": 32,
    "5 Yr": 29,
    "7 Yr": 29,
    "10 Yr": 27,
    "20 Yr": 25,
    "30 Yr": 27,
}


def jump(label: str, cents: int, day: date = TENTH) -> bytes:
    """The year to a day on which one tenor moves by so much and the others by one basis point."""
    rows = without(MARCH, TENTH)
    last = rows[max(rows)]
    rows[day] = {other: moved(text, cents if other == label else 1) for other, text in last.items()}
    return csv(rows)


@pytest.mark.parametrize(("label", "most"), UNUSUAL.items(), ids=UNUSUAL)
def test_an_unusual_move_of_a_new_day_is_warned_of(label: str, most: int) -> None:
    stored = {2026: csv(NINTH)}
    assert gate({2026: jump(label, most)}, stored) == []
    warned(gate({2026: jump(label, most + 1)}, stored), label, TENTH)
    warned(gate({2026: jump(label, -most - 1)}, stored), label, TENTH)


@pytest.mark.parametrize("label", LABELS)
def test_a_move_beyond_all_seen_is_refused(label: str) -> None:
    stored, most = {2026: csv(NINTH)}, 150 if label in SHORT else 100
    for sign in (1, -1):
        assert isinstance(gate({2026: jump(label, sign * most)}, stored), list)
        refused(lambda sign=sign: gate({2026: jump(label, sign * (most + 1))}, stored), label, TENTH)


def test_a_move_that_was_let_in_is_not_judged_again() -> None:
    stored = having(NINTH, *((day, "10 Yr", moved(row["10 Yr"], 120)) for day, row in NINTH.items() if day.month == 3))
    new = stored | {TENTH: {label: moved(text, 1) for label, text in stored[date(2026, 3, 9)].items()}}
    warnings = gate({2026: csv(new)}, {2026: csv(stored)})
    assert not names("\n".join(warnings), date(2026, 3, 2))
    refused(lambda: gate({2026: csv(new)}), "10 Yr", date(2026, 3, 2))


def test_a_revision_to_an_impossible_move_is_refused() -> None:
    day = date(2026, 2, 10)
    revised = having(MARCH, (day, "10 Yr", moved(MARCH[day]["10 Yr"], 130)))
    refused(lambda: gate({2026: csv(revised)}, {2026: csv(MARCH)}), "10 Yr", day)


def test_the_first_day_of_a_year_is_judged_by_the_last_of_the_year_before() -> None:
    before = {2025: csv(year(2025))}
    day = date(2026, 1, 2)
    usual = {label: moved(text, 1) for label, text in year(2025)[date(2025, 12, 31)].items()}
    assert gate({2026: csv({day: usual})}, before, evening(day)) == []
    for label, cents in (("10 Yr", 101), ("3 Mo", -152)):
        body = csv(having({day: usual}, (day, label, moved(usual[label], cents))))
        refused(lambda body=body: gate({2026: body}, before, evening(day)), label, day)


def test_a_year_that_arrives_late_is_judged_by_the_year_after_and_itself_refused() -> None:
    """Not the file that was accepted before, which nobody fetched now."""
    day, before, last = date(2026, 1, 2), date(2025, 12, 30), date(2025, 12, 31)
    after = csv({day: {label: moved(text, 130 if label == "10 Yr" else 1) for label, text in year(2025)[last].items()}})
    assert isinstance(gate({2026: after}, at=evening(day)), list)
    refused(lambda: gate({2025: csv(year(2025))}, {2026: after}, evening(day)), "10 Yr", number=2025)
    drifted = having(year(2025), *((of, "10 Yr", moved(year(2025)[of]["10 Yr"], 66)) for of in (before, last)))
    assert isinstance(gate({2025: csv(drifted)}, {2026: after}, evening(day)), list)


def test_across_the_gap_of_the_30_year_nothing_is_a_move() -> None:
    def raised(number: int, cents: int) -> bytes:
        rows = year(number)
        return csv(having(rows, *((d, "30 Yr", moved(row["30 Yr"], cents)) for d, row in rows.items() if row["30 Yr"])))

    between = {number: csv(year(number)) for number in (2003, 2004, 2005)}
    assert gate({2002: raised(2002, -20), **between, 2006: raised(2006, 40)}) == []


def test_the_day_after_the_empty_row_is_judged_by_the_day_before_it() -> None:
    rows = year(2010) | {date(2010, 10, 11): {}}
    day, before = date(2010, 10, 12), date(2010, 10, 8)
    leapt = having(rows, (day, "10 Yr", moved(rows[before]["10 Yr"], 101)))
    refused(lambda: gate({2010: csv(leapt)}), "10 Yr", day, number=2010)
    refused(lambda: gate({2010: csv(rows | {day: rows[before]})}), day, number=2010)


def test_a_new_day_that_repeats_the_day_before_in_all_tenors_is_refused() -> None:
    last = MARCH[date(2026, 3, 9)]
    refused(lambda: gate({2026: csv(NINTH | {TENTH: last})}, {2026: csv(NINTH)}), TENTH)
    almost = NINTH | {TENTH: {**last, "7 Yr": moved(last["7 Yr"], 1)}}
    assert gate({2026: csv(almost)}, {2026: csv(NINTH)}) == []


@pytest.mark.parametrize(
    ("number", "day", "label"),
    [
        (2008, date(2008, 12, 11), "3 Mo"),
        (2008, date(2008, 12, 10), "1 Mo"),
        (2025, date(2025, 2, 19), "1.5 Month"),
        (2002, date(2002, 2, 15), "30 Yr"),
    ],
)
def test_an_empty_cell_within_the_life_of_a_tenor_is_warned_of(number: int, day: date, label: str) -> None:
    warned(gate({number: csv(having(year(number), (day, label, "")))}), day, label)


def test_a_stored_value_that_is_emptied_is_warned_of() -> None:
    day = date(2026, 2, 10)
    warned(gate({2026: csv(having(MARCH, (day, "5 Yr", "")))}, {2026: csv(MARCH)}), day, "5 Yr")


@pytest.mark.parametrize("day", [date(2010, 10, 12), date(2009, 10, 12), date(2026, 2, 16)])
def test_another_empty_row_is_warned_of(day: date) -> None:
    rows = MARCH if day.year == 2026 else year(day.year)
    warned(gate({day.year: csv(rows | {day: {}})}), day)


BANDS = [  # long, short, least, most; seen, in basis points
    ("10 Yr", "2 Yr", -108, 291),
    ("30 Yr", "10 Yr", -37, 160),
    ("30 Yr", "20 Yr", -46, 48),
    ("20 Yr", "10 Yr", -8, 118),
    ("5 Yr", "3 Yr", -38, 107),
    ("6 Mo", "3 Mo", -44, 105),
]


@pytest.mark.parametrize(("long", "short", "least", "most"), BANDS, ids=[f"{band[0]} - {band[1]}" for band in BANDS])
def test_a_spread_wider_than_ever_seen_is_warned_of(long: str, short: str, least: int, most: int) -> None:
    def spread(cents: int) -> bytes:
        """Everything from the long leg on, or, between long tenors, that leg alone."""
        by = cents - (BASE[long] - BASE[short])
        legs = [long] if long in ("20 Yr", "30 Yr") else LABELS[LABELS.index(long) :]
        return csv({day: row | {leg: moved(row[leg], by) for leg in legs} for day, row in MARCH.items()})

    def told(cents: int) -> list[str]:
        return [warning for warning in gate({2026: spread(cents)}) if names(warning, long) and names(warning, short)]

    assert (told(least), told(most)) == ([], [])
    assert (bool(told(least - 1)), bool(told(most + 1))) == (True, True)


# --- when, and which files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("newest", "due"),
    [
        (date(2026, 6, 25), datetime(2026, 6, 26, 22, tzinfo=UTC)),
        (date(2026, 6, 26), datetime(2026, 6, 29, 22, tzinfo=UTC)),  # a weekend
        (date(2026, 3, 6), datetime(2026, 3, 9, 22, tzinfo=UTC)),  # summer time begins
        (date(2026, 10, 30), datetime(2026, 11, 2, 23, tzinfo=UTC)),
        (date(2025, 12, 31), datetime(2026, 1, 2, 23, tzinfo=UTC)),
        (date(2026, 1, 16), datetime(2026, 1, 20, 23, tzinfo=UTC)),  # Martin Luther King
        (date(2026, 2, 13), datetime(2026, 2, 17, 23, tzinfo=UTC)),  # Washington
        (date(2026, 4, 2), datetime(2026, 4, 3, 22, tzinfo=UTC)),  # Good Friday
        (date(2026, 5, 22), datetime(2026, 5, 26, 22, tzinfo=UTC)),  # Memorial Day
        (date(2026, 6, 18), datetime(2026, 6, 22, 22, tzinfo=UTC)),  # Juneteenth
        (date(2027, 7, 2), datetime(2027, 7, 6, 22, tzinfo=UTC)),  # Independence Day, a Sunday
        (date(2026, 9, 4), datetime(2026, 9, 8, 22, tzinfo=UTC)),  # Labor Day
        (date(2026, 10, 9), datetime(2026, 10, 13, 22, tzinfo=UTC)),  # Columbus
        (date(2026, 11, 10), datetime(2026, 11, 12, 23, tzinfo=UTC)),  # Veterans
        (date(2026, 11, 25), datetime(2026, 11, 27, 23, tzinfo=UTC)),  # Thanksgiving
        (date(2026, 12, 24), datetime(2026, 12, 28, 23, tzinfo=UTC)),  # Christmas
    ],
)
def test_the_next_day_is_due_at_18_hours_of_the_next_business_day(newest: date, due: datetime) -> None:
    assert SOURCE.next_expected_at(newest) == due


ALL = tuple(range(2021, 2028))


@pytest.mark.parametrize(
    ("offered", "stored", "today", "asked"),
    [
        ([], ALL, date(2026, 6, 29), []),
        (range(1990, 2027), [], date(2026, 6, 29), list(range(1990, 2027))),
        ([2026, 2024, 2025, 2023], [2023, 2024, 2025, 2026], date(2026, 6, 29), [2025, 2026]),
        ([2023, 2024, 2025, 2026], [2024, 2026], date(2026, 6, 29), [2023, 2025, 2026]),
        ([2023, 2026], [2023], date(2026, 6, 29), [2026]),
        ([2024, 2025, 2026], [2024, 2025, 2026], date(2026, 12, 31), [2025, 2026]),
        ([2024, 2025, 2026], [2024, 2025, 2026], date(2027, 1, 1), [2026]),
        ([2024, 2025], [2024, 2025], date(2026, 1, 1), [2025]),
    ],
)
@pytest.mark.parametrize("holding", [frozenset, tuple, dict.fromkeys])
def test_old_years_are_asked_for_once(
    offered: Collection[int],
    stored: Collection[int],
    today: date,
    asked: list[int],
    holding: Callable[[Iterable[str]], Collection[str]],
) -> None:
    urls = frozenset(map(url_of, offered))
    files = list(SOURCE.files_among(urls, holding(role_of(number) for number in stored), today))
    assert sorted(files, key=lambda file: file.role) == [SOURCE.files[0].of(date(number, 1, 1)) for number in asked]


def test_other_addresses_of_the_publisher_are_not_asked_for() -> None:
    address = url_of(2026)
    others = [
        address.replace("daily_treasury_yield_curve", "daily_treasury_bill_rates"),
        address.replace("csv/2026/all", "csv/2025/all"),
        address.replace("csv/2026/all", "csv/all/202606").replace("value=2026", "value_month=202606"),
        address.replace("&page", ""),
    ]
    assert address not in others
    assert list(SOURCE.files_among(frozenset(others), frozenset(), date(2026, 6, 29))) == []


# --- the publisher's files --------------------------------------------------------------------------------------

ISSUE, EARLIER = datetime(2026, 6, 29, 12, tzinfo=UTC), datetime(2026, 5, 7, 0, 35, tzinfo=UTC)
ROWS_PER_YEAR = {
    **dict.fromkeys(range(1990, 2026), 250),
    **dict.fromkeys((1992, 1999, 2000, 2007, 2008, 2015, 2020, 2021), 251),
    **dict.fromkeys((1996, 2010), 252),
    **dict.fromkeys((1994, 2018, 2022, 2025), 249),
    2001: 248,
    2026: 122,
}


def archived(root: Path, at: datetime) -> dict[str, Snapshot]:
    paths = root.glob(f"{at:%Y-%m-%dT%H%M%SZ}/home.treasury.gov/**/daily-treasury-rates.csv/*/all@*=csv")
    files = {int(path.parent.name): path for path in paths}
    return {role_of(number): snapshot(number, path.read_bytes(), at) for number, path in sorted(files.items())}


def judged(new: Mapping[str, Snapshot], stored: Mapping[str, Snapshot]) -> list[str]:
    """Warnings at the arrival of real files."""
    files = {**stored, **new}
    tables, known = SOURCE.parse(files), SOURCE.parse(stored)
    changes = {"yields": compare(known["yields"], tables["yields"], YIELDS)}
    return SOURCE.gate(Arrival(files, frozenset(new), tables, known, changes))


@pytest.fixture(scope="module", params=ROOTS, ids=lambda root: root.parts[-3])
def root(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture(scope="module")
def real(root: Path) -> pa.Table:
    return SOURCE.parse(archived(root, ISSUE))["yields"]


def days_of(table: pa.Table, code: str) -> list[date]:
    days: list[date] = table.filter(pc.field("tenor_code") == code)["obs_date"].to_pylist()
    return days


def test_real_rows_per_year(root: Path, real: pa.Table) -> None:
    assert {
        int(role[5:9]): file.body.strip().count(b"\n") for role, file in archived(root, ISSUE).items()
    } == ROWS_PER_YEAR
    days = pc.unique(real["obs_date"])
    found = {row["values"]: row["counts"] for row in pc.value_counts(pc.year(days)).to_pylist()}
    assert found == ROWS_PER_YEAR | {2010: 251}
    assert (pc.min(days).as_py(), pc.max(days).as_py(), len(days)) == (date(1990, 1, 2), date(2026, 6, 26), 9_127)


def test_real_counts_of_values(real: pa.Table) -> None:
    assert {row["values"]: row["counts"] for row in pc.value_counts(real["tenor_code"]).to_pylist()} == {
        **{code: 9_127 for code, _ in TENORS.values()},
        **{"1M": 6_228, "2M": 1_923, "3M": 9_124, "4M": 921, "1_5M": 340, "20Y": 8_188, "30Y": 8_133},
    }


def test_real_golden_rows(real: pa.Table) -> None:
    wanted = pa.array(list(GOLDEN_ROWS), pa.date32())
    found = real.filter(pc.is_in(real["obs_date"], wanted))
    assert texts(found) == {day: row for day, row in GOLDEN_ROWS.items() if row}
    assert found["yield_pct"].to_pylist() == [float(text) for text in found["yield_text"].to_pylist()]


def test_real_extremes(real: pa.Table) -> None:
    def extreme(code: str, direction: str) -> tuple[float, date]:
        best = real.filter(pc.field("tenor_code") == code).sort_by([("yield_pct", direction)]).slice(0, 1).to_pylist()
        return best[0]["yield_pct"], best[0]["obs_date"]

    assert extreme("10Y", "ascending") == (0.52, date(2020, 8, 4))
    assert extreme("30Y", "ascending") == (0.99, date(2020, 3, 9))
    assert extreme("30Y", "descending") == (9.18, date(1990, 9, 24))
    assert extreme("10Y", "descending") == (9.09, date(1990, 5, 2))
    assert extreme("1M", "descending") == (6.02, date(2023, 5, 26))
    assert extreme("2Y", "descending") == (9.05, date(1990, 5, 2))
    assert (pc.min(real["yield_pct"]).as_py(), pc.max(real["yield_pct"]).as_py()) == (0.0, 9.18)


def test_real_zeros(real: pa.Table) -> None:
    zeros = pc.value_counts(real.filter(pc.field("yield_pct") == 0)["tenor_code"]).to_pylist()
    assert {row["values"]: row["counts"] for row in zeros} == {"1M": 100, "3M": 18, "2M": 2}


def test_real_first_days_and_the_gap_of_the_30_year(real: pa.Table) -> None:
    assert {label: days_of(real, code)[0] for label, (code, _) in TENORS.items()} == FIRST
    gap = max(pairwise(days_of(real, "30Y")), key=lambda pair: pair[1] - pair[0])
    assert gap == (date(2002, 2, 15), date(2006, 2, 9))
    assert len(set(days_of(real, "10Y")) - set(days_of(real, "30Y"))) == 994


def test_real_empty_cells_of_the_3_month(real: pa.Table) -> None:
    assert sorted(set(days_of(real, "10Y")) - set(days_of(real, "3M"))) == DECEMBER_2008
    ones = real.filter(pc.is_in(real["obs_date"], pa.array(DECEMBER_2008, pa.date32()))).filter(
        pc.field("tenor_code") == "1M"
    )
    assert ones["yield_text"].to_pylist() == ["0.00", "0.03", "0.00"]


def test_real_days_of_closed_and_open_markets(real: pa.Table) -> None:
    days = set(pc.unique(real["obs_date"]).to_pylist())
    closed = {date.fromisoformat(day) for day in ("2001-09-11", "2001-09-12", "2004-06-11", "2012-10-30", "2018-12-05")}
    assert not days & (closed | {date(2024, 3, 29), date(2025, 4, 18), date(2010, 10, 11)})
    assert {date(2025, 1, 9), date(2012, 4, 6), date(2023, 4, 7), date(2026, 4, 3)} <= days


def test_real_lines_are_where_they_are_said_to_be(root: Path, real: pa.Table) -> None:
    lines = {role: file.body.decode().split("\n") for role, file in archived(root, ISSUE).items()}
    for row in real.take(list(range(0, real.num_rows, 997))).to_pylist():
        day, *cells = lines[row["file_role"]][row["source_line"] - 1].split(",")
        assert day == f"{row['obs_date']:%m/%d/%Y}"
        assert row["yield_text"] in cells


def test_real_issues_agree_on_every_cell_they_share(root: Path, real: pa.Table) -> None:
    earlier = texts(SOURCE.parse(archived(root, EARLIER))["yields"])
    assert len(earlier) > 80
    later = texts(real.filter(pc.field("obs_date") >= date(2026, 1, 1)))
    assert {day: later[day] for day in earlier} == earlier
    assert len(later) > len(earlier)


def test_real_files_pass_the_gate(root: Path) -> None:
    files, earlier = archived(root, ISSUE), archived(root, EARLIER)
    warnings = "\n".join(judged(files, {}))
    assert not names(warnings, date(2010, 10, 11))
    assert not names(warnings, date(2006, 2, 9))
    assert judged(files, files) == []
    assert judged({role_of(2026): files[role_of(2026)]}, earlier) == []


def test_real_days_come_when_expected_but_for_good_friday(real: pa.Table) -> None:
    days = [day for day in pc.unique(real["obs_date"]).to_pylist() if day > date(2021, 6, 30)]
    late = {
        day: expected
        for day, following in pairwise(days)
        if (expected := SOURCE.next_expected_at(day).astimezone(NEW_YORK).date()) != following
    }
    assert sorted(late.values()) == [date(2022, 4, 15), date(2024, 3, 29), date(2025, 4, 18)]


def test_there_are_files_of_the_publisher() -> None:
    assert ROOTS
