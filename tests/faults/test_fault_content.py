"""What can be wrong with a whole answer: refused with the place in the file, or taken and told of."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest

from jgb_assets.defs.world import World
from jgb_assets.sources.calendars import tokyo_sessions
from jgb_assets.sources.mof_jgb_yields import TENORS, YIELDS
from tests.conftest import Run, environment
from tests.faults.worlds import (
    BUNDLED_TO,
    CURRENT,
    FOOTER,
    HISTORY,
    MINUTES,
    NEWEST,
    NOW,
    SOURCE,
    House,
    assert_failed,
    fault,
    history,
    house_of,
    month,
    published,
    sessions,
    with_cell,
)
from tests.pretend_web import Asked, newest_files, pretend_web

PAGE = b'<!DOCTYPE html><html lang="ja"><head><title>Not Found</title></head><body></body></html>'
DAY = timedelta(days=1)


@pytest.fixture
def house(from_bundle: Run, tmp_path: Path) -> Iterator[House]:
    with pretend_web(tmp_path) as web:
        yield house_of(from_bundle, tmp_path, web)


Spoil = Callable[[bytes], bytes]


def cells(change: Callable[[list[bytes]], list[bytes]], first: int = 1, until: int | None = None) -> Spoil:
    """Changes the cells of some lines, as a rule of header and rows."""

    def spoil(body: bytes) -> bytes:
        head, foot = body[: -len(FOOTER.encode("cp932"))], body[-len(FOOTER.encode("cp932")) :]
        rows = head.split(b"\r\n")[:-1]
        chosen = slice(first, until)
        rows[chosen] = [b",".join(change(row.split(b","))) for row in rows[chosen]]
        return b"\r\n".join([*rows, foot])

    return spoil


def ten_times(text: bytes) -> bytes:
    return f"{float(text) * 10:.3f}".rstrip("0").rstrip(".").encode()


def a_hundred_past_cells(body: bytes) -> bytes:
    """A basis point more in the 20-year of 51 sessions: one more than is borne."""
    for day in [day for day in sessions() if day <= BUNDLED_TO][-60:-9]:
        body = with_cell(body, day, 20, lambda pct: pct + 0.01)
    return body


def repeated(body: bytes) -> bytes:
    """The last row once more, as that of the next day."""
    last = re.search(rb"2026/8/14,(\S+)\r\n", body)
    assert last
    return (
        body.replace(last[0], b"2026/8/13," + last[1] + b"\r\n" + last[0])
        if b"2026/8/13" not in body
        else re.sub(rb"2026/8/13,\S+\r\n", b"2026/8/13," + last[1] + b"\r\n", body)
    )


@dataclass(frozen=True)
class Content:
    """What is served for a URL, and what the refusal says."""

    url: str
    spoil: Spoil
    place: str
    expected: str
    found: str


CONTENT = {
    "200 with HTML": Content(CURRENT, lambda _: PAGE, "first bytes", "a data file", "a web page"),
    "200 with HTML, history": Content(HISTORY, lambda _: PAGE, "first bytes", "a data file", "a web page"),
    "empty body": Content(CURRENT, lambda _: b"", "the whole file", "a data file", "an empty body"),
    "body in UTF-8": Content(
        CURRENT, lambda body: body.decode("cp932").encode(), "line 12", "one ※ footer", "窶ｻIf you"
    ),
    "body in UTF-16": Content(
        CURRENT, lambda body: body.decode("cp932").encode("utf-16"), "line 14, the last", "a line end", "within a line"
    ),
    "header renamed": Content(
        CURRENT, lambda body: body.replace(b",10Y,", b",10 Yr,", 1), "line 2", "Date,1Y", ",10 Yr,"
    ),
    "one column dropped": Content(CURRENT, cells(lambda row: row[:-1]), "line 2", ",40Y", ",30Y"),
    "one column dropped from the rows": Content(
        CURRENT, cells(lambda row: row[:-1], first=2), "line 3", "16 fields", "15"
    ),
    "two columns have changed places": Content(
        CURRENT, cells(lambda row: [*row[:12], row[15], *row[13:15], row[12]], first=2), "20-year of 2026-08-03", "neighbours", "in a day"
    ),
    "units times ten": Content(
        CURRENT, cells(lambda row: [row[0], *map(ten_times, row[1:])], first=2), "line 3, 2-year of|line 3, 3-year of", "-1 to 15 percent", "1[5-9]"
    ),
    "units times ten in one column": Content(
        CURRENT, cells(lambda row: [row[0], ten_times(row[1]), *row[2:]], first=2), "1-year of 2026-08-03", "a move that has happened before", "percent in a day"
    ),
    "more than 50 past cells changed": Content(
        HISTORY, a_hundred_past_cells, "table yields, from obs_date", "at most 50 past rows", "51 rewritten"
    ),
    "yesterday's row under today's date": Content(
        CURRENT, repeated, "row of 2026-08-14", "differ from the session before", "a stale row under a new date"
    ),
    "a session left out": Content(
        CURRENT, lambda body: re.sub(rb"2026/8/5,\S+\r\n", b"", body), "row of 2026-08-05", "each Tokyo business day once", "no row for 2026-08-05"
    ),
}  # fmt: skip


@fault(*CONTENT)
@pytest.mark.parametrize("name", CONTENT)
def test_a_file_that_is_not_as_it_should_be_is_refused_with_its_place(name: str, house: House) -> None:
    case, before = CONTENT[name], house.kept()
    bad = case.spoil(house.web.files[case.url])
    house.web.files[case.url] = bad

    visited = house.visit()

    assert visited.why.startswith("SourceRejected: ")
    assert_failed(house, visited, NOW, case.url, case.expected, case.found, "compare")
    assert house.kept() == before
    assert house.recordings() == []
    refused = house.quarantined()
    assert bad in refused
    reason = refused[bad]
    assert re.search(case.place, reason["place"]), reason
    assert f"at {reason['place']}: expected {reason['expected']}, found {reason['found']}." in visited.why
    assert reason["url"] == case.url
    assert all(reason[field] for field in ("remedy", "sha256", "retrieved_at"))

    house.web.files |= newest_files()
    assert house.visit(NOW + MINUTES).is_read
    assert house.last().failing is None
    assert house.quarantined() == refused, "what was refused stays to be looked at"


def test_the_news_is_taken_whole_after_a_refusal_and_says_when_it_was_seen(house: House) -> None:
    good = house.web.files[CURRENT]
    house.web.files[CURRENT] = PAGE
    house.visit()
    house.web.files[CURRENT] = good
    visited = house.visit(NOW + MINUTES)
    assert (visited.is_read, visited.warnings) == (True, [])
    assert house.days()[-31:] == tokyo_sessions(BUNDLED_TO + DAY, NEWEST)
    news = [row for row in house.log().to_pylist() if row["obs_date"] > BUNDLED_TO]
    assert len(news) == 31 * len(TENORS)
    assert {(row["change"], row["first_seen_at"]) for row in news} == {("added", NOW + MINUTES)}


# --- what is taken, and told of ----------------------------------------------------------------------------------------


@fault("one past cell changed")
def test_one_changed_cell_of_the_past_is_a_new_vintage_and_a_warning(house: House) -> None:
    day = date(2026, 6, 11)
    house.web.files[HISTORY] = with_cell(house.web.files[HISTORY], day, 10, lambda pct: pct + 0.001)
    visited = house.visit()
    assert visited.is_read
    (warning,) = visited.warnings
    assert "1 past cells were rewritten in a series that is not revised: 10-year of 2026-06-11" in warning
    first, second = (row for row in house.log().to_pylist() if (row["obs_date"], row["tenor_years"]) == (day, 10))
    assert (first["change"], second["change"]) == ("added", "revised")
    assert first["first_seen_at"] < second["first_seen_at"] == NOW
    assert second["yield_pct"] == pytest.approx(first["yield_pct"] + 0.001)
    assert house.log()["change"].to_pylist().count("revised") == 1
    again = house.visit(NOW + MINUTES)
    assert (again.is_read, again.warnings) == (True, [])


def ahead(house: House, now: datetime) -> tuple[bool, str]:
    """Whether the source is due, and how it stands, with what is stored, at the instant of the last visit."""
    with environment(data_dir=house.data, transport="live", rehearsal=house.world):
        tables = World().tables(SOURCE)
    return SOURCE.due(now, tables).is_due, SOURCE.standing(SOURCE.newest(tables), now)


@fault("yesterday's body with today's date")
def test_yesterdays_body_with_todays_date_is_no_news(house: House) -> None:
    """Only the newest row tells how new a file is: the source is asked again, and is late in time."""
    assert house.visit().is_read
    assert ahead(house, NOW) == (False, "fresh")
    before = house.kept()
    for days, standing in ((1, "due"), (2, "late"), (15, "stale")):
        now = NOW + days * DAY

        def touched(asked: Asked, now: datetime = now) -> None:
            stamp = format_datetime(now, usegmt=True)
            asked.reply(house.web.files[asked.url], Last_Modified=stamp, ETag=f'"{stamp}"', Date=stamp)

        house.web.acts |= {HISTORY: touched, CURRENT: touched}
        visited = house.visit(now)
        assert visited.is_read
        assert visited.standing == standing
        assert ahead(house, now) == (True, standing)
        assert house.kept() == before
    assert house.last().looked["current"] == NOW + 15 * DAY


@fault("title of today over yesterday's rows")
def test_a_title_that_runs_ahead_of_its_rows_is_a_warning(house: House) -> None:
    now = datetime(2026, 9, 1, 0, 40, tzinfo=NOW.tzinfo)  # the row of 31 August is due
    rows_to = date(2026, 8, 28)
    house.web.files[CURRENT] = month(rows_to, rows_to, titled=date(2026, 9, 1))
    visited = house.visit(now)
    assert visited.is_read
    assert visited.warnings == [
        f"{CURRENT} is titled 'Interest Rate (September 2026)' but ends with a row of 2026-08-28"
    ]
    assert house.days()[-1] == rows_to
    assert ahead(house, now) == (True, "due")


@fault("yesterday's file after today's")
def test_a_row_that_an_older_copy_does_not_show_yet_still_stands(house: House) -> None:
    assert house.visit().is_read
    log = house.log()
    house.web.files[CURRENT] = month(NEWEST, date(2026, 8, 12))
    house.visit(NOW + MINUTES)
    assert house.log().equals(log)
    house.web.files[CURRENT] = month(NEWEST, NEWEST)
    assert house.visit(NOW + 2 * MINUTES).is_read
    assert house.log().equals(log)


# --- the turn of a month -----------------------------------------------------------------------------------------------

JULY, AUGUST = date(2026, 7, 31), date(2026, 8, 3)


def morning(day: int) -> datetime:
    return datetime(2026, 8, day, 0, 40, tzinfo=NOW.tzinfo)


@fault("last month's file on the first business day")
def test_at_a_months_turn_nothing_is_lost_and_nothing_is_told_twice(house: House) -> None:
    """The old month on the first business day; the new one a day later; its history another day later."""
    house.web.files |= {HISTORY: history(BUNDLED_TO), CURRENT: month(JULY, JULY)}
    first = house.visit(morning(3))
    assert (first.is_read, first.warnings, first.standing) == (True, [], "fresh")
    assert house.days()[-1] == JULY
    house.web.files[CURRENT] = month(AUGUST, AUGUST)
    second = house.visit(morning(4))
    assert (second.is_read, second.warnings) == (True, [])
    assert house.days()[-23:] == tokyo_sessions(BUNDLED_TO + DAY, AUGUST)
    house.web.files[HISTORY] = history(JULY)
    third = house.visit(morning(5))
    assert (third.is_read, third.warnings) == (True, [])
    assert house.days()[-23:] == tokyo_sessions(BUNDLED_TO + DAY, AUGUST)
    assert set(house.log()["change"].to_pylist()) == {"added"}


@fault("a month that neither file has")
def test_a_hole_at_a_months_turn_is_refused_until_the_history_has_it(house: House) -> None:
    """July was never seen: the new month is out, and the history ends with June."""
    before = house.kept()
    house.web.files |= {HISTORY: history(BUNDLED_TO), CURRENT: month(AUGUST, AUGUST)}
    visited = house.visit(morning(4))
    assert_failed(
        house, visited, morning(4), CURRENT, "each Tokyo business day once", "no row for 2026-07-01", "run again later"
    )
    assert house.kept() == before
    assert house.days()[-1] == BUNDLED_TO
    house.web.files[HISTORY] = history(JULY)
    assert house.visit(morning(5)).is_read
    assert house.days()[-23:] == tokyo_sessions(BUNDLED_TO + DAY, AUGUST)


def test_the_made_up_sessions_move_like_real_ones() -> None:
    """What this module takes for news is news to every gate, not only to those that are tested."""
    days = [day for day in sessions() if date(2026, 6, 30) <= day <= NEWEST]
    for earlier, later in pairwise(days):
        moves = [float(b) - float(a) for a, b in zip(sessions()[earlier], sessions()[later], strict=True)]
        assert 0 < max(map(abs, moves)) < 0.3
    assert published(NEWEST)[HISTORY].startswith(newest_files()[HISTORY])
    assert YIELDS.max_rewritten == 50
