"""How containers run: which init can run what, and what is mounted where."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from imagegen.errors import Problem
from imagegen.read.rules.checked import Checked


def init(c: Checked) -> Iterator[Problem | None]:
    b = c.blueprint
    place = ("container", "init")
    run = {name: service for name, service in b.services.items() if service.is_ours}
    timed = [*(n for n, job in b.jobs.items() if job.schedule), *b.logs]
    match b.container.init:
        case "none" if run or timed or b.lifecycle.hooks:
            yield c.wrong(place, "without an init nothing is kept running, and no hook is run")
        case "single" if len(run) != 1:
            message = f"runs exactly one service, and there are {len(run) or 'none'}"
            yield c.wrong(place, f"{message}; use runit")
        case "single" if timed:
            yield c.wrong(place, "runs one service and no cron for jobs and logs; use runit")
        case "single" if next(iter(run.values())).start is not None:
            message = "runs a service that stays in the foreground (`run`); use runit"
            yield c.wrong(place, message)
        case "my_init" if c.family and c.family.is_served and c.family.name != "phusion":
            yield c.wrong(place, "is in the bases of phusion alone; use runit")


def tmpfs(c: Checked) -> Iterator[Problem | None]:
    volumes = {PurePosixPath(v.path): name for name, v in c.blueprint.volumes.items()}
    for number, path in enumerate(c.blueprint.container.tmpfs):
        place = ("container", "tmpfs", number)
        if str(PurePosixPath(path)) == "/":
            yield c.wrong(place, "the root folder can't be in memory")
        elif ":" in path:
            yield c.wrong(place, "engines can't mount at a path with a colon")
        elif name := volumes.get(PurePosixPath(path)):
            yield c.wrong(place, f"is the path of the volume {name}; one of the two can be there")
