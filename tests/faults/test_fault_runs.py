"""Faults in the midst of a whole run: the others' news is published, the source that fails keeps what it had.

And runs that are killed in one stage after the other: the next one is as if nothing had been.
"""

import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jgb_assets.extracts.store import store_at
from jgb_assets.extracts.upkeep import verify
from jgb_assets.landing.live import web_of
from jgb_assets.sources.registry import SOURCES
from tests.conftest import Run, copy_of, run, tree
from tests.faults.test_publishers import FORK, SECONDS
from tests.faults.worlds import (
    CURRENT,
    HISTORY,
    MINUTES,
    NEWEST,
    NOW,
    SOURCE,
    House,
    calendar,
    copy_of_published,
    fault,
    house_of,
    poll,
    published,
    with_cell,
)
from tests.pretend_web import Asked, PretendWeb, newest_files, pretend_web

FLOWS, TIC = "mof_securities_flows", "treasury_tic"
WEEK = next(url for file in SOURCES[FLOWS].files for url in file.urls if url.endswith("week.csv"))
TABLE_3 = next(url for file in SOURCES[TIC].files for url in file.urls if url.endswith("slt_table3.txt"))
CHANGED = date(2026, 6, 11)
PAGE = b"<!DOCTYPE html><html><body>Scheduled maintenance</body></html>"


def monday(web: PretendWeb) -> PretendWeb:
    """Six weeks of yields, and one cell of June that was another until now."""
    web.files |= newest_files() | calendar() | published(NEWEST)
    web.files[HISTORY] = with_cell(web.files[HISTORY], CHANGED, 10, lambda pct: pct + 0.001)
    return web


def releases(data: Path) -> dict[str, bytes]:
    """All that stands in the place of releases, but for what depends on now."""
    return {name: body for name, body in tree(data / "publish").items() if name != "v1/status.json"}


def comparable(data: Path) -> dict[str, object]:
    """Releases without what tells of the machine: the views' folder, the commit (it may be another meanwhile)."""
    found: dict[str, object] = {}
    for name, body in releases(data).items():
        if name.endswith("datapackage.json"):
            found[name] = json.loads(body) | {"git_sha": None}
        elif not name.endswith(("jgb.duckdb", "SHA256SUMS")):
            found[name] = body
    return found


def status(data: Path) -> dict[str, dict[str, object]]:
    told: dict[str, dict[str, object]] = json.loads((data / "publish" / "v1" / "status.json").read_text())
    return told


@contextmanager
def hook() -> Iterator[tuple[str, list[str]]]:
    """A webhook's address, and what it was told."""
    told: list[str] = []

    class Post(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not on the tests' output."""

    with HTTPServer(("127.0.0.1", 0), Post) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/", told
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Day:
    """A run in which two sources failed, a poll killed at its end and one that ended, and what readers had meanwhile."""

    data: Path
    before: dict[str, bytes]
    failing: Run
    between: dict[str, bytes]
    told_of_failing: dict[str, dict[str, object]]
    alerts: list[str]
    told_by_killed: dict[str, dict[str, object]]
    outcome: str
    alerts_after: list[str]

    @property
    def current(self) -> Path:
        return self.data / "publish" / "v1" / "current"


@pytest.fixture(scope="module")
def day(from_bundle: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("day")
    data = copy_of(from_bundle, folder)
    before = releases(data)
    with pretend_web(folder) as web, hook() as (address, alerts):
        monday(web)
        web.acts[WEEK] = lambda asked: asked.reply(b"", 500)
        web.acts[TABLE_3] = lambda asked: asked.reply(PAGE)
        live = {"transport": "live", "rehearsal": web.rehearse(folder / "world.json", NOW), "alert_webhook": address}
        failing = run(data, **live)
        between, told = releases(data), status(data)
        first = [*alerts]
        web.acts.clear()
        web.rehearse(folder / "world.json", NOW + MINUTES)
        again = partial(poll, data, folder / "world.json", "refresh_all", alert_webhook=address)
        killed(again, "jgb_assets.defs.status:status_of")
        by_killed = status(data)
        outcome = again()
        yield Day(data, before, failing, between, told, first, by_killed, outcome, alerts[len(first) :])


@fault("two sources at once")
def test_the_news_of_the_others_is_published_and_a_failing_source_keeps_its_own(day: Day) -> None:
    assert day.failing.code == 1
    release_id = store_at(day.data / "publish").current()
    assert release_id == f"20260817T004000Z-{release_id[-8:]}"
    yields = pq.read_table(day.data / "publish" / "v1" / "releases" / release_id / "jgb_yields.parquet")
    assert max(yields["obs_date"].to_pylist()) == NEWEST

    old = next(name for name in day.before if name.endswith("securities_flows.parquet")).rpartition("/")[0]
    new = f"v1/releases/{release_id}"
    for kept in ("securities_flows", "tic_holdings", "tic_holdings_vintages", "ust_yields"):
        assert day.between[f"{new}/{kept}.parquet"] == day.before[f"{old}/{kept}.parquet"]
    assert day.between[f"{new}/jgb_yields.parquet"] != day.before[f"{old}/jgb_yields.parquet"]
    assert {name: body for name, body in day.between.items() if name.startswith(old)} == {
        name: body for name, body in day.before.items() if name.startswith(old)
    }
    assert verify(store_at(day.data / "publish")) == []


def test_a_failing_source_is_named_with_its_reason_and_since_when(day: Day) -> None:
    for source, url, kind in ((FLOWS, WEEK, "FetchFailed"), (TIC, TABLE_3, "SourceRejected")):
        assert f"ingest_{source}" in day.failing.err
        told = day.told_of_failing[source]
        assert told["failing_since"] == told["last_checked_at"] == "2026-08-17T00:40:00Z"
        failure = str(told["failure"])
        assert failure.startswith(f"{kind}: ")
        assert url in failure
        assert "What to do: " in failure
        assert failure in day.failing.err
    assert f"{FLOWS}, {TIC} could not be read" in day.failing.err
    for source in SOURCES.keys() - {FLOWS, TIC}:
        assert day.told_of_failing[source]["failing_since"] is None
    assert day.told_of_failing[SOURCE.name]["status"] == "fresh"
    refused = [path.read_bytes() for path in (day.data / "quarantine" / TIC).glob("*.bytes")]
    assert refused == [PAGE]


@fault("SIGKILL while status is told")
def test_a_run_killed_at_its_end_leaves_the_status_of_the_one_before(day: Day) -> None:
    assert day.told_by_killed == day.told_of_failing


def test_when_the_faults_are_gone_the_next_run_is_clean_and_readers_see_no_change(day: Day) -> None:
    assert day.outcome == "nothing new"
    assert releases(day.data) == day.between
    for told in status(day.data).values():
        assert (told["failing_since"], told["failure"]) == (None, None)
        assert told["last_checked_at"] == "2026-08-17T00:50:00Z"


def test_a_person_is_told_of_each_failure_once_and_when_it_is_over(day: Day) -> None:
    for source in (FLOWS, TIC):
        (told,) = (text for text in day.alerts if text.startswith(f"Source failing: {source} since 2026-08-17 00:40Z"))
        assert day.alerts_after.count(f"Recovered: {told}") == 1
    assert not [text for text in day.alerts_after if text.startswith("Source failing")]


def test_a_changed_past_is_published_as_such_and_told(day: Day) -> None:
    assert "| 2026-06-11 | 10 | yield_pct | 2.682 | 2.683 | +0.001 |" in (day.current / "CHANGES.md").read_text()
    rows = pq.read_table(day.current / "revisions.parquet").to_pylist()
    (found,) = (row for row in rows if (row["period_end_date"], row["series"]) == (CHANGED, "10Y"))
    assert (found["first_value"], found["latest_value"], found["revised_at"]) == (2.682, 2.683, NOW)
    unusual = [text for text in day.alerts if "past cells were rewritten" in text]
    rewritten = [text for text in day.alerts if text.startswith("Changed past: jgb_yields")]
    assert (len(unusual), len(rewritten)) == (1, 1)
    assert f"10-year of {CHANGED}" in unusual[0]
    assert str(CHANGED) in rewritten[0]


@fault("a source that fails in the first run")
def test_a_first_run_in_which_a_source_fails_publishes_nothing(tmp_path: Path) -> None:
    with pretend_web(tmp_path, newest_files() | calendar()) as web:
        web.acts[WEEK] = lambda asked: asked.reply(b"", 500)
        first = run(tmp_path / "data", transport="live", rehearsal=web.rehearse(tmp_path / "world.json", NOW))
    assert first.code == 1
    assert f"FetchFailed: {FLOWS}: no answer from {WEEK}" in first.err
    assert not (tmp_path / "data" / "publish").exists()
    assert not (tmp_path / "data" / "warehouse.passed").exists()


# --- killed ------------------------------------------------------------------------------------------------------------


def killing(target: str, call: int) -> None:
    """The process and all that it started is gone when ``target`` is called the ``call``-th time."""
    module, _, name = target.partition(":")
    owner = import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    real, calls = getattr(owner, last), 0

    def counted(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call:
            os.killpg(0, signal.SIGKILL)
        return real(*arguments, **options)

    setattr(owner, last, counted)


def killed(work: Callable[[], object], target: str | None, call: int = 1, asked: threading.Event | None = None) -> None:
    """Does its work in a process that dies in it."""

    def body() -> None:
        os.setpgrp()
        web_of.cache_clear()  # its connections are those of the parent, too
        if target:
            killing(target, call)
        work()

    process = FORK.Process(target=body)
    process.start()
    try:
        if asked:
            assert asked.wait(SECONDS * 6)
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.join(SECONDS * 12)
        assert process.exitcode == -signal.SIGKILL, f"{target} was not called {call} times"
    finally:
        if process.is_alive():
            process.kill()
            process.join()


@dataclass
class Stalled:
    """Never answers, and tells that it was asked."""

    asked: threading.Event

    def __call__(self, asked: Asked) -> None:
        self.asked.set()
        asked.close_connection = True
        threading.Event().wait(3)


@fault("SIGKILL while fetching", "SIGKILL while landing", "SIGKILL while curves are fitted")
def test_runs_killed_in_one_stage_after_the_other_end_like_one_that_nobody_disturbed(
    day: Day, from_bundle: Run, tmp_path: Path
) -> None:
    """Each goes beyond the stage in which the one before was killed. Before them a source had failed; it is well again."""
    data = copy_of_published(from_bundle, tmp_path)
    before = releases(data)
    with pretend_web(tmp_path, newest_files()) as web:
        world = web.rehearse(tmp_path / "world.json", NOW - MINUTES)
        web.acts[WEEK] = lambda asked: asked.reply(b"", 500)
        assert poll(data, world, "refresh_flows").startswith(f"{FLOWS} could not be read")
        told = status(data)
        assert told[FLOWS]["failing_since"] == "2026-08-17T00:30:00Z"
        web.acts.clear()

        monday(web)
        web.rehearse(world, NOW)
        work = partial(run, data, transport="live", rehearsal=world)
        stalled = Stalled(threading.Event())
        web.acts[CURRENT] = stalled
        killed(work, None, asked=stalled.asked)
        assert not list((data / "archive").rglob(Path(HISTORY).name)), "all of a retrieval is recorded, or nothing"
        web.acts.clear()
        for target in ("jgb_assets.defs.landing:written", "jgb_assets.defs.curves:written"):
            killed(work, target, call=2)
            assert (releases(data), status(data)) == (before, told)
            assert verify(store_at(data / "publish")) == []
        last = work()
    assert (last.code, last.err) == (0, "")
    assert comparable(data) == comparable(day.data)
    for of_source in status(data).values():
        assert (of_source["failing_since"], of_source["failure"]) == (None, None)
        assert of_source["last_checked_at"] == "2026-08-17T00:40:00Z"
    assert tree(data / "snapshots" / SOURCE.name) == tree(day.data / "snapshots" / SOURCE.name)
    assert tree(data / "changelog" / SOURCE.name) == tree(day.data / "changelog" / SOURCE.name)


MOMENTS = {
    "within the recording": ("jgb_assets.landing.live:LiveTransport._write", 2),
    "between recording and snapshots": ("jgb_assets.landing.snapshots:SnapshotStore.add", 1),
    "between two snapshots": ("jgb_assets.landing.snapshots:SnapshotStore.add", 2),
    "between bytes and sidecar": ("jgb_assets.landing.snapshots:write_atomically", 2),
    "between snapshots and change logs": ("jgb_assets.landing.changelog:ChangeLogs.write", 1),
    "between two change logs": ("jgb_assets.landing.changelog:ChangeLogs.write", 2),
    "before the visit is noted": ("jgb_assets.landing.visits:Visits.went_well", 1),
}


@fault("SIGKILL while parsing and keeping")
def test_a_landing_killed_at_any_of_its_moments_is_made_up_for_by_the_next(from_bundle: Run, tmp_path: Path) -> None:
    with pretend_web(tmp_path) as web:
        house = house_of(from_bundle, tmp_path, web)
        seed = Path(shutil.copytree(house.data, tmp_path / "seed", symlinks=True, copy_function=os.link))
        before = tree(house.data / "publish")
        assert house.visit().is_read
        wanted = house.kept()
        for moment, (target, call) in MOMENTS.items():
            other = House(tmp_path / "other", web, tmp_path / "other.json")
            shutil.copytree(seed, other.data, symlinks=True)
            killed(other.visit, target, call)
            assert tree(other.data / "publish") == before, moment
            assert other.visit().is_read, moment
            assert other.kept() == wanted, moment
            assert len(other.recordings()) == 1, moment
            assert [path.name for path in other.data.rglob(".tmp-*") if "archive" in path.parts] == [], moment
            shutil.rmtree(other.data)
