"""Answers a URL from the web, and records what was accepted as an archive, so that any live day can be replayed.

Belongs here: conditional requests and the recordings. Not here: HTTP (``web``).

A retrieval's folder stands there as a whole or not at all, but where two sources were asked in one second. A file that
is as it was costs no space: it is a hard link to the one before, so that a recording is an archive like any other.
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import replace
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
    HostUnreachable,
    Response,
    folder_of,
    place_of,
)
from jgb_assets.landing.web import LATER, Answer, Web
from jgb_assets.settings import Rehearsal

UNFINISHED = ".tmp-"


class LiveTransport:
    """The publishers' web as of now."""

    def __init__(self, web: Web, recordings: Path) -> None:
        self._web = web
        self._recordings = recordings
        self._unreachable: dict[str, HostUnreachable] = {}

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
        if down := self._unreachable.get(host):
            raise HostUnreachable(url, down.expected, f"{down.found}, a moment ago", down.remedy)
        last = self._recorded(url)
        try:
            if last is None:
                return self._whole(url, self._web.ask(url))
            answer = self._web.ask(url, etag=last.etag, last_modified=last.last_modified)
            if answer.body is None and answer.etag in (None, last.etag):
                return replace(last, retrieved_at=self.now())
            # "As it was", but of other bytes than ours: whatever the server means, it is asked for all of them.
            return self._whole(url, answer if answer.body is not None else self._web.ask(url))
        except HostUnreachable as failure:
            self._unreachable[host] = failure
            raise

    def _whole(self, url: str, answer: Answer) -> Response:
        if answer.body is None:
            raise FetchFailed(url, "a body", "status 304, though no condition was set", LATER)
        return Response(url, self.now(), answer.body, _sendable(answer.last_modified), _sendable(answer.etag))

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


def _sendable(validator: str | None) -> str | None:
    """What a server called its bytes, if it can be sent back to it: one line of ASCII."""
    return validator if validator and re.fullmatch("[ -~]+", validator) else None


@cache  # one a process: connections and pauses outlive a step
def web_of(rules: tuple[HostRules, ...], user_agent: str, rehearsal: Rehearsal | None) -> Web:
    """The web with these rules."""
    return Web(rules, user_agent, rehearsal)
