"""A web server for builds: files, redirects, passwords, headers, bad moments and git."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import docker

USER = "reader"
PASSWORD = "pass-needle-0f8a"  # noqa: S105 -- the test looks for it in every layer
HEADER = ("X-Build", "it's me")
_OK, _FOUND, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _BUSY = 200, 302, 401, 403, 404, 503


def address() -> str:
    """Give the address at which a build on the default network reaches this machine."""
    client = docker.from_env()
    try:
        config = client.networks.get("bridge").attrs["IPAM"]["Config"]
    finally:
        client.close()
    return str(config[0]["Gateway"])


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder; gives the address.

    Below /auth a password is asked for, below /header a header; /redirect leads to where the rest
    says, /busy fails at the first time; /git is git's own protocol, for all else it is files.
    """
    server = ThreadingHTTPServer((address(), 0), _Handler)
    server.folder = folder  # type: ignore[attr-defined]
    server.seen = set()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{server.server_address[0]!s}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("http://"):  # we are its proxy
            self.path = urlsplit(self.path).path
        kind, _, rest = self.path.partition("?")[0].strip("/").partition("/")
        if kind == "redirect":
            self._answer(_FOUND, {"Location": f"/{rest}"})
        elif kind in ("auth", "git") and not self._is_known():
            self._answer(_UNAUTHORIZED, {"WWW-Authenticate": 'Basic realm="test"'})
        elif kind == "header" and self.headers.get(HEADER[0]) != HEADER[1]:
            self._answer(_FORBIDDEN)
        elif kind == "busy" and self.path not in self.server.seen:  # type: ignore[attr-defined]
            self.server.seen.add(self.path)  # type: ignore[attr-defined]
            self._answer(_BUSY)
        elif kind == "git":
            self._git()
        else:
            self._file(rest if kind in ("auth", "header", "busy") else f"{kind}/{rest}")

    do_POST = do_GET  # noqa: N815 -- http.server's name

    def _is_known(self) -> bool:
        wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {wanted}"

    def _file(self, name: str) -> None:
        path: Path = self.server.folder / name  # type: ignore[attr-defined]
        if path.is_file():
            self._answer(_OK, content=path.read_bytes())
        else:
            self._answer(_NOT_FOUND)

    def _answer(
        self, status: int, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _git(self) -> None:
        """Hand the request to git's own server, by CGI."""
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        body = self._chunks() if self.headers.get("Transfer-Encoding") else self.rfile.read(length)
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.server.folder / "git"),  # type: ignore[attr-defined]
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
                "PATH_INFO": path.removeprefix("/git"),
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            },
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200 OK").split()[0])
        self._answer(status, headers, content)

    def _chunks(self) -> bytes:
        whole = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole
