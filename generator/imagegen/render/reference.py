"""The reference of the language: every table and key, for people who know Docker."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from itertools import chain

import jinja2

from imagegen.language import Blueprint
from imagegen.language import shapes as shape_module
from imagegen.language.about import (
    FIRST_VERSION,
    IMAGE_PATH,
    WHEN,
    Either,
    Key,
    ListOf,
    MapOf,
    Scalar,
    Type,
    keys,
    shapes,
    tables,
    tables_in,
)
from imagegen.language.fetch import Fetch
from imagegen.language.table import Table
from imagegen.library import library
from imagegen.read.document import toml_key
from imagegen.read.names import GIT

FIRST = """\
blueprint = 1

[image]
name = "web"
base = "debian:bookworm-slim"

[users.web]
uid = 2143

[packages]
apt = ["python3", "curl"]

[[steps]]
run = "mkdir /opt/web && echo hello > /opt/web/index.html"

[files]
"/etc/web.conf" = { text = "greeting = hello\\n" }

[env]
LANG = "C.UTF-8"

[ports.web]
port = 8080
publish = 8080

[volumes]
data = "/var/lib/web"

[services.web]
run = ["python3", "-m", "http.server", "{{ ports.web }}", "--directory", "/opt/web"]
health = { http = "http://localhost:{{ ports.web }}/" }

[tags]
release = ["{{ git.version }}", "latest"]
"""
DOCKER = {
    "image.name": "`docker build --tag`",
    "image.base": "`FROM`",
    "users.NAME.uid": "`RUN useradd --uid`",
    "packages.apt": "`RUN apt-get update && apt-get install …`, without leftovers",
    "steps.run": "`RUN`",
    "steps.copy": "`COPY`",
    "files": "`COPY --chown --chmod`, or a here-document",
    "env": "`ENV`",
    "ports.NAME.port": "`EXPOSE`",
    "ports.NAME.publish": "`docker run --publish`",
    "volumes.NAME.path": "`VOLUME`, `docker run --volume`",
    "services.NAME.run": "`CMD`, and a supervisor where there are several",
    "services.NAME.health": "`HEALTHCHECK`",
    "tags.release": "`docker tag`, in CI",
}
"""The keys of a first blueprint, and what one writes without imagegen."""

ORDER = (
    *("image", "users", "packages", "steps", "secrets", "files", "env", "config", "ports"),
    *("volumes", "services", "jobs", "logs", "container", "args", "matrix", "override", "tags"),
)
"""In which order the tables are explained; what is not here comes last."""

_REQUIRED = "**required**"
_NONE = "\N{EN DASH}"
_SHAPES = (shape_module.Command, shape_module.Probe, Fetch, shape_module.Place)


@dataclass(frozen=True, slots=True)
class Row:
    """A key, in Markdown."""

    name: str
    anchor: str
    type: str
    default: str
    meaning: str
    is_table: bool = False

    @property
    def link(self) -> str:
        return f"[`{self.name}`](#{self.anchor})"


@dataclass(frozen=True, slots=True)
class Section:
    """A table, in Markdown."""

    title: str
    anchor: str
    text: str
    goes_to: str
    rows: tuple[Row, ...]
    extends: str = ""

    @property
    def link(self) -> str:
        return f"[{self.title}](#{self.anchor})"


def reference() -> str:
    """Write the page."""
    sections = [*_sections()]
    shaped = [_section(t.__name__, t.__name__.lower(), t) for t in _SHAPES]
    rows = {row.anchor: row for section in sections + shaped for row in section.rows}
    first = [_first_row(path, docker, rows) for path, docker in DOCKER.items()]
    return _template().render(
        first={"text": FIRST, "rows": first},
        git=[f"git.{fact}" for fact in GIT],
        kinds=[*_kinds()],
        sections=sections,
        shapes=shaped,
        version=FIRST_VERSION,
    )


def _first_row(path: str, docker: str, rows: dict[str, Row]) -> dict[str, str]:
    anchor = _anchor(path)
    if anchor not in rows:
        anchor = _anchor(f"command.{path.rpartition('.')[2]}")
    meaning = rows[anchor].meaning.partition(" Goes to:")[0].partition(" <br>")[0]
    return {"link": f"[`{path}`](#{anchor})", "meaning": meaning, "docker": docker}


def _places() -> Iterator[tuple[str, type[Table]]]:
    """Go over the tables that have a section of their own, with their dotted paths."""
    left: list[tuple[str, type[Table]]] = [("", Blueprint)]
    while left:
        path, table = left.pop(0)
        yield path, table
        for key in keys(table):
            named = "." + _name_in(key.type) if isinstance(key.type, MapOf) else ""
            below = [t for t in tables_in(key.type) if t not in _SHAPES]
            left += [(f"{path}.{key.name}{named}".lstrip("."), t) for t in below]


def _name_in(kind: MapOf) -> str:
    return '"/PATH"' if kind.name == IMAGE_PATH else "NAME"


def _sections() -> Iterator[Section]:
    places = [(path, table) for path, table in _places() if path]
    top = [_section("Top of the file", "top", Blueprint)]
    by_key: dict[str, list[Section]] = {}
    for path, table in places:
        first = path.partition(".")[0]
        key = next(key for key in keys(Blueprint) if key.name == first)
        is_list = path == first and isinstance(key.type, ListOf)
        section = _section(f"`[[{path}]]`" if is_list else f"`[{path}]`", path, table)
        by_key.setdefault(first, []).append(section)
    for key in keys(Blueprint):
        if key.name in _ALONE:
            by_key[key.name] = [_alone(key)]
    order = [*ORDER, *(name for name in by_key if name not in ORDER)]
    yield from chain(top, *(by_key[name] for name in order if name in by_key))


_ALONE = {
    "args": """\
Constants, for `{{ NAME }}` everywhere; never in the environment. Each key is a name of yours:
`{{ python }}` after `python = "3.12"`.
""",
    "override": """\
What is different in some variants. Beside `when` it has any key that a blueprint may have, but
`matrix` and `override`; nothing is required. The entries that fit a variant are laid over the file
in order: tables merge key by key, of other values and of lists the upper wins.
""",
}
"""Tables whose keys are not the language's."""


def _alone(key: Key) -> Section:
    when = Row("when", "override-when", "axis = glob, or list of: glob", _REQUIRED, WHEN)
    return Section(
        title=f"`[[{key.name}]]`" if isinstance(key.type, ListOf) else f"`[{key.name}]`",
        anchor=key.name,
        text=f"{_ALONE[key.name]}\n```toml\n{_example_lines(key)}```",
        goes_to=key.goes_to,
        rows=(when,) if key.name == "override" else (),
    )


def _example_lines(key: Key) -> str:
    example = key.example[0] if isinstance(key.example, list) else key.example
    head = f"[[{key.name}]]" if isinstance(key.type, ListOf) else f"[{key.name}]"
    assert isinstance(example, dict)  # noqa: S101 -- it stands for a table
    lines = [f"{toml_key(name)} = {toml(value)}" for name, value in example.items()]
    return "\n".join([head, *lines, ""])


def _section(title: str, path: str, table: type[Table]) -> Section:
    links = (f"[{t.__name__}](#{t.__name__.lower()})" for t in shapes(table))
    text = _prose(table)
    if "one of" not in text.lower():
        text += "".join(f" At most one of {_listed(group)}." for group in table.alternatives())
    return Section(
        title=title,
        anchor=_anchor(path),
        text=text,
        goes_to=table.goes_to,
        rows=tuple(_row(path, key, table.goes_to) for key in keys(table) if key.own),
        extends=" and of a ".join(links),
    )


def _prose(table: type[Table]) -> str:
    if table is Blueprint:
        return "These keys come before the first table; most of them are tables, explained below."
    text = cleandoc(table.__doc__ or "")
    head, colon, rest = text.partition("]: ")
    return rest[:1].upper() + rest[1:] if colon and head.startswith("[") else text


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _row(path: str, key: Key, usual: str) -> Row:
    dotted = key.name if path == "top" else f"{path}.{key.name}"
    return Row(
        name=key.name,
        anchor=_anchor(dotted),
        type=f"list of: [table](#{key.name})"
        if key.name == "override"
        else _words(key.type, dotted),
        default=_default(key),
        meaning=_cell(" ".join(_meaning(key, usual))),
        is_table=_is_explained(key),
    )


def described(key: Key | None, kind: Type) -> Iterator[str]:
    """Explain a key to a terminal: its type, default and meaning, one a line."""
    words = _MARKDOWN.sub(r"\1", _words(kind, "")).replace("\\|", "|").replace("`", "")
    if key is None:
        yield words
    else:
        yield f"{words}; {_default(key).replace('`', '').replace('*', '')}"
        yield " ".join(key.description.split())
    for scalar in dict.fromkeys(_scalars(kind)):
        if scalar.hint:
            yield f"{scalar.words}: {scalar.hint}"
    if isinstance(kind, type) and kind.__doc__:
        yield " ".join(_prose(kind).replace("`", "").split())
    if key and key.goes_to:
        yield f"goes to: {key.goes_to}"


_MARKDOWN = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def _is_explained(key: Key) -> bool:
    """Tell whether the key has a section of its own."""
    return key.name in _ALONE or any(table not in _SHAPES for table in tables_in(key.type))


def _meaning(key: Key, usual: str) -> Iterator[str]:
    yield key.description
    if key.goes_to != usual and usual:
        yield f"Goes to: {key.goes_to}."
    if key.since != FIRST_VERSION:
        yield f"*Since {key.since}.*"
    if key.example is not None and not _is_explained(key):
        yield f"<br>`{toml_key(key.name)} = {toml(key.example)}`"


def _default(key: Key) -> str:
    if key.required:
        return _REQUIRED
    if isinstance(key.default, str | int):
        return _cell(f"`{toml(key.default)}`")
    return _NONE


def _words(kind: Type, path: str) -> str:
    """Say a type in words; what is explained elsewhere is linked."""
    match kind:
        case Scalar():
            return _scalar(kind)
        case ListOf():
            return f"list of: {_words(kind.item, path)}"
        case MapOf():
            name = _name_in(kind)
            link = f"[{name}](#{_kind_anchor(kind.name)})" if kind.name.hint else name
            return f"{link} = {_words(kind.item, f'{path}.{name}')}"
        case Either():
            return ", or ".join(_words(one, path) for one in kind.types)
        case _ if kind in _SHAPES:
            name = kind.__name__
            link = f"[{name}](#{name.lower()})"
        case _:
            link = f"[table](#{_anchor(path)})"
    bare = next((key for key in keys(kind) if key.name == kind.bare), None)
    return f"{link}, or {_words(bare.type, path)}" if bare else link


def _scalar(kind: Scalar) -> str:
    if "boolean" in kind.types:
        return "`true` or `false`"
    if kind.values and not kind.hint:
        return _cell(", ".join(f"`{toml(value)}`" for value in kind.values))
    if kind.types == ("integer",):
        return f"number{_range(kind)}"
    words = f"[{kind.words}](#{_kind_anchor(kind)})" if kind.hint else kind.words
    return f"number, or {words}" if "integer" in kind.types else words


def _range(kind: Scalar) -> str:
    return f", {kind.least} to {kind.most}" if kind.least is not None else ""


def _kinds() -> Iterator[dict[str, str]]:
    seen: dict[str, Scalar] = {}
    for table in chain(tables(), _SHAPES):
        for key in keys(table):
            for scalar in _scalars(key.type):
                if scalar.hint:
                    seen.setdefault(scalar.words, scalar)
    for words in sorted(seen):
        kind = seen[words]
        how = kind.hint.removeprefix("use ").removeprefix("write ")
        example = "" if kind.example is None else f"`{toml(kind.example)}`"
        values = [str(value) for value in kind.values if str(value) not in kind.hint]
        yield {
            "anchor": _kind_anchor(kind),
            "words": words,
            "how": _cell("; also ".join([how, *([_listed(values)] if values else [])])),
            "example": _cell(example),
        }


def _scalars(kind: Type) -> Iterator[Scalar]:
    match kind:
        case Scalar():
            yield kind
        case ListOf():
            yield from _scalars(kind.item)
        case MapOf():
            yield from _scalars(kind.name)
            yield from _scalars(kind.item)
        case Either():
            for one in kind.types:
                yield from _scalars(one)


def _kind_anchor(kind: Scalar) -> str:
    words = "".join(c if c.isalnum() else " " for c in kind.words.lower())
    return "-".join(["kind", *words.split()])


def _anchor(path: str) -> str:
    """Make the address of a table or key: services.NAME.run is at services-run."""
    parts = path.replace('"/PATH"', "NAME").split(".")
    return "-".join(part for part in parts if part != "NAME")


def _cell(text: str) -> str:
    """Fit a text into a cell of a table."""
    return text.replace("|", r"\|").replace("\n", " ")


def toml(value: object) -> str:
    """Write a value in TOML, on one line."""
    match value:
        case dict():
            pairs = ", ".join(f"{toml_key(k)} = {toml(v)}" for k, v in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case list() | tuple():
            return f"[{', '.join(map(toml, value))}]"
        case str() if "\\" in value and "'" not in value and value.isprintable():
            return f"'{value}'"
        case str() if '"' in value and "'" not in value and value.isprintable():
            return f"'{value}'"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _template() -> jinja2.Template:
    source = (library("render/templates") / "reference.md.j2").read_text("utf-8")
    environment = jinja2.Environment(  # noqa: S701 -- Markdown, of our own words
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.from_string(source)
