"""Answers a URL from the web, and records what was accepted as an archive, so that any live day can be replayed.

Belongs here: conditional requests and the recordings. Not here: HTTP (``web``).

A retrieval's folder stands there as a whole or not at all. A file that is as it was costs no space: it is a hard link
to the one before, so that a recording is an archive like any other.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from filelock import FileLock

import jgb_assets.clock
from jgb_assets.files import write_again, write_atomically
from jgb_assets.landing.transport import (
    SIDECAR,
    FetchFailed,
    HostRules,
    NotThere,
    Response,
    folder_of,
    place_of,
)
from jgb_assets.landing.web import Web
from jgb_assets.settings import Rehearsal

UNFINISHED = ".tmp-"


class LiveTransport:
    """The publishers' web as of now."""

    def __init__(self, web: Web, recordings: Path) -> None:
        self._web = web
        self._recordings = recordings
        self._unreachable: dict[str, FetchFailed] = {}

    def now(self) -> datetime:
        """The wall clock, at the end of its second: recordings are named by seconds, and nothing was known before."""
        now = jgb_assets.clock.now()
        return now.replace(microsecond=0) + timedelta(seconds=bool(now.microsecond))

    def instants(self) -> list[datetime]:
        """Now."""
        return [self.now()]

    def offered(self, instant: datetime) -> None:
        """Only asking can tell."""

    def fetch(self, url: str, instant: datetime) -> Response:
        """Ask for ``url``, on condition that it is not what was last recorded. ``retrieved_at`` is when it was here.

        Raises:
            FetchFailed: no whole answer. A host that could not be reached is not asked again by this transport.
        """
        host = place_of(url).parts[0]
        if host in self._unreachable:
            raise self._unreachable[host]
        last = self._recorded(url)
        try:
            answer = self._web.ask(
                url, etag=last.etag if last else None, last_modified=last.last_modified if last else None
            )
        except NotThere:
            raise
        except FetchFailed as failure:
            self._unreachable[host] = failure
            raise
        if answer.body is not None:
            return Response(url, self.now(), answer.body, answer.last_modified, answer.etag)
        if last is None:
            raise FetchFailed(url, "a body", "status 304", "run again: it was asked without a condition")
        told = answer.last_modified or last.last_modified, answer.etag or last.etag
        return Response(url, self.now(), last.body, *told)

    def keep(self, responses: Iterable[Response]) -> None:
        """Record a retrieval."""
        responses = list(responses)
        if not responses:
            return
        self._recordings.mkdir(parents=True, exist_ok=True)
        with FileLock(self._recordings / ".lock"):
            for leftover in self._recordings.glob(UNFINISHED + "*"):
                shutil.rmtree(leftover)
            folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self._recordings))
            for response in responses:
                self._write(folder / place_of(response.url), response)
            whole = folder_of(self._recordings, responses[0].retrieved_at)
            if whole.exists():  # of another source that was asked in the same second
                for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                    (whole / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
                    path.replace(whole / path.relative_to(folder))
                shutil.rmtree(folder)
            else:
                folder.chmod(0o755)
                folder.rename(whole)

    def _write(self, path: Path, response: Response) -> None:
        write_again(path, response.body, self._place(response.url))
        told = {
            "url": response.url,
            "retrieved_at": response.retrieved_at.isoformat(),
            "bytes": len(response.body),
            "sha256": hashlib.sha256(response.body).hexdigest(),
            "last_modified": response.last_modified,
            "etag": response.etag,
        }
        write_atomically(path.with_name(path.name + SIDECAR), (json.dumps(told, indent=2) + "\n").encode())

    def _place(self, url: str) -> Path | None:
        """The newest recording of a URL."""
        if not self._recordings.is_dir():
            return None
        names = sorted((path.name for path in self._recordings.iterdir() if path.name[0] != "."), reverse=True)
        places = (self._recordings / name / place_of(url) for name in names)
        return next((path for path in places if path.is_file()), None)

    def _recorded(self, url: str) -> Response | None:
        """The newest recording of a URL, with what the server said of it; None where its bytes are not those."""
        path = self._place(url)
        sidecar = path.with_name(path.name + SIDECAR) if path else None
        if path is None or sidecar is None or not sidecar.is_file():
            return None
        told, body = json.loads(sidecar.read_text()), path.read_bytes()
        if hashlib.sha256(body).hexdigest() != told["sha256"]:
            return None
        at = datetime.fromisoformat(told["retrieved_at"])
        return Response(url, at, body, told["last_modified"], told["etag"])


@cache  # one a process: connections and pauses outlive a step
def web_of(rules: tuple[HostRules, ...], user_agent: str, rehearsal: Rehearsal | None) -> Web:
    """The web with these rules."""
    return Web(rules, user_agent, rehearsal)
