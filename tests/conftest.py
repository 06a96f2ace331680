"""What tests share: archives, environments, and runs of the whole pipeline."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from jgb_assets.__main__ import main
from jgb_assets.extracts.store import store_at
from jgb_assets.settings import BUNDLE, PREFIX, REPOSITORY
from tests import haste

# The publishers' real files stand beside a checkout in the workplace; the bundle is always there.
ARCHIVES = [path for path in (BUNDLE, REPOSITORY.parent / "shared" / "archive") if path.is_dir()]


haste.store_events_quickly()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    haste.long_ones_first(items)


def pytest_collection_finish() -> None:
    haste.leave_what_stays()


def pytest_unconfigure() -> None:
    haste.let_go()


@contextlib.contextmanager
def environment(**variables: object) -> Iterator[None]:
    """The process with just these ``JGB_*`` variables."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update({PREFIX + name.upper(): str(value) for name, value in variables.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass(frozen=True)
class Run:
    """A run of the command line: where it worked, how it ended, what it printed."""

    data_dir: Path
    code: int
    out: str
    err: str

    @property
    def current(self) -> Path:
        return self.data_dir / "publish" / "v1" / "current"


def run(data_dir: Path, *arguments: str, **variables: object) -> Run:
    """``python -m jgb_assets`` in this process."""
    # Files, not StringIO: the stages are printed to the process's own streams.
    streams = [data_dir.parent / f"{data_dir.name}.{name}" for name in ("out", "err")]
    with environment(data_dir=data_dir, **variables), _captured(*streams):
        code = main(list(arguments))
    return Run(data_dir, code, *(stream.read_text() for stream in streams))


@contextlib.contextmanager
def _captured(out: Path, err: Path) -> Iterator[None]:
    import sys

    before = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    with out.open("w") as out_file, err.open("w") as err_file:
        sys.stdout = sys.__stdout__ = out_file  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = err_file  # type: ignore[misc]
        try:
            yield
        finally:
            sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = before  # type: ignore[misc]


@pytest.fixture(scope="session")
def from_bundle(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run on the packaged archive. Read only: a test that changes it works on a copy.

    The worker that comes first makes it for all; the folder of Dagster's storage is read in a copy, too.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return run(tmp_path_factory.mktemp("bundle") / "data")
    folder = tmp_path_factory.getbasetemp().parent / "bundle"
    folder.mkdir(exist_ok=True)
    told = folder / "run.json"
    with FileLock(folder / "run.lock"):
        if not told.exists():
            made = run(folder / "data")
            told.write_text(json.dumps([made.code, made.out, made.err]))
    return Run(folder / "data", *json.loads(told.read_text()))


def copy_of(of: Run, folder: Path) -> Path:
    """A data folder of one's own; the views, which name files by absolute paths, read the copy."""
    data = Path(shutil.copytree(of.data_dir, folder / "data", symlinks=True))
    store = store_at(data / "publish")
    store.switch(store.current())
    return data


def releases(data: Path) -> dict[str, bytes]:
    """All that stands where releases stand, but for what every run tells of the sources."""
    return {name: body for name, body in tree(data / "publish").items() if name != "v1/status.json"}


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, and where links lead."""
    return {
        str(path.relative_to(folder)): str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
