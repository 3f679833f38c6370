"""The command line: the only place that prints and exits.

A command imports its rooms inside its body, so that `--help` and `--version` stay quick.
"""

import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from imagegen.cli import (
    build,
    check,
    ci,
    clean,
    diff,
    docs,
    explain,
    lint,
    new,
    plan,
    push,
    render,
    run,
    schema,
    tags,
)
from imagegen.errors import ImagegenError

EXAMPLES = """\b
Examples:
  imagegen check blueprint.toml      is it right?
  imagegen plan blueprint.toml       what would be built?
  imagegen render blueprint.toml     the build context, as a folder
  imagegen build blueprint.toml      the images, tagged

\b
Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 blueprint wrong, 4 out of date,
5 engine missing or refusing, 6 build failed.
"""

app = typer.Typer(
    name="imagegen",
    help="From a TOML blueprint to supervised, tested container images.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
app.command("check")(check.check)
app.command("lint")(lint.lint)
app.command("plan")(plan.plan)
app.command("render")(render.render)
app.command("diff")(diff.diff)
app.command("build")(build.build)
app.command("run")(run.run)
app.command("tags")(tags.tags)
app.command("push")(push.push)
app.command("clean")(clean.clean)
app.command("new")(new.new)
app.command("schema")(schema.schema)
app.command("docs")(docs.docs)
app.command("explain")(explain.explain)
app.add_typer(ci.app, name="ci")


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


class _Stopped(BaseException):
    """A signal that ends us; what is under way still puts its things in order."""


def main() -> None:
    """Run the command line; mistakes of the user become words and an exit code, bugs do not."""
    _end_in_order()
    try:
        app()
    except ImagegenError as error:
        from imagegen.cli.output import complain

        complain(error)
        sys.exit(error.exit_code)
    except _Stopped as stopped:
        sys.exit(stopped.args[0])


def _end_in_order() -> None:
    """Make Ctrl-C, a lost terminal and `kill` unwind, so that nothing is left half-done."""

    def stop(number: int, _: FrameType | None) -> NoReturn:
        raise _Stopped(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, stop)
