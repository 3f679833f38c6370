"""RUN lines that install packages: what they bring, lend, look up, and find in the context."""

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from pydantic import TypeAdapter, ValidationError
from test_lint import TOP, passes

from imagegen.errors import ImagegenError
from imagegen.language.scalars import NpmPackage, Package, PythonPackage
from imagegen.plan import Plan, plan
from imagegen.read import read
from imagegen.render import context
from imagegen.render.network import ENTER
from imagegen.render.packages import APT_MOUNTS, PROGRAMS, lent, package_programs
from imagegen.render.run import body, strict
from imagegen.tree import File

Write = Callable[..., Path]
KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
OPTIONS = ["-r x", "--index-url=x", "-e .", "-", "--", "-x y", "@-x", "$(x)", "`x`", "x y", "a\nb"]


def planned(path: Path) -> Plan:
    return plan(read(path))[0]


def dockerfile(path: Path) -> str:
    entry = context(planned(path))[PurePosixPath("Dockerfile")]
    assert isinstance(entry, File)
    return entry.read().decode()


def runs(path: Path) -> list[str]:
    """The RUN lines, each as one."""
    text = re.sub(r" \\\n +", " ", dockerfile(path))
    return [line for line in text.splitlines() if line.startswith("RUN ")]


# --- what is lent ---------------------------------------------------------------------------------


def test_nothing_is_lent_for_no_names() -> None:
    assert lent((), "make") == ("make",)


def test_what_is_lent_is_sorted_each_once_and_goes_back_after_the_lines() -> None:
    bring, *lines, take_back = lent(["git", "gcc", "git"], "make", "make install")
    assert bring.endswith("/apt-bring --lent gcc git")
    assert lines == ["make", "make install"]
    assert take_back.endswith("/apt-take-back")


def test_programs_are_in_the_context_of_whoever_calls_one_and_all_of_them(blueprint: Write) -> None:
    def programs(more: str) -> set[str]:
        tree = context(planned(blueprint(more)))
        return {path.name for path in tree if path.is_relative_to(PROGRAMS)}

    whole = {path.name for path in package_programs()}
    assert whole == {"apt-bring", "apt-clean", "apt-has", "apt-take-back", "npm-has", "pip-has"}
    assert programs('packages.apt = ["curl"]\n') == whole
    assert programs('container.locale = "de_DE.UTF-8"\n') == whole
    assert programs("") == set()


def test_hadolint_finds_nothing_in_lines_with_lent_packages(tmp_path: Path) -> None:
    run = strict(ENTER, *lent(["gcc"], "gcc --version"), mounts=APT_MOUNTS)
    path = tmp_path / "Dockerfile"
    path.write_text(f"FROM debian:bookworm-slim\nRUN {body(run)}\n")
    passes("hadolint", "--config", TOP / ".hadolint.yaml", path)


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Package, PythonPackage, NpmPackage], ids=["apt", "pip", "npm"])
@pytest.mark.parametrize("option", OPTIONS)
def test_no_name_is_an_option_or_two_words(kind: object, option: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(option)


def test_packages_are_looked_up_without_version_and_by_the_name_that_the_manager_uses(
    blueprint: Write,
) -> None:
    path = blueprint(
        'packages.apt = ["curl=7.*", "libc6:amd64"]\n'
        'packages.pip = ["Zope.Interface__x[test]==5", "a; python_version < \'3\'"]\n'
        'packages.npm = ["@acme/tool@^2", "bower@1.8.8"]\n'
    )
    apt, pip, npm = runs(path)
    assert "/apt-has curl libc6:amd64;" in apt
    assert "/pip-has zope-interface-x;" in pip
    assert "/npm-has @acme/tool bower;" in npm


def test_pip_is_installed_before_what_it_shall_install(blueprint: Write) -> None:
    (run,) = runs(blueprint('packages.pip = ["attrs", "pip==24.3.1", "pipx"]\n'))
    assert "pip install pip==24.3.1; pip install attrs pipx; " in run


# --- what the context holds -----------------------------------------------------------------------


def test_a_key_is_named_by_its_content_and_not_by_its_ending(blueprint: Write) -> None:
    text = 'url = "http://a", suites = ["./"]'
    path = blueprint(
        f'packages.apt.repositories.text = {{ {text}, key = "a.gpg" }}\n'
        f'packages.apt.repositories.binary = {{ {text}, key = "b.asc" }}\n',
        {"a.gpg": f"a comment\n{KEY}", "b.asc": ""},
    )
    (path.parent / "b.asc").write_bytes(b"\x99\x01\x0d\0")
    tree = context(planned(path))
    names = {one.name for one in tree if one.is_relative_to("packages/apt/keyrings")}
    assert names == {"text.asc", "binary.gpg"}


def test_requirements_keep_their_places_to_each_other(blueprint: Write) -> None:
    files = {"a/one.txt": "-c b/two.txt\n", "a/b/two.txt": "x\n"}
    path = blueprint('packages.pip.requirements = ["a/one.txt", "a/b/two.txt"]\n', files)
    tree = context(planned(path))
    assert {str(one) for one in tree if one.is_relative_to("packages/pip")} == {
        "packages/pip/one.txt",
        "packages/pip/b/two.txt",
    }


def test_what_requirements_name_comes_along(blueprint: Write) -> None:
    files = {
        "a/one.txt": "x\n-r b/two.txt # more\n--constraint=three.txt\n-r https://a/b.txt\n",
        "a/b/two.txt": "-c ../three.txt\n -r two.txt\n",
        "a/three.txt": "x<2\n",
    }
    path = blueprint('packages.pip.requirements = ["a/one.txt"]\n', files)
    tree = context(planned(path))
    found = {str(one)[13:] for one in tree if one.is_relative_to("packages/pip")}
    assert found == {"one.txt", "b/two.txt", "three.txt"}
    assert "--requirement /mnt/one.txt; pip" not in runs(path)[0]
    assert "three.txt" not in runs(path)[0]


@pytest.mark.parametrize("other", ["../secret", "/etc/passwd", "missing.txt", "link.txt"])
def test_requirements_lead_nowhere_else(blueprint: Write, other: str) -> None:
    files = {"a/one.txt": f"-r {other}\n", "secret": "x\n"}
    path = blueprint('packages.pip.requirements = ["a/one.txt"]\n', files)
    (path.parent / "a" / "link.txt").symlink_to("/etc/passwd")
    with pytest.raises(ImagegenError, match="which is no file below the folder"):
        context(planned(path))


@pytest.mark.parametrize(
    ("repository", "first"),
    [
        ('{ url = "http://a", suites = ["x"] }', ()),
        ('{ url = "https://a", suites = ["x"] }', ("ca-certificates",)),
        ('{ package = "some-keyring" }', ("ca-certificates", "some-keyring")),
        ('{ package = "https://a/b.deb" }', ("ca-certificates",)),
    ],
)
def test_what_a_repository_needs_comes_before_it(
    blueprint: Write, repository: str, first: tuple[str, ...]
) -> None:
    assert (
        planned(blueprint(f"packages.apt.repositories.a = {repository}\n")).packages_first == first
    )


def test_git_is_lent_to_packages_that_come_from_git(blueprint: Write) -> None:
    for text, files in (
        ('packages.pip = ["a @ git+https://a/b"]\n', {}),
        ('packages.pip.requirements = ["r.txt"]\n', {"r.txt": "a @ git+https://a/b\n"}),
    ):
        (run,) = runs(blueprint(text, files))
        assert "/apt-bring --lent ca-certificates git;" in run
    assert "git" not in runs(blueprint('packages.pip = ["a"]\n'))[0]
