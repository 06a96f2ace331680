"""Typed settings from the environment. ``.env.example`` lists each; an unknown name or value raises.

Belongs here: every ``JGB_*`` variable, its type and its default. Not here: anything that acts on one.
"""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

REPOSITORY = Path(__file__).resolve().parent.parent
BUNDLE = Path(__file__).resolve().parent / "bundle" / "archive"
PREFIX = "JGB_"


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


Folder = Annotated[Path, BeforeValidator(_absolute)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


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
                f"{_variable(str(part['loc'][0]))}={part['input']!r}: {part['msg']}" for part in error.errors()
            )
            raise SettingsError(f"{problems}. See .env.example for the variables and their values.") from error
        if "," in str(settings.data_dir):
            raise SettingsError(f"{PREFIX}DATA_DIR={str(settings.data_dir)!r}: DuckDB's search path splits at commas.")
        try:
            place_of_releases(settings.publish_location)
        except ValueError as error:
            raise SettingsError(f"{PREFIX}PUBLISH_URI={settings.publish_uri!r}: {error}") from error
        return settings

    @cached_property
    def as_of_utc(self) -> datetime | None:
        """``as_of`` in UTC."""
        return self.as_of.astimezone(UTC) if self.as_of else None

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
    def publish_location(self) -> str:
        """Where releases go: a folder's path, or ``s3://bucket/prefix``."""
        return place_of_releases(self.publish_uri or self.data_dir / "publish")
