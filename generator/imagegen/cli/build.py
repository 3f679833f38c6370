"""imagegen build: images, tagged."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.cli.arguments import AsJson, BlueprintPath

if TYPE_CHECKING:
    from imagegen.act.build import Built


def build(
    blueprint: BlueprintPath,
    force: Annotated[bool, typer.Option(help="Build even what is up to date.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show the result only, no progress.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Build every variant that is not up to date, in one solve, and tag them.

    Tags change only when all variants have succeeded.

    Example: imagegen build examples/hello
    """
    from dataclasses import asdict

    from imagegen.act import git
    from imagegen.act.build import build as act
    from imagegen.act.docker import DockerEngine
    from imagegen.cli.output import as_json
    from imagegen.plan import plan
    from imagegen.read import read

    def progress(target: str, line: str) -> None:
        if not quiet:
            typer.echo(f"{typer.style(target, fg='cyan')}  {line}", err=True)

    variants = read(blueprint)
    plans = plan(variants, git.event(variants[0].folder))
    built = act(plans, DockerEngine(), progress, force=force)
    if json:
        as_json([asdict(one) for one in built])
    else:
        _show(built)


def _show(built: "Sequence[Built]") -> None:
    from imagegen.cli.output import count, size, table

    rows = [
        (
            one.variant,
            one.state,
            ", ".join(one.references),
            one.id.removeprefix("sha256:")[:12],
            size(one.size),
            f"{one.seconds:.1f}" if one.state == "built" else "-",
        )
        for one in built
    ]
    table(("VARIANT", "STATE", "TAGS", "IMAGE", "SIZE", "SECONDS"), rows)
    if all(one.state == "unchanged" for one in built):
        typer.echo(f"nothing to do: {count(len(built), 'variant')} up to date")
