"""A reader sees the old file or the new one."""

import os
from pathlib import Path

import pytest

from jgb_assets.files import write_atomically


def test_a_file_is_made_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.bin"
    write_atomically(path, b"\x00\xff\r\n")
    assert path.read_bytes() == b"\x00\xff\r\n"


@pytest.mark.parametrize("body", [b"", b"short", b"longer than what stood there before"])
def test_content_is_replaced_whole(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "file.bin"
    write_atomically(path, b"what stood there")
    write_atomically(path, body)
    assert path.read_bytes() == body
    assert list(tmp_path.iterdir()) == [path]


def test_who_has_the_old_file_open_keeps_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    write_atomically(path, b"old content")
    with path.open("rb") as reader:
        assert reader.read(4) == b"old "
        write_atomically(path, b"NEW CONTENT")
        assert reader.read() == b"content"


def test_others_may_read_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file.bin", b"x")
    assert (tmp_path / "file.bin").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_failure_leaves_nothing_behind_and_the_old_content_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, step: str
) -> None:
    path = tmp_path / "file.bin"
    write_atomically(path, b"old")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    with pytest.raises(type(error)):
        write_atomically(tmp_path / "other.bin", b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_visible_before_it_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.bin"
    write_atomically(path, b"old")
    seen = []
    replace = os.replace

    def look(source: str, target: Path) -> None:
        seen.append((Path(source).parent, Path(source).read_bytes(), Path(target).read_bytes()))
        replace(source, target)

    monkeypatch.setattr(os, "replace", look)
    write_atomically(path, b"new")
    assert seen == [(tmp_path, b"new", b"old")]
