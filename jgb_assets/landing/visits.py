"""How the last visit to each source ended: when it was, what was looked at, and what failed since when.

Belongs here: what a run must know of the one before it, and readers of the publishers' state. Not here: the visit.
"""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from jgb_assets.files import write_atomically
from jgb_assets.sources.base import Source


class Failing(BaseModel):
    """A source that could not be read: why, and since which visit. ``is_waiting``: its release is not all out yet."""

    model_config = ConfigDict(frozen=True)

    why: str
    since: datetime
    is_waiting: bool = False


class Visit(BaseModel):
    """The last visit to a source. ``looked``: when each file was last retrieved and accepted, whatever it brought."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    run_id: str
    looked: dict[str, datetime]
    failing: Failing | None = None

    def failed_in(self, run_id: str) -> bool:
        """Whether this is the visit of a run, and it failed."""
        return self.run_id == run_id and self.failing is not None


class Visits:
    """The last visit to each source, a file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last(self, source: str) -> Visit | None:
        """None if there was none."""
        path = self._folder / f"{source}.json"
        return Visit.model_validate_json(path.read_bytes()) if path.is_file() else None

    def went_well(self, source: str, at: datetime, run_id: str, looked: Mapping[str, datetime]) -> None:
        """Note that everything was read."""
        self._write(source, Visit(at=at, run_id=run_id, looked=dict(looked)))

    def failed(self, source: str, at: datetime, run_id: str, why: str, *, is_waiting: bool) -> None:
        """Note what stood in the way. What fails again fails since it did first."""
        before = self.last(source)
        since = before.failing.since if before and before.failing else at
        failing = Failing(why=why, since=min(since, at), is_waiting=is_waiting)
        self._write(source, Visit(at=at, run_id=run_id, looked=before.looked if before else {}, failing=failing))

    def _write(self, source: str, visit: Visit) -> None:
        write_atomically(self._folder / f"{source}.json", (visit.model_dump_json(indent=2) + "\n").encode())


def status_of(source: Source, newest: Mapping[str, date | None], visit: Visit | None, now: datetime) -> dict[str, Any]:
    """How old and how late a source is at ``now``: its entry in ``status.json``.

    Args:
        source: whose.
        newest: the newest observation by table (``Source.newest``).
        visit: the last one.
        now: the instant, UTC. ``age_days`` counts by the publisher's date.
    """
    days = [day for day in newest.values() if day]
    expected = [
        instant for table, day in newest.items() if day and (instant := source.expected_at(table, day)) is not None
    ]
    failing = visit.failing if visit else None
    return {
        "status": source.standing(newest, now),
        "age_days": (now.astimezone(source.zone).date() - max(days)).days if days else None,
        "last_checked_at": visit.at if visit else None,
        "newest_observation_date": max(days, default=None),
        "next_expected_at": min(expected, default=None),
        "failing_since": failing.since if failing else None,
        "failure": failing.why if failing else None,
    }
