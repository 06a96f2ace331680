"""What a run may be told, and that anything else stops it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jgb_assets.settings import BUNDLE, Settings, SettingsError

REPOSITORY = Path(__file__).parents[2]
SHA = "0123456789abcdef" * 4


def read(**variables: str) -> Settings:
    return Settings.from_environment(variables)


def test_defaults_need_no_environment() -> None:
    settings = read()
    assert settings.data_dir == REPOSITORY / "data"
    assert settings.transport == "archive"
    assert settings.archive_dir == REPOSITORY / "jgb_assets" / "bundle" / "archive" == BUNDLE
    assert settings.as_of is None
    assert settings.as_of_utc is None
    assert settings.publish_location == str(REPOSITORY / "data" / "publish")
    assert settings.accept_sha256 == frozenset()


def test_the_default_archive_is_there() -> None:
    assert any(path.is_file() for path in read().archive_dir.rglob("*"))


def test_other_variables_of_the_environment_are_none_of_our_business() -> None:
    assert read(HOME="/root", DAGSTER_HOME="/x", MYJGB_DATA_DIR="/y") == read()


def test_the_process_environment_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JGB_DATA_DIR", str(tmp_path))
    assert Settings.from_environment().data_dir == tmp_path


def test_every_folder_follows_the_data_folder() -> None:
    settings = read(JGB_DATA_DIR="/srv/jgb")
    assert settings.data_dir == Path("/srv/jgb")
    assert settings.snapshots_dir == Path("/srv/jgb/snapshots")
    assert settings.quarantine_dir == Path("/srv/jgb/quarantine")
    assert settings.changelog_dir == Path("/srv/jgb/changelog")
    assert settings.warehouse_path == Path("/srv/jgb/warehouse.duckdb")
    assert settings.publish_location == "/srv/jgb/publish"


def test_each_variable_is_read() -> None:
    assert read(JGB_TRANSPORT="live").transport == "live"
    assert read(JGB_ARCHIVE_DIR="/srv/archive").archive_dir == Path("/srv/archive")
    assert read(JGB_PUBLISH_URI="/srv/out").publish_location == "/srv/out"
    assert read(JGB_AS_OF="2026-05-10T00:00:00Z").as_of_utc == datetime(2026, 5, 10, tzinfo=UTC)
    assert read(JGB_ACCEPT_SHA256=SHA).accept_sha256 == {SHA}


def test_an_offset_from_utc_is_converted() -> None:
    as_of = read(JGB_AS_OF="2026-05-10T09:00:00+09:00").as_of_utc
    assert as_of == datetime(2026, 5, 10, tzinfo=UTC)
    assert as_of is not None
    assert as_of.tzinfo is UTC


@pytest.mark.parametrize("text", [f"{SHA},{SHA[::-1]}", f" {SHA} , {SHA[::-1]}\n", f"{SHA} {SHA[::-1]},"])
def test_accepted_hashes_are_separated_by_commas_or_blanks(text: str) -> None:
    assert read(JGB_ACCEPT_SHA256=text).accept_sha256 == {SHA, SHA[::-1]}


def test_relative_paths_stand_on_the_folder_that_they_were_given_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read(JGB_DATA_DIR="./d", JGB_ARCHIVE_DIR="a/b", JGB_PUBLISH_URI="p")
    before = settings.data_dir, settings.archive_dir
    assert before == (tmp_path / "d", tmp_path / "a" / "b")
    assert settings.publish_location == str(tmp_path / "p")
    monkeypatch.chdir("/")
    assert (settings.data_dir, settings.archive_dir) == before


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = read(JGB_DATA_DIR="~/jgb", JGB_PUBLISH_URI="~/out")
    assert settings.data_dir == tmp_path / "jgb"
    assert settings.publish_location == str(tmp_path / "out")


@pytest.mark.parametrize("name", ["DATA_DIR", "TRANSPORT", "ARCHIVE_DIR", "AS_OF", "PUBLISH_URI", "ACCEPT_SHA256"])
def test_an_empty_variable_is_the_default(name: str) -> None:
    assert read(**{f"JGB_{name}": ""}) == read()


@pytest.mark.parametrize("name", ["JGB_DATADIR", "JGB_AS_OF_UTC", "JGB_AS_OF_UTC ", "JGB_SNAPSHOTS_DIR", "JGB_"])
def test_an_unknown_name_raises_naming_it(name: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(name + "=")):
        read(**{name: "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JGB_TRANSPORT", "http"),
        ("JGB_TRANSPORT", "Archive"),
        ("JGB_AS_OF", "yesterday"),
        ("JGB_AS_OF", "2026-05-10"),
        ("JGB_AS_OF", "2026-05-10T00:00:00"),  # in whose zone?
        ("JGB_AS_OF", "2026-02-30T00:00:00Z"),
        ("JGB_PUBLISH_URI", "s3://"),
        ("JGB_PUBLISH_URI", "s3:///prefix"),
        ("JGB_PUBLISH_URI", "s3://bucket//prefix"),
        ("JGB_PUBLISH_URI", "s3:/bucket/prefix"),
        ("JGB_PUBLISH_URI", "/srv/what?"),
        ("JGB_PUBLISH_URI", "gs://bucket/prefix"),
        ("JGB_ACCEPT_SHA256", "abc"),
        ("JGB_ACCEPT_SHA256", f"{SHA},{SHA}0"),
        ("JGB_ACCEPT_SHA256", SHA.upper()),
    ],
)
def test_a_bad_value_raises_naming_the_variable_and_the_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(**{name: value})
    assert name in str(error.value)
    assert value.rsplit(",", maxsplit=1)[-1] in str(error.value)


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        read(JGB_TRANSPORT="pigeon", JGB_COLOUR="red", JGB_AS_OF="soon")
    assert all(name in str(error.value) for name in ("JGB_TRANSPORT", "JGB_COLOUR", "JGB_AS_OF"))


def test_settings_do_not_change_during_a_run() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().transport = "live"


def test_the_example_lists_exactly_the_settings() -> None:
    listed = re.findall(r"^#? ?(JGB_\w+)=", (REPOSITORY / ".env.example").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == sorted(f"JGB_{name.upper()}" for name in Settings.model_fields)


def test_the_values_of_the_example_are_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    lines = re.findall(r"^#? ?(JGB_\w+)=(.*)$", (REPOSITORY / ".env.example").read_text(), flags=re.MULTILINE)
    settings = Settings.from_environment(dict(lines))
    assert settings.model_copy(update={"as_of": None}) == read()  # all but the instant are the defaults
    assert settings.as_of is not None


@pytest.mark.parametrize("name", ["JGB_data_dir", "JGB_Data_Dir"])
def test_a_name_in_lower_case_is_another_name(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({name: "/x"})


def test_an_instant_is_never_read_as_seconds() -> None:
    with pytest.raises(SettingsError, match="JGB_AS_OF"):
        Settings.from_environment({"JGB_AS_OF": "20260510"})


def test_releases_may_go_to_a_bucket() -> None:
    assert read(JGB_PUBLISH_URI="s3://bucket/prefix").publish_location == "s3://bucket/prefix"
