"""The web as this project may use it: publishers' hosts only, over verified TLS, politely, and never for long.

Belongs here: how a URL is asked for. Not here: which URLs, what becomes of the bytes, or whether they are good.

What stands where: requests mounts an adapter for each publisher's host and for nothing else, so that no redirect can
lead away; the connections below it refuse addresses that are not public; tenacity repeats what may pass by itself.
"""

import random
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import IncompleteRead
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, stop_before_delay
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

import jgb_assets.clock
from jgb_assets.landing.transport import FetchFailed, HostRules, HostUnreachable, NotThere
from jgb_assets.settings import Rehearsal

ATTEMPTS = 4
PATIENCE_SECONDS = 120.0  # for one URL, with all repetitions: a poll comes again within the hour
SILENCE_SECONDS = 30.0  # between two signs of life
NAT64, COMPATIBLE = IPv6Network("64:ff9b::/96"), IPv6Network("::/96")  # IPv6 addresses that lead to IPv4 ones
SHORTEST_SECONDS = 0.001  # sockets take no timeout of 0
FIRST_WAIT_SECONDS = 1.0  # doubled each time, plus up to as much again
LARGEST_BODY = 32 * 1024 * 1024  # the largest file is 1.2 MB; decompressed
CHUNK = 16 * 1024
LONGEST_CHAIN = 3  # of redirects
LATER = "wait: the next poll asks again. If it stays so, open the URL in a browser"
MOVED = "open the publisher's page: if the file has moved, its new address belongs into the source's module"


@dataclass(frozen=True)
class Answer:
    """What a URL answered; ``body`` is None where it is as it was (304)."""

    body: bytes | None = field(repr=False)
    last_modified: str | None
    etag: str | None


class _Passing(FetchFailed):
    """A failure that may be gone in a moment."""

    wait_seconds: float = 0.0  # at least, as the server asks
    is_of_host: bool = False


class Web:
    """Asks publishers' hosts, one connection and one request at a time each, with a pause between two."""

    def __init__(self, rules: Iterable[HostRules], user_agent: str, rehearsal: Rehearsal | None = None) -> None:
        self._rules = {rule.host: rule for rule in rules}
        self._patience = (rehearsal and rehearsal.patience_seconds) or PATIENCE_SECONDS
        self._hurry = self._patience / PATIENCE_SECONDS  # 1 but in a rehearsal: every wait is shorter by it
        self._session = _Session()
        self._session.trust_env = False  # no proxy, no .netrc: neither may lead elsewhere
        self._session.verify = str(rehearsal.ca_file) if rehearsal else True
        self._session.headers = requests.structures.CaseInsensitiveDict(
            {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "gzip"}
        )
        self._session.adapters.clear()
        self._guard = _Guard(rehearsal.server if rehearsal else None)
        for host in self._rules:
            self._session.mount(f"https://{host}/", _Adapter(self._guard))
        self._last_asked: dict[str, float] = {}

    def ask(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Answer:
        """What ``url`` answers, on condition that it is not what it was at ``etag`` or ``last_modified``.

        Raises:
            NotThere: 404 or 410.
            FetchFailed: anything else but a whole answer.
        """
        headers = {
            **({"If-None-Match": etag} if etag else {}),
            **({"If-Modified-Since": last_modified} if last_modified else {}),
        }
        rule = self._rules.get(urlsplit(url).netloc)
        if rule and rule.bypass_caches:
            headers["Cache-Control"] = "no-cache"
        started = time.monotonic()
        retrying = Retrying(
            retry=retry_if_exception_type(_Passing),
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(self._patience),
            wait=self._wait_seconds,
            reraise=True,
        )
        try:
            return retrying(lambda: self._ask_once(url, headers, self._patience - (time.monotonic() - started)))
        except _Passing as failure:  # it did not pass
            kind = HostUnreachable if failure.is_of_host else FetchFailed
            raise kind(url, failure.expected, failure.found, failure.remedy) from failure

    def _wait_seconds(self, state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        asked = failure.wait_seconds if isinstance(failure, _Passing) else 0.0
        doubled: float = FIRST_WAIT_SECONDS * 2 ** (state.attempt_number - 1)
        return max(asked, doubled * (1 + random.random()) * self._hurry)  # noqa: S311  # nosec B311  # no secret

    def _ask_once(self, url: str, headers: Mapping[str, str], seconds: float) -> Answer:
        seconds = max(seconds, SHORTEST_SECONDS)
        try:
            with self._guard.deadline(seconds):
                return self._follow(url, headers, timeout=min(SILENCE_SECONDS * self._hurry, seconds))
        except (requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL) as error:
            raise FetchFailed(url, f"an answer from {', '.join(sorted(self._rules))}", str(error), MOVED) from error
        except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as error:
            if self._guard.is_over:
                raise self._overdue(url) from error
            inner = _innermost(error)
            if not isinstance(inner, ssl.SSLCertVerificationError):  # such as a front that closes while it greets
                raise self._passing(url, error) from error
            remedy = "do not go round the check: somebody may stand between. " + LATER
            raise HostUnreachable(url, "a certificate of the publisher's host", _said(inner), remedy) from error
        except zlib.error as error:
            raise FetchFailed(url, "a body as its Content-Encoding says", str(error), LATER) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            # after OSError: whatever a connection cut at the deadline or by the other side may raise
            if self._guard.is_over:
                raise self._overdue(url) from error
            raise self._passing(url, error) from error

    def _passing(self, url: str, error: Exception) -> _Passing:
        """A connection that failed; one that only broke off says nothing of the host's other files."""
        inner = _innermost(error)
        failure = _Passing(url, "a whole answer", _said(inner), LATER)
        failure.is_of_host = not isinstance(inner, IncompleteRead)
        return failure

    def _follow(self, url: str, headers: Mapping[str, str], timeout: float) -> Answer:
        """The answer at the end of the redirects."""
        at = url
        for _ in range(LONGEST_CHAIN + 1):
            self._wait_turn(at)
            with self._session.get(at, headers=headers, stream=True, timeout=timeout) as response:
                if not response.is_redirect:
                    return self._read(url, response)
                target = response.headers["Location"]
                try:
                    at = urljoin(at, target)
                except ValueError as error:
                    raise FetchFailed(url, "a redirect to an address", f"{target!r}: {error}", MOVED) from error
        raise FetchFailed(url, f"at most {LONGEST_CHAIN} redirects", f"one more, to {at}", MOVED)

    def _overdue(self, url: str) -> HostUnreachable:
        return HostUnreachable(url, f"an answer within {self._patience:g} s", "none, or only part of one", LATER)

    def _read(self, url: str, response: requests.Response) -> Answer:
        status, told = response.status_code, response.headers
        if status in (404, 410):
            raise NotThere(url, "the file", f"status {status}", MOVED)
        if status == 429 or status >= 500:
            failure = _Passing(url, "status 200", f"status {status}", LATER)
            failure.wait_seconds = _retry_after(told.get("Retry-After"))
            failure.is_of_host = status == 429
            raise failure
        if status in (401, 403):
            remedy = "the host refuses this client: say in JGB_USER_AGENT who asks and how to be reached, and wait"
            raise FetchFailed(url, "status 200", f"status {status}", remedy)
        if status == 304 and {"If-None-Match", "If-Modified-Since"} & response.request.headers.keys():
            return Answer(None, told.get("Last-Modified"), told.get("ETag"))
        if status != 200:
            raise FetchFailed(url, "status 200", f"status {status}", LATER)
        return Answer(self._body(url, response), told.get("Last-Modified"), told.get("ETag"))

    def _body(self, url: str, response: requests.Response) -> bytes:
        """The whole body. Decoded here: of a gzip stream that is cut, urllib3 would hand out what there is."""
        raw, told = response.raw, response.headers
        encoding = told.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip"):
            raise FetchFailed(url, "a body as it is, or as gzip", f"Content-Encoding {encoding}", LATER)
        # Without a length the end of the connection is the end of the body, if it was announced. If not, it may have
        # been cut within the headers: http.client takes what there is for all of them.
        is_open_ended = raw.length_remaining is None and not raw.chunked
        if is_open_ended and not self._guard.is_over and "close" not in told.get("Connection", "").lower():
            raise _Passing(url, "headers that say where the body ends", "none: they may be cut", LATER)
        body, wire = bytearray(), 0
        gzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS) if encoding == "gzip" else None
        while chunk := raw.read1(CHUNK, decode_content=False):
            wire += len(chunk)
            body += gzip.decompress(chunk, LARGEST_BODY + 1 - len(body)) if gzip else chunk
            if max(len(body), wire) > LARGEST_BODY:
                raise FetchFailed(
                    url, f"at most {LARGEST_BODY:,} bytes", "more than that", "open the URL and see what it is"
                )
            if self._guard.is_over or (gzip and gzip.unused_data):
                break
        if self._guard.is_over:  # also where the connection's end, cut by it, looked like the body's
            raise self._overdue(url)
        if gzip and (not gzip.eof or gzip.unused_data):
            raise _Passing(url, "one whole gzip stream", "less" if not gzip.eof else "more after its end", LATER)
        return bytes(body)

    def _wait_turn(self, url: str) -> None:
        rule = self._rules.get(urlsplit(url).netloc)
        if rule is None:
            return  # no adapter will take it
        now = time.monotonic()
        pause = self._last_asked.get(rule.host, -rule.pause_seconds) + rule.pause_seconds - now
        if pause > 0:
            time.sleep(pause * self._hurry)
        self._last_asked[rule.host] = time.monotonic()


class _Session(requests.Session):
    """Sees no redirects: requests would read their bodies, however large, also where it is told not to follow them."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None."""


class _Guard:
    """What every connection is made through: public addresses only, and all are cut when the time is up."""

    def __init__(self, stand_in: str | None) -> None:
        self._stand_in = stand_in
        self._open: dict[str, socket.socket] = {}  # by host: each keeps its connection while others are asked
        self.is_over = False
        self._ends = 0.0

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """A timeout of sockets is for one wait; this is for all of them, from the connection to the last byte."""
        self.is_over = False
        self._ends = time.monotonic() + seconds
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # or it might cut the next request

    def _cut(self) -> None:
        self.is_over = True
        for twin in list(self._open.values()):
            try:
                twin.shutdown(socket.SHUT_RDWR)
            except OSError:  # closed by the other side already
                continue

    def connect(self, connection: "_Connection") -> socket.socket:
        """A socket to the connection's host.

        Raises:
            FetchFailed: the host's name leads to an address that is not public.
            urllib3.exceptions.HTTPError: there is no way to it.
        """
        failed: OSError | None = None
        for address, port in self._addresses(connection):
            if self.is_over:
                break
            timeout = min(connection.timeout or SILENCE_SECONDS, max(self._ends - time.monotonic(), SHORTEST_SECONDS))
            try:
                made = create_connection((address, port), timeout, socket_options=connection.socket_options)
            except OSError as error:
                failed = error
                continue
            if before := self._open.pop(connection.host, None):
                before.close()
            # A duplicate: it stays valid, and cuts the connection, also once TLS has wrapped the socket itself.
            self._open[connection.host] = made.dup()
            if self.is_over:
                self._cut()
            return made
        raise NewConnectionError(connection, f"no connection: {failed}") from failed

    def _addresses(self, connection: "_Connection") -> list[tuple[str, int]]:
        if self._stand_in:
            host, _, port = self._stand_in.rpartition(":")
            return [(host.strip("[]"), int(port))]
        try:
            found = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            gaierror = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(connection.host, connection, gaierror) from error
        addresses = [(str(address[0]), connection.port or 443) for *_, address in found]
        for address, _ in addresses:
            if not _is_public(address):
                raise HostUnreachable(
                    f"https://{connection.host}/",
                    "a public address",
                    f"{connection.host} leads to {address}",
                    "look at the name service of this machine: a publisher is never inside one's own network",
                )
        return addresses


class _Connection(HTTPSConnection):
    guard: _Guard

    def _new_conn(self) -> socket.socket:
        return self.guard.connect(self)


class _Adapter(HTTPAdapter):
    """One connection to one host, through the guard; repetition is not its business."""

    def __init__(self, guard: _Guard) -> None:
        self._guard = guard
        super().__init__(pool_connections=1, pool_maxsize=1, pool_block=True, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        connection = type("_Guarded", (_Connection,), {"guard": self._guard})
        pool = type("_GuardedPool", (HTTPSConnectionPool,), {"ConnectionCls": connection})
        self.poolmanager.pool_classes_by_scheme = {"https": pool}


def _is_public(address: str) -> bool:
    """Whether an address is one of the open net, also by the IPv4 address that an IPv6 one may lead to."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found.is_site_local:
            return False
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and any(found in net for net in (NAT64, COMPATIBLE)):
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        found = inner or found
    return found.is_global and not (found.is_multicast or found.is_reserved)


def _retry_after(value: str | None) -> float:
    """Seconds that a server asks to be left alone: a number, or a date; 0 for anything else."""
    if not value:
        return 0.0
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - jgb_assets.clock.now()).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _innermost(error: BaseException) -> BaseException:
    """Of errors that libraries wrap in each other the first."""
    while True:
        parts = [*error.args, getattr(error, "reason", None)]
        inner = next((part for part in parts if isinstance(part, BaseException)), None)
        if inner is None:
            return error
        error = inner


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
