"""Names in files that are filled in when a container starts."""

from collections.abc import Callable, Iterator
from typing import Any

from imagegen.errors import Problem, quoted, shortened
from imagegen.language.templates import NAME, Blank, format_of, pieces
from imagegen.read.config import at, defaults_of, paths
from imagegen.read.locate import KeyPath
from imagegen.read.near import hint, nearest
from imagegen.read.rules.checked import Checked
from imagegen.read.rules.files import unusable

_CONFIG = "cfg."
_MOST = 20


def names(c: Checked) -> Iterator[Problem | None]:
    wrong = _Names(c)
    for path, content in c.blueprint.files.items():
        place = ("files", path)
        if not content.render:
            continue
        written = content.format or format_of(path)
        if content.text is not None:
            node = c.root.nearest((*place, "text"))
            for _, found, message in wrong.of(content.text, written):
                if not node.holds_doubt():
                    yield node.problem(message, within=found)
        elif content.file is not None and not unusable(c, (*place, "file"), content.file, "file"):
            yield from _of_file(c, (*place, "file"), content.file, wrong, written)


def _of_file(
    c: Checked, place: KeyPath, name: str, wrong: "_Names", written: str
) -> Iterator[Problem | None]:
    try:
        text = (c.folder / name).read_bytes().decode()
    except UnicodeDecodeError:
        yield c.wrong(place, f"{quoted(name)} is no text in UTF-8, and can't be filled in")
        return
    for line, _, message in wrong.of(text, written):
        yield c.wrong(place, f"{quoted(name)}, line {line}: {message}")


class _Names:
    """What may be filled in: declared variables, and what the configuration's defaults have."""

    def __init__(self, c: Checked) -> None:
        self.variables = c.declared("env")
        self.config: Any = None
        config = c.blueprint.config
        place = ("config", "file")
        if config.file is not None and unusable(c, place, config.file, "file"):
            self.config = ...  # it may be a pipe, or have no end
        elif config.model_fields_set:
            try:
                self.config = defaults_of(config, c.folder)
            except (ValueError, OSError):
                self.config = ...  # what is wrong with it is said there

    def of(self, text: str, written: str) -> Iterator[tuple[int, str, str]]:
        """Find what can't be filled in: the line, what is there, and why.

        That is names that mean nothing, and places where no value of any kind can stand.
        """
        told = 0
        misplaced = {p.start: p.wrong for p in pieces(text, written) if isinstance(p, Blank)}
        for found in NAME.finditer(text):
            if told == _MOST:
                break
            message = None if found["escape"] else self._message(found["name"], found["end"])
            if not message and (why := misplaced.get(found.start())):
                message = f"{found[0]} {why}"
            if message:
                told += 1
                yield text.count("\n", 0, found.start()) + 1, found[0], message

    def _message(self, name: str, end: str) -> str | None:
        if not end:
            return "${ has no } on its line; a plain ${ is written $${"
        if name.startswith(_CONFIG):
            return self._config_message(name.removeprefix(_CONFIG))
        if name in self.variables:
            return None
        return self._unknown(name, "not declared in [env]", self.variables, str)

    def _config_message(self, path: str) -> str | None:
        if self.config is ...:
            return None
        if self.config is None:
            return f"{_braced(_CONFIG + path)} needs a [config], which there is none of"
        try:
            at(self.config, path)
        except (KeyError, ValueError):
            known = [*paths(self.config)]
            return self._unknown(
                _CONFIG + path, "not in the defaults of [config]", known, lambda p: _CONFIG + p
            )
        return None

    @staticmethod
    def _unknown(name: str, why: str, known: Any, write: Callable[[str], str]) -> str:  # noqa: ANN401
        written = {write(one) for one in known}
        plain = "" if nearest(name, written) else "; a plain ${ is written $${"
        return f"{_braced(name)} is {why}{hint(name, written, _braced)}{plain}"


def _braced(name: str) -> str:
    return f"${{{shortened(name)}}}"
