"""Write-once store of publishers' bytes, and the quarantine of those refused.

Belongs here: bytes, their sidecars and their order. Not here: judging or parsing them.

``snapshots/<source>/<sha256><suffix>`` holds bytes, once however often they come back.
``snapshots/<source>/<sequence>-<retrieved_at>-<sha256[:12]>.json`` is the sidecar of one arrival of other bytes than
the role had before; the sidecars in order are the ledger from which every change log can be built again.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from jgb_assets.files import write_again, write_atomically
from jgb_assets.sources.base import Snapshot, Source, SourceRejected, kind

STAMP = "%Y%m%dT%H%M%SZ"
LOCK_SECONDS = 600  # landing takes seconds; a run that waits longer than this waits for one that hangs


@dataclass(frozen=True)
class Record:
    """The sidecar of a snapshot. Order of arrival: ``retrieved_at``, then ``sequence``.

    ``previous_retrieved_at`` is the retrieval before it that asked for the file, also if that brought no other bytes:
    what came now was not there then.
    """

    sequence: int
    source: str
    role: str
    url: str
    retrieved_at: datetime
    sha256: str
    bytes: int
    last_modified: str | None
    producer: str
    licence: str
    citation: str
    file: str
    previous_retrieved_at: datetime | None = None

    @property
    def order(self) -> tuple[datetime, int]:
        """Sorts records as the bytes arrived."""
        return self.retrieved_at, self.sequence

    @property
    def name(self) -> str:
        """The sidecar's file name."""
        return f"{self.sequence:06d}-{self.retrieved_at:{STAMP}}-{self.sha256[:12]}.json"


class SnapshotStore:
    """Snapshots and quarantine of every source, in two folders."""

    def __init__(self, snapshots: Path, quarantine: Path) -> None:
        self._snapshots = snapshots
        self._quarantine = quarantine

    def lock(self, source: str) -> FileLock:
        """Held while a source lands: two runs on one data folder take turns."""
        (self._snapshots / source).mkdir(parents=True, exist_ok=True)
        return FileLock(self._snapshots / source / ".lock", timeout=LOCK_SECONDS)

    def records(self, source: str) -> list[Record]:
        """The ledger of a source, in order of arrival."""
        sidecars = (self._snapshots / source).glob("*.json")
        return sorted(map(_read_record, sidecars), key=lambda record: record.order)

    def read(self, record: Record) -> Snapshot:
        """The bytes of a record.

        Raises:
            OSError: the bytes on disk are not those that arrived.
        """
        path = self._snapshots / record.source / record.file
        body = path.read_bytes()
        if hashlib.sha256(body).hexdigest() != record.sha256:
            raise OSError(f"{path} is damaged: its sha256 is not {record.sha256}. Restore it from a backup.")
        return Snapshot(record.role, record.url, record.retrieved_at, record.sha256, body, record.previous_retrieved_at)

    def add(self, source: Source, snapshot: Snapshot, last_modified: str | None) -> Record:
        """Keep bytes that passed the gate; the sidecar is written last and makes them count."""
        suffix = next(file.suffix for file in source.files if file.role == kind(snapshot.role))
        record = Record(
            sequence=1 + max((record.sequence for record in self.records(source.name)), default=0),
            source=source.name,
            role=snapshot.role,
            url=snapshot.url,
            retrieved_at=snapshot.retrieved_at,
            sha256=snapshot.sha256,
            bytes=len(snapshot.body),
            last_modified=last_modified,
            producer=source.producer,
            licence=source.licence,
            citation=source.citation,
            file=snapshot.sha256 + suffix,
            previous_retrieved_at=snapshot.previous_retrieved_at,
        )
        folder = self._snapshots / source.name
        if not (folder / record.file).exists():
            write_atomically(folder / record.file, snapshot.body)
        write_atomically(folder / record.name, _json(asdict(record)))
        return record

    def quarantine(self, snapshot: Snapshot, rejection: SourceRejected) -> Path:
        """Keep refused bytes beside the reason. The same bytes take space once, however often they are refused."""
        folder = self._quarantine / rejection.source
        name = f"{snapshot.retrieved_at:{STAMP}}-{snapshot.role}-{snapshot.sha256[:12]}"
        before = next(folder.glob(f"*-{snapshot.role}-{snapshot.sha256[:12]}.bytes"), None)
        write_again(folder / f"{name}.bytes", snapshot.body, before)
        reason = {
            "source": rejection.source,
            "role": snapshot.role,
            "url": snapshot.url,
            "retrieved_at": snapshot.retrieved_at,
            "sha256": snapshot.sha256,
            "bytes": len(snapshot.body),
            "place": rejection.place,
            "expected": rejection.expected,
            "found": rejection.found,
            "remedy": rejection.remedy,
        }
        write_atomically(folder / f"{name}.json", _json(reason))
        return folder / f"{name}.bytes"


def _json(fields: dict[str, object]) -> bytes:
    text = json.dumps(fields, indent=2, ensure_ascii=False, default=lambda value: value.isoformat())
    return (text + "\n").encode()


def _read_record(path: Path) -> Record:
    fields = json.loads(path.read_text())
    instants = {
        name: datetime.fromisoformat(fields[name])
        for name in ("retrieved_at", "previous_retrieved_at")
        if fields.get(name)
    }
    return Record(**fields | instants)
