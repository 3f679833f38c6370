"""imagegen build: images, tagged."""

from typing import Annotated

import typer

from imagegen.cli.arguments import HERE, AsJson, BlueprintPath, CaBundle, Settings


def build(
    blueprint: BlueprintPath = HERE,
    settings: Settings = None,
    force: Annotated[bool, typer.Option("--force", help="Build even what is up to date.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show the result only, no progress.")
    ] = False,
    ca_bundle: CaBundle = None,
    json: AsJson = False,
) -> None:
    """Build every variant that is not up to date, and tag them.

    All are built in one solve, with their own bases first; tags change only when all
    have succeeded.

    Example: imagegen build examples/hello
    """
    from dataclasses import asdict

    from imagegen.act import git
    from imagegen.act.bases import look
    from imagegen.act.docker import DockerEngine
    from imagegen.cli.building import build_shown, show
    from imagegen.cli.output import as_json
    from imagegen.plan import plan
    from imagegen.plan.steps import refuse_unpinned
    from imagegen.read import read

    variants = read(blueprint, look, settings)
    refuse_unpinned(variants)
    plans = plan(variants, git.event(variants))
    built = build_shown(plans, DockerEngine(), ca_bundle=ca_bundle, force=force, quiet=quiet)
    if json:
        as_json([asdict(one) for one in built])
    else:
        show(built)
