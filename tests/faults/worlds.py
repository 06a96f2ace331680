"""Worlds for the live pipeline to fail in: the ministry's yields with sessions that are not out yet, and a data folder.

Belongs here: what the modules of the fault matrix share. Not here: the faults.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import pyarrow as pa

from jgb_assets.__main__ import _instance
from jgb_assets.definitions import defs
from jgb_assets.defs.alerts import tell_of_run
from jgb_assets.defs.ingest import AS_USUAL, IS_FRESH, ingest_assets
from jgb_assets.defs.landing import POLL, inputs_of
from jgb_assets.defs.progress import LOGGER, WAS_READ, cause
from jgb_assets.defs.world import World
from jgb_assets.landing.changelog import log_schema, state
from jgb_assets.landing.visits import Visit, Visits
from jgb_assets.settings import Settings
from jgb_assets.sources.calendars import tokyo_sessions
from jgb_assets.sources.mof_jgb_yields import TENORS, YIELDS
from jgb_assets.sources.registry import SOURCES
from tests.conftest import Run, copy_of, environment, tree
from tests.pretend_web import PretendWeb, newest_files
from tests.unit import auction_pages
from tests.unit.auction_pages import Entry

Of = TypeVar("Of", bound=Callable[..., Any])

SOURCE = SOURCES["mof_jgb_yields"]
HISTORY, CURRENT = (file.urls[0] for file in SOURCE.files)
HOST = "www.mof.go.jp"
BUNDLED_TO = date(2026, 6, 30)
NEWEST = date(2026, 8, 14)  # a Friday; its yields are out on Monday the 17th, 09:30 Tokyo
NOW = datetime(2026, 8, 17, 0, 40, tzinfo=UTC)
MINUTES = timedelta(minutes=10)
FOOTER = (
    ",,,,,,,,,,,,,,,\r\n"
    '"  ※If you cannot download the latest csv data, please clear the browser\'s cache and download again.",'
    ",,,,,,,,,,,,,,\r\n"
)
REFUSAL = re.compile(
    r"(?:no answer from|refused) (\S+?):? .*?expected (.+), found (.+)\. What to do: (\S.*)", re.DOTALL
)


def fault(*names: str) -> Callable[[Of], Of]:
    """Says which rows of the table in ``docs/reliability.md`` a test stands for."""

    def named(test: Of) -> Of:
        test.faults = names  # type: ignore[attr-defined]
        return test

    return named


# --- the ministry's two files ----------------------------------------------------------------------------------------


@cache
def _bundled() -> tuple[str, dict[date, list[str]]]:
    """The history's first two lines, and its texts by session."""
    title, header, *lines = newest_files()[HISTORY].decode("cp932").splitlines()
    cells = (line.split(",") for line in lines)
    return f"{title}\r\n{header}\r\n", {date(*map(int, day.split("/"))): texts for day, *texts in cells}


@cache
def sessions() -> dict[date, list[str]]:
    """The texts of every session. After the bundle's, its own backwards: each day's moves are as large as real ones."""
    _, real = _bundled()
    after = tokyo_sessions(BUNDLED_TO + timedelta(days=1), NEWEST + timedelta(days=31))
    return real | dict(zip(after, [*reversed(real.values())][1:], strict=False))


def lines(rows: Mapping[date, list[str]]) -> str:
    return "".join(f"{day.year}/{day.month}/{day.day},{','.join(texts)}\r\n" for day, texts in rows.items())


def history(until: date) -> bytes:
    """The history to a month's end."""
    head, _ = _bundled()
    return (head + lines({day: texts for day, texts in sessions().items() if day <= until})).encode("cp932")


def month(of: date, until: date, titled: date | None = None) -> bytes:
    """The current month's file: the sessions of a month to a day."""
    rows = {
        day: texts for day, texts in sessions().items() if (day.year, day.month) == (of.year, of.month) and day <= until
    }
    head, _ = _bundled()
    title = f"Interest Rate ({titled or of:%B %Y}),,,,,,,,,,,,,,,(Unit : %)\r\n"
    return (title + head.split("\r\n")[1] + "\r\n" + lines(rows) + FOOTER).encode("cp932")


def published(until: date) -> dict[str, bytes]:
    """Both files when ``until`` is the newest session; the history has all months before."""
    end_of_month = max(day for day in sessions() if day < until.replace(day=1))
    return {HISTORY: history(end_of_month), CURRENT: month(until, until)}


def with_cell(body: bytes, day: date, tenor: int, change: Callable[[float], float]) -> bytes:
    """A file with another figure in one cell."""
    rows = body.split(b"\r\n")
    (at,) = (at for at, row in enumerate(rows) if row.startswith(f"{day.year}/{day.month}/{day.day},".encode()))
    cells = rows[at].split(b",")
    column = 1 + TENORS.index(tenor)
    cells[column] = f"{change(float(cells[column])):.3f}".rstrip("0").rstrip(".").encode()
    rows[at] = b",".join(cells)
    return b"\r\n".join(rows)


AUCTION_DAY = date(2026, 8, 13)


def calendar(*, has_result: bool = False) -> dict[str, bytes]:
    """August's calendar of auctions; it may link to a result page."""
    entry = Entry(AUCTION_DAY, "5y", 190, result=has_result)
    _, url, body = auction_pages.calendar("en", [entry], month="August 2026")
    return {url: body}


# --- a data folder that visits them ----------------------------------------------------------------------------------

_JOB = "visit"


@cache
def _job(source: str) -> dg.JobDefinition:
    """A source's step as every job has it, alone."""
    return dg.Definitions(
        assets=[ingest_assets(SOURCES[source])],
        jobs=[dg.define_asset_job(_JOB)],
        resources={"world": World()},
        executor=dg.in_process_executor,
        loggers={"console": dg.colored_console_logger},
    ).resolve_job_def(_JOB)


@dataclass(frozen=True)
class Visited:
    """How a visit ended, as its asset checks tell."""

    errors: list[str]  # of the step, if it did not get through
    checks: Mapping[str, dg.AssetCheckEvaluation]

    @property
    def is_read(self) -> bool:
        return self.checks[WAS_READ].passed

    @property
    def why(self) -> str:
        return self.checks[WAS_READ].description or ""

    @property
    def warnings(self) -> list[str]:
        return [str(value.value) for value in self.checks[AS_USUAL].metadata.values()]

    @property
    def standing(self) -> str:
        """Fresh, due, late or stale."""
        return str(self.checks[IS_FRESH].metadata["status"].value)


@dataclass(frozen=True)
class House:
    """A data folder in which the yields have landed up to June, with a release, and the web that it asks next."""

    data: Path
    web: PretendWeb
    world: Path

    def visit(self, now: datetime = NOW, source: str = SOURCE.name, **rehearsed: object) -> Visited:
        """The step ``ingest_mof_jgb_yields``, or another source's, live, at an instant."""
        self.web.rehearse(self.world, now, **rehearsed)
        return self.visit_in({"rehearsal": self.world}, source)

    def visit_in(self, variables: Mapping[str, object], source: str = SOURCE.name) -> Visited:
        """The same in another world than the rehearsed one."""
        with environment(data_dir=self.data, transport="live", **variables):
            result = _job(source).execute_in_process(
                instance=dg.DagsterInstance.ephemeral(),
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
        checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
        return Visited([cause(event) for event in result.all_events if event.is_step_failure], checks)

    def kept(self) -> dict[str, bytes]:
        """What no fault may touch: snapshots, change logs, releases."""
        folders = (self.data / "snapshots", self.data / "changelog", self.data / "publish")
        return {f"{folder.name}/{name}": body for folder in folders for name, body in tree(folder).items()}

    def last(self) -> Visit:
        visit = Visits(self.data / "visits").last(SOURCE.name)
        assert visit is not None
        return visit

    def log(self) -> pa.Table:
        with environment(data_dir=self.data):
            return World().change_logs(SOURCE.name).read(YIELDS.name, log_schema(YIELDS))

    def days(self) -> list[date]:
        """The sessions that have landed, in order."""
        return sorted(state(self.log(), YIELDS)["obs_date"].unique().to_pylist())

    def quarantined(self) -> dict[bytes, dict[str, Any]]:
        """By refused bytes the reason."""
        folder = self.data / "quarantine" / SOURCE.name
        return {path.read_bytes(): json.loads(path.with_suffix(".json").read_text()) for path in folder.glob("*.bytes")}

    def asked(self, url: str) -> list[dict[str, str]]:
        """The headers of each request for a URL."""
        return [headers for asked, headers in self.web.asked if asked == url]

    def recordings(self) -> list[str]:
        """The instants of what was recorded."""
        archive = self.data / "archive"
        return sorted(path.name for path in archive.glob("[!.]*"))


def house_of(bundle: Run, folder: Path, web: PretendWeb) -> House:
    """A copy of what the packaged archive left; the web has all sessions to 14 August."""
    data = folder / "data"
    for name in ("snapshots", "changelog"):
        shutil.copytree(bundle.data_dir / name / SOURCE.name, data / name / SOURCE.name)
    (data / "visits").mkdir()
    shutil.copy2(bundle.data_dir / "visits" / f"{SOURCE.name}.json", data / "visits")
    # Releases are written once: another name of the same file is as good as a copy.
    shutil.copytree(bundle.data_dir / "publish", data / "publish", symlinks=True, copy_function=os.link)
    web.files |= published(NEWEST)
    return House(data, web, folder / "world.json")


def assert_failed(
    house: House,
    visited: Visited,
    since: datetime | None,
    url: str,
    expected: str,
    found: str,
    remedy: str,
    at: datetime | None = None,
) -> None:
    """A visit's error is typed and says all, and the source is marked as failing since an instant."""
    assert visited.errors == [], "other sources go on"
    assert not visited.is_read
    told = REFUSAL.search(visited.why)
    assert told, visited.why
    assert told[1] == url
    for pattern, text in ((expected, told[2]), (found, told[3]), (remedy, told[4])):
        assert re.search(pattern, text), visited.why
    failing = house.last().failing
    assert failing is not None
    assert failing.why == visited.why
    assert not failing.is_waiting
    if since:
        assert (house.last().at, failing.since) == (at or since, since)


def copy_of_published(bundle: Run, folder: Path) -> Path:
    """A data folder of one's own whose release counts as made of its inputs, though it stood elsewhere then."""
    data = copy_of(bundle, folder)
    with environment(data_dir=data):
        settings = Settings.from_environment()
        settings.published_inputs_path.write_text(inputs_of(settings))
    return data


def poll(data: Path, world: Path, job: str, **variables: object) -> str:
    """A run as a schedule starts it: what is published already is not built again. Says how it ended, and tells of it."""
    with environment(data_dir=data, transport="live", rehearsal=world, **variables):
        settings = Settings.from_environment()
        with _instance(settings) as instance:
            result = defs.resolve_job_def(job).execute_in_process(
                instance=instance,
                run_config={"loggers": {LOGGER: {"config": {"file": str(data / "dagster" / "run.log")}}}},
                tags={POLL: "tests"},
                raise_on_error=False,
            )
            assert tell_of_run(instance, result.run_id, settings) is None
    if not result.success:
        return "; ".join(cause(event) for event in result.all_events if event.is_step_failure)
    return "published" if result.asset_materializations_for_node("publish") else "nothing new"
