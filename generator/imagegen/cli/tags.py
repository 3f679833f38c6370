"""imagegen tags: which names would the images get, and why?"""

import typer

from imagegen.cli.arguments import HERE, AsJson, BlueprintPath, Settings


def tags(blueprint: BlueprintPath = HERE, settings: Settings = None, json: AsJson = False) -> None:
    """Show the names that the images get at this state of git.

    In GitHub Actions, GitLab CI and Travis the event decides. Elsewhere a clean work tree stands
    for the version that HEAD is tagged with, or else for its branch, or without one for its tag.

    Example: imagegen tags examples/overwatch
    """
    from imagegen.act import git
    from imagegen.act.bases import look
    from imagegen.cli.output import as_json, table
    from imagegen.plan import plan
    from imagegen.plan.chain import with_bases
    from imagegen.read import read

    variants = read(blueprint, look, settings)
    event = git.event(variants)
    plans = with_bases(plan(variants, event))
    if json:
        as_json(
            {
                "event": {"kind": event.kind, "name": event.name, "sha": event.sha},
                "tags": [
                    {
                        "image": one.image,
                        "variant": one.variant,
                        "released": one.released,
                        "references": one.references,
                    }
                    for one in plans
                ],
            }
        )
        return
    typer.echo(f"{event.kind}: {event.name}")
    table(
        ("IMAGE", "VARIANT", "TAGS"),
        [(one.image, one.variant, ", ".join(one.references)) for one in plans],
    )
    if not all(one.released for one in plans):
        typer.echo("no rule of [tags] is for this: `local` is for this machine and never pushed")
