"""Releases on an object store, held against the same releases in a folder.

The server is moto's, an emulator, in this process on loopback. It knows S3's answers to conditional writes, not its load,
its latency or its rights. Who we are and where the endpoint is come from the environment alone, as the standard chain
of AWS reads it.
"""

import contextlib
import itertools
import logging
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

import jgb_assets
from jgb_assets.extracts.__main__ import main
from jgb_assets.extracts.read import NotPublished
from jgb_assets.extracts.release import ReleaseRefused
from jgb_assets.extracts.store import BucketStore, PublisherBusy, Store, StoreUnreachable, store_at
from jgb_assets.extracts.upkeep import prune, rollback, verify
from tests.conftest import environment, tree
from tests.faults.publishing import FILES, NAMES, generation_in, instant, publish_generation

PREFIX = "desk/publish"
AT = datetime(2026, 8, 1, 6, 30, tzinfo=UTC)
BUCKETS = itertools.count(1)
SERVER_LOG = logging.getLogger("werkzeug")
REQUEST = re.compile(r"(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP/")


class Requests(logging.Handler):
    """What the server was asked, in the order in which it answered."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if found := REQUEST.search(record.getMessage()):
            self.made.append((found[1], found[2]))

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [made for made in self.made if made[0] not in {"GET", "HEAD"}]


@dataclass(frozen=True)
class Bucket:
    """An empty bucket and a client that is not ours."""

    name: str
    client: Any

    @property
    def uri(self) -> str:
        return f"s3://{self.name}/{PREFIX}"

    @property
    def store(self) -> Store:
        return store_at(self.uri)

    def listed(self) -> dict[str, dict[str, Any]]:
        """Every object by its name below the prefix."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        found = [entry for page in pages for entry in page.get("Contents", [])]
        assert all(entry["Key"].startswith(f"{PREFIX}/") for entry in found)
        return {entry["Key"].removeprefix(f"{PREFIX}/"): entry for entry in found}

    def body(self, name: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.name, Key=f"{PREFIX}/{name}")["Body"].read())

    def put(self, name: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=f"{PREFIX}/{name}", Body=body)

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=f"{PREFIX}/{name}")

    def tree(self) -> dict[str, bytes]:
        return {name: self.body(name) for name in self.listed()}

    @contextlib.contextmanager
    def requests(self) -> Iterator[Requests]:
        handler = Requests()
        SERVER_LOG.addHandler(handler)
        SERVER_LOG.setLevel(logging.INFO)
        try:
            yield handler
        finally:
            SERVER_LOG.setLevel(logging.WARNING)
            SERVER_LOG.removeHandler(handler)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    SERVER_LOG.setLevel(logging.WARNING)  # hundreds of requests a test
    S3FileSystem.clear_instance_cache()  # they keep the endpoint of another module's server
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "toy",
        "AWS_SECRET_ACCESS_KEY": "toy",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    name = f"toys-{next(BUCKETS)}"
    client.create_bucket(Bucket=name)
    return Bucket(name, client)


def seen_by_readers(of: Bucket) -> int:
    return generation_in([jgb_assets.read(name, uri=of.uri, arrow=True) for name in NAMES])


def test_a_bucket_holds_byte_for_byte_what_a_folder_does(bucket: Bucket, tmp_path: Path) -> None:
    folder = store_at(tmp_path)
    for generation in (1, 2):
        there, here = publish_generation(bucket.store, generation), publish_generation(folder, generation)
        assert there.release_id == here.release_id
        assert there.is_new
        assert there.is_switched
    # a folder has besides the link, the views that lead to its files, and its lock
    local = {name: body for name, body in tree(tmp_path).items() if Path(name).parts[1] in {"latest.json", "releases"}}
    assert bucket.tree() == local
    assert bucket.store.releases() == folder.releases()
    assert bucket.store.current() == folder.current()
    for release_id in folder.releases():
        assert sorted(bucket.store.files(release_id)) == sorted(folder.files(release_id)) == sorted(FILES)
    assert verify(bucket.store) == []


def test_the_descriptor_is_a_releases_last_object_and_latest_json_the_last_of_all(bucket: Bucket) -> None:
    for generation in (1, 2):
        with bucket.requests() as requests:
            release_id = publish_generation(bucket.store, generation).release_id
        assert {verb for verb, _ in requests.changes} == {"PUT"}
        names = [path.removeprefix(f"/{bucket.name}/{PREFIX}/v1/") for _, path in requests.changes]
        assert names[-2:] == [f"releases/{release_id}/datapackage.json", "latest.json"]
        assert set(names[:-1]) == {f"releases/{release_id}/{file}" for file in FILES}
        assert len(set(names)) == len(names)


def test_content_that_stands_is_not_written_again(bucket: Bucket) -> None:
    first = publish_generation(bucket.store, 1)
    before = bucket.listed()
    with bucket.requests() as requests:
        again = publish_generation(bucket.store, 1)
    assert requests.made
    assert requests.changes == []
    assert (again.release_id, again.is_new, again.is_switched) == (first.release_id, False, False)
    assert bucket.listed() == before


class Died(BaseException):
    """The publisher's process ends here: nothing catches it."""


@pytest.mark.parametrize("after", [0, 1, len(FILES) - 1])
def test_a_publisher_that_dies_while_it_places_a_release_leaves_the_old_one(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    old = publish_generation(bucket.store, 1).release_id
    write, placed = BucketStore.write, 0

    def dying(self: BucketStore, name: str, body: bytes) -> None:
        nonlocal placed
        if placed == after:
            raise Died
        placed += 1
        write(self, name, body)

    with monkeypatch.context() as patched:
        patched.setattr(BucketStore, "write", dying)
        with pytest.raises(Died):
            publish_generation(bucket.store, 2)
    assert len(bucket.listed()) == len(FILES) + 1 + after
    assert bucket.store.releases() == [old]
    assert bucket.store.current() == old
    assert seen_by_readers(bucket) == 1
    new = publish_generation(bucket.store, 2)
    assert new.is_new
    assert new.is_switched
    assert seen_by_readers(bucket) == 2
    assert len(bucket.listed()) == 2 * len(FILES) + 1
    assert verify(bucket.store) == []


def test_a_publisher_that_dies_before_the_switch_leaves_readers_the_old_release(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = publish_generation(bucket.store, 1).release_id

    def dying(_: BucketStore, __: str) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(BucketStore, "switch", dying)
        with pytest.raises(Died):
            publish_generation(bucket.store, 2)
    assert bucket.store.current() == old
    assert seen_by_readers(bucket) == 1
    assert verify(bucket.store) == []
    again = publish_generation(bucket.store, 2)
    assert again.is_switched
    assert bucket.store.current() == again.release_id
    assert seen_by_readers(bucket) == 2


@pytest.mark.parametrize("published", [0, 1])
def test_who_finds_that_another_has_switched_meanwhile_gives_way(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, published: int
) -> None:
    """The other ends a whole release between this one's last file and its switch."""
    for generation in range(1, published + 1):
        publish_generation(bucket.store, generation)
    switch = BucketStore.switch
    winners: list[str] = []

    def overtaken(self: BucketStore, release_id: str) -> None:
        if not winners:
            winners.append("")  # the other's own switch is not overtaken
            winners[0] = publish_generation(bucket.store, 3).release_id
        switch(self, release_id)

    with monkeypatch.context() as patched:
        patched.setattr(BucketStore, "switch", overtaken)
        with pytest.raises(PublisherBusy, match="another publisher"):
            publish_generation(bucket.store, 2)
    assert bucket.store.current() == winners[0]
    assert seen_by_readers(bucket) == 3
    assert verify(bucket.store) == []
    assert publish_generation(bucket.store, 4).is_switched
    assert seen_by_readers(bucket) == 4


def test_a_rollback_that_was_overtaken_changed_nothing(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """What readers had when it began, and what it wanted to lead them from, may be published as before."""
    for generation in (1, 2):
        publish_generation(bucket.store, generation)
    switch = BucketStore.switch
    winners: list[str] = []

    def overtaken(self: BucketStore, release_id: str) -> None:
        if not winners:
            winners.append("")
            winners[0] = publish_generation(bucket.store, 3).release_id
        switch(self, release_id)

    with monkeypatch.context() as patched:
        patched.setattr(BucketStore, "switch", overtaken)
        with pytest.raises(PublisherBusy, match="another publisher"):
            rollback(bucket.store, AT)
    assert bucket.store.current() == winners[0]
    again = publish_generation(bucket.store, 2)
    assert "held back" not in again.news
    assert again.is_switched


@pytest.mark.parametrize("hours", [0, 2])
def test_half_a_release_is_cleared_away_once_it_can_be_nobodys_work(bucket: Bucket, hours: int) -> None:
    """Nobody has locked the bucket: a half release of now may be another's, one of two hours ago is a dead one's."""
    publish_generation(bucket.store, 1)
    half = publish_generation(bucket.store, 2).release_id
    rollback(bucket.store, AT)
    bucket.delete(f"v1/releases/{half}/datapackage.json")
    objects = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket.name].keys
    for key, stored in objects.items():
        if half in key:
            stored.last_modified -= timedelta(hours=hours)
    publish_generation(bucket.store, 3)
    assert any(half in name for name in bucket.listed() if "/log/" not in name) == (hours == 0)
    assert half not in bucket.store.releases()
    assert seen_by_readers(bucket) == 3


def test_readers_get_current_or_a_release_or_a_clear_no(bucket: Bucket) -> None:
    with pytest.raises(NotPublished, match=re.escape(bucket.uri)):
        jgb_assets.read("toy_yields", uri=bucket.uri)
    first, second = (publish_generation(bucket.store, generation).release_id for generation in (1, 2))
    assert set(jgb_assets.read("toy_yields", uri=bucket.uri)["generation"]) == {2}
    assert set(jgb_assets.read("toy_yields", uri=f"{bucket.uri}/")["generation"]) == {2}
    assert set(jgb_assets.read("toy_yields", release=first, uri=bucket.uri)["generation"]) == {1}
    table = jgb_assets.read("toy_shape", release=second, uri=bucket.uri, arrow=True)
    assert table["generation"].unique().to_pylist() == [2]
    with environment(publish_uri=bucket.uri):
        assert jgb_assets.read("toy_yields", release=first).equals(
            jgb_assets.read("toy_yields", release=first, uri=bucket.uri)
        )
    with pytest.raises(NotPublished, match="20250101T000000Z-00000000"):
        jgb_assets.read("toy_yields", release="20250101T000000Z-00000000", uri=bucket.uri)
    with pytest.raises(NotPublished, match="toy_yields") as error:
        jgb_assets.read("toy_yeilds", uri=bucket.uri)
    assert "toy_yeilds" in str(error.value)


def test_an_as_of_view_from_a_bucket_is_the_folders(bucket: Bucket, tmp_path: Path) -> None:
    for store in (bucket.store, store_at(tmp_path)):
        publish_generation(store, 1)
    as_of = "2025-12-05T09:35:00Z"
    there = jgb_assets.read("toy_yields", as_of=as_of, uri=bucket.uri)
    assert len(there) == 5 * 3
    assert there.equals(jgb_assets.read("toy_yields", as_of=as_of, uri=str(tmp_path)))


def test_verify_finds_a_flipped_byte_in_any_object(bucket: Bucket) -> None:
    release_ids = [publish_generation(bucket.store, generation).release_id for generation in (1, 2)]
    dice = random.Random(20260703)
    for release_id in release_ids:
        for file in sorted(FILES):
            name = f"v1/releases/{release_id}/{file}"
            body = bucket.body(name)
            flipped = bytearray(body)
            flipped[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
            bucket.put(name, bytes(flipped))
            problems = verify(bucket.store)
            assert any(file in problem and release_id in problem for problem in problems), (file, problems)
            bucket.put(name, body)
    assert verify(bucket.store) == []
    name = f"v1/releases/{release_ids[0]}/toy_shape.parquet"
    body = bucket.body(name)
    bucket.delete(name)
    assert any("toy_shape.parquet" in problem for problem in verify(bucket.store))
    bucket.put(name, body)
    bucket.put("v1/latest.json", bucket.body("v1/latest.json").replace(b"2026", b"2036"))
    assert any("latest.json" in problem for problem in verify(bucket.store))


def test_rollback_switches_and_is_logged(bucket: Bucket) -> None:
    first, second = (publish_generation(bucket.store, generation).release_id for generation in (1, 2))
    assert rollback(bucket.store, AT) == first
    assert bucket.store.current() == first
    assert seen_by_readers(bucket) == 1
    (log,) = [name for name in bucket.listed() if name.startswith("v1/log/")]
    assert "-rollback" in log
    assert all(word in bucket.body(log).decode() for word in ("rollback", first, second))
    held = publish_generation(bucket.store, 2)
    assert "held back" in held.news
    assert seen_by_readers(bucket) == 1
    assert rollback(bucket.store, AT + timedelta(hours=1), second) == second
    assert publish_generation(bucket.store, 2).release_id == second
    assert seen_by_readers(bucket) == 2
    assert verify(bucket.store) == []


def test_rollback_to_a_damaged_release_is_refused(bucket: Bucket) -> None:
    first, second = (publish_generation(bucket.store, generation).release_id for generation in (1, 2))
    bucket.put(f"v1/releases/{first}/toy_yields.parquet", b"PAR1")
    before = bucket.tree()
    with pytest.raises(ReleaseRefused, match=r"toy_yields\.parquet"):
        rollback(bucket.store, AT)
    assert bucket.tree() == before
    assert bucket.store.current() == second


def test_prune_takes_old_releases_away_as_wholes(bucket: Bucket) -> None:
    newest = publish_generation(bucket.store, 1).release_id
    source = {name: body for name, body in bucket.tree().items() if newest in name}
    # by days before the newest, of 6 January 2026: the month-ends of September and August, and days beside them
    old = {days: f"{instant(1) - timedelta(days=days):%Y%m%dT%H%M%SZ}-{days:08x}" for days in (1, 80, 98, 99, 128, 150)}
    for release_id in old.values():
        for name, body in source.items():
            bucket.put(name.replace(newest, release_id), body)
    before = bucket.tree()
    assert sorted(prune(bucket.store, AT)) == sorted([old[99], old[150]])
    after = bucket.tree()
    (log,) = after.keys() - before.keys()
    assert log.startswith("v1/log/")
    assert "-prune" in log
    assert {name.split("/")[2] for name in before.keys() - after.keys()} == {old[99], old[150]}
    assert all(after[name] == body for name, body in before.items() if name in after)
    assert bucket.store.releases() == sorted([newest, old[1], old[80], old[98], old[128]])
    assert seen_by_readers(bucket) == 1


def test_the_command_line_works_on_a_bucket(bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release_ids = [publish_generation(bucket.store, generation).release_id for generation in (1, 2)]
    with environment(publish_uri=bucket.uri, data_dir=tmp_path):
        assert main(["list"]) == 0
        lines = capsys.readouterr().out.splitlines()
        marked = [[line.replace(release_id, "") for line in lines if release_id in line] for release_id in release_ids]
        assert [len(of) for of in marked] == [1, 1]
        assert "current" in marked[1][0]
        assert "current" not in marked[0][0]
        assert main(["verify"]) == 0
        assert main(["rollback"]) == 0
        assert bucket.store.current() == release_ids[0]
        bucket.delete(f"v1/releases/{release_ids[1]}/CHANGES.md")
        assert main(["verify"]) == 1
        assert "CHANGES.md" in capsys.readouterr().out


def test_folder_objects_as_the_stores_own_pages_make_them_are_no_files(bucket: Bucket) -> None:
    release_id = publish_generation(bucket.store, 1).release_id
    for folder in ("v1/", "v1/releases/", f"v1/releases/{release_id}/", "v1/log/"):
        bucket.put(folder, b"")
    assert verify(bucket.store) == []
    assert bucket.store.releases() == [release_id]
    assert publish_generation(bucket.store, 2).is_switched


def test_a_switch_whose_answer_was_lost_is_done(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client asks again after a broken connection, and is told that what it wrote itself is in the way."""
    publish_generation(bucket.store, 1)
    ask = BucketStore._ask

    def twice(self: BucketStore, what: str, name: str, *arguments: object, **options: object) -> Any:
        done = ask(self, what, name, *arguments, **options)
        return ask(self, what, name, *arguments, **options) if "IfMatch" in options else done

    with monkeypatch.context() as patched:
        patched.setattr(BucketStore, "_ask", twice)
        assert publish_generation(bucket.store, 2).is_switched
    assert seen_by_readers(bucket) == 2


@pytest.mark.parametrize("trouble", ["no bucket", "wrong endpoint", "no credentials"])
def test_a_store_that_is_not_to_be_had_is_said_in_a_sentence(
    bucket: Bucket, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = bucket.uri
    if trouble == "no bucket":
        uri = uri.replace(bucket.name, "nobodys")
    elif trouble == "wrong endpoint":
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    else:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(StoreUnreachable, match=re.escape(uri)):
            publish_generation(store_at(uri), 1)
    finally:
        S3FileSystem.clear_instance_cache()
