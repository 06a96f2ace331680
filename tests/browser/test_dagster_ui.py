"""The UI as a person sees it after a run: lineage, metadata, pictures, checks, the run's log; nothing leaves."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from jgb_assets.settings import REPOSITORY
from tests.browser.chromium import opened, screenshot
from tests.conftest import Run, copy_of
from tests.pretend_web import closed_port

PATIENCE_SECONDS = 120  # seven are usual
expect.set_options(timeout=30_000)  # one is usual

FILE, RELEASE = "files/mof_jgb_yields/history", "extracts/release"
GROUPS = (
    "mof_jgb_yields",
    "mof_jgb_auctions",
    "treasury_tic",
    "landing",
    "staging",
    "intermediate",
    "marts",
    "extracts",
)
STEPS = (
    "ingest_mof_jgb_yields",
    "ingest_mof_jgb_auctions",
    "ingest_mof_auction_pages",
    "ingest_mof_securities_flows",
    "ingest_treasury_par_yields",
    "ingest_treasury_tic",
    "landing",
    "curves",
    "dbt",
    "publish",
    "status",
)


@pytest.fixture(scope="module")
def ui(from_bundle: Run, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The webserver's address; it works on a copy of the run's folder, and without a daemon."""
    folder = tmp_path_factory.mktemp("ui")
    data = copy_of(from_bundle, folder)
    home = data / "dagster"
    (home / "dagster.yaml").write_bytes((REPOSITORY / "dagster.yaml").read_bytes())
    host, _, port = closed_port().rpartition(":")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JGB_", "PYTEST_"))}
    command = [
        sys.executable,
        "-m",
        "dagster_webserver",
        "--workspace",
        "workspace.yaml",
        "--host",
        host,
        "--port",
        port,
    ]
    with (folder / "webserver.log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=clean | {"DAGSTER_HOME": str(home), "JGB_DATA_DIR": str(data)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while not answers(f"http://{host}:{port}/server_info"):
            assert process.poll() is None and time.monotonic() < until, (folder / "webserver.log").read_text()[-4000:]
            time.sleep(0.2)
        yield f"http://{host}:{port}"
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture
def page(ui: str, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that starts at the UI's address. Whatever a test does in it: no script breaks, and nobody else is asked."""
    with opened(browser, base_url=ui, viewport={"width": 1600, "height": 1300}) as (page, heard):
        yield page
        screenshot(page, re.sub(r"\W+", "_", request.node.name.replace("test_", "ui_", 1)).strip("_"))
        assert heard.errors == []
        assert heard.beyond == []
        assert len(heard.requests) > 10  # it was listened to


def row(page: Page, label: str) -> Locator:
    """Of the metadata that an event brought."""
    return page.get_by_role("row").filter(has=page.get_by_role("cell", name=label, exact=True)).first


def test_the_ui_is_told_not_to_report_about_its_use(page: Page) -> None:
    page.goto("/")
    told = json.loads(page.locator("#initialization-data").text_content() or "")
    assert told["telemetryEnabled"] is False
    # by address: while an icon is not drawn yet, its name is the link's, and "column_lineage" is that of the jobs
    expect(page.locator("a[href='/asset-groups']").first).to_be_visible()


def test_lineage_leads_from_the_publishers_file_to_page_and_release(page: Page) -> None:
    # what comes of the file and goes into the extract, and what is made of the extract; all in sight at once, as the
    # UI draws no node that is not
    asked = f'(key:"{FILE}"+ and +key:"extracts/jgb_yields") or key:"extracts/monitor" or key:"{RELEASE}"'
    groups = ("mof_jgb_yields", "staging", "intermediate", "marts", "extracts")
    expanded = quote(",".join(f"global@global:{group}" for group in groups))
    page.goto(f"/asset-groups~{quote(asked, safe='')}?expanded={expanded}")
    boxes = page.locator("svg foreignObject")
    for name, times in {
        "history": 1, "yields": 1, "stg_mof_j…__yields": 1, "int_jgb_yields": 1, "jgb_yields": 2, "monitor": 1, "release": 1,
    }.items():  # fmt: skip
        expect(boxes.get_by_text(name, exact=True)).to_have_count(times)
    for group in groups:
        expect(boxes.get_by_text(group, exact=True)).to_have_count(1)
    screenshot(page, "ui_lineage")
    boxes.get_by_text("history", exact=True).click()
    expect(page.get_by_role("cell", name="retrieved_at")).to_be_visible()
    expect(page.get_by_role("link", name="View in Asset Catalog")).to_have_attribute(
        "href", re.compile(f"/assets/{FILE}")
    )


def test_all_assets_are_one_graph_from_the_publishers_to_the_extracts(page: Page) -> None:
    page.goto("/asset-groups")
    for group in GROUPS:
        expect(page.locator("svg foreignObject").get_by_text(group, exact=True)).to_be_visible()


def test_an_assets_page_tells_what_it_holds(page: Page) -> None:
    page.goto("/assets/jgb_yields")
    expect(page.get_by_text("162,937")).to_be_visible()
    expect(page.get_by_text("JGB constant-maturity yields as the Ministry of Finance publishes them")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("yield_pct.*double.*Yield to maturity"))).to_be_visible()


def test_a_materialization_shows_its_newest_rows(page: Page) -> None:
    page.goto("/assets/jgb_yields?view=events")
    expect(row(page, "dagster/row_count")).to_contain_text("162937")
    preview = row(page, "preview").get_by_role("table")
    expect(preview.get_by_role("columnheader", name="yield_pct")).to_be_visible()
    expect(preview.get_by_role("row", name=re.compile(r"^2026-06-30 \d+ [\d.]+ "))).to_have_count(10)


@pytest.mark.parametrize("asset", ["jgb_yields", RELEASE])
def test_a_materialization_shows_a_picture(page: Page, asset: str) -> None:
    page.goto(f"/assets/{asset}?view=events")
    row(page, "picture").get_by_text("[Show Markdown]").click()
    picture = page.get_by_role("dialog").get_by_role("img").and_(page.locator("img"))
    expect(picture).to_have_attribute("src", re.compile("^data:image/png;base64,"))
    expect(picture).to_have_attribute("alt", re.compile(r"\w"))
    drawn = picture.evaluate("async it => (await it.decode(), [it.naturalWidth, it.naturalHeight, it.clientWidth])")
    assert min(drawn) > 200, drawn


@pytest.mark.parametrize(("asset", "check"), [("jgb_yields", "is_as_described_jgb_yields_")])
def test_checks_are_shown_as_passed(page: Page, asset: str, check: str) -> None:
    page.goto(f"/assets/{asset}?view=checks")
    expect(page.get_by_text(check, exact=True).first).to_be_visible()
    expect(page.get_by_text("Passed", exact=True)).to_be_visible()
    expect(page.get_by_text("Failed", exact=True)).to_have_count(0)


def test_the_runs_page_names_its_steps_and_their_success(page: Page) -> None:
    page.goto("/runs")
    page.locator("a[href^='/runs/']").filter(has_text=re.compile("^[0-9a-f]{8}$")).first.click()
    expect(page.get_by_text("Success", exact=True)).to_be_visible()
    expect(page.get_by_text("Errored (0)")).to_be_visible()
    page.get_by_text(re.compile(r"^Succeeded \([1-9]")).click()
    for step in STEPS:
        expect(page.get_by_text(step, exact=True).first).to_be_attached()
    expect(page.get_by_text("RUN_SUCCESS")).to_be_visible()
    expect(page.get_by_text('Finished execution of run for "refresh_all".')).to_be_visible()
