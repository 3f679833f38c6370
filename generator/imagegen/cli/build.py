"""imagegen build: images, tagged."""

from typing import Annotated

import typer

from imagegen.cli.arguments import AsJson, BlueprintPath


def build(
    blueprint: BlueprintPath,
    force: Annotated[bool, typer.Option("--force", help="Build even what is up to date.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show the result only, no progress.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Build every variant that is not up to date, and tag them.

    All are built in one solve; tags change only when all have succeeded.

    Example: imagegen build examples/hello
    """
    from dataclasses import asdict

    from imagegen.act import git
    from imagegen.act.build import build as act
    from imagegen.act.docker import DockerEngine
    from imagegen.cli.output import as_json, count, size, table
    from imagegen.cli.progress import Progress
    from imagegen.plan import plan
    from imagegen.read import read
    from imagegen.render.bake import target_name

    variants = read(blueprint)
    plans = plan(variants, git.event(variants[0].folder))
    engine = DockerEngine()
    names = {target_name(planned.image, planned.variant): planned.variant for planned in plans}
    with Progress(names, quiet=quiet) as progress:
        built = act(plans, engine, progress, force=force)
    if json:
        as_json([asdict(one) for one in built])
        return
    table(
        ("VARIANT", "STATE", "TAGS", "IMAGE", "SIZE", "TIME"),
        [
            (
                one.variant,
                one.state,
                ", ".join(one.references),
                one.id.removeprefix("sha256:")[:12],
                size(one.size),
                f"{one.seconds:.1f} s" if one.state == "built" else "-",
            )
            for one in built
        ],
    )
    if all(one.state == "unchanged" for one in built):
        typer.echo(f"nothing to do: {count(len(built), 'variant')} up to date")
