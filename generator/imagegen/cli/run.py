"""imagegen run: a container of the image, with everything that the plan knows of it."""

from typing import Annotated, Literal

import typer

from imagegen.cli.arguments import HERE, BlueprintPath


def run(
    blueprint: BlueprintPath = HERE,
    command: Annotated[
        list[str] | None,
        typer.Argument(help="A command to run when the services are up.", show_default=False),
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option(help="Which variant; default the default one.", show_default=False),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the container; default the image's.", show_default=False),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option("--env", "-e", help="NAME=VALUE for the container.", show_default=False),
    ] = None,
    form: Annotated[
        Literal["docker", "compose"] | None,
        typer.Option("--print", help="Show the recipe instead.", show_default=False),
    ] = None,
) -> None:
    """Start a container, with everything that the blueprint says.

    Ports, volumes, limits and the stop time-out come from the blueprint; what is not up to date is
    built first.

    Example: imagegen run examples/hello -e CFG='{"greeting": "Salut"}'
    """
    from imagegen.act import git
    from imagegen.act.docker import DockerEngine
    from imagegen.cli.building import build_shown
    from imagegen.plan import plan
    from imagegen.plan.recipe import environment, recipe
    from imagegen.plan.select import select
    from imagegen.read import read
    from imagegen.render.recipes import compose, docker_run

    variants = read(blueprint)
    chosen = select(variants, plan(variants, git.event(variants[0].folder)), variant)
    wanted = recipe(
        chosen, name=name, environment=environment(env or ()), command=tuple(command or ())
    )
    if form:
        typer.echo({"docker": docker_run, "compose": compose}[form](wanted), nl=False)
        return
    engine = DockerEngine()
    build_shown([chosen], engine)
    started = engine.run(wanted)
    typer.echo(f"started {started.name} ({started.id[:12]}) from {wanted.image}")
    for port in wanted.ports:
        typer.echo(f"  port {port.container} is at {port.address}:{port.host}")
    typer.echo(f"  logs: docker logs -f {started.name}")
    typer.echo(f"  stop: docker stop {started.name}")
