"""imagegen push: images to their registries."""

import typer

from imagegen.cli.arguments import HERE, AsJson, BlueprintPath


def push(blueprint: BlueprintPath = HERE, json: AsJson = False) -> None:
    """Push the images, under the names that `imagegen tags` shows.

    Nothing is pushed unless every variant is there and up to date. An event for which [tags] has
    no rule pushes nothing.

    Example: imagegen push examples/overwatch
    """
    from dataclasses import asdict

    from imagegen.act import git
    from imagegen.act.docker import DockerEngine
    from imagegen.act.push import push as act
    from imagegen.cli.output import as_json, table
    from imagegen.errors import ImagegenError
    from imagegen.plan import plan
    from imagegen.plan.chain import with_bases
    from imagegen.read import read

    variants = read(blueprint)
    event = git.event(variants[0].folder)
    plans = with_bases(plan(variants, event))
    if event.kind == "local":
        raise ImagegenError(f"nothing was pushed: {event.name}")
    going = [one for one in plans if one.released and one.registries]
    homeless = sorted({one.image for one in plans if one.released and not one.registries})
    if homeless:
        raise ImagegenError(
            f"{', '.join(homeless)}: image.registries does not say where to push to"
        )
    pushed = act(going, DockerEngine(), lambda line: typer.echo(line, err=True))
    if json:
        as_json([asdict(one) for one in pushed])
    elif not pushed:
        typer.echo(f"nothing to push: [tags] has no rule for {event}")
    else:
        table(
            ("IMAGE", "VARIANT", "REFERENCE", "DIGEST"),
            [(one.image, one.variant, one.reference, one.digest[:19]) for one in pushed],
        )
