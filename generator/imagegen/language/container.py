"""How containers of the image run."""

import difflib
import re
from typing import Annotated, Any, ClassVar
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field

from imagegen.errors import quoted
from imagegen.language.scalars import (
    Filled,
    ImagePath,
    Kind,
    Many,
    Size,
    UserName,
    matching,
    size_in_bytes,
)
from imagegen.language.shapes import Limit, takes_numbers
from imagegen.language.table import GoesTo, Table, Wrong

LimitName = Annotated[
    str,
    matching(
        "core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime|"
        "sigpending|stack",
        "limit; the common ones are nofile, nproc, memlock, core and stack",
    ),
    Kind("name of a limit", example="nofile"),
]

CAPABILITIES = (
    *("AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF"),
    *("CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID"),
    *("IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE"),
    *("MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "PERFMON"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT"),
    *("SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE"),
    *("SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM", "ALL"),
)
"""capabilities(7), as engines call them; ALL is theirs."""

LEAST_MEMORY = "6MiB"
"""Docker takes no less."""


def _capability(value: str) -> str:
    name = value.removeprefix("-")
    if name in CAPABILITIES:
        return value
    plain = name.upper().removeprefix("CAP_")
    near = difflib.get_close_matches(plain, CAPABILITIES, n=1)
    hint = f"; did you mean {value[: len(value) - len(name)]}{near[0]}?" if near else ""
    raise ValueError(f"{quoted(value)} is no capability of Linux{hint}")


def _memory(value: str) -> str:
    if size_in_bytes(value) < size_in_bytes(LEAST_MEMORY):
        raise ValueError(f"is too little: no container runs with less than {LEAST_MEMORY}")
    return value


def _some(value: str) -> str:
    if not float(value):
        raise ValueError("must be more than 0")
    return value


def _zone(value: str) -> str:
    zones = available_timezones()  # none, where this machine has no zone files itself
    if value in zones or (not zones and re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", value)):
        return value
    near = difflib.get_close_matches(value, zones, n=1)
    hint = f"; did you mean {near[0]}?" if near else '; they are named as in "Europe/Rome"'
    raise ValueError(f"{quoted(value)} is no time zone{hint}")


def _quoted_names(value: Any) -> Any:  # noqa: ANN401 -- anything that TOML can say
    """Find names without quotes, which nest: TOML reads each of their dots as a table."""
    for name, nested in value.items() if isinstance(value, dict) else ():
        path = [name]
        while isinstance(nested, dict) and nested:
            key, nested = next(iter(nested.items()))  # noqa: PLW2901
            path.append(key)
        if len(path) > 1:
            raise Wrong(f'the name needs quotes: "{".".join(path)}" = …', name)
    return value


Sysctl = Annotated[
    str,
    matching(
        r"(?:net|fs\.mqueue)\.[a-zA-Z0-9_.-]+"
        r"|kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)",
        "setting of the kernel that a container may have; these are net.…, fs.mqueue.…, "
        "kernel.msg… and kernel.shm…",
    ),
    Kind("setting of the kernel", example="net.core.somaxconn"),
]


class Container(Table):
    """[container]: how containers of the image run."""

    goes_to: ClassVar[str] = "run recipe"

    init: Annotated[
        Annotated[
            str, matching("runit|single|my_init|none", "init; use runit, single, my_init or none")
        ]
        | None,
        GoesTo("rootfs, Dockerfile: ENTRYPOINT"),
    ] = None
    """The first process: runit (several services), single (one, and its exit code), my_init (of
    phusion's bases) or none; default runit, where there is anything to run."""
    user: Annotated[UserName | None, GoesTo("rootfs, Dockerfile: USER")] = None
    """Who runs services, jobs and hooks; default: the only one of [users]."""
    workdir: Annotated[
        ImagePath, Field(examples=["/srv/app"]), GoesTo("rootfs, Dockerfile: WORKDIR")
    ] = "/"
    """Where services, jobs and hooks run, and commands of `docker run` and `docker exec`."""
    timezone: Annotated[
        Annotated[
            str,
            AfterValidator(_zone),
            Kind("time zone", "^[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*$", "Europe/Rome"),
        ]
        | None,
        GoesTo("Dockerfile: ENV TZ, /etc/localtime"),
    ] = None
    """The local time: TZ, and the file of the zone."""
    locale: Annotated[
        Annotated[
            str,
            matching(
                r"C|POSIX|C\.UTF-8|[a-z]{2,3}_[A-Z]{2}\.[A-Za-z0-9-]+(?:@[a-z]+)?",
                'locale; write language, country and character set, as in "de_DE.UTF-8"',
            ),
        ]
        | None,
        GoesTo("Dockerfile: ENV LANG"),
    ] = None
    """Language and character set: LANG; "C.UTF-8" is there always, others are made."""
    read_only: bool = False
    """The container can write nowhere but to volumes and `tmpfs`."""
    syslog: Annotated[bool, GoesTo("rootfs")] = False
    """What is written to /dev/log goes to the container's log."""
    capabilities: Annotated[
        Many[
            Annotated[
                str,
                AfterValidator(_capability),
                Kind("capability", "^-?[A-Z_]+$", "NET_ADMIN"),
            ]
        ],
        Field(examples=[["-ALL", "NET_BIND_SERVICE"]]),
    ] = ()
    """Powers of root beside the engine's usual ones; with a dash before it, one is taken away."""
    tmpfs: Annotated[Many[ImagePath], Field(examples=[["/tmp"]])] = ()  # noqa: S108
    """Folders in memory, empty at each start."""
    shm_size: Size | None = None
    """Size of /dev/shm, where 64 MB are too little."""
    memory: Annotated[
        Annotated[Size, AfterValidator(_memory)] | None, Field(examples=["512MiB"])
    ] = None
    """How much memory it may take."""
    cpus: Annotated[
        Annotated[
            str,
            BeforeValidator(takes_numbers),
            matching(
                r"[0-9]{1,4}(?:\.[0-9]{1,3})?", 'number of processors; write 2 or "1.5", as in "2"'
            ),
            AfterValidator(_some),
        ]
        | None,
        Field(examples=["1.5"]),
    ] = None
    """How many processors it may keep busy."""
    ulimits: Annotated[dict[LimitName, Limit], Field(examples=[{"nofile": 4096}])] = {}
    """Limits of the kernel for its processes, as in nofile = 4096: a number, or "soft:hard"."""
    sysctls: Annotated[
        dict[Sysctl, Annotated[Filled, BeforeValidator(takes_numbers)]],
        BeforeValidator(_quoted_names),
        Field(examples=[{"net.core.somaxconn": 1024}]),
    ] = {}
    """Settings of the kernel, their names in quotes."""
