"""Answers a URL with bytes, and tells the time. Everything after a transport is the same code.

Belongs here: where bytes come from, and the archive. Not here: the web (``live``), what bytes mean or whether they are
good.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from jgb_assets.settings import Settings, SettingsError

INSTANT = "%Y-%m-%dT%H%M%SZ"
SIDECAR = ".sidecar.json"


class FetchFailed(Exception):
    """A URL that gave no whole answer. Says which, what was expected, what came instead, and what to do."""

    def __init__(self, url: str, expected: str, found: str, remedy: str) -> None:
        super().__init__(f"no answer from {url}: expected {expected}, found {found}. What to do: {remedy}")
        self.url = url
        self.expected = expected
        self.found = found
        self.remedy = remedy


class HostUnreachable(FetchFailed):
    """A host that answers nothing at all, or wants to be left alone: asking it for another file is no use now."""


class NotThere(FetchFailed):
    """A URL whose host says that there is nothing: of a day's page, that it is not out yet."""


@dataclass(frozen=True)
class Response:
    """What a URL answered at an instant (UTC). ``etag`` and ``last_modified`` are the server's, as it wrote them."""

    url: str
    retrieved_at: datetime
    body: bytes = field(repr=False)
    last_modified: str | None
    etag: str | None = None


@dataclass(frozen=True)
class HostRules:
    """How a publisher's host wants to be asked. ``bypass_caches``: copies on the way to it are known to be stale."""

    host: str
    pause_seconds: float
    bypass_caches: bool


class Transport(Protocol):
    """Where bytes come from."""

    def now(self) -> datetime:
        """The one clock of a run, UTC. Nothing else in the project reads the time."""

    def instants(self) -> list[datetime]:
        """The instants at which URLs can be asked, oldest first."""

    def offered(self, instant: datetime) -> frozenset[str] | None:
        """The URLs that have an answer at ``instant``: which days' pages there are. None if only asking can tell."""

    def fetch(self, url: str, instant: datetime) -> Response | None:
        """What ``url`` answered at ``instant``; None if it was not retrieved then.

        Raises:
            FetchFailed: it was asked and gave no whole answer.
        """

    def keep(self, responses: Iterable[Response]) -> None:
        """Told what of one retrieval was accepted or is as it was; all have the same instant."""


class ArchiveTransport:
    """A folder that mirrors the web: ``<retrieved_at>/<host>/<path>``, a query string as ``<path>@<query>``.

    Instants after ``as_of`` do not exist yet.
    """

    def __init__(self, root: Path, as_of: datetime | None = None) -> None:
        if not root.is_dir():
            raise SettingsError(f"the archive {root} does not exist. See JGB_ARCHIVE_DIR in .env.example.")
        folders = [path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
        if not folders:
            raise SettingsError(f"the archive {root} holds no retrieval instant. See JGB_ARCHIVE_DIR in .env.example.")
        instants = sorted(_instant(root / name) for name in folders)
        self._root = root
        self._now = as_of or instants[-1]
        self._instants = [instant for instant in instants if instant <= self._now]

    def now(self) -> datetime:
        """``as_of``, or the archive's last instant."""
        return self._now

    def instants(self) -> list[datetime]:
        """Retrieval instants up to now, oldest first."""
        return self._instants

    def offered(self, instant: datetime) -> frozenset[str]:
        """The URL of every file of an instant."""
        folder = folder_of(self._root, instant)
        names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        return frozenset("https://" + name.replace("@", "?", 1) for name in names if not name.endswith(SIDECAR))

    def fetch(self, url: str, instant: datetime) -> Response | None:
        """The file kept for ``url`` at ``instant``."""
        path = folder_of(self._root, instant) / place_of(url)
        if not path.is_file():
            return None
        sidecar = path.with_name(path.name + SIDECAR)
        told = json.loads(sidecar.read_text()) if sidecar.is_file() else {}
        return Response(url, instant, path.read_bytes(), told.get("last_modified"), told.get("etag"))

    def keep(self, responses: Iterable[Response]) -> None:
        """They are kept already."""


def folder_of(archive: Path, instant: datetime) -> Path:
    """Where an archive keeps a retrieval."""
    return archive / instant.strftime(INSTANT)


def place_of(url: str) -> Path:
    """Where a retrieval keeps a URL's bytes."""
    parts = urlsplit(url)
    query = f"@{parts.query}" if parts.query else ""
    return Path(parts.netloc, parts.path.lstrip("/") + query)


def _instant(folder: Path) -> datetime:
    misnamed = SettingsError(f"{folder} is not named like a retrieval instant such as 2026-05-18T201500Z.")
    try:
        instant = datetime.strptime(folder.name, INSTANT).replace(tzinfo=UTC)
    except ValueError as error:
        raise misnamed from error
    if instant.strftime(INSTANT) != folder.name:
        raise misnamed
    return instant


def transport_for(settings: Settings, rules: Iterable[HostRules] = ()) -> Transport:
    """The transport that the settings name; ``rules`` are the publishers'. There is no fall-back from one to the other.

    Raises:
        SettingsError: the archive, or the made-up world of a test, is not there.
    """
    if settings.transport == "live":
        from jgb_assets.landing.live import LiveTransport, web_of  # noqa: PLC0415  # HTTP, which archives do not need

        return LiveTransport(web_of(tuple(rules), settings.user_agent, settings.rehearsed), settings.recordings_dir)
    return ArchiveTransport(settings.archive_dir, settings.as_of_utc)
