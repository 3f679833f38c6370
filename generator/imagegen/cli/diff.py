"""imagegen diff: what changes for the user, and what must be built again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from pathlib import Path
from typing import Annotated, Any

import typer

from imagegen.cli.arguments import HERE, AsJson, Settings

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_COLOURS = {"added": "green", "removed": "red", "changed": "yellow"}
_SHOWN = 60
_LEAD = 12
_LISTED = 10


def diff(
    first: Annotated[
        Path,
        typer.Argument(
            help="A blueprint, or its folder; default: this folder.",
            metavar="OLD",
            show_default=False,
        ),
    ] = HERE,
    second: Annotated[
        Path | None,
        typer.Argument(help="The blueprint to compare it with.", metavar="NEW", show_default=False),
    ] = None,
    rendered: Annotated[
        Path | None,
        typer.Option(
            help="With one blueprint: what imagegen render wrote; default build/IMAGE here.",
            show_default=False,
        ),
    ] = None,
    settings: Settings = None,
    files: Annotated[
        bool, typer.Option("--files", help="Show the lines of the files, too, as diff -u does.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show what changes from OLD to NEW, variant by variant.

    Two blueprints are compared in words: base, packages, ports, services, configuration and so
    on. One blueprint is compared with the contexts that were rendered from it. Both show the
    files of the contexts, and the first instruction that must be built again.

    What --set says is laid over both. Variants are matched by their axes. Ends with 0 if there is
    no difference, else with 1.

    Example: imagegen diff old/blueprint.toml blueprint.toml
    """
    from imagegen.cli.output import as_json

    if second is not None and rendered is not None:
        raise typer.BadParameter("goes with one blueprint, not with two", param_hint="--rendered")
    compared = (
        _blueprints(first, second, settings) if second else _folder(first, rendered, settings)
    )
    differing = [one for one in compared if one.differs]
    if json:
        as_json([_record(one, files=files) for one in compared])
    else:
        for one in differing:
            _show(one, files=files)
        if not differing:
            typer.echo("no difference")
    if differing:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Compared:
    """One variant on both sides; `gone` and `fresh` tell that a side has it not."""

    variant: str
    changes: Sequence[Any] = ()
    files: Sequence[Any] = ()
    rebuilt: Any = None
    gone: bool = False
    fresh: bool = False

    @property
    def differs(self) -> bool:
        return bool(self.changes or self.files or self.gone or self.fresh)


def _blueprints(first: Path, second: Path, settings: Sequence[str] | None) -> list[_Compared]:
    from imagegen.act.bases import look
    from imagegen.compare import changed_files, difference, first_rebuilt, paired
    from imagegen.compare.facts import Facts, facts
    from imagegen.plan import plan
    from imagegen.read import read
    from imagegen.render import Rendered, by_folder

    def contexts(path: Path) -> list[tuple[object, str, Facts, Rendered]]:
        """List the contexts; what own bases say is said of the variants on them already."""
        variants = read(path, look, settings)
        plans = plan(variants)
        said = {id(p): facts(v, p) for v, p in zip(variants, plans, strict=True)}
        return [
            (frozenset(one.plan.axes.items()), str(name), said[id(one.plan)], one)
            if id(one.plan) in said
            else (name, str(name), {}, one)
            for name, one in by_folder(plans).items()
        ]

    compared = []
    for old, new in paired(contexts(first), contexts(second), lambda context: context[0]):
        if old and new:
            trees = old[3].tree, new[3].tree
            one = _Compared(
                variant=new[1],
                changes=difference(old[2], new[2]),
                files=changed_files(*trees),
                rebuilt=first_rebuilt(*trees),
            )
            compared.append(one)
        elif only := old or new:
            compared.append(_Compared(only[1], gone=new is None, fresh=old is None))
    return compared


def _folder(path: Path, rendered: Path | None, settings: Sequence[str] | None) -> list[_Compared]:
    from imagegen.act.bases import look
    from imagegen.act.drift import lying
    from imagegen.compare import changed_files, first_rebuilt
    from imagegen.plan import plan
    from imagegen.read import read
    from imagegen.render import by_folder

    plans = plan(read(path, look, settings))
    folder = rendered or Path("build") / plans[0].image
    there = lying(folder)
    left = dict(there)
    compared = []
    for name, one in by_folder(plans).items():
        old = {
            path.relative_to(name): left.pop(path)
            for path in there
            if path in left and path.is_relative_to(name)
        }
        if not old:
            compared.append(_Compared(str(name), fresh=True))
            continue
        changed, rebuilt = changed_files(old, one.tree), first_rebuilt(old, one.tree)
        compared.append(_Compared(str(name), files=changed, rebuilt=rebuilt))
    others = dict.fromkeys(path.parts[0] for path in left)
    return [*compared, *(_Compared(name, gone=True) for name in others)]


def _show(one: _Compared, *, files: bool) -> None:
    from imagegen.cli.output import styled
    from imagegen.compare import unified
    from imagegen.errors import visible

    name = visible(one.variant)
    if one.gone or one.fresh:
        sign, colour, what = ("-", "red", "gone") if one.gone else ("+", "green", "new")
        typer.echo(styled(f"{sign} {name}: the whole variant is {what}", fg=colour, bold=True))
        return
    typer.echo(styled(name, bold=True))
    rows = [*_rows(one)]
    width = max((len(topic) for _, topic, _ in rows), default=0)
    for kind, topic, words in rows:
        typer.echo(styled(f"  {_SIGNS[kind]} {topic.ljust(width)}  {words}", fg=_COLOURS[kind]))
    if one.rebuilt:
        where = f"Dockerfile:{one.rebuilt.line}"
        typer.echo(f"  built again from {where}: {one.rebuilt.instruction}")
        typer.echo(f"    {one.rebuilt.why}")
    elif one.changes:
        typer.echo("  every layer comes from the cache")
    if files:
        for file in one.files:
            typer.echo(unified(file, f"old/{one.variant}", f"new/{one.variant}"), nl=False)


def _rows(one: _Compared) -> Iterator[tuple[str, str, str]]:
    from imagegen.errors import visible

    for change in one.changes:
        yield change.kind, change.topic, visible(_words(change))
    for file in one.files[:_LISTED]:
        yield file.kind, "in the context", visible(str(file.path))
    if len(one.files) > _LISTED:
        yield "changed", "in the context", f"and {len(one.files) - _LISTED} more files"


def _words(change: Any) -> str:  # noqa: ANN401 -- compare.Change, not imported yet
    name = ".".join(filter(None, (change.name, change.key)))
    if change.kind == "changed":
        before, after = change.before or "nothing", change.after or "nothing"
        is_long = max(len(before), len(after)) > _SHOWN
        start = len(commonprefix([before, after])) if is_long else 0  # noqa: RUF071 -- characters
        said = " → ".join(_part(text, max(start - _LEAD, 0)) for text in (before, after))
    else:
        said = _part(change.after or change.before or "")
    return ": ".join(filter(None, (name, said)))


def _part(text: str, start: int = 0) -> str:
    """Show what there is room for, from where it begins to differ."""
    from imagegen.errors import shortened

    return shortened(("…" if start else "") + text[start:], _SHOWN)


def _record(one: _Compared, *, files: bool) -> dict[str, object]:
    from dataclasses import asdict

    from imagegen.compare import unified

    state = "removed" if one.gone else "added" if one.fresh else "changed"
    return {
        "variant": one.variant,
        "state": state if one.differs else "same",
        "changes": [asdict(change) for change in one.changes],
        "files": [
            {
                "path": str(file.path),
                "kind": file.kind,
                **({"diff": unified(file, "old", "new")} if files else {}),
            }
            for file in one.files
        ],
        "first_rebuilt": asdict(one.rebuilt) if one.rebuilt else None,
    }
