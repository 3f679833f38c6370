"""Rules about what must not lie in an image: secrets, by their names and by their looks."""

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from imagegen.errors import quoted
from imagegen.lint.finding import Found
from imagegen.lint.subject import Subject
from imagegen.read.document import Node
from imagegen.read.locate import KeyPath
from imagegen.render.places import in_context
from imagegen.tree import File

_WORDS = frozenset(
    {
        *("password", "passwd", "passphrase", "pass", "pw", "pwd", "secret", "secrets", "token"),
        *("credential", "credentials", "apikey", "privatekey", "secretkey", "accesskey"),
    }
)
_KEYS = frozenset(
    {
        *("access", "account", "admin", "api", "app", "auth", "aws", "client", "deploy"),
        *("encryption", "license", "master", "private", "secret", "service", "shared", "signing"),
        *("ssh", "ssl", "tls"),
    }
)
"""What stands before `key` where it is one that opens something."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_HARMLESS = re.compile(r"\s*|/.*|\$\{?\w+\}?|(?i:none|null|true|false|yes|no|optional|required)")
_LOOKS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "a password in an address": re.compile(
        r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'$]{1,100}:[^\s/@\"'$]{1,100}@"
    ),
    "an access key of AWS": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a token of GitHub": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,})"),
    "a token of GitLab": re.compile(r"\bglpat-[\w-]{20}"),
    "a token of Slack": re.compile(r"\bxox[abpors]-[A-Za-z0-9-]{10,}"),
}
_HEADERS = ("authorization", "cookie", "proxy-authorization")
_FILES = (
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.p12", "*.pfx", "*.kdbx"),
    *(".netrc", "_netrc", ".pgpass", ".git-credentials", ".env", ".env.*"),
)
_SAMPLES = ("*.example", "*.sample", "*.template", "*.dist")
_HEAD = 4096
_MOST_NAMES = 3


def is_secret(name: str) -> bool:
    """Tell whether something of that name would be a secret: DB_PASSWORD, but not PASSWORD_FILE."""
    words = [word.lower() for word in _WORD.findall(name) if not word.isdigit()]
    if not words:
        return False
    *before, last = words
    return last in _WORDS or (last == "key" and (before[-1] in _KEYS if before else name == "KEY"))


def _named(s: Subject) -> Iterator[Found]:
    for place, name, value in _values(s):
        is_header = place[-2:-1] == ("headers",) and name.lower() in _HEADERS
        if (is_secret(name) or is_header) and not _HARMLESS.fullmatch(value):
            message = f"{quoted(name)} looks like a secret, and its value stands here"
            yield _hidden(s.found("IG201", place, message, key=True))


def _undeclared(s: Subject) -> Iterator[Found]:
    """Variables whose value comes at the start, by their names."""
    for name, variable in s.blueprint.env.items():
        if is_secret(name) and not variable.default and not variable.secret:
            message = f"{quoted(name)} looks like a secret, and is not said to be one"
            yield s.found("IG203", ("env", name), message, key=True)


def _unused(s: Subject) -> Iterator[Found]:
    b = s.blueprint
    used = {name for step in b.steps for name in (*step.secrets, step.netrc)}
    for service in b.stack.services.values() if b.stack else ():
        used |= set(service.secrets.values())
    for name in b.secrets:
        if name not in used:
            yield s.found("IG204", ("secrets", name), "nothing uses it", key=True)


def _values(s: Subject) -> Iterator[tuple[KeyPath, str, str]]:
    """Go over every value with a name: its place, its name, itself."""
    b = s.blueprint
    yield from ((("args", name), name, value) for name, value in b.args.items())
    for name, variable in b.env.items():
        yield ("env", name, "default"), name, variable.default or ""
    for path, command in s.commands:
        yield from (((*path, "env", name), name, v) for name, v in command.env.items())
    for number, step in enumerate(b.steps):
        for name, value in step.headers.items():
            yield ("steps", number, "headers", name), name, value
    yield from _leaves(("config", "defaults"), b.config.defaults or {})
    for service, one in b.stack.services.items() if b.stack else ():
        for name, variable in one.env.items():
            place = ("stack", "services", service, "env", name, "default")
            yield place, name, variable.default or ""
    for name, setting in b.stack.settings.items() if b.stack else ():
        yield ("stack", "settings", name, "default"), name, setting.default or ""


def _leaves(path: KeyPath, value: Any) -> Iterator[tuple[KeyPath, str, str]]:  # noqa: ANN401 -- JSON
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves((*path, key), item)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _leaves((*path, number), item)
    elif isinstance(value, str):
        yield path, next((part for part in reversed(path) if isinstance(part, str)), ""), value


def _looking(s: Subject) -> Iterator[Found]:
    for node in _texts(s.root):
        for what, pattern in _LOOKS.items():
            if pattern.search(str(node.value)):
                message = f"{what} stands here"
                yield _hidden(s.found("IG201", node.path, message, key=True))


def _texts(node: Node) -> Iterator[Node]:
    for item in (*(item for _, item in node.items()), *node.listed()):
        yield from _texts(item)
    if isinstance(node.value, str):
        yield node


def _hidden(found: Found) -> Found:
    """Show no excerpt: logs of CI are read by more people than the blueprint."""
    return replace(found, problem=replace(found.problem, text="", width=1))


def _files(s: Subject) -> Iterator[Found]:
    """Look at own files that stay in the image, by name and by how they begin."""
    stays: dict[KeyPath, PurePosixPath] = {
        ("steps", n, "copy"): PurePosixPath("steps", step.name, "source")
        for n, step in enumerate(s.plan.steps)
        if step.to is not None
    }
    for placed in s.plan.placed:
        stays["files", placed.path, "file"] = PurePosixPath("files", in_context(placed.path))
    for place, folder in stays.items():
        names = [
            s.shown(entry.content)
            for path, entry in s.tree.items()
            if path.is_relative_to(folder)
            and isinstance(entry, File)
            and isinstance(entry.content, Path)
            and _is_private(entry.content)
        ]
        if names:
            more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            listed = ", ".join(map(quoted, names[:_MOST_NAMES]))
            yield s.found("IG202", place, f"brings a secret into the image: {listed}{more}")


def _is_private(path: Path) -> bool:
    if any(fnmatch.fnmatch(path.name, sample) for sample in _SAMPLES):
        return False
    if any(fnmatch.fnmatch(path.name, name) for name in _FILES):
        return True
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    # A program may well contain these words; a key begins with them.
    return head.lstrip().startswith(b"-----BEGIN ") and b"PRIVATE KEY" in head.split(b"\n", 1)[0]


CHECKS = (_named, _undeclared, _looking, _files, _unused)
