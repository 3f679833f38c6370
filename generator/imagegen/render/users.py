"""Users and groups, and their numbers."""

from collections.abc import Iterator

from imagegen.plan.model import Plan, User
from imagegen.render.quoting import quote
from imagegen.render.run import WRAP

GROUP = 8376
"""Number of the group that may read the merged configuration; fixed, as all ids are."""


def user_lines(plan: Plan) -> Iterator[str]:
    """Write the lines that make groups and users: fixed numbers first, so that they are free."""
    ours = ["imagegen"] if plan.has_runtime else []
    new = plan.new_users
    made = [] if plan.parent and plan.parent.has_runtime else ours
    fixed = dict.fromkeys(made, GROUP) | {user.name: user.gid for user in new}
    # Users may share a group by its number; it has the name of the first.
    first = {gid: name for name, gid in reversed(fixed.items())}
    for gid, name in reversed(first.items()):
        yield f"groupadd --gid {gid} {name}"
    for name in sorted({group for user in new for group in user.groups} - set(fixed)):
        yield f"groupadd --force --system {name}"
    if made:
        yield from (
            f"usermod --append --groups imagegen {u.name}" for u in plan.users if u not in new
        )
    for user in new:
        groups = ",".join([*ours, *user.groups])
        more = f" --groups {groups}" if groups else ""
        yield (
            f"useradd --uid {user.uid} --gid {user.gid}{more} --no-log-init{WRAP}"
            f"--home-dir {quote(user.home)} --create-home --shell {quote(user.shell)} {user.name}"
        )


def ids(owner: str, plan: Plan) -> str | None:
    """Numbers instead of names: they need no passwd of the base, and are what volumes keep."""
    user = user_named(owner, plan)
    return f"{user.uid}:{user.gid}" if user else None


def user_named(name: str | None, plan: Plan) -> User | None:
    return next((user for user in plan.users if user.name == name), None)
