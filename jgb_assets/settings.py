"""Typed settings from the environment. ``.env.example`` lists each; an unknown name or value raises.

Belongs here: every ``JGB_*`` variable, its type and its default. Not here: anything that acts on one.
"""

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

REPOSITORY = Path(__file__).resolve().parent.parent
BUNDLE = Path(__file__).resolve().parent / "bundle" / "archive"
PREFIX = "JGB_"
SECRET = {"alert_webhook"}  # who knows it can write there: never shown
# The ministry serves clients that call themselves so; whoever runs it adds a way to be reached (JGB_USER_AGENT).
USER_AGENT = "Mozilla/5.0 (compatible; jgb-assets/0.1; official series once per publication)"


class SettingsError(ValueError):
    """A ``JGB_*`` variable that does not exist or has a value it may not have."""


def _absolute(value: object) -> object:
    return Path(value).expanduser().absolute() if isinstance(value, str) and value else value


def _instant(value: object) -> object:
    # pydantic alone would read a bare number as seconds since 1970
    if isinstance(value, str) and datetime.fromisoformat(value).tzinfo is None:
        raise ValueError("an instant needs its offset from UTC, such as 2026-05-10T00:00:00Z")
    return value


def _hashes(value: object) -> object:
    return frozenset(re.split(r"[\s,]+", value.strip())) - {""} if isinstance(value, str) else value


def _variable(field: str) -> str:
    return field if field.startswith(PREFIX) else PREFIX + field.upper()


def place_of_releases(place: str | Path) -> str:
    """An ``s3://bucket/prefix`` without a trailing slash, or a folder's absolute path.

    Raises:
        ValueError: it looks like another kind of address, or holds a question mark, backslash or line end.
    """
    text = str(place)
    if re.fullmatch(r"s3://[^/\s]+(/[^/]+)*/?", text):
        return text.rstrip("/")
    if re.search(r"^[a-z][a-z0-9+.-]+:/|[?\\\n]", text):  # DuckDB's views cannot name files below the latter
        raise ValueError(f"{text!r}: releases go to a folder or to s3://bucket/prefix.")
    return str(Path(text).expanduser().absolute())


def _web_address(value: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
        raise ValueError("a webhook is an address that begins with https:// or http://")
    return value


def _loopback(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not (ip_address(host.strip("[]")).is_loopback and port.isdecimal()):
        raise ValueError("a server that stands for the web is on the loopback, such as 127.0.0.1:8443")
    return value


Folder = Annotated[Path, BeforeValidator(_absolute)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Rehearsal(BaseModel):
    """What stands for the world in a test of the live pipeline: the JSON file that ``JGB_REHEARSAL`` names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: Annotated[str, AfterValidator(_loopback)]  # answers for every publisher's host
    ca_file: Folder  # the authority of its certificates, in place of the public ones
    now: AwareDatetime | None = None  # in place of the wall clock
    cron: str | None = None  # of every schedule, so that a test need not wait for the morning
    patience_seconds: float | None = None  # in place of the live transport's deadline


class Settings(BaseModel):
    """What a run is told. Field ``data_dir`` is read from ``JGB_DATA_DIR``, and so on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_dir: Folder = REPOSITORY / "data"
    transport: Literal["archive", "live"] = "archive"
    archive_dir: Folder = BUNDLE
    as_of: Annotated[AwareDatetime | None, BeforeValidator(_instant)] = None
    publish_uri: str | None = None
    accept_sha256: Annotated[frozenset[Sha256], BeforeValidator(_hashes)] = frozenset()
    include_unverified: bool = False
    user_agent: Annotated[str, Field(pattern=r"^[ -~]+$")] = USER_AGENT
    alert_webhook: Annotated[str, AfterValidator(_web_address)] | None = None
    rehearsal: Folder | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read every ``JGB_*`` variable that is set and not empty.

        Raises:
            SettingsError: naming each variable that is unknown or holds an unusable value.
        """
        source = os.environ if environment is None else environment
        given = {
            name.removeprefix(PREFIX).lower() if name.isupper() else name: value
            for name, value in source.items()
            if name.startswith(PREFIX) and value
        }
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            problems = "; ".join(
                f"{_variable(name)}={'***' if name in SECRET else repr(part['input'])}: {part['msg']}"
                for part in error.errors()
                for name in [str(part["loc"][0])]
            )
            raise SettingsError(f"{problems}. See .env.example for the variables and their values.") from error
        if settings.transport == "live" and settings.as_of:
            raise SettingsError(
                f"{PREFIX}AS_OF={source[PREFIX + 'AS_OF']!r}: the web answers only as of now. To see an earlier day, "
                f"replay what was recorded: {PREFIX}TRANSPORT=archive {PREFIX}ARCHIVE_DIR={settings.recordings_dir}"
            )
        if "," in str(settings.data_dir):
            raise SettingsError(f"{PREFIX}DATA_DIR={str(settings.data_dir)!r}: DuckDB's search path splits at commas.")
        try:
            place_of_releases(settings.publish_location)
        except ValueError as error:
            raise SettingsError(f"{PREFIX}PUBLISH_URI={settings.publish_uri!r}: {error}") from error
        return settings

    @property
    def rehearsed(self) -> Rehearsal | None:
        """The made-up world, read anew each time: a test moves its clock while processes run.

        Raises:
            SettingsError: its file is missing or says something else.
        """
        if self.rehearsal is None:
            return None
        try:
            return Rehearsal.model_validate(json.loads(self.rehearsal.read_text()))
        except (OSError, ValueError) as error:
            raise SettingsError(f"{PREFIX}REHEARSAL={str(self.rehearsal)!r}: {error}") from error

    @cached_property
    def as_of_utc(self) -> datetime | None:
        """``as_of`` in UTC."""
        return self.as_of.astimezone(UTC) if self.as_of else None

    @property
    def recordings_dir(self) -> Path:
        """What the live transport got and was accepted, as an archive: any live day can be replayed from it."""
        return self.data_dir / "archive"

    @property
    def visits_dir(self) -> Path:
        """How the last visit to each source ended."""
        return self.data_dir / "visits"

    @property
    def alerts_path(self) -> Path:
        """Which causes are open, and what was told of them."""
        return self.data_dir / "alerts.json"

    @property
    def snapshots_dir(self) -> Path:
        """Publishers' bytes as accepted, write-once."""
        return self.data_dir / "snapshots"

    @property
    def quarantine_dir(self) -> Path:
        """Publishers' bytes as refused, each with its reason."""
        return self.data_dir / "quarantine"

    @property
    def changelog_dir(self) -> Path:
        """One Parquet change log for each raw table."""
        return self.data_dir / "changelog"

    @property
    def analytics_dir(self) -> Path:
        """What the mathematics makes of the change logs, as Parquet for dbt."""
        return self.data_dir / "analytics"

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file. dbt is its only writer."""
        return self.data_dir / "warehouse.duckdb"

    @property
    def warehouse_passed_path(self) -> Path:
        """There while the warehouse is as a build left it whose every test passed; names that build's clock."""
        return self.data_dir / "warehouse.passed"

    @property
    def published_inputs_path(self) -> Path:
        """Names what went into the last release; a poll that brings nothing else runs nothing else."""
        return self.data_dir / "published.inputs"

    @property
    def publish_location(self) -> str:
        """Where releases go: a folder's path, or ``s3://bucket/prefix``."""
        return place_of_releases(self.publish_uri or self.data_dir / "publish")
