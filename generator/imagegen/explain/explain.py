"""A key, explained: what it is, what each variant has, from which layer, and what that became."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from imagegen.errors import UsageError, quoted
from imagegen.explain.effects import Became, became
from imagegen.explain.key import Asked
from imagegen.explain.layers import DEFAULT, Said, final_node, find, said, written_path
from imagegen.language.about import keys
from imagegen.plan import Plan, plan
from imagegen.plan.event import Event
from imagegen.read import Variant
from imagegen.read.document import Node, plain, toml_key
from imagegen.read.merge import name_of
from imagegen.read.near import hint

Read = Callable[[Sequence[str]], tuple[Variant, ...]]
"""Reads the blueprint with some more options laid over it."""


@dataclass(frozen=True, slots=True)
class Below:
    """A key of a table: its value as it stands there, and the layer that it comes from."""

    name: str
    value: object
    layer: str


@dataclass(frozen=True, slots=True)
class Explained:
    """What the variants of one group have in common. Of a table there is only what is below."""

    variants: tuple[str, ...]
    value: object
    layers: tuple[Said, ...]
    became: tuple[Became, ...]
    below: tuple[Below, ...]


def explain(asked: Asked, variants: Sequence[Variant], event: Event, read: Read) -> list[Explained]:
    """Explain a key in every variant; those with the same answer are put together.

    Raises UsageError if no variant has anything of that name.
    """
    if not any(_is_there(variant, asked) for variant in variants):
        raise UsageError(_absent(asked, variants))
    plans = plan(variants, event)
    groups: dict[str, list[int]] = {}
    answers = [_answer(variant, asked) for variant in variants]
    for number, answer in enumerate(answers):
        groups.setdefault(repr(answer), []).append(number)
    explained = []
    for numbers in groups.values():
        first = numbers[0]
        value, layers, below = answers[first]
        found: tuple[Became, ...] = ()
        if not below:
            replan = _replanner(plans[first], event, read)
            written = next((one.value for one in reversed(layers) if one.wins), value)
            there = replace(asked, path=written_path(variants[first], asked.path))
            found = became(plans[first], there, written, replan)
        names = tuple(plans[number].variant for number in numbers)
        explained.append(Explained(names, value, layers, found, below))
    return explained


def _replanner(old: Plan, event: Event, read: Read) -> Callable[[str], Plan | None]:
    def replan(option: str) -> Plan | None:
        plans = plan(read([option]), event)
        return next((one for one in plans if one.axes == old.axes), None)

    return replan


def _answer(variant: Variant, asked: Asked) -> tuple[object, tuple[Said, ...], tuple[Below, ...]]:
    node = final_node(variant, asked.path)
    layers = said(variant, asked)
    if asked.table or (node and isinstance(node.value, dict)):
        return None, layers, tuple(_below(variant, asked, node))
    if node is not None:
        return plain(node), layers, ()
    return next((one.value for one in reversed(layers) if one.wins), None), layers, ()


def _below(variant: Variant, asked: Asked, node: Node | None) -> list[Below]:
    known = [key.name for key in keys(asked.table)] if asked.table else []
    there = [key for key, _ in node.items()] if node else []
    rows = []
    for name in dict.fromkeys([*known, *there]):
        key = next((k for k in keys(asked.table) if k.name == name), None) if asked.table else None
        below = Asked((*asked.path, name), key, key.type if key else asked.kind, asked.table)
        layers = said(variant, below)
        winner = next((one for one in reversed(layers) if one.wins), None)
        child = node.child(name) if node else None
        value = plain(child) if child else winner.value if winner else None
        rows.append(Below(name, value, winner.layer if winner else "base" if child else "-"))
    return rows


def _is_there(variant: Variant, asked: Asked) -> bool:
    """Tell whether all names of yours in the path are there; keys of the language always are."""
    depth = len(asked.path) if asked.key is None else asked.named
    if depth == 0 or find(variant.document, asked.path[:depth]) is not None:
        return True
    return any(one.layer != DEFAULT for one in said(variant, asked))


def _absent(asked: Asked, variants: Sequence[Variant]) -> str:
    """Say which name is not there, and which are."""
    for depth in range(1, len(asked.path) + 1):
        if not any(find(variant.document, asked.path[:depth]) for variant in variants):
            break
    above = [find(variant.document, asked.path[: depth - 1]) for variant in variants]
    known = {key for node in above if node for key, _ in node.items()}
    known |= {name for node in above if node for item in node.listed() if (name := name_of(item))}
    where = ".".join(map(toml_key, asked.path[: depth - 1]))
    part = asked.path[depth - 1]
    return f"there is no {quoted(part)}{f' in {where}' if where else ''}{hint(part, known)}"
