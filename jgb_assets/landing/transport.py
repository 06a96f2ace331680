"""Answers a URL with bytes, and tells the time. Everything after a transport is the same code.

Belongs here: where bytes come from. Not here: what they mean or whether they are good.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from jgb_assets.settings import Settings, SettingsError

INSTANT = "%Y-%m-%dT%H%M%SZ"
SIDECAR = ".sidecar.json"


@dataclass(frozen=True)
class Response:
    """What a URL answered at an instant (UTC)."""

    url: str
    retrieved_at: datetime
    body: bytes = field(repr=False)
    last_modified: str | None


class Transport(Protocol):
    """Where bytes come from."""

    def now(self) -> datetime:
        """The one clock of a run, UTC. Nothing else in the project reads the time."""

    def instants(self) -> list[datetime]:
        """The instants at which URLs can be asked, oldest first."""

    def offered(self, instant: datetime) -> frozenset[str]:
        """The URLs that have an answer at ``instant``: which days' pages there are."""

    def fetch(self, url: str, instant: datetime) -> Response | None:
        """What ``url`` answered at ``instant``; None if it was not retrieved then."""


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
        folder = self._root / instant.strftime(INSTANT)
        names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        return frozenset("https://" + name.replace("@", "?", 1) for name in names if not name.endswith(SIDECAR))

    def fetch(self, url: str, instant: datetime) -> Response | None:
        """The file kept for ``url`` at ``instant``."""
        parts = urlsplit(url)
        query = f"@{parts.query}" if parts.query else ""
        path = self._root / instant.strftime(INSTANT) / parts.netloc / (parts.path.lstrip("/") + query)
        if not path.is_file():
            return None
        sidecar = path.with_name(path.name + SIDECAR)
        last_modified = json.loads(sidecar.read_text()).get("last_modified") if sidecar.is_file() else None
        return Response(url, instant, path.read_bytes(), last_modified)


def _instant(folder: Path) -> datetime:
    misnamed = SettingsError(f"{folder} is not named like a retrieval instant such as 2026-05-18T201500Z.")
    try:
        instant = datetime.strptime(folder.name, INSTANT).replace(tzinfo=UTC)
    except ValueError as error:
        raise misnamed from error
    if instant.strftime(INSTANT) != folder.name:
        raise misnamed
    return instant


def transport_for(settings: Settings) -> Transport:
    """The transport that the settings name. There is no fall-back from one to the other."""
    if settings.transport == "live":
        raise SettingsError("JGB_TRANSPORT='live': the live transport is not built yet; the archive is.")
    return ArchiveTransport(settings.archive_dir, settings.as_of_utc)
