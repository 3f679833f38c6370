"""imagegen new: a folder to begin with."""

from pathlib import Path
from typing import Annotated

import typer


def new(
    folder: Annotated[
        Path, typer.Argument(help="Where the new folder goes.", metavar="PARENT")
    ] = Path(),
    template: Annotated[str, typer.Option(help="What to begin with: daemon.")] = "daemon",
    answers: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="An answer given beforehand: name, description, base, port, uid, registry.",
            metavar="KEY=VALUE",
            show_default=False,
        ),
    ] = None,
    no_input: Annotated[
        bool, typer.Option("--no-input", help="Ask nothing; take the defaults for the rest.")
    ] = False,
) -> None:
    """Make a folder to begin with: a blueprint and an app.

    The app stands for yours. Asks for what it must know. The folder is named after the image; it
    must not exist yet.

    Example: imagegen new --no-input --set name=web
    """
    import shlex

    from imagegen.act.scaffold import scaffold

    made = scaffold(template, answers or (), folder, ask=not no_input)
    typer.echo(f"made {made}")
    typer.echo(f"  next: cd {shlex.quote(str(made))} && imagegen build && imagegen run")
