"""The CI job: builds, and pushes what `imagegen tags` says. Only GitHub's own checkout is used."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from imagegen.language.tags import Tags
from imagegen.plan import Plan
from imagegen.plan.tags import DEFAULT

BRANCHES = ("main", "master")
"""Branches that build when [tags] names none, so that the image is known to build."""

RELEASES = ("v[0-9]*", "[0-9]*")
GITHUB_REGISTRY = "ghcr.io"
MARK = "# Made by imagegen: `imagegen ci github`."
"""How a file begins that is ours to write again."""

NO_INSTALL = (
    "command -v imagegen || { echo '::error::imagegen is not here: write the job again with "
    "imagegen ci github --install COMMAND, or use a runner that has it' >&2; exit 1; }"
)
_PUSHES = "github.event_name != 'pull_request'"


def github(
    plans: Sequence[Plan],
    blueprint: str,
    branches: Iterable[str],
    install: str,
    settings: Sequence[str] = (),
) -> str:
    """Write a workflow for GitHub Actions.

    `plans` are those of the blueprint and of the bases below it, `blueprint` is the path in the
    repository, `branches` are globs that build on a push, `install` is the shell that brings
    imagegen, and `settings` are what --set lays over the blueprint.
    """
    hosts = _hosts(plans)
    arguments = {"BLUEPRINT": blueprint, **{f"SET_{n}": s for n, s in enumerate(settings, 1)}}
    image = plans[-1].image
    workflow: dict[str, Any] = {
        "name": f"image {image}",
        "on": {
            "push": {"branches": _globs(branches), "tags": list(RELEASES)},
            "pull_request": {},
            "workflow_dispatch": {},
        },
        "permissions": {"contents": "read", **_packages(hosts)},
        # One after the other for a ref: what was pushed last is the newest.
        "concurrency": {"group": f"image {image} ${{{{ github.ref }}}}"},
        "jobs": {"image": {"runs-on": "ubuntu-24.04", "steps": _steps(hosts, arguments, install)}},
    }
    head = f"{MARK} Change the blueprint, not this file.\n"
    secrets = [name for host in hosts if host != GITHUB_REGISTRY for name in _names(host, hosts)]
    if secrets:
        head += f"# Secrets of the repository that it takes: {', '.join(secrets)}.\n"
    return head + yaml.safe_dump(workflow, sort_keys=False, width=100)


def branches(tags: Tags) -> tuple[str, ...]:
    """Say which branches build: those that [tags] names."""
    rules = (DEFAULT if tags == Tags() else tags).rule("branch")
    return tuple(glob or "*" for glob, _ in rules) or BRANCHES


def _steps(
    hosts: Sequence[str], arguments: Mapping[str, str], install: str
) -> list[dict[str, Any]]:
    return [
        # All tags are needed: they decide whether `latest` may move.
        {"uses": "actions/checkout@v4", "with": {"fetch-depth": 0, "persist-credentials": False}},
        {"name": "Install imagegen", "run": install},
        _imagegen("Decide the tags", "tags", arguments),
        _imagegen("Build", "build", arguments),
        *(_login(host, hosts) for host in hosts),
        *([{**_imagegen("Push", "push", arguments), "if": _PUSHES}] if hosts else ()),
    ]


def _imagegen(name: str, command: str, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Call a command. Arguments reach the shell as variables, never as part of the script."""
    settings = "".join(f' --set "${name}"' for name in arguments if name != "BLUEPRINT")
    env = {name: _literal(value) for name, value in arguments.items()}
    return {"name": name, "env": env, "run": f'imagegen {command}{settings} -- "$BLUEPRINT"'}


def _login(host: str, hosts: Sequence[str]) -> dict[str, Any]:
    """Log in without the password on a command line; without a password, not at all."""
    user, password = (f"${{{{ secrets.{name} }}}}" for name in _names(host, hosts))
    if host == GITHUB_REGISTRY:
        user, password = "${{ github.actor }}", "${{ secrets.GITHUB_TOKEN }}"
    return {
        "name": f"Log in to {host}",
        "if": _PUSHES,
        "env": {"REGISTRY": host, "REGISTRY_USER": user, "REGISTRY_PASSWORD": password},
        "run": 'if [ -n "$REGISTRY_PASSWORD" ]; then\n'
        "  printf '%s' \"$REGISTRY_PASSWORD\" |\n"
        '    docker login "$REGISTRY" --username "$REGISTRY_USER" --password-stdin\n'
        "fi\n",
    }


def _names(host: str, hosts: Sequence[str]) -> tuple[str, str]:
    """Name the secrets of a registry. No registry is shown the password of another."""
    foreign = [other for other in hosts if other != GITHUB_REGISTRY]
    suffix = "" if len(foreign) == 1 else "_" + re.sub(r"[^A-Z0-9]", "_", host.upper())
    return f"REGISTRY_USER{suffix}", f"REGISTRY_PASSWORD{suffix}"


def _hosts(plans: Iterable[Plan]) -> list[str]:
    """List the registries' hosts, each once; a path without a host is Docker Hub's."""
    hosts = []
    for registry in (registry for plan in plans for registry in plan.registries):
        first = registry.partition("/")[0].lower()
        named = "." in first or ":" in first or first == "localhost"
        hosts.append(first if named else "docker.io")
    return list(dict.fromkeys(hosts))


def _packages(hosts: Sequence[str]) -> Mapping[str, str]:
    return {"packages": "write"} if GITHUB_REGISTRY in hosts else {}


def _globs(globs: Iterable[str]) -> list[str]:
    """Translate our globs into GitHub's, which say less: what fits too much is not pushed."""
    return list(dict.fromkeys(map(_glob, globs)))


def _glob(glob: str) -> str:
    """`*` crosses slashes with us, `**` with GitHub; its `?` and `+` repeat what is before."""
    loose = re.sub(r"\[[^]]*\]|[*?]", "*", glob)
    return re.sub(r"\*+", "**", re.sub(r"([+!\[\]\\])", r"\\\1", loose))


def _literal(value: str) -> str:
    """Keep GitHub from evaluating what looks like an expression."""
    return value.replace("${{", "${{ '${{' }}")
