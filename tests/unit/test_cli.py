"""The command line as users and scripts meet it: words, exit codes, JSON, signals."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imagegen.cli import app, main
from imagegen.cli.output import size, table
from imagegen.cli.progress import Progress

HELLO = Path(__file__).parents[2] / "examples" / "hello"
COMMANDS = sorted(str(command.name) for command in app.registered_commands)
READERS = sorted(set(COMMANDS) - {"new", "schema", "docs"})
"""The commands that take a blueprint."""

Run = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]


def outcome(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


def help_of(*command: str) -> str:
    done = CliRunner().invoke(app, [*command, "--help"], prog_name="imagegen")
    assert done.exit_code == 0
    return done.output


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Call `main` in this process, which is quick: `call("check", path)`."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["imagegen", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, int(str(ended.value)), said.out, said.err)

    yield run
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handlers[number])


def in_python(code: str, *words: str | Path) -> list[str]:
    """A command that runs `main` in a process which the code has prepared."""
    run = "; from imagegen.cli import main; main()"
    return [sys.executable, "-c", code + run, *map(str, words)]


# --- help -----------------------------------------------------------------------------------------


LARGE = {"cookiecutter", "docker", "jinja2", "pydantic", "requests", "rich", "tomli", "yaml"}


def imported(*calls: list[str]) -> set[str]:
    """What a process has imported that got these command lines one after the other."""
    code = f"""
import contextlib, io, sys
from imagegen.cli import main
for words in {calls}:
    sys.argv[1:] = words
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
        main()
    assert said.getvalue(), words
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_version_and_help_import_nothing_large() -> None:
    assert imported(["--version"], ["--help"]) & LARGE == set()


def test_the_help_of_a_command_imports_nothing_of_what_it_needs_to_run() -> None:
    modules = imported(*([command, "--help"] for command in COMMANDS))
    # Typer itself loads pydantic as soon as there is a command.
    assert modules & LARGE <= {"pydantic"}
    ours = {name for name in modules if name.startswith("imagegen.")}
    assert {name for name in ours if not name.startswith("imagegen.cli")} == {"imagegen.errors"}


def test_help_names_every_command_with_a_whole_sentence_and_shows_examples() -> None:
    text = help_of()
    for command in COMMANDS:
        assert re.search(rf"^  {command} +[A-Z].*\.$", text, re.MULTILINE), command
    assert "..." not in text.partition("Commands:")[2].partition("Examples:")[0]
    assert "\n    imagegen build blueprint.toml  " in text
    assert "3 blueprint wrong" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example_and_fits_a_terminal(command: str) -> None:
    text = help_of(command)
    assert f"Example: imagegen {command} " in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_version_is_that_of_the_package(imagegen: Run) -> None:
    assert re.fullmatch(r"imagegen \d+\.\d+\.\d+\S*\n", imagegen("--version").stdout)


# --- exit codes -----------------------------------------------------------------------------------


def test_a_right_blueprint_ends_in_0(imagegen: Run) -> None:
    assert outcome(imagegen("check", HELLO)) == (0, f"{HELLO}: ok, 2 variants\n", "")


@pytest.mark.parametrize(
    "words", [[], ["nope"], ["check", "x", "y"], ["check", "--nope", "x"]], ids=str
)
def test_wrong_usage_ends_in_2(words: list[str]) -> None:
    assert CliRunner().invoke(app, words).exit_code == 2


@pytest.mark.parametrize("command", READERS)
def test_a_missing_blueprint_ends_in_3_and_says_what_to_give(call: Run, command: str) -> None:
    said = "nope.toml: no such file; give a blueprint, or a folder that holds blueprint.toml\n"
    words = ["image.name"] if command == "explain" else []
    assert outcome(call(command, *words, "nope.toml")) == (3, "", said)


def test_all_problems_are_shown_each_with_its_place(call: Run, blueprint: Write) -> None:
    path = blueprint('ports.web = 70000\nservices.web.rum = "x"\n')
    done = call("plan", path)
    assert (done.returncode, done.stdout) == (3, "")
    places = re.findall(rf"^{re.escape(str(path))}:(\d+):\d+: ", done.stderr, re.MULTILINE)
    assert places[:2] == ["4", "5"]
    assert "    ports.web = 70000\n                ^^^^^\n" in done.stderr
    assert done.stderr.endswith(f"\n\n{len(places)} problems\n")


def test_a_file_of_unknown_keys_alone_is_done_with_soon(call: Run, blueprint: Write) -> None:
    path = blueprint("".join(f"k{n} = 1\n" for n in range(90_000)))
    began = time.monotonic()
    done = call("check", path)
    assert time.monotonic() - began < 30, "it was 79 s; 3 s on an idle machine"
    assert done.stderr.endswith("\n\n90000 problems, of which the first 300 are shown\n")


@pytest.mark.parametrize("words", [["render"], ["ci", "github"]], ids=" ".join)
def test_a_name_too_long_for_the_disk_is_a_plain_failure(
    words: list[str], call: Run, tmp_path: Path
) -> None:
    done = call(*words, HELLO, "--output", tmp_path / ("x" * 300))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("…: can't be written: File name too long\n")
    assert call("render", HELLO, "--output", tmp_path / ("x" * 250)).returncode == 0


def test_a_missing_engine_ends_in_5_and_says_how_to_get_one(imagegen: Run) -> None:
    done = imagegen("build", HELLO)
    assert (done.returncode, done.stdout) == (5, "")
    assert re.fullmatch(
        r"imagegen: no Docker engine answers: .*\n    start Docker.*\n", done.stderr
    )


def test_a_bug_of_ours_shows_its_traceback() -> None:
    code = "import imagegen.read; imagegen.read.read = lambda *_: 1 / 0"
    done = subprocess.run(
        in_python(code, "check", HELLO), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


# --- signals and pipes ----------------------------------------------------------------------------

LINGER = """
import time
import imagegen.act.folder as folder
lay = folder._lay
def linger(tree, place):
    lay(tree, place)
    print("ready", flush=True)
    time.sleep(60)
folder._lay = linger
"""


@contextmanager
def lingering(output: Path) -> Iterator[subprocess.Popen[str]]:
    """A command in the middle of writing."""
    command = in_python(f"exec({LINGER!r})", "render", HELLO, "--output", output)
    # A job in the background of a shell ignores Ctrl-C, and so would what it starts.
    command = ["env", "--default-signal=INT", *command]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "kill"])
def test_a_signal_ends_in_order_without_a_traceback(tmp_path: Path, number: signal.Signals) -> None:
    with lingering(tmp_path / "out") as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (128 + number, "")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_gone_is_no_bug() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "imagegen", "plan", HELLO, "--json"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def on_a_terminal(*words: str | Path, **environment: str) -> str:
    """What the command writes if all its output goes to a terminal."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "imagegen", *words],
        stdout=its,
        stderr=its,
        env={**os.environ, **environment},
    )
    os.close(its)
    said = b""
    try:
        while piece := os.read(ours, 65536):
            said += piece
    except OSError:  # Linux says so when the other side has gone
        pass
    process.wait(timeout=10)
    os.close(ours)
    return said.decode()


def test_colours_are_for_terminals_that_want_them(call: Run, blueprint: Write) -> None:
    path = blueprint("ports.web = 70000\n")
    assert "\x1b[31m" in on_a_terminal("check", path)
    assert "\x1b" not in on_a_terminal("check", path, NO_COLOR="1")
    assert "\x1b" not in call("check", path).stderr


# --- what commands say ----------------------------------------------------------------------------


def test_check_has_json_for_machines(call: Run, blueprint: Write) -> None:
    assert json.loads(call("check", HELLO, "--json").stdout) == {
        "ok": True,
        "problems": [],
        "notes": [],
    }
    done = call("check", blueprint("ports.web = 70000"), "--json")
    assert (done.returncode, done.stderr) == (3, "")
    problems = json.loads(done.stdout)["problems"]
    assert (4, 13, 5) in [(one["line"], one["column"], one["width"]) for one in problems]
    assert all(one["message"] for one in problems)


def test_plan_shows_a_line_for_each_variant(call: Run) -> None:
    head, *lines = call("plan", HELLO).stdout.splitlines()
    assert head.split()[:3] == ["VARIANT", "BASE", "TAGS"]
    assert [line.split()[0] for line in lines[:2]] == ["en", "fr"]
    assert {line.index("debian:bookworm-slim") for line in lines[:2]} == {head.index("BASE")}


def test_plan_has_json_for_machines(call: Run) -> None:
    plans = json.loads(call("plan", HELLO, "--json").stdout)
    assert [one["axes"] for one in plans] == [{"lang": "en"}, {"lang": "fr"}]
    assert all(one["references"] for one in plans)
    assert plans[0]["steps"][0]["copies"] == [str(HELLO / "app")]


def test_render_says_where_and_then_that_it_is_up_to_date(
    call: Run, blueprint: Write, tmp_path: Path
) -> None:
    path = blueprint("files.'/x'.text = ''")
    assert call("render", path).stdout == "build/app: 1 context, 3 files\n"
    assert call("render", path).stdout == "build/app: up to date (1 context, 3 files)\n"
    assert (tmp_path / "here" / "build" / "app" / "default" / "Dockerfile").is_file()


def test_render_has_json_for_machines(call: Run) -> None:
    said = json.loads(call("render", HELLO, "--json", "-o", "x").stdout)
    assert said == {"changed": True, "contexts": {"en": "x/en", "fr": "x/fr"}}


def test_render_refuses_a_folder_of_somebody_else(call: Run, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.tex").touch()
    done = call("render", HELLO, "--output", tmp_path / "theirs")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"imagegen: {tmp_path}/theirs: holds files not written by")


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]], ids=["", "overwrite"])
def test_render_never_replaces_the_blueprint(
    call: Run, blueprint: Write, overwrite: list[str]
) -> None:
    path = blueprint()
    done = call("render", path, "--output", path.parent, *overwrite)
    assert done.returncode == 1
    assert "the blueprint lies in it" in done.stderr
    assert path.is_file()


# --- how it looks ---------------------------------------------------------------------------------


def test_columns_are_as_wide_as_they_must_be(capsys: pytest.CaptureFixture[str]) -> None:
    table(("A", "LONG"), [("wide cell", "x"), ("y", "")])
    assert capsys.readouterr().out == "A          LONG\nwide cell  x\ny\n"


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (119_000_000, "119 MB"), (5e12, "5e+03 GB")],
)
def test_sizes_are_written_as_docker_does(count: int, said: str) -> None:
    assert size(count) == said


def shown(progress: Callable[[Progress], None], capsys: pytest.CaptureFixture[str]) -> str:
    with Progress({"app-en": "en", "app-fr_CA": "fr_CA"}) as display:
        progress(display)
    return capsys.readouterr().err


def test_progress_is_a_line_for_each_step_that_ended(capsys: pytest.CaptureFixture[str]) -> None:
    def build(display: Progress) -> None:
        display("app-en", "1/2 FROM x")
        display("app-en", "1/2 FROM x", "12.3 s")
        display("app-fr_CA", "2/2 RUN y", "cached")
        display("other", "1/1 RUN z", "failed")

    assert shown(build, capsys).splitlines() == [
        "en        12.3 s  1/2 FROM x",
        "fr_CA     cached  2/2 RUN y",
        "other     failed  1/1 RUN z",
    ]


def test_progress_is_no_wider_than_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    (line,) = shown(lambda display: display("app-en", "x" * 99, "1.0 s"), capsys).splitlines()
    assert len(line) < 40
    assert line.endswith("xx…")


def test_a_terminal_also_shows_what_runs_and_is_left_clean(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")

    def build(display: Progress) -> None:
        display("app-en", "2/2 RUN make")
        display("app-fr_CA", "2/2 RUN make")

    said = re.sub(r"\x1b\[[0-9;]*[mK]", "", shown(build, capsys))
    assert "en         0 s …  2/2 RUN make" in said
    assert "en         0 s …  (+1) 2/2 RUN make" in said
    assert said.endswith("\r")
