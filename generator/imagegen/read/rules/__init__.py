"""Rules that need more than one key: what the types alone can't say."""

from collections.abc import Callable, Iterator

from imagegen.errors import Problem
from imagegen.read.rules import (
    build,
    config,
    container,
    downloads,
    files,
    lifecycle,
    logs,
    network,
    packages,
    rendered,
    secrets,
    services,
    stack,
    users,
    variables,
)
from imagegen.read.rules.checked import Checked

Rule = Callable[[Checked], Iterator[Problem | None]]


def broken_rules(checked: Checked) -> Iterator[Problem]:
    """Look for everything wrong that needs more than one key, or the files beside the blueprint."""
    for rule in _RULES:
        yield from filter(None, rule(checked))


_RULES: tuple[Rule, ...] = (
    build.family,
    users.container_user,
    users.known_users,
    users.one_id_each,
    services.order,
    services.clock,
    variables.variables,
    build.step_names,
    packages.managers,
    packages.repositories,
    packages.python,
    secrets.names,
    secrets.known,
    network.ports,
    network.published,
    files.volumes,
    files.files,
    files.own_files,
    config.json_values,
    config.own_defaults,
    config.schema,
    rendered.names,
    services.flags,
    downloads.downloads,
    downloads.secrets,
    lifecycle.mark,
    lifecycle.after,
    lifecycle.versions,
    container.init,
    container.tmpfs,
    logs.logs,
    variables.reserved_variables,
    variables.secrets,
    variables.lent,
    variables.laid,
    stack.stack,
)
