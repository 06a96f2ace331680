"""What must not get in: each ends in a typed refusal, bytes in quarantine, a failed run, and readers undisturbed."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from jgb_assets.settings import BUNDLE
from jgb_assets.sources.registry import SOURCES
from tests.conftest import Run, copy_of, releases, run, tree

INSTANT = "2026-08-15T003500Z"
YIELDS = "www.mof.go.jp/english/policy/jgbs/reference/interest_rate/historical/jgbcme_all.csv"
AUCTIONS = "www.mof.go.jp/english/policy/jgbs/auction/past_auction_results/Auction_Results_for_JGBs.xls"
TIC = "ticdata.treasury.gov/resource-center/data-chart-center/tic/Documents/"
TABLE_5, TABLE_3, HISTORY = TIC + "slt_table5.txt", TIC + "slt_table3.txt", TIC + "mfhhis01.txt"

PAGE = b'<!DOCTYPE html><html lang="ja"><body>Not Found</body></html>'
FROZEN = b"\r\n".join(
    [
        b"              MAJOR FOREIGN HOLDERS OF TREASURY SECURITIES",
        b"                  (in billions of dollars)",
        b"                  HOLDINGS 1/ AT END OF PERIOD",
        b"                 Jan      Dec      Nov",
        b"Country         2023     2022     2022",
        b"               ------   ------   ------",
        b"Japan          1104.4   1076.3   1082.2",
        b"Grand Total    7402.5   7318.7   7279.0",
        b"Department of the Treasury/Federal Reserve Board",
        b"March 15, 2023",
        b"",
    ]
)


def lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    return lambda body: b"\r\n".join(change(body.split(b"\r\n")))


def spreadsheet_dates(rows: list[bytes]) -> list[bytes]:
    return [re.sub(rb"^\d\d(\d\d)/(\d+)/(\d+)", rb"\2/\3/\1", row) for row in rows[:-1]]


def older_table_5(body: bytes) -> bytes:
    """The file of a month before: every month one earlier."""
    back = {f"{y}-{m:02d}": f"{y - (m == 1)}-{(m - 2) % 12 + 1:02d}" for y in (2025, 2026) for m in range(1, 13)}
    return re.sub(rb"20\d\d-\d\d", lambda month: back[month[0].decode()].encode(), body)


def without_2025(body: bytes) -> bytes:
    """The file of two years before: well formed, and it answers 200 for ever."""
    rows = body.split(b"\r\n")
    years = [at for at, row in enumerate(rows) if row.startswith(b"Country\t")]
    return b"\r\n".join(rows[: years[0] - 1] + rows[years[1] - 1 :])


def rewritten(body: bytes) -> bytes:
    """A hundred past sessions with one basis point more in the 20-year."""
    rows = body.split(b"\r\n")
    for at in range(-400, -300):
        cells = rows[at].split(b",")
        cells[12] = f"{float(cells[12]) + 0.01:.3f}".encode()
        rows[at] = b",".join(cells)
    return b"\r\n".join(rows)


def ten_times(body: bytes) -> bytes:
    """The 1-year of the last session in another unit."""
    assert b"2026/6/30,1.165," in body
    return body.replace(b"2026/6/30,1.165,", b"2026/6/30,11.65,")


BAD = {
    "yields: web page with status 200": (YIELDS, lambda _: PAGE, "first bytes", "a web page"),
    "auctions: web page with status 200": (AUCTIONS, lambda _: PAGE, "first bytes", "a web page"),
    "tic: web page with status 200": (TABLE_3, lambda _: PAGE, "first bytes", "a web page"),
    "yields: empty": (YIELDS, lambda _: b"", "the whole file", "an empty body"),
    "tic: empty": (TABLE_5, lambda _: b"", "the whole file", "an empty body"),
    "yields: cut within a line": (YIELDS, lambda body: body[:900_001], "the last", "cut short"),
    "yields: cut after a line": (YIELDS, lines(lambda rows: [*rows[:-3], b""]), "2026-06-26|the last", "cut short"),
    "tic: cut": (TABLE_3, lambda body: body[: len(body) // 2], "line ", "cut short"),
    "yields: renamed column": (YIELDS, lambda body: body.replace(b"10Y,15Y", b"10Y,16Y", 1), "line 2", "16Y"),
    "tic: renamed column": (TABLE_3, lambda body: body.replace(b"for_lt_treas_net", b"for_lt_net", 1), "line ", ""),
    "yields: ten times too large": (YIELDS, ten_times, "1-year of 2026-06-30", "11.65"),
    "auctions: cut in half": (AUCTIONS, lambda body: body[: len(body) // 2], "workbook|file", "cut short|bytes|corrupt"),
    "tic: frozen mfh.txt": (HISTORY, lambda _: FROZEN, "header|whole file", "layout|MAJOR FOREIGN"),
    "tic: a frozen year": (HISTORY, without_2025, "newest month, 2024-12", "older file|frozen"),
    "tic: table 5 of an older month": (TABLE_5, older_table_5, "2026-03", "2026-0[34]"),
    "yields: dates after a spreadsheet": (YIELDS, lines(spreadsheet_dates), "line |the last", ""),
    "yields: spreadsheet dates, line ends kept": (
        YIELDS, lines(lambda rows: [*spreadsheet_dates(rows), b""]), "line 3, field 1", "9/24/74",
    ),
    "yields: mojibake header": (
        YIELDS, lambda body: body.replace(b"Date,", "基準日,".encode(), 1), "line 2", "",
    ),
    "yields: many past cells rewritten": (YIELDS, rewritten, "table yields, from obs_date", "100 rewritten"),
}  # fmt: skip


def newest(path: str) -> bytes:
    return sorted(BUNDLE.glob(f"*/{path}"))[-1].read_bytes()


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_and_readers_are_undisturbed(name: str, from_bundle: Run, tmp_path: Path) -> None:
    path, spoil, place, found = BAD[name]
    bad = spoil(newest(path))
    assert bad != newest(path)
    data = copy_of(from_bundle, tmp_path)
    before = {folder: tree(data / folder) for folder in ("snapshots", "changelog")}
    published = releases(data)
    file = tmp_path / "archive" / INSTANT / path
    file.parent.mkdir(parents=True)
    file.write_bytes(bad)

    after = run(data, archive_dir=tmp_path / "archive")

    assert after.code == 1
    source = next(
        source for source in SOURCES.values() for published in source.files if f"https://{path}" in published.urls
    )
    assert f"SourceRejected: {source.name}: refused https://{path} at " in after.err
    refusal = re.search(r"refused \S+ at (.*?): expected (.*?), found (.*?)\. What to do: (\S.*)", after.err)
    assert refusal, after.err
    assert re.search(place, refusal[1]), refusal[0]
    assert re.search(found, refusal[3]), refusal[0]
    kept = list((data / "quarantine" / source.name).glob("*.bytes"))
    assert [file.read_bytes() for file in kept] == [bad]
    reason = json.loads(kept[0].with_suffix(".json").read_text())
    assert reason["url"] == f"https://{path}"
    assert all(reason[field] for field in ("place", "expected", "found", "remedy", "sha256"))
    assert tree(data / "snapshots") == before["snapshots"]
    assert releases(data) == published
    status = json.loads((data / "publish" / "v1" / "status.json").read_text())
    assert {name for name, told in status.items() if told["failure"]} == {source.name}
    assert status[source.name]["failing_since"] == "2026-08-15T00:35:00Z"
    assert refusal[0] in status[source.name]["failure"]
    changelog = tree(data / "changelog")
    assert {name: body for name, body in changelog.items() if "/" in name} == {
        name: body for name, body in before["changelog"].items() if "/" in name
    }


def test_a_bad_first_file_publishes_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(BUNDLE, archive)
    (archive / "2026-05-07T003500Z" / YIELDS).write_bytes(PAGE)
    first = run(tmp_path / "data", archive_dir=archive)
    assert first.code == 1
    assert "SourceRejected: mof_jgb_yields" in first.err
    assert not (tmp_path / "data" / "publish").exists()


def test_the_next_good_file_is_taken_after_a_refusal(from_bundle: Run, tmp_path: Path) -> None:
    data, archive = tmp_path / "data", tmp_path / "archive"
    shutil.copytree(from_bundle.data_dir, data, symlinks=True)
    file = archive / INSTANT / YIELDS
    file.parent.mkdir(parents=True)
    file.write_bytes(ten_times(newest(YIELDS)))
    assert run(data, "refresh_jgb_yields", archive_dir=archive).code == 1
    file.write_bytes(newest(YIELDS))
    mended = run(data, "refresh_jgb_yields", archive_dir=archive)
    assert mended.code == 0, mended.err
    assert mended.out.splitlines()[-1].endswith("unchanged: no published byte was written")


def test_unknown_settings_stop_the_run_before_it_starts(tmp_path: Path) -> None:
    for name, value in {
        "transprot": "live",
        "transport": "carrier pigeon",
        "as_of": "yesterday",
        "archive_dir": tmp_path / "nowhere",
    }.items():
        stopped = run(tmp_path / "data", **{name: value})
        assert stopped.code == 2
        assert f"JGB_{name.upper()}" in stopped.err
    of_the_past = run(tmp_path / "data", transport="live", as_of="2026-05-10T00:00:00Z")
    assert (of_the_past.code, "the web answers only as of now" in of_the_past.err) == (2, True)
