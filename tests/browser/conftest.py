"""One browser a module: Playwright's loop must not be there while other tests run theirs."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ARGUMENTS, executable, missing
from tests.conftest import Run


@pytest.fixture(scope="module")
def browser(from_bundle: Run) -> Iterator[Browser]:  # the run first: it has loops of its own
    with sync_playwright() as playwright:
        path = executable(playwright.chromium)
        if path is None:
            missing()
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
