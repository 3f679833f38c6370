"""`{{ name }}`: what names mean in a variant, and filling them in."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from imagegen.errors import Problem
from imagegen.read.document import Node

RESERVED = ("address", "git", "image", "ports", "users", "volumes")

_NAME = re.compile(
    r"(?P<escape>\{\{\{\{)|\{\{[ \t]*(?P<name>[A-Za-z0-9_][\w-]*(?:\.[\w-]+)*)[ \t]*\}\}"
)
_VERSION = re.compile(r"v?(?P<major>[0-9]+)(?:\.(?P<minor>[0-9]+))?(?:\.(?P<patch>[0-9]+))?")
_PARTS = ("major", "minor", "patch")


class _Unknown(Exception):  # noqa: N818 -- never leaves this module
    """A name that means nothing here, with what to say about it."""


@dataclass
class Names:
    """The names of one variant. Values are filled in on first use; circles are refused.

    `event` holds what git says (`version`, `branch`, …); where it is None, `git.*` stays as it
    is, to be filled in when the event is known.
    """

    root: Node
    axes: Mapping[str, str]
    event: Mapping[str, str] | None = None
    problems: list[Problem] = field(default_factory=list)
    _known: dict[str, str] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def fill(self, node: Node) -> Node:
        """Fill in every string of the value, and of everything below it."""
        value = node.value
        if isinstance(value, str):
            return node.with_value(self._text(node, value)) if "{{" in value else node
        if isinstance(value, dict):
            return node.with_value({key: self.fill(item) for key, item in value.items()})
        if isinstance(value, list):
            return node.with_value([self.fill(item) for item in value])
        return node

    def fill_keys(self, node: Node) -> Node:
        """Fill in the keys of a table whose keys are paths; two may not become one."""
        filled: dict[str, Node] = {}
        for key, item in node.items():
            path = self._text(item, key) if "{{" in key else key
            if path in filled:
                self.problems.append(item.problem(f'"{path}" is given twice', key=True))
            filled[path] = item
        return node.with_value(filled) if isinstance(node.value, dict) else node

    def _text(self, node: Node, text: str) -> str:
        def one(match: re.Match[str]) -> str:
            name = match["name"]
            if match["escape"]:
                return "{{"
            if self.event is None and name.split(".")[0] == "git":
                return match[0]
            try:
                return self._value(name)
            except _Unknown as unknown:
                self.problems.append(node.problem(str(unknown), within=match[0]))
                return match[0]

        return _NAME.sub(one, text)

    def _value(self, name: str) -> str:
        if name not in self._known:
            if name in self._open:
                circle = " → ".join([*self._open[self._open.index(name) :], name])
                raise _Unknown(f"names go in a circle: {circle}")
            self._open.append(name)
            try:
                self._known[name] = self._find(name)
            finally:
                self._open.pop()
        return self._known[name]

    def _find(self, name: str) -> str:
        first, *rest = name.split(".")
        if rest and rest[-1] in _PARTS:
            return self._part(name, ".".join([first, *rest[:-1]]), rest[-1])
        if not rest and first in self.axes:
            return self.axes[first]
        node = self._node(first, rest)
        if node is None or isinstance(node.value, dict | list | bool):
            raise _Unknown(self._unknown(name))
        if isinstance(node.value, str):
            return self._text(node, node.value)
        return str(node.value)

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

    def _part(self, name: str, whole: str, part: str) -> str:
        if whole.startswith("git.") and self.event is not None and name in self.event:
            return self.event[name]
        value = self._value(whole)
        found = _VERSION.match(value)
        if not found or found[part] is None:
            raise _Unknown(f'{whole} is "{value}": it has no {part} number')
        return found[part]

    def _unknown(self, name: str) -> str:
        known = sorted([*self.axes, *self._all()])
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {{{{ {near[0]} }}}}?" if near else ""
        listed = "" if near else f"; known here: {', '.join(known) or 'none'}"
        return f"unknown name {{{{ {name} }}}}{hint}{listed}"

    def _all(self) -> list[str]:
        found = [f"image.{key}" for key in ("name", "version") if self.root.get("image", key)]
        for table, pattern in _TABLES.items():
            node = self.root.get(table)
            found += [pattern.format(key) for key, _ in node.items()] if node else []
        return found


_TABLES = {"args": "{}", "ports": "ports.{}", "volumes": "volumes.{}", "users": "users.{}.home"}
