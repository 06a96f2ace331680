"""The monitor of a real release: figures, words, pictures; and on releases that have little to show."""

import base64
import hashlib
import json
import re
from datetime import date
from functools import partial
from io import BytesIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from PIL import Image

from jgb_assets.extracts.upkeep import released_at
from jgb_assets.monitor import pictures
from jgb_assets.monitor.cells import Datasets
from jgb_assets.monitor.curve import changes, curve_now, event_windows, shape
from jgb_assets.monitor.page import PANELS, page
from jgb_assets.monitor.words import unusual
from tests.conftest import Run
from tests.monitor_page import MonitorPage

MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def monitor(from_bundle: Run) -> MonitorPage:
    return MonitorPage(from_bundle.current.resolve())


@pytest.fixture(scope="module")
def tables(from_bundle: Run) -> dict[str, pa.Table]:
    return {path.stem: pq.read_table(path) for path in sorted(from_bundle.current.glob("*.parquet"))}


@pytest.fixture(scope="module")
def datasets(tables: dict[str, pa.Table]) -> Datasets:
    return Datasets(tables)


def known_by(tables: dict[str, pa.Table], day: date) -> dict[str, pa.Table]:
    """The rows of observations to a day."""

    def cut(table: pa.Table) -> pa.Table:
        key = json.loads(table.schema.metadata[b"primary_key"])
        dates = [name for name in key if table.schema.field(name).type == pa.date32()]
        return table.filter(pc.field(dates[0]) <= day) if dates else table

    return {name: cut(table) for name, table in tables.items()}


def test_every_number_is_the_extracts(monitor: MonitorPage) -> None:
    assert monitor.wrong() == []
    assert len(monitor.figures) > 2_500
    assert monitor.loose_numbers() == []


def test_a_wrong_number_would_be_found(monitor: MonitorPage) -> None:
    figure = next(figure for figure in monitor.figures if figure.text == "3.901")
    try:
        figure.text = "3.902"
        assert len(monitor.wrong()) == 1
    finally:
        figure.text = "3.901"


def test_every_panel_says_what_it_is(monitor: MonitorPage) -> None:
    sections = monitor.root.xpath("//section[contains(@class, 'panel')]")
    assert [section.get("id") for section in sections] == [panel.name for panel in PANELS]
    for section in sections:
        name = section.get("id")
        assert section.findtext("h2")
        (caption,) = section.xpath(".//figcaption")
        told = caption.text_content()
        assert re.search(r"Unit: .+\. As of \d{4}-\d\d", " ".join(told.split())), name
        assert "Source: " in told, name
        assert section.xpath(".//table/tbody/tr/td"), name
        for chart in section.xpath(".//*[@role='img']"):
            ids = chart.get("aria-labelledby").split()
            alternative = " ".join(monitor.root.get_element_by_id(part).text_content() for part in ids)
            assert len(alternative) > 40, name
            assert chart.xpath(".//*[local-name() = 'svg']"), name
    drawn = monitor.root.xpath("//section//*[local-name() = 'svg']")
    assert len(drawn) == len(PANELS) - 2  # the latest auctions and the claims are tables


def test_the_page_asks_nobody_and_runs_nothing(monitor: MonitorPage) -> None:
    root = monitor.root
    (policy,) = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    (style,) = root.xpath("//style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert not root.xpath("//script | //iframe | //object | //form | //@style | //*[starts-with(name(), 'on')]")
    links = root.xpath("//@href | //@src | //@*[name() = 'xlink:href']")
    assert links
    assert all(link.startswith("#") or link == "data:," for link in links)
    assert "url(" not in style.text
    assert len(monitor.text.encode()) < MOST_BYTES
    ids = root.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_the_same_extracts_give_the_same_page(monitor: MonitorPage, tables: dict[str, pa.Table]) -> None:
    release_id = monitor.release.name
    assert page(tables, release_id, released_at(release_id)) == monitor.text


def test_maturity_axes_are_numbers(datasets: Datasets) -> None:
    for fill in (curve_now, changes):
        spec = json.dumps(fill(datasets).chart.to_dict())
        kinds = set(re.findall(r'"field": "(?:tenor_years|from)",[^{}]*(?:\{[^{}]*\}[^{}]*)*"type": "(\w+)"', spec))
        assert kinds == {"quantitative"}


def test_the_drawn_numbers_are_those_of_the_table(monitor: MonitorPage) -> None:
    """The map of changes writes numbers into the drawing."""
    section = monitor.root.get_element_by_id("changes")
    told = [float(value) for value in section.xpath(".//table//td/data/@value")]
    drawn = list(section.xpath(".//*[local-name() = 'svg']//*[local-name() = 'text']/text()"))
    plain = [text.replace("\N{MINUS SIGN}", "-") for text in drawn if re.fullmatch(r"[+\N{MINUS SIGN}]\d+|0", text)]
    assert len(told) == 75
    assert sorted(map(float, plain)) == sorted(float(f"{value:.0f}") for value in told)


def test_event_windows_are_the_published_moves(datasets: Datasets) -> None:
    rows = {str(row[0]): row for row in event_windows(datasets).table.rows}
    assert len(rows) == 3 * 16
    shock = rows["2026\N{NON-BREAKING HYPHEN}01\N{NON-BREAKING HYPHEN}20, t"]
    assert [item.value for item in shock[2:]] == [16.7, 24.4, 30.3, 27.2]
    after = rows["2026\N{NON-BREAKING HYPHEN}01\N{NON-BREAKING HYPHEN}20, t+1"]
    assert round(after[4].value - shock[4].value, 1) == -11.8
    assert round(after[5].value - shock[5].value, 1) == -11.3


def test_the_shock_of_january_2026_is_told_as_unusual(tables: dict[str, pa.Table]) -> None:
    told = [sentence.striptags() for sentence in unusual(Datasets(known_by(tables, date(2026, 1, 20))))]
    assert "The 40-year, 3.901 %, is the highest on record." in told
    assert "The 10-year, 2.330 %, is the highest since 1999-02-05." in told
    assert "The 30-year moved by +20.3 bp in one session, the largest rise on record: rank 1 of 3,067." in told
    assert "The 40-year moved by +18.0 bp in one session, the largest rise since 2025-04-08: rank 3 of 2,119." in told
    assert not [sentence for sentence in told if "auction" in sentence]  # it was weak, but not rarely so


def test_the_auction_of_may_2025_is_told_as_unusual(tables: dict[str, pa.Table]) -> None:
    told = [sentence.striptags() for sentence in unusual(Datasets(known_by(tables, date(2025, 5, 20))))]
    assert "At the 20-year auction of 2025-05-20 the tail, 1.14 yen, was the longest since 1987-09-01." in told


@pytest.mark.parametrize(
    "day",
    [
        date(1974, 9, 24),  # the first day of the yields
        date(1986, 7, 5),  # the first with a 10-year
        date(2008, 1, 31),  # the 40-year is new
        date(2025, 4, 9),  # an event window that has just begun
    ],
    ids=str,
)
def test_a_release_with_little_to_show_has_a_page(tables: dict[str, pa.Table], day: date) -> None:
    early = known_by(tables, day)
    made = page(early, "20260101T000000Z-00000000", released_at("20260101T000000Z-00000000"))
    assert "NaN" not in re.sub(r"<svg.*?</svg>", "", made, flags=re.DOTALL)
    assert "None" not in re.sub(r"None has six auctions", "", made)
    assert "Against" not in made.partition('id="changes"')[0].partition('id="curve"')[2]  # of the shock to come
    for name in pictures.PICTURES:
        pictures.picture(Datasets(early), name)
        pictures.scalars(Datasets(early), name)


def test_a_release_without_any_row_says_so(tables: dict[str, pa.Table]) -> None:
    empty = {name: table.slice(0, 0) for name, table in tables.items()}
    made = page(empty, "20260101T000000Z-00000000", released_at("20260101T000000Z-00000000"))
    assert made.count("This release holds no figures for it.") == len(PANELS)
    assert "This release holds no figures to judge." in made
    assert "Nothing, by the rules" not in made
    assert all(pictures.picture(Datasets(empty), name) is None for name in pictures.PICTURES)
    assert all(pictures.scalars(Datasets(empty), name) == {} for name in pictures.PICTURES)


def test_every_dataset_has_a_small_picture(tables: dict[str, pa.Table], datasets: Datasets) -> None:
    assert set(pictures.PICTURES) == set(tables)
    for draw in (*(partial(pictures.picture, name=name) for name in tables), pictures.overview):
        drawn = draw(datasets)
        image = Image.open(BytesIO(drawn))
        assert image.format == "PNG"
        assert min(image.size) > 90
        assert len(image.convert("RGB").getcolors(1_000_000)) > 3  # something is drawn
        assert len(drawn) <= 60_000


def test_scalars_are_the_newest_figures(datasets: Datasets) -> None:
    told = {name: pictures.scalars(datasets, name) for name in pictures.PICTURES}
    assert all(told.values())
    assert told["ust_yields"]["yield_10y_pct"] == 4.38
    assert told["jgb_yields"]["yield_10y_pct"] == 2.69
    assert told["jgb_yields"]["yield_40y_pct"] == 3.792
    assert told["tic_holdings"] == {"japan_position_usd_bn": 1209.889, "japan_change_usd_bn": 18.317, "japan_rank": 1}
    assert told["auction_tails"]["20y_tail_yield_bp"] == 2.2
    assert told["curve_shape"]["slope_10s30s_bp"] == 118.3


def test_no_row_of_a_table_stands_twice(datasets: Datasets) -> None:
    for panel in PANELS:
        names = [str(row[0]) for row in panel.fill(datasets).table.rows]
        assert len(names) == len(set(names)), panel.name


def test_the_shape_panel_names_percentile_and_n(datasets: Datasets) -> None:
    rows = {str(row[0]): row for row in shape(datasets).table.rows}
    pctile, n = rows["slope 30s40s, bp"][4:6]
    assert (pctile.value, n.value) == (0.11, 4_559)
