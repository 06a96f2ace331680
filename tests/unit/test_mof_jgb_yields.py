"""The Ministry's yield table: what it says, its traps, and what must not be let in."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from jgb_assets.landing.changelog import ChangeLogs, compare
from jgb_assets.landing.land import Landed, land
from jgb_assets.landing.snapshots import SnapshotStore
from jgb_assets.landing.transport import ArchiveTransport
from jgb_assets.sources.base import Arrival, Snapshot, SourceRejected
from jgb_assets.sources.mof_jgb_yields import YIELDS, MofJgbYields

REPOSITORY = Path(__file__).parents[2]
BUNDLE = REPOSITORY / "jgb_assets" / "bundle" / "archive"
FOLDER = "www.mof.go.jp/english/policy/jgbs/reference/interest_rate"
HISTORY_PATH, CURRENT_PATH = f"{FOLDER}/historical/jgbcme_all.csv", f"{FOLDER}/jgbcme.csv"
ROOTS = [
    root for root in (BUNDLE, REPOSITORY.parent / "shared" / "archive") if any(root.glob(f"2026-07-03*/{HISTORY_PATH}"))
]
SOURCE = MofJgbYields()
URLS = {
    (role, language): f"https://www.mof.go.jp/{path}"
    for (role, language), path in {
        ("history", "en"): HISTORY_PATH.removeprefix("www.mof.go.jp/"),
        ("current", "en"): CURRENT_PATH.removeprefix("www.mof.go.jp/"),
        ("history", "ja"): "jgbs/reference/interest_rate/data/jgbcm_all.csv",
        ("current", "ja"): "jgbs/reference/interest_rate/jgbcm.csv",
    }.items()
}
RETRIEVED = datetime(2026, 7, 3, 0, 35, tzinfo=UTC)
TENORS = [*range(1, 11), 15, 20, 25, 30, 40]
LOOK, CONFIRM = "open the URL and compare", "JGB_ACCEPT_SHA256"

TO_MAY = (BUNDLE / "2026-07-01T003500Z" / HISTORY_PATH).read_bytes()
TO_JUNE = (BUNDLE / "2026-07-03T003500Z" / HISTORY_PATH).read_bytes()
JUNE = (BUNDLE / "2026-07-01T003500Z" / CURRENT_PATH).read_bytes()  # the current month without the publisher's notes
LAST = b"2026/6/30,1.165,1.382,1.531,1.755,1.937,2.075,2.231,2.398,2.553,2.69,3.271,3.625,3.883,3.873,3.792\r\n"
JULY = (
    b"Interest Rate (July 2026),,,,,,,,,,,,,,,(Unit : %)\r\n"
    b"Date,1Y,2Y,3Y,4Y,5Y,6Y,7Y,8Y,9Y,10Y,15Y,20Y,25Y,30Y,40Y\r\n"
    b"2026/7/1,1.17,1.392,1.545,1.772,1.951,2.09,2.244,2.41,2.565,2.701,3.28,3.631,3.89,3.88,3.801\r\n"
)
COMMAS = b"," * 15 + b"\r\n"
# 81 A6 is the reference mark in cp932; the quoted text holds a comma.
EN_FOOTER = (
    COMMAS
    + b'"  \x81\xa6If you cannot download the latest csv data, please clear the browser\'s cache and download again."'
    + COMMAS
)
JA_FOOTER = (
    COMMAS
    + "※最新のcsvデータがダウンロードできない場合、ご利用のブラウザにおいてキャッシュの削除を実施し"
    "再度ダウンロードください。".encode("cp932")
    + COMMAS
)


# --- files of our own making ------------------------------------------------------------------------------------


def swap(body: bytes, old: str | bytes, new: str | bytes) -> bytes:
    """The one occurrence replaced: the trap under test is really in the file."""
    old, new = (text.encode("cp932") if isinstance(text, str) else text for text in (old, new))
    assert body.count(old) == 1, (old, body.count(old))
    assert old != new
    return body.replace(old, new)


def line_of(body: bytes, day: str) -> bytes:
    """The row of a day as it stands, line end included."""
    start = body.index(b"\r\n" + day.encode("cp932") + b",") + 2
    return body[start : body.index(b"\r\n", start) + 2]


def put(body: bytes, day: str, tenor: int, text: str) -> bytes:
    """One cell rewritten."""
    old = line_of(body, day)
    cells = old.rstrip(b"\r\n").split(b",")
    cells[1 + TENORS.index(tenor)] = text.encode("cp932")
    return swap(body, b"\r\n" + old, b"\r\n" + b",".join(cells) + b"\r\n")


def drop(body: bytes, day: str) -> bytes:
    """One row taken out."""
    return swap(body, b"\r\n" + line_of(body, day), b"\r\n")


def until(body: bytes, day: str) -> bytes:
    """The file cut at the end of a day's row."""
    row = line_of(body, day)
    return body[: body.index(b"\r\n" + row) + 2 + len(row)]


def number_of(body: bytes, day: str) -> int:
    """The line, counted from 1, on which a day stands."""
    return body[: body.index(b"\r\n" + day.encode("cp932") + b",")].count(b"\n") + 2


def iso(day: str) -> date:
    """A date as the English file writes it."""
    return date(*map(int, day.split("/")))


def in_japanese(body: bytes, month: str = "") -> bytes:
    """An English file as the Japanese page gives it: 国債金利情報, 基準日, era dates, cp932."""
    lines = ["国債金利情報" + month + ",,,,,,,,,,,,,,,(単位 : %)", "基準日," + ",".join(f"{n}年" for n in TENORS)]
    for line in body.decode("ascii").splitlines()[2:]:
        first, cells = line.split(",", 1)
        year, rest = first.split("/", 1)
        day = iso(first)
        if day < date(1989, 1, 8):
            era = f"S{int(year) - 1925}"
        elif day < date(2019, 5, 1):
            era = f"H{int(year) - 1988}"
        else:
            era = f"R{int(year) - 2018}"
        lines.append(f"{era}.{rest.replace('/', '.')},{cells}")
    return "".join(line + "\r\n" for line in lines).encode("cp932")


JUNE_JA = in_japanese(JUNE, " (令和8年6月)")


def snapshot(role: str, body: bytes, retrieved_at: datetime = RETRIEVED, language: str = "") -> Snapshot:
    language = language or ("ja" if body[:2] == b"\x8d\x91" else "en")
    return Snapshot(role, URLS[role, language], retrieved_at, hashlib.sha256(body).hexdigest(), body)


@lru_cache(maxsize=16)
def parse(**bodies: bytes) -> pa.Table:
    """What parse gives; the same bytes are read once."""
    return SOURCE.parse({role: snapshot(role, body) for role, body in bodies.items()})["yields"]


def united(**bodies: bytes) -> pa.Table:
    """What ``parse`` gives: a month that follows the history is put behind it, so that the history is read once."""
    if bodies.keys() == {"history", "current"}:
        history, month = parse(history=bodies["history"]), parse(current=bodies["current"])
        if pc.min(month["obs_date"]).as_py() > pc.max(history["obs_date"]).as_py():
            return pa.concat_tables([history, month])
    return parse(**bodies)


def gate(stored: pa.Table | None = None, retrieved_at: datetime = RETRIEVED, **bodies: bytes) -> list[str]:
    """What the gate says of these bytes, compared as the landing compares."""
    files = {role: snapshot(role, body, retrieved_at) for role, body in bodies.items()}
    table = united(**bodies)
    before = YIELDS.empty() if stored is None else stored
    changes = compare(before, table, YIELDS)
    return SOURCE.gate(
        Arrival(files, frozenset(files), {"yields": table}, {"yields": before}, {"yields": changes}),
    )


def refused(
    call: Callable[[], Any], role: str, *, place: str, expected: str, found: str, remedy: str, language: str = "en"
) -> None:
    """The call is refused by this source, for this file, at exactly this place, with this to do."""
    with pytest.raises(SourceRejected) as caught:
        call()
    error = caught.value
    assert error.source == "mof_jgb_yields"
    assert (error.role, error.url) == (role, URLS[role, language])
    assert error.place == place, error
    assert expected in error.expected, error
    assert found in error.found, error
    assert remedy in error.remedy, error
    assert all(part in str(error) for part in (error.source, error.url, place, error.found, error.remedy))


def grid(table: pa.Table) -> dict[date, dict[int, str]]:
    """day -> tenor -> the text as published."""
    rows: dict[date, dict[int, str]] = {}
    for day, tenor, text in zip(
        *(table[name].to_pylist() for name in ("obs_date", "tenor_years", "yield_text")), strict=True
    ):
        rows.setdefault(day, {})[tenor] = text
    return rows


@pytest.fixture(scope="module")
def may() -> pa.Table:
    return parse(history=TO_MAY)


@pytest.fixture(scope="module")
def june() -> pa.Table:
    return parse(history=TO_JUNE)


# --- what the table says, in every archive there is -------------------------------------------------------------

GOLDEN = """
1974/9/24,10.327,9.362,8.83,8.515,8.348,8.29,8.24,8.121,8.127,-,-,-,-,-,-
1974/9/25,10.333,9.364,8.831,8.516,8.348,8.29,8.24,8.121,8.127,-,-,-,-,-,-
1978/5/19,5.058,5.391,5.659,5.817,5.932,6.267,6.383,6.397,6.339,-,-,-,-,-,-
1978/5/22,-,-,-,5.901,5.859,6.213,6.381,6.4,6.345,-,-,-,-,-,-
1980/4/4,-,12.145,11.475,10.399,9.749,9.632,9.999,10.107,9.946,-,-,-,-,-,-
1980/8/21,-,9.336,9.371,8.563,8.35,8.327,8.669,8.701,8.414,-,-,-,-,-,-
1980/8/22,9.565,9.379,9.354,8.592,8.386,8.354,8.684,8.732,8.454,-,-,-,-,-,-
1986/7/5,4.794,4.913,4.891,5.07,5.224,5.27,5.425,5.426,5.498,5.103,-,-,-,-,-
1986/12/1,4.654,4.655,4.575,4.67,4.712,4.809,4.944,5.147,5.262,5.43,-,5.9,-,-,-
1989/1/6,3.844,3.968,4.011,3.998,4.046,4.112,4.174,4.665,4.69,4.843,-,4.971,-,-,-
1989/1/9,3.857,3.963,4.001,3.983,4.03,4.086,4.148,4.603,4.631,4.791,-,4.947,-,-,-
1989/1/28,3.821,3.96,3.994,3.979,4.038,4.093,4.169,4.656,4.753,4.851,-,4.987,-,-,-
1990/9/28,8.554,8.405,8.467,8.336,8.249,8.121,8.172,8.107,7.9,8.105,-,7.748,-,-,-
1991/8/30,6.367,6.376,6.356,6.361,6.431,6.474,6.467,6.357,6.347,6.322,6.546,6.614,-,-,-
1999/2/5,0.479,0.661,1.048,1.36,1.633,1.888,2.088,2.234,2.312,2.43,2.99,3.171,-,-,-
1999/9/2,0.138,0.358,0.525,0.84,1.105,1.339,1.508,1.688,1.762,1.876,2.409,2.664,-,2.842,-
2003/7/3,0.009,0.104,0.243,0.372,0.478,0.626,0.765,0.913,1.024,1.096,1.29,1.487,-,1.622,-
2004/3/22,0.019,0.131,0.258,0.412,0.583,0.735,0.935,1.122,1.253,1.367,1.6,1.926,2.086,2.191,-
2007/11/5,0.661,0.781,0.864,1.011,1.12,1.199,1.268,1.366,1.486,1.593,1.916,2.133,2.281,2.379,-
2007/11/6,0.655,0.771,0.849,0.995,1.102,1.181,1.249,1.352,1.477,1.583,1.916,2.133,2.281,2.378,2.439
2013/4/4,0.06,0.058,0.078,0.118,0.131,0.148,0.221,0.305,0.373,0.442,0.829,1.176,1.237,1.291,1.405
2014/12/3,0.004,-0.003,-0.004,0.02,0.074,0.096,0.168,0.262,0.34,0.426,0.799,1.198,1.339,1.426,1.543
2016/2/9,-0.23,-0.241,-0.261,-0.261,-0.255,-0.258,-0.23,-0.165,-0.095,-0.02,0.327,0.743,0.945,1.091,1.227
2016/7/6,-0.347,-0.334,-0.342,-0.352,-0.362,-0.377,-0.378,-0.356,-0.322,-0.278,-0.145,0.022,0.036,0.042,0.067
2016/7/27,-0.371,-0.372,-0.374,-0.376,-0.384,-0.405,-0.423,-0.389,-0.35,-0.297,-0.074,0.161,0.221,0.268,0.333
2019/4/26,-0.157,-0.153,-0.167,-0.174,-0.17,-0.171,-0.164,-0.137,-0.096,-0.045,0.173,0.374,0.468,0.557,0.625
2019/5/7,-0.161,-0.156,-0.167,-0.176,-0.169,-0.172,-0.163,-0.141,-0.097,-0.049,0.169,0.365,0.452,0.539,0.607
2019/9/25,-0.313,-0.346,-0.369,-0.382,-0.389,-0.398,-0.395,-0.381,-0.319,-0.246,-0.01,0.185,0.274,0.36,0.429
2025/4/7,0.488,0.586,0.621,0.699,0.761,0.787,0.816,0.911,1.017,1.129,1.59,1.93,2.167,2.282,2.536
2025/4/8,0.51,0.647,0.692,0.796,0.869,0.899,0.936,1.041,1.154,1.268,1.752,2.11,2.361,2.479,2.728
2025/4/9,0.473,0.611,0.661,0.763,0.853,0.878,0.913,1.028,1.16,1.284,1.866,2.261,2.551,2.643,2.874
2025/5/20,0.583,0.728,0.807,0.922,1.018,1.071,1.143,1.259,1.397,1.53,2.138,2.539,2.796,2.969,3.288
2025/10/16,0.73,0.92,0.999,1.124,1.214,1.29,1.385,1.478,1.571,1.663,2.252,2.663,3.011,3.134,3.34
2025/11/20,0.768,0.965,1.068,1.228,1.335,1.421,1.53,1.628,1.729,1.824,2.412,2.839,3.219,3.334,3.601
2026/1/14,0.909,1.186,1.338,1.521,1.647,1.736,1.842,1.96,2.077,2.182,2.747,3.099,3.457,3.486,3.649
2026/1/16,0.931,1.205,1.355,1.527,1.647,1.732,1.838,1.958,2.078,2.182,2.745,3.092,3.434,3.462,3.618
2026/1/19,0.951,1.23,1.382,1.561,1.691,1.791,1.903,2.026,2.15,2.266,2.843,3.174,3.519,3.562,3.721
2026/1/20,0.943,1.22,1.381,1.568,1.703,1.816,1.935,2.066,2.208,2.33,2.982,3.325,3.691,3.765,3.901
2026/1/21,0.961,1.235,1.386,1.567,1.687,1.794,1.904,2.032,2.164,2.28,2.915,3.25,3.598,3.647,3.788
2026/1/22,0.952,1.224,1.37,1.552,1.668,1.773,1.877,2,2.125,2.239,2.852,3.202,3.567,3.604,3.748
2026/5/18,1.128,1.431,1.628,1.849,2.015,2.163,2.308,2.454,2.594,2.729,3.306,3.665,3.979,4,4.006
2026/5/19,1.135,1.452,1.654,1.878,2.051,2.208,2.359,2.507,2.646,2.783,3.36,3.717,4.028,4.043,4.043
2026/6/30,1.165,1.382,1.531,1.755,1.937,2.075,2.231,2.398,2.553,2.69,3.271,3.625,3.883,3.873,3.792
""".strip().splitlines()


def test_there_are_files_of_the_publisher() -> None:
    assert ROOTS[0] == BUNDLE


@pytest.fixture(scope="module", params=ROOTS, ids=lambda root: root.parent.name)
def root(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture(scope="module")
def real(root: Path) -> pa.Table:
    return parse(history=(root / "2026-07-03T003500Z" / HISTORY_PATH).read_bytes())


@pytest.fixture(scope="module")
def texts(real: pa.Table) -> dict[date, dict[int, str]]:
    return grid(real)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.split(",")[0])
def test_golden_row(texts: dict[date, dict[int, str]], golden: str) -> None:
    first, *cells = golden.split(",")
    wanted = {tenor: cell for tenor, cell in zip(TENORS, cells, strict=True) if cell != "-"}
    assert texts[iso(first)] == wanted  # '-' is no row: not 0, not null, not the day before


def test_golden_counts(real: pa.Table, texts: dict[date, dict[int, str]]) -> None:
    assert (len(texts), real.num_rows, 15 * len(texts) - real.num_rows) == (13_248, 162_937, 35_783)
    assert (min(texts), max(texts)) == (date(1974, 9, 24), date(2026, 6, 30))
    assert sum(day >= date(1989, 2, 1) for day in texts) == 9_185
    assert all(len(row) == 15 for day, row in texts.items() if day >= date(2007, 11, 6))
    assert sum(day <= date(2026, 4, 30) for day in texts) == 13_208
    assert sum(text == "0" for row in texts.values() for text in row.values()) == 76
    assert sum("." not in text for row in texts.values() for text in row.values()) == 182


NO = (0, None, None)
COVERAGE = [  # tenor, first date and text, values, (negative, first, last), min, its date, max, its date
    (1, "1974-09-24", "10.327", 12_600, (2_069, "2014-12-17", "2024-02-14"), -0.371, "2016-07-27", 11.237, "1975-02-12"),
    (2, "1974-09-24", "9.362", 12_887, (1_928, "2014-12-03", "2024-01-15"), -0.372, "2016-07-27", 12.145, "1980-04-04"),
    (3, "1974-09-24", "8.83", 13_172, (1_854, "2014-12-03", "2023-07-28"), -0.374, "2016-07-27", 11.701, "1980-04-09"),
    (4, "1974-09-24", "8.515", 13_248, (1_648, "2014-12-29", "2023-07-06"), -0.382, "2019-09-25", 10.562, "1980-04-05"),
    (5, "1974-09-24", "8.348", 13_248, (1_489, "2016-01-29", "2022-08-17"), -0.389, "2019-09-25", 10.656, "1980-04-09"),
    (6, "1974-09-24", "8.29", 13_248, (1_473, "2016-01-29", "2022-08-09"), -0.405, "2016-07-27", 10.639, "1980-04-09"),
    (7, "1974-09-24", "8.24", 13_248, (1_412, "2016-01-29", "2022-03-07"), -0.423, "2016-07-27", 10.858, "1980-04-14"),
    (8, "1974-09-24", "8.121", 13_248, (1_214, "2016-01-29", "2022-01-05"), -0.393, "2019-08-29", 10.94, "1980-04-08"),
    (9, "1974-09-24", "8.127", 13_248, (835, "2016-02-04", "2021-12-21"), -0.35, "2016-07-27", 10.67, "1980-04-08"),
    (10, "1986-07-05", "5.103", 9_887, (453, "2016-02-09", "2020-05-22"), -0.297, "2016-07-27", 8.105, "1990-09-28"),
    (15, "1991-08-30", "6.546", 8_546, (59, "2016-06-13", "2019-09-27"), -0.15, "2016-07-08", 6.546, "1991-08-30"),
    (20, "1986-12-01", "5.9", 9_774, NO, 0.022, "2016-07-06", 7.749, "1990-09-26"),
    (25, "2004-03-22", "2.086", 5_453, NO, 0.036, "2016-07-06", 4.028, "2026-05-19"),
    (30, "1999-09-02", "2.842", 6_571, NO, 0.042, "2016-07-06", 4.043, "2026-05-19"),
    (40, "2007-11-06", "2.439", 4_559, NO, 0.067, "2016-07-06", 4.043, "2026-05-19"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tenor", "first", "text", "values", "negative", "low", "low_day", "high", "high_day"), COVERAGE
)
def test_coverage_of_a_tenor(
    real: pa.Table,
    tenor: int,
    first: str,
    text: str,
    values: int,
    negative: tuple[int, str | None, str | None],
    low: float,
    low_day: str,
    high: float,
    high_day: str,
) -> None:
    own = real.filter(pc.field("tenor_years") == tenor)
    days, yields = [str(day) for day in own["obs_date"].to_pylist()], own["yield_pct"].to_pylist()
    assert (days[0], own["yield_text"][0].as_py(), len(days)) == (first, text, values)
    below = [day for day, value in zip(days, yields, strict=True) if value < 0]
    assert (len(below), *((below[0], below[-1]) if below else (None, None))) == negative
    by_day = dict(zip(days, yields, strict=True))
    assert (min(yields), by_day[low_day]) == (low, low)
    assert (max(yields), by_day[high_day]) == (high, high)


@pytest.mark.parametrize(
    ("tenor", "rows", "before", "after"),
    [
        (1, 648, ("1978-05-19", "5.058"), ("1980-08-22", "9.565")),
        (2, 361, ("1978-05-19", "5.391"), ("1979-08-22", "7.632")),
        (3, 76, ("1978-05-19", "5.659"), ("1978-08-22", "6.012")),
    ],
)
def test_a_short_tenor_pauses_once_and_every_other_stretch_is_whole(
    texts: dict[date, dict[int, str]], tenor: int, rows: int, before: tuple[str, str], after: tuple[str, str]
) -> None:
    days = sorted(texts)
    gaps = [day for day in days if tenor not in texts[day]]
    assert len(gaps) == rows
    edges = days[days.index(gaps[0]) - 1], days[days.index(gaps[-1]) + 1]
    assert days.index(gaps[-1]) - days.index(gaps[0]) == rows - 1
    assert [(str(day), texts[day][tenor]) for day in edges] == [before, after]


def test_only_the_short_tenors_pause(texts: dict[date, dict[int, str]]) -> None:
    days = sorted(texts)
    for tenor in TENORS[3:]:
        has = [tenor in texts[day] for day in days]
        assert all(has[has.index(True) :]), tenor


def test_days_of_the_week_and_longest_gaps(texts: dict[date, dict[int, str]]) -> None:
    days = sorted(texts)
    saturdays = [day for day in days if day.weekday() == 5]
    assert (len(saturdays), str(saturdays[0]), str(saturdays[-1])) == (519, "1974-09-28", "1989-01-28")
    assert not [day for day in days if day.weekday() == 6]
    gaps = {(str(a), str(b)): (b - a).days for a, b in pairwise(days)}
    assert max(gaps.values()) == gaps["2019-04-26", "2019-05-07"] == 11
    assert sum(gap == 9 for gap in gaps.values()) == 3
    assert gaps["2026-05-01", "2026-05-07"] == 6


@pytest.mark.parametrize(
    ("day", "before", "moves_bp"),
    [
        ("2025-04-08", "2025-04-07", {10: 13.9, 20: 18.0, 30: 19.7, 40: 19.2}),
        ("2025-04-09", "2025-04-08", {20: 15.1, 25: 19.0, 30: 16.4, 1: -3.7}),
        ("2026-01-20", "2026-01-19", {30: 20.3, 40: 18.0, 20: 15.1, 10: 6.4, 1: -0.8, 25: 17.2, 15: 13.9}),
        ("2026-01-21", "2026-01-20", {30: -11.8, 40: -11.3}),
        ("2019-05-07", "2019-04-26", {10: -0.4}),
        ("2013-04-04", "2013-04-03", {25: -27.1, 30: -26.8, 40: -26.6}),
        ("2016-03-08", "2016-03-07", {30: -21.0, 40: -21.5}),
        ("1985-10-25", "1985-10-24", {7: 61.7}),
    ],
)
def test_golden_changes(real: pa.Table, day: str, before: str, moves_bp: dict[int, float]) -> None:
    def of(when: str) -> dict[int, float]:
        own = real.filter(pc.field("obs_date") == date.fromisoformat(when))
        return dict(zip(own["tenor_years"].to_pylist(), own["yield_pct"].to_pylist(), strict=True))

    now, then = of(day), of(before)
    assert {tenor: round(100 * (now[tenor] - then[tenor]), 1) for tenor in moves_bp} == moves_bp


def test_highs_of_2026(real: pa.Table) -> None:
    fours = real.filter((pc.field("yield_pct") >= 4) & (pc.field("obs_date") > date(1995, 5, 18)))
    first = [(row["obs_date"], row["tenor_years"], row["yield_text"]) for row in fours.slice(0, 2).to_pylist()]
    assert first == [(date(2026, 5, 18), 30, "4"), (date(2026, 5, 18), 40, "4.006")]


def test_shape_order_text_and_line_of_the_table(root: Path, real: pa.Table) -> None:
    assert real.schema == YIELDS.schema
    keys = list(zip(real["obs_date"].to_pylist(), real["tenor_years"].to_pylist(), strict=True))
    assert keys == sorted(set(keys))
    assert real["yield_pct"].to_pylist() == [float(text) for text in real["yield_text"].to_pylist()]
    assert set(real["file_kind"].to_pylist()) == {"history"}
    assert set(real["language"].to_pylist()) == {"en"}
    lines = (root / "2026-07-03T003500Z" / HISTORY_PATH).read_text("cp932").splitlines()
    for row in real.take(list(range(0, real.num_rows, 800))).to_pylist():
        day = row["obs_date"]
        cells = lines[row["source_line"] - 1].split(",")
        assert cells[0] == f"{day.year}/{day.month}/{day.day}"
        assert cells[1 + TENORS.index(row["tenor_years"])] == row["yield_text"]


def test_nothing_was_revised_between_the_issues_of_2026(root: Path, texts: dict[date, dict[int, str]]) -> None:
    bodies = {
        "history": (root / "2026-05-07T003500Z" / HISTORY_PATH).read_bytes(),
        "current": (root / "2026-07-01T003500Z" / CURRENT_PATH).read_bytes(),
    }
    april, month = grid(parse(history=bodies["history"])), grid(parse(current=bodies["current"]))
    assert (len(april), max(april)) == (13_208, date(2026, 4, 30))
    assert (len(month), min(month), max(month)) == (22, date(2026, 6, 1), date(2026, 6, 30))
    assert april == {day: texts[day] for day in april}
    assert month == {day: texts[day] for day in month}


def test_real_history_passes_every_gate_without_a_word(root: Path) -> None:
    assert gate(history=(root / "2026-07-03T003500Z" / HISTORY_PATH).read_bytes()) == []


def test_a_month_behind_its_history_is_what_parse_gives() -> None:
    """So the tests of the gate may unite them without reading the history again."""
    for history, current in ((TO_MAY, JUNE), (TO_JUNE, JULY)):
        assert united(history=history, current=current).equals(parse(history=history, current=current))


def test_real_files_of_a_months_first_day_unite_without_a_word(root: Path, real: pa.Table) -> None:
    instant = datetime(2026, 7, 1, 0, 35, tzinfo=UTC)
    folder = root / "2026-07-01T003500Z"
    bodies = {"history": (folder / HISTORY_PATH).read_bytes(), "current": (folder / CURRENT_PATH).read_bytes()}
    table = parse(**bodies)
    same = ["obs_date", "tenor_years", "yield_pct", "yield_text", "published_at", "language"]
    assert table.select(same).equals(real.select(same))
    of_current = table.filter(pc.field("file_kind") == "current")
    assert pc.min_max(of_current["obs_date"]).as_py() == {"min": date(2026, 6, 1), "max": date(2026, 6, 30)}
    assert of_current.num_rows == 22 * 15
    assert gate(None, instant, **bodies) == []


@pytest.mark.parametrize(
    ("day", "instant"),
    [
        (date(2026, 1, 20), datetime(2026, 1, 21, 0, 30, tzinfo=UTC)),
        (date(2026, 1, 16), datetime(2026, 1, 19, 0, 30, tzinfo=UTC)),  # a Friday
        (date(2019, 4, 26), datetime(2019, 5, 7, 0, 30, tzinfo=UTC)),
        (date(2025, 12, 30), datetime(2026, 1, 5, 0, 30, tzinfo=UTC)),
        (date(2026, 6, 30), datetime(2026, 7, 1, 0, 30, tzinfo=UTC)),  # the last row: no row after it
        (date(1989, 1, 27), datetime(1989, 1, 28, 0, 30, tzinfo=UTC)),  # a Friday when Saturdays were sessions
    ],
)
def test_a_yield_is_known_at_half_past_nine_on_the_next_session(real: pa.Table, day: date, instant: datetime) -> None:
    known = real.filter(pc.field("obs_date") == day)["published_at"]
    assert set(known.to_pylist()) == {instant}


def test_no_yield_is_known_on_its_own_day(real: pa.Table) -> None:
    days = real["published_at"].to_numpy().astype("datetime64[D]") - real["obs_date"].to_numpy()
    assert (days.min(), days.max()) == (np.timedelta64(1, "D"), np.timedelta64(11, "D"))


@pytest.mark.parametrize(
    ("newest", "instant"),
    [
        (date(2026, 6, 30), datetime(2026, 7, 2, 0, 30, tzinfo=UTC)),
        (date(2026, 1, 15), datetime(2026, 1, 19, 0, 30, tzinfo=UTC)),  # the row of Friday comes on Monday
        (date(2019, 4, 25), datetime(2019, 5, 7, 0, 30, tzinfo=UTC)),
        (date(2026, 4, 30), datetime(2026, 5, 7, 0, 30, tzinfo=UTC)),
        (date(2025, 12, 29), datetime(2026, 1, 5, 0, 30, tzinfo=UTC)),
    ],
)
def test_next_row_is_expected_a_session_after_the_next_session(newest: date, instant: datetime) -> None:
    assert SOURCE.next_expected_at(newest) == instant


# --- the layouts the publisher uses -----------------------------------------------------------------------------


def test_a_file_never_retrieved_gives_an_empty_table() -> None:
    assert parse().equals(YIELDS.empty())
    assert gate() == []


def test_the_urls_that_answer_come_before_their_fall_backs() -> None:
    assert {file.role: file.urls for file in SOURCE.files} == {
        role: (URLS[role, "en"], URLS[role, "ja"]) for role in ("history", "current")
    }


def test_the_same_bytes_give_the_same_table(june: pa.Table) -> None:
    assert SOURCE.parse({"history": snapshot("history", TO_JUNE)})["yields"].equals(june)


def test_the_japanese_history_says_the_same(june: pa.Table) -> None:
    body = in_japanese(TO_JUNE)
    assert body.startswith(bytes.fromhex("8D918DC28BE097988FEE95F1"))
    wanted = ["S49.9.24", "S64.1.6", "H1.1.9", "H31.4.26", "R1.5.7", "R8.1.20"]
    assert all(body.count(b"\r\n" + day.encode() + b",") == 1 for day in wanted)
    table = parse(history=body)
    assert table.drop(["language"]).equals(june.drop(["language"]))
    assert set(table["language"].to_pylist()) == {"ja"}
    assert gate(june, history=body) == []


def test_the_japanese_month_unites_with_the_english_history(june: pa.Table) -> None:
    assert gate(june, history=TO_MAY, current=JUNE_JA + JA_FOOTER) == []
    table = parse(history=TO_MAY, current=JUNE_JA + JA_FOOTER)
    assert table["yield_text"].equals(june["yield_text"])
    assert pc.sum(pc.equal(table["language"], "ja")).as_py() == 22 * 15


@pytest.mark.parametrize(("body", "footer"), [(JUNE, EN_FOOTER), (JUNE_JA, JA_FOOTER)], ids=["en", "ja"])
def test_the_footer_is_no_row_and_its_bytes_are_cp932(body: bytes, footer: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        footer.decode("utf-8")
    assert parse(current=body + footer).equals(parse(current=body))
    assert parse(current=body).num_rows == 22 * 15


@pytest.mark.parametrize("body", [JUNE + EN_FOOTER, JUNE_JA + JA_FOOTER], ids=["en", "ja"])
def test_without_its_title_line_a_file_parses_and_the_gate_warns(june: pa.Table, body: bytes) -> None:
    title, rest = body.split(b"\r\n", 1)
    table = parse(current=rest)
    assert table["source_line"][0].as_py() == 2
    assert table.drop(["source_line", "language"]).equals(parse(current=JUNE).drop(["source_line", "language"]))
    language = "ja" if title.startswith(b"\x8d\x91") else "en"
    file = snapshot("current", rest, language=language)
    files = {"history": snapshot("history", TO_MAY), "current": file}
    table = SOURCE.parse(files)["yields"]
    changes = compare(june, table, YIELDS)
    arrival = Arrival(files, frozenset(["current"]), {"yields": table}, {"yields": june}, {"yields": changes})
    assert SOURCE.gate(arrival) == [f"{URLS['current', language]} came without its title line"]


def test_a_history_without_its_title_line_warns_too(june: pa.Table) -> None:
    assert gate(june, history=TO_JUNE.split(b"\r\n", 1)[1]) == [f"{URLS['history', 'en']} came without its title line"]


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (swap(JUNE, "(June 2026)", "(July 2026)"), "Interest Rate (July 2026)"),
        (swap(JUNE, "(June 2026)", "(June 2025)"), "Interest Rate (June 2025)"),
        (swap(JUNE_JA, "(令和8年6月)", "(令和8年7月)"), "国債金利情報 (令和8年7月)"),
    ],
)
def test_a_title_of_another_month_dates_no_row_and_only_warns(june: pa.Table, body: bytes, title: str) -> None:
    url = URLS["current", "ja" if body[:2] == b"\x8d\x91" else "en"]
    assert gate(june, history=TO_MAY, current=body) == [f"{url} is titled {title!r} but ends with a row of 2026-06-30"]
    assert parse(current=body)["obs_date"].equals(parse(current=JUNE)["obs_date"])


@pytest.mark.parametrize(
    ("text", "value"), [("-0.134", -0.134), ("0", 0.0), ("4", 4.0), ("2.33", 2.33), ("-1", -1.0), ("15", 15.0)]
)
def test_a_number_is_read_as_it_stands(text: str, value: float) -> None:
    table = parse(current=put(JUNE, "2026/6/30", 10, text))
    cell = table.filter((pc.field("obs_date") == date(2026, 6, 30)) & (pc.field("tenor_years") == 10)).to_pylist()
    assert [(row["yield_text"], row["yield_pct"]) for row in cell] == [(text, value)]


# --- bytes that are not the table -------------------------------------------------------------------------------

PAGE = b'\r\n<!DOCTYPE html><html lang="ja"><head><title>404</title></head></html>\r\n'


@pytest.mark.parametrize("role", ["history", "current"])
@pytest.mark.parametrize(
    ("body", "place", "found"),
    [
        (b"", "the whole file", "an empty body"),
        (b"\r\n \r\n", "the whole file", "an empty body"),
        (PAGE, "first bytes", "a web page"),
        (b"Interest Rate<html><body>Service unavailable</body></html>\r\n", "first bytes", "a web page"),
    ],
)
def test_nothing_or_a_page_is_refused(role: str, body: bytes, place: str, found: str) -> None:
    refused(lambda: parse(**{role: body}), role, place=place, expected="a data file", found=found, remedy=LOOK)


def re_encoded(body: bytes, of: str, to: str) -> bytes:
    return body.decode(of).encode(to)


HEADER = "a header that starts with Date or 基準日, in cp932"


@pytest.mark.parametrize(
    ("body", "language", "place", "expected", "found"),
    [
        (swap(JUNE_JA, "基準日", "基準日".encode()), "ja", "line 2", HEADER, "蝓ｺ貅匁律"),
        (JUNE_JA.decode("ascii", "replace").replace("\ufffd", "?").encode(), "ja", "line 2", HEADER, "??"),
        (re_encoded(JUNE_JA, "latin-1", "utf-8"), "ja", "byte 41", "text in cp932", "bytes"),
        (re_encoded(JUNE_JA, "cp932", "utf-8"), "ja", "byte 14", "text in cp932", "bytes"),
        (re_encoded(JUNE_JA, "cp932", "utf-8-sig"), "ja", "byte 0", "text in cp932", "bytes"),
        (re_encoded(JUNE_JA, "cp932", "utf-16"), "ja", "byte 7", "text in cp932", "bytes"),
        (re_encoded(JUNE_JA, "cp932", "euc-jp"), "ja", "byte 11", "text in cp932", "bytes"),
        (JUNE_JA.decode("ascii", "replace").encode(), "ja", "byte 0", "text in cp932", "bytes"),
        (re_encoded(JUNE + EN_FOOTER, "cp932", "utf-8"), "en", "line 25", "one ※ footer", "If you cannot"),
        (re_encoded(JUNE, "cp932", "utf-8-sig"), "en", "byte 0", "text in cp932", "bytes"),
        (
            swap(JUNE, "2026/6/15", b"2026/6/15\x81"),
            "en",
            f"byte {JUNE.index(b'2026/6/15') + 9}",
            "text in cp932",
            "bytes",
        ),
    ],
    ids=[
        "header in UTF-8",
        "question marks",
        "Latin-1 in UTF-8",
        "UTF-8",
        "UTF-8 with mark",
        "UTF-16",
        "EUC-JP",
        "U+FFFD",
        "footer in UTF-8",
        "English with mark",
        "a stray byte",
    ],
)
def test_another_encoding_is_refused(body: bytes, language: str, place: str, expected: str, found: str) -> None:
    file = snapshot("current", body, language=language)
    refused(
        lambda: SOURCE.parse({"current": file}),
        "current",
        place=place,
        expected=expected,
        found=found,
        remedy=LOOK,
        language=language,
    )


COLUMNS = "Date,1Y,2Y,3Y,4Y,5Y,6Y,7Y,8Y,9Y,10Y,15Y,20Y,25Y,30Y,40Y"


def without_column(body: bytes, number: int) -> bytes:
    lines = [line.split(b",") for line in body.splitlines()]
    return b"".join(b",".join(cells[:number] + cells[number + 1 :]) + b"\r\n" for cells in lines)


def swapped_columns(body: bytes, one: int, other: int) -> bytes:
    lines = [line.split(b",") for line in body.splitlines()]
    for cells in lines[1:]:
        cells[one], cells[other] = cells[other], cells[one]
    return b"".join(b",".join(cells) + b"\r\n" for cells in lines)


@pytest.mark.parametrize(
    ("body", "place", "expected", "found"),
    [
        (swap(JUNE, ",10Y,", ",10 Years,"), "line 2", COLUMNS, ",10 Years,"),
        (swap(JUNE, "Date,", "date,"), "line 2", HEADER, "date,1Y"),
        (swapped_columns(JUNE, 11, 12), "line 2", COLUMNS, "10Y,20Y,15Y"),
        (without_column(JUNE, 13), "line 2", COLUMNS, "20Y,30Y,40Y"),
        (swap(JUNE, ",40Y\r\n", ",40Y,50Y\r\n"), "line 2", COLUMNS, "40Y,50Y"),
        (swap(JUNE, COLUMNS + "\r\n", ""), "line 2", HEADER, "2026/6/1,"),
        (swap(JUNE, "(Unit : %)", "(Unit : bp)"), "line 1", "a unit in %", "Interest Rate"),
        (swap(JUNE, ",(Unit : %)", "(Unit : %)"), "line 1", "14 empty fields", "Interest Rate"),
        (swap(JUNE, "Interest Rate (", "Auction Results ("), "line 1", "'Interest Rate'", "Auction Results"),
        (JUNE[: JUNE.index(b"2026/6/1,")], "line 3", "data rows", "none"),
        (JUNE[: JUNE.index(b"2026/6/1,")] + EN_FOOTER, "line 3", "data rows", "none"),
        (JUNE[: JUNE.index(b"Date,")], "line 2", HEADER, "''"),
    ],
)
def test_another_header_is_refused(body: bytes, place: str, expected: str, found: str) -> None:
    refused(lambda: parse(current=body), "current", place=place, expected=expected, found=found, remedy=LOOK)


@pytest.mark.parametrize(
    ("after", "place", "found"),
    [
        (COMMAS, "line 25", ",,,"),
        (b"\r\n", "line 25", "''"),
        (b"\r\n" + LAST, "line 25", "2026/6/30"),
        (COMMAS + LAST, "line 25", "2026/6/30"),
        (EN_FOOTER + LAST, "line 25", ",,,"),
        (EN_FOOTER + b"\r\n", "line 25", ",,,"),
        (swap(EN_FOOTER, b"\x81\xa6", b""), "line 25", ",,,"),
    ],
)
def test_after_the_rows_stand_a_line_of_commas_and_one_footer_or_nothing(after: bytes, place: str, found: str) -> None:
    expected = "a line of commas and one ※ footer that end the file"
    refused(lambda: parse(current=JUNE + after), "current", place=place, expected=expected, found=found, remedy=LOOK)


def test_a_footer_without_its_line_of_commas_is_no_row() -> None:
    body = JUNE + EN_FOOTER[len(COMMAS) :]
    refused(lambda: parse(current=body), "current", place="line 25", expected="16 fields", found="17", remedy=LOOK)


@pytest.mark.parametrize(
    ("body", "language", "old", "new", "expected"),
    [
        (JUNE, "en", "2026/6/15", "6/15/26", "YYYY/M/D"),
        (JUNE, "en", "2026/6/15", "6/15/2026", "YYYY/M/D"),
        (JUNE, "en", "2026/6/15", "2026-06-15", "YYYY/M/D"),
        (JUNE, "en", "2026/6/15", "2026/06/15", "YYYY/M/D"),
        (JUNE, "en", "2026/6/5", "2026/6/05", "YYYY/M/D"),
        (JUNE, "en", "2026/6/15", "26/6/15", "YYYY/M/D"),
        (JUNE, "en", "2026/6/30", "2026/6/31", "YYYY/M/D"),
        (JUNE, "en", "2026/6/15", "R8.6.15", "YYYY/M/D"),
        (JUNE, "en", "2026/6/15", " 2026/6/15", "YYYY/M/D"),
        (JUNE, "en", "2026/6/30", "Average", "YYYY/M/D"),
        (JUNE_JA, "ja", "R8.6.15", "R0.6.15", "an era date"),
        (JUNE_JA, "ja", "R8.6.15", "R8.2.30", "an era date"),
        (JUNE_JA, "ja", "R8.6.15", "H32.6.15", "an era date"),
        (JUNE_JA, "ja", "R8.6.15", "H38.6.15", "an era date"),  # the same day counted on in the era before
        (JUNE_JA, "ja", "R8.6.15", "S101.6.15", "an era date"),
        (JUNE_JA, "ja", "R8.6.15", "R08.6.15", "an era date"),
        (JUNE_JA, "ja", "R8.6.15", "R8.06.15", "an era date"),
        (JUNE_JA, "ja", "R8.6.15", "令和8.6.15", "an era date"),
        (JUNE_JA, "ja", "R8.6.15", "T8.6.15", "an era date"),
        (JUNE_JA, "ja", "R8.6.15", "R元.6.15", "an era date"),
        (JUNE_JA, "ja", "R8.6.15", "2026/6/15", "an era date"),
    ],
)
def test_a_date_written_otherwise_is_refused(body: bytes, language: str, old: str, new: str, expected: str) -> None:
    place = f"line {number_of(body, old)}, field 1"
    body = swap(body, "\r\n" + old + ",", "\r\n" + new + ",")
    refused(
        lambda: parse(current=body),
        "current",
        place=place,
        expected=expected,
        found=repr(new),
        remedy=LOOK,
        language=language,
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("S64.1.6", "H1.1.6"),  # Heisei began on 1989-01-08
        ("H1.1.9", "S64.1.9"),
        ("H31.4.26", "R1.4.26"),  # Reiwa began on 2019-05-01
        ("R1.5.7", "H31.5.7"),
    ],
)
def test_an_era_on_the_wrong_side_of_its_border_is_refused(old: str, new: str) -> None:
    body = until(in_japanese(TO_JUNE), old)
    place = f"line {number_of(body, old)}, field 1"
    body = swap(body, "\r\n" + old + ",", "\r\n" + new + ",")
    refused(
        lambda: parse(history=body),
        "history",
        place=place,
        expected="an era date",
        found=repr(new),
        remedy=LOOK,
        language="ja",
    )


def test_a_spreadsheets_save_is_refused() -> None:
    """All dates M/D/YY, the last line end gone."""
    body = re.sub(rb"(?m)^20(\d\d)/(\d+)/(\d+),", rb"\2/\3/\1,", JUNE)
    assert body.count(b"\r\n6/") == 22
    refused(
        lambda: parse(current=body), "current", place="line 3, field 1", expected="YYYY/M/D", found="'6/1/26'", remedy=LOOK
    )  # fmt: skip
    refused(
        lambda: parse(current=body[:-2]),
        "current",
        place="line 24, the last",
        expected="a line end",
        found="saved again by a spreadsheet",
        remedy=LOOK,
    )


@pytest.mark.parametrize(
    "text",
    ["", " ", "*", "N/A", "null", "2.6555", "2.", ".265", "+2.6", "2,6", "1e0", "--", "−0.1", "- ", "nan", "2.6%", "0x2"],
)  # fmt: skip
def test_a_cell_that_is_no_number_is_refused(text: str) -> None:
    if "," in text:  # a decimal comma makes one field more
        place, expected, found = "line 13", "16 fields", "17"
    elif text == "−0.1":  # a minus sign as typeset: cp932 has it
        place, expected, found = "line 13, 10-year of 2026-06-15", "up to 3 decimals", "0.1"
    else:
        place, expected, found = "line 13, 10-year of 2026-06-15", "up to 3 decimals", repr(text)
    body = put(JUNE, "2026/6/15", 10, text)
    refused(lambda: parse(current=body), "current", place=place, expected=expected, found=found, remedy=LOOK)


@pytest.mark.parametrize("text", ["15.001", "25.89", "-1.001", "258.9"])
def test_a_yield_that_no_tenor_ever_had_is_refused(text: str) -> None:
    refused(
        lambda: parse(current=put(JUNE, "2026/6/15", 10, text)),
        "current",
        place="line 13, 10-year of 2026-06-15",
        expected="-1 to 15 percent",
        found=repr(text),
        remedy=LOOK,
    )


@pytest.mark.parametrize(("cells", "fields"), [(14, 15), (16, 17)])
def test_a_row_of_other_width_is_refused(cells: int, fields: int) -> None:
    body = swap(JUNE, line_of(JUNE, "2026/6/15"), b"2026/6/15" + b",1.141" * cells + b"\r\n")
    refused(
        lambda: parse(current=body), "current", place="line 13", expected="16 fields", found=str(fields), remedy=LOOK
    )


@pytest.mark.parametrize(
    ("day", "body"),
    [
        ("2026/6/30", swap(JUNE, LAST, b"2026/6/30" + b",-" * 15 + b"\r\n")),
        ("2026/6/30", put(JUNE, "2026/6/30", 1, "-")),
        ("2026/6/1", put(JUNE, "2026/6/1", 1, "-")),
    ],
    ids=["all of the last row", "one cell", "one cell of the first row"],
)
def test_an_empty_cell_in_the_month_is_refused(day: str, body: bytes) -> None:
    refused(
        lambda: parse(current=body),
        "current",
        place=f"line {number_of(body, day)}, 1-year of {iso(day)}",
        expected="a yield: none is empty",
        found="'-'",
        remedy=LOOK,
    )


@pytest.mark.parametrize(
    ("body", "line", "found"),
    [
        (swap(JUNE, "\r\n2026/6/16,", "\r\n2026/6/15,"), 14, "2026-06-15"),  # twice
        (swap(JUNE, "\r\n2026/6/16,", "\r\n2026/6/11,"), 14, "2026-06-11"),  # back in time
        (JUNE + LAST, 25, "2026-06-30"),
    ],
)
def test_dates_ascend_without_a_repeat(body: bytes, line: int, found: str) -> None:
    last = "2026-06-30" if line == 25 else "2026-06-15"
    refused(
        lambda: parse(current=body),
        "current",
        place=f"line {line}",
        expected=f"a date after {last}",
        found=found,
        remedy=LOOK,
    )


def test_a_month_cut_anywhere_within_a_line_is_refused() -> None:
    whole = JUNE[: JUNE.index(b"2026/6/3,")] + EN_FOOTER
    rows_end = JUNE.index(b"2026/6/3,")
    whole_lines = {rows_end, len(whole)}  # without the notes, or all of it
    first_row_end = JUNE.index(b"2026/6/2,")
    for size in range(1, len(whole)):
        if size in whole_lines or size == first_row_end:
            assert parse(current=whole[:size]).num_rows == 15 * (2 if size in whole_lines else 1)
            continue
        with pytest.raises(SourceRejected) as caught:
            parse(current=whole[:size])
        assert caught.value.place
        assert caught.value.url == URLS["current", "en"]


# --- a history that is not the whole history ----------------------------------------------------------------------


def without_rows_before(body: bytes, day: str) -> bytes:
    start = body.index(b"1974/9/24,")
    return body[:start] + body[body.index(b"\r\n" + day.encode() + b",") + 2 :]


NOT_THE_HISTORY = {
    "cut within a line": (TO_JUNE[:-30], "line 13250, the last", "a line end after the last row", "cut short"),
    "cut within the last line end": (TO_JUNE[:-1], "line 13250, the last", "a line end after the last row", "cut short"),
    "cut at 2025-05-29": (
        until(TO_JUNE, "2025/5/29"),
        "line 12985, the last",
        "the last business day of a month",
        "2025-05-29",
    ),
    "cut by one day": (
        until(TO_JUNE, "2026/6/29"),
        "line 13249, the last",
        "the last business day of a month",
        "2026-06-29",
    ),
    "cut before the 40-year": (until(TO_JUNE, "1999/3/31"), f"line {number_of(TO_JUNE, '1999/3/31')}, the last", "rows beyond 2007-11-06", "1999-03-31"),
    "first row gone": (drop(TO_JUNE, "1974/9/24"), "line 3", "1974-09-24", "1974-09-25"),
    "from 2000": (without_rows_before(TO_JUNE, "2000/1/4"), "line 3", "1974-09-24", "2000-01-04"),
    "the month in its place": (JUNE, "line 3", "1974-09-24", "2026-06-01"),
    "a Saturday gone": (drop(TO_JUNE, "1980/4/5"), "rows before 1989-02-01", "4,063", "4,062"),
    "an empty cell filled with 0": (
        put(TO_JUNE, "1990/9/28", 40, "0"),
        f"line {number_of(TO_JUNE, '1990/9/28')}, 40-year of 1990-09-28",
        "'-': the publisher has no value there",
        "'0'",
    ),
    "a value lost": (
        put(TO_JUNE, "1990/9/28", 10, "-"),
        f"line {number_of(TO_JUNE, '1990/9/28')}, 10-year of 1990-09-28",
        "a yield: none is empty",
        "'-'",
    ),
    "15-year and 20-year changed places": (
        TO_JUNE[:TO_JUNE.index(b"1974")] + swapped_columns(TO_JUNE[TO_JUNE.index(b"1974"):], 11, 12),
        f"line {number_of(TO_JUNE, '1986/12/1')}, 15-year of 1986-12-01",
        "'-': the publisher has no value there",
        "'5.9'",
    ),
    "a value lost since 2007": (
        put(TO_JUNE, "2007/11/6", 40, "-"),
        f"line {number_of(TO_JUNE, '2007/11/6')}, 40-year of 2007-11-06",
        "a yield: none is empty",
        "'-'",
    ),
    "its last row empty": (
        swap(TO_JUNE, LAST, b"2026/6/30" + b",-" * 15 + b"\r\n"),
        "line 13250, 1-year of 2026-06-30",
        "a yield: none is empty",
        "'-'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "place", "expected", "found"), NOT_THE_HISTORY.values(), ids=NOT_THE_HISTORY)
def test_less_than_the_history_is_refused(body: bytes, place: str, expected: str, found: str) -> None:
    refused(lambda: parse(history=body), "history", place=place, expected=expected, found=found, remedy=LOOK)


def test_the_file_cut_at_2025_05_29_had_12983_rows() -> None:
    assert until(TO_JUNE, "2025/5/29").count(b"\r\n") == 2 + 12_983


@pytest.mark.parametrize(
    ("body", "place", "found"),
    [
        (TO_JUNE, "lines 3 to 13250", "13248 rows from 1974-09-24 to 2026-06-30"),
        (JUNE + JULY.split(b"\r\n", 2)[2], "lines 3 to 25", "from 2026-06-01 to 2026-07-01"),
        (swap(JUNE, "\r\n2026/6/1,", "\r\n2025/6/2,"), "lines 3 to 24", "from 2025-06-02 to 2026-06-30"),
    ],
    ids=["the history", "two months", "two years"],
)
def test_more_than_a_month_is_not_the_current_month(body: bytes, place: str, found: str) -> None:
    expected = "at most 23 rows of one month"
    refused(lambda: parse(current=body), "current", place=place, expected=expected, found=found, remedy=LOOK)


# --- months that meet ---------------------------------------------------------------------------------------------


def test_an_equal_overlap_keeps_one_row_without_a_word(june: pa.Table) -> None:
    table = parse(history=TO_JUNE, current=JUNE)
    assert table.equals(june)
    assert gate(june, history=TO_JUNE, current=JUNE) == []


@pytest.mark.parametrize("side", ["history", "current"])
def test_a_different_overlap_keeps_the_current_row_and_warns(june: pa.Table, side: str) -> None:
    bodies = {"history": TO_JUNE, "current": JUNE}
    bodies[side] = put(bodies[side], "2026/6/15", 40, "3.675")  # 3.674 in the other file
    table = parse(**bodies)
    row = table.filter(pc.field("obs_date") == date(2026, 6, 15))
    assert set(row["file_kind"].to_pylist()) == {"current"}
    assert row["yield_text"].to_pylist()[-1] == ("3.675" if side == "current" else "3.674")
    assert table.num_rows == june.num_rows
    assert set(table.filter(pc.field("obs_date") != date(2026, 6, 15))["file_kind"].to_pylist()) == {"history"}
    overlap = "history and current month differ on 2026-06-15; the current month's row stands"
    rewritten = "1 past cells were rewritten in a series that is not revised: 40-year of 2026-06-15"
    assert gate(june, **bodies) == ([rewritten, overlap] if side == "current" else [overlap])


def test_the_new_month_follows_the_history(june: pa.Table) -> None:
    assert gate(june, history=TO_JUNE, current=JULY) == []
    table = parse(history=TO_JUNE, current=JULY)
    assert table.num_rows == june.num_rows + 15
    assert table.slice(0, june.num_rows).equals(june)


def test_the_new_month_without_the_one_before_is_refused_until_the_history_follows(may: pa.Table) -> None:
    refused(
        lambda: gate(may, history=TO_MAY, current=JULY),
        "current",
        place="row of 2026-06-01",
        expected="each Tokyo business day once",
        found="no row for 2026-06-01 (22 such days)",
        remedy="run again later",
    )


def test_the_month_that_was_stored_must_not_go_when_the_next_begins(june: pa.Table) -> None:
    refused(
        lambda: gate(june, history=TO_MAY, current=JULY),
        "current",
        place="row of 2026-06-01",
        expected="each of the 13,248 stored dates",
        found="22 of them gone",
        remedy=CONFIRM,
    )


def test_a_month_alone_is_no_series() -> None:
    refused(
        lambda: gate(current=JUNE),
        "current",
        place="the set of files",
        expected="the history file",
        found="only the current month",
        remedy=URLS["history", "en"],
    )


def test_a_stale_copy_of_the_month_is_refused(june: pa.Table) -> None:
    """The ministry's own footer warns of caches."""
    refused(
        lambda: gate(june, history=TO_MAY, current=until(JUNE, "2026/6/29")),
        "current",
        place="the last row",
        expected="2026-06-30, the newest stored date, or later",
        found="2026-06-29: an older or shortened file",
        remedy=CONFIRM,
    )


@pytest.mark.parametrize("body", [TO_MAY, until(TO_JUNE, "2010/3/31")], ids=["May", "2010"])
def test_a_history_that_ends_at_an_earlier_month_end_is_refused(june: pa.Table, body: bytes) -> None:
    last = body.splitlines()[-1].split(b",")[0].decode()
    refused(
        lambda: gate(june, history=body),
        "history",
        place="the last row",
        expected="2026-06-30, the newest stored date, or later",
        found=f"{iso(last)}: an older or shortened file",
        remedy=CONFIRM,
    )


# --- dates that cannot be -----------------------------------------------------------------------------------------


def test_a_row_of_tomorrow_is_refused_and_one_of_today_warns_by_the_clock_of_tokyo(may: pa.Table) -> None:
    before_midnight = datetime(2026, 6, 29, 14, 59, 59, tzinfo=UTC)
    refused(
        lambda: gate(may, before_midnight, history=TO_MAY, current=JUNE),
        "current",
        place="row of 2026-06-30",
        expected="no date after the day of retrieval, 2026-06-29 in Tokyo",
        found="2026-06-30",
        remedy=CONFIRM,
    )
    warning = "row of 2026-06-30 was retrieved on its own day; publication is a day later"
    for instant in (before_midnight + timedelta(seconds=1), datetime(2026, 6, 30, 14, 59, 59, tzinfo=UTC)):
        assert gate(may, instant, history=TO_MAY, current=JUNE) == [warning]
    assert gate(may, datetime(2026, 6, 30, 15, tzinfo=UTC), history=TO_MAY, current=JUNE) == []


def test_a_year_that_lies_ahead_is_refused() -> None:
    body = swap(TO_JUNE, LAST, LAST + LAST.replace(b"2026/6/30", b"2074/9/28"))
    refused(
        lambda: gate(history=body),
        "history",
        place="row of 2074-09-28",
        expected="no date after the day of retrieval, 2026-07-03 in Tokyo",
        found="2074-09-28",
        remedy=CONFIRM,
    )


HOLES_AND_EXTRAS = {
    "a session gone from the month": ("current", drop(JUNE, "2026/6/15"), "2026-06-15", "no row for 2026-06-15 (1 "),
    "the first session of the month gone": ("current", drop(JUNE, "2026/6/1"), "2026-06-01", "no row for 2026-06-01 (1 "),
    "a Saturday": ("current", swap(JUNE, "2026/6/15,", "2026/6/13,"), "2026-06-13", "a row for 2026-06-13 (2 "),
}  # fmt: skip


@pytest.mark.parametrize(("role", "body", "day", "found"), HOLES_AND_EXTRAS.values(), ids=HOLES_AND_EXTRAS)
def test_a_month_off_the_calendar_is_refused(may: pa.Table, role: str, body: bytes, day: str, found: str) -> None:
    refused(
        lambda: gate(may, history=TO_MAY, **{role: body}),
        role,
        place=f"row of {day}",
        expected="weekdays less national holidays and 31 December to 3 January",
        found=found,
        remedy=CONFIRM,
    )


def after(body: bytes, day: str, new: str) -> bytes:
    """A row slipped in after another, with its figures."""
    row = line_of(body, day)
    return swap(body, b"\r\n" + row, b"\r\n" + row + new.encode() + row[len(day) :])


@pytest.mark.parametrize(
    ("body", "day", "found", "days"),
    [
        (drop(TO_JUNE, "2010/6/15"), "2010-06-15", "no row for", 1),
        (after(TO_JUNE, "2019/4/26", "2019/5/1"), "2019-05-01", "a row for", 1),
        (after(TO_JUNE, "2025/12/30", "2025/12/31"), "2025-12-31", "a row for", 1),
        (swap(TO_JUNE, "\r\n1995/6/16,", "\r\n1995/6/17,"), "1995-06-16", "no row for", 2),
        (swap(TO_JUNE, "\r\n1989/2/3,", "\r\n1989/2/4,"), "1989-02-03", "no row for", 2),  # no Saturdays from here
    ],
)
def test_a_first_history_off_the_calendar_is_refused(body: bytes, day: str, found: str, days: int) -> None:
    refused(
        lambda: gate(history=body),
        "history",
        place=f"row of {day}",
        expected="each Tokyo business day once",
        found=f"{found} {day} ({days} such days)",
        remedy=CONFIRM,
    )


@pytest.mark.parametrize(
    ("body", "place", "expected", "found"),
    [
        (drop(TO_JUNE, "2010/6/15"), "2010-06-15", "each of the 13,248 stored dates", "1 of them gone"),
        (swap(TO_JUNE, "\r\n1980/4/30,", "\r\n1980/4/29,"), "1980-04-30", "stored dates", "1 of them gone"),
        (after(TO_JUNE, "2019/4/26", "2019/5/1"), "2019-05-01", "each Tokyo business day once", "a row for"),
    ],
    ids=["gone", "redated before the calendar is exact", "a holiday slipped in"],
)
def test_a_past_date_changed_is_refused(june: pa.Table, body: bytes, place: str, expected: str, found: str) -> None:
    refused(
        lambda: gate(june, history=body),
        "history",
        place=f"row of {place}",
        expected=expected,
        found=found,
        remedy=CONFIRM,
    )


# --- figures that cannot be ---------------------------------------------------------------------------------------

MOVE, NEIGHBOURS = "a move that has happened before", "a move like its neighbours'"


@pytest.mark.parametrize(
    ("day", "tenor", "text", "expected", "found"),
    [
        ("2026/6/30", 1, "11.65", MOVE, "1.173 to 11.65 percent"),  # ten times too large
        ("2026/6/15", 1, "11.41", MOVE, "1.15 to 11.41 percent"),
        ("2026/6/15", 1, "0.1141", None, ""),  # ten times too small has a digit too many
        ("2026/6/30", 40, "3.414", MOVE, "3.715 to 3.414 percent"),  # 30.1 bp
        ("2026/6/30", 40, "4.016", MOVE, "3.715 to 4.016 percent"),
        ("2026/6/1", 40, "4.091", MOVE, "3.789 to 4.091 percent"),  # against the history's last row
        ("2026/6/30", 10, "2.8", NEIGHBOURS, "2.644 to 2.8 percent"),  # 15.6 bp, its neighbours 5.35
        ("2026/6/30", 10, "2.58", NEIGHBOURS, "2.644 to 2.58 percent"),  # digits turned round
    ],
)
def test_a_new_cell_out_of_line_is_refused(
    may: pa.Table, day: str, tenor: int, text: str, expected: str | None, found: str
) -> None:
    body = put(JUNE, day, tenor, text)
    place = f"{tenor}-year of {iso(day)}"
    if expected is None:
        place, expected, found, remedy = f"line {number_of(JUNE, day)}, {place}", "up to 3 decimals", text, LOOK
    else:
        remedy = CONFIRM
    refused(
        lambda: gate(may, history=TO_MAY, current=body),
        "current",
        place=place,
        expected=expected,
        found=found,
        remedy=remedy,
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_the_whole_curve_may_move_by_thirty_basis_points_in_a_day_and_no_further(may: pa.Table, sign: int) -> None:
    """Since 2000 no tenor has moved by more than 27.1."""

    def moved(move_bp: int) -> bytes:
        cells = line_of(JUNE, "2026/6/29").rstrip(b"\r\n").split(b",")[1:]
        texts = [f"{float(cell) + sign * move_bp / 1000:.3f}" for cell in cells]
        return swap(JUNE, LAST, f"2026/6/30,{','.join(texts)}\r\n")

    warnings = gate(may, history=TO_MAY, current=moved(299))
    assert len(warnings) == 15
    for tenor, warning in zip(TENORS, warnings, strict=True):
        assert warning.startswith(f"{tenor}-year moved {sign * 29.9:+.1f} bp on 2026-06-30, ")
    refused(
        lambda: gate(may, history=TO_MAY, current=moved(301)),
        "current",
        place="1-year of 2026-06-30",
        expected=MOVE,
        found="1.173 to ",
        remedy=CONFIRM,
    )


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("2.79", []),  # 14.6 bp, its neighbours 5.35: 9.25 apart, within 10
        ("2.796", ["10-year moved +15.2 bp on 2026-06-30, "]),  # 9.85 apart, and beyond its 99.9th percentile of 15.1
    ],
)
def test_a_large_move_that_has_happened_is_let_in(may: pa.Table, text: str, warnings: list[str]) -> None:
    told = gate(may, history=TO_MAY, current=put(JUNE, "2026/6/30", 10, text))
    assert len(told) == len(warnings)
    assert all(said.startswith(start) for said, start in zip(told, warnings, strict=True))


@pytest.mark.parametrize(
    ("day", "tenor", "text", "expected", "first_load"),
    [
        ("2003/7/3", 10, "10.96", MOVE, True),  # ten times too large
        ("1999/2/5", 1, "4.79", MOVE, True),
        ("2025/4/8", 10, "1.388", NEIGHBOURS, True),
        ("2003/7/3", 10, "10.96", MOVE, False),
        ("2016/7/6", 10, "0.278", MOVE, False),  # the sign lost
        ("2025/4/8", 10, "1.388", NEIGHBOURS, False),
    ],
)
def test_a_past_cell_out_of_line_is_refused(
    june: pa.Table, day: str, tenor: int, text: str, expected: str, first_load: bool
) -> None:
    place = f"{tenor}-year of {iso(day)}"
    refused(
        lambda: gate(None if first_load else june, history=put(TO_JUNE, day, tenor, text)),
        "history",
        place=place,
        expected=expected,
        found="percent in a day",
        remedy=CONFIRM,
    )


@pytest.mark.parametrize(("current", "history"), [(JULY, TO_JUNE), (JUNE, TO_MAY)], ids=["first of a month", "last"])
def test_the_session_before_repeated_under_a_new_date_is_refused(
    may: pa.Table, june: pa.Table, current: bytes, history: bytes
) -> None:
    if current is JULY:
        stored, day = june, "2026-07-01"
        body = swap(JULY, line_of(JULY, "2026/7/1"), LAST.replace(b"2026/6/30", b"2026/7/1"))
    else:
        stored, day = may, "2026-06-30"
        body = swap(JUNE, LAST, line_of(JUNE, "2026/6/29").replace(b"2026/6/29", b"2026/6/30"))
    refused(
        lambda: gate(stored, history=history, current=body),
        "current",
        place=f"row of {day}",
        expected="differ from the session before in at least one tenor",
        found="the same 15 yields",
        remedy=CONFIRM,
    )


def test_a_row_that_moved_in_one_tenor_only_is_let_in(may: pa.Table) -> None:
    """On 2012-04-04 four tenors of five stood still."""
    row = line_of(JUNE, "2026/6/29").replace(b"2026/6/29", b"2026/6/30").replace(b",3.715\r", b",3.716\r")
    assert gate(may, history=TO_MAY, current=swap(JUNE, LAST, row)) == []


def test_one_past_cell_rewritten_is_let_in_and_named(june: pa.Table) -> None:
    body = put(TO_JUNE, "2016/7/6", 10, "-0.279")
    named = "1 past cells were rewritten in a series that is not revised: 10-year of 2016-07-06"
    assert gate(june, history=body) == [named]
    assert grid(parse(history=body))[date(2016, 7, 6)][10] == "-0.279"


def test_a_trailing_zero_is_no_revision(june: pa.Table) -> None:
    assert gate(june, history=put(TO_JUNE, "2026/5/18", 30, "4.0")) == []


# --- how much of the past may change, in the landing --------------------------------------------------------------


def nudged(body: bytes, cells: int) -> bytes:
    """The 20-year of that many sessions before 2026-06-01 a thousandth higher."""
    lines = body.split(b"\r\n")
    for number in range(len(lines) - 1 - cells, len(lines) - 1):
        row = lines[number].split(b",")
        row[12] = f"{float(row[12]) + 0.001:.3f}".encode()
        lines[number] = b",".join(row)
    return b"\r\n".join(lines)


def archive(folder: Path, bodies: dict[str, bytes]) -> ArchiveTransport:
    for instant, body in bodies.items():
        path = folder / instant / HISTORY_PATH
        path.parent.mkdir(parents=True)
        path.write_bytes(body)
    return ArchiveTransport(folder)


def test_fifty_rewritten_cells_are_a_revision_and_fifty_one_another_series(tmp_path: Path) -> None:
    store, logs = SnapshotStore(tmp_path / "snapshots", tmp_path / "quarantine"), ChangeLogs(tmp_path / "logs")
    first, second = "2026-07-01T003500Z", "2026-07-02T003500Z"

    def run(name: str, cells: int) -> Landed:
        return land(SOURCE, archive(tmp_path / name, {first: TO_MAY, second: nudged(TO_MAY, cells)}), store, logs)

    refused(
        lambda: run("51", 51),
        "history",
        place="table yields, from obs_date 2026-03-13, tenor_years 20 on",
        expected="at most 50 past rows rewritten",
        found="51 rewritten or gone",
        remedy=CONFIRM,
    )
    # What was stored before stands; the refused bytes are in quarantine beside the reason.
    assert [record.sha256 for record in store.records(SOURCE.name)] == [hashlib.sha256(TO_MAY).hexdigest()]
    (kept,) = (tmp_path / "quarantine" / SOURCE.name).glob("*.bytes")
    assert kept.read_bytes() == nudged(TO_MAY, 51)
    assert json.loads(kept.with_suffix(".json").read_text())["found"] == "51 rewritten or gone"

    landed = run("50", 50)
    assert [record.sha256 for record in landed.arrived] == [hashlib.sha256(nudged(TO_MAY, 50)).hexdigest()]
    assert len(landed.warnings) == 1
    assert landed.warnings[0].startswith("50 past cells were rewritten in a series that is not revised: 20-year of ")
    log = landed.logs["yields"]
    assert dict(zip(*(column.to_pylist() for column in pc.value_counts(log["change"]).flatten()), strict=True)) == {
        "added": 162_937 - 22 * 15,
        "revised": 50,
    }

    again = land(SOURCE, ArchiveTransport(tmp_path / "50"), store, logs)
    assert (again.arrived, again.warnings) == ([], [])
    assert again.logs["yields"].equals(log)


# --- a first load, with nothing stored to hold it against ----------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "place", "found"),
    [
        (until(TO_JUNE, "2010/3/31"), "the last row", "2010-03-31: frozen, or cut short"),
        (drop(TO_JUNE, "1995/6/15"), "row of 1995-06-15", "no row for 1995-06-15 (1 such days)"),
        (
            TO_JUNE[: TO_JUNE.index(b"1974")] + swapped_columns(TO_JUNE[TO_JUNE.index(b"1974") :], 5, 6),
            "row of 2007-11-06",
            "columns have changed places",
        ),
    ],
    ids=["cut at an early month-end", "a session gone", "two columns changed places under their labels"],
)
def test_a_first_load_is_held_against_what_is_known_of_the_series(body: bytes, place: str, found: str) -> None:
    refused(lambda: gate(history=body), "history", place=place, expected="", found=found, remedy="")


def test_of_two_new_files_the_one_with_the_odd_cell_is_named(june: pa.Table) -> None:
    odd = put(TO_MAY, "2003/7/3", 10, "10.96")
    refused(
        lambda: gate(june, history=odd, current=JUNE),
        "history",
        place="10-year of 2003-07-03",
        expected="a move that has happened before",
        found="percent in a day",
        remedy=CONFIRM,
    )


def test_line_ends_without_a_carriage_return_are_read_too(june: pa.Table) -> None:
    assert gate(june, history=TO_MAY, current=JUNE.replace(b"\r\n", b"\n")) == []


def test_full_width_digits_are_no_number() -> None:
    with pytest.raises(SourceRejected):
        parse(current=JUNE.replace(b"2026/6/30,1.165", "2026/6/30,１.165".encode("cp932")))


def test_a_history_that_was_retrieved_later_outranks_the_month() -> None:
    history, current = snapshot("history", put(TO_JUNE, "2026/6/30", 10, "2.7")), snapshot("current", JUNE)
    for later, kept in ((history, 2.7), (current, 2.69)):
        files = {"history": history, "current": current}
        files[later.role] = replace(later, retrieved_at=later.retrieved_at + timedelta(days=1))
        texts = grid(SOURCE.parse(files)["yields"])
        assert float(texts[date(2026, 6, 30)][10]) == kept
