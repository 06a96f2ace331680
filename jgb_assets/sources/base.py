"""The vocabulary of a source: files, tables, snapshots, refusals.

Belongs here: what every source module and the landing have in common. Not here: anything one publisher does.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

TIMESTAMP = pa.timestamp("us", tz="UTC")
SATURDAY = 5
LARGEST_BYTES = 16 * 1024 * 1024  # the largest data file has 1.2 MB; of one much larger the parts would fill the memory
AT = "@"  # between the role of a dated file and its day


def kind(role: str) -> str:
    """The role as the source declares it: of a dated file without its day."""
    return role.partition(AT)[0]


class SourceRejected(Exception):
    """A publisher's bytes that must not become a snapshot.

    Says what a person needs to act: which source and URL, where in the file, what was expected,
    what stood there, and what to do. ``role`` names the refused file, None if the files do not fit each other.
    """

    def __init__(
        self, *, source: str, role: str | None, url: str, place: str, expected: str, found: str, remedy: str
    ) -> None:
        super().__init__(
            f"{source}: refused {url} at {place}: expected {expected}, found {found}. What to do: {remedy}"
        )
        self.source = source
        self.role = role
        self.url = url
        self.place = place
        self.expected = expected
        self.found = found
        self.remedy = remedy


class ReleaseIncomplete(SourceRejected):
    """Files that are good by themselves, but of two releases: the publisher is not done with the newer one."""


class Due(NamedTuple):
    """Whether anything should be out that is not here, and the reason in words."""

    is_due: bool
    why: str


@dataclass(frozen=True)
class PublishedFile:
    """One file of a publisher. ``urls`` in order of preference: the first that was retrieved is read.

    A ``dated`` file is one of its kind a day (a result page, a month's calendar): ``{day}`` with a format stands in its
    URLs, and its snapshots' roles end in the day, such as ``results@2026-07-09``.
    """

    role: str
    urls: tuple[str, ...]
    suffix: str
    description: str
    dated: bool = False

    def of(self, day: date) -> "PublishedFile":
        """The file of one day."""
        return replace(self, role=f"{self.role}{AT}{day}", urls=tuple(url.format(day=day) for url in self.urls))

    def day_of(self, url: str) -> date | None:
        """The day whose file stands at ``url``; None if none does."""
        for template in self.urls:
            before, form, after, *_ = re.split(r"\{day:(.*?)\}", template)
            stated = re.fullmatch(re.escape(before) + "(.+?)" + re.escape(after) + ".*", url)
            try:
                day = datetime.strptime(stated[1], form).date() if stated else None  # noqa: DTZ007
            except ValueError:
                continue
            if day and template.format(day=day) == url:
                return day
        return None


@dataclass(frozen=True)
class TableSpec:
    """A raw table that a source's files are parsed into.

    ``values`` are the columns in which a difference is a revision; other columns outside the key describe the
    row (a line number, a publication instant) and never make a new vintage. ``max_rewritten`` is the most past
    rows that the publisher ever rewrites at once, None where revisions are its habit. A table read from
    several files names the role of each row's file in ``role_column``. ``rolling`` are the roles of files that show a
    window (the current month, the newest months of the largest holders): a row of theirs that they no longer show
    still stands, if it is not of their newest day. ``observation_date`` is None where rows tell of the future.
    """

    name: str
    description: str
    schema: pa.Schema
    key: tuple[str, ...]
    values: tuple[str, ...]
    observation_date: str | None
    roles: tuple[str, ...]
    max_rewritten: int | None = None
    rolling: frozenset[str] = frozenset()
    role_column: str | None = None

    def empty(self) -> pa.Table:
        """The table before anything was published."""
        return self.schema.empty_table()


@dataclass(frozen=True)
class Snapshot:
    """A publisher's bytes as retrieved at an instant (UTC), and when their file had been retrieved before that."""

    role: str
    url: str
    retrieved_at: datetime
    sha256: str
    body: bytes = field(repr=False)
    previous_retrieved_at: datetime | None = None


@dataclass(frozen=True)
class Arrival:
    """What a gate looks at: the newly parsed tables against what is stored.

    ``files`` holds the newest bytes of every role, ``retrieved`` the roles that were fetched at this instant
    (their bytes may be unchanged), ``changes`` the rows of each table that are new or differ from the stored
    ones, in the table's schema plus ``change`` (added, revised, withdrawn).
    """

    files: Mapping[str, Snapshot]
    retrieved: frozenset[str]
    tables: Mapping[str, pa.Table]
    stored: Mapping[str, pa.Table]
    changes: Mapping[str, pa.Table]


class Source(ABC):
    """A publisher's series: where it is, how it is read, what is refused, when the next is due."""

    name: ClassVar[str]
    title: ClassVar[str]
    producer: ClassVar[str]
    homepage: ClassVar[str]
    licence: ClassVar[str]
    citation: ClassVar[str]
    cadence: ClassVar[str]
    publication: ClassVar[str]
    files: ClassVar[tuple[PublishedFile, ...]]
    tables: ClassVar[tuple[TableSpec, ...]]
    # When: the publisher's zone, the times (cron, in that zone) at which it is asked if something is due, the longest
    # time between two such days, and by table the age in days above which its newest observation is late, and stale.
    zone: ClassVar[ZoneInfo] = ZoneInfo("UTC")
    polls: ClassVar[tuple[str, ...]]
    longest_pause: ClassVar[timedelta]
    ages_days: ClassVar[Mapping[str, tuple[int, int]]]
    # How its hosts want to be asked.
    pause_seconds: ClassVar[float] = 1.0
    bypass_caches: ClassVar[bool] = False

    @abstractmethod
    def parse(self, files: Mapping[str, Snapshot]) -> dict[str, pa.Table]:
        """Read bytes into every table of ``tables``, empty where its file was never retrieved.

        Pure: the same bytes give the same tables. ``files`` is keyed by role; each is judged by itself, what they say
        of each other is for the gate.

        Raises:
            SourceRejected: the bytes are not the file they should be.
        """

    @abstractmethod
    def gate(self, arrival: Arrival) -> list[str]:
        """Judge a well-formed file against what is stored. Returns what is unusual but acceptable.

        A person who has looked at refused bytes can let them past this gate, never past ``parse``.

        Raises:
            SourceRejected: the content is implausible, older or smaller than what is stored.
        """

    def files_among(self, offered: frozenset[str], stored: Collection[str], today: date) -> Iterator[PublishedFile]:
        """What is asked for where these URLs have an answer: every file, and of a dated one that of each day there.

        A source may leave out what it has ``stored`` (roles) and what no longer changes ``today``.
        """
        for file in self.files:
            if file.dated:
                yield from map(file.of, sorted({day for url in offered if (day := file.day_of(url))}))
            else:
                yield file

    def asks(self, answered: Mapping[str, Snapshot], stored: Collection[str], today: date) -> Iterator[PublishedFile]:
        """What to ask the publisher for, who does not list what there is: of dated files, those of which days.

        Called again with what has ``answered`` until it names no other file: a calendar tells of pages. A source may
        leave out what it has ``stored`` (roles) and what no longer changes ``today``.
        """
        return (file for file in self.files if not file.dated)

    def is_open(self, day: date) -> bool:
        """Whether the publisher publishes on ``day``, of its zone: on weekdays, if it has no calendar of its own."""
        return day.weekday() < SATURDAY

    @abstractmethod
    def next_expected_at(self, newest_observation: date) -> datetime:
        """The instant (UTC) by which the observation after ``newest_observation`` should be out."""

    def expected_at(self, table: str, newest: date) -> datetime | None:
        """As ``next_expected_at``, of one table; None where no rule says when, or none is needed."""
        return self.next_expected_at(newest) if table in self.ages_days else None

    def late_at(self, table: str, newest: date) -> datetime:
        """From when (UTC) on a table whose newest observation is ``newest`` is late."""
        return self._aged(newest, self.ages_days[table][0])

    def stale_at(self, table: str, newest: date) -> datetime:
        """From when (UTC) on it is stale: no publisher was ever so late but for a government's closure."""
        return self._aged(newest, self.ages_days[table][1])

    def _aged(self, newest: date, days: int) -> datetime:
        return datetime.combine(newest + timedelta(days=days + 1), time.min, self.zone).astimezone(UTC)

    def standing(self, newest: Mapping[str, date | None], now: datetime) -> str:
        """``fresh``; ``due`` when the next observation should be out; ``late``; ``stale``. Of its tables the worst."""
        days = {table: day for table, day in newest.items() if day and table in self.ages_days}
        if not days:
            return "never retrieved"
        if any(self.stale_at(table, day) <= now for table, day in days.items()):
            return "stale"
        if any(self.late_at(table, day) <= now for table, day in days.items()):
            return "late"
        return "due" if any((self.expected_at(table, day) or now) < now for table, day in days.items()) else "fresh"

    def due(self, now: datetime, tables: Mapping[str, pa.Table]) -> Due:
        """Whether to ask the publisher at ``now`` (UTC), given what is stored."""
        today = now.astimezone(self.zone).date()
        if not self.is_open(today):
            return Due(False, f"{today:%A %Y-%m-%d} is no day on which {self.producer} publishes")
        newest = {name: day for name, day in self.newest(tables).items() if name in self.ages_days}
        if missing := [name for name, day in newest.items() if day is None]:
            return Due(True, f"nothing of {', '.join(missing)} is stored yet")
        days = {name: day for name, day in newest.items() if day}
        expected = {name: at for name, day in days.items() if (at := self.expected_at(name, day))}
        if overdue := [name for name, instant in expected.items() if instant <= now]:
            told = (f"{name} after {newest[name]}, out since {expected[name]:%Y-%m-%dT%H:%MZ}" for name in overdue)
            return Due(True, "; ".join(told))
        first = min(expected, key=lambda name: expected[name])
        return Due(
            False,
            f"nothing is due before {expected[first].astimezone(self.zone):%Y-%m-%d %H:%M %Z}, when {first} after "
            f"{newest[first]} should be out",
        )

    def newest(self, tables: Mapping[str, pa.Table]) -> dict[str, date | None]:
        """The newest observation of each table that has any observations; None where it is empty."""
        return {
            spec.name: pc.max(tables[spec.name][spec.observation_date]).as_py()
            for spec in self.tables
            if spec.observation_date
        }

    def rejected(self, file: Snapshot, *, place: str, expected: str, found: str, remedy: str) -> SourceRejected:
        """A refusal of one file of this source."""
        return SourceRejected(
            source=self.name,
            role=file.role,
            url=file.url,
            place=place,
            expected=expected,
            found=found,
            remedy=remedy,
        )


LOOK = (
    "open the URL and compare. If the publisher's file really reads so, its layout has changed and the parser must "
    "learn it; if not, the download was at fault and the next run reads it again "
    "(in an archive, take the file out of its instant)"
)
CONFIRM = (
    "compare with the publisher's page. If the figures are right, set JGB_ACCEPT_SHA256 to the sha256 of each file "
    "that this retrieval left in quarantine and run again; if not, wait for the publisher's correction"
)


def refuse_html(source: Source, file: Snapshot) -> None:
    """Refuse an empty body, one beyond all measure, or a web page served in place of a data file (with status 200).

    Raises:
        SourceRejected: the body is empty, too large or a page.
    """
    if len(file.body) > LARGEST_BYTES:
        found = f"{len(file.body):,} bytes"
        expected = f"at most {LARGEST_BYTES:,} bytes"
        raise source.rejected(file, place="the whole file", expected=expected, found=found, remedy=LOOK)
    if not file.body.strip():
        raise source.rejected(file, place="the whole file", expected="a data file", found="an empty body", remedy=LOOK)
    head = file.body[:4096].lstrip().lower()
    if head.startswith(b"<") or b"<html" in head or b"<!doctype" in head:
        raise source.rejected(
            file, place="first bytes", expected="a data file", found=f"a web page ({head[:40]!r})", remedy=LOOK
        )
