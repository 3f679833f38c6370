"""What all tables of the language share."""

from dataclasses import dataclass
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator


def _kebab(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


class Wrong(ValueError):  # noqa: N818 -- what is wrong, where
    """What is wrong with a table or list, said of something in it."""

    def __init__(self, message: str, *path: str | int) -> None:
        """Give the path below the table, in the keys that the user writes."""
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class GoesTo:
    """Where a key goes if that is elsewhere than its table: `Annotated[…, GoesTo("tags")]`."""

    place: str


@dataclass(frozen=True)
class Since:
    """The version of imagegen that brought a key, if it was not the first."""

    version: str


class Table(BaseModel):
    """A table of the blueprint: frozen, strict, unknown keys refused, keys in kebab-case.

    Where a bare value may stand for the whole table, `bare` names the key that it means:
    `run = "x"` for a command given as "x". `choices` are keys of which a table has at most one.
    `other_choices` are further such groups. `goes_to` says in the documentation what the keys
    become.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        use_attribute_docstrings=True,
        alias_generator=_kebab,
        validate_by_name=False,
        validate_by_alias=True,
    )

    bare: ClassVar[str | None] = None
    choices: ClassVar[tuple[str, ...]] = ()
    other_choices: ClassVar[tuple[tuple[str, ...], ...]] = ()
    goes_to: ClassVar[str] = ""

    @classmethod
    def alternatives(cls) -> tuple[tuple[str, ...], ...]:
        """List the groups of keys of which a table has at most one each."""
        return tuple(filter(None, (cls.choices, *cls.other_choices)))

    @property
    def given(self) -> tuple[str, ...]:
        """List the keys that are set, as the user writes them."""
        fields = type(self).model_fields
        return tuple(f.alias or n for n, f in fields.items() if n in self.model_fields_set)

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        for group in self.alternatives():
            given = [key for key in group if key in self.given]
            if len(given) > 1:
                said = f"only one of {' and '.join(f'`{key}`' for key in given)} may be given"
                raise Wrong(said, given[-1])
        return self
