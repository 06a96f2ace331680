"""A web on the loopback: an HTTPS server with its own authority that stands for every publisher's host."""

import contextlib
import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

from jgb_assets.defs.world import host_rules
from jgb_assets.landing.transport import SIDECAR
from jgb_assets.settings import BUNDLE

Act = Callable[["Asked"], None]
PATIENCE_SECONDS = 6.0


class Asked(BaseHTTPRequestHandler):
    """One request, and what can be done about it."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    @property
    def url(self) -> str:
        return f"https://{self.headers['Host']}{self.path}"

    def do_GET(self) -> None:
        web = self.server.web
        web.asked.append((self.url, dict(self.headers)))
        act = web.acts.get(self.url)
        if isinstance(act, list):  # one after the other, the last for ever
            act = act.pop(0) if len(act) > 1 else act[0]
        (act or web.as_published)(self)

    def reply(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        """A whole answer; ``Retry_After`` is a header's name as it can be written here."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not on the tests' output."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    web: "PretendWeb"

    def handle_error(self, *_: object) -> None:
        """Clients go away in the middle; that is what is tested."""


@dataclass
class PretendWeb:
    """What stands at each URL, what is done about a request, and who has asked."""

    address: str
    ca_file: Path
    files: dict[str, bytes] = field(default_factory=dict)
    acts: dict[str, Act | list[Act]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def as_published(self, asked: Asked) -> None:
        """The file with its ETag; 304 where the client has it; 404 with a page where there is none."""
        body = self.files.get(asked.url)
        if body is None:
            asked.reply(b"<!DOCTYPE html><html><body>Not Found</body></html>", 404, Content_Type="text/html")
            return
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if asked.headers.get("If-None-Match") == etag:
            asked.send_response(304)
            asked.send_header("ETag", etag)
            asked.end_headers()
            return
        asked.reply(body, ETag=etag)

    def rehearse(self, path: Path, now: datetime | str | None = None, **more: object) -> Path:
        """Write, or write anew, the file that ``JGB_REHEARSAL`` names."""
        world = {
            "server": self.address,
            "ca_file": str(self.ca_file),
            "now": now.isoformat() if isinstance(now, datetime) else now,
            "patience_seconds": PATIENCE_SECONDS,
        }
        path.write_text(json.dumps(world | more))
        return path

    def urls(self) -> list[str]:
        """What was asked for, in order."""
        return [url for url, _ in self.asked]


@contextlib.contextmanager
def pretend_web(
    folder: Path,
    files: Mapping[str, bytes] | None = None,
    certified: Callable[[trustme.CA], trustme.LeafCert] | None = None,
) -> Iterator[PretendWeb]:
    """The server, until the end of the context. ``certified`` makes another certificate than the told authority's own."""
    told = trustme.CA()
    ca_file = folder / "authority.pem"
    told.cert_pem.write_to_path(str(ca_file))
    certificate = certified(told) if certified else told.issue_cert(*(rule.host for rule in host_rules()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    server = _Server(("127.0.0.1", 0), Asked)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.web = PretendWeb(f"127.0.0.1:{server.server_address[1]}", ca_file, dict(files or {}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def newest_files(archive: Path = BUNDLE) -> dict[str, bytes]:
    """By URL the newest file of an archive."""
    files = {}
    for instant in sorted(path for path in archive.iterdir() if path.is_dir()):
        for path in instant.rglob("*"):
            if path.is_file() and not path.name.endswith(SIDECAR):
                files["https://" + path.relative_to(instant).as_posix().replace("@", "?", 1)] = path.read_bytes()
    return files


def closed_port() -> str:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"
