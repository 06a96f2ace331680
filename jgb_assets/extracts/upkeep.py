"""What is done to releases once they are published: verified, rolled back, pruned, listed.

Belongs here: whole releases that stand. Not here: making one.

A person's rollbacks and prunings are logged beside the releases, a small file each, in ``v1/log/``.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from jgb_assets.extracts.store import (
    CHANGES_JSON,
    CHECKSUMS,
    DESCRIPTOR,
    LATEST,
    LOG,
    RELEASE_ID,
    RELEASES,
    SUMS,
    VIEWS,
    PublisherBusy,
    ReleaseRefused,
    Store,
    latest,
    to_json,
)

PARQUET = ".parquet"
KEPT = timedelta(days=90)
INSTANT = "%Y%m%dT%H%M%SZ"


def hashes_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """The sha256 of each file."""
    return {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}


def sums(hashes: Mapping[str, str]) -> bytes:
    """The content of ``SHA256SUMS``: a line a file, as ``sha256sum`` writes them, by name."""
    return "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items())).encode()


def released_at(release_id: str) -> datetime:
    """The instant in a release's name: the newest retrieval that went in, UTC."""
    return datetime.strptime(release_id.partition("-")[0], INSTANT).replace(tzinfo=UTC)


def verify(store: Store, release_id: str | None = None) -> list[str]:
    """Hash every byte of a release, or of all of them, and hold it against what the release says of itself.

    Returns:
        A sentence for each thing that is not as it was published; of all releases also where pointers lead.
    """
    if release_id is not None:
        return _damages(store, release_id)
    known = sorted(filter(RELEASE_ID.fullmatch, {name.split("/")[0] for name in store.names(RELEASES)}))
    return [
        *(problem for known_id in known for problem in _damages(store, known_id)),
        *_lost_pointers(store),
        *(f"{store.path(f'{LOG}/{name}')} is damaged" for name in _entries(store) if not _is_as_logged(store, name)),
    ]


def _damages(store: Store, release_id: str) -> list[str]:
    folder = f"{RELEASES}/{release_id}"
    bodies = {name: store.read(f"{folder}/{name}") for name in store.files(release_id)}
    if SUMS not in bodies and (older := _damages_of_old(store, folder, bodies)) is not None:
        return older
    if lacking := [name for name in (DESCRIPTOR, SUMS) if name not in bodies]:
        return [f"{store.path(folder)} is no whole release, or not yet: it has no {' and no '.join(lacking)}"]
    listed = bodies.pop(SUMS)
    found = hashes_of(bodies)
    if listed == sums(found):
        named = _short_hash(content_of(found)) == release_id.rpartition("-")[2]
        return [] if named else [f"{store.path(folder)} holds another content than its name says"]
    lines = listed.decode("latin-1").splitlines()
    expected = dict(line.split("  ", 1)[::-1] for line in lines if "  " in line)
    problems = [
        f"{store.path(f'{folder}/{name}')} {_difference(found.get(name), expected.get(name))}"
        for name in sorted(expected.keys() | found.keys())
        if found.get(name) != expected.get(name)
    ]
    return problems or [f"{store.path(f'{folder}/{SUMS}')} is damaged"]


def _damages_of_old(store: Store, folder: str, bodies: Mapping[str, bytes]) -> list[str] | None:
    """Of a release from before there were sums, by the hashes of its descriptor; None if it is not one."""
    try:
        package = json.loads(bodies.get(DESCRIPTOR, b"{}"))
    except ValueError:
        return None
    if CHECKSUMS in package or "resources" not in package:
        return None
    hashes = {resource["path"]: resource["hash"] for resource in package["resources"]}
    return [
        f"{store.path(f'{folder}/{name}')} is damaged: its hash is not the one in {DESCRIPTOR}"
        for name, expected in hashes.items()
        if f"sha256:{hashlib.sha256(bodies.get(name, b'')).hexdigest()}" != expected
    ]


def _difference(found: str | None, expected: str | None) -> str:
    if found is None:
        return f"is missing: {SUMS} lists it"
    if expected is None:
        return f"is not listed in {SUMS}"
    return f"is damaged: its hash is not the one in {SUMS}"


def content_of(hashes: Mapping[str, str]) -> bytes:
    """What a release is named after: its Parquet files' names and hashes."""
    files = sorted((name.removesuffix(PARQUET), sha256) for name, sha256 in hashes.items() if name.endswith(PARQUET))
    return "".join(f"{name} {sha256}\n" for name, sha256 in files).encode()


def _lost_pointers(store: Store) -> list[str]:
    """Whether ``current`` and ``latest.json`` lead to the same whole release."""
    known = store.releases()
    try:
        current = store.current()
    except ReleaseRefused as damaged:
        return [str(damaged)]
    if current is None:
        return [f"{store.path(store.pointer)} is missing"] if known else []
    problems = []
    if current not in known:
        problems.append(f"{store.path(store.pointer)} leads to {current}, which is no whole release")
    if not store.holds(LATEST, to_json(latest(current))):
        problems.append(f"{store.path(LATEST)} does not name {current}, which readers have")
    if store.viewed() != current:
        problems.append(f"{store.path(VIEWS)} does not read {current}, which readers have")
    return problems


def rollback(store: Store, at: datetime, release_id: str | None = None) -> str:
    """Give readers a release that stands, and keep what they had from being published again by itself.

    Args:
        store: where releases stand.
        at: now, for the log.
        release_id: which; None for the one that the current release took the place of.

    Returns:
        The release that readers have now.

    Raises:
        ReleaseRefused: there is no such release, or it is damaged.
        PublisherBusy: a publisher is at work.
    """
    with store.publishing():
        current, known = store.current(), store.releases()
        target = _before(store, current) if release_id is None else release_id
        if target is None or target not in known:
            wanted = f"there is no release {target}" if target else f"nothing is known to have stood before {current}"
            raise ReleaseRefused(f"{wanted} in {store.location}; there are {', '.join(known) or 'none'}. Name one.")
        if problems := verify(store, target):
            raise ReleaseRefused(f"{target} is damaged: {'; '.join(problems)}. Choose another.")
        if target == current:
            store.switch(target)  # a killed rollback may have left the other pointers behind
            return target
        name = _log(store, {"at": at, "action": "rollback", "from": current, "to": target})
        try:
            store.switch(target)
        except PublisherBusy:
            store.delete(name)
            raise
    return target


def _before(store: Store, release_id: str | None) -> str | None:
    """What readers had before a release was first published, past what they were rolled back from."""
    while release_id is not None:
        try:
            changes = json.loads(store.read(f"{RELEASES}/{release_id}/{CHANGES_JSON}"))
        except FileNotFoundError:
            return None
        release_id = changes["previous_release_id"]
        if release_id is None or not is_held_back(store, release_id):
            return release_id
    return None


def is_held_back(store: Store, release_id: str) -> bool:
    """Whether readers were rolled back from a release, and not to it since.

    Going back to what was held back lifts that, and says nothing against the release that readers had meanwhile. A
    release that readers have is not held back: its rollback was killed between log and switch.
    """
    held: set[str | None] = set()
    for entry in read_log(store):
        if entry["action"] == "rollback":
            held = held - {entry["to"]} if entry["to"] in held else held | {entry["from"]}
    return release_id in held and store.current() != release_id


def prune(store: Store, at: datetime) -> list[str]:
    """Remove old releases: those of the 90 days before the newest stay, of the others the last of each month (UTC).

    What readers have stays in any case. The days are counted from the newest release: where nothing is published,
    nothing expires.

    Args:
        store: where releases stand.
        at: now, for the log.

    Returns:
        The releases that were removed, oldest first.
    """
    with store.publishing():
        known = store.releases()
        shown = [release_id for release_id in known if not is_held_back(store, release_id)]
        month_ends = {f"{released_at(release_id):%Y-%m}": release_id for release_id in shown}
        kept = {*month_ends.values(), store.current()}
        removed = [
            release_id
            for release_id in known
            if release_id not in kept and released_at(known[-1]) - released_at(release_id) > KEPT
        ]
        if removed:
            _log(store, {"at": at, "action": "prune", "removed": removed})
        for release_id in removed:
            if store.current() == release_id:
                raise PublisherBusy(f"readers of {store.location} were given {release_id} meanwhile; it stays.")
            store.remove(release_id)
    return removed


def read_log(store: Store) -> list[dict[str, Any]]:
    """What people did, oldest first: at, action, and from and to, or removed.

    Raises:
        ReleaseRefused: an entry is not as it was written. What it says decides what readers get.
    """
    for name in _entries(store):
        if not _is_as_logged(store, name):
            raise ReleaseRefused(
                f"{store.path(f'{LOG}/{name}')} is damaged. Restore it, or remove it if it is not ours."
            )
    return [json.loads(store.read(f"{LOG}/{name}")) for name in _entries(store)]


def _entries(store: Store) -> list[str]:
    return [name for name in store.names(LOG) if name.endswith(".json")]


def _log(store: Store, entry: dict[str, Any]) -> str:
    number = max((int(name.partition("-")[0]) for name in _entries(store)), default=0) + 1
    body = to_json(entry)
    name = f"{LOG}/{number:06}-{entry['at']:{INSTANT}}-{entry['action']}-{_short_hash(body)}.json"
    store.write(name, body)
    return name


def _is_as_logged(store: Store, name: str) -> bool:
    return name.endswith(f"-{_short_hash(store.read(f'{LOG}/{name}'))}.json")


def _short_hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:8]
