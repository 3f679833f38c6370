"""The local time and the language of an image."""

from imagegen.plan.model import Plan
from imagegen.render.network import ENTER
from imagegen.render.packages import APT_MOUNTS, lent
from imagegen.render.quoting import quote
from imagegen.render.run import WRAP, Run, strict

ALWAYS = ("C", "POSIX", "C.UTF-8")
"""Locales that every base has."""

ZONES = "/usr/share/zoneinfo"


def zone_lines(plan: Plan) -> tuple[str, ...]:
    """Write the lines that set the local time for what does not look at TZ."""
    zone = quote(plan.timezone or "")
    missing = f"imagegen: no zone {zone}; the package tzdata-legacy may have it"
    return (
        f"if [ ! -e {ZONES}/{zone} ]; then{WRAP}echo '{missing}' >&2;{WRAP}exit 1; fi",
        f"ln -snf {ZONES}/{zone} /etc/localtime",
        f"echo {zone} >/etc/timezone",
    )


def made_locale(plan: Plan) -> Run | None:
    """Compile the locale, which takes a package of 16 MB that nothing needs afterwards."""
    name = plan.new_locale
    if name is None or name in ALWAYS:
        return None
    language, _, rest = name.partition(".")
    characters, at, modifier = rest.partition("@")
    made = WRAP.join(
        [
            "localedef --no-archive",
            f"-i {quote(language + at + modifier)} -f {quote(characters)} {quote(name)}",
        ]
    )
    lines = lent(["locales"], "mkdir -p /usr/lib/locale", made)
    return strict(ENTER, *lines, mounts=APT_MOUNTS)
