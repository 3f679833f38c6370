"""imagegen ci: the job that builds and pushes."""

from pathlib import Path
from typing import Annotated

import typer

from imagegen.cli.arguments import BlueprintPath

app = typer.Typer(help="Write the CI job that builds and pushes.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Write the CI job that builds, and pushes what `imagegen tags` says."""


@app.command("github")
def github(
    blueprint: BlueprintPath = Path(),
    install: Annotated[
        str | None,
        typer.Option(
            help="Shell that brings imagegen; default: the runner has it.", show_default=False
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Where to; default .github/workflows/IMAGE.yml of the repository; - prints.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a workflow for GitHub Actions.

    It builds on main, on the branches of [tags], on release tags and on pull requests, and pushes
    on all but the last.

    Example: imagegen ci github blueprint.toml --install "pip install imagegen-blueprint"
    """
    from imagegen.act import git
    from imagegen.act.folder import write_file
    from imagegen.plan import plan
    from imagegen.read import read
    from imagegen.render.ci import branches, github

    variants = read(blueprint)
    planned = plan(variants)[0]
    root = git.root(variants[0].folder) or variants[0].folder
    named = variants[0].document.source.path.resolve().relative_to(root)
    text = github(planned, str(named), branches(variants[0].blueprint.tags), install)
    if output == Path("-"):
        typer.echo(text, nl=False)
        return
    target = output or root / ".github" / "workflows" / f"{planned.image}.yml"
    changed = write_file(target, text)
    typer.echo(f"{target}: {'written' if changed else 'up to date'}")
