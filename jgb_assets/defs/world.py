"""The run's surroundings: settings, transport, stores, warehouse.

Belongs here: handing plain objects to assets. Not here: what assets do with them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import dagster as dg
import duckdb
import pyarrow.parquet as pq
from dagster_duckdb import DuckDBResource

from jgb_assets.defs.dbt_project import DBT
from jgb_assets.defs.progress import LOGGER, stages
from jgb_assets.landing.changelog import ChangeLogs
from jgb_assets.landing.snapshots import SnapshotStore
from jgb_assets.landing.transport import Transport, transport_for
from jgb_assets.settings import PREFIX, Settings

OWNERS = ["team:jgb-pipeline"]


class World(dg.ConfigurableResource):  # type: ignore[type-arg]  # it has no config: all of it is in the environment
    """Settings of this process, and what follows from them."""

    @property
    def settings(self) -> Settings:
        """The environment's settings."""
        return Settings.from_environment()

    def transport(self) -> Transport:
        """Where bytes and the time come from."""
        return transport_for(self.settings)

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
