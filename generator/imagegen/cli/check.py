"""imagegen check: is the blueprint right?"""

import typer

from imagegen.cli.arguments import AsJson, BlueprintPath


def check(blueprint: BlueprintPath, json: AsJson = False) -> None:
    """Check a blueprint, and say everything that is wrong with it at once.

    Example: imagegen check examples/hello
    """
    from dataclasses import asdict

    from imagegen.cli.output import as_json, count
    from imagegen.errors import BlueprintError
    from imagegen.plan import plan
    from imagegen.read import read

    try:
        variants = read(blueprint)
        plan(variants)
    except BlueprintError as error:
        if json:
            as_json({"ok": False, "problems": [asdict(problem) for problem in error.problems]})
        else:
            typer.echo(str(error), err=True)
            typer.echo(f"\n{count(len(error.problems), 'problem')} in {blueprint}", err=True)
        raise typer.Exit(error.exit_code) from None
    if json:
        as_json({"ok": True, "problems": []})
    else:
        typer.echo(f"{blueprint}: right, {count(len(variants), 'variant')}")
