"""imagegen ci: the job that builds and pushes."""

from pathlib import Path
from typing import Annotated

import typer

from imagegen.cli.arguments import HERE, BlueprintPath, Settings

app = typer.Typer(help="Write the CI job that builds and pushes.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Write the CI job that builds, and pushes what `imagegen tags` says."""


@app.command("github")
def github(
    blueprint: BlueprintPath = HERE,
    settings: Settings = None,
    install: Annotated[
        str | None,
        typer.Option(
            help="Shell that brings imagegen; default: the runner has it.",
            metavar="COMMAND",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Where to; default .github/workflows/IMAGE.yml of the repository; - prints.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Write the file anew though it was changed by hand.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; end with 4 if the file differs.")
    ] = False,
) -> None:
    """Write a workflow for GitHub Actions.

    It builds on the branches of [tags], on release tags and on pull requests, and pushes on all
    but the last, if image.registries says where to. Give --check the same options as the file was
    written with.

    Example: imagegen ci github . --install "pip install imagegen-blueprint"
    """
    from imagegen.act import git
    from imagegen.act.bases import look
    from imagegen.act.folder import write_file
    from imagegen.plan import plan
    from imagegen.plan.chain import with_bases
    from imagegen.read import read
    from imagegen.read.source import is_there
    from imagegen.render.ci import NO_INSTALL, branches, github

    variants = read(blueprint, look, settings)
    plans = with_bases(plan(variants))
    repository = git.root(variants[0].folder)
    root = repository or variants[0].folder
    named = variants[0].document.source.path.resolve().relative_to(root)
    text = github(
        plans,
        str(named),
        branches(variants[0].blueprint.tags),
        install or NO_INSTALL,
        settings or (),
    )
    if output == Path("-") and not check:
        typer.echo(text, nl=False)
        return
    target = output or root / ".github" / "workflows" / f"{plans[-1].image}.yml"
    is_file = is_there(target) and target.is_file()
    there = target.read_bytes().decode(errors="replace") if is_file else None
    if check:
        _check(target, there, text)
        return
    if there is not None:
        _refuse_loss(target, there, overwrite=overwrite)
    changed = write_file(target, text)
    typer.echo(f"{target}: {'written' if changed else 'up to date'}")
    if not plans[-1].registries:
        typer.echo("  it does not push: image.registries does not say where to")
    if not repository:
        typer.echo("  the blueprint is in no git repository; GitHub looks at the top of one")
    if not install:
        typer.echo("  the runner must have imagegen; else give --install COMMAND")


def _check(target: Path, there: str | None, text: str) -> None:
    """Say whether the file is what would be written. Raises OutOfDate."""
    from imagegen.errors import OutOfDate

    if there != text:
        state = "differs from the blueprint" if there is not None else "is missing"
        raise OutOfDate(f"{target} {state}; run imagegen ci github")
    typer.echo(f"{target}: up to date")


def _refuse_loss(target: Path, there: str, *, overwrite: bool) -> None:
    """Refuse to write over what somebody else wrote, or changed. Raises ImagegenError."""
    from imagegen.errors import ImagegenError
    from imagegen.render.ci import is_ours, is_untouched

    if not is_ours(there):
        raise ImagegenError(f"{target} is not imagegen's; choose another --output")
    if not (overwrite or is_untouched(there)):
        raise ImagegenError(
            f"{target} was changed since imagegen wrote it; --overwrite loses these changes\n"
            "    [ci] of the blueprint has keys for tests, logins, paths and a schedule"
        )
