"""Tells a webhook what needs a person, once per cause, and again when the cause is gone.

Belongs here: what was told and what is still open, and the message's form. Not here: what is worth telling.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import requests
from filelock import FileLock
from pydantic import BaseModel

from jgb_assets.files import write_atomically

TIMEOUT_SECONDS = 10
REMEMBERED = 5_000  # news, a few a day: years


class _Told(BaseModel):
    """``open``: the text of each cause that has not gone away; ``news``: what happened, and was told."""

    open: dict[str, str] = {}
    news: list[str] = []


class Alerts:
    """What was told, in a file. ``post`` sends a text; what it raises leaves the text to be told the next time."""

    def __init__(self, path: Path, post: Callable[[str], None]) -> None:
        self._path = path
        self._post = post

    def settle(self, judged: Collection[str], causes: Mapping[str, str]) -> None:
        """Tell of each cause that is new, and of those ``judged`` that are gone.

        Args:
            judged: the causes that could be there, by key; others stay as they are.
            causes: the text of those that are there.
        """
        with self._lock():
            told = self._read()
            for key, text in causes.items():
                if key not in told.open:
                    self._post(text)
                    told.open[key] = text
                    self._write(told)
            for key in [key for key in told.open if key in judged and key not in causes]:
                self._post(f"Recovered: {told.open[key]}")
                del told.open[key]
                self._write(told)

    def tell(self, news: Mapping[str, str]) -> None:
        """Tell of what happened, each once by its key."""
        with self._lock():
            told = self._read()
            for key, text in news.items():
                if key not in told.news:
                    self._post(text)
                    told.news = [*told.news, key][-REMEMBERED:]
                    self._write(told)

    def _lock(self) -> FileLock:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self._path.with_name(self._path.name + ".lock"))

    def _read(self) -> _Told:
        return _Told.model_validate_json(self._path.read_bytes()) if self._path.is_file() else _Told()

    def _write(self, told: _Told) -> None:
        write_atomically(self._path, (told.model_dump_json(indent=2) + "\n").encode())


def webhook(url: str) -> Callable[[str], None]:
    """A post to an address that takes Slack's JSON.

    Raises (when called):
        requests.RequestException: it did not arrive.
    """

    def post(text: str) -> None:
        requests.post(url, json={"text": text}, timeout=TIMEOUT_SECONDS).raise_for_status()

    return post
