"""imagegen plan: what would be built?"""

from imagegen.cli.arguments import HERE, AsJson, BlueprintPath, Settings


def plan(blueprint: BlueprintPath = HERE, settings: Settings = None, json: AsJson = False) -> None:
    """Show what would be built: every variant, with everything decided.

    STOP is what `docker stop -t` needs.

    Example: imagegen plan examples/hello --json
    """
    from dataclasses import asdict

    from imagegen.act import git
    from imagegen.act.bases import look
    from imagegen.cli.output import as_json, table
    from imagegen.plan import plan as decide
    from imagegen.plan.recipe import GRACE
    from imagegen.read import read

    variants = read(blueprint, look, settings)
    plans = decide(variants, git.event(variants))
    if json:
        as_json([{**asdict(planned), "references": planned.references} for planned in plans])
        return
    table(
        ("VARIANT", "BASE", "TAGS", "SERVICES", "PORTS", "STOP"),
        [
            (
                planned.variant,
                planned.parent.references[0] if planned.parent else planned.base,
                ", ".join(planned.references),
                ", ".join(service.name for service in planned.services) or "-",
                ", ".join(str(port.number) for port in planned.ports) or "-",
                f"{planned.stop_budget + GRACE}s" if planned.stop_budget else "-",
            )
            for planned in plans
        ],
    )
