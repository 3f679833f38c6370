"""imagegen run: a container of the image, with everything that the plan knows of it."""

from typing import Annotated, Literal

import typer

from imagegen.cli.arguments import HERE, BlueprintPath, CaBundle, Settings

SETTLE = 2
"""Seconds in which a container that can't start ends: a wrong configuration, a missing program."""


def run(
    blueprint: BlueprintPath = HERE,
    settings: Settings = None,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            help="A command to run when the services are up, as in `imagegen run . bash`; write -- "
            "before its options.",
            metavar="COMMAND...",
            show_default=False,
        ),
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option(
            help="Which variant, as `imagegen plan` names it; default matrix.default.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the container; default the image's.", metavar="NAME", show_default=False
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            "--env",
            "-e",
            help="A variable for the container; without =VALUE your own value, never shown.",
            metavar="NAME=VALUE",
            show_default=False,
        ),
    ] = None,
    ca_bundle: CaBundle = None,
    form: Annotated[
        Literal["docker", "compose"] | None,
        typer.Option("--print", help="Show the recipe, and start nothing.", show_default=False),
    ] = None,
) -> None:
    """Start a container, with everything that the blueprint says.

    Ports, volumes, limits and the stop time-out come from it; what is not up to date is built
    first.

    Example: imagegen run examples/hello -e CFG='{"greeting": "Salut"}'
    """
    import os

    from imagegen.act import git
    from imagegen.act.bases import look
    from imagegen.act.docker import DockerEngine
    from imagegen.cli.building import build_shown
    from imagegen.cli.output import short_id
    from imagegen.errors import ImagegenError, visible
    from imagegen.plan import plan
    from imagegen.plan.recipe import environment, recipe, told
    from imagegen.plan.select import select
    from imagegen.plan.steps import refuse_unpinned
    from imagegen.read import read
    from imagegen.render.recipes import compose, docker_port, docker_run

    variants = read(blueprint, look, settings)
    chosen = select(variants, plan(variants, git.event(variants)), variant)
    wanted = recipe(
        chosen, name=name, environment=environment(env or ()), command=tuple(command or ())
    )
    if form:
        typer.echo({"docker": docker_run, "compose": compose}[form](wanted), nl=False)
        return
    refuse_unpinned(variants)
    ready = told(wanted, os.environ)
    engine = DockerEngine()
    build_shown([chosen], engine, ca_bundle=ca_bundle)
    started = engine.run(ready)
    if ended := engine.ended(started, SETTLE):
        lines = "".join(f"\n    | {visible(line)}" for line in ended.log.splitlines())
        if command and not ended.code:
            typer.echo(f"{started.name} ran the command and ended:{lines}")
            typer.echo(f"  remove it with: docker rm {started.name}")
            return
        raise ImagegenError(
            f"{started.name} ended at once, with exit code {ended.code}:{lines}\n"
            f"    remove it with: docker rm {started.name}"
        )
    typer.echo(f"started {started.name} ({short_id(started.id)}) from {wanted.image}")
    for port in wanted.ports:
        place = docker_port(port).rpartition(f":{port.container}")[0]
        typer.echo(f"  port {port.container} is at {place}")
    typer.echo(f"  logs: docker logs -f {started.name}")
    typer.echo(f"  stop: docker stop {started.name}")
