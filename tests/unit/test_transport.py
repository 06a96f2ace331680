"""The archive answers as the web did at its instants, and tells the time."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jgb_assets.landing.transport import ArchiveTransport, FetchFailed, transport_for
from jgb_assets.settings import BUNDLE, Settings, SettingsError

MARCH = datetime(2026, 3, 18, 20, 15, tzinfo=UTC)
MAY = datetime(2026, 5, 18, 20, 15, tzinfo=UTC)
JULY = datetime(2026, 7, 1, 0, 35, tzinfo=UTC)


def put(root: Path, path: str, body: bytes = b"x") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    return file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three instants, made out of order."""
    put(tmp_path, "2026-07-01T003500Z/a.example/data/file.csv", b"july")
    put(tmp_path, "2026-03-18T201500Z/a.example/data/file.csv", b"march")
    put(tmp_path, "2026-05-18T201500Z/b.example/file.csv", b"may")
    return tmp_path


def test_a_url_is_host_and_path_under_the_instant(root: Path) -> None:
    response = ArchiveTransport(root).fetch("https://a.example/data/file.csv", MARCH)
    assert response is not None
    assert response.url == "https://a.example/data/file.csv"
    assert response.retrieved_at == MARCH
    assert response.body == b"march"
    assert response.last_modified is None


def test_the_same_url_answers_otherwise_at_another_instant(root: Path) -> None:
    transport = ArchiveTransport(root)
    bodies = [
        response and response.body
        for response in (transport.fetch("https://a.example/data/file.csv", at) for at in (MARCH, MAY, JULY))
    ]
    assert bodies == [b"march", None, b"july"]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a.example/get?year=2026&month=all", "a.example/get@year=2026&month=all"),
        (
            "https://a.example/x/y.csv?type=daily%20yield&_format=csv",
            "a.example/x/y.csv@type=daily%20yield&_format=csv",
        ),
        ("https://a.example/deep/er/file.txt", "a.example/deep/er/file.txt"),
        ("http://a.example/plain.txt", "a.example/plain.txt"),
        ("https://a.example:8443/file", "a.example:8443/file"),
    ],
)
def test_where_a_url_is_kept(root: Path, url: str, path: str) -> None:
    put(root, f"2026-03-18T201500Z/{path}", b"here")
    response = ArchiveTransport(root).fetch(url, MARCH)
    assert response is not None
    assert response.body == b"here"


def test_another_query_is_another_file(root: Path) -> None:
    put(root, "2026-03-18T201500Z/a.example/get@year=2026", b"2026")
    transport = ArchiveTransport(root)
    assert transport.fetch("https://a.example/get?year=2025", MARCH) is None
    assert transport.fetch("https://a.example/get", MARCH) is None


def test_what_is_offered_answers(root: Path) -> None:
    name = "a.example/rates.csv/2026/all@type=curve&value=2026&page&_format=csv"
    put(root, f"2026-03-18T201500Z/{name}", b"2026")
    put(root, f"2026-03-18T201500Z/{name}.sidecar.json", b"{}")
    transport = ArchiveTransport(root)
    url = "https://a.example/rates.csv/2026/all?type=curve&value=2026&page&_format=csv"
    assert transport.offered(MARCH) == {url, "https://a.example/data/file.csv"}
    response = transport.fetch(url, MARCH)
    assert response is not None
    assert response.body == b"2026"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/data/other.csv",
        "https://c.example/data/file.csv",
        "https://a.example/data",
        "https://a.example/",
    ],
)
def test_what_was_not_retrieved_is_none(root: Path, url: str) -> None:
    assert ArchiveTransport(root).fetch(url, MARCH) is None


def test_an_empty_body_was_retrieved(root: Path) -> None:
    put(root, "2026-03-18T201500Z/a.example/empty.csv", b"")
    response = ArchiveTransport(root).fetch("https://a.example/empty.csv", MARCH)
    assert response is not None
    assert response.body == b""


def test_instants_come_oldest_first_and_the_last_is_now(root: Path) -> None:
    transport = ArchiveTransport(root)
    assert transport.instants() == [MARCH, MAY, JULY]
    assert transport.now() == JULY
    assert all(at.tzinfo is UTC for at in transport.instants())


@pytest.mark.parametrize(
    ("as_of", "count"),
    [
        (MARCH - timedelta(microseconds=1), 0),
        (MARCH, 1),
        (MAY - timedelta(seconds=1), 1),
        (MAY, 2),
        (JULY, 3),
        (JULY + timedelta(days=400), 3),
    ],
)
def test_as_of_is_the_clock_and_cuts_the_instants(root: Path, as_of: datetime, count: int) -> None:
    transport = ArchiveTransport(root, as_of)
    assert transport.now() == as_of
    assert transport.instants() == [MARCH, MAY, JULY][:count]


def test_a_sidecar_says_when_the_publisher_modified_the_file(root: Path) -> None:
    stamp = "Thu, 02 Jul 2026 00:31:07 GMT"
    sidecar = {"last_modified": stamp, "title": "more is welcome"}
    put(root, "2026-07-01T003500Z/a.example/data/file.csv.sidecar.json", json.dumps(sidecar).encode())
    put(root, "2026-03-18T201500Z/a.example/data/file.csv.sidecar.json", b'{"last_modified": null}')
    transport = ArchiveTransport(root)
    responses = [transport.fetch("https://a.example/data/file.csv", at) for at in (JULY, MARCH)]
    assert [response and response.last_modified for response in responses] == [stamp, None]


def test_dot_folders_and_plain_files_are_ignored(root: Path) -> None:
    put(root, ".git/config")
    put(root, ".2026-08-01T003500Z/a.example/data/file.csv")
    put(root, "README.md")
    put(root, "2026-08-01T003500Z.tar")
    assert ArchiveTransport(root).instants() == [MARCH, MAY, JULY]


@pytest.mark.parametrize(
    "name", ["latest", "2026-05-18", "2026-05-18T20:15:00Z", "2026-05-18T201500", "20260518T201500Z"]
)
def test_a_folder_named_otherwise_stops_the_run(root: Path, name: str) -> None:
    (root / name).mkdir()
    with pytest.raises(SettingsError, match=name):
        ArchiveTransport(root)


def test_a_missing_folder_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere.*JGB_ARCHIVE_DIR"):
        ArchiveTransport(tmp_path / "nowhere")


def test_a_file_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"file\.zip"):
        ArchiveTransport(put(tmp_path, "file.zip"))


def test_an_archive_without_instants_stops_the_run(tmp_path: Path) -> None:
    put(tmp_path, "README.md")
    (tmp_path / ".git").mkdir()
    with pytest.raises(SettingsError, match="JGB_ARCHIVE_DIR"):
        ArchiveTransport(tmp_path)


def test_the_settings_choose_the_archive_and_its_clock(root: Path) -> None:
    settings = Settings.from_environment({"JGB_ARCHIVE_DIR": str(root), "JGB_AS_OF": "2026-05-19T05:15:00+09:00"})
    transport = transport_for(settings)
    assert transport.now() == MAY
    assert transport.instants() == [MARCH, MAY]


def test_the_default_archive_is_the_bundle() -> None:
    names = sorted(path.name for path in BUNDLE.iterdir() if not path.name.startswith("."))
    transport = transport_for(Settings.from_environment({}))
    assert [f"{at:%Y-%m-%dT%H%M%SZ}" for at in transport.instants()] == names


def test_live_is_never_answered_from_the_archive(root: Path) -> None:
    """No rule names a host here, so nothing can be reached; the archive has the file."""
    settings = Settings.from_environment({"JGB_TRANSPORT": "live", "JGB_ARCHIVE_DIR": str(root)})
    transport = transport_for(settings)
    with pytest.raises(FetchFailed, match=r"no answer from https://www\.mof\.go\.jp/"):
        transport.fetch("https://www.mof.go.jp/jgbs/reference/interest_rate/jgbcm.csv", transport.now())


def test_live_has_no_past() -> None:
    with pytest.raises(SettingsError, match=r"JGB_AS_OF.*JGB_ARCHIVE_DIR"):
        Settings.from_environment({"JGB_TRANSPORT": "live", "JGB_AS_OF": "2026-05-10T00:00:00Z"})


def test_a_folder_named_for_a_day_that_never_was_is_refused(tmp_path: Path) -> None:
    (tmp_path / "2026-13-45T000000Z").mkdir()
    with pytest.raises(SettingsError, match="2026-13-45T000000Z"):
        ArchiveTransport(tmp_path)


@pytest.mark.parametrize("name", ["2026-07-14T2025Z", "2026-7-14T202500Z", "2026-07-14T20250Z"])
def test_a_name_that_only_resembles_an_instant_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(SettingsError, match=name):
        ArchiveTransport(tmp_path)
