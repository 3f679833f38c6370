"""Rendering: the same bytes everywhere, and every string comes out as it went in.

What is rendered is read again by a small model of Docker's grammar, written from BuildKit's and
held against a real build, and by shlex.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imagegen.errors import ImagegenError
from imagegen.plan import plan
from imagegen.read import read
from imagegen.render import context
from imagegen.render.network import ENTER, MOUNT
from imagegen.render.own import own_files
from imagegen.render.quoting import expanded, listed, quote, word
from imagegen.tree import MANIFEST, File, Link, Tree, digest

TOP = Path(__file__).parents[2]
BLUEPRINTS = [TOP / "tests" / "blueprints" / name for name in ("files", "env", "steps")]


# --- the same bytes -------------------------------------------------------------------------------


def rendered(blueprint: Path, variant: int = 0) -> Tree:
    return context(plan(read(blueprint))[variant])


def dockerfile(tree: Tree) -> str:
    entry = tree[PurePosixPath("Dockerfile")]
    assert isinstance(entry, File)
    return entry.read().decode()


def snapshot(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Everything in a folder, with modes: files, links and folders."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = (0, str(path.readlink()))
        else:
            found[name] = (path.stat().st_mode, b"" if path.is_dir() else path.read_bytes())
    return found


def by_command(blueprint: Path, output: Path, umask: str = "022", **environment: str) -> None:
    script = f'umask {umask}; exec "$@"'
    render = [sys.executable, "-m", "imagegen", "render", str(blueprint), "--output", str(output)]
    subprocess.run(
        ["sh", "-c", script, "sh", *render],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("blueprint", BLUEPRINTS, ids=lambda path: path.name)
def test_rendering_twice_gives_the_same_tree(blueprint: Path) -> None:
    assert digest(rendered(blueprint)) == digest(rendered(blueprint))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What rendering gives where nothing is special."""
    output = tmp_path_factory.mktemp("here") / "output"
    by_command(BLUEPRINTS[0], output)
    return output


@pytest.mark.parametrize(
    "differing",
    [
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0"},
        {"TZ": "Pacific/Kiritimati", "umask": "077"},
        {"PYTHONHASHSEED": "1", "umask": "000", "HOME": "/nowhere"},
    ],
    ids=["locale", "time zone, strict umask", "hashes, no umask"],
)
def test_rendering_elsewhere_gives_the_same_bytes_and_modes(
    here: Path, tmp_path: Path, differing: dict[str, str]
) -> None:
    shutil.copytree(BLUEPRINTS[0], tmp_path / "a copy" / "named otherwise", symlinks=True)
    by_command(tmp_path / "a copy" / "named otherwise", tmp_path / "output", **differing)
    assert snapshot(tmp_path / "output") == snapshot(here)


def test_the_order_of_tables_changes_nothing(blueprint: Callable[..., Path]) -> None:
    tables = [
        "[users.app]\nuid = 5\n",
        '[env]\nB = "1"\nA = "2"\n',
        '[services.b]\nrun = "b"\n',
        '[services.a]\nrun = "a"\n',
        '[files]\n"/b".text = ""\n"/a".text = ""\n',
    ]
    one = digest(rendered(blueprint("".join(tables))))
    assert digest(rendered(blueprint("".join(reversed(tables))))) == one


# --- a model of Docker's grammar ------------------------------------------------------------------


@dataclass(frozen=True)
class Instruction:
    name: str
    rest: str


def instructions(text: str) -> Iterator[Instruction]:
    """Read a Dockerfile: comments and empty lines go, a backslash at the end joins lines."""
    whole = ""
    for line in text.split("\n"):
        if re.match(r"\s*(#|$)", line):
            continue
        joins = re.search(r"\\[ \t]*$", line)
        whole += line[: joins.start()] if joins else line
        if not joins:
            name, _, rest = whole.strip().partition(" ")
            assert not any(re.match(r"\d*<<", word) for word in words(rest)), "a here-document"
            yield Instruction(name, rest.strip())
            whole = ""
    assert not whole, "the last line goes on"


def words(rest: str) -> list[str]:
    """Split at blanks outside quotes; quotes and backslashes stay."""
    return re.findall(r"(?:[^\s\"'\\]|\\.|\"(?:[^\"\\]|\\.)*\"|'[^']*')+", rest)


def unquoted(word: str, env: Mapping[str, str]) -> str:
    """Take away quotes and backslashes and fill in variables, as Docker does with a word."""
    out, at, double = "", 0, False
    while at < len(word):
        char, after = word[at], word[at + 1 : at + 2]
        variable = re.compile(r"\$\{(\w+)\}|\$(\w+)", re.ASCII).match(word, at)
        if char == "'" and not double:
            end = word.index("'", at + 1)
            out, at = out + word[at + 1 : end], end + 1
        elif char == '"':
            double, at = not double, at + 1
        elif char == "\\":
            assert after, "a backslash at the end"
            out += after if not double or after in '"$\\' else char + after
            at += 2
        elif variable:
            out, at = out + env.get(variable[1] or variable[2], ""), variable.end()
        else:
            assert char != "$" or not after or after in " \"'", f"Docker refuses {word[at:]!r}"
            out, at = out + char, at + 1
    assert not double, "a quote is open"
    return out


def pairs(rest: str, env: Mapping[str, str]) -> dict[str, str]:
    """Read what ENV and LABEL say."""
    split = [word.partition("=") for word in words(rest)]
    return {unquoted(name, env): unquoted(value, env) for name, _, value in split}


def paths(rest: str) -> list[str]:
    """Read what COPY, VOLUME and WORKDIR say."""
    rest = re.sub(r"^(--\w+=\S+ )*", "", rest)
    written = json.loads(rest) if rest.startswith("[") else words(rest)
    return [unquoted(path, {}) for path in written]


def shell(rest: str) -> list[list[str]]:
    """Read the commands of a RUN, without its mounts and what sets up the network."""
    commands: list[list[str]] = [[]]
    rest = re.sub(rf"{re.escape(ENTER)}; +", "", rest)
    for part in words(re.sub(r"^(--\w+=\S+ +)*", "", rest)):
        commands[-1] += shlex.split(part.removesuffix(";"))
        if part.endswith(";"):
            commands.append([])
    return commands


KNOWN = {"PATH": "/usr/bin", "HOME": "/root"}


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        (r'"v \$HOME ${KNOWN} \"q\" \\n `x`"', r'v $HOME known "q" \n `x`'),
        (r"\$HOME\"d\'e%5Cf", "$HOME\"d'e%5Cf"),
        (r"'\n$x'${KNOWN}\ ", r"\n$xknown "),
    ],
)
def test_the_model_reads_what_a_real_build_read(word: str, meant: str) -> None:
    assert unquoted(word, {"KNOWN": "known"}) == meant


# --- every string comes out as it went in ---------------------------------------------------------

TOKENS = [
    *"\"'\\$`{}()[]<>|&;#!*?~%=,:+@^- a/",
    *("ü", "€", "\U0001f600", "$HOME", "${PATH}", "${", "$(id)", "<<EOF", "\\n", "\\\\", "''"),
    *("RUN evil", "# comment", "--from=x", "&& evil", "%20", "../", "if", "A=b", "-n"),
]
CONTROLS = ["\n", "\r", "\t", "\x0b", "\x1b[31m", "\x7f", "\x85", "\u2028", "\\\n", "\nRUN evil\n"]


def of(tokens: list[str], most: int = 5) -> st.SearchStrategy[str]:
    whole = st.lists(st.sampled_from(tokens), min_size=1, max_size=most).map("".join)
    return whole.filter(lambda text: "{{" not in text and text.strip() != "")


LINE = of(TOKENS)
TEXT = of([*TOKENS, *CONTROLS])
PATH = LINE.map(lambda text: "/x" + re.sub(r"[./]", "", text)).filter(lambda path: len(path) < 99)


def toml(text: str) -> str:
    """Write a string of TOML."""
    escaped = re.sub(
        r'["\\\x00-\x1f\x7f]', lambda c: f"\\u{ord(c[0]):04X}", text.replace("\r\n", "\n")
    )
    return f'"{escaped}"'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hostile")
    (made / "own").mkdir()
    (made / "own" / "file").write_text("own\n")
    return made


HOSTILE = """
blueprint = 1
args.line = {line}
image.name = "app"
image.base = "debian:bookworm-slim"
image.title = "{{{{ line }}}}"
image.labels."com.example.x" = {line}
users.app = {{ uid = 5, home = {path}, shell = {path} }}
env.A = {line}
env.FIRST = "{{{{ line }}}}"
config.defaults = {{ key = {text}, {text} = [{line}] }}
files.{path}.text = {text}
files."/folder/" = {{ file = "own", owner = "app" }}
files."/link{path_tail}".link = {line}
files."/made{path_tail}/" = {{ owner = "app" }}
volumes.v = "/volume{volume_tail}"
steps = [
  {{ name = "words", run = ["printf", {line}, {path}], env.E = {line}, workdir = {path} }},
  {{ name = "folder", run = "true", workdir = {path} }},
  {{ name = "text", run = {step} }},
  {{ name = "user", run = [{line}, {text}], user = "app" }},
  {{ name = "lent", copy = ["own"], run = "true" }},
  {{ name = "kept", copy = ["own"], to = {path}, owner = "app" }},
]
services.s = {{ run = [{line}, {text}], env.E = {line}, workdir = {path} }}
services.t = {{ run = {text}, health.run = [{text}] }}
"""


def hostile(folder: Path, line: str, text: str, path: str, step: str = "true") -> Tree:
    """Render the blueprint with these strings in every place that takes one of the kind."""
    blueprint = folder / "blueprint.toml"
    strings = {"line": line, "text": text, "path": path, "step": step}
    written = {name: toml(string) for name, string in strings.items()}
    tail = written["path"][1:-1]
    # Engines take no colon where they mount, and the rules say so.
    volume = toml(path.replace(":", ";"))[1:-1]
    blueprint.write_text(HOSTILE.format(**written, path_tail=tail, volume_tail=volume))
    return rendered(blueprint)


def said(tree: Tree) -> list[Instruction]:
    return list(instructions(dockerfile(tree)))


def content(tree: Tree, name: str) -> str:
    entry = tree[PurePosixPath(name)]
    assert isinstance(entry, File)
    return entry.read().decode()


def filled(value: str, known: Callable[[str], str]) -> str:
    """Fill in ${NAME}; $${ is a plain ${."""
    names = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
    return names.sub(lambda v: known(v[1]) if v[1] else "${", value)


@given(line=LINE, text=TEXT, path=PATH)
def test_values_come_out_as_they_went_in(folder: Path, line: str, text: str, path: str) -> None:
    tree = hostile(folder, line, text, path)
    by_name: dict[str, list[str]] = {}
    for instruction in said(tree):
        by_name.setdefault(instruction.name, []).append(instruction.rest)

    env: dict[str, str] = {}
    for rest in by_name["ENV"]:
        env |= pairs(rest, KNOWN)
    meant = filled(line, lambda name: KNOWN.get(name, ""))
    assert env == {"A": meant, "FIRST": meant}

    labels = pairs(by_name["LABEL"][0], KNOWN)
    assert labels["com.example.x"] == line
    assert labels["org.opencontainers.image.title"] == line

    assert paths(by_name["VOLUME"][0]) == [f"/volume{path.replace(':', ';')}"]
    assert path in [paths(rest)[0] for rest in by_name["WORKDIR"]]


@given(line=LINE, text=TEXT, path=PATH)
def test_copied_files_lie_in_the_context_and_go_where_they_should(
    folder: Path, line: str, text: str, path: str
) -> None:
    tree = hostile(folder, line, text, path)
    pairs_of_paths = [paths(i.rest) for i in said(tree) if i.name == "COPY"]
    copied = {to: source for source, to in pairs_of_paths}
    assert set(copied) == {"/", "/folder/", path, f"{path}/"}
    assert content(tree, copied[path]) == text
    assert content(tree, f"{copied['/folder/']}file") == "own\n"
    assert content(tree, f"{copied[f'{path}/']}file") == "own\n"
    assert not any(set("*?[\\") & set(source) for source in copied.values()), "a pattern for COPY"


@given(line=LINE, text=TEXT, path=PATH)
def test_shell_gets_the_words_that_were_given(
    folder: Path, line: str, text: str, path: str
) -> None:
    tree = hostile(folder, line, text, path)
    runs = [shell(instruction.rest) for instruction in said(tree) if instruction.name == "RUN"]
    commands = [command for run in runs for command in run]
    variable = f"E={filled(line, '${{{}-}}'.format)}"
    built = f"E={filled(line, '${{{}}}'.format)}"
    service = content(tree, "rootfs/etc/imagegen/services/s/run/command")
    assert shlex.split(service, comments=True)[2:] == [
        *("cd", path),
        *("export", variable),
        *("exec", line, text),
    ]
    assert any(path in command and "useradd" in command[0] for command in commands)
    assert ["ln", "-sfT", line, f"/link{path}"] in [
        [word for word in command if word != "--"] for command in commands
    ]
    assert ["install", "-d", "-o", "5", "-g", "5", f"/made{path}"] in commands
    step = PurePosixPath("steps/words/command")
    if step in tree:
        made = shlex.split(content(tree, str(step)), comments=True)[2:]
        assert made == ["cd", path, "exec", "printf", line, path]
        assert [["set", "-eu"], ["export", built], ["/mnt/command"]] in runs
    else:
        assert [["set", "-eu"], ["export", built], ["printf", line, path]] in runs


NETWORK = f"RUN {MOUNT} \\\n    set -eu; \\\n    {ENTER}; \\\n    "
"""How the RUN of a step begins that mounts nothing else."""


@given(text=TEXT)
def test_the_text_of_a_step_is_the_shells_own(folder: Path, text: str) -> None:
    tree = hostile(folder, "x", "x", "/x", step=text)
    step = PurePosixPath("steps/text/command")
    if step in tree:
        assert content(tree, str(step)).endswith(f"\ncd /\n{text.rstrip(chr(10))}\n")
    else:
        run = f"{NETWORK}{text.strip()}\n"
        assert f"\n# Step text.\nWORKDIR /\n{run}" in dockerfile(tree)
        assert "\n" not in text.strip()


@given(text=TEXT, line=LINE)
def test_the_configuration_is_what_was_declared(folder: Path, text: str, line: str) -> None:
    written = content(hostile(folder, line, text, "/x"), "rootfs/etc/imagegen/config/defaults.json")
    assert json.loads(written) == {"key": text, text: [line]}


PLACES = {
    "args": "args.x = {}\nimage.title = '{{{{ x }}}}'",
    "label": "image.labels.x = {}",
    "version": "image.version = {}",
    "base": "image.base = {{ image = {}, family = 'debian' }}",
    "home": "users.app = {{ uid = 5, home = {} }}",
    "group": "users.app = {{ uid = 5, groups = [{}] }}",
    "package": "packages.apt = [{}]",
    "variable": "env.A = {}",
    "name of a variable": "env.{} = 'x'",
    "path of a file": "files.{}.text = 'x'",
    "link": "files.'/l'.link = {}",
    "owner": "files.'/f' = {{ text = 'x', owner = {} }}",
    "mode": "files.'/f' = {{ text = 'x', mode = {} }}",
    "volume": "volumes.v = {}",
    "name of a step": "steps = [{{ name = {}, run = 'x' }}]",
    "text of a step": "steps = [{{ run = {} }}]",
    "words of a step": "steps = [{{ run = ['x', {}] }}]",
    "folder of a step": "steps = [{{ run = 'x', workdir = {} }}]",
    "variable of a step": "steps = [{{ run = 'x', env.A = {} }}]",
    "place of a step": "steps = [{{ copy = ['own'], to = {} }}]",
    "address of a step": "steps = [{{ fetch = {}, to = '/x' }}]",
    "address lent to a step": "steps = [{{ fetch = {}, run = 'x' }}]",
    "header of a step": "steps = [{{ fetch = 'https://x/y', to = '/x', headers.A = {} }}]",
    "repository of a step": "steps = [{{ git = {}, to = '/x' }}]",
    "ref of a step": "steps = [{{ git = 'https://x/y', to = '/x', ref = {} }}]",
    "place of a download": "steps = [{{ fetch = 'https://x/y', to = {} }}]",
    "cache of a step": "steps = [{{ run = 'x', cache = [{}] }}]",
    "package of a step": "steps = [{{ run = 'x', build-packages = [{}] }}]",
    "axis": "matrix.axes.a = [{}]",
}
ABSOLUTE = (
    *("home", "path of a file", "volume", "folder of a step", "place of a step"),
    *("place of a download", "cache of a step"),
)
ADDRESS = "https://example.org/x"
HARMLESS = {
    "base": "debian:12",
    "mode": "0644",
    "owner": "root",
    **dict.fromkeys(
        ["address of a step", "address lent to a step", "repository of a step"], ADDRESS
    ),
}
"""Ordinary values where /x and x are none."""


def names(folder: Path, place: str, value: str) -> list[str]:
    base = "" if place == "base" else "image.base = 'debian:bookworm-slim'\n"
    (folder / "blueprint.toml").write_text(
        f"blueprint = 1\nimage.name = 'app'\n{base}{PLACES[place].format(toml(value))}\n"
    )
    return [instruction.name for instruction in said(rendered(folder / "blueprint.toml"))]


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=40)
@given(text=st.one_of(TEXT, TEXT.map(lambda text: f"/x{text}"), TEXT.map(lambda text: f"x{text}")))
@example(text="\nRUN evil\n")
@example(text="/x\\\nRUN evil\n#")
@example(text="x\n\nUSER root")
def test_no_string_starts_an_instruction(folder: Path, place: str, text: str) -> None:
    absolute = place in ABSOLUTE
    if HARMLESS.get(place) == ADDRESS:
        text = f"{ADDRESS}/{text}"
    ordinary = names(folder, place, HARMLESS.get(place, "/x" if absolute else "x"))
    try:
        assert names(folder, place, text) == ordinary
    except ImagegenError:
        return  # refused


@pytest.mark.parametrize("write", [word, expanded, quote, lambda path: listed([path])])
@pytest.mark.parametrize("value", ["a\nRUN evil", "a\rb", "\x1b[31m"])
def test_what_the_language_lets_through_by_mistake_is_refused(
    write: Callable[[str], str], value: str
) -> None:
    with pytest.raises(ImagegenError, match="a Dockerfile can't hold control characters"):
        write(value)


# --- steps ----------------------------------------------------------------------------------------

SERVED = "users.app.uid = 5\nservices.s.run = 'true'\n"


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("{ run = 'x' }", f"WORKDIR /\n{NETWORK}x\n"),
        ("{ run = 'x', workdir = '/a b' }", 'WORKDIR "/a b"\nRUN'),
        ("{ copy = ['own'], to = '/opt/x/', run = 'x' }", "/ /opt/x/\nWORKDIR /opt/x\nRUN"),
        ("{ copy = ['own/f'], to = '/opt/f', run = 'x' }", "/f /opt/f\nWORKDIR /opt\nRUN"),
        ("{ copy = ['own/f'], to = '/opt/', run = 'x' }", "/source/ /opt/\nWORKDIR /opt\nRUN"),
        (
            "{ copy = ['own'], run = 'x' }",
            "    --mount=type=bind,source=steps/1/source,target=/mnt,rw \\\n    set -eu",
        ),
        ("{ run = ['if', 'A=b'] }", "    'if' A=b\n"),
        ("{ run = ['A=b', 'if'] }", "    'A=b' if\n"),
        ("{ run = ['x', 'y z'], user = 'app' }", "--init-groups \\\n        x 'y z'\n"),
        ("{ run = 'x; y', user = 'app' }", "--init-groups \\\n        sh -euc 'x; y'\n"),
    ],
)
def test_a_step_stands_in_the_dockerfile(
    blueprint: Callable[..., Path], step: str, line: str
) -> None:
    path = blueprint(f"{SERVED}steps = [{step}]", {"own/f": ""})
    assert line in dockerfile(rendered(path))


@pytest.mark.parametrize(
    "command",
    ["run = 'a\\\\'", "run = '# a'", "run = 'cat <<END'", 'run = "a\\nb"', "file = 'own/f'"],
)
def test_what_a_dockerfile_would_misread_is_a_script(
    blueprint: Callable[..., Path], command: str
) -> None:
    path = blueprint(f"{SERVED}steps = [{{ {command} }}]", {"own/f": ""})
    text = dockerfile(rendered(path))
    assert f"target=/mnt \\\n    set -eu; \\\n    {ENTER}; \\\n    /mnt/command\n" in text


def test_a_line_too_long_to_read_is_a_script(blueprint: Callable[..., Path]) -> None:
    tree = rendered(blueprint(f"steps = [{{ run = 'echo {'x' * 70_000}' }}]"))
    assert content(tree, "steps/1/command").endswith("xxx\n")
    assert max(map(len, dockerfile(tree).splitlines())) < 100


def test_the_working_folder_of_steps_is_not_that_of_the_image(
    blueprint: Callable[..., Path],
) -> None:
    text = dockerfile(rendered(blueprint(f"{SERVED}steps = [{{ run = 'x', workdir = '/y' }}]")))
    assert [i.rest for i in instructions(text) if i.name == "WORKDIR"] == ["/y", "/"]


def test_an_image_without_services_keeps_the_working_folder_of_its_base(
    blueprint: Callable[..., Path],
) -> None:
    tree = rendered(blueprint("steps = [{ run = 'x', workdir = '/y' }, { run = 'z' }]"))
    assert "WORKDIR" not in dockerfile(tree)
    assert content(tree, "steps/1/command").endswith("cd /y\nx\n")


def test_a_step_that_copies_nothing_is_told(blueprint: Callable[..., Path]) -> None:
    path = blueprint("steps = [{ copy = ['own'], exclude = ['*'], to = '/x' }]", {"own/f": ""})
    with pytest.raises(ImagegenError, match="step 1: there is no file to copy"):
        rendered(path)


# --- users, packages, files -----------------------------------------------------------------------


def test_recommended_packages_come_only_if_asked_for(blueprint: Callable[..., Path]) -> None:
    path = blueprint("packages.apt = { install = ['b', 'a'], recommends = true }\n" + SERVED)
    runs = [shell(i.rest) for i in said(rendered(path)) if i.name == "RUN"]
    installs = [c[4:5] + c[9:] for run in runs for c in run if c[:2] == ["apt-get", "install"]]
    assert installs == [["--no-install-recommends", "runit"], ["--install-recommends", "a", "b"]]


def test_groups_that_nobody_declares_are_made_after_those_with_a_number(
    blueprint: Callable[..., Path],
) -> None:
    users = "users.b = { uid = 7 }\nusers.a = { uid = 6, groups = ['b', 'audio'] }"
    (run,) = (i.rest for i in said(rendered(blueprint(users))) if i.name == "RUN")
    made = [command for command in shell(run) if command[0] == "groupadd"]
    assert [command[-1] for command in made] == ["a", "b", "audio"]


def test_the_user_of_the_image_keeps_its_further_groups(blueprint: Callable[..., Path]) -> None:
    """With a group beside it, USER would drop all others."""
    text = "users.app = { uid = 5, gid = 6, groups = ['audio'] }\nservices.s.run = 'true'"
    assert [i.rest for i in said(rendered(blueprint(text))) if i.name == "USER"] == ["5"]


def test_an_init_that_has_to_be_root_says_why(blueprint: Callable[..., Path]) -> None:
    text = "users.app.uid = 5\nservices.s = { run = 'true', user = 'root' }"
    tree = rendered(blueprint(text))
    assert "USER" not in [i.name for i in said(tree)]
    assert "\n# The init runs as root, for " in dockerfile(tree)


def test_a_folder_that_is_not_there_does_not_get_the_owner_of_its_first_file(
    blueprint: Callable[..., Path],
) -> None:
    text = "users.app.uid = 5\nfiles.'/etc/app/secret' = { text = '', owner = 'app' }"
    parts = [(i.name, i.rest) for i in said(rendered(blueprint(text)))]
    assert parts.index(("RUN", "mkdir -p /etc/app")) < [name for name, _ in parts].index("COPY")


def test_the_mode_of_files_does_not_close_the_folders_they_lie_in(
    blueprint: Callable[..., Path],
) -> None:
    path = blueprint("files.'/x/' = { file = 'own', mode = '0640' }", {"own/a/b c/f": ""})
    last = [i for i in said(rendered(path)) if i.name == "RUN"][-1]
    assert shell(last.rest) == [["chmod", "0750", "/x/a", "/x/a/b c"]]


def test_a_file_can_not_lie_below_a_file(blueprint: Callable[..., Path]) -> None:
    with pytest.raises(ImagegenError, match='lies in "/a", which is a file'):
        rendered(blueprint("files.'/a'.text = ''\nfiles.'/a/b'.text = ''"))


def test_two_strange_names_stay_two(blueprint: Callable[..., Path]) -> None:
    tree = rendered(blueprint("files.'/a*'.text = '1'\nfiles.'/a%2A'.text = '2'"))
    assert content(tree, "files/a%2A") == "1"
    assert content(tree, "files/a%252A") == "2"


# --- own files ------------------------------------------------------------------------------------


def own(folder: Path, *exclude: str) -> set[str]:
    return {str(path) for path, _ in own_files(folder, exclude)}


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    for name in ("a.py", "b/a.py", "b/c.txt", "b/d/e.py", "f/g.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        ("*.py", {"b/a.py", "b/c.txt", "b/d/e.py", "f/g.txt"}),
        ("**/*.py", {"b/c.txt", "f/g.txt"}),
        ("b", {"a.py", "f/g.txt"}),
        ("b/", {"a.py", "f/g.txt"}),
        ("b/*", {"a.py", "f/g.txt"}),
        ("b/?.py", {"a.py", "b/c.txt", "b/d/e.py", "f/g.txt"}),
        ("**/d/**", {"a.py", "b/a.py", "b/c.txt", "f/g.txt"}),
        ("[ab].py", {"a.py", "b/a.py", "b/c.txt", "b/d/e.py", "f/g.txt"}),
        ("**", set()),
        ("**/**/*.py", {"b/c.txt", "f/g.txt"}),
        ("a.py/**", {"a.py", "b/a.py", "b/c.txt", "b/d/e.py", "f/g.txt"}),
        ("**/*.py/**/x", {"a.py", "b/a.py", "b/c.txt", "b/d/e.py", "f/g.txt"}),
    ],
)
def test_globs_leave_files_out(mine: Path, exclude: str, left: set[str]) -> None:
    assert own(mine, exclude) == left


@pytest.mark.parametrize("glob", [f"{'**/' * 40}x", f"{'**/a/' * 20}x", f"{'*a' * 40}b"])
def test_no_glob_takes_long(tmp_path: Path, glob: str) -> None:
    folder = tmp_path.joinpath(*["a" * 40] * 15, *"a" * 40)
    folder.mkdir(parents=True)
    (folder / "y").touch()
    began = time.monotonic()
    assert len(own(tmp_path, glob)) == 1
    assert time.monotonic() - began < 5


def test_what_git_keeps_is_left_out(mine: Path) -> None:
    (mine / ".git").mkdir()
    (mine / ".git" / "HEAD").touch()
    (mine / "f" / ".git").write_text("gitdir: elsewhere")
    (mine / ".gitignore").touch()
    assert own(mine) == {".gitignore", "a.py", "b/a.py", "b/c.txt", "b/d/e.py", "f/g.txt"}


def test_what_imagegen_wrote_is_left_out(mine: Path) -> None:
    (mine / "b" / MANIFEST).write_text("{}")
    assert own(mine) == {"a.py", "f/g.txt"}


def test_an_output_inside_the_blueprint_s_folder_does_not_get_into_the_next(
    blueprint: Callable[..., Path], imagegen: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    path = blueprint("steps = [{ copy = ['.'], to = '/x' }]", {"own": ""})
    output = path.parent / "build"
    assert imagegen("render", path, "--output", output).returncode == 0
    before = snapshot(output)
    again = imagegen("render", path, "--output", output)
    assert "up to date" in again.stdout
    assert snapshot(output) == before


def test_links_stay_links_and_are_not_followed(mine: Path) -> None:
    (mine / "to-folder").symlink_to("b")
    (mine / "to-nothing").symlink_to("/nowhere")
    found = dict(own_files(mine))
    assert found[PurePosixPath("to-folder")] == Link("b")
    assert found[PurePosixPath("to-nothing")] == Link("/nowhere")
    assert PurePosixPath("to-folder/c.txt") not in found


def test_a_pipe_is_no_content(mine: Path) -> None:
    os.mkfifo(mine / "pipe")
    assert "pipe" not in own(mine)


def test_a_name_that_is_no_utf8_is_told(mine: Path) -> None:
    (mine / os.fsdecode(b"caf\xe9")).touch()
    with pytest.raises(ImagegenError, match="names and links must be UTF-8"):
        own(mine)


def test_a_file_that_may_not_be_read_is_told(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "c.txt")
    with pytest.raises(ImagegenError, match=r"b/c.txt: may not be read"):
        own(mine)


def test_a_folder_that_may_not_be_read_is_told(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refusing(path: str) -> object:
        if Path(path).name == "d":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(ImagegenError, match=r"b/d: can't be read: Permission denied"):
        own(mine)
