"""When each publisher is asked, and from when its data are late and stale: held to days on which it published."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import auction_pages as pages
import pyarrow as pa
import pytest
from auction_pages import AUCTIONS, Auction, Entry

from jgb_assets.landing.visits import status_of
from jgb_assets.settings import BUNDLE
from jgb_assets.sources.base import AT, Snapshot, Source
from jgb_assets.sources.calendars import NEW_YORK, TOKYO
from jgb_assets.sources.mof_auction_pages import MofAuctionPages
from jgb_assets.sources.mof_jgb_auctions import MofJgbAuctions
from jgb_assets.sources.mof_jgb_yields import MofJgbYields
from jgb_assets.sources.mof_securities_flows import MofSecuritiesFlows
from jgb_assets.sources.registry import SOURCES
from jgb_assets.sources.treasury_par_yields import TreasuryParYields
from jgb_assets.sources.treasury_tic import TreasuryTic

JGB, TIC, UST, FLOWS = MofJgbYields(), TreasuryTic(), TreasuryParYields(), MofSecuritiesFlows()
WORKBOOK, PAGES = MofJgbAuctions(), MofAuctionPages()
ONE_DAY = timedelta(days=1)


def on(day: str | date, clock: str, source: Source) -> datetime:
    """A wall-clock time of the publisher."""
    return datetime.combine(_day(day), time.fromisoformat(clock), source.zone)


def stored(source: Source, **newest: str | date) -> dict[str, pa.Table]:
    """Tables of which nothing matters but the newest observation; others are empty."""
    return {
        spec.name: pa.table({spec.observation_date: pa.array([_day(newest[spec.name])], pa.date32())})
        if spec.name in newest
        else spec.empty()
        for spec in source.tables
    }


def _day(day: str | date) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day


def standing(source: Source, at: datetime, **newest: str) -> str:
    return source.standing({name: date.fromisoformat(day) for name, day in newest.items()}, at)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_source_of_which_nothing_is_here_is_asked_on_the_next_day_on_which_it_publishes(source: Source) -> None:
    nothing = {spec.name: spec.empty() for spec in source.tables}
    assert source.due(on("2026-07-01", "12:40", source), nothing).is_due  # a Wednesday
    assert not source.due(on("2026-07-04", "12:40", source), nothing).is_due  # a Saturday
    assert source.standing(source.newest(nothing), on("2026-07-01", "12:40", source)) == "never retrieved"


# --- JGB yields: the next business day at 09:30 Tokyo -----------------------------------------------------------


@pytest.mark.parametrize(
    ("newest", "day", "clock", "is_due"),
    [
        ("2026-01-15", "2026-01-19", "09:40", True),  # the row of Friday the 16th
        ("2026-01-15", "2026-01-19", "09:20", False),
        ("2026-01-15", "2026-01-16", "18:00", False),  # out on the day after, never on the day
        ("2026-01-15", "2026-01-17", "09:40", False),  # a Saturday
        ("2026-01-15", "2026-01-18", "12:00", False),
        ("2026-01-16", "2026-01-19", "10:10", False),  # the row is here
        ("2026-01-16", "2026-01-19", "18:00", False),
        ("2026-01-16", "2026-01-20", "09:40", True),
        ("2026-04-30", "2026-05-04", "09:40", False),  # Golden Week: Greenery Day
        ("2026-04-30", "2026-05-05", "09:40", False),
        ("2026-04-30", "2026-05-06", "09:40", False),
        ("2026-04-30", "2026-05-07", "09:40", True),  # the row of Friday 1 May
        ("2025-12-26", "2025-12-30", "09:40", True),  # the row of the 29th
        ("2025-12-29", "2025-12-30", "09:40", False),
        ("2025-12-29", "2026-01-05", "09:40", True),  # the row of the 30th
        ("2019-04-25", "2019-05-06", "09:40", False),  # ten days of holidays
        ("2019-04-25", "2019-05-07", "09:40", True),
    ],
)
def test_jgb_yields_are_due_at_half_past_nine_on_the_next_business_day(
    newest: str, day: str, clock: str, is_due: bool
) -> None:
    assert JGB.due(on(day, clock, JGB), stored(JGB, yields=newest)).is_due == is_due


@pytest.mark.parametrize(
    "day",
    ["2026-01-17", "2026-01-18", "2026-05-04", "2026-05-05", "2026-05-06", "2025-12-31", "2026-01-01", "2026-01-02"],
)
def test_on_days_without_a_session_not_even_what_is_missing_is_asked_for(day: str) -> None:
    verdict = JGB.due(on(day, "09:40", JGB), stored(JGB, yields="2025-11-04"))
    assert not verdict.is_due
    assert day in verdict.why


def test_at_0940_tokyo_each_row_since_1989_was_due_once_and_on_the_day_on_which_it_came_out() -> None:
    (history,) = BUNDLE.glob("2026-07-03T003500Z/www.mof.go.jp/**/jgbcme_all.csv")
    lines = history.read_text("cp932").splitlines()[2:]
    rows = [date(*map(int, line.split(",")[0].split("/"))) for line in lines]
    rows = [day for day in rows if day >= date(1989, 2, 1)]
    assert (len(rows), rows[-1]) == (9_185, date(2026, 6, 30))
    came_out = dict(pairwise(rows))  # with the next session, by the ministry's own notice
    here, tables, asked = rows[0], stored(JGB, yields=rows[0]), {}
    day = came_out[rows[0]] + ONE_DAY
    while day <= rows[-1]:
        if JGB.due(on(day, "09:40", JGB), tables).is_due:
            here = came_out[here]
            tables = stored(JGB, yields=here)
            asked[here] = day
            assert not JGB.due(on(day, "10:10", JGB), tables).is_due
        day += ONE_DAY
    assert asked == {row: came_out[row] for row in rows[1:-1]}


@pytest.mark.parametrize(
    ("newest", "day", "clock", "expected"),
    [
        ("2026-01-15", "2026-01-19", "09:29", "fresh"),
        ("2026-01-15", "2026-01-19", "09:40", "due"),  # one session is missing
        ("2026-01-15", "2026-01-20", "09:29", "due"),
        ("2026-01-15", "2026-01-20", "09:40", "late"),  # two are
        ("2026-01-15", "2026-01-29", "23:59", "late"),  # 14 days old
        ("2026-01-15", "2026-01-30", "00:01", "stale"),
        ("2019-04-25", "2019-05-07", "09:29", "fresh"),  # 12 days old: the longest pause
        ("2019-04-25", "2019-05-07", "09:40", "due"),
        ("2019-04-25", "2019-05-08", "09:40", "late"),
        ("2025-12-29", "2026-01-05", "09:29", "fresh"),
    ],
)
def test_jgb_yields_are_late_by_sessions_and_stale_by_days(newest: str, day: str, clock: str, expected: str) -> None:
    assert standing(JGB, on(day, clock, JGB), yields=newest) == expected


# --- TIC: the announced days of 2026 at 16:00 New York, files within 20 minutes ----------------------------------

RELEASED_2026 = [
    *("01-15", "02-18", "03-18", "04-15", "05-18", "06-18", "07-14", "08-17", "09-16", "10-16", "11-18", "12-15")
]
TIC_TABLES = ("table5", "table3", "table1")


def month_end(year: int, month: int) -> date:
    """Of a month that may lie in a year before: month 0 is December, -1 November."""
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    return first_of_next - ONE_DAY


def tic(newest: date, **others: date) -> dict[str, pa.Table]:
    """Every monthly table to ``newest``, but for ``others``; the yearly one to the last December but one."""
    return stored(TIC, **dict.fromkeys(TIC_TABLES, newest) | {"mfhhis01": date(2024, 12, 31)} | others)


def test_month_ends_across_a_new_year() -> None:
    assert [month_end(2026, month) for month in (-2, -1, 0, 1)] == [
        *(date(2025, 10, 31), date(2025, 11, 30), date(2025, 12, 31), date(2026, 1, 31))
    ]


@pytest.mark.parametrize(("month", "day"), list(enumerate(RELEASED_2026, start=1)), ids=RELEASED_2026)
def test_each_tic_release_of_2026_is_due_on_its_day_and_carries_the_month_before_last(month: int, day: str) -> None:
    release, before, brought = f"2026-{day}", tic(month_end(2026, month - 3)), tic(month_end(2026, month - 2))
    assert not TIC.due(on(date.fromisoformat(release) - ONE_DAY, "16:20", TIC), before).is_due
    assert not TIC.due(on(release, "12:20", TIC), before).is_due
    assert not TIC.due(on(release, "16:19", TIC), before).is_due  # the files are of two releases for a while
    assert TIC.due(on(release, "16:20", TIC), before).is_due
    assert not TIC.due(on(release, "16:20", TIC), brought).is_due
    assert not TIC.due(on(release, "16:35", TIC), brought).is_due


def test_without_an_announced_day_tic_is_asked_for_from_the_ninth_business_day_on() -> None:
    """In 2026 releases came on the 9th to the 14th; by the rule for the latest, polls would begin days after most."""
    november = tic(date(2026, 10, 31))  # its next month comes in January 2027, whose 9th business day is the 14th
    assert not TIC.due(on("2027-01-13", "16:20", TIC), november).is_due
    assert TIC.due(on("2027-01-14", "16:20", TIC), november).is_due
    assert not TIC.due(on("2027-01-14", "16:35", TIC), november).is_due  # hourly, as nobody knows the day
    assert TIC.due(on("2027-01-15", "17:20", TIC), november).is_due


def test_the_calendar_of_tic_is_in_new_yorks_time() -> None:
    winter, summer = datetime.fromisoformat("2026-01-15T21:20Z"), datetime.fromisoformat("2026-07-14T20:20Z")
    for release, month in ((winter, -2), (summer, 4)):
        assert TIC.due(release, tic(month_end(2026, month))).is_due
        assert not TIC.due(release - timedelta(minutes=1), tic(month_end(2026, month))).is_due


@pytest.mark.parametrize(
    ("day", "clock", "is_due"),
    [
        *(("2026-06-18", clock, True) for clock in ("16:20", "16:35", "16:50", "17:05", "20:50")),
        *(("2026-06-22", clock, True) for clock in ("16:20", "17:20", "20:20")),
        *(("2026-06-22", clock, False) for clock in ("16:35", "16:50", "17:05", "20:35", "20:50")),
        ("2026-06-19", "16:20", False),  # Juneteenth
        ("2026-06-20", "16:20", False),
    ],
)
def test_a_release_that_does_not_come_is_asked_for_each_quarter_of_an_hour_and_hourly_from_the_next_day(
    day: str, clock: str, is_due: bool
) -> None:
    assert TIC.due(on(day, clock, TIC), tic(date(2026, 3, 31))).is_due == is_due


@pytest.mark.parametrize("behind", TIC_TABLES)
def test_while_one_table_is_still_of_the_last_release_it_is_due(behind: str) -> None:
    half = tic(date(2026, 4, 30), **{behind: date(2026, 3, 31)})
    assert TIC.due(on("2026-06-18", "16:35", TIC), half).is_due
    assert TIC.due(on("2026-06-22", "16:20", TIC), half).is_due
    assert not TIC.due(on("2026-06-18", "16:35", TIC), tic(date(2026, 4, 30))).is_due


@pytest.mark.parametrize(
    ("newest", "day", "age", "expected"),
    [
        ("2026-04-30", "2026-06-18", 49, "fresh"),
        ("2026-04-30", "2026-07-13", 74, "fresh"),
        ("2026-04-30", "2026-07-15", 76, "due"),
        ("2026-04-30", "2026-07-19", 80, "due"),
        ("2026-04-30", "2026-07-20", 81, "late"),
        ("2025-07-31", "2025-11-17", 109, "late"),  # federal offices were closed
        ("2025-07-31", "2025-12-15", 137, "late"),
        ("2025-07-31", "2025-12-16", 138, "stale"),
        ("2023-01-31", "2026-07-01", 1247, "stale"),  # the files that are frozen and answer all the same
    ],
)
def test_tics_age_counts_from_the_months_last_day(newest: str, day: str, age: int, expected: str) -> None:
    days = dict.fromkeys(TIC_TABLES, date.fromisoformat(newest)) | {"mfhhis01": date(2022, 12, 31)}
    told = status_of(TIC, days, None, on(day, "16:30", TIC))
    assert (told["age_days"], told["status"]) == (age, expected)


def test_two_months_that_came_at_once_after_the_closure_of_2025() -> None:
    """The releases of October and November were both on 18 November."""
    august = tic(date(2025, 8, 31))
    assert not TIC.due(on("2025-11-17", "16:20", TIC), tic(date(2025, 7, 31))).is_due
    assert TIC.due(on("2025-11-18", "16:20", TIC), august).is_due
    assert not TIC.due(on("2025-11-18", "16:20", TIC), tic(date(2025, 9, 30))).is_due


# --- US par yields: 18:00 New York on each session ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("newest", "now", "is_due"),
    [
        ("2026-06-30", "2026-07-01T18:30-04:00", True),
        ("2026-06-30", "2026-07-01T22:30Z", True),  # summer
        ("2026-06-30", "2026-07-01T21:30Z", False),
        ("2026-01-16", "2026-01-20T23:30Z", True),  # winter, after a holiday
        ("2026-01-16", "2026-01-20T22:30Z", False),
        ("2026-01-16", "2026-01-19T23:30Z", False),  # Martin Luther King's day
        ("2026-03-06", "2026-03-09T22:30Z", True),  # the first session of summer time
        ("2026-10-30", "2026-11-02T22:30Z", False),  # the first of winter time
        ("2026-10-30", "2026-11-02T23:30Z", True),
        ("2026-07-01", "2026-07-01T19:00-04:00", False),  # it is here
        ("2026-07-01", "2026-07-02T18:30-04:00", True),
        ("2026-11-25", "2026-11-26T18:30-05:00", False),  # Thanksgiving
        ("2026-11-25", "2026-11-27T18:30-05:00", True),
        ("2026-07-02", "2026-07-03T18:30-04:00", False),  # Independence Day, observed
        ("2026-07-02", "2026-07-05T18:30-04:00", False),  # a Sunday
        ("2026-04-02", "2026-04-03T18:30-04:00", True),  # Good Friday had yields in 2026
        ("2025-04-17", "2025-04-18T18:30-04:00", True),  # it had none in 2025, which nobody knew before
        ("2025-04-17", "2025-04-21T18:30-04:00", True),
        ("2025-04-21", "2025-04-21T19:00-04:00", False),  # over with the row of Monday
        ("2021-12-30", "2021-12-31T18:30-05:00", True),  # New Year on a Saturday is no holiday here
    ],
)
def test_us_par_yields_are_due_in_the_evening_of_each_session(newest: str, now: str, is_due: bool) -> None:
    assert UST.due(datetime.fromisoformat(now), stored(UST, yields=newest)).is_due == is_due


def treasury_days() -> list[date]:
    """Every day with a row in the publisher's files from 1990, read without the parser."""
    newest_first = {
        path.parent.name: path.read_text().splitlines()[1:]
        for path in sorted(BUNDLE.glob("*/home.treasury.gov/**/daily-treasury-rates.csv/*/all@*_format=csv"))
    }
    days = [datetime.strptime(line.split(",")[0], "%m/%d/%Y") for lines in newest_first.values() for line in lines]  # noqa: DTZ007
    return sorted(day.date() for day in days)


def test_each_row_of_us_par_yields_since_1990_was_due_on_its_own_evening() -> None:
    days = treasury_days()
    assert (len(days) > 9_120, days[0]) == (True, date(1990, 1, 2))
    missed = [
        day for before, day in pairwise(days) if not UST.due(on(day, "18:30", UST), stored(UST, yields=before)).is_due
    ]
    # A holiday whose row is empty, and the first Juneteenth, which became one on the day before.
    assert missed == [date(2010, 10, 11), date(2021, 6, 18)]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-07-01", "fresh"),
        ("2026-07-02", "due"),
        ("2026-07-05", "due"),  # 5 days old
        ("2026-07-06", "late"),
        ("2026-07-08", "late"),  # 8
        ("2026-07-09", "stale"),
    ],
)
def test_the_age_of_us_par_yields(day: str, expected: str) -> None:
    assert standing(UST, on(day, "12:00", UST), yields="2026-06-30") == expected


def test_no_pause_of_us_par_yields_since_1990_would_have_been_called_late() -> None:
    assert not [
        day for before, day in pairwise(treasury_days()) if UST.late_at("yields", before) <= on(day, "18:00", UST)
    ]


@pytest.mark.parametrize(
    ("today", "stored_to", "asked"),
    [
        (date(2026, 7, 3), None, range(1990, 2027)),
        (date(2026, 7, 3), 2026, [2026]),
        (date(2026, 2, 2), 2026, [2026]),
        (date(2026, 1, 2), 2025, [2025, 2026]),
        (date(2026, 1, 30), 2026, [2025, 2026]),
        (date(2026, 7, 3), 2023, [2024, 2025, 2026]),
    ],
)
def test_the_years_of_par_yields_that_are_asked_for(today: date, stored_to: int | None, asked: list[int]) -> None:
    have = {f"year{AT}{year}-01-01" for year in range(1990, (stored_to or 1989) + 1)}
    urls = [file.urls[0] for file in UST.asks({}, have, today)]
    assert len(urls) == len(asked)
    for url, year in zip(urls, asked, strict=True):  # the year stands in the path and in the query, or the server
        assert f"/{year}/all?" in url  # answers with another window
        assert f"field_tdr_date_value={year}&" in url


# --- flows: weeks on the 4th business day, months on the 6th, 08:50 Tokyo ----------------------------------------


def flows(week: str, months: str, **others: str) -> dict[str, pa.Table]:
    return stored(FLOWS, **{"week": week, "montha1": months, "monthb3": months} | others)


@pytest.mark.parametrize(
    ("week", "months", "day", "clock", "is_due"),
    [
        ("2026-07-25", "2026-06-30", "2026-08-06", "09:00", True),  # the week to 1 August, a Thursday
        ("2026-07-25", "2026-06-30", "2026-08-06", "08:40", False),
        ("2026-07-25", "2026-06-30", "2026-08-05", "18:00", False),
        ("2026-08-01", "2026-06-30", "2026-08-06", "09:10", False),  # it is here
        ("2026-08-01", "2026-06-30", "2026-08-07", "18:00", False),
        ("2026-08-01", "2026-06-30", "2026-08-10", "09:00", True),  # July
        ("2026-08-01", "2026-06-30", "2026-08-10", "08:40", False),
        ("2026-08-01", "2026-07-31", "2026-08-10", "09:10", False),
        ("2026-08-01", "2026-07-31", "2026-08-13", "18:00", False),  # a day later after Mountain Day
        ("2026-08-01", "2026-07-31", "2026-08-14", "09:00", True),
        ("2026-08-08", "2026-07-31", "2026-08-14", "09:10", False),
        ("2026-07-25", "2026-06-30", "2026-08-11", "09:00", False),  # Mountain Day: nobody publishes
        ("2026-07-25", "2026-06-30", "2026-08-08", "09:00", False),  # a Saturday
        ("2025-12-20", "2025-11-30", "2025-12-30", "10:00", False),  # ministries close from 29 December
    ],
)
def test_when_flows_are_due(week: str, months: str, day: str, clock: str, is_due: bool) -> None:
    assert FLOWS.due(on(day, clock, FLOWS), flows(week, months)).is_due == is_due


@pytest.mark.parametrize("behind", ["montha1", "monthb3"])
def test_a_month_is_due_although_the_week_is_new(behind: str) -> None:
    half = flows("2026-08-01", "2026-07-31", **{behind: "2026-06-30"})
    verdict = FLOWS.due(on("2026-08-10", "09:10", FLOWS), half)
    assert verdict.is_due
    assert behind in verdict.why
    assert "week" not in verdict.why


@pytest.mark.parametrize(
    ("week", "months", "day", "expected"),
    [
        ("2026-08-01", "2026-07-31", "2026-08-13", "fresh"),
        ("2026-08-01", "2026-07-31", "2026-08-16", "due"),  # 15 days
        ("2026-08-01", "2026-07-31", "2026-08-17", "late"),
        ("2026-08-01", "2026-07-31", "2026-08-26", "late"),  # 25
        ("2026-08-01", "2026-07-31", "2026-08-27", "stale"),
        ("2026-08-08", "2026-06-30", "2026-08-14", "due"),  # 45
        ("2026-08-08", "2026-06-30", "2026-08-15", "late"),
        ("2026-09-05", "2026-06-30", "2026-09-13", "late"),  # 75
        ("2026-09-05", "2026-06-30", "2026-09-14", "stale"),
    ],
)
def test_the_ages_of_flows(week: str, months: str, day: str, expected: str) -> None:
    at = on(day, "08:00", FLOWS)
    assert standing(FLOWS, at, week=week, montha1=months, monthb3=months) == expected


# --- auctions: what a month's calendar lists ----------------------------------------------------------------------

JUNE = [
    Entry(date(2026, 6, 2), "10y", 382, non_price_2=True),
    Entry(date(2026, 6, 5), "liquidity", None, non_price_2=True),  # whose second page lists the issues
    Entry(date(2026, 6, 8), "10y_inflation", 31),
    Entry(date(2026, 6, 10), "30y", 90, non_price_2=True),
    Entry(date(2026, 6, 12), "tbill", 1380),
    Entry(date(2026, 6, 23), "5y", 185, result=False),
    Entry(date(2026, 6, 25), "20y", None, result=False),
    Entry(date(2026, 6, 25), "tbill", None, result=False),
    Entry(date(2026, 6, 30), "2y", None, result=False),
]
SEEN = on("2026-06-12", "13:00", PAGES)


def snapshot(page: pages.Page, role: str) -> Snapshot:
    return Snapshot(role, page[1], page[0], "", page[2])


def calendar(entries: list[Entry] = JUNE, month: str = "June 2026") -> dict[str, Snapshot]:
    role = f"calendar{AT}{entries[0].day.replace(day=1)}"
    return {role: snapshot(pages.calendar("en", entries, SEEN, month=month), role)}


def listed(*entries: Entry, here: list[Entry] | None = None, seconds: list[Entry] | None = None) -> dict[str, pa.Table]:
    """The tables after June's calendar, or another, with results and afternoon's results of some auctions."""
    tables = PAGES.parse(calendar(list(entries)))
    for name, known in (("results", here or []), ("non_price_2", seconds or [])):
        rows = [{"instrument": entry.instrument, "auction_date": entry.day} for entry in known]
        tables[name] = pa.Table.from_pylist(rows, schema=tables[name].schema)
    return tables


def auction(instrument: str, day: str = "2026-06-25") -> Entry:
    return Entry(date.fromisoformat(day), instrument, None, result=False)


BONDS_HELD_TWICE = ["2y", "5y", "10y", "20y", "30y", "40y"]


@pytest.mark.parametrize("instrument", [*BONDS_HELD_TWICE, "tbill", "5y_climate", "10y_climate"])
def test_a_result_is_due_at_1240_on_the_day_of_the_auction_and_on_no_other(instrument: str) -> None:
    tables = listed(auction(instrument))
    assert not PAGES.due(on("2026-06-24", "12:40", PAGES), tables).is_due
    assert not PAGES.due(on("2026-06-25", "12:20", PAGES), tables).is_due
    verdict = PAGES.due(on("2026-06-25", "12:40", PAGES), tables)
    assert verdict.is_due
    assert "2026-06-25" in verdict.why
    assert instrument in verdict.why


@pytest.mark.parametrize("instrument", BONDS_HELD_TWICE)
def test_of_most_bonds_a_second_result_is_due_in_the_afternoon(instrument: str) -> None:
    entry = auction(instrument)
    morning, whole = listed(entry, here=[entry]), listed(entry, here=[entry], seconds=[entry])
    assert not PAGES.due(on("2026-06-25", "13:10", PAGES), morning).is_due
    assert PAGES.due(on("2026-06-25", "15:20", PAGES), morning).is_due
    assert not PAGES.due(on("2026-06-25", "15:20", PAGES), whole).is_due
    assert not PAGES.due(on("2026-06-26", "12:40", PAGES), whole).is_due


@pytest.mark.parametrize("instrument", ["tbill", "5y_climate", "10y_climate"])
def test_of_bills_and_climate_bonds_there_is_no_second_result(instrument: str) -> None:
    entry = auction(instrument)
    assert not PAGES.due(on("2026-06-25", "15:20", PAGES), listed(entry, here=[entry])).is_due


@pytest.mark.parametrize("clock", ["12:40", "15:20"])
@pytest.mark.parametrize("instrument", ["liquidity", "10y_inflation"])
def test_auctions_whose_layout_nobody_has_verified_make_nothing_due(instrument: str, clock: str) -> None:
    assert not PAGES.due(on("2026-06-25", clock, PAGES), listed(auction(instrument))).is_due


def test_two_auctions_of_one_day_are_both_waited_for() -> None:
    bond, bill = auction("20y"), auction("tbill")
    now = on("2026-06-25", "12:40", PAGES)
    assert PAGES.due(now, listed(bond, bill, here=[bill])).is_due
    assert PAGES.due(now, listed(bond, bill, here=[bond])).is_due
    assert not PAGES.due(now, listed(bond, bill, here=[bond, bill])).is_due


@pytest.mark.parametrize(
    ("day", "is_due"),
    [
        ("2026-06-16", True),
        ("2026-06-20", False),  # a Saturday
        ("2026-06-22", True),  # a week later
        ("2026-06-23", False),
        ("2026-06-30", False),
    ],
)
def test_a_result_that_never_comes_is_given_up_a_week_later(day: str, is_due: bool) -> None:
    called_off = Entry(date(2026, 6, 15), "20y", None, result=False)
    assert PAGES.due(on(day, "12:40", PAGES), listed(called_off)).is_due == is_due


def test_the_calendar_of_the_month_is_due_while_it_is_not_here() -> None:
    june = listed(auction("20y"), here=[auction("20y")], seconds=[auction("20y")])
    assert not PAGES.due(on("2026-06-30", "12:40", PAGES), june).is_due
    verdict = PAGES.due(on("2026-07-01", "12:40", PAGES), june)
    assert verdict.is_due
    assert "2026-07" in verdict.why
    assert not PAGES.due(on("2026-07-04", "12:40", PAGES), june).is_due  # a Saturday


def test_pages_as_published_leave_nothing_due() -> None:
    """The 20-year auction of 25 June 2026, with both of its pages."""
    twenty = AUCTIONS["20y 2026-06-25"]
    files = calendar([Entry(twenty.day, "20y", 196, non_price_2=True)])
    files |= page_of(twenty, "results", pages.en(twenty))
    assert not PAGES.due(on(twenty.day, "13:10", PAGES), PAGES.parse(files)).is_due
    assert PAGES.due(on(twenty.day, "15:20", PAGES), PAGES.parse(files)).is_due
    files |= page_of(twenty, "non_price_2", pages.second(twenty))
    assert not PAGES.due(on(twenty.day, "15:20", PAGES), PAGES.parse(files)).is_due


def page_of(of: Auction, role: str, page: pages.Page) -> dict[str, Snapshot]:
    return {f"{role}{AT}{of.day}": snapshot(page, f"{role}{AT}{of.day}")}


@pytest.mark.parametrize(
    ("newest", "day", "clock", "is_due"),
    [
        ("2026-06-30", "2026-08-13", "15:20", False),
        ("2026-06-30", "2026-08-14", "12:40", True),  # 45 days on
        ("2026-06-30", "2026-08-15", "12:40", False),  # a Saturday
        ("2026-08-06", "2026-08-17", "15:20", False),
    ],
)
def test_the_workbook_is_due_when_it_is_older_than_it_ever_was(newest: str, day: str, clock: str, is_due: bool) -> None:
    assert WORKBOOK.due(on(day, clock, WORKBOOK), stored(WORKBOOK, auctions=newest)).is_due == is_due


# --- which addresses are asked -------------------------------------------------------------------------------------


def asked(answered: dict[str, Snapshot], have: set[str], today: str) -> Iterator[str]:
    """The first address of each file."""
    return (file.urls[0] for file in PAGES.asks(answered, have, date.fromisoformat(today)))


EN = pages.ROOT + "/english/policy/jgbs/auction/calendar/"
JA = pages.ROOT + "/jgbs/auction/calendar/"


@pytest.mark.parametrize(
    ("today", "months"),
    [
        ("2026-06-26", ["2604", "2605", "2606", "2607"]),
        ("2026-01-05", ["2511", "2512", "2601", "2602"]),
        ("2026-12-30", ["2610", "2611", "2612", "2701"]),
    ],
)
def test_at_first_only_calendars_are_asked_for(today: str, months: list[str]) -> None:
    assert list(asked({}, set(), today)) == [f"{EN}{month}e.htm" for month in months]


def test_only_results_that_a_calendar_links_to_are_asked_for() -> None:
    """A page that is guessed and not there says nothing of an auction."""
    found = set(asked(calendar(), set(), "2026-06-12"))
    results = {f"{EN}eresul/eresul202606{day}.htm" for day in ("02", "05", "08", "10")}
    assert {url for url in found if "e.htm" not in url} == (
        results
        | {f"{EN}etbill/etbillresul/eresul20260612.htm"}
        | {f"{JA}nyusatsu/resul202606{day}a.htm" for day in ("02", "10")}
    )


def test_results_that_are_stored_are_asked_for_again_for_three_days() -> None:
    have = {f"results{AT}2026-06-{day}" for day in ("02", "05", "08", "10")}
    have |= {f"non_price_2{AT}2026-06-02", f"non_price_2{AT}2026-06-10", f"bill_results{AT}2026-06-12"}

    def results(today: str) -> set[str]:
        return {url.rpartition("/")[2] for url in asked(calendar(), have, today) if "e.htm" not in url}

    assert results("2026-06-13") == {"eresul20260610.htm", "resul20260610a.htm", "eresul20260612.htm"}
    assert results("2026-06-15") == {"eresul20260612.htm"}
    assert results("2026-06-16") == set()


def test_a_calendar_that_cannot_be_read_names_no_page_and_stops_no_other() -> None:
    broken = snapshot((SEEN, f"{EN}2605e.htm", b"<html><body>maintenance</body></html>"), f"calendar{AT}2026-05-01")
    both = {broken.role: broken} | calendar()
    assert list(asked(both, set(), "2026-06-12")) == list(asked(calendar(), set(), "2026-06-12"))


@pytest.mark.parametrize("source", [JGB, TIC, FLOWS, WORKBOOK], ids=lambda source: source.name)
def test_whole_files_are_asked_for_each_time(source: Source) -> None:
    have = {file.role for file in source.files}
    assert list(source.asks({}, have, date(2026, 7, 3))) == list(source.files)


def test_publishers_tell_the_time_of_their_own_city() -> None:
    assert {source.name for source in SOURCES.values() if source.zone == NEW_YORK} == {TIC.name, UST.name}
    assert {source.zone for source in SOURCES.values()} == {NEW_YORK, TOKYO}
