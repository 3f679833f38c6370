"""The Dockerfile: a template over the plan, and shell for its RUN lines."""

import re
from collections.abc import Callable
from functools import cache

import jinja2

from imagegen.library import library
from imagegen.plan.model import Plan
from imagegen.render.npm import npm_run
from imagegen.render.packages import APT_FOLDER, install, release
from imagegen.render.pip import pip_run
from imagegen.render.places import Copy, folder_lines, opened
from imagegen.render.quoting import expanded, listed, path, paths, quote, word
from imagegen.render.region import made_locale, zone_lines
from imagegen.render.run import WRAP, body, simple, strict
from imagegen.render.sources import stages, tools
from imagegen.render.steps import inline, step_lines
from imagegen.render.users import user_lines
from imagegen.tree import Tree

INIT = "/usr/lib/imagegen/init"


def dockerfile(
    plan: Plan, base: str, copied: tuple[Copy, ...], gone: tuple[str, ...], tree: Tree
) -> str:
    """Write the Dockerfile.

    `base` is what FROM says, `copied` what the blueprint lays into the image, from the tree, and
    `gone` what the own base has laid and this image shall not have.
    """
    made = tuple(user_lines(plan))
    lowers = bool(plan.parent and plan.parent.runs_as)
    steps = tuple(step_lines(plan, tree))
    scripted = frozenset(
        step.name for step in plan.steps if step.command and not inline(step, plan)
    )
    rendered = _template().render(
        plan=plan,
        base=base,
        lowers=lowers,
        tools=tools(plan),
        stages=tuple(stages(plan, scripted)),
        laid=any(path.parts[0] == "rootfs" for path in tree),
        gone=simple(WRAP.join(["rm -f", *map(quote, gone)])) if gone else None,
        users=strict(*made) if made else None,
        sources=any(path.is_relative_to(APT_FOLDER) for path in tree),
        packages_first=(
            install(plan.packages_first, recommends=False) if plan.packages_first else None
        ),
        releases=[release(r) for r in plan.apt_repositories if ":" in (r.package or "")],
        packages=[
            install(names, recommends=recommends)
            for names, recommends in ((plan.packages, False), (plan.recommended, True))
            if names
        ],
        pip=pip_run(plan.python) if plan.python else None,
        npm=npm_run(plan.npm) if plan.npm else None,
        steps=steps,
        zone=strict(*zone_lines(plan)) if plan.new_timezone else None,
        locale=made_locale(plan),
        workdir=_workdir(plan, [step.workdir for step in steps if step.workdir]),
        copied=copied,
        folders=simple(*folder_lines(plan)),
        opened=simple(*opened(copied, tree)),
        init=INIT,
        user=plan.runs_as,
    )
    return re.sub(r"\n{3,}", "\n\n", rendered)


def _workdir(plan: Plan, left: list[str]) -> str | None:
    """Decide where containers begin, if that is not where the steps, or the own base, end."""
    there = [plan.parent.workdir if plan.parent else "/", *left][-1]
    return plan.workdir if plan.workdir != there else None


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(  # noqa: S701 -- no HTML; quoting is by the filters
        loader=jinja2.FunctionLoader(lambda name: (_templates / name).read_text("utf-8")),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "word": word,
        "expanded": expanded,
        "path": path,
        "paths": lambda copy: paths(copy.source, copy.to),
        "listed": listed,
        "body": body,
    }
    environment.filters.update(filters)
    return environment.get_template("Dockerfile.j2")


_templates = library("render/templates")
