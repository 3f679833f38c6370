"""imagegen explain: where does a value come from, and what becomes of it?"""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from imagegen.cli.arguments import HERE, AsJson, BlueprintPath, Settings

_WIDEST = 100
_MOST = 20


def explain(
    key: Annotated[
        str,
        typer.Argument(
            help="As TOML writes it: services.web.health, 'files.\"/etc/x\"', steps.app.",
            metavar="KEY",
            show_default=False,
        ),
    ],
    blueprint: BlueprintPath = HERE,
    settings: Settings = None,
    variant: Annotated[
        str | None,
        typer.Option(
            help="Only this variant, as `imagegen plan` names it.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Explain a key: its value, who says so, and what it became.

    The layers are, from the lowest to the highest: default of the language, own base, parts,
    blueprint, overrides, --set. What it became is found by laying another value over
    the blueprint and looking what changes. Of a table, the keys below are listed.

    Example: imagegen explain services.hello.stop-timeout examples/hello
    """
    from imagegen.act import git
    from imagegen.act.bases import look
    from imagegen.cli.output import as_json
    from imagegen.explain import asked
    from imagegen.explain import explain as answer
    from imagegen.plan import plan
    from imagegen.plan.select import select
    from imagegen.read import read

    about = asked(key)
    variants = read(blueprint, look, settings)
    event = git.event(variants)
    if variant is not None:
        chosen = select(variants, plan(variants, event), variant)
        variants = tuple(one for one in variants if dict(one.axes) == dict(chosen.axes))
    given = settings or []
    explained = answer(about, variants, event, lambda more: read(blueprint, look, [*given, *more]))
    if json:
        as_json(_record(about, explained))
        return
    _head(about)
    for one in explained:
        _show(one, about, alone=len(explained) == 1)


def _record(about: Any, explained: Sequence[Any]) -> dict[str, object]:  # noqa: ANN401
    from dataclasses import asdict

    key = about.key
    return {
        "key": about.name,
        "description": key.description if key else None,
        "required": key.required if key else None,
        "default": key.default if key else None,
        "goes_to": about.goes_to,
        "variants": [asdict(one) for one in explained],
    }


def _head(about: Any) -> None:  # noqa: ANN401 -- explain.Asked, not imported yet
    """Print what the language says of it."""
    from imagegen.cli.output import styled
    from imagegen.render.reference import described

    typer.echo(styled(about.name, bold=True))
    for line in described(about.key, about.kind):
        typer.echo(f"  {line}")


def _show(one: Any, about: Any, *, alone: bool) -> None:  # noqa: ANN401 -- explain.Explained
    from imagegen.cli.output import styled
    from imagegen.errors import visible

    typer.echo("")
    if not alone:
        typer.echo(styled(visible(", ".join(one.variants)), fg="cyan"))
    if one.below:
        _rows([(row.name, _value(row.value), row.layer) for row in one.below])
        return
    typer.echo(f"  value  {styled(_value(one.value), bold=True)}")
    _rows(
        [
            (
                "*" if said.wins else " ",
                said.layer,
                "removed" if said.removed else _value(said.value),
                said.place,
            )
            for said in one.layers
        ]
    )
    if one.became:
        is_set = one.value not in (None, (), [], {})
        typer.echo("  becomes" if is_set else "  not set; it would change")
        rows = [(f"{b.place}:{b.line}" if b.line else b.place, b.text) for b in one.became]
        _rows(rows[:_MOST])
        if len(rows) > _MOST:
            typer.echo(f"    and {len(rows) - _MOST} more lines; --json has them all")
    else:
        goes = about.goes_to
        told = goes if goes.startswith("nowhere") else f"nothing in this plan; it goes to: {goes}"
        typer.echo(f"  becomes  {told}")


def _rows(rows: Sequence[tuple[str, ...]]) -> None:
    from imagegen.errors import visible

    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [min(max(map(len, column)), _WIDEST) for column in zip(*shown, strict=True)]
    for row in shown:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo(f"    {line.rstrip()}")


def _value(value: object) -> str:
    from imagegen.errors import shortened
    from imagegen.render.reference import toml

    return "-" if value is None else shortened(toml(value), _WIDEST)
