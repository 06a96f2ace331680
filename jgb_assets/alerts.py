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
LONGEST_TEXT = 3_000  # characters: Slack cuts at 40,000, people earlier
OF_THE_TEXT = (400, 413, 422)
REMEMBERED = 5_000  # news, a few a day: years


class NotTaken(Exception):
    """A webhook that did not answer, or not as one. Never says its address, which is a secret."""


class TextRefused(Exception):
    """A text that the webhook does not take, now or later."""


class _Told(BaseModel):
    """``open``: the text of each cause that has not gone away; ``news``: what happened and was told, by key.

    ``judged``: as of when (seconds since 1970) each cause was last judged; ``unsent``: texts that nobody took yet;
    ``refused``: texts that the webhook will never take.
    """

    open: dict[str, str] = {}
    news: list[str] = []
    judged: dict[str, float] = {}
    unsent: list[str] = []
    refused: list[str] = []


class Alerts:
    """What was told, in a file. ``post`` sends a text; what it raises leaves that text, and those after it, unsent."""

    def __init__(self, path: Path, post: Callable[[str], None]) -> None:
        self._path = path
        self._post = post

    def settle(self, judged: Collection[str], causes: Mapping[str, str], at: float | None = None) -> None:
        """Tell of each cause that is new, and of those ``judged`` that are gone.

        Args:
            judged: the causes that could be there, by key; others stay as they are.
            causes: the text of those that are there.
            at: as of when, seconds since 1970; None is now. What was judged as of later stays as it is.
        """
        with self._lock():
            told = self._read()
            for key in sorted({*judged, *causes}):
                if at is not None:
                    if told.judged.get(key, at) > at:
                        continue
                    told.judged[key] = at
                if key in causes and key not in told.open:
                    told.open[key] = causes[key]
                    told.unsent.append(causes[key])
                elif key in told.open and key not in causes:
                    text = told.open.pop(key)
                    if text in told.unsent:  # it came and went unheard
                        told.unsent.remove(text)
                    else:
                        told.unsent.append(f"Recovered: {text}")
            self._send(told)

    def tell(self, news: Mapping[str, str]) -> None:
        """Tell of what happened, each once by its key."""
        with self._lock():
            told = self._read()
            for key, text in news.items():
                if key not in told.news:
                    told.news = [*told.news, key][-REMEMBERED:]
                    told.unsent.append(text)
            self._send(told)

    def _send(self, told: _Told) -> None:
        """Note what is to be told before it is told: a text that nobody takes is not lost, at worst it comes twice."""
        self._write(told)
        while told.unsent:
            try:
                self._post(told.unsent[0][:LONGEST_TEXT])
            except TextRefused:
                told.refused = [*told.refused, told.unsent[0]][-REMEMBERED:]
            del told.unsent[0]
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
        TextRefused: it does not take this text.
        NotTaken: it did not arrive. A redirect is no arrival: the text would be left behind.
    """

    def post(text: str) -> None:
        try:
            answer = requests.post(url, json={"text": text}, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        except requests.RequestException as error:
            raise NotTaken(type(error).__name__) from None
        if answer.status_code in OF_THE_TEXT:
            raise TextRefused(f"status {answer.status_code}")
        if not 200 <= answer.status_code < 300:
            raise NotTaken(f"status {answer.status_code}")

    return post
