"""The app of examples/hello keeps its word: its scripts run here as they run in the image."""

import contextlib
import ctypes
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "hello"
APP = EXAMPLE / "app"
PR_SET_CHILD_SUBREAPER = 36
STOPPED = "stopped by hello stop"


@dataclass
class Hello:
    """An app in a folder and on a port of its own."""

    home: Path
    port: int
    config: dict[str, Any]
    language: str = "en"
    reapers: list[threading.Thread] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        config = self.home / "config.json"
        config.write_text(json.dumps(self.config))
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HELLO_HOME": str(self.home),
            "HELLO_MESSAGES": str(EXAMPLE / "messages" / f"{self.language}.json"),
            "IMAGEGEN_CONFIG": str(config),
        }

    @property
    def pidfile(self) -> Path:
        return self.home / "hello.pid"

    @property
    def pid(self) -> int:
        return int(self.pidfile.read_text())

    @property
    def log(self) -> str:
        return (self.home / "log" / "hello.log").read_text()

    def run(self, verb: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [APP / "hello", verb],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )

    def start(self) -> None:
        started = self.run("start")
        assert (started.returncode, started.stderr) == (0, "")
        self.reapers.append(threading.Thread(target=os.waitpid, args=(self.pid, 0), daemon=True))
        self.reapers[-1].start()

    def kill(self) -> None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.reapers[-1].join(5)

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(client):
            client.request(method, path)
            answer = client.getresponse()
            return answer.status, answer.read().decode()

    def alive(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.ask("/alive")[1])
        return answer

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @contextlib.contextmanager
    def ticker(self, seconds: str) -> Iterator[subprocess.Popen[str]]:
        command = [str(APP / "ticker"), seconds]
        with subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def hello(tmp_path: Path) -> Iterator[Hello]:
    """Be the one who reaps the daemon, or `hello stop` waits for a zombie: not every PID 1 does."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with socket.socket() as free:
        free.bind(("0.0.0.0", 0))  # noqa: S104
        port = free.getsockname()[1]
    app = Hello(tmp_path, port, {"web": {"port": port, "title": "A test"}, "drain": 0})
    yield app
    if app.reapers:
        app.kill()
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture
def started(hello: Hello) -> Hello:
    hello.start()
    return hello


def wait_for(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def term(process: subprocess.Popen[str]) -> int:
    """Ask it to go; it has a second, which is neither a tick nor the timeout of a question."""
    process.terminate()
    return process.wait(timeout=1)


def test_start_returns_when_the_app_answers(started: Hello) -> None:
    assert started.ask("/") == (200, "Hello, world!\n")
    assert started.ask("/nowhere") == (404, "There is nothing here.\n")
    assert started.alive()["state"] == "UP"
    assert started.alive()["pid"] == started.pid


def test_the_daemon_has_a_session_of_its_own_and_nobody_for_a_parent(started: Hello) -> None:
    assert os.getsid(started.pid) not in (os.getsid(0), started.pid)
    stat = Path(f"/proc/{started.pid}/stat").read_text().rpartition(")")[2].split()
    assert int(stat[1]) == os.getpid()


def test_status_says_whether_it_runs(hello: Hello) -> None:
    assert hello.run("status").returncode == 7
    hello.start()
    status = hello.run("status")
    assert status.returncode == 0
    assert str(hello.pid) in status.stdout


def test_a_second_start_is_refused(started: Hello) -> None:
    pid = started.pid
    second = started.run("start")
    assert second.returncode == 1
    assert second.stderr == f"hello: it runs already, with pid {pid}\n"
    assert started.alive()["pid"] == pid


def test_stop_runs_to_its_end(started: Hello) -> None:
    assert started.run("stop").returncode == 0
    assert not started.listens()
    assert not started.pidfile.exists()
    assert started.run("status").returncode == 7
    assert (started.home / "stop-marker").read_text() == f"{STOPPED}\n"
    farewell, marker = started.log.splitlines()[-2:]
    assert farewell.endswith("Goodbye.")
    assert marker.endswith(STOPPED)


def test_stop_leaves_no_marker_where_nothing_ran(hello: Hello) -> None:
    assert hello.run("stop").returncode == 0
    assert not (hello.home / "stop-marker").exists()


def test_a_request_under_way_is_finished(hello: Hello) -> None:
    hello.config["drain"] = 1
    hello.start()
    with socket.create_connection(("127.0.0.1", hello.port), timeout=5) as client:
        client.sendall(b"GET / HTTP/1.0\r\n")
        hello.alive()  # connections are taken in their order, so ours is
        os.kill(hello.pid, signal.SIGTERM)
        wait_for(lambda: not hello.listens())
        client.sendall(b"\r\n")
        with client.makefile() as answer:
            assert answer.read().endswith("Hello, world!\n")
    hello.reapers[-1].join(5)
    assert not hello.pidfile.exists()


def test_a_foreign_pid_is_not_believed(started: Hello) -> None:
    started.kill()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        started.pidfile.write_text(f"{other.pid}\n")
        assert started.run("status").returncode == 7
        assert started.run("stop").returncode == 0
        started.start()
        assert started.pid != other.pid
        assert other.poll() is None
        other.kill()


def test_after_a_crash_it_starts_again(started: Hello) -> None:
    before = started.alive()
    started.kill()
    assert started.pidfile.exists()
    assert started.run("status").returncode == 7
    started.start()
    assert started.alive()["started"] > before["started"]


def test_it_is_sick_until_the_next_start(started: Hello) -> None:
    assert started.ask("/sick", "POST")[0] == 200
    assert started.ask("/alive")[0] == 503
    assert started.alive()["state"] == "SICK"
    assert started.ask("/")[0] == 200
    assert started.run("stop").returncode == 0
    started.start()
    assert started.ask("/alive")[0] == 200


def test_it_speaks_the_language_of_its_messages(hello: Hello) -> None:
    hello.language = "fr"
    hello.start()
    assert hello.ask("/")[1] == "Bonjour, le monde!\n"
    assert hello.ask("/?name=Ren%C3%A9")[1] == "Bonjour, René!\n"


def test_the_greeting_of_the_config_wins(hello: Hello) -> None:
    hello.config["greeting"] = "Moin"
    hello.start()
    assert hello.ask("/?name=Ada")[1] == "Moin, Ada!\n"
    assert json.loads(hello.ask("/config")[1]) == hello.config


def test_a_name_is_short_and_stays_on_its_line(started: Hello) -> None:
    assert started.ask("/?name=A%0d%0aB%1b[31m" + "x" * 1000)[1] == f"Hello, AB[31m{'x' * 34}!\n"


def test_a_client_writes_no_line_of_the_log(started: Hello) -> None:
    with socket.create_connection(("127.0.0.1", started.port), timeout=5) as client:
        client.sendall(b"GET /a\x1b[2J\rb\x0bc HTTP/1.0\r\n\r\n")
        client.recv(1)
    assert "/a[2Jbc" in started.log
    assert set("\x1b\r\x0b").isdisjoint(started.log)


def test_the_log_of_another_day_is_put_aside(hello: Hello) -> None:
    log = hello.home / "log" / "hello.log"
    log.parent.mkdir()
    log.write_text("old\n")
    day = datetime.now().astimezone() - timedelta(days=2)
    os.utime(log, (day.timestamp(), day.timestamp()))
    hello.start()
    assert log.with_name(f"hello.log.{day:%Y%m%d}").read_text() == "old\n"
    assert "A test listens" in hello.log


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"web": None}, "web.port must be"),
        ({"web": {"port": 1024}}, "web.title must be"),
        ({"web": {"port": True, "title": "A"}}, "web.port must be"),
        ({"greeting": 1}, "greeting must be"),
        ({"drain": float("nan")}, "drain must be"),
    ],
)
def test_a_wrong_config_ends_in_78(hello: Hello, change: dict[str, Any], problem: str) -> None:
    hello.config |= change
    wrong = hello.run("start")
    assert wrong.returncode == 78
    assert problem in wrong.stderr
    assert wrong.stderr.count("\n") == 1


def test_a_taken_port_is_told(hello: Hello) -> None:
    with socket.create_server(("", hello.port)):
        taken = hello.run("start")
    assert taken.returncode == 1
    assert taken.stderr == f"hello: cannot listen on port {hello.port}: Address already in use\n"


def test_the_ticker_counts_what_people_ask(started: Hello) -> None:
    for path in ("/", "/nowhere", "/alive", "/stats"):
        started.ask(path)
    with started.ticker("60") as ticker:
        assert ticker.stdout
        assert ticker.stdout.readline() == "2 requests served\n"
        assert term(ticker) == 0


def test_the_ticker_outlives_the_app(hello: Hello) -> None:
    with hello.ticker("0.05") as ticker:
        assert ticker.stdout
        assert ticker.stdout.readline() == "hello does not answer (ConnectionRefusedError)\n"
        hello.start()
        assert "0 requests served\n" in islice(ticker.stdout, 100)
        assert term(ticker) == 0


def test_the_ticker_leaves_in_the_middle_of_a_question(hello: Hello) -> None:
    with socket.create_server(("", hello.port)) as silent, hello.ticker("60") as ticker:
        silent.settimeout(5)
        with silent.accept()[0]:
            assert term(ticker) == 0
