"""Which family a base is of: by its name, as declared, or by what an engine finds in it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen.errors import BlueprintError
from imagegen.language.families import System, family_in, family_of
from imagegen.plan import Plan, plan
from imagegen.read import read
from imagegen.render import context
from imagegen.tree import File

Write = Callable[..., Path]

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nID=debian\n'
UBUNTU = 'PRETTY_NAME="Ubuntu 24.04 LTS"\nID=ubuntu\nID_LIKE=debian\n'
MINT = 'ID=linuxmint\nID_LIKE="ubuntu debian"\nPRETTY_NAME="Linux Mint 22"\n'
ALPINE = 'NAME="Alpine Linux"\nID=alpine\nPRETTY_NAME="Alpine Linux v3.20"\n'
ROCKY = 'ID="rocky"\nID_LIKE="rhel centos fedora"\nPRETTY_NAME="Rocky Linux 9.4"\n'


@pytest.mark.parametrize(
    ("reference", "family"),
    [
        ("debian:bookworm-slim", "debian"),
        ("docker.io/library/python:3.12-slim", "debian"),
        ("localhost:5000/ubuntu:24.04@sha256:" + "0" * 64, "debian"),
        ("python:3.12-alpine", "alpine"),
        ("eclipse-temurin:21-ubi9-minimal", "redhat"),
        ("alpine", "alpine"),
        ("quay.io/centos/centos:stream9", "redhat"),
        ("phusion/baseimage:noble-1.0.2", "phusion"),
        ("ghcr.io/phusion/baseimage:noble-1.0.2", "phusion"),
        ("phusion/baseimage-noble:1", "phusion"),
        ("phusion/passenger-ruby:3", None),
        ("acme/baseimage:1", None),
        ("example.org/acme/app:1", None),
    ],
)
def test_a_name_tells_the_family_or_nothing(reference: str, family: str | None) -> None:
    assert family_of(reference) == family


@pytest.mark.parametrize(
    ("system", "family"),
    [
        (System(release=DEBIAN), "debian"),
        (System(release=UBUNTU), "debian"),
        (System(release=MINT), "debian"),
        (System(release=UBUNTU, has_my_init=True), "phusion"),
        (System(release=ALPINE, has_my_init=True), "alpine"),
        (System(release=ROCKY), "redhat"),
        (System(release="ID=void\n"), "void"),
        (System(), "unknown"),
    ],
)
def test_what_is_in_an_image_tells_the_family(system: System, family: str) -> None:
    found = family_in(system)
    assert found.name == family
    assert found.is_served == (family in ("debian", "phusion"))


def test_supervisord_is_seen_only_where_it_is_started() -> None:
    assert not family_in(System(release=DEBIAN, starts=("/usr/bin/supervisord", "-n"))).is_served
    assert not family_in(System(release=DEBIAN, starts=("sh", "-c", "exec supervisord"))).is_served
    assert family_in(System(release=DEBIAN, starts=("nginx",))).is_served


def on(system: System | None, path: Path) -> tuple[Plan, ...]:
    return plan(read(path, lambda _: system))


def said(system: System | None, path: Path) -> str:
    with pytest.raises(BlueprintError) as caught:
        on(system, path)
    (problem,) = caught.value.problems
    return problem.message


def other(blueprint: Write, text: str = "") -> Path:
    path = blueprint(text)
    path.write_text(path.read_text().replace("debian:bookworm-slim", "example.org/base:7"))
    return path


def test_the_engine_is_asked_only_where_the_name_does_not_tell(blueprint: Write) -> None:
    asked: list[str] = []

    def ask(reference: str) -> System:
        asked.append(reference)
        return System(release=UBUNTU)

    assert plan(read(blueprint(), ask))[0].family == "debian"
    assert asked == []
    assert plan(read(other(blueprint), ask))[0].family == "debian"
    assert asked == ["example.org/base:7"]


def test_what_is_declared_counts_more_than_what_is_there(blueprint: Write) -> None:
    path = blueprint('image.base.family = "phusion"\n')
    path.write_text(path.read_text().replace("image.base =", "image.base.image ="))
    assert on(System(release=ALPINE), path)[0].family == "phusion"


def test_an_image_that_cannot_be_served_is_refused_with_what_was_found(blueprint: Write) -> None:
    path = other(blueprint)
    assert said(System(release=ALPINE), path) == (
        "image.base: the family alpine (Alpine Linux v3.20) is not served; served: debian, "
        'phusion, as in "debian:bookworm-slim"'
    )
    assert "redhat (Rocky Linux 9.4) is not served yet" in said(System(release=ROCKY), path)
    assert "unknown (it has no os-release) is not served" in said(System(), path)
    supervised = System(release=DEBIAN, starts=("/usr/bin/supervisord",))
    assert said(supervised, path) == (
        'image.base: it starts "/usr/bin/supervisord", whose programs would not run under '
        "imagegen; build on what it is built on, or leave them out with base = { image = "
        '"…", family = "debian" }'
    )
    assert "pull it, or write base" in said(None, path)


def test_no_engine_is_no_traceback(
    blueprint: Write, imagegen: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = imagegen("check", other(blueprint))
    assert done.returncode == 3
    assert "does not tell the family, and no engine here has the image" in done.stderr


# --- what the family changes ----------------------------------------------------------------------

APP = """
users.app.uid = 1000
services.web = { run = "web", health.http = "http://localhost:8080/" }
"""
TIMED = 'jobs.x = { schedule = "@daily", run = "x" }\nconfig.defaults.a = 1\n'


def phusion(blueprint: Write, text: str) -> Plan:
    path = blueprint(text)
    path.write_text(path.read_text().replace("debian:bookworm", "phusion/baseimage:noble-1.0.2"))
    return plan(read(path))[0]


def test_what_phusion_brings_is_not_installed_again(blueprint: Write) -> None:
    (debian,) = plan(read(blueprint(APP + TIMED)))
    assert debian.packages == ("cron", "curl", "jq", "runit")
    assert phusion(blueprint, APP + TIMED).packages == ("jq",)
    assert phusion(blueprint, APP).packages == ()


def test_what_is_asked_for_is_installed_on_phusion_too(blueprint: Write) -> None:
    asked = 'packages.apt = ["curl=8.5.*"]\n'
    assert phusion(blueprint, APP + asked).packages == ("curl=8.5.*",)


def test_the_services_of_phusion_need_an_init_that_is_root(blueprint: Write) -> None:
    (debian,) = plan(read(blueprint(APP)))
    assert (debian.init_as_root, phusion(blueprint, APP).init_as_root) == (False, True)
    file = context(phusion(blueprint, APP))
    lines = next(entry for path, entry in file.items() if path.name == "Dockerfile")
    assert isinstance(lines, File)
    assert b"\nUSER " not in lines.read()


def test_the_family_of_an_own_base_goes_on(blueprint: Write, tmp_path: Path) -> None:
    path = other(blueprint)
    above = tmp_path / "above.toml"
    above.write_text(
        f'blueprint = 1\nimage = {{ name = "above", base.blueprint = "{path.parent.name}" }}\n{APP}'
    )
    (planned,) = on(System(release=UBUNTU, has_my_init=True), above)
    assert (planned.family, planned.packages) == ("phusion", ())
