"""What makes the tests quicker and is seen by none of them: Dagster's storage, garbage, the disk, and what begins.

Belongs here: what is spared in the tests' own processes. A process that a test starts is as anybody starts it.
"""

import gc
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage

# The first worker makes the run that most others start from, and the second meanwhile does what needs none; then the
# longest, so that no worker is left alone with one. The other modules follow as they were found.
FIRST = (
    "faults/test_bad_input.py",
    "faults/test_publishers.py",
    "faults/test_fuzz.py",
    "faults/test_interruptions.py",
    "integration/test_daemon.py",
    "integration/test_figures.py",
    "faults/test_fault_runs.py",
    "integration/test_replay.py",
)
MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 500_000_000  # noqa: S108  # Linux's; a container's is often tiny


def long_ones_first(items: list[Any]) -> None:
    """Tests in the order in which workers take their modules."""

    def place(item: Any) -> int:
        return next((n for n, name in enumerate(FIRST) if item.path.as_posix().endswith(f"/tests/{name}")), len(FIRST))

    items.sort(key=place)


def leave_what_stays() -> None:
    """All that was imported is there to the end: no collection of garbage need look through it again."""
    gc.collect()
    gc.freeze()


def let_go() -> None:
    """At the end: what is never collected counts as leaked."""
    gc.unfreeze()


@contextmanager
def in_memory(on_disk: Path) -> Iterator[Path]:
    """A folder that waits for no disk, for a little and often written; ``on_disk`` where there is no such place."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ENOUGH_BYTES:
        yield on_disk
        return
    with TemporaryDirectory(prefix="jgb-assets-tests-", dir=MEMORY) as folder:
        yield Path(folder)


def store_events_quickly() -> None:
    """Dagster stores each event by an engine of its own and waits for the disk, some thousand times a run.

    Here there is one engine for a file, and nobody waits: what is written outlives a process that is killed all the
    same, if not a power cut.
    """
    for module in (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage):
        module.create_engine = _once_a_file(module.create_engine)
    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", _without_waiting)


def _once_a_file(create: Callable[..., sqlalchemy.Engine]) -> Callable[..., sqlalchemy.Engine]:
    """Engines keep no connection open (``NullPool``), but the SQL that they compiled."""
    known: dict[str, sqlalchemy.Engine] = {}

    def engine(url: str, **options: Any) -> sqlalchemy.Engine:
        if url not in known:
            known[url] = create(url, **options)
        return known[url]

    return engine


def _without_waiting(connection: object, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = off")
