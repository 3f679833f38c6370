"""YAML as its readers take it: compose and GitHub read more words as numbers than PyYAML does."""

import re
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.2 has for numbers, as in "1e3" or "0o17", too."""


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?\Z|[-+]?0o[0-7_]+\Z"),
    list("-+.0123456789"),
)


def as_yaml(value: Any, width: int | None = None) -> str:  # noqa: ANN401 -- anything that YAML has
    """Dump, in the order given. Strings stay strings, whoever reads them."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=width or 80)
