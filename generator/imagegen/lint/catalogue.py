"""imagegen's own rules: what each is about, why it matters, and how to cure it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "info"]

DOCS = "docs/lint.md"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. docs/lint.md has a section for each, with the same words."""

    id: str
    severity: Severity
    title: str
    why: str
    cure: str

    @property
    def docs(self) -> str:
        return f"{DOCS}#{self.id.lower()}"


_RULES = (
    Rule(
        "IG001",
        "info",
        "An ignored rule finds nothing",
        "It hides what the rule may find later.",
        "Take the line out of `[lint] ignore`.",
    ),
    Rule(
        "IG101",
        "warning",
        "The base has a moving tag",
        "`latest`, `stable` and the like become another release one day, and the image with them.",
        "Name a release, as in `debian:bookworm-slim`, best with its digest.",
    ),
    Rule(
        "IG102",
        "info",
        "The base has no digest",
        "A tag is moved with every update: two builds of one commit may differ.",
        'Add it where builds must be repeatable, as in `base = "debian:bookworm-slim@sha256:…"`.',
    ),
    Rule(
        "IG201",
        "error",
        "A secret stands in the blueprint",
        "It ends in git and in the image, where whoever can pull it can read it.",
        "Leave the value out, and give it when the container starts: as a variable or in `CFG`.",
    ),
    Rule(
        "IG202",
        "error",
        "A private key or a file of credentials goes into the image",
        "Whoever can pull the image has it, also if a later step deletes the file.",
        "Leave it out with `exclude`, and mount it when the container starts.",
    ),
    Rule(
        "IG203",
        "warning",
        "A secret is not said to be one",
        "Its value is shown where it does not fit its `pattern`, or as a flag by `ps`; and it "
        "can't be given as a file.",
        "Say `secret = true` of the variable.",
    ),
    Rule(
        "IG204",
        "info",
        "A secret is not used",
        "Whoever reads it looks for what needs it; and once named, it is soon lent to too much.",
        "Name it in the `secrets` or `netrc` of a step, or take it out of `[secrets]`.",
    ),
    Rule(
        "IG301",
        "warning",
        "A service or job runs as root",
        "A hole in it is a hole in everything that the container can reach.",
        "Give it a user of `[users]`; only what needs root should have it.",
    ),
    Rule(
        "IG302",
        "warning",
        "The user of the container is root",
        "Every service and job runs as root unless it says something else.",
        "Declare a user in `[users]`, and take `container.user` out.",
    ),
    Rule(
        "IG303",
        "warning",
        "A port below 1024 without root",
        "Docker allows it by default; Podman, older containerd and host networks do not.",
        "Listen above 1024, as in `port = 8080`, and publish that: `publish = 80`.",
    ),
    Rule(
        "IG304",
        "info",
        "A port is published on all addresses",
        "Docker's rules come before those of ufw and firewalld: the port is open to the network.",
        "Leave the address out (then it is 127.0.0.1), or name the one that is meant.",
    ),
    Rule(
        "IG305",
        "warning",
        "A volume gives the container the host",
        "Who may write there, or speak to the engine's socket, is root of the host.",
        "Mount only the folder that is needed; speak to the engine through a filtering proxy.",
    ),
    Rule(
        "IG401",
        "warning",
        "No service has a health check",
        "A service that hangs is neither seen nor restarted, and HEALTHCHECK says healthy.",
        'Add `health`, as in `health = { http = "http://localhost:8080/" }`.',
    ),
    Rule(
        "IG402",
        "warning",
        "A service waits for one without a health check",
        "That counts as well as soon as its process runs, which is before it can answer.",
        "Add `health` to the service that is named in `after`.",
    ),
    Rule(
        "IG403",
        "info",
        "A stop may take longer than plain `docker stop` waits",
        "`docker stop` kills after 10 s unless the container was created with a longer time.",
        "Nothing, if `imagegen run` or compose starts it; else `docker run --stop-timeout`.",
    ),
    Rule(
        "IG404",
        "warning",
        "Only root may write to a volume, and nothing runs as root",
        "The first write fails, in production, on the first day.",
        "Set `owner` to the user of the service, or `read-only = true`.",
    ),
    Rule(
        "IG501",
        "warning",
        "Everybody may write to a file or folder",
        "Any service that is broken into can change what another one runs or reads.",
        "Set `owner` to who writes there, and a mode such as `0644`, `0755` or `0750`.",
    ),
    Rule(
        "IG502",
        "warning",
        "A file gets a setuid or setgid bit",
        "Whoever runs it becomes somebody else: the classic way from a service to root.",
        "Take the bit out, and give the service that needs it a user of its own.",
    ),
    Rule(
        "IG601",
        "warning",
        "A step pipes a download into an interpreter",
        "Whatever the server sends runs as root, half of it if the connection breaks.",
        "Download to a file, compare it with a checksum, then run it; or copy it in.",
    ),
    Rule(
        "IG602",
        "warning",
        "A step calls apt itself",
        "It leaves lists behind, brings recommended packages, and is not seen by plan and diff.",
        "Name the packages in `[packages]`.",
    ),
    Rule(
        "IG603",
        "warning",
        "A step does not check what it downloads",
        "What the server, or anybody between, puts there goes into the image.",
        "Check it in the same step, as with `sha256sum -c`, and keep certificate checks on.",
    ),
    Rule(
        "IG604",
        "info",
        "A step is lines of a Dockerfile",
        "They are looked at by nobody before the build, and bring no network, user or secrets.",
        "Say it with the other keys of a step where they can; `dockerfile` is the last resort.",
    ),
    Rule(
        "IG701",
        "info",
        "A job without a time limit",
        "A job never runs twice at once: one that hangs is the last of its kind.",
        "Set `timeout`.",
    ),
    Rule(
        "IG702",
        "warning",
        "Old logs are never deleted",
        "Compressed files add up too, until the volume is full.",
        "Set `delete-after`.",
    ),
    Rule(
        "IG801",
        "warning",
        "A tag is moved by two events",
        "It is whatever was pushed last: a branch can take it from a release.",
        "Give each event of `[tags]` a tag of its own, or one that holds its name.",
    ),
)
RULES = {rule.id: rule for rule in _RULES}
