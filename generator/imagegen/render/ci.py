"""The CI job: builds, and pushes what `imagegen tags` says. Only GitHub's own checkout is used."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from imagegen.language.image import Tags
from imagegen.plan import Plan

BRANCHES = ("main", "master", "*-docker")
"""Branches that build when [tags] names none."""

RELEASES = ("v[0-9]*", "[0-9]*")
GITHUB_REGISTRY = "ghcr.io"
NO_INSTALL = (
    "command -v imagegen || { echo '::error::imagegen is not here: write the job again with "
    "imagegen ci github --install COMMAND, or use a runner that has it' >&2; exit 1; }"
)


def github(plan: Plan, blueprint: str, branches: Iterable[str], install: str | None) -> str:
    """Write a workflow for GitHub Actions.

    `blueprint` is the path in the repository, `branches` are globs that build on a push, and
    `install` is the shell that brings imagegen.
    """
    hosts = _hosts(plan)
    name = f"image {plan.image}"
    workflow: dict[str, Any] = {
        "name": name,
        "on": {
            "push": {"branches": [_glob(b) for b in branches], "tags": list(RELEASES)},
            "pull_request": {},
            "workflow_dispatch": {},
        },
        "permissions": {"contents": "read", **_packages(hosts)},
        "concurrency": {"group": f"{name} ${{{{ github.ref }}}}", "cancel-in-progress": False},
        "jobs": {"image": {"runs-on": "ubuntu-24.04", "steps": _steps(hosts, blueprint, install)}},
    }
    head = "# Made by imagegen: `imagegen ci github`. Change the blueprint, not this file.\n"
    return head + yaml.safe_dump(workflow, sort_keys=False, width=100)


def branches(tags: Tags) -> tuple[str, ...]:
    """Say which branches build: those that [tags] names."""
    return tuple(tags.branch) if tags.branch else BRANCHES


def _steps(hosts: Sequence[str], blueprint: str, install: str | None) -> list[dict[str, Any]]:
    pushes = "github.event_name != 'pull_request'"
    return [
        # All tags are needed: they decide whether `latest` may move.
        {"uses": "actions/checkout@v4", "with": {"fetch-depth": 0, "persist-credentials": False}},
        {"name": "Install imagegen", "run": install or NO_INSTALL},
        {"name": "Decide the tags", "run": 'imagegen tags "$BLUEPRINT"', "env": _env(blueprint)},
        {"name": "Build", "run": 'imagegen build "$BLUEPRINT"', "env": _env(blueprint)},
        *(_login(host, pushes) for host in hosts),
        {
            "name": "Push",
            "if": pushes,
            "run": 'imagegen push "$BLUEPRINT"',
            "env": _env(blueprint),
        },
    ]


def _env(blueprint: str) -> dict[str, str]:
    """A path reaches the shell as a variable, never as part of the script."""
    return {"BLUEPRINT": blueprint}


def _login(host: str, pushes: str) -> dict[str, Any]:
    """Log in without the password on a command line; without a password, not at all."""
    github = host == GITHUB_REGISTRY
    return {
        "name": f"Log in to {host}",
        "if": pushes,
        "env": {
            "REGISTRY": host,
            "REGISTRY_USER": "${{ github.actor }}" if github else "${{ secrets.REGISTRY_USER }}",
            "REGISTRY_PASSWORD": "${{ secrets.GITHUB_TOKEN }}"
            if github
            else "${{ secrets.REGISTRY_PASSWORD }}",
        },
        "run": 'if [ -n "$REGISTRY_PASSWORD" ]; then\n'
        "  printf '%s' \"$REGISTRY_PASSWORD\" |\n"
        '    docker login "$REGISTRY" --username "$REGISTRY_USER" --password-stdin\n'
        "fi\n",
    }


def _hosts(plan: Plan) -> list[str]:
    """List the registries' hosts, each once; a path without a host is Docker Hub's."""
    hosts = []
    for registry in plan.registries:
        first, slash, _ = registry.partition("/")
        named = "." in first or ":" in first or first == "localhost" or not slash
        hosts.append(first if named else "docker.io")
    return list(dict.fromkeys(hosts))


def _packages(hosts: Sequence[str]) -> Mapping[str, str]:
    return {"packages": "write"} if GITHUB_REGISTRY in hosts else {}


def _glob(glob: str) -> str:
    """Translate a glob of ours, whose `*` crosses slashes, into GitHub's."""
    return glob.replace("*", "**")
