"""Runs that are killed, or that stand in another zone: the next run is as if nothing had been."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from jgb_assets.landing.changelog import ChangeLogs, state
from jgb_assets.landing.land import land
from jgb_assets.landing.snapshots import SnapshotStore
from jgb_assets.landing.transport import ArchiveTransport
from jgb_assets.settings import BUNDLE, REPOSITORY
from jgb_assets.sources.registry import SOURCES
from tests.conftest import Run, copy_of, run, tree


def start(data: Path, **variables: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JGB_")}
    return subprocess.Popen(
        [sys.executable, "-m", "jgb_assets"],
        cwd=REPOSITORY,
        env=clean | {"JGB_DATA_DIR": str(data)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_run_killed_while_dbt_builds_leaves_nothing_that_stops_the_next(from_bundle: Run, tmp_path: Path) -> None:
    data = copy_of(from_bundle, tmp_path)
    before = tree(data / "publish")
    killed = start(data)
    assert killed.stdout is not None
    while not killed.stdout.readline().strip().startswith("landing"):
        assert killed.poll() is None
    passed = data / "warehouse.passed"
    while passed.exists():  # dbt takes it away when it starts
        assert killed.poll() is None
    os.killpg(killed.pid, signal.SIGKILL)  # with its dbt, as a power cut would
    killed.wait()
    assert tree(data / "publish") == before
    again = run(data)
    assert again.code == 0, again.err
    assert tree(data / "publish") == before


def test_a_release_is_the_same_in_any_time_zone(from_bundle: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    there = start(data, TZ="Asia/Tokyo", LANG="C", PYTHONHASHSEED="7")
    assert there.wait(timeout=240) == 0
    theirs, ours = tree(data / "publish"), tree(from_bundle.data_dir / "publish")
    descriptor = next(name for name in ours if name.endswith("datapackage.json"))
    assert theirs.keys() == ours.keys()
    apart = {
        descriptor,
        descriptor.replace("datapackage.json", "SHA256SUMS"),
        "v1/jgb.duckdb",
    }  # the commit may be another, the folder is
    same = {name: body for name, body in theirs.items() if name not in apart}
    assert same == {name: body for name, body in ours.items() if name not in apart}
    without_commit = [json.loads(package[descriptor]) | {"git_sha": None} for package in (theirs, ours)]
    assert without_commit[0] == without_commit[1]


def test_at_a_months_turn_the_month_that_rolled_off_still_stands(from_bundle: Run, tmp_path: Path) -> None:
    """The new month is out a day before the history takes the old one over."""
    archive = Path(shutil.copytree(BUNDLE, tmp_path / "archive"))
    shutil.rmtree(archive / "2026-07-03T003500Z")
    current = "www.mof.go.jp/english/policy/jgbs/reference/interest_rate/jgbcme.csv"
    june = (archive / "2026-07-01T003500Z" / current).read_bytes().decode("cp932")
    file = archive / "2026-07-02T003500Z" / current
    file.parent.mkdir(parents=True)
    header = june.split("2026/6/1,")[0].replace("June", "July")
    row = "2026/7/1,1.16,1.38,1.52,1.75,1.93,2.07,2.22,2.39,2.54,2.68,3.26,3.61,3.87,3.86,3.78"
    file.write_bytes((header + row + "\r\n").encode("cp932"))
    data, source = tmp_path / "data", SOURCES["mof_jgb_yields"]
    logs = ChangeLogs(data / "changelog")
    landed = land(source, ArchiveTransport(archive), SnapshotStore(data / "snapshots", data / "quarantine"), logs)
    assert landed.warnings == []
    known = state(landed.logs["yields"], source.tables[0])
    days = known["obs_date"].unique().to_pylist()
    assert [str(day) for day in days[-3:]] == ["2026-06-29", "2026-06-30", "2026-07-01"]
    assert len(days) == 13_249
    assert set(landed.logs["yields"]["change"].to_pylist()) == {"added"}
