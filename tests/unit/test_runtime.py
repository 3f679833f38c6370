"""The shell that goes into images: its scripts run here as they are, in a root of their own."""

import gzip
import json
import os
import shlex
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path

import pytest

import imagegen

RUNTIME = Path(str(files(imagegen))) / "runtime"
LIB = RUNTIME / "usr/lib/imagegen"
QUERY = RUNTIME / "usr/bin/imagegen-cfg"
DAY = 86400

Done = subprocess.CompletedProcess[str]

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


@dataclass(frozen=True)
class Image:
    """What the generator writes into an image, and where the runtime writes."""

    etc: Path
    run: Path

    def write(self, path: str, text: str, *, executable: bool = False) -> Path:
        file = self.etc / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if executable else 0o644)
        return file

    def command(self, path: str, *lines: str) -> None:
        self.write(f"{path}/command", "\n".join(["#!/bin/sh", *lines, ""]), executable=True)

    def env(self, **more: str) -> dict[str, str]:
        own = {"IMAGEGEN_ETC": self.etc, "IMAGEGEN_RUN": self.run, "IMAGEGEN_LIB": LIB}
        return {**os.environ, **{name: str(path) for name, path in own.items()}, **more}

    def call(self, script: str | Path, *arguments: str | Path, **env: str) -> Done:
        return subprocess.run(
            [LIB / script, *arguments],
            env=self.env(**env),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )


@pytest.fixture
def image(tmp_path: Path) -> Image:
    made = Image(tmp_path / "etc", tmp_path / "run")
    made.etc.mkdir()
    made.run.mkdir()
    return made


def test_every_file_says_who_runs_it() -> None:
    for file in [*LIB.iterdir(), QUERY]:
        said = file.read_text()
        assert "\n# Run " in said or "\n# Sourced by " in said, file.name


def test_what_runs_is_executable_and_what_is_sourced_is_not() -> None:
    for file in [*LIB.iterdir(), QUERY]:
        runs = file.suffix != ".sh"
        assert file.read_text().startswith("#!/bin/sh\n") == runs, file.name
        assert bool(file.stat().st_mode & 0o100) == runs, file.name


# The merged configuration


@pytest.fixture
def config(image: Image) -> Image:
    image.write("config/variable", "CFG\n")
    image.write("config/defaults.json", '{"web": {"port": 80, "hosts": ["a", "b"]}, "name": "x"}\n')
    return image


def merged(image: Image, **env: str) -> object:
    done = image.call("merge-config", **env)
    assert done.returncode == 0, done.stderr
    return json.loads((image.run / "config.json").read_text())


def test_without_cfg_the_defaults_are_the_configuration(config: Image) -> None:
    defaults = {"web": {"port": 80, "hosts": ["a", "b"]}, "name": "x"}
    assert merged(config) == defaults
    assert merged(config, CFG="") == defaults


def test_cfg_is_merged_key_by_key_and_lists_are_replaced(config: Image) -> None:
    assert merged(config, CFG='{"web": {"hosts": ["c"]}, "name": null, "new": {"deep": 1}}') == {
        "web": {"port": 80, "hosts": ["c"]},
        "name": None,
        "new": {"deep": 1},
    }


@pytest.mark.parametrize(
    "text", ["a * b", '"quoted"', "$(id) `id` $HOME", "two\nlines", "\\n \\", "üñï ☃", "-n"]
)
def test_text_in_cfg_arrives_as_it_is(config: Image, text: str) -> None:
    assert merged(config, CFG=json.dumps({"name": text}, ensure_ascii=False)) == {
        "web": {"port": 80, "hosts": ["a", "b"]},
        "name": text,
    }


def test_cfg_may_be_as_large_as_the_kernel_lets_it(config: Image) -> None:
    text = "x" * (131_067 - len('{"name":""}'))
    found = merged(config, CFG=f'{{"name":"{text}"}}')
    assert isinstance(found, dict)
    assert found["name"] == text


def test_a_file_of_five_megabytes_is_merged(config: Image, tmp_path: Path) -> None:
    file = tmp_path / "cfg.json"
    file.write_text(json.dumps({"name": "y" * 5_000_000}))
    found = merged(config, CFG_FILE=str(file))
    assert isinstance(found, dict)
    assert len(found["name"]) == 5_000_000


@pytest.mark.parametrize(
    ("cfg", "complaint"),
    [
        ('{"a": 1,}', "CFG is not valid JSON: .* at line 1, column 9"),
        ('{"a":', "CFG is not valid JSON: .* at line 1, column 5"),
        ("{'a': 1}", "CFG is not valid JSON: .* at line 1"),
        ('{"a": 1}{"b": 2}', "CFG holds 2 JSON documents, not one"),
        ("  ", "CFG holds 0 JSON documents, not one"),
        ("[]", "CFG holds a JSON array, not an object"),
        ("null", "CFG holds a JSON null, not an object"),
        ('"hunter2"', "CFG holds a JSON string, not an object"),
        ('{"a": NaN}', "CFG (holds NaN|is not valid JSON)"),
        ('{"password": "hunter2"', "CFG is not valid JSON"),
    ],
)
def test_what_is_not_one_json_object_is_refused_in_one_line(
    config: Image, cfg: str, complaint: str
) -> None:
    done = config.call("merge-config", CFG=cfg)
    assert done.returncode == 78
    with pytest.raises(AssertionError, match=rf"\Aimagegen: {complaint}[^\n]*\n\Z"):
        raise AssertionError(done.stderr)
    assert "hunter2" not in done.stderr
    assert list(config.run.iterdir()) == []


def test_cfg_and_cfg_file_together_are_refused(config: Image) -> None:
    done = config.call("merge-config", CFG="{}", CFG_FILE="/etc/passwd")
    assert (done.returncode, done.stderr) == (
        78,
        "imagegen: CFG and CFG_FILE are both set: only one can be meant\n",
    )


@pytest.mark.parametrize(
    ("path", "complaint"), [("/nowhere", "does not exist"), ("/", "is a folder")]
)
def test_a_missing_cfg_file_is_refused(config: Image, path: str, complaint: str) -> None:
    done = config.call("merge-config", CFG_FILE=path)
    assert done.returncode == 78
    assert f"imagegen: CFG_FILE: {path} {complaint}" in done.stderr


def test_a_wrong_cfg_leaves_the_configuration_as_it_was(config: Image) -> None:
    before = merged(config)
    assert config.call("merge-config", CFG="[]").returncode == 78
    assert json.loads((config.run / "config.json").read_text()) == before


def test_the_merged_configuration_is_not_for_everybody(config: Image) -> None:
    merged(config)
    assert (config.run / "config.json").stat().st_mode & 0o007 == 0


# The query


@pytest.fixture
def query(image: Image) -> Image:
    document = {
        "text": "two\nlines",
        "empty": "",
        "off": False,
        "nothing": None,
        "web": {"port": 80, "max-age": 1.5, "hosts": [{"name": "a"}, "b"]},
        "example.org": {'a "key"': 7},
    }
    (image.run / "config.json").write_text(json.dumps(document))
    return image


def ask(image: Image, *arguments: str) -> Done:
    return image.call(QUERY, *arguments, IMAGEGEN_CONFIG=str(image.run / "config.json"))


@pytest.mark.parametrize(
    ("path", "printed"),
    [
        ("text", "two\nlines"),
        ("empty", ""),
        ("off", "false"),
        ("web.port", "80"),
        (".web.port", "80"),
        ("web.max-age", "1.5"),
        ("web.hosts", '[{"name":"a"},"b"]'),
        ("web.hosts.0.name", "a"),
        ('"example.org"."a \\"key\\""', "7"),
    ],
)
def test_a_value_is_found_by_its_path(query: Image, path: str, printed: str) -> None:
    done = ask(query, path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{printed}\n", "")


@pytest.mark.parametrize("path", ["missing", "nothing", "web.port.deep", "web.hosts.9", "text.0"])
def test_a_missing_value_is_an_error_unless_there_is_a_default(query: Image, path: str) -> None:
    done = ask(query, path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"imagegen-cfg: {path} is not set\n"
    assert ask(query, path, "--default", "a  b").stdout == "a  b\n"


@pytest.mark.parametrize("path", ["a..b", ".", 'a."b', "", "--what"])
def test_a_path_that_is_none_is_wrong_usage(query: Image, path: str) -> None:
    assert ask(query, path).returncode == 64


def test_without_a_path_the_whole_document_is_printed(query: Image) -> None:
    assert json.loads(ask(query).stdout)["web"]["port"] == 80


# Probes


class Answer(BaseHTTPRequestHandler):
    """Answers with the status that the path names, and a JSON state."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()
        self.wfile.write(b'{"state": "UP"}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An HTTP server on a port of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def probe(image: Image) -> tuple[int, str]:
    done = image.call("probe", image.etc / "health")
    assert len(done.stdout) < 200
    assert done.stdout.count("\n") <= 1
    return done.returncode, done.stdout.rstrip("\n")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("exit 0", (0, "")),
        ("exit 3", (1, "the probe exits with code 3")),
        ("echo fine", (0, "")),
        ("printf 'not\\t well\\nat all\\n' >&2; exit 1", (1, "not well at all")),
        ("yes | head -c 20000000; exit 1", (1, " ".join("y" * 80))),
        ("sleep 9", (1, "no answer within 1 s")),
        ("trap '' TERM; sleep 9", (1, "no answer within 1 s")),
    ],
    ids=["well", "silent", "chatty", "ill", "endless", "hanging", "stubborn"],
)
def test_a_command_is_well_when_it_ends_well(
    image: Image, line: str, found: tuple[int, str]
) -> None:
    image.write("health/timeout", "1\n")
    image.command("health", line)
    assert probe(image) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("""echo '{"state": "UP"}'""", (0, "")),
        (
            """echo '{"state": "DOWN"}'""",
            (1, 'this is not true of the answer: .state == "UP"'),
        ),
        (":", (1, 'this is not true of the answer: .state == "UP"')),
        ("""echo '{"state": "UP"}'; echo tired >&2; exit 4""", (1, "tired")),
    ],
    ids=["true", "false", "silent", "failed"],
)
def test_what_a_command_prints_can_be_judged(
    image: Image, line: str, found: tuple[int, str]
) -> None:
    image.write("health/jq", '.state == "UP"\n')
    image.command("health", line)
    assert probe(image) == found


def test_what_is_no_json_is_ill(image: Image) -> None:
    image.write("health/jq", ".state\n")
    image.command("health", "echo '<html>'")
    code, why = probe(image)
    assert code == 1
    assert "parse error" in why


@pytest.mark.parametrize(("status", "code"), [(200, 0), (302, 0), (404, 1), (503, 1)])
def test_http_is_well_below_400(image: Image, server: str, status: int, code: int) -> None:
    image.write("health/http", f"http://{server}/{status}\n")
    found, why = probe(image)
    assert found == code
    assert (str(status) in why) == (code == 1)


def test_an_http_answer_can_be_judged(image: Image, server: str) -> None:
    image.write("health/http", f"http://{server}/200\n")
    image.write("health/jq", '.state == "DOWN"\n')
    assert probe(image) == (1, 'this is not true of the answer: .state == "DOWN"')
    image.write("health/jq", '.state == "UP"\n')
    assert probe(image) == (0, "")


def test_a_proxy_is_not_asked(image: Image, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    image.write("health/http", f"http://{server}/200\n")
    assert probe(image) == (0, "")


def test_tcp_is_well_when_it_connects(image: Image) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        image.write("health/tcp", f"{address}\n")
        assert probe(image) == (0, "")
    assert probe(image) == (1, f"cannot connect to {address}")


# Clean-up of logs


@dataclass(frozen=True)
class Logs:
    """A folder of logs, and the rule that cleans it."""

    image: Image
    folder: Path

    def make(self, name: str, days: float, content: str = "a line\n") -> Path:
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
        self.age(file, days)
        return file

    def age(self, file: Path, days: float) -> None:
        then = time.time() - days * DAY
        os.utime(file, (then, then), follow_symlinks=False)

    def clean(self) -> str:
        done = self.image.call("clean-logs", "app")
        assert done.returncode == 0, done.stderr
        return done.stderr

    def left(self) -> set[str]:
        everything = self.folder.rglob("*")
        return {str(p.relative_to(self.folder)) for p in everything if not p.is_dir()}


@pytest.fixture
def logs(image: Image, tmp_path: Path) -> Logs:
    folder = tmp_path.resolve() / "log"
    folder.mkdir()
    values = {"root": folder, "pattern": "app.log.*", "depth": 1}
    ages = {"compress-after": 7 * DAY, "delete-after": 28 * DAY}
    for name, value in {**values, **ages}.items():
        image.write(f"logs/app/{name}", f"{value}\n")
    return Logs(image, folder)


def test_old_logs_are_compressed_and_older_ones_deleted(logs: Logs) -> None:
    logs.make("app.log.new", 0)
    logs.make("app.log.6", 6.99)
    old = logs.make("app.log.7", 7.01, "kept\n").stat()
    logs.make("app.log.27.gz", 27.99)
    logs.make("app.log.28.gz", 28.01)
    logs.make("app.log.29", 29)
    logs.make("other.log", 90)
    assert logs.clean() == "logs:app: 1 compressed, 2 deleted, 0 spared as newest or open\n"
    assert logs.left() == {
        *("app.log.new", "app.log.6", "app.log.7.gz", "app.log.27.gz", "other.log"),
    }
    packed = logs.folder / "app.log.7.gz"
    assert gzip.decompress(packed.read_bytes()) == b"kept\n"
    new = packed.stat()
    assert (new.st_mtime_ns, new.st_mode, new.st_uid) == (old.st_mtime_ns, old.st_mode, old.st_uid)


def test_what_was_compressed_before_the_rule_had_a_pattern_for_it_is_deleted_too(
    logs: Logs,
) -> None:
    logs.image.write("logs/app/pattern", "app.log.????\n")
    logs.make("app.log.2001", 1)
    logs.make("app.log.1999.gz", 40)
    logs.clean()
    assert logs.left() == {"app.log.2001"}


def test_names_may_hold_anything(logs: Logs) -> None:
    logs.make("app.log.new", 0)
    odd = ["app.log.two words", "app.log.two\nlines", "app.log.-rf *", "app.log.'q\"", "app.log.é"]
    for name in odd:
        logs.make(name, 8)
        logs.make(f"{name}.old", 40)
    logs.clean()
    assert logs.left() == {"app.log.new", *(f"{name}.gz" for name in odd)}


def test_the_newest_log_is_left_alone_however_old(logs: Logs) -> None:
    logs.make("app.log.1", 50)
    logs.make("app.log.2", 40)
    assert logs.clean() == "logs:app: 0 compressed, 1 deleted, 1 spared as newest or open\n"
    assert logs.left() == {"app.log.2"}


def test_an_open_log_is_left_alone(logs: Logs) -> None:
    logs.make("app.log.new", 0)
    with logs.make("app.log.old", 10).open("a"), logs.make("app.log.older", 40).open():
        logs.clean()
        assert logs.left() == {"app.log.new", "app.log.old", "app.log.older"}


def test_no_symbolic_link_is_followed(logs: Logs, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    precious = outside / "app.log.precious"
    precious.write_text("precious")
    logs.age(precious, 90)
    logs.make("app.log.new", 0)
    link = logs.folder / "app.log.link"
    link.symlink_to(precious)
    logs.age(link, 90)
    (logs.folder / "sub").symlink_to(outside)
    logs.clean()
    logs.image.write("logs/app/pattern", "*/app.log.*\n")
    logs.image.write("logs/app/depth", "2\n")
    logs.clean()
    assert link.is_symlink()
    assert precious.read_text() == "precious"


def test_a_rule_whose_folder_is_a_link_does_nothing(logs: Logs, tmp_path: Path) -> None:
    logs.make("app.log.old", 90)
    logs.make("app.log.new", 0)
    (tmp_path / "link").symlink_to(logs.folder)
    logs.image.write("logs/app/root", f"{tmp_path.resolve()}/link\n")
    done = logs.image.call("clean-logs", "app")
    assert done.returncode == 78
    assert logs.left() == {"app.log.old", "app.log.new"}


def test_a_wildcard_crosses_no_slash_and_finds_no_hidden_file(logs: Logs) -> None:
    logs.image.write("logs/app/pattern", "*/*.log\n")
    logs.image.write("logs/app/depth", "2\n")
    logs.make("a/new.log", 0)
    logs.make("a/old.log", 40)
    logs.make("a/.old.log", 40)
    logs.make("old.log", 40)
    (logs.folder / "a/b").mkdir()
    logs.make("a/b/old.log", 40)
    logs.clean()
    assert logs.left() == {"a/new.log", "a/.old.log", "old.log", "a/b/old.log"}


@pytest.mark.parametrize("suffix", ["gz", "xz", "zst", "bz2"])
def test_what_is_compressed_is_not_compressed_again(logs: Logs, suffix: str) -> None:
    logs.make("app.log.new", 0)
    logs.make(f"app.log.1.{suffix}", 10)
    logs.clean()
    assert logs.left() == {"app.log.new", f"app.log.1.{suffix}"}


def test_a_compressed_file_that_is_there_is_not_overwritten(logs: Logs) -> None:
    logs.make("app.log.new", 0)
    logs.make("app.log.1", 10)
    logs.make("app.log.1.gz", 10, "other")
    done = logs.image.call("clean-logs", "app")
    assert done.returncode == 1
    assert (logs.folder / "app.log.1.gz").read_text() == "other"
    assert logs.left() == {"app.log.new", "app.log.1", "app.log.1.gz"}


def test_the_rest_of_a_killed_run_is_no_hindrance(logs: Logs) -> None:
    logs.make("app.log.new", 0)
    logs.make("app.log.1", 10)
    logs.make(".imagegen-gzip.app", 1)
    logs.clean()
    assert logs.left() == {"app.log.new", "app.log.1.gz"}


def test_a_folder_that_is_not_there_yet_is_no_failure(logs: Logs) -> None:
    logs.folder.rmdir()
    assert "there is no folder" in logs.clean()


# Users


@as_root
def test_a_command_runs_as_its_user(image: Image) -> None:
    told = 'echo "$(id -un):$(id -gn) $HOME $USER $LOGNAME"'
    done = image.call("as", "nobody", "sh", "-c", told)
    assert done.stdout == "nobody:nogroup /nonexistent nobody nobody\n"


@as_root
def test_a_user_that_is_not_there_is_a_clear_error(image: Image) -> None:
    done = image.call("as", "nobody-at-all", "true")
    assert (done.returncode, done.stderr) == (
        78,
        "as: there is no user 'nobody-at-all' in this image\n",
    )


def test_without_a_program_as_explains_itself(image: Image) -> None:
    assert image.call("as", "nobody").returncode == 64


# The health check of the container


@pytest.mark.parametrize(
    ("state", "code"), [("UP", 0), ("WARMUP", 1), ("RESTARTING", 1), ("STOPPING", 1)]
)
def test_the_container_is_well_when_it_is_up(image: Image, state: str, code: int) -> None:
    began = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    (image.run / "init.pid").write_text(f"{os.getpid()}\n{began}\n")
    (image.run / "state").write_text(f"{state} 2024-01-01T00:00:00Z why\n")
    done = image.call("healthcheck")
    assert (done.returncode, done.stdout.split()[0]) == (code, state)


def test_without_an_init_the_container_is_ill(image: Image) -> None:
    (image.run / "init.pid").write_text("1\n1\n")
    (image.run / "state").write_text("UP 2024-01-01T00:00:00Z\n")
    assert image.call("healthcheck").returncode == 1


# One service, without runit


@dataclass(frozen=True)
class Supervised:
    """A supervisor that runs."""

    image: Image
    process: subprocess.Popen[str]

    def state(self) -> str:
        file = self.image.run / "services/app/state"
        return file.read_text().split()[0] if file.exists() else ""

    def wait_for(self, state: str) -> None:
        deadline = time.monotonic() + 10
        while self.state() != state:
            assert time.monotonic() < deadline, f"is {self.state()}, not {state}"
            time.sleep(0.02)

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=10)
        assert self.process.returncode == 0, said
        return said


@pytest.fixture
def supervised(image: Image) -> Iterator[Supervised]:
    """Supervise the service `app`, whose command is to write what happens to `events`."""
    (image.run / "boot").write_text("a-test\n")
    variables = "".join(f"export {k}={shlex.quote(str(v))}\n" for k, v in image.env().items())
    (image.run / "environment").write_text(variables)
    image.write("services/app/kind", "foreground\n")
    image.write("services/app/stop-timeout", "2\n")
    image.command(
        "services/app/run",
        f"cd {image.run}",
        "echo start >> events",
        "trap 'echo stop >> events; exit 0' TERM",
        "while :; do sleep 0.1; done",
    )
    process = subprocess.Popen(
        [LIB / "supervise", "app"], env=image.env(), stderr=subprocess.PIPE, text=True
    )
    made = Supervised(image, process)
    yield made
    if process.poll() is None:
        made.stop()


def events(image: Image) -> list[str]:
    return (image.run / "events").read_text().split()


def marked(image: Image) -> list[str]:
    mark = f"IMAGEGEN_MARK=app@{(image.run / 'boot').read_text().strip()}"
    found = ["grep", "-slzxF", mark, *map(str, Path("/proc").glob("[0-9]*/environ"))]
    done = subprocess.run(found, capture_output=True, text=True, check=False)
    return done.stdout.split()


def test_term_stops_the_service_and_leaves_nothing(supervised: Supervised) -> None:
    supervised.wait_for("up")
    said = supervised.stop()
    assert events(supervised.image) == ["start", "stop"]
    assert supervised.state() == "down"
    assert "app: stopped after" in said
    assert marked(supervised.image) == []


def test_hup_stops_the_service_and_starts_it_again(supervised: Supervised) -> None:
    supervised.wait_for("up")
    supervised.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while events(supervised.image) != ["start", "stop", "start"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    supervised.wait_for("up")


def test_a_service_that_dies_is_started_again(supervised: Supervised) -> None:
    supervised.wait_for("up")
    died = marked(supervised.image)[0].split("/")[2]
    os.kill(int(died), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while len(events(supervised.image)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    supervised.wait_for("up")
    assert "killed by signal KILL" in supervised.stop()
