"""The RUN line that installs programs for Node."""

from collections.abc import Sequence

from imagegen.render.network import ENTER
from imagegen.render.packages import APT_MOUNTS, TAKE_BACK, borrowed, brought, has
from imagegen.render.quoting import quote
from imagegen.render.run import WRAP, Run, strict


def npm_run(names: Sequence[str]) -> Run:
    """Install, and see that all is there: npm calls a name that it skips a success.

    Debian's npm brings hundreds of packages, which only it needs: it is lent.
    """
    mounts = (*APT_MOUNTS, "--mount=type=cache,target=/root/.npm,sharing=private")
    plain = [f"{name[0]}{name[1:].partition('@')[0]}" for name in names]
    brings, borrows = brought(["nodejs"]), borrowed(["npm"])
    return strict(
        ENTER,
        f"if ! command -v npm >/dev/null; then{WRAP}{brings};{WRAP}{borrows}; \\\n    fi",
        "export npm_config_update_notifier=false NODE_COMPILE_CACHE=/dev/shm/node",
        WRAP.join(["npm install --global --no-audit --no-fund", *map(quote, names)]),
        has("npm", plain),
        TAKE_BACK,
        mounts=mounts,
    )
