"""Business days and publication instants of the publishers' offices.

Belongs here: calendar arithmetic in the publisher's zone. Not here: which source uses which rule.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import import_module
from zoneinfo import ZoneInfo

import jpholiday

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")

# No JGB yields on 31 December and 1 to 3 January, in any year since 1974; 30 December is a session.
YEAR_END = frozenset({(12, 31), (1, 1), (1, 2), (1, 3)})
OFFICES_CLOSED = YEAR_END | {(12, 29), (12, 30)}  # by law, ministries close from 29 December to 3 January


@cache
def is_tokyo_session(day: date) -> bool:
    """Whether JGBs trade: a weekday, no national holiday, not at year-end (valid from 1989-02-01)."""
    return day.weekday() < 5 and (day.month, day.day) not in YEAR_END and not jpholiday.is_holiday(day)


def tokyo_sessions(first: date, last: date) -> list[date]:
    """Every session from ``first`` to ``last``, both included."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if is_tokyo_session(day)]


@cache
def is_tokyo_office_day(day: date) -> bool:
    """Whether Japan's ministries work and publish: a weekday, no national holiday, not at year-end."""
    return day.weekday() < 5 and (day.month, day.day) not in OFFICES_CLOSED and not jpholiday.is_holiday(day)


@cache
def is_us_business_day(day: date) -> bool:
    """Whether US federal offices work: a weekday, no federal holiday (Good Friday is none)."""
    return day.weekday() < 5 and day not in _federal_holidays(day.year)


@cache
def _federal_holidays(year: int) -> frozenset[date]:
    holiday = import_module("pandas.tseries.holiday")  # 0.3 s that most runs do not need
    return frozenset(holiday.USFederalHolidayCalendar().holidays(f"{year}-01-01", f"{year}-12-31").date)


def nth_open_day_after(day: date, n: int, is_open: Callable[[date], bool]) -> date:
    """The ``n``-th day (1 = the first) after ``day`` that ``is_open``."""
    for _ in range(n):
        day += timedelta(days=1)
        while not is_open(day):
            day += timedelta(days=1)
    return day


def next_tokyo_session(day: date) -> date:
    """The first session after ``day``."""
    return nth_open_day_after(day, 1, is_tokyo_session)


def at(day: date, hour: int, minute: int, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, of a wall-clock time in ``zone``."""
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
