"""Publishers that are killed or meet another, and readers who are there all the while: nobody sees half a release."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from statistics import median

import duckdb
import pyarrow.parquet as pq
import pytest

import jgb_assets
from jgb_assets.extracts.store import PublisherBusy, store_at
from jgb_assets.extracts.upkeep import prune, rollback, verify
from tests import haste
from tests.conftest import tree
from tests.faults.publishing import (
    FILES,
    NAMES,
    generation_in,
    generation_of_whole,
    publish_from,
    publish_generation,
    warehouse,
)

FORK = multiprocessing.get_context("fork")  # a start in a millisecond; the child ends by os._exit
KILLS = 50
AT = datetime(2026, 8, 1, 6, 30, tzinfo=UTC)
SECONDS = 20  # no child takes so long; one that does is stuck
# what Python does to a file system, of what it tells its audit hooks
STEPS = {"os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"}


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """In memory: a kill leaves there what it leaves on a disk."""
    with haste.in_memory(tmp_path) as folder:
        yield folder


@contextmanager
def child(work: Callable[..., None], *arguments: object) -> Iterator[tuple[BaseProcess, Connection]]:
    """A forked process that does ``work(*arguments, its end of a pipe)``; the test has the other end."""
    here, there = FORK.Pipe()
    process = FORK.Process(target=work, args=(*arguments, there), daemon=True)
    process.start()
    there.close()
    try:
        yield process, here
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        here.close()


def told(pipe: Connection) -> object | None:
    """The child's next message; None once it is dead."""
    assert pipe.poll(SECONDS), "the child is stuck"
    try:
        return pipe.recv()
    except (EOFError, ConnectionResetError):
        return None


def publisher(root: Path, generation: int, pipe: Connection) -> None:
    """Says when it begins, and after the release what it took in seconds."""
    with warehouse(generation) as connection:
        pipe.send("begins")
        start = time.perf_counter()
        publish_from(connection, store_at(root), generation)
        pipe.send(time.perf_counter() - start)


def undisturbed(root: Path, generation: int) -> float:
    with child(publisher, root, generation) as (_, pipe):
        assert told(pipe) == "begins"
        seconds = told(pipe)
    assert isinstance(seconds, float), "a publisher that nobody disturbed failed"
    return seconds


def reader(look: Callable[[Path], int], root: Path, stop: Path, pause: float, pipe: Connection) -> None:
    """Looks, and pauses for some seconds, until ``stop`` is there.

    Then tells which generations it saw, how often it looked, and what went wrong.
    """
    seen: list[int] = []
    looks, problem = 0, None
    while not stop.exists() and problem is None:
        try:
            generation = look(root)
            looks += 1
            time.sleep(pause)
            if seen[-1:] != [generation]:
                seen.append(generation)
        except BaseException:  # noqa: BLE001  # whatever a reader meets is the finding
            problem = traceback.format_exc()
    pipe.send((seen, looks, problem))


def look_at_current(root: Path) -> int:
    """The generation that the link leads to, and that it is whole; the same for latest.json."""
    v1 = root / "v1"
    generation = generation_of_whole(v1 / (v1 / "current").readlink())
    latest = json.loads((v1 / "latest.json").read_text())
    assert latest.keys() == {"release_id", "path"}
    assert latest["path"] == f"releases/{latest['release_id']}"
    generation_of_whole(v1 / latest["path"])
    return generation


def assert_tidy(root: Path, generation: int) -> None:
    """What a place is like when a publisher has just ended well."""
    v1 = root / "v1"
    assert {path.name for path in v1.iterdir()} - {".lock", "log"} == {
        "current",
        "latest.json",
        "jgb.duckdb",
        "releases",
    }
    assert_no_leftovers(root)
    folders = sorted((v1 / "releases").iterdir())
    for folder in folders:
        generation_of_whole(folder)
    assert store_at(root).releases() == [folder.name for folder in folders]
    target = str((v1 / "current").readlink())
    latest = json.loads((v1 / "latest.json").read_text())
    assert latest == {"release_id": target.removeprefix("releases/"), "path": target}
    assert generation_of_whole(v1 / target) == generation
    assert generation_in_views(root) == generation
    assert verify(store_at(root)) == []


def assert_no_leftovers(root: Path) -> None:
    assert {path.name for path in root.rglob(".*")} <= {".lock"}


def generation_in_views(root: Path) -> int:
    with duckdb.connect(root / "v1" / "jgb.duckdb", read_only=True) as views:
        return generation_in([views.table(name).to_arrow_table() for name in NAMES])


def test_a_publisher_killed_at_any_moment_leaves_readers_a_whole_release(tmp_path: Path) -> None:
    root, stop = tmp_path / "publish", tmp_path / "stop"
    dice = random.Random(20260703)
    # one in each fiftieth of the time that a release takes, in any order
    moments = [(part + dice.random()) / KILLS for part in range(KILLS)]
    dice.shuffle(moments)
    generation = 1
    publish_generation(store_at(root), generation)  # here: what is imported on first use need not be again in a child
    midway: list[float] = []
    with child(reader, look_at_current, root, stop, 0.001) as (_, reports):
        durations = []
        for generation in range(2, 5):
            durations.append(undisturbed(root, generation))
        for number, moment in enumerate(moments, start=1):
            generation += 1
            with child(publisher, root, generation) as (process, pipe):
                assert told(pipe) == "begins"
                time.sleep(moment * median(durations[-3:]))
                process.kill()
                if isinstance(seconds := told(pipe), float):
                    durations.append(seconds)  # it had ended: they take less now
                else:
                    midway.append(moment)
                process.join()
            assert process.exitcode in {0, -signal.SIGKILL}
            look_at_current(root)
            if number % 16 == 0 or number == KILLS:
                generation += 1
                durations.append(undisturbed(root, generation))
                assert_tidy(root, generation)
        stop.touch()
        seen, looks, problem = told(reports)
    assert problem is None, problem
    assert looks > KILLS
    assert len(seen) > 10, "the reader saw too few releases"
    assert seen == sorted(seen), "a kill took readers back to an older release"
    assert len(midway) > KILLS / 2, f"only {len(midway)} publishers were killed before they ended"
    assert {int(moment * 3) for moment in midway} == {0, 1, 2}, "a third of the time was never hit"


def killed_before_step(work: Callable[[], object], step: int, pipe: Connection) -> None:
    """Dies before the ``step``-th change that its work makes to the file system; tells how many it made if it lived."""
    taken = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal taken
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event in STEPS or writes:
            taken += 1
            if taken == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    work()
    pipe.send(taken)


def publisher_killed_before_step(root: Path, generation: int, step: int, pipe: Connection) -> None:
    with warehouse(generation) as connection:
        killed_before_step(lambda: publish_from(connection, store_at(root), generation), step, pipe)


def rollback_killed_before_step(root: Path, release_id: str, step: int, pipe: Connection) -> None:
    killed_before_step(lambda: rollback(store_at(root), AT, release_id), step, pipe)


def prune_killed_before_step(root: Path, step: int, pipe: Connection) -> None:
    killed_before_step(lambda: prune(store_at(root), AT), step, pipe)


def after_each_kill(
    before: Path, places: Path, work: Callable[..., None], *arguments: object
) -> Iterator[tuple[int, Path]]:
    """A copy of ``before`` for each step of the work, as a kill before that step left it."""
    shutil.copytree(before, places / "undisturbed", symlinks=True)
    with child(work, places / "undisturbed", *arguments, 0) as (_, pipe):
        steps = told(pipe)
    assert isinstance(steps, int)
    assert steps > 5
    for step in range(1, steps + 1):
        root = Path(shutil.copytree(before, places / f"step{step}", symlinks=True))
        with child(work, root, *arguments, step) as (process, pipe):
            assert told(pipe) is None
        assert process.exitcode == -signal.SIGKILL, step
        yield step, root
        shutil.rmtree(root)


def comparable(root: Path) -> dict[str, bytes]:
    """All that a publisher left, but for the views, which name the folder they are in."""
    return {name: body for name, body in tree(root).items() if not name.endswith((".lock", "jgb.duckdb"))}


def test_a_publisher_killed_before_any_of_its_steps_is_as_if_it_had_never_been(tmp_path: Path) -> None:
    before = tmp_path / "before"
    # a view of the past is not judged beside this: half the time
    publish_generation(store_at(before), 3)
    generations = []
    for step, root in after_each_kill(before, tmp_path, publisher_killed_before_step, 2):
        generations.append(look_at_current(root))
        publish_generation(store_at(root), 2)
        assert comparable(root) == comparable(tmp_path / "undisturbed"), step
        assert generation_in_views(root) == 2, step
    assert set(generations) == {2, 3}
    assert generations == sorted(generations, reverse=True), "the switch is one step, and nothing takes it back"
    assert_tidy(tmp_path / "undisturbed", 2)


def test_a_rollback_killed_before_any_of_its_steps_is_done_or_not(tmp_path: Path) -> None:
    before = tmp_path / "before"
    older, newer = (publish_generation(store_at(before), generation).release_id for generation in (1, 2))
    generations = []
    for step, root in after_each_kill(before, tmp_path, rollback_killed_before_step, older):
        generation = look_at_current(root)
        generations.append(generation)
        again = publish_generation(store_at(root), 2)
        assert look_at_current(root) == generation, f"killed before step {step}, a publisher undid it"
        assert again.release_id == newer
        assert ("held back" in again.news) == (generation == 1), (step, generation, again.news)
        assert rollback(store_at(root), AT, older) == older
        assert_tidy(root, 1)
    assert generations == sorted(generations, reverse=True)
    assert set(generations) == {1, 2}


def test_a_prune_killed_before_any_of_its_steps_leaves_only_whole_releases(tmp_path: Path) -> None:
    before = tmp_path / "before"
    newest = publish_generation(store_at(before), 1).release_id
    releases = before / "v1" / "releases"
    old = [f"20250{month}{day}T000000Z-00000000" for month in (3, 4) for day in (10, 20, 30)]
    for release_id in old:
        shutil.copytree(releases / newest, releases / release_id)
    kept, removed = {newest, old[2], old[5]}, {*old} - {old[2], old[5]}
    for step, root in after_each_kill(before, tmp_path, prune_killed_before_step):
        left = set(store_at(root).releases())
        assert kept <= left, step
        for release_id in left:
            assert {path.name for path in (root / "v1" / "releases" / release_id).iterdir()} == FILES, step
        logs = [json.loads(path.read_text()) for path in (root / "v1").glob("log/[!.]*")]
        assert ({*old} - left) <= {release_id for log in logs for release_id in log["removed"]}, step
        assert set(prune(store_at(root), AT)) == left - kept
        publish_generation(store_at(root), 2)
        assert set(store_at(root).releases()) - kept == {store_at(root).current()}
        assert_no_leftovers(root)
    assert set(store_at(tmp_path / "undisturbed").releases()) == {*old, newest} - removed


def look_every_way(root: Path) -> int:
    """One release by its id, and one by where the link led once."""
    link = (root / "v1" / "current").readlink()
    generation_in([pq.read_table(root / "v1" / link / f"{name}.parquet") for name in NAMES])
    release_id = store_at(root).current()
    tables = [jgb_assets.read(name, release=release_id, uri=str(root), arrow=True) for name in NAMES]
    frame = jgb_assets.read(NAMES[0], release=release_id, uri=str(root))
    generation = generation_in(tables)
    assert set(frame["generation"]) == {generation}
    return generation


def test_ten_readers_during_ten_releases_see_no_error_and_no_mix(tmp_path: Path) -> None:
    root, stop = tmp_path / "publish", tmp_path / "stop"
    publish_generation(store_at(root), 1)
    look_every_way(root)  # here: what is imported on first use need not be again in a child
    # the pause leaves the publisher a share of a small machine
    children = [child(reader, look, root, stop, 0.1) for look in [look_every_way] * 10 + [generation_in_views]]
    reports = [one.__enter__()[1] for one in children]
    try:
        for generation in range(2, 12):
            assert publish_generation(store_at(root), generation).is_new
            time.sleep(0.1)
        time.sleep(0.5)  # time for the last one to be seen
        stop.touch()
        for seen, looks, problem in map(told, reports):
            assert problem is None, problem
            assert seen == sorted(seen), "a reader went back to an older release"
            assert looks > 3
            assert len(seen) > 2
    finally:
        for one in children:
            one.__exit__(None, None, None)
    assert_tidy(root, 11)


def holder(root: Path, pipe: Connection) -> None:
    with store_at(root).publishing():
        pipe.send("holds")
        pipe.recv()


def test_a_publisher_who_meets_another_says_so_and_changes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "publish"
    publish_generation(store_at(root), 1)
    before = tree(root)
    with child(holder, root) as (process, pipe):
        assert told(pipe) == "holds"
        with pytest.raises(PublisherBusy, match=r"\w"):
            publish_generation(store_at(root), 2)
        assert tree(root) == before
        assert look_at_current(root) == 1
        process.kill()  # whoever dies gives way
        process.join()
        assert publish_generation(store_at(root), 2).is_switched
    with store_at(root).publishing(), pytest.raises(PublisherBusy):
        publish_generation(store_at(root), 3)
    assert publish_generation(store_at(root), 3).is_switched
    assert_tidy(root, 3)


def racer(root: Path, generation: int, pipe: Connection) -> None:
    with warehouse(generation) as connection:
        pipe.send("ready")
        pipe.recv()
        try:
            publish_from(connection, store_at(root), generation)
        except PublisherBusy:
            pipe.send("busy")
        else:
            pipe.send("published")


def test_of_two_publishers_at_once_one_wins_and_the_other_reports_it(tmp_path: Path) -> None:
    root = tmp_path / "publish"
    ends = set()
    for number in range(8):
        # in the first round nothing is published yet
        generations = 2 * number + 1, 2 * number + 2
        with child(racer, root, generations[0]) as (_, first), child(racer, root, generations[1]) as (_, second):
            assert told(first) == told(second) == "ready"
            first.send("go")
            second.send("go")
            end = {generation: told(pipe) for generation, pipe in zip(generations, (first, second), strict=True)}
        assert set(end.values()) <= {"published", "busy"}
        winners = [generation for generation in generations if end[generation] == "published"]
        assert winners, "both gave way"
        assert look_at_current(root) in winners
        ends |= set(end.values())
    assert ends == {"published", "busy"}
    publish_generation(store_at(root), 17)
    assert_tidy(root, 17)
