"""imagegen new: a folder to begin with."""

from pathlib import Path
from typing import Annotated

import typer


def new(
    folder: Annotated[
        Path, typer.Argument(help="Where the new folder goes; default here.")
    ] = Path(),
    template: Annotated[str, typer.Option(help="What to begin with: daemon.")] = "daemon",
    answers: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE: an answer given beforehand.", show_default=False),
    ] = None,
    no_input: Annotated[
        bool, typer.Option("--no-input", help="Ask nothing; take the defaults.")
    ] = False,
) -> None:
    """Make a folder to begin with: a blueprint and an app.

    Example: imagegen new --no-input --set name=web
    """
    from imagegen.act.scaffold import scaffold

    made = scaffold(template, answers or (), folder, ask=not no_input)
    typer.echo(f"made {made}")
    typer.echo(f"  next: cd {made} && imagegen build && imagegen run")
