"""A network as companies have it: a proxy with a password before it, and a CA of its own inside.

Behind the proxy alone is https://packages.invalid (and the same by http): a repository of apt, an
index of Python packages, a registry of npm.
"""

import base64
import hashlib
import io
import json
import socket
import ssl
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "packages.invalid"
USER, PASSWORD = "builder", "hunter2-marker"
APT = Path(__file__).parent / "packages"


@dataclass(frozen=True)
class Company:
    """Where the proxy is, whose certificates the site has, and what the proxy was asked for."""

    proxy: str
    bundle: Path
    asked: list[str]


@contextmanager
def company(folder: Path, address: str) -> Iterator[Company]:
    """Serve at the address, which containers reach, for as long as it is needed."""
    bundle, certificate, key = _certificates(folder)
    site = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    site.socket = context.wrap_socket(site.socket, server_side=True)
    asked: list[str] = []

    class Proxy(_Proxy):
        tls = site.server_port
        log = asked

    proxy = ThreadingHTTPServer((address, 0), Proxy)
    for server in (site, proxy):
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        where = f"http://{USER}:{PASSWORD}@{address}:{proxy.server_port}"
        yield Company(where, bundle, asked)
    finally:
        for server in (site, proxy):
            server.shutdown()
            server.server_close()


class _Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.removeprefix(f"http://{HOST}")
        content = _pages().get(path)
        if content is None and (APT / Path(path).name).is_file():
            content = (APT / Path(path).name).read_bytes()
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Type", "text/html" if path.endswith("/") else "application/json")
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None: ...


class _Proxy(_Site):
    tls: int
    log: list[str]

    def parse_request(self) -> bool:
        """Let in who knows the password, and to one place only."""
        if not super().parse_request():
            return False
        self.log.append(f"{self.command} {self.path}")
        known = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Proxy-Authorization") != f"Basic {known}":
            self.send_error(407)
            return False
        if HOST not in self.path:
            self.send_error(403, "not through this proxy")
            return False
        return True

    def do_CONNECT(self) -> None:
        with socket.create_connection(("127.0.0.1", self.tls)) as site:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_relay, args=(site, self.connection), daemon=True)
            back.start()
            _relay(self.connection, site)
            back.join()
        self.close_connection = True


def _relay(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side has gone


@cache
def _pages() -> dict[str, bytes]:
    """Make them once: archives hold the time, and npm compares their digests."""
    wheel = "imagegen_tiny-1.0-py3-none-any.whl"
    package = _npm()
    registered = {
        "name": "imagegen-tiny",
        "dist-tags": {"latest": "1.0.0"},
        "versions": {
            "1.0.0": {
                "name": "imagegen-tiny",
                "version": "1.0.0",
                "bin": {"imagegen-tiny": "said.js"},
                "dist": {
                    "tarball": f"https://{HOST}/imagegen-tiny-1.0.0.tgz",
                    "shasum": hashlib.sha1(package).hexdigest(),  # noqa: S324 -- npm's
                },
            }
        },
    }
    return {
        "/simple/imagegen-tiny/": f'<a href="/{wheel}">{wheel}</a>'.encode(),
        f"/{wheel}": _wheel("imagegen_tiny"),
        "/imagegen_other-2.0-py3-none-any.whl": _wheel("imagegen_other", "2.0"),
        "/npm/imagegen-tiny": json.dumps(registered).encode(),
        "/imagegen-tiny-1.0.0.tgz": package,
    }


def _wheel(name: str, version: str = "1.0") -> bytes:
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "said = 'tiny'\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{about}/RECORD"])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return made.getvalue()


def _npm() -> bytes:
    files = {
        "package/package.json": json.dumps(
            {"name": "imagegen-tiny", "version": "1.0.0", "bin": {"imagegen-tiny": "said.js"}}
        ),
        "package/said.js": "#!/usr/bin/env node\nconsole.log('tiny')\n",
    }
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content.encode()))
    return made.getvalue()


def _certificates(folder: Path) -> tuple[Path, Path, Path]:
    """Make an authority and a certificate of the site."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30")
    openssl(*new, "-subj", "/CN=imagegen tests", "-keyout", "ca.key", "-out", "ca.pem")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", f"subjectAltName=DNS:{HOST}")
    plain = ("-addext", "basicConstraints=CA:FALSE")
    openssl(*new, *signed, *plain, "-subj", f"/CN={HOST}", "-keyout", "key.pem", "-out", "site.pem")
    return folder / "ca.pem", folder / "site.pem", folder / "key.pem"
