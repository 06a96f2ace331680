"""Publishers' bytes are kept once, as they came, in the order in which they came."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from toy_source import PRICES_URL, WINDOW_URL, ToySource, World, csv, instant, sha256, snapshot

from jgb_assets.landing.snapshots import SnapshotStore
from jgb_assets.sources.base import SourceRejected

A = csv((1, "ball", 1.0))
B = csv((1, "ball", 2.0))
SOURCE = ToySource()


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "snapshots", tmp_path / "quarantine")


def files(folder: Path, suffix: str) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.name.endswith(suffix))


def test_a_source_of_which_nothing_arrived_has_no_records(store: SnapshotStore) -> None:
    assert store.records("toy") == []


def test_bytes_come_back_as_they_arrived(store: SnapshotStore) -> None:
    body = b"\xef\xbb\xbfday\r\n\x00\xff\n"
    record = store.add(SOURCE, snapshot("prices", body, instant(1)), None)
    assert store.read(record) == snapshot("prices", body, instant(1))
    assert store.read(store.records("toy")[0]).body == body


def test_bytes_stand_under_their_hash_with_the_files_suffix(store: SnapshotStore, tmp_path: Path) -> None:
    store.add(SOURCE, snapshot("prices", A, instant(1)), None)
    assert (tmp_path / "snapshots" / "toy" / f"{sha256(A)}.csv").read_bytes() == A


def test_the_sidecar_says_what_whose_when_and_under_which_licence(store: SnapshotStore, tmp_path: Path) -> None:
    stamp = "Thu, 02 Jul 2026 00:31:07 GMT"
    record = store.add(SOURCE, snapshot("window", A, instant(3), WINDOW_URL), stamp)
    (sidecar,) = files(tmp_path / "snapshots", ".json")
    assert sidecar.name == f"000001-20260603T003500Z-{sha256(A)[:12]}.json" == record.name
    assert json.loads(sidecar.read_text()) == {
        "sequence": 1,
        "source": "toy",
        "role": "window",
        "url": WINDOW_URL,
        "retrieved_at": "2026-06-03T00:35:00+00:00",
        "sha256": sha256(A),
        "bytes": len(A),
        "last_modified": stamp,
        "producer": "Toy Office",
        "licence": "Toy Licence 1.0",
        "citation": "Source: Toy Office",
        "file": f"{sha256(A)}.csv",
        "previous_retrieved_at": None,
    }
    assert store.records("toy") == [record]


def test_the_same_bytes_again_are_no_new_snapshot(tmp_path: Path) -> None:
    world = World(tmp_path)
    for number in (1, 2, 3):
        world.publish(instant(number), PRICES_URL, A)
    assert [record.retrieved_at for record in world.land().arrived] == [instant(1)]
    assert len(files(world.data / "snapshots", ".json")) == len(files(world.data / "snapshots", ".csv")) == 1


def test_bytes_that_come_back_are_three_arrivals_of_two_files(tmp_path: Path) -> None:
    world = World(tmp_path)
    for number, body in enumerate([A, B, A], start=1):
        world.publish(instant(number), PRICES_URL, body)
    records = world.land().records
    assert [(record.sequence, record.retrieved_at, record.sha256) for record in records] == [
        (1, instant(1), sha256(A)),
        (2, instant(2), sha256(B)),
        (3, instant(3), sha256(A)),
    ]
    assert len(files(world.data / "snapshots", ".json")) == 3
    assert {path.name for path in files(world.data / "snapshots", ".csv")} == {f"{sha256(A)}.csv", f"{sha256(B)}.csv"}
    assert [world.store.read(record).body for record in records] == [A, B, A]


def test_bytes_already_kept_are_not_written_again(store: SnapshotStore, tmp_path: Path) -> None:
    store.add(SOURCE, snapshot("prices", A, instant(1)), None)
    path = tmp_path / "snapshots" / "toy" / f"{sha256(A)}.csv"
    before = path.stat()
    store.add(SOURCE, snapshot("prices", A, instant(2)), None)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_older_instant_that_comes_later_takes_its_place_in_time(store: SnapshotStore) -> None:
    for number, body in [(1, b"first"), (5, b"fifth"), (3, b"third")]:
        store.add(SOURCE, snapshot("prices", body, instant(number)), None)
    records = store.records("toy")
    assert [record.retrieved_at for record in records] == [instant(1), instant(3), instant(5)]
    assert [record.sequence for record in records] == [1, 3, 2]
    assert [store.read(record).body for record in records] == [b"first", b"third", b"fifth"]


def test_at_one_instant_the_later_arrival_comes_last(store: SnapshotStore) -> None:
    for body in (b"9 before", b"1 after", b"5 at last"):
        store.add(SOURCE, snapshot("prices", body, instant(1)), None)
    assert [store.read(record).body for record in store.records("toy")] == [b"9 before", b"1 after", b"5 at last"]


def test_the_tenth_arrival_comes_after_the_ninth(store: SnapshotStore) -> None:
    for number in range(12):
        store.add(SOURCE, snapshot("prices", str(number).encode(), instant(1)), None)
    assert [record.sequence for record in store.records("toy")] == list(range(1, 13))


@pytest.mark.parametrize("damage", [lambda body: body[:-1], lambda body: b"X" + body[1:], lambda body: b""])
def test_a_damaged_byte_on_disk_raises_and_names_the_file(
    store: SnapshotStore, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    record = store.add(SOURCE, snapshot("prices", A, instant(1)), None)
    path = tmp_path / "snapshots" / "toy" / record.file
    path.write_bytes(damage(A))
    with pytest.raises(OSError, match=path.name):
        store.read(record)


def test_bytes_without_a_sidecar_never_arrived(store: SnapshotStore, tmp_path: Path) -> None:
    """A crash between the bytes and their sidecar: the next arrival of these bytes is a whole one."""
    folder = tmp_path / "snapshots" / "toy"
    folder.mkdir(parents=True)
    (folder / f"{sha256(A)}.csv").write_bytes(A)
    assert store.records("toy") == []
    assert store.read(store.add(SOURCE, snapshot("prices", A, instant(1)), None)).body == A


def test_quarantine_holds_the_bytes_and_the_reason(store: SnapshotStore, tmp_path: Path) -> None:
    refused = snapshot("prices", b"<html>", instant(2))
    rejection = SOURCE.rejected(refused, place="line 1", expected="a header", found="a page", remedy="look at it")
    path = store.quarantine(refused, rejection)
    assert path.read_bytes() == b"<html>"
    assert path.is_relative_to(tmp_path / "quarantine" / "toy")
    (reason,) = files(tmp_path / "quarantine", ".json")
    assert reason.with_suffix(".bytes") == path
    assert json.loads(reason.read_text()) == {
        "source": "toy",
        "role": "prices",
        "url": PRICES_URL,
        "retrieved_at": "2026-06-02T00:35:00+00:00",
        "sha256": sha256(b"<html>"),
        "bytes": 6,
        "place": "line 1",
        "expected": "a header",
        "found": "a page",
        "remedy": "look at it",
    }
    assert store.records("toy") == []
    assert not (tmp_path / "snapshots").exists()


def test_the_same_refusal_is_kept_once_and_another_beside_it(store: SnapshotStore, tmp_path: Path) -> None:
    def refuse(body: bytes, hours: int) -> None:
        refused = snapshot("prices", body, instant(2) + timedelta(hours=hours))
        store.quarantine(refused, SOURCE.rejected(refused, place="p", expected="e", found="f", remedy="r"))

    refuse(b"bad", 0)
    refuse(b"bad", 0)
    assert len(files(tmp_path / "quarantine", ".bytes")) == 1
    refuse(b"bad", 1)
    refuse(b"worse", 0)
    assert len(files(tmp_path / "quarantine", ".bytes")) == len(files(tmp_path / "quarantine", ".json")) == 3


def test_a_refusal_says_all_that_a_person_needs() -> None:
    refused = snapshot("prices", b"<html>", instant(2))
    text = str(
        SourceRejected(
            source="toy",
            role="prices",
            url=refused.url,
            place="line 7",
            expected="day",
            found="giorno",
            remedy="call them",
        )
    )
    assert all(part in text for part in ("toy", PRICES_URL, "line 7", "day", "giorno", "call them"))
