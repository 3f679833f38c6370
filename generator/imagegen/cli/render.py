"""imagegen render: the build contexts, as folders."""

from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from imagegen.cli.arguments import HERE, AsJson, BlueprintPath


def render(
    blueprint: BlueprintPath = HERE,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Where to; default build/IMAGE here.", show_default=False
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the folder, whatever it holds.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Write the build context of every variant into a folder.

    Files there that imagegen did not write, or that were changed since, are not touched: it
    refuses. The folder changes as a whole or not at all.

    Example: imagegen render examples/hello --output /tmp/hello
    """
    from imagegen.act.folder import write
    from imagegen.cli.output import as_json, count
    from imagegen.plan import plan
    from imagegen.read import read
    from imagegen.render import rendered

    variants = read(blueprint)
    plans = plan(variants)
    top = {id(planned) for planned in plans}
    folders = {
        id(one.plan): PurePosixPath(one.plan.variant)
        if id(one.plan) in top
        else PurePosixPath("bases", one.plan.image, one.plan.variant)
        for one in rendered(plans)
    }
    tree = {
        folders[id(one.plan)] / path: entry
        for one in rendered(plans)
        for path, entry in one.tree.items()
    }
    folder = output or Path("build") / plans[0].image
    changed = write(tree, folder, source=variants[0].folder, overwrite=overwrite)
    if json:
        contexts = {planned.variant: folder / planned.variant for planned in plans}
        as_json({"changed": changed, "contexts": contexts})
        return
    what = f"{count(len(folders), 'context')}, {count(len(tree), 'file')}"
    typer.echo(f"{folder}: {what}" if changed else f"{folder}: up to date ({what})")
