"""imagegen check: is the blueprint right?"""

import typer

from imagegen.cli.arguments import HERE, AsJson, BlueprintPath, Settings


def check(blueprint: BlueprintPath = HERE, settings: Settings = None, json: AsJson = False) -> None:
    """Check a blueprint, and say everything wrong with it at once.

    Looks at the own files that it names, too, and at every variant.

    Example: imagegen check examples/hello
    """
    from dataclasses import asdict

    from imagegen.act.bases import look
    from imagegen.cli.output import as_json, count
    from imagegen.errors import BlueprintError
    from imagegen.plan import plan
    from imagegen.read import read
    from imagegen.read.notes import notes

    try:
        variants = read(blueprint, look, settings)
        plan(variants)
    except BlueprintError as error:
        if not json:
            raise
        problems = [asdict(problem) for problem in error.problems]
        more = {"more": error.more} if error.more else {}
        as_json({"ok": False, "problems": problems, **more})
        raise typer.Exit(error.exit_code) from None
    told = notes(variants)
    if json:
        as_json({"ok": True, "problems": [], "notes": [asdict(note) for note in told]})
    else:
        for note in told:
            typer.echo(f"note: {str(note).partition(chr(10))[0]}")
        typer.echo(f"{blueprint}: ok, {count(len(variants), 'variant')}")
