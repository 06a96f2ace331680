"""The run's surroundings: settings, transport, stores, warehouse.

Belongs here: handing plain objects to assets. Not here: what assets do with them.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from dagster_duckdb import DuckDBResource
from filelock import FileLock, Timeout

from jgb_assets.defs.dbt_project import DBT
from jgb_assets.defs.progress import LOGGER, stages
from jgb_assets.landing.changelog import ChangeLogs, log_schema, state
from jgb_assets.landing.snapshots import SnapshotStore
from jgb_assets.landing.transport import HostRules, Transport, transport_for
from jgb_assets.landing.visits import Visits
from jgb_assets.settings import PREFIX, Settings
from jgb_assets.sources.base import Source
from jgb_assets.sources.registry import SOURCES

OWNERS = ["team:jgb-pipeline"]


def host_rules() -> list[HostRules]:
    """The publishers' hosts and how they want to be asked: there are no others. Of one host the strictest wish."""
    rules: dict[str, HostRules] = {}
    for source in SOURCES.values():
        for host in {urlsplit(url).netloc for file in source.files for url in file.urls}:
            known = rules.get(host, HostRules(host, 0, bypass_caches=False))
            rules[host] = HostRules(
                host,
                max(known.pause_seconds, source.pause_seconds),
                bypass_caches=known.bypass_caches or source.bypass_caches,
            )
    return list(rules.values())


def _free_pools(context: dg.InitResourceContext) -> None:
    """Take from runs that were killed what they held of a pool: under the lock no other run is at work."""
    if context.instance is None or context.run is None:
        return
    storage = context.instance.event_log_storage
    for pool in storage.get_concurrency_keys():
        info = storage.get_concurrency_info(pool)
        holders = {slot.run_id for slot in info.claimed_slots} | {step.run_id for step in info.pending_steps}
        for run_id in holders - {context.run.run_id}:
            storage.free_concurrency_slots_for_run(run_id)


class World(dg.ConfigurableResource):  # type: ignore[type-arg]  # it has no config: all of it is in the environment
    """Settings of this process, and what follows from them."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["World"]:
        """While a run has it, another run of the same data folder waits: the command line's, the UI's, a schedule's."""
        folder = self.settings.data_dir
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "run.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if context.log:
                context.log.info("another run works on this data folder: waiting for its end")
            lock.acquire()
        try:
            _free_pools(context)
            yield self
        finally:
            lock.release()

    @property
    def settings(self) -> Settings:
        """The environment's settings."""
        return Settings.from_environment()

    def transport(self) -> Transport:
        """Where bytes and the time come from."""
        return transport_for(self.settings, host_rules())

    def visits(self) -> Visits:
        """How the last visit to each source ended."""
        return Visits(self.settings.visits_dir)

    def clock(self) -> datetime:
        """The instant as of which the stored world is, as ``landing`` last wrote it."""
        now: datetime
        (now,) = pq.read_table(self.settings.changelog_dir / "clock.parquet")["now_at"].to_pylist()
        return now

    def store(self) -> SnapshotStore:
        """Snapshots and quarantine."""
        return SnapshotStore(self.settings.snapshots_dir, self.settings.quarantine_dir)

    def change_logs(self, source: str) -> ChangeLogs:
        """The change logs of one source."""
        return ChangeLogs(self.settings.changelog_dir / source)

    def tables(self, source: Source, logs: Mapping[str, pa.Table] | None = None) -> dict[str, pa.Table]:
        """The raw tables of a source as known now, by its change logs: those given, or those on disk."""
        kept, is_known = self.change_logs(source.name), pc.field("first_seen_at") <= self.transport().now()
        return {
            spec.name: state(
                (logs[spec.name] if logs else kept.read(spec.name, log_schema(spec))).filter(is_known), spec
            )
            for spec in source.tables
        }

    @contextmanager
    def warehouse(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """DuckDB for reading, in UTC, where dbt's views find the change logs. Only dbt writes it."""
        settings = self.settings
        resource = DuckDBResource(
            database=str(settings.warehouse_path),
            connection_config={"access_mode": "READ_ONLY", "file_search_path": str(settings.data_dir)},
        )
        with resource.get_connection() as connection:
            connection.execute("set TimeZone = 'UTC'")
            yield connection


@dg.definitions
def resources() -> dg.Definitions:
    """Resources, the logger of command-line runs, and the executor.

    In process: steps are short, a process for each would cost more than all of them.
    """
    # dbt is a child process in another folder: it needs the data folder by its absolute path.
    os.environ[f"{PREFIX}DATA_DIR"] = str(Settings.from_environment().data_dir)
    return dg.Definitions(
        resources={"world": World(), "dbt": DBT},
        executor=dg.in_process_executor,
        loggers={LOGGER: stages},
    )
