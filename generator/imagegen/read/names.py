"""`{{ name }}`: what names mean in a variant, and filling them in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from imagegen.errors import BlueprintError, Problem, quoted, shortened
from imagegen.read.document import Node
from imagegen.read.locate import KeyPath
from imagegen.read.near import hint, listing, nearest
from imagegen.read.normal import SCALAR, Shape
from imagegen.read.source import LARGEST

RESERVED = ("address", "git", "image", "ports", "users", "volumes")

_MOST_LINKS = 40
_MOST_HINTS = 100
_LARGEST_PORT = 65536
_NAME = re.compile(
    r"(?P<escape>\{\{\{\{)|\{\{[ \t]*(?P<name>[A-Za-z0-9_][\w-]*(?:\.[\w-]+)*)[ \t]*\}\}"
)
_VERSION = re.compile(r"v?(?P<major>[0-9]+)(?:\.(?P<minor>[0-9]+))?(?:\.(?P<patch>[0-9]+))?")
_PARTS = ("major", "minor", "patch")
GIT = (
    *("version", "version.major", "version.minor", "version.patch"),
    *("tag", "branch", "pr", "sha", "describe", "date", "time"),
)


class _Unknown(Exception):  # noqa: N818 -- never leaves this module
    """A name that means nothing here, with what to say about it."""


@dataclass
class Names:
    """The names of one variant. Values are filled in on first use; circles are refused.

    `event` holds what git says (`version`, `branch`, …); where it is None, `git.*` stays as it
    is, to be filled in when the event is known. `addresses` are known in a service of the stack: a
    text, or after a NUL the reason why there is none.
    """

    root: Node
    axes: Mapping[str, str]
    event: Mapping[str, str] | None = None
    problems: list[Problem] = field(default_factory=list)
    addresses: Mapping[str, str] | None = None
    _known: dict[str, str] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _unfilled: set[str] = field(default_factory=set)
    _later: set[str] = field(default_factory=set)
    _room: int = LARGEST

    used: set[str] = field(default_factory=set)
    """Names that something was filled in with."""

    def seen_from(self, addresses: Mapping[str, str]) -> "Names":
        """The same, as a service of the stack has them, which reaches the others in its own way."""
        return replace(self, addresses=addresses, used=set(), _known={}, _open=[])

    def fill(self, node: Node, shape: Shape = SCALAR) -> Node:
        """Fill in every string of the value, and of everything below it but unknown keys."""
        value = node.value
        if isinstance(value, str):
            if node.final or "{{" not in value:
                return node
            text, is_sure = self._text(node, value)
            return node.with_value(text, doubtful=not is_sure, final=True)
        if isinstance(value, dict):
            filled = {
                key: self.fill(item, shape.key(key)) if shape.knows(key) else item
                for key, item in value.items()
            }
            return node.with_items(filled)
        if isinstance(value, list):
            return node.with_value([self.fill(item, shape.each or SCALAR) for item in value])
        return node

    def fill_keys(self, node: Node) -> Node:
        """Fill in the keys of a table whose keys are paths; two may not become one."""
        filled: dict[str, Node] = {}
        for key, item in node.items():
            plain = item.final or "{{" not in key
            path, is_sure = (key, True) if plain else self._text(item, key, key=True)
            if path in filled:
                message = f"{quoted(path)} is the path of another key too"
                self.problems.append(item.problem(message, key=True))
            filled[path] = item.with_value(item.value, doubtful=not is_sure, final=not plain)
        return node.with_value(filled) if isinstance(node.value, dict) else node

    def _text(self, node: Node, text: str, *, key: bool = False) -> tuple[str, bool]:
        """Fill in a text; the second value tells whether all its names had a meaning."""
        is_sure = True

        def one(match: re.Match[str]) -> str:
            nonlocal is_sure
            if match["escape"]:
                return "{{"
            name = match["name"]
            try:
                value = self._value(name)
                self._check(node, name, value)
            except _Unknown as unknown:
                self.problems.append(node.problem(str(unknown), key=key, within=match[0]))
                is_sure = False
                return match[0]
            is_sure = is_sure and name not in self._unfilled
            return value

        filled = _NAME.sub(one, text)
        if not is_sure:
            self._unfilled.update(self._open)
        return filled, is_sure

    def _check(self, node: Node, name: str, value: str) -> None:
        self._room -= len(value)
        if self._room < 0:
            message = f"what the names stand for grows beyond {LARGEST // 2**20} MiB"
            raise BlueprintError([node.problem(message)])
        if name in self._later:
            self._later.update(self._open)
            if not _may_wait(node.path):
                what = "" if name.startswith("git.") else " holds a name of git, which"
                where = "in [tags], image.version and the labels"
                raise _Unknown(f"{_braced(name)}{what} is known only {where}")

    def _value(self, name: str) -> str:
        if name not in self._known:
            if name in self._open:
                circle = listing([*self._open[self._open.index(name) :], name], " → ")
                raise _Unknown(f"names go in a circle: {circle}")
            if len(self._open) > _MOST_LINKS:
                raise _Unknown(f"names lead to names, more than {_MOST_LINKS} times over")
            self._open.append(name)
            self.used.add(name)
            try:
                self._known[name] = self._find(name)
            finally:
                self._open.pop()
        return self._known[name]

    def _find(self, name: str) -> str:
        first, *rest = name.split(".")
        if first in ("git", "address"):
            return self._git(name, ".".join(rest)) if first == "git" else self._address(name)
        if not rest and first in self.axes:
            return self.axes[first]
        node = self._node(first, rest)
        if node is not None and isinstance(node.value, str):
            return node.value if node.final else self._text(node, node.value)[0]
        if node is not None and type(node.value) is int and abs(node.value) < _LARGEST_PORT:
            return str(node.value)
        if node is not None or name in self._all():
            self._unfilled.update(self._open)  # what is wrong there is said there
            return ""
        if rest and rest[-1] in _PARTS:
            return self._part(".".join([first, *rest[:-1]]), rest[-1])
        raise _Unknown(self._unknown(name))

    def _address(self, name: str) -> str:
        if self.addresses is None:
            raise _Unknown(f"{_braced(name)} is known only in [stack.services]")
        if name not in self.addresses:
            known = hint(name, self.addresses, _braced)
            raise _Unknown(f"unknown name {_shown(name)}{known}")
        address = self.addresses[name]
        if address.startswith("\0"):
            raise _Unknown(f"{_shown(name)} {address[1:]}")
        return address

    def _git(self, name: str, fact: str) -> str:
        if fact not in GIT:
            known = [f"git.{fact}" for fact in GIT]
            raise _Unknown(f"unknown name {_shown(name)}{hint(name, known, _braced)}")
        if self.event is None:
            self._later.add(name)
            return _braced(name)
        if fact not in self.event:
            raise _Unknown(f"{_braced(name)} is not known for this event of git")
        return self.event[fact]

    def _node(self, first: str, rest: list[str]) -> Node | None:
        """Where the value of a name stands in the document."""
        match first, rest:
            case _, []:
                return self.root.get("args", first)
            case "image", ["name" | "version"]:
                return self.root.get("image", rest[0])
            case "ports", [name]:
                return self.root.get("ports", name, "port")
            case "volumes", [name]:
                return self.root.get("volumes", name, "path")
            case "users", [name, "home"]:
                return self._home(name)
        return None

    def _home(self, name: str) -> Node | None:
        user = self.root.get("users", name)
        if user is None:
            return None
        return user.get("home") or user.with_value(f"/home/{name}")

    def _part(self, whole: str, part: str) -> str:
        value = self._value(whole)
        if whole in self._unfilled:
            self._unfilled.update(self._open)
            return ""
        if value == _braced("git.version"):
            self._later.update(self._open)
            return _braced(f"git.version.{part}")
        found = _VERSION.match(value)
        if not found or found[part] is None:
            raise _Unknown(f"{shortened(whole)} is {quoted(value)}, which has no {part} number")
        return found[part]

    def _unknown(self, name: str) -> str:
        if len(self.problems) > _MOST_HINTS:
            return f"unknown name {_shown(name)}"
        known = {name for name in (*self.axes, *self._all()) if _NAME.fullmatch(_braced(name))}
        plain = "" if nearest(name, known) else "; a plain {{ is written {{{{"
        return f"unknown name {_shown(name)}{hint(name, known, _braced)}{plain}"

    def _all(self) -> list[str]:
        found = [f"image.{key}" for key in ("name", "version") if self.root.get("image", key)]
        for table, pattern in _TABLES.items():
            node = self.root.get(table)
            found += [pattern.format(key) for key, _ in node.items()] if node else []
        return found


_TABLES = {"args": "{}", "ports": "ports.{}", "volumes": "volumes.{}", "users": "users.{}.home"}


def _braced(name: str) -> str:
    return f"{{{{ {name} }}}}"


def _shown(name: str) -> str:
    return _braced(shortened(name))


def _may_wait(path: KeyPath) -> bool:
    """Tell where a name of git may stand, which is known only when the image is tagged."""
    match path:
        case ("override", _, *rest):
            return _may_wait(tuple(rest))
        case ("image", key, *_):
            return key not in ("name", "base", "registries")
    return path[:1] in (("tags",), ("args",))
