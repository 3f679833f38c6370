"""imagegen render: the build contexts, as folders."""

from pathlib import Path
from typing import Annotated, Any

import typer

from imagegen.cli.arguments import HERE, AsJson, BlueprintPath, Settings


def render(
    blueprint: BlueprintPath = HERE,
    settings: Settings = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Where to; default build/IMAGE here.", show_default=False
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the folder, whatever it holds.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; end with 4 if the folder is out of date."),
    ] = False,
    json: AsJson = False,
) -> None:
    """Write the build context of every variant into a folder.

    Files there that imagegen did not write, or that were changed since, are not touched: it
    refuses. The folder changes as a whole or not at all.

    With --check, as in CI, it only says which files would be written, changed or taken away.

    Example: imagegen render examples/hello --output /tmp/hello
    """
    from imagegen.act.bases import look
    from imagegen.act.folder import write
    from imagegen.cli.output import as_json, count
    from imagegen.plan import plan
    from imagegen.read import read
    from imagegen.render import by_folder

    variants = read(blueprint, look, settings)
    plans = plan(variants)
    contexts = by_folder(plans)
    tree = {
        folder / path: entry for folder, one in contexts.items() for path, entry in one.tree.items()
    }
    folder = output or Path("build") / plans[0].image
    what = f"{count(len(contexts), 'context')}, {count(len(tree), 'file')}"
    if check:
        _check(tree, folder, what, json=json)
        return
    changed = write(tree, folder, source=variants[0].folder, overwrite=overwrite)
    if json:
        places = {planned.variant: folder / planned.variant for planned in plans}
        as_json({"changed": changed, "contexts": places})
        return
    typer.echo(f"{folder}: {what}" if changed else f"{folder}: up to date ({what})")


def _check(tree: Any, folder: Path, what: str, *, json: bool) -> None:  # noqa: ANN401 -- a Tree
    """Say whether the folder is what would be written. Raises OutOfDate."""
    from dataclasses import asdict

    from imagegen.act.drift import drift
    from imagegen.cli.output import as_json
    from imagegen.errors import OutOfDate, visible

    found = drift(tree, folder)
    if json:
        as_json({"ok": not found, "folder": folder, **asdict(found)})
        if found:
            raise typer.Exit(OutOfDate.exit_code)
    elif found:
        lines = [
            f"    {how:8} {visible(name)}"
            for how, names in asdict(found).items()
            for name in (*names[:_LISTED], *_more(len(names)))
        ]
        head = f"{visible(str(folder))}: is not what the blueprint says; imagegen render writes it"
        raise OutOfDate("\n".join([head, *lines]))
    else:
        typer.echo(f"{folder}: up to date ({what})")


def _more(names: int) -> list[str]:
    return [f"and {names - _LISTED} more"] if names > _LISTED else []


_LISTED = 10
