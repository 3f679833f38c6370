"""imagegen lint: each rule fires on what it is about, and not on the same thing mended."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imagegen.act import linters
from imagegen.act.scaffold import scaffold
from imagegen.cli import app
from imagegen.language.lint import IDS
from imagegen.lint import Finding, lint, subjects
from imagegen.lint.catalogue import RULES
from imagegen.lint.secrets import is_secret
from imagegen.plan import plan
from imagegen.read import read

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs" / "lint.md"

Write = Callable[..., Path]

USER = "users.web.uid = 1000\n"
WEB = USER + 'services.web = { run = "web", health = { tcp = "localhost:80" } }\n'
STEP = "steps = [{ run = '''%s''' }]\n"
SUM = "\necho '0  x' | sha256sum -c"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n"


def findings(path: Path, *, tools: bool = False) -> tuple[Finding, ...]:
    variants = read(path)
    looked = subjects(variants, plan(variants))
    return lint(looked, linters.remarks(looked) if tools else ())


def ids(path: Path) -> set[str]:
    return {one.found.id for one in findings(path) if one.ignored is None}


# --- Each rule, and its cure ----------------------------------------------------------------------

CASES: list[tuple[str, str, str]] = [
    ("IG001", 'lint.ignore.IG302 = "x"', 'lint.ignore.IG102 = "x"'),
    ("IG001", 'lint.ignore.IG302 = "x"', 'lint.ignore.DL3059 = "x"'),
    ("IG201", 'args.db-password = "hunter2"', 'args.db-user = "hunter2"'),
    ("IG201", 'env.API_KEY = "hunter2"', 'env.API_KEY_FILE = "hunter2"'),
    ("IG201", 'env.API_TOKEN = "hunter2"', 'env.API_TOKEN = ""'),
    ("IG201", 'env.API_TOKEN = "hunter2"', 'env.API_TOKEN = "${TOKEN}"'),
    ("IG201", 'env.API_TOKEN = "hunter2"', 'env.API_TOKEN = "/run/secrets/token"'),
    ("IG201", 'env.API_TOKEN = "hunter2"', 'env.API_TOKEN = { description = "the token" }'),
    ("IG201", 'config.defaults.db = [{ pass = "x1" }]', 'config.defaults.db = [{ path = "x1" }]'),
    ("IG201", 'env.DB = "pg://me:hunter2@db/x"', 'env.DB = "pg://me:${PW}@db/x"'),
    ("IG201", 'files."/k".text = """' + KEY + '"""', 'files."/k".text = "PRIVATE KEY"'),
    ("IG201", f'env.X = "ghp_{"a" * 36}"', 'env.X = "ghp_short"'),
    (
        "IG201",
        'stack.services.db = { image = "mysql:8", env.MYSQL_PASSWORD = "hunter2" }',
        'stack.services.db = { image = "mysql:8", env.MYSQL_PASSWORD_FILE = "/run/x" }',
    ),
    (
        "IG201",
        'stack.settings.DB_PASSWORD = "hunter2"',
        "stack.settings.DB_PASSWORD.required = true",
    ),
    ("IG202", 'files."/k".file = "id_rsa"', 'files."/k".file = "id_rsa.pub"'),
    (
        "IG201",
        'stack.services.db = { image = "mysql:8", env.MYSQL_PASSWORD = "hunter2" }',
        'stack.services.db = { image = "mysql:8", env.MYSQL_PASSWORD_FILE = "/run/x" }',
    ),
    (
        "IG201",
        'stack.settings.DB_PASSWORD = "hunter2"',
        "stack.settings.DB_PASSWORD.required = true",
    ),
    ("IG202", 'files."/k".file = "odd"', 'files."/k".file = "talks-of-keys"'),
    ("IG202", 'steps = [{ copy = ["."], to = "/o" }]', 'steps = [{ copy = ["src"], to = "/o" }]'),
    (
        "IG202",
        'steps = [{ copy = ["keys"], to = "/o" }]',
        'steps = [{ copy = ["keys"], run = "sign" }]',
    ),
    (
        "IG202",
        'steps = [{ copy = ["keys"], to = "/o" }]',
        'steps = [{ copy = ["keys"], exclude = [".env"], to = "/o" }]',
    ),
    (
        "IG203",
        "env.API_TOKEN.required = true",
        "env.API_TOKEN = { required = true, secret = true }",
    ),
    ("IG203", 'env.API_TOKEN = ""', 'env.API_TOKEN = "/run/token"'),
    ("IG203", "env.DB_PASSWORD = {}", "env.DB_PASSWORD_FILE = {}"),
    ("IG301", WEB + 'services.a = { run = "a", user = "root" }', WEB + 'services.a.run = "a"'),
    ("IG301", WEB + 'jobs.a = { run = "a", user = "root", schedule = "@daily" }', WEB),
    ("IG302", 'container.user = "root"\n' + WEB, 'container.user = "web"\n' + WEB),
    ("IG302", 'container.user = "root"\n' + WEB, 'container.user = "root"'),
    ("IG303", WEB + "ports.web = 443", WEB + "ports.web = 8443"),
    ("IG303", WEB + "ports.web = 443", "ports.web = 443"),
    (
        "IG304",
        'ports.web = { port = 8080, publish = "0.0.0.0:80" }',
        'ports.web = { port = 8080, publish = "127.0.0.1:80" }',
    ),
    (
        "IG304",
        'ports.web = { port = 8080, publish = "[::]:80" }',
        "ports.web = { port = 8080, publish = 80 }",
    ),
    (
        "IG305",
        'volumes.x = { path = "/x", source = "/var/run/docker.sock", read-only = true }',
        'volumes.x = { path = "/x", source = "/var/run/x.sock" }',
    ),
    (
        "IG305",
        'volumes.x = { path = "/x", source = "/etc" }',
        'volumes.x = { path = "/x", source = "/etc/x" }',
    ),
    ("IG401", USER + 'services.web.run = "web"', WEB),
    (
        "IG402",
        WEB + 'services.a.run = "a"\nservices.b = { run = "b", after = ["a"] }',
        WEB + 'services.b = { run = "b", after = ["web"] }',
    ),
    ("IG403", WEB, WEB.replace("health", 'stop-timeout = "9s", health')),
    (
        "IG404",
        WEB + 'volumes.d = { path = "/d", owner = "root" }',
        WEB + 'volumes.d = { path = "/d" }',
    ),
    (
        "IG404",
        WEB + 'volumes.d = { path = "/d", owner = "root" }',
        WEB + 'volumes.d = { path = "/d", owner = "root", read-only = true }',
    ),
    ("IG501", 'files."/x" = { text = "", mode = "0666" }', 'files."/x" = { text = "" }'),
    ("IG501", 'files."/x/" = { mode = "0777" }', 'files."/x/" = { mode = "1777" }'),
    ("IG501", STEP % "chmod -R 777 /x", STEP % "# chmod -R 777 /x\nchmod -R 755 /x"),
    ("IG501", STEP % "chmod a+rw /x", STEP % "chmod u+rw,g+w /x"),
    ("IG501", STEP % "chmod o+w /x", STEP % "chmod o-w /x"),
    ("IG501", STEP % "install -d -m 0777 /x", STEP % "install -d -m 1777 /x"),
    ("IG501", 'steps = [{ file = "opens" }]', 'steps = [{ file = "shuts" }]'),
    ("IG502", 'files."/x" = { text = "", mode = "4755" }', 'files."/x/" = { mode = "2755" }'),
    ("IG502", STEP % "chmod u+s /x", STEP % "chmod u-s /x"),
    ("IG502", STEP % "chmod 4755 /x", STEP % "chmod 0755 /x"),
    ("IG601", STEP % "curl -fsS https://x.org/i | sh", STEP % "curl https://x.org/i || sh x"),
    ("IG601", STEP % "wget -qO- https://x.org | sudo -E bash -s", STEP % "cat x | sh"),
    ("IG601", STEP % 'sh -c "$(curl https://x.org)"', STEP % 'sh -c "$(cat x)"'),
    ("IG601", STEP % "curl https://x.org \\\n | python3 -", STEP % "curl https://x.org | tar x"),
    ("IG602", STEP % "apt-get install -y x", 'packages.apt = ["x"]'),
    ("IG602", STEP % "apt-get -o A=b -y -o C=d install x", STEP % "apt-get -o A=b -s clean"),
    ("IG602", STEP % "apt -q update", STEP % "# apt-get update\ncat /etc/apt/sources.list"),
    (
        "IG201",
        'steps = [{ fetch = "https://x.org/x", to = "/x", headers.Authorization = "Bearer x" }]',
        'steps = [{ fetch = "https://x.org/x", to = "/x", headers.Accept = "x" }]',
    ),
    (
        "IG204",
        'secrets.a.env = "A"',
        'secrets.a.env = "A"\nsteps = [{ run = "x", secrets = ["a"] }]',
    ),
    (
        "IG204",
        'secrets.a.env = "A"',
        'secrets.a.env = "A"\nsteps = [{ git = "https://x.org/x", to = "/x", netrc = "a" }]',
    ),
    ("IG604", """steps = [{ dockerfile = 'SHELL ["bash"]' }]""", STEP % "bash"),
    ("IG603", STEP % "curl -o x https://x.org", STEP % ("curl -o x https://x.org" + SUM)),
    ("IG603", STEP % "curl -o x https://x.org", STEP % "curl -o x http://localhost:80/"),
    ("IG603", STEP % ("curl -ks https://x.org" + SUM), STEP % ("curl -s https://x.org" + SUM)),
    (
        "IG701",
        USER + 'jobs.a = { run = "a", schedule = "@daily" }',
        USER + 'jobs.a = { run = "a", schedule = "@daily", timeout = "1h" }',
    ),
    (
        "IG701",
        USER + 'jobs.a = { run = "a", schedule = "@daily" }',
        USER + 'jobs.a = { run = "a", interactive = true }',
    ),
    (
        "IG702",
        USER + 'logs."/var/log/x/*" = { compress-after = "7d", forward = true }',
        USER + 'logs."/var/log/x/*".rotate-at = "1MiB"',
    ),
    (
        "IG702",
        USER + 'logs."/var/log/x/*".compress-after = "7d"',
        USER + 'logs."/var/log/x/*".delete-after = "7d"',
    ),
    (
        "IG801",
        'tags = { release = ["latest"], branch.main = ["latest"] }',
        'tags = { release = ["latest"], branch = { main = ["edge"], "*" = ["{{ git.branch }}"] } }',
    ),
    (
        "IG801",
        'tags = { branch = ["{{ git.branch }}"], schedule = ["{{ git.branch }}"] }',
        'tags = { branch = ["{{ git.sha }}"], schedule = ["{{ git.sha }}"] }',
    ),
    (
        "IG801",
        'image.version = "1"\ntags = { branch = ["x"], schedule = ["x"] }',
        'image.version = "1"\ntags.branch = ["{{ image.version }}"]\n[tags.schedule]\nx = ["x"]',
    ),
]

OWN = {
    "id_rsa": "x",
    "id_rsa.pub": "x",
    "odd": KEY,
    "talks-of-keys": f'print("{KEY}")',
    "src/main.py": "",
    "keys/.env": "A=1",
    "keys/.env.example": "A=",
    "opens": "#!/bin/sh\nchmod 777 /x\n",
    "shuts": "#!/bin/sh\nchmod 755 /x\n",
}


@pytest.mark.parametrize(("rule", "wrong", "mended"), CASES)
def test_a_rule_fires_on_what_it_is_about_and_not_when_that_is_mended(
    blueprint: Write, rule: str, wrong: str, mended: str
) -> None:
    assert rule in ids(blueprint(wrong, OWN))
    assert rule not in ids(blueprint(mended, OWN))


DIGEST = f"@sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("base", "found"),
    [
        ("debian", {"IG101"}),
        ("debian:latest", {"IG101"}),
        ("debian:stable-slim", {"IG101"}),
        ("registry.example.org:5000/debian", {"IG101"}),
        ("debian:bookworm-slim", {"IG102"}),
        (f"debian:latest{DIGEST}", set()),
        (f"debian{DIGEST}", set()),
    ],
)
def test_a_base_should_stay_what_it_is(blueprint: Write, base: str, found: set[str]) -> None:
    path = blueprint()
    path.write_text(path.read_text().replace("debian:bookworm-slim", base))
    assert ids(path) == found


def test_every_rule_is_tried() -> None:
    assert {rule for rule, _, _ in CASES} | {"IG101", "IG102"} == set(RULES)


@pytest.mark.parametrize(
    "name",
    [
        *("PASSWORD", "DB_PASSWORD", "dbPassword", "db.passwd", "API_KEY", "apiKey", "AWS_SECRET"),
        *("TOKEN", "GITHUB_TOKEN2", "client-secret", "KEY", "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("PASSWORD_FILE", "TOKEN_TTL", "KEYBOARD", "PRIMARY_KEY", "sort-key", "key", "monkey"),
        *("PUBLIC_KEY", "BYPASS", "SECRETARY", "COMPASS", "passenger", "", "9"),
    ],
)
def test_other_names_are_left_alone(name: str) -> None:
    assert not is_secret(name)


# --- What is ours is clean ------------------------------------------------------------------------


@pytest.mark.parametrize("example", ["hello", "overwatch"])
def test_the_examples_have_no_warning(example: str) -> None:
    said = findings(TOP / "examples" / example, tools=True)
    assert [one.found for one in said if one.counts()] == []


def test_what_imagegen_new_makes_has_no_warning(tmp_path: Path) -> None:
    made = scaffold("daemon", (), tmp_path, ask=False)
    assert [one.found for one in findings(made, tools=True) if one.counts()] == []


# --- Rules, docs and the language agree -----------------------------------------------------------


def test_the_language_knows_the_rules() -> None:
    assert tuple(RULES) == IDS


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_the_docs_have_a_section_for_each_rule_with_its_words(rule: object) -> None:
    section = DOCS.read_text().partition(f"### {rule.id}\n")[2].partition("\n### ")[0]  # type: ignore[attr-defined]
    said = f"**{rule.title}** ({rule.severity}). {rule.why}\n\nCure: {rule.cure}"  # type: ignore[attr-defined]
    assert section.strip() == said


def test_the_docs_explain_no_other_rule() -> None:
    headings = [line for line in DOCS.read_text().splitlines() if line.startswith("### ")]
    assert headings == [f"### {rule}" for rule in RULES]


# --- Places, variants, reasons --------------------------------------------------------------------


def test_a_finding_points_at_the_blueprint(blueprint: Write) -> None:
    path = blueprint(WEB + 'services.a = { run = "a", user = "root" }\n')
    [found] = [one.found for one in findings(path) if one.found.id == "IG301"]
    head, text, marks = str(found.problem).split("\n")
    assert head == f"{path}:6:34: services.a.user: runs as root"
    assert (text.strip(), marks.index("^"), marks.count("^")) == (
        'services.a = { run = "a", user = "root" }',
        text.index('"root"'),
        6,
    )


def test_of_a_long_command_the_line_is_shown(blueprint: Write) -> None:
    path = blueprint("[[steps]]\nrun = '''\nmake\nchmod 777 /x\n'''\n")
    [found] = [one.found for one in findings(path) if one.found.id == "IG501"]
    assert (found.problem.line, found.problem.text) == (7, "chmod 777 /x")


def test_equal_findings_of_several_variants_are_one(blueprint: Write) -> None:
    said = [
        one for one in findings(blueprint(TWO + 'env.MY_TOKEN = "x"')) if one.found.id == "IG201"
    ]
    assert [one.variants for one in said] == [("2", "3")]


def test_a_finding_names_the_only_variant_that_has_it(blueprint: Write, call: Write) -> None:
    text = TWO + '[[override]]\nwhen.py = "3"\nenv.MY_TOKEN = "x"\n'
    code, out, _ = call("lint", blueprint(text))
    assert code == 1
    assert ", and its value stands here [3]\n" in out


def test_an_ignored_rule_is_counted_and_its_reason_kept(blueprint: Write, call: Write) -> None:
    path = blueprint('env.MY_TOKEN = "x"\nlint.ignore = { IG201 = "of the sandbox" }\n')
    code, out, _ = call("lint", path)
    assert (code, out) == (
        0,
        f"{path}, 1 variant: nothing found (1 ignored; 1 note: --strict shows it)\n",
    )
    [one] = [one for one in json.loads(call("lint", path, "--json")[1]) if one["id"] == "IG201"]
    assert one["ignored"] == "of the sandbox"


def test_a_rule_can_be_ignored_in_one_variant(blueprint: Write) -> None:
    text = (
        TWO + 'env.MY_TOKEN = "x"\n[[override]]\nwhen.py = "3"\nlint.ignore = { IG201 = "why" }\n'
    )
    said = [one for one in findings(blueprint(text)) if one.found.id == "IG201"]
    assert {(one.variants, one.ignored) for one in said} == {(("2",), None), (("3",), "why")}


CHILD = 'blueprint = 1\nimage.name = "child"\nimage.base.blueprint = "base.toml"\n'


def test_what_a_base_ignores_is_ignored_on_it(blueprint: Write) -> None:
    base = 'blueprint = 1\nimage = { name = "low", base = "debian:12" }\nenv.MY_TOKEN = "x"\n'
    ignores = base + 'lint.ignore = { IG201 = "low", IG102 = "low" }\n'
    path = blueprint("", {"base.toml": ignores, "child.toml": CHILD})
    child = path.with_name("child.toml")
    assert {one.ignored for one in findings(child)} == {"low"}
    path.with_name("base.toml").write_text(base)
    assert ids(child) == {"IG102", "IG201"}


# --- hadolint and shellcheck ----------------------------------------------------------------------


def outside(path: Path) -> list[tuple[str, int, str, tuple[str, ...]]]:
    return [
        (one.found.id, one.found.problem.line, one.found.problem.message, one.variants)
        for one in findings(path, tools=True)
        if not one.found.id.startswith("IG")
    ]


TWO = 'matrix = { axes = { py = ["2", "3"] }, suffix = "-{{ py }}" }\n'


def test_shellcheck_points_into_the_blueprint_once(blueprint: Write) -> None:
    path = blueprint(f"{TWO}{USER}[services.web]\nrun = '''\nx=1\nexec web $HOME\n'''\n")
    said = {one[:2] for one in outside(path)}
    assert ("SC2086", 9) in said
    [(_, _, message, variants)] = [one for one in outside(path) if one[0] == "SC2086"]
    assert message.startswith(
        "services.web.run: rootfs/etc/imagegen/services/web/run/command:6: Double quote"
    )
    assert variants == ("2", "3")


def test_shellcheck_points_into_a_script_of_the_user(blueprint: Write) -> None:
    scripts = {"scripts/go": "#!/bin/bash\n. /etc/x\nls $1\n"}
    path = blueprint(f'{TWO}{USER}services.web.file = "scripts/go"\n', scripts)
    [one] = [one for one in findings(path, tools=True) if one.found.id.startswith("SC")]
    assert one.found.problem.file == str(path.parent / "scripts" / "go")
    assert (one.found.id, one.found.problem.line, one.variants) == ("SC2086", 3, ("2", "3"))


def test_hadolint_names_the_step(blueprint: Write) -> None:
    path = blueprint(TWO + '[[steps]]\nname = "up"\nrun = "sudo make"\n')
    [(_, line, message, variants)] = [one for one in outside(path) if one[0] == "DL3004"]
    assert (line, variants) == (7, ("2", "3"))
    assert message.startswith("steps[0].run: Dockerfile:")


def test_what_comes_from_no_command_is_shown_as_rendered(blueprint: Write) -> None:
    path = blueprint(TWO + 'packages.apt = { install = ["x"], recommends = true }\n')
    [one] = [one for one in findings(path, tools=True) if one.found.id == "DL3015"]
    assert one.found.problem.file == "2/Dockerfile"
    assert one.variants == ("2", "3")


def test_findings_of_others_are_ignored_by_their_ids(blueprint: Write) -> None:
    ignore = 'lint.ignore = { DL3004 = "why" }\n'
    path = blueprint(ignore + 'steps = [{ run = "sudo make" }]\n')
    assert {one.ignored for one in findings(path, tools=True) if one.found.id == "DL3004"} == {
        "why"
    }


def test_missing_tools_are_named_with_how_to_get_them(
    blueprint: Write, call: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    code, out, err = call("lint", blueprint("steps = [{ run = 'sudo make' }]"), "--json")
    assert code == 0
    assert [one["id"] for one in json.loads(out)] == ["IG102"]
    assert err == (
        "hadolint and shellcheck were not run; to have them: "
        "pip install 'imagegen-blueprint[lint]'\n"
    )


# --- The command ----------------------------------------------------------------------------------


@pytest.fixture
def call() -> Callable[..., tuple[int, str, str]]:
    def run(*words: str | Path) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, [*map(str, words)])
        assert not done.exception or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    return run


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        ("", [], 0),
        ("", ["--strict"], 1),
        ('env.MY_TOKEN = "x"', [], 1),
        (STEP % "chmod 777 /x", [], 1),
        (STEP % "chmod 777 /x" + 'lint.ignore.IG501 = "x"', [], 0),
        ('env.MY_TOKEN = "x"', ["--json"], 1),
        ('lint.ignore.IG102 = "local"', ["--strict"], 0),
    ],
)
def test_the_exit_code_says_whether_something_counts(
    blueprint: Write, call: Write, text: str, words: list[str], code: int
) -> None:
    assert call("lint", blueprint(text), *words)[0] == code


def test_json_has_everything(blueprint: Write, call: Write) -> None:
    path = blueprint('lint.ignore.IG102 = "local"')
    assert json.loads(call("lint", path, "--json")[1]) == [
        {
            "id": "IG102",
            "severity": "info",
            "title": RULES["IG102"].title,
            "message": "image.base: has no digest: a tag is moved with every update",
            "file": str(path),
            "line": 3,
            "column": 14,
            "variants": ["default"],
            "ignored": "local",
            "docs": "docs/lint.md#ig102",
        }
    ]


def test_quiet_is_a_line_for_each_finding(blueprint: Write, call: Write) -> None:
    path = blueprint('files."/x" = { text = "", mode = "0666" }\n')
    said = 'files."/x".mode: everybody may write there with the mode 0666'
    assert call("lint", path, "--quiet")[1] == f"{path}:4:34: warning IG501: {said}\n"


def test_the_rules_are_listed_without_a_blueprint(call: Write) -> None:
    head, *lines = call("lint", "--rules")[1].splitlines()
    assert head.split() == ["RULE", "SEVERITY", "FINDS"]
    assert [line.split()[0] for line in lines[: len(RULES)]] == list(RULES)
    said: list[Mapping[str, str]] = json.loads(call("lint", "--rules", "--json")[1])
    assert [(one["id"], one["why"]) for one in said] == [(r.id, r.why) for r in RULES.values()]


def test_a_secret_is_not_shown(blueprint: Write, call: Write) -> None:
    path = blueprint('env.MY_TOKEN = "hunter2"\nenv.DB = "pg://me:hunter2@db/x"\n')
    for words in ([], ["--json"], ["--strict"]):
        assert "hunter2" not in call("lint", path, *words)[1]


def test_hostile_text_is_escaped(blueprint: Write, call: Write) -> None:
    esc = "\\u001b[31m"
    text = (
        f'config.defaults."a{esc}TOKEN" = "x"\n'
        f'[[steps]]\nrun = "chmod 777 /a{esc}\\u202e; sudo x"\n'
    )
    _, out, err = call("lint", blueprint(text, {"k/\x1b[31m\u202e.env": ""}), "--strict")
    assert "IG201" in out
    assert "IG501" in out
    assert "\x1b" not in out + err
    assert "\u202e" not in out + err


def test_a_hostile_name_of_a_file_is_escaped(blueprint: Write, call: Write) -> None:
    files = {"k/\x1b[31m/.env": "", "\x1b[32m": "#!/bin/sh\nls $1\n"}
    text = "steps = [{ copy = ['k'], to = '/k' }]\nfiles.'/s/'.file = 'd'\n"
    path = blueprint(text, {**files, "d/\x1b[32m": "#!/bin/sh\nls $1\n"})
    _, out, _ = call("lint", path, "--strict")
    assert "IG202" in out
    assert "SC2086" in out
    assert "\x1b" not in out


LONG = [
    *("curl ", "curl | ", "chmod ", "chmod a", "install ", "install -m 7", "mkdir -m 0", "sh -c "),
    *(
        "apt -o ",
        "apt -o -",
        "wget --x ",
        "wget http:/",
        "curl -k",
        "eval ",
        "| /",
        "curl|sudo -a ",
    ),
    *("a://", "a://b:", "-----BEGIN ", "A", "xoxa-", "chmod ug,"),
]


def test_no_text_makes_the_rules_slow(blueprint: Write) -> None:
    steps = "".join(f"[[steps]]\nrun = '''{text * (10_000 // len(text))}'''\n" for text in LONG)
    path = blueprint(steps)
    variants = read(path)
    looked = subjects(variants, plan(variants))
    started = time.process_time()
    lint(looked)
    assert time.process_time() - started < 5


def test_the_command_runs_as_users_run_it(blueprint: Write) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "imagegen", "lint", blueprint('env.MY_TOKEN = "x"')],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert ': error IG201: env.MY_TOKEN: "MY_TOKEN" looks like a secret' in done.stdout
