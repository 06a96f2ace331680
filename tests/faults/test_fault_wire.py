"""What can go wrong on the way: each fault ends in a typed error, keeps all that was kept, and is over when it is over."""

import gzip
import re
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
import trustme

from jgb_assets.defs.world import host_rules
from jgb_assets.landing import live
from jgb_assets.landing import web as live_web
from jgb_assets.landing.transport import FetchFailed, HostRules
from jgb_assets.landing.web import ATTEMPTS, LARGEST_BODY, Web
from jgb_assets.settings import Rehearsal
from tests.conftest import Run
from tests.faults.worlds import (
    AUCTION_DAY,
    CURRENT,
    HISTORY,
    HOST,
    MINUTES,
    NEWEST,
    NOW,
    House,
    assert_failed,
    calendar,
    fault,
    house_of,
    published,
)
from tests.pretend_web import Act, Asked, PretendWeb, closed_port, newest_files, pretend_web

SHORT = 1.5  # seconds in place of two minutes, where the deadline itself is what is tested
DRIP = 0.1  # seconds from byte to byte: much less than the silence that is borne, which is a quarter of the deadline
TOO_MANY = LARGEST_BODY * 40


@pytest.fixture
def house(from_bundle: Run, tmp_path: Path) -> Iterator[House]:
    with pretend_web(tmp_path) as web:
        yield house_of(from_bundle, tmp_path, web)


def answer(status: int, body: bytes = b"", **headers: str) -> Act:
    return lambda asked: asked.reply(body, status, **headers)


def raw(body: bytes, slowly: bool = False) -> Act:
    """These bytes, whatever they are, and the end of the connection."""

    def act(asked: Asked) -> None:
        asked.close_connection = True
        if not slowly:
            asked.wfile.write(body)
            return
        for at in range(len(body)):
            asked.wfile.write(body[at : at + 1])
            time.sleep(DRIP)

    return act


def stall(asked: Asked) -> None:
    asked.close_connection = True
    time.sleep(2 * SHORT)


def page(status: str = "200 OK", *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def bomb() -> bytes:
    """A gzip stream of zeros that is a thousandth of what it becomes."""
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    head = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)  # after a full flush it is the same again
    return head + again * (TOO_MANY // 2**20)


BODY = published(NEWEST)[CURRENT]
PACKED = gzip.compress(BODY)
LENGTH = f"Content-Length: {len(BODY)}"


@dataclass(frozen=True)
class Wire:
    """What the current month's URL does, and what the error says of it."""

    act: Act
    expected: str
    found: str
    remedy: str = "the next poll asks again"
    asked: int = 1  # requests; what may pass by itself is repeated; 0: as many as there is time for
    seconds: float | None = None


ALLOWED = "an answer from .*www.mof.go.jp"
WIRE = {
    "slow drip": Wire(
        raw(page("200 OK", LENGTH) + BODY, slowly=True), f"within {SHORT} s", "only part", asked=1, seconds=SHORT
    ),
    "stall past the deadline": Wire(stall, f"within {SHORT} s|a whole answer", "none|timed out", asked=0, seconds=SHORT),
    "301 off the allow-list": Wire(
        answer(301, Location="https://example.com/jgbcme.csv"), ALLOWED, "https://example.com/", "new address"
    ),
    "redirect to plain HTTP": Wire(
        answer(301, Location=CURRENT.replace("https", "http")), ALLOWED, "http://www.mof.go.jp", "new address"
    ),
    "redirect to another port": Wire(
        answer(308, Location=CURRENT.replace(HOST, f"{HOST}:8443")), ALLOWED, "www.mof.go.jp:8443", "new address"
    ),
    "redirect to no address": Wire(
        answer(302, Location="https://[::1/"), "a redirect to an address", "Invalid IPv6 URL", "new address"
    ),
    "redirect loop": Wire(answer(302, Location=CURRENT), "at most 3 redirects", "one more", "new address", asked=4),
    "403": Wire(answer(403), "status 200", "status 403", "say in JGB_USER_AGENT who asks"),
    "404 of a file": Wire(answer(404), "the file", "status 404", "if the file has moved"),
    "429 without Retry-After": Wire(answer(429), "status 200", "status 429", asked=ATTEMPTS),
    "500": Wire(answer(500), "status 200", "status 500", asked=ATTEMPTS),
    "another status": Wire(answer(206, b"Interest"), "status 200", "status 206"),
    "304 that nobody asked for": Wire(answer(304), "status 200", "status 304"),
    "truncated body": Wire(
        raw(page("200 OK", LENGTH) + BODY[:-300]), "a whole answer", "300 more expected", asked=ATTEMPTS
    ),
    "truncated body, chunked": Wire(
        raw(page("200 OK", "Transfer-Encoding: chunked") + b"5\r\nInter\r\n"), "a whole answer", "Incomplete", asked=ATTEMPTS
    ),
    "truncated gzip": Wire(
        answer(200, PACKED[:-300], Content_Encoding="gzip"), "one whole gzip stream", "less", asked=ATTEMPTS
    ),
    "truncated headers": Wire(
        raw(page("200 OK", "Content-Type: text/csv")[:-2]), "where the body ends", "may be cut", asked=ATTEMPTS
    ),
    "no HTTP": Wire(raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "a whole answer", "BadStatusLine", asked=ATTEMPTS),
    "connection closed without an answer": Wire(raw(b""), "a whole answer", "without response", asked=ATTEMPTS),
    "gzip bomb": Wire(
        answer(200, bomb(), Content_Encoding="gzip"), f"at most {LARGEST_BODY:,} bytes", "more", "see what it is"
    ),
    "gzip that is none": Wire(answer(200, BODY, Content_Encoding="gzip"), "as its Content-Encoding says", "header"),
    "an encoding nobody asked for": Wire(
        answer(200, PACKED, Content_Encoding="br"), "a body as it is, or as gzip", "Content-Encoding br"
    ),
}  # fmt: skip


@fault(*WIRE)
@pytest.mark.parametrize("name", WIRE)
def test_a_fault_on_the_wire_keeps_what_was_kept(name: str, house: House) -> None:
    case, before = WIRE[name], house.kept()
    house.web.acts[CURRENT] = case.act
    started = time.monotonic()
    visited = house.visit(**({"patience_seconds": SHORT} if case.seconds else {}))
    took = time.monotonic() - started

    assert_failed(house, visited, NOW, CURRENT, case.expected, case.found, case.remedy)
    assert re.match(r"(FetchFailed|HostUnreachable|NotThere): ", visited.why)
    assert house.kept() == before
    assert house.recordings() == []
    assert len(house.asked(HISTORY)) == 1
    if case.asked:
        assert len(house.asked(CURRENT)) == case.asked
    if case.seconds:
        assert took < case.seconds + 2  # two: for all the rest of a visit, on a machine that is busy

    del house.web.acts[CURRENT]
    house.web.files |= newest_files()
    assert house.visit(NOW + MINUTES).is_read
    assert house.last().failing is None
    assert len(house.recordings()) == 1


def test_what_fails_again_fails_since_it_did_first_and_the_news_comes_when_it_is_over(house: House) -> None:
    house.web.acts[CURRENT] = answer(500)
    for number in range(3):
        house.visit(NOW + number * MINUTES)
    failing = house.last().failing
    assert failing is not None
    assert (house.last().at, failing.since) == (NOW + 2 * MINUTES, NOW)
    assert house.days()[-1] < NEWEST
    del house.web.acts[CURRENT]
    assert house.visit(NOW + 3 * MINUTES).is_read
    assert house.days()[-1] == NEWEST
    first_seen = house.log()["first_seen_at"].to_pylist()
    assert max(first_seen) == NOW + 3 * MINUTES


# --- no connection ---------------------------------------------------------------------------------------------------


@fault("refused connection")
def test_a_refused_connection(house: House) -> None:
    before = house.kept()
    visited = house.visit(server=closed_port())
    assert_failed(house, visited, NOW, HISTORY, "a whole answer", "refused", "the next poll")
    assert house.kept() == before
    assert house.visit(NOW + MINUTES).is_read


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The real web, of which nothing is reached: what was to be connected to, one after the other."""
    connected: list[object] = []

    def connect(address: object, *_: object, **__: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError("not in a test")

    monkeypatch.setattr(live_web, "create_connection", connect)
    monkeypatch.setattr(live_web, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr("jgb_assets.defs.world.host_rules", lambda: [HostRules(HOST, 0, bypass_caches=True)])
    live.web_of.cache_clear()
    return connected


@fault("DNS failure")
def test_a_name_that_does_not_resolve(house: House, no_server: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def unknown(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    before = house.kept()
    visited = house.visit_in({})
    assert_failed(house, visited, None, HISTORY, "a whole answer", "Name or service not known", "the next poll")
    assert (asked, no_server) == ([HOST] * ATTEMPTS, [])
    assert house.kept() == before
    monkeypatch.undo()
    assert house.visit().is_read


PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "64:ff9b::127.0.0.1", "2002:7f00:1::", "224.0.0.1",
]  # fmt: skip


@fault("name that leads to a private address")
def test_a_name_that_leads_to_a_private_address(
    house: House, no_server: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolved(*addresses: str) -> None:
        found = [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443))
            for one in addresses
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    before = house.kept()
    resolved("169.254.169.254")
    visited = house.visit_in({})
    assert_failed(
        house, visited, None, f"https://{HOST}/", "a public address", "169.254.169.254", "name service of this machine"
    )
    assert house.kept() == before
    web = Web([HostRules(HOST, 0, bypass_caches=False)], "tests")
    for address in PRIVATE:
        for addresses in ([address], ["203.0.114.1", address]):  # one bad among good ones: somebody meddles
            resolved(*addresses)
            with pytest.raises(FetchFailed, match=re.escape(f"leads to {address}")):
                web.ask(CURRENT)
    assert no_server == []
    resolved("203.0.114.1")
    with pytest.raises(FetchFailed, match="not in a test"):
        web.ask(CURRENT)
    assert no_server == [("203.0.114.1", 443)] * ATTEMPTS
    monkeypatch.undo()
    assert house.visit().is_read


FALSE: dict[str, tuple[Callable[[trustme.CA], trustme.LeafCert], str]] = {
    "certificate of another authority": (lambda _: trustme.CA().issue_cert(HOST), "self-signed|unable to get"),
    "certificate of another host": (lambda told: told.issue_cert("www.example.com"), "Hostname mismatch|doesn't match"),
    "certificate that has expired": (
        lambda told: told.issue_cert(
            HOST, not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=datetime(2021, 1, 1, tzinfo=UTC)
        ),
        "expired",
    ),
}


@fault("TLS failure")
@pytest.mark.parametrize("name", FALSE)
def test_a_certificate_that_is_not_the_publishers(name: str, from_bundle: Run, tmp_path: Path) -> None:
    certified, found = FALSE[name]
    with pretend_web(tmp_path, certified=certified) as web:
        house = house_of(from_bundle, tmp_path, web)
        before = house.kept()
        started = time.monotonic()
        visited = house.visit()
        assert time.monotonic() - started < 4, "it was asked again"
        assert_failed(house, visited, NOW, HISTORY, "a certificate of the publisher's host", found, "do not go round")
        assert house.kept() == before
        assert web.asked == [], "something was asked before the certificate was looked at"
    with pretend_web(tmp_path) as web:
        house.web.address, house.web.ca_file = web.address, web.ca_file
        web.files |= published(NEWEST)
        assert house.visit(NOW + MINUTES).is_read


# --- connections that take for ever ----------------------------------------------------------------------------------


def short(web: PretendWeb) -> Web:
    return Web(host_rules(), "tests", Rehearsal(server=web.address, ca_file=web.ca_file, patience_seconds=SHORT))


OTHER = "https://home.treasury.gov/"


@pytest.mark.parametrize(
    ("kept_since", "first"),
    [
        pytest.param(None, 0, id="new, within the status"),
        pytest.param(None, 60, id="new, within the body"),
        pytest.param(CURRENT, 40, id="kept, within the headers"),
        pytest.param(OTHER, 40, id="kept while another host was asked, within the headers"),
        pytest.param(OTHER, 60, id="kept while another host was asked, within the body"),
    ],
)
def test_a_drip_is_cut_wherever_it_begins_and_also_on_a_connection_that_was_kept(
    kept_since: str | None, first: int, tmp_path: Path
) -> None:
    """Each byte is a sign of life: only the deadline ends it. What had come until then is no answer."""
    whole = page("200 OK", "Content-Type: text/csv", f"Content-Length: {10**6}")

    def drip(asked: Asked) -> None:
        asked.wfile.write(whole[:first])
        raw(whole[first:] + bytes(1000), slowly=True)(asked)

    with pretend_web(tmp_path, {CURRENT: BODY, OTHER: BODY}) as served:
        web = short(served)
        if kept_since:
            web.ask(CURRENT)
            web.ask(kept_since)
        served.acts[CURRENT] = drip
        started = time.monotonic()
        with pytest.raises(FetchFailed, match=f"an answer within {SHORT} s"):
            web.ask(CURRENT)
        assert time.monotonic() - started < SHORT + 1.5
        served.acts.clear()
        assert web.ask(CURRENT).body == BODY


def test_a_server_that_never_shakes_hands_is_left_at_the_deadline(tmp_path: Path) -> None:
    with pretend_web(tmp_path) as served, socket.create_server(("127.0.0.1", 0)) as mute:
        served.address = f"127.0.0.1:{mute.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(FetchFailed, match=r"timed out|an answer within"):
            short(served).ask(CURRENT)
        assert time.monotonic() - started < SHORT + 1.5


def test_a_deadline_that_is_over_at_once_is_a_failure_like_others(tmp_path: Path) -> None:
    with pretend_web(tmp_path, {CURRENT: BODY}) as served:
        world = Rehearsal(server=served.address, ca_file=served.ca_file, patience_seconds=1e-6)
        with pytest.raises(FetchFailed, match=r"an answer within 1e-06 s|timed out"):
            Web(host_rules(), "tests", world).ask(CURRENT)


# --- redirects -------------------------------------------------------------------------------------------------------


@fault("302 to a private address")
def test_a_redirect_to_a_private_address_is_never_followed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before, connected = house.kept(), []
    real = live_web.create_connection
    monkeypatch.setattr(
        live_web,
        "create_connection",
        lambda address, *more, **others: connected.append(address) or real(address, *more, **others),
    )
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.setblocking(False)
        port = inside.getsockname()[1]
        for at, address in enumerate([f"127.0.0.1:{port}", "169.254.169.254", "[::1]", f"{HOST}@127.0.0.1:{port}"]):
            house.web.acts[CURRENT] = answer(302, Location=f"https://{address}/latest/meta-data/")
            visited = house.visit(NOW + at * MINUTES)
            assert_failed(
                house, visited, NOW, CURRENT, ALLOWED, re.escape(address), "new address", at=NOW + at * MINUTES
            )
        with pytest.raises(BlockingIOError):
            inside.accept()
    server, _, port = house.web.address.rpartition(":")
    assert set(connected) == {(server, int(port))}
    assert house.kept() == before


@fault("redirect within the allow-list")
def test_a_redirect_within_the_allow_list_is_followed(house: House) -> None:
    moved = "https://www.treasury.gov/moved/jgbcme.csv"
    house.web.acts[CURRENT] = answer(301, Location=moved)
    house.web.files[moved] = BODY
    assert house.visit().is_read
    assert house.days()[-1] == NEWEST
    assert len(house.asked(moved)) == 1
    assert (house.data / "archive" / "2026-08-17T004000Z" / CURRENT.removeprefix("https://")).read_bytes() == BODY


# --- too much --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 302])
def test_a_bomb_takes_little_more_memory_than_the_largest_body(status: int, tmp_path: Path) -> None:
    """Also in the body of a redirect, which nobody needs."""
    packed = bomb()
    assert len(packed) < TOO_MANY / 500
    with pretend_web(tmp_path, {OTHER: BODY}) as served:
        served.acts[CURRENT] = answer(status, packed, Content_Encoding="gzip", Location=OTHER)
        web = short(served)
        tracemalloc.start()
        try:
            if status == 302:
                assert web.ask(CURRENT).body == BODY
            else:
                with pytest.raises(FetchFailed, match="at most"):
                    web.ask(CURRENT)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < (2 * LARGEST_BODY if status == 200 else LARGEST_BODY / 8)


# --- servers that ask to wait ----------------------------------------------------------------------------------------


@dataclass
class Busy:
    """Says no the first time, and notes when it was asked."""

    status: int
    headers: dict[str, str]
    times: list[float]

    def __call__(self, asked: Asked) -> None:
        self.times.append(time.monotonic())
        if len(self.times) == 1:
            asked.reply(b"", self.status, **self.headers)
        else:
            asked.server.web.as_published(asked)


@fault("429 with Retry-After", "503 then 200")
@pytest.mark.parametrize(
    ("status", "told", "seconds"),
    [
        (429, "1", 1.0),
        (429, format_datetime(NOW + timedelta(seconds=1), usegmt=True), 1.0),
        (429, format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        (429, "soon", 0.0),
        (429, "Mon, 17 Aug 2026 00:41:00 +999999999999999999", 0.0),
        (503, "1", 1.0),
        (503, None, 0.0),
    ],
)
def test_a_server_is_left_alone_as_long_as_it_asks_and_then_taken(
    status: int, told: str | None, seconds: float, house: House
) -> None:
    busy = Busy(status, {"Retry_After": told} if told else {}, [])
    house.web.acts[CURRENT] = busy
    house.web.files |= newest_files()  # what is read is not what is tested
    assert house.visit().is_read
    first, second = busy.times
    assert second - first >= max(seconds, 0.05)  # a second of the first pause, as a rehearsal counts


@pytest.mark.parametrize("told", ["3600", format_datetime(NOW + timedelta(hours=1), usegmt=True), "9" * 400])
def test_a_server_that_asks_for_more_than_the_patience_is_left_at_once(told: str, house: House) -> None:
    house.web.acts[CURRENT] = answer(429, Retry_After=told)
    before, started = house.kept(), time.monotonic()
    visited = house.visit()
    assert time.monotonic() - started < 5
    assert_failed(house, visited, NOW, CURRENT, "status 200", "status 429", "the next poll")
    assert len(house.asked(CURRENT)) == 1
    assert house.kept() == before


def test_repetitions_come_ever_later(house: House) -> None:
    times: list[float] = []

    def refuse(asked: Asked) -> None:
        times.append(time.monotonic())
        asked.reply(b"", 500)

    house.web.acts[CURRENT] = refuse
    house.visit()
    pauses = [later - earlier for earlier, later in pairwise(times)]
    hurry = 0.05  # of a rehearsal of 6 seconds in place of 120
    assert [pause >= hurry * 2**number for number, pause in enumerate(pauses)] == [True] * (ATTEMPTS - 1)


# --- answers that are none, or that are misnamed ---------------------------------------------------------------------


@fault("404 of a day's page")
def test_a_days_page_that_is_not_there_is_not_out_yet_and_one_that_fails_is_a_failure(house: House) -> None:
    pages = "mof_auction_pages"
    house.web.files |= calendar(has_result=True)
    assert house.visit(NOW, pages).is_read
    results = [url for url in house.web.urls() if f"resul{AUCTION_DAY:%Y%m%d}" in url]
    assert len(results) == 2, "in both languages"
    house.web.acts[results[0]] = answer(500)
    house.web.asked.clear()
    failed = house.visit(NOW + MINUTES, pages)
    assert not failed.is_read
    assert f"no answer from {results[0]}: expected status 200, found status 500" in failed.why
    assert len(house.asked(results[0])) == ATTEMPTS


@fault("304")
def test_304_is_what_was_recorded_last(house: House) -> None:
    modified = format_datetime(NOW - MINUTES, usegmt=True)

    def stamped(asked: Asked) -> None:
        if "If-None-Match" in asked.headers:
            asked.send_response(304)
            asked.end_headers()
        else:
            asked.reply(house.web.files[asked.url], ETag='"1"', Last_Modified=modified)

    house.web.acts |= {HISTORY: stamped, CURRENT: stamped}
    assert house.visit().is_read
    before = house.kept()
    assert "If-None-Match" not in house.asked(CURRENT)[0]

    for number in (1, 2):
        assert house.visit(NOW + number * MINUTES).is_read
    assert house.kept() == before
    for url in (HISTORY, CURRENT):
        for headers in house.asked(url)[1:]:
            assert (headers["If-None-Match"], headers["If-Modified-Since"]) == ('"1"', modified)
            assert headers["Cache-Control"] == "no-cache"
    assert house.last().looked["current"] == NOW + 2 * MINUTES
    assert house.recordings() == [f"2026-08-17T00{minute}000Z" for minute in (4, 5)] + ["2026-08-17T010000Z"]
    places = [house.data / "archive" / name / CURRENT.removeprefix("https://") for name in house.recordings()]
    assert {path.read_bytes() for path in places} == {BODY}
    assert len({path.stat().st_ino for path in places}) == 1, "what is as it was costs no space"

    places[-1].with_name(places[-1].name + ".sidecar.json").unlink()
    house.web.asked.clear()
    assert house.visit(NOW + 3 * MINUTES).is_read
    assert "If-None-Match" not in house.asked(CURRENT)[0], "of a recording that cannot be trusted no body is taken"
    assert house.kept() == before


@fault("wrong charset header")
def test_bytes_are_bytes_whatever_the_header_says_of_them(house: House) -> None:
    house.web.acts[CURRENT] = answer(200, BODY, Content_Type="text/html; charset=utf-16")
    assert house.visit().is_read
    assert house.days()[-1] == NEWEST
    (kept,) = (body for name, body in house.kept().items() if name.startswith("snapshots/") and body == BODY)
    assert "※".encode("cp932") in kept


def test_a_body_that_ends_with_the_connection_is_whole_if_that_was_announced(house: House) -> None:
    house.web.acts[CURRENT] = raw(page("200 OK", "Connection: close") + BODY)
    assert house.visit().is_read
    assert house.days()[-1] == NEWEST


def test_what_comes_packed_is_kept_as_it_is(house: House) -> None:
    house.web.acts[CURRENT] = answer(200, PACKED, Content_Encoding="gzip")
    assert house.visit().is_read
    assert BODY in house.kept().values()
    assert house.asked(CURRENT)[0]["Accept-Encoding"] == "gzip"
