"""The Tokyo market's sessions against the ministry's own dates, and the publishers' clocks against UTC."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jgb_assets.sources.calendars import NEW_YORK, TOKYO, at, is_tokyo_session, next_tokyo_session, tokyo_sessions

REPOSITORY = Path(__file__).parents[2]
HISTORIES = [
    path
    for root in (REPOSITORY / "jgb_assets" / "bundle" / "archive", REPOSITORY.parent / "shared" / "archive")
    for path in sorted(root.glob("2026-07-03T003500Z/www.mof.go.jp/**/jgbcme_all.csv"))
]
FIVE_DAY_WEEK_SINCE = date(1989, 2, 1)
DAYS = st.dates(FIVE_DAY_WEEK_SINCE, date(2030, 12, 31))


def test_there_is_a_history_of_the_ministry() -> None:
    assert HISTORIES


@pytest.fixture(scope="module", params=HISTORIES, ids=lambda path: path.parents[8].parent.name)
def published(request: pytest.FixtureRequest) -> list[date]:
    """The dates of the ministry's rows, read without the parser under test elsewhere."""
    lines = request.param.read_text("cp932").splitlines()[2:]
    return [date(*map(int, line.split(",")[0].split("/"))) for line in lines]


def test_from_1989_02_the_ministrys_rows_are_exactly_the_sessions(published: list[date]) -> None:
    rows = [day for day in published if day >= FIVE_DAY_WEEK_SINCE]
    assert (len(rows), rows[0], rows[-1]) == (9_185, date(1989, 2, 1), date(2026, 6, 30))
    assert tokyo_sessions(FIVE_DAY_WEEK_SINCE, date(2026, 6, 30)) == rows


def test_each_row_is_followed_by_the_row_of_the_next_session(published: list[date]) -> None:
    rows = [day for day in published if day >= FIVE_DAY_WEEK_SINCE]
    assert [next_tokyo_session(day) for day in rows[:-1]] == rows[1:]


def test_before_the_five_day_week_saturdays_were_sessions_so_the_calendar_does_not_hold(published: list[date]) -> None:
    saturdays = [day for day in published if day.weekday() == 5]
    assert (len(saturdays), saturdays[0], saturdays[-1]) == (519, date(1974, 9, 28), date(1989, 1, 28))
    assert not any(map(is_tokyo_session, saturdays))


def test_year_end_in_the_ministrys_rows(published: list[date]) -> None:
    assert not [day for day in published if (day.month, day.day) in {(12, 31), (1, 1), (1, 2), (1, 3)}]
    thirtieths = [day for day in published if day >= FIVE_DAY_WEEK_SINCE and (day.month, day.day) == (12, 30)]
    assert thirtieths == [date(year, 12, 30) for year in range(1989, 2026) if date(year, 12, 30).weekday() < 5]


@pytest.mark.parametrize("year", range(1989, 2031))
def test_no_session_from_31_december_to_3_january_and_30_december_is_one_on_a_weekday(year: int) -> None:
    closed = [date(year, 12, 31), *(date(year + 1, 1, day) for day in (1, 2, 3))]
    assert not any(map(is_tokyo_session, closed))
    assert is_tokyo_session(date(year, 12, 30)) == (date(year, 12, 30).weekday() < 5)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2019, 4, 30), "between two holidays: the emperor's abdication"),
        (date(2019, 5, 1), "accession"),
        (date(2019, 5, 2), "between two holidays"),
        (date(2019, 10, 22), "enthronement"),
        (date(2020, 7, 23), "Marine Day, moved for the Games"),
        (date(2020, 7, 24), "Sports Day, moved for the Games"),
        (date(2020, 8, 10), "Mountain Day, moved for the Games"),
        (date(2021, 7, 22), "Marine Day, moved again"),
        (date(2021, 7, 23), "Sports Day, moved again"),
        (date(2021, 8, 9), "the day after Mountain Day, moved to a Sunday"),
        (date(1989, 2, 24), "funeral of the Showa emperor"),
        (date(1990, 11, 12), "enthronement"),
        (date(1993, 6, 9), "the crown prince's wedding"),
        (date(2026, 5, 6), "substitute of Constitution Day, a Sunday"),
        (date(2026, 9, 22), "between Respect-for-the-Aged Day and the equinox"),
    ],
)
def test_days_off_that_no_weekday_rule_gives(day: date, why: str) -> None:
    assert day.weekday() < 5, why
    assert not is_tokyo_session(day), why


@pytest.mark.parametrize(
    "day",
    [
        date(2019, 12, 23),  # the former emperor's birthday, a holiday to 2018
        date(2020, 7, 20),  # Marine Day's usual Monday
        date(2020, 8, 11),  # Mountain Day's usual date
        date(2020, 10, 12),  # Sports Day's usual Monday
        date(2021, 7, 19),
        date(2021, 8, 11),
        date(2021, 10, 11),
        date(2015, 8, 11),  # the year before Mountain Day was created
        date(2018, 2, 23),  # the present emperor's birthday, a holiday from 2020
    ],
)
def test_days_that_lost_or_had_not_yet_their_holiday_are_sessions(day: date) -> None:
    assert is_tokyo_session(day)


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2026, 1, 20), date(2026, 1, 21)),
        (date(2026, 1, 16), date(2026, 1, 19)),  # a Friday
        (date(2019, 4, 26), date(2019, 5, 7)),  # the longest gap, 11 days
        (date(2026, 5, 1), date(2026, 5, 7)),
        (date(2025, 12, 30), date(2026, 1, 5)),
        (date(2021, 12, 30), date(2022, 1, 4)),
        (date(2026, 1, 1), date(2026, 1, 5)),  # from a day that is no session
    ],
)
def test_next_session(day: date, following: date) -> None:
    assert next_tokyo_session(day) == following


@given(DAYS)
def test_nothing_trades_between_a_day_and_the_next_session(day: date) -> None:
    following = next_tokyo_session(day)
    assert day < following <= day + timedelta(days=11)
    assert tokyo_sessions(day + timedelta(days=1), following) == [following]


def test_a_span_of_sessions_includes_both_ends_and_may_be_empty() -> None:
    assert tokyo_sessions(date(2026, 6, 12), date(2026, 6, 15)) == [date(2026, 6, 12), date(2026, 6, 15)]
    assert tokyo_sessions(date(2026, 6, 12), date(2026, 6, 12)) == [date(2026, 6, 12)]
    assert tokyo_sessions(date(2026, 6, 13), date(2026, 6, 14)) == []
    assert tokyo_sessions(date(2026, 6, 13), date(2026, 6, 12)) == []


@given(DAYS)
def test_tokyo_has_no_daylight_saving(day: date) -> None:
    assert at(day, 9, 30, TOKYO) == datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        (date(2026, 1, 15), 21),
        (date(2026, 3, 6), 21),  # the last Friday of winter time
        (date(2026, 3, 9), 20),
        (date(2026, 6, 18), 20),
        (date(2026, 10, 30), 20),
        (date(2026, 11, 2), 21),
    ],
)
def test_four_in_the_afternoon_in_new_york(day: date, hour: int) -> None:
    instant = at(day, 16, 0, NEW_YORK)
    assert instant == datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    assert instant.utcoffset() == timedelta(0)
