"""The CI job: builds, and pushes what `imagegen tags` says. Only GitHub's own checkout is used."""

import hashlib
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from imagegen.language.tags import Tags
from imagegen.plan import Plan
from imagegen.plan.running import Ci, Command
from imagegen.plan.tags import DEFAULT
from imagegen.render.dumped import as_yaml

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
_PUSHES_OWN = f"{_PUSHES} || github.event.pull_request.head.repo.full_name == github.repository"


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
    image, ci = plans[-1].image, plans[-1].ci
    unlooked = {"paths-ignore": list(ci.paths_ignore)} if ci.paths_ignore else {}
    job = _Job(hosts, arguments, install, ci)
    workflow: dict[str, Any] = {
        "name": f"image {image}",
        "on": {
            "push": {
                "branches": _globs(branches),
                "tags": [*RELEASES, *_globs(ci.tags)],
                **unlooked,
            },
            "pull_request": unlooked,
            **({"schedule": [{"cron": ci.schedule}]} if ci.schedule else {}),
            "workflow_dispatch": {},
        },
        "permissions": {"contents": "read", **_packages(hosts)},
        # One after the other for a ref: what was pushed last is the newest.
        "concurrency": {"group": f"image {image} ${{{{ github.ref }}}}"},
        "jobs": {"image": {"runs-on": "ubuntu-24.04", "steps": list(job.steps())}},
    }
    head = ""
    if secrets := job.secrets():
        head = f"# Secrets of the repository that it takes: {', '.join(secrets)}.\n"
    return marked(head + as_yaml(workflow, width=100))


def marked(body: str) -> str:
    """Head a file with what tells that it is ours, and whether anybody has changed it."""
    return f"{MARK} Change the blueprint, not this file.\n{_SUM}{_digest(body)}\n{body}"


def is_ours(text: str) -> bool:
    return text.startswith(MARK)


def is_untouched(text: str) -> bool:
    """Tell whether a file of ours is as it was written."""
    _, _, rest = text.partition("\n")
    told, _, body = rest.partition("\n")
    return told == f"{_SUM}{_digest(body)}"


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


_SUM = "# sha256 of what is below: "


def branches(tags: Tags) -> tuple[str, ...]:
    """Say which branches build: those that [tags] names."""
    rules = (DEFAULT if tags == Tags() else tags).rule("branch")
    return tuple(glob or "*" for glob, _ in rules) or BRANCHES


@dataclass(frozen=True, slots=True)
class _Job:
    hosts: Sequence[str]
    arguments: Mapping[str, str]
    install: str
    ci: Ci

    def steps(self) -> Iterator[dict[str, Any]]:
        pushes = _PUSHES_OWN if self.ci.pull_requests else _PUSHES
        # All tags are needed: they decide whether `latest` may move.
        checkout = {"fetch-depth": 0, "persist-credentials": False}
        yield {"uses": "actions/checkout@v4", "with": checkout}
        if self.ci.test:
            yield self._test(self.ci.test)
        yield {"name": "Install imagegen", "run": self.install}
        yield self._imagegen("Decide the tags", "tags")
        declared = {login.registry: login for login in self.ci.logins}
        for login in self.ci.logins:
            yield _login(login.registry, _secret(login.user), _secret(login.password))
        yield self._imagegen("Build", "build")
        for host in self.hosts:
            if host not in declared:
                yield {**_login(host, *self._usual(host)), "if": pushes}
        if self.hosts:
            yield {**self._imagegen("Push", "push"), "if": pushes}

    def secrets(self) -> list[str]:
        """List the secrets that somebody must give."""
        declared = {login.registry for login in self.ci.logins}
        usual = [h for h in self.hosts if h != GITHUB_REGISTRY and h not in declared]
        names = [name for login in self.ci.logins for name in (login.user, login.password)]
        names += [name for host in usual for name in _names(host, self.hosts)]
        return [name for name in dict.fromkeys(names) if name != "GITHUB_TOKEN"]

    def _usual(self, host: str) -> tuple[str, str]:
        if host == GITHUB_REGISTRY:
            return "${{ github.actor }}", _secret("GITHUB_TOKEN")
        user, password = _names(host, self.hosts)
        return _secret(user), _secret(password)

    def _test(self, test: Command) -> dict[str, Any]:
        """Run the test of the blueprint, in its folder. What it says stays as it is."""
        env = {name: _literal(value) for name, value in test.env.items()}
        folder = str(PurePosixPath(self.arguments["BLUEPRINT"]).parent)
        if test.script:
            env["SCRIPT"] = _literal(os.path.relpath(test.script, self.ci.folder))
            run = 'cd "$FOLDER"\nchmod +x "./$SCRIPT"\n"./$SCRIPT"\n'
        elif test.words:
            run = f'cd "$FOLDER"\n{_literal(shlex.join(test.words))}\n'
        else:
            run = f'cd "$FOLDER"\n{_literal(test.text or "")}\n'
        step = {
            "name": "Test",
            "shell": "sh -eu {0}",
            "env": {**env, "FOLDER": _literal(folder)},
            "run": run,
        }
        return {**step, **({"timeout-minutes": -(-test.timeout // 60)} if test.timeout else {})}

    def _imagegen(self, name: str, command: str) -> dict[str, Any]:
        """Call a command. Arguments reach the shell as variables, never as part of the script."""
        settings = "".join(f' --set "${name}"' for name in self.arguments if name != "BLUEPRINT")
        env = {name: _literal(value) for name, value in self.arguments.items()}
        return {"name": name, "env": env, "run": f'imagegen {command}{settings} -- "$BLUEPRINT"'}


def _secret(name: str) -> str:
    return f"${{{{ secrets.{name} }}}}"


def _login(host: str, user: str, password: str) -> dict[str, Any]:
    """Log in without the password on a command line; without a password, not at all."""
    return {
        "name": f"Log in to {host}",
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
