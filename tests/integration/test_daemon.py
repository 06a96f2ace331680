"""The UI and its daemon, live against a web on the loopback: a schedule's tick, its run, and the new release."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import requests

from jgb_assets.settings import REPOSITORY
from tests.conftest import Run, copy_of, run
from tests.pretend_web import closed_port, newest_files, pretend_web

HISTORY = "https://www.mof.go.jp/english/policy/jgbs/reference/interest_rate/historical/jgbcme_all.csv"
NOW = "2026-08-17T00:40:00Z"
LONG_ENOUGH_SECONDS = 400  # on a machine that does much else; a quarter of it is usual


@contextmanager
def dagster_dev(data: Path, rehearsal: Path) -> Iterator[Callable[..., Any]]:
    """``make dev`` in live mode on a free port; what it gives asks its GraphQL."""
    port = closed_port().rpartition(":")[2]
    home = data / "dagster"
    (home / "dagster.yaml").write_bytes((REPOSITORY / "dagster.yaml").read_bytes())
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JGB_", "PYTEST_"))}
    variables = {
        "DAGSTER_HOME": str(home),
        "JGB_DATA_DIR": str(data),
        "JGB_TRANSPORT": "live",
        "JGB_REHEARSAL": str(rehearsal),
    }
    log = (data.parent / "dagster_dev.log").open("w")
    command = [sys.executable, "-m", "dagster", "dev", "--workspace", "workspace.yaml", "--port", port]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=clean | variables, stdout=log, stderr=log, start_new_session=True
    )

    def ask(query: str, **parameters: object) -> Any:
        told = requests.post(
            f"http://127.0.0.1:{port}/graphql", json={"query": query, "variables": parameters}, timeout=30
        ).json()
        assert "errors" not in told, told
        return told["data"]

    try:
        wait_for(lambda: process.poll() is None and is_up(ask))
        yield ask
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def is_up(ask: Callable[..., Any]) -> bool:
    try:
        return bool(ask("{ version }")["version"])
    except requests.ConnectionError:
        return False


def wait_for(holds: Callable[[], Any]) -> Any:
    """What ``holds`` gives as soon as it gives something."""
    until = time.monotonic() + LONG_ENOUGH_SECONDS
    while not (found := holds()):
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.5)
    return found


SELECTOR = {
    "repositoryLocationName": "jgb_assets",
    "repositoryName": "__repository__",
    "scheduleName": "poll_jgb_yields",
}
START = """mutation ($selector: ScheduleSelector!) { startSchedule(scheduleSelector: $selector) {
    __typename ... on PythonError { message } ... on ScheduleStateResult { scheduleState { status } } } }"""
STOP = """mutation ($selector: ScheduleSelector!) { resetSchedule(scheduleSelector: $selector) {
    __typename ... on ScheduleStateResult { scheduleState { status } } } }"""
TICKS = """query ($selector: ScheduleSelector!) { scheduleOrError(scheduleSelector: $selector) {
    ... on Schedule { executionTimezone scheduleState { status ticks(limit: 5) { status runIds skipReason
    error { message } } } } } }"""
RUN = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status jobName tags { key value } } } }"


def test_a_schedules_tick_starts_the_run_that_publishes_the_new_release(from_bundle: Run, tmp_path: Path) -> None:
    data = copy_of(from_bundle, tmp_path)
    before = (data / "publish" / "v1" / "current").resolve().name
    files = newest_files()
    # A past cell that the ministry rewrites by a basis point: news enough for a release.
    assert files[HISTORY].count(b"\r\n2026/6/30,1.165,") == 1
    files[HISTORY] = files[HISTORY].replace(b"\r\n2026/6/30,1.165,", b"\r\n2026/6/30,1.166,")
    views = duckdb.connect(str(data / "publish" / "v1" / "jgb.duckdb"), read_only=True)  # a reader, all the while
    with pretend_web(tmp_path, files) as web:
        # Every minute: the test need not wait for the morning.
        rehearsal = web.rehearse(tmp_path / "world.json", NOW, cron="* * * * *")
        with dagster_dev(data, rehearsal) as ask:
            started = ask(START, selector=SELECTOR)["startSchedule"]
            assert started["__typename"] == "ScheduleStateResult", started

            def ticked() -> Any:
                state = ask(TICKS, selector=SELECTOR)["scheduleOrError"]["scheduleState"]
                assert not [tick for tick in state["ticks"] if tick["error"]], state
                return next((tick["runIds"][0] for tick in state["ticks"] if tick["runIds"]), None)

            run_id = wait_for(ticked)
            # meanwhile a person at the command line, who waits for the run's end
            by_hand = run(data, "refresh_flows", transport="live", rehearsal=rehearsal)
            assert by_hand.code == 0, by_hand.err
            done = {"SUCCESS", "FAILURE", "CANCELED"}
            ended = wait_for(lambda: (it := ask(RUN, id=run_id)["runOrError"])["status"] in done and it)
            assert ended["status"] == "SUCCESS", (tmp_path / "dagster_dev.log").read_text()[-4000:]
            assert ended["jobName"] == "refresh_jgb_yields"
            assert "jgb/poll" in {tag["key"] for tag in ended["tags"]}
            assert ask(STOP, selector=SELECTOR)["resetSchedule"]["__typename"] == "ScheduleStateResult"
    cell = "select yield_pct from jgb_yields where obs_date = '2026-06-30' and tenor_years = 1"
    assert views.sql(cell).fetchall() == [(1.165,)]  # the release that it attached
    views.close()
    with duckdb.connect(str(data / "publish" / "v1" / "jgb.duckdb"), read_only=True) as anew:
        assert anew.sql(cell).fetchall() == [(1.166,)]
    after = (data / "publish" / "v1" / "current").resolve()
    assert after.name != before
    assert after.name.startswith("20260817T0040")
    told = json.loads((after / "changes.json").read_text())["datasets"]["jgb_yields"]["values_revised"]
    assert [(cell["key"], cell["old"], cell["new"]) for cell in told["values"]] == [
        ({"obs_date": "2026-06-30", "tenor_years": 1}, 1.165, 1.166)
    ]
    assert HISTORY in web.urls()
