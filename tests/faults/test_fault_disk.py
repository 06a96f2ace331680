"""A disk that is full: whatever could not be written any more, nothing that was written is lost or half."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from jgb_assets.extracts.store import ReleaseRefused, store_at
from jgb_assets.extracts.upkeep import verify
from jgb_assets.landing.snapshots import SnapshotStore
from tests.conftest import Run, tree
from tests.faults.publishing import generation_of_whole, publish_generation
from tests.faults.test_interruptions import start
from tests.faults.test_publishers import assert_tidy
from tests.faults.worlds import MINUTES, NEWEST, NOW, SOURCE, House, copy_of_published, fault, house_of, poll
from tests.pretend_web import newest_files, pretend_web

PAGE = os.sysconf("SC_PAGE_SIZE")
FULL = "No space left on device|File too large|disk is full|disk I/O error"


@dataclass(frozen=True)
class Disk:
    """A folder with little room: a file system of its own, or where none may be mounted, a limit to each file's size."""

    folder: Path
    is_mounted: bool

    @contextmanager
    def full(self, but_for: int = 0) -> Iterator[None]:
        """With so many bytes left."""
        if not self.is_mounted:
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (max(but_for, PAGE), before[1]))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            return
        ballast = self.folder / "ballast"
        room = os.statvfs(self.folder)
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(room.f_bavail * room.f_frsize - but_for, 1))
        try:
            yield
        finally:
            ballast.unlink()


@contextmanager
def disk_of(folder: Path, megabytes: int) -> Iterator[Disk]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    is_mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield Disk(folder, is_mounted)
    finally:
        if is_mounted:  # lazily: a database that is still open must not leave a mount behind
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def store_of(data: Path) -> SnapshotStore:
    return SnapshotStore(data / "snapshots", data / "quarantine")


def assert_whole(data: Path) -> None:
    """Every snapshot that counts has the bytes that arrived."""
    for record in store_of(data).records(SOURCE.name):
        store_of(data).read(record)


@fault("disk full while landing")
def test_a_disk_that_is_full_while_a_source_lands(from_bundle: Run, tmp_path: Path) -> None:
    """Before the recording, within it, before the snapshots, and before the change log."""
    stopped_at = []
    with disk_of(tmp_path / "disk", megabytes=48) as disk, pretend_web(tmp_path) as web:
        undisturbed = house_of(from_bundle, tmp_path, web)
        before, records = tree(undisturbed.data / "publish"), len(store_of(undisturbed.data).records(SOURCE.name))
        # no file is as large as the latter two: where only their size is limited, they stop nothing
        for left in (0, 100_000, 1_300_000, 2_600_000)[: 4 if disk.is_mounted else 2]:
            house = House(disk.folder / "data", web, tmp_path / "full.json")
            shutil.copytree(undisturbed.data, house.data, symlinks=True)
            with disk.full(left):
                visited = house.visit()
            error = visited.why if visited.checks else "".join(visited.errors)
            assert any(text in error for text in FULL.split("|")), error
            stopped_at.append((len(house.recordings()), len(store_of(house.data).records(SOURCE.name)) - records))
            assert tree(house.data / "publish") == before
            assert_whole(house.data)
            if left != 100_000:
                assert house.visit(NOW + MINUTES).is_read
                assert house.days()[-1] == NEWEST
                assert set(house.log()["change"].to_pylist()) == {"added"}
                assert_whole(house.data)
                assert list(house.data.rglob(".tmp-*")) == []
            shutil.rmtree(house.data)
    if disk.is_mounted:
        assert stopped_at == [(0, 0), (0, 0), (1, 0), (1, 2)], "recordings and snapshots that there was room for"


@fault("disk full while publishing")
def test_a_disk_that_is_full_at_any_page_of_a_release(tmp_path: Path) -> None:
    with disk_of(tmp_path / "disk", megabytes=4) as disk:
        root = disk.folder / "publish"
        publish_generation(store_at(root), 1)
        failed = 0
        for pages in range(200):
            try:
                with disk.full(pages * PAGE):
                    publish_generation(store_at(root), 2)
                break
            except (OSError, duckdb.Error, ReleaseRefused):
                failed += 1
            link = (root / "v1" / "current").readlink()
            generation = generation_of_whole(root / "v1" / link)
            if generation == 2:
                break  # it was switched: what failed came after
            assert verify(store_at(root)) == []
        assert failed > 2
        publish_generation(store_at(root), 2)
        assert_tidy(root, 2)


@fault("disk full in a whole run")
def test_a_run_on_a_full_disk_says_so_and_readers_keep_what_they_have(from_bundle: Run, tmp_path: Path) -> None:
    with disk_of(tmp_path / "disk", megabytes=160) as disk, pretend_web(tmp_path, newest_files()) as web:
        data = copy_of_published(from_bundle, disk.folder)
        before = tree(data / "publish")
        world = web.rehearse(tmp_path / "world.json", NOW)
        with disk.full(60_000):
            process = start(data, JGB_TRANSPORT="live", JGB_REHEARSAL=str(world))
            _, told = process.communicate(timeout=240)
        assert process.returncode == 1
        assert any(text in told for text in FULL.split("|")), told
        assert tree(data / "publish") == before
        assert verify(store_at(data / "publish")) == []
        assert_whole(data)
        assert poll(data, world, "refresh_jgb_yields") == "nothing new"
        assert {name: body for name, body in tree(data / "publish").items() if name != "v1/status.json"} == {
            name: body for name, body in before.items() if name != "v1/status.json"
        }
