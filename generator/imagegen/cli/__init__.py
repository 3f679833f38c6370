"""The command line: the only place that prints and exits.

A command imports its rooms inside its body, so that `--help` and `--version` stay quick.
"""

import sys
from typing import Annotated

import typer

from imagegen.cli import build, check, plan, render
from imagegen.errors import ImagegenError

app = typer.Typer(
    name="imagegen",
    help="From a TOML blueprint to supervised, tested container images.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
app.command("check")(check.check)
app.command("plan")(plan.plan)
app.command("render")(render.render)
app.command("build")(build.build)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"imagegen {version('imagegen-blueprint')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    del version


def main() -> None:
    """Run the command line; mistakes of the user become words and an exit code, bugs do not."""
    try:
        app()
    except ImagegenError as error:
        typer.echo(f"{typer.style('imagegen:', fg='red')} {error}", err=True)
        sys.exit(error.exit_code)
