"""``python -m jgb_assets [job]``: run a job in this process, show its stages, and say what was published.

Belongs here: the command line that ``make run`` calls. Not here: what a job does.
"""

import argparse
import contextlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import dagster as dg
from filelock import FileLock

from jgb_assets.extracts.store import CURRENT, DESCRIPTOR, RELEASES, FolderStore, Store, store_at
from jgb_assets.landing.transport import transport_for
from jgb_assets.settings import REPOSITORY, Settings, SettingsError

ENOUGH_BYTES = 10_000_000  # with less, a run cannot end well
NEVER_ENDED = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def main(arguments: list[str] | None = None) -> int:
    """Run a job. 0: done; 1: it failed, or a source could not be read; 2: it could not start."""
    parser = argparse.ArgumentParser(prog="python -m jgb_assets", description="Refresh the pipeline and publish.")
    parser.add_argument("job", nargs="?", default="refresh_all", help="refresh_all (default) or one source's refresh")
    job = parser.parse_args(arguments).job
    try:
        settings = Settings.from_environment()
        transport_for(settings)  # says at once if there is no such archive
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        return _run(job, settings)
    except Exception:
        # Where the disk is full, each library has another error, and Dagster's own storage is the first to raise one.
        free = shutil.disk_usage(settings.data_dir).free
        if free > ENOUGH_BYTES:
            raise
        told = f"the disk is full, {free:,} bytes are left in {settings.data_dir}; make room and run again"
        print(f"{job} failed: {told}. The last release stands", file=sys.stderr)
        return 1


def _run(job: str, settings: Settings) -> int:
    instance = _instance(settings)
    origin = "the publishers" if settings.transport == "live" else f"the archive {settings.archive_dir}"
    print(f"{job} from {origin} into {settings.data_dir}", flush=True)

    from jgb_assets.definitions import defs  # seconds of imports: after the settings are known to be good
    from jgb_assets.defs.alerts import tell_of_run
    from jgb_assets.defs.progress import COMMAND_LINE, LOGGER

    jobs = [known.name for known in defs.jobs or []]
    if job not in jobs:
        print(f"no job {job!r}; there are {', '.join(jobs)}", file=sys.stderr)
        return 2
    log_file = settings.data_dir / "dagster" / "run.log"
    with FileLock(settings.data_dir / "dagster" / "command_line.lock"):  # a second run waits for the first
        _bury_the_dead(instance)
        with log_file.open("a", encoding="utf-8") as log, contextlib.redirect_stdout(log):
            result = defs.resolve_job_def(job).execute_in_process(
                instance=instance,
                run_config={"loggers": {LOGGER: {"config": {"file": str(log_file)}}}},
                tags={COMMAND_LINE: "true"},
                raise_on_error=False,
            )
    print(f"full log: {log_file}")
    released = result.asset_materializations_for_node("publish")
    if released:
        _report(store_at(settings.publish_location), released[-1].metadata, settings.as_of_utc)
    if not result.success:
        print(f"{job} failed" + ("" if released else "; the last release stands"), file=sys.stderr)
    if problem := tell_of_run(instance, result.run_id, settings):
        print(problem, file=sys.stderr)
    return 0 if result.success else 1


def _instance(settings: Settings) -> dg.DagsterInstance:
    """Dagster's own storage, under the data folder, set up as ``dagster.yaml`` says."""
    home = settings.data_dir / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(REPOSITORY / "dagster.yaml", home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return dg.DagsterInstance.get()


def _bury_the_dead(instance: dg.DagsterInstance) -> None:
    """Fail the command-line runs that were killed. No other is alive under the lock."""
    from jgb_assets.defs.progress import COMMAND_LINE

    unfinished = dg.RunsFilter(tags={COMMAND_LINE: "true"}, statuses=NEVER_ENDED)
    for run in instance.get_runs(unfinished):
        instance.report_run_failed(run, "the process was killed")


def _report(store: Store, release: Mapping[str, dg.MetadataValue[Any]], as_of: datetime | None) -> None:
    """The datasets of the release that readers have, as a table, and what became of the one just built."""
    folder = f"{RELEASES}/{store.current()}"
    package = json.loads(store.read(f"{folder}/{DESCRIPTOR}"))
    print(f"\n{'dataset':<24}{'rows':>9}  {'newest':<12}path")
    for resource in package["resources"]:
        path = store.path(f"{CURRENT if isinstance(store, FolderStore) else folder}/{resource['path']}")
        print(f"{resource['name']:<24}{resource['rows']:>9,}  {resource['newest'] or '-':<12}{path}")
    if as_of and release["release_id"].value == store.current():
        print(f"\nreaders of {store.location} now see the world as of {as_of:%Y-%m-%dT%H:%M:%SZ}")
    print(f"\nrelease {release['release_id'].value} {release['news'].value}")


if __name__ == "__main__":
    sys.exit(main())
