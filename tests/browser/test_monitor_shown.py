"""The monitor as a browser shows it: drawn, quiet, in light and dark, on paper and on a phone, by keyboard and to axe."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import SCREENSHOTS, Heard, opened, screenshot
from tests.browser.seen import Chart, charts
from tests.conftest import Run

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
PAPER = {"width": 718, "height": 1046}  # A4 less a centimetre on each side, in CSS pixels
SCHEMES = ("light", "dark")
OPEN_ALL = "document.querySelectorAll('details').forEach((it) => { it.open = true; })"
GROUND = "getComputedStyle(document.documentElement).backgroundColor"
# WCAG 2.2: 1.4.3 for text, 1.4.11 for what is needed to understand a graphic
TEXT_CONTRAST, GRAPHIC_CONTRAST = 4.5, 3.0
SMALLEST_TEXT = 8.0  # CSS pixels, on a phone


@pytest.fixture(scope="module")
def monitor(from_bundle: Run) -> Path:
    return from_bundle.current.resolve() / "monitor.html"


@contextmanager
def shown(browser: Browser, monitor: Path, **options: object) -> Iterator[tuple[Page, Heard]]:
    with opened(browser, **{"viewport": DESK, **options}) as (page, heard):
        page.goto(monitor.as_uri())
        yield page, heard


@pytest.fixture(scope="module")
def drawn(browser: Browser, monitor: Path) -> dict[str, list[Chart]]:
    """By scheme the charts of the page."""
    by_scheme = {}
    for scheme in SCHEMES:
        with shown(browser, monitor, color_scheme=scheme) as (page, _):
            by_scheme[scheme] = charts(page)
            screenshot(page, f"monitor_{scheme}", whole=True)
    return by_scheme


def test_it_opens_from_disk_and_asks_for_nothing_else(browser: Browser, monitor: Path) -> None:
    with shown(browser, monitor) as (page, heard):
        page.wait_for_load_state("networkidle")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.locator("script").count() == 0
    assert heard.console == []
    assert heard.errors == []
    assert heard.requests == [monitor.as_uri()]


def test_it_is_small_enough_to_be_sent_by_mail(monitor: Path) -> None:
    assert monitor.stat().st_size < 3_000_000


def test_its_own_policy_keeps_scripts_and_the_network_out(browser: Browser, monitor: Path) -> None:
    put_in = """([name, attributes]) => new Promise((told) => {
        document.addEventListener('securitypolicyviolation', (it) => told(it.effectiveDirective), {once: true});
        setTimeout(() => told('nothing was refused'), 2000);
        document.body.append(Object.assign(document.createElement(name), attributes));
    })"""
    with shown(browser, monitor) as (page, _):
        assert page.evaluate(put_in, ["img", {"src": "https://publisher.invalid/it.png"}]) == "img-src"
        assert page.evaluate(put_in, ["script", {"textContent": "window.ran = true"}]) == "script-src-elem"
        assert page.evaluate("window.ran") is None


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_chart_is_drawn(drawn: dict[str, list[Chart]], scheme: str) -> None:
    assert len(drawn[scheme]) > 10
    for chart in drawn[scheme]:
        assert chart.width > 300, chart.panel
        assert chart.height > 100, chart.panel
        assert len(chart.marks) >= 1, chart.panel
        assert max(max(mark.width, mark.height) for mark in chart.marks) > 20, chart.panel
        assert len(chart.texts) > 3, chart.panel
        assert [it.text or it.group for it in chart.seen if not it.inside] == [], chart.panel


def test_no_text_of_a_chart_runs_into_another(drawn: dict[str, list[Chart]]) -> None:
    assert {chart.panel: chart.collisions for chart in drawn["light"] if chart.collisions} == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_drawn_stands_out(drawn: dict[str, list[Chart]], scheme: str) -> None:
    for chart in drawn[scheme]:
        assert [(it.text, it.contrast) for it in chart.texts if it.contrast < TEXT_CONTRAST] == [], chart.panel
        lines = [it for it in chart.marks if "mark-line" in it.group]
        assert [it for it in lines if it.contrast < GRAPHIC_CONTRAST] == [], chart.panel
        assert max(it.contrast for it in chart.marks) >= GRAPHIC_CONTRAST, chart.panel


def test_dark_is_drawn_anew_and_not_only_put_on_a_dark_ground(
    browser: Browser, monitor: Path, drawn: dict[str, list[Chart]]
) -> None:
    grounds = {}
    for scheme in SCHEMES:
        with shown(browser, monitor, color_scheme=scheme) as (page, _):
            grounds[scheme] = [int(part) for part in re.findall(r"\d+", page.evaluate(GROUND))[:3]]
    assert min(grounds["light"]) > 200
    assert max(grounds["dark"]) < 60
    assert [chart.panel for chart in drawn["light"]] == [chart.panel for chart in drawn["dark"]]
    for light, dark in zip(drawn["light"], drawn["dark"], strict=True):
        assert [it.text for it in light.seen] == [it.text for it in dark.seen], light.panel
        assert not any(a.colours == b.colours for a, b in zip(light.seen, dark.seen, strict=True)), light.panel


def test_every_chart_has_a_name_its_source_unit_date_and_figures(browser: Browser, monitor: Path) -> None:
    with shown(browser, monitor) as (page, _):
        titles = []
        for panel in page.locator("section.panel:has(.chart)").all():
            title = panel.get_by_role("heading", level=2).inner_text()
            chart = panel.locator(".chart")
            expect(chart).to_have_role("img")
            expect(chart).to_have_accessible_name(re.compile(r"\w.{20}", re.DOTALL))
            caption = panel.locator("figure > figcaption").inner_text()
            assert re.search(r"Unit: \S", caption), title
            assert re.search(r"As of \d{4}-\d\d", caption), title
            assert re.search(r"Source: \S", caption), title
            panel.locator("summary").click()
            expect(panel.get_by_role("table")).to_be_visible()
            assert panel.locator("tbody tr").count() > 1, title
            titles.append(title)
        assert len(set(titles)) == len(titles) > 10
        assert set(page.locator("nav a").all_inner_texts()) >= set(titles)
        leads_nowhere = "[...document.links].map((it) => it.hash).filter((it) => it && !document.querySelector(it))"
        assert page.evaluate(leads_nowhere) == []


def test_no_markup_and_no_missing_value_is_shown_as_text(browser: Browser, monitor: Path) -> None:
    with shown(browser, monitor) as (page, _):
        page.evaluate(OPEN_ALL)
        shown_text = page.locator("body").inner_text() + "\n".join(page.locator("svg text").all_text_contents())
    assert (
        re.findall(r"</?[a-z]\w*[\s>/].{0,40}|&#?\w+;|\b(?:None|nan|NaN|NaT|null|undefined|Infinity)\b", shown_text)
        == []
    )


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_is_wider_than_the_screen(browser: Browser, monitor: Path, size: dict[str, int]) -> None:
    with shown(browser, monitor, viewport=size, is_mobile=size is PHONE) as (page, _):
        page.evaluate(OPEN_ALL)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= size["width"]
        for panel in page.locator("section").all():
            assert panel.evaluate("it => it.scrollWidth <= it.clientWidth"), panel.get_attribute("id")


def test_a_phone_shows_charts_whose_text_can_be_read(browser: Browser, monitor: Path) -> None:
    with shown(browser, monitor, viewport=PHONE, is_mobile=True) as (page, _):
        screenshot(page, "monitor_phone", whole=True)
        smallest = {chart.panel: min(it.size for it in chart.texts) for chart in charts(page)}
    assert {panel: px for panel, px in smallest.items() if px < SMALLEST_TEXT} == {}


def test_on_paper_it_is_light_whole_and_of_several_pages(browser: Browser, monitor: Path) -> None:
    with shown(browser, monitor, color_scheme="dark", viewport=PAPER) as (page, _):
        page.emulate_media(media="print")
        printed = charts(page)
        screenshot(page, "monitor_print", whole=True)
        assert page.evaluate(GROUND) == "rgb(255, 255, 255)"
        for chart in printed:
            assert max(mark.contrast for mark in chart.marks) >= GRAPHIC_CONTRAST, chart.panel
            assert [it.text for it in chart.texts if it.contrast < TEXT_CONTRAST] == [], chart.panel
            assert chart.right <= PAPER["width"], chart.panel
        # a figure is not cut where it fits on a page, and each does
        cut = """() => [...document.querySelectorAll('.chart')].map((chart) => {
            let it = chart;
            while (it && getComputedStyle(it).breakInside !== 'avoid') it = it.parentElement;
            return [chart.closest('section').id, it ? it.getBoundingClientRect().height : null];
        })"""
        for panel, height in page.evaluate(cut):
            assert height is not None, f"{panel} may be cut"
            assert height < PAPER["height"], panel
        pdf = page.pdf(format="A4", margin={"top": "1cm", "right": "1cm", "bottom": "1cm", "left": "1cm"})
    (SCREENSHOTS / "monitor.pdf").write_bytes(pdf)
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) > 50_000
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 30


def test_the_keyboard_reaches_every_table(browser: Browser, monitor: Path) -> None:
    at = """() => {
        const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
        return {is: it.nodeName, of: it.closest('section')?.id ?? null, href: it.getAttribute('href'),
            ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
            seen: box.width > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth};
    }"""
    with shown(browser, monitor) as (page, _):
        page.keyboard.press("Tab")
        skip = page.evaluate(at)
        assert skip["is"] == "A"
        assert skip["seen"]
        expect(page.locator(skip["href"])).to_have_role("main")
        page.keyboard.press("Enter")
        assert page.url.endswith(skip["href"])
        reached: list[str] = []
        while (focus := page.evaluate(at))["is"] != "BODY" or not reached:
            if focus["is"] != "BODY":
                assert focus["ring"], focus
                assert focus["seen"], focus
            if focus["is"] == "SUMMARY":
                reached.append(focus["of"])
                page.keyboard.press("Enter")
                expect(page.locator(f"#{focus['of']} table").last).to_be_visible()
            page.keyboard.press("Tab")
            assert len(reached) < 100
        summaries = page.locator("summary").evaluate_all("all => all.map((it) => it.closest('section').id)")
        assert reached == summaries
        assert len(reached) > 10
        assert page.locator("details:not([open])").count() == 0


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", DESK), ("light", PHONE)])
def test_axe_finds_nothing_that_keeps_anyone_out(
    browser: Browser, monitor: Path, scheme: str, size: dict[str, int]
) -> None:
    # axe is a script, which the page's own policy refuses
    with shown(browser, monitor, color_scheme=scheme, viewport=size, bypass_csp=True) as (page, _):
        page.evaluate(OPEN_ALL)
        found = Axe().run(page)
    grave = {it["id"]: it["nodes"] for it in found.response["violations"] if it["impact"] in {"serious", "critical"}}
    assert {name: (len(nodes), nodes[0]["html"], nodes[0]["failureSummary"]) for name, nodes in grave.items()} == {}
