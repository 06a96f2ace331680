"""The live transport's choices, against a web on the loopback. What a bad world does to it: ``tests/faults``."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jgb_assets.defs.world import host_rules
from jgb_assets.landing.changelog import ChangeLogs
from jgb_assets.landing.land import Landed, land
from jgb_assets.landing.live import LiveTransport
from jgb_assets.landing.snapshots import SnapshotStore
from jgb_assets.landing.transport import ArchiveTransport, FetchFailed, HostUnreachable, NotThere
from jgb_assets.landing.web import Web
from jgb_assets.settings import Rehearsal
from jgb_assets.sources.base import LARGEST_BYTES, Snapshot, SourceRejected
from jgb_assets.sources.mof_jgb_yields import MofJgbYields
from jgb_assets.sources.registry import SOURCES
from jgb_assets.sources.treasury_par_yields import TreasuryParYields
from tests.pretend_web import PATIENCE_SECONDS, PretendWeb, newest_files, pretend_web

NOW = datetime(2026, 8, 17, 0, 40, tzinfo=UTC)
HISTORY, HISTORY_JA = MofJgbYields.files[0].urls
CURRENT, CURRENT_JA = MofJgbYields.files[1].urls


@pytest.fixture
def web(tmp_path: Path) -> Iterator[PretendWeb]:
    with pretend_web(tmp_path, newest_files()) as web:
        yield web


def live(web: PretendWeb, folder: Path, now: datetime = NOW) -> LiveTransport:
    """A transport whose clock stands."""
    rehearsal = Rehearsal(server=web.address, ca_file=web.ca_file, patience_seconds=PATIENCE_SECONDS)
    transport = LiveTransport(Web(host_rules(), "tests", rehearsal), folder / "recordings")
    transport.now = lambda: now  # type: ignore[method-assign]
    return transport


def visit(
    source: str, transport: LiveTransport | ArchiveTransport, folder: Path, before: Landed | None = None
) -> Landed:
    store = SnapshotStore(folder / "snapshots", folder / "quarantine")
    looked = before.looked if before else None
    return land(SOURCES[source], transport, store, ChangeLogs(folder / "changelog"), looked=looked)


def test_as_it_was_is_not_believed_of_other_bytes_than_ours(web: PretendWeb, tmp_path: Path) -> None:
    """A 304 that names another version: to take over its name would fetch the old bytes for ever."""
    first = live(web, tmp_path)
    first.keep([first.fetch(HISTORY, NOW)])
    newer = web.files[HISTORY].replace(b"2026/6/30,1.165,", b"2026/6/30,1.166,")

    def confused(asked) -> None:
        if "If-None-Match" in asked.headers:
            asked.send_response(304)
            asked.send_header("ETag", '"another"')
            asked.end_headers()
        else:
            asked.reply(newer, ETag='"another"')

    web.acts[HISTORY] = confused
    assert live(web, tmp_path).fetch(HISTORY, NOW).body == newer


def test_where_one_address_is_refused_the_other_is_read_and_that_is_said(web: PretendWeb, tmp_path: Path) -> None:
    web.files[CURRENT_JA] = japanese(web.files[CURRENT])
    web.acts[CURRENT] = lambda asked: asked.reply(b"no", 403)
    landed = visit("mof_jgb_yields", live(web, tmp_path), tmp_path)
    assert {record.url for record in landed.records} == {HISTORY, CURRENT_JA}
    assert [warning for warning in landed.warnings if CURRENT_JA in warning and "status 403" in warning]


def japanese(english: bytes) -> bytes:
    """The current month as the ministry's Japanese page has it."""
    title, header, *rows = english.decode("cp932").split("\r\n")
    days = [row.split(",", 1) for row in rows if row[:2] == "20"]
    lines = [
        "国債金利情報 (令和8年6月)" + "," * 15 + "(単位 : %)",
        header.replace("Date", "基準日").replace("Y", "年"),
        *(f"R{int(day[:4]) - 2018}.{day[5:].replace('/', '.')},{values}" for day, values in days),
        "," * 15,
        "※" + "," * 15,
        "",
    ]
    assert title.startswith("Interest Rate")
    return "\r\n".join(lines).encode("cp932")


def test_a_host_that_answers_nothing_is_not_asked_for_each_of_its_files(tmp_path: Path) -> None:
    with socket.socket() as nobody:  # bound, and listens to no one
        nobody.bind(("127.0.0.1", 0))
        with pretend_web(tmp_path) as web:
            web.address = f"127.0.0.1:{nobody.getsockname()[1]}"
            transport = live(web, tmp_path)
            with pytest.raises(HostUnreachable) as first:
                transport.fetch(HISTORY, NOW)
            with pytest.raises(HostUnreachable, match="a moment ago") as second:
                transport.fetch(CURRENT, NOW)
    assert (first.value.url, second.value.url) == (HISTORY, CURRENT)


@pytest.mark.parametrize("source", ["treasury_par_yields", "mof_auction_pages"])
def test_a_source_of_which_nothing_is_there_has_moved(source: str, tmp_path: Path) -> None:
    """A day's page may not be out yet; but that no year and no calendar is there never happened."""
    with pretend_web(tmp_path) as web, pytest.raises(NotThere, match="the file has moved"):
        visit(source, live(web, tmp_path), tmp_path)


def test_a_young_year_may_be_missing(web: PretendWeb, tmp_path: Path) -> None:
    """On the first days of January the new year's file is not there yet; the last year's is."""
    january = datetime(2027, 1, 2, 23, 30, tzinfo=UTC)
    stored = [TreasuryParYields.files[0].of(datetime(year, 1, 1).date()).role for year in range(1990, 2027)]  # noqa: DTZ001
    asked = {file.role for file in SOURCES["treasury_par_yields"].asks({}, stored, january.date())}
    assert asked == {"year@2026-01-01", "year@2027-01-01"}


def test_what_was_recorded_is_an_archive_that_replays_to_the_same_logs(web: PretendWeb, tmp_path: Path) -> None:
    """Three mornings: nothing before, the same again, a cell rewritten."""
    days = [NOW, NOW.replace(day=18), NOW.replace(day=19)]
    landed = None
    for day in days:
        if day == days[-1]:
            web.files[HISTORY] = web.files[HISTORY].replace(b"2026/6/30,1.165,", b"2026/6/30,1.166,")
        landed = visit("mof_jgb_yields", live(web, tmp_path, day), tmp_path, landed)
    replayed = visit("mof_jgb_yields", ArchiveTransport(tmp_path / "recordings"), tmp_path / "replay")
    logs, again = ({name: log.to_pylist() for name, log in of.logs.items()} for of in (landed, replayed))
    assert again == logs
    (revised,) = (row for row in logs["yields"] if row["change"] == "revised")
    assert (revised["first_seen_at"], revised["previous_retrieved_at"]) == (days[2], days[1])  # it was not so then
    place = Path("www.mof.go.jp/english/policy/jgbs/reference/interest_rate/historical/jgbcme_all.csv")
    inodes = [(tmp_path / "recordings" / f"{day:%Y-%m-%dT%H%M%SZ}" / place).stat().st_ino for day in days]
    assert inodes[0] == inodes[1] != inodes[2]  # what is as it was takes no space


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1"),  # noqa: S104
        *("::1", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::10.0.0.1"),
        *("64:ff9b::a00:1", "2002:a00:1::"),  # lead to 10.0.0.1
    ],
)
def test_a_name_that_leads_into_a_private_net_is_not_followed(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    answer = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    monkeypatch.setattr("jgb_assets.landing.web.create_connection", lambda *_, **__: pytest.fail("it was followed"))
    with pytest.raises(FetchFailed, match="expected a public address"):
        Web(host_rules(), "tests").ask(HISTORY)


@pytest.mark.parametrize("role", ["history", "current"])
def test_a_file_beyond_all_measure_is_refused_before_it_is_read(role: str) -> None:
    """Its parts would fill the memory: a row of 100 kB three thousand times took more than a machine has to spare."""
    url = next(file.urls[0] for file in MofJgbYields.files if file.role == role)
    huge = Snapshot(role, url, NOW, "0" * 64, b"Interest Rate" + b" " * LARGEST_BYTES)
    with pytest.raises(SourceRejected, match="at most 16,777,216 bytes"):
        SOURCES["mof_jgb_yields"].parse({role: huge})
