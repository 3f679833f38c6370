"""imagegen push: images to their registries."""

import typer

from imagegen.cli.arguments import HERE, AsJson, BlueprintPath, Settings


def push(blueprint: BlueprintPath = HERE, settings: Settings = None, json: AsJson = False) -> None:
    """Push the images, under the names that `imagegen tags` shows.

    Nothing is pushed unless every variant is built and up to date. An event for which [tags] has
    no rule, such as a pull request, pushes nothing. An own base goes along if it has
    image.registries; else it stays here.

    Example: imagegen push examples/overwatch
    """
    from dataclasses import asdict

    from imagegen.act import git
    from imagegen.act.bases import look
    from imagegen.act.docker import DockerEngine
    from imagegen.act.push import push as act
    from imagegen.cli.output import as_json, table
    from imagegen.errors import ImagegenError
    from imagegen.plan import plan
    from imagegen.plan.chain import with_bases
    from imagegen.read import read

    variants = read(blueprint, look, settings)
    event = git.event(variants)
    tops = plan(variants, event)
    if event.kind == "local":
        raise ImagegenError(f"nothing was pushed: {event.name}")
    if homeless := sorted({one.image for one in tops if one.released and not one.registries}):
        raise ImagegenError(
            f"{', '.join(homeless)}: image.registries does not say where to push to"
        )
    going = [one for one in with_bases(tops) if one.released and one.registries]
    pushed = act(going, DockerEngine(), lambda line: typer.echo(line, err=True)) if going else ()
    if json:
        as_json([asdict(one) for one in pushed])
    elif not pushed:
        typer.echo(f"nothing to push: [tags] has no rule for {event}")
    else:
        table(
            ("IMAGE", "VARIANT", "REFERENCE", "DIGEST"),
            [(one.image, one.variant, one.reference, one.digest[:19]) for one in pushed],
        )
