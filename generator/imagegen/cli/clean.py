"""imagegen clean: away with what old builds left behind."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.cli.arguments import HERE, AsJson, BlueprintPath, Settings

if TYPE_CHECKING:
    from imagegen.plan import Plan


def clean(
    blueprint: BlueprintPath = HERE,
    settings: Settings = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Of all images that imagegen built, not of one blueprint.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """Remove images of earlier builds that have no tag any more.

    What has a tag, what a container was made from, and what any of these stands on, stays. It
    shows what would go, and asks.

    Example: imagegen clean examples/hello
    """
    import sys

    from imagegen.act.build import found
    from imagegen.act.clean import leftovers
    from imagegen.act.docker import DockerEngine
    from imagegen.cli.output import as_json, count, short_id, size, table

    plans = () if everything else _plans(blueprint, settings)
    engine = DockerEngine()
    current = [image.id for image in found(plans, engine) if image]
    old = leftovers(engine, [one.image for one in plans], current)
    rows = [
        (", ".join(sorted(image.references)) or "-", short_id(image.id), size(image.size))
        for image in old
    ]
    if old and not json:
        table(("NAME", "ID", "SIZE"), rows)
    if old and not yes:
        if json or not sys.stdin.isatty():
            raise typer.BadParameter("nobody is here to be asked; say --yes", param_hint="--yes")
        typer.confirm(f"Remove {count(len(old), 'image')}?", abort=True)
    for image in old:
        engine.remove(image)
    if json:
        as_json([{"names": sorted(image.references), "id": image.id} for image in old])
    else:
        typer.echo(f"removed {count(len(old), 'image')}" if old else "nothing to remove")


def _plans(blueprint: Path, settings: Sequence[str] | None) -> "Sequence[Plan]":
    from imagegen.act.bases import look
    from imagegen.plan import plan
    from imagegen.plan.chain import with_bases
    from imagegen.read import read

    return with_bases(plan(read(blueprint, look, settings)))
