"""Sources of steps, and secrets: what is decided and refused before anything is built."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.act.secrets import described, refuse_missing
from imagegen.act.secrets import given as lent
from imagegen.errors import BlueprintError
from imagegen.plan import Plan, plan
from imagegen.plan.steps import refuse_unpinned
from imagegen.read import read
from imagegen.render import context
from imagegen.render.shell import expanded
from imagegen.tree import digest

Write = Callable[..., Path]
SUM = f"sha256:{'0123456789abcdef' * 4}"


def planned(path: Path) -> Plan:
    [one] = plan(read(path))
    return one


def dockerfile(path: Path) -> str:
    [text] = [
        entry.read() for name, entry in context(planned(path)).items() if name.name == "Dockerfile"
    ]  # type: ignore[union-attr]
    return text.decode()


# --- what is not pinned ---------------------------------------------------------------------------


def test_what_is_not_pinned_is_checked_and_rendered_but_not_built(
    blueprint: Write, imagegen: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    path = blueprint(
        "[[steps]]\nfetch = 'https://example.org/a'\nto = '/a'\n"
        "[[steps]]\ngit = 'https://example.org/b'\nto = '/b'\n"
        f"[[steps]]\nfetch = 'https://example.org/c'\nto = '/c'\nchecksum = '{SUM}'\n"
    )
    assert imagegen("check", path).returncode == 0
    assert imagegen("render", path).returncode == 0
    done = imagegen("build", path)
    assert done.returncode == 3
    assert "steps[0].fetch: is built only with a checksum; add checksum = " in done.stderr
    assert "steps[1].git: is built only with a ref; add ref = " in done.stderr
    assert "2 problems" in done.stderr
    assert imagegen("run", path).returncode == 3


def test_a_base_is_pinned_too(tmp_path: Path) -> None:
    for name, base in (
        ("below", '"debian:bookworm-slim"'),
        ("above", '{ blueprint = "../below" }'),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "blueprint.toml").write_text(
            f"blueprint = 1\nimage = {{ name = '{name}', base = {base} }}\n"
            + ("steps = [{ git = 'https://x.org/x', to = '/x' }]\n" if name == "below" else "")
        )
    with pytest.raises(BlueprintError, match="is built only with a ref"):
        refuse_unpinned(read(tmp_path / "above"))


def test_another_layer_may_take_the_files_from_elsewhere(blueprint: Write) -> None:
    path = blueprint(
        "matrix = { axes.from = ['web', 'here'], suffix = '-{{ from }}' }\n"
        f"steps = [{{ name = 'app', fetch = 'https://x.org/x', checksum = '{SUM}', to = '/x' }}]\n"
        "[[override]]\nwhen.from = 'here'\nremove = ['steps.app.checksum']\n"
        "steps = [{ name = 'app', copy = ['x'] }]\n",
        {"x": ""},
    )
    web, here = plan(read(path))
    assert (here.steps[0].fetched, web.steps[0].copies) == (None, ())
    assert web.steps[0].fetched


# --- stages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "tools"),
    [
        ("x.tar.gz", ""),
        ("X.TGZ?a=b", ""),
        ("x.tar.xz", "xz-utils"),
        ("x.zip", "unzip"),
        ("x", "bzip2 unzip xz-utils zstd"),
    ],
)
def test_only_what_is_needed_is_installed_for_downloads(
    blueprint: Write, name: str, tools: str
) -> None:
    path = blueprint(f"steps = [{{ fetch = 'https://x.org/{name}', to = '/x', unpack = true }}]")
    said = dockerfile(path).partition("archives=imagegen")[2].partition("; ")[0].split()
    assert [word for word in said if word.isalnum() or "-" in word[1:]][1:] == sorted(
        ["ca-certificates", "curl", *tools.split()]
    )


def test_without_downloads_there_is_one_stage(blueprint: Write) -> None:
    path = blueprint("steps = [{ copy = ['x'], run = 'x' }]", {"x": ""})
    assert dockerfile(path).count("\nFROM ") == 1


TOKENS = [
    *"\"'\\$`{}()<>|&;#!*?~ a\u00fc",
    "$HOME",
    "${A}",
    "${B}",
    "${",
    "$(id)",
    "`id`",
    "${A:-x}",
]


KNOWN = {"A": "$(echo a)", "B": "'b \"`"}


@given(st.lists(st.sampled_from(TOKENS), max_size=8).map("".join))
def test_the_shell_fills_in_variables_and_nothing_else(value: str) -> None:
    done = subprocess.run(
        ["sh", "-euc", f'export X={expanded(value, unset="")}; printf "%s" "$X"'],
        env=KNOWN,
        capture_output=True,
        check=True,
    )
    means = {"$${": "${", **{f"${{{name}}}": said for name, said in KNOWN.items()}}
    expected = re.sub(r"\$\$\{|\$\{[AB]\}", lambda found: means[found[0]], value)
    assert done.stdout.decode() == expected


# --- secrets --------------------------------------------------------------------------------------

USING = "steps = [{ run = 'x', secrets = ['token', 'key'] }]\n"


def test_every_secret_that_is_missing_is_told_at_once(
    blueprint: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", "")
    one = planned(blueprint(f"{USING}secrets = {{ token.file = 'to,ken', key.env = 'EMPTY' }}"))
    with pytest.raises(BlueprintError) as caught:
        refuse_missing([one])
    assert {problem.message for problem in caught.value.problems} == {
        "secrets.key.env: the variable EMPTY is not set, or empty",
        f"secrets.token.file: there is no file {one.secrets[1].file} on this machine",
    }
    assert all(problem.line for problem in caught.value.problems)


def test_secrets_go_to_the_builder_by_name(
    blueprint: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {"to,ken": "x", "other": ""}
    text = f"{USING}secrets = {{ token.file = 'to,ken', key.env = 'KEY', other.file = 'other' }}"
    path = blueprint(text, more)
    monkeypatch.setenv("KEY", "x")
    one = planned(path)
    refuse_missing([one])
    assert list(lent(one)) == ["id=key,env=KEY", f'id=token,"src={path.parent}/to,ken"']
    assert described([one]) == ("key (variable KEY)", f"token (file {path.parent}/to,ken)")


def test_a_secret_of_the_home_folder(blueprint: Write) -> None:
    one = planned(blueprint("secrets = { a.file = '~/x', b.file = '/etc/x', c.file = '../x' }"))
    assert [secret.file for secret in one.secrets] == [
        Path.home() / "x",
        Path("/etc/x"),
        one.secrets[2].file,
    ]


def test_the_place_and_value_of_a_secret_change_no_byte(blueprint: Write) -> None:
    first = digest(
        context(planned(blueprint(f"{USING}secrets = {{ token.env = 'A', key.env = 'B' }}")))
    )
    path = blueprint(f"{USING}secrets = {{ token.file = 'a', key.file = 'b' }}", {"a": "1"})
    assert digest(context(planned(path))) == first
    (path.parent / "a").write_text("2")
    assert digest(context(planned(path))) == first


def test_the_file_of_a_secret_is_no_own_file_wherever_a_link_leads(blueprint: Write) -> None:
    path = blueprint(
        "secrets.token.file = 'in/token'\nsteps = [{ copy = ['.'], to = '/x' }]\n"
        "files.'/f/'.file = 'in'",
        {"in/token": "x", "in/other": "y"},
    )
    names = [str(name) for name in context(planned(path))]
    assert "files/f/other" in names
    assert not [name for name in names if name.endswith("token")]


# --- the last resort ------------------------------------------------------------------------------


def test_check_lists_lines_of_a_dockerfile(
    blueprint: Write, invoke: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    path = blueprint("[[steps]]\ndockerfile = '''\nSHELL [\"/bin/bash\", \"-c\"]\n'''\n")
    said = invoke("check", path).stdout.splitlines()
    assert said[0].startswith("note: ")
    assert ": steps[0].dockerfile: lines of a Dockerfile go in as they are" in said[0]
    assert said[1].endswith(": ok, 1 variant")
    assert '\n# Step 1.\nSHELL ["/bin/bash", "-c"]\n\n' in dockerfile(path)
