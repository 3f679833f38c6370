"""Which tags an event of git gives."""

from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import BeforeValidator, Field

from imagegen.language.scalars import Filled, Kind, Many
from imagegen.language.table import Table, Wrong


def _tags(value: Any) -> Any:  # noqa: ANN401 -- anything that TOML can say
    """Check a rule: pydantic would report a wrong value once per alternative."""
    if isinstance(value, dict):
        for glob, names in value.items():
            if not glob.strip():
                raise Wrong("a glob must not be empty", glob)
            if not isinstance(names, list | tuple):
                raise Wrong('must be a list of tags, as in ["latest"]', glob)
            _names(names, glob)
    elif isinstance(value, list | tuple):
        _names(value)
    else:
        raise ValueError(  # noqa: TRY004 -- pydantic reports only these
            "must be a list of tags, or a table: ref glob = list of tags"
        )
    return value


def _names(names: list[Any] | tuple[Any, ...], *path: str) -> None:
    for number, name in enumerate(names):
        if not isinstance(name, str):
            raise Wrong("must be a string, in quotes", *path, number)
        if not name:
            raise Wrong("must not be empty", *path, number)


Tag: TypeAlias = Annotated[str, Field(min_length=1), Kind("tag", example="latest")]
Rule: TypeAlias = Annotated[Many[Tag] | dict[Filled, Many[Tag]], BeforeValidator(_tags)]

KINDS = ("release", "prerelease", "tag", "branch", "schedule", "pull-request")
"""The events that rules are for."""


class Tags(Table):
    """[tags]: which tags an event of git gives.

    A list of tags, or a table: glob of the ref = list of tags; every glob that fits adds its own.
    An event without a rule is built and not pushed. Whoever writes some rules writes all.
    """

    goes_to: ClassVar[str] = "tags"

    release: Annotated[
        Rule | None, Field(examples=[["{{ git.version }}", "latest"], {"v2.*": ["two"]}])
    ] = None
    """For a git tag that is a version; default the version, X.Y and latest. Tags that don't hold
    the whole version move only if no higher release gives them."""
    prerelease: Annotated[Rule | None, Field(examples=[["{{ git.version }}", "next"]])] = None
    """For a git tag that is a version with a pre-release; default the version."""
    tag: Annotated[Rule | None, Field(examples=[{"snapshot-*": ["{{ git.tag }}"]}])] = None
    """For a git tag that is no version; default none."""
    branch: Annotated[Rule | None, Field(examples=[{"main": ["edge"]}])] = None
    """For a push to a branch; default the name of the branch."""
    schedule: Annotated[Rule | None, Field(examples=[["nightly"]])] = None
    """For a build by the clock; its ref is the branch; default none."""
    pull_request: Annotated[Rule | None, Field(examples=[["pr-{{ git.pr }}"]])] = None
    """For a pull request; its ref is the number; default none."""

    def rule(self, kind: str) -> tuple[tuple[str | None, tuple[str, ...]], ...]:
        """List the globs of an event's rule and their tags; a bare list is for every ref."""
        said = getattr(self, kind.replace("-", "_"))
        if said is None:
            return ()
        return tuple(said.items()) if isinstance(said, dict) else ((None, said),)
