"""imagegen diff: what changes for the user, and the first layer that is built again."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from imagegen.cli import app

HEAD = 'blueprint = 1\nimage.name = "app"\nimage.base = "debian:bookworm-slim"\n'
USER = "users.web.uid = 1000\n"
WEB = USER + 'services.web = { run = "web", health = { tcp = "localhost:80" } }\n'

Pair = Callable[..., tuple[Path, Path]]
Said = tuple[int, str, str]


def call(*words: str | Path) -> Said:
    done = CliRunner().invoke(app, ["diff", *map(str, words)])
    assert not done.exception or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Write two blueprints and get their paths; `files` are own files of both."""

    def write(
        old: str, new: str, files: Mapping[str, str] | None = None, *, head: str = HEAD
    ) -> tuple[Path, Path]:
        for name, text in (("old", old), ("new", new)):
            for path, content in {"blueprint.toml": head + text, **(files or {})}.items():
                (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name / path).write_text(content)
        return tmp_path / "old", tmp_path / "new"

    return write


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def record(*words: str | Path) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = json.loads(call(*words, "--json")[1])
    return said


def words(*where: str | Path) -> list[str]:
    """The lines that say what changed, without files and layers, blanks as one."""
    lines = [" ".join(line.split()) for line in call(*where)[1].splitlines()]
    return [line for line in lines if line[:1] in "+-~" and "in the context" not in line]


# --- In words -------------------------------------------------------------------------------------

PIP_CHANGES = ["~ pip package a: 1 → 2", "+ pip package b"]
CHANGES = [
    ('packages.apt = ["a"]', 'packages.apt = ["b"]', ["- package a", "+ package b"]),
    ('packages.apt = ["a=1"]', 'packages.apt = ["a=2"]', ["~ package a: 1 → 2"]),
    ('packages.pip = ["a==1"]', 'packages.pip = ["a==2", "b"]', PIP_CHANGES),
    ('packages.npm = ["@a/b@1"]', 'packages.npm = ["@a/b@2"]', ["~ npm package @a/b: 1 → 2"]),
    (
        'packages.apt.repositories.r = { url = "http://a", suites = ["x"] }',
        'packages.apt.repositories.r = { url = "http://b", suites = ["x", "y"] }',
        ["~ repository r: http://a → http://b", "~ repository r.suites: x → x y"],
    ),
    ("packages.pip = []", 'packages.pip.venv = "/v"', ["~ pip venv: nothing → /v"]),
    ("ports.web = 80", "ports.web = 81", ["~ port web: 80/tcp → 81/tcp"]),
    ("", "ports.web = 80", ["+ port web: 80/tcp"]),
    (
        "ports.web = 80",
        'ports.web = { port = 80, publish = "0.0.0.0:80" }',
        ["~ port web.publish: no → 0.0.0.0:80"],
    ),
    ('volumes.d = "/a"', 'volumes.d = "/b"', ["~ volume d: /a → /b"]),
    ('env.A = "1"', 'env.A = "2"', ['~ env A: "1" → "2"']),
    ('env.A = "1"', "", ['- env A: "1"']),
    (
        "config.defaults = { web = { port = 80, on = true } }",
        'config.defaults = { web = { port = 81, on = true }, x = ["y"] }',
        ["~ config web.port: 80 → 81", '+ config x: ["y"]'],
    ),
    (
        USER,
        USER.replace("1000", "1001"),
        ["~ user web.uid: 1000 → 1001", "~ user web.gid: 1000 → 1001"],
    ),
    (
        'tags.branch.main = ["edge"]',
        'tags.branch.main = ["latest"]',
        ["~ tags branch main: edge → latest"],
    ),
    ('files."/x".text = "a"', 'files."/x".text = "b"', ['~ file /x.text: "a" → "b"']),
    ('steps = [{ run = "a" }]', 'steps = [{ run = "b" }]', ['~ step 1.run: "a" → "b"']),
    (
        'image.title = "A"',
        'image.title = "B"',
        ['~ label org.opencontainers.image.title: "A" → "B"'],
    ),
    (
        WEB,
        WEB.replace("health =", 'stop-timeout = "90s", health =').replace(":80", ":81"),
        [
            "~ container stop budget: 30s → 90s",
            "~ service web.health.tcp: localhost:80 → localhost:81",
            "~ service web.stop-timeout: 30s → 90s",
        ],
    ),
    (
        WEB,
        WEB + 'services.b = { run = "b", after = ["web"] }',
        ["~ container stop budget: 30s → 1m", '+ service b: run "b", user web'],
    ),
    (
        WEB + 'jobs.j = { run = "a", schedule = "@daily" }',
        WEB + 'jobs.j = { run = "a", schedule = "@hourly" }',
        ["~ job j.schedule: @daily → @hourly"],
    ),
]


SERVICE = USER + '[services.web]\nrun = ["web"]\n'
RUNNING = [
    ("env.A = {}", 'env.A = { required = true, pattern = "x" }', "A.pattern: nothing → x"),
    ("env.A.secret = true", 'env.A = { secret = true, to = "/t" }', "A.to: nothing → /t"),
    (
        "volumes.v = '/v'\nenv.A = {}",
        "volumes.v = '/v'\nenv.A.required = 'firstboot'",
        "A.required",
    ),
    ("", 'container = { memory = "1GiB" }', "memory: nothing → 1073741824 bytes"),
    ("", 'container = { cpus = "2" }', "cpus: nothing → 2"),
    ("", 'container.capabilities = ["-ALL", "KILL"]', "capabilities: nothing → -ALL KILL"),
    ("", 'container.sysctls = { "net.a" = 1 }', "sysctls.net.a: nothing → 1"),
    ("", 'container.timezone = "UTC"', "timezone: nothing → UTC"),
    ("config.defaults = {}", 'config = { defaults = {}, env = "C" }', "CFG → C"),
    ("files.'/f' = { text = '' }", "files.'/f' = { text = '', once = true }", "once"),
    ("volumes.v = '/v'", "volumes.v = { path = '/v', exclusive = true }", "exclusive: no → yes"),
    (SERVICE, SERVICE + "enabled = false", "enabled: yes → no"),
    (SERVICE, SERVICE + 'restart = "no"', "restart: always → no"),
    (SERVICE, SERVICE + "restart-limit = 9", "restart-limit: 5 in 10m → 9 in 10m"),
    (SERVICE, SERVICE + 'log.to = "/l"', "log: stdout → /l"),
    (SERVICE, SERVICE + 'stop-signal = "SIGINT"', "stop-signal: SIGTERM → SIGINT"),
    (SERVICE, SERVICE + 'reload = "x"', "reload.run"),
    ("", "services.sshd.enabled = true", "service sshd"),
    (USER, USER + 'lifecycle.boot = "x"', "lifecycle boot"),
    (USER, USER + 'jobs.j = { run = "x", interactive = true }', "job j"),
    ("", "downloads.d = { fetch = 'http://h/d', to = '/d' }", "download d: http://h/d"),
    (
        USER + 'logs."/var/l/*".delete-after = "1d"',
        USER + 'logs."/var/l/*" = { delete-after = "1d", rotate-at = "1KiB" }',
        "rotate: nothing → 5 files of 1024 bytes",
    ),
]


@pytest.mark.parametrize(("old", "new", "said"), RUNNING, ids=lambda text: text[-30:])
def test_what_runs_otherwise_is_said(pair: Pair, old: str, new: str, said: str) -> None:
    assert any(said in line for line in words(*pair(f"{old}\n", f"{new}\n")))


@pytest.mark.parametrize(("old", "new", "said"), CHANGES)
def test_what_changed_is_said_in_words(pair: Pair, old: str, new: str, said: list[str]) -> None:
    assert words(*pair(old, new)) == said


def test_the_way_back_says_the_opposite(pair: Pair) -> None:
    old, new = pair("", 'packages.apt = ["a"]')
    assert words(new, old) == ["- package a"]


def test_the_base_is_told(pair: Pair) -> None:
    old, new = pair("", "")
    (new / "blueprint.toml").write_text(HEAD.replace("bookworm", "trixie"))
    assert words(old, new) == ["~ base debian:bookworm-slim → debian:trixie-slim"]


def test_of_long_values_the_part_that_differs_is_shown(pair: Pair) -> None:
    same = "x" * 200
    [line] = words(*pair(f'env.A = "{same}1"', f'env.A = "{same}2"'))
    assert line.endswith('xxx1" → …xxxxxxxxxxxx2"')
    assert len(line) < 60


def test_a_script_differs_by_its_content_and_not_by_its_folder(pair: Pair) -> None:
    old, new = pair(USER + 'services.w.file = "go"', USER + 'services.w.file = "go"', {"go": "a"})
    assert call(old, new) == (0, "no difference\n", "")
    (new / "go").write_text("b")
    [line] = words(old, new)
    assert line.startswith("~ service w.file: go (")


def test_variants_are_matched_by_their_axes(pair: Pair) -> None:
    matrix = 'matrix = { axes = { a = ["1", "2"], b = ["x"] }, suffix = "-{{ a }}{{ b }}" }\n'
    other = 'matrix = { axes = { b = ["x"], a = ["2", "3"] }, suffix = "-{{ a }}{{ b }}" }\n'
    said = record(*pair(matrix, other + 'env.A = "1"'))
    assert [(one["variant"], one["state"]) for one in said] == [
        ("1-x", "removed"),
        ("2-x", "changed"),
        ("3-x", "added"),
    ]


def test_an_own_base_is_part_of_it(pair: Pair) -> None:
    child = 'blueprint = 1\nimage = { name = "up", base = { blueprint = "low.toml" } }\n'
    low = 'blueprint = 1\nimage = { name = "low", base = "debian:12" }\npackages.apt = ["a"]\n'
    old, new = pair("", "", {"low.toml": low}, head=child)
    (new / "low.toml").write_text(low.replace('"a"', '"b"'))
    assert words(old, new) == ["- package a", "+ package b"]
    base, top = record(old, new)
    assert (base["variant"], base["changes"]) == ("bases/low/default", [])
    assert "a → b" in base["first_rebuilt"]["why"]
    assert top["first_rebuilt"]["instruction"].startswith("FROM low:")


# --- Layers and files -----------------------------------------------------------------------------


def rebuilt(old: Path, new: Path) -> tuple[str, str]:
    [one] = record(old, new)
    return one["first_rebuilt"]["instruction"], one["first_rebuilt"]["why"]


def test_the_first_layer_is_the_first_instruction_that_differs(pair: Pair) -> None:
    instruction, why = rebuilt(*pair('packages.apt = ["a"]', 'packages.apt = ["a", "b"]'))
    assert instruction.startswith("RUN ")
    assert why == "nothing → b"


def test_a_layer_differs_if_a_file_does_that_it_reads(pair: Pair) -> None:
    text = 'steps = [{ copy = ["app"], to = "/app" }, { run = "x" }]'
    old, new = pair(text, text, {"app/a": "1", "app/b": "1"})
    (new / "app" / "b").write_text("2")
    assert rebuilt(old, new) == ("COPY steps/1/source/ /app/", "reads steps/1/source/b")


def test_a_new_instruction_is_told_and_one_that_went(pair: Pair) -> None:
    steps = 'steps = [{ name = "a", run = "a" }, { name = "b", run = "b" }]'
    old, new = pair('steps = [{ name = "b", run = "b" }]', steps)
    assert rebuilt(old, new) == ("RUN a", "is new")
    assert rebuilt(new, old) == ("RUN b", "comes without what was before it: RUN a")


def test_what_builds_no_layer_says_so(pair: Pair) -> None:
    text = call(*pair('tags.branch.main = ["a"]', 'tags.branch.main = ["b"]'))[1]
    assert "every layer comes from the cache" in text


def test_files_are_shown_as_diff_does(pair: Pair) -> None:
    old, new = pair('files."/x".text = "a\\nb\\n"', 'files."/x".text = "a\\nc\\n"')
    code, text, _ = call(old, new, "--files")
    assert code == 1
    assert "--- old/default/files/x\n+++ new/default/files/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n" in text
    [one] = record(old, new, "--files")
    [file] = [file for file in one["files"] if file["path"] == "files/x"]
    assert file["kind"] == "changed"
    assert file["diff"].endswith(" a\n-b\n+c\n")


def test_a_mode_and_a_binary_file_differ_too(pair: Pair) -> None:
    text = 'steps = [{ copy = ["a", "b"], to = "/a/" }]'
    old, new = pair(text, text, {"a": "1", "b": "\0"})
    (new / "a").chmod(0o755)
    (new / "b").write_text("\0\0")
    said = call(old, new, "--files")[1]
    assert "old mode 0644\nnew mode 0755\n" in said
    assert "Binary files old/default/steps/1/source/b and " in said


# --- Against what was rendered --------------------------------------------------------------------


def render(*words: str | Path) -> None:
    assert CliRunner().invoke(app, ["render", *map(str, words)]).exit_code == 0


def test_a_blueprint_is_compared_with_what_was_rendered_from_it(pair: Pair) -> None:
    old, new = pair('packages.apt = ["a"]', 'packages.apt = ["b"]')
    render(old)
    assert call(old) == (0, "no difference\n", "")
    code, said, _ = call(new)
    assert code == 1
    assert "a → b" in said


def test_the_rendered_folder_may_lie_elsewhere(pair: Pair) -> None:
    old, new = pair('files."/x".text = "a"', 'files."/x".text = "b"')
    render(old, "--output", "there")
    assert call(old, "--rendered", "there")[0] == 0
    [one] = record(new, "--rendered", "there")
    assert [file["path"] for file in one["files"]] == ["files/x"]


def test_contexts_that_came_and_went_are_told(pair: Pair) -> None:
    text = 'matrix = { axes = { a = ["%s"] }, suffix = "-{{ a }}" }'
    old, new = pair(text % "1", text % "2")
    render(old)
    said = record(new)
    assert [(one["variant"], one["state"]) for one in said] == [("2", "added"), ("1", "removed")]


def test_nothing_rendered_is_an_error(pair: Pair) -> None:
    code, said, _ = call_error(pair("", "")[0])
    assert code == 1
    assert said == "build/app: nothing is rendered there; imagegen render writes it"


def call_error(*words: str | Path) -> Said:
    done = CliRunner().invoke(app, ["diff", *map(str, words)])
    return done.exit_code, str(done.exception), ""


def test_two_blueprints_and_a_folder_are_too_much(pair: Pair) -> None:
    assert call_error(*pair("", ""), "--rendered", "x")[0] == 2


# --- Machines and strangers -----------------------------------------------------------------------


def test_json_has_everything(pair: Pair) -> None:
    [one] = record(*pair('env.A = "1"', 'env.A = "2"'))
    assert (one["variant"], one["state"]) == ("default", "changed")
    assert one["changes"] == [
        {
            "kind": "changed",
            "topic": "env",
            "name": "A",
            "key": "",
            "before": '"1"',
            "after": '"2"',
        }
    ]
    assert one["files"] == [{"path": "Dockerfile", "kind": "changed"}]
    assert one["first_rebuilt"] == {
        "line": 4,
        "instruction": 'ENV A="2"',
        "why": 'A="1" → A="2"',
    }


def test_json_of_no_difference_lists_the_variants(pair: Pair) -> None:
    [one] = record(*pair("", ""))
    assert (one["state"], one["changes"], one["files"], one["first_rebuilt"]) == (
        "same",
        [],
        [],
        None,
    )
    assert call(*pair("", ""), "--json")[0] == 0


def test_hostile_text_is_escaped(pair: Pair) -> None:
    bad = "\\u001b[31m\\u202e"
    old, new = pair("", f'config.defaults."a{bad}" = "{bad}"\nfiles."/x".text = "{bad}"\n')
    for words in ([], ["--files"]):
        code, said, _ = call(old, new, *words)
        assert code == 1
        assert "\\x1b[31m" in said
        assert "\x1b" not in said
        assert "\u202e" not in said
