"""A Chromium of this machine, without a window, and what a page asked for and complained about in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserType, Page, Route

from jgb_assets.settings import REPOSITORY

SCREENSHOTS = REPOSITORY / "build" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",  # root in a container has no other
    "--disable-dev-shm-usage",  # a container's /dev/shm is too small
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = (
    "no Chromium on this machine, so no page was looked at. Debian, Ubuntu: apt-get install chromium; elsewhere: "
    "Chromium or Chrome on the PATH, or .venv/bin/playwright install chromium"
)
LOOPBACK = {"127.0.0.1", "localhost"}


def executable(playwrights_own: BrowserType) -> Path | None:
    """The machine's browser, else the one that Playwright has downloaded."""
    found = next(filter(None, map(shutil.which, NAMES)), playwrights_own.executable_path)
    return Path(found) if Path(found).is_file() else None


def missing() -> None:
    """CI leaves nothing out (``.ci/run`` installs one); a person's machine may lack one, and the tests' summary says so."""
    if os.environ.get("CI") or os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(MISSING, pytrace=False)
    pytest.skip(MISSING)


@dataclass
class Heard:
    """What a page asked for, and what went wrong in it."""

    requests: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("request", lambda request: self.ask(request.url))
        page.on("websocket", lambda socket: self.ask(socket.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.console.append(f"{said.type}: {said.text}"))

    def ask(self, url: str) -> None:
        self.requests.append(url)
        if not is_here(url):
            self.beyond.append(url)


def is_here(url: str) -> bool:
    asked = urlsplit(url)
    return asked.scheme in {"file", "data", "blob"} or asked.hostname in LOOPBACK


def only_here(route: Route) -> None:
    if is_here(route.request.url):
        route.continue_()
    else:
        route.abort()


@contextmanager
def opened(browser: Browser, **options: object) -> Iterator[tuple[Page, Heard]]:
    """A page in a context of its own, which reaches nothing but the loopback."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    try:
        context.route("**/*", only_here)
        page = context.new_page()
        heard = Heard()
        heard.listen(page)
        yield page, heard
    finally:
        context.close()


def screenshot(page: Page, name: str, whole: bool = False) -> None:
    """For people: ``build/screenshots``, which CI may keep."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)
