"""A publisher that does not exist, an archive that grows by hand, and a data folder to land it in.

Two files of lines ``day,name,value``: ``prices`` shows its whole history and rewrites at most two rows of it at once,
``window`` shows a sliding span of days.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa

from jgb_assets.landing.changelog import ChangeLogs
from jgb_assets.landing.land import LEDGER, Landed, land
from jgb_assets.landing.snapshots import SnapshotStore
from jgb_assets.landing.transport import INSTANT, SIDECAR, ArchiveTransport
from jgb_assets.sources.base import LOOK, Arrival, PublishedFile, Snapshot, Source, TableSpec, refuse_html

PRICES_URL = "https://toys.example/data/prices.csv"
OLD_PRICES_URL = "https://toys.example/old/prices.csv"
WINDOW_URL = "https://toys.example/get?file=window&days=3"
HEADER = "day,name,value"

SCHEMA = pa.schema(
    [
        pa.field("day", pa.date32(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("line", pa.int64(), nullable=False),
    ]
)
PRICES = TableSpec(
    "toy_prices",
    "Prices of toys.",
    SCHEMA,
    key=("day", "name"),
    values=("value",),
    observation_date="day",
    roles=("prices",),
    max_rewritten=2,
)
WINDOW = TableSpec(
    "toy_window",
    "The last days' sales of toys.",
    SCHEMA,
    key=("day", "name"),
    values=("value",),
    observation_date="day",
    roles=("window",),
    rolling=frozenset({"window"}),
)

Row = tuple[int, str, float | None]


class ToySource(Source):
    """Refuses a price above 1,000 at the gate, wonders at one above 100."""

    name = "toy"
    title = "Toys"
    producer = "Toy Office"
    homepage = "https://toys.example/"
    licence = "Toy Licence 1.0"
    citation = "Source: Toy Office"
    cadence = "daily"
    publication = "09:35 on the next day"
    files = (
        PublishedFile("prices", (PRICES_URL, OLD_PRICES_URL), ".csv", "every price"),
        PublishedFile("window", (WINDOW_URL,), ".csv", "the last days"),
    )
    tables = (PRICES, WINDOW)

    def parse(self, files: Mapping[str, Snapshot]) -> dict[str, pa.Table]:
        return {
            spec.name: self._read(files[role]) if (role := spec.roles[0]) in files else spec.empty()
            for spec in self.tables
        }

    def gate(self, arrival: Arrival) -> list[str]:
        warnings = []
        for row in arrival.changes["toy_prices"].to_pylist():
            if (row["value"] or 0) > 1000:
                raise self.rejected(
                    arrival.files["prices"],
                    place=f"line {row['line']}",
                    expected="a price up to 1000",
                    found=f"{row['value']}",
                    remedy="ask the Toy Office",
                )
            if (row["value"] or 0) > 100:
                warnings.append(f"{row['name']} is dear")
        return warnings

    def next_expected_at(self, newest_observation: date) -> datetime:
        return datetime.combine(newest_observation + timedelta(days=1), time(0, 35), UTC)

    def _read(self, file: Snapshot) -> pa.Table:
        refuse_html(self, file)
        lines = file.body.decode().splitlines()
        if lines[0] != HEADER:
            raise self.rejected(file, place="line 1", expected=HEADER, found=lines[0], remedy=LOOK)
        rows = []
        for number, line in enumerate(lines[1:], start=2):
            try:
                day, name, value = line.split(",")
                rows.append((date.fromisoformat(day), name, float(value) if value else None, number))
            except ValueError as error:
                raise self.rejected(
                    file, place=f"line {number}", expected="a day, a name, a number", found=line, remedy=LOOK
                ) from error
        return table(rows)


def table(rows: list[tuple[date, str, float | None, int]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)


def day(number: int) -> date:
    """Days are counted from 1 June 2026."""
    return date(2026, 6, 1) + timedelta(days=number - 1)


def instant(number: int) -> datetime:
    """One retrieval a day, at 00:35 UTC."""
    return datetime.combine(day(number), time(0, 35), UTC)


def csv(*rows: Row) -> bytes:
    return "".join(
        f"{line}\n" for line in [HEADER, *(f"{day(d)},{n},{'' if v is None else v}" for d, n, v in rows)]
    ).encode()


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def snapshot(role: str, body: bytes, at: datetime, url: str = PRICES_URL) -> Snapshot:
    return Snapshot(role, url, at, sha256(body), body)


class World:
    """An archive under ``root`` and a data folder beside it."""

    def __init__(self, root: Path, source: Source | None = None) -> None:
        self.source = source or ToySource()
        self.archive = root / "archive"
        self.data = root / "data"
        self.store = SnapshotStore(self.data / "snapshots", self.data / "quarantine")
        self.change_logs = ChangeLogs(self.data / "changelog" / self.source.name)

    def publish(self, at: datetime, url: str, body: bytes, last_modified: str | None = None) -> Path:
        """Put a file where the design says that an archive has it."""
        host_and_path = url.removeprefix("https://").replace("?", "@")
        path = self.archive / at.strftime(INSTANT) / host_and_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        if last_modified:
            path.with_name(path.name + SIDECAR).write_text(json.dumps({"last_modified": last_modified}))
        return path

    def land(self, as_of: datetime | None = None, accepted: frozenset[str] = frozenset()) -> Landed:
        transport = ArchiveTransport(self.archive, as_of)
        return land(self.source, transport, self.store, self.change_logs, accepted)

    def rows(self, landed: Landed, name: str = "toy_prices") -> list[tuple[object, ...]]:
        """A change log as (retrieval's day number, change, day number, name, value), in order."""
        return [
            (
                (row["first_seen_at"].date() - day(1)).days + 1,
                row["change"],
                (row["day"] - day(1)).days + 1,
                row["name"],
                row["value"],
            )
            for row in landed.logs[name].to_pylist()
        ]

    def kept(self, *folders: str) -> dict[str, tuple[bytes, int]]:
        """Every file of the data folder, or of some folders in it, with its bytes and its time of writing."""
        return {
            str(path.relative_to(self.data)): (path.read_bytes(), path.stat().st_mtime_ns)
            for folder in folders or (".",)
            for path in sorted((self.data / folder).rglob("*"))
            if path.is_file()
        }

    def log_bytes(self) -> dict[str, bytes]:
        return {name: self.change_logs.path(name).read_bytes() for name in ("toy_prices", "toy_window", LEDGER)}
