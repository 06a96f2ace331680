"""From transport to change log, one instant after another: fetch, parse, gate, keep, compare.

Belongs here: the order of these steps and what happens when one refuses. Not here: any of the steps.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from jgb_assets.landing.changelog import ChangeLogs, compare, extend, log_schema, state
from jgb_assets.landing.snapshots import Record, SnapshotStore
from jgb_assets.landing.transport import FetchFailed, NotThere, Response, Transport
from jgb_assets.sources.base import (
    AT,
    CONFIRM,
    TIMESTAMP,
    Arrival,
    PublishedFile,
    Snapshot,
    Source,
    SourceRejected,
    TableSpec,
    kind,
)

Arrived = TypeVar("Arrived", Record, Snapshot)

LEDGER = "snapshots"
LEDGER_SCHEMA = pa.schema(
    [
        pa.field("retrieved_at", TIMESTAMP, nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("newest_observation_date", pa.date32()),
        pa.field("next_expected_at", TIMESTAMP),
    ]
)


@dataclass(frozen=True)
class Landed:
    """A source after landing: its ledger, its change logs by table name, what arrived now and what was odd about it.

    ``looked`` says when each file was last retrieved, whatever it brought.
    """

    records: list[Record]
    logs: Mapping[str, pa.Table]
    arrived: list[Record] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    looked: Mapping[str, datetime] = field(default_factory=dict)


def land(
    source: Source,
    transport: Transport,
    store: SnapshotStore,
    change_logs: ChangeLogs,
    accepted: frozenset[str] = frozenset(),
    looked: Mapping[str, datetime] | None = None,
) -> Landed:
    """Bring a source up to the transport's last instant. Bytes that were seen before cost nothing.

    ``accepted`` holds the sha256 of files that a person has let past the gate, ``looked`` when each file was last
    retrieved in runs before this one.

    Raises:
        SourceRejected: bytes were refused; they are in quarantine, and what was stored before still stands.
        FetchFailed: a file could not be had; what was stored before still stands.
    """
    with store.lock(source.name):
        return _land(source, transport, store, change_logs, accepted, looked or {})


def _land(
    source: Source,
    transport: Transport,
    store: SnapshotStore,
    change_logs: ChangeLogs,
    accepted: frozenset[str],
    looked_before: Mapping[str, datetime],
) -> Landed:
    records = store.records(source.name)
    logs = _stored_logs(source, store, change_logs)
    arrived: list[Record] = []
    warnings: list[str] = []
    looked: dict[str, datetime] = {}
    for asked_at in transport.instants():
        known = _newest(records, asked_at)
        looked = _last_looks(known, looked_before, looked, asked_at)
        responses, notes = _fetch(source, transport, asked_at, known)
        warnings += notes
        got = _Retrieval(asked_at, responses, looked, known)
        tables = _parse(source, transport, store, got, warnings) if got.new else {}
        looked = {**looked, **dict.fromkeys(got.responses, got.instant)}
        if not got.new:
            transport.keep(got.responses.values())
            continue
        files = got.files(store)
        try:
            warnings += _judge(source, files, frozenset(got.responses), got.new, tables, logs, got.instant, accepted)
        except SourceRejected as rejection:
            # What arrived together is judged together, and accepted together.
            for snapshot in got.new.values():
                store.quarantine(snapshot, rejection)
            raise
        transport.keep(got.responses.values())
        if not records or got.instant > records[-1].retrieved_at:
            logs = _advance(source, logs, files, tables, got.instant)
        else:
            logs = _replay(source, [*map(store.read, records), *got.new.values()])
        arrived += [store.add(source, file, got.responses[role].last_modified) for role, file in got.new.items()]
        records = store.records(source.name)
        _save(source, change_logs, logs, records)
    return replace(_as_known(transport.now(), records, logs), arrived=arrived, warnings=warnings, looked=looked)


def as_stored(source: Source, now: datetime, store: SnapshotStore, change_logs: ChangeLogs) -> Landed:
    """What was stored before, as known at ``now``: nothing arrives."""
    with store.lock(source.name):
        return _as_known(now, store.records(source.name), _stored_logs(source, store, change_logs))


def _as_known(now: datetime, records: list[Record], logs: Mapping[str, pa.Table]) -> Landed:
    return Landed(
        [record for record in records if record.retrieved_at <= now],
        {
            name: log.filter(pc.field("retrieved_at" if name == LEDGER else "first_seen_at") <= now)
            for name, log in logs.items()
        },
    )


def stored_logs(source: Source, store: SnapshotStore, change_logs: ChangeLogs) -> dict[str, pa.Table]:
    """The change logs as kept, or built again from the snapshots when they do not add up to its records."""
    with store.lock(source.name):
        return _stored_logs(source, store, change_logs)


def _stored_logs(source: Source, store: SnapshotStore, change_logs: ChangeLogs) -> dict[str, pa.Table]:
    records = store.records(source.name)
    wanted = _digest(records)
    if any(change_logs.applied(name, schema) != wanted for name, schema in _schemas(source).items()):
        logs = _replay(source, [store.read(record) for record in records])
        _save(source, change_logs, logs, records)
        return logs
    return {name: change_logs.read(name, schema) for name, schema in _schemas(source).items()}


class _Retrieval:
    """What one instant brought. ``responses`` by role, ``new`` of them what has other bytes than what was ``known``.

    All is of one instant, the last at which any of it came: before that, not all of it was known.
    """

    def __init__(
        self,
        asked_at: datetime,
        responses: Mapping[str, Response],
        looked: Mapping[str, datetime],
        known: Mapping[str, Record],
    ) -> None:
        self._looked, self._known = looked, known
        self._take(asked_at, responses)

    def _take(self, asked_at: datetime, responses: Mapping[str, Response]) -> None:
        self.instant = max([asked_at, *(response.retrieved_at for response in responses.values())])
        self.responses = {role: replace(answer, retrieved_at=self.instant) for role, answer in responses.items()}
        came = {role: _snapshot(role, answer, self._looked.get(role)) for role, answer in self.responses.items()}
        self.new = {
            role: file
            for role, file in came.items()
            if role not in self._known or self._known[role].sha256 != file.sha256
        }

    def take_instead(self, role: str, other: Response) -> None:
        """Another answer in place of one that was refused."""
        self._take(self.instant, {**self.responses, role: other})

    def files(self, store: SnapshotStore) -> dict[str, Snapshot]:
        """The newest bytes of every role."""
        return {role: store.read(record) for role, record in self._known.items()} | self.new


def _parse(
    source: Source, transport: Transport, store: SnapshotStore, got: _Retrieval, warnings: list[str]
) -> dict[str, pa.Table]:
    """The tables after a retrieval. A day's page that does not parse is asked for in the publisher's other language.

    Raises:
        SourceRejected: a file does not parse, and nothing can be read in its place.
    """
    while True:
        try:
            return source.parse(got.files(store))
        except SourceRejected as rejection:
            refused = got.new.get(rejection.role or "")
            if refused is None:
                raise
            store.quarantine(refused, rejection)
            other = _fetch_instead(source, transport, refused)
            if other is None:
                raise
            warnings.append(f"{other.url} is read in place of what was refused: {rejection}")
            got.take_instead(refused.role, other)


def _fetch(
    source: Source, transport: Transport, instant: datetime, known: Collection[str]
) -> tuple[dict[str, Response], list[str]]:
    """For each role the first of its URLs that answers, and what was read in place of another.

    Raises:
        FetchFailed: a file could not be had; or none was there, of a publisher that has always some.
    """
    responses: dict[str, Response] = {}
    notes: list[str] = []
    asked: set[str] = set()
    missing: NotThere | None = None
    while files := [file for file in _files(source, transport, instant, known, responses) if file.role not in asked]:
        for file in files:
            asked.add(file.role)
            response, failures = _answer(transport, file, file.urls, instant)
            missing = missing or next((failure for failure in failures if isinstance(failure, NotThere)), None)
            if response is not None:
                responses[file.role] = response
                notes += [
                    f"{response.url} is read in place of another: {failure}"
                    for failure in failures
                    if not _is_not_out(file, failure)
                ]
    if missing and not responses:
        raise missing
    return responses, notes


def _files(
    source: Source,
    transport: Transport,
    instant: datetime,
    known: Collection[str],
    responses: Mapping[str, Response],
) -> Iterable[PublishedFile]:
    """What to ask for: of what is offered, or, where only asking can tell, given what has answered so far."""
    offered, today = transport.offered(instant), instant.astimezone(source.zone).date()
    if offered is not None:
        return source.files_among(offered, known, today)
    answered = {role: _snapshot(role, response, None) for role, response in responses.items()}
    return source.asks(answered, known, today)


def _answer(
    transport: Transport, file: PublishedFile, urls: Iterable[str], instant: datetime
) -> tuple[Response | None, list[FetchFailed]]:
    """The first of the URLs that answers, None if there is none; and the failures before it.

    Raises:
        FetchFailed: none answers, and it cannot be that the file, of a day, is not out yet.
    """
    failures: list[FetchFailed] = []
    for url in urls:
        try:
            response = transport.fetch(url, instant)
        except FetchFailed as failure:
            failures.append(failure)
            continue
        if response is not None:
            return response, failures
    if fatal := [failure for failure in failures if not _is_not_out(file, failure)]:
        raise fatal[0]
    return None, failures


def _is_not_out(file: PublishedFile, failure: FetchFailed) -> bool:
    """A day's page that is not there may come yet, or come in the other language first."""
    return file.dated and isinstance(failure, NotThere)


def _last_looks(
    known: Mapping[str, Record], in_runs_before: Mapping[str, datetime], now: Mapping[str, datetime], until: datetime
) -> dict[str, datetime]:
    """When each file was last retrieved before an instant, as its records, earlier runs and this run tell."""
    arrivals = {role: record.retrieved_at for role, record in known.items()}
    looks = [(role, at) for told in (arrivals, in_runs_before, now) for role, at in told.items() if at < until]
    return {role: max(at for other, at in looks if other == role) for role, _ in looks}


def _fetch_instead(source: Source, transport: Transport, refused: Snapshot) -> Response | None:
    """The same day's page in the publisher's other language; of other files there is no second reading."""
    declared = next(file for file in source.files if file.role == kind(refused.role))
    if not declared.dated:
        return None
    file = declared.of(date.fromisoformat(refused.role.partition(AT)[2]))
    response, _ = _answer(transport, file, file.urls[file.urls.index(refused.url) + 1 :], refused.retrieved_at)
    return response


def _judge(
    source: Source,
    files: Mapping[str, Snapshot],
    retrieved: frozenset[str],
    new: Mapping[str, Snapshot],
    tables: Mapping[str, pa.Table],
    logs: Mapping[str, pa.Table],
    instant: datetime,
    accepted: frozenset[str],
) -> list[str]:
    """Warnings of the gate, after the one rule that all sources share: how much of the past may be rewritten."""
    stored = {
        spec.name: state(logs[spec.name].filter(pc.field("first_seen_at") <= instant), spec) for spec in source.tables
    }
    changes = {spec.name: compare(stored[spec.name], tables[spec.name], spec) for spec in source.tables}
    try:
        warnings = source.gate(Arrival(files, retrieved, tables, stored, changes))
        for spec in source.tables:
            _refuse_rewriting(source, spec, new, changes[spec.name])
    except SourceRejected as rejection:
        if not all(snapshot.sha256 in accepted for snapshot in new.values()):
            raise
        return [f"let past the gate by hand: {rejection}"]
    return warnings


def _refuse_rewriting(source: Source, spec: TableSpec, new: Mapping[str, Snapshot], changes: pa.Table) -> None:
    rewritten = changes.filter(pc.field("change") != "added")
    if spec.max_rewritten is None or rewritten.num_rows <= spec.max_rewritten:
        return
    first = ", ".join(f"{name} {rewritten[name][0]}" for name in spec.key)
    blamed = [rewritten[spec.role_column][0].as_py()] if spec.role_column else []
    raise source.rejected(
        next(new[role] for role in [*blamed, *spec.roles] if role in new),
        place=f"table {spec.name}, from {first} on",
        expected=f"at most {spec.max_rewritten} past rows rewritten, the most this publisher ever does",
        found=f"{rewritten.num_rows:,} rewritten or gone",
        remedy=CONFIRM,
    )


def _replay(source: Source, arrivals: list[Snapshot]) -> dict[str, pa.Table]:
    """The change logs from nothing: at each instant the newest bytes of every role, in order of arrival."""
    arrivals = _after_each_other(arrivals)
    logs = {name: schema.empty_table() for name, schema in _schemas(source).items()}
    for instant in sorted({snapshot.retrieved_at for snapshot in arrivals}):
        files = _newest(arrivals, instant)
        logs = _advance(source, logs, files, source.parse(files), instant)
    return logs


def _after_each_other(arrivals: list[Snapshot]) -> list[Snapshot]:
    """Each with the retrieval before it: one that arrived in between since then counts, too."""
    told = []
    for snapshot in arrivals:
        before = [other.retrieved_at for other in arrivals if other.role == snapshot.role]
        before = [instant for instant in before if instant < snapshot.retrieved_at]
        if snapshot.previous_retrieved_at:
            before.append(snapshot.previous_retrieved_at)
        told.append(replace(snapshot, previous_retrieved_at=max(before, default=None)))
    return told


def _advance(
    source: Source,
    logs: Mapping[str, pa.Table],
    files: Mapping[str, Snapshot],
    tables: Mapping[str, pa.Table],
    instant: datetime,
) -> dict[str, pa.Table]:
    """The change logs after one more instant."""
    advanced = {
        spec.name: extend(
            logs[spec.name], compare(state(logs[spec.name], spec), tables[spec.name], spec), spec, files, instant
        )
        for spec in source.tables
    }
    newest = max(
        (
            pc.max(tables[spec.name][spec.observation_date]).as_py()
            for spec in source.tables
            if spec.observation_date and tables[spec.name].num_rows
        ),
        default=None,
    )
    expected = source.next_expected_at(newest) if newest else None
    last = {row["role"]: row["sha256"] for row in logs[LEDGER].to_pylist()}
    rows = [
        (instant, file.role, file.url, file.sha256, len(file.body), newest, expected)
        for file in files.values()
        if file.sha256 != last.get(file.role)
    ]
    ledger = pa.Table.from_pylist(
        [dict(zip(LEDGER_SCHEMA.names, row, strict=True)) for row in rows], schema=LEDGER_SCHEMA
    )
    return advanced | {LEDGER: pa.concat_tables([logs[LEDGER], ledger])}


def _save(source: Source, change_logs: ChangeLogs, logs: Mapping[str, pa.Table], records: list[Record]) -> None:
    for name in _schemas(source):
        change_logs.write(name, logs[name], _digest(records))


def _schemas(source: Source) -> dict[str, pa.Schema]:
    return {spec.name: log_schema(spec) for spec in source.tables} | {LEDGER: LEDGER_SCHEMA}


def _newest(arrivals: Iterable[Arrived], until: datetime) -> dict[str, Arrived]:
    """Of each role the last that had arrived by an instant. Of one instant, the last in the list."""
    in_order = sorted(arrivals, key=lambda arrival: arrival.retrieved_at)
    return {arrival.role: arrival for arrival in in_order if arrival.retrieved_at <= until}


def _digest(records: list[Record]) -> str:
    return _sha256("\n".join(record.name for record in records).encode())


def _snapshot(role: str, response: Response, previous: datetime | None) -> Snapshot:
    return Snapshot(role, response.url, response.retrieved_at, _sha256(response.body), response.body, previous)


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
