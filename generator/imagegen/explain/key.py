"""What the language says about a key path."""

import re
from dataclasses import dataclass

from imagegen.errors import UsageError, quoted
from imagegen.language import Blueprint
from imagegen.language.about import ANYTHING, Either, Key, ListOf, MapOf, Scalar, Type, keys
from imagegen.language.paths import key_path
from imagegen.language.table import Table
from imagegen.read.document import toml_key
from imagegen.read.near import hint

_INDEX = re.compile(r"\[([0-9]+)\]")


@dataclass(frozen=True, slots=True)
class Asked:
    """A key path that the language knows. `key` is None where the last part is a name of yours.

    `owner` is the table that has the key, `named` how much of the path must be there because it
    ends in a name of yours, and `goes_to` says in words what becomes of it.
    """

    path: tuple[str, ...]
    key: Key | None
    kind: Type
    owner: type[Table] | None = None
    named: int = 0
    goes_to: str = ""

    @property
    def name(self) -> str:
        return ".".join(map(toml_key, self.path))

    @property
    def table(self) -> type[Table] | None:
        return self.kind if isinstance(self.kind, type) else None


def asked(text: str) -> Asked:
    """Look up a key path: keys as TOML writes them, an item of a list by its name or number.

    Raises UsageError with what may have been meant.
    """
    path = key_path(_INDEX.sub(r".\1", text))
    if path is None:
        raise UsageError(
            f"{quoted(text)} is no key; write it as TOML does, as in services.web.health or "
            "'files.\"/etc/x\".text'"
        )
    kind: Type = Blueprint
    key: Key | None = None
    owner: type[Table] | None = None
    named = 0
    goes_to = ""
    for number, part in enumerate(path):
        found = _below(kind, part)
        if found is None:
            above = ".".join(map(toml_key, path[:number]))
            raise UsageError(_unknown(part, above, kind))
        owner = kind if isinstance(kind, type) else None
        key, kind = found
        goes_to = key.goes_to if key else goes_to
        named = named if key else number + 1
    return Asked(path, key, kind, owner, named, goes_to)


def _below(kind: Type, part: str) -> tuple[Key | None, Type] | None:
    match kind:
        case MapOf() | ListOf():
            return None, kind.item
        case Either():
            return next((found for one in kind.types if (found := _below(one, part))), None)
        case Scalar():
            return (None, ANYTHING) if kind == ANYTHING else None
        case _:
            return next(((key, key.type) for key in keys(kind) if key.name == part), None)


def _unknown(part: str, above: str, kind: Type) -> str:
    known = [key.name for key in keys(kind)] if isinstance(kind, type) else []
    where = f" in {above}" if above else ""
    said = hint(part, known) if known else "; it is a value, and no table"
    return f"there is no key {quoted(part)}{where}{said}"
