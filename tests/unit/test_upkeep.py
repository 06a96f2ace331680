"""Looking after what is published: what prune keeps, where rollback leads, and what verify finds."""

import json
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from jgb_assets.extracts.__main__ import main
from jgb_assets.extracts.release import ReleaseRefused
from jgb_assets.extracts.store import FolderStore, PublisherBusy, store_at
from jgb_assets.extracts.upkeep import prune, rollback, verify
from tests.conftest import environment, tree
from tests.faults.publishing import (
    FILES,
    NAMES,
    generation_in,
    generation_of_whole,
    publish_from,
    publish_generation,
    warehouse,
)

AT = datetime(2026, 8, 1, 6, 30, tzinfo=UTC)
UNKNOWN = "20250101T000000Z-00000000"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with the generations 1, 2 and 3. Read only: a test works on a copy."""
    root = tmp_path_factory.mktemp("three") / "publish"
    for generation in (1, 2, 3):
        publish_generation(store_at(root), generation)
    return root


@pytest.fixture
def root(three: Path, tmp_path: Path) -> Path:
    # the views name their files in full, so publish writes them anew where the copy stands
    copied = Path(shutil.copytree(three, tmp_path / "publish", symlinks=True))
    (copied / "v1" / "jgb.duckdb").unlink()
    publish_generation(store_at(copied), 3)
    return copied


def releases(root: Path) -> list[str]:
    return store_at(root).releases()


def state(root: Path) -> dict[str, bytes]:
    """All that is published, but for the lock."""
    return {name: body for name, body in tree(root).items() if not name.endswith(".lock")}


def everybody_sees(root: Path) -> int:
    """The generation that link, latest.json and views agree on."""
    v1 = root / "v1"
    target = str((v1 / "current").readlink())
    assert json.loads((v1 / "latest.json").read_text()) == {
        "release_id": target.removeprefix("releases/"),
        "path": target,
    }
    generation = generation_of_whole(v1 / target)
    with duckdb.connect(v1 / "jgb.duckdb", read_only=True) as views:
        assert generation_in([views.table(name).to_arrow_table() for name in NAMES]) == generation
    return generation


# prune


def release_id_of(instant: str, number: int = 0) -> str:
    return f"{instant.replace('-', '').replace(':', '')}-{number:08x}"


def place_of(root: Path, instants: list[str], three: Path) -> list[str]:
    """A place with a release for each instant, the last one current; their ids."""
    release_ids = [release_id_of(instant, number) for number, instant in enumerate(instants)]
    model = three / "v1" / "releases" / releases(three)[-1]
    for release_id in release_ids:
        shutil.copytree(model, root / "v1" / "releases" / release_id)
    store_at(root).switch(release_ids[-1])
    return release_ids


def left_by_prune(root: Path) -> list[str]:
    """Prunes; the instants of the releases that are left. What was not removed is as it was."""
    before, known = state(root), releases(root)
    removed = prune(store_at(root), AT)
    after = state(root)
    gone = {Path(name).parts[2] for name in before.keys() - after.keys()}
    assert gone == set(removed)
    assert len(gone) == len(removed)
    assert all(Path(name).parts[:2] == ("v1", "releases") for name in before.keys() - after.keys())
    assert {name: body for name, body in before.items() if name in after} == {
        name: body for name, body in after.items() if name in before
    }
    assert all(Path(name).parts[:2] == ("v1", "log") for name in after.keys() - before.keys())
    assert {path.name for path in (root / "v1" / "releases").iterdir()} == set(known) - gone
    assert prune(store_at(root), AT) == []
    return [release_id.split("-")[0] for release_id in releases(root)]


def test_prune_keeps_ninety_days_and_the_last_of_each_month(three: Path, tmp_path: Path) -> None:
    """200 days to 30 May 2024, over a year's turn and a leap day; on some days a correction at noon."""
    newest = datetime(2024, 5, 30, 0, 35, tzinfo=UTC)
    days = [f"{newest - timedelta(days=back):%Y-%m-%d}" for back in range(200, -1, -1)]
    twice = {"2023-11-30", "2023-12-30", "2023-12-31", "2024-02-28", "2024-02-29", "2024-03-01", "2024-05-29"}
    instants = [f"{day}T{at}Z" for day in days for at in ["00:35:00", *(["12:00:00"] if day in twice else [])]]
    place_of(tmp_path, instants, three)
    assert days[0] == "2023-11-12"
    recent = [release_id_of(instant).split("-")[0] for instant in instants if instant >= "2024-03-01"]
    assert len(recent) == 91 + 2
    assert left_by_prune(tmp_path) == [
        "20231130T120000Z",
        "20231231T120000Z",
        "20240131T003500Z",
        "20240229T120000Z",
        *recent,
    ]


def test_ninety_days_are_counted_to_the_second_and_from_the_newest_release(three: Path, tmp_path: Path) -> None:
    place_of(
        tmp_path,
        [
            "2024-03-16T00:35:00Z",
            "2024-03-17T00:34:59Z",
            "2024-03-17T00:34:59Z",
            "2024-03-17T00:35:00Z",
            "2024-03-17T00:35:00Z",
            "2024-06-15T00:35:00Z",
        ],
        three,
    )
    left = left_by_prune(tmp_path)
    assert left.count("20240317T003500Z") == 2
    assert left.count("20240317T003459Z") <= 1
    assert "20240316T003500Z" not in left


def test_a_months_end_is_told_in_utc_and_needs_not_be_its_last_day(three: Path, tmp_path: Path) -> None:
    place_of(
        tmp_path,
        [
            "2022-12-30T08:00:00Z",
            "2023-01-10T00:00:00Z",
            "2023-01-27T23:59:59Z",
            "2023-02-01T00:00:00Z",
            "2023-02-28T15:00:00Z",
            "2023-02-28T23:59:59Z",
            "2024-01-15T00:00:00Z",
            "2024-06-01T00:00:00Z",
        ],
        three,
    )
    assert left_by_prune(tmp_path) == [
        "20221230T080000Z",
        "20230127T235959Z",
        "20230228T235959Z",
        "20240115T000000Z",
        "20240601T000000Z",
    ]


def test_what_readers_have_is_kept_however_old(three: Path, tmp_path: Path) -> None:
    instants = ["2023-05-10T00:00:00Z", "2023-05-11T00:00:00Z", "2023-05-31T00:00:00Z", "2024-06-01T00:00:00Z"]
    old, *_ = place_of(tmp_path, instants, three)
    store_at(tmp_path).switch(old)
    assert left_by_prune(tmp_path) == ["20230510T000000Z", "20230531T000000Z", "20240601T000000Z"]
    assert store_at(tmp_path).current() == old


def test_prune_names_in_its_log_what_it_removed(three: Path, tmp_path: Path) -> None:
    release_ids = place_of(tmp_path, ["2023-05-10T00:00:00Z", "2023-05-31T00:00:00Z", "2024-06-01T00:00:00Z"], three)
    assert prune(store_at(tmp_path), AT) == [release_ids[0]]
    (log,) = (tmp_path / "v1" / "log").iterdir()
    assert "20260801T063000Z-prune" in log.name
    text = json.dumps(json.loads(log.read_text()))
    assert all(word in text for word in ("prune", release_ids[0], "2026-08-01T06:30:00Z"))
    assert not any(kept in text for kept in release_ids[1:-1])


def test_nothing_to_prune_is_nothing_done(root: Path) -> None:
    before = state(root)
    assert prune(store_at(root), AT) == []
    assert state(root) == before


# rollback


def test_rollback_goes_to_the_release_before_and_says_so_in_its_log(root: Path) -> None:
    first, second, third = releases(root)
    before = state(root)
    assert rollback(store_at(root), AT) == second
    assert everybody_sees(root) == 2
    (log,) = (root / "v1" / "log").iterdir()
    assert "20260801T063000Z-rollback" in log.name
    told = json.loads(log.read_text())
    assert {"rollback", second, third, "2026-08-01T06:30:00Z"} <= set(told.values())
    assert json.dumps(told).count(first) == 0
    after = state(root)
    assert {name for name in before | after if before.get(name) != after.get(name)} == {
        "v1/current",
        "v1/latest.json",
        "v1/jgb.duckdb",
        f"v1/log/{log.name}",
    }
    assert verify(store_at(root)) == []


def test_rollback_goes_one_back_at_a_time_until_there_is_no_older_one(root: Path) -> None:
    first, second, _ = releases(root)
    assert rollback(store_at(root), AT) == second
    assert rollback(store_at(root), AT + timedelta(hours=1)) == first
    assert everybody_sees(root) == 1
    before = state(root)
    with pytest.raises(ReleaseRefused, match=r"\w"):
        rollback(store_at(root), AT + timedelta(hours=2))
    assert state(root) == before
    assert len(list((root / "v1" / "log").iterdir())) == 2


def test_rollback_goes_where_it_is_told(root: Path) -> None:
    first, _, third = releases(root)
    assert rollback(store_at(root), AT, first) == first
    assert everybody_sees(root) == 1
    assert rollback(store_at(root), AT + timedelta(hours=1), third) == third
    assert everybody_sees(root) == 3
    assert releases(root) == [first, _, third]


def test_rollback_to_what_is_not_there_is_refused(root: Path) -> None:
    before = state(root)
    with pytest.raises(ReleaseRefused, match=UNKNOWN):
        rollback(store_at(root), AT, UNKNOWN)
    assert state(root) == before


@pytest.mark.parametrize("file", sorted(FILES))
@pytest.mark.parametrize("damage", ["flipped", "missing"])
def test_rollback_to_a_damaged_release_is_refused(root: Path, file: str, damage: str) -> None:
    _, second, _ = releases(root)
    path = root / "v1" / "releases" / second / file
    if damage == "missing":
        path.unlink()
    else:
        flip(path, random.Random(file))
    before = state(root)
    with pytest.raises(ReleaseRefused, match=second):
        rollback(store_at(root), AT, second)
    assert state(root) == before
    assert everybody_sees(root) == 3


def test_rollback_and_prune_wait_for_no_publisher(root: Path) -> None:
    before = state(root)
    with store_at(root).publishing():
        with pytest.raises(PublisherBusy):
            rollback(store_at(root), AT)
        with pytest.raises(PublisherBusy):
            prune(store_at(root), AT)
        assert state(root) == before
    assert everybody_sees(root) == 3


def test_what_was_rolled_back_from_is_held_back(root: Path) -> None:
    rollback(store_at(root), AT)
    before = state(root)
    for _ in range(2):
        again = publish_generation(store_at(root), 3)
        assert "held back" in again.news
        assert not again.is_new
        assert not again.is_switched
        assert state(root) == before
    current = publish_generation(store_at(root), 2)
    assert "held back" not in current.news
    assert state(root) == before


def test_new_content_after_a_rollback_is_published(root: Path) -> None:
    rollback(store_at(root), AT)
    new = publish_generation(store_at(root), 4)
    assert new.is_new
    assert new.is_switched
    assert "held back" not in new.news
    assert everybody_sees(root) == 4
    changes = json.loads((root / "v1" / "current" / "changes.json").read_text())
    assert changes["previous_release_id"] == releases(root)[1], "readers had the second"
    assert "held back" in publish_generation(store_at(root), 3).news
    assert everybody_sees(root) == 4


def test_rollback_to_what_was_rolled_back_from_lets_it_be_published_again(root: Path) -> None:
    _, second, third = releases(root)
    rollback(store_at(root), AT)
    rollback(store_at(root), AT + timedelta(hours=1), third)
    assert everybody_sees(root) == 3
    assert "held back" not in publish_generation(store_at(root), 3).news
    assert publish_generation(store_at(root), 4).is_switched
    assert publish_generation(store_at(root), 3).release_id == third
    assert everybody_sees(root) == 3, "not held back: it is switched to as any release"
    assert rollback(store_at(root), AT + timedelta(hours=2)) == second
    assert "held back" in publish_generation(store_at(root), 3).news
    assert everybody_sees(root) == 2


def test_a_rollback_that_died_before_its_switch_is_not_said_to_have_been(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(_: FolderStore, __: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(FolderStore, "switch", dying)
        with pytest.raises(KeyboardInterrupt):
            rollback(store_at(root), AT)
    assert everybody_sees(root) == 3
    assert publish_generation(store_at(root), 3).news == "unchanged: no published byte was written"
    assert publish_generation(store_at(root), 4).is_switched


def test_rollback_never_goes_to_what_readers_were_rolled_back_from(root: Path) -> None:
    _, second, third = releases(root)
    assert rollback(store_at(root), AT) == second
    publish_generation(store_at(root), 4)
    assert rollback(store_at(root), AT) == second, f"{third} is held back"


def test_releases_of_one_instant_are_rolled_back_in_the_order_in_which_readers_had_them(root: Path) -> None:
    """A formula is mended, then again: the names differ in the hash alone, which says nothing of time."""
    had = [releases(root)[-1]]
    for number in range(6):
        with warehouse(3) as connection:
            connection.execute("update toy_shape set slope_bp = slope_bp + ?", [0.001 * (number + 1)])
            had.append(publish_from(connection, store_at(root), 3).release_id)
    assert len({release_id.split("-")[0] for release_id in had}) == 1
    assert had != sorted(had)
    assert [rollback(store_at(root), AT) for _ in had[1:]] == had[-2::-1]


def test_what_readers_were_rolled_back_from_is_no_months_end(three: Path, tmp_path: Path) -> None:
    first, good, bad = (publish_generation(store_at(tmp_path), generation).release_id for generation in (1, 2, 3))
    rollback(store_at(tmp_path), AT)
    later = release_id_of("2026-07-01T00:35:00Z")
    shutil.copytree(tmp_path / "v1" / "releases" / bad, tmp_path / "v1" / "releases" / later)
    store_at(tmp_path).switch(later)
    assert prune(store_at(tmp_path), AT) == [first, bad]
    assert releases(tmp_path) == [good, later]


def test_a_release_from_before_there_were_sums_is_published_over_and_verified(root: Path) -> None:
    """The descriptor alone held hashes, and there were no changes."""
    old = root / "v1" / "releases" / releases(root)[-1]
    for file in ("SHA256SUMS", "CHANGES.md", "changes.json"):
        (old / file).unlink()
    package = json.loads((old / "datapackage.json").read_text())
    del package["checksums"]
    (old / "datapackage.json").write_text(json.dumps(package))
    assert verify(store_at(root)) == []
    body = (old / "toy_shape.parquet").read_bytes()
    (old / "toy_shape.parquet").write_bytes(body[:-9] + bytes([body[-9] ^ 1]) + body[-8:])
    assert any("toy_shape.parquet" in problem for problem in verify(store_at(root)))
    (old / "toy_shape.parquet").write_bytes(body)
    publish_generation(store_at(root), 4)
    assert everybody_sees(root) == 4
    changes = json.loads((root / "v1" / "current" / "changes.json").read_text())
    assert changes["previous_release_id"] == old.name


def test_a_release_that_lost_its_descriptor_is_not_taken_for_none(root: Path) -> None:
    (root / "v1" / "current" / "datapackage.json").unlink()
    before = state(root)
    for generation in (3, 4):
        with pytest.raises(ReleaseRefused, match=r"no whole release.* Move it out of the place"):
            publish_generation(store_at(root), generation)
    assert state(root) == before


# verify


def test_a_log_that_was_changed_is_found_and_not_followed(root: Path) -> None:
    rollback(store_at(root), AT)
    (entry,) = (root / "v1" / "log").iterdir()
    body = entry.read_text()
    entry.write_text(body.replace('"from"', '"frum"'))
    assert any(entry.name in problem for problem in verify(store_at(root)))
    before = state(root)
    with pytest.raises(ReleaseRefused, match=entry.name):
        publish_generation(store_at(root), 3)
    assert state(root) == before
    entry.write_text(body)
    assert verify(store_at(root)) == []


def flip(path: Path, dice: random.Random) -> bytes:
    """One bit of one byte; the bytes as they were."""
    body = path.read_bytes()
    flipped = bytearray(body)
    flipped[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
    path.write_bytes(bytes(flipped))
    return body


def test_a_whole_place_has_no_problems(root: Path) -> None:
    assert verify(store_at(root)) == []
    for release_id in releases(root):
        assert verify(store_at(root), release_id) == []


@pytest.mark.parametrize("file", sorted(FILES))
def test_verify_names_the_file_in_which_a_byte_is_flipped(root: Path, file: str) -> None:
    dice = random.Random(file)
    for number in range(24):
        release_id = releases(root)[number % 3]
        path = root / "v1" / "releases" / release_id / file
        body = flip(path, dice)
        for problems in (verify(store_at(root)), verify(store_at(root), release_id)):
            assert any(file in problem and release_id in problem for problem in problems), (number, problems)
        path.write_bytes(body)
    assert verify(store_at(root)) == []


def test_a_flipped_byte_anywhere_in_the_list_of_hashes_is_found(root: Path) -> None:
    """Capital letters in a hash, another blank, a lost line's end: none is taken for the same list."""
    release_id = releases(root)[0]
    path = root / "v1" / "releases" / release_id / "SHA256SUMS"
    body = path.read_bytes()
    for position in range(len(body)):
        mask = 0x20 if body[position : position + 1].isalpha() else 1 << position % 8
        path.write_bytes(body[:position] + bytes([body[position] ^ mask]) + body[position + 1 :])
        assert any("SHA256SUMS" in problem for problem in verify(store_at(root), release_id)), position


def test_a_flipped_byte_anywhere_in_latest_json_is_found(root: Path) -> None:
    path = root / "v1" / "latest.json"
    body = path.read_bytes()
    for position in range(len(body)):
        path.write_bytes(body[:position] + bytes([body[position] ^ 1 << position % 8]) + body[position + 1 :])
        assert any("latest.json" in problem for problem in verify(store_at(root))), position


@pytest.mark.parametrize("file", sorted(FILES))
def test_verify_names_the_file_that_is_missing(root: Path, file: str) -> None:
    release_id = releases(root)[-1]
    (root / "v1" / "releases" / release_id / file).unlink()
    for problems in (verify(store_at(root)), verify(store_at(root), release_id)):
        assert any(file in problem for problem in problems), problems


@pytest.mark.parametrize("file", ["toy_other.parquet", "notes.txt"])
def test_verify_names_the_file_that_does_not_belong(root: Path, file: str) -> None:
    release_id = releases(root)[1]
    (root / "v1" / "releases" / release_id / file).write_bytes(b"")
    assert verify(store_at(root), releases(root)[0]) == []
    for problems in (verify(store_at(root)), verify(store_at(root), release_id)):
        assert any(file in problem for problem in problems)


def test_verify_tells_a_file_from_another_releases(root: Path) -> None:
    """Both are whole files of ours, and each list of hashes is mended to match: the release's name is not."""
    first, second, _ = (root / "v1" / "releases" / release_id for release_id in releases(root))
    for file in FILES:
        shutil.copyfile(second / file, first / file)
    assert any(first.name in problem for problem in verify(store_at(root)))


def test_verify_finds_pointers_that_lead_nowhere_or_apart(root: Path) -> None:
    v1, ids = root / "v1", releases(root)
    link = v1 / "current"
    link.unlink()
    assert any("current" in problem for problem in verify(store_at(root)))
    link.symlink_to(f"releases/{UNKNOWN}")
    assert any("current" in problem for problem in verify(store_at(root)))
    link.unlink()
    link.symlink_to(f"releases/{ids[0]}")
    assert any("latest.json" in problem for problem in verify(store_at(root))), "it names the third"
    link.unlink()
    link.symlink_to(f"releases/{ids[-1]}")
    assert verify(store_at(root)) == []
    (v1 / "latest.json").unlink()
    assert any("latest.json" in problem for problem in verify(store_at(root)))


# the command line


def command(root: Path, *arguments: str, **variables: object) -> int:
    with environment(**{"publish_uri": root, "data_dir": root.parent / "data"} | variables):
        return main(list(arguments))


def test_list_has_a_line_a_release_and_marks_the_current_one(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(root, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    of = [[line for line in lines if release_id in line] for release_id in releases(root)]
    assert [len(found) for found in of] == [1, 1, 1]
    assert ["current" in found[0] for found in of] == [False, False, True]


def test_publish_is_below_the_data_folder_unless_said_otherwise(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(root, "list", publish_uri="", data_dir=tmp_path) == 0
    assert all(release_id in capsys.readouterr().out for release_id in releases(root)[:1])


def test_verify_ends_well_or_with_each_problem(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(root, "verify") == 0
    capsys.readouterr()
    flip(root / "v1" / "current" / "toy_shape.parquet", random.Random(1))
    (root / "v1" / "current" / "CHANGES.md").unlink()
    assert command(root, "verify") == 1
    streams = capsys.readouterr()
    printed = streams.out + streams.err
    assert all(problem in printed for problem in verify(store_at(root)))
    assert "toy_shape.parquet" in printed
    assert "CHANGES.md" in printed


def test_rollback_says_where_readers_are_or_why_they_stay(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, _ = releases(root)
    assert command(root, "rollback") == 0
    assert second in capsys.readouterr().out
    assert command(root, "rollback", first) == 0
    assert everybody_sees(root) == 1
    before = state(root)
    assert command(root, "rollback", UNKNOWN) == 1
    streams = capsys.readouterr()
    assert UNKNOWN in streams.out + streams.err
    assert command(root, "rollback") == 1
    assert state(root) == before


def test_prune_says_what_it_removed(three: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "publish"
    removed, *kept = place_of(root, ["2023-05-10T00:00:00Z", "2023-05-31T00:00:00Z", "2024-06-01T00:00:00Z"], three)
    assert command(root, "prune") == 0
    out = capsys.readouterr().out
    assert removed in out
    assert kept[0] not in out
    assert releases(root) == kept


def test_the_command_line_is_refused_while_a_publisher_is_at_work(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with store_at(root).publishing():
        assert command(root, "rollback") == 1
    assert "another publisher" in capsys.readouterr().err
    assert everybody_sees(root) == 3


def test_a_setting_that_is_wrong_is_neither_done_nor_a_problem(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("list", "verify", "rollback", "prune"):
        assert command(root, action, nonsense="1") == 2
        assert "JGB_NONSENSE" in capsys.readouterr().err
        assert command(root, action, publish_uri="gs://elsewhere/publish") == 2
    assert everybody_sees(root) == 3


def test_a_command_that_is_none_is_told_so(root: Path) -> None:
    with pytest.raises(SystemExit) as end:
        command(root, "republish")
    assert end.value.code == 2
